//! A card's words, again: every number in them must be a frozen fact, a figure of the card, or part of a name.

use std::collections::BTreeSet;

use super::{Line, Verdict, muted};
use crate::prose::numbers;
use reeve_domain::action::{Action, Candidate};
use reeve_domain::evidence::{Bundle, FactValue};
use reeve_domain::recommendation::{Drafter, Recommendation};

/// What a number in the words may come from.
pub struct Sources {
    facts: BTreeSet<String>,
    figures: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl Sources {
    /// `recommendations` are those of the same evidence; `names` are names of records and the case's headline.
    pub fn of(
        rec: &Recommendation,
        bundle: &Bundle,
        recommendations: &[&Recommendation],
        names: impl IntoIterator<Item = String>,
    ) -> Self {
        let mut facts = BTreeSet::new();
        let mut known: BTreeSet<String> = names.into_iter().flat_map(|name| numbers(&name)).collect();
        for fact in bundle.facts.values() {
            match &fact.value {
                FactValue::Text(text) => known.extend(numbers(text)),
                other => facts.extend(numbers(&other.show())),
            }
            known.extend(numbers(&fact.label));
        }
        let mut figures = BTreeSet::new();
        for other in recommendations {
            figures_of(&other.candidate, &mut figures);
        }
        figures_of(&rec.candidate, &mut figures);
        if let Drafter::Edited { was, .. } = &rec.drafter {
            figures.extend(numbers(&serde_json::to_string(was).unwrap_or_default()));
            figures.extend(was.quantity().map(|q| q.0.normalize().to_string()));
            figures.extend(numbers(&rec.drafted_at.to_string()));
        }
        if matches!(rec.candidate.action, Action::Mute { .. }) {
            figures.extend(muted::percents(bundle).iter().flat_map(|percent| numbers(percent)));
        }
        known.extend(bundle.missing.iter().flat_map(|m| numbers(&m.what)));
        Self { facts, figures, names: known }
    }

    /// The same with more names of records.
    #[must_use]
    pub fn with_names(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.names.extend(names.into_iter().flat_map(|name| numbers(&name)));
        self
    }
}

/// The numbers of the card's words that are in none of the sources: they may stand in another record's name.
pub fn from_nowhere(rec: &Recommendation, sources: &Sources) -> BTreeSet<String> {
    let known = |token: &String| [&sources.facts, &sources.figures, &sources.names].iter().any(|all| all.contains(token));
    texts(rec).iter().flat_map(|(_, text)| numbers(text)).filter(|token| !known(token)).collect()
}

fn figures_of(candidate: &Candidate, figures: &mut BTreeSet<String>) {
    let m = &candidate.money;
    let saved = m.loss_now.expected - m.loss_after.expected;
    let amounts = [m.benefit, m.loss_now, m.loss_after].into_iter().flat_map(|r| [r.low, r.expected, r.high]);
    for amount in amounts.chain([m.cost, m.regret, saved, candidate.value]) {
        figures.extend(numbers(&amount.to_string()));
    }
    figures.insert(format!("{:.0}", m.p * 100.0));
    figures.insert(format!("{:.2}", m.p));
    figures.insert(candidate.latest_date.to_string());
    figures.extend(numbers(&candidate.id));
    for step in candidate.steps() {
        figures.extend(step.action.quantity().map(|q| q.to_string()));
        figures.extend(numbers(&serde_json::to_string(step.action).unwrap_or_default()));
        for check in step.checks {
            figures.extend(numbers(&check.name));
            figures.extend(numbers(&check.detail));
        }
    }
}

/// A line for each text of the card that has words.
pub fn lines(rec: &Recommendation, sources: &Sources) -> Vec<Line> {
    let texts = texts(rec);
    texts.iter().filter(|(_, text)| !text.is_empty()).map(|(figure, text)| line(figure, text, sources)).collect()
}

/// What a card says in words, each with what its numbers are called.
fn texts(rec: &Recommendation) -> [(&'static str, String); 6] {
    let prose = &rec.prose;
    [
        ("numbers in the summary", rec.candidate.told()),
        ("numbers in the rationale", prose.rationale.clone()),
        ("numbers in the risks", prose.risks.clone()),
        ("numbers in what would change it", prose.would_change.clone()),
        ("numbers in the question", prose.question.clone()),
        ("numbers in the message", prose.message.clone().unwrap_or_default()),
    ]
}

fn line(figure: &str, text: &str, sources: &Sources) -> Line {
    let (mut facts, mut figures, mut names, mut unknown) = (0, 0, 0, Vec::new());
    for token in numbers(text) {
        if sources.facts.contains(&token) {
            facts += 1;
        } else if sources.figures.contains(&token) {
            figures += 1;
        } else if sources.names.contains(&token) {
            names += 1;
        } else {
            unknown.push(token);
        }
    }
    let known = facts + figures + names;
    let from = format!("{facts} frozen facts, {figures} figures of the card, {names} in names");
    Line {
        figure: figure.to_owned(),
        stated: (known + unknown.len()).to_string(),
        recomputed: known.to_string(),
        from: if unknown.is_empty() { from } else { format!("{from}; from nowhere: {}", unknown.join(", ")) },
        verdict: if unknown.is_empty() { Verdict::Agrees } else { Verdict::Differs },
    }
}
