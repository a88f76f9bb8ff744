//! Walks through the lines in the order they are complete: looks at each with what is known by then, then learns it.
//!
//! What a notice explains is taken off before anything is judged or learnt.

use std::collections::{BTreeMap, VecDeque};

use super::company::{Company, Shared};
use super::features::Features;
use super::habit::{Days, Grid, OneSided, TwoSided, Verdict};
use super::records::{Entry, Ledger};

/// Smallest step of a price: the fourth decimal, with a little room for two roundings.
const PRICE_STEP: f64 = 1.2e-4;

/// Observations a wider group is worth beside a vendor's own days.
const DAYS_PRIOR: f64 = 4.0;

/// Days by which an announced delay is only roughly so.
const ANNOUNCED_ABOUT: i32 = 4;

/// Lines of a vendor that say what it does just now.
const RECENT: usize = 15;

/// Least probability that is told from nothing.
const TAIL_MIN: f64 = 1e-9;

/// A count of yes and no, shrunk to a pool's.
#[derive(Clone, Copy, Default)]
struct Share {
    yes: f64,
    all: f64,
}

impl Share {
    fn learn(&mut self, yes: bool) {
        self.yes += f64::from(yes);
        self.all += 1.0;
    }

    fn shrunk(self, base: f64, prior: f64) -> f64 {
        (self.yes + prior * base) / (self.all + prior)
    }
}

/// Receipts by day of the week.
#[derive(Clone, Copy, Default)]
struct Week([f64; 7]);

impl Week {
    fn share(&self, day: i32, base: f64, prior: f64) -> f64 {
        (self.0[weekday(day)] + prior * base) / (self.0.iter().sum::<f64>() + prior)
    }
}

fn weekday(day: i32) -> usize {
    usize::try_from(day.rem_euclid(7)).expect("a remainder by 7 is from 0 to 6")
}

/// Everything learnt so far.
pub(super) struct Observer<'a> {
    ledger: &'a Ledger,
    company: Company<'a>,
    shorts: Grid,
    overs: Grid,
    prices: Grid,
    /// Log-odds, by vendor, that it bills what was ordered.
    by_order: Vec<f64>,
    days: Vec<Days>,
    days_location: Vec<Days>,
    days_item: Vec<Days>,
    days_mode: Vec<Days>,
    days_pool: Days,
    /// By vendor and location.
    days_pair: BTreeMap<(usize, usize), Days>,
    /// Days of each vendor's last lines.
    recent: Vec<VecDeque<i32>>,
    week: Vec<Week>,
    week_location: Vec<Week>,
    week_pool: Week,
    split: Vec<Share>,
    split_pool: Share,
    /// How often a line comes on the same day as the known rest of its order, its route.
    together: [Share; 2],
    /// How often a line comes to a place together with another.
    docked: Share,
}

/// A line with what notices explain taken off.
struct Explained {
    /// Received, less the bonus.
    received: f64,
    /// Days from promise to first receipt, less the delay announced.
    days: i32,
    /// Billed price over agreed price, less the change agreed; 1 without a bill.
    price: f64,
    /// Smallest step of that price, as a share of it.
    step: f64,
}

fn explained(entry: &Entry, now: i32) -> Explained {
    let raw = entry.received();
    let bonus = (entry.quantity * entry.bonus_notice).floor().max(0.0);
    let with_bonus = bonus > 0.0 && (raw - bonus - entry.quantity).abs() < (raw - entry.quantity).abs();
    let first = entry.first().unwrap_or(now.max(entry.promised));
    let mut days = first - entry.promised;
    #[expect(clippy::cast_possible_truncation, reason = "a float is cut to the range of the integer")]
    let announced = entry.delay_notice.round() as i32;
    if announced > 0 && days.saturating_sub(announced).abs() < days.abs() {
        let off = days - announced;
        days = off.signum() * (off.abs() - ANNOUNCED_ABOUT).max(0);
    }
    let agreed = entry.price * (1.0 + entry.price_notice.max(-0.99));
    let billed = entry.billed.map_or(agreed, |(_, price)| price);
    Explained {
        received: if with_bonus { raw - bonus } else { raw },
        days,
        price: (billed.max(agreed * 1e-3) / agreed).ln(),
        step: PRICE_STEP / agreed.max(PRICE_STEP),
    }
}

