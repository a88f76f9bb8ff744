//! Is what is recommended allowed, and is it the right thing?

use reeve_domain::action::Action;
use reeve_domain::recommendation::Drafter;

use super::{Grade, Look};

/// Hard checks passed, steps stand beside one another, the policy permits them.
pub(super) fn legality(look: &Look<'_>) -> Option<Grade> {
    let mut wrong = Vec::new();
    let mut any = false;
    for rec in look.drafted().flat_map(|seen| &seen.recommendations) {
        any = true;
        let code = rec.candidate.codes();
        for check in rec.candidate.steps().flat_map(|step| step.checks).filter(|check| check.hard && !check.passed) {
            wrong.push(format!("{code}: fails {:?} ({})", check.name, check.detail));
        }
        wrong.extend(rec.candidate.clash().map(|why| format!("{code}: {why}")));
        if !look.settings.policy.permits_all(rec.candidate.actions()) {
            wrong.push(format!("{code}: the policy does not permit it"));
        }
    }
    any.then(|| Grade::none_of(&wrong))
}

/// What may never be recommended or said is not.
pub(super) fn forbidden(look: &Look<'_>) -> Option<Grade> {
    let expected = &look.scenario.expected;
    let mut wrong = Vec::new();
    let mut any = false;
    for rec in look.drafted().flat_map(|seen| &seen.recommendations) {
        any = true;
        for action in rec.candidate.actions() {
            // A mute is about Reeve's own list: no case of the business is answered by looking away.
            if matches!(action, Action::Mute { .. }) || expected.never.iter().any(|code| code == action.code()) {
                wrong.push(format!("{} is recommended", action.code()));
            }
        }
        let prose = &rec.prose;
        let own = [&prose.rationale, &prose.risks, &prose.would_change, &prose.question];
        let words = own.into_iter().chain(&prose.message).chain(prose.claims.iter().map(|claim| &claim.words));
        let words: Vec<String> = words.map(|text| text.to_lowercase()).collect();
        for unsaid in &expected.unsaid {
            if words.iter().any(|text| text.contains(&unsaid.to_lowercase())) {
                wrong.push(format!("{} says {unsaid:?}", rec.candidate.codes()));
            }
        }
    }
    any.then(|| Grade::none_of(&wrong))
}

/// The first recommendation of what the scenario is about.
pub(super) fn best(look: &Look<'_>) -> Option<Grade> {
    let best = &look.scenario.expected.best;
    if best.is_empty() {
        return None;
    }
    let first = look.about().and_then(|seen| seen.first());
    let code = first.map_or("nothing", |rec| rec.candidate.action.code());
    let wrong = if best.iter().any(|b| b == code) {
        Vec::new()
    } else {
        vec![format!("{code} is recommended first, {} is best", best.join(" or "))]
    };
    Some(Grade::none_of(&wrong))
}

/// It hands over to people exactly where it must.
pub(super) fn abstention(look: &Look<'_>) -> Option<Grade> {
    let must = look.scenario.expected.abstain?;
    let does = look.about().is_some_and(super::super::attempt::CaseSeen::abstains);
    let wrong = match (must, does) {
        (true, false) => vec!["it recommends something where people must judge".to_owned()],
        (false, true) => vec!["it hands over what can be recommended".to_owned()],
        _ => Vec::new(),
    };
    Some(Grade::none_of(&wrong))
}

/// Share of pairs of recommendations that a model has in the order of what they are worth. The playbook's order is that one.
pub(super) fn ordering(look: &Look<'_>) -> Option<Grade> {
    let (mut agree, mut pairs) = (0_u32, 0_u32);
    for seen in look.drafted() {
        // The playbook orders by the money itself, so it would agree with itself.
        let recs: Vec<_> = seen.recommendations.iter().filter(|rec| matches!(rec.drafter, Drafter::Model { .. })).collect();
        for (at, first) in recs.iter().enumerate() {
            for second in &recs[at + 1..] {
                pairs += 1;
                agree += u32::from(first.candidate.money.benefit.expected >= second.candidate.money.benefit.expected);
            }
        }
    }
    (pairs > 0).then(|| {
        Grade::from(f64::from(agree) / f64::from(pairs), 0.5, || {
            format!("{agree} of {pairs} pairs are in the computed order")
        })
    })
}
