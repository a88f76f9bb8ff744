//! Stock at a place: what is free, who waits, what comes, and whether it lasts until then.

use reeve_domain::claim::ClaimKind;
use rust_decimal::Decimal;

use super::ground::{all_told, ids, number, told};
use super::{CASE, Claims, Ground};

/// From where on running out is more likely than not, in percent.
const LIKELY: Decimal = Decimal::from_parts(50, 0, 0, false, 0);

pub(super) fn decide(ground: &Ground<'_>, claims: &mut Claims) {
    for (place, free) in ground.named("available") {
        let Some(units) = number(free) else { continue };
        let mut say = |kind, holds, words, facts: &[_]| claims.say(CASE, kind, Some(&place), holds, words, ids(facts));
        // A donor's stock is there too: which place it is, the fact's own words say.
        say(ClaimKind::OutOfStock, units <= Decimal::ZERO, format!("Nothing is free to sell ({}).", told(free)), &[free]);
        say(ClaimKind::InStock, units > Decimal::ZERO, format!("There is free stock ({}).", told(free)), &[free]);
        if let Some(wanted) = ground.fact("window_demand", &place)
            && let Some(relief) = ground.fact("relief_on", &place)
            && let Some(need) = number(wanted)
        {
            let facts = [free, wanted, relief];
            let words = format!("What is free covers what is expected to be wanted until relief ({}).", all_told(&facts));
            say(ClaimKind::ReliefBeforeStockout, units >= need, words, &facts);
            let words =
                format!("What is free does not cover what is expected to be wanted until relief ({}).", all_told(&facts));
            say(ClaimKind::StockoutBeforeRelief, units < need, words, &facts);
        }
    }
    // The exact sum of what is to come: a position is rounded, and what is rounded up looks like goods on their way.
    for (place, coming) in ground.named("on_order") {
        let Some(units) = number(coming) else { continue };
        let mut say = |kind, holds, words| claims.say(CASE, kind, Some(&place), holds, words, ids(&[coming]));
        say(ClaimKind::NothingOnOrder, units <= Decimal::ZERO, format!("Nothing is on order for it ({}).", told(coming)));
        say(ClaimKind::OnOrder, units > Decimal::ZERO, format!("Something is on order for it ({}).", told(coming)));
    }
    for (place, waiting) in ground.named("waiting") {
        let Some(units) = number(waiting) else { continue };
        let mut say = |kind, holds, words| claims.say(CASE, kind, Some(&place), holds, words, ids(&[waiting]));
        say(ClaimKind::CustomersWait, units > Decimal::ZERO, format!("Customers wait for it ({}).", told(waiting)));
        say(ClaimKind::NobodyWaits, units <= Decimal::ZERO, format!("No customer waits for it ({}).", told(waiting)));
    }
    for (place, risk) in ground.named("risk") {
        let Some(share) = number(risk) else { continue };
        let words = format!("It is more likely than not to run out ({}).", told(risk));
        claims.say(CASE, ClaimKind::LikelyOut, Some(&place), share >= LIKELY, words, ids(&[risk]));
    }
}
