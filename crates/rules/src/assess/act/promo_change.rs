//! PROMO-CHANGE: a promotion that ends on another day (handbook §5).

use crate::assess::checks::{Checks, not_past};
use crate::assess::gathered::{Gathered, Proposal, places_with_forecast, range};
use crate::assess::places_of;
use crate::assess::shortage::{Short, keys};
use crate::scene::Scene;
use jiff::civil::Date;
use reeve_domain::action::Action;
use reeve_domain::book::Place;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::ids::FactId;
use reeve_domain::money::Money;
use reeve_domain::record::{Promotion, RecordKind, RecordRef};
use reeve_domain::workings::{Change, Made};
use rust_decimal::prelude::ToPrimitive as _;

use std::collections::BTreeMap;

/// Days for which a promotion that was advertised still runs once it is decided to end it.
const NOTICE_DAYS: i32 = 2;

/// What the detector says of a promotion, by field.
fn said(exception: &Exception, id: &str, field: &str) -> Option<f64> {
    let fact = exception.signal.facts.iter().find(|fact| fact.id.as_str() == format!("promotion:{id}/{field}"))?;
    match &fact.value {
        FactValue::Number(n) => n.to_f64(),
        _ => None,
    }
}

/// The promotion that an exception is about, if it still runs long enough to be ended, with its new last day.
fn running<'b>(gathered: &Gathered<'b>, exception: &Exception) -> Option<(&'b Promotion, Date)> {
    let book = gathered.scene.book;
    let promotion = book.promotion(exception.signal.subject.document.as_deref()?)?;
    let last = plus_days(book.today, NOTICE_DAYS);
    (promotion.from <= book.today && last < promotion.to).then_some((promotion, last))
}

/// What a unit brings at the full price, and how much less on promotion.
fn prices(gathered: &mut Gathered<'_>, promotion: &Promotion) -> Option<(f64, f64, Vec<FactId>)> {
    let list = gathered.scene.book.items.get(&promotion.item)?.list_price?;
    let cost = gathered.cost(&promotion.item)?;
    let source = RecordRef::new(RecordKind::Promotion, promotion.id.clone());
    let cites = vec![
        cost.cite,
        gathered.item_fact(&promotion.item, "list_price", "list price", FactValue::Price(list)),
        gathered.fact(source, "percent", "price reduction", FactValue::percent(promotion.percent)),
    ];
    Some((list.to_f64() - cost.price.to_f64(), list.to_f64() * promotion.percent / 100.0, cites))
}

/// The places of other companies in whose shops the promotion ends as well, each with what a unit brings there at the full price.
/// None where a price or a cost of one of them is not known: then nobody can say what ending it costs.
fn of_others<'s>(scene: &Scene<'s>, promotion: &Promotion, ours: &[Place]) -> Option<Vec<(&'s Place, f64)>> {
    let book = scene.book;
    let runs = |place: &&Place| promotion.runs_in(book.company_of(&place.1)) && !ours.contains(place);
    let others = places_with_forecast(scene, &promotion.item).filter(runs);
    others.map(|place| Some((place, book.margin(&place.0, &place.1)?.to_f64()))).collect()
}

fn end(promotion: &Promotion, last: Date) -> Action {
    Action::PromoChange { promotion: promotion.id.clone(), item: promotion.item.clone(), new_to: last }
}

