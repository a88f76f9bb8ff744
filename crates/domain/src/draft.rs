//! A draft: the order a drafter puts a case's candidates in, and its words for each.
//!
//! Playbook and language model both make one. [`Draft::check`] holds for either; what a model's words must satisfy besides is
//! the guard's business, and they stand under the playbook's ([`Draft::under`]).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::action::{Action, Candidate};
use super::evidence::Bundle;
use super::ids::FactId;
use super::recommendation::Prose;

/// An order over candidates, with words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Best first. Candidates left out keep their computed order behind these.
    pub choices: Vec<Choice>,
    /// Why no action is suggested: the first recommendation becomes ESCALATE.
    pub abstain: Option<String>,
}

/// One candidate with its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The candidate's id within the case: `A1`.
    pub candidate: String,
    /// How sure the drafter is, in percent. Shown beside p, never in its place.
    pub confidence_percent: u8,
    /// The words.
    pub prose: Prose,
}

/// Why a draft can not be used on this case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftFault {
    /// It names an action that was not computed for the case.
    #[error("there is no candidate {0:?} in this case")]
    UnknownCandidate(String),
    /// It names one twice.
    #[error("candidate {0} is chosen twice; choose each at most once")]
    CandidateTwice(String),
    /// A hard check of the action fails.
    #[error("candidate {candidate} fails the hard check {check:?} and can not be chosen")]
    Illegal { candidate: String, check: String },
    /// Not a percentage.
    #[error("confidence {0} is not between 0 and 100")]
    Confidence(u8),
    /// It cites a fact that is not in the evidence.
    #[error("there is no fact {0:?} in the evidence")]
    UnknownFact(String),
    /// Nothing but text written outside supports it (handbook §5, "Forbidden").
    #[error("candidate {0} rests on nothing but text from outside; cite at least one fact of the program")]
    OnlyOutsideText(String),
    /// It drafts a message for an action that sends none.
    #[error("candidate {candidate} ({code}) sends no message; leave it empty")]
    MessageNotAllowed { candidate: String, code: &'static str },
}

impl Draft {
    /// A model's draft under the arithmetic's words: its order, claims, questions and messages stay, and each choice gets the why,
    /// the risks and what would change it that `computed` has for its candidate, and its message where the model wrote none.
    #[must_use]
    pub fn under(mut self, computed: &Self) -> Self {
        for choice in &mut self.choices {
            let Some(words) = computed.choices.iter().find(|other| other.candidate == choice.candidate) else { continue };
            let own = std::mem::take(&mut choice.prose);
            let mut cites = words.prose.cites.clone();
            cites.extend(own.cites.into_iter().filter(|cite| !words.prose.cites.contains(cite)));
            choice.prose = Prose {
                claims: own.claims,
                question: own.question,
                message: own.message.or_else(|| words.prose.message.clone()),
                cites,
                ..words.prose.clone()
            };
        }
        self
    }

    /// Checks the draft against what was computed for the case: ids, legality, citations, taint.
    ///
    /// # Errors
    /// Every fault found, in order of the choices.
    pub fn check(&self, candidates: &[Candidate], bundle: &Bundle) -> Result<(), Vec<DraftFault>> {
        let mut faults = Vec::new();
        let mut seen = BTreeSet::new();
        for choice in &self.choices {
            let id = &choice.candidate;
            if !seen.insert(id.as_str()) {
                faults.push(DraftFault::CandidateTwice(id.clone()));
            }
            if choice.confidence_percent > 100 {
                faults.push(DraftFault::Confidence(choice.confidence_percent));
            }
            match candidates.iter().find(|candidate| candidate.id == *id) {
                // An id that nobody gave out is a model's text of any length, and the fault is shown to people.
                None => faults.push(DraftFault::UnknownCandidate(short(id))),
                Some(candidate) => {
                    // Of a plan each step has to be legal by itself.
                    let mut checks = candidate.steps().flat_map(|step| step.checks);
                    if let Some(check) = checks.find(|check| check.hard && !check.passed) {
                        faults.push(DraftFault::Illegal { candidate: id.clone(), check: check.name.clone() });
                    }
                    // Only an action that writes to somebody may carry words that leave the house.
                    if choice.prose.message.is_some() && !candidate.actions().any(Action::sends_message) {
                        let code = candidate.action.code();
                        faults.push(DraftFault::MessageNotAllowed { candidate: id.clone(), code });
                    }
                }
            }
            faults.extend(cite_faults(id, &choice.prose.cites, bundle));
        }
        if faults.is_empty() { Ok(()) } else { Err(faults) }
    }
}

