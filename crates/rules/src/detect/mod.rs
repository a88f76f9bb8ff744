//! The detectors: a book → signals.
//!
//! Runs once for each business day that closes (and whenever records change within it): everything is computed from the
//! book at one time, so a second run on the same records finds the same and changes nothing.

mod announced;
mod asn;
mod channel;
pub mod classes;
pub mod counted;
pub mod demand;
mod duplicate;
mod facts;
pub mod feed;
mod forest;
mod item;
mod level;
mod matching;
mod opinion;
pub mod panel;
mod promotion;
mod receiving;
pub mod roots;
mod series;
pub mod shortage;
mod spike;
pub mod stock;
pub mod supply;
mod tail;
#[cfg(test)]
mod tests;
mod transfer;

use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::exception::Signal;

/// What the detectors saw in a book.
pub struct Seen {
    /// Everything odd, explained or not, in order of fingerprint.
    pub signals: Vec<Signal>,
    /// The forecast that candidates are computed with.
    pub outlook: Outlook,
    /// The scored demand, for charts.
    pub demand: demand::Demand,
    /// What has not come in.
    pub feeds: feed::Feeds,
}

/// Runs every detector over the book.
pub fn look(book: &Book, settings: &Settings) -> Seen {
    // What has not come can not be judged: it is known before anything is.
    let feeds = feed::Feeds::of(book, &settings.calendar.closed_days);
    let mut demand = demand::score(book, settings, &feeds);
    let mut signals = demand.signals(book, settings);
    let outlook = demand.outlook(book, settings);
    signals.extend(feeds.signals(book, settings));
    signals.extend(receiving::signals(book, settings));
    signals.extend(matching::signals(book, settings));
    signals.extend(stock::signals(book, settings));
    signals.extend(supply::signals(book, settings));
    signals.extend(shortage::signals(book, settings, &outlook));
    signals.extend(announced::signals(book, settings, &outlook));
    signals.extend(asn::signals(book, settings));
    signals.extend(channel::signals(book, settings, &outlook));
    signals.extend(transfer::signals(book, settings));
    roots::trace(book, &outlook, &mut signals);
    signals.sort_by_key(Signal::fingerprint);
    // The first of two signals with one fingerprint stands: detectors list the newest first.
    signals.dedup_by_key(|signal| signal.fingerprint());
    Seen { signals, outlook, demand, feeds }
}
