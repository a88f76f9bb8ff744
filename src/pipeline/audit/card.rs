//! One card, recomputed: hashes, facts, money, words, rank, and what people decided on.

use anyhow::Context;

use super::words::Sources;
use super::{CardReport, Line, facts, money, words};
use crate::config::Config;
use crate::domain::action::Candidate;
use crate::domain::calendar::days_between;
use crate::domain::case::{Case, Rank};
use crate::domain::evidence::Bundle;
use crate::domain::ids::{RecommendationId, content_id};
use crate::domain::money::Money;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::models::formulas;
use crate::pipeline::draft::RECOMMENDATIONS;
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
            return Ok(report(&rec, lines));
        }
        Err(error) => return Err(error).context("reading the frozen evidence"),
    };
    lines.push(Line::same("evidence hash", short(&rec.evidence_hash), short(&bundle.hash()), "the facts, hashed again"));
    lines.extend(content(store, &rec).await?);
    lines.push(money::cites(&rec, &bundle));
    lines.extend(facts::lines(&bundle));
    let first = match &rec.drafter {
        Drafter::Edited { first, .. } => all.iter().map(|(other, _)| other).find(|other| other.id == *first),
        _ => None,
    };
    lines.extend(money::lines(&rec, &bundle, first));
    let names = store.list_names().await.context("reading names of records")?.into_values();
    let sources = Sources::of(&rec, &bundle, &same, names.chain([case.headline.clone()]));
    lines.extend(words::lines(&rec, &sources));
    lines.extend(rank(&case, &rec, &bundle, &same, config));
    lines.push(Line::not_frozen(
        "hard checks",
        format!("{} passed", rec.candidate.checks.iter().filter(|c| c.passed).count()),
        "they look at the records of the moment, and ran again in the queue and at the click",
    ));
    Ok(report(&rec, lines))
}

fn report(rec: &Recommendation, lines: Vec<Line>) -> CardReport {
    CardReport {
        recommendation: rec.id.to_string(),
        case: rec.case_id.to_string(),
        summary: rec.candidate.summary.clone(),
        lines,
    }
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

/// The case's place in the order, where it still rests on the card's evidence.
fn rank(case: &Case, rec: &Recommendation, bundle: &Bundle, same: &[&Recommendation], config: &Config) -> Vec<Line> {
    let Some(rank) = &case.rank else { return Vec::new() };
    if case.evidence_hash.as_deref() != Some(rec.evidence_hash.as_str()) {
        let why = "the case has been ranked on newer evidence since";
        return vec![Line::not_frozen("priority of the case", rank.priority, why)];
    }
    let drafted = same.iter().filter(|r| !matches!(r.drafter, Drafter::Edited { .. })).map(|r| &r.candidate);
    let best = drafted.clone().max_by_key(|c| c.money.benefit.expected).filter(|c| c.money.benefit.expected > Money::ZERO);
    let complete = drafted.count() < RECOMMENDATIONS;
    let settings = &config.ranking;
    let mut lines = worth(rank, best, complete);
    lines.push(Line::same("at stake of the case", rank.at_stake, rec.candidate.money.loss_now.expected, "L₀"));
    // A rank is made anew each day on evidence that stands; the day it was made for must be a day since the evidence.
    let day = f64::from(days_between(config.calendar.calendar().day_of(bundle.as_of), rank.deadline))
        - rank.slack_days
        - settings.approval_days;
    let whole = (day - day.round()).abs() < 1e-9 && day > -1e-9;
    let from = "deadline − a day since the evidence − usual days to approve (setting)";
    let again = if whole { rank.slack_days } else { rank.slack_days + day };
    lines.push(Line::near("slack in days", rank.slack_days, again, whole, from));
    let perishing = formulas::perishing_share(rank.slack_days, settings.digest_days);
    let near = (perishing - rank.perishing).abs() < 1e-9;
    let share = |u: f64| format!("{u:.4}");
    let from = "slack and days to the next digest (setting)";
    lines.push(Line::near("u", share(rank.perishing), share(perishing), near, from));
    let priority = Money::from_f64(formulas::priority(rank.value.expected.to_f64(), settings.lambda, perishing));
    lines.push(Line::same("priority", rank.priority, priority, "V·(λ + (1 − λ)·u), λ a setting"));
    lines
}

/// V and its deadline: those of the best action.
fn worth(rank: &Rank, best: Option<&Candidate>, complete: bool) -> Vec<Line> {
    let worth = best.map_or(Money::ZERO, |c| c.money.benefit.expected);
    if !complete && worth != rank.value.expected {
        return vec![Line::not_frozen("V", rank.value.expected, "only the first actions of the case were kept")];
    }
    let mut lines = vec![Line::same("V", rank.value.expected, worth, "the largest NB of the case's actions, at least 0")];
    if let Some(best) = best {
        lines.push(Line::same("deadline", rank.deadline, best.latest_date, "the last day of the best action"));
    }
    lines
}
