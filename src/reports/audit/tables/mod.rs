//! The tables that decide, held against the log: decisions, recommendations, cases, outcomes, delegations, mutes, tokens, chat
//! links, a stop of all work, modes, versions of detectors, writers, and the words of messages that wait.
//!
//! The chain proves that nobody touched the log; nothing ties the tables to it but this. A row that was changed, added or
//! deleted past Reeve differs from what the log says of it. What the log does not say (a rank, a draft) is not judged. Log and
//! tables are read once each, in pages, as they stood at one moment.

mod detectors;
mod rights;
mod told;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use self::told::{Decided, Stand, Told, UNDECIDED};
use crate::domain::case::Case;
use crate::domain::decision::{DecisionVerb, RecommendationState as State, RejectReason};
use crate::domain::ids::PersonId;
use crate::domain::recommendation::Recommendation;
use crate::store::{DecisionRow, KeptRow, Snapshot, Store};

/// A row that is not what the log says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which: `decision k-1 on recommendation r-1`.
    pub row: String,
    /// What the log says, and in which entry.
    pub log: String,
    /// What the table says.
    pub table: String,
}

impl Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: the log says {}, the table says {}", self.row, self.log, self.table)
    }
}

/// Every row that differs from what the log says of it.
///
/// # Errors
/// When the store can not be read, or a row is damaged.
pub async fn compare(store: &Store) -> anyhow::Result<Vec<Difference>> {
    // Log and tables as of one moment: what is decided while this runs is in neither, and so no difference.
    let mut snapshot = store.snapshot().await.context("reading the tables")?;
    let mut told = Told::default();
    let mut after = 0;
    loop {
        let entries = snapshot.audit(after).await.context("reading the log")?;
        let Some(last) = entries.last() else { break };
        after = last.seq;
        for entry in &entries {
            told.hear(entry);
        }
    }
    let mut found = Found::default();
    recommendations(&mut snapshot, &told, &mut found).await.context("comparing recommendations with the log")?;
    decisions(&mut snapshot, &told, &mut found).await.context("comparing decisions with the log")?;
    cases(&mut snapshot, &told, &mut found).await.context("comparing cases with the log")?;
    outcomes(&mut snapshot, &told, &mut found).await.context("comparing outcomes with the log")?;
    rights::rights(&mut snapshot, &told, &mut found)
        .await
        .context("comparing delegations, mutes and tokens with the log")?;
    rights::links(&mut snapshot, &told, &mut found).await.context("comparing chat links with the log")?;
    rights::stop(&mut snapshot, &told, &mut found).await.context("comparing a stop with the log")?;
    rights::modes(&mut snapshot, &told, &mut found).await.context("comparing modes with the log")?;
    detectors::compare(&mut snapshot, &told.detectors, &mut found)
        .await
        .context("comparing the registry of detectors with the log")?;
    writers::compare(&mut snapshot, &told.writers, &mut found).await.context("comparing writers with the log")?;
    rights::messages(&mut snapshot, &told, &mut found).await.context("comparing messages with the log")?;
    Ok(found.0)
}

#[derive(Default)]
struct Found(Vec<Difference>);

impl Found {
    fn add(&mut self, row: impl Display, log: impl Display, table: impl Display) {
        self.0.push(Difference { row: row.to_string(), log: log.to_string(), table: table.to_string() });
    }

    /// A value that both say.
    fn same(&mut self, row: &str, what: &str, seq: i64, log: &str, table: &str) {
        if log != table {
            self.add(row, format!("{what} {} (entry {seq})", shown(log)), format!("{what} {}", shown(table)));
        }
    }

    /// What a column says and what the body says beside it.
    fn column(&mut self, row: &str, what: &str, body: &str, column: &str) {
        if body != column {
            let table = format!("{what} {} in its column and {} in its body", shown(column), shown(body));
            self.add(row, "one thing", table);
        }
    }

    fn unknown(&mut self, row: &str) {
        self.add(row, "nothing of it", "that it is there");
    }

    fn gone(&mut self, row: &str, seq: i64) {
        self.add(row, format!("that it was made (entry {seq})"), "nothing: the row is gone");
    }
}

fn shown(value: &str) -> String {
    if value.is_empty() { "nothing".to_owned() } else { format!("{value:?}") }
}

async fn recommendations(from: &mut Snapshot, told: &Told, found: &mut Found) -> anyhow::Result<()> {
    let (mut after, mut there) = (String::new(), BTreeSet::new());
    loop {
        let rows = from.recommendations(&after).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        for row in rows {
            recommendation(&row, told, found);
            there.insert(row.id);
        }
    }
    for (id, one) in told.recommendations.iter().filter(|(id, _)| !there.contains(*id)) {
        found.gone(&format!("recommendation {id}"), one.seq);
    }
    Ok(())
}

