//! The detectors: a book → signals.
//!
//! Runs once for each business day that closes (and whenever records change within it): everything is computed from the
//! book at one time, so a second run on the same records finds the same and changes nothing.

mod announced;
mod asn;
mod channel;
pub mod classes;
pub mod counted;
mod demand;
mod duplicate;
mod facts;
pub mod feed;
mod forecast;
mod forest;
pub mod gather;
mod item;
mod level;
mod matching;
mod opinion;
pub mod panel;
mod promotion;
mod receiving;
pub mod roots;
mod rows;
mod series;
pub mod shortage;
mod spike;
pub mod stock;
pub mod supply;
mod tail;
#[cfg(test)]
mod tests;
mod transfer;

use std::collections::BTreeSet;

use jiff::civil::Date;
use rayon::prelude::*;

use self::gather::{Gathered, Overview};
use self::item::{Kept, With};
use self::series::{Ground, scored_from};
use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::book::{Book, Place};
use reeve_domain::exception::Signal;
use reeve_domain::ids::ItemId;
use reeve_models::demand::DayScore;

/// What the detectors saw in a book.
pub struct Seen {
    /// Everything odd, explained or not, in order of fingerprint.
    pub signals: Vec<Signal>,
    /// The forecast that candidates are computed with.
    pub outlook: Outlook,
    /// What was known of the whole company.
    pub overview: Overview,
}

/// Runs every detector over a book that has the sales of all items.
pub fn look(book: &Book, settings: &Settings) -> Seen {
    let overview = Overview::of(book, settings, Gathered::of(book));
    let mut looked = Looked::default();
    looked.at_items(book, settings, &overview, &book.items.keys().cloned().collect());
    looked.finish(book, settings, overview)
}

/// What was seen so far of a look that goes through the items in parts.
#[derive(Default)]
pub struct Looked(Kept);

impl Looked {
    /// Looks at items whose sales the book has; they come after those that were looked at before.
    pub fn at_items(&mut self, book: &Book, settings: &Settings, overview: &Overview, items: &BTreeSet<ItemId>) {
        let first = scored_from(book);
        let with = With {
            settings,
            overview,
            ground: first.map(|first| Ground::of(book, first, overview)),
            params: demand::params(settings),
            days: first.map_or_else(Vec::new, |first| book.days_anywhere(first)),
        };
        let items: Vec<&ItemId> = items.iter().collect();
        let kept: Vec<Kept> = items.par_iter().map(|item| item::look_at(book, &with, item)).collect();
        kept.into_iter().for_each(|kept| self.0.append(kept));
    }

    /// Judges what was seen of all items together, and looks at what crosses them. Of the book nothing but the supply and the
    /// sums of all sales is asked.
    pub fn finish(self, book: &Book, settings: &Settings, mut overview: Overview) -> Seen {
        let Kept { tails, rows, cells, outlook, promotions, stock, shortages, delays, channels, awaits, twinned } = self.0;
        for line in &twinned {
            overview.twin_items.entry(line.order_name.clone()).or_default().insert(line.item.clone());
        }
        let days = scored_from(book).map_or_else(Vec::new, |first| book.days_anywhere(first));
        let newest = days.last().copied().unwrap_or(book.closed);
        let panel = panel::assemble(days, cells).ok().flatten();
        let demand = demand::Demand { tails, promotions, rows: rows.into_rows(), panel, newest };
        let mut signals = demand.signals(book, settings);
        // What has not come can not be judged: it was known before anything was.
        signals.extend(overview.feeds.signals(book, settings));
        signals.extend(receiving::signals(book, settings));
        signals.extend(matching::signals(book, settings));
        signals.extend(stock);
        signals.extend(stock::twin_orders(book, settings, twinned));
        signals.extend(supply::signals(book, settings));
        signals.extend(shortages);
        signals.extend(delays);
        signals.extend(announced::delays_of_unknown(book, settings));
        signals.extend(announced::unanswered(book, settings));
        signals.extend(asn::signals(book, settings));
        signals.extend(channels);
        signals.extend(transfer::signals(book, settings));
        roots::trace(book, &awaits, &mut signals);
        signals.sort_by_key(Signal::fingerprint);
        // The first of two signals with one fingerprint stands: detectors list the newest first.
        signals.dedup_by_key(|signal| signal.fingerprint());
        Seen { signals, outlook, overview }
    }
}

/// The scored days of a place, as the detectors saw them, computed anew from a book that has the item's sales: nobody keeps all
/// of them.
pub fn scores(book: &Book, settings: &Settings, overview: &Overview, place: &Place) -> Vec<DayScore> {
    scored_from(book).map_or_else(Vec::new, |first| scores_since(book, settings, overview, place, first))
}

/// The same of all days from `first` on, however long ago that is.
pub fn scores_since(book: &Book, settings: &Settings, overview: &Overview, place: &Place, first: Date) -> Vec<DayScore> {
    if !book.carries(&place.0, &place.1) {
        return Vec::new();
    }
    item::scores_of(&Ground::of(book, first, overview), place, &demand::params(settings))
}
