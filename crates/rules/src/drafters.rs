//! The head of a digest: who drafted, and where not the model, why.

use std::collections::BTreeMap;

use reeve_domain::recommendation::Drafter;
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
pub fn drafted_by<'d>(drafters: impl Iterator<Item = &'d Drafter>) -> String {
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
    match (hands.is_empty(), reasons.is_empty()) {
        (true, true) => "the playbook, no model configured".to_owned(),
        (true, false) => format!("the playbook: {}", reasons.join("; ")),
        (false, _) if playbook == 0 => hands.join(", "),
        (false, _) => format!("{}, {playbook} by the playbook: {}", hands.join(", "), reasons.join("; ")),
    }
}

/// The kind of a reason: what stands before its first colon. The card has the reason whole, with every place; the head of a
/// digest has one short line for each kind.
fn kind_of(why: &str) -> String {
    let kind = why.split([':', ';']).next().unwrap_or(why);
    cut(kind, KIND_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_reason_stands_once() {
        let all = [
            "its draft was refused twice, since a number was not a cited fact: A1 rationale, a number was not",
            "its draft was refused twice, since a number was not a cited fact: A2 risks, a number was not",
            "the language model's answer had another form (choices[0].message.content)",
            // As it was kept before reasons were words of ours.
            "language model refused the request: its answer is not one (line 1 column 570): (\"id\": \"c-1\"",
            "language model refused the request: its answer is not one (line 1 column 571): (\"id\": \"c-2\"",
            &format!("x\n\u{202e}{}", "y".repeat(500)),
        ]
        .map(|why| Drafter::Playbook { because: Some(why.to_owned()) });
        let long = format!("x {}…", "y".repeat(KIND_CHARS - 3));
        assert_eq!(
            drafted_by(all.iter()),
            format!(
                "the playbook: 2 because its draft was refused twice, since a number was not a cited fact; 2 because language \
                 model refused the request; 1 because the language model's answer had another form \
                 (choices[0].message.content); 1 because {long}"
            )
        );
    }
}