fn recommendation(kept: &KeptRow<Recommendation>, told: &Told, found: &mut Found) {
    let (row, rec) = (format!("recommendation {}", kept.id), &kept.body);
    let content = rec.content_hash();
    let value = rec.candidate.value.minor.to_string();
    let columns = [("case", rec.case_id.as_str()), ("state", rec.state.name()), ("content", &content), ("value", &value)];
    beside(found, &row, &kept.columns, &columns);
    let Some(log) = told.recommendations.get(&kept.id) else {
        // What was only drafted is not in the log yet.
        if !is_open_end(&rec.state) {
            found.add(&row, "nothing of it", format!("that it is {}", rec.state.name()));
        }
        return;
    };
    if let Some(logged) = &log.content {
        found.same(&row, "content", log.seq, logged, &content);
    }
    if let Some(logged) = log.value {
        found.same(&row, "value", log.seq, &logged.to_string(), &value);
    }
    // What was only drafted or set aside has no entry of its own, so it fits wherever the log tells of no decision.
    let fits = match &log.stand {
        Stand::Waiting => {
            is_open_end(&rec.state)
                || (before_people(&rec.state) && rec.state.first_signature().map(|s| s.by.to_string()) == log.signed)
        }
        Stand::Snoozed => is_open_end(&rec.state) || matches!(rec.state, State::Snoozed { .. }),
        Stand::Ended => is_open_end(&rec.state),
        Stand::Approved(by) => match &rec.state {
            State::Approved { by: kept, .. } | State::ApprovedWithEdit { by: kept, .. } => {
                kept.iter().map(PersonId::as_str).eq(by.iter().map(String::as_str))
            }
            _ => false,
        },
        Stand::Rejected(by) => matches!(&rec.state, State::Rejected { by: kept, .. } if kept.as_str() == by),
        Stand::After(state) => rec.state.name() == state,
    };
    if !fits {
        let signed = log.signed.as_ref().filter(|_| log.stand == Stand::Waiting);
        let says = match &log.stand {
            Stand::Waiting => signed.map_or_else(|| "waits".to_owned(), |by| format!("waits, signed by {by}")),
            Stand::Snoozed => "is put off".to_owned(),
            Stand::Ended => "is set aside".to_owned(),
            Stand::Approved(by) => format!("is approved by {}", by.join(" and ")),
            Stand::Rejected(by) => format!("is rejected by {by}"),
            Stand::After(state) => format!("is {}", state.replace('_', " ")),
        };
        found.add(&row, format!("it {says} (entry {})", log.seq), state_in_words(&rec.state));
    }
}

/// Drafted, or set aside: neither needs an entry of its own.
fn is_open_end(state: &State) -> bool {
    matches!(state, State::Drafted | State::Shadow | State::Checked | State::Superseded | State::Expired)
}

fn before_people(state: &State) -> bool {
    matches!(state, State::Queued | State::Signed { .. } | State::Forwarded { .. } | State::Escalated { .. })
}

fn state_in_words(state: &State) -> String {
    let by = match state {
        State::Approved { by, .. } | State::ApprovedWithEdit { by, .. } => {
            by.iter().map(PersonId::as_str).collect::<Vec<_>>().join(" and ")
        }
        State::Rejected { by, .. } => by.to_string(),
        other => other.first_signature().map(|s| format!("signed by {}", s.by)).unwrap_or_default(),
    };
    let name = state.name().replace('_', " ");
    if by.is_empty() { format!("it is {name}") } else { format!("it is {name}, {by}") }
}

