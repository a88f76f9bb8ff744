//! The days to come, with an answer carried out: what they cost in margin, holding, orders, bills and the answer itself.

use super::chances::Chance;
use super::shelves::{Lived, Place, comes};
use super::world::{Bill, Count, Demand, HORIZON, Otherwise, Shelf, World};

/// Share of the time that is left by which an order can be hurried, and the day on which a question is answered.
pub const HURRIED: f64 = 0.5;
pub const ANSWERED: usize = 2;
/// Days on which a lower price holds, and the reduction in percent that brings back all of a demand that fell.
pub const REDUCED: usize = 28;
pub const RESTORES: f64 = 30.0;
/// The day on which what is moved today comes: it leaves tomorrow and is a day on its way.
pub const MOVED: usize = 2;
/// The first day on which a part of an order can come that is asked for today.
pub const PART: i32 = 3;
/// The day on which goods that are not there are missed, and that on which a count finds it.
const UNNOTICED: usize = 14;
const COUNTED: usize = 1;
/// Days of demand that lie here unbooked where an alarm of a shortage is false.
const HIDDEN_DAYS: f64 = 30.0;

/// Something that is done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Deed {
    /// Units of a donor here.
    Transfer {
        donor: usize,
        qty: f64,
    },
    /// Units of an open line sooner.
    Expedite {
        line: usize,
        qty: f64,
    },
    /// An order at the usual supplier, and at the other one.
    Order {
        qty: f64,
    },
    Other {
        qty: f64,
    },
    /// More on an open line.
    Raise {
        line: usize,
        qty: f64,
    },
    /// A part of an open line on the day that was promised first.
    Split {
        line: usize,
        qty: f64,
    },
    /// A question when an overdue line comes.
    AskLine {
        line: usize,
    },
    /// Less of an open line, or so many units later.
    Cancel {
        line: usize,
        qty: f64,
    },
    Defer {
        line: usize,
        qty: f64,
        days: usize,
    },
    /// A lower price, by so many percent.
    Markdown {
        percent: f64,
    },
    /// What came too much goes back, or is asked about.
    SendBack {
        qty: f64,
    },
    AskOver,
    Block,
    Claim,
    AskBill,
    Reverse,
    Recount,
}

/// What happens with these deeds, in money: less is better.
pub fn cost(world: &World, deeds: &[Deed], chance: &Chance) -> f64 {
    let shelf = world.shelf.as_ref().map_or(0.0, |shelf| lived(world, shelf, deeds, chance).cost);
    let bill = world.bill.as_ref().map_or(0.0, |bill| billed(world, bill, deeds, chance));
    let count = world.count.as_ref().map_or(0.0, |count| counted(world, count, deeds, chance));
    shelf + bill + count
}

/// What is at stake where nothing is done: what is lost until the shop's own next order has come, what holding what is too much
/// costs, what is paid or written off for nothing. It counts only where the alarm is real.
pub fn stake(world: &World, chance: &Chance) -> f64 {
    if !chance.real {
        return 0.0;
    }
    let shelf = world.shelf.as_ref().map_or(0.0, |whole| match whole.otherwise {
        Otherwise::Hidden => lived(world, whole, &[], chance).lost_first,
        // All that is too much taken away, for nothing.
        Otherwise::Demand(_) | Otherwise::AsOrdered => {
            let freed = without_surplus(whole);
            // Of what is not there all that is lost until it is missed is at stake.
            let rid: &[Deed] = if chance.ghost { &[Deed::Recount] } else { &[] };
            let shelf = if chance.ghost { whole } else { &freed };
            (lived(world, whole, &[], chance).cost - lived(world, shelf, rid, chance).cost).max(0.0)
        }
    });
    let bill = world.bill.as_ref().map_or(0.0, |bill| billed(world, bill, &[], chance));
    let count = world.count.as_ref().map_or(0.0, |count| counted(world, count, &[], chance));
    shelf + bill + count
}

/// What lies here and comes beyond the order-up-to level.
pub fn surplus(shelf: &Shelf) -> f64 {
    let coming: f64 = shelf.lines.iter().map(|line| line.qty).sum();
    (shelf.on_hand + coming - shelf.supplier.levels(shelf.demand).1).max(0.0)
}

fn without_surplus(shelf: &Shelf) -> Shelf {
    let mut freed = shelf.clone();
    let mut over = if shelf.over > 0.0 { shelf.over } else { surplus(shelf) };
    for line in freed.lines.iter_mut().rev() {
        let taken = over.min(line.qty);
        line.qty -= taken;
        over -= taken;
    }
    freed.on_hand = (freed.on_hand - over).max(0.0);
    freed
}

