//! Who was given what, held against the log: delegations, mutes, tokens of the API and chat links; a stop of all work; and the words of messages
//! that approvals made. Each was made and ended by entries of its own.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use jiff::Timestamp;

use super::told::{Made, Told};
use super::{Found, beside};
use crate::domain::ids::content_hash;
use crate::domain::mode::Mode;
use crate::store::{Snapshot, TokenOwner};

/// Whether Reeve is stopped: a stop that was lifted past it would let things leave.
pub(super) async fn stop(from: &mut Snapshot, told: &Told, found: &mut Found) -> anyhow::Result<()> {
    let (by, seq) = told.stop.clone().unwrap_or_default();
    let (log, table) = (by.unwrap_or_default(), from.stopped_by().await?.unwrap_or_default());
    found.same("stop of all work", "stopped by", seq, &log, &table);
    Ok(())
}

/// What is live, in shadow and off: every step of it.
pub(super) async fn modes(from: &mut Snapshot, told: &Told, found: &mut Found) -> anyhow::Result<()> {
    let mut there = BTreeSet::new();
    for step in from.mode_steps().await? {
        let row = format!("step {} of modes", step.seq);
        let scope = serde_json::to_value(&step.scope).context("writing a scope")?;
        let mode = step.mode.map_or("", Mode::name);
        let says = step_in_words(&scope, step.step.name(), mode, step.by.as_str(), &step.reason);
        match told.modes.get(&step.seq) {
            Some((logged, seq)) => found.same(&row, "step", *seq, logged, &says),
            None => found.unknown(&row),
        }
        there.insert(step.seq);
    }
    for (step, (_, seq)) in told.modes.iter().filter(|(step, _)| !there.contains(*step)) {
        found.gone(&format!("step {step} of modes"), *seq);
    }
    Ok(())
}

/// A step of a mode in one line, the same for log and table.
pub(super) fn step_in_words(scope: &serde_json::Value, step: &str, mode: &str, by: &str, reason: &str) -> String {
    let mode = if mode.is_empty() { "as configured" } else { mode };
    format!("{scope} {step} {mode} by {by}: {}", reason.replace('\0', "\u{fffd}"))
}

/// Delegations, mutes and tokens: made and ended by entries of their own.
pub(super) async fn rights(from: &mut Snapshot, told: &Told, found: &mut Found) -> anyhow::Result<()> {
    // Of all three kinds: what is left over in the end was made by the log's word and has no row.
    let mut left = told.delegations.clone();
    let mut after = String::new();
    loop {
        let rows = from.delegations(&after).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        for kept in rows {
            let (row, d) = (format!("delegation {}", kept.id), &kept.body);
            let (starts, ends) = (d.starts.to_string(), d.ends.to_string());
            let ended = d.revoked_at.is_some();
            let says = [("from", d.from.as_str()), ("to", d.to.as_str()), ("starts", &*starts), ("ends", &*ends)];
            beside(found, &row, &kept.columns, &[&says[..], &[("ended", &ended.to_string())]].concat());
            right(found, &row, left.remove(&kept.id), &[&says[..], &[("reason", &d.reason)]].concat(), ended);
        }
    }
    gone(found, "delegation", &left);
    let mut left = told.mutes.clone();
    after.clear();
    loop {
        let rows = from.mutes(&after).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        for kept in rows {
            let (row, m) = (format!("mute {}", kept.id), &kept.body);
            let until = m.until.to_string();
            let ended = m.ended.is_some();
            let columns = [("type", m.code.code()), ("owner", m.owner.as_str()), ("until", &*until)];
            beside(found, &row, &kept.columns, &[&columns[..], &[("ended", &ended.to_string())]].concat());
            let log = left.remove(&kept.id);
            // Whose a mute is, is who made it; and its scope is a structure, where everything else is a text.
            if let Some(log) = &log {
                found.same(&row, "owner", log.seq, &log.actor, m.owner.as_str());
                let scope = serde_json::to_value(&m.scope).unwrap_or_default();
                found.same(&row, "scope", log.seq, &log.detail["scope"].to_string(), &scope.to_string());
            }
            right(found, &row, log, &[("type", m.code.code()), ("until", &*until), ("reason", &m.reason)], ended);
        }
    }
    gone(found, "mute", &left);
    let mut left = told.tokens.clone();
    after.clear();
    loop {
        let rows = from.tokens(&after).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        for t in rows {
            let owner = match &t.owner {
                TokenOwner::Person(id) => id.clone(),
                TokenOwner::Service(name) => format!("service:{name}"),
            };
            let (scopes, expires) = (t.scopes.join(" "), t.expires_at.to_string());
            let (log, hand) = (left.remove(&t.id), t.hand.recorded());
            let mut says = vec![("owner", &*owner), ("name", &*t.name), ("scopes", &*scopes), ("expires_at", &*expires)];
            // Of tokens made before whose hand they are in was kept, the log does not tell either.
            if log.as_ref().is_some_and(|log| log.detail["hand"].is_string()) {
                says.push(("hand", &hand));
            }
            // Another hash under the same token would let somebody else in by it.
            if log.as_ref().is_some_and(|log| log.detail["hash"].is_string()) {
                says.push(("hash", &*t.hash));
            }
            right(found, &format!("token {}", t.id), log, &says, t.revoked_at.is_some());
        }
    }
    gone(found, "token", &left);
    Ok(())
}

