//! What a candidate is worth by itself.

use reeve_domain::claim::ClaimKind;
use reeve_domain::money::Money;

use super::{Claims, Ground};

pub(super) fn decide(ground: &Ground<'_>, claims: &mut Claims) {
    for candidate in ground.candidates {
        let (money, cites) = (&candidate.money, || candidate.cites.clone());
        let (now, after) = (money.loss_now.expected, money.loss_after.expected);
        let shown = |amount: Money| ground.money(amount);
        let mut say = |kind, holds, words| claims.say(&candidate.id, kind, None, holds, words, cites());
        let p = format!("{:.0} %", money.p * 100.0);
        let words = format!("It is worth {} net, at a probability of {p}.", shown(money.benefit.expected));
        say(ClaimKind::Worth, true, words);
        let words = format!("It lowers the expected loss from {} to {}.", shown(now), shown(after));
        say(ClaimKind::LowersLoss, after < now, words);
        say(ClaimKind::KeepsLoss, after == now, format!("It leaves the expected loss of {} as it is.", shown(now)));
        let free = money.cost == Money::ZERO && money.regret == Money::ZERO;
        say(ClaimKind::CostsNothing, free, "It costs nothing, also if the alarm was false.".to_owned());
        let low = shown(money.benefit.low);
        let above = money.benefit.low > Money::ZERO;
        say(ClaimKind::PaysAtWorst, above, format!("It pays in the worse cases too: then it is worth {low}."));
        let below = money.benefit.low < Money::ZERO;
        say(ClaimKind::MayNotPay, below, format!("It may not pay: in the worse cases it is worth {low}."));
    }
}
