//! What may not be done, written from the handbook's words: the hard checks of each action (§5) and the combination rules.

use super::play::{Deed, HURRIED, MOVED, PART, hurried};
use super::world::{HORIZON, Shelf, Why, World, Z};

/// Share of the demand until relief that quantities may cover (§5), as a deviate.
const COVER: f64 = 1.281_6;
/// How much dearer another supplier may be.
const DEARER: f64 = 1.15;
/// Share of its lead time before which an open line can still be raised.
const FROZEN: f64 = 0.5;

/// Why a plan may not be carried out; None where it may.
pub fn objection(world: &World, deeds: &[Deed]) -> Option<String> {
    if let Some(found) = deeds.iter().find_map(|deed| single(world, deed)) {
        return Some(found);
    }
    let shelf = world.shelf.as_ref()?;
    // Each missing unit is brought once, by one of these.
    let brought: f64 = deeds.iter().map(|deed| brings(deed)).sum();
    // A least order, and what fills a pack, is asked for by whoever sells.
    let packs = deeds.iter().map(|deed| match deed {
        Deed::Other { .. } => shelf.other.map_or(0.0, |other| other.least.max(other.pack)),
        Deed::Split { .. } => shelf.supplier.pack,
        _ => 1.0,
    });
    let most = most(shelf).max(0.0) + packs.fold(1.0, f64::max);
    (brought > most).then(|| format!("{brought:.1} units are brought, {most:.1} are asked for until relief at most"))
}

/// Units that a deed brings for want of them until relief; a usual order is made up to its own level.
fn brings(deed: &Deed) -> f64 {
    match *deed {
        Deed::Transfer { qty, .. } | Deed::Expedite { qty, .. } | Deed::Other { qty } | Deed::Split { qty, .. } => qty,
        _ => 0.0,
    }
}

fn single(world: &World, deed: &Deed) -> Option<String> {
    let shelf = world.shelf.as_ref();
    let no = |why: &str| Some(format!("{deed:?}: {why}"));
    match (*deed, shelf) {
        (Deed::Transfer { donor, qty }, Some(shelf)) => {
            let spare = spare(shelf, donor);
            let late = MOVED >= relief(shelf);
            (qty < 1.0 || qty > spare || late)
                .then(|| format!("{deed:?}: the donor can spare {spare}, relief on {}", relief(shelf)))
        }
        (Deed::Expedite { line, qty }, Some(shelf)) => {
            let line = &shelf.lines[line];
            let sooner = line.promised > 0 && (hurried(line.promised) as i32) < line.promised;
            (!sooner || qty > line.qty)
                .then(|| format!("{deed:?}: {HURRIED} of the time can be saved, {} are open", line.qty))
        }
        (Deed::Order { qty }, Some(shelf)) => {
            let position = position(shelf, None);
            let reorder = shelf.supplier.levels(shelf.demand).0;
            if position >= reorder {
                return no("what is there and on order covers the need");
            }
            if packed(qty, shelf.supplier.least, shelf.supplier.pack) { None } else { no("least order or pack") }
        }
        (Deed::Other { qty }, Some(shelf)) => {
            let (Some(other), Some(late)) = (&shelf.other, late_line(shelf)) else { return no("no line is late") };
            let comes = 1.0 + other.lead;
            if comes >= expected(shelf.lines[late].promised) || other.price > shelf.supplier.price * DEARER {
                return no("it comes no sooner, or is too dear");
            }
            if position(shelf, Some(late)) >= other.levels(shelf.demand).0 {
                return no("what is there and comes in time covers the need");
            }
            if packed(qty, other.least, other.pack) { None } else { no("least order or pack") }
        }
        (Deed::Raise { line, qty }, Some(shelf)) => {
            let days = f64::from(shelf.lines[line].promised);
            let frozen = days - (shelf.supplier.lead * FROZEN).ceil().max(1.0) <= 0.0;
            (frozen || !packed(qty, 0.0, shelf.supplier.pack)).then(|| format!("{deed:?}: frozen, or no whole packs"))
        }
        (Deed::Split { line, qty }, Some(shelf)) => {
            let line = &shelf.lines[line];
            let put_off = line.promised > 0 && line.promised > line.first.max(PART);
            let part = qty < line.qty && packed(qty, 0.0, shelf.supplier.pack);
            (!put_off || line.promised == line.first || !part).then(|| format!("{deed:?}: not put off, or no part of it"))
        }
        (Deed::AskLine { line }, Some(shelf)) => (shelf.lines[line].promised > 0).then(|| format!("{deed:?}: not overdue")),
        (Deed::Cancel { line, qty }, Some(shelf)) => {
            let until = f64::from(shelf.lines[line].promised) + shelf.supplier.lead;
            kept(shelf, line, qty, until.ceil() as usize).and_then(|why| no(&why))
        }
        (Deed::Defer { line, qty, days }, Some(shelf)) => {
            let until = usize::try_from(shelf.lines[line].promised).unwrap_or(0) + days;
            kept(shelf, line, qty, until).and_then(|why| no(&why))
        }
        (Deed::Markdown { percent }, Some(shelf)) => {
            let floor = shelf.price * (1.0 - percent / 100.0) < shelf.cost;
            floor.then(|| format!("{deed:?}: below cost"))
        }
        (Deed::SendBack { qty }, Some(shelf)) => {
            (qty > shelf.on_hand.min(shelf.over)).then(|| format!("{deed:?}: not that much came"))
        }
        (Deed::AskOver, Some(shelf)) => (shelf.over <= 0.0).then(|| format!("{deed:?}: nothing came too much")),
        (Deed::Block, _) => world.bill.is_none_or(|bill| bill.paid).then(|| format!("{deed:?}: paid, or no bill")),
        (Deed::Reverse, _) => {
            let may = world.bill.is_some_and(|bill| bill.why == Why::Twice && !bill.paid);
            (!may).then(|| format!("{deed:?}: no document that is there twice and unpaid"))
        }
        (Deed::Claim, _) => {
            // What repeats an unpaid bill is not claimed: nothing was paid for it.
            let may = world.bill.is_some_and(|bill| bill.why != Why::Twice || bill.paid);
            (!may).then(|| format!("{deed:?}: nothing to claim"))
        }
        (Deed::AskBill, _) => world.bill.is_none().then(|| format!("{deed:?}: no bill")),
        (Deed::Recount, shelf) => {
            let odd = world.count.is_some() || shelf.is_some_and(|shelf| shelf.ghosts > 0.0);
            (!odd).then(|| format!("{deed:?}: nothing that a count could find"))
        }
        (_, None) => no("no shelf"),
    }
}

