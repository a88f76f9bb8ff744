//! Has a language model earned its words? Its run of a suite is held beside the playbook's run of the same scenarios: until it is
//! better beyond chance at one gate, worse at none, and passes every gate of the suite, it is a candidate.
//!
//! The gates are what is true (claims and figures: the hard graders), the order of actions, and what the first choice is worth. Whose
//! words read better is a gate too, but only people can say it: without enough votes of theirs it counts for nothing.
//! Only a model's own answers count. What was scripted shows what Reeve makes of an answer, and earns nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cassette::Origin;
use crate::compare::{CHANCE, NotComparable, compare};
use crate::grade::GRADERS;
use crate::run::{Outcome, SuiteRun};
use crate::stats::{Difference, bootstrap, mcnemar};
use crate::suite::Gates;
use crate::votes::Preference;

/// Fewest scenarios that a model has to have answered: of fewer an interval of resampled pairs says nothing.
pub const ANSWERED_MIN: usize = 10;

/// One gate, the model beside the playbook.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Held {
    /// Which: `figures`, `ordering` or `regret`.
    pub gate: &'static str,
    /// Scenarios that the playbook passes at it and the model does not.
    pub lost: usize,
    /// Scenarios that the model passes and the playbook does not.
    pub won: usize,
    /// McNemar's p of these.
    pub p: f64,
    /// The mean score's difference; None of the order, in which the playbook's is the best by definition.
    pub score: Option<Difference>,
}

impl Held {
    fn is_better(&self) -> bool {
        self.score.is_some_and(|score| score.interval.low > 0.0)
    }

    fn is_worse(&self) -> bool {
        (self.lost > self.won && self.p < CHANCE) || self.score.is_some_and(|score| score.interval.high < 0.0)
    }

    /// In a line.
    pub fn text(&self) -> String {
        let Self { gate, lost, won, p, .. } = self;
        let score = self.score.map_or_else(String::new, |score| {
            let (low, high) = (score.interval.low, score.interval.high);
            format!("; mean score {:+.4} (95 % {low:+.4} to {high:+.4}, {} pairs)", score.mean, score.pairs)
        });
        format!("{gate}: {won} scenarios won, {lost} lost (McNemar p = {p:.4}){score}")
    }
}

/// Where a model stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Has it earned its words? A person still has to promote it.
    pub earned: bool,
    /// What was found at each gate.
    pub gates: Vec<Held>,
    /// What people say of its words; None while too few have.
    pub prose: Option<Preference>,
    /// What is missing; empty where it has.
    pub missing: Vec<String>,
}

/// Holds a model's run beside the playbook's.
///
/// # Errors
/// Where the runs are not of the same suite.
pub fn standing(
    playbook: &SuiteRun,
    model: &SuiteRun,
    gates: &Gates,
    prose: Option<Preference>,
) -> Result<Standing, NotComparable> {
    let comparison = compare(playbook, model)?;
    let mut missing = Vec::new();
    let live = Origin::Live.to_string();
    // Where nothing was asked of the model the words are the playbook's, and earn it nothing.
    let answered: Vec<_> = model.counted().filter(|outcome| !outcome.origins.is_empty()).collect();
    let other = answered.iter().filter(|outcome| outcome.origins.iter().any(|origin| *origin != live)).count();
    // Repeats of a scenario are more answers to the same question, not more questions.
    let mut scenarios: Vec<&str> = answered.iter().map(|outcome| outcome.scenario.as_str()).collect();
    scenarios.sort_unstable();
    scenarios.dedup();
    if answered.is_empty() {
        missing.push("no answer of the model is in the run".to_owned());
    } else if scenarios.len() < ANSWERED_MIN {
        missing.push(format!("it answered {} scenarios, {ANSWERED_MIN} are asked for", scenarios.len()));
    }
    if other > 0 {
        missing.push(format!("{other} scenarios were answered by scripts, which earn nothing"));
    }
    if model.partial || playbook.partial {
        missing.push("only a part of the suite was run".to_owned());
    }
    // Equal names are not enough: a scenario may have been changed between the runs.
    if model.data != playbook.data {
        missing.push("the runs are of other scenarios".to_owned());
    }
    missing.extend(model.stops(gates).into_iter().map(|stop| format!("{}: {}", stop.gate, stop.why)));
    // The mean over all graders has those of style in it, of which only people judge.
    let stops = comparison.stops.iter().filter(|stop| stop.gate != "score");
    missing.extend(stops.map(|stop| format!("{}: {}", stop.gate, stop.why)));
    let held: Vec<Held> = [("figures", figures as Said), ("ordering", ordering), ("regret", regret)]
        .into_iter()
        .map(|(gate, said)| beside(gate, said, playbook, model))
        .collect();
    missing.extend(held.iter().filter(|held| held.is_worse()).map(|held| format!("it is worse at {}", held.text())));
    missing.extend(
        prose.iter().filter(|prose| prose.is_worse()).map(|prose| format!("people prefer the playbook: {}", prose.text())),
    );
    let is_better = held.iter().any(Held::is_better) || prose.as_ref().is_some_and(Preference::is_better);
    if !is_better {
        let votes = prose.as_ref().map_or_else(|| "too few votes of people to say".to_owned(), Preference::text);
        missing.push(format!("it is not better beyond chance at any gate: {}; prose: {votes}", texts(&held).join("; ")));
    }
    Ok(Standing { earned: missing.is_empty(), gates: held, prose, missing })
}

