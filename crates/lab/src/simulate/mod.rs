//! Decisions played forward: made-up worlds with a decision to make, and what each answer to it comes to.
//!
//! What recommends in the product computes each action's worth by formulas: normal demand, one window, expected shortage. Here the
//! same decision is lived instead, day by day, over many draws of demand, lead times and answers whose laws the world states. So
//! nothing here may know how the product computes: no file of this folder uses another package of the workspace but what draws
//! random numbers, and what may be done is written from the handbook's words (§5), not taken from the rules that check it.
//!
//! Draft: the play itself has not been checked against known answers yet, so what it says of the rules is no measure of them.
//!
//! - [`world`]: what a world is, in plain numbers;
//! - [`generate`]: worlds of thirteen types of exception, from a seed;
//! - [`chances`]: what is drawn of a world, the same for all answers that are compared;
//! - [`play`]: the days to come with an answer carried out;
//! - [`shelves`]: one place's stock from day to day;
//! - [`menu`]: every answer that is tried, whoever proposes it;
//! - [`legal`]: what may not be done;
//! - [`worth`]: what answers are worth, and which is best.

pub mod chances;
pub mod generate;
pub mod legal;
pub mod menu;
pub mod play;
mod shelves;
pub mod world;
pub mod worth;
