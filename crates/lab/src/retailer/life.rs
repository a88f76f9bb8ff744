//! An item's life: each day goods come, stores are filled from the distribution centre, customers buy what is there, and what has
//! run low is ordered. Stock is counted throughout, so what is told of it adds up.

use rand_chacha::ChaCha8Rng;

use super::injected::{IntoSeries, Plan};
use super::statistics::WEEK;
use super::supply::{CYCLE, OrderDay};
use super::{Draws, Retailer};

/// Days between two fillings of a store, and what its shelf holds beyond them and the lead time.
const FILL_DAYS: i32 = 7;
const SPARE_DAYS: f64 = 3.0;
/// Deviations of the demand of that time that are kept beyond its mean.
const SAFETY: f64 = 2.0;
/// Days of its own demand that the distribution centre keeps back.
const KEPT_DAYS: f64 = 4.0;
/// Days beyond the next order's arrival that an order covers.
const COVER_DAYS: i32 = 10;
/// How many times the usual an injected spike sells, and units that it has at least.
const SPIKE_TIMES: f64 = 6.0;
const SPIKE_UNITS: f64 = 12.0;
/// Days of demand that injected low stock leaves.
const LOW_DAYS: f64 = 1.5;
/// Share of an order that comes where it is short on purpose, and the least order of which that is more than tolerated.
const SHORT_SHARE: f64 = 0.6;
const SHORT_LEAST: i64 = 10;

/// An item at one location, day by day.
pub(super) struct SeriesLife {
    pub(super) location: u32,
    pub(super) mean: f64,
    /// Units sold.
    pub(super) sold: Vec<u32>,
    /// On hand at the close.
    pub(super) close: Vec<i64>,
    /// On hand before the first day.
    pub(super) opening: i64,
    /// Reorder point and order-up-to level.
    pub(super) min: i64,
    pub(super) max: i64,
    pub(super) injected: Option<IntoSeries>,
    rng: ChaCha8Rng,
}

impl SeriesLife {
    fn new(retailer: &Retailer, plan: &Plan, location: u32, mean: f64, injected: Option<IntoSeries>) -> Self {
        let days = f64::from(plan.supply.lead);
        let spread = |days: f64| SAFETY * (plan.nature.variance(mean).max(0.0) * days).sqrt();
        let filled = days + f64::from(FILL_DAYS);
        let min = (mean * days + spread(days)).ceil() as i64;
        let max = ((mean * (filled + SPARE_DAYS) + spread(filled)).ceil() as i64).max(2);
        let rng = retailer.draws(Draws::Series, Retailer::series_number(plan.item, location));
        Self { location, mean, sold: Vec::new(), close: Vec::new(), opening: max, min, max, injected, rng }
    }

    fn on_hand(&self) -> i64 {
        self.close.last().copied().unwrap_or(self.opening)
    }
}

/// Goods that went from one location to another.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transfer {
    pub(super) day: i32,
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) qty: i64,
    /// After the shops had closed, not before they opened.
    pub(super) late: bool,
}

/// An item's line on an order of its block.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderLine {
    pub(super) order: OrderDay,
    pub(super) qty: i64,
    /// What came of it; None while it is open.
    pub(super) received: Option<i64>,
}

/// Everything that happened to an item.
pub(super) struct Life {
    /// The distribution centre first.
    pub(super) series: Vec<SeriesLife>,
    /// Of the days of detail.
    pub(super) transfers: Vec<Transfer>,
    /// Oldest first, those that come or came in the days of which orders are told.
    pub(super) orders: Vec<OrderLine>,
}

pub(super) fn live(retailer: &Retailer, plan: &Plan) -> Life {
    let series = plan.series.iter().map(|s| SeriesLife::new(retailer, plan, s.location, s.mean, s.injected));
    let mut life = Life { series: series.collect(), transfers: Vec::new(), orders: Vec::new() };
    // The centre begins with what all places need until its first order can be there.
    let usual: f64 = life.series.iter().map(|s| s.mean).sum();
    let horizon = plan.supply.lead + CYCLE + COVER_DAYS;
    if let Some(centre) = life.series.first_mut() {
        centre.opening += (usual * f64::from(horizon)).ceil() as i64;
    }
    let first_weekday = usize::from(retailer.first.weekday().to_monday_zero_offset().unsigned_abs());
    for day in 0..=retailer.last() {
        let week = WEEK[(first_weekday + day as usize) % 7] * plan.lift(day);
        let mut stock: Vec<i64> = life.series.iter().map(SeriesLife::on_hand).collect();
        // Goods come before the doors open and orders are put after they close, so both go by stock that somebody could have
        // seen.
        receive(&mut life, plan, &mut stock, day);
        fill(retailer, &mut life, plan, &mut stock, day);
        for (series, stock) in life.series.iter_mut().zip(&mut stock) {
            let wanted = plan.nature.wanted(&mut series.rng, series.mean * week);
            let wanted = match series.injected {
                Some(IntoSeries::Spike { day: on }) if on == day => spike_units(series.mean),
                Some(IntoSeries::Unsold { from }) if day >= from => 0,
                _ => wanted,
            };
            let sold = wanted.min(u32::try_from(*stock).unwrap_or(0));
            series.sold.push(sold);
            *stock -= i64::from(sold);
        }
        take_back(retailer, &mut life, &mut stock, day);
        order(&mut life, plan, &stock, day, horizon);
        for (series, stock) in life.series.iter_mut().zip(stock) {
            series.close.push(stock);
        }
    }
    // All of it has moved stock; told singly is only what lies in the days of detail, as a live source does.
    let told = retailer.orders_from();
    life.orders.retain(|line| line.order.comes.is_none_or(|day| day >= told));
    life
}

