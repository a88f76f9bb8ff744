//! The head of a digest: who drafted, and where not the model, why.

use std::collections::BTreeMap;

use reeve_domain::recommendation::{Drafter, NotByModel};
use reeve_domain::words::cut;

/// Longest kind of a reason why the playbook drafted, in characters.
const KIND_CHARS: usize = 120;

/// Who wrote, where not the playbook. A model may be called as it likes, also `people`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hand {
    Model,
    People,
}

/// Says who drafted the first choice of each case, and why not the model: each kind of reason once, with its number of cases.
/// `candidate` says of a configured model why people do not see its words; None where they do, or where none is configured.
pub fn drafted_by<'d>(drafters: impl Iterator<Item = &'d Drafter>, candidate: Option<&str>) -> String {
    let mut hands: BTreeMap<(String, Hand), usize> = BTreeMap::new();
    let mut because: BTreeMap<String, usize> = BTreeMap::new();
    let mut playbook = 0;
    for drafter in drafters {
        match drafter {
            Drafter::Model { name, .. } => *hands.entry((name.clone(), Hand::Model)).or_default() += 1,
            Drafter::Playbook { because: why } => {
                playbook += 1;
                if let Some(why) = why {
                    *because.entry(kind_of(why)).or_default() += 1;
                }
            }
            Drafter::Edited { .. } => *hands.entry(("people".to_owned(), Hand::People)).or_default() += 1,
        }
    }
    let hands: Vec<String> = hands
        .iter()
        .map(|((name, hand), n)| match hand {
            Hand::People => format!("{name} ({n})"),
            Hand::Model => format!("model {name} ({n})"),
        })
        .collect();
    let reasons: Vec<String> = because.iter().map(|(why, n)| format!("{n} because {why}")).collect();
    // One line that has to be true of every mixture: by a model, by the playbook or by both, with reasons or without.
    let said = match (hands.is_empty(), reasons.is_empty()) {
        (true, true) if candidate.is_some() => "the playbook".to_owned(),
        (true, true) => "the playbook, no model configured".to_owned(),
        (true, false) => format!("the playbook: {}", reasons.join("; ")),
        (false, _) if playbook == 0 => hands.join(", "),
        (false, true) if candidate.is_some() => format!("{}, {playbook} by the playbook", hands.join(", ")),
        (false, _) => format!("{}, {playbook} by the playbook: {}", hands.join(", "), reasons.join("; ")),
    };
    candidate.map_or_else(|| said.clone(), |candidate| format!("{said}; {candidate}"))
}

/// The kind of a reason. The card has the reason whole, with every place; the head of a digest has one short line for each kind.
fn kind_of(why: &NotByModel) -> String {
    // Releases that kept no kind kept words of models too: those are not repeated here.
    why.kind.as_ref().map_or_else(|| "of what stands on the card".to_owned(), |kind| cut(kind, KIND_CHARS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_reason_stands_once() {
        let refused = "its draft was refused twice, since a number was not a cited fact";
        let at = |place: &str| NotByModel { kind: Some(refused.to_owned()), whole: format!("{refused}: {place}") };
        // As it was kept before kinds were, and before reasons were words of ours.
        let kept = |id: &str| format!("language model refused the request: its answer is not one: (\"id\": \"{id}\"");
        let before = |id: &str| serde_json::from_value(kept(id).into()).unwrap();
        let all = [
            at("A1 rationale, a number was not"),
            at("A2 risks, a number was not"),
            NotByModel::of("the language model's answer had another form (choices[0].message.content)"),
            before("c-1"),
            before("c-2"),
            NotByModel::of(format!("x\n\u{202e}{}", "y".repeat(500))),
        ]
        .map(|why| Drafter::Playbook { because: Some(why) });
        let long = format!("x {}…", "y".repeat(KIND_CHARS - 3));
        assert_eq!(
            drafted_by(all.iter(), None),
            format!(
                "the playbook: 2 because its draft was refused twice, since a number was not a cited fact; 2 because of what \
                 stands on the card; 1 because the language model's answer had another form (choices[0].message.content); 1 \
                 because {long}"
            )
        );
    }

    #[test]
    fn a_candidate_is_told_beside_whoever_drafted() {
        let candidate = Some("model stub is a candidate: 41 drafts in shadow, 38 passed the guard");
        let playbook = || Drafter::Playbook { because: None };
        assert_eq!(
            drafted_by([playbook(), playbook()].iter(), candidate),
            "the playbook; model stub is a candidate: 41 drafts in shadow, 38 passed the guard"
        );
        let by = |name: &str| Drafter::Model {
            name: name.to_owned(),
            prompt_hash: String::new(),
            reply_hash: String::new(),
            tokens: 0,
            estimated: false,
            latency_ms: 0,
            cost_micro: 0,
        };
        let held = drafted_by([playbook(), by("stub")].iter(), candidate);
        assert!(held.starts_with("model stub (1), 1 by the playbook; model stub is a candidate"), "{held}");
        assert_eq!(drafted_by([playbook()].iter(), None), "the playbook, no model configured");
    }
}
