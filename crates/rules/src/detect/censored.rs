//! Sales that were low because nothing was there (D-CENSORED; handbook §4.1): whoever forecasts from them forecasts too little.
//!
//! Here demand is learnt without such days. The ERP's own figures and whoever looks at sales are not so careful, so it is said once
//! a quarter, when goods are there again, with what was not sold.

use super::facts::place_fact;
use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{plus_days, quarter};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Money;

const DETECTOR: &str = "censored-rules/1";

/// Days that are looked back, and of them those without stock that it takes.
const LOOK_DAYS: i32 = 28;
const OUT_LEAST: usize = 7;

/// D-CENSORED at each place of an item.
pub(super) fn signals_of(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId) -> Vec<Signal> {
    if !book.items.get(item).is_some_and(|item| item.sellable) {
        return Vec::new();
    }
    book.carriers_of(item).iter().filter_map(|location| at_place(book, settings, outlook, item, location)).collect()
}

fn at_place(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId, location: &LocationId) -> Option<Signal> {
    let (daily, _) = outlook.per_day(&(item.clone(), location.clone()));
    let margin = book.margin(item, location)?.to_f64();
    // While it is out the shortage says so; and a month without any of it has to be worth a word.
    let most = Money::from_f64(daily * f64::from(LOOK_DAYS) * margin);
    if most < settings.detect.policy_value || !book.available(item, location).is_positive() {
        return None;
    }
    let from = plus_days(book.today, -LOOK_DAYS);
    let out = book.out_by_day(item, location, from).iter().filter(|out| **out).count();
    let sold: f64 = book.demand_by_day(item, location, from).iter().sum();
    // No more than what the month lacks of the usual: on days without stock some may have been sold in the morning.
    let unmet = (daily * out as f64).min((daily * f64::from(LOOK_DAYS) - sold).max(0.0));
    let lost = Money::from_f64(unmet * margin);
    if out < OUT_LEAST || lost < settings.detect.policy_value {
        return None;
    }
    let headline = format!(
        "{} at {} was out of stock on {out} of the last {LOOK_DAYS} days: {sold:.0} were sold, about {unmet:.0} more would have been.",
        book.item_label(item),
        book.location_name(location)
    );
    let facts = [
        place_fact(book, item, location, "censored_days", "days without stock", FactValue::days(out as f64)),
        place_fact(book, item, location, "censored_sold", "sold in these weeks", FactValue::number(sold, 1)),
        place_fact(book, item, location, "censored_daily", "usual demand a day", FactValue::number(daily, 2)),
        place_fact(
            book,
            item,
            location,
            "censored_unmet",
            "about so many more would have been",
            FactValue::number(unmet, 1),
        ),
        place_fact(book, item, location, "censored_margin", "their margin", FactValue::Money(lost)),
    ];
    let days = (from, book.today);
    let signal = Signal::rule(DETECTOR, T::DCensored, Subject::at(item, location), quarter(book.today), days, headline);
    Some(signal.link(format!("demand:{item}@{location}")).with(facts))
}
