//! Drills: now and then the card of a case is wrong on purpose, to find out whether cards are read (handbook §10).
//!
//! How one is made, and why so. A drill stands *in* a case, in place of its first recommendation, which is hidden until the
//! drill is answered: a case of its own would be a second one on the same subject, and known at a glance. One element of
//! the action is made wrong (the quantity, the place or the date) in a way that passes every hard check of the moment, as
//! the click makes them again; what contradicts it is on the card: the facts, the money, and the words, which all stay
//! those of the true recommendation. So a person who reads finds it, and a person who only clicks does not.
//!
//! What can not happen: a drill is never approved (the click that would approve it takes it away), so nothing that
//! looks for approvals finds one; the outbox refuses it; it is in no digest, no limit, no promise of stock and no label.
//! It is planted after the day's digest was made, in a case with time to spare, and taken back when the day is over.

use std::collections::BTreeSet;

use anyhow::Context;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::json;

use super::NoiseControl;
use crate::domain::action::{Action, Candidate, Check};
use crate::domain::audit::{AuditEntry, Chained};
use crate::domain::calendar::plus_days;
use crate::domain::case::{Case, CaseState, Lane};
use crate::domain::decision::RecommendationState as State;
use crate::domain::digest::DigestLine;
use crate::domain::ids::{CaseId, LocationId, RecommendationId, content_hash};
use crate::domain::money::{Money, Quantity};
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::domain::record::{Record, RecordKind};
use crate::pipeline::recheck::Recheck;
use crate::store::{Drill, StoreError};

/// A case needs this many days to spare: being answered one click later must cost nothing.
const SLACK_MIN: f64 = 1.0;

/// By how much a quantity is multiplied, the first that passes the hard checks.
const FACTORS: [i64; 4] = [10, 5, 3, 2];

/// Days behind the last useful one.
const TOO_LATE_DAYS: i32 = 7;

/// Under which key the store keeps the secret of the draw, made when it is first needed.
const KEY: &str = "drills.key";

/// The entry of what begins to wait for a decision.
const QUEUED: &str = "recommendation.queued";

/// Which of a case's recommendations are shown: while a drill waits, it stands for the true one, before everybody. Whoever
/// could see both, through a second program or a colleague who does not decide, would know it without reading.
pub fn cards(recs: Vec<(Recommendation, i64)>, drills: &[Drill]) -> Vec<(Recommendation, i64)> {
    let unseen: BTreeSet<&RecommendationId> = drills
        .iter()
        .filter(|d| d.end.is_none())
        .map(|d| if waits(&recs, d) { &d.instead_of } else { &d.recommendation_id })
        .collect();
    recs.into_iter().filter(|(r, _)| !unseen.contains(&r.id)).collect()
}

/// What is really proposed, without any drill: for the digest.
pub fn true_ones(recs: Vec<(Recommendation, i64)>, drills: &[Drill]) -> Vec<(Recommendation, i64)> {
    recs.into_iter().filter(|(r, _)| drills.iter().all(|d| d.recommendation_id != r.id)).collect()
}

/// The true ones that are not shown, since a drill waits in their place.
pub fn hidden(recs: &[(Recommendation, i64)], drills: &[Drill]) -> BTreeSet<RecommendationId> {
    drills.iter().filter(|d| d.end.is_none() && waits(recs, d)).map(|d| d.instead_of.clone()).collect()
}

/// What of the log is shown where people decide. That something was queued is left out while it waits, of every
/// recommendation alike, or the line of the drill would stand beside that of the true one; so is whatever else names a true
/// one that is hidden. The log itself holds all of it, and `reeve audit` shows it. `recs` has to hold every waiting
/// recommendation that `entries` are about.
pub fn told(entries: Vec<Chained>, recs: &[(Recommendation, i64)], drills: &[Drill]) -> Vec<Chained> {
    let waiting: BTreeSet<String> =
        recs.iter().filter(|(r, _)| r.state.is_waiting()).map(|(r, _)| format!("recommendation:{}", r.id)).collect();
    let hidden = hidden(recs, drills);
    let names_hidden = |e: &AuditEntry| {
        let detail = if hidden.is_empty() { String::new() } else { e.detail.to_string() };
        hidden.iter().any(|id| e.subject == format!("recommendation:{id}") || detail.contains(&format!("\"{id}\"")))
    };
    let is_unseen = |e: &AuditEntry| names_hidden(e) || (e.action == QUEUED && waiting.contains(&e.subject));
    entries.into_iter().filter(|e| !is_unseen(&e.entry)).collect()
}

