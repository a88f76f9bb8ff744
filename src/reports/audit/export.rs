//! The audit log as a file that stands on its own: JSON lines or CSV, each entry with its links, and the head at the end.
//!
//! Written and read entry by entry, so a log of any length fits. `detail` is the text that was hashed, byte for byte, so that
//! any other tool can recompute the chain (docs/AUDIT.md says how).
//!
//! Names and notes of others stand in it, so it is written for whoever opens it as well: characters that can not be seen are
//! JSON escapes, and no cell of a CSV file begins like a formula.

use std::collections::BTreeMap;
use std::io::{BufRead, Lines, Write};
use std::iter::Enumerate;

use anyhow::{Context, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::audit::{AuditEntry, ChainWalk, Chained};
use crate::domain::words::visible_json;
use crate::pipeline::anchors::Anchor;
use crate::store::Store;

/// Entries read at once.
const BATCH: i64 = 1_000;

/// The columns of a CSV export, in order.
const COLUMNS: [&str; 11] =
    ["seq", "at", "at_ms", "actor", "channel", "action", "subject", "content", "detail", "previous", "hash"];

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object on each line.
    JsonLines,
    /// Comma-separated values with a header.
    Csv,
}

/// An entry as it is written.
#[derive(Debug, Serialize, Deserialize)]
struct Exported {
    seq: i64,
    /// For people; `at_ms` is what is hashed.
    at: String,
    at_ms: i64,
    actor: String,
    channel: String,
    action: String,
    subject: String,
    content: String,
    detail: String,
    previous: String,
    hash: String,
}

impl Exported {
    fn of(chained: &Chained) -> Self {
        let Chained { seq, entry, previous, hash } = chained;
        Self {
            seq: *seq,
            at: entry.at.to_string(),
            at_ms: entry.at.as_millisecond(),
            actor: entry.actor.clone(),
            channel: entry.channel.clone(),
            action: entry.action.clone(),
            subject: entry.subject.clone(),
            content: entry.content.clone(),
            detail: entry.detail.to_string(),
            previous: previous.clone(),
            hash: hash.clone(),
        }
    }

    fn chained(self) -> anyhow::Result<Chained> {
        let seq = self.seq;
        let at = Timestamp::from_millisecond(self.at_ms).with_context(|| format!("entry {seq}: at_ms is no time"))?;
        ensure!(self.at == at.to_string(), "entry {seq}: at and at_ms are not the same time");
        let detail: serde_json::Value =
            serde_json::from_str(&self.detail).with_context(|| format!("entry {seq}: detail is no JSON"))?;
        let written = detail.to_string();
        ensure!(written == self.detail, "entry {seq}: detail is not written as it was hashed");
        let Self { actor, channel, action, subject, content, previous, hash, .. } = self;
        Ok(Chained { seq, entry: AuditEntry { at, actor, channel, action, subject, content, detail }, previous, hash })
    }

    fn cells(&self) -> [String; 11] {
        let text = no_formula;
        [
            self.seq.to_string(),
            text(&self.at),
            self.at_ms.to_string(),
            text(&self.actor),
            text(&self.channel),
            text(&self.action),
            text(&self.subject),
            text(&self.content),
            visible_json(&self.detail),
            text(&self.previous),
            text(&self.hash),
        ]
    }
}

/// The last line: what the file holds, and where the log stood.
#[derive(Debug, Serialize, Deserialize)]
struct End {
    head: EndHead,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EndHead {
    /// How many entries the file holds.
    entries: i64,
    /// The last of them.
    seq: i64,
    /// Its hash.
    hash: String,
    /// The log's newest entry when it was exported.
    log_seq: i64,
    /// Its hash.
    log_hash: String,
}

/// What a file was found to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// How many entries.
    pub entries: i64,
    /// Number of the first; 0 in a file without entries.
    pub first: i64,
    /// The hash that the first builds on.
    pub builds_on: String,
    /// Number of the last.
    pub last: i64,
    /// Its hash.
    pub head: String,
    /// Anchors that stand for an entry of the file and agree with it.
    pub anchors: usize,
    /// Anchors that stand for entries behind the last one of the file, within the log that it is a part of.
    pub beyond: usize,
}