fn right(found: &mut Found, row: &str, log: Option<Made>, says: &[(&str, &str)], ended: bool) {
    let Some(log) = log else { return found.unknown(row) };
    for (what, table) in says {
        let logged = log.detail[*what].as_str().unwrap_or_default();
        // A row keeps milliseconds, the log what there was.
        let ms = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
        let same_time = || ms(logged).is_some_and(|at| ms(table) == Some(at));
        if !same_time() {
            found.same(row, what, log.seq, logged, table);
        }
    }
    let word = |ended| if ended { "it has ended" } else { "it holds" };
    if log.ended != ended {
        found.add(row, format!("{} (entry {})", word(log.ended), log.seq), word(ended));
    }
}

fn gone(found: &mut Found, what: &str, left: &BTreeMap<String, Made>) {
    for (id, log) in left {
        found.gone(&format!("{what} {id}"), log.seq);
    }
}

pub(super) async fn links(from: &mut Snapshot, told: &Told, found: &mut Found) -> anyhow::Result<()> {
    let mut left = told.links.clone();
    let mut after = String::new();
    loop {
        let rows = from.links(&after).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.id);
        // What waits or has ended lets nobody in.
        for link in rows.into_iter().filter(|link| link.verified) {
            let (channel, tenant, user) = &link.chat;
            let chat = format!("chat:{channel}:{tenant}:{user}");
            let row = format!("link {} of {} to {chat}", link.id, link.person);
            match left.remove(&(chat, link.person.clone())) {
                None => found.add(row, "nothing of it, or that it has ended", "it holds"),
                Some((until, seq)) => {
                    let until = until.map(Timestamp::as_millisecond);
                    if until != link.expires_ms {
                        let shown = |ms: Option<i64>| {
                            ms.and_then(|ms| Timestamp::from_millisecond(ms).ok())
                                .map_or("no end".to_owned(), |at| at.to_string())
                        };
                        found.add(
                            row,
                            format!("until {} (entry {seq})", shown(until)),
                            format!("until {}", shown(link.expires_ms)),
                        );
                    }
                }
            }
        }
    }
    // What the log says and no row answered to: somebody was locked out past Reeve.
    for ((chat, person), (_, seq)) in left {
        found.add(
            format!("link of {person} to {chat}"),
            format!("it holds (entry {seq})"),
            "nothing: it has ended or is gone",
        );
    }
    Ok(())
}

pub(super) async fn messages(from: &mut Snapshot, told: &Told, found: &mut Found) -> anyhow::Result<()> {
    let mut left = told.messages.clone();
    let mut after = String::new();
    loop {
        let rows = from.messages(&after).await?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.0);
        for (id, body) in rows {
            // Only approvals tell the log the words of their messages.
            let Some((logged, seq)) = left.remove(&id) else { continue };
            let row = format!("message {id}");
            found.same(&row, "words with the hash", seq, &logged, &content_hash(&[&body]));
        }
    }
    for (id, (_, seq)) in &left {
        found.gone(&format!("message {id}"), *seq);
    }
    Ok(())
}
