//! How noisy types and detectors are: cases shown and rejected as not real, of the cases shown (handbook §10).
//!
//! Shown is what stood in a digest. A case counts once, with the last answer that stands; drills and what was undone count
//! nothing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::mutes::categories;
use crate::domain::calendar::plus_days;
use crate::domain::decision::{DecisionVerb, RejectReason};
use crate::domain::exception::{Exception, ExceptionType};
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::mute::MuteScope;
use crate::models::formulas::wilson;
use crate::store::{Store, StoredDigest, not_undone};

/// The normal quantile of the interval: 95 of 100 such intervals hold the true share.
const Z: f64 = 1.959_963_984_540_054;

/// How noisy something is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noise {
    /// Cases shown.
    pub shown: u32,
    /// Of them, rejected as not real.
    pub rejected: u32,
    /// Their share.
    pub share: f64,
    /// The lower end of its interval (Wilson, 95 %).
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Noise {
    /// The share and its interval.
    pub fn of(rejected: u32, shown: u32) -> Self {
        let (low, high) = wilson(rejected, shown, Z);
        let share = if shown == 0 { 0.0 } else { f64::from(rejected) / f64::from(shown) };
        Self { shown, rejected, share, low, high }
    }
}

/// How noisy one detector is on one type.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DetectorNoise {
    /// Which type.
    pub code: ExceptionType,
    /// Which detector, as it signs its signals.
    pub detector: String,
    /// How noisy.
    pub noise: Noise,
}

/// A case that was shown, with what people said of it.
#[derive(Clone, Debug)]
pub struct ShownCase {
    /// Which one.
    pub id: CaseId,
    /// The day on which it was shown first, within the time looked at.
    pub first_shown: Date,
    /// The type that leads it.
    pub code: ExceptionType,
    /// The detector that found that.
    pub detector: String,
    /// Every scope it is within.
    pub scopes: Vec<MuteScope>,
    /// The decision that called it not real, by its id, where there is one.
    pub rejected_by: Option<String>,
}

/// The cases shown in the digests from `since` on, by id.
///
/// # Errors
/// When the store can not be read.
pub async fn shown_cases(store: &Store, since: Date) -> anyhow::Result<Vec<ShownCase>> {
    let digests = store.list_shown_between(since, Date::MAX).await.context("reading the digests")?;
    let first = first_shown(digests.iter());
    if first.is_empty() {
        return Ok(Vec::new());
    }
    let drills = store.drill_recommendations().await?;
    let ids: Vec<&CaseId> = first.keys().collect();
    let decisions = store.list_decisions_about(&ids).await?;
    let cases = store.list_cases_of(&ids).await?;
    let mut found = store.list_exceptions_of(&ids).await?;
    let mut answers: BTreeMap<&CaseId, Option<&str>> = BTreeMap::new();
    for decision in not_undone(decisions.iter().filter(|d| !drills.contains(&d.recommendation_id))) {
        let not_real = decision.verb == DecisionVerb::Reject && decision.reason == Some(RejectReason::NotReal);
        // A later answer replaces an earlier one: two refused actions of a case are one label.
        answers.insert(&decision.case_id, not_real.then_some(decision.id.as_str()));
    }
    let categories = categories(store).await?;
    let mut shown = Vec::new();
    for (id, first_shown) in &first {
        let Some(case) = cases.get(id).filter(|case| !case.is_mute_proposal()) else { continue };
        let Some(code) = case.codes.first().copied() else { continue };
        let exceptions = found.remove(id).unwrap_or_default();
        // By the type that leads it: as that one people saw the case, and said whether it was real.
        let Some(leading) = exceptions.iter().find(|e| e.signal.code == code) else { continue };
        let (id, first_shown) = (id.clone(), *first_shown);
        let rejected_by = answers.get(&id).copied().flatten().map(str::to_owned);
        let scopes = scopes_of(leading, &categories);
        shown.push(ShownCase { id, first_shown, code, detector: leading.signal.detector.clone(), scopes, rejected_by });
    }
    Ok(shown)
}

fn first_shown<'d>(digests: impl Iterator<Item = &'d StoredDigest>) -> BTreeMap<CaseId, Date> {
    let mut first: BTreeMap<CaseId, Date> = BTreeMap::new();
    for stored in digests {
        for line in &stored.digest.lines {
            let day = first.entry(line.case_id.clone()).or_insert(stored.digest.day);
            *day = (*day).min(stored.digest.day);
        }
    }
    first
}

fn scopes_of(leading: &Exception, categories: &BTreeMap<ItemId, String>) -> Vec<MuteScope> {
    let subject = &leading.signal.subject;
    let category = subject.item.as_ref().and_then(|item| categories.get(item)).map(String::as_str);
    MuteScope::around(subject, category)
}

/// The figures by type and detector, over the cases shown in the last `days` days.
///
/// # Errors
/// When the store can not be read.
pub async fn by_detector(store: &Store, today: Date, days: u32) -> anyhow::Result<Vec<DetectorNoise>> {
    let since = plus_days(today, -i32::try_from(days).unwrap_or(i32::MAX));
    let mut sums: BTreeMap<(ExceptionType, String), (u32, u32)> = BTreeMap::new();
    for case in shown_cases(store, since).await? {
        let (rejected, shown) = sums.entry((case.code, case.detector)).or_default();
        *rejected += u32::from(case.rejected_by.is_some());
        *shown += 1;
    }
    let row = |((code, detector), (rejected, shown))| DetectorNoise { code, detector, noise: Noise::of(rejected, shown) };
    Ok(sums.into_iter().map(row).collect())
}

