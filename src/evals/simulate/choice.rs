//! A first choice as it is played: each step of it as a deed.

use crate::domain::action::{Action, Candidate};
use crate::domain::calendar::days_between;
use crate::domain::ids::LocationId;
use crate::lab::simulate::play::Deed;
use crate::lab::simulate::world::World;

use super::records::{self, DONORS};

/// The deeds of a candidate; what changes nothing (watching, accepting, a note) is none.
pub(super) fn deeds(world: &World, candidate: &Candidate) -> Vec<Deed> {
    candidate.actions().filter_map(|action| deed(world, action)).collect()
}

/// The candidate's steps for people.
pub(super) fn in_words(candidate: &Candidate) -> String {
    let steps = candidate.then.iter().map(|step| step.summary.as_str());
    let steps: Vec<&str> = std::iter::once(candidate.summary.as_str()).chain(steps).collect();
    format!("{} {}", candidate.action.code(), steps.join(" "))
}

fn deed(world: &World, action: &Action) -> Option<Deed> {
    Some(match action {
        Action::Transfer { from, quantity, .. } => Deed::Transfer { donor: donor(from)?, qty: quantity.to_f64() },
        Action::Expedite { po_line, quantity, .. } => Deed::Expedite { line: line(po_line)?, qty: quantity.to_f64() },
        Action::NewPo { quantity, .. } => Deed::Order { qty: quantity.to_f64() },
        Action::AltSupplier { quantity, .. } => Deed::Other { qty: quantity.to_f64() },
        Action::IncreasePo { po_line, quantity, .. } => Deed::Raise { line: line(po_line)?, qty: quantity.to_f64() },
        Action::SplitShip { po_line, quantity, .. } => Deed::Split { line: line(po_line)?, qty: quantity.to_f64() },
        Action::CancelPo { po_line, quantity } => Deed::Cancel { line: line(po_line)?, qty: quantity.to_f64() },
        Action::DeferPo { po_line, quantity, new_date } => {
            let line = line(po_line)?;
            let promised = world.shelf.as_ref()?.lines.get(line)?.promised;
            let days = usize::try_from(days_between(records::day(promised), *new_date)).ok()?;
            Deed::Defer { line, qty: quantity.to_f64(), days }
        }
        Action::Contact { about, .. } => asked(world, about)?,
        Action::Return { quantity, .. } => Deed::SendBack { qty: quantity.to_f64() },
        Action::Markdown { percent, .. } => Deed::Markdown { percent: *percent },
        Action::Recount { .. } => Deed::Recount,
        Action::BlockBill { .. } => Deed::Block,
        Action::Claim { .. } => Deed::Claim,
        Action::ReverseDoc { .. } => Deed::Reverse,
        _ => return None,
    })
}

/// Which question it is.
fn asked(world: &World, about: &str) -> Option<Deed> {
    let shelf = world.shelf.as_ref();
    if about.contains("past its promised day") {
        return Some(Deed::AskLine { line: 0 });
    }
    if shelf.is_some_and(|shelf| shelf.over > 0.0) {
        return Some(Deed::AskOver);
    }
    world.bill.map(|_| Deed::AskBill)
}

fn donor(from: &LocationId) -> Option<usize> {
    from.as_str().parse::<usize>().ok()?.checked_sub(DONORS)
}

fn line(id: &str) -> Option<usize> {
    id.strip_prefix(records::LINE)?.parse().ok()
}