/// The day on which an open line comes by itself. What is overdue comes as late again as it is, on average.
fn line_comes(shelf: &Shelf, line: usize, chance: &Chance) -> usize {
    let promised = shelf.lines[line].promised;
    let (deviate, luck) = chance.lines[line];
    if promised > 0 {
        (f64::from(promised) + shelf.supplier.lead_sd * deviate).round().max(1.0) as usize
    } else {
        (-(1.0 - luck).ln() * f64::from((-promised).max(1))).round().clamp(1.0, HORIZON as f64) as usize
    }
}

/// The day to which a line can be hurried.
pub fn hurried(promised: i32) -> usize {
    1 + (f64::from((promised - 1).max(0)) * (1.0 - HURRIED)).ceil() as usize
}

fn lived(world: &World, shelf: &Shelf, deeds: &[Deed], chance: &Chance) -> Lived {
    let tariff = &world.tariff;
    let mut orders_by = shelf.demand;
    let mut demand = chance.demand.clone();
    let mut stock = shelf.on_hand;
    if !chance.real {
        match shelf.otherwise {
            Otherwise::Hidden => stock += HIDDEN_DAYS * shelf.demand.mean,
            Otherwise::Demand(mean) => {
                orders_by = Demand { mean, ..orders_by };
                demand.clone_from(&chance.before);
            }
            Otherwise::AsOrdered => stock -= shelf.over,
        }
    }
    // What is not there is missed until somebody notices, and until then the books say that it lies here.
    let mut phantom = (0.0, 0);
    if chance.ghost {
        let found = if deeds.contains(&Deed::Recount) { COUNTED } else { UNNOTICED };
        phantom = (std::mem::take(&mut stock), found);
        if let Otherwise::Demand(mean) = shelf.otherwise {
            orders_by = Demand { mean, ..orders_by };
        }
        demand.clone_from(&chance.before);
    }
    let place = Place {
        phantom,
        stock,
        inbound: vec![0.0; HORIZON + 1],
        outbound: vec![0.0; HORIZON + 1],
        demand,
        lost_each: shelf.lost_each(),
        held_each: shelf.held_each(),
        cost: shelf.cost,
        supplier: &shelf.supplier,
        orders_by,
        leads: &chance.leads,
        order_cost: tariff.order,
    };
    let mut doing = Doing { world, shelf, chance, place, paid: 0.0 };
    doing.lines(deeds);
    for deed in deeds {
        doing.carry_out(deed);
    }
    let paid = doing.paid;
    let lived = doing.place.live();
    Lived { cost: lived.cost + paid, ..lived }
}

struct Doing<'w> {
    world: &'w World,
    shelf: &'w Shelf,
    chance: &'w Chance,
    place: Place<'w>,
    paid: f64,
}

