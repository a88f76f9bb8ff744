//! What was needed and is not known.

use reeve_domain::claim::ClaimKind;
use reeve_domain::text::clean;

use super::{CASE, Claims, Ground};

/// What is missing and named.
const NAMED: usize = 3;
/// Longest name of it, in characters.
const NAME_MAX: usize = 80;

pub(super) fn decide(ground: &Ground<'_>, claims: &mut Claims) {
    let missing = ground.missing();
    let named: Vec<String> = missing.iter().take(NAMED).map(|m| clean(&m.what, NAME_MAX)).collect();
    let more = if missing.len() > NAMED { "; and more" } else { "" };
    let words = format!("Not everything is known: {}{more}.", named.join("; "));
    claims.say(CASE, ClaimKind::SomethingMissing, None, !missing.is_empty(), words, Vec::new());
    let words = "Nothing that the figures need is missing from the evidence.".to_owned();
    claims.say(CASE, ClaimKind::NothingMissing, None, missing.is_empty(), words, Vec::new());
}
