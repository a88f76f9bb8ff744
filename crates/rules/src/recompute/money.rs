//! A card's money, again: what is at stake, what the action leaves, what it costs, what it is worth (handbook §6, §9).
//!
//! Exact: amounts are minor units, p is ten-thousandths, and nothing here is a float.

use super::again::Again;
use super::facts::{Frozen, field_of};
use super::{Line, Verdict, worked};
use crate::edit::{by_piece, edited_value};
use reeve_domain::action::{Action, Candidate, MoneySum, Range};
use reeve_domain::evidence::{Bundle, Fact, FactValue};
use reeve_domain::ids::FactId;
use reeve_domain::money::Money;
use reeve_domain::recommendation::{Drafter, Recommendation};
use reeve_domain::workings::Effect;

/// Facts that are each a part of what is at stake: a lost unit, a claim or a held euro is in exactly one.
const PARTS: [&str; 21] = [
    "lost_margin",
    "waiting_margin",
    "unordered_margin",
    "order_variance",
    "duplicate_amount",
    "duplicate_value",
    "excess_cost",
    "early_cost",
    "late_cost",
    "doubtful_value",
    "damage_value",
    "write_off_at_stake",
    "shrink_ahead",
    "ghost_margin",
    "policy_cost",
    "overdue_cost",
    "fewer_value",
    "more_value",
    "slip_expected",
    "oversold_value",
    "unsold_margin",
];

/// Parts that count only where an exception of the case is about them, or where they are the larger of two estimates of one
/// loss.
const SOMETIMES: [&str; 8] = [
    "quantity_variance",
    "price_variance",
    "goods_at_risk",
    "doubtful_value",
    "write_off_at_stake",
    "shrink_ahead",
    "ghost_margin",
    "more_value",
];

/// More parts than this that may or may not count are not tried out.
const TRIED: usize = 10;