/// Something that is noisy enough to be muted.
#[derive(Clone, Debug)]
pub struct Noisy {
    /// Which type.
    pub code: ExceptionType,
    /// On which subjects.
    pub scope: MuteScope,
    /// How noisy.
    pub noise: Noise,
    /// The cases that say so.
    pub cases: Vec<ShownCase>,
}

/// The noisiest scope of each type, where at least `shown_min` cases were shown and the lower end of the interval is above
/// `share`. Of two that are alike the narrower is taken: a mute hides no more than what was found to be noise.
pub fn noisiest(shown: &[ShownCase], shown_min: u32, share: f64) -> Vec<Noisy> {
    let mut found = Vec::new();
    for code in shown.iter().map(|c| c.code).collect::<BTreeSet<_>>() {
        let mut by_scope: BTreeMap<&MuteScope, Vec<&ShownCase>> = BTreeMap::new();
        for case in shown.iter().filter(|c| c.code == code) {
            for scope in &case.scopes {
                by_scope.entry(scope).or_default().push(case);
            }
        }
        let judged = by_scope.into_iter().map(|(scope, cases)| {
            let rejected = cases.iter().filter(|c| c.rejected_by.is_some()).count();
            let noise =
                Noise::of(u32::try_from(rejected).unwrap_or(u32::MAX), u32::try_from(cases.len()).unwrap_or(u32::MAX));
            (scope, cases, noise)
        });
        // By the low end of the interval: a high share of a few cases may be chance.
        let noisy = judged.filter(|(.., noise)| noise.shown >= shown_min && noise.low > share);
        // The order of scopes is from the narrowest to the widest, and the first of equals stays.
        let best = noisy.reduce(|best, next| if next.2.low > best.2.low { next } else { best });
        if let Some((scope, cases, noise)) = best {
            let cases = cases.into_iter().cloned().collect();
            found.push(Noisy { code, scope: scope.clone(), noise, cases });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(n: usize, code: ExceptionType, scopes: &[&str], rejected: bool) -> ShownCase {
        ShownCase {
            id: CaseId::new(format!("case-{n}")),
            first_shown: "2026-10-01".parse().unwrap(),
            code,
            detector: "receiving/1".into(),
            scopes: scopes.iter().map(|s| s.parse().unwrap()).collect(),
            rejected_by: rejected.then(|| format!("d{n}")),
        }
    }

    fn found(cases: &[ShownCase]) -> Vec<String> {
        noisiest(cases, 10, 0.5)
            .iter()
            .map(|n| format!("{} {} {}/{}", n.code, n.scope, n.noise.rejected, n.noise.shown))
            .collect()
    }

    #[test]
    fn the_interval_says_how_little_is_known() {
        // Wilson, 95 %: 9 of 10 is 0.596 to 0.982; 8 of 10 is 0.490 to 0.943.
        let near = |a: f64, b: f64| assert!((a - b).abs() < 5e-4, "{a} is not {b}");
        let nine = Noise::of(9, 10);
        near(nine.low, 0.5958);
        near(nine.high, 0.9821);
        near(Noise::of(8, 10).low, 0.4902);
        let none = Noise::of(0, 0);
        assert_eq!((none.share, none.low, none.high), (0.0, 0.0, 1.0), "nothing is known of nothing");
    }

    #[test]
    fn it_takes_enough_cases_and_a_lower_end_above_the_threshold() {
        use ExceptionType::RShort;
        let of = |rejected: usize, n: usize| -> Vec<ShownCase> {
            (0..n).map(|i| shown(i, RShort, &["all"], i < rejected)).collect()
        };
        assert_eq!(found(&of(9, 9)), Vec::<String>::new(), "nine are too few");
        assert_eq!(found(&of(8, 10)), Vec::<String>::new(), "its lower end is 0.490");
        assert_eq!(found(&of(9, 10)), ["R-SHORT all 9/10"]);
    }

    #[test]
    fn the_narrowest_scope_that_is_as_noisy_is_taken() {
        use ExceptionType::{FPrice, RShort};
        let mut cases: Vec<ShownCase> =
            (0..12).map(|i| shown(i, RShort, &["supplier:9", "location:3", "all"], true)).collect();
        // The same type from another supplier is real: the type as a whole is not to be muted.
        cases.extend((12..16).map(|i| shown(i, RShort, &["supplier:8", "location:3", "all"], false)));
        cases.extend((16..40).map(|i| shown(i, FPrice, &["supplier:9", "all"], i % 2 == 0)));
        assert_eq!(found(&cases), ["R-SHORT supplier:9 12/12"]);
        // One item of it alone would be enough, but says less: the wider one that is noisier for sure is taken.
        for case in cases.iter_mut().take(10) {
            case.scopes.insert(0, "item:75".parse().unwrap());
        }
        assert_eq!(found(&cases), ["R-SHORT supplier:9 12/12"]);
    }
}
