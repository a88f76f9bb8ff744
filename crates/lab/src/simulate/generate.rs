//! Worlds from a seed: thirteen types of exception, most of them such that what is best depends on what is to come.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::{Bill, Count, Demand, Donor, Fails, Line, Otherwise, Shelf, Supplier, Tariff, Why, World};
use super::worth::at_stake;
use crate::draw::{chance, pick, uniform};

/// Of six hundred cases so many are of each type.
pub const TYPES: [(&str, usize); 13] = [
    ("I-LOW", 100),
    ("I-OUT", 80),
    ("D-SPIKE", 50),
    ("S-DELAY", 70),
    ("S-OVERDUE", 50),
    ("R-SHORT", 40),
    ("I-OVER", 50),
    ("D-COLLAPSE", 40),
    ("R-OVER", 30),
    ("F-QTY", 25),
    ("F-PRICE", 20),
    ("F-DUPBILL", 20),
    ("I-COUNT", 25),
];
/// Less than this is no case that anybody decides.
const LEAST_STAKE: f64 = 25.0;
/// Worlds that are thrown away at most for want of a stake.
const TRIES: u64 = 400;
/// How often stock that does not sell is not there at all, where demand seems to have fallen.
const GHOSTS: f64 = 0.3;

/// So many cases, spread over the types; the same for the same seed.
pub fn worlds(cases: usize, seed: u64) -> Vec<World> {
    let whole: usize = TYPES.iter().map(|(_, share)| share).sum();
    let mut made = Vec::with_capacity(cases);
    let mut before = 0;
    for (number, (code, share)) in TYPES.iter().enumerate() {
        // Cumulative shares, so that the types add up to what is asked for.
        let upto = (before + share) * cases / whole;
        let from = before * cases / whole;
        made.extend((from..upto).map(|case| world(code, seed.wrapping_mul(1_000_003) + (number * 100_000 + case) as u64)));
        before += share;
    }
    made
}

/// A world of a type in which something is at stake.
fn world(code: &'static str, seed: u64) -> World {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut made = one(code, &mut rng);
    for attempt in 0..TRIES {
        if at_stake(&made, seed ^ attempt) >= LEAST_STAKE {
            break;
        }
        made = one(code, &mut rng);
    }
    made
}

fn one(code: &'static str, rng: &mut ChaCha8Rng) -> World {
    let mut world = World {
        code,
        p: uniform(rng, 0.6, 0.98),
        tariff: tariff(rng),
        fails: fails(rng),
        shelf: None,
        bill: None,
        count: None,
    };
    match code {
        "R-SHORT" => {
            world.shelf = Some(shelf(code, rng));
            world.bill = Some(bill(Why::Quantity, rng));
        }
        "F-QTY" => world.bill = Some(bill(Why::Quantity, rng)),
        "F-PRICE" => world.bill = Some(bill(Why::Price, rng)),
        "F-DUPBILL" => world.bill = Some(bill(Why::Twice, rng)),
        "I-COUNT" => world.count = Some(count(rng)),
        _ => world.shelf = Some(shelf(code, rng)),
    }
    world
}

fn cents(x: f64) -> f64 {
    (x * 100.0).round() / 100.0
}

fn tariff(rng: &mut ChaCha8Rng) -> Tariff {
    let mut fee = |low: f64, high: f64| cents(uniform(rng, low, high));
    Tariff {
        transfer: fee(8.0, 35.0),
        transfer_each: fee(0.05, 0.4),
        expedite: fee(15.0, 50.0),
        expedite_rate: fee(0.02, 0.1),
        order: fee(6.0, 25.0),
        change: fee(4.0, 15.0),
        split: fee(10.0, 30.0),
        contact: fee(2.0, 8.0),
        recount: fee(3.0, 15.0),
        paperwork: fee(5.0, 20.0),
        back: fee(10.0, 40.0),
        back_each: fee(0.1, 0.5),
    }
}

fn fails(rng: &mut ChaCha8Rng) -> Fails {
    let mut share = |low: f64, high: f64| cents(uniform(rng, low, high));
    Fails {
        ask_overdue: share(0.5, 0.9),
        split: share(0.3, 0.7),
        ask: share(0.4, 0.8),
        ask_bill: share(0.3, 0.7),
        block: share(0.02, 0.15),
        claim: share(0.1, 0.4),
        reverse: share(0.01, 0.08),
        back: share(0.3, 0.7),
        recount: share(0.05, 0.2),
    }
}

/// From low to high, as many below the geometric middle as above it.
fn spread(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    uniform(rng, low.ln(), high.ln()).exp()
}

