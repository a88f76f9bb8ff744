//! What all chats have in common: what is shown there, what is asked there, and what comes of it. A chat's own folder knows how
//! its messages look on the wire, and nothing else.
//!
//! Out: [`tell`] puts cards and digests into the outbox; a chat's sender draws them. In: a chat checks where a request comes from and reads it
//! into [`heard::Heard`]; [`inbox`] writes it down before it is acknowledged; [`act`] finds the person behind it by their verified link,
//! asks the one door of decisions, and answers through the chat's [`voice`].

pub mod act;
pub mod heard;
pub mod inbox;
mod opening;
pub mod tell;
pub mod voice;
mod waiting;
pub(super) mod words;
