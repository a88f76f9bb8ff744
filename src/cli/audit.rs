//! `reeve audit`: the log, the proof that nobody has touched it, the story of a case, and a card recomputed.

use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::domain::ids::{CaseId, RecommendationId};
use crate::pipeline::anchors::{self, Held};
use crate::reports::audit::{card, export, story, tables};
use crate::rules::recompute::Verdict;
use crate::store::{AuditFault, Store};

/// What can be done with the audit log. Nothing here can change it.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Recompute the chain and its anchors, or one card. Exit code 2 when something is not what was written.
    ///
    /// Without arguments: the whole log, against the heads in the digests and in the anchor file, and the tables of decisions,
    /// states and rights against the log. Reads only. With a recommendation: every
    /// figure of its card from the evidence frozen with it. With --file: an export, without a store.
    Verify {
        /// A recommendation whose card is recomputed, such as r-1a2b.
        card: Option<String>,
        /// Check an export instead of the store.
        #[arg(long, value_name = "FILE", conflicts_with = "card")]
        file: Option<PathBuf>,
        /// Compare with the anchors of this file, a JSON line each; else with those of audit.anchor_file.
        #[arg(long, value_name = "FILE", conflicts_with = "card")]
        anchors: Option<PathBuf>,
    },
    /// Write the log to a file, each entry with its links and the head at the end.
    Export {
        /// How.
        #[arg(long, value_enum, default_value_t)]
        format: ExportForm,
        /// From this day or moment on.
        #[arg(long, value_name = "DAY")]
        from: Option<String>,
        /// Up to this day (included) or before this moment.
        #[arg(long, value_name = "DAY")]
        to: Option<String>,
        /// Where to; else it is printed.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Tell the whole story of a case: who did what, when, through what, on which content, under which policy.
    Show {
        /// The case, such as case-1a2b.
        case: String,
    },
    /// Print entries.
    List {
        /// Only entries after this number.
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// Only entries about this subject, for example case:case-1a2b.
        #[arg(long)]
        subject: Option<String>,
    },
}

/// How an export is written.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(super) enum ExportForm {
    /// A JSON object on each line.
    #[default]
    Jsonl,
    /// Comma-separated values.
    Csv,
}

pub(super) async fn run(config: &Config, command: Audit, json: bool) -> anyhow::Result<Outcome> {
    match command {
        Audit::Verify { card: Some(card), .. } => verify_card(config, &card, json).await,
        Audit::Verify { file: Some(file), anchors, .. } => verify_file(&file, anchors.as_deref(), json).await,
        Audit::Verify { anchors, .. } => verify_log(config, anchors, json).await,
        Audit::Export { format, from, to, out } => {
            let form = match format {
                ExportForm::Jsonl => export::Form::JsonLines,
                ExportForm::Csv => export::Form::Csv,
            };
            let (from, to) = (moment(config, from.as_deref(), false)?, moment(config, to.as_deref(), true)?);
            export_log(&open::store_to_read(config).await?, form, (from, to), out).await
        }
        Audit::Show { case } => {
            let store = open::store_to_read(config).await?;
            let story = story::tell(&store, config, &CaseId::new(case)).await?;
            if json {
                print_json(&story)?;
            } else {
                print_story(&story);
            }
            Ok(Outcome::Fine)
        }
        Audit::List { after, limit, subject } => {
            list(&open::store_to_read(config).await?, after, limit, subject, json).await
        }
    }
}

/// A day of the business calendar (its first moment, or the one after its last) or a moment.
fn moment(config: &Config, text: Option<&str>, end: bool) -> anyhow::Result<Option<Timestamp>> {
    let Some(text) = text else { return Ok(None) };
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Some(at));
    }
    let day: Date = text.parse().with_context(|| {
        format!("{text:?} is neither a day such as 2026-10-31 nor a moment such as 2026-10-31T12:00:00Z")
    })?;
    let calendar = config.rules.calendar.calendar();
    let before = if end { day } else { crate::domain::calendar::plus_days(day, -1) };
    // A day's close still belongs to it.
    Ok(Some(calendar.close_of(before).checked_add(jiff::SignedDuration::from_millis(1))?))
}

