//! What a transfer takes from its donor.

use reeve_domain::action::Action;
use reeve_domain::claim::ClaimKind;
use reeve_domain::money::Money;

use super::ground::{all_told, amount, ids, told, units};
use super::{Claims, Ground};

pub(super) fn decide(ground: &Ground<'_>, claims: &mut Claims) {
    for candidate in ground.candidates.iter().filter(|candidate| !candidate.is_plan()) {
        let Action::Transfer { item, from, to, quantity, .. } = &candidate.action else { continue };
        let donor = format!("{item}@{from}");
        if let Some(spare) = ground.fact("transferable", &donor)
            && let Some(can) = units(spare)
        {
            // What the donor needs itself is taken off already; the facts beside it say how much that is.
            let own = [ground.fact("own_daily", &donor), ground.fact("own_safety", &donor)];
            let facts: Vec<_> = [Some(spare)].into_iter().chain(own).flatten().collect();
            let words = format!("The donor can spare the {quantity} units after its own need ({}).", all_told(&facts));
            claims.say(&candidate.id, ClaimKind::DonorSpares, None, can >= *quantity, words, ids(&facts));
        }
        let lane = format!("{item}@{from}-{to}");
        if let Some(risk) = ground.fact("risk_transfer", &lane)
            && let Some(lost) = amount(risk)
        {
            let words = format!("Giving them away adds nothing to the donor's own expected loss ({}).", told(risk));
            claims.say(&candidate.id, ClaimKind::DonorSafe, None, lost == Money::ZERO, words, ids(&[risk]));
            let words = format!("Giving them away adds to the donor's own expected loss ({}).", told(risk));
            claims.say(&candidate.id, ClaimKind::DonorAtRisk, None, lost > Money::ZERO, words, ids(&[risk]));
        }
    }
}
