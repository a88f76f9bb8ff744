//! A made-up retailer ([`crate::lab::retailer`]) as a source: fills a store as a first look at an ERP would, page by page, and
//! lets the stages look at such a store afterwards, where there is no ERP to read.
//!
//! Filling goes on where it was cut off: the cursor names the item and how many of its records are told. Memory is one batch of
//! items and one page, whatever the size.

mod source;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::io::Write;
use std::sync::Arc;

use anyhow::Context;

pub use self::source::filled;
use self::source::{IDENTITY, MadeUp, batch, masters, position};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::lab::retailer::{Kind, Retailer, Told};
use crate::pipeline::observe::Observe;
use crate::pipeline::{Progress, Stage};
use crate::ports::{Ports, Senders};
use crate::store::Store;

/// Records of one page, and so of one transaction.
const PAGE: usize = 10_000;

/// What was made.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Made {
    /// Items at locations.
    pub series: u64,
    /// Records.
    pub records: u64,
    /// Of them, moves.
    pub moves: u64,
    /// What was injected, by kind.
    pub injected: BTreeMap<Kind, u64>,
}

impl Made {
    fn count(&mut self, told: &Told) {
        self.series += u64::from(told.series);
        self.records += told.observed.len() as u64;
        self.moves += u64::from(told.moves);
        for truth in &told.truth {
            *self.injected.entry(truth.kind).or_default() += 1;
        }
    }
}

fn write_line<T: serde::Serialize>(out: &mut impl Write, value: &T) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, value).context("writing a line")?;
    out.write_all(b"\n").context("writing a line")
}

/// Streams every record and every truth as JSON lines. `on_item` is told of each item.
///
/// # Errors
/// What could not be written.
pub fn stream(
    retailer: &Retailer,
    records: &mut impl Write,
    truth: &mut impl Write,
    on_item: impl Fn(u32),
) -> anyhow::Result<Made> {
    let mut made = Made::default();
    let mut next = VecDeque::from([(0, masters(retailer))]);
    while let Some((item, told)) = next.pop_front() {
        made.count(&told);
        for observed in &told.observed {
            write_line(records, observed)?;
        }
        for injected in &told.truth {
            write_line(truth, injected)?;
        }
        on_item(item);
        if next.is_empty() {
            next = batch(retailer, item + 1);
        }
    }
    records.flush().and_then(|()| truth.flush()).context("writing to the end")?;
    Ok(made)
}

/// Fills `store` with the retailer, and leaves it as a look that has ended leaves it, at [`Retailer::read_at`].
///
/// # Errors
/// What could not be stored or written, or that the store holds records of another source.
pub async fn fill(
    mut config: Config,
    store: &Store,
    retailer: &Retailer,
    truth: &mut impl Write,
    on_item: impl Fn(u32),
) -> anyhow::Result<Made> {
    let identity = retailer.identity();
    let kept = store.find_setting(IDENTITY).await?;
    anyhow::ensure!(
        kept.as_ref().is_none_or(|kept| *kept == identity),
        "the store {} holds records of another source ({}); name a new one with --store",
        store.url(),
        kept.unwrap_or_default()
    );
    let mut made = Made::default();
    // What an earlier run has stored is made again for its truth and its figures only.
    let at = store.find_cursor(&identity).await?;
    let begun =
        position(at.as_deref(), retailer).context("the store's cursor")?.map_or(retailer.shape().items + 1, |at| at.0);
    for item in 0..begun {
        let told = if item == 0 { masters(retailer) } else { retailer.item(item) };
        note(&told, &mut made, truth)?;
        on_item(item);
    }
    config.source.page = PAGE;
    let source = Arc::new(MadeUp::new(retailer.clone()));
    let ports = Ports { source: source.clone(), model: None, senders: Senders::default() };
    let app = App::new(Arc::new(config), store.clone(), ports, Clock::standing_at(retailer.read_at()));
    let stage = Observe::new(app.context.clone());
    while let Progress::Advanced(_) =
        stage.run_once().await.context("what was stored stays; the same command goes on from there")?
    {
        // Noted once it is stored: what a killed run had not kept is made and noted again.
        for (item, told) in std::mem::take(&mut source.ahead().told) {
            note(&told, &mut made, truth)?;
            on_item(item);
        }
    }
    truth.flush().context("writing what was injected")?;
    Ok(made)
}

fn note(told: &Told, made: &mut Made, truth: &mut impl Write) -> anyhow::Result<()> {
    made.count(told);
    told.truth.iter().try_for_each(|injected| write_line(truth, injected))
}
