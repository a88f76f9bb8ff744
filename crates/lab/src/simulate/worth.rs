//! What answers are worth against doing nothing, and which of all is best.

use super::chances::{Chance, draw};
use super::play::{Deed, cost, stake};
use super::world::World;
use super::{legal, menu};

/// Ways that are played to find the best answer, and others to say what it and the one looked at are worth: the best of many by one
/// set of draws is best in part by its luck.
const TO_FIND: usize = 160;
const TO_SAY: usize = 800;

/// What an answer came to beside the best one.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Money at stake if nothing is done.
    pub stake: f64,
    /// Worth of the answer that was looked at, and of the best one.
    pub chosen: f64,
    pub best: f64,
    pub best_deeds: Vec<Deed>,
    /// Why the answer may not be carried out, where it may not.
    pub illegal: Option<String>,
}

/// The money at stake in a world.
pub fn at_stake(world: &World, seed: u64) -> f64 {
    mean(&draw(world, seed, TO_FIND), |chance| stake(world, chance))
}

/// Plays an answer and everything else that could be done.
pub fn judge(world: &World, chosen: &[Deed], seed: u64) -> Verdict {
    let ways = draw(world, seed, TO_FIND);
    let illegal = legal::objection(world, chosen);
    let mut answers = menu::of(world);
    if illegal.is_none() {
        answers.push(chosen.to_vec());
    }
    let total = |deeds: &Vec<Deed>| mean(&ways, |chance| cost(world, deeds, chance));
    let best = answers.into_iter().map(|deeds| (total(&deeds), deeds)).min_by(|a, b| a.0.total_cmp(&b.0));
    let best_deeds = best.map(|(_, deeds)| deeds).unwrap_or_default();
    let ways = draw(world, seed ^ 0x5eed, TO_SAY);
    let nothing = mean(&ways, |chance| cost(world, &[], chance));
    let worth = |deeds: &[Deed]| nothing - mean(&ways, |chance| cost(world, deeds, chance));
    Verdict {
        stake: mean(&ways, |chance| stake(world, chance)),
        chosen: worth(chosen),
        best: worth(&best_deeds),
        best_deeds,
        illegal,
    }
}

fn mean(ways: &[Chance], of: impl Fn(&Chance) -> f64) -> f64 {
    ways.iter().map(of).sum::<f64>() / ways.len().max(1) as f64
}
