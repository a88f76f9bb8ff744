//! One place's stock from day to day: what is sold and lost, what is held, and what the shop orders in its own rhythm.

use super::world::{Demand, HOLDING, HORIZON, Supplier};

/// What a place is played with.
pub(super) struct Place<'w> {
    pub stock: f64,
    /// Units that come at the end of a day (1 is tomorrow), on the shelf from the next morning on.
    pub inbound: Vec<f64>,
    /// Units that leave in the morning of a day.
    pub outbound: Vec<f64>,
    pub demand: Vec<f64>,
    pub lost_each: f64,
    pub held_each: f64,
    pub cost: f64,
    pub supplier: &'w Supplier,
    /// The demand that the shop orders by.
    pub orders_by: Demand,
    pub leads: &'w [f64],
    pub order_cost: f64,
    /// Units that only the books have, until the day on which that is found.
    pub phantom: (f64, usize),
}

/// What the days came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lived {
    /// Margin lost, holding and orders.
    pub cost: f64,
    /// Margin lost before the first order that the shop itself placed has come.
    pub lost_first: f64,
}

/// The day on which an order comes that is placed on a day: at least one day later.
pub(super) fn comes(placed: usize, supplier: &Supplier, deviate: f64) -> usize {
    placed + (supplier.lead + supplier.lead_sd * deviate).round().max(1.0) as usize
}

impl Place<'_> {
    /// A place to which nothing more comes than the shop orders.
    pub(super) fn add(&mut self, day: usize, units: f64) {
        if day <= HORIZON {
            self.inbound[day.max(1)] += units;
        }
    }

    pub(super) fn live(mut self) -> Lived {
        let mut lived = Lived::default();
        let (reorder, up_to) = self.supplier.levels(self.orders_by);
        let mut pending: f64 = self.inbound.iter().sum();
        let mut first = HORIZON;
        let mut orders = 0;
        for day in 1..=HORIZON {
            self.stock -= self.outbound[day].min(self.stock);
            let asked = self.demand[day - 1];
            let sold = asked.min(self.stock);
            self.stock -= sold;
            let lost = (asked - sold) * self.lost_each;
            lived.cost += lost + self.stock * self.held_each;
            if day <= first {
                lived.lost_first += lost;
            }
            self.stock += self.inbound[day];
            pending -= self.inbound[day];
            let turn =
                day >= self.supplier.next_review && (day - self.supplier.next_review).is_multiple_of(self.supplier.review);
            let phantom = if day < self.phantom.1 { self.phantom.0 } else { 0.0 };
            if turn && self.stock + pending + phantom < reorder {
                let quantity = self.supplier.ordered(up_to - self.stock - pending - phantom);
                let comes = comes(day, self.supplier, self.leads[orders]);
                lived.cost += self.order_cost;
                pending += quantity;
                orders += 1;
                if orders == 1 {
                    first = comes.min(HORIZON);
                }
                if comes <= HORIZON {
                    self.inbound[comes] += quantity;
                }
            }
        }
        // What is more than is needed then lies here until it has sold.
        let over = (self.stock + pending - up_to).max(0.0);
        let mean = self.orders_by.mean.max(1e-3);
        lived.cost += over * self.cost * HOLDING * (up_to / mean + over / (2.0 * mean)) / 365.0;
        lived
    }
}