async fn verify_log(config: &Config, file: Option<PathBuf>, json: bool) -> anyhow::Result<Outcome> {
    // Only to read: a store that is opened for work gets its guards back, and here has to be seen that they are missing.
    let store = open::store_to_read(config).await?;
    let (entries, head) = match store.verify_audit().await {
        Ok(found) => found,
        Err(AuditFault::Store(error)) => return Err(error.into()),
        Err(fault) => {
            if json {
                print_json(&serde_json::json!({ "ok": false, "fault": fault.to_string() }))?;
            } else {
                say!("The audit log is BROKEN: {fault}.");
            }
            return Ok(Outcome::CheckFailed);
        }
    };
    // Each digest holds the head of its day: whoever rewrites the log would have to rewrite what was sent, too.
    let mut compared = anchors::of_digests(&store).await?;
    let digests = compared.len();
    let settings = &config.audit.anchor_file;
    let held = match &file {
        Some(file) => anchors::read(file)?,
        None if settings.as_os_str().is_empty() => Held::default(),
        None => anchors::read_configured(&store, settings).await?,
    };
    let file = file.or_else(|| Some(settings.clone()).filter(|path| !path.as_os_str().is_empty()));
    compared.extend(held.anchors);
    let broken = anchors::compare(&store, &compared).await?;
    let (taken, missing) = (store.guards_found_missing().await?, store.missing_guards().await?);
    // A row that can not be read is a difference like any other: it silences none of them.
    let differences = match tables::compare(&store).await {
        Ok(found) => found,
        Err(error) => vec![tables::Difference {
            row: "a table".to_owned(),
            log: "rows that can be read".to_owned(),
            table: super::told_once(&error),
        }],
    };
    // That guards were missing at an earlier start is no fault by itself: what was changed meanwhile is found above.
    let ok = broken.is_empty() && held.faults.is_empty() && differences.is_empty() && missing.is_empty();
    if json {
        print_json(&serde_json::json!({
            "ok": ok, "entries": entries, "head": head, "anchors": compared.len(), "anchors_broken": broken,
            "anchor_faults": held.faults, "guards_found_missing": taken, "guards_missing": missing,
            "differences": differences,
        }))?;
    } else {
        say!("The audit log is unbroken: {entries} entries, head {head}.");
        say!(
            "Compared with {digests} heads in digests{}.",
            file.map(|f| format!(" and {} in {}", compared.len() - digests, f.display())).unwrap_or_default()
        );
        for line in &broken {
            say!("REWRITTEN: {line}.");
        }
        for line in &held.faults {
            say!("ANCHORS: {line}.");
        }
        if !taken.is_empty() {
            say!("Guards of the database were taken away and put back at a start: {}.", taken.join(", "));
        }
        if !missing.is_empty() {
            say!(
                "UNGUARDED: the database's guards of the log are not there: {}. Whoever took them away could change it; the next \
                 start puts them back.",
                missing.join(", ")
            );
        }
        if differences.is_empty() {
            say!("The tables of decisions, states and rights say what the log says.");
        }
        for difference in &differences {
            say!("DIFFERS: {difference}.");
        }
        if ok {
            say!("Compare the head with one kept elsewhere, such as a digest in somebody's mail, to be sure.");
        }
    }
    Ok(if ok { Outcome::Fine } else { Outcome::CheckFailed })
}

async fn verify_file(path: &Path, anchors: Option<&Path>, json: bool) -> anyhow::Result<Outcome> {
    let Held { anchors, faults } = anchors.map(anchors::read).transpose()?.unwrap_or_default();
    let file = std::fs::File::open(path).with_context(|| format!("opening {}", path.display()))?;
    // Reading and hashing a long file blocks: not on a thread that others wait for.
    let checked = tokio::task::spawn_blocking(move || export::check(BufReader::new(file), &anchors)).await?;
    match checked {
        Ok(checked) => {
            if json {
                print_json(&serde_json::json!({ "ok": faults.is_empty(), "checked": checked, "anchor_faults": faults }))?;
            } else {
                say!(
                    "The export is unbroken: {} entries, {} to {}, head {}; {} anchors agree.",
                    checked.entries,
                    checked.first,
                    checked.last,
                    checked.head,
                    checked.anchors
                );
                if checked.first > 1 {
                    say!("It is a part of a log: entry {} builds on {}.", checked.first, checked.builds_on);
                }
                if checked.beyond > 0 {
                    say!("{} anchors stand for entries behind its last one, {}.", checked.beyond, checked.last);
                }
                for line in &faults {
                    say!("ANCHORS: {line}.");
                }
            }
            Ok(if faults.is_empty() { Outcome::Fine } else { Outcome::CheckFailed })
        }
        Err(fault) => {
            let fault = super::told_once(&fault);
            if json {
                print_json(&serde_json::json!({ "ok": false, "fault": fault }))?;
            } else {
                say!("{} is NOT what was exported: {fault}.", path.display());
            }
            Ok(Outcome::CheckFailed)
        }
    }
}