/// Writes the entries from `from` up to before `to` (both may be open), with the head as the last line. Answers how many.
///
/// # Errors
/// When the store can not be read or the text not be written.
pub async fn write(
    store: &Store,
    form: Form,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    out: &mut (dyn Write + Send),
) -> anyhow::Result<i64> {
    let (log_seq, log_hash) = store.audit_head().await.context("reading the head of the log")?;
    let (mut after, last) = store.audit_span(from, to).await.context("finding the first and the last entry")?;
    // What was appended since the head was read is no part of this file: its last line would speak of less than there is.
    let last = last.min(log_seq);
    let mut end = EndHead { entries: 0, seq: 0, hash: String::new(), log_seq, log_hash };
    if form == Form::Csv {
        writeln!(out, "{}", COLUMNS.join(","))?;
    }
    while after < last {
        let entries = store.list_audit(after, BATCH.min(last - after)).await.context("reading the log")?;
        let Some(newest) = entries.last().map(|e| e.seq) else { break };
        for chained in &entries {
            let exported = Exported::of(chained);
            match form {
                Form::JsonLines => writeln!(out, "{}", visible_json(&serde_json::to_string(&exported)?))?,
                Form::Csv => csv_line(out, &exported.cells())?,
            }
            end.entries += 1;
            end.seq = chained.seq;
            end.hash.clone_from(&chained.hash);
        }
        after = newest;
    }
    let count = end.entries;
    match form {
        Form::JsonLines => writeln!(out, "{}", serde_json::to_string(&End { head: end })?)?,
        Form::Csv => {
            // The head in the columns of what it is: number and hash, the count as the detail.
            let detail = serde_json::json!({ "entries": end.entries, "log_hash": end.log_hash, "log_seq": end.log_seq });
            let mut cells = [const { String::new() }; 11];
            "head".clone_into(&mut cells[0]);
            cells[2] = end.seq.to_string();
            cells[8] = detail.to_string();
            cells[10] = end.hash;
            csv_line(out, &cells)?;
        }
    }
    out.flush()?;
    Ok(count)
}

/// What a spreadsheet takes for the beginning of a formula; tab and line ends as some of them skip those.
const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Text that a spreadsheet shows and does not compute: with a `'` before it where it begins like a formula.
fn no_formula(text: &str) -> String {
    // Also where the sign stands there already, so that reading takes away exactly what writing put there.
    if text.trim_start_matches('\'').starts_with(FORMULA) { format!("'{text}") } else { text.to_owned() }
}

/// The text that [`no_formula`] was given.
fn with_formula(cell: String) -> String {
    if !cell.trim_start_matches('\'').starts_with(FORMULA) {
        return cell;
    }
    match cell.strip_prefix('\'') {
        Some(text) => text.to_owned(),
        None => cell,
    }
}

/// The detail that was hashed, from its cell: no escape of the log's own stands for a character above the ASCII controls, so
/// every such one is [`visible_json`]'s.
fn hashed_detail(cell: &str) -> anyhow::Result<String> {
    let value: serde_json::Value = serde_json::from_str(cell).context("detail is no JSON")?;
    let detail = value.to_string();
    ensure!(visible_json(&detail) == cell || detail == cell, "detail is not written as it was hashed");
    Ok(detail)
}

/// Writes a line of CSV.
fn csv_line(out: &mut (dyn Write + Send), cells: &[String]) -> csv::Result<()> {
    let mut line = csv::WriterBuilder::new().buffer_capacity(1_024).from_writer(out);
    line.write_record(cells)?;
    Ok(line.flush()?)
}

/// Checks an export without a store: each entry against its hash and the one before, the head, and `anchors` where they
/// stand for entries of the file. An anchor behind the end of the log that the head claims says that the log was longer: then
/// entries were cut from it, or it was exported before that anchor was made, and is no proof of what the anchor stands for.
///
/// # Errors
/// Says which line or entry is not what was written.
pub fn check(input: impl BufRead, anchors: &[Anchor]) -> anyhow::Result<Checked> {
    // By number: a long file is gone through once, and each anchor is met on the way.
    let mut by_seq: BTreeMap<i64, Vec<&Anchor>> = BTreeMap::new();
    for anchor in anchors {
        by_seq.entry(anchor.seq).or_default().push(anchor);
    }
    let mut walk: Option<ChainWalk> = None;
    let mut checked =
        Checked { entries: 0, first: 0, builds_on: String::new(), last: 0, head: String::new(), anchors: 0, beyond: 0 };
    let mut end: Option<EndHead> = None;
    for line in Records::new(input)? {
        let record = line?;
        ensure!(end.is_none(), "something stands behind the head, which is the last line of an export");
        let exported = match record {
            Record::End(head) => {
                end = Some(head);
                continue;
            }
            Record::Entry(exported) => exported,
        };
        let chained = exported.chained()?;
        // An export may begin anywhere in the log. What its first entry builds on can only be taken as given, and is told.
        let walk = walk.get_or_insert_with(|| {
            checked.first = chained.seq;
            checked.builds_on.clone_from(&chained.previous);
            ChainWalk::behind(chained.seq - 1, chained.previous.clone())
        });
        walk.step(&chained)?;
        for anchor in by_seq.get(&chained.seq).into_iter().flatten() {
            ensure!(anchor.hash == chained.hash, "{}", anchor.no_longer_matches(Some(&chained.hash)));
            checked.anchors += 1;
        }
        checked.entries += 1;
        checked.last = chained.seq;
        checked.head = chained.hash;
    }
    let end = end.context("the head is missing: the file was cut off, or is no export of an audit log")?;
    ensure!(
        (end.entries, end.seq, &end.hash) == (checked.entries, checked.last, &checked.head),
        "the file holds {} entries up to {}, but its head says {} up to {}",
        checked.entries,
        checked.last,
        end.entries,
        end.seq
    );
    ensure!(
        end.log_seq > end.seq || (end.log_seq, &end.log_hash) == (end.seq, &end.hash) || end.entries == 0,
        "the head says that the log ended with entry {}, and the file holds entry {}",
        end.log_seq,
        end.seq
    );
    // No entry of the file is left to compare these with. But an anchor behind the end of the log says that there was more.
    for anchor in by_seq.range(checked.last + 1..).flat_map(|(_, anchors)| anchors) {
        ensure!(
            anchor.seq <= end.log_seq,
            "the anchor of {} stands for entry {}, and the file says that the log ended with entry {}: entries were cut from \
             its end, or it was exported before that anchor was made",
            anchor.at,
            anchor.seq,
            end.log_seq
        );
        if anchor.seq == end.log_seq {
            ensure!(anchor.hash == end.log_hash, "{}", anchor.no_longer_matches(Some(&end.log_hash)));
        }
        checked.beyond += 1;
    }
    Ok(checked)
}

