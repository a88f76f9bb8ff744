//! What people turned down does not come back because a detector looks again, or because the condition was away for a day: it
//! comes back when it is worth a fifth and 50.00 more than when it was turned down (handbook §6 rule 4). A change of stage is
//! another exception, and opens its own case.
//!
//! What people acted on and is seen all the same comes back, too: when it has grown like that, at once when its executor did
//! not do it or took it back, and otherwise when the horizon has passed in which it should have helped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;

use crate::domain::case::CaseState;
use crate::domain::decision::RecommendationState;
use crate::domain::exception::{Exception, ExceptionState, Signal};
use crate::domain::ids::{CaseId, ExceptionId};
use crate::domain::money::Money;
use crate::domain::outcome::StepFound;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::context::Context as Stages;
use crate::pipeline::moment::Moment;
use crate::pipeline::promises::Promises;
use crate::pipeline::scenes::Scenes;
use crate::rules::assess::assess;
use crate::rules::fold::returns::{Returns, has_grown};
use crate::store::{Reported, States, Store, StoreError};

/// Looks at what was turned down or acted on and is seen again. Where nothing was ever turned down, it costs one query.
pub(super) async fn returns(stages: &Stages, moment: &Arc<Moment>, known: &[Exception]) -> anyhow::Result<Returns> {
    let Stages { store, config, .. } = stages;
    let waiting = store.list_recommendations_in(RecommendationState::WAITING).await?;
    let signed = waiting.into_iter().filter(|(rec, _)| rec.state.first_signature().is_some());
    let mut found = Returns { signed: signed.map(|(rec, _)| rec.case_id).collect(), ..Returns::default() };
    let seen: BTreeMap<ExceptionId, &Signal> =
        moment.seen.signals.iter().filter(|s| s.explained.is_none()).map(|s| (s.exception_id(), s)).collect();
    // What is over and done with and is not seen again is not asked for, however much of it there is.
    let ids: Vec<&ExceptionId> = known.iter().map(|e| &e.id).filter(|id| seen.contains_key(id)).collect();
    let owners = store.map_exceptions_to_cases(&ids).await?;
    let owning: Vec<&CaseId> = owners.values().collect::<BTreeSet<_>>().into_iter().collect();
    let mut closed = store.list_cases_of(&owning).await?;
    closed.retain(|_, case| case.state == CaseState::Closed && !case.is_mute_proposal());
    if closed.is_empty() {
        return Ok(found);
    }
    let of: Vec<&CaseId> = closed.keys().collect();
    let rejected = store.list_recommendations_of(&of, States::In(&["rejected"])).await?;
    let rejected: BTreeSet<CaseId> = rejected.into_iter().map(|(rec, _)| rec.case_id).collect();
    let acted_on = acted_on(store, &of).await.context("reading what was handed off")?;
    closed.retain(|id, _| rejected.contains(id) || acted_on.contains_key(id));
    let mut again: BTreeMap<CaseId, Vec<Exception>> = BTreeMap::new();
    for exception in known {
        let Some(owner) = owners.get(&exception.id).filter(|owner| closed.contains_key(owner)) else { continue };
        let Some(signal) = seen.get(&exception.id) else { continue };
        // Judged on what is seen today, not on what was kept when people turned it down.
        let fresh = Exception { signal: (*signal).clone(), state: ExceptionState::Open, ..exception.clone() };
        again.entry(owner.clone()).or_default().push(fresh);
    }
    let scenes = Scenes { moment: Arc::clone(moment), config: Arc::clone(config), claimed: store.list_claims().await? };
    let promises = Promises::firm(store).await.context("reading what is promised")?;
    for (id, exceptions) in again {
        let case = &closed[&id];
        // It had its time to help, and the thing is still there: that is reason enough, whatever it is worth.
        if acted_on.get(&id).is_some_and(|past| *past) {
            found.back.extend(exceptions.into_iter().map(|e| e.id));
            continue;
        }
        let facts = scenes.facts(store, case.clone(), exceptions, promises.to_others(&id)).await?;
        let then = case.rank.as_ref().map_or(Money::ZERO, |rank| rank.value.expected);
        let grown = has_grown(then, assess(&scenes.scene(&facts)).rank.value.expected);
        // What was acted on may help yet; if it went away and comes again, it is a new one.
        let side = match (grown, acted_on.contains_key(&id)) {
            (true, _) => &mut found.back,
            (false, false) => &mut found.quiet,
            (false, true) => continue,
        };
        side.extend(facts.exceptions.into_iter().map(|e| e.id));
    }
    Ok(found)
}

/// Those of `cases` of which something was to be handed off, and whether its time to help is past: it never left, it was not done or taken
/// back by its executor's own word, or what came of it has been measured.
async fn acted_on(store: &Store, of: &[&CaseId]) -> anyhow::Result<BTreeMap<CaseId, bool>> {
    use RecommendationState as S;
    let settled = [&S::CarriedOut, &S::Partly, &S::NotCarriedOut, &S::Undone].map(S::name);
    let mut cases = BTreeMap::new();
    for (rec, _) in store.list_recommendations_of(of, States::In(&settled)).await? {
        let past = match rec.state {
            S::Undone => true,
            S::NotCarriedOut if refused_by_its_executor(store, &rec).await? => true,
            // A part of a plan that is lost for good leaves what it was for.
            S::Partly if rec.candidate.is_plan() && refused_by_its_executor(store, &rec).await? => true,
            _ => store
                .find_outcome(&rec.id)
                .await?
                .is_some_and(|outcome| outcome.found.is_measured() || outcome.found.never_left()),
        };
        *cases.entry(rec.case_id).or_insert(false) |= past;
    }
    Ok(cases)
}

/// Did its executor say that it will not be done? Of a plan: is there nothing of what is missing that may still be done?
async fn refused_by_its_executor(store: &Store, rec: &Recommendation) -> Result<bool, StoreError> {
    let reports = store.list_reports_about(rec.id.as_str()).await?;
    if !rec.candidate.is_plan() {
        return Ok(reports.last().is_some_and(|word| word.state == Reported::NotCarriedOut));
    }
    let steps = store.find_outcome(&rec.id).await?.map(|outcome| outcome.found.steps).unwrap_or_default();
    let refused = |step: &StepFound| {
        let last = reports.iter().rfind(|word| word.message_id == step.message);
        step.never_left || last.is_some_and(|word| word.state == Reported::NotCarriedOut)
    };
    let mut missing = steps.iter().filter(|step| step.state == RecommendationState::NotCarriedOut).peekable();
    Ok(missing.peek().is_some() && missing.all(refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_a_fifth_and_fifty_more() {
        for (then, now, grown) in [
            (10_000, 15_000, false),
            (10_000, 15_001, true),
            (100_000, 115_000, false),
            (100_000, 120_000, false),
            (100_000, 120_001, true),
            (0, 5_000, false),
            (0, 5_001, true),
            (10_000, 1_000, false),
        ] {
            assert_eq!(has_grown(Money::from_minor(then), Money::from_minor(now)), grown, "{then} to {now}");
        }
    }
}
