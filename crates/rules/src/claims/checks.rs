//! The checks of a candidate: whether all passed, or which one warns.

use reeve_domain::action::Check;
use reeve_domain::claim::ClaimKind;
use reeve_domain::text::clean;

use super::{Claims, Ground};

/// Warnings that are named.
const NAMED: usize = 3;
/// Longest name of one, in characters.
const NAME_MAX: usize = 120;

pub(super) fn decide(ground: &Ground<'_>, claims: &mut Claims) {
    for candidate in ground.candidates {
        let checks: Vec<&Check> = candidate.steps().flat_map(|step| step.checks).collect();
        let failed: Vec<&&Check> = checks.iter().filter(|check| !check.passed).collect();
        let words = format!("All of its checks passed ({}).", checks.len());
        let passed = failed.is_empty() && !checks.is_empty();
        claims.say(&candidate.id, ClaimKind::ChecksPassed, None, passed, words, candidate.cites.clone());
        let named: Vec<String> =
            failed.iter().take(NAMED).map(|c| clean(&format!("{} ({})", c.name, c.detail), NAME_MAX)).collect();
        let words = format!("A check warns: {}.", named.join("; "));
        claims.say(&candidate.id, ClaimKind::CheckWarns, None, !failed.is_empty(), words, candidate.cites.clone());
    }
}
