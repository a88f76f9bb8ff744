//! For tests: every candidate of an assessment as a card on its frozen evidence, recomputed.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Line, Verdict, figures};
use crate::assess::Assessment;
use reeve_domain::evidence::Bundle;
use reeve_domain::ids::CaseId;
use reeve_domain::recommendation::{Drafter, Prose, Recommendation};

/// The evidence of an assessment as it comes back from a store.
pub(crate) fn frozen(found: &Assessment) -> Bundle {
    let bundle = Bundle {
        case_id: CaseId::new("case-1"),
        version: 1,
        as_of: Timestamp::UNIX_EPOCH,
        facts: found.facts.iter().map(|fact| (fact.id.clone(), fact.clone())).collect::<BTreeMap<_, _>>(),
        missing: found.missing.clone(),
        workings: Some(Box::new(found.workings.clone())),
    };
    let text = serde_json::to_string(&bundle).unwrap();
    let back: Bundle = serde_json::from_str(&text).unwrap();
    assert_eq!(back, bundle, "what is frozen comes back as it was");
    assert_eq!(back.hash(), bundle.hash());
    back
}

/// Every figure of every candidate.
pub(crate) fn lines(found: &Assessment, bundle: &Bundle) -> Vec<(String, Line)> {
    let card = |candidate: &reeve_domain::action::Candidate| {
        let (case, drafter) = (bundle.case_id.clone(), Drafter::Playbook { because: None });
        let (words, hash, at) = (Prose::default(), bundle.hash(), Timestamp::UNIX_EPOCH);
        let rec = Recommendation::drafted(case, 1, candidate.clone(), words, hash, drafter, at);
        let lines = figures(&rec, bundle, None, &crate::settings::Models::default());
        lines.into_iter().map(|line| (candidate.summary.clone(), line)).collect::<Vec<_>>()
    };
    found.candidates.iter().flat_map(card).collect()
}

/// The figures that do not agree, in words.
pub(crate) fn wrong(found: &Assessment, bundle: &Bundle) -> Vec<String> {
    let all = lines(found, bundle).into_iter().filter(|(_, line)| line.verdict != Verdict::Agrees);
    all.map(|(card, line)| format!("{card} {}: {} is {} ({})", line.figure, line.stated, line.recomputed, line.from))
        .collect()
}

/// Says that every figure of every candidate recomputes.
#[track_caller]
pub(crate) fn assert_recomputes(found: &Assessment) {
    let wrong = wrong(found, &frozen(found));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
