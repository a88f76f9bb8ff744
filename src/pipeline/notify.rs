//! The digest: which cases are shown today, in which order, and the account of the rest (handbook §6).
//!
//! One digest for each business day. Once made it is kept as it was sent; making it again on the same inputs gives the
//! same bytes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use async_trait::async_trait;
use jiff::SignedDuration;
use jiff::civil::Date;

use super::desk::Laid;
use super::detect::is_current;
use super::{Context as Stages, Progress, Stage};
use crate::domain::audit::AuditEntry;
use crate::domain::book::Book;
use crate::domain::calendar::days_between;
use crate::domain::case::{Case, CaseState, Rank};
use crate::domain::digest::{BelowLine, Digest, DigestLine, ExplainedLine};
use crate::domain::draft::order_note;
use crate::domain::exception::{Exception, ExceptionState, Subject};
use crate::domain::ids::content_hash;
use crate::domain::money::Money;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::render;
use crate::store::{StoredDigest, Which};

/// A case keeps its place unless its priority moves by more than this share (handbook §6 rule 4).
const STABLE_SHARE: f64 = 0.20;

/// How long records may be silent before the digest says that they are stale (handbook §2.7: orders 24 h).
const STALE_HOURS: i64 = 24;

/// How long a case without recommendations holds the digest up.
const UNDRAFTED_HOLDS: SignedDuration = SignedDuration::from_mins(30);

/// Makes the day's digest, once, from the configured hour on.
pub struct Notify(pub Stages);

#[async_trait]
impl Stage for Notify {
    fn name(&self) -> &'static str {
        "notify"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, config, clock, desk, .. } = &self.0;
        if !is_settled(&self.0).await? {
            return Ok(Progress::Idle);
        }
        let calendar = config.calendar.calendar();
        let (day, hour) = (calendar.day_of(clock.now()), calendar.hour_of(clock.now()));
        if hour < config.calendar.digest_hour || store.find_digest(day).await?.is_some() {
            return Ok(Progress::Idle);
        }
        let laid = desk.lay_out().await?;
        let digest = compose(&self.0, &laid, day).await?;
        let kept = StoredDigest {
            text: render::text(&digest),
            markdown: render::markdown(&digest),
            html: render::html(&digest),
            made_at: clock.now(),
            digest,
        };
        let entry = AuditEntry {
            at: clock.now(),
            actor: "stage:notify".to_owned(),
            channel: "stage".to_owned(),
            action: "digest.made".to_owned(),
            subject: format!("digest:{day}"),
            content: content_hash(&[&kept.text]),
            detail: serde_json::json!({ "cases": kept.digest.lines.len(), "below": kept.digest.below.cases }),
        };
        store.put_digest(&kept, &entry).await.context("keeping the digest")?;
        Ok(Progress::Advanced(1))
    }
}

/// Is the work of the stages before done? A digest is made once, so it must not be made of half of it. A case that can not be
/// drafted holds it up for a while and not for ever.
async fn is_settled(stages: &Stages) -> anyhow::Result<bool> {
    let Stages { store, clock, .. } = stages;
    if !is_current(stages).await? {
        return Ok(false);
    }
    let fresh = |case: &Case| clock.now().duration_since(case.opened_at) < UNDRAFTED_HOLDS;
    let undrafted = store.list_cases(&["new"]).await?.iter().any(fresh);
    Ok(!undrafted && store.list_recommendations_in(&["drafted", "checked"]).await?.is_empty())
}

/// A case with what its line is made of.
struct Ranked {
    case: Case,
    rank: Rank,
    recommendations: Vec<Recommendation>,
    damped: Money,
}

