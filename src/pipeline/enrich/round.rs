//! A round over the cases, and each case's turn in it.

use std::collections::BTreeMap;

use tokio::sync::MutexGuard;

use super::super::moment::BeingRead;
use super::super::promises::{Promises, first_choice};
use super::super::scenes::{CaseFacts, Scenes};
use super::super::settled::{Asks, Settled, inputs};
use super::Enriching;
use super::order::{Writings, as_read_back};
use crate::domain::book::Place;
use crate::domain::case::Case;
use crate::domain::money::Quantity;
use crate::rules::assess::{Assessment, assess};
use crate::rules::scene::Scene;

/// One round over the cases, all on the same moment's book.
pub(in crate::pipeline) struct Round<'e> {
    pub(super) enriching: &'e Enriching,
    /// What cases came to when they were judged last.
    pub(in crate::pipeline) settled: MutexGuard<'e, Settled>,
    /// What all cases are judged on alike.
    pub(in crate::pipeline) scenes: Scenes,
    /// What was promised of donors' units by people, and by the cases whose turn has been.
    pub(super) promises: Promises,
    /// The same with what cases in shadow would take, which come last.
    pub(super) in_shadow: Option<Promises>,
    pub(super) writings: Writings,
    pub(super) turns: Vec<Turn>,
    pub(super) asleep: Vec<Case>,
    /// How many cases it moved on itself: their rank is another.
    pub(in crate::pipeline) moved: usize,
}

/// A case's turn.
pub(in crate::pipeline) struct Turn {
    /// The case.
    pub(in crate::pipeline) case: Case,
    /// Is it in shadow?
    pub(in crate::pipeline) is_shadow: bool,
}

/// A case that was judged after those before it, and has not got its evidence yet.
pub(in crate::pipeline) struct Assessed {
    /// What it was judged on: its exceptions, the sales of its items, what its donors have promised.
    pub(super) facts: CaseFacts,
    /// What could be done, with its money.
    pub(super) assessment: Assessment,
    /// What it hangs on, and what it promises, as [`Settled`] keeps both.
    pub(super) on: u64,
    pub(super) best: Vec<(Place, Quantity)>,
}

impl Round<'_> {
    /// The turns, in their order; each is taken once.
    pub(in crate::pipeline) fn take_turns(&mut self) -> Vec<Turn> {
        std::mem::take(&mut self.turns)
    }

    /// What the cases before it were promised of this case's donors; None where nothing is known of it any more.
    pub(in crate::pipeline) fn promised_before(&mut self, turn: &Turn) -> Option<BTreeMap<Place, Quantity>> {
        let items = &self.settled.of(&turn.case)?.items;
        let promises = match self.in_shadow.as_ref() {
            Some(in_shadow) if turn.is_shadow => in_shadow,
            _ => &self.promises,
        };
        Some(promises.to_others_on(&turn.case.id, items))
    }

    /// Judges a case after those before it, and promises its first choice what that takes. None where nothing that it hangs on has
    /// changed since it was left as it is, or where more of its items is being told.
    ///
    /// # Errors
    /// Says what could not be read.
    pub(in crate::pipeline) async fn assess(
        &mut self,
        turn: &Turn,
        promised: BTreeMap<Place, Quantity>,
        asks: Asks,
    ) -> anyhow::Result<Option<Assessed>> {
        let _measured = self.enriching.meter.begin();
        let case = &turn.case;
        let Some(known) = self.settled.of(case) else { return Ok(None) };
        let on = inputs(&known.items, &promised, &self.scenes.claimed, self.writings.of(case), asks);
        if let Some(best) = self.settled.unchanged(case, on).map(<[_]>::to_vec) {
            self.promise(turn, best);
            return Ok(None);
        }
        let facts = match self.scenes.read(&self.enriching.stages.store, case, promised).await {
            Err(error) if BeingRead::is_why(&error) => return Ok(None),
            facts => facts?,
        };
        let assessment = assess(&self.scenes.scene(&facts));
        let best = first_choice(&assessment);
        self.promise(turn, best.clone());
        Ok(Some(Assessed { facts, assessment, on, best }))
    }

    fn promise(&mut self, turn: &Turn, best: Vec<(Place, Quantity)>) {
        let promises =
            if turn.is_shadow { self.in_shadow.get_or_insert_with(|| self.promises.clone()) } else { &mut self.promises };
        promises.promise(&turn.case.id, best);
    }

    /// The scene of a case, for whatever writes of it.
    pub(in crate::pipeline) fn scene<'s>(&'s self, facts: &'s CaseFacts) -> Scene<'s> {
        self.scenes.scene(facts)
    }

    /// Finds what the cases are worth now that people have put off. Answers for how many that is new.
    ///
    /// # Errors
    /// Says what could not be read or written.
    pub(in crate::pipeline) async fn rank_asleep(&mut self) -> anyhow::Result<usize> {
        let _measured = self.enriching.meter.begin();
        let mut moved = 0;
        for case in std::mem::take(&mut self.asleep) {
            let promised = self.promises.to_others(&case.id);
            let facts = match self.scenes.read(&self.enriching.stages.store, &case, promised).await {
                Err(error) if BeingRead::is_why(&error) => continue,
                facts => facts?,
            };
            let rank = as_read_back(&assess(&self.scenes.scene(&facts)).rank)?;
            moved += usize::from(self.enriching.rank_asleep(case, rank).await?);
        }
        Ok(moved)
    }
}
