//! One series: what it is expected to sell, and how it learns from what it sold.

use super::super::panel::Cell;
use super::context::{Pool, Ratio};

/// Open days remembered one by one.
pub(super) const RING: usize = 32;

/// An open day that is past, or today's.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Open {
    pub(super) units: f64,
    pub(super) mean: f64,
    pub(super) spread: f64,
    /// The level before the day was learned.
    pub(super) level: f64,
    pub(super) z: f64,
    pub(super) high: f64,
    pub(super) low: f64,
    /// There was stock for most of the day, so that low sales say something.
    pub(super) judged: bool,
    pub(super) promo: bool,
}

/// What is expected of today, before the day's own factor.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Expected {
    pub(super) weekday: f64,
    pub(super) offer: f64,
    pub(super) hours: f64,
    pub(super) mean: f64,
    pub(super) discount: f32,
    pub(super) offer_class: (usize, usize),
    pub(super) hour_class: usize,
}

#[derive(Clone, Debug)]
pub(super) struct SeriesState {
    /// Units on an undisturbed average day, quick and slow to follow.
    pub(super) level: f64,
    pub(super) slow: f64,
    weekdays: [Ratio; 7],
    promo: Ratio,
    /// Variance ÷ mean.
    pub(super) spread: f64,
    /// Usual price.
    price: f32,
    /// Open days learned.
    pub(super) learned: u32,
    pub(super) ring: [Open; RING],
    pub(super) filled: usize,
    head: usize,
    /// How odd this series usually is: decayed means and maxima of its surprises.
    pub(super) usual_high: f64,
    pub(super) usual_low: f64,
    pub(super) most_high: f64,
    pub(super) most_low: f64,
    pub(super) most_silent: f64,
    silence: f64,
    /// Running evidence, in natural logarithms: see `evidence`.
    pub(super) runs: super::evidence::Runs,
}

impl Default for SeriesState {
    fn default() -> Self {
        Self {
            level: 1.0,
            slow: 1.0,
            weekdays: [Ratio::new(1.0, 6.0); 7],
            promo: Ratio::new(1.0, 8.0),
            spread: 1.6,
            price: 0.0,
            learned: 0,
            ring: [Open::default(); RING],
            filled: 0,
            head: 0,
            usual_high: 0.4,
            usual_low: 0.4,
            most_high: 1.0,
            most_low: 1.0,
            most_silent: 0.5,
            silence: 0.0,
            runs: super::evidence::Runs::default(),
        }
    }
}

impl SeriesState {
    /// The open day `back` open days ago; 0 is the newest.
    pub(super) fn past(&self, back: usize) -> &Open {
        &self.ring[(self.head + RING - back) % RING]
    }

    /// Open days in a row, up to the newest in the ring, on promotion.
    pub(super) fn promo_run(&self) -> usize {
        (0..self.filled).take_while(|back| self.past(*back).promo).count()
    }

    pub(super) fn push(&mut self, day: Open) {
        self.head = (self.head + 1) % RING;
        self.ring[self.head] = day;
        self.filled = (self.filled + 1).min(RING);
    }

    /// Keeps how odd the series usually is. Today's own surprise comes in a week late, so that a run does not excuse itself.
    pub(super) fn remember(&mut self) {
        let late = if self.filled > 7 { *self.past(7) } else { return };
        let fade = super::RECORD;
        self.usual_high += (1.0 - fade) * 2.0 * (late.high.min(6.0) - self.usual_high);
        self.most_high = (self.most_high * fade).max(late.high.min(20.0));
        if late.judged {
            self.usual_low += (1.0 - fade) * 2.0 * (late.low.min(6.0) - self.usual_low);
            self.most_low = (self.most_low * fade).max(late.low.min(20.0));
        }
        // Days without a sale in a row, as odd as they were together: how
        // silent this series can be without anything being wrong.
        let silent = if late.judged && late.units <= 0.0 { late.low } else { 0.0 };
        self.silence = if silent > 0.0 { self.silence + silent } else { 0.0 };
        self.most_silent = (self.most_silent * fade).max(self.silence.min(20.0));
    }

    pub(super) fn expect(&self, cell: &Cell, weekday: usize, location_weekday: f64, pool: &Pool) -> Expected {
        let own = self.weekdays[weekday];
        let weekday = shrunk(own, location_weekday, 4.0).clamp(0.1, 5.0);
        let discount = if self.price > 0.0 && cell.price > 0.0 { 1.0 - cell.price / self.price } else { 0.0 };
        let offer_class = (usize::from(cell.promo), Pool::discount_class(discount));
        let offer = pool.offer(offer_class) * if cell.promo { self.promo.value().clamp(0.4, 3.0) } else { 1.0 };
        let hour_class = Pool::hour_class(cell);
        let hours = pool.hours(hour_class);
        let mean = (self.level * weekday * offer * hours).max(0.02);
        Expected { weekday, offer, hours, mean, discount, offer_class, hour_class }
    }

    /// Learns from a day, surprises cut down so that an exception does not become the usual at once. `units` are after that
    /// cut. `factor` is what the whole location did.
    pub(super) fn learn(&mut self, cell: &Cell, weekday: usize, expected: &Expected, factor: f64, units: f64, real: f64) {
        if cell.price > 0.0 {
            let usual = if self.price > 0.0 { self.price } else { cell.price };
            // The usual price is what is asked without an offer: up at once, down slowly.
            let pace = if cell.price > usual {
                0.3
            } else if cell.promo {
                0.01
            } else {
                0.04
            };
            self.price = usual + pace * (cell.price - usual);
        }
        // The price is on the shelf also where the goods are not; all else can not be learned from half a day.
        if cell.availability() <= 0.5 {
            return;
        }
        self.learned += 1;
        let others = (expected.weekday * expected.offer * factor * expected.hours).max(0.05);
        let now = units / others;
        let first = 1.0 / f64::from(self.learned + 1);
        // A young series takes its first days as they are: it has nothing to hold them against.
        if self.learned <= 10 {
            self.level += first.max(0.06) * (now - self.level);
            self.slow = self.level;
        } else {
            let now = now.clamp(0.0, self.level * 3.0 + 1.0);
            self.level += first.max(0.06) * (now - self.level);
            self.slow += first.max(0.02) * (now.min(self.slow * 3.0 + 1.0) - self.slow);
        }
        self.level = self.level.max(0.05);
        self.slow = self.slow.max(0.05);
        // A day's ratio without the effect that is to be learned from it.
        let undone = |by: f64| units / (self.level * others / by).max(0.05);
        let (day, promo) = (undone(expected.weekday), undone(if cell.promo { self.promo.value() } else { 1.0 }));
        self.weekdays[weekday].add(day.min(8.0), 1.0, 0.97);
        if cell.promo {
            self.promo.add(promo.min(6.0), 1.0, 0.97);
        }
        let mean = expected.mean * factor;
        let surprise = ((real - mean) * (real - mean) / mean.max(0.3)).min(16.0 * self.spread.max(1.0));
        self.spread += first.max(0.04) * (surprise - self.spread);
        self.spread = self.spread.max(1.02);
    }
}

/// `own` with `weight` units of the pool's value mixed in.
fn shrunk(own: Ratio, pool: f64, weight: f64) -> f64 {
    let mut mixed = own;
    mixed.add(pool * weight, weight, 1.0);
    mixed.value()
}
