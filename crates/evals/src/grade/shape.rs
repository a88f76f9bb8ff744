//! Is what came out whole: did the run end, do ids and hashes hold, does each figure cite what is there?

use std::collections::BTreeSet;

use reeve_domain::recommendation::Recommendation;

use super::{Grade, Look};

/// The run came to its end, and every question of a model had its cassette.
#[expect(clippy::unnecessary_wraps, reason = "graders have one form")]
pub(super) fn finished(look: &Look<'_>) -> Option<Grade> {
    let mut wrong: Vec<String> = look.attempt.failed.iter().cloned().collect();
    let missing = look.attempt.calls.iter().filter(|call| call.origin.is_none());
    wrong.extend(missing.map(|call| {
        format!(
            "no cassette answers {}; record it with `reeve eval run --record`",
            call.request.get(..16).unwrap_or_default()
        )
    }));
    Some(Grade::none_of(&wrong))
}

/// Ranks count up, ids are hashes of what they name, and no word is missing.
pub(super) fn schema(look: &Look<'_>) -> Option<Grade> {
    let mut wrong = Vec::new();
    let mut any = false;
    for seen in look.drafted() {
        any = true;
        let id = &seen.case.id;
        let mut candidates = BTreeSet::new();
        for (rec, rank) in seen.recommendations.iter().zip(1..) {
            if rec.rank != rank {
                wrong.push(format!("{id}: rank {} stands at place {rank}", rec.rank));
            }
            if !candidates.insert(&rec.candidate.id) {
                wrong.push(format!("{id}: candidate {} is recommended twice", rec.candidate.id));
            }
            wrong.extend(of_recommendation(rec));
        }
        match &seen.bundle {
            None => wrong.push(format!("{id}: its evidence is not kept")),
            Some(bundle) => {
                let hash = bundle.hash();
                let other = seen.recommendations.iter().filter(|rec| rec.evidence_hash != hash);
                wrong.extend(other.map(|rec| format!("{}: rests on other evidence than is kept", rec.id)));
            }
        }
    }
    // What is before people asks for a decision, so it has to propose something.
    for seen in look.attempt.open().filter(|seen| seen.recommendations.is_empty()) {
        any = true;
        wrong.push(format!("{}: it is before people without a recommendation", seen.case.id));
    }
    any.then(|| Grade::none_of(&wrong))
}

fn of_recommendation(rec: &Recommendation) -> Vec<String> {
    let mut wrong = Vec::new();
    // Made anew from its own parts: another id means that something was changed after it was given.
    let again = Recommendation::drafted(
        rec.case_id.clone(),
        rec.rank,
        rec.candidate.clone(),
        rec.prose.clone(),
        rec.evidence_hash.clone(),
        rec.drafter.clone(),
        rec.drafted_at,
    );
    if again.id != rec.id {
        wrong.push(format!("{}: its id is not the hash of what it says", rec.id));
    }
    let words =
        [("why", &rec.prose.rationale), ("risks", &rec.prose.risks), ("what would change it", &rec.prose.would_change)];
    wrong.extend(
        words
            .iter()
            .filter(|(_, text)| text.trim().is_empty())
            .map(|(what, _)| format!("{}: it does not say {what}", rec.id)),
    );
    if rec.candidate.summary.trim().is_empty() {
        wrong.push(format!("{}: it does not say what to do", rec.id));
    }
    wrong
}

/// Every cited fact is in the evidence, something is cited, and not text from outside alone.
pub(super) fn citation(look: &Look<'_>) -> Option<Grade> {
    let (mut cited, mut wrong) = (0_u32, Vec::new());
    for seen in look.drafted() {
        let Some(bundle) = &seen.bundle else { continue };
        for rec in &seen.recommendations {
            for (what, cites) in [("figures", &rec.candidate.cites), ("words", &rec.prose.cites)] {
                cited += cites.len() as u32;
                let gone = cites.iter().filter(|id| !bundle.facts.contains_key(*id));
                wrong.extend(gone.map(|id| format!("{}: its {what} cite {id}, which is no fact of the evidence", rec.id)));
                let mut known = cites.iter().filter_map(|id| bundle.facts.get(id)).peekable();
                // Text from outside may support, and never alone.
                if known.peek().is_some() && known.all(|fact| fact.third_party) {
                    wrong.push(format!("{}: its {what} rest on text from outside alone", rec.id));
                }
            }
            if rec.candidate.cites.is_empty() && rec.prose.cites.is_empty() {
                wrong.push(format!("{}: it cites nothing", rec.id));
            }
        }
    }
    (cited > 0 || !wrong.is_empty()).then(|| Grade::none_of(&wrong))
}
