//! One pass over an item: the series of all places that carry it are scored together, what others need of them is taken, and
//! the scores are dropped. So memory holds the histories of the items in work, not of all.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::gather::{Overview, hash_of};
use super::panel::{self, Cells};
use super::promotion::Promoted;
use super::roots::{self, Awaits};
use super::rows::{Draw, Rows};
use super::series::{Bulk, Ground};
use super::tail::{LAST_SCORES, Row, Tail};
use super::{announced, bulk, censored, channel, ending, excess, forecast, fulfil, lots, policy, shortage, stock};
use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::plus_days;
use reeve_domain::exception::Signal;
use reeve_domain::ids::ItemId;
use reeve_domain::record::SaleLine;
use reeve_models::demand::{DayScore, DemandParams, Series, score_days_of, score_series};

/// A place whose demand is scored.
pub(super) struct Scored {
    pub(super) place: Place,
    pub(super) series: Series,
    pub(super) scores: Vec<DayScore>,
    running: Option<DayScore>,
    bulk: BTreeMap<Date, Bulk>,
}

/// What is kept of items once they were looked at, in the order of items.
#[derive(Default)]
pub(super) struct Kept {
    /// The ends of the series of which something may be said, by place.
    pub(super) tails: BTreeMap<Place, Tail>,
    /// What the forest learns from, place after place, oldest day first.
    pub(super) rows: Rows,
    /// What the trained detector sees, by place.
    pub(super) cells: Vec<Cells>,
    /// What is expected to be wanted.
    pub(super) outlook: Outlook,
    /// What promotions have to say.
    pub(super) promotions: Vec<Signal>,
    /// What else was seen of each item.
    pub(super) items: BTreeMap<ItemId, OfItem>,
}

/// What was seen of an item beside its demand.
#[derive(Clone, Debug, Default)]
pub(super) struct OfItem {
    /// What the stock, the projections, announced dates and channels have to say.
    pub(super) stock: Vec<Signal>,
    pub(super) shortages: Vec<Signal>,
    pub(super) delays: Vec<Signal>,
    pub(super) channels: Vec<Signal>,
    /// What its levels, lots and rules have to say: too much, too old, ordered by a wrong rule.
    pub(super) policy: Vec<Signal>,
    /// What customers' orders that wait have to say.
    pub(super) waiting: Vec<Signal>,
    /// What the places that are short wait for.
    pub(super) awaits: Vec<(Place, Awaits)>,
    /// The lines of orders that are probably one order entered twice.
    pub(super) twinned: Vec<SaleLine>,
}

impl OfItem {
    fn is_empty(&self) -> bool {
        let Self { stock, shortages, delays, channels, policy, waiting, awaits, twinned } = self;
        [stock, shortages, delays, channels, policy, waiting].into_iter().all(Vec::is_empty)
            && awaits.is_empty()
            && twinned.is_empty()
    }
}

impl Kept {
    /// Adds what was kept of items that come after these.
    pub(super) fn append(&mut self, mut other: Self) {
        // One by one: appending a map to a map goes through both of them whole.
        self.tails.extend(other.tails);
        self.rows.append(other.rows);
        self.cells.append(&mut other.cells);
        self.outlook.append(other.outlook);
        self.promotions.append(&mut other.promotions);
        self.items.extend(other.items);
    }
}

/// Scores a series to its last day and, where enough was sold, the day that still runs. Judged are its end, and the days that the
/// forest learns from, by number.
fn score(
    series: &Series,
    with_running_day: Option<Series>,
    params: &DemandParams,
    is_learned: impl Fn(usize) -> bool,
) -> (Vec<DayScore>, Option<DayScore>) {
    let end = series.units.len().saturating_sub(LAST_SCORES);
    let judged = |day: usize| day >= end || is_learned(day);
    // What a day comes to does not hang on later ones, so one pass serves both.
    match with_running_day {
        Some(longer) => {
            let mut scores = score_days_of(&longer, params, judged);
            let running = scores.pop();
            (scores, running)
        }
        None => (score_days_of(series, params, judged), None),
    }
}

/// The scores of one place, read off the book anew.
pub(super) fn scores_of(ground: &Ground<'_>, place: &Place, params: &DemandParams) -> Vec<DayScore> {
    let shelf = ground.book.shelf(&place.0, &place.1, ground.first);
    let (series, _) = ground.series(place, &shelf);
    if is_wanted(&series) { score_series(&series, params) } else { Vec::new() }
}

fn is_wanted(series: &Series) -> bool {
    series.units.iter().any(|units| *units > 0.0)
}

/// What items are looked at with.
pub(super) struct With<'b> {
    pub(super) settings: &'b Settings,
    pub(super) overview: &'b Overview,
    /// Absent in a book without any day.
    pub(super) ground: Option<Ground<'b>>,
    pub(super) params: DemandParams,
    /// The days of the trained detector's panel.
    pub(super) days: Vec<Date>,
}

