//! A world with a decision to make: demand, stock, orders, bills and prices, in units, days from today and the company's money.

/// Days that are played. Whatever is done today has worn off by then: an order more is one less later.
pub const HORIZON: usize = 63;
/// Share of lost sales that is bought later or substituted (handbook §3.4).
pub const RECAPTURE: f64 = 0.20;
/// Yearly holding rate (handbook §3).
pub const HOLDING: f64 = 0.25;
/// Deviate of the service level of 95 percent.
pub const Z: f64 = 1.644_853_6;

/// What a decision is about.
#[derive(Clone, Debug)]
pub struct World {
    /// The type's code: `I-LOW`.
    pub code: &'static str,
    /// Probability that the alarm is real. Else what it says is not so, and whatever was done was done for nothing.
    pub p: f64,
    /// What things cost.
    pub tariff: Tariff,
    /// How often answers fail.
    pub fails: Fails,
    /// The shelf that it is about, where it is about one.
    pub shelf: Option<Shelf>,
    /// The bill, where there is one.
    pub bill: Option<Bill>,
    /// The count, where there is one.
    pub count: Option<Count>,
}

/// What things cost.
#[derive(Clone, Copy, Debug)]
pub struct Tariff {
    pub transfer: f64,
    pub transfer_each: f64,
    pub expedite: f64,
    /// Share of the goods' value.
    pub expedite_rate: f64,
    pub order: f64,
    pub change: f64,
    pub split: f64,
    pub contact: f64,
    pub recount: f64,
    pub paperwork: f64,
    pub back: f64,
    pub back_each: f64,
}

/// Shares of the cases in which an answer brings nothing.
#[derive(Clone, Copy, Debug)]
pub struct Fails {
    /// A supplier that is asked when overdue goods come does not hurry.
    pub ask_overdue: f64,
    /// One that is asked to send a part has none ready.
    pub split: f64,
    /// One that is asked about what came too much keeps to it.
    pub ask: f64,
    /// One that is asked for a corrected bill sends none.
    pub ask_bill: f64,
    /// A blocked bill is paid all the same.
    pub block: f64,
    /// A claim is not credited.
    pub claim: f64,
    /// A reversed document stands.
    pub reverse: f64,
    /// Goods that are sent back are not taken.
    pub back: f64,
    /// A second count does not find what the first had wrong.
    pub recount: f64,
}

/// Units that are asked for in a day: negative binomial, with `spread` as its size; Poisson where that is infinite.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    pub mean: f64,
    pub spread: f64,
}

impl Demand {
    /// Standard deviation of a day.
    pub fn sd(self) -> f64 {
        (self.mean + self.mean * self.mean / self.spread).sqrt()
    }
}

/// An item at a place, with what can bring it more or less.
#[derive(Clone, Debug)]
pub struct Shelf {
    pub demand: Demand,
    /// Demand is so many times as much on the first days.
    pub surge: Option<(usize, f64)>,
    pub on_hand: f64,
    pub cost: f64,
    pub price: f64,
    pub donors: Vec<Donor>,
    pub lines: Vec<Line>,
    pub supplier: Supplier,
    pub other: Option<Supplier>,
    /// What is so if the alarm is false.
    pub otherwise: Otherwise,
    /// Came beyond what was ordered, and lies here.
    pub over: f64,
    /// How often what the books say lies here is not there, where the alarm is real.
    pub ghosts: f64,
}

/// What a false alarm turns out to be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Otherwise {
    /// Goods that nobody has booked yet lie here: nothing is short.
    Hidden,
    /// Demand is what it was before it seemed to fall.
    Demand(f64),
    /// Nothing came too much.
    AsOrdered,
}

/// Another place that has the item.
#[derive(Clone, Copy, Debug)]
pub struct Donor {
    pub demand: Demand,
    pub on_hand: f64,
    /// Its own next receipt: day and units.
    pub next: Option<(usize, f64)>,
}

/// An order that is on its way.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub qty: f64,
    /// The day promised now, and the day promised first; past ones are negative.
    pub promised: i32,
    pub first: i32,
    pub price: f64,
}

/// Who delivers, and when the shop orders there.
#[derive(Clone, Copy, Debug)]
pub struct Supplier {
    pub lead: f64,
    pub lead_sd: f64,
    pub least: f64,
    pub pack: f64,
    pub price: f64,
    /// Days between two orders, and until the next one.
    pub review: usize,
    pub next_review: usize,
}

/// A bill that asks more than is owed.
#[derive(Clone, Copy, Debug)]
pub struct Bill {
    /// Not owed, if the alarm is real.
    pub amount: f64,
    pub paid: bool,
    /// Days until it is to be paid.
    pub due: i32,
    /// Why: too many units, too high a price, or all of it a second time.
    pub why: Why,
    /// The agreed price of a unit, the units that came and those that were billed, and the price billed.
    pub agreed: f64,
    pub came: f64,
    pub billed: f64,
    pub asked: f64,
}

/// What is wrong with a bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    Quantity,
    Price,
    Twice,
}

/// A count that differs from the books.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    pub book: f64,
    pub found: f64,
    pub cost: f64,
    /// How often it is the count that is wrong.
    pub wrong: f64,
}

impl Shelf {
    /// Margin that a lost unit loses for good.
    pub fn lost_each(&self) -> f64 {
        (self.price - self.cost).max(0.0) * (1.0 - RECAPTURE)
    }

    /// What holding a unit costs for a day.
    pub fn held_each(&self) -> f64 {
        self.cost * HOLDING / 365.0
    }

    /// Demand's mean on a day from tomorrow (0) on.
    pub fn mean_on(&self, day: usize) -> f64 {
        self.demand.mean * self.surge.filter(|(days, _)| day < *days).map_or(1.0, |(_, factor)| factor)
    }

    /// The share of its mean to which a day's demand may spread.
    pub fn demand_on(&self, day: usize) -> Demand {
        Demand { mean: self.mean_on(day), ..self.demand }
    }
}

impl Supplier {
    /// Reorder point and order-up-to level of a demand (handbook §3.3).
    pub fn levels(&self, demand: Demand) -> (f64, f64) {
        let sigma = |days: f64| (days * demand.sd().powi(2) + (demand.mean * self.lead_sd).powi(2)).sqrt();
        let whole = self.lead + self.review as f64;
        (demand.mean * self.lead + Z * sigma(self.lead), demand.mean * whole + Z * sigma(whole))
    }

    /// What an order of at least `need` comes to: no less than the least order, in whole packs.
    pub fn ordered(&self, need: f64) -> f64 {
        (need.max(self.least) / self.pack - 1e-9).ceil() * self.pack
    }
}