/// Whole packs, and no less than the least order.
fn packed(qty: f64, least: f64, pack: f64) -> bool {
    qty >= least && qty > 0.0 && ((qty / pack) - (qty / pack).round()).abs() < 1e-6
}

/// The day on which a line is expected: what is overdue as late again as it is.
fn expected(promised: i32) -> f64 {
    f64::from(if promised > 0 { promised } else { (-promised).max(1) })
}

/// A line that comes later than it was promised first.
pub fn late_line(shelf: &Shelf) -> Option<usize> {
    shelf.lines.iter().position(|line| line.promised <= 0 || line.promised > line.first)
}

/// On hand and on order, without a line that is not counted on.
fn position(shelf: &Shelf, without: Option<usize>) -> f64 {
    let lines = shelf.lines.iter().enumerate().filter(|(at, _)| Some(*at) != without);
    shelf.on_hand + lines.map(|(_, line)| line.qty).sum::<f64>()
}

/// Transferable from a donor (§3.3): what it has less its demand until its next receipt, or until an order of today comes, less its
/// safety stock over these days.
pub fn spare(shelf: &Shelf, donor: usize) -> f64 {
    let from = &shelf.donors[donor];
    let days = from.next.map_or(shelf.supplier.lead.ceil(), |(day, _)| day as f64);
    let safety = Z * from.demand.sd() * days.sqrt();
    // The lead time is known from receipts, which say it to within a day.
    (from.on_hand - from.demand.mean * days - safety).max(0.0).floor()
}

/// The day on which what is missing comes anyway: an order of the shop's next turn has come by then, and one of today before.
fn relief(shelf: &Shelf) -> usize {
    (shelf.supplier.next_review + shelf.supplier.lead.ceil() as usize).min(HORIZON)
}

/// Units that nine in ten demands until relief ask for beyond what is there.
pub fn most(shelf: &Shelf) -> f64 {
    let days = relief(shelf);
    let mean: f64 = (0..days).map(|day| shelf.mean_on(day)).sum();
    let variance: f64 = (0..days).map(|day| shelf.demand_on(day).sd().powi(2)).sum();
    let doubt = shelf.demand.mean * shelf.supplier.lead_sd;
    (mean + COVER * (variance + doubt * doubt).sqrt() - shelf.on_hand).max(0.0)
}

/// Does stock stay above the safety stock without these units of a line until a day? None where it does.
fn kept(shelf: &Shelf, line: usize, qty: f64, until: usize) -> Option<String> {
    let gone = &shelf.lines[line];
    if gone.promised <= 1 || qty > gone.qty {
        return Some("the promise is not ahead, or less is open".to_owned());
    }
    let doubt = shelf.supplier.lead * shelf.demand.sd().powi(2) + (shelf.demand.mean * shelf.supplier.lead_sd).powi(2);
    let safety = Z * doubt.sqrt();
    let stock = |day: usize| {
        let came: f64 = shelf
            .lines
            .iter()
            .enumerate()
            .filter(|(_, l)| expected(l.promised) < day as f64)
            .map(|(at, l)| if at == line { l.qty - qty } else { l.qty })
            .sum();
        shelf.on_hand + came - (0..day).map(|d| shelf.mean_on(d)).sum::<f64>()
    };
    let lowest = (0..=until.min(2 * HORIZON)).map(stock).fold(f64::INFINITY, f64::min);
    // Half a unit either way is a matter of rounding.
    (lowest < safety - 0.5).then(|| format!("stock falls to {lowest:.1}, safety stock is {safety:.1}"))
}