/// Every money figure of a card. `first` is the recommendation that people's edits started from, where there were any.
pub(super) fn lines(rec: &Recommendation, bundle: &Bundle, first: Option<&Recommendation>) -> Vec<Line> {
    let candidate = &rec.candidate;
    let cited: Vec<&Fact> = candidate.cites.iter().filter_map(|id| bundle.facts.get(id)).collect();
    let parts = Parts::of(&cited);
    let mut lines = vec![probability(candidate, &cited)];
    let worked = worked::of(bundle).and_then(|again| Some((again, worked::effect(again, candidate)?)));
    if let Some((again, effect)) = worked {
        lines.extend(worked::lines(again, effect, rec, &cited));
    } else {
        lines.push(at_stake(candidate, &parts));
        lines.push(ends("L₀, low to high", candidate.money.loss_now));
        lines.extend(left(candidate, &cited, &parts));
        lines.push(cost(candidate, &cited));
        lines.push(regret(candidate, &cited, bundle));
    }
    lines.extend(net(&candidate.money));
    lines.push(value(rec, &cited, bundle, first, worked));
    lines
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

/// What is at stake, part by part.
struct Parts<'f> {
    always: Vec<(&'f Fact, Money)>,
    sometimes: Vec<(&'f Fact, Money)>,
}

impl<'f> Parts<'f> {
    fn of(cited: &[&'f Fact]) -> Self {
        let (mut always, mut sometimes) = (Vec::new(), Vec::new());
        for fact in cited {
            let Some(amount) = money(fact).map(|m| m.max(Money::ZERO)) else { continue };
            let field = field_of(fact).0;
            if SOMETIMES.contains(&field) {
                sometimes.push((*fact, amount));
            } else if PARTS.contains(&field) {
                always.push((*fact, amount));
            }
        }
        Self { always, sometimes }
    }

    /// The parts that add up to `total`: all of them, or all but some that need not count.
    fn adding_up_to(&self, total: Money) -> Option<Vec<(&'f Fact, Money)>> {
        if self.sometimes.len() > TRIED {
            return None;
        }
        // Most of them first.
        (0..1_u32 << self.sometimes.len()).rev().find_map(|chosen| {
            let some = self.sometimes.iter().enumerate().filter(|(i, _)| chosen >> i & 1 == 1).map(|(_, part)| *part);
            let all: Vec<_> = self.always.iter().copied().chain(some).collect();
            (all.iter().map(|(_, amount)| *amount).sum::<Money>() == total).then_some(all)
        })
    }

    fn all(&self) -> Money {
        self.always.iter().chain(&self.sometimes).map(|(_, amount)| *amount).sum()
    }

    fn names(parts: &[(&Fact, Money)]) -> String {
        let named: Vec<String> = parts.iter().filter(|(_, m)| *m != Money::ZERO).map(|(f, _)| id(f)).collect();
        if named.is_empty() { "no part of a loss is cited".to_owned() } else { named.join(" + ") }
    }
}

fn at_stake(candidate: &Candidate, parts: &Parts<'_>) -> Line {
    let stated = candidate.money.loss_now.expected;
    match parts.adding_up_to(stated) {
        Some(parts) => Line::same("L₀", stated, stated, Parts::names(&parts)),
        None => Line::same("L₀", stated, parts.all(), "the sum of the cited parts"),
    }
}

/// The ends of a range: certain ones are what is expected, others come from percentiles of a projection.
fn ends(figure: &str, range: Range) -> Line {
    let stated = format!("{} to {}", range.low, range.high);
    if range.low == range.expected && range.high == range.expected {
        return Line::same(figure, &stated, &stated, "certain: both ends are what is expected");
    }
    if !(range.low <= range.expected && range.expected <= range.high) {
        return Line::same(figure, &stated, range.expected, "what is expected must lie between the ends");
    }
    Line::not_frozen(figure, stated, "the ends come from percentiles of the projection, which are not among the facts")
}

fn left(candidate: &Candidate, cited: &[&Fact], parts: &Parts<'_>) -> Vec<Line> {
    let MoneySum { loss_now, loss_after, .. } = candidate.money;
    let shown = |r: Range| format!("{} ({} to {})", r.expected, r.low, r.high);
    let idle = matches!(
        candidate.action,
        Action::Monitor { .. } | Action::NoAction { .. } | Action::Escalate { .. } | Action::AcceptVar { .. }
    );
    if idle {
        return vec![Line::same("Lₐ", shown(loss_after), shown(loss_now), "the action changes no loss: Lₐ = L₀")];
    }
    let share = cited.iter().find(|f| {
        let field = field_of(f).0;
        field.starts_with("assumed_") && field.contains("_left")
    });
    let Some((fact, percent)) = share.and_then(|f| Some((*f, super::facts::number(f)?))) else {
        let why = "it comes from the day-by-day projection with the action, which is not among the facts";
        let bounded = Line::not_frozen("Lₐ", shown(loss_after), why);
        return vec![bounded];
    };
    let counted = parts.adding_up_to(loss_now.expected).unwrap_or_default();
    let share = percent / 100.0;
    let scaled = |m: Money| Money::from_f64(m.to_f64() * share);
    let all: Money = counted.iter().map(|(_, m)| scaled(*m)).sum();
    if all == loss_after.expected {
        return vec![Line::same("Lₐ", loss_after.expected, all, format!("{} × {}", Parts::names(&counted), fact.id))];
    }
    // The action may bear on some of the parts only; the others stay as they are.
    let few = counted.len() <= TRIED;
    let some = (1..1_u32 << if few { counted.len() } else { 0 }).find_map(|chosen| {
        let part = |(i, (_, m)): (usize, &(&Fact, Money))| if chosen >> i & 1 == 1 { scaled(*m) } else { *m };
        let sum: Money = counted.iter().enumerate().map(part).sum();
        let bears: Vec<_> = counted.iter().enumerate().filter(|(i, _)| chosen >> i & 1 == 1).map(|(_, p)| *p).collect();
        (sum == loss_after.expected).then(|| Parts::names(&bears))
    });
    vec![match some {
        Some(names) => {
            Line::same("Lₐ", loss_after.expected, loss_after.expected, format!("L₀, of which ({names}) × {}", fact.id))
        }
        // Two actions of one kind may have been folded into one; which share was taken for which part is not kept.
        None if loss_after.expected <= loss_now.expected && !loss_after.expected.is_negative_amount() => {
            Line::not_frozen("Lₐ", loss_after.expected, "which part is left with which share is not among the facts")
        }
        None => Line::same("Lₐ", loss_after.expected, all, fact.id.to_string()),
    }]
}

/// Whether an amount is below nothing.
trait Negative {
    fn is_negative_amount(&self) -> bool;
}

impl Negative for Money {
    fn is_negative_amount(&self) -> bool {
        *self < Money::ZERO
    }
}

fn cost(candidate: &Candidate, cited: &[&Fact]) -> Line {
    let stated = candidate.money.cost;
    let costs: Vec<&&Fact> = cited.iter().filter(|f| field_of(f).0.starts_with("cost_")).collect();
    if let Some(fact) = costs.iter().find(|f| money(f) == Some(stated)) {
        return Line::same("C", stated, stated, id(fact));
    }
    match costs.first() {
        Some(fact) => Line::same("C", stated, fact.value.show(), id(fact)),
        None => Line::same("C", stated, Money::ZERO, "no cost is cited"),
    }
}

fn regret(candidate: &Candidate, cited: &[&Fact], bundle: &Bundle) -> Line {
    let stated = candidate.money.regret;
    let named = cited.iter().find(|f| field_of(f).0.starts_with("regret_"));
    if let Some((fact, regret)) = named.and_then(|f| Some((f, money(f)?))) {
        return Line::same("G", stated, regret, id(fact));
    }
    if stated == Money::ZERO {
        return Line::same("G", stated, Money::ZERO, "no regret is cited");
    }
    let setting = |field: &str| bundle.facts.values().find(|f| field_of(f).0 == field).and_then(|f| Some((f, money(f)?)));
    if let Some((fact, contact)) = setting("cost_contact").filter(|(_, contact)| *contact == stated) {
        return Line::same("G", stated, contact, format!("an explanation: {}", fact.id));
    }
    if let Some((fact, paper)) = setting("cost_paperwork").filter(|(_, paper)| *paper + *paper == stated) {
        return Line::same("G", stated, paper + paper, format!("entering it again: 2 × {}", fact.id));
    }
    Line::not_frozen("G", stated, "a setting that is not among the facts")
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

/// What is compared with limits: the larger of money committed, written off and claimed (handbook §9).
fn value(
    rec: &Recommendation,
    cited: &[&Fact],
    bundle: &Bundle,
    first: Option<&Recommendation>,
    worked: Option<(Again<'_>, &Effect)>,
) -> Line {
    let figure = "value for limits";
    let candidate = &rec.candidate;
    let stated = candidate.value;
    if let (Drafter::Edited { .. }, Some(first)) = (&rec.drafter, first) {
        let again = edited_value(first.candidate.value, &first.candidate.action, &candidate.action);
        // Each edit rounds up: several may add a minor unit each. What does not shrink keeps the largest on the way.
        let near = (stated - again).abs().minor <= 3 || (stated > again && !by_piece(&candidate.action));
        return Line::near(figure, stated, again, near, "the first version's value in proportion of the quantities");
    }
    if let Some(line) = worked.and_then(|(again, effect)| worked::value(again, effect, rec)) {
        return line;
    }
    let facts = Frozen(bundle);
    let price = |line: &str| match facts.fact(&format!("po_line:{line}/price")).map(|f| &f.value) {
        Some(FactValue::Price(price)) => Some(*price),
        _ => None,
    };
    match &candidate.action {
        Action::Claim { value, .. } => Line::same(figure, stated, value, "the claim"),
        Action::BlockBill { disputed, .. } => Line::same(figure, stated, disputed, "what is disputed"),
        Action::AcceptVar { variance, .. } => Line::same(figure, stated, variance.abs(), "the variance"),
        Action::NewPo { quantity, price, .. } => Line::same(figure, stated, *quantity * *price, "quantity × price"),
        Action::Transfer { .. } => Line::same(figure, stated, candidate.money.cost, "the cost of the transfer"),
        Action::DeferPo { po_line, quantity, .. } | Action::CancelPo { po_line, quantity } => match price(po_line) {
            Some(price) => Line::same(figure, stated, *quantity * price, format!("quantity × po_line:{po_line}/price")),
            None => Line::not_frozen(figure, stated, "the line's price is not among the facts"),
        },
        Action::Recount { .. }
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
