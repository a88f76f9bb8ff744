//! Days: what is late, what came early, who has not answered.

use reeve_domain::claim::ClaimKind;
use rust_decimal::Decimal;

use super::ground::{ids, number, told};
use super::{CASE, Claims, Ground};

/// Fields that count days after a promise.
const LATE: [&str; 4] = ["overdue_days", "late_days", "delay_days", "days_off"];

pub(super) fn decide(ground: &Ground<'_>, claims: &mut Claims) {
    for (of, days) in LATE.into_iter().flat_map(|field| ground.named(field).collect::<Vec<_>>()) {
        let Some(count) = number(days) else { continue };
        let words = format!("It is late, or came late ({}).", told(days));
        claims.say(CASE, ClaimKind::Late, Some(&of), count > Decimal::ZERO, words, ids(&[days]));
    }
    for (of, days) in ground.named("early_days") {
        let Some(count) = number(days) else { continue };
        let words = format!("It came before its day ({}).", told(days));
        claims.say(CASE, ClaimKind::Early, Some(&of), count > Decimal::ZERO, words, ids(&[days]));
    }
    for (of, days) in ground.named("silent_days") {
        let Some(count) = number(days) else { continue };
        let words = format!("There has been no answer ({}).", told(days));
        claims.say(CASE, ClaimKind::Unanswered, Some(&of), count > Decimal::ZERO, words, ids(&[days]));
    }
}
