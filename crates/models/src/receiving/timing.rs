//! When a line came: against the vendor's own days, the rest of its order, and what else came on the day.

use std::collections::VecDeque;

use super::company::{Company, Shared, Siblings};
use super::days::{Days, Share, Week};
use super::features::Features;
use super::ledger::{Entry, Ledger};
use super::observe::surprise;

/// Observations a wider group is worth beside a vendor's own days.
const DAYS_PRIOR: f64 = 4.0;

/// Receipts a wider group is worth beside a vendor's or a location's own days of the week.
const WEEK_PRIOR: f64 = 8.0;

/// Lines a vendor must have had before its own quantiles are asked.
const QUANTILES_FROM: f64 = 5.0;

/// Lines of a vendor that say what it does just now.
const RECENT: usize = 15;

/// Log-likelihood ratio by whether another line promised for about then is off by about as many days.
const ALIKE: f64 = 1.0;

/// Days beyond a vendor's habit by which a late or early receipt is taken for exceptional, least and most. A flat prior: under three
/// days nobody calls it so (tolerances are one and two), and any day of the month after is as likely as any other.
const BEYOND: (f64, f64) = (3.0, 31.0);

/// Weight of what else came to the place that day beside all else that company says. A line that comes by itself comes on a day of its
/// own; chosen on seeds 21-24 of the trial.
const DOCK_WEIGHT: f64 = 2.0;

/// Bounds of a chance that is counted: nothing is impossible, nothing is certain.
const CHANCE: (f64, f64) = (0.02, 0.5);

/// Habits of time, learnt so far.
pub(super) struct Timing<'a> {
    company: Company<'a>,
    days: Vec<Days>,
    days_pool: Days,
    /// Days of each vendor's last lines.
    recent: Vec<VecDeque<i32>>,
    week: Vec<Week>,
    week_location: Vec<Week>,
    week_pool: Week,
    /// How often a line comes on the same day as the known rest of its order, its route.
    together: [Share; 2],
    /// How often a line comes to a place together with another.
    docked: Share,
}

/// Everything that the ratios of days are made of, to tell one version from another.
pub(super) fn constants() -> String {
    format!("{DAYS_PRIOR} {WEEK_PRIOR} {QUANTILES_FROM} {RECENT} {ALIKE} {BEYOND:?} {DOCK_WEIGHT} {CHANCE:?}")
}

impl<'a> Timing<'a> {
    pub(super) fn new(ledger: &'a Ledger) -> Self {
        Timing {
            company: Company::new(ledger),
            days: vec![Days::default(); ledger.vendors],
            days_pool: Days::default(),
            recent: vec![VecDeque::new(); ledger.vendors],
            week: vec![Week::default(); ledger.vendors],
            week_location: vec![Week::default(); ledger.locations],
            week_pool: Week([5.0, 5.0, 5.0, 5.0, 5.0, 1.0, 1.0]),
            together: [Share { yes: 7.0, all: 10.0 }; 2],
            docked: Share { yes: 5.0, all: 10.0 },
        }
    }

    /// Tells of a line's days from promise to first receipt, announced delay taken off, as of day `now`.
    pub(super) fn look(&self, at: usize, entry: &Entry, days: i32, now: i32, f: &mut Features) {
        self.against_habit(entry, days, f);
        let Some(first) = entry.first() else { return };
        let company = self.against_company(at, entry, first, now, f);
        let beyond = |excess: f64| {
            let (least, most) = BEYOND;
            // Outside of that span the odds fall off bit by bit: a day more or less must not decide.
            let apart = if excess >= least { 0.0 } else { excess - least };
            let far = if excess > most { (most - excess) / most } else { 0.0 };
            apart + far - (most - least).ln()
        };
        f.late_odds = if days > 0 { beyond(f.days_over) + f.days_rare + company } else { 0.0 };
        f.early_odds = if days < 0 { beyond(f.days_under) + f.days_rare + company } else { 0.0 };
    }

    fn against_habit(&self, entry: &Entry, days: i32, f: &mut Features) {
        let vendor = &self.days[entry.vendor];
        f.days = f64::from(days);
        let pool = (self.days_pool.at_least(days, 0.05, 5.0), self.days_pool.at_most(days, 0.05, 5.0));
        let base = (vendor.at_least(days, pool.0, DAYS_PRIOR), vendor.at_most(days, pool.1, DAYS_PRIOR));
        (f.late_tail, f.early_tail) = (surprise(base.0), surprise(base.1));
        let recent = &self.recent[entry.vendor];
        let share = |as_odd: usize, base: f64| (as_odd as f64 + 2.0 * base) / (recent.len() as f64 + 2.0);
        f.recent_late = surprise(share(recent.iter().filter(|d| **d >= days).count(), base.0));
        f.recent_early = surprise(share(recent.iter().filter(|d| **d <= days).count(), base.1));
        // Quantiles of three lines are these three lines; until there are more, all vendors are asked.
        let group = if vendor.total() >= QUANTILES_FROM { vendor } else { &self.days_pool };
        let (low, middle, high) = (group.quantile(0.05), group.quantile(0.5), group.quantile(0.95));
        let (low, middle, high) = (low.unwrap_or(0), middle.unwrap_or(0), high.unwrap_or(0));
        f.days_over = f64::from(days - high.max(0));
        f.days_under = f64::from(low.min(0) - days);
        f.days_off = f64::from(days - middle);
        f.days_ratio = f.days_off / (3.0 + group.distance(middle));
        f.days_rare = -vendor.near(days, self.days_pool.near(days, 0.01, 1.0), DAYS_PRIOR).ln();
    }

