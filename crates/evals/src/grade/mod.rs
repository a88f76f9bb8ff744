//! Graders: each a small named function from what came of a scenario to pass or fail with a reason, or nothing where it has nothing
//! to say. The hard ones gate; the others are measured.
//!
//! For each there is a mutation ([`mutate`]) that breaks what it looks at: a grader that lets its own pass is a defect, and a test
//! and `reeve eval graders` say so.

mod choice;
mod found;

mod money;
pub mod mutate;
mod shape;
#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;

use reeve_rules::settings::Settings;
use serde::{Deserialize, Serialize};

use crate::attempt::{Attempt, CaseSeen};
use crate::scenario::Scenario;

/// What a grader said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grade {
    /// Did it pass?
    pub passed: bool,
    /// How well, 0 to 1.
    pub score: f64,
    /// Why not; empty where all is well.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Grade {
    /// Passes where nothing is wrong.
    fn none_of(wrong: &[String]) -> Self {
        let passed = wrong.is_empty();
        Self { passed, score: f64::from(u8::from(passed)), why: wrong.join("; ") }
    }

    /// Passes from a score on.
    fn from(score: f64, least: f64, why: impl FnOnce() -> String) -> Self {
        let passed = score >= least;
        // At six decimals: what is kept and compared reads the same everywhere.
        let score = (score.clamp(0.0, 1.0) * 1e6).round() / 1e6;
        Self { passed, score, why: if passed { String::new() } else { why() } }
    }
}

/// What a grader looks at.
#[derive(Clone, Copy)]
pub struct Look<'a> {
    /// What was asked.
    pub scenario: &'a Scenario,
    /// What came of it.
    pub attempt: &'a Attempt,
    /// By which settings, policy included.
    pub settings: &'a Settings,
}

impl<'a> Look<'a> {
    /// The case that the scenario is about.
    fn about(&self) -> Option<&'a CaseSeen> {
        self.attempt.about(self.scenario.spec.kind)
    }

    /// Cases with recommendations.
    fn drafted(&self) -> impl Iterator<Item = &'a CaseSeen> {
        self.attempt.cases.iter().filter(|seen| !seen.recommendations.is_empty())
    }
}

/// A grader.
pub struct Grader {
    /// Its name, in reports and files.
    pub name: &'static str,
    /// Does it gate?
    pub hard: bool,
    /// What it holds, in a sentence.
    pub holds: &'static str,
    /// What it says; None where it has nothing to say.
    pub grade: fn(&Look<'_>) -> Option<Grade>,
}

const fn hard(name: &'static str, holds: &'static str, grade: fn(&Look<'_>) -> Option<Grade>) -> Grader {
    Grader { name, hard: true, holds, grade }
}

const fn soft(name: &'static str, holds: &'static str, grade: fn(&Look<'_>) -> Option<Grade>) -> Grader {
    Grader { name, hard: false, holds, grade }
}

/// All graders, the hard ones first.
pub const GRADERS: &[Grader] = &[
    hard(
        "finished",
        "the run came to its end within its limits, and every question of a model had its cassette",
        shape::finished,
    ),
    hard("found", "what must be found is open in a case, and what is explained is explained", found::found),
    hard("unfound", "what must not be found is open nowhere", found::unfound),
    hard("silence", "where nothing is to be decided nobody is asked", found::silence),
    hard("together", "what has one root cause is one case", found::together),
    hard("schema", "ranks, ids, hashes and words of each recommendation are whole", shape::schema),
    hard(
        "citation",
        "each figure cites facts that are in the evidence, and none rests on text from outside alone",
        shape::citation,
    ),
    hard(
        "arithmetic",
        "each figure comes out the same when it is computed again from the frozen evidence",
        money::arithmetic,
    ),
    hard("legality", "each step passed its hard checks, stands with its neighbours and is permitted", choice::legality),
    hard("forbidden", "nothing is recommended that may never be, and nothing is said that may not", choice::forbidden),
    hard("best", "the first recommendation is the best action by construction", choice::best),
    hard("abstention", "it hands over to people exactly where it must", choice::abstention),
    hard("leakage", "no word tells a receiver what is not theirs, nor anybody what is nobody's", words::leakage),
    soft("regret", "the first choice is worth at most a tenth less than the best that was computed", money::regret),
    soft("ndcg", "the digest has the cases in the order of what they are truly worth, within its capacity", money::ndcg),
    soft("ordering", "a model's order agrees with the computed one", choice::ordering),
    soft("length", "words are as long as people read", words::length),
    soft("tone", "words are calm and promise nothing", words::tone),
    soft("language", "words are English", words::language),
];

/// What every grader that has something to say says.
pub fn grade(look: &Look<'_>) -> BTreeMap<String, Grade> {
    let said = GRADERS.iter().filter_map(|grader| Some((grader.name.to_owned(), (grader.grade)(look)?)));
    said.collect()
}

/// The grader of a name.
pub fn grader(name: &str) -> Option<&'static Grader> {
    GRADERS.iter().find(|grader| grader.name == name)
}