fn surprise(probability: f64) -> f64 {
    -probability.max(TAIL_MIN).log10()
}

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
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
            company: Company::new(ledger),
            shorts: Grid::new(OneSided::CELLS, ledger.vendors),
            overs: Grid::new(OneSided::CELLS, ledger.vendors),
            prices: Grid::new(TwoSided::CELLS, ledger.vendors),
            by_order: vec![0.0; ledger.vendors],
            days: vec![Days::default(); ledger.vendors],
            days_location: vec![Days::default(); ledger.locations],
            days_item: vec![Days::default(); ledger.items],
            days_mode: vec![Days::default(); ledger.modes],
            days_pool: Days::default(),
            days_pair: BTreeMap::new(),
            recent: vec![VecDeque::new(); ledger.vendors],
            week: vec![Week::default(); ledger.vendors],
            week_location: vec![Week::default(); ledger.locations],
            week_pool: Week([5.0, 5.0, 5.0, 5.0, 5.0, 1.0, 1.0]),
            split: vec![Share::default(); ledger.vendors],
            split_pool: Share { yes: 1.0, all: 5.0 },
            together: [Share { yes: 7.0, all: 10.0 }; 2],
            docked: Share { yes: 5.0, all: 10.0 },
        }
    }

    /// The features of a line, with what was known on the day it was complete.
    pub(super) fn look(&self, at: usize) -> Features {
        let entry = &self.ledger.entries[at];
        let now = entry.complete.unwrap_or(entry.promised);
        let line = explained(entry, now);
        let mut f = Features {
            delay_notice: f64::from(entry.delay_notice != 0.0),
            price_notice: f64::from(entry.price_notice != 0.0),
            bonus_notice: f64::from(entry.bonus_notice != 0.0),
            seen: self.days[entry.vendor].total().ln_1p(),
            ..Features::default()
        };
        let short = self.quantity(entry, &line, &mut f);
        self.billing(entry, &line, short, &mut f);
        self.price(entry, &line, &mut f);
        self.punctuality(at, entry, &line, now, &mut f);
        self.parts(entry, &line, &mut f);
        f
    }

    fn quantity(&self, entry: &Entry, line: &Explained, f: &mut Features) -> Verdict {
        let unit = 1.0 / entry.quantity;
        let off = line.received / entry.quantity - 1.0;
        (f.short, f.over) = ((-off).max(0.0), off.max(0.0));
        f.units_off = (line.received - entry.quantity).abs().ln_1p();
        f.received_ordered = ((line.received + 0.5) / (entry.quantity + 0.5)).ln();
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
        let by_order = sigmoid(self.by_order[entry.vendor] + logit(0.25));
        f.by_order = by_order;
        let Some((billed, _)) = entry.billed else { return };
        f.billed_received = ((billed + 0.5) / (line.received + 0.5)).ln();
        f.billed_ordered = ((billed + 0.5) / (entry.quantity + 0.5)).ln();
        let unit = 1.0 / entry.quantity;
        let more = (billed - line.received) / entry.quantity;
        if more > unit / 2.0 {
            // Usual only where less came than ordered and the vendor bills what was ordered.
            let usual = if (billed - entry.quantity).abs() < 0.5 { by_order } else { 0.0 };
            f.unreceived_tail = surprise(usual * short.tail + 0.002);
            f.unreceived_odds = odds(more, unit, usual * short.mass);
        }
        if f.short > unit / 2.0 {
            let as_ordered = (billed - entry.quantity).abs() < 0.5;
            f.billing_odds = -(if as_ordered { by_order } else { 1.0 - by_order }).max(0.01).ln();
        }
    }

    fn price(&self, entry: &Entry, line: &Explained, f: &mut Features) {
        let weights = self.prices.weights(entry.vendor);
        let size = line.price.abs();
        let verdict = TwoSided::verdict(&weights, size, line.step);
        f.price = line.price;
        f.price_tail = surprise(verdict.tail);
        f.price_odds = if size <= line.step { 0.0 } else { odds(size, line.step, verdict.mass) };
        f.price_ratio = line.price / (verdict.spread + line.step);
        f.price_spread = verdict.spread;
        f.price_exact = weights[0];
    }

    fn punctuality(&self, at: usize, entry: &Entry, line: &Explained, now: i32, f: &mut Features) {
        let days = line.days;
        let vendor = &self.days[entry.vendor];
        f.days = f64::from(days);
        let pool = (self.days_pool.at_least(days, 0.05, 5.0), self.days_pool.at_most(days, 0.05, 5.0));
        let tails = |group: &Days| {
            (surprise(group.at_least(days, pool.0, DAYS_PRIOR)), surprise(group.at_most(days, pool.1, DAYS_PRIOR)))
        };
        (f.late_tail, f.early_tail) = tails(vendor);
        (f.location_late, f.location_early) = tails(&self.days_location[entry.location]);
        (f.item_late, f.item_early) = tails(&self.days_item[entry.item]);
        (f.mode_late, f.mode_early) = tails(&self.days_mode[entry.mode]);
        let none = Days::default();
        let pair = self.days_pair.get(&(entry.vendor, entry.location)).unwrap_or(&none);
        let base = (vendor.at_least(days, pool.0, DAYS_PRIOR), vendor.at_most(days, pool.1, DAYS_PRIOR));
        f.pair_late = surprise(pair.at_least(days, base.0, DAYS_PRIOR));
        f.pair_early = surprise(pair.at_most(days, base.1, DAYS_PRIOR));
        let recent = &self.recent[entry.vendor];
        let share = |as_odd: usize, base: f64| (as_odd as f64 + 2.0 * base) / (recent.len() as f64 + 2.0);
        f.recent_late = surprise(share(recent.iter().filter(|d| **d >= days).count(), base.0));
        f.recent_early = surprise(share(recent.iter().filter(|d| **d <= days).count(), base.1));
        let group = if vendor.total() >= 5.0 { vendor } else { &self.days_pool };
        let (low, middle, high) = (group.quantile(0.05), group.quantile(0.5), group.quantile(0.95));
        let (low, middle, high) = (low.unwrap_or(0), middle.unwrap_or(0), high.unwrap_or(0));
        f.days_latest = f64::from(days - group.quantile(1.0).unwrap_or(0).max(0));
        f.days_earliest = f64::from(group.quantile(0.0).unwrap_or(0).min(0) - days);
        f.days_over = f64::from(days - high.max(0));
        f.days_under = f64::from(low.min(0) - days);
        f.days_off = f64::from(days - middle);
        f.days_ratio = f.days_off / (3.0 + group.distance(middle));
        let near = vendor.near(days, self.days_pool.near(days, 0.01, 1.0), DAYS_PRIOR);
        f.days_rare = -near.ln();

        let Some(first) = entry.first() else { return };
        let week = self.week_pool.share(first, 1.0 / 7.0, 5.0);
        let own_week = self.week[entry.vendor].share(first, week, 8.0);
        let there = self.week_location[entry.location].share(first, week, 8.0);
        (f.weekday, f.weekday_location) = ((7.0 * own_week).ln(), (7.0 * there).ln());
        let order = self.company.of_order(at, first, now);
        let route = self.company.of_route(at, first, now);
        let near_lines = self.company.neighbours(at, first, now);
        (f.order_known, f.order_same, f.order_open) = (order.known, order.same, order.open);
        (f.order_nearest, f.order_apart) = (order.nearest, order.apart);
        (f.route_known, f.route_same, f.route_nearest, f.route_apart) =
            (route.known, route.same, route.nearest, route.apart);
        (f.near_known, f.near_nearest, f.near_apart) = (near_lines.known, near_lines.nearest, near_lines.apart);
        let dock = self.company.on_day(Shared::Location, at, first);
        (f.dock_others, f.dock_lift, f.dock_busy) = (dock.others, dock.others / (dock.before + 0.1), dock.busy);
        let same_vendor = self.company.on_day(Shared::Vendor, at, first);
        (f.vendor_others, f.vendor_lift) = (same_vendor.others, same_vendor.others / (same_vendor.before + 0.1));
        f.order_others = self.company.on_day(Shared::Order, at, first).others;
        f.item_others = self.company.on_day(Shared::Item, at, first).others;

        // What company says: an exceptional line comes on another day than the rest of its order, by chance on a day on
        // which nothing else came, and on any day of the week alike.
        let mut company = -((own_week * there).sqrt() * 7.0).ln();
        for (group, share) in [order, route].into_iter().zip(self.together) {
            if group.known > 0.0 {
                let together = share.shrunk(0.7, 10.0);
                company += if group.same > 0.0 { (0.05 / together).ln() } else { (0.95 / (1.0 - together)).ln() };
            }
        }
        let chance = dock.busy.clamp(0.02, 0.9);
        let docked = self.docked.shrunk(0.5, 10.0);
        company += if dock.others > 0.0 {
            (chance / docked).min(1.0).ln()
        } else {
            ((1.0 - chance) / (1.0 - docked)).max(1.0).ln()
        };
        let beyond = |excess: f64, least: f64, most: f64| {
            let apart = if excess >= least { 0.0 } else { excess - least };
            let far = if excess > most { (most - excess) / most } else { 0.0 };
            (1.0 / (most - least)).ln() + apart + far
        };
        f.late_odds = if days > 0 { beyond(f.days_over, 4.0, 32.0) - near.ln() + company } else { 0.0 };
        f.early_odds = if days < 0 { beyond(f.days_under, 5.0, 26.0) - near.ln() + company } else { 0.0 };
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
        let ratio = line.received / entry.quantity;
        let packs = [entry.pack, 12.0, 10.0, 100.0, 1000.0];
        let steps = packs.into_iter().filter(|pack| *pack >= 2.0).flat_map(|pack| [pack, 1.0 / pack]);
        // Whole units are as near as can be, or 1 % of the quantity (the catalogue's bound).
        let near =
            steps.map(|step| (ratio - step).abs() / (0.01 * step + 0.5 / entry.quantity)).fold(f64::INFINITY, f64::min);
        let outside = !(0.6..=1.7).contains(&ratio) && line.received > 0.0;
        f.unit_odds = if outside { 6.0 - near.min(1e3).ln_1p() } else { 0.0 };
    }

    /// Learns a line.
    pub(super) fn learn(&mut self, at: usize) {
        let entry = &self.ledger.entries[at];
        let now = entry.complete.unwrap_or(entry.promised);
        let line = explained(entry, now);
        let unit = 1.0 / entry.quantity;
        let off = line.received / entry.quantity - 1.0;
        let vendor = entry.vendor;
        if !entry.parts.is_empty() && off.abs() < 0.6 {
            self.shorts.learn(vendor, &OneSided::likelihood((-off).max(0.0), unit));
            if off > -unit / 2.0 {
                self.overs.learn(vendor, &OneSided::likelihood(off.max(0.0), unit));
            }
        }
        if let Some((billed, _)) = entry.billed {
            self.prices.learn(vendor, &TwoSided::likelihood(line.price.abs(), line.step));
            if off < -unit / 2.0 && off > -0.6 {
                let step = if (billed - entry.quantity).abs() < 0.5 { 2.0 } else { -2.0 };
                self.by_order[vendor] = (self.by_order[vendor] + step).clamp(-6.0, 6.0);
            }
        }
        let Some(first) = entry.first() else { return };
        let alone = self.company.of_order(at, first, now);
        let route = self.company.of_route(at, first, now);
        for (share, group) in self.together.iter_mut().zip([alone, route]) {
            if group.known > 0.0 {
                share.learn(group.same > 0.0);
            }
        }
        self.docked.learn(self.company.on_day(Shared::Location, at, first).others > 0.0);
        let groups = [&mut self.days[vendor], &mut self.days_location[entry.location], &mut self.days_item[entry.item]];
        for days in groups.into_iter().chain([&mut self.days_mode[entry.mode], &mut self.days_pool]) {
            days.learn(line.days);
        }
        self.days_pair.entry((vendor, entry.location)).or_default().learn(line.days);
        let recent = &mut self.recent[vendor];
        recent.push_back(line.days);
        if recent.len() > RECENT {
            recent.pop_front();
        }
        for week in [&mut self.week[vendor], &mut self.week_location[entry.location], &mut self.week_pool] {
            week.0[weekday(first)] += 1.0;
        }
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
        found.push((at, observer.look(at)));
        observer.learn(at);
    }
    found
}
