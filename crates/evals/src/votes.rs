//! Votes of people on two drafts of one case, and how far a judging model agrees with them.
//!
//! A vote is a person's. Nothing that a program wrote is kept here or counted as one; where there are too few votes, or the judge
//! agrees with them no better than chance would, the judge stays off.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::Context;
use jiff::civil::Date;
use reeve_domain::ids::content_hash;
use serde::{Deserialize, Serialize};

use crate::stats::{kappa, wilson};

/// Least agreement with people's votes from which a judge may speak.
pub const KAPPA_MIN: f64 = 0.6;
/// Fewest votes on which agreement can be measured at all.
pub const VOTES_MIN: usize = 50;

/// What a draft of a case says, without who drafted it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Which scenario.
    pub scenario: String,
    /// What happened.
    pub headline: String,
    /// What is recommended first.
    pub action: String,
    /// Why.
    pub rationale: String,
    /// What could go wrong.
    pub risks: String,
    /// The message to a partner; empty where there is none.
    pub message: String,
    /// Who drafted; not shown.
    pub drafter: String,
}

/// Which of two is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The first run's.
    First,
    /// The second run's.
    Second,
    /// Neither.
    Same,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Same => "same",
        })
    }
}

/// What a person said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// Which pair.
    pub pair: String,
    /// Which scenario.
    pub scenario: String,
    /// Who, by the name that they gave.
    pub by: String,
    /// When.
    pub on: Date,
    /// Which is better.
    pub choice: Choice,
    /// Why, in their words.
    #[serde(default)]
    pub words: String,
}

/// Two drafts of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The hash of both.
    pub id: String,
    /// The first run's.
    pub first: Draft,
    /// The second run's.
    pub second: Draft,
}

impl Pair {
    /// Is the second shown above? By the pair's own hash, so that no run stands above more often, and it is the same each time.
    pub fn is_swapped(&self) -> bool {
        self.id.bytes().next().is_some_and(|byte| byte % 2 == 1)
    }

    /// What was meant by choosing the upper or the lower one.
    pub fn choice(&self, upper: bool) -> Choice {
        if upper == self.is_swapped() { Choice::Second } else { Choice::First }
    }
}

/// The pairs of two runs that say something different.
pub fn pairs(first: &[Draft], second: &[Draft]) -> Vec<Pair> {
    let by: BTreeMap<&str, &Draft> = second.iter().map(|draft| (draft.scenario.as_str(), draft)).collect();
    let pair = |first: &Draft| {
        let second = (*by.get(first.scenario.as_str())?).clone();
        let said =
            |draft: &Draft| [draft.action.clone(), draft.rationale.clone(), draft.risks.clone(), draft.message.clone()];
        (said(first) != said(&second)).then(|| {
            let texts: Vec<String> = [said(first), said(&second)].concat();
            let parts: Vec<&str> =
                std::iter::once(first.scenario.as_str()).chain(texts.iter().map(String::as_str)).collect();
            Pair { id: content_hash(&parts)[..16].to_owned(), first: first.clone(), second }
        })
    };
    first.iter().filter_map(pair).collect()
}

/// Reads lines of JSON.
///
/// # Errors
/// The line that is none.
pub fn read<T: serde::de::DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("can not read {}", path.display()))?;
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("{}:{}: it is not what is kept here", path.display(), number + 1))
    };
    text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(line).collect()
}

/// May a judge speak, by what it said of pairs that people voted on?
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Votes that it was compared with.
    pub votes: usize,
    /// Cohen's kappa; None where it can not be said.
    pub kappa: Option<f64>,
    /// May it?
    pub on: bool,
    /// In words.
    pub words: String,
}

/// Compares a judge's choices, by pair, with people's votes.
pub fn agreement(votes: &[Vote], judged: &BTreeMap<String, Choice>) -> Agreement {
    let both: Vec<(String, String)> =
        votes.iter().filter_map(|vote| Some((vote.choice.to_string(), judged.get(&vote.pair)?.to_string()))).collect();
    let kappa = kappa(&both);
    let on = both.len() >= VOTES_MIN && kappa.is_some_and(|kappa| kappa >= KAPPA_MIN);
    let words = match (both.len(), kappa) {
        (n, _) if n < VOTES_MIN => format!("off: {n} votes of people, {VOTES_MIN} are needed"),
        (_, None) => "off: all votes say the same, so agreement says nothing".to_owned(),
        (n, Some(kappa)) if on => format!("on: it agrees with {n} votes of people at κ = {kappa:.2}"),
        (n, Some(kappa)) => format!("off: κ = {kappa:.2} over {n} votes of people, {KAPPA_MIN} is needed"),
    };
    Agreement { votes: both.len(), kappa, on, words }
}

/// What people's votes say of a model's words beside the playbook's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Preference {
    /// Votes, with those that see no difference.
    pub votes: usize,
    /// Of how many people.
    pub people: usize,
    /// Votes for the model's.
    pub model: u64,
    /// Votes for the playbook's.
    pub playbook: u64,
}

impl Preference {
    /// Do people prefer the model's words, beyond chance? Of those who see a difference.
    pub fn is_better(&self) -> bool {
        wilson(self.model, self.model + self.playbook).low > 0.5
    }

    /// Do they prefer the playbook's?
    pub fn is_worse(&self) -> bool {
        wilson(self.model, self.model + self.playbook).high < 0.5
    }

    /// In words.
    pub fn text(&self) -> String {
        let Self { votes, people, model, playbook } = self;
        format!("{votes} votes of {people} people, {model} for the model's words and {playbook} for the playbook's")
    }
}

