//! A card's money, again: what is at stake, what the action leaves, what it costs, what it is worth (handbook §6, §9).
//!
//! Exact: amounts are minor units, p is ten-thousandths, and nothing here is a float.

use super::again::Again;
use super::facts::field_of;
use super::{Line, Verdict, worked};
use crate::edit::{by_piece, plan_value};
use reeve_domain::action::{Action, Candidate, MoneySum, Range};
use reeve_domain::evidence::{Bundle, Fact, FactValue};
use reeve_domain::ids::FactId;
use reeve_domain::money::Money;
use reeve_domain::recommendation::{Drafter, Recommendation};
use reeve_domain::workings::Effect;

/// Every money figure of a card. `first` is the recommendation that people's edits started from, where there were any.
pub(super) fn lines(rec: &Recommendation, bundle: &Bundle, first: Option<&Recommendation>) -> Vec<Line> {
    let candidate = &rec.candidate;
    let cited: Vec<&Fact> = candidate.cites.iter().filter_map(|id| bundle.facts.get(id)).collect();
    let mut lines = vec![probability(candidate, &cited)];
    let worked = worked::of(bundle).and_then(|again| Some((again, worked::effect(again, candidate)?)));
    match worked {
        Some((again, effect)) => lines.extend(worked::lines(again, effect, rec, &cited)),
        // Actions and their workings are frozen together: workings that do not know the action are not this card's.
        None if worked::of(bundle).is_some() => {
            let stated = candidate.money.benefit.expected;
            lines.push(Line::near("workings", stated, "none", false, "the frozen workings do not know this action"));
        }
        None => lines.extend(not_worked(&candidate.money)),
    }
    lines.extend(net(&candidate.money));
    lines.push(value(rec, &cited, first, worked));
    lines
}

/// The money of an action that the evidence has no workings of.
fn not_worked(sum: &MoneySum) -> Vec<Line> {
    let shown = |r: Range| format!("{} ({} to {})", r.expected, r.low, r.high);
    let line = |figure: &str, stated: String| Line::not_frozen(figure, stated, "the evidence has no workings of the action");
    vec![
        line("L₀", shown(sum.loss_now)),
        line("Lₐ", shown(sum.loss_after)),
        line("C", sum.cost.to_string()),
        line("G", sum.regret.to_string()),
    ]
}

fn money(fact: &Fact) -> Option<Money> {
    match &fact.value {
        FactValue::Money(amount) => Some(*amount),
        _ => None,
    }
}

fn id(fact: &Fact) -> String {
    fact.id.to_string()
}

fn probability(candidate: &Candidate, cited: &[&Fact]) -> Line {
    let stated = format!("{:.4}", candidate.money.p);
    let fact = cited.iter().find(|f| field_of(f).0 == "p_real");
    match fact.map(|fact| (fact, super::facts::number(fact))) {
        Some((fact, Some(p))) => Line::same("p", stated, format!("{p:.4}"), id(fact)),
        _ => Line::not_frozen("p", stated, "no fact says the probability"),
    }
}

/// NB = p·(L₀ − Lₐ) − C − (1 − p)·G in ten-thousandths of a minor unit: exact.
pub(super) fn exact_net(p: f64, (now, after): (Money, Money), cost: Money, regret: Money) -> i128 {
    let p = i128::from((p * 10_000.0).round() as i64);
    p * i128::from((now - after).minor) - 10_000 * i128::from(cost.minor) - (10_000 - p) * i128::from(regret.minor)
}

/// The same, end by end.
fn net(sum: &MoneySum) -> Vec<Line> {
    let exact = |now: Money, after: Money| exact_net(sum.p, (now, after), sum.cost, sum.regret);
    let mut all = [
        exact(sum.loss_now.low, sum.loss_after.low),
        exact(sum.loss_now.high, sum.loss_after.high),
        exact(sum.loss_now.expected, sum.loss_after.expected),
    ];
    let expected = all[2];
    // The low end of what is lost may be the high end of what is saved, so the ends are put in order.
    all.sort_unstable();
    let line = |figure: &str, stated: Money, exact: i128| {
        // Rounded once, at the end: never further off than half a minor unit.
        let near = (i128::from(stated.minor) * 10_000 - exact).abs() <= 5_000;
        let whole = exact.div_euclid(10_000) + i128::from(exact.rem_euclid(10_000) > 5_000);
        let again = if near { stated } else { Money::from_minor(i64::try_from(whole).unwrap_or(i64::MAX)) };
        Line::near(figure, stated, again, near, "p·(L₀ − Lₐ) − C − (1 − p)·G")
    };
    vec![
        line("NB", sum.benefit.expected, expected),
        line("NB, low", sum.benefit.low, all[0]),
        line("NB, high", sum.benefit.high, all[2]),
    ]
}