fn waits(recs: &[(Recommendation, i64)], drill: &Drill) -> bool {
    recs.iter().any(|(r, _)| r.id == drill.recommendation_id && r.state.is_waiting())
}

/// Plants today's drills. Answers how many.
///
/// # Errors
/// When the store can not be used.
pub(super) async fn plant(it: &NoiseControl) -> anyhow::Result<usize> {
    let NoiseControl { store, config, clock, .. } = it;
    let share = config.rules.policy.drills.share.0.to_f64().unwrap_or(0.0);
    if share <= 0.0 {
        return Ok(0);
    }
    let today = config.rules.calendar.calendar().day_of(clock.now());
    // After the day's digest, for what it says must be true.
    let Some(digest) = store.find_digest(today).await? else { return Ok(0) };
    let planted: BTreeSet<(CaseId, Date)> = store.list_drills().await?.into_iter().map(|d| (d.case_id, d.day)).collect();
    // Whoever needs it first makes it, and every process draws by the same one from then on.
    let key = store.settle_setting(KEY, &secret()).await?;
    let mut count = 0;
    for line in &digest.digest.lines {
        // At most one a day in a case: whoever has answered it is not tried again at once.
        if planted.contains(&(line.case_id.clone(), today))
            || !may_take_one(line)
            || !is_drawn(&key, today, &line.case_id, share)
        {
            continue;
        }
        let case = store.get_case(&line.case_id).await?;
        let recs = store.list_recommendations(&case.id).await?;
        if let Some((rec, drill)) = wrong(it, &case, &recs, today).await? {
            count += usize::from(keep(it, &case, rec, drill).await?);
        }
    }
    Ok(count)
}

/// Takes back what nobody answered: when its day is over, or the case, its facts or its checks have moved.
///
/// # Errors
/// When the store can not be used.
pub(super) async fn withdraw(it: &NoiseControl) -> anyhow::Result<usize> {
    let NoiseControl { store, config, clock, .. } = it;
    let now = clock.now();
    let today = config.rules.calendar.calendar().day_of(now);
    let mut count = 0;
    for drill in store.list_waiting_drills().await? {
        let (rec, _) = store.get_recommendation(&drill.recommendation_id).await?;
        let (original, _) = store.get_recommendation(&drill.instead_of).await?;
        let case = store.get_case(&drill.case_id).await?;
        let put_off = matches!(rec.state, State::Snoozed { .. });
        let stands = drill.day == today
            && rec.state.is_waiting()
            && !put_off
            && original.state.is_waiting()
            && matches!(case.state, CaseState::New | CaseState::Open)
            && case.evidence_hash.as_deref() == Some(&*rec.evidence_hash);
        // One that came to fail a hard check would teach people to trust the checks instead of reading.
        if stands && is_legal(it.recheck.as_ref(), &case, &rec.candidate).await?.is_some() {
            continue;
        }
        let detail = json!({ "case": case.id, "what": drill.what, "instead_of": drill.instead_of });
        let entry = entry("drill.withdrawn", "noise", &rec, detail, now);
        match store.withdraw_drill(&drill, now, &[entry]).await {
            Ok(()) => count += 1,
            // Somebody answered it in the same moment.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error).context("taking a drill back"),
        }
    }
    Ok(count)
}

/// Random places measure what is missed, lanes are pressing: neither takes a drill.
fn may_take_one(line: &DigestLine) -> bool {
    !line.sampled && line.lane == Lane::Ordinary && line.slack_days >= SLACK_MIN
}

/// Drawn by hash of the store's secret, the day and the case: random to whoever can not read the store, and the same however
/// often it is asked.
fn is_drawn(key: &str, day: Date, case: &CaseId, share: f64) -> bool {
    let hash = content_hash(&["drill", key, &day.to_string(), case.as_str()]);
    let draw = u32::from_str_radix(&hash[..8], 16).expect("a hash is of hex digits");
    f64::from(draw) < share * 4_294_967_296.0
}

