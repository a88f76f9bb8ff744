//! SPLIT-SHIP: what is needed of an open line now, the rest as it is promised (handbook §5).

use crate::assess::checks::{Checks, not_past, open_line, whole_packs};
use crate::assess::frozen;
use crate::assess::gathered::{Gathered, Proposal, line_ref};
use crate::assess::projection::{Arrival, in_days};
use crate::assess::shortage::Short;
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::workings::Change;
use rust_decimal::Decimal;

/// Days from asking until what is ready can be here.
const LEAST_DAYS: u32 = 3;

/// Asks for what is ready of a line that its supplier has put off: on the day that was promised first, where that is still ahead.
pub(in crate::assess) fn splits(gathered: &mut Gathered<'_>, short: &Short) {
    let delayed = |arrival: &&Arrival| {
        let line = gathered.scene.book.po_lines.get(&arrival.po_line)?;
        let book = gathered.scene.book;
        let first = book.calendar.day_of(line.promised_first);
        (arrival.firm && book.due(line) > first).then_some((line, first))
    };
    let found = short.now.arrivals.iter().find_map(|arrival| Some((arrival, delayed(&arrival)?)));
    let Some((arrival, (line, first))) = found else { return };
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = &short.place;
    let Some(price) = line.price.filter(|_| line.item == *item) else { return };
    let day_of = |wait: u32| {
        // The first part can be here on the day of the first promise, but not
        // before somebody has asked and the goods have travelled.
        let promised = days_between(book.today, book.expected_on(first)).max(0) as u32;
        let day = promised.max(wait + LEAST_DAYS);
        (day < arrival.day.min(short.relief())).then_some(day)
    };
    let days: Vec<u32> = (0..arrival.day).map_while(day_of).collect();
    let Some((&day, later)) = days.split_first() else { return };
    // Whole packs, and something must be left to come later.
    let multiple = book.rule(item, location).map_or(Decimal::ONE, |rule| rule.multiple.0.max(Decimal::ONE));
    let packs = |units: Decimal| (units / multiple).floor() * multiple;
    let open = book.open_quantity(&line.id);
    // A part of a pack is not sent. Where all packs would be needed, one
    // stays behind, or it would be expediting the whole line.
    let wanted = Quantity::ceil_units(short.need(scene, day));
    let whole = Quantity((wanted.0 / multiple).ceil() * multiple);
    let quantity = if whole < open { whole } else { Quantity(packs(open.0 - multiple)) };
    if !quantity.is_positive() {
        return;
    }
    let refused = scene.settings.left.split;
    let change = Change::Sooner {
        place: frozen::name(&short.place),
        line: line.id.clone(),
        quantity: quantity.to_f64().min(arrival.qty),
        kits: None,
        day,
        later: later.to_vec(),
        price,
        refused: Some(refused),
    };
    let cost = scene.settings.costs.split_fixed;
    let source = line_ref(&line.id);
    let on = |day: u32| plus_days(book.today, in_days(day));
    // The rest keeps its day. Where that is not after the first part's, the two deliveries would be one.
    let (date_now, date_rest) = (on(day), book.due(line).max(on(day + 1)));
    let cites = vec![
        gathered.fact(source.clone(), "open", &format!("still to come on {}", line.order_name), FactValue::Quantity(open)),
        gathered.fact(source.clone(), "promised_first", "promised first for", FactValue::Date(first)),
        gathered.fact(source.clone(), "split_quantity", "to be sent before", FactValue::Quantity(quantity)),
        gathered.fact(source.clone(), "split_date", "first part on", FactValue::Date(date_now)),
        gathered.fact(source.clone(), "split_rest", "the rest on", FactValue::Date(date_rest)),
        gathered.assume(source.clone(), "split_refused", "how often nothing can be sent before (setting)", refused),
        gathered.fact(source, "cost_split", "cost of a second delivery (setting)", FactValue::Money(cost)),
    ];
    let summary = format!(
        "Ask {} to send {quantity} of {open} units of {} on {} by {date_now}, the rest by {date_rest}.",
        book.supplier_name(&line.supplier),
        book.item_label(item),
        line.order_name,
    );
    gathered.proposals.push(Proposal {
        action: Action::SplitShip { po_line: line.id.clone(), quantity, date_now, date_rest },
        summary,
        then: Vec::new(),
        after: short.after(scene, &change),
        cost,
        regret: Money::ZERO,
        value: cost,
        latest: gathered.today_plus(in_days(1 + later.len() as u32)),
        cites,
        change: Some(change),
    });
}

/// SPLIT-SHIP.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::SplitShip { po_line, quantity, date_now, date_rest } = action else { return };
    let book = scene.book;
    let open = book.open_quantity(po_line);
    let Some(line) = open_line(scene, c, po_line, *quantity) else { return };
    c.hard("something is left for later", *quantity < open, format!("{quantity} < {open}"));
    not_past(scene, c, "first date is not past", *date_now);
    c.hard("the rest comes later", date_rest > date_now, format!("{date_rest} > {date_now}"));
    let multiple = book.rule(&line.item, &line.location).map_or(Quantity::units(1), |r| r.multiple);
    whole_packs(c, *quantity, multiple);
}