/// A promotion that sells nothing more gives its reduction away on what sells anyway: it ends sooner.
pub(in crate::assess) fn ends_for_nothing(gathered: &mut Gathered<'_>, exception: &Exception) {
    let scene = gathered.scene;
    let book = scene.book;
    let Some((promotion, last)) = running(gathered, exception) else { return };
    let Some((margin, off, mut cites)) = prices(gathered, promotion) else { return };
    let ran = f64::from(days_between(exception.signal.from, exception.signal.to) + 1);
    let (Some(baseline), Some(uplift)) =
        (said(exception, &promotion.id, "baseline"), said(exception, &promotion.id, "uplift"))
    else {
        return;
    };
    // The detector tells the baseline as a sum over the days that the
    // promotion ran; what is ahead is counted by the day.
    let usual = baseline / ran;
    let days = f64::from(days_between(book.today, promotion.to));
    // The usual margin less what it earns at the reduced price. Where the
    // lift makes up for the reduction nothing is given away.
    let lost = (usual * (margin - uplift * (margin - off))).max(0.0) * days;
    let amount = range(lost * 0.5, lost, lost * 1.5);
    if amount.expected <= Money::ZERO {
        return;
    }
    let source = || RecordRef::new(RecordKind::Promotion, promotion.id.clone());
    let fact = |field: &str| FactId::new(format!("promotion:{}/{field}", promotion.id));
    cites.extend(["baseline", "uplift", "planned_uplift", "to"].map(fact));
    let label = "reduction given away until its end";
    cites.push(gathered.fact(source(), "days_left", "days that it still runs", FactValue::days(days)));
    cites.push(gathered.fact(source(), "given_away", label, FactValue::Money(amount.expected)));
    let key = format!("promotion:{}", promotion.id);
    let name = book.item_label(&promotion.item);
    let made = Made::GivenAway { usual, uplift, margin, off, days };
    gathered.lose_by(&key, format!("{label}: {name}"), amount, cites.clone(), made);
    let sooner = f64::from(days_between(last, promotion.to));
    // Until the new last day it still runs: what is given away in the days of notice can not be saved.
    let left = 1.0 - sooner / days;
    let planned = said(exception, &promotion.id, "planned_uplift").unwrap_or(uplift);
    // If it only began slowly, what was planned to be won by it is missed.
    let missed = (usual * (planned * (margin - off) - margin)).max(0.0) * sooner;
    // In other companies' shops nothing says that it fails: there what it wins is missed for certain.
    let Some(others) = of_others(scene, promotion, &places_of(scene, exception)) else { return };
    let (from, to) = (days_between(book.today, last) + 1, days_between(book.today, promotion.to));
    let sold = |place| scene.outlook.window(place, from as u32 - 1, (to + 1 - from) as u32).0;
    let elsewhere: Vec<(f64, f64)> = others.into_iter().map(|(place, margin)| (sold(place), margin)).collect();
    let won = |(sold, margin): &(f64, f64)| {
        let usual = if planned > 0.0 { sold / planned } else { *sold };
        (sold * (margin - off) - usual * margin).max(0.0)
    };
    let certain = Money::from_f64(elsewhere.iter().map(won).sum());
    let change = scene.settings.costs.promotion_change;
    let cost = change + certain;
    let regret = Money::from_f64(missed);
    cites.extend([
        gathered.fact(source(), "new_to", "last day instead", FactValue::Date(last)),
        gathered.assume(source(), "promotion_left", "share of it that is given away until then", left),
        gathered.fact(source(), "cost_promotion", "cost of changing it (setting)", FactValue::Money(change)),
        gathered.fact(source(), "regret_promotion", "what it was planned to win", FactValue::Money(regret)),
    ]);
    if certain > Money::ZERO {
        cites.push(gathered.fact(source(), "cost_others", "what it wins for other companies", FactValue::Money(certain)));
    }
    gathered.proposals.push(Proposal {
        action: end(promotion, last),
        summary: format!("End the promotion of {name} on {last} instead of {}: it sells hardly more.", promotion.to),
        then: Vec::new(),
        after: Gathered::leaving(&[key], left),
        cost,
        regret,
        value: cost,
        latest: plus_days(promotion.to, -NOTICE_DAYS - 1).max(gathered.tomorrow()),
        cites,
        change: Some(Change::Ended { usual, planned, margin, off, days: sooner, elsewhere }),
    });
}

