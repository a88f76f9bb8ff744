//! `reeve doctor`: asks everything for a sign of life and says what to do about what is silent. Secrets are never shown.

mod mail;
mod model;
mod slack;
mod teams;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::{Outcome, open, print_json, told_once};
use crate::channels::web;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::calendar::plus_days;
use crate::domain::policy::{Severity, lint};
use crate::odoo::live;
use crate::odoo::live::barrier::in_words;
use crate::odoo::live::progress::Silent;
use crate::pipeline::anchors;
use crate::pipeline::modes;
use crate::pipeline::observe;
use crate::pipeline::stop;
use crate::pipeline::watermark::Reading;
use crate::pipeline::writers;
use crate::ports::Source;
use crate::ports::shown_address;
use crate::store::{Store, StoreError, Watermark};
use crate::worker::duty;

/// How long the page of a Reeve that runs already may take to answer.
const ASKED_FOR: std::time::Duration = std::time::Duration::from_secs(3);

/// One thing that was asked.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    says: String,
}

pub(super) async fn run(config: Config, json: bool) -> anyhow::Result<Outcome> {
    let mut findings = vec![Finding {
        what: "configuration",
        ok: true,
        says: format!("{} people, currency {}", config.people.len(), config.rules.money.currency),
    }];
    if let Some(warning) = config.warning_of_samples() {
        findings.push(Finding { what: "people", ok: true, says: format!("TO CHANGE: {warning}") });
    }
    findings.push(finding("policy", policy(&config).await));
    // Before anything opens the store for work: that would put missing guards back.
    let guards = guards(&config).await;
    findings.push(finding("store", store(&config).await));
    let stopped = stopped(&config).await;
    let is_stopped = !matches!(stopped, Ok(None));
    // A fault here: whatever watches `doctor` is to see that Reeve is stopped (decision 62).
    let says = stopped.and_then(|says| match says {
        Some(says) => Err(anyhow::anyhow!(says)),
        None => Ok("nobody has stopped Reeve".to_owned()),
    });
    findings.push(finding("stop", says));
    findings.push(finding("work", work(&config).await));
    findings.push(finding("modes", modes(&config).await));
    findings.push(finding("audit guards", guards));
    findings.push(finding("audit log", audit(&config).await));
    findings.push(finding("audit anchors", anchors(&config).await));
    findings.push(finding("source", source(&config).await));
    match gaps(&config).await {
        Ok(gaps) => findings.extend(gaps),
        Err(error) => findings.push(finding("coverage", Err(error))),
    }
    findings.push(finding("feeds", feeds(&config).await));
    let model = if is_stopped {
        Ok("not asked: while Reeve is stopped no language model is".to_owned())
    } else {
        model::look(&config.model).await
    };
    findings.push(finding("model", model));
    if let Some(says) = words(&config).await.transpose() {
        findings.push(finding("words", says));
    }
    findings.push(finding("memory", memory(&config).await));
    findings.push(finding("webhook", webhook(&config)));
    findings.push(finding("slack", slack::look(&config).await));
    findings.push(finding("teams", teams::look(&config).await));
    findings.push(finding("mail", mail::look(&config).await));
    findings.push(finding("page", page(&config).await));
    if json {
        print_json(&findings)?;
    } else {
        for f in &findings {
            say!("{} {:<14} {}", if f.ok { "ok   " } else { "FAULT" }, f.what, f.says);
        }
    }
    let faults = findings.iter().filter(|f| !f.ok).count();
    Ok(if faults == 0 { Outcome::Fine } else { Outcome::CheckFailed })
}

fn finding(what: &'static str, outcome: anyhow::Result<String>) -> Finding {
    match outcome {
        Ok(says) => Finding { what, ok: true, says },
        Err(error) => Finding { what, ok: false, says: told_once(&error) },
    }
}

async fn store(config: &Config) -> anyhow::Result<String> {
    let store = open::store(config).await?;
    // Writes and reads back: a full or read-only disk shows here and not in the night.
    store.put_setting("doctor.wrote", &Clock::System.now().to_string()).await?;
    let version = store.schema_version().await?.unwrap_or(0);
    let records: i64 = store.count_records().await?.values().sum();
    Ok(format!("{}, schema {version}, {records} records, writable", store.url()))
}

/// The store for whatever else is asked; an empty one where there is none, so that the rest is asked all the same: that none is
/// there has been said.
async fn looked_at(config: &Config) -> anyhow::Result<Store> {
    match open::store(config).await {
        Err(error) if matches!(error.downcast_ref(), Some(StoreError::Nothing { .. })) => {
            Ok(Store::open_and_migrate("sqlite::memory:").await?)
        }
        found => found,
    }
}

/// That Reeve is stopped, where it is: a deliberate state, but none that anybody should overlook.
async fn stopped(config: &Config) -> anyhow::Result<Option<String>> {
    let stopped = stop::stopped(&looked_at(config).await?, config).await?;
    Ok(stopped.map(|stopped| stopped.says(config)))
}

