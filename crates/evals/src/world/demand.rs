//! Demand and stock of a scenario: what customers order day by day, and what is left on the day that is looked at.

use jiff::civil::Weekday;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, Observed, Record, SaleLine, StockMove};
use serde::Deserialize;

use super::documents::{PLAIN_CUSTOMER, bare_move};
use super::masters::{maybe_price, quantity};
use super::when::Day;

/// What is usual on a day: one figure, or one for each weekday from Monday on.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Usual {
    /// The same every day.
    Daily(f64),
    /// By weekday.
    Weekly([f64; 7]),
}

impl Usual {
    fn on(&self, weekday: Weekday) -> f64 {
        match self {
            Self::Daily(units) => *units,
            Self::Weekly(week) => week[weekday.to_monday_zero_offset().unsigned_abs() as usize % 7],
        }
    }
}

/// Days on which demand was another.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// First day.
    pub from: i32,
    /// Last day; the last one of the series when left out.
    pub to: Option<i32>,
    /// So many times the usual.
    pub times: Option<f64>,
    /// So many units a day, whatever is usual.
    pub units: Option<f64>,
}

/// What customers order of an item at a place, served from stock on the same day.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemandSpec {
    pub item: String,
    pub at: String,
    pub usual: Usual,
    /// The first day; ten weeks of history where nothing is said.
    pub from: Option<i32>,
    /// The last day; yesterday where nothing is said.
    pub to: Option<i32>,
    #[serde(default)]
    pub change: Vec<Change>,
    /// Is it the same to the unit every week, without the ups and downs of customers?
    #[serde(default)]
    pub flat: bool,
    /// Net price of a unit.
    pub price: Option<f64>,
    /// Most orders of a day.
    pub orders: Option<u32>,
    /// Is it ordered and not served, because nothing is there?
    #[serde(default)]
    pub unserved: bool,
}

/// What is on hand when the scenario is looked at.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StockSpec {
    pub item: String,
    pub at: String,
    /// On hand now; what was there at first follows from what moved since.
    pub now: f64,
    /// The day of the opening booking.
    pub opened: Option<i32>,
}

/// Ten weeks: eight that a baseline learns from, and two before.
const FIRST_DAY: i32 = -70;
/// The day on which stock was opened, where nothing is said.
const OPENED: i32 = -120;

/// The ups and downs of customers, in deviations of a Poisson count: eleven values with mean zero and deviation one, so that no
/// weekday meets the same one twice within eleven weeks. Written down and not drawn: a scenario reads the same everywhere.
const WIGGLE: [f64; 11] = [0.3, -1.0, 0.9, -0.2, 1.6, -1.4, 0.0, 0.6, -0.6, 1.2, -1.4];

/// Demand of a day, in whole units.
fn units_on(spec: &DemandSpec, day: &Day, offset: i32) -> i64 {
    let usual = spec.usual.on(day.date(offset).weekday());
    let change = spec.change.iter().rev().find(|c| c.from <= offset && c.to.is_none_or(|to| offset <= to));
    let mean = match change {
        Some(Change { units: Some(units), .. }) => return units.round() as i64,
        Some(Change { times: Some(times), .. }) => usual * times,
        _ => usual,
    };
    if spec.flat || mean <= 0.0 {
        return mean.round().max(0.0) as i64;
    }
    // Each place begins elsewhere in the row, or all series would rise and fall together.
    let shift = spec.item.bytes().chain(spec.at.bytes()).map(i64::from).sum::<i64>();
    let at = (i64::from(offset) * 5 + shift * 3).rem_euclid(WIGGLE.len() as i64) as usize;
    (mean + WIGGLE[at] * mean.sqrt()).round().max(0.0) as i64
}

/// The order lines of each day and the deliveries that served them.
pub(super) fn told(spec: &DemandSpec, day: &Day) -> Result<Vec<Observed>, String> {
    let price = maybe_price("price", spec.price)?;
    // Up to the day before: what the running day will sell nobody knows yet.
    let (from, to) = (spec.from.unwrap_or(FIRST_DAY), spec.to.unwrap_or(-1));
    let mut told = Vec::new();
    for offset in from..=to {
        let orders = i64::from(spec.orders.unwrap_or(4)).max(1);
        let units = units_on(spec, day, offset);
        for order in 0..orders {
            // 7 units in 4 orders are 2, 2, 2 and 1.
            let qty = units / orders + i64::from(order < units % orders);
            if qty == 0 {
                break;
            }
            let ordered_at = day.at(offset, 8 * 60 + 90 * order as i32);
            let id = format!("d{}-{}-{}-{order}", spec.item, spec.at, offset - FIRST_DAY.min(from));
            let line = SaleLine {
                id: id.clone(),
                order_id: id.clone(),
                order_name: format!("S{id}"),
                customer: PLAIN_CUSTOMER.to_owned(),
                reference: String::new(),
                item: ItemId::new(spec.item.as_str()),
                location: LocationId::new(spec.at.as_str()),
                qty: Quantity::units(qty),
                price,
                ordered_at,
            };
            told.push(Observed { changed_at: ordered_at, record: Record::SaleLine(line) });
            let delivery = StockMove {
                item: ItemId::new(spec.item.as_str()),
                from: Some(LocationId::new(spec.at.as_str())),
                qty: Quantity::units(qty),
                created_at: ordered_at,
                done_at: (!spec.unserved).then_some(ordered_at),
                sale_line: Some(id.clone()),
                partner: Some(PLAIN_CUSTOMER.to_owned()),
                ..bare_move(&format!("m{id}"), MoveKind::Delivery, ordered_at)
            };
            told.push(Observed { changed_at: ordered_at, record: Record::Move(delivery) });
        }
    }
    Ok(told)
}

/// The opening stock by which, after all that moved, so much is on hand as the scenario says.
pub(super) fn opening(spec: &StockSpec, day: &Day, rest: &[Observed]) -> Result<Observed, String> {
    let (item, place) = (ItemId::new(spec.item.as_str()), LocationId::new(spec.at.as_str()));
    let mut moved = Quantity::ZERO;
    for observed in rest {
        let Record::Move(m) = &observed.record else { continue };
        if m.item != item || m.done_at.is_none() {
            continue;
        }
        if m.to.as_ref() == Some(&place) {
            moved += m.qty;
        }
        if m.from.as_ref() == Some(&place) {
            moved -= m.qty;
        }
    }
    let opened = quantity("now", spec.now)? - moved;
    let at = day.noon(spec.opened.unwrap_or(OPENED));
    let id = format!("o{}-{}", spec.item, spec.at);
    // More came than left: then the books began below zero, which a delivery that was never booked in says as well.
    let (kind, from, to) =
        if opened.to_f64() < 0.0 { (MoveKind::Delivery, Some(place), None) } else { (MoveKind::Opening, None, Some(place)) };
    let opening = StockMove { item, from, to, qty: opened.abs(), done_at: Some(at), ..bare_move(&id, kind, at) };
    Ok(Observed { changed_at: at, record: Record::Move(opening) })
}