/// A promotion that sells more than there is: it ends before the shelves are empty.
pub(in crate::assess) fn ends_before_it_is_out(gathered: &mut Gathered<'_>, exception: &Exception) {
    let scene = gathered.scene;
    let book = scene.book;
    let Some((promotion, last)) = running(gathered, exception) else { return };
    let Some(uplift) = said(exception, &promotion.id, "uplift").filter(|uplift| *uplift > 1.0) else { return };
    let Some((margin, off, mut cites)) = prices(gathered, promotion) else { return };
    let ahead = |day: Date| days_between(book.today, day).max(0) as u32;
    // From the day after the new end, demand falls back to the usual: the forecast there divided by the lift.
    let (from, to, share) = (ahead(last) + 1, ahead(promotion.to), 1.0 / uplift);
    let places = places_of(scene, exception);
    let shorts: Vec<_> =
        places.iter().filter_map(|place| gathered.shorts.get(&crate::assess::frozen::name(place)).cloned()).collect();
    // Where no place runs short, the promotion is a success and nothing has to end.
    if shorts.is_empty() {
        return;
    }
    let Some(others) = of_others(scene, promotion, &places) else { return };
    let margin = (margin - off).max(0.0);
    // What it would have sold beyond the usual is missed. As far as there is enough for it that is certain, and a cost; what nobody
    // could have bought is missed only if the alarm is false.
    let more = |place: &Place| scene.outlook.window(place, from - 1, to + 1 - from).0 * (1.0 - share);
    let lacking = |place: &Place| {
        let name = crate::assess::frozen::name(place);
        shorts.iter().find(|short| crate::assess::frozen::name(&short.place) == name).map_or(0.0, Short::missing)
    };
    let (mut missed, mut served) = (0.0, 0.0);
    for place in &places {
        let lost = more(place).min(lacking(place));
        (missed, served) = (missed + lost, served + more(place) - lost);
    }
    let mut enough = vec![(served, margin)];
    enough.extend(others.into_iter().map(|(place, full)| (more(place), (full - off).max(0.0))));
    enough.retain(|(units, _)| *units > 0.0);
    let certain = Money::from_f64(enough.iter().map(|(units, margin)| units * margin).sum());
    let change = Change::Quieter { from, to, share, missed, margin, enough };
    let after: BTreeMap<_, _> = shorts.iter().flat_map(|short| short.after(scene, &change)).collect();
    let paperwork = scene.settings.costs.promotion_change;
    let cost = paperwork + certain;
    let regret = Money::from_f64(missed * margin);
    let source = || RecordRef::new(RecordKind::Promotion, promotion.id.clone());
    cites.extend(shorts.iter().flat_map(|short| keys(&short.place)).filter_map(|key| {
        let part = gathered.parts.get(&key)?;
        part.cites.first().cloned()
    }));
    cites.push(FactId::new(format!("promotion:{}/uplift", promotion.id)));
    cites.extend([
        gathered.fact(source(), "new_to", "last day instead", FactValue::Date(last)),
        gathered.fact(source(), "cost_promotion", "cost of changing it (setting)", FactValue::Money(paperwork)),
        gathered.fact(source(), "regret_promotion", "margin of what it would have sold", FactValue::Money(regret)),
    ]);
    if certain > Money::ZERO {
        cites.push(gathered.fact(source(), "cost_enough", "margin missed where there is enough", FactValue::Money(certain)));
    }
    let name = book.item_label(&promotion.item);
    gathered.proposals.push(Proposal {
        action: end(promotion, last),
        summary: format!("End the promotion of {name} on {last} instead of {}: it sells out before.", promotion.to),
        then: Vec::new(),
        after,
        cost,
        regret,
        value: cost,
        latest: plus_days(promotion.to, -NOTICE_DAYS - 1).max(gathered.tomorrow()),
        cites,
        change: Some(change),
    });
}

/// PROMO-CHANGE.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::PromoChange { promotion, item, new_to } = action else { return };
    let book = scene.book;
    let running = book.promotion(promotion).filter(|p| &p.item == item && p.to >= book.today);
    let shown = running.map_or_else(|| promotion.clone(), |p| format!("{} to {}", p.from, p.to));
    c.hard("promotion is running or planned", running.is_some(), shown);
    not_past(scene, c, "last day is not past", *new_to);
    // Its money is that of days that are taken away: a promotion that runs longer is another thing, which nobody has reckoned.
    let sooner = running.is_some_and(|p| *new_to < p.to);
    let shown = running.map_or_else(|| new_to.to_string(), |p| format!("{new_to} < {}", p.to));
    c.hard("it ends sooner than it would", sooner, shown);
}
