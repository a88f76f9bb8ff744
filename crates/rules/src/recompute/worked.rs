//! Lines of a card from the workings of its evidence: each figure beside what the frozen inputs come to. Only a proposal to mute
//! has evidence without workings (`muted`); what facts alone can say is in `facts` and `money`.

use std::collections::BTreeMap;

use super::Line;
use super::again::Again;
use super::beside;
use super::facts::{Frozen, field_of, number};
use super::projected::{Losses, Stock, Window};
use crate::place_key;
use reeve_domain::action::{Action, Candidate, Range};
use reeve_domain::evidence::{Bundle, Fact, FactValue};
use reeve_domain::ids::FactId;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::recommendation::Recommendation;
use reeve_domain::workings::{Change, Effect, Made, Settings};

/// The workings of a bundle, where it has some.
pub(super) fn of(bundle: &Bundle) -> Option<Again<'_>> {
    bundle.workings.as_deref().map(|workings| Again { workings, facts: Frozen(bundle) })
}

/// What the workings say the candidate changes.
pub(super) fn effect<'b>(again: Again<'b>, candidate: &Candidate) -> Option<&'b Effect> {
    again.workings.options.get(&candidate.id).filter(|effect| effect.code == candidate.action.code())
}

/// Facts that the workings give again, exactly.
pub(super) fn facts(again: Again<'_>) -> BTreeMap<FactId, Line> {
    let mut found = BTreeMap::new();
    let mut add = |id: String, value: FactValue, from: &str| {
        if let Some(fact) = again.facts.fact(&id) {
            found.insert(fact.id.clone(), Line::same(id, fact.value.show(), value.show(), from));
        }
    };
    for (key, part) in &again.workings.parts {
        // A part that is certain is proved by its fact, and one that is
        // an amount has nothing behind it to compute from.
        let Some(fact) = part.fact.as_ref().filter(|_| !matches!(part.made, Made::Certain | Made::Amount(_))) else {
            continue;
        };
        if let Some(made) = again.part(key) {
            add(fact.to_string(), FactValue::Money(made.expected), "frozen inputs of this part of the loss");
        }
    }
    for place in again.workings.shortages.keys() {
        let (Some((stake, forecast)), Some((item, at))) = (again.place(place), place_key::split(place)) else { continue };
        let from = "frozen stock, receipts and demand";
        // Also where another part of the loss has taken this one's place.
        if let Some(Losses { lost, more, .. }) = again.shortage(place) {
            add(format!("item:{item}/lost_margin@{at}"), FactValue::Money(lost.expected.max(Money::ZERO)), from);
            add(format!("item:{item}/unordered_margin@{at}"), FactValue::Money(more.expected.max(Money::ZERO)), from);
        }
        let now = Stock::of(stake);
        let windows = [
            ("shortage", Some(now.worst(forecast, stake.until, stake.until_sd))),
            ("unordered", stake.unordered.map(|until| now.worst(forecast, until, 0.0))),
        ];
        for (field, window) in windows {
            let Some(Window { units, days, mu, sigma, supply, .. }) = window else { continue };
            add(format!("item:{item}/{field}_days@{at}"), FactValue::days(f64::from(days)), from);
            for (name, value) in [("demand", mu), ("sigma", sigma), ("supply", supply), ("units", units)] {
                add(format!("item:{item}/{field}_{name}@{at}"), shown(value), from);
            }
        }
    }
    for (place, stake) in again.workings.shortages.iter().filter(|(_, stake)| stake.waiting > 0.0) {
        if let Some((item, at)) = place_key::split(place) {
            let from = "frozen stock and what is waited for";
            add(format!("item:{item}/waited_for@{at}"), shown(stake.waiting), from);
            if let Some(share) = stake.cancelled {
                add(format!("item:{item}/waits_share"), FactValue::percent(share * 100.0), "frozen share");
            }
        }
    }
    // What a donor can spare, from its own frozen stock and demand.
    for donor in again.workings.donors.keys() {
        if let (Some((item, at)), Some(spare)) = (place_key::split(donor), again.spare(donor)) {
            let from = "available − promised to others − own demand until its receipt − own safety stock, whole units";
            add(format!("item:{item}/transferable@{at}"), shown(spare), from);
        }
    }
    // Of a plan's steps some move fewer units than their facts say: the plan's own figures say what that comes to.
    for change in again.workings.options.values().filter_map(|effect| effect.change.as_ref()) {
        if let (Change::Moved { place, from, .. }, Some(risk)) = (change, again.risk(change))
            && let (Some((item, to)), Some((_, from))) = (place_key::split(place), place_key::split(from))
        {
            let id = format!("item:{item}/risk_transfer@{from}-{to}");
            add(id, FactValue::Money(risk), "the donor's frozen stock, receipts and demand, with and without the units");
        }
    }
    // Settings are frozen, too: a card is not wrong because somebody has changed one since.
    let set = &again.workings.settings;
    for fact in again.facts.0.facts.values() {
        if let Some(value) = setting(set, field_of(fact).0) {
            found.insert(fact.id.clone(), Line::same(fact.id.as_str(), fact.value.show(), value.show(), "frozen setting"));
        }
    }
    found
}

