//! A run of a suite: what each grader said of each attempt. This is what is kept, compared and reported.

use std::collections::BTreeMap;

use reeve_domain::ids::content_hash;
use serde::{Deserialize, Serialize};

use crate::grade::{GRADERS, Grade};
use crate::suite::Gates;

/// One attempt, graded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Which scenario.
    pub scenario: String,
    /// What it is about, by code; empty where nothing is wrong.
    pub about: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Which run of it, from 1.
    pub repeat: u32,
    /// What each grader that had something to say said.
    pub grades: BTreeMap<String, Grade>,
    /// Who drafted what it is about.
    pub drafter: String,
    /// Whose answers were played: live, scripted, or none.
    pub origins: Vec<String>,
    /// Which models at which endpoints gave the live ones; empty where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
    /// The first action, by code; empty where there is none.
    pub first: String,
    /// Tokens of all calls.
    pub tokens: u64,
    /// The hash of all that was said.
    pub hash: String,
    /// Is it kept from stopping anybody, and why?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<String>,
}

impl Outcome {
    /// Did every hard grader pass?
    pub fn passed(&self) -> bool {
        !self.failures().any(|(name, _)| GRADERS.iter().any(|grader| grader.hard && grader.name == name))
    }

    /// What did not pass, hard or not.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &Grade)> {
        self.grades.iter().filter(|(_, grade)| !grade.passed).map(|(name, grade)| (name.as_str(), grade))
    }

    /// The mean of what all graders gave, 0 to 1.
    pub fn score(&self) -> f64 {
        let sum: f64 = self.grades.values().map(|grade| grade.score).sum();
        if self.grades.is_empty() { 0.0 } else { sum / self.grades.len() as f64 }
    }

    /// Must it pass?
    pub fn must_pass(&self) -> bool {
        self.tags.iter().any(|tag| tag == "must-pass")
    }
}

/// A run of a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuiteRun {
    /// Which suite.
    pub suite: String,
    /// The hash of its scenarios.
    pub data: String,
    /// The hash of the prompt that drafts.
    pub prompt: String,
    /// The prompt's version.
    pub prompt_version: String,
    /// Who drafted: `playbook`, or a model's name.
    pub drafter: String,
    /// How often each scenario was run.
    pub repeats: u32,
    /// Was only a part of the suite run?
    pub partial: bool,
    /// Each attempt, by scenario and repeat.
    pub outcomes: Vec<Outcome>,
}

/// Why a gate stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stop {
    /// Which gate.
    pub gate: String,
    /// What was reached and what is asked for.
    pub why: String,
}

impl SuiteRun {
    /// Those that count: what is kept apart does not.
    pub fn counted(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| outcome.quarantined.is_none())
    }

    /// Which models at which endpoints gave its live answers, each once.
    pub fn asked(&self) -> std::collections::BTreeSet<&str> {
        self.outcomes.iter().flat_map(|outcome| &outcome.asked).map(String::as_str).collect()
    }

    /// Of each scenario that counts, how many of its runs passed, and how many there were.
    pub fn by_scenario(&self) -> BTreeMap<&str, (u64, u64)> {
        let mut by = BTreeMap::new();
        for outcome in self.counted() {
            let slot: &mut (u64, u64) = by.entry(outcome.scenario.as_str()).or_default();
            slot.0 += u64::from(outcome.passed());
            slot.1 += 1;
        }
        by
    }

    /// Scenarios that came out now so and now otherwise.
    pub fn flaky(&self) -> Vec<&str> {
        let by = self.by_scenario();
        by.iter().filter(|(_, (passed, of))| *passed > 0 && passed < of).map(|(name, _)| *name).collect()
    }

    /// What all graders of one name said: how many passed, of how many.
    pub fn by_grader(&self) -> BTreeMap<&str, (u64, u64)> {
        let mut by = BTreeMap::new();
        for (name, grade) in self.counted().flat_map(|outcome| &outcome.grades) {
            let slot: &mut (u64, u64) = by.entry(name.as_str()).or_default();
            slot.0 += u64::from(grade.passed);
            slot.1 += 1;
        }
        by
    }

    /// The gates that stop.
    pub fn stops(&self, gates: &Gates) -> Vec<Stop> {
        let mut stops = Vec::new();
        let mut stop = |gate: &str, why: String| stops.push(Stop { gate: gate.to_owned(), why });
        // A scenario counts as passed where all its repeats passed.
        let (passed, of) = self.by_scenario().values().fold((0, 0), |(p, n), (a, b)| (p + u64::from(a == b), n + 1));
        let rate = passed as f64 / f64::from(of).max(1.0);
        // A run of nothing would pass every gate.
        if of == 0 {
            stop("scenarios", "nothing was run that counts".to_owned());
        } else if rate < gates.pass_rate {
            stop(
                "pass_rate",
                format!(
                    "{passed} of {of} scenarios passed ({:.1} %), {:.1} % are asked for",
                    rate * 100.0,
                    gates.pass_rate * 100.0
                ),
            );
        }
        for outcome in self.counted().filter(|outcome| outcome.must_pass() && !outcome.passed()) {
            let failed: Vec<&str> = outcome.failures().map(|(name, _)| name).collect();
            stop("must-pass", format!("{} run {}: {}", outcome.scenario, outcome.repeat, failed.join(", ")));
        }
        let order: Vec<f64> = self.counted().filter_map(|o| o.grades.get("ndcg")).map(|grade| grade.score).collect();
        let mean = order.iter().sum::<f64>() / (order.len() as f64).max(1.0);
        if !order.is_empty() && mean < gates.ndcg {
            stop("ndcg", format!("the order's mean quality is {mean:.3}, {:.3} are asked for", gates.ndcg));
        }
        if self.repeats > 1 {
            let k = u64::from(self.repeats);
            let all: Vec<f64> = self.by_scenario().values().map(|(c, n)| crate::stats::pass_hat(*c, *n, k)).collect();
            let mean = all.iter().sum::<f64>() / (all.len() as f64).max(1.0);
            if mean < gates.pass_hat_k {
                stop("pass_hat_k", format!("pass^{k} is {mean:.3}, {:.3} are asked for", gates.pass_hat_k));
            }
        }
        stops
    }

    /// The hash of what was run and said: two runs of the same suite by the same program have the same.
    pub fn hash(&self) -> String {
        content_hash(&[&serde_json::to_string(self).expect("a run has no map with keys that are not text")])
    }
}