/// A secret that nobody can guess. It stands in the store and in nothing that leaves it; no digest depends on it.
fn secret() -> String {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system has randomness, or the draw of drills could be foreseen");
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The wrong recommendation for a case, where one can be made of its first.
async fn wrong(
    it: &NoiseControl,
    case: &Case,
    recs: &[(Recommendation, i64)],
    today: Date,
) -> anyhow::Result<Option<(Recommendation, Drill)>> {
    let NoiseControl { store, clock, .. } = it;
    // Nobody has touched the case: nothing that somebody has begun is disturbed.
    let waiting: Vec<&Recommendation> = recs.iter().map(|(r, _)| r).filter(|r| r.state.is_waiting()).collect();
    let untouched = waiting.iter().all(|r| r.state == State::Queued && !matches!(r.drafter, Drafter::Edited { .. }));
    let current = |r: &&&Recommendation| case.evidence_hash.as_deref() == Some(&*r.evidence_hash);
    if !untouched || case.is_mute_proposal() || !matches!(case.state, CaseState::New | CaseState::Open) {
        return Ok(None);
    }
    let Some(&first) = waiting.iter().filter(current).min_by_key(|r| (r.rank, r.id.clone())) else { return Ok(None) };
    // What is wrong is looked for in one step; among several it would be found or missed by luck.
    if first.candidate.is_plan() {
        return Ok(None);
    }
    let places = places(it).await?;
    for variant in variants(&first.candidate, case, &places) {
        let Some(checks) = is_legal(it.recheck.as_ref(), case, &variant.candidate).await? else { continue };
        let candidate = Candidate { checks, ..variant.candidate };
        let (words, hash, drafter) = (first.prose.clone(), first.evidence_hash.clone(), first.drafter.clone());
        let mut rec =
            Recommendation::drafted(case.id.clone(), first.rank, candidate, words, hash, drafter, first.drafted_at);
        rec.state = State::Queued;
        // The same one was answered or taken back on another day, or it is what another card says already.
        if store.find_drill(&rec.id).await?.is_some() || recs.iter().any(|(r, _)| same_action(r, &rec)) {
            continue;
        }
        let drill = Drill {
            recommendation_id: rec.id.clone(),
            case_id: case.id.clone(),
            instead_of: first.id.clone(),
            day: today,
            field: variant.field.to_owned(),
            what: variant.what,
            planted_at: clock.now(),
            end: None,
        };
        return Ok(Some((rec, drill)));
    }
    Ok(None)
}

fn same_action(one: &Recommendation, other: &Recommendation) -> bool {
    one.candidate.actions().eq(other.candidate.actions())
}

/// The checks of the one step of a drill, when every hard one passes.
async fn is_legal(recheck: &dyn Recheck, case: &Case, candidate: &Candidate) -> anyhow::Result<Option<Vec<Check>>> {
    let checks = recheck.recheck(case, &[&candidate.action]).await.context("making a drill's checks")?.concat();
    Ok(checks.iter().all(|c| c.passed || !c.hard).then_some(checks))
}

/// A wrong version of a candidate, and what is wrong in it.
struct Variant {
    candidate: Candidate,
    field: &'static str,
    what: String,
}

/// Every wrong version, in an order that differs between cases.
fn variants(true_one: &Candidate, case: &Case, places: &[(LocationId, String)]) -> Vec<Variant> {
    let mut kinds = [quantities(true_one), elsewhere(true_one, places), too_late(true_one, case)];
    let hash = content_hash(&[case.id.as_str(), &true_one.summary]);
    // Always the quantity first, and people would learn to look at nothing else.
    kinds.rotate_left(usize::from(hash.as_bytes()[0]) % 3);
    kinds.into_iter().flatten().collect()
}

/// Many times what the facts support. The money stays that of the true quantity; what limits are compared with grows.
fn quantities(true_one: &Candidate) -> Vec<Variant> {
    let Some(real) = true_one.action.quantity().filter(|q| q.0 > Decimal::ZERO) else { return Vec::new() };
    let wrong = |factor: &i64| {
        let planted = Quantity(real.0.checked_mul(Decimal::from(*factor))?);
        let mut action = true_one.action.clone();
        *action.quantity_mut()? = planted;
        let value = Decimal::from(true_one.value.minor).checked_mul(Decimal::from(*factor))?.to_i64()?;
        let candidate = Candidate {
            summary: replaced(&true_one.summary, &real.to_string(), &planted.to_string())?,
            value: Money::from_minor(value),
            action,
            ..true_one.clone()
        };
        let what = format!("it said {planted} units where the facts on the card support {real}.");
        Some(Variant { candidate, field: "quantity", what })
    };
    FACTORS.iter().filter_map(wrong).collect()
}

/// Another place than the one the case is about.
fn elsewhere(true_one: &Candidate, places: &[(LocationId, String)]) -> Vec<Variant> {
    let mut action = true_one.action.clone();
    let named: Vec<LocationId> = match &action {
        Action::Transfer { from, to, .. } => vec![from.clone(), to.clone()],
        Action::Recount { location, .. } => vec![location.clone()],
        Action::NewPo { destination, .. } | Action::AltSupplier { destination, .. } => vec![destination.clone()],
        _ => return Vec::new(),
    };
    let name_of = |id: &LocationId| places.iter().find(|(place, _)| place == id).map(|(_, name)| name.as_str());
    // Where the goods are to be is named last: that is the place that the case is about, and the one that is made wrong.
    let real = named[named.len() - 1].clone();
    let Some(real_name) = name_of(&real) else { return Vec::new() };
    let others = places.iter().filter(|(place, _)| !named.contains(place));
    others
        .filter_map(|(place, name)| {
            match &mut action {
                Action::Transfer { to, .. } => *to = place.clone(),
                Action::Recount { location, .. } => *location = place.clone(),
                Action::NewPo { destination, .. } | Action::AltSupplier { destination, .. } => *destination = place.clone(),
                _ => return None,
            }
            let summary = replaced(&true_one.summary, real_name, name)?;
            let candidate = Candidate { summary, action: action.clone(), ..true_one.clone() };
            let what = format!("it named {name} where the case and its facts are about {real_name}.");
            Some(Variant { candidate, field: "place", what })
        })
        .collect()
}

/// After the last day on which it helps.
fn too_late(true_one: &Candidate, case: &Case) -> Vec<Variant> {
    let deadline = case.rank.as_ref().map_or(true_one.latest_date, |r| r.deadline.max(true_one.latest_date));
    let mut action = true_one.action.clone();
    let Some((_, date)) = action.date_mut() else { return Vec::new() };
    let real = *date;
    let planted = plus_days(deadline.max(real), TOO_LATE_DAYS);
    *date = planted;
    let Some(summary) = replaced(&true_one.summary, &real.to_string(), &planted.to_string()) else { return Vec::new() };
    let candidate = Candidate { summary, action, ..true_one.clone() };
    let what = format!("it said {planted} where nothing helps after {deadline}, as the card says.");
    vec![Variant { candidate, field: "date", what }]
}

/// `text` with `old` replaced where it stands as a word of its own; None where it stands nowhere: then the card would show
/// the true one, and what is planted nobody could see.
fn replaced(text: &str, old: &str, new: &str) -> Option<String> {
    let stands_alone = |at: usize| {
        let before = text[..at].chars().next_back();
        let after = text[at + old.len()..].chars().next();
        let joins = |c: char| c.is_alphanumeric() || c == '-';
        // A number may end a sentence, and a decimal is another number.
        let decimal = after == Some('.') && text[at + old.len() + 1..].starts_with(|c: char| c.is_ascii_digit());
        !before.is_some_and(|c| joins(c) || c == '.' || c == ',') && !after.is_some_and(joins) && !decimal
    };
    let at = text.match_indices(old).map(|(at, _)| at).find(|&at| stands_alone(at))?;
    (!old.is_empty()).then(|| format!("{}{new}{}", &text[..at], &text[at + old.len()..]))
}

/// Every location with its name, in order of id.
async fn places(it: &NoiseControl) -> anyhow::Result<Vec<(LocationId, String)>> {
    let records = it.store.load_records_of(&[RecordKind::Location]).await?;
    let place = |record| if let Record::Location(l) = record { Some((l.id, l.name)) } else { None };
    let mut places: Vec<_> = records.into_iter().filter_map(place).collect();
    places.sort();
    Ok(places)
}

/// In the log it is queued as any other recommendation is: what it is stands in a table of its own until it is answered, and
/// in the log from then on.
async fn keep(it: &NoiseControl, case: &Case, rec: Recommendation, drill: Drill) -> anyhow::Result<bool> {
    let detail = json!({ "case": case.id, "evidence": rec.evidence_hash, "rank": rec.rank });
    let entry = entry(QUEUED, "approve", &rec, detail, drill.planted_at);
    match it.store.plant_drill(&rec, &drill, &[entry]).await {
        Ok(()) => Ok(true),
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error).context("planting a drill"),
    }
}

fn entry(action: &str, stage: &str, rec: &Recommendation, detail: serde_json::Value, at: jiff::Timestamp) -> AuditEntry {
    AuditEntry::by_stage(stage, at, action, format!("recommendation:{}", rec.id)).on(rec.content_hash()).with(detail)
}

#[cfg(test)]
mod tests;
