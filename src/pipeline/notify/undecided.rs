//! What a digest reads of the cases that wait for people: page by page their place in the order, and of those that get a line what
//! they propose.

use std::collections::{BTreeMap, BTreeSet};

use super::super::context::Context as Stages;
use super::super::noise::{self, Muting, drill, mutes};
use crate::domain::case::{Case, CaseState, Rank};
use crate::domain::decision::RecommendationState;
use crate::domain::ids::CaseId;
use crate::domain::money::Money;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::store::{States, Store, StoreError};

/// Cases that are read at once.
const PAGE: usize = 500;

/// A case with what its line is made of.
pub(super) struct Ranked {
    pub(super) case: Case,
    pub(super) rank: Rank,
    /// By the drafter's order; only where it gets a line.
    pub(super) recommendations: Vec<Recommendation>,
    /// Its priority, without small moves since the digest before.
    pub(super) damped: Money,
}

/// What waits for people.
pub(super) struct Undecided {
    /// What has a place in the order, whether it gets a line or not.
    pub(super) ranked: Vec<Ranked>,
    /// What is muted, what is shown again, and what is proposed to be muted.
    pub(super) noise: Vec<String>,
    /// Who drafted the first choice of each that is ranked.
    pub(super) drafters: Vec<Drafter>,
}

/// Reads what `belongs` into the digest, each rank put right for the day by `of_the_day`.
pub(super) async fn read(
    stages: &Stages,
    belongs: impl Fn(&Case) -> bool,
    of_the_day: impl Fn(&mut Rank),
) -> Result<Undecided, StoreError> {
    let Stages { store, config, clock, .. } = stages;
    let muting = Muting::load(store, config, clock.now()).await?;
    let mut hidden = muting.hidden(store).await?;
    hidden.retain(|(case, _)| belongs(case));
    let account = mutes::account(config, &hidden).into_iter();
    let mut found =
        Undecided { ranked: Vec::new(), noise: account.chain(muting.lifted().to_vec()).collect(), drafters: Vec::new() };
    let unseen: BTreeSet<&CaseId> = hidden.iter().map(|(case, _)| &case.id).collect();
    // A case that is ranked anew meanwhile is neither passed over nor there twice: which there are is read once.
    let mut waiting = store.list_case_ids(CaseState::RANKED).await?;
    waiting.retain(|id| !unseen.contains(id));
    for page in waiting.chunks(PAGE) {
        let mut cases = store.list_cases_of(&page.iter().collect::<Vec<_>>()).await?;
        let begun = found.ranked.len();
        for case in page.iter().filter_map(|id| cases.remove(id)).filter(|case| is_ranked(&case.state) && belongs(case)) {
            // It has no money, and ranks beside nothing: it stands in the account of what is muted.
            if case.is_mute_proposal() {
                found.noise.push(format!("Proposed: {} See case {}.", case.headline, case.id));
                continue;
            }
            let Some(mut rank) = case.rank.clone() else { continue };
            of_the_day(&mut rank);
            found.ranked.push(Ranked { damped: rank.priority, case, rank, recommendations: Vec::new() });
        }
        let ids: Vec<&CaseId> = found.ranked[begun..].iter().map(|entry| &entry.case.id).collect();
        let firsts = noise::first_recommendations(store, &ids, States::In(&proposed()), drill::true_ones).await?;
        found.drafters.extend(firsts.into_values().map(|first| first.drafter));
    }
    Ok(found)
}

/// Has it a place in the order? What was put off meanwhile has none.
fn is_ranked(state: &CaseState) -> bool {
    CaseState::RANKED.contains(&state.name())
}

/// Reads what those of `ranked` propose that get a line. A digest is never wrong on purpose.
pub(super) async fn fill(store: &Store, ranked: &mut [Ranked], lines: &BTreeSet<usize>) -> Result<(), StoreError> {
    let ids: Vec<&CaseId> = lines.iter().filter_map(|i| ranked.get(*i)).map(|entry| &entry.case.id).collect();
    let all = store.list_recommendations_of(&ids, States::In(&proposed())).await?;
    let mut of_case: BTreeMap<CaseId, Vec<Recommendation>> = BTreeMap::new();
    for (rec, _) in drill::true_ones(all, &store.list_drills_in(&ids).await?) {
        of_case.entry(rec.case_id.clone()).or_default().push(rec);
    }
    for entry in ranked {
        entry.recommendations = of_case.remove(&entry.case.id).unwrap_or_default();
    }
    Ok(())
}

/// The states in which a recommendation is, or is about to be, before people.
fn proposed() -> Vec<&'static str> {
    let snoozed = |name: &&str| *name != "snoozed";
    let waiting = RecommendationState::WAITING.iter().copied().filter(snoozed);
    [RecommendationState::Drafted.name(), RecommendationState::Checked.name()].into_iter().chain(waiting).collect()
}
