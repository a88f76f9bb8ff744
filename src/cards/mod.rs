//! What people are shown, in words: one view of a case and of the log, which every channel renders and none makes for itself. No
//! business number is made here.
//!
//! [`card`] is a recommendation, made by the rules, for the digest says it too and is made below; [`case`] a case with its cards,
//! [`chat`] the same for a chat, where a few lines have to do, and [`form`] what is filled in there; [`sums`] their money line by line,
//! [`chart`] the days before, [`stock_chart`] the stock to come, [`flow_chart`] what was ordered, received and billed; [`entry`] the log; `like` what was decided on like cases; [`names`] how records, people and states are
//! called.

pub mod case;
pub mod chart;
pub mod chat;
pub mod entry;
mod evidence;
pub mod flow_chart;
pub mod form;
mod like;
pub mod names;
mod outcome;
pub mod picture;
mod plot;
mod steps;
pub mod stock_chart;
pub mod sums;
mod uses;

pub use crate::domain::words::plain;
pub use crate::rules::card;
