//! The field's words as types, and the rules that hold whatever the adapters, the store or the clock do.
//!
//! Nothing here reads a clock, a file or a network, and nothing here knows a vendor.

pub mod action;
pub mod announced;
pub mod audit;
pub mod book;
pub mod calendar;
pub mod case;
pub mod case_life;
pub mod channel;
mod days;
pub mod decision;
pub mod digest;
pub mod draft;
pub mod event;
pub mod evidence;
pub mod exception;
pub mod ids;
pub mod master;
pub mod money;
pub mod mute;
pub mod notice;
pub mod policy;
pub mod recommendation;
pub mod record;
pub mod shipped;
pub mod summed;
pub mod terms;
pub mod text;
pub mod transit;
pub mod waits;
pub mod working;
pub mod workings;
