//! Two runs over the same scenarios: what changed, whether that is chance, and whether it stops.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::grade::GRADERS;
use crate::run::{Outcome, Stop, SuiteRun};
use crate::stats::{Difference, bootstrap, mcnemar};

/// From which p on a difference is chance.
pub const CHANCE: f64 = 0.05;

/// What a grader says otherwise of a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GradeChange {
    /// Which scenario.
    pub scenario: String,
    /// Which grader.
    pub grader: String,
    /// Did it pass; None where it said nothing.
    pub before: Option<bool>,
    /// The same now.
    pub after: Option<bool>,
    /// Why it does not pass.
    pub why: String,
}

/// Two runs beside each other.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Which suite.
    pub suite: String,
    /// Who drafted then and now.
    pub drafters: (String, String),
    /// Prompt versions then and now.
    pub prompts: (String, String),
    /// Scenarios that passed and no longer do.
    pub lost: Vec<String>,
    /// Scenarios that pass and did not.
    pub won: Vec<String>,
    /// Scenarios of only one of the runs: nothing is said of them.
    pub unpaired: Vec<String>,
    /// McNemar's p of `lost` against `won`.
    pub p: f64,
    /// The mean score's difference.
    pub score: Difference,
    /// What each grader says otherwise.
    pub changes: Vec<GradeChange>,
    /// Scenarios that say other words or figures and are graded as before.
    pub said_otherwise: usize,
    /// What stops.
    pub stops: Vec<Stop>,
}

/// Why two runs can not be compared.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotComparable {
    /// They are of other suites.
    #[error("one run is of suite {0}, the other of {1}")]
    OtherSuite(String, String),
    /// They have no scenario in common.
    #[error("the runs have no scenario in common")]
    NothingInCommon,
}

/// Compares `after` with `before`, scenario by scenario; of several repeats each scenario passes where all of them do.
///
/// # Errors
/// Where the runs are not of the same suite.
pub fn compare(before: &SuiteRun, after: &SuiteRun) -> Result<Comparison, NotComparable> {
    if before.suite != after.suite {
        return Err(NotComparable::OtherSuite(before.suite.clone(), after.suite.clone()));
    }
    let (old, new) = (grouped(before), grouped(after));
    let both: Vec<&str> = old.keys().filter(|name| new.contains_key(*name)).copied().collect();
    if both.is_empty() {
        return Err(NotComparable::NothingInCommon);
    }
    let unpaired =
        old.keys().chain(new.keys()).filter(|name| !both.contains(*name)).map(|name| (*name).to_owned()).collect();
    let (mut lost, mut won, mut changes, mut scores, mut said_otherwise) = (vec![], vec![], vec![], vec![], 0);
    let mut stops = Vec::new();
    for name in both {
        let (a, b) = (&old[name], &new[name]);
        let passes = |runs: &[&Outcome]| runs.iter().all(|outcome| outcome.passed());
        match (passes(a), passes(b)) {
            (true, false) => lost.push(name.to_owned()),
            (false, true) => won.push(name.to_owned()),
            _ => {}
        }
        // Of several repeats the mean, so that one lucky answer is not taken for a better prompt.
        let mean = |runs: &[&Outcome]| runs.iter().map(|outcome| outcome.score()).sum::<f64>() / runs.len() as f64;
        scores.push(mean(b) - mean(a));
        let changed = grade_changes(name, a, b);
        said_otherwise += usize::from(changed.is_empty() && a[0].hash != b[0].hash);
        // What has to pass stops by itself, without asking whether it was chance.
        if b.iter().any(|outcome| outcome.must_pass()) && passes(a) && !passes(b) {
            stops.push(Stop { gate: "must-pass".to_owned(), why: format!("{name} passed before") });
        }
        changes.extend(changed);
    }
    // Only scenarios that changed sides count: those that pass or fail in both say nothing of the change.
    let p = mcnemar(lost.len() as u64, won.len() as u64);
    let score = bootstrap(&scores);
    if lost.len() > won.len() && p < CHANCE {
        let why = format!("{} scenarios no longer pass and {} new ones do (p = {p:.4})", lost.len(), won.len());
        stops.push(Stop { gate: "regression".to_owned(), why });
    }
    // Only where the whole interval lies below zero: a mean that fell a little may be chance.
    if score.interval.high < 0.0 {
        let why = format!("the mean score fell by {:.4}, at least by {:.4}", -score.mean, -score.interval.high);
        stops.push(Stop { gate: "score".to_owned(), why });
    }
    Ok(Comparison {
        suite: after.suite.clone(),
        drafters: (before.drafter.clone(), after.drafter.clone()),
        prompts: (before.prompt_version.clone(), after.prompt_version.clone()),
        lost,
        won,
        unpaired,
        p,
        score,
        changes,
        said_otherwise,
        stops,
    })
}

fn grouped(run: &SuiteRun) -> BTreeMap<&str, Vec<&Outcome>> {
    let mut by: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in run.counted() {
        by.entry(outcome.scenario.as_str()).or_default().push(outcome);
    }
    by
}

