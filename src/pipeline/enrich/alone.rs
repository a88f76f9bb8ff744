//! What each case is worth by itself, before it is known what others take of the same donors.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _};

use super::super::moment::BeingRead;
use super::super::promises::Promises;
use super::super::scenes::Scenes;
use super::super::settled::{Asks, Settled, inputs};
use super::Enriching;
use crate::domain::case::{Case, Rank};
use crate::domain::ids::{CaseId, ItemId};
use crate::rules::assess::assess;

/// Cases of which the sales are read at a time.
const AT_ONCE: usize = 4;

impl Enriching {
    /// Finds what each case is worth by itself, where that is not known from before with all that it hangs on. Several at a time: while
    /// one is judged the sales of the next are read. `exceptions_written`: how often those of each have been, in the order of the cases.
    /// Answers the cases of whose items more is being told: they wait for that, the others need not.
    pub(super) async fn judge_alone(
        &self,
        settled: &mut Settled,
        scenes: &Scenes,
        promises: &Promises,
        cases: &[Case],
        exceptions_written: &[i64],
    ) -> anyhow::Result<BTreeSet<CaseId>> {
        let is_known = |at: &usize| {
            let case = &cases[*at];
            settled.of(case).is_some_and(|known| {
                let promised = promises.to_others_on(&case.id, &known.items);
                let on = inputs(&known.items, &promised, &scenes.claimed, (exceptions_written[*at], 0), Asks::Playbook);
                settled.rank_alone(case, on).is_some()
            })
        };
        let unknown: Vec<usize> = (0..cases.len()).filter(|at| !is_known(at)).collect();
        let mut each = Vec::new();
        for &at in &unknown {
            each.push(self.judge(scenes, promises, &cases[at], exceptions_written[at]));
        }
        // None of them begins before its turn.
        let mut judged = stream::iter(each).buffered(AT_ONCE);
        let (mut place, mut being_read) = (0, BTreeSet::new());
        while let Some(found) = judged.next().await {
            // `buffered` answers in the order in which it was asked.
            let case = &cases[unknown[place]];
            place += 1;
            match found {
                Ok((items, on, rank)) => settled.judged(&scenes.moment.book, case, items, on, rank),
                Err(error) if BeingRead::is_why(&error) => {
                    being_read.insert(case.id.clone());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(being_read)
    }

    /// What one case is worth by itself, with its items and the inputs that it hangs on.
    async fn judge(
        &self,
        scenes: &Scenes,
        promises: &Promises,
        case: &Case,
        exceptions_written: i64,
    ) -> anyhow::Result<(BTreeSet<ItemId>, u64, Rank)> {
        let store = &self.stages.store;
        let exceptions = store.list_case_exceptions(&case.id).await?;
        let items = scenes.items_of(case, &exceptions);
        let promised = promises.to_others_on(&case.id, &items);
        // Who writes the words, and how often they were written, makes no difference to what a case is worth alone.
        let on = inputs(&items, &promised, &scenes.claimed, (exceptions_written, 0), Asks::Playbook);
        let facts = scenes.facts(store, case.clone(), exceptions, promised).await?;
        Ok((items, on, assess(&scenes.scene(&facts)).rank))
    }
}