/// Which process does the stages' work, and whether it still lives.
async fn work(config: &Config) -> anyhow::Result<String> {
    let work = duty::health(&looked_at(config).await?).await?;
    anyhow::ensure!(work.is_well, "{}", work.says);
    Ok(work.says)
}

/// What is not live, rules about what is not there, and a word to whoever is about to begin.
async fn modes(config: &Config) -> anyhow::Result<String> {
    let store = looked_at(config).await?;
    let now = modes::in_force(&store, config).await?;
    let unknown = modes::unknown_names(&store, now.modes.rules.iter().map(|rule| &rule.scope)).await?;
    // Before anything was read there are no names to compare with.
    let has_read = store.newest_change().await?.is_some();
    anyhow::ensure!(unknown.is_empty() || !has_read, "{}", unknown.join("; "));
    let waits = match now.proposed.len() {
        0 => String::new(),
        n => format!(" {n} changes wait for a second person: `reeve mode show`"),
    };
    if let Some(says) = now.says() {
        return Ok(format!("{says}{waits}"));
    }
    let begins = !config.odoo.url.is_empty() && store.list_decisions(Timestamp::UNIX_EPOCH).await?.is_empty();
    let advice = ". Nobody has decided anything yet: begin in shadow (modes.default = \"shadow\", docs/GOLIVE.md)";
    Ok(format!("everything is live{}{waits}", if begins { advice } else { "" }))
}

async fn audit(config: &Config) -> anyhow::Result<String> {
    let store = looked_at(config).await?;
    let (entries, head) = store.verify_audit().await?;
    Ok(format!("{entries} entries, unbroken, head {}", &head[..12.min(head.len())]))
}

/// Holes in the approval policy, for the people and delegations there are.
async fn policy(config: &Config) -> anyhow::Result<String> {
    let delegations = match Store::open_to_read(&config.store.url).await {
        Ok(store) => store.list_delegations().await.unwrap_or_default(),
        // Said of the store itself.
        Err(_) => Vec::new(),
    };
    let findings = lint(&config.rules.policy, &config.people, &delegations);
    let holes: Vec<String> = findings.iter().filter(|f| f.severity == Severity::Error).map(ToString::to_string).collect();
    anyhow::ensure!(holes.is_empty(), "{}", holes.join(" "));
    Ok(format!("{}, {} to look at: `reeve policy lint`", config.rules.policy.version(), findings.len()))
}

/// The database's own guards of the log: there now, and at every start.
async fn guards(config: &Config) -> anyhow::Result<String> {
    let store = match Store::open_to_read(&config.store.url).await {
        Err(StoreError::Nothing { .. }) => return Ok("they are set up with the store".to_owned()),
        found => found?,
    };
    let mut missing = store.missing_guards().await?;
    missing.extend(store.guards_found_missing().await?);
    missing.sort();
    missing.dedup();
    let advice = "somebody could change the log: run `reeve audit verify` and compare with anchors kept elsewhere; the next \
                  start puts them back and the log tells of it";
    anyhow::ensure!(missing.is_empty(), "taken away from the database: {}; {advice}", missing.join(", "));
    Ok("entries can be added, and nothing else".to_owned())
}

/// Heads of the log kept outside of it, compared with the log.
async fn anchors(config: &Config) -> anyhow::Result<String> {
    let store = looked_at(config).await?;
    let (mut all, mut faults) = (anchors::of_digests(&store).await?, Vec::new());
    let file = &config.audit.anchor_file;
    let said = if file.as_os_str().is_empty() {
        "no anchor file is set (audit.anchor_file)".to_owned()
    } else {
        let said = anchors::check_file(file)?;
        let held = anchors::read_configured(&store, file).await?;
        all.extend(held.anchors);
        faults = held.faults;
        said
    };
    let broken = anchors::compare(&store, &all).await?;
    if let Some(first) = broken.first() {
        anyhow::bail!("{} of {} anchors do not match the log; {first}", broken.len(), all.len());
    }
    anyhow::ensure!(faults.is_empty(), "{}", faults.join("; "));
    Ok(format!("{} match the log; {said}", all.len()))
}

async fn source(config: &Config) -> anyhow::Result<String> {
    if !config.odoo.url.is_empty() {
        return odoo(config).await;
    }
    let source = open::recording(config).await?;
    let span = source.span().map_or_else(|| "empty".to_owned(), |(from, to)| format!("{from} to {to}"));
    let read = read_up_to(&looked_at(config).await?).await?;
    Ok(format!("{}, {span}, read only, {read}", source.identity()))
}

/// Up to where each stream was read: the beginning of its last look that ended well. Where all stand at one, it is said once.
async fn read_up_to(store: &Store) -> anyhow::Result<String> {
    let reading = Reading::load(store).await?;
    let at = |mark: &Watermark| mark.looked_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    let mut said = match reading.streams() {
        [] => return Ok("not read yet: `reeve sync` or `reeve serve` does".to_owned()),
        [first, others @ ..] if others.iter().all(|mark| mark.looked_at == first.looked_at) => {
            format!("last read {}", at(first))
        }
        all => {
            let each: Vec<String> = all.iter().map(|mark| format!("{} {}", mark.stream, at(mark))).collect();
            format!("last read {}", each.join(", "))
        }
    };
    if let Some((since, why)) = reading.down() {
        said = format!("{said}, every look has failed since {since}: {why}");
    }
    Ok(said)
}