fn spike_units(mean: f64) -> u32 {
    (mean * SPIKE_TIMES).max(mean + SPIKE_UNITS).ceil() as u32
}

/// What has been ordered comes in at the distribution centre.
fn receive(life: &mut Life, plan: &Plan, stock: &mut [i64], day: i32) {
    let is_short = life.series.first().is_some_and(|s| s.injected == Some(IntoSeries::Short));
    for line in life.orders.iter_mut().filter(|line| line.order.comes == Some(day)) {
        // Only the newest that has come is short: that is where it is looked for.
        let short = is_short && plan.supply.newest_come == Some(line.order.nth) && line.qty >= SHORT_LEAST;
        let came = if short { (line.qty as f64 * SHORT_SHARE) as i64 } else { line.qty };
        line.received = Some(came);
        stock[0] += came;
    }
}

/// Stores are filled from the distribution centre, each on its weekday, and where a rush is coming.
fn fill(retailer: &Retailer, life: &mut Life, plan: &Plan, stock: &mut [i64], day: i32) {
    for at in 0..life.series.len() {
        let series = &life.series[at];
        // A promotion is filled for before it begins.
        let lift = plan.lift(day).max(plan.lift(day + FILL_DAYS)).max(1.0);
        let fills = (day + i32::try_from(series.location + plan.item).unwrap_or(0)) % FILL_DAYS == 0;
        // A spike can only be sold where the goods are there.
        let wanted = match series.injected {
            Some(IntoSeries::Spike { day: on }) if on == day => series.max + i64::from(spike_units(series.mean)),
            Some(IntoSeries::Low { day: on }) if day > on => 0,
            _ if fills => (series.max as f64 * lift).ceil() as i64,
            _ => 0,
        };
        let kept = (life.series[0].mean * KEPT_DAYS).ceil() as i64;
        let qty = (wanted - stock[at]).min(stock[0] - kept);
        if at == 0 || qty <= 0 {
            continue;
        }
        stock[0] -= qty;
        stock[at] += qty;
        // Earlier transfers have moved their stock and are told by no record.
        if day >= retailer.detail_from() {
            let (from, to) = (life.series[0].location, series.location);
            life.transfers.push(Transfer { day, from, to, qty, late: false });
        }
    }
}

/// Injected low stock: all but a day's worth goes back to the distribution centre.
fn take_back(retailer: &Retailer, life: &mut Life, stock: &mut [i64], day: i32) {
    for at in 1..life.series.len() {
        let series = &life.series[at];
        let is_low = matches!(series.injected, Some(IntoSeries::Low { day: on }) if on == day);
        let qty = stock[at] - ((series.mean * LOW_DAYS).round() as i64).max(1);
        if !is_low || qty <= 0 || day < retailer.detail_from() {
            continue;
        }
        stock[at] -= qty;
        stock[0] += qty;
        let (from, to) = (series.location, life.series[0].location);
        life.transfers.push(Transfer { day, from, to, qty, late: true });
    }
}

/// On the block's day what all locations will want until the order after the next has come is ordered, promotions included.
fn order(life: &mut Life, plan: &Plan, stock: &[i64], day: i32, horizon: i32) {
    let Some(order) = plan.supply.orders.iter().find(|o| o.ordered == day) else { return };
    let usual: f64 = life.series.iter().map(|s| s.mean).sum();
    let ahead: f64 = (day + 1..=day + horizon).map(|day| usual * plan.lift(day)).sum();
    let shelves: i64 = life.series.iter().map(|s| s.max).sum();
    let coming: i64 = life.orders.iter().filter(|l| l.received.is_none()).map(|l| l.qty).sum();
    let missing = ahead.ceil() as i64 + shelves - stock.iter().sum::<i64>() - coming;
    let pack = plan.nature.pack;
    let qty = (missing + pack - 1) / pack * pack;
    if missing > 0 {
        life.orders.push(OrderLine { order: *order, qty, received: None });
    }
}
