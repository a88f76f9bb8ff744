//! `reeve backtest`: the digests that would have been, day by day on a recording, and what they would have been worth.
//!
//! A day is looked at in the morning, at the digest's hour, with what could be read then and nothing later. What a case was *truly*
//! worth is known afterwards only: in hindsight a case on a day is worth the largest loss that it came to on that day or any later
//! one of the span. A digest captures of the best list of as many lines what the cases on it are worth so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Context;
use jiff::civil::Date;
use serde::Serialize;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::calendar::{days_between, plus_days};
use crate::domain::case::CaseState;
use crate::domain::ids::CaseId;
use crate::domain::money::Money;
use crate::ports::{Ports, Senders, Source};
use crate::store::Store;

/// One day of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Day {
    /// Which.
    pub day: Date,
    /// The digest's text.
    pub text: String,
    /// Lines above the line.
    pub lines: usize,
    /// Of them, new since the digest before.
    pub new: usize,
    /// Cases below the line.
    pub below: u32,
    /// V of the lines, summed.
    pub value: Money,
    /// What the lines were worth in hindsight.
    pub captured: Money,
    /// What the best list of as many lines as a planner can work off would have been worth in hindsight.
    pub best: Money,
}

/// What it came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Backtest {
    /// First and last day.
    pub span: (Date, Date),
    /// Day by day.
    pub days: Vec<Day>,
    /// Different cases that were shown.
    pub shown: usize,
    /// Of them, those that went away by themselves within the span, with nobody doing anything.
    pub went_away: usize,
    /// Captured of the best, over all days.
    pub capture: f64,
}

/// Replays `source` from one day to another.
///
/// # Errors
/// What could not be run.
pub async fn run(
    config: Arc<Config>,
    source: Arc<dyn Source>,
    span: (Date, Date),
    on_day: impl Fn(u64, u64),
) -> anyhow::Result<Backtest> {
    let (from, to) = span;
    anyhow::ensure!(from <= to, "--from {from} is after --to {to}");
    let calendar = config.rules.calendar.calendar();
    let hour = config.rules.calendar.digest_hour;
    // In memory: a replay begins with nothing and leaves nothing behind.
    let store = Store::open_and_migrate("sqlite::memory:").await?;
    let clock = Clock::standing_at(calendar.moment_of(from, hour));
    let ports = Ports { source, model: None, senders: Senders::default() };
    let app = App::new(Arc::clone(&config), store.clone(), ports, clock.clone());
    let total = days_between(from, to) as u64 + 1;
    let mut seen: Vec<Looked> = Vec::new();
    for offset in 0..=days_between(from, to) {
        let day = plus_days(from, offset);
        clock.set(calendar.moment_of(day, hour));
        app.run_until_idle().await.with_context(|| format!("replaying {day}"))?;
        seen.push(look(&store, day).await?);
        on_day(offset as u64 + 1, total);
    }
    let report = report(&store, span, &seen, config.rules.ranking.capacity).await;
    store.close().await;
    report
}

/// What stood in the store on a day.
struct Looked {
    day: Date,
    text: String,
    shown: Vec<CaseId>,
    new: usize,
    below: u32,
    value: Money,
    /// L₀ of every case with a place in the order.
    at_stake: BTreeMap<CaseId, Money>,
}

async fn look(store: &Store, day: Date) -> anyhow::Result<Looked> {
    let ranked = store.list_cases(CaseState::RANKED).await?;
    let at_stake = ranked.into_iter().filter_map(|case| Some((case.id, case.rank?.at_stake))).collect();
    let kept = store.find_digest(day).await?;
    let Some(kept) = kept else {
        return Ok(Looked { day, text: String::new(), shown: vec![], new: 0, below: 0, value: Money::ZERO, at_stake });
    };
    // Without the random place, which is drawn from below the line and promises nothing.
    let lines: Vec<_> = kept.digest.lines.iter().filter(|line| !line.sampled).collect();
    Ok(Looked {
        day,
        shown: lines.iter().map(|line| line.case_id.clone()).collect(),
        new: lines.iter().filter(|line| line.new).count(),
        below: kept.digest.below.cases,
        value: lines.iter().map(|line| line.value.expected).sum(),
        text: kept.text.clone(),
        at_stake,
    })
}

