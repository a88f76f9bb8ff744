//! Anchors: heads of the audit log put down outside of it, so that a log that was rewritten whole is found out.
//!
//! Every digest carries one. Beside it a file of JSON lines takes one with each digest and at least once a day, and so may a
//! destination, through the outbox and signed. The file is only ever appended to. An anchor that was written twice, because
//! the process died in between, is one anchor: the same head.

use std::collections::BTreeSet;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use anyhow::{Context as _, ensure};
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::audit::AuditEntry;
use crate::domain::ids::content_id;
use crate::domain::outbox::OutboxKind;
use crate::pipeline::context::Context;
use crate::pipeline::{Progress, Stage, stop};
use crate::store::{NewOutbox, Store, StoredDigest};

/// The type of the event that carries an anchor.
pub const EVENT_TYPE: &str = "reeve.audit.anchor.v1";
/// What anchors are kept under in the log: each is an entry too.
pub const SUBJECT: &str = "audit:anchor";
/// The longest time without an anchor, while the log grows.
const AT_LEAST: SignedDuration = SignedDuration::from_hours(24);
/// How an anchor's entry in the log is called.
const ACTION: &str = "audit.anchored";

/// What an anchor's entry in the log says of it; its hash is the entry's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Anchored {
    /// The newest entry then.
    seq: i64,
    /// Was it written to the file?
    file: bool,
    /// The message that carries it, where it goes to a destination.
    #[serde(default)]
    outbox: Option<String>,
}

/// A head of the log as it was at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// When it was put down.
    pub at: Timestamp,
    /// The newest entry then.
    pub seq: i64,
    /// Its hash.
    pub hash: String,
}

impl Anchor {
    /// What to say of an anchor when the log says `found` at its place.
    pub fn no_longer_matches(&self, found: Option<&str>) -> String {
        let found = found.map_or_else(|| "has no such entry".to_owned(), |hash| format!("says {hash}"));
        format!(
            "the anchor of {} says that entry {} had the hash {}, the log {found}: it was rewritten after that",
            self.at, self.seq, self.hash
        )
    }
}

/// What a file of anchors holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The anchors that can be read, in their order.
    pub anchors: Vec<Anchor>,
    /// What is wrong with the file, in sentences: a line that is no anchor, an anchor that the log says was written and that
    /// is not there. What could be read is compared all the same.
    pub faults: Vec<String>,
}

/// The anchors of a file, a JSON line each.
///
/// # Errors
/// When the file can not be read at all.
pub fn read(path: &Path) -> anyhow::Result<Held> {
    let bytes = std::fs::read(path).with_context(|| format!("reading the anchors in {}", path.display()))?;
    let mut held = Held::default();
    for (i, line) in String::from_utf8_lossy(&bytes).lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(anchor) => held.anchors.push(anchor),
            Err(_) => held.faults.push(format!(
                "{}, line {}: no anchor such as {{\"at\":…,\"seq\":…,\"hash\":…}}; it was cut off or changed",
                path.display(),
                i + 1
            )),
        }
    }
    Ok(held)
}

/// The anchors of the configured file, held against what the log says was written to it: a file that is gone, or that lacks
/// an anchor, proves nothing of what it lacks.
///
/// # Errors
/// When the file or the log can not be read.
pub async fn read_configured(store: &Store, path: &Path) -> anyhow::Result<Held> {
    let there = path.try_exists().with_context(|| format!("looking for the anchor file {}", path.display()))?;
    let mut held = if there { read(path)? } else { Held::default() };
    let written: Vec<Anchor> = store
        .list_audit_of(SUBJECT)
        .await
        .context("reading which anchors were written")?
        .into_iter()
        .filter(|e| e.entry.action == ACTION)
        .filter_map(|e| {
            let Anchored { seq, file, .. } = Anchored::deserialize(&e.entry.detail).ok()?;
            file.then_some(Anchor { at: e.entry.at, seq, hash: e.entry.content })
        })
        .collect();
    // Said once: that each single anchor is missing follows from it.
    if !there && !written.is_empty() {
        held.faults.push(format!(
            "the anchor file {} is gone, and the log says that {} anchors were written to it; find out who removed it, and \
             put it back from a copy",
            path.display(),
            written.len()
        ));
        return Ok(held);
    }
    // By number and hash alone: after a crash one head may stand there twice, with two times.
    let holds: BTreeSet<(i64, &str)> = held.anchors.iter().map(|a| (a.seq, a.hash.as_str())).collect();
    let lacks: Vec<&Anchor> = written.iter().filter(|a| !holds.contains(&(a.seq, a.hash.as_str()))).collect();
    if let Some(first) = lacks.first() {
        held.faults.push(format!(
            "the anchor file {} lacks {} of {} anchors that the log says were written to it, the first of {} for entry {}; \
             find out who removed them, and put them back from a copy",
            path.display(),
            lacks.len(),
            written.len(),
            first.at,
            first.seq
        ));
    }
    Ok(held)
}

