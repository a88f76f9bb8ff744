//! Walks through the lines in the order they are complete: looks at each with what is known by then, then learns it.
//!
//! What a notice explains is taken off before anything is judged or learnt.

use super::days::Share;
use super::explain::{Explained, explained};
use super::features::Features;
use super::habit::{Grid, OneSided, TwoSided, Verdict};
use super::ledger::{Entry, Ledger};
use super::timing::Timing;
use crate::boost::logistic;

/// Least probability that is told from nothing.
const TAIL_MIN: f64 = 1e-9;

/// Everything learnt so far.
pub(super) struct Observer<'a> {
    ledger: &'a Ledger,
    shorts: Grid,
    overs: Grid,
    prices: Grid,
    /// Log-odds, by vendor, that it bills what was ordered.
    by_order: Vec<f64>,
    timing: Timing<'a>,
    split: Vec<Share>,
    split_pool: Share,
}

/// −log10 of a probability.
pub(super) fn surprise(probability: f64) -> f64 {
    -probability.max(TAIL_MIN).log10()
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// Log-likelihood ratio of an exception that may be of any size from 1 % to 100 %, against a habit.
fn odds(size: f64, unit: f64, habit: f64) -> f64 {
    if size < unit / 2.0 {
        return 0.0;
    }
    let broad = (unit / size.max(0.01) / 100_f64.ln()).min(1.0);
    // An exception is far out by definition: at the heart of the habit the ratio may not rise by coarse units alone.
    (broad / habit.max(broad * 1e-5)).ln()
}

impl<'a> Observer<'a> {
    pub(super) fn new(ledger: &'a Ledger) -> Self {
        Observer {
            ledger,
            shorts: Grid::new(OneSided::CELLS, ledger.vendors),
            overs: Grid::new(OneSided::CELLS, ledger.vendors),
            prices: Grid::new(TwoSided::CELLS, ledger.vendors),
            by_order: vec![0.0; ledger.vendors],
            timing: Timing::new(ledger),
            split: vec![Share::default(); ledger.vendors],
            split_pool: Share { yes: 1.0, all: 5.0 },
        }
    }

    /// The features of a line, with what was known on the day it was complete.
    pub(super) fn look(&self, at: usize) -> Features {
        let entry = &self.ledger.entries[at];
        let now = entry.complete.unwrap_or(entry.promised);
        let line = explained(entry, now);
        let mut f = Features::default();
        let short = self.quantity(entry, &line, &mut f);
        self.billing(entry, &line, short, &mut f);
        self.price(entry, &line, &mut f);
        self.timing.look(at, entry, line.days, now, &mut f);
        self.parts(entry, &line, &mut f);
        f
    }

    fn quantity(&self, entry: &Entry, line: &Explained, f: &mut Features) -> Verdict {
        // Nothing smaller than a unit can be seen: of three units one too few is a third already.
        let unit = entry.step() / entry.quantity;
        let off = line.received / entry.quantity - 1.0;
        (f.short, f.over) = ((-off).max(0.0), off.max(0.0));
        f.received_ordered = entry.ratio(line.received, entry.quantity);
        let short = OneSided::verdict(&self.shorts.weights(entry.vendor), f.short, unit);
        let over = OneSided::verdict(&self.overs.weights(entry.vendor), f.over, unit);
        (f.short_tail, f.over_tail) = (surprise(short.tail), surprise(over.tail));
        f.short_odds = odds(f.short, unit, short.mass);
        f.over_odds = odds(f.over, unit, over.mass);
        (f.short_share, f.over_share) = (short.share, over.share);
        f.short_ratio = f.short / (short.spread + unit / 2.0);
        f.over_ratio = f.over / (over.spread + unit / 2.0);
        short
    }

    fn billing(&self, entry: &Entry, line: &Explained, short: Verdict, f: &mut Features) {
        let by_order = logistic(self.by_order[entry.vendor] + logit(0.25));
        f.by_order = by_order;
        let Some((billed, _)) = entry.billed else { return };
        f.billed_received = entry.ratio(billed, line.received);
        f.billed_ordered = entry.ratio(billed, entry.quantity);
        let unit = entry.step() / entry.quantity;
        let more = (billed - line.received) / entry.quantity;
        if more > unit / 2.0 {
            // Usual only where less came than ordered and the vendor bills what was ordered.
            let usual = if (billed - entry.quantity).abs() < entry.step() / 2.0 { by_order } else { 0.0 };
            f.unreceived_tail = surprise(usual * short.tail + 0.002);
            f.unreceived_odds = odds(more, unit, usual * short.mass);
        }
        if f.short > unit / 2.0 {
            let as_ordered = (billed - entry.quantity).abs() < entry.step() / 2.0;
            f.billing_odds = -(if as_ordered { by_order } else { 1.0 - by_order }).max(0.01).ln();
        }
    }

    fn price(&self, entry: &Entry, line: &Explained, f: &mut Features) {
        let weights = self.prices.weights(entry.vendor);
        let size = line.price.abs();
        let verdict = TwoSided::verdict(&weights, size, line.step);
        f.price = line.price;
        f.price_tail = surprise(verdict.tail);
        // Prices have four decimals: what is less than their step is rounding, and no difference.
        f.price_odds = if size <= line.step { 0.0 } else { odds(size, line.step, verdict.mass) };
        f.price_ratio = line.price / (verdict.spread + line.step);
        f.price_spread = verdict.spread;
        f.price_exact = weights[0];
    }

    fn parts(&self, entry: &Entry, line: &Explained, f: &mut Features) {
        f.parts = entry.parts.len() as f64;
        f.split_share = self.split[entry.vendor].shrunk(self.split_pool.shrunk(0.2, 5.0), 5.0);
        let equal = entry.parts.iter().enumerate().filter(|(at, (day, quantity))| {
            *quantity > 0.0
                && entry.parts[..*at].iter().any(|(before, same)| (same - quantity).abs() < 1e-9 && day - before <= 7)
        });
        let doubles: Vec<f64> = equal.map(|(_, (_, quantity))| *quantity).collect();
        f.equal_parts = doubles.len() as f64;
        if let Some(double) = doubles.first() {
            // Entered once it would be about what was ordered; as it is, it is far off.
            let once = (line.received - double - entry.quantity).abs() / entry.quantity;
            let twice = (line.received - entry.quantity).abs() / entry.quantity;
            f.duplicate_odds = (10.0 * (twice - once)).clamp(-5.0, 10.0);
        }
        let unit = entry.step() / entry.quantity;
        let ratio = line.received / entry.quantity;
        // What the item is packed in, on this line or another, and shifts of the decimal point (the catalogue's R-UOM).
        let packs = self.ledger.packs_of[entry.item].iter().copied().chain([10.0, 100.0, 1000.0]);
        let steps = packs.filter(|pack| *pack >= 2.0).flat_map(|pack| [pack, 1.0 / pack]);
        // Whole units are as near as can be, or 1 % of the quantity (the catalogue's bound).
        let near = steps.map(|step| (ratio - step).abs() / (0.01 * step + 0.5 * unit)).fold(f64::INFINITY, f64::min);
        let outside = !(0.6..=1.7).contains(&ratio) && line.received > 0.0;
        f.unit_odds = if outside { 6.0 - near.min(1e3).ln_1p() } else { 0.0 };
    }

    /// Learns a line.
    pub(super) fn learn(&mut self, at: usize) {
        let entry = &self.ledger.entries[at];
        let now = entry.complete.unwrap_or(entry.promised);
        let line = explained(entry, now);
        let unit = entry.step() / entry.quantity;
        let off = line.received / entry.quantity - 1.0;
        let vendor = entry.vendor;
        // What is far off is an exception and no habit: learned, it would excuse the next one.
        if !entry.parts.is_empty() && off.abs() < 0.6 {
            self.shorts.learn(vendor, &OneSided::likelihood((-off).max(0.0), unit));
            if off > -unit / 2.0 {
                self.overs.learn(vendor, &OneSided::likelihood(off.max(0.0), unit));
            }
        }
        if let Some((billed, _)) = entry.billed {
            self.prices.learn(vendor, &TwoSided::likelihood(line.price.abs(), line.step));
            if off < -unit / 2.0 && off > -0.6 {
                // Only a short line tells the two ways of billing apart.
                let step = if (billed - entry.quantity).abs() < entry.step() / 2.0 { 2.0 } else { -2.0 };
                self.by_order[vendor] = (self.by_order[vendor] + step).clamp(-6.0, 6.0);
            }
        }
        if entry.parts.is_empty() {
            return;
        }
        self.timing.learn(at, entry, line.days, now);
        let split = entry.parts.len() > 1;
        self.split[vendor].learn(split);
        self.split_pool.learn(split);
    }
}

/// Features of every line that can be judged, in the order in which they were.
pub(super) fn observe(ledger: &Ledger) -> Vec<(usize, Features)> {
    let mut observer = Observer::new(ledger);
    let mut found = Vec::with_capacity(ledger.order.len());
    for &at in &ledger.order {
        // Looked at before it is learned: nothing that a line says may have been made usual by itself.
        found.push((at, observer.look(at)));
        observer.learn(at);
    }
    found
}
