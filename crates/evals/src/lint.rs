//! What makes suites worthless: twins, labels that contradict one another, what is tuned on and reported on at once, answers that
//! nobody asks for, quarantines that are over.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use jiff::civil::Date;
use reeve_domain::ids::content_hash;
use serde::Serialize;

use crate::cassette;
use crate::scenario::Scenario;
use crate::suite::Suite;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static str,
    /// Where.
    pub scenario: String,
    /// What, and what to do.
    pub words: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.scenario, self.rule, self.words)
    }
}

fn finding(rule: &'static str, scenario: &Scenario, words: String) -> Finding {
    Finding { rule, scenario: scenario.id.clone(), words }
}

/// Everything that is wrong with the scenarios of `suites` as they are written, looked at together: a twin in another suite is one.
pub fn lint(suites: &[Suite], today: Date) -> Vec<Finding> {
    let mut found = Vec::new();
    let all: Vec<&Scenario> = suites.iter().flat_map(|suite| &suite.scenarios).collect();
    found.extend(twins(&all));
    found.extend(same_worlds(&all));
    for suite in suites {
        for scenario in &suite.scenarios {
            found.extend(alone(scenario));
        }
        for kept in suite.spec.quarantine.iter().filter(|kept| kept.until < today) {
            let words = format!("its quarantine ended on {}; mend it or take it out", kept.until);
            found.push(Finding { rule: "quarantine", scenario: kept.scenario.clone(), words });
        }
    }
    found.sort();
    found
}

/// Scenarios of one type, cause and best action.
fn twins(all: &[&Scenario]) -> Vec<Finding> {
    let mut by: BTreeMap<(String, &str, String), Vec<&Scenario>> = BTreeMap::new();
    for scenario in all {
        let kind = scenario.spec.kind.map(|code| code.code().to_owned()).unwrap_or_default();
        let best = scenario.expected.best.join("|");
        by.entry((kind, scenario.spec.cause.as_str(), best)).or_default().push(scenario);
    }
    let twin = |same: &Vec<&Scenario>| {
        let first = same.first()?;
        let others: Vec<&str> = same.iter().skip(1).map(|other| other.id.as_str()).collect();
        (!others.is_empty()).then(|| {
            finding("twin", first, format!("type, cause and best action are those of {}; keep one", others.join(", ")))
        })
    };
    by.values().filter_map(twin).collect()
}

/// Scenarios whose records are the same: another label is a conflict, another split a leak.
fn same_worlds(all: &[&Scenario]) -> Vec<Finding> {
    let mut by: BTreeMap<String, Vec<&Scenario>> = BTreeMap::new();
    for scenario in all {
        // Records that can not be made were refused when the scenario was read.
        let Ok(observed) = scenario.observed() else { continue };
        let text = serde_json::to_string(&observed).expect("records have no map with keys that are not text");
        let settings = scenario.spec.settings.to_string();
        // What a model answered is a part of the world: the same records with another answer ask something else.
        let cassettes = cassette::read(&scenario.cassettes()).unwrap_or_default();
        let replies: Vec<&str> = cassettes.values().map(|cassette| cassette.reply.as_str()).collect();
        let key = content_hash(&[&text, &scenario.as_of.to_string(), &settings, &replies.join("\n")]);
        by.entry(key).or_default().push(scenario);
    }
    let mut found = Vec::new();
    for same in by.values().filter(|same| same.len() > 1) {
        let first = same[0];
        for other in &same[1..] {
            let label = |s: &Scenario| (s.expected.must.clone(), s.expected.best.clone(), s.expected.silence);
            if label(first) == label(other) {
                found.push(finding("copy", other, format!("its records and labels are those of {}; keep one", first.id)));
            } else {
                found.push(finding(
                    "conflict",
                    other,
                    format!("its records are those of {} and its labels others", first.id),
                ));
            }
            if first.spec.split != other.spec.split {
                found.push(finding("leak", other, format!("its records are in another split too, as {}", first.id)));
            }
        }
    }
    found
}

/// What a scenario is wrong by itself.
fn alone(scenario: &Scenario) -> Vec<Finding> {
    let mut found = Vec::new();
    if scenario.expected.why.trim().is_empty() {
        found.push(finding("why", scenario, "nobody says why this is expected; write `why` into expected.toml".to_owned()));
    }
    let number = scenario.id.split('_').next().unwrap_or_default();
    if number.len() != 3 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        found.push(finding("name", scenario, "its folder is not called NNN_slug".to_owned()));
    }
    if scenario.spec.cause.is_empty() || scenario.spec.cause.contains(' ') {
        found.push(finding("cause", scenario, "the cause is one word with dashes".to_owned()));
    }
    found
}

/// Cassettes of a scenario that answer nothing that was asked.
///
/// # Errors
/// What could not be read.
pub fn orphans(scenario: &Scenario, asked: &BTreeSet<String>) -> anyhow::Result<Vec<Finding>> {
    let kept = cassette::read(&scenario.cassettes())?;
    let orphan = kept.values().filter(|cassette| !asked.contains(&cassette.request)).map(|cassette| {
        let name = cassette::file_name(&cassette.request);
        finding("orphan", scenario, format!("cassettes/{name} answers nothing that is asked; delete it, or record anew"))
    });
    Ok(orphan.collect())
}

/// Two scenarios of one number in a folder.
pub fn numbers(folder: &Path, suite: &Suite) -> Vec<Finding> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let mut found = Vec::new();
    for scenario in &suite.scenarios {
        let number = scenario.id.split('_').next().unwrap_or_default();
        if let Some(first) = seen.insert(number, &scenario.id) {
            let words = format!("{first} in {} has the same number", folder.display());
            found.push(finding("number", scenario, words));
        }
    }
    found
}
