//! When a candidate's goods come, beside other candidates and beside what comes anyway.

use jiff::civil::Date;
use reeve_domain::action::{Action, Candidate};
use reeve_domain::calendar::days_between;
use reeve_domain::claim::ClaimKind;
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::ids::FactId;

use super::ground::{ids, told};
use super::{Claims, Ground};

pub(super) fn decide(ground: &Ground<'_>, claims: &mut Claims) {
    for one in ground.candidates {
        let Some((mine, cites)) = arrival(ground, one) else { continue };
        for other in ground.candidates.iter().filter(|other| other.id != one.id) {
            let Some((theirs, more)) = arrival(ground, other) else { continue };
            let days = days_between(mine, theirs);
            let words = format!("Its goods come on {mine}, {days} days before those of {}.", other.id);
            let cites = cites.iter().chain(&more).cloned().collect();
            claims.say(&one.id, ClaimKind::EarlierThan, Some(&other.id), days > 0, words, cites);
        }
        let Action::Transfer { item, to, .. } = &one.action else { continue };
        let of = format!("{item}@{to}");
        let relief = ground.fact("relief", &of).or_else(|| ground.fact("relief_assumed", &of));
        let Some((relief, day)) = relief.and_then(|fact| Some((fact, date(fact)?))) else { continue };
        let days = days_between(mine, day);
        let words = format!("It arrives on {mine}, {days} days before relief ({}).", told(relief));
        let cites = cites.iter().cloned().chain(ids(&[relief])).collect();
        claims.say(&one.id, ClaimKind::BeforeRelief, None, days > 0, words, cites);
    }
}

fn date(fact: &Fact) -> Option<Date> {
    match fact.value {
        FactValue::Date(day) => Some(day),
        _ => None,
    }
}

/// When the goods of a candidate come: of a plan of several steps there is no one day.
fn arrival(ground: &Ground<'_>, candidate: &Candidate) -> Option<(Date, Vec<FactId>)> {
    if candidate.is_plan() {
        return None;
    }
    match &candidate.action {
        Action::Transfer { item, from, to, .. } => {
            let fact = ground.fact("arrives", &format!("{item}@{from}-{to}"))?;
            Some((date(fact)?, ids(&[fact])))
        }
        Action::Expedite { new_date, .. } => Some((*new_date, Vec::new())),
        Action::NewPo { need_date, .. } | Action::AltSupplier { need_date, .. } => Some((*need_date, Vec::new())),
        _ => None,
    }
}
