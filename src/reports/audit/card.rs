//! One card, recomputed: hashes, facts, money, words, rank, and what people decided on.

use anyhow::Context;

use super::{CardReport, drilled};
use crate::config::Config;
use crate::domain::action::{Action, Candidate};
use crate::domain::ids::{RecommendationId, content_id};
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::pipeline::registry;
use crate::rules::recompute::words::{self, Sources};
use crate::rules::recompute::{Line, claims, figures, rank};
use crate::store::{Store, StoreError};

/// Recomputes every figure of a recommendation from the evidence that was frozen with it.
///
/// # Errors
/// When there is no such recommendation, or the store can not be read. What does not agree is no error but a line.
pub async fn verify(store: &Store, config: &Config, id: &RecommendationId) -> anyhow::Result<CardReport> {
    let (rec, _) = store
        .get_recommendation(id)
        .await
        .context("reading the card; `reeve queue list --json` and `reeve audit show CASE` name recommendations")?;
    let case = store.get_case(&rec.case_id).await.context("reading its case")?;
    let all = store.list_recommendations(&rec.case_id).await.context("reading the case's recommendations")?;
    let same: Vec<&Recommendation> =
        all.iter().map(|(other, _)| other).filter(|other| other.evidence_hash == rec.evidence_hash).collect();
    let mut lines = Vec::new();
    let bundle = match store.get_bundle(&rec.case_id, &rec.evidence_hash).await {
        Ok(bundle) => bundle,
        Err(StoreError::NotFound { .. }) => {
            lines.push(Line::same("evidence", &rec.evidence_hash, "not in the store", "the hash the card names"));
            return Ok(report(&rec, lines, Vec::new(), None));
        }
        Err(error) => return Err(error).context("reading the frozen evidence"),
    };
    lines.push(Line::same("evidence hash", short(&rec.evidence_hash), short(&bundle.hash()), "the facts, hashed again"));
    lines.extend(content(store, &rec).await?);
    // What a person changed is held against what was computed: the figures of the recommendation that the edits began with.
    let first = match &rec.drafter {
        Drafter::Edited { first, .. } => all.iter().map(|(other, _)| other).find(|other| other.id == *first),
        _ => None,
    };
    // A card was judged by the version that it names, which may be one that does not run any more.
    let models = registry::in_force(store, config).await.context("reading the detectors")?;
    lines.extend(figures(&rec, &bundle, first, models.models()));
    let sources = Sources::of(&rec, &bundle, &same, [case.headline.clone()]);
    // Few words have numbers that the card itself does not explain: only for these is a name looked for.
    let open: Vec<String> = words::from_nowhere(&rec, &sources).into_iter().collect();
    let sources = sources.with_names(store.list_names_with(&open).await.context("reading names of records")?);
    lines.extend(words::lines(&rec, &sources));
    lines.extend(claims::lines(&rec, &bundle, &drafted_with(store, &rec, &same).await?, &config.rules.money.currency));
    let mut notes = checks(store, &rec).await?;
    if matches!(rec.candidate.action, Action::Mute { .. }) {
        notes.push("A proposal to mute is ordered by no money.".to_owned());
    } else if case.evidence_hash.as_deref() == Some(rec.evidence_hash.as_str()) {
        lines.extend(rank::lines(&case, &rec, &bundle, &same, &config.rules));
    } else {
        notes.push("The case rests on newer evidence since: its place in the order is not this card's.".to_owned());
    }
    let drill = drilled::reveal(store, &rec, &mut lines).await?;
    Ok(report(&rec, lines, notes, drill))
}

