//! Has a language model earned its words? Its run of a suite is held beside the playbook's run of the same scenarios: until it is
//! better beyond chance and passes every gate, it is a candidate.
//!
//! Only a model's own answers count. What was scripted shows what Reeve makes of an answer, and earns nothing.

use serde::Serialize;

use crate::cassette::Origin;
use crate::compare::{NotComparable, compare};
use crate::run::SuiteRun;
use crate::suite::Gates;

/// Where a model stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// Has it earned its words? A person still has to promote it.
    pub earned: bool,
    /// What is missing; empty where it has.
    pub missing: Vec<String>,
}

/// Holds a model's run beside the playbook's.
///
/// # Errors
/// Where the runs are not of the same suite.
pub fn standing(playbook: &SuiteRun, model: &SuiteRun, gates: &Gates) -> Result<Standing, NotComparable> {
    let comparison = compare(playbook, model)?;
    let mut missing = Vec::new();
    let live = Origin::Live.to_string();
    let answered: Vec<_> = model.counted().filter(|outcome| !outcome.origins.is_empty()).collect();
    if answered.is_empty() {
        missing.push("no answer of the model is in the run".to_owned());
    }
    let other = answered.iter().filter(|outcome| outcome.origins.iter().any(|origin| *origin != live)).count();
    if other > 0 {
        missing.push(format!("{other} scenarios were answered by scripts, which earn nothing"));
    }
    if model.partial || playbook.partial {
        missing.push("only a part of the suite was run".to_owned());
    }
    if model.data != playbook.data {
        missing.push("the runs are of other scenarios".to_owned());
    }
    missing.extend(model.stops(gates).into_iter().map(|stop| format!("{}: {}", stop.gate, stop.why)));
    missing.extend(comparison.stops.iter().map(|stop| format!("{}: {}", stop.gate, stop.why)));
    if comparison.score.interval.low <= 0.0 {
        missing.push(format!(
            "its mean score differs by {:+.4} (95 % {:+.4} to {:+.4}): it is not better beyond chance",
            comparison.score.mean, comparison.score.interval.low, comparison.score.interval.high
        ));
    }
    Ok(Standing { earned: missing.is_empty(), missing })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::grade::Grade;
    use crate::run::Outcome;

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
        let better = standing(&playbook, &run(|n| 0.95 + f64::from(n % 3) * 0.01, Some("live")), &gates()).unwrap();
        assert!(better.earned, "{:?}", better.missing);
        let missing = |model: &SuiteRun| standing(&playbook, model, &gates()).unwrap().missing.join("; ");
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
}
