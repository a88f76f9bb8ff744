//! Claims: the reasons of a choice are claims of its candidate or of the case, and each is true.

use reeve_domain::claim::Claim;

use super::super::objection::Objection;
use crate::claims::{CASE, Claims, Refusal};
use crate::prose::excerpt;

/// Most claims of a choice: who has more reasons than that has not chosen among them.
pub(in crate::guard) const CLAIMS_MAX: usize = 4;

/// The claims that hold, in the model's order.
pub(in crate::guard) fn check(
    candidate: &str,
    picked: &[String],
    claims: &Claims,
    objections: &mut Vec<Objection>,
) -> Vec<Claim> {
    if picked.is_empty() || picked.len() > CLAIMS_MAX {
        objections.push(Objection::ClaimCount { candidate: candidate.to_owned(), count: picked.len() });
    }
    let mut held: Vec<Claim> = Vec::new();
    for id in picked.iter().take(CLAIMS_MAX) {
        let (candidate, claim) = (candidate.to_owned(), excerpt(id));
        match claims.get(id) {
            Err(Refusal::Undecided) => objections.push(Objection::UnknownClaim { candidate, claim }),
            Err(Refusal::False) => objections.push(Objection::FalseClaim { candidate, claim }),
            Ok(found) if held.contains(found) => objections.push(Objection::ClaimTwice { candidate, claim }),
            Ok(found) => {
                let of = found.id.split('.').next().unwrap_or_default();
                if of != CASE && of != candidate {
                    objections.push(Objection::ForeignClaim { candidate, claim });
                    continue;
                }
                held.push(found.clone());
            }
        }
    }
    held
}