enum Record {
    Entry(Exported),
    End(EndHead),
}

/// The records of a file in either form.
enum Records<R: BufRead> {
    JsonLines(Enumerate<Lines<R>>),
    Csv(csv::StringRecordsIntoIter<R>),
}

impl<R: BufRead> Records<R> {
    fn new(mut input: R) -> anyhow::Result<Self> {
        let first = input.fill_buf().context("reading the file")?.first().copied();
        ensure!(first.is_some(), "the file is empty");
        if first == Some(b'{') {
            return Ok(Self::JsonLines(input.lines().enumerate()));
        }
        // A line with too few cells is told by us.
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
        let header = reader.headers().context("reading line 1")?;
        ensure!(header.iter().eq(COLUMNS), "the first line is not the header of an audit log's export");
        Ok(Self::Csv(reader.into_records()))
    }
}

fn json_record(text: &str) -> serde_json::Result<Record> {
    if text.starts_with("{\"head\"") {
        return serde_json::from_str::<End>(text).map(|end| Record::End(end.head));
    }
    serde_json::from_str(text).map(Record::Entry)
}

fn csv_record(cells: Vec<String>) -> anyhow::Result<Record> {
    let count = cells.len();
    let cells: [String; 11] =
        cells.try_into().map_err(|_| anyhow::anyhow!("it has {count} cells, not {}", COLUMNS.len()))?;
    let [seq, at, at_ms, actor, channel, action, subject, content, detail, previous, hash] = cells;
    let at_ms = at_ms.parse().with_context(|| format!("{at_ms:?} is no number"))?;
    if seq == "head" {
        #[derive(Deserialize)]
        struct Rest {
            entries: i64,
            log_hash: String,
            log_seq: i64,
        }
        let rest: Rest = serde_json::from_str(&detail).context("the head's detail is not one")?;
        let head = EndHead { entries: rest.entries, seq: at_ms, hash, log_seq: rest.log_seq, log_hash: rest.log_hash };
        return Ok(Record::End(head));
    }
    let seq = seq.parse().with_context(|| format!("{seq:?} is no number"))?;
    let [actor, channel, action, subject, content] = [actor, channel, action, subject, content].map(with_formula);
    let detail = hashed_detail(&detail).with_context(|| format!("entry {seq}"))?;
    Ok(Record::Entry(Exported { seq, at, at_ms, actor, channel, action, subject, content, detail, previous, hash }))
}

impl<R: BufRead> Iterator for Records<R> {
    type Item = anyhow::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::JsonLines(lines) => {
                let (number, line) = lines.next().map(|(before, line)| (before + 1, line))?;
                let line = line.with_context(|| format!("reading line {number}"));
                Some(line.and_then(|text| {
                    json_record(&text).with_context(|| format!("line {number} is no entry of an audit log"))
                }))
            }
            Self::Csv(records) => {
                let record = match records.next()? {
                    Ok(record) => record,
                    Err(error) => return Some(Err(error.into())),
                };
                let line = record.position().map_or(0, csv::Position::line);
                let cells = record.iter().map(str::to_owned).collect();
                Some(csv_record(cells).with_context(|| format!("line {line}")))
            }
        }
    }
}