/// What people said of two runs' drafts, whichever of them stood first when they were asked; None where too few did.
pub fn preference(votes: &[Vote], playbook: &[Draft], model: &[Draft]) -> Option<Preference> {
    let ids = |first: &[Draft], second: &[Draft]| -> std::collections::BTreeSet<String> {
        pairs(first, second).into_iter().map(|pair| pair.id).collect()
    };
    // A pair's id says which draft stood first, so a vote counts for what was read and not for a side.
    let (as_is, turned) = (ids(playbook, model), ids(model, playbook));
    let (mut found, mut people) =
        (Preference { votes: 0, people: 0, model: 0, playbook: 0 }, std::collections::BTreeSet::new());
    for vote in votes {
        let is_turned = turned.contains(&vote.pair);
        if !is_turned && !as_is.contains(&vote.pair) {
            continue;
        }
        people.insert(vote.by.as_str());
        found.votes += 1;
        match (vote.choice, is_turned) {
            (Choice::Second, false) | (Choice::First, true) => found.model += 1,
            (Choice::First, false) | (Choice::Second, true) => found.playbook += 1,
            (Choice::Same, _) => {}
        }
    }
    found.people = people.len();
    (found.votes >= VOTES_MIN).then_some(found)
}

/// What a judge that was asked both ways says: the same each way, or nothing. A judge that prefers what stands above is not heard.
pub fn swapped(as_is: Choice, swapped: Choice) -> Choice {
    let turned = match swapped {
        Choice::First => Choice::Second,
        Choice::Second => Choice::First,
        Choice::Same => Choice::Same,
    };
    if as_is == turned { as_is } else { Choice::Same }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote(pair: usize, choice: Choice) -> Vote {
        let (scenario, by) = ("001_a".to_owned(), "mira".to_owned());
        Vote { pair: pair.to_string(), scenario, by, on: jiff::civil::date(2026, 11, 30), choice, words: String::new() }
    }

    #[test]
    fn a_judge_is_off_until_enough_people_agree_with_it() {
        let choice = |n: usize| if n.is_multiple_of(2) { Choice::First } else { Choice::Second };
        let votes: Vec<Vote> = (0..60).map(|n| vote(n, choice(n))).collect();
        let judged = |wrong: usize| -> BTreeMap<String, Choice> {
            (0..60).map(|n| (n.to_string(), if n < wrong { choice(n + 1) } else { choice(n) })).collect()
        };
        assert!(agreement(&votes, &judged(0)).on);
        assert!(!agreement(&votes, &judged(20)).on, "agrees too little");
        assert!(!agreement(&votes[..49], &judged(0)).on, "too few votes");
        assert!(!agreement(&[], &judged(0)).on, "no votes at all");
        let same: Vec<Vote> = (0..60).map(|n| vote(n, Choice::First)).collect();
        let always = (0..60).map(|n| (n.to_string(), Choice::First)).collect();
        assert!(!agreement(&same, &always).on, "one answer for all is no agreement");
    }

    #[test]
    fn a_judge_that_prefers_the_upper_one_is_not_heard() {
        assert_eq!(swapped(Choice::First, Choice::First), Choice::Same);
        assert_eq!(swapped(Choice::First, Choice::Second), Choice::First);
        assert_eq!(swapped(Choice::Same, Choice::Same), Choice::Same);
    }

    #[test]
    fn only_what_differs_is_a_pair_and_who_drafted_does_not_make_it_one() {
        let draft = |scenario: &str, rationale: &str, drafter: &str| Draft {
            scenario: scenario.into(),
            headline: "h".into(),
            action: "a".into(),
            rationale: rationale.into(),
            risks: String::new(),
            message: String::new(),
            drafter: drafter.into(),
        };
        let first = [draft("001_a", "x", "playbook"), draft("002_b", "y", "playbook")];
        let second = [draft("001_a", "x", "model m"), draft("002_b", "z", "model m")];
        let found = pairs(&first, &second);
        assert_eq!(found.len(), 1);
        let pair = &found[0];
        assert_eq!(pair.first.scenario, "002_b");
        assert_ne!(pair.choice(true), pair.choice(false));
    }

    #[test]
    fn votes_say_whose_words_are_better_whichever_run_was_named_first() {
        let draft = |n: usize, words: &str| Draft {
            scenario: format!("{n:03}_a"),
            headline: "h".into(),
            action: "a".into(),
            rationale: words.into(),
            risks: String::new(),
            message: String::new(),
            drafter: String::new(),
        };
        let all = |words: &str| (0..60).map(|n| draft(n, words)).collect::<Vec<_>>();
        let (playbook, model) = (all("plain"), all("better"));
        let voted = |first: &[Draft], second: &[Draft], choice: Choice, n: usize| -> Vec<Vote> {
            let of = |pair: Pair| Vote { pair: pair.id, ..vote(0, choice) };
            pairs(first, second).into_iter().take(n).map(of).collect()
        };
        let as_is = voted(&playbook, &model, Choice::Second, 60);
        let turned = voted(&model, &playbook, Choice::First, 60);
        for votes in [as_is, turned] {
            let found = preference(&votes, &playbook, &model).unwrap();
            assert_eq!((found.votes, found.people, found.model, found.playbook), (60, 1, 60, 0));
            assert!(found.is_better() && !found.is_worse());
        }
        assert_eq!(preference(&voted(&playbook, &model, Choice::Second, 49), &playbook, &model), None, "too few");
        assert_eq!(preference(&voted(&playbook, &all("other"), Choice::Second, 60), &playbook, &model), None, "of others");
        let even = Preference { votes: 60, people: 2, model: 30, playbook: 30 };
        assert!(!even.is_better() && !even.is_worse());
    }
}
