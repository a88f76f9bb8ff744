//! Shortage: stock that has run out or will before relief can come, and stock elsewhere that could help (I-OUT, I-LOW,
//! I-IMBAL; handbook §3.4, §4.4).

use crate::place_key;
use jiff::civil::Date;

use super::facts::{fact, place_fact, record};
use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::days_between;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::RecordKind;
use reeve_models::formulas::{normal_cdf, normal_quantile, safety_stock, transferable};

const DETECTOR: &str = "stock-projection/1";

/// Everything that the projections have to say of an item on the book's day.
pub(super) fn signals_of(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId) -> Vec<Signal> {
    let mut found = Vec::new();
    let sellable = book.items.get(item).is_some_and(|i| i.sellable);
    for location in book.carriers_of(item) {
        let Some(signal) = shortage(book, settings, outlook, item, &location).filter(|_| sellable) else { continue };
        found.extend(imbalance(book, settings, outlook, item, &location));
        found.push(signal);
    }
    found
}

fn shortage(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId, location: &LocationId) -> Option<Signal> {
    let place = (item.clone(), location.clone());
    let on_hand = book.on_hand(item, location);
    let waiting = book.waiting(item, location);
    let unposted = book.unposted(item, location);
    let available = book.available(item, location);
    let (daily, _) = outlook.per_day(&place);
    // Where nobody waits and nothing is expected to be wanted, nothing runs out, whatever the books say.
    if !waiting.is_positive() && daily <= 0.0 {
        return None;
    }
    // Only until relief: what is missing after the next receipt or a new order is another day's question.
    let (until, po_line) = book.relief(item, location, settings.detect.horizon_days);
    let days = days_between(book.today, until).max(1) as u32;
    let (mean, sigma) = outlook.window(&place, 0, days);
    let out = available <= Quantity::ZERO;
    // The same doubt as in the money, so that card and detector do not
    // contradict each other. Without any doubt it is yes or no.
    let risk = if sigma > 0.0 {
        1.0 - normal_cdf((available.to_f64() - mean) / sigma)
    } else {
        f64::from(mean > available.to_f64())
    };
    // Less than a unit short is rounding, not a stock-out.
    if !out && (risk < settings.detect.low_probability || mean - available.to_f64() < 1.0) {
        return None;
    }
    let item_label = book.item_label(item);
    let place_name = book.location_name(location);
    let assumed = is_assumed(book, item, po_line.as_deref());
    let relief_words = relief_words(book, item, po_line.as_deref(), until);
    let (code, headline) = if out {
        let wait =
            if waiting.is_positive() { format!("customers wait for {waiting}") } else { "nobody waits yet".to_owned() };
        let at_tills = if unposted.is_positive() {
            format!(" on the books, {unposted} sold at the tills and not yet posted")
        } else {
            " on hand".to_owned()
        };
        (T::IOut, format!("{item_label} is out of stock at {place_name}: {on_hand}{at_tills}, {wait}; {relief_words}."))
    } else {
        let words = format!(
            "{item_label} at {place_name} will run out: {available} free, about {mean:.0} wanted in {days} days; {relief_words}."
        );
        (T::ILow, words)
    };
    let mut facts = vec![
        place_fact(book, item, location, "on_hand", "on hand", FactValue::Quantity(on_hand)),
        place_fact(book, item, location, "waiting", "customers wait for", FactValue::Quantity(waiting)),
    ];
    if !unposted.is_zero() {
        let label = "sold at the tills, not yet posted";
        facts.push(place_fact(book, item, location, "unposted", label, FactValue::Quantity(unposted)));
    }
    facts.extend([
        place_fact(book, item, location, "available", "free", FactValue::Quantity(available)),
        place_fact(book, item, location, "daily_demand", "usual demand a day", FactValue::number(daily, 2)),
        place_fact(
            book,
            item,
            location,
            "relief_on",
            if assumed { "relief assumed on, nobody has said a day" } else { "relief on" },
            FactValue::Date(until),
        ),
        place_fact(book, item, location, "window_demand", "wanted until then", FactValue::number(mean, 1)),
        place_fact(book, item, location, "risk", "probability of running out", FactValue::percent(risk * 100.0)),
    ]);
    if let Some(line) = &po_line
        && let Some(next) = book.incoming(item, location).into_iter().find(|i| i.po_line == *line)
    {
        let field = open_field(book, line, item);
        facts.push(fact(book, record(RecordKind::PoLine, line), &field, "next receipt", FactValue::Quantity(next.qty)));
    }
    let mut signal =
        Signal::rule(DETECTOR, code, Subject::at(item, location), "stock".to_owned(), (book.today, book.today), headline);
    // What is out is certain. A potential stock-out carries its own doubt, from which p is made.
    signal.score = if out { 1.0 } else { risk };
    Some(signal.link(place_key::shortage(item, location)).with(facts))
}

