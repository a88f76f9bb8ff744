//! Sales of the days of detail, each with the move that served it, and what stores were filled with.

use rand::Rng;
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, Record, SaleLine};

use super::{Teller, location, price};
use crate::retailer::injected::{IntoSeries, Kind};
use crate::retailer::life::{Life, SeriesLife};
use crate::retailer::statistics::{LINE_UNITS, minute};
use crate::retailer::{Draws, Retailer};

/// Before the shops open, and after they have closed.
const MORNING: i32 = 6 * 60;
const EVENING: i32 = 21 * 60;
/// Minutes from an order to its delivery over the counter.
const SERVED_AFTER: i32 = 5;
/// How many customers there are.
const CUSTOMERS: u32 = 20_000;

impl Teller<'_> {
    /// What customers ordered, and got.
    pub(super) fn sales(&mut self, series: &SeriesLife) {
        // The hours are drawn apart from the quantities: how many days are told changes none of these.
        let number = Retailer::series_number(self.plan.item, series.location);
        let mut rng = self.retailer.draws(Draws::Hours, number);
        for day in self.retailer.detail_from()..=self.retailer.last() {
            let sold = series.sold.get(day as usize).copied().unwrap_or(0);
            for units in lines(series, day, sold) {
                let (at, customer) = (minute(&mut rng), rng.gen_range(1..=CUSTOMERS));
                self.sale(series.location, day, at, customer, units);
            }
        }
        let last = self.retailer.last();
        let told = match series.injected {
            Some(IntoSeries::Spike { day }) => Some((Kind::DemandSpike, (day, day))),
            Some(IntoSeries::Unsold { from }) => Some((Kind::Unsold, (from, last))),
            Some(IntoSeries::Low { day }) => Some((Kind::LowStock, (day, last))),
            _ => None,
        };
        if let Some((kind, days)) = told {
            let truth = self.truth(kind, Some(series.location), days);
            self.told.truth.push(truth);
        }
    }

    fn sale(&mut self, from: u32, day: i32, minute: i32, customer: u32, units: u32) {
        let (ordered_at, done_at) = (self.retailer.at(day, minute), self.retailer.at(day, minute + SERVED_AFTER));
        let id = self.id();
        let off = self.plan.promotion.as_ref().filter(|p| p.runs(day)).map_or(0, |p| i64::from(p.percent));
        let line = SaleLine {
            id: id.to_string(),
            order_id: id.to_string(),
            order_name: format!("S{id}"),
            customer: customer.to_string(),
            reference: String::new(),
            item: self.item.clone(),
            location: location(from),
            qty: Quantity::units(i64::from(units)),
            price: price(self.plan.nature.price * (100 - off) / 100),
            ordered_at,
        };
        let mut out = self.moved(MoveKind::Delivery, (Some(from), None), i64::from(units), done_at);
        out.document = format!("OUT/{id}");
        out.document_id = Some(id.to_string());
        out.origin.clone_from(&line.order_name);
        out.sale_line = Some(line.id.clone());
        out.partner = Some(line.customer.clone());
        out.created_at = ordered_at;
        self.tell(ordered_at, Record::SaleLine(line));
        self.tell(done_at, Record::Move(out));
    }

    /// What went between locations.
    pub(super) fn transfers(&mut self, life: &Life) {
        for transfer in &life.transfers {
            let at = self.retailer.at(transfer.day, if transfer.late { EVENING } else { MORNING });
            let ends = (Some(transfer.from), Some(transfer.to));
            let mut across = self.moved(MoveKind::Transfer, ends, transfer.qty, at);
            across.document = format!("INT/{}", across.id);
            across.document_id = Some(across.id.clone());
            self.tell(at, Record::Move(across));
        }
    }
}

/// A day's units as order lines: one, but for an injected rush, which is many customers who buy as usual, not one bulk order.
fn lines(series: &SeriesLife, day: i32, sold: u32) -> Vec<u32> {
    let usual = match series.injected {
        Some(IntoSeries::Spike { day: on }) if on == day => (series.mean.round() as u32).clamp(1, LINE_UNITS),
        _ => sold.max(1),
    };
    let (whole, rest) = (sold / usual, sold % usual);
    std::iter::repeat_n(usual, whole as usize).chain((rest > 0).then_some(rest)).collect()
}
