//! A shop's own demand, out of a recording or the store.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;

use crate::app::App;
use crate::cli::open;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::book::Book;
use crate::models::demand::panel::Panel;
use crate::pipeline::observe::Observe;
use crate::pipeline::watermark::looked_at;
use crate::pipeline::{Progress, Stage};
use crate::ports::{Ports, Senders, Source};
use crate::rules::detect::feed::Feeds;
use crate::rules::detect::panel::panel;
use crate::rules::settings::ClosedDays;
use crate::store::Store;

/// The demand in a recording or, without one, in the configured store.
pub(super) async fn read(config: Config, recording: Option<PathBuf>) -> anyhow::Result<Panel> {
    let off = config.rules.calendar.closed_days.clone();
    let (book, from) = Box::pin(book(config, recording)).await?;
    demand(&book, &off)?.with_context(|| format!("{from} holds no sales to look at"))
}

/// The demand of a book; None where nothing was sold.
pub(super) fn demand(book: &Book, off: &ClosedDays) -> anyhow::Result<Option<Panel>> {
    Ok(panel(book, &Feeds::of(book, off))?)
}

/// The book of a recording or, without one, of the configured store, and where it is from.
pub(super) async fn book(mut config: Config, recording: Option<PathBuf>) -> anyhow::Result<(Book, String)> {
    let from;
    let zones = config.odoo.zones();
    let book = if let Some(folder) = recording {
        from = folder.display().to_string();
        config.source.recording = folder;
        recorded(config).await?
    } else {
        let store = open::store(&config).await?;
        from = store.url().to_owned();
        // As of the last whole look and not of now: what was not read since would look like days without sales.
        let read_at = looked_at(&store).await?;
        let as_of = read_at.with_context(|| {
            format!("{from} has read no source yet; run `reeve sync` or `reeve serve`, or name a folder with --recording")
        })?;
        let book = Book::new(as_of, config.rules.calendar.calendar(), store.load_records().await?);
        config.rules.settled(book).with_detail_days(config.odoo.detail_days)
    };
    Ok((book.with_zones(&zones), from))
}

async fn recorded(config: Config) -> anyhow::Result<Book> {
    let source = open::recording(&config).await?;
    let (_, as_of) = source.span().context("the recording holds nothing that happened")?;
    let store = Store::open_and_migrate("sqlite::memory:").await?;
    let ports = Ports { source, model: None, senders: Senders::default() };
    let calendar = config.rules.calendar.calendar();
    let config = Arc::new(config);
    let app = App::new(Arc::clone(&config), store.clone(), ports, Clock::standing_at(as_of));
    let stage = Observe::new(app.context.clone());
    while let Progress::Advanced(_) = stage.run_once().await? {}
    // A recording's last day is over: nothing came after it.
    let close = calendar.close_of(calendar.day_of(as_of));
    Ok(config.rules.settled(Book::new(close, calendar, store.load_records().await?)))
}
