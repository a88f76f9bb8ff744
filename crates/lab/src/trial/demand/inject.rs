//! Puts events into a panel.

use rand::seq::{SliceRandom, index};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Event, EventKind, Plan, Scope, Trial};
use crate::draw::{chance, pick, poisson, thinned, uniform};
use crate::trial::TrialError;
use reeve_models::demand::panel::{Cell, Panel, TRADING_HOURS};
use reeve_models::formulas::median;

/// Days that are looked at to tell what is usual, and the fewest open ones that do.
const LOOK_BACK: usize = 35;
const OPEN_MIN: usize = 14;
/// Free days that are kept on either side of an event.
const APART: usize = 4;
/// Days over which a drift comes to its full size.
const RAMP: f64 = 24.0;
/// Tries for each event that is wanted.
const TRIES: usize = 60;

/// Puts events into a panel as planned. The same panel, plan and seed give the same trial.
///
/// # Errors
/// The window must lie in the panel and be a week long at least, and there must be series.
pub fn inject(base: &Panel, plan: &Plan, seed: u64) -> Result<Trial, TrialError> {
    let days = base.days().len();
    if plan.window.end > days || plan.window.len() < 7 || base.keys().is_empty() {
        let what = "the window must lie within the panel's days and be a week long at least, and there must be series";
        return Err(TrialError::Plan(format!("{:?} of {days} days, {} series: {what}", plan.window, base.keys().len())));
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let before = drawn(base, plan.series_max, &mut rng)?;
    let cells = before.keys().len() * days;
    let mut work = Work {
        panel: before.clone(),
        before,
        days,
        from: plan.window.start,
        end: plan.window.end,
        busy: vec![false; cells],
        wide: vec![false; cells],
        events: Vec::new(),
        rng,
    };
    // What concerns many series comes first; events of one series look for room beside it.
    work.holidays(plan.holidays);
    work.closures(plan.closures);
    work.exceptions(plan);
    work.explained(EventKind::PromoLift, plan.promotions);
    work.explained(EventKind::KnownStockout, plan.stockouts);
    Ok(Trial { panel: work.panel, eval_from: plan.window.start, events: work.events, ks: plan.ks.clone() })
}

/// A panel of at most so many series, drawn by lot.
fn drawn(base: &Panel, series_max: usize, rng: &mut ChaCha8Rng) -> Result<Panel, TrialError> {
    let all = base.keys().len();
    if all <= series_max {
        return Ok(base.clone());
    }
    let mut chosen = index::sample(rng, all, series_max).into_vec();
    chosen.sort_unstable();
    let keys = chosen.iter().map(|at| base.keys()[*at].clone()).collect();
    let cells = chosen.iter().flat_map(|at| base.series(*at).iter().copied()).collect();
    Panel::new(base.days().to_vec(), keys, cells).map_err(|error| TrialError::Plan(error.to_string()))
}

/// What is usual for a series on a day: median, spread, mean and share of days without sales.
struct Usual {
    median: f64,
    spread: f64,
    mean: f64,
    zeros: f64,
}

struct Work {
    panel: Panel,
    before: Panel,
    days: usize,
    from: usize,
    end: usize,
    /// Cells of events of single series, and of events of all or of a location.
    busy: Vec<bool>,
    wide: Vec<bool>,
    events: Vec<Event>,
    rng: ChaCha8Rng,
}

impl Work {
    fn cell(&self, series: usize, day: usize) -> &Cell {
        &self.panel.series(series)[day]
    }

    fn sold(&self, series: usize, day: usize) -> f64 {
        f64::from(self.before.series(series)[day].units)
    }

    fn series(&self) -> usize {
        self.panel.keys().len()
    }

    fn is_wide(&self, series: usize, day: usize) -> bool {
        self.wide[series * self.days + day]
    }

    fn share(&self, day: usize, of: impl Fn(&Cell) -> bool) -> f64 {
        (0..self.series()).filter(|&series| of(self.cell(series, day))).count() as f64 / self.series() as f64
    }

    /// Ordinary week days on which the whole chain sells more or less than usual, with the flag set.
    fn holidays(&mut self, wanted: usize) {
        let mut days: Vec<usize> = (self.from + 3..self.end.saturating_sub(2))
            .filter(|&day| {
                // Weekends and days that are marked or mostly closed already are none that stand out by this alone.
                let weekday = self.panel.days()[day].weekday().to_monday_zero_offset();
                weekday < 5 && self.share(day, |cell| cell.holiday) < 0.05 && self.share(day, |cell| cell.open) > 0.6
            })
            .collect();
        days.shuffle(&mut self.rng);
        let mut used: Vec<usize> = Vec::new();
        for day in days {
            if used.len() >= wanted {
                break;
            }
            if used.iter().any(|other| other.abs_diff(day) < 8) {
                continue;
            }
            used.push(day);
            let factor = if chance(&mut self.rng, 0.65) {
                uniform(&mut self.rng, 1.5, 2.3)
            } else {
                uniform(&mut self.rng, 0.3, 0.55)
            };
            for series in 0..self.series() {
                let sold = self.sold(series, day);
                let cell = &mut self.panel.series_mut(series)[day];
                cell.holiday = true;
                if cell.open && factor > 1.0 {
                    cell.units = (sold + poisson(&mut self.rng, sold.max(0.3) * (factor - 1.0))) as f32;
                } else if cell.open {
                    cell.units = thinned(&mut self.rng, sold, factor) as f32;
                }
                self.wide[series * self.days + day] = true;
            }
            self.add(EventKind::Holiday, Scope::All, day, day, day, factor);
        }
    }

    /// Days on which a location is shut.
    fn closures(&mut self, wanted: usize) {
        let locations = self.panel.locations().iter().max().map_or(0, |last| last + 1);
        for _ in 0..wanted {
            let location = self.rng.gen_range(0..locations);
            let day = self.rng.gen_range(self.from + 2..self.end - 1);
            let of: Vec<usize> = (0..self.series()).filter(|&series| self.panel.locations()[series] == location).collect();
            let open = of.iter().filter(|&&series| self.cell(series, day).open).count();
            // A place that hardly any series is open at is shut already.
            if of.iter().any(|&series| self.is_wide(series, day)) || 2 * open < of.len() {
                continue;
            }
            for series in of {
                let cell = &mut self.panel.series_mut(series)[day];
                cell.units = 0.0;
                cell.open = false;
                self.wide[series * self.days + day] = true;
            }
            self.add(EventKind::Closure, Scope::Location(location), day, day, day, 0.0);
        }
    }

    fn exceptions(&mut self, plan: &Plan) {
        let total: f64 = plan.mix.iter().map(|(_, weight)| weight).sum();
        // What lasts comes first: it needs room.
        for lasting in [true, false] {
            let kinds: Vec<(EventKind, f64)> =
                plan.mix.iter().copied().filter(|(kind, _)| kind.lasts() == lasting).collect();
            let tries = |weight: f64| (weight / total * (plan.exceptions * TRIES) as f64).round() as usize;
            let mut order: Vec<EventKind> =
                kinds.iter().flat_map(|&(kind, weight)| std::iter::repeat_n(kind, tries(weight))).collect();
            order.shuffle(&mut self.rng);
            let mut left: Vec<(EventKind, usize)> = kinds
                .iter()
                .map(|&(kind, weight)| (kind, (weight / total * plan.exceptions as f64).round() as usize))
                .collect();
            for kind in order {
                let Some(left) = left.iter_mut().find(|(other, left)| *other == kind && *left > 0) else { continue };
                if self.try_exception(kind) {
                    left.1 -= 1;
                }
            }
        }
    }

    /// One try at a random place; says whether the event found room and shows.
    fn try_exception(&mut self, kind: EventKind) -> bool {
        use EventKind as K;
        let series = self.rng.gen_range(0..self.series());
        let day = self.rng.gen_range(self.from..self.end - if kind.lasts() { 6 } else { 1 });
        let Some(usual) = self.usual(series, day) else { return false };
        let length = match kind {
            K::Spike => 1 + usize::from(chance(&mut self.rng, 0.3)),
            K::Collapse => self.rng.gen_range(2..6),
            K::PhantomZero => self.rng.gen_range(3..11),
            K::UomMult | K::UomDiv => self.rng.gen_range(1..4),
            K::Duplicate => self.rng.gen_range(1..3),
            _ => usize::MAX,
        };
        let Some(cells) = self.room(series, day, length).filter(|cells| !kind.lasts() || cells.len() >= 5) else {
            return false;
        };
        // What does not show in such a series would be an exception that nobody could find.
        let small = match kind {
            K::Collapse | K::UomDiv | K::LevelDown | K::DriftDown | K::Duplicate => usual.median < 4.0 || usual.zeros > 0.25,
            K::PhantomZero => usual.mean * (cells.len() as f64) < 12.0,
            _ => usual.median < 2.0,
        };
        if small {
            return false;
        }
        let rng = &mut self.rng;
        let magnitude = match kind {
            K::Spike => (uniform(rng, 4.0, 10.0) * usual.spread).max(uniform(rng, 1.2, 3.5) * usual.mean),
            K::Collapse => uniform(rng, 0.0, 0.3),
            K::LevelUp | K::DriftUp => uniform(rng, 1.7, 3.0),
            K::LevelDown | K::DriftDown => uniform(rng, 0.15, 0.55),
            K::UomMult => pick(rng, &[6.0, 10.0, 12.0, 24.0]),
            K::UomDiv => 1.0 / pick(rng, &[6.0, 10.0, 12.0]),
            K::Duplicate => 2.0,
            _ => 0.0,
        };
        let mut units = Vec::with_capacity(cells.len());
        for (nth, &day) in cells.iter().enumerate() {
            let sold = f64::from(self.before.series(series)[day].units);
            let full = if matches!(kind, K::DriftUp | K::DriftDown) { ((nth + 1) as f64 / RAMP).min(1.0) } else { 1.0 };
            let rng = &mut self.rng;
            units.push(match kind {
                K::Spike => sold + poisson(rng, magnitude),
                K::Collapse => thinned(rng, sold, magnitude),
                K::LevelUp | K::DriftUp => sold + poisson(rng, sold.max(0.5 * usual.mean) * (magnitude - 1.0) * full),
                K::LevelDown | K::DriftDown => thinned(rng, sold, 1.0 - (1.0 - magnitude) * full),
                K::UomDiv => (sold * magnitude).floor(),
                K::UomMult | K::Duplicate => sold * magnitude,
                _ => 0.0,
            });
        }
        // What was drawn may change next to nothing, as a collapse does on days that hardly sold: that is no exception.
        let changed: f64 = cells.iter().zip(&units).map(|(&day, units)| (units - self.sold(series, day)).abs()).sum();
        if changed < (1.5 * usual.spread).max(3.0) {
            return false;
        }
        for (&day, units) in cells.iter().zip(units) {
            let cell = &mut self.panel.series_mut(series)[day];
            cell.units = units as f32;
            // The records claim stock on these days: with the shortage told, the zero would be explained.
            if kind == K::PhantomZero {
                cell.stockout_hours = 0.0;
            }
        }
        let last = cells[cells.len() - 1];
        // That a level has moved is known after some days only: an alarm within two weeks, of a drift within four, is in
        // time.
        let detect_until = match kind {
            K::LevelUp | K::LevelDown => (day + 13).min(self.end - 1),
            K::DriftUp | K::DriftDown => (day + 27).min(self.end - 1),
            _ => last,
        };
        self.add(kind, Scope::Series(series), day, last, detect_until, magnitude);
        true
    }

    /// Events of single series with a reason on record.
    fn explained(&mut self, kind: EventKind, wanted: usize) {
        let (mut got, mut tries) = (0, 0);
        while got < wanted && tries < wanted * TRIES {
            tries += 1;
            got += usize::from(self.try_explained(kind));
        }
    }

    fn try_explained(&mut self, kind: EventKind) -> bool {
        let promotion = kind == EventKind::PromoLift;
        let series = self.rng.gen_range(0..self.series());
        let day = self.rng.gen_range(self.from..self.end - 3);
        let length = if promotion { self.rng.gen_range(3..8) } else { self.rng.gen_range(2..6) };
        let Some(usual) = self.usual(series, day).filter(|usual| usual.median >= 2.0) else { return false };
        let Some(cells) = self.room(series, day, length) else { return false };
        let last = cells[cells.len() - 1];
        let mut magnitude = 0.0;
        if promotion {
            // A promotion that is there already would explain these days by itself.
            if self.panel.series(series)[day.saturating_sub(7)..=last].iter().any(|cell| cell.promo) {
                return false;
            }
            magnitude = uniform(&mut self.rng, 1.6, 4.0);
            let price = uniform(&mut self.rng, 0.68, 0.9) as f32;
            for (nth, &day) in cells.iter().enumerate() {
                // A promotion pulls most on its first days.
                let (sold, fading) = (self.sold(series, day), 0.5 + 0.5 * (-(nth as f64) / 3.0).exp());
                let more = poisson(&mut self.rng, sold.max(0.5 * usual.mean) * (magnitude - 1.0) * fading);
                let cell = &mut self.panel.series_mut(series)[day];
                *cell = Cell {
                    units: (sold + more) as f32,
                    promo: true,
                    price: (cell.price * price * 100.0).round() / 100.0,
                    ..*cell
                };
            }
        } else {
            for &day in &cells {
                let sold = self.sold(series, day);
                // The hours without stock are told with it, and they are what explains the missing sales.
                let left = thinned(&mut self.rng, sold, 0.05);
                let cell = &mut self.panel.series_mut(series)[day];
                *cell = Cell { units: left as f32, stockout_hours: TRADING_HOURS, ..*cell };
            }
        }
        self.add(kind, Scope::Series(series), day, last, last, magnitude);
        true
    }

    /// What is usual before a day on which the series is open.
    fn usual(&self, series: usize, day: usize) -> Option<Usual> {
        if !self.cell(series, day).open {
            return None;
        }
        let open = (day.saturating_sub(LOOK_BACK)..day).filter(|&day| self.cell(series, day).open);
        let sold: Vec<f64> = open.map(|day| self.sold(series, day)).collect();
        if sold.len() < OPEN_MIN {
            return None;
        }
        let middle = median(&sold)?;
        let apart: Vec<f64> = sold.iter().map(|units| (units - middle).abs()).collect();
        let spread = (1.4826 * median(&apart)?).max(0.35 * middle.max(0.5).sqrt()).max(0.5);
        let (count, mean) = (sold.len() as f64, sold.iter().sum::<f64>() / sold.len() as f64);
        let zeros = sold.iter().filter(|units| **units <= 0.0).count() as f64 / count;
        Some(Usual { median: middle, spread, mean, zeros })
    }

    /// The next `length` open days from `day` on, or all to the end when that many are asked for that there can not be;
    /// none when the first is not `day` or another event is near.
    fn room(&self, series: usize, day: usize, length: usize) -> Option<Vec<usize>> {
        let free = |&day: &usize| self.cell(series, day).open && !self.is_wide(series, day);
        let cells: Vec<usize> = (day..self.end).filter(free).take(length).collect();
        if cells.first() != Some(&day) || (length < usize::MAX && cells.len() < length) {
            return None;
        }
        let (last, row) = (cells[cells.len() - 1], series * self.days);
        let near = row + day.saturating_sub(APART)..row + (last + APART + 1).min(self.days);
        let wide = row + day..row + (day + 2).min(self.days);
        (!self.busy[near].contains(&true) && !self.wide[wide].contains(&true)).then_some(cells)
    }

    fn add(&mut self, kind: EventKind, scope: Scope, from: usize, to: usize, detect_until: usize, magnitude: f64) {
        let mut impact = 0.0;
        if let Scope::Series(series) = scope {
            self.busy[series * self.days + from..=series * self.days + to].fill(true);
            impact = (from..=to).map(|day| (f64::from(self.cell(series, day).units) - self.sold(series, day)).abs()).sum();
        }
        self.events.push(Event { kind, scope, from, to, detect_until, magnitude, impact });
    }
}