async fn report(store: &Store, span: (Date, Date), seen: &[Looked], capacity: usize) -> anyhow::Result<Backtest> {
    // From the last day back: the largest loss on that day or later.
    let mut later: BTreeMap<&CaseId, Money> = BTreeMap::new();
    let mut days = Vec::new();
    for look in seen.iter().rev() {
        for (case, loss) in &look.at_stake {
            let worst = later.entry(case).or_default();
            *worst = (*worst).max(*loss);
        }
        let worth = |case: &CaseId| later.get(case).copied().unwrap_or_default();
        let mut best: Vec<Money> = look.at_stake.keys().map(worth).collect();
        best.sort_by(|a, b| b.cmp(a));
        days.push(Day {
            day: look.day,
            text: look.text.clone(),
            lines: look.shown.len(),
            new: look.new,
            below: look.below,
            value: look.value,
            captured: look.shown.iter().map(worth).sum(),
            best: best.into_iter().take(capacity).sum(),
        });
    }
    days.reverse();
    let shown: BTreeSet<&CaseId> = seen.iter().flat_map(|look| &look.shown).collect();
    let mut went_away = 0;
    for id in &shown {
        went_away += usize::from(store.get_case(id).await?.state == CaseState::ResolvedItself);
    }
    let (captured, best): (Money, Money) = (days.iter().map(|d| d.captured).sum(), days.iter().map(|d| d.best).sum());
    // Where there was nothing to gain, nothing was missed.
    let capture = if best > Money::ZERO { captured.to_f64() / best.to_f64() } else { 1.0 };
    Ok(Backtest { span, days, shown: shown.len(), went_away, capture })
}

impl Backtest {
    /// For a terminal.
    pub fn text(&self) -> String {
        let mut out = format!("Backtest {} to {}, read each morning without look-ahead\n", self.span.0, self.span.1);
        let _ = writeln!(
            out,
            "  {:<11} {:>5} {:>4} {:>6} {:>14} {:>14} {:>14}",
            "day", "lines", "new", "below", "V", "captured", "best"
        );
        for day in &self.days {
            let _ = writeln!(
                out,
                "  {:<11} {:>5} {:>4} {:>6} {:>14} {:>14} {:>14}",
                day.day.to_string(),
                day.lines,
                day.new,
                day.below,
                day.value.to_string(),
                day.captured.to_string(),
                day.best.to_string()
            );
        }
        let lines: usize = self.days.iter().map(|day| day.lines).sum();
        let _ = writeln!(
            out,
            "  value captured {:.1} % of hindsight; workload {:.1} lines a day; {} of {} shown cases went away by themselves",
            self.capture * 100.0,
            lines as f64 / (self.days.len() as f64).max(1.0),
            self.went_away,
            self.shown
        );
        out
    }

    /// As one file for a browser, with each digest.
    pub fn html(&self) -> String {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let mut out = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Backtest {0} to {1}</title><style>body{{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}}pre{{background:#f6f8fa;padding:1rem;overflow:auto}}svg{{width:100%}}</style></head><body><h1>Backtest {0} to {1}</h1>\n",
            self.span.0, self.span.1
        );
        out.push_str(&self.chart());
        let _ = write!(out, "<pre>{}</pre>", escaped(&self.text()));
        for day in self.days.iter().filter(|day| !day.text.is_empty()) {
            let _ = writeln!(
                out,
                "<details><summary>{}: {} lines</summary><pre>{}</pre></details>",
                day.day,
                day.lines,
                escaped(&day.text)
            );
        }
        out.push_str("</body></html>\n");
        out
    }

    /// Captured and best, day by day.
    fn chart(&self) -> String {
        let top = self.days.iter().map(|day| day.best.to_f64()).fold(1.0, f64::max);
        let width = 900.0 / (self.days.len() as f64).max(1.0);
        let mut out = String::from(
            "<svg viewBox=\"0 0 900 160\" role=\"img\" aria-label=\"Value captured each day beside the best in hindsight\">",
        );
        for (at, day) in self.days.iter().enumerate() {
            let bar = |worth: Money, colour: &str| {
                let height = 150.0 * worth.to_f64() / top;
                format!(
                    "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\" fill=\"{colour}\"/>",
                    at as f64 * width,
                    155.0 - height,
                    width * 0.8
                )
            };
            out.push_str(&bar(day.best, "#d8dee4"));
            out.push_str(&bar(day.captured, "#2da44e"));
        }
        out.push_str("</svg>\n");
        out
    }
}