/// A computed number of units as facts show it.
fn shown(value: f64) -> FactValue {
    FactValue::Quantity(Quantity(FactValue::rounded(value, 2)))
}

/// The setting that a fact states.
fn setting(set: &Settings, field: &str) -> Option<FactValue> {
    Some(match field {
        "assumed_recapture" => FactValue::percent(set.recapture * 100.0),
        "assumed_holding" => FactValue::percent(set.holding_rate * 100.0),
        "cost_contact" => FactValue::Money(set.contact),
        "cost_recount" => FactValue::Money(set.recount),
        "cost_paperwork" => FactValue::Money(set.paperwork),
        "cost_order" => FactValue::Money(set.order_fixed),
        "cost_change" => FactValue::Money(set.change_fixed),
        _ => return None,
    })
}

/// The money figures of a card; p, NB and their like need no workings.
pub(super) fn lines(again: Again<'_>, effect: &Effect, rec: &Recommendation, cited: &[&Fact]) -> Vec<Line> {
    let candidate = &rec.candidate;
    // In the order of the formula, so that the first line that differs is where the sum went wrong.
    let mut lines = vec![at_stake(again, candidate)];
    lines.push(range("L₀, low to high", candidate.money.loss_now, again.at_stake(), "the ends of its parts, added up"));
    lines.extend(margins(again));
    lines.extend(shares(again, effect, cited));
    lines.push(range("Lₐ", candidate.money.loss_after, again.left(effect), &left_from(effect)));
    if let Some(costs) = again.costs(effect) {
        lines.push(Line::same("C", candidate.money.cost, costs.cost, costs.from));
        lines.push(Line::same("G", candidate.money.regret, costs.regret, costs.from));
    } else {
        let why = format!("the workings do not say what {} costs", effect.code);
        lines.push(Line::not_frozen("C", candidate.money.cost, why.clone()));
        lines.push(Line::not_frozen("G", candidate.money.regret, why));
    }
    lines.extend(beside::lines(again, effect, rec));
    lines
}

/// L₀ from the facts that say its parts; what they say is held against the workings fact by fact.
fn at_stake(again: Again<'_>, candidate: &Candidate) -> Line {
    let stated = candidate.money.loss_now.expected;
    let parts = again.workings.parts.iter();
    let sum: Option<Money> =
        parts.clone().map(|(key, part)| again.stated(part).or_else(|| Some(again.part(key)?.expected))).sum();
    let names: Vec<&str> = parts.filter_map(|(_, part)| part.fact.as_ref()).map(FactId::as_str).collect();
    let from = if names.is_empty() { "no part of a loss is counted".to_owned() } else { names.join(" + ") };
    match sum {
        Some(sum) => Line::same("L₀", stated, sum, from),
        None => Line::not_frozen("L₀", stated, "a part of the loss has no workings"),
    }
}

fn range(figure: &str, stated: Range, again: Option<Range>, from: &str) -> Line {
    let shown = |r: Range| format!("{} ({} to {})", r.expected, r.low, r.high);
    match again {
        Some(again) => Line::same(figure, shown(stated), shown(again), from),
        None => Line::not_frozen(figure, shown(stated), "the workings lack a part of it"),
    }
}

fn left_from(effect: &Effect) -> String {
    let mut from: Vec<String> = effect.shares.iter().map(|(key, share)| format!("{key} × {share}")).collect();
    from.extend(effect.changed.iter().map(|key| format!("{key} with the change")));
    if from.is_empty() {
        "the action changes no loss: Lₐ = L₀".to_owned()
    } else {
        from.join(", ") + ", the rest as it is"
    }
}

