//! The rules: from the book of a moment to what people are asked. Pure: no store, no clock, no network, nothing async.
//!
//! The way is [`detect`] (what is odd) → [`fold`] (what belongs together, as cases) → [`scene`] (the facts put together for one
//! case) → [`assess`] (every legal action with its money and checks) → [`playbook`] (words, under which a model's reasons stand:
//! [`claims`] says what may be said, [`prompts`] asks and [`guard`] checks) → [`card`] (what people are shown). [`recheck`] looks again at the click, [`edit`] at what a
//! person changed, and [`recompute`] computes every figure of a card a second time, from what was frozen with it.

pub mod alternatives;
pub mod assess;
pub mod card;
pub mod claims;
pub mod concerned;
pub mod detect;
pub mod drafters;
pub mod edit;
pub mod fold;
pub mod graded;
pub mod guard;
pub mod likeness;
mod message;
pub mod outlook;
pub mod ownership;
pub mod place_key;
pub mod playbook;
pub mod policy_facts;
pub mod prompts;
pub mod prose;
pub mod recheck;
pub mod recompute;
mod role;
pub mod sample;
pub mod scene;
pub mod scope;
pub mod settings;
pub mod supplier;