impl Standing {
    /// What was found, a line for each gate.
    pub fn found(&self) -> Vec<String> {
        let mut found = texts(&self.gates);
        found.push(self.prose.as_ref().map_or_else(
            || "prose: too few votes of people, so it counts for nothing".to_owned(),
            |prose| format!("prose: {}", prose.text()),
        ));
        found
    }
}

fn texts(held: &[Held]) -> Vec<String> {
    held.iter().map(Held::text).collect()
}

/// Whether a run passes at a gate, and how well; None where nothing is said.
type Said = fn(&Outcome) -> Option<(bool, f64)>;

/// Everything that gates: what is claimed is true, and each figure comes out the same.
fn figures(outcome: &Outcome) -> Option<(bool, f64)> {
    let is_hard = |name: &str| GRADERS.iter().any(|grader| grader.hard && grader.name == name);
    let grades: Vec<_> = outcome.grades.iter().filter(|(name, _)| is_hard(name)).map(|(_, grade)| grade).collect();
    let mean = grades.iter().map(|grade| grade.score).sum::<f64>() / grades.len() as f64;
    (!grades.is_empty()).then(|| (grades.iter().all(|grade| grade.passed), mean))
}

/// The order of actions. The playbook's is the computed one, of which no grader says anything.
fn ordering(outcome: &Outcome) -> Option<(bool, f64)> {
    let by_model = !outcome.origins.is_empty();
    let said = outcome.grades.get("ordering").map(|grade| (grade.passed, grade.score));
    if by_model { said } else { Some((true, 1.0)) }
}

/// What the first choice is worth beside the best.
fn regret(outcome: &Outcome) -> Option<(bool, f64)> {
    outcome.grades.get("regret").map(|grade| (grade.passed, grade.score))
}

/// One gate over the scenarios of which both runs say something; of several repeats each passes where all of them do.
fn beside(gate: &'static str, said: Said, playbook: &SuiteRun, model: &SuiteRun) -> Held {
    let (a, b) = (by_scenario(playbook, said), by_scenario(model, said));
    let (mut lost, mut won, mut scores) = (0, 0, Vec::new());
    for (name, (passes, score)) in &b {
        let Some((passed, before)) = a.get(name) else { continue };
        lost += usize::from(*passed && !passes);
        won += usize::from(!passed && *passes);
        scores.push(score - before);
    }
    let p = mcnemar(lost as u64, won as u64);
    Held { gate, lost, won, p, score: (gate != "ordering").then(|| bootstrap(&scores)) }
}