/// The columns against what the body says.
fn beside(found: &mut Found, row: &str, columns: &[(&'static str, String)], body: &[(&str, &str)]) {
    for (what, column) in columns {
        let says = body.iter().find(|(name, _)| name == what).map_or("", |(_, value)| *value);
        found.column(row, what, says, column);
    }
}

async fn decisions(from: &mut Snapshot, told: &Told, found: &mut Found) -> anyhow::Result<()> {
    // Several in one moment are told apart by who made them, and by nothing where that was changed: then in their order.
    let mut open: BTreeMap<(String, Timestamp, DecisionVerb), Vec<&Decided>> = BTreeMap::new();
    for one in &told.decisions {
        open.entry((one.recommendation.clone(), one.at, one.verb)).or_default().push(one);
    }
    // Two rounds: first what is the same to the letter, so that a row that was changed takes no other one's entry.
    let mut unmatched = Vec::new();
    let mut after = String::new();
    loop {
        let rows = from.decisions(&after).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        for row in rows {
            let of = open.get_mut(&(row.recommendation_id.to_string(), row.at, row.verb));
            let same = of.and_then(|all| {
                let place =
                    all.iter().position(|one| one.person == row.person.as_str() && one.content == row.content_hash)?;
                Some(all.remove(place))
            });
            match same {
                Some(log) => decision(&row, log, found),
                None => unmatched.push(row),
            }
        }
    }
    let mut left: Vec<&Decided> = open.into_values().flatten().collect();
    for row in unmatched {
        // The nearest that the log has: the same recommendation, then the same moment.
        let near = |one: &&Decided| {
            one.recommendation == row.recommendation_id.as_str() && (one.at == row.at || one.verb == row.verb)
        };
        match left.iter().position(near) {
            Some(place) => decision(&row, left.remove(place), found),
            None => found.unknown(&named(&row)),
        }
    }
    for log in left {
        let row = format!("decision on recommendation {}", log.recommendation);
        let says = format!("{} by {} at {} (entry {})", log.verb, log.person, log.at, log.seq);
        found.add(row, says, "nothing: the row is gone");
    }
    Ok(())
}

fn named(row: &DecisionRow) -> String {
    format!("decision {} on recommendation {}", row.id, row.recommendation_id)
}

fn decision(row: &DecisionRow, log: &Decided, found: &mut Found) {
    let name = named(row);
    let clean = |text: &str| text.replace('\0', "\u{fffd}");
    found.same(&name, "person", log.seq, &log.person, row.person.as_str());
    found.same(&name, "verb", log.seq, log.verb.name(), row.verb.name());
    found.same(&name, "time", log.seq, &log.at.to_string(), &row.at.to_string());
    found.same(&name, "case", log.seq, &log.case, row.case_id.as_str());
    found.same(&name, "content", log.seq, &log.content, &row.content_hash);
    // What was answered to a drill is told by its result alone.
    if log.verb != DecisionVerb::Drill {
        found.same(&name, "reason", log.seq, &log.reason, row.reason.map_or("", RejectReason::code));
        found.same(&name, "note", log.seq, &clean(&log.note), &clean(&row.note));
    }
    if let Some(value) = log.value {
        found.same(&name, "value", log.seq, &value.to_string(), &row.value.minor.to_string());
    }
    if let Some(on_behalf_of) = &log.on_behalf_of {
        let (logged, kept) = (json!(on_behalf_of), row.body.get("on_behalf_of").cloned().unwrap_or_else(|| json!([])));
        found.same(&name, "on behalf of", log.seq, &logged.to_string(), &kept.to_string());
    }
}

async fn cases(from: &mut Snapshot, told: &Told, found: &mut Found) -> anyhow::Result<()> {
    let (mut after, mut there) = (String::new(), BTreeSet::new());
    loop {
        let rows = from.cases(&after).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        for kept in rows {
            case(&kept, told, found);
            there.insert(kept.id);
        }
    }
    for (id, (_, seq)) in told.cases.iter().filter(|(id, _)| !there.contains(*id)) {
        found.gone(&format!("case {id}"), *seq);
    }
    Ok(())
}

fn case(kept: &KeptRow<Case>, told: &Told, found: &mut Found) {
    let row = format!("case {}", kept.id);
    let amount =
        |of: fn(&crate::domain::case::Rank) -> i64| kept.body.rank.as_ref().map(|r| of(r).to_string()).unwrap_or_default();
    let (priority, value) = (amount(|r| r.priority.minor), amount(|r| r.value.expected.minor));
    let state = kept.body.state.name();
    beside(found, &row, &kept.columns, &[("state", state), ("priority", &priority), ("value", &value)]);
    // The log tells that a case was opened, not whether it has its draft.
    let state = if matches!(state, "new" | "open") { UNDECIDED } else { state };
    match told.cases.get(&kept.id) {
        Some((logged, seq)) => found.same(&row, "state", *seq, logged, state),
        // What nobody was told of is not in the log.
        None if kept.body.is_untold() && kept.body.evidence_hash.is_none() => {}
        None => found.unknown(&row),
    }
}

async fn outcomes(from: &mut Snapshot, told: &Told, found: &mut Found) -> anyhow::Result<()> {
    let mut after = String::new();
    loop {
        let rows = from.outcomes(&after).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        after.clone_from(&last.0);
        for (id, state) in rows {
            let row = format!("outcome of recommendation {id}");
            match told.recommendations.get(&id) {
                // One that arrived after all keeps what was read before.
                Some(log) => match &log.stand {
                    Stand::After(logged) if logged != "handed_off" => found.same(&row, "state", log.seq, logged, &state),
                    _ => {}
                },
                None => found.unknown(&row),
            }
        }
    }
}

#[cfg(test)]
mod tests;