/// Looks at an item at all places that carry it.
pub(super) fn look_at(book: &Book, with: &With<'_>, item: &ItemId) -> Kept {
    let With { settings, overview, .. } = with;
    let rows = Rows::of_so_many(overview.places * with.days.len());
    let mut kept = Kept { rows, ..Kept::default() };
    if let Some(ground) = &with.ground {
        let places: Vec<Place> = book.carriers_of(item).into_iter().map(|location| (item.clone(), location)).collect();
        score_all(&mut kept, book, with, ground, &places);
    }
    let shortages = shortage::signals_of(book, settings, &kept.outlook, item);
    let own = |line: &&SaleLine| overview.twinned.contains(&hash_of(&line.order_id));
    // Orders cross items, so whether one is there twice is known from
    // the pass before; here only its lines are picked up.
    let lines = if overview.twinned.is_empty() { Vec::new() } else { book.sales_of(item) };
    let mut policy = lots::signals_of(book, settings, &kept.outlook, item);
    policy.extend(excess::signals_of(book, settings, &kept.outlook, item));
    policy.extend(policy::signals_of(book, settings, overview, &kept.outlook, item));
    policy.extend(ending::signals_of(book, settings, item));
    policy.extend(censored::signals_of(book, settings, &kept.outlook, item));
    let mut waiting = fulfil::signals_of(book, settings, &kept.outlook, item);
    waiting.extend(bulk::signals_of(book, settings, &kept.outlook, item));
    let seen = OfItem {
        policy,
        waiting,
        stock: stock::signals_of(book, settings, overview, item),
        awaits: shortages.iter().filter_map(|signal| roots::awaits(book, &kept.outlook, signal)).collect(),
        shortages,
        delays: announced::delays_of(book, settings, &kept.outlook, item),
        channels: channel::signals_of(book, settings, &kept.outlook, item),
        twinned: lines.into_iter().filter(own).cloned().collect(),
    };
    if !seen.is_empty() {
        kept.items.insert(item.clone(), seen);
    }
    kept
}

/// Scores the series of an item at all places that carry it.
fn score_all(kept: &mut Kept, book: &Book, with: &With<'_>, ground: &Ground<'_>, places: &[Place]) {
    let With { settings, overview, params, days, .. } = with;
    let mut scored: Vec<Scored> = Vec::with_capacity(places.len());
    for place in places {
        let shelf = book.shelf(&place.0, &place.1, ground.first);
        let (series, bulk) = ground.series(place, &shelf);
        kept.cells.extend(panel::cells(ground, place, &shelf, &series.promo, days));
        if is_wanted(&series) {
            let longer = ground.with_running_day(place, &shelf, &series);
            let draw = Draw::of(place);
            let is_learned = |day: usize| kept.rows.take(&draw, plus_days(series.first, day as i32));
            let (scores, running) = score(&series, longer, params, is_learned);
            scored.push(Scored { place: place.clone(), series, scores, running, bulk });
        } else {
            // It was never wanted there: nothing is expected, and nothing that it does is odd.
            forecast::of_unsold(&mut kept.outlook, place);
        }
    }
    let Some(item) = places.first().map(|place| &place.0) else { return };
    let promoted = Promoted::of(book, settings, item, &scored);
    // Asked once all places of the item are scored: each is judged beside the others.
    let neighbours = Neighbours::of(book, &scored);
    for (own, Scored { place, scores, running, bulk, .. }) in scored.iter().enumerate() {
        let row = |at: usize| Some(row(scores.get(at)?, neighbours.ratio(own, at)));
        let draw = Draw::of(place);
        // A day is never judged by a forest that has seen it.
        let (known, warm) = (scores.len().saturating_sub(2), settings.detect.warmup_days as usize);
        for (at, score) in scores.iter().enumerate().take(known).skip(warm) {
            if !score.promo
                && !score.censored
                && kept.rows.take(&draw, score.day)
                && let Some(row) = row(at)
            {
                kept.rows.push(&draw, score.day, row);
            }
        }
        let elsewhere = scores.len().checked_sub(1).and_then(|at| neighbours.ratio(own, at));
        let on_hand = book.on_hand(&place.0, &place.1);
        let tail = Tail::of(scores, running.clone(), elsewhere, bulk.clone(), on_hand, row);
        forecast::of_tail(&mut kept.outlook, (book, settings, overview), place, &tail, &promoted.ratios);
        let sellable = book.items.get(item).is_some_and(|item| item.sellable);
        // Of a large shop most series have nothing to say; what is not
        // kept costs no memory until all items have been seen.
        if !sellable || tail.may_speak(&settings.detect) {
            kept.tails.insert(place.clone(), tail);
        }
    }
    kept.promotions = promoted.signals;
}

/// What the forest and the judges see of a day.
fn row(score: &DayScore, elsewhere: Option<f64>) -> Row {
    let surprise = |p: f64| -p.max(1e-12).log10();
    [
        surprise(score.p_high),
        surprise(score.p_low_run),
        surprise(score.p_high_run),
        surprise(score.p_zero_run),
        score.shift.as_ref().map_or(0.0, |s| surprise(s.p)),
        score.tracking_signal,
        ((score.actual + 1.0) / (score.expected + 1.0)).ln(),
        elsewhere.unwrap_or(0.0),
    ]
}

/// What an item sold, and should have sold, at each place by day: packed, for every day of every place asks all others.
struct Neighbours<'b> {
    /// Whose each place is, where the ERP tells.
    companies: Vec<Option<&'b str>>,
    days: Vec<Vec<(f64, f64)>>,
}

impl<'b> Neighbours<'b> {
    fn of(book: &'b Book, scored: &[Scored]) -> Self {
        let sold = |scored: &Scored| scored.scores.iter().map(|s| (s.actual, s.expected)).collect();
        Self {
            companies: scored.iter().map(|scored| book.company_of(&scored.place.1)).collect(),
            days: scored.iter().map(sold).collect(),
        }
    }

    /// How the item sold at the company's other places on a day: ln of actual by expected. None where it is sold at no other.
    fn ratio(&self, own: usize, at: usize) -> Option<f64> {
        let (mut actual, mut expected, mut others) = (0.0, 0.0, false);
        for (other, days) in self.days.iter().enumerate() {
            if let Some((sold, usual)) = days.get(at)
                && other != own
                && self.companies[other] == self.companies[own]
            {
                others = true;
                actual += sold;
                expected += usual;
            }
        }
        others.then(|| ((actual + 1.0) / (expected + 1.0_f64)).ln())
    }
}
