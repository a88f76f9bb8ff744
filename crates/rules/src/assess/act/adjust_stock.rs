//! ADJUST-STOCK: what two people have counted, posted (handbook §5).

use crate::assess::checks::{Checks, known_place};
use crate::assess::gathered::{Gathered, Proposal, item_ref};
use crate::detect::counted::{self, Counted};
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::book::{Book, Place, signed};
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::ExceptionType;
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, StockMove};

/// The difference that two people have counted and nobody has posted: each entered it, and the ERP waits for it to be applied.
fn unposted(scene: &Scene<'_>, (item, location): &Place) -> Option<(Quantity, [String; 2])> {
    let book = scene.book;
    let since = plus_days(book.today, -COUNT_DAYS);
    let waits =
        |m: &&StockMove| m.kind == MoveKind::Count && m.done_at.is_none() && book.calendar.day_of(m.created_at) >= since;
    let counts: Vec<&StockMove> = book.moves_at(item, location).into_iter().filter(waits).collect();
    // The same difference, entered by another person: one who counts twice only agrees with themselves.
    counts.iter().enumerate().find_map(|(n, one)| {
        let off = signed(one, location);
        let by = one.entered_by.as_ref()?;
        let same =
            |m: &&&StockMove| m.entered_by.is_some() && m.entered_by.as_ref() != Some(by) && signed(m, location) == off;
        let other = counts[n + 1..].iter().find(same)?;
        Some((off, [by.clone(), other.entered_by.clone()?]))
    })
}

/// Two people have counted the place, and the second found what the first had left in the books.
fn agree(scene: &Scene<'_>, place: &Place) -> Option<[String; 2]> {
    let counts = counted::counts_within(scene.book, place, COUNT_DAYS);
    // Two that agreed with the books, by two people. What is negative
    // after them was booked in the wrong order, not lost.
    let (last, before): (&Counted, _) = counts.split_last()?;
    let by = last.by.clone().filter(|_| counted::agrees(scene.book, scene.settings, place, last))?;
    let other = before.iter().rev().find_map(|count| count.by.clone().filter(|other| *other != by))?;
    Some([other, by])
}

/// What is to be posted at a place, by whose counts: what they entered, or what lifts a stock that fell below nothing after they
/// agreed to nothing again.
fn to_post(scene: &Scene<'_>, place: &Place) -> Option<(Quantity, [String; 2])> {
    let book = scene.book;
    let below = -book.on_hand(&place.0, &place.1);
    unposted(scene, place).or_else(|| Some((below, agree(scene, place)?)).filter(|_| below.is_positive()))
}

/// Can cases with an exception of this type propose it? Whoever counted may not sign it there.
pub(crate) fn follows(code: ExceptionType) -> bool {
    matches!(code, ExceptionType::INeg | ExceptionType::ICount)
}

/// The counts of a place on which it may rest, applied or not: those of [`unposted`] and of [`agree`].
pub(crate) fn counts_behind<'b>(book: &'b Book, (item, location): &Place) -> impl Iterator<Item = &'b StockMove> + use<'b> {
    let recent = |m: &&StockMove| {
        let day = book.calendar.day_of(m.done_at.unwrap_or(m.created_at));
        m.kind == MoveKind::Count && days_between(day, book.today) <= COUNT_DAYS
    };
    book.moves_at(item, location).into_iter().filter(recent)
}

/// Posts what two people agree on, if that is more than counting noise.
pub(in crate::assess) fn posts(gathered: &mut Gathered<'_>, place: &Place, key: &str) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = place;
    let Some((difference, by)) = to_post(scene, place) else { return };
    let Some(cost_each) = gathered.cost(item) else { return };
    let value = difference.abs() * cost_each.price;
    // Below the tolerance of counts the difference would not be an exception either.
    if value <= scene.settings.tolerances.count_value {
        return;
    }
    let cost = scene.settings.costs.paperwork;
    let left = scene.settings.left.adjust_stock;
    let source = item_ref(item);
    let cites = vec![
        cost_each.cite,
        gathered.place_fact(
            item,
            location,
            "to_post",
            "difference that two people agree on",
            FactValue::Quantity(difference.abs()),
        ),
        gathered.place_fact(item, location, "to_post_value", "the same at cost", FactValue::Money(value)),
        gathered.fact(source.clone(), "cost_paperwork", "cost of the paperwork (setting)", FactValue::Money(cost)),
        gathered.assume(source, "adjust_stock_left", "share that remains once it is posted (setting)", left),
    ];
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    let way = if difference.is_positive() { "found" } else { "missing" };
    let summary = format!("Post {} units of {name} as {way}, on which two counts agree ({value}).", difference.abs());
    let reason = format!("counted by {} and {}", by[0], by[1]);
    let (item, location) = place.clone();
    gathered.proposals.push(Proposal {
        action: Action::AdjustStock { item, location, difference, reason },
        summary,
        then: Vec::new(),
        after: Gathered::leaving(&[key.to_owned()], left),
        cost,
        regret: cost,
        value,
        latest: gathered.today_plus(7),
        cites,
        change: None,
    });
}

/// Days in which two counts of a place count as two of the same stock.
const COUNT_DAYS: i32 = 14;

/// ADJUST-STOCK.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::AdjustStock { item, location, difference, .. } = action else { return };
    known_place(scene, c, item, location);
    c.hard("there is a difference", !difference.0.is_zero(), difference.to_string());
    // One count may be the mistake that it corrects; two hands that agree hardly are.
    let found = to_post(scene, &(item.clone(), location.clone()));
    let shown = found.as_ref().map_or_else(
        || format!("no two that agree in {COUNT_DAYS} days"),
        |(counted, by)| format!("{counted}, by {} and {}", by[0], by[1]),
    );
    c.hard("two people have counted, and agree", found.is_some_and(|(counted, _)| counted == *difference), shown);
}