/// What a lost sale loses, from the prices among the facts.
fn margins(again: Again<'_>) -> Vec<Line> {
    let facts = again.facts;
    let percents: Vec<f64> = facts
        .0
        .facts
        .values()
        .filter(|f| f.id.as_str().starts_with("promotion") && field_of(f).0 == "percent")
        .filter_map(number)
        .collect();
    let line = |(place, stake): (&String, &reeve_domain::workings::Stake)| {
        let item = format!("item:{}", place_key::split(place)?.0);
        let (list, cost) = (facts.number(&item, "list_price")?, facts.number(&item, "cost")?);
        let of = |percent: f64| (list - cost - list * percent / 100.0).max(0.0);
        // A reduction is kept at a tenth of a percent.
        let near = |percent: f64, off: f64| (of(percent) - stake.margin).abs() <= off + 1e-9;
        // Which promotion counts hangs on a day that the workings do not hold, so any that is cited may be the one.
        let agrees = near(0.0, 0.0) || percents.iter().any(|percent| near(*percent, list * 0.000_5));
        let shown = |margin: f64| format!("{margin:.2}");
        let figure = format!("margin of a unit at {place}");
        Some(Line::near(figure, shown(stake.margin), shown(of(0.0)), agrees, "list price − cost − reduction"))
    };
    again.workings.shortages.iter().filter_map(line).collect()
}

/// Each share that remains is one that the card says.
fn shares(again: Again<'_>, effect: &Effect, cited: &[&Fact]) -> Vec<Line> {
    let stated = |share: f64| {
        let percent = FactValue::percent(share * 100.0);
        // A share that no fact on the card says is an assumption that nobody was shown.
        cited.iter().find(|f| field_of(f).0.starts_with("assumed_") && field_of(f).0.contains("_left") && f.value == percent)
    };
    let line = |(key, share): (&String, &f64)| {
        let figure = format!("share of {key} that remains");
        let percent = FactValue::percent(share * 100.0).show();
        match stated(*share) {
            Some(fact) => Line::same(figure, fact.value.show(), percent, fact.id.as_str()),
            None => Line::same(figure, "no fact", percent, "the card must say what it assumes"),
        }
    };
    let mut lines: Vec<Line> =
        effect.shares.iter().filter(|(key, _)| again.workings.parts.contains_key(*key)).map(line).collect();
    let asked = |change: &Change| match change {
        Change::Asked { left, .. } => Some(*left),
        _ => None,
    };
    let left = match &effect.change {
        Some(Change::Together(steps)) => steps.iter().find_map(asked),
        Some(change) => asked(change),
        None => None,
    };
    if let Some(left) = left {
        lines.push(line((&"the shortage after the answer".to_owned(), &left)));
    }
    lines
}

/// What is compared with limits, where the action alone does not say it.
pub(super) fn value(again: Again<'_>, effect: &Effect, rec: &Recommendation) -> Option<Line> {
    let candidate = &rec.candidate;
    let (figure, stated) = ("value for limits", candidate.value);
    match &candidate.action {
        Action::DeferPo { quantity, .. }
        | Action::CancelPo { quantity, .. }
        | Action::IncreasePo { quantity, .. }
        | Action::Return { quantity, .. } => {
            let value = Again::line_price(effect).map_or(Money::ZERO, |price| *quantity * price);
            Some(Line::same(figure, stated, value, "quantity × the line's frozen price"))
        }
        Action::AdjustParam { .. } => {
            let Some(Change::Adjusted(more)) = &effect.change else { return None };
            let value: Money = more.iter().map(|(units, cost, _)| Quantity::ceil_units(*units) * *cost).sum();
            Some(Line::same(figure, stated, value, "units that are held more × cost"))
        }
        Action::Expedite { .. } => Some(Line::same(figure, stated, candidate.money.cost, "the surcharge, at most")),
        Action::SplitShip { .. } | Action::Markdown { .. } | Action::PromoChange { .. } => {
            Some(Line::same(figure, stated, candidate.money.cost, "what it costs"))
        }
        Action::ReverseDoc { .. } => {
            let sum: Money = effect.shares.keys().filter_map(|key| again.part(key)).map(|part| part.expected).sum();
            // Where it reverses something else too, its value can not be
            // told from the parts alone: then nothing is said here.
            (sum == stated).then(|| Line::same(figure, stated, sum, "the parts of the loss that it reverses"))
        }
        _ => None,
    }
}

/// The worth of the case's best action in ten-thousandths of a minor unit, at least nothing, if it is decided `wait` days later:
/// from the workings of every action, also of those that nobody was shown.
pub(super) fn best(again: Again<'_>, p: f64, wait: u32) -> Option<i128> {
    let mut best = 0;
    for effect in again.workings.options.values() {
        best = best.max(again.worth_after(p, effect, wait)?);
    }
    Some(best)
}