fn by_scenario(run: &SuiteRun, said: Said) -> BTreeMap<&str, (bool, f64)> {
    let mut by: BTreeMap<&str, (bool, f64, u32)> = BTreeMap::new();
    for outcome in run.counted() {
        let Some((passed, score)) = said(outcome) else { continue };
        let slot = by.entry(outcome.scenario.as_str()).or_insert((true, 0.0, 0));
        *slot = (slot.0 && passed, slot.1 + score, slot.2 + 1);
    }
    by.into_iter().map(|(name, (passed, sum, n))| (name, (passed, sum / f64::from(n)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::Grade;

    fn run(score: impl Fn(u32) -> f64, origin: Option<&str>) -> SuiteRun {
        let outcome = |n: u32| Outcome {
            scenario: format!("{n:03}_a"),
            about: String::new(),
            tags: vec![],
            repeat: 1,
            grades: BTreeMap::from([
                ("found".to_owned(), Grade { passed: true, score: 1.0, why: String::new() }),
                ("regret".to_owned(), Grade { passed: true, score: score(n), why: String::new() }),
            ]),
            drafter: String::new(),
            origins: origin.map(str::to_owned).into_iter().collect(),
            asked: vec![],
            first: String::new(),
            tokens: 0,
            hash: String::new(),
            quarantined: None,
        };
        SuiteRun {
            suite: "drafts".into(),
            data: "d".into(),
            prompt: "p".into(),
            prompt_version: "1.0.0".into(),
            drafter: "x".into(),
            repeats: 1,
            partial: false,
            outcomes: (0..30).map(outcome).collect(),
        }
    }

    fn gates() -> Gates {
        Gates { pass_rate: 0.95, ndcg: 0.0, pass_hat_k: 0.0 }
    }

    #[test]
    fn better_beyond_chance_with_its_own_words_earns() {
        let playbook = run(|_| 0.9, None);
        let better = standing(&playbook, &run(|n| 0.95 + f64::from(n % 3) * 0.01, Some("live")), &gates(), None).unwrap();
        assert!(better.earned, "{:?}", better.missing);
        let missing = |model: &SuiteRun| standing(&playbook, model, &gates(), None).unwrap().missing.join("; ");
        assert!(missing(&run(|_| 0.9, Some("live"))).contains("not better beyond chance"), "as good is not better");
        assert!(missing(&run(|_| 0.99, Some("scripted"))).contains("scripts"));
        assert!(missing(&run(|_| 0.99, None)).contains("no answer"));
        let other = SuiteRun { data: "e".into(), ..run(|_| 0.99, Some("live")) };
        assert!(missing(&other).contains("other scenarios"));
        let mut failing = run(|_| 0.99, Some("live"));
        for outcome in failing.outcomes.iter_mut().take(5) {
            outcome.grades.insert("leakage".to_owned(), Grade { passed: false, score: 0.0, why: "a link".into() });
        }
        assert!(missing(&failing).contains("pass_rate"));
    }

    #[test]
    fn as_good_a_model_earns_its_words_by_peoples_votes_and_loses_them_by_the_same() {
        let playbook = run(|_| 0.9, None);
        let same = run(|_| 0.9, Some("live"));
        let held = |model: u64, playbook_votes: u64| {
            let prose = Some(Preference { votes: 60, people: 3, model, playbook: playbook_votes });
            standing(&playbook, &same, &gates(), prose).unwrap()
        };
        assert!(held(45, 15).earned, "{:?}", held(45, 15).missing);
        assert!(!held(32, 28).earned, "that is chance");
        assert!(held(15, 45).missing.iter().any(|why| why.contains("people prefer the playbook")));
    }

    #[test]
    fn what_is_better_at_one_gate_and_worse_at_another_earns_nothing() {
        let playbook = run(|_| 0.9, None);
        let mut turned = run(|_| 0.99, Some("live"));
        for outcome in &mut turned.outcomes {
            outcome.grades.insert("ordering".to_owned(), Grade { passed: false, score: 0.2, why: "turned".into() });
        }
        let found = standing(&playbook, &turned, &gates(), None).unwrap();
        assert!(
            found.missing.iter().any(|why| why.starts_with("it is worse at ordering: 0 scenarios won, 30 lost")),
            "{found:?}"
        );
        let mut few = run(|_| 0.99, Some("live"));
        few.outcomes.iter_mut().skip(9).for_each(|outcome| outcome.origins.clear());
        let found = standing(&playbook, &few, &gates(), None).unwrap();
        assert!(found.missing.iter().any(|why| why.contains("it answered 9 scenarios, 10 are asked for")), "{found:?}");
        // How long and how calm words are is for people to judge: it earns nothing and costs nothing.
        let mut prose = run(|_| 0.95, Some("live"));
        for outcome in &mut prose.outcomes {
            outcome.grades.insert("length".to_owned(), Grade { passed: false, score: 0.0, why: "long".into() });
        }
        assert!(standing(&playbook, &prose, &gates(), None).unwrap().earned);
    }
}
