//! The detectors: a book → signals.
//!
//! Runs once for each business day that closes (and whenever records change within it): everything is computed from the
//! book at one time, so a second run on the same records finds the same and changes nothing.

mod adjustments;
mod announced;
mod asn;
mod bulk;
mod censored;
mod channel;
pub mod classes;
mod costs;
pub mod counted;
mod demand;
mod duplicate;
mod ending;
pub mod excess;
mod facts;
pub mod feed;
mod forecast;
mod forest;
pub mod fulfil;
pub mod gather;
pub mod habits;
mod item;
mod level;
pub mod lots;
mod master;
mod matching;
mod opinion;
pub mod panel;
pub mod performance;
mod policy;
mod promotion;
mod receiving;
mod related;
pub mod roots;
mod rows;
mod series;
pub mod shortage;
mod spike;
pub mod stock;
mod stocking;
pub mod supply;
mod tail;
#[cfg(test)]
mod tests;
mod transfer;
mod transfer_diff;
pub mod unmatched;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use rayon::prelude::*;

use self::gather::{Gathered, Overview};
use self::item::{Kept, OfItem, With};
use self::series::{Ground, scored_from};
use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::book::{Book, Place};
use reeve_domain::exception::Signal;
use reeve_domain::ids::ItemId;
use reeve_domain::model::ModelKind;
use reeve_models::control::drift::DaySeen;
use reeve_models::demand::DayScore;

/// What the detectors saw in a book.
pub struct Seen {
    /// Everything odd, explained or not, in order of fingerprint.
    pub signals: Vec<Signal>,
    /// The forecast that candidates are computed with.
    pub outlook: Outlook,
    /// What was known of the whole company.
    pub overview: Arc<Overview>,
    /// How what the detectors were shown, and what they said, was distributed on the last days.
    pub watched: BTreeMap<ModelKind, BTreeMap<Date, DaySeen>>,
    /// What demand had to say, which is judged over all items together.
    demand: Vec<Signal>,
    /// What else was seen of each item.
    items: BTreeMap<ItemId, OfItem>,
}

/// Runs every detector over a book that has the sales of all items.
pub fn look(book: &Book, settings: &Settings) -> Seen {
    let overview = Overview::of(book, settings, Gathered::of(book));
    let mut looked = Looked::default();
    looked.at_items(book, settings, &overview, &book.items.keys().cloned().collect());
    looked.finish(book, settings, Arc::new(overview))
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
        for kept in kept {
            self.0.append(kept);
        }
    }

    /// Judges what was seen of all items together, and looks at what crosses them. Of the book nothing but the supply and the
    /// sums of all sales is asked.
    pub fn finish(self, book: &Book, settings: &Settings, overview: Arc<Overview>) -> Seen {
        let Kept { tails, rows, cells, outlook, promotions, items } = self.0;
        let days = scored_from(book).map_or_else(Vec::new, |first| book.days_anywhere(first));
        let newest = days.last().copied().unwrap_or(book.closed);
        let panel = panel::assemble(days, cells).ok().flatten();
        let demand = demand::Demand { tails, promotions, rows: rows.into_rows(), panel, newest };
        let (demand, seen) = demand.signals(book, settings);
        let watched = BTreeMap::from([(ModelKind::Demand, seen)]);
        Seen { signals: Vec::new(), outlook, overview, watched, demand, items }.with_signals(book, settings)
    }

    /// What was seen `before`, with these items as they are now. What demand says, and what is known of the whole company, stays
    /// as it was: that is judged over all items together, when a day has closed.
    pub fn after(self, before: &Seen, book: &Book, settings: &Settings, looked_at: &BTreeSet<ItemId>) -> Seen {
        let (mut items, mut outlook) = (before.items.clone(), before.outlook.clone());
        items.retain(|item, _| !looked_at.contains(item));
        items.extend(self.0.items);
        outlook.forget(looked_at);
        outlook.append(self.0.outlook);
        let (demand, overview, watched) = (before.demand.clone(), Arc::clone(&before.overview), before.watched.clone());
        Seen { signals: Vec::new(), outlook, overview, watched, demand, items }.with_signals(book, settings)
    }
}

impl Seen {
    /// Puts together what was seen of items and what crosses them.
    fn with_signals(mut self, book: &Book, settings: &Settings) -> Self {
        let items = || self.items.values();
        let mut signals = self.demand.clone();
        // What has not come can not be judged: it was known before anything was.
        signals.extend(self.overview.feeds.signals(book, settings));
        let mut bought = receiving::signals(book, settings);
        bought.extend(matching::signals(book, settings));
        self.watched.insert(ModelKind::Receiving, habits::join(book, settings, &mut bought));
        signals.extend(bought);
        signals.extend(items().flat_map(|item| item.stock.iter().cloned()));
        let twinned = items().flat_map(|item| item.twinned.iter().cloned()).collect();
        signals.extend(stock::twin_orders(book, settings, twinned));
        signals.extend(supply::signals(book, settings));
        signals.extend(performance::signals(book, settings));
        signals.extend(unmatched::signals(book, settings));
        signals.extend(costs::signals(book, settings));
        signals.extend(adjustments::signals(book, settings, &self.overview.classes));
        signals.extend(items().flat_map(|item| item.policy.iter().cloned()));
        signals.extend(items().flat_map(|item| item.waiting.iter().cloned()));
        signals.extend(items().flat_map(|item| item.shortages.iter().cloned()));
        signals.extend(items().flat_map(|item| item.delays.iter().cloned()));
        signals.extend(announced::delays_of_unknown(book, settings));
        signals.extend(announced::unanswered(book, settings));
        signals.extend(asn::signals(book, settings));
        signals.extend(items().flat_map(|item| item.channels.iter().cloned()));
        signals.extend(transfer::signals(book, settings));
        signals.extend(transfer_diff::signals(book, settings));
        supply::leave_cycles(book, &mut signals);
        let awaits = items().flat_map(|item| item.awaits.iter().cloned()).collect();
        roots::trace(book, &awaits, &mut signals);
        let related = related::signals(book, &self.overview, &signals);
        signals.extend(related);
        signals.sort_by_cached_key(Signal::fingerprint);
        // The first of two signals with one fingerprint stands: detectors list the newest first.
        signals.dedup_by_key(|signal| signal.fingerprint());
        self.signals = signals;
        self
    }

    /// The items of an order that was probably entered twice, by the order's name; nothing of any other.
    pub fn twin_items<'s>(&'s self, order: &'s str) -> impl Iterator<Item = &'s ItemId> {
        let twinned = self.items.values().flat_map(|item| &item.twinned);
        twinned.filter(move |line| line.order_name == order).map(|line| &line.item)
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