async fn verify_card(config: &Config, card: &str, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store_to_read(config).await?;
    let report = card::verify(&store, config, &RecommendationId::new(card)).await?;
    if json {
        print_json(&serde_json::json!({ "ok": report.holds(), "said": report.sentence(), "report": report }))?;
    } else {
        say!("{} of {}: {}", report.recommendation, report.case, report.summary);
        for line in &report.lines {
            let mark = match line.verdict {
                Verdict::Agrees => "ok   ",
                Verdict::Differs => "WRONG",
                Verdict::Planted => "drill",
                Verdict::NotFrozen => "?    ",
            };
            let again = match line.verdict {
                Verdict::Agrees => String::new(),
                Verdict::Differs | Verdict::Planted => format!(" but comes to {}", line.recomputed),
                Verdict::NotFrozen => ", not recomputed".to_owned(),
            };
            say!("{mark} {}: {}{again} ({})", line.figure, line.stated, line.from);
        }
        for note in &report.notes {
            say!("note  {note}");
        }
        say!("{}", report.sentence());
    }
    Ok(if report.holds() { Outcome::Fine } else { Outcome::CheckFailed })
}

async fn export_log(
    store: &Store,
    form: export::Form,
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    out: Option<PathBuf>,
) -> anyhow::Result<Outcome> {
    let Some(path) = out else {
        export::write(store, form, from, to, &mut Stdout).await?;
        return Ok(Outcome::Fine);
    };
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    // Who decided what and why is not for every user of the machine.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file =
        options.open(&path).with_context(|| format!("making {}; an export does not overwrite a file", path.display()))?;
    let mut out = BufWriter::new(file);
    let entries = export::write(store, form, from, to, &mut out).await?;
    out.into_inner().context("writing the export")?.sync_all().context("keeping the export on the disk")?;
    say!("{entries} entries are in {}; check it with `reeve audit verify --file {}`.", path.display(), path.display());
    Ok(Outcome::Fine)
}

/// Standard output as [`super::terminal::write`] writes it: an export is cleaned where it is made.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        super::terminal::write(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stdout().flush()
    }
}

fn print_story(story: &story::Story) {
    say!("{} ({}): {}", story.case, story.state, story.headline);
    let section = |title: &str, lines: &[String]| {
        if !lines.is_empty() {
            say!("\n{title}");
            for line in lines {
                say!("  {line}");
            }
        }
    };
    section("Exceptions", &story.exceptions);
    section("Announced by others", &story.events);
    section("Proposed", &story.recommendations);
    say!("\nWhat was done");
    for step in &story.steps {
        say!("  {:>5} {}  {}, through {}: {}", step.seq, step.at, step.who, step.through, step.what);
        let content = step.content.get(..12).unwrap_or(&step.content);
        let policy = step.policy.as_ref().map(|p| format!("policy {p}"));
        let on = (!content.is_empty()).then(|| format!("content {content}"));
        let beside: Vec<String> = on.into_iter().chain(policy).collect();
        if !beside.is_empty() {
            say!("        {}", beside.join(", "));
        }
    }
    let deliveries: Vec<String> = story.deliveries.iter().map(|d| format!("{}: {}", d.id, d.state)).collect();
    section("Deliveries", &deliveries);
}

async fn list(store: &Store, after: i64, limit: i64, subject: Option<String>, json: bool) -> anyhow::Result<Outcome> {
    let limit = limit.clamp(1, 10_000);
    let entries = match subject {
        Some(subject) => {
            let of_it = store.list_audit_of(&subject).await?.into_iter().filter(|e| e.seq > after);
            of_it.take(usize::try_from(limit).unwrap_or_default()).collect()
        }
        None => store.list_audit(after, limit).await?,
    };
    if json {
        print_json(&entries)?;
    } else {
        for e in entries {
            say!(
                "{:>6} {} {:<18} {:<28} {} {}",
                e.seq,
                e.entry.at,
                e.entry.actor,
                e.entry.action,
                e.entry.subject,
                e.entry.detail
            );
        }
    }
    Ok(Outcome::Fine)
}