async fn compose(stages: &Stages, laid: &Laid, day: Date) -> anyhow::Result<Digest> {
    let Stages { store, config, clock, .. } = stages;
    let yesterday = store.find_digest(crate::domain::calendar::plus_days(day, -1)).await?;
    let before: BTreeMap<&str, &DigestLine> =
        yesterday.iter().flat_map(|d| &d.digest.lines).map(|l| (l.case_id.as_str(), l)).collect();
    let mut ranked = Vec::new();
    for case in store.list_cases(CaseState::UNDECIDED).await? {
        let Some(rank) = case.rank.clone() else { continue };
        let all = store.list_recommendations(&case.id).await?;
        let mut recommendations: Vec<Recommendation> = all
            .into_iter()
            .map(|(r, _)| r)
            .filter(|r| matches!(r.state.name(), "queued" | "checked" | "drafted" | "signed"))
            .collect();
        recommendations.sort_by_key(|r| r.rank);
        let damped = before.get(case.id.as_str()).map_or(rank.priority, |old| stable(old, &rank));
        ranked.push(Ranked { case, rank, recommendations, damped });
    }
    ranked.sort_by(|a, b| order(a).cmp(&order(b)));
    let capacity = config.ranking.capacity;
    let places = config.ranking.sample_places.min(capacity.saturating_sub(1));
    let sampled = sample(&ranked, capacity, places, day);
    let straight = if ranked.len() > capacity { capacity - sampled.len() } else { ranked.len() };
    let book = &laid.book;
    let (mut lines, mut below) = (Vec::new(), Vec::new());
    for (i, entry) in ranked.iter().enumerate() {
        let shown = i < straight;
        if shown || sampled.contains(&i) {
            let place = u32::try_from(lines.len() + 1).unwrap_or(u32::MAX);
            lines.push(line(book, entry, place, !shown, !before.contains_key(entry.case.id.as_str())));
        } else {
            below.push(entry);
        }
    }
    Ok(Digest {
        day,
        as_of: book.as_of,
        currency: config.money.currency.clone(),
        at_stake: lines.iter().map(|l| l.at_stake).sum(),
        below: account(&below),
        explained: explained(&store.list_exceptions(Which::Live).await?, day),
        decided: decided(stages, yesterday.as_ref()).await?,
        drafted_by: drafted_by(&ranked),
        health: health(stages, book).await?,
        audit_head: store.audit_head().await?,
        lines,
    })
    .inspect(|_| tracing::info!(at = %clock.now(), "Composed the digest of {day}"))
}

/// Damps small moves: yesterday's priority stands unless it changed by more than a fifth or the slack crossed a whole day.
fn stable(old: &DigestLine, rank: &Rank) -> Money {
    let moved = (rank.priority - old.priority).abs().minor as f64 > STABLE_SHARE * old.priority.abs().minor as f64;
    let crossed = old.slack_days.floor().total_cmp(&rank.slack_days.floor()).is_ne();
    if moved || crossed { rank.priority } else { old.priority }
}

/// Lanes before money; then priority; equal ones with a positive low end first; then cost of delay, deadline and id.
fn order(
    entry: &Ranked,
) -> (crate::domain::case::Lane, std::cmp::Reverse<Money>, bool, std::cmp::Reverse<Money>, Date, String) {
    use std::cmp::Reverse;
    let doubtful = entry.rank.value.low <= Money::ZERO;
    let delay = Money::from_f64(entry.rank.value.expected.to_f64() * entry.rank.perishing);
    (entry.rank.lane, Reverse(entry.damped), doubtful, Reverse(delay), entry.rank.deadline, entry.case.id.to_string())
}

/// Draws the sampled places by hash of day and case: random to people, the same for everybody who recomputes it.
fn sample(ranked: &[Ranked], capacity: usize, places: usize, day: Date) -> BTreeSet<usize> {
    if ranked.len() <= capacity {
        return BTreeSet::new();
    }
    let mut below: Vec<(String, usize)> = (capacity - places..ranked.len())
        .map(|i| (content_hash(&[&day.to_string(), ranked[i].case.id.as_str()]), i))
        .collect();
    below.sort();
    below.into_iter().take(places).map(|(_, i)| i).collect()
}

fn line(book: &Book, entry: &Ranked, place: u32, sampled: bool, new: bool) -> DigestLine {
    let Ranked { case, rank, recommendations, .. } = entry;
    let first = recommendations.first();
    let note = first.and_then(|first| {
        let candidates: Vec<_> = recommendations.iter().map(|r| r.candidate.clone()).collect();
        order_note(&candidates, &first.candidate.id)
    });
    DigestLine {
        case_id: case.id.clone(),
        place,
        codes: case.codes.iter().map(|c| c.code().to_owned()).collect(),
        headline: case.headline.clone(),
        subject: subject_label(book, &case.subject),
        at_stake: rank.at_stake,
        value: rank.value,
        priority: rank.priority,
        p: rank.p,
        deadline: rank.deadline,
        slack_days: rank.slack_days,
        lane: rank.lane,
        action: first.map(|r| r.candidate.action.code().to_owned()).unwrap_or_default(),
        recommendation: first.map(|r| r.candidate.summary.clone()).unwrap_or_default(),
        why: first.map(|r| r.prose.rationale.clone()).unwrap_or_default(),
        alternatives: recommendations
            .iter()
            .skip(1)
            .map(|r| format!("{} {}", r.candidate.action.code(), r.candidate.money.benefit.expected))
            .collect(),
        note,
        sampled,
        new,
    }
}

