//! Which cases need evidence, and in which order they take their turns.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;

use super::super::observe::may_look;
use super::super::promises::Promises;
use super::super::scenes::{Scenes, claims};
use super::super::settled::Settled;
use super::round::{Round, Turn};
use super::{Enriching, Stages};
use crate::domain::case::{Case, CaseState, Lane, Rank};
use crate::domain::case_life::CaseEvent;
use crate::domain::ids::CaseId;
use crate::store::{Store, StoreError};

/// How often each case's exceptions and proposals have been written.
pub(super) struct Writings {
    exceptions: BTreeMap<CaseId, i64>,
    proposals: BTreeMap<CaseId, i64>,
}

impl Writings {
    async fn read(store: &Store) -> Result<Self, StoreError> {
        let proposals = store.count_proposals().await?;
        Ok(Self { exceptions: store.count_case_exceptions().await?, proposals })
    }

    /// Of one case: its exceptions, its proposals.
    pub(super) fn of(&self, case: &Case) -> (i64, i64) {
        let count = |of: &BTreeMap<CaseId, i64>| of.get(&case.id).copied().unwrap_or(0);
        (count(&self.exceptions), count(&self.proposals))
    }
}

impl Enriching {
    /// Begins a round over the cases that wait for people; None where none does, people have stopped Reeve, or a newer story is
    /// still being told.
    ///
    /// # Errors
    /// Says what could not be read.
    pub(in crate::pipeline) async fn begin(&self) -> anyhow::Result<Option<Round<'_>>> {
        let _measured = self.meter.begin();
        let Stages { store, config, moments, .. } = &self.stages;
        let mut cases = store.list_cases(CaseState::JUDGED).await?;
        let mut asleep = store.list_cases(&["snoozed"]).await?;
        // A proposal about Reeve's own list rests on decisions, not on records.
        cases.retain(|case| !case.is_mute_proposal());
        asleep.retain(|case| !case.is_mute_proposal());
        if (cases.is_empty() && asleep.is_empty()) || self.is_stopped().await? {
            return Ok(None);
        }
        // What was drafted on the last whole story stands until there is a newer one.
        if !may_look(&self.stages).await? {
            return Ok(None);
        }
        let moment = moments.now().await?;
        let links = store.list_links().await?;
        let writings = Writings::read(store).await?;
        let promises = Promises::firm(store).await?;
        self.tell_memory().await?;
        let mut settled = self.settled.lock().await;
        settled.turn_to(store, &moment).await?;
        // Judged alone first: who ranks better is served first from a donor that two cases want.
        let mut scenes = Scenes { moment, config: Arc::clone(config), claimed: claims(&links, |_| true) };
        let exceptions_written: Vec<i64> = cases.iter().map(|case| writings.of(case).0).collect();
        let being_read = self.judge_alone(&mut settled, &scenes, &promises, &cases, &exceptions_written).await?;
        cases.retain(|case| !being_read.contains(&case.id));
        let Ordered { turns, idle, moved } = self.in_order(&mut settled, cases).await?;
        scenes.claimed = claims(&links, |case| idle.contains(case));
        Ok(Some(Round { enriching: self, settled, scenes, promises, in_shadow: None, writings, turns, asleep, moved }))
    }

    /// The turns of the cases, the best ranked first. What is worth nothing even if every donor gave is worth nothing, and needs no
    /// stock itself: that hangs on no other case.
    async fn in_order(&self, settled: &mut Settled, cases: Vec<Case>) -> anyhow::Result<Ordered> {
        let (mut order, mut idle, mut moved) = (Vec::new(), BTreeSet::new(), 0);
        for case in cases {
            let Some(rank) = settled.of(&case).map(|known| known.rank.clone()) else { continue };
            if rank.value.expected.minor <= 0 && !rank.unknown {
                idle.insert(case.id.clone());
                // It promises nothing and is promised nothing, so it needs no turn after others.
                if rank.lane == Lane::Ordinary && case.is_untold() {
                    moved += usize::from(self.stay_latent(settled, case, &rank).await?);
                    continue;
                }
            }
            // What is in shadow comes last, and gets none of what live cases are promised.
            order.push((case.state.is_shadow(), rank.lane, Reverse(rank.priority), case));
        }
        order.sort_by(|a, b| (a.0, a.1, a.2, &a.3.id).cmp(&(b.0, b.1, b.2, &b.3.id)));
        let turns = order.into_iter().map(|(is_shadow, .., case)| Turn { case, is_shadow }).collect();
        Ok(Ordered { turns, idle, moved })
    }

    /// Leaves a case latent that no decision would gain anything for, with what it is worth now. Answers whether that is new.
    async fn stay_latent(&self, settled: &mut Settled, case: Case, rank: &Rank) -> anyhow::Result<bool> {
        let rank = as_read_back(rank)?;
        let state = case.state.clone().after(CaseEvent::StayLatent)?;
        if case.rank.as_ref() == Some(&rank) && case.state == state {
            return Ok(false);
        }
        let now = self.stages.clock.now();
        let next = Case { rank: Some(rank), state, version: case.version + 1, updated_at: now, ..case.clone() };
        match self.stages.store.advance_case(&next, case.version, &[]).await {
            Ok(()) => settled.drafted(&case),
            Err(StoreError::Conflict) => return Ok(false),
            Err(error) => return Err(error).context("keeping what a latent case is worth"),
        }
        Ok(true)
    }

    /// What a case that was put off is worth now: nothing is drafted for it, but whoever said "until it has grown" must find
    /// out when it has.
    pub(super) async fn rank_asleep(&self, case: Case, rank: Rank) -> anyhow::Result<bool> {
        if case.rank.as_ref() == Some(&rank) {
            return Ok(false);
        }
        let next = Case { rank: Some(rank), version: case.version + 1, updated_at: self.stages.clock.now(), ..case.clone() };
        match self.stages.store.advance_case(&next, case.version, &[]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error).context("updating the rank of a case that was put off"),
        }
    }
}

/// Cases in the order of their turns.
struct Ordered {
    turns: Vec<Turn>,
    /// Those that need no stock.
    idle: BTreeSet<CaseId>,
    /// How many were left latent with another rank.
    moved: usize,
}

/// A rank as it will read back: some decimals do not parse to the number that wrote them, and a rank that never equals the
/// stored one would be stored for ever.
pub(super) fn as_read_back(rank: &Rank) -> anyhow::Result<Rank> {
    let written = serde_json::to_string(rank).context("writing a rank")?;
    serde_json::from_str(&written).context("reading a rank back")
}