fn cite_faults(candidate: &str, cites: &[FactId], bundle: &Bundle) -> Vec<DraftFault> {
    let mut faults: Vec<DraftFault> = cites
        .iter()
        .filter(|id| !bundle.facts.contains_key(*id))
        .map(|id| DraftFault::UnknownFact(short(id.as_str())))
        .collect();
    let mut known = cites.iter().filter_map(|id| bundle.facts.get(id)).peekable();
    if known.peek().is_some() && known.all(|fact| fact.third_party) {
        faults.push(DraftFault::OnlyOutsideText(candidate.to_owned()));
    }
    faults
}

/// An unknown id may be anything: enough of it to find it.
fn short(id: &str) -> String {
    id.chars().take(60).collect()
}

/// Codes of the actions that [`Action::sends_message`] names, for people and prompts.
pub const MESSAGE_CODES: &str = "EXPEDITE, DEFER-PO, CANCEL-PO, NEW-PO, TRANSFER, RECOUNT, CLAIM, CONTACT";

/// What to say beside a draft whose first choice is worth more than 10 % less than the best (handbook §6 rule 7). None when
/// there is nothing to say. The order of candidates is free; their figures are not touched.
pub fn order_note(candidates: &[Candidate], first_choice: &str) -> Option<String> {
    let first = candidates.iter().find(|candidate| candidate.id == first_choice)?;
    let mut best = first;
    for candidate in candidates {
        if candidate.money.benefit.expected > best.money.benefit.expected {
            best = candidate;
        }
    }
    let (top, chosen) = (best.money.benefit.expected, first.money.benefit.expected);
    // In tenths of a minor unit, so that exactly 10 % below is not "more than".
    let short = i128::from(top.minor) - i128::from(chosen.minor);
    (short * 10 > i128::from(top.minor).abs()).then(|| {
        format!(
            "the drafter puts {} first, worth {chosen}; by the sum the best is {}, worth {top} ({})",
            first.id, best.id, best.summary
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::action::{Check, MoneySum, Range};
    use crate::evidence::{Fact, FactValue};
    use crate::ids::CaseId;
    use crate::money::{Money, Quantity};
    use crate::record::{RecordKind, RecordRef};

    fn candidate(id: &str, benefit: i64) -> Candidate {
        let worth = Range::certain(Money::from_minor(benefit));
        Candidate {
            id: id.to_owned(),
            action: Action::NoAction { reason: "nothing helps".to_owned() },
            summary: format!("do {id}"),
            money: MoneySum::new(1.0, worth, Range::default(), Money::ZERO, Money::ZERO),
            value: Money::ZERO,
            latest_date: "2026-10-09".parse().unwrap(),
            checks: Vec::new(),
            cites: Vec::new(),
            then: vec![],
        }
    }

    fn bundle() -> Bundle {
        let line = RecordRef::new(RecordKind::PoLine, "183");
        let quantity =
            Fact::new(line.clone(), "qty", "ordered", FactValue::Quantity(Quantity::units(48)), Timestamp::UNIX_EPOCH);
        let note =
            Fact::new(line, "note", "note", FactValue::Text("send all".to_owned()), Timestamp::UNIX_EPOCH).from_outside();
        Bundle {
            case_id: CaseId::new("case-1"),
            version: 1,
            as_of: Timestamp::UNIX_EPOCH,
            facts: BTreeMap::from([(quantity.id.clone(), quantity), (note.id.clone(), note)]),
            missing: Vec::new(),
            workings: None,
        }
    }

    fn draft(candidates: &[&str], cites: &[&str]) -> Draft {
        let prose = Prose { cites: cites.iter().map(|id| FactId::new(*id)).collect(), ..Prose::default() };
        let choices = candidates
            .iter()
            .map(|id| Choice { candidate: (*id).to_owned(), confidence_percent: 60, prose: prose.clone() })
            .collect();
        Draft { choices, abstain: None }
    }

    #[test]
    fn a_draft_on_computed_candidates_and_facts_passes() {
        let candidates = [candidate("A1", 100), candidate("A2", 50)];
        assert_eq!(draft(&["A2", "A1"], &["po_line:183/qty", "po_line:183/note"]).check(&candidates, &bundle()), Ok(()));
    }

    #[test]
    fn a_models_reasons_stand_under_the_computed_words_and_never_in_their_place() {
        let mut computed = draft(&["A1", "A2"], &["po_line:183/qty"]);
        for choice in &mut computed.choices {
            choice.prose.rationale = format!("Why {}.", choice.candidate);
            choice.prose.message = Some("Dear Sir".to_owned());
        }
        let mut of_model = draft(&["A2", "A1"], &["po_line:183/qty", "po_line:183/note"]);
        of_model.choices[0].prose.question = "Is it there?".to_owned();
        of_model.choices[0].prose.rationale = "Mine.".to_owned();
        of_model.choices[1].prose.message = Some("Hello".to_owned());
        let both = of_model.under(&computed);
        let [second, first] = both.choices.as_slice() else { panic!("{both:?}") };
        assert_eq!((second.candidate.as_str(), first.candidate.as_str()), ("A2", "A1"));
        assert_eq!((second.prose.rationale.as_str(), second.prose.question.as_str()), ("Why A2.", "Is it there?"));
        assert_eq!(second.prose.message.as_deref(), Some("Dear Sir"));
        assert_eq!(first.prose.message.as_deref(), Some("Hello"));
        assert_eq!(second.prose.cites.len(), 2, "each once");
    }

    #[test]
    fn invented_repeated_and_illegal_candidates_are_faults() {
        let mut illegal = candidate("A2", 50);
        illegal.checks.push(Check { name: "open".to_owned(), detail: "0".to_owned(), passed: false, hard: true });
        let faults = draft(&["A9", "A2", "A2"], &["po_line:183/qty"]).check(&[illegal], &bundle()).unwrap_err();
        assert!(faults.contains(&DraftFault::UnknownCandidate("A9".to_owned())), "{faults:?}");
        assert!(faults.contains(&DraftFault::CandidateTwice("A2".to_owned())), "{faults:?}");
        assert!(faults.iter().any(|fault| matches!(fault, DraftFault::Illegal { .. })), "{faults:?}");
    }

    #[test]
    fn a_choice_that_rests_on_outside_text_alone_is_a_fault() {
        let faults = draft(&["A1"], &["po_line:183/note"]).check(&[candidate("A1", 1)], &bundle()).unwrap_err();
        assert_eq!(faults, vec![DraftFault::OnlyOutsideText("A1".to_owned())]);
    }

    #[test]
    fn a_message_for_an_action_that_sends_none_is_a_fault() {
        let mut draft = draft(&["A1"], &["po_line:183/qty"]);
        draft.choices[0].prose.message = Some("Hello".to_owned());
        let faults = draft.check(&[candidate("A1", 1)], &bundle()).unwrap_err();
        assert_eq!(faults, vec![DraftFault::MessageNotAllowed { candidate: "A1".to_owned(), code: "NO-ACTION" }]);
    }

    #[test]
    fn the_order_note_speaks_up_only_beyond_ten_percent() {
        let candidates = [candidate("A1", 10_000), candidate("A2", 9_000), candidate("A3", 8_999)];
        assert_eq!(order_note(&candidates, "A1"), None);
        assert_eq!(order_note(&candidates, "A2"), None);
        let note = order_note(&candidates, "A3").unwrap();
        assert!(note.contains("89.99") && note.contains("A1") && note.contains("100.00"), "{note}");
        assert_eq!(order_note(&candidates, "A9"), None);
    }
}