/// Who or where a subject is, for people.
pub fn subject_label(book: &Book, subject: &Subject) -> String {
    let mut parts = Vec::new();
    parts.extend(subject.item.as_ref().map(|i| book.item_label(i)));
    parts.extend(subject.location.as_ref().map(|l| book.location_name(l)));
    parts.extend(subject.supplier.as_ref().map(|s| book.supplier_name(s)));
    let order = subject.order.as_ref().and_then(|o| book.lines_of_order(o).first().map(|l| l.order_name.clone()));
    parts.extend(order);
    if parts.is_empty() {
        parts.extend(subject.document.clone());
    }
    parts.join(" · ")
}

fn account(below: &[&Ranked]) -> BelowLine {
    let largest = below
        .iter()
        .max_by(|a, b| a.rank.value.expected.cmp(&b.rank.value.expected).then_with(|| b.case.id.cmp(&a.case.id)));
    BelowLine {
        cases: u32::try_from(below.len()).unwrap_or(u32::MAX),
        value: below.iter().map(|e| e.rank.value.expected).sum(),
        largest: largest.map(|e| format!("{} ({})", e.case.headline, e.rank.value.expected)),
    }
}

/// Look-alikes of the last two days, each with its reason; the same item on the same reason stands once.
fn explained(exceptions: &[Exception], day: Date) -> Vec<ExplainedLine> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    let recent = |e: &&Exception| e.state == ExceptionState::Explained && days_between(e.signal.to, day) <= 1;
    for exception in exceptions.iter().filter(recent) {
        let Some(reason) = &exception.signal.explained else { continue };
        if seen.insert((exception.signal.code, exception.signal.subject.item.clone(), reason.clone())) {
            lines.push(ExplainedLine {
                code: exception.signal.code.code().to_owned(),
                headline: exception.signal.headline.clone(),
                reason: reason.clone(),
            });
        }
    }
    lines.sort_by(|a, b| (&a.code, &a.headline).cmp(&(&b.code, &b.headline)));
    lines
}

async fn decided(stages: &Stages, yesterday: Option<&StoredDigest>) -> anyhow::Result<Vec<String>> {
    let Some(since) = yesterday.map(|d| d.made_at) else { return Ok(Vec::new()) };
    let mut lines = Vec::new();
    for decision in stages.store.list_decisions(since).await? {
        let Some(case) = stages.store.find_case(&decision.case_id).await? else { continue };
        lines.push(format!("{} by {}: {}", decision.verb, decision.person, case.headline));
    }
    Ok(lines)
}

fn drafted_by(ranked: &[Ranked]) -> String {
    let mut model = BTreeMap::new();
    let mut because: BTreeMap<String, usize> = BTreeMap::new();
    let mut playbook = 0;
    for first in ranked.iter().filter_map(|e| e.recommendations.first()) {
        match &first.drafter {
            Drafter::Model { name, .. } => *model.entry(name.clone()).or_insert(0) += 1,
            Drafter::Playbook { because: why } => {
                playbook += 1;
                if let Some(why) = why {
                    *because.entry(why.clone()).or_default() += 1;
                }
            }
            Drafter::Edited { .. } => *model.entry("people".to_owned()).or_insert(0) += 1,
        }
    }
    let models: Vec<String> = model
        .iter()
        .map(|(name, n)| if name == "people" { format!("people ({n})") } else { format!("model {name} ({n})") })
        .collect();
    let reasons: Vec<String> = because.iter().map(|(why, n)| format!("{n} because {why}")).collect();
    match (models.is_empty(), reasons.is_empty()) {
        (true, true) => "the playbook, no model configured".to_owned(),
        (true, false) => format!("the playbook: {}", reasons.join("; ")),
        (false, _) if playbook == 0 => models.join(", "),
        (false, _) => format!("{}, {playbook} by the playbook: {}", models.join(", "), reasons.join("; ")),
    }
}

async fn health(stages: &Stages, book: &Book) -> anyhow::Result<Vec<String>> {
    let Stages { store, clock, .. } = stages;
    let mut lines = Vec::new();
    if let Some(newest) = store.newest_change().await? {
        let hours = clock.now().duration_since(newest).as_hours();
        if hours >= STALE_HOURS {
            lines.push(format!("The newest record is {hours} hours old; check that the source is being read."));
        }
    }
    let dead = store.list_dead().await?.len();
    if dead > 0 {
        lines.push(format!("{dead} deliveries failed for good; see `reeve outbox list`."));
    }
    for status in store.list_job_status().await? {
        if let Some(error) = status.last_error {
            lines.push(format!("The stage {} last failed: {error}", status.stage));
        }
    }
    if book.sale_lines.is_empty() {
        lines.push("There are no sales in the records: demand can not be judged.".to_owned());
    }
    Ok(lines)
}