/// When each feed of events was last heard; one that is configured and silent is a feed too.
async fn feeds(config: &Config) -> anyhow::Result<String> {
    let store = looked_at(config).await?;
    let heard: BTreeMap<String, Timestamp> = store.list_last_heard().await?.into_iter().collect();
    let called = store.list_hook_calls().await?;
    let last = |name: &str| heard.get(name).copied().max(called.get(name).map(|(_, at)| *at));
    let each: Vec<String> = config
        .hooks
        .iter()
        .map(|hook| match last(&hook.name) {
            Some(at) => format!("{} last heard {at}", hook.name),
            None => format!("{} never heard", hook.name),
        })
        .collect();
    Ok(if each.is_empty() { "none configured".to_owned() } else { each.join(", ") })
}

/// Signs in to Odoo and asks what its user could change; tells how far it was read.
async fn odoo(config: &Config) -> anyhow::Result<String> {
    let store = looked_at(config).await?;
    let (name, may_write) = live::look(open::setup(config, &store, &Clock::System, Arc::new(Silent))).await?;
    let read = read_up_to(&store).await?;
    let rights = if may_write.is_empty() {
        "its user can only read".to_owned()
    } else {
        format!("FOR TRIALS ONLY, its user can write {}", in_words(&may_write))
    };
    Ok(format!("{name}, {rights}, {read}"))
}

/// What the source does not tell, a line each.
async fn gaps(config: &Config) -> anyhow::Result<Vec<Finding>> {
    let gaps = observe::gaps(&looked_at(config).await?).await?;
    Ok(gaps.iter().map(|gap| Finding { what: "coverage", ok: true, says: gap.to_string() }).collect())
}

/// Whose words people see where a model is configured; None where none is.
async fn words(config: &Config) -> anyhow::Result<Option<String>> {
    let store = looked_at(config).await?;
    let Some(stand) = writers::configured(&store, config).await? else { return Ok(None) };
    let calendar = config.rules.calendar.calendar();
    let clock = open::clock_of(&store, config).await?;
    // What is counted ends before the named day: this way today is in it.
    let tomorrow = plus_days(calendar.day_of(clock.now()), 1);
    let waits = if stand.proposed.is_some() { "; its promotion waits for a second person" } else { "" };
    Ok(Some(match stand.why_playbook(&store, tomorrow, &calendar).await? {
        Some(why) => format!("people see the playbook's: {why}{waits} (`reeve words status`)"),
        None => format!("people see those of {}", stand.writer),
    }))
}

/// What is remembered, and whether what finds it answers.
async fn memory(config: &Config) -> anyhow::Result<String> {
    if !config.memory.enabled {
        return Ok("off: cards do not show how like cases ended (memory.enabled)".to_owned());
    }
    let store = looked_at(config).await?;
    let counted = store.count_memories().await?;
    let app = open::app_on(config.clone(), store).await?;
    let standing = app.context.memories.index_state().await?;
    let remembered: usize = counted.iter().map(|(_, n)| n).sum();
    let words = standing.model.map_or_else(|| "words are not compared".to_owned(), |model| format!("words by {model}"));
    Ok(format!("{remembered} remembered; found {}; {words}", standing.index))
}

fn webhook(config: &Config) -> anyhow::Result<String> {
    // A test event would be an event: the receiver is not asked, only what we would send with.
    open::receivers(config)?;
    let all = config.all_destinations();
    if all.is_empty() {
        return Ok("none configured: approved recommendations wait in the outbox".to_owned());
    }
    let each: Vec<String> = all.iter().map(|d| format!("{} ({})", d.name, shown_address(&d.url))).collect();
    Ok(format!("{}, signing secret usable; nothing was sent", each.join(", ")))
}

/// Is the page's address free, or does Reeve answer there already? Both are well.
async fn page(config: &Config) -> anyhow::Result<String> {
    match super::serve::listen(config).await {
        Ok(listener) => Ok(format!("{} is free", listener.local_addr()?)),
        Err(taken) => match served_version(&config.web.listen).await {
            Some(version) => Ok(format!("Reeve {version} serves {}", config.web.listen)),
            None => Err(taken),
        },
    }
}

/// The version of the Reeve that answers on this machine's address; None where something else has it.
async fn served_version(listen: &str) -> Option<String> {
    // Whoever listens on all addresses is asked on this machine's own.
    let host = match listen.rsplit_once(':')? {
        ("0.0.0.0", port) => format!("127.0.0.1:{port}"),
        ("[::]", port) => format!("[::1]:{port}"),
        _ => listen.to_owned(),
    };
    let client = crate::http::client(ASKED_FOR).ok()?;
    let answer = client.get(format!("http://{host}/healthz")).send().await.ok()?;
    Some(answer.headers().get(web::VERSION_HEADER)?.to_str().ok()?.chars().take(20).collect())
}
