//! What is stuck and why, in words: for the command line, the page, the digest and the fallback. Read from the store alone, so
//! that every process tells the same.

use std::collections::BTreeMap;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::json;

use super::Deliver;
use super::ended::NOT_SENT;
use super::shown::CASE;
use crate::config::{Config, WEBHOOK};
use crate::domain::calendar::Calendar;
use crate::domain::decision::RecommendationState as State;
use crate::domain::detail::{Detail as _, NotSent};
use crate::domain::outbox::OutboxKind;
use crate::pipeline::publish;
use crate::pipeline::publish::wire;
use crate::pipeline::stop;
use crate::store::{DestinationState, OutboxRow, OutboxState, Store, StoreError};

/// The setting that holds what everybody who signs in is told of deliveries; empty while all is well.
pub const DELIVERY_WARNING: &str = "deliver.warning";

/// How a destination is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DestinationHealth {
    /// Its name.
    pub name: String,
    /// Does nothing get through?
    pub down: bool,
    /// Since when, where it is down.
    pub since: Option<Timestamp>,
    /// How it is doing, and what to do.
    pub says: String,
    /// Messages that wait.
    pub waiting: usize,
    /// Messages that were given up.
    pub dead: usize,
    /// Was the fallback told of this outage?
    pub told: bool,
}

/// A message that has not arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: OutboxKind,
    /// To where.
    pub destination: String,
    /// Its case; empty where it has none.
    pub case: String,
    /// When it was decided to send it.
    pub since: Timestamp,
    /// Was it given up?
    pub dead: bool,
    /// Attempts so far.
    pub attempts: i64,
    /// Why it is where it is.
    pub why: String,
}

/// A message that has arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Arrived {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: OutboxKind,
    /// To where.
    pub destination: String,
    /// Its case; empty where it has none.
    pub case: String,
    /// When it was acknowledged.
    pub at: Option<Timestamp>,
    /// What its receiver calls it, where it gave it a name. Text from outside.
    pub reference: Option<String>,
}

/// An approval of which the ERP shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unseen {
    /// Its case.
    pub case: String,
    /// What was to be done.
    pub summary: String,
    /// When it was said that nothing is to be seen, or that it will not leave.
    pub since: Timestamp,
    /// "not seen in the ERP", or "not sent" with the reason.
    pub why: String,
}

/// Everything an operator asks of the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Picture {
    /// Who stopped Reeve, when and why, while it is stopped: then nothing below leaves.
    pub stopped: Option<String>,
    /// Every destination, by name.
    pub destinations: Vec<DestinationHealth>,
    /// Messages that wait or were given up, oldest first.
    pub held: Vec<Held>,
    /// Approvals of which the ERP shows nothing, oldest first: those that were handed off, and those that never left.
    pub unseen: Vec<Unseen>,
}

/// Reads the picture of this moment.
///
/// # Errors
/// When the store can not be read.
pub async fn picture(store: &Store, config: &Config, now: Timestamp) -> Result<Picture, StoreError> {
    let (destinations, held) = delivering(store, config, now).await?;
    let stopped = stop::stopped(store, config).await?.map(|stopped| stopped.says(config));
    Ok(Picture { stopped, destinations, held, unseen: unseen(store).await? })
}

/// What arrived last, the newest first, at most `limit`.
///
/// # Errors
/// When the store can not be read.
pub async fn arrived(store: &Store, limit: usize) -> Result<Vec<Arrived>, StoreError> {
    let of = |row: OutboxRow| Arrived {
        case: case_of(&row),
        id: row.id,
        kind: row.kind,
        destination: row.channel,
        at: row.sent_at,
        reference: row.receipt.and_then(|receipt| receipt.reference),
    };
    Ok(store.list_arrived(limit).await?.into_iter().map(of).collect())
}

async fn delivering(
    store: &Store,
    config: &Config,
    now: Timestamp,
) -> Result<(Vec<DestinationHealth>, Vec<Held>), StoreError> {
    let waiting = store.list_outbox(OutboxState::Pending).await?;
    let dead = store.list_outbox(OutboxState::Dead).await?;
    let states = store.list_destinations().await?;
    let stopped = stop::stopped(store, config).await?.is_some();
    // What waited because of a stop says nothing about a destination.
    let free_since = if stopped { Some(now) } else { store.find_resumed_at().await? };
    let states: BTreeMap<&str, &DestinationState> = states.iter().map(|d| (d.name.as_str(), d)).collect();
    let mut names = config.destination_names();
    // What waits for a destination that was taken out of the configuration has to be seen, too.
    names.extend(waiting.iter().chain(&dead).map(|row| row.channel.clone()));
    let mut destinations = Vec::new();
    for name in names {
        let of = |rows: &[OutboxRow]| rows.iter().filter(|row| row.channel == name).count();
        // Only what was never tried: of what failed, the destination's own state tells.
        let due = waiting.iter().filter(|row| row.channel == name && row.attempts == 0).map(|row| row.due_at).min();
        let due = due.map(|due| free_since.map_or(due, |since| due.max(since)));
        let state = states.get(name.as_str()).copied();
        destinations.push(health(&name, config, state, due, (of(&waiting), of(&dead)), now));
    }
    let mut held = Vec::new();
    for row in waiting.iter().chain(&dead) {
        held.push(Held {
            id: row.id.clone(),
            kind: row.kind,
            destination: row.channel.clone(),
            case: case_of(row),
            since: row.created_at,
            dead: row.state == OutboxState::Dead,
            attempts: row.attempts,
            why: why(row, &waiting, config, states.get(row.channel.as_str()).copied(), (now, stopped)),
        });
    }
    held.sort_by(|a, b| (a.since, &a.id).cmp(&(b.since, &b.id)));
    Ok((destinations, held))
}

