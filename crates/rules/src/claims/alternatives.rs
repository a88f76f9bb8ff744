//! A candidate beside the others of its case. The others are those that people are shown.

use reeve_domain::action::Candidate;
use reeve_domain::calendar::days_between;
use reeve_domain::claim::ClaimKind;
use reeve_domain::money::Money;

use super::{Claims, Ground};

pub(super) fn decide(ground: &Ground<'_>, claims: &mut Claims) {
    let worth = |candidate: &Candidate| candidate.money.benefit.expected;
    for one in ground.candidates {
        let others: Vec<&Candidate> = ground.candidates.iter().filter(|other| other.id != one.id).collect();
        // Of one alone nothing can be said beside others.
        if others.is_empty() {
            continue;
        }
        let count = ground.candidates.len();
        let mut say = |kind, holds, words| claims.say(&one.id, kind, None, holds, words, one.cites.clone());
        let best = others.iter().all(|other| worth(other) < worth(one));
        let words =
            format!("Of the {count} actions on the card it has the largest net benefit, {}.", ground.money(worth(one)));
        say(ClaimKind::Best, best, words);
        let only = worth(one) > Money::ZERO && others.iter().all(|other| worth(other) <= Money::ZERO);
        let words =
            format!("None of the other actions on the card is worth anything; it is worth {}.", ground.money(worth(one)));
        say(ClaimKind::OnlyGain, only, words);
        for other in others {
            pair(ground, claims, one, other);
        }
    }
}

fn pair(ground: &Ground<'_>, claims: &mut Claims, one: &Candidate, other: &Candidate) {
    let id = &other.id;
    let mut cites = one.cites.clone();
    cites.extend(other.cites.iter().filter(|cite| !one.cites.contains(cite)).cloned());
    let mut say = |kind, holds, words| claims.say(&one.id, kind, Some(id.as_str()), holds, words, cites.clone());
    // By how much, where the first is the smaller.
    let less = |small: Money, large: Money| (small < large, ground.money(large - small));
    let (mine, theirs) = (one.money.benefit.expected, other.money.benefit.expected);
    let (holds, by) = less(theirs, mine);
    say(ClaimKind::BetterThan, holds, format!("It is worth {by} more than {id}."));
    let (holds, by) = less(mine, theirs);
    say(ClaimKind::WorseThan, holds, format!("It is worth {by} less than {id}."));
    let (holds, by) = less(one.money.cost, other.money.cost);
    say(ClaimKind::CheaperThan, holds, format!("It costs {by} less than {id}."));
    let (holds, by) = less(one.money.loss_after.expected, other.money.loss_after.expected);
    say(ClaimKind::LeavesLessThan, holds, format!("It leaves {by} less of the loss than {id}."));
    let days = days_between(other.latest_date, one.latest_date);
    let words = format!("It can be done until {}, {days} days longer than {id}.", one.latest_date);
    say(ClaimKind::LastsLongerThan, days > 0, words);
}