    /// What company says, as a log-likelihood ratio: an exceptional line comes on another day than the rest of its order,
    /// only by chance on a day on which something else came, and on any day of the week alike.
    fn against_company(&self, at: usize, entry: &Entry, first: i32, now: i32, f: &mut Features) -> f64 {
        let week = self.week_pool.share(first, 1.0 / 7.0, 5.0);
        let own = self.week[entry.vendor].share(first, week, WEEK_PRIOR);
        let there = self.week_location[entry.location].share(first, week, WEEK_PRIOR);
        (f.weekday, f.weekday_location) = ((7.0 * own).ln(), (7.0 * there).ln());
        // Vendor's and place's weekdays are not independent, so their mean counts and not their product.
        let mut odds = -((own * there).sqrt() * 7.0).ln();

        let (order, route) = self.shipment(at, first, now);
        (f.order_known, f.order_same, f.order_open) = (order.known, order.same, order.open);
        (f.order_nearest, f.order_apart) = (order.nearest, order.apart);
        (f.route_known, f.route_same, f.route_nearest, f.route_apart) =
            (route.known, route.same, route.nearest, route.apart);
        let same_vendor = self.company.on_day(Shared::Vendor, at, first);
        // By chance an exceptional line comes with the rest of its order as often as anything of the vendor comes on a day.
        let by_chance = same_vendor.busy.clamp(CHANCE.0, CHANCE.1);
        for (group, share) in [order, route].into_iter().zip(self.together) {
            if group.known > 0.0 {
                let together = share.shrunk(0.7, 10.0);
                let (seen, chance) =
                    if group.same > 0.0 { (together, by_chance) } else { (1.0 - together, 1.0 - by_chance) };
                odds += (chance / seen).ln();
            }
        }

        let near = self.company.neighbours(at, first, now);
        (f.near_known, f.near_nearest, f.near_apart) = (near.known, near.nearest, near.apart);
        if near.known > 2.0 && f.days != 0.0 {
            // A vendor that is off its promise for a reason is so on several lines.
            odds += if near.nearest <= 1.0 + f.days.abs() / 10.0 { -ALIKE } else { ALIKE };
        }

        let dock = self.company.on_day(Shared::Location, at, first);
        (f.dock_others, f.dock_lift, f.dock_busy) = (dock.others, dock.others / (dock.before + 0.1), dock.busy);
        (f.vendor_others, f.vendor_lift) = (same_vendor.others, same_vendor.others / (same_vendor.before + 0.1));
        // At a dock where something comes every day company says nothing.
        let chance = dock.busy.clamp(0.02, 0.9);
        let docked = self.docked.shrunk(0.5, 10.0);
        let ratio = if dock.others > 0.0 { (chance / docked).min(1.0) } else { ((1.0 - chance) / (1.0 - docked)).max(1.0) };
        odds + DOCK_WEIGHT * ratio.ln()
    }

    /// The rest of its order, and of what other orders were to bring with it.
    fn shipment(&self, at: usize, first: i32, now: i32) -> (Siblings, Siblings) {
        (self.company.of_order(at, first, now), self.company.of_route(at, first, now))
    }

    /// Learns when a line came.
    pub(super) fn learn(&mut self, at: usize, entry: &Entry, days: i32, now: i32) {
        let Some(first) = entry.first() else { return };
        let (order, route) = self.shipment(at, first, now);
        for (share, group) in self.together.iter_mut().zip([order, route]) {
            if group.known > 0.0 {
                share.learn(group.same > 0.0);
            }
        }
        self.docked.learn(self.company.on_day(Shared::Location, at, first).others > 0.0);
        self.days[entry.vendor].learn(days);
        self.days_pool.learn(days);
        let recent = &mut self.recent[entry.vendor];
        recent.push_back(days);
        if recent.len() > RECENT {
            recent.pop_front();
        }
        for week in [&mut self.week[entry.vendor], &mut self.week_location[entry.location], &mut self.week_pool] {
            week.learn(first);
        }
    }
}
