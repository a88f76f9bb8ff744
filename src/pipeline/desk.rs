//! The desk: the book of this moment and what the detectors see in it, computed once and shared by every stage, by the
//! check at the click and by the charts.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::Mutex;

use super::detect::stock::abc;
use super::detect::{Seen, look};
use super::observe;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::book::Book;
use crate::domain::decision::RejectReason;
use crate::domain::exception::ExceptionType;
use crate::domain::ids::{CaseId, ItemId};
use crate::models::formulas::beta_binomial_p;
use crate::store::{DecisionRow, Store};

/// Weight of a type's prior, as a number of decisions: the prior speaks for as much as ten of them.
const PRIOR_WEIGHT: f64 = 10.0;

/// The book of a moment with everything computed from it.
pub struct Laid {
    /// The records.
    pub book: Book,
    /// What the detectors saw.
    pub seen: Seen,
    /// ABC class of each item.
    pub classes: BTreeMap<ItemId, char>,
    /// Probability that an exception of a type is real.
    pub p: BTreeMap<ExceptionType, f64>,
}

/// Says for which records and which day something was laid out: the day, the last day and the last hour that were read to
/// their end, the newest change, how many records, how many decisions to learn from. A page of records can end between two of
/// the same moment, so the newest change alone says too little.
type Key = (Date, Option<(Date, i64)>, Option<Timestamp>, i64, usize);

/// Lays the book out when it is asked for and keeps it until the records or the day change.
pub struct Desk {
    store: Store,
    config: Arc<Config>,
    clock: Clock,
    kept: Mutex<Option<(Key, Arc<Laid>)>>,
}

impl Desk {
    /// An empty desk.
    pub fn new(store: Store, config: Arc<Config>, clock: Clock) -> Self {
        Self { store, config, clock, kept: Mutex::new(None) }
    }

    /// The book of this business day.
    pub async fn lay_out(&self) -> anyhow::Result<Arc<Laid>> {
        let calendar = self.config.calendar.calendar();
        let now = self.clock.now();
        let newest = self.store.newest_change().await?;
        let decisions = self.store.list_decisions(Timestamp::UNIX_EPOCH).await?;
        // What people decide today moves p tomorrow: otherwise every click would change the figures under every other card
        // of its type, and the next click on one of them would be refused.
        let today = calendar.day_of(now);
        let learnt = decisions.iter().filter(|d| calendar.day_of(d.at) < today);
        let learnt: Vec<&DecisionRow> = standing(learnt);
        let records = self.store.count_records().await?.values().sum();
        let read_up_to = observe::looked_at(&self.store).await?;
        let closed = read_up_to.map(|at| (calendar.closed_at(at), at.as_second().div_euclid(3600)));
        let key = (today, closed, newest, records, learnt.len());
        let mut kept = self.kept.lock().await;
        // While half of a look has come in, the whole story of before stands.
        if let Some((at, laid)) = &*kept
            && at.0 == today
            && !observe::is_abreast(&self.store).await?
        {
            return Ok(Arc::clone(laid));
        }
        if let Some((at, laid)) = &*kept
            && *at == key
        {
            return Ok(Arc::clone(laid));
        }
        let records = self.store.load_records().await.context("loading the records")?;
        let config = Arc::clone(&self.config);
        let p = self.probabilities(&learnt).await?;
        // Facts are as old as the last whole look at the records, not as the moment of the click.
        let as_of = read_up_to.or(newest).map_or(now, |at| at.min(now));
        let laid = tokio::task::spawn_blocking(move || {
            let book = Book::looked_at(as_of, now, calendar, records)
                .with_detail_days(config.odoo.detail_days)
                .with_zones(&config.odoo.zones());
            let seen = look(&book, &config);
            let classes = abc(&book);
            Laid { book, seen, classes, p }
        })
        .await
        .context("computing what the records say")?;
        let laid = Arc::new(laid);
        *kept = Some((key, Arc::clone(&laid)));
        Ok(laid)
    }

    /// Beta-binomial p by type: the prior, moved by what people decided (handbook §7). "Real, but another action" confirms
    /// the detector; only "not real" speaks against it.
    async fn probabilities(&self, learnt: &[&DecisionRow]) -> anyhow::Result<BTreeMap<ExceptionType, f64>> {
        let mut counts: BTreeMap<ExceptionType, (u32, u32)> = BTreeMap::new();
        // One label for each case, the last one given: two signatures, or two refused actions of one case, say it once.
        let mut labels: BTreeMap<&CaseId, bool> = BTreeMap::new();
        for decision in learnt {
            let real = match decision.verb.as_str() {
                "approve" | "edit" => true,
                "reject" => decision.reason.as_deref() != Some(RejectReason::NotReal.code()),
                _ => continue,
            };
            labels.insert(&decision.case_id, real);
        }
        for (case, real) in labels {
            // That a detector may be silenced says nothing about whether what it finds is real.
            let Some(case) = self.store.find_case(case).await?.filter(|case| !case.is_mute_proposal()) else { continue };
            if let Some(code) = case.codes.first() {
                let (confirmed, shown) = counts.entry(*code).or_default();
                *confirmed += u32::from(real);
                *shown += 1;
            }
        }
        let p = ExceptionType::ALL.iter().map(|code| {
            let (confirmed, shown) = counts.get(code).copied().unwrap_or_default();
            let (alpha, beta) = (code.prior() * PRIOR_WEIGHT, (1.0 - code.prior()) * PRIOR_WEIGHT);
            (*code, beta_binomial_p(confirmed, shown, alpha, beta))
        });
        Ok(p.collect())
    }
}

/// The decisions without those that were taken back, oldest first as given.
pub(super) fn standing<'a>(decisions: impl Iterator<Item = &'a DecisionRow>) -> Vec<&'a DecisionRow> {
    let mut kept: Vec<&DecisionRow> = Vec::new();
    for decision in decisions {
        if decision.verb == "undo" {
            let undone = |d: &&DecisionRow| d.recommendation_id == decision.recommendation_id && d.person == decision.person;
            if let Some(place) = kept.iter().rposition(undone) {
                kept.remove(place);
            }
        } else {
            kept.push(decision);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{PersonId, RecommendationId};
    use crate::domain::money::Money;

    fn row(id: &str, person: &str, verb: &str) -> DecisionRow {
        DecisionRow {
            id: id.to_owned(),
            case_id: CaseId::new("case-1"),
            recommendation_id: RecommendationId::new("r-1"),
            person: PersonId::new(person),
            verb: verb.to_owned(),
            content_hash: String::new(),
            reason: None,
            note: String::new(),
            value: Money::ZERO,
            at: Timestamp::UNIX_EPOCH,
            body: serde_json::Value::Null,
        }
    }

    #[test]
    fn what_was_undone_teaches_nothing() {
        let rows =
            [row("1", "ada", "approve"), row("2", "bob", "approve"), row("3", "ada", "undo"), row("4", "ada", "reject")];
        let ids: Vec<&str> = standing(rows.iter()).iter().map(|d| d.id.as_str()).collect();
        assert_eq!(ids, ["2", "4"]);
    }
}