fn health(
    name: &str,
    config: &Config,
    state: Option<&DestinationState>,
    oldest_due: Option<Timestamp>,
    (waiting, dead): (usize, usize),
    now: Timestamp,
) -> DestinationHealth {
    let long_ago = |at: Timestamp| {
        let patience = SignedDuration::try_from(config.delivery.stuck_after).unwrap_or(SignedDuration::MAX);
        now.duration_since(at) >= patience
    };
    let told = state.is_some_and(|s| s.told_at.is_some());
    let seen = |down, since, says| DestinationHealth { name: name.to_owned(), down, since, says, waiting, dead, told };
    if !config.destination_names().contains(name) {
        // Nobody has set an address yet; that is a beginning and no outage.
        let says = if name == WEBHOOK {
            "has no address yet: set webhook.url; until then everything for it waits".to_owned()
        } else {
            format!("is not in the configuration: add it under [[destinations]], or discard what waits for {name}")
        };
        return seen(name != WEBHOOK, None, says);
    }
    if let Some((at, why)) = state.and_then(|s| s.disabled_at.zip(s.disabled_why.as_ref())) {
        let says = format!("disabled since {at}: {why}. When it is back: `reeve outbox enable {name} --as PERSON`");
        return seen(true, Some(at), says);
    }
    if let Some((since, error)) = state.and_then(|s| s.failing_since.zip(s.last_error.as_ref())) {
        // One failure is no outage yet. It is one when it lasts, when the receiver is left alone, or when something was
        // given up.
        let resting = state.and_then(|s| s.resting_until).filter(|until| *until > now);
        let rest = resting.map_or_else(String::new, |until| format!("; left alone until {until}"));
        let down = resting.is_some() || long_ago(since) || dead > 0;
        return seen(down, Some(since), format!("fails since {since}{rest}; last: {error}"));
    }
    // Nobody has so much as tried: no process that delivers is running.
    if let Some(due) = oldest_due.filter(|due| long_ago(*due)) {
        return seen(true, Some(due), format!("has waited since {due}: is `reeve serve` running?"));
    }
    seen(false, None, "well".to_owned())
}

fn why(
    row: &OutboxRow,
    waiting: &[OutboxRow],
    config: &Config,
    state: Option<&DestinationState>,
    (now, stopped): (Timestamp, bool),
) -> String {
    let last = row.last_error.as_deref().unwrap_or("not tried yet");
    if row.state == OutboxState::Dead {
        return format!("given up: {last}");
    }
    if !config.destination_names().contains(&row.channel) {
        return format!("no destination {:?} is configured", row.channel);
    }
    if state.is_some_and(|s| s.disabled_at.is_some()) {
        return format!("{} is disabled", row.channel);
    }
    if let Some(until) = row.lease_until.filter(|until| *until > now) {
        return format!("is being sent; if that ended without a word, it is taken up again at {until}");
    }
    if stopped {
        return "Reeve is stopped: it waits until that ends".to_owned();
    }
    // Rows come oldest first, so what stands before this one in its lane goes first.
    let ahead = waiting.iter().take_while(|other| other.id != row.id);
    if let Some(other) = ahead.filter(|o| !row.lane.is_empty() && o.lane == row.lane && o.channel == row.channel).last() {
        let of = if row.kind.is_shown() { "" } else { " of the same case" };
        return format!("waits behind {}{of}", other.id);
    }
    match (row.attempts, row.due_at > now) {
        (0, true) if row.kind.is_shown() => format!("leaves at {}: nobody is disturbed before", row.due_at),
        (0, true) => format!("leaves at {}, when it can no longer be undone", row.due_at),
        (0, false) => format!("due since {}", row.due_at),
        (n, true) => format!("failed {n} times, tried again at {}; last: {last}", row.due_at),
        (n, false) => format!("failed {n} times, due again; last: {last}"),
    }
}

/// The case that a message is about; empty where it is about none. What chats show stands in one lane, whatever it is about.
fn case_of(row: &OutboxRow) -> String {
    if row.kind.is_shown() { row.shows.strip_prefix(CASE).unwrap_or_default().to_owned() } else { row.lane.clone() }
}

