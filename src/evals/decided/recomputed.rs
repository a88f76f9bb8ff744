//! Every figure of every card of a replay, computed a second time from its frozen evidence: what `reeve audit verify CARD` does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::config::Config;
use crate::domain::action::Action;
use crate::domain::ids::RecommendationId;
use crate::reports::audit::{card, tables};
use crate::rules::recompute::Verdict;
use crate::store::Store;

/// How many that differ are told of in words.
const TOLD: usize = 20;

/// The cards of one kind of action.
#[derive(Clone, Debug, Default, Serialize)]
pub struct OfAction {
    /// Cards with such a step.
    pub cards: u32,
    /// Their figures that came out the same.
    pub agree: u32,
    /// Those that came out otherwise.
    pub differ: u32,
    /// Those that the frozen evidence does not hold what they were computed from.
    pub not_frozen: u32,
}

/// What recomputing came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Recomputed {
    /// Over all cards, each looked at when it was drafted.
    pub all: OfAction,
    /// By kind of action; a plan of several steps counts with each kind.
    pub by_action: BTreeMap<String, OfAction>,
    /// Cards that were decided, looked at once more after the last day with the clicks on them.
    pub decided: OfAction,
    /// What came out otherwise, the first of them.
    pub told: Vec<String>,
    /// Entries of the audit log, whose chain was verified.
    pub log_entries: i64,
    /// Rows of tables that say otherwise than the log.
    pub tables_differ: u32,
    #[serde(skip)]
    seen: BTreeSet<RecommendationId>,
    #[serde(skip)]
    since: Option<Timestamp>,
}

impl Recomputed {
    /// Looks at each card that was drafted up to `now` and was not looked at yet: while it stands, its place in the order is its own.
    pub(super) async fn drafted(&mut self, store: &Store, config: &Config, now: Timestamp) -> anyhow::Result<()> {
        let since = self.since.replace(now).unwrap_or(Timestamp::UNIX_EPOCH);
        for (rec, _) in store.list_recommendations_between(since, now).await? {
            if !self.seen.insert(rec.id.clone()) {
                continue;
            }
            let found = self.verify(store, config, &rec.id).await?;
            let codes: BTreeSet<&str> = rec.candidate.actions().map(Action::code).collect();
            for code in codes {
                self.by_action.entry(code.to_owned()).or_default().add(&found);
            }
            self.all.add(&found);
        }
        Ok(())
    }

    /// Looks at what was decided once more, and at the log.
    pub(super) async fn decided(
        &mut self,
        store: &Store,
        config: &Config,
        decided: impl Iterator<Item = &RecommendationId>,
    ) -> anyhow::Result<()> {
        for id in decided {
            let found = self.verify(store, config, id).await?;
            self.decided.add(&found);
        }
        self.log_entries = store.verify_audit().await?.0;
        let differences = tables::compare(store).await?;
        self.tables_differ = differences.len() as u32;
        self.told
            .extend(differences.into_iter().map(|d| format!("{}: the log says {}, the table {}", d.row, d.log, d.table)));
        Ok(())
    }

    async fn verify(&mut self, store: &Store, config: &Config, id: &RecommendationId) -> anyhow::Result<OfAction> {
        let report = card::verify(store, config, id).await?;
        for line in report.lines.iter().filter(|line| line.verdict == Verdict::Differs) {
            if self.told.len() < TOLD {
                self.told.push(format!(
                    "{} ({}): {} says {}, recomputed {}",
                    report.summary, report.recommendation, line.figure, line.stated, line.recomputed
                ));
            }
        }
        let count = |verdict| report.count(verdict) as u32;
        let (agree, differ, not_frozen) = (Verdict::Agrees, Verdict::Differs, Verdict::NotFrozen);
        Ok(OfAction { cards: 1, agree: count(agree), differ: count(differ), not_frozen: count(not_frozen) })
    }

    /// Does every figure that could be recomputed agree, and every table with the log?
    pub fn holds(&self) -> bool {
        self.all.differ + self.decided.differ + self.tables_differ == 0
    }
}

impl OfAction {
    fn add(&mut self, other: &Self) {
        self.cards += other.cards;
        self.agree += other.agree;
        self.differ += other.differ;
        self.not_frozen += other.not_frozen;
    }
}