/// What an action says itself that it commits, writes off or claims.
fn commits(action: &Action) -> Option<Money> {
    match action {
        Action::Claim { value, .. } => Some(*value),
        Action::BlockBill { disputed, .. } => Some(*disputed),
        Action::AcceptVar { variance, .. } => Some(variance.abs()),
        Action::NewPo { quantity, price, .. } | Action::AltSupplier { quantity, price, .. } => Some(*quantity * *price),
        Action::Expedite { surcharge_max, .. } => Some(*surcharge_max),
        // What a transfer costs is in the plan's cost; the others commit nothing.
        Action::Transfer { .. }
        | Action::Reallocate { .. }
        | Action::ForecastFix { .. }
        | Action::MarkEvent { .. }
        | Action::HoldQc { .. }
        | Action::FixMaster { .. }
        | Action::Recount { .. }
        | Action::Contact { .. }
        | Action::Monitor { .. }
        | Action::NoAction { .. }
        | Action::Escalate { .. } => Some(Money::ZERO),
        _ => None,
    }
}

/// What is compared with limits: the larger of money committed, written off and claimed (handbook §9).
fn value(
    rec: &Recommendation,
    cited: &[&Fact],
    first: Option<&Recommendation>,
    worked: Option<(Again<'_>, &Effect)>,
) -> Line {
    let figure = "value for limits";
    let candidate = &rec.candidate;
    let stated = candidate.value;
    if let (Drafter::Edited { .. }, Some(first)) = (&rec.drafter, first) {
        let edited = candidate.steps().map(|step| plan_value(&first.candidate, step.number, step.action));
        let again = edited.max().unwrap_or(first.candidate.value);
        // Each edit rounds up: several may add a minor unit each. What does not shrink keeps the largest on the way.
        let keeps = candidate.is_plan() || !by_piece(&candidate.action);
        let near = (stated - again).abs().minor <= 3 || (stated > again && keeps);
        return Line::near(figure, stated, again, near, "the first version's value in proportion of the quantities");
    }
    if candidate.is_plan() {
        // Each step says itself what it commits, or the whole can not be computed.
        let Some(sum) = candidate.actions().map(commits).sum::<Option<Money>>() else {
            return Line::not_frozen(figure, stated, "a step does not say what it commits");
        };
        return Line::same(figure, stated, sum.max(candidate.money.cost), "what its steps commit together, or its cost");
    }
    if let Some(line) = worked.and_then(|(again, effect)| worked::value(again, effect, rec)) {
        return line;
    }
    match &candidate.action {
        Action::Claim { value, .. } => Line::same(figure, stated, value, "the claim"),
        Action::BlockBill { disputed, .. } => Line::same(figure, stated, disputed, "what is disputed"),
        Action::AcceptVar { variance, .. } => Line::same(figure, stated, variance.abs(), "the variance"),
        Action::NewPo { quantity, price, .. } | Action::AltSupplier { quantity, price, .. } => {
            Line::same(figure, stated, *quantity * *price, "quantity × price")
        }
        Action::Transfer { .. } => Line::same(figure, stated, candidate.money.cost, "the cost of the transfer"),
        Action::Recount { .. }
        | Action::Reallocate { .. }
        | Action::ForecastFix { .. }
        | Action::MarkEvent { .. }
        | Action::HoldQc { .. }
        | Action::FixMaster { .. }
        | Action::Contact { .. }
        | Action::Monitor { .. }
        | Action::NoAction { .. }
        | Action::Escalate { .. } => Line::same(figure, stated, Money::ZERO, "the action commits nothing"),
        _ => match cited.iter().find(|f| money(f) == Some(stated)) {
            Some(fact) => Line::same(figure, stated, fact.value.show(), id(fact)),
            None if stated == candidate.money.cost => Line::same(figure, stated, candidate.money.cost, "its cost"),
            None => Line::not_frozen(figure, stated, "no cited fact says it"),
        },
    }
}

/// The cited facts that the evidence lacks.
pub(super) fn cites(rec: &Recommendation, bundle: &Bundle) -> Line {
    let mut all: Vec<&FactId> = rec.candidate.cites.iter().chain(&rec.prose.cites).collect();
    all.sort();
    all.dedup();
    let lacking: Vec<&str> = all.iter().filter(|id| !bundle.facts.contains_key(**id)).map(|id| id.as_str()).collect();
    let (there, of) = (all.len() - lacking.len(), all.len());
    Line {
        figure: "cited facts in the evidence".to_owned(),
        stated: of.to_string(),
        recomputed: there.to_string(),
        from: if lacking.is_empty() {
            format!("version {} of the evidence", bundle.version)
        } else {
            format!("not there: {}", lacking.join(", "))
        },
        verdict: if lacking.is_empty() { Verdict::Agrees } else { Verdict::Differs },
    }
}