/// Approvals of which nothing is to be seen in the ERP. One that is seen later is not among them any more.
async fn unseen(store: &Store) -> Result<Vec<Unseen>, StoreError> {
    let mut unseen = Vec::new();
    for (rec, _) in store.list_recommendations_in(&[State::NotCarriedOut.name()]).await? {
        let log = store.list_audit_of(&format!("recommendation:{}", rec.id)).await?;
        let said = log.iter().rev().find(|e| matches!(&*e.entry.action, "recommendation.not_carried_out" | NOT_SENT));
        let since = said.map_or(rec.drafted_at, |e| e.entry.at);
        let unsent = said.filter(|e| e.entry.action == NOT_SENT).and_then(|e| NotSent::of(&e.entry).because);
        let why = unsent.map_or_else(|| "not seen in the ERP".to_owned(), |because| format!("not sent ({because})"));
        unseen.push(Unseen { case: rec.case_id.to_string(), summary: rec.candidate.told(), since, why });
    }
    // Of a plan that was done in part, each step that was not.
    for (rec, _) in store.list_recommendations_in(&[State::HandedOff.name(), State::Partly.name()]).await? {
        if !rec.candidate.is_plan() {
            continue;
        }
        let Some(outcome) = store.find_outcome(&rec.id).await? else { continue };
        for step in outcome.found.steps.iter().filter(|step| step.state == State::NotCarriedOut) {
            let summary = rec.candidate.step(step.step).map_or_else(String::new, |of| of.summary.to_owned());
            let why = if step.never_left { step.seen.clone() } else { "not seen in the ERP".to_owned() };
            unseen.push(Unseen { case: rec.case_id.to_string(), summary, since: outcome.at, why });
        }
    }
    unseen.sort_by(|a, b| (a.since, &a.case).cmp(&(b.since, &b.case)));
    Ok(unseen)
}

/// Approvals that are not seen which the digest names, the newest. In a shop where people do other than they approve there are more every
/// week, and a list that only grows is not read.
const UNSEEN_NAMED: usize = 3;

/// What the digest says of deliveries: one line for each destination that is down, one for each of the newest hand-offs that are not
/// seen, and one for how many there are beside these.
///
/// # Errors
/// When the store can not be read.
pub async fn lines(store: &Store, config: &Config, now: Timestamp) -> Result<Vec<String>, StoreError> {
    let Picture { destinations, unseen, .. } = picture(store, config, now).await?;
    let down = destinations
        .iter()
        .filter(|d| d.down)
        .map(|d| format!("Hand-offs to {} do not get through: it {}.", d.name, d.says));
    Ok(down.chain(missed(&unseen, &config.rules.calendar.calendar())).collect())
}

/// What the digest says of approvals that are not seen, which come oldest first.
pub(super) fn missed(unseen: &[Unseen], calendar: &Calendar) -> Vec<String> {
    let (earlier, newest) = unseen.split_at(unseen.len().saturating_sub(UNSEEN_NAMED));
    let named = newest.iter().rev().map(|one| {
        format!("Approved, {} since {}: {} (case {}).", one.why, calendar.day_of(one.since), one.summary, one.case)
    });
    let beside = earlier.first().map(|oldest| {
        format!(
            "Approved earlier and not seen in the ERP or not sent: {} more, the oldest since {}; see Outbox, or `reeve outbox list`.",
            earlier.len(),
            calendar.day_of(oldest.since)
        )
    });
    named.chain(beside).collect()
}

impl Deliver {
    /// Tells people by the page, and the fallback where there is one, of destinations that are down; once for each outage.
    pub(super) async fn tell_fallback(&self) -> anyhow::Result<()> {
        let now = self.clock.now();
        let (destinations, _) = delivering(&self.store, &self.config, now).await?;
        let down: Vec<_> = destinations.iter().filter(|d| d.down).collect();
        let names: Vec<&str> = down.iter().map(|d| d.name.as_str()).collect();
        let warning = match names.as_slice() {
            [] => String::new(),
            names => format!("Hand-offs do not get through to {}: see Outbox.", names.join(", ")),
        };
        if self.store.find_setting(DELIVERY_WARNING).await?.unwrap_or_default() != warning {
            self.store.put_setting(DELIVERY_WARNING, &warning).await?;
        }
        let fallback = &self.config.delivery.fallback;
        for one in down {
            // Of its own outage the fallback is not told: that message would wait behind the same fault.
            let Some(since) = one.since.filter(|_| !fallback.is_empty() && *fallback != one.name && !one.told) else {
                continue;
            };
            let told = wire::Stuck {
                idempotency_key: String::new(),
                destination: one.name.clone(),
                since,
                says: one.says.clone(),
                waiting: u32::try_from(one.waiting).unwrap_or(u32::MAX),
                dead: u32::try_from(one.dead).unwrap_or(u32::MAX),
            };
            let message = publish::stuck(told, fallback, now);
            let detail = json!({ "message": message.id, "to": fallback, "since": since.to_string() });
            let entry = self.destination_entry("destination.down", &one.name, detail);
            self.store.tell_of_outage(&one.name, now, &message, &entry).await.context("telling the fallback")?;
        }
        Ok(())
    }
}