/// The candidates that stood beside the card's when it was drafted. A card that is wrong on purpose is none of them: its claims
/// were decided on the true one.
async fn drafted_with(store: &Store, rec: &Recommendation, same: &[&Recommendation]) -> anyhow::Result<Vec<Vec<Candidate>>> {
    if rec.prose.claims.is_empty() {
        return Ok(Vec::new());
    }
    let drills = store.drill_recommendations().await.context("reading drills")?;
    let edited = |other: &Recommendation| matches!(other.drafter, Drafter::Edited { .. });
    let (mut of_draft, mut of_evidence): (Vec<Candidate>, Vec<Candidate>) = (Vec::new(), Vec::new());
    for other in same.iter().filter(|other| !drills.contains(&other.id) && !edited(other)) {
        let new = |all: &[Candidate]| !all.iter().any(|known| known.id == other.candidate.id);
        if other.drafter == rec.drafter && new(&of_draft) {
            of_draft.push(other.candidate.clone());
        }
        if new(&of_evidence) {
            of_evidence.push(other.candidate.clone());
        }
    }
    Ok(vec![of_draft, of_evidence])
}

fn report(rec: &Recommendation, lines: Vec<Line>, notes: Vec<String>, drill: Option<String>) -> CardReport {
    CardReport {
        recommendation: rec.id.to_string(),
        case: rec.case_id.to_string(),
        summary: rec.candidate.told(),
        lines,
        notes,
        drill,
    }
}

/// Which checks were made, and where they were made again. They look at the records of the moment: a result of then is no
/// figure that could be computed from frozen facts.
async fn checks(store: &Store, rec: &Recommendation) -> anyhow::Result<Vec<String>> {
    let named = |hard: bool, passed: bool| -> Vec<&str> {
        let of = rec.candidate.steps().flat_map(|step| step.checks).filter(|c| c.hard == hard && c.passed == passed);
        of.map(|c| c.name.as_str()).collect()
    };
    let mut notes = Vec::new();
    for (hard, passed, said) in [
        (true, true, "Hard checks that passed when it was drafted"),
        (true, false, "Hard checks that FAILED when it was drafted"),
        (false, true, "Soft checks that passed"),
        (false, false, "Soft checks that did not pass, shown as warnings"),
    ] {
        let names = named(hard, passed);
        if !names.is_empty() {
            notes.push(format!("{said}: {}.", names.join(", ")));
        }
    }
    // They were made again at each signature, on the records of then; who signed says when that was.
    let mut again = Vec::new();
    for entry in store.list_audit_of(&format!("recommendation:{}", rec.id)).await.context("reading the audit log")? {
        if matches!(entry.entry.action.as_str(), "recommendation.signed" | "recommendation.approved") {
            again.push(format!("{} (audit entry {})", entry.entry.actor, entry.seq));
        }
    }
    notes.push(if again.is_empty() {
        "The checks were judged again in the queue; nobody has signed or approved it so far.".to_owned()
    } else {
        format!("The checks were judged again on fresh records at the click of {}.", again.join(" and of "))
    });
    Ok(notes)
}

/// Enough of a hash to compare by eye where two differ.
fn short(hash: &str) -> String {
    if hash.len() == 64 { hash.to_owned() } else { format!("{hash} (no hash)") }
}

/// The hash of what was shown: as kept beside it, in its id, and in every decision and audit entry on it.
async fn content(store: &Store, rec: &Recommendation) -> anyhow::Result<Vec<Line>> {
    let hash = rec.content_hash();
    let kept = store.content_hash_of(&rec.id).await.context("reading the content hash kept with the card")?;
    let mut lines = vec![
        Line::same("content hash", kept, &hash, "action, money, words and evidence, hashed again"),
        Line::same("id", &rec.id, content_id("r-", &[&hash], 16), "the start of the content hash's hash"),
    ];
    for decision in store.list_decisions_on(&rec.id).await.context("reading decisions")? {
        let figure = format!("content of {}'s click to {}", decision.person, decision.verb);
        lines.push(Line::same(figure, decision.content_hash, &hash, "what was decided is what stands here"));
    }
    for entry in store.list_audit_of(&format!("recommendation:{}", rec.id)).await.context("reading the audit log")? {
        let entry_said = &entry.entry.content;
        if entry.entry.action.starts_with("recommendation.") && !entry_said.is_empty() {
            let figure = format!("content in audit entry {}", entry.seq);
            lines.push(Line::same(figure, entry_said, &hash, entry.entry.action.clone()));
        }
    }
    Ok(lines)
}