/// The field for what is still to come of an item on a line: of a kit each component has its own.
pub fn open_field(book: &Book, line: &str, item: &ItemId) -> String {
    if book.is_kit(line) { format!("open@{item}") } else { "open".to_owned() }
}

/// Is the day of relief one that nobody has said: of an order that is overdue, or of a lead time that no price list holds?
fn is_assumed(book: &Book, item: &ItemId, po_line: Option<&str>) -> bool {
    match po_line.and_then(|line| book.po_lines.get(line)) {
        Some(line) => book.due(line) < book.today,
        None => book.supplier_prices(item, book.today).is_empty(),
    }
}

/// When relief comes, and how that is known. What is overdue is not expected: a day is assumed.
fn relief_words(book: &Book, item: &ItemId, po_line: Option<&str>, until: Date) -> String {
    let assumed = is_assumed(book, item, po_line);
    match po_line.and_then(|line| book.po_lines.get(line)) {
        Some(line) if assumed => {
            format!("{} is overdue since {}, assumed for {until}", line.order_name, book.due(line))
        }
        // Its day has begun and is not over: until then nothing is overdue, and nothing is there.
        Some(line) if book.due(line) == book.today => {
            format!("{} is promised for today, counted on from {until}", line.order_name)
        }
        Some(line) => format!("{} is promised for {until}", line.order_name),
        None if assumed => format!("no supplier is known, relief is assumed for {until}"),
        None => format!("an order placed today would arrive about {until}"),
    }
}

/// I-IMBAL: another location could spare enough to matter. It need not carry the item: what it has, it can give; but it must
/// be one from which goods may be transferred.
fn imbalance(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId, location: &LocationId) -> Option<Signal> {
    let z = normal_quantile(settings.detect.service_level);
    let mut donors: Vec<(i64, LocationId)> = Vec::new();
    for donor in book.stocked_at(item).into_iter().filter(|l| l != location && book.may_transfer(l, location)) {
        let place = (item.clone(), donor.clone());
        // A donor has to last until its own relief, not until that of the place that is short.
        let (until, _) = book.relief(item, &donor, settings.detect.horizon_days);
        let days = days_between(book.today, until).max(1) as u32;
        let (daily, sigma) = outlook.per_day(&place);
        let safety = safety_stock(z, sigma * f64::from(days).sqrt());
        let spare = transferable(book.available(item, &donor).to_f64(), daily, f64::from(days), safety);
        donors.push((spare.floor() as i64, donor));
    }
    // A flagship is asked last, however much it has.
    let served = |location: &LocationId| settings.priority.of_location(book, location);
    donors.retain(|(spare, _)| *spare >= 1);
    donors.sort_by(|a, b| served(&b.1).cmp(&served(&a.1)).then_with(|| b.0.cmp(&a.0)).then_with(|| a.1.cmp(&b.1)));
    let (spare, donor) = donors.into_iter().next()?;
    let headline = format!(
        "{} could spare {spare} of {} for {}.",
        book.location_name(&donor),
        book.item_label(item),
        book.location_name(location)
    );
    let spare = place_fact(book, item, &donor, "transferable", "transferable", FactValue::Quantity(Quantity::units(spare)));
    let signal = Signal::rule(
        DETECTOR,
        T::IImbal,
        Subject::at(item, location),
        "stock".to_owned(),
        (book.today, book.today),
        headline,
    );
    Some(signal.link(place_key::shortage(item, location)).with([spare]))
}