fn shelf(code: &str, rng: &mut ChaCha8Rng) -> Shelf {
    let mean = cents(spread(rng, 1.0, 25.0));
    let dispersion = if chance(rng, 0.4) { f64::INFINITY } else { cents(uniform(rng, 2.0, 8.0)) };
    let demand = Demand { mean, spread: dispersion };
    let cost = cents(spread(rng, 2.0, 40.0));
    let price = cents(cost * uniform(rng, 1.4, 2.8));
    let supplier = supplier(rng, mean, cost);
    let falls = matches!(code, "I-OVER" | "D-COLLAPSE");
    let days = match code {
        "I-OUT" => 0.0,
        "D-SPIKE" => uniform(rng, 2.0, 8.0),
        "I-OVER" | "D-COLLAPSE" => uniform(rng, 10.0, 40.0),
        _ => uniform(rng, 0.5, 0.8 * supplier.lead),
    };
    let over = if code == "R-OVER" { (mean * uniform(rng, 10.0, 80.0)).ceil() } else { 0.0 };
    let donors = if falls || code == "R-OVER" { 0 } else { pick(rng, &[0, 1, 1, 2]) };
    Shelf {
        demand,
        surge: (code == "D-SPIKE").then(|| (rng.gen_range(3..=8), cents(uniform(rng, 1.8, 4.0)))),
        on_hand: (mean * days).floor() + over,
        cost,
        price,
        donors: (0..donors).map(|_| donor(rng, demand)).collect(),
        lines: lines(code, rng, mean, cost, &supplier),
        other: (matches!(code, "S-DELAY" | "S-OVERDUE") && chance(rng, 0.7)).then(|| other(rng, &supplier)),
        supplier,
        otherwise: match code {
            "I-OVER" => Otherwise::Demand(cents(mean * uniform(rng, 1.3, 2.5))),
            "D-COLLAPSE" => Otherwise::Demand(cents(mean * uniform(rng, 2.0, 5.0))),
            "R-OVER" => Otherwise::AsOrdered,
            _ => Otherwise::Hidden,
        },
        over,
        ghosts: if code == "D-COLLAPSE" { GHOSTS } else { 0.0 },
    }
}

fn supplier(rng: &mut ChaCha8Rng, mean: f64, price: f64) -> Supplier {
    let pack = pick(rng, &[1.0, 1.0, 6.0, 12.0]);
    let least = if chance(rng, 0.5) { 0.0 } else { (mean * uniform(rng, 2.0, 14.0) / pack).ceil() * pack };
    let review = rng.gen_range(5..=12);
    let lead = f64::from(rng.gen_range(4_u8..=12));
    let lead_sd = cents(uniform(rng, 0.5, 2.0_f64.min(lead / 4.0)));
    Supplier { lead, lead_sd, least, pack, price, review, next_review: rng.gen_range(1..=review) }
}

/// Somebody who has the same, sooner and mostly dearer.
fn other(rng: &mut ChaCha8Rng, main: &Supplier) -> Supplier {
    let lead = f64::from(rng.gen_range(2_u8..=5));
    Supplier {
        lead,
        lead_sd: cents(uniform(rng, 0.4, lead / 4.0 + 0.2)),
        price: cents(main.price * uniform(rng, 0.98, 1.2)),
        least: if chance(rng, 0.5) { 0.0 } else { main.least },
        ..*main
    }
}

fn donor(rng: &mut ChaCha8Rng, of: Demand) -> Donor {
    let mean = cents(of.mean * uniform(rng, 0.3, 1.2));
    let next = chance(rng, 0.5).then(|| (rng.gen_range(3..=12), (mean * 8.0).ceil()));
    Donor { demand: Demand { mean, ..of }, on_hand: (mean * uniform(rng, 6.0, 35.0)).floor(), next }
}

fn lines(code: &str, rng: &mut ChaCha8Rng, mean: f64, price: f64, supplier: &Supplier) -> Vec<Line> {
    let packed = |units: f64| (units / supplier.pack).ceil() * supplier.pack;
    let lead = supplier.lead as i32;
    let (promised, first) = match code {
        "I-OVER" | "D-COLLAPSE" => {
            let day = rng.gen_range(4..=20);
            (day, day)
        }
        "S-DELAY" => {
            let first = rng.gen_range(1..=4);
            (first + rng.gen_range(4..=12), first)
        }
        "S-OVERDUE" => {
            let day = -rng.gen_range(1..=8);
            (day, day)
        }
        "R-SHORT" | "R-OVER" => return Vec::new(),
        _ if chance(rng, 0.5) => return Vec::new(),
        _ => {
            let day = rng.gen_range(3..=lead + 2);
            (day, day)
        }
    };
    let days = if matches!(code, "I-OVER" | "D-COLLAPSE") { uniform(rng, 10.0, 40.0) } else { uniform(rng, 4.0, 14.0) };
    vec![Line { qty: packed(mean * days), promised, first, price }]
}

fn bill(why: Why, rng: &mut ChaCha8Rng) -> Bill {
    let agreed = cents(spread(rng, 2.0, 40.0));
    let came = f64::from(rng.gen_range(20_u32..=200));
    let (billed, asked) = match why {
        Why::Quantity => (came + (came * uniform(rng, 0.06, 0.5)).ceil(), agreed),
        Why::Price => (came, cents(agreed * uniform(rng, 1.03, 1.3))),
        Why::Twice => (came, agreed),
    };
    let amount = match why {
        Why::Quantity => (billed - came) * agreed,
        Why::Price => (asked - agreed) * billed,
        Why::Twice => billed * agreed,
    };
    Bill { amount: cents(amount), paid: chance(rng, 0.3), due: rng.gen_range(2..=30), why, agreed, came, billed, asked }
}

fn count(rng: &mut ChaCha8Rng) -> Count {
    let book = f64::from(rng.gen_range(20_u32..=200));
    let found = (book * uniform(rng, 0.4, 0.93)).floor();
    Count { book, found, cost: cents(spread(rng, 2.0, 40.0)), wrong: cents(uniform(rng, 0.2, 0.5)) }
}