/// Appends an anchor, on the disk when this returns. The file is made where it is missing, for its owner alone.
///
/// # Errors
/// Names the file and what is wrong with it.
pub fn append(path: &Path, anchor: &Anchor) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = !path.exists();
    let mut file = options.open(path).with_context(|| format!("opening the anchor file {}", path.display()))?;
    let mut line = serde_json::to_string(anchor)?;
    // A line that was cut off by a crash must not swallow this one.
    if !ends_a_line(&mut file).with_context(|| format!("reading the end of {}", path.display()))? {
        line.insert(0, '\n');
    }
    line.push('\n');
    file.write_all(line.as_bytes()).with_context(|| format!("appending to {}", path.display()))?;
    file.sync_all().with_context(|| format!("keeping {} on the disk", path.display()))?;
    if let Some(folder) = path.parent().filter(|folder| made && !folder.as_os_str().is_empty()) {
        // The name of a new file is on the disk when its folder is.
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).context("keeping the file's name on the disk")?;
    }
    Ok(())
}

fn ends_a_line(file: &mut std::fs::File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The anchors that do not match the log any more, in words, oldest first; and how many were looked at.
///
/// # Errors
/// When the log can not be read.
pub async fn compare(store: &Store, anchors: &[Anchor]) -> anyhow::Result<Vec<String>> {
    let mut broken = Vec::new();
    for anchor in anchors {
        // Before the first entry there is nothing to rewrite.
        if anchor.seq == 0 {
            continue;
        }
        let found = store.audit_hash(anchor.seq).await.context("reading the log")?;
        if found.as_deref() != Some(anchor.hash.as_str()) {
            broken.push(anchor.no_longer_matches(found.as_deref()));
        }
    }
    Ok(broken)
}

/// The anchors that the digests carry.
///
/// # Errors
/// When the digests can not be read.
pub async fn of_digests(store: &Store) -> anyhow::Result<Vec<Anchor>> {
    let mut digests = store.list_digests(usize::MAX).await.context("reading the digests")?;
    digests.extend(store.list_planner_digests_between(Date::MIN, Date::MAX).await.context("reading planners' digests")?);
    let of = |stored: StoredDigest| {
        let (seq, hash) = stored.digest.audit_head;
        Anchor { at: stored.made_at, seq, hash }
    };
    let mut anchors: Vec<Anchor> = digests.into_iter().map(of).collect();
    anchors.sort_by_key(|anchor| anchor.seq);
    Ok(anchors)
}

/// Puts the head down outside: into the file and to the destination that the settings name.
pub struct Anchoring(pub Context);

#[async_trait]
impl Stage for Anchoring {
    fn name(&self) -> &'static str {
        "anchor"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Context { store, config, clock, .. } = &self.0;
        let settings = &config.audit;
        // Whether anchors are configured or not: that guards were taken away has to stand in the log.
        let restored = self.tell_restored().await?;
        if settings.anchor_file.as_os_str().is_empty() && settings.anchor_destination.is_empty() {
            return Ok(if restored { Progress::Advanced(1) } else { Progress::Idle });
        }
        // An anchor tells an executor nothing, but it leaves. What is missed is made up for by the first one after the stop.
        if stop::stopped(store, config).await?.is_some() {
            return Ok(if restored { Progress::Advanced(1) } else { Progress::Idle });
        }
        let (seq, hash) = store.audit_head().await.context("reading the head of the log")?;
        let now = clock.now();
        if !self.is_due(seq, now).await? {
            return Ok(if restored { Progress::Advanced(1) } else { Progress::Idle });
        }
        let anchor = Anchor { at: now, seq, hash };
        // The file before the entry. A crash in between writes the anchor twice, which is one anchor; the other way round
        // the log would tell of an anchor that the file never had.
        if !settings.anchor_file.as_os_str().is_empty() {
            let (path, line) = (settings.anchor_file.clone(), anchor.clone());
            tokio::task::spawn_blocking(move || append(&path, &line)).await.context("writing the anchor file")??;
        }
        let message = (!settings.anchor_destination.is_empty()).then(|| message(&anchor, &settings.anchor_destination));
        let entry =
            AuditEntry::by_stage("anchor", now, ACTION, SUBJECT.to_owned()).on(anchor.hash.clone()).with(json!(Anchored {
                seq: anchor.seq,
                file: !settings.anchor_file.as_os_str().is_empty(),
                outbox: message.as_ref().map(|m| m.id.clone()),
            }));
        store.enqueue(message.as_slice(), &[entry]).await.context("keeping the anchor")?;
        Ok(Progress::Advanced(1))
    }
}

