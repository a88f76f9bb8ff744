//! What the tests of all chats have in common: a world with everything that works on chats, cards to be drawn, the real program.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

pub(crate) mod desk;
mod payloads;
pub(crate) mod program;
pub(crate) mod samples;
