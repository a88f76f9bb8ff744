//! Supply: who delivers an item, how often it is ordered, and which orders come late or are billed twice.
//!
//! Items are ordered in blocks of neighbours. What holds for an order as a whole is drawn for the block, from a stream of its own:
//! each item then knows its part of the order without knowing the others.

use rand::Rng;

use super::{Draws, Retailer};
use crate::draw::{chance, pick, weighted};

/// Items of one order (recording: five lines).
pub(super) const BLOCK: u32 = 5;
/// How many suppliers there are.
pub(super) const SUPPLIERS: u32 = 50;
/// Days between two orders of a block.
pub(super) const CYCLE: i32 = 28;
/// Agreed lead times in days (the price lists of the recording).
const LEADS: [i32; 5] = [4, 6, 6, 8, 13];
/// Days after the promise on which an order comes, within what is tolerated. Of real lines 90 in 100 were not late
/// (the 5,161 of SCMS Delivery History).
const OFF: [(i32, f64); 3] = [(0, 0.86), (-1, 0.07), (1, 0.07)];
/// An injected late order is at least so many days past its promise.
const LATE_DAYS: i32 = 3;
/// Days from the receipt to the bill, and from it to the same bill once more.
pub(super) const BILL_AFTER: i32 = 1;
pub(super) const AGAIN_AFTER: i32 = 2;

/// An order of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderDay {
    /// 0 is the newest, 1 the one before.
    pub(super) nth: i32,
    pub(super) ordered: i32,
    pub(super) promised: i32,
    /// The day on which it comes; None where it is late and has not come at the end.
    pub(super) comes: Option<i32>,
    /// Is its bill entered twice?
    pub(super) twice: bool,
}

/// How a block is supplied.
#[derive(Clone, Debug)]
pub(super) struct Supply {
    pub(super) block: u32,
    pub(super) supplier: u32,
    pub(super) lead: i32,
    /// Newest first.
    pub(super) orders: Vec<OrderDay>,
    /// Which of them is late on purpose.
    pub(super) late: Option<i32>,
    /// The newest that has come.
    pub(super) newest_come: Option<i32>,
}

impl Supply {
    /// The supply of an item.
    pub(super) fn of(retailer: &Retailer, item: u32) -> Self {
        let block = (item - 1) / BLOCK;
        let last = retailer.last();
        let mut rng = retailer.draws(Draws::Block, u64::from(block));
        let supplier = rng.gen_range(1..=SUPPLIERS);
        let lead = pick(&mut retailer.draws(Draws::Supplier, u64::from(supplier)), &LEADS);
        let newest = last - rng.gen_range(0..CYCLE);
        let (is_late, is_twice) = (chance(&mut rng, retailer.shape.injected), chance(&mut rng, retailer.shape.injected));
        let mut orders: Vec<OrderDay> = (0..=newest / CYCLE)
            .map(|nth| {
                let ordered = newest - nth * CYCLE;
                let promised = ordered + lead;
                OrderDay { nth, ordered, promised, comes: Some(promised + weighted(&mut rng, &OFF)), twice: false }
            })
            .collect();
        let mut late = None;
        // Orders stand newest first, so it is the newest that can be late by now.
        if is_late && let Some(order) = orders.iter_mut().find(|o| o.promised + LATE_DAYS <= last) {
            order.comes = None;
            late = Some(order.nth);
        }
        // A bill comes twice only where the second one is there by the last day, or no look could see it.
        let whole = |o: &&mut OrderDay| o.comes.is_some_and(|day| day + BILL_AFTER + AGAIN_AFTER <= last);
        if is_twice && let Some(order) = orders.iter_mut().find(whole) {
            order.twice = true;
        }
        let newest_come = orders.iter().find(|o| o.comes.is_some_and(|day| day <= last)).map(|o| o.nth);
        Self { block, supplier, lead, orders, late, newest_come }
    }

    /// The order's id: the newer, the higher.
    pub(super) fn order_id(&self, nth: i32) -> i64 {
        i64::from(self.block) * 1000 + 999 - i64::from(nth)
    }
}
