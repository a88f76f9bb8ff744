//! Orders, receipts and bills beside one another.

use reeve_domain::claim::ClaimKind;
use reeve_domain::money::Money;

use super::ground::{all_told, amount, ids, number, told};
use super::{CASE, Claims, Ground};

/// How the names of bills' lines begin.
const BILL_LINE: &str = "bill_line:";

pub(super) fn decide(ground: &Ground<'_>, claims: &mut Claims) {
    for field in ["received", "received_total"] {
        for (line, received) in ground.named(field) {
            let Some(came) = number(received) else { continue };
            if let Some(ordered) = ground.fact("qty", &line)
                && let Some(asked) = number(ordered)
            {
                let facts = [ordered, received];
                let words = format!("Less was received than ordered ({}).", all_told(&facts));
                claims.say(CASE, ClaimKind::ReceivedShort, Some(&line), came < asked, words, ids(&facts));
                let words = format!("What was ordered was received ({}).", all_told(&facts));
                claims.say(CASE, ClaimKind::ReceivedWhole, Some(&line), came >= asked, words, ids(&facts));
            }
            if let Some(billed) = ground.fact("billed", &line)
                && let Some(asked) = number(billed)
            {
                let facts = [billed, received];
                let words = format!("More is billed than was received ({}).", all_told(&facts));
                claims.say(CASE, ClaimKind::BilledBeyondReceipt, Some(&line), asked > came, words, ids(&facts));
            }
        }
    }
    // Of one bill's line alone: what a line's bills come to together is no price, and an order's price is not billed yet.
    for (of, variance) in ground.named("price_variance").filter(|(of, _)| of.starts_with(BILL_LINE)) {
        let Some(beyond) = amount(variance) else { continue };
        let mut say = |kind, holds, words| claims.say(CASE, kind, Some(&of), holds, words, ids(&[variance]));
        let words = format!("The price billed is above the agreed one ({}).", told(variance));
        say(ClaimKind::PriceAboveAgreed, beyond > Money::ZERO, words);
        let words = format!("The price billed is below the agreed one ({}).", told(variance));
        say(ClaimKind::PriceBelowAgreed, beyond < Money::ZERO, words);
        let words = format!("The price billed is the agreed one ({}).", told(variance));
        say(ClaimKind::PriceAsAgreed, beyond == Money::ZERO, words);
    }
}