impl Doing<'_> {
    /// What is open comes, each line with what was done about it.
    fn lines(&mut self, deeds: &[Deed]) {
        for (at, line) in self.shelf.lines.iter().enumerate() {
            let by_itself = line_comes(self.shelf, at, self.chance);
            let mut left = line.qty;
            let mut rest = by_itself;
            for deed in deeds {
                let (day, units) = match *deed {
                    Deed::Expedite { line, qty } if line == at => {
                        (by_itself.min(hurried(self.shelf.lines[at].promised)), qty)
                    }
                    Deed::Split { line: l, qty } if l == at => {
                        let first = usize::try_from(line.first.max(PART)).unwrap_or(1);
                        let ready = self.chance.answer >= self.world.fails.split;
                        (if ready { by_itself.min(first) } else { by_itself }, qty)
                    }
                    Deed::Defer { line, qty, days } if line == at => (by_itself + days, qty),
                    Deed::Cancel { line, qty } if line == at => (HORIZON + 1, qty),
                    Deed::Raise { line, qty } if line == at => {
                        self.place.add(by_itself, qty);
                        continue;
                    }
                    Deed::AskLine { line } if line == at => {
                        if self.chance.answer >= self.world.fails.ask_overdue {
                            rest = rest.min(ANSWERED + 1);
                        }
                        continue;
                    }
                    _ => continue,
                };
                let units = units.min(left);
                left -= units;
                self.place.add(day, units);
            }
            self.place.add(rest, left);
        }
    }

    /// What is paid for a deed, and what it does beside open lines.
    fn carry_out(&mut self, deed: &Deed) {
        let (tariff, shelf) = (&self.world.tariff, self.shelf);
        match *deed {
            Deed::Transfer { donor, qty } => {
                self.place.add(MOVED, qty);
                self.paid += tariff.transfer + tariff.transfer_each * qty + self.donor_loses(donor, qty);
            }
            Deed::Expedite { line, qty } => {
                self.paid += tariff.expedite + tariff.expedite_rate * qty * shelf.lines[line].price;
            }
            Deed::Order { qty } => {
                let day = comes(1, &shelf.supplier, self.chance.ordered);
                self.place.add(day, qty);
                self.paid += tariff.order;
            }
            Deed::Other { qty } => {
                if let Some(other) = &shelf.other {
                    self.place.add(comes(1, other, self.chance.ordered), qty);
                    self.paid += tariff.order + qty * (other.price - shelf.supplier.price).max(0.0);
                }
            }
            Deed::Split { .. } => self.paid += tariff.split,
            Deed::Raise { .. } | Deed::Cancel { .. } | Deed::Defer { .. } => self.paid += tariff.change,
            Deed::AskLine { .. } => self.paid += tariff.contact,
            Deed::Markdown { percent } => self.reduce(percent),
            Deed::SendBack { qty } => {
                self.paid += tariff.back + tariff.back_each * qty;
                if self.chance.real && self.chance.answer >= self.world.fails.back {
                    self.place.outbound[1] += qty;
                }
            }
            Deed::AskOver => {
                self.paid += tariff.contact;
                if self.chance.real && self.chance.answer >= self.world.fails.ask {
                    self.place.outbound[ANSWERED + 1] += shelf.over;
                }
            }
            Deed::Recount => self.paid += tariff.recount,
            Deed::Block | Deed::Claim | Deed::AskBill | Deed::Reverse => {}
        }
    }

    /// A lower price brings back demand that has fallen, and gives away its part of all that sells meanwhile.
    fn reduce(&mut self, percent: f64) {
        let Otherwise::Demand(before) = self.shelf.otherwise else { return };
        let mean = self.shelf.demand.mean;
        let back = if self.chance.real { (before / mean - 1.0) * (percent / RESTORES).min(1.0) } else { 0.0 };
        for day in 0..REDUCED {
            self.place.demand[day] *= 1.0 + back;
        }
        let sells: f64 = self.place.demand[..REDUCED].iter().sum();
        self.paid += sells.min(self.place.stock) * self.shelf.price * percent / 100.0;
    }

    /// What the donor loses because of it, until it has ordered anew and it has come.
    fn donor_loses(&self, donor: usize, qty: f64) -> f64 {
        let from = &self.shelf.donors[donor];
        let days = |given: f64| {
            let mut inbound = vec![0.0; HORIZON + 1];
            if let Some((day, units)) = from.next {
                inbound[day.min(HORIZON)] += units;
            }
            let mut outbound = vec![0.0; HORIZON + 1];
            outbound[1] = given;
            let place = Place {
                stock: from.on_hand,
                inbound,
                outbound,
                demand: self.chance.donors[donor].clone(),
                leads: &self.chance.leads,
                orders_by: from.demand,
                lost_each: self.place.lost_each,
                held_each: self.place.held_each,
                cost: self.place.cost,
                supplier: self.place.supplier,
                order_cost: self.place.order_cost,
                phantom: (0.0, 0),
            };
            place.live().cost
        };
        days(qty) - days(0.0)
    }
}

fn billed(world: &World, bill: &Bill, deeds: &[Deed], chance: &Chance) -> f64 {
    let (tariff, fails) = (&world.tariff, &world.fails);
    let mut lost = if chance.real { bill.amount } else { 0.0 };
    let mut paid = 0.0;
    for deed in deeds {
        // What is done for nothing has to be explained to the supplier, or entered again.
        let (fails, fee, excuse) = match deed {
            Deed::Block => (fails.block, tariff.paperwork, tariff.contact),
            Deed::Claim => (fails.claim, tariff.paperwork, tariff.contact),
            Deed::AskBill => (fails.ask_bill, tariff.contact, 0.0),
            Deed::Reverse => (fails.reverse, tariff.paperwork, 2.0 * tariff.paperwork),
            _ => continue,
        };
        paid += fee + if chance.real { 0.0 } else { excuse };
        if chance.bill >= fails {
            lost = 0.0;
        }
    }
    lost + paid
}

fn counted(world: &World, count: &Count, deeds: &[Deed], chance: &Chance) -> f64 {
    let again = deeds.contains(&Deed::Recount);
    let wrong = chance.real && chance.count.0 < count.wrong;
    let found = again && chance.count.1 >= world.fails.recount;
    let written_off = if wrong && !found { (count.book - count.found).abs() * count.cost } else { 0.0 };
    written_off + if again { world.tariff.recount } else { 0.0 }
}
