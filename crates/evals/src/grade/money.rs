//! Do the figures hold, and is the money put first?

use reeve_domain::case::Case;
use reeve_rules::recompute::{Verdict, claims, figures};

use super::{Grade, Look};
use crate::attempt::CaseSeen;

/// Share of the best action's worth by which the first choice may fall behind (handbook §6 rule 7).
const REGRET_MAX: f64 = 0.10;
/// Least quality of an order that is not asked to be better.
const NDCG_MIN: f64 = 0.9;

/// Every figure of every card a second time, by other code, from the evidence that was frozen.
pub(super) fn arithmetic(look: &Look<'_>) -> Option<Grade> {
    let (mut figures_seen, mut wrong) = (0_usize, Vec::new());
    for seen in look.drafted() {
        let Some(bundle) = &seen.bundle else { continue };
        for rec in &seen.recommendations {
            let mut lines = figures(rec, bundle, None, &look.settings.models);
            let drafted: Vec<_> = seen.recommendations.iter().map(|other| other.candidate.clone()).collect();
            lines.extend(claims::lines(rec, bundle, std::slice::from_ref(&drafted), &look.settings.money.currency));
            figures_seen += lines.len();
            let differs = lines.iter().filter(|line| line.verdict == Verdict::Differs);
            wrong.extend(differs.map(|line| {
                format!("{} {}: says {}, comes to {}", rec.candidate.codes(), line.figure, line.stated, line.recomputed)
            }));
        }
    }
    (figures_seen > 0).then(|| Grade::none_of(&wrong))
}

/// What the first choice is worth less than the best, as a share of the best. Handing over to people regrets nothing.
pub(super) fn regret(look: &Look<'_>) -> Option<Grade> {
    let of = |seen: &CaseSeen| {
        let first = seen.first()?.candidate.money.benefit.expected;
        let best = seen.recommendations.iter().map(|rec| rec.candidate.money.benefit.expected).max()?;
        (best.minor > 0 && !seen.abstains()).then(|| (best - first).to_f64() / best.to_f64())
    };
    let worst =
        look.attempt.open().filter_map(of).fold(None, |worst: Option<f64>, r| Some(worst.map_or(r, |w| w.max(r))))?;
    Some(Grade::from(1.0 - worst, 1.0 - REGRET_MAX, || {
        format!("the first choice is worth {:.0} % less than the best", worst * 100.0)
    }))
}

/// The quality of the digest's order (handbook §10), by what the scenario says that cases are truly worth.
pub(super) fn ndcg(look: &Look<'_>) -> Option<Grade> {
    let worth = &look.scenario.expected.worth;
    if worth.is_empty() {
        return None;
    }
    // A case of several types is worth what its dearest one is.
    let gain = |case: &Case| case.codes.iter().filter_map(|code| worth.get(code)).copied().fold(0.0, f64::max);
    let capacity = look.settings.ranking.capacity;
    let find = |id: &reeve_domain::ids::CaseId| look.attempt.cases.iter().find(|seen| seen.case.id == *id);
    let lines = look.attempt.digest.as_ref().map(|digest| digest.lines.as_slice()).unwrap_or_default();
    let shown: Vec<f64> = lines
        .iter()
        // The random place is drawn and says nothing of the order.
        .filter(|line| !line.sampled)
        .filter_map(|line| find(&line.case_id))
        .map(|seen| gain(&seen.case))
        .collect();
    let mut ideal: Vec<f64> = worth.values().copied().collect();
    ideal.sort_by(|a, b| b.total_cmp(a));
    let quality = discounted(&shown, capacity) / discounted(&ideal, capacity).max(f64::MIN_POSITIVE);
    Some(Grade::from(quality, NDCG_MIN, || {
        format!("the order's quality is {quality:.3}: {shown:?} where {ideal:?} is best")
    }))
}

/// Σ gain ÷ log₂(place + 1) over the first `capacity`.
fn discounted(gains: &[f64], capacity: usize) -> f64 {
    gains.iter().take(capacity).zip(2..).map(|(gain, place)| gain / f64::from(place).log2()).sum()
}