fn grade_changes(scenario: &str, before: &[&Outcome], after: &[&Outcome]) -> Vec<GradeChange> {
    let said = |runs: &[&Outcome], grader: &str| {
        let grades: Vec<_> = runs.iter().filter_map(|outcome| outcome.grades.get(grader)).collect();
        let why = grades.iter().find(|grade| !grade.passed).map(|grade| grade.why.clone()).unwrap_or_default();
        (!grades.is_empty()).then(|| grades.iter().all(|grade| grade.passed)).map(|passed| (passed, why))
    };
    let names: BTreeSet<&str> = GRADERS.iter().map(|grader| grader.name).collect();
    let change = |grader: &&str| {
        let (a, b) = (said(before, grader), said(after, grader));
        let (was, is) = (a.as_ref().map(|(passed, _)| *passed), b.as_ref().map(|(passed, _)| *passed));
        (was != is).then(|| GradeChange {
            scenario: scenario.to_owned(),
            grader: (*grader).to_owned(),
            before: was,
            after: is,
            // Why it fails now is what is looked for; where it passes now, why it failed before.
            why: b.or(a).map(|(_, why)| why).unwrap_or_default(),
        })
    };
    names.iter().filter_map(change).collect()
}

impl Comparison {
    /// For a terminal.
    pub fn text(&self) -> String {
        use std::fmt::Write as _;
        let mut out = format!(
            "Suite {}: {} then, {} now; prompt {} then, {} now\n",
            self.suite, self.drafters.0, self.drafters.1, self.prompts.0, self.prompts.1
        );
        let _ = writeln!(
            out,
            "  {} scenarios pass that did not, {} no longer do; McNemar p = {:.4}",
            self.won.len(),
            self.lost.len(),
            self.p
        );
        let _ = writeln!(
            out,
            "  mean score {:+.4} (95 % {:+.4} to {:+.4}, paired bootstrap of {} scenarios)",
            self.score.mean, self.score.interval.low, self.score.interval.high, self.score.pairs
        );
        let word = |passed: Option<bool>| passed.map_or("-", |passed| if passed { "passes" } else { "fails" });
        for change in &self.changes {
            let _ = writeln!(
                out,
                "  {} {}: {} → {} {}",
                change.scenario,
                change.grader,
                word(change.before),
                word(change.after),
                change.why
            );
        }
        let _ = writeln!(out, "  {} scenarios say something else and are graded as before", self.said_otherwise);
        if !self.unpaired.is_empty() {
            let _ = writeln!(out, "  only in one of them: {}", self.unpaired.join(", "));
        }
        for stop in &self.stops {
            let _ = writeln!(out, "  STOP {}: {}", stop.gate, stop.why);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::Grade;

    fn run(passes: impl IntoIterator<Item = (u32, bool)>, tags: &[&str]) -> SuiteRun {
        let outcome = |(number, passed): (u32, bool)| Outcome {
            scenario: format!("{number:03}_case"),
            about: "R-SHORT".into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            repeat: 1,
            grades: BTreeMap::from([(
                "found".to_owned(),
                Grade {
                    passed,
                    score: f64::from(u8::from(passed)),
                    why: if passed { String::new() } else { "gone".into() },
                },
            )]),
            drafter: "playbook".into(),
            origins: vec![],
            asked: vec![],
            first: "CLAIM".into(),
            tokens: 0,
            hash: format!("{number}{passed}"),
            quarantined: None,
        };
        SuiteRun {
            suite: "triage".into(),
            data: "d".into(),
            prompt: "p".into(),
            prompt_version: "1.0.0".into(),
            drafter: "playbook".into(),
            repeats: 1,
            partial: false,
            outcomes: passes.into_iter().map(outcome).collect(),
        }
    }

    #[test]
    fn a_regression_beyond_chance_stops_and_one_within_it_is_said() {
        let before = run((0..40).map(|n| (n, true)), &[]);
        let worse = compare(&before, &run((0..40).map(|n| (n, n >= 8)), &[])).unwrap();
        assert_eq!((worse.lost.len(), worse.won.len()), (8, 0));
        assert!(worse.stops.iter().any(|stop| stop.gate == "regression"), "{:?}", worse.stops);
        assert!(worse.changes.iter().all(|change| change.before == Some(true) && change.after == Some(false)));
        let chance = compare(&before, &run((0..40).map(|n| (n, n >= 1)), &[])).unwrap();
        assert!(chance.stops.is_empty(), "{:?}", chance.stops);
        assert_eq!(chance.lost, ["000_case"]);
        let same = compare(&before, &before).unwrap();
        assert!(same.changes.is_empty() && same.stops.is_empty() && same.said_otherwise == 0);
    }

    #[test]
    fn one_scenario_that_must_pass_is_enough() {
        let before = run((0..40).map(|n| (n, true)), &["must-pass"]);
        let worse = compare(&before, &run((0..40).map(|n| (n, n != 3)), &["must-pass"])).unwrap();
        assert_eq!(worse.stops.len(), 1, "{:?}", worse.stops);
        assert_eq!(worse.stops[0].gate, "must-pass");
    }

    #[test]
    fn only_runs_of_the_same_suite_are_compared() {
        let a = run([(1, true)], &[]);
        let other = SuiteRun { suite: "drafts".into(), ..a.clone() };
        assert!(matches!(compare(&a, &other), Err(NotComparable::OtherSuite(..))));
        assert_eq!(compare(&a, &run([(2, true)], &[])), Err(NotComparable::NothingInCommon));
    }
}
