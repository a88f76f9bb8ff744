//! REALLOCATE: the customer first who can not wait (handbook §5).

use crate::assess::checks::{Checks, known_place};
use crate::assess::gathered::{Gathered, Proposal};
use crate::assess::projection::in_days;
use crate::assess::shortage::{self, Short};
use crate::scene::Scene;
use jiff::civil::Date;
use reeve_domain::action::Action;
use reeve_domain::book::{Book, Place, numeric};
use reeve_domain::calendar::plus_days;
use reeve_domain::evidence::FactValue;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{MoveKind, RecordKind, RecordRef, SaleLine, StockMove};

/// A customer's line that waits.
struct Wait<'b> {
    line: &'b SaleLine,
    open: Quantity,
    /// For when it is planned.
    due: Date,
    /// How much of it stock covers, first come, first served.
    covered: Quantity,
}

/// What is planned and has not left of a customer's line, with its day.
fn open_of(book: &Book, line: &SaleLine) -> Option<(Quantity, Date)> {
    let open = |m: &&StockMove| m.kind == MoveKind::Delivery && m.done_at.is_none() && m.item == line.item;
    let moves: Vec<&StockMove> = book.moves_of_sale_line(&line.id).into_iter().filter(open).collect();
    let due = moves.iter().filter_map(|m| m.deadline.or(m.scheduled_at)).map(|at| book.calendar.day_of(at)).min()?;
    let quantity: Quantity = moves.iter().map(|m| m.qty).sum();
    quantity.is_positive().then_some((quantity, due))
}

/// Those who wait at a place, in the order in which they came.
fn waits<'b>(book: &'b Book, (item, location): &Place) -> Vec<Wait<'b>> {
    let mut lines = book.sales_at(item, location);
    lines.sort_by(|a, b| (a.ordered_at, numeric(&a.id)).cmp(&(b.ordered_at, numeric(&b.id))));
    // Tills may have sold more than the books know, which makes the shelf negative; nobody can be served from that.
    let mut shelf = book.on_shelf(item, location).max(Quantity::ZERO);
    let mut waits = Vec::new();
    for line in lines {
        let Some((open, due)) = open_of(book, line) else { continue };
        let covered = open.min(shelf);
        shelf -= covered;
        waits.push(Wait { line, open, due, covered });
    }
    waits
}

/// Gives who can not wait until relief what is there for somebody who can: planned for after it, and served from what comes then.
pub(in crate::assess) fn reallocations(gathered: &mut Gathered<'_>, short: &Short) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = &short.place;
    let relief = plus_days(book.today, in_days(short.relief()));
    let all = waits(book, &short.place);
    // Who gives must be planned for after relief: what comes then serves them, and no promise is broken.
    let takes = all.iter().filter(|wait| wait.covered < wait.open && wait.due < relief);
    let gives = all.iter().filter(|wait| wait.covered.is_positive() && wait.due > relief);
    // The most pressing takes from the one who can wait longest, and from
    // one only: a swap of three orders nobody reads at once.
    let Some(to) = takes.min_by_key(|wait| wait.due) else { return };
    let Some(from) = gives.max_by_key(|wait| wait.due) else { return };
    let quantity = (to.open - to.covered).min(from.covered);
    let waiting = short.now.waiting;
    if !quantity.is_positive() || waiting <= 0.0 {
        return;
    }
    let [.., key] = shortage::keys(&short.place);
    let left = (1.0 - quantity.to_f64() / waiting).clamp(0.0, 1.0);
    // Whoever gives is told, and may be promised it back.
    let cost = scene.settings.costs.contact;
    let sale = |wait: &Wait<'_>| RecordRef::new(RecordKind::SaleLine, wait.line.id.clone());
    let name = |wait: &Wait<'_>| wait.line.order_name.clone();
    let cites = vec![
        gathered.fact(sale(from), "covered", &format!("there for {}", name(from)), FactValue::Quantity(from.covered)),
        gathered.fact(sale(from), "due", &format!("{} is planned for", name(from)), FactValue::Date(from.due)),
        gathered.fact(sale(to), "lacking", &format!("lacking for {}", name(to)), FactValue::Quantity(to.open - to.covered)),
        gathered.fact(sale(to), "due", &format!("{} is planned for", name(to)), FactValue::Date(to.due)),
        gathered.fact(sale(to), "reallocated", "to be given first", FactValue::Quantity(quantity)),
        gathered.place_fact(item, location, "relief", "what is missing comes anyway", FactValue::Date(relief)),
        gathered.assume(sale(to), "reallocate_left", "share of those who wait that still waits", left),
        gathered.fact(sale(to), "cost_contact", "cost of a question (setting)", FactValue::Money(cost)),
    ];
    let summary = format!(
        "Serve {} (planned for {}) with {quantity} units of {} before {}, which is planned for {}.",
        name(to),
        to.due,
        book.item_label(item),
        name(from),
        from.due,
    );
    gathered.proposals.push(Proposal {
        action: Action::Reallocate {
            item: item.clone(),
            location: location.clone(),
            from_line: from.line.id.clone(),
            to_line: to.line.id.clone(),
            quantity,
        },
        summary,
        then: Vec::new(),
        after: Gathered::leaving(&[key], left),
        cost,
        regret: cost,
        // No money moves: the goods are there, and both customers have ordered them.
        value: Money::ZERO,
        latest: plus_days(relief, -1).max(gathered.tomorrow()),
        cites,
        change: None,
    });
}

/// REALLOCATE.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::Reallocate { item, location, from_line, to_line, quantity } = action else { return };
    let book = scene.book;
    known_place(scene, c, item, location);
    // Only what has not left can be given to another, and nobody is given more than they wait for.
    let wanted = |line: &String| -> Quantity {
        let open = |m: &&StockMove| m.kind == MoveKind::Delivery && m.done_at.is_none() && &m.item == item;
        book.moves_of_sale_line(line).into_iter().filter(open).map(|m| m.qty).sum()
    };
    let (gives, takes) = (wanted(from_line), wanted(to_line));
    let fits = quantity.is_positive() && *quantity <= gives && *quantity <= takes;
    c.hard("both orders wait for it", fits, format!("{quantity} ≤ {gives} and {takes}"));
    // Whose units are given away must still get them in time: as many as come before its day, less what others wait for by then.
    let all = waits(book, &(item.clone(), location.clone()));
    let Some(from) = all.iter().find(|wait| &wait.line.id == from_line) else {
        c.hard("promise of who gives is kept", false, "it has no day".to_owned());
        return;
    };
    let comes: Quantity = book
        .incoming(item, location)
        .into_iter()
        .filter(|incoming| book.expected_on(incoming.promised) < from.due)
        .map(|incoming| incoming.qty)
        .sum();
    let lacks = |wait: &&Wait<'_>| wait.line.id != *from_line && wait.due <= from.due;
    // Whoever is served now waits no more for what they are given.
    let lacking = |wait: &Wait<'_>| {
        let given = if wait.line.id == *to_line { *quantity } else { Quantity::ZERO };
        (wait.open - wait.covered - given).max(Quantity::ZERO)
    };
    let others: Quantity = all.iter().filter(lacks).map(lacking).sum();
    let owed = *quantity + from.open - from.covered;
    c.hard("what is given is there", *quantity <= from.covered, format!("{quantity} ≤ {}", from.covered));
    let shown = format!("{owed} ≤ {comes} that come before {} − {others} that others wait for", from.due);
    c.hard("promise of who gives is kept", owed <= comes - others, shown);
}
