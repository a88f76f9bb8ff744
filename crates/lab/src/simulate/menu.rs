//! Every answer that is tried in a world, whoever proposes it: each kind of deed at a grid of quantities, and those that go together.

use super::legal;
use super::play::{Deed, surplus};
use super::world::{Shelf, World};

/// Steps of a grid of quantities.
const STEPS: usize = 8;
/// Days by which a line may be pushed back.
const LATER: [usize; 4] = [7, 14, 28, 60];
/// Reductions of a price, in percent.
const PERCENTS: [f64; 4] = [10.0, 20.0, 30.0, 40.0];

/// All legal answers, doing nothing first.
pub fn of(world: &World) -> Vec<Vec<Deed>> {
    let mut all = vec![Vec::new()];
    if let Some(shelf) = &world.shelf {
        goods(world, shelf, &mut all);
    }
    if world.bill.is_some() {
        let papers = [Deed::Block, Deed::Claim, Deed::AskBill, Deed::Reverse].into_iter();
        let papers: Vec<Deed> = papers.filter(|deed| legal::objection(world, &[*deed]).is_none()).collect();
        let goods = all.clone();
        // What is done about a bill stands beside whatever is done about the goods.
        all.extend(papers.iter().flat_map(|paper| goods.iter().map(move |deeds| [deeds.as_slice(), &[*paper]].concat())));
    }
    if world.count.is_some() || world.shelf.as_ref().is_some_and(|shelf| shelf.ghosts > 0.0) {
        all.push(vec![Deed::Recount]);
    }
    all.retain(|deeds| legal::objection(world, deeds).is_none());
    all
}

fn goods(world: &World, shelf: &Shelf, all: &mut Vec<Vec<Deed>>) {
    let mut bring = Vec::new();
    let cap = legal::most(shelf);
    for (donor, _) in shelf.donors.iter().enumerate() {
        let most = legal::spare(shelf, donor).min(cap);
        bring.push(grid(most, 1.0).map(|qty| Deed::Transfer { donor, qty }).collect::<Vec<_>>());
    }
    let asks: Vec<Deed> = shelf
        .lines
        .iter()
        .enumerate()
        .filter(|(_, line)| line.promised <= 0)
        .map(|(line, _)| Deed::AskLine { line })
        .collect();
    for (at, line) in shelf.lines.iter().enumerate() {
        let most = line.qty.min(cap.ceil());
        bring.push(grid(most, 1.0).map(|qty| Deed::Expedite { line: at, qty }).collect());
        bring.push(grid(most, shelf.supplier.pack).map(|qty| Deed::Split { line: at, qty }).collect());
        bring.push(grid(cap * 1.5, shelf.supplier.pack).map(|qty| Deed::Raise { line: at, qty }).collect());
    }
    let up_to = shelf.supplier.levels(shelf.demand).1;
    let order = grid(up_to * 1.5, shelf.supplier.pack).map(|qty| Deed::Order { qty: shelf.supplier.ordered(qty) });
    bring.push(order.collect());
    if let Some(other) = &shelf.other {
        bring.push(grid(cap.max(other.least), other.pack).map(|qty| Deed::Other { qty: other.ordered(qty) }).collect());
    }
    for (i, first) in bring.iter().enumerate() {
        all.extend(first.iter().map(|deed| vec![*deed]));
        // Two that go together: each other one of their quantities, with one of another source.
        for second in &bring[i + 1..] {
            for a in first.iter().skip(1).step_by(2) {
                all.extend(second.iter().skip(1).step_by(2).map(|b| vec![*a, *b]));
            }
        }
        for ask in &asks {
            all.extend(first.iter().map(|deed| vec![*deed, *ask]));
        }
    }
    all.extend(asks.into_iter().map(|ask| vec![ask]));
    let over = surplus(shelf);
    for (at, line) in shelf.lines.iter().enumerate().filter(|_| over >= 1.0 && world.code != "R-OVER") {
        for qty in grid(line.qty.min(over), 1.0) {
            all.push(vec![Deed::Cancel { line: at, qty }]);
            all.extend(LATER.map(|days| vec![Deed::Defer { line: at, qty, days }]));
        }
    }
    all.extend(PERCENTS.map(|percent| vec![Deed::Markdown { percent }]));
    if shelf.over > 0.0 {
        all.extend(grid(shelf.over, 1.0).map(|qty| vec![Deed::SendBack { qty }]));
        all.push(vec![Deed::AskOver]);
    }
}

/// Quantities up to a most, in whole packs.
fn grid(most: f64, pack: f64) -> impl Iterator<Item = f64> {
    let mut steps: Vec<f64> =
        (1..=STEPS).map(|step| (most * step as f64 / STEPS as f64 / pack).floor() * pack).filter(|qty| *qty > 0.0).collect();
    steps.dedup();
    steps.into_iter()
}