impl Anchoring {
    /// With each digest, and at least daily while the log grows.
    async fn is_due(&self, seq: i64, now: Timestamp) -> anyhow::Result<bool> {
        let store = &self.0.store;
        if seq == 0 {
            return Ok(false);
        }
        let Some(last) = store.last_audit_of(SUBJECT).await.context("reading the last anchor")? else { return Ok(true) };
        if last.seq == seq {
            // Nothing was done since but anchoring itself.
            return Ok(false);
        }
        let newest = store.list_digests(1).await.context("reading the newest digest")?;
        let digest = newest.first().is_some_and(|d| d.digest.audit_head.0 >= last.seq);
        Ok(digest || now.duration_since(last.entry.at) >= AT_LEAST)
    }

    /// Writes down that the database's guards of the log had been taken away and were put back at a start.
    async fn tell_restored(&self) -> anyhow::Result<bool> {
        let Context { store, clock, .. } = &self.0;
        let missing = store.guards_found_missing().await.context("reading what guards were missing")?;
        if missing.is_empty() {
            return Ok(false);
        }
        let entry = AuditEntry::by_stage("anchor", clock.now(), "audit.guards_restored", "audit:guards".to_owned())
            .with(json!({ "missing": missing }));
        tracing::error!("The database's guards of the audit log had been taken away: {}", missing.join(", "));
        store.note_guards_restored(&entry).await.context("writing down that guards were missing")?;
        Ok(true)
    }
}

/// An anchor as a message: a CloudEvents envelope, its id made of what it says.
pub(crate) fn message(anchor: &Anchor, channel: &str) -> NewOutbox {
    let id = content_id("anchor-", &[&anchor.seq.to_string(), &anchor.hash], 32);
    let body = json!({
        "specversion": "1.0",
        "id": id,
        "source": "reeve",
        "type": EVENT_TYPE,
        "time": anchor.at,
        "datacontenttype": "application/json",
        "data": anchor,
    });
    NewOutbox {
        id,
        kind: OutboxKind::Anchor,
        channel: channel.to_owned(),
        body: body.to_string(),
        created_at: anchor.at,
        due_at: anchor.at,
        lane: String::new(),
        about: String::new(),
        step: 1,
        expires_at: None,
        shows: String::new(),
    }
}

/// Is `body` an anchor's event with this id? Then it may leave although no approval stands behind it: it tells nothing but a
/// hash.
pub fn is_anchor(id: &str, body: &str) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        id: String,
        r#type: String,
        data: Anchor,
    }
    let read = serde_json::from_str::<Envelope>(body);
    read.is_ok_and(|e| {
        let own = content_id("anchor-", &[&e.data.seq.to_string(), &e.data.hash], 32);
        e.r#type == EVENT_TYPE && e.id == id && own == id
    })
}

/// Checks the settings: an anchor file must be able to be appended to.
///
/// # Errors
/// Names the file and what is wrong with it.
pub fn check_file(path: &Path) -> anyhow::Result<String> {
    if !path.exists() {
        let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
        ensure!(folder.is_dir(), "audit.anchor_file: the folder {} is not there; make it", folder.display());
        return Ok(format!("{} will be made with the first anchor", path.display()));
    }
    std::fs::OpenOptions::new()
        .append(true)
        .open(path)
        .with_context(|| format!("audit.anchor_file: {} can not be appended to; check who may write it", path.display()))?;
    Ok(format!("{} anchors in {}", read(path)?.anchors.len(), path.display()))
}
