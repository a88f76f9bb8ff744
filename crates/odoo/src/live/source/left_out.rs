//! What was left out, by model, field and reason, with the rows: for people as gaps, and to be tried again when what a row
//! misses comes. Kept in the mirror, so that it is not forgotten with the process.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::live::Tables;
use crate::live::streams::{Extent, stream_of};
use crate::rows::{Problem, RATES};
use reeve_ports::{BoxError, Gap, Mirror};

/// Where the mirror keeps it.
const KEPT: &str = "odoo/left-out";
/// Most rows that are kept in mind for one reason: a server full of one kind of mistake must not fill the memory.
const ROWS_MAX: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Reason {
    model: String,
    field: String,
    target: Option<String>,
    expected: String,
}

/// All that was left out.
#[derive(Clone, Debug, Default)]
pub(super) struct LeftOut {
    rows: BTreeMap<Reason, BTreeSet<i64>>,
    kept: String,
}

impl LeftOut {
    /// As it was kept.
    pub(super) async fn load(mirror: &dyn Mirror) -> Result<Self, BoxError> {
        let kept = mirror.position(KEPT).await?.unwrap_or_default();
        let rows: Vec<(Reason, BTreeSet<i64>)> = serde_json::from_str(&kept).unwrap_or_default();
        Ok(Self { rows: rows.into_iter().collect(), kept })
    }

    /// Keeps it, where it changed.
    pub(super) async fn save(&mut self, mirror: &dyn Mirror, at: Timestamp) -> Result<(), BoxError> {
        let rows: Vec<_> = self.rows.iter().collect();
        let text = serde_json::to_string(&rows).expect("text and numbers");
        if text != self.kept && !(rows.is_empty() && self.kept.is_empty()) {
            mirror.keep(KEPT, &[], &[], &text, at).await?;
            self.kept = text;
        }
        Ok(())
    }

    /// These rows were translated: what is wrong with them is this and no more.
    pub(super) fn settle(&mut self, translated: &Tables, problems: Vec<Problem>) {
        self.rows.retain(|reason, ids| {
            ids.retain(|id| !translated.has(&reason.model, *id));
            !ids.is_empty()
        });
        for Problem { model, field, target, expected, id } in problems {
            let reason = Reason { model: model.to_owned(), field, target: target.map(str::to_owned), expected };
            let ids = self.rows.entry(reason).or_default();
            if ids.len() < ROWS_MAX {
                ids.insert(id);
            }
        }
    }

    /// These rows changed: what was wrong with them is not known any more.
    pub(super) fn forget(&mut self, changed: &BTreeMap<&'static str, BTreeSet<i64>>) {
        self.rows.retain(|reason, ids| {
            let changed = changed.get(reason.model.as_str()).filter(|_| !is_master(&reason.model));
            ids.retain(|id| !changed.is_some_and(|changed| changed.contains(id)));
            !ids.is_empty()
        });
    }

    /// As [`LeftOut::settle`], of all master data: what is not there any more is right, too.
    pub(super) fn settle_whole(&mut self, translated: &Tables, problems: Vec<Problem>) {
        self.rows.retain(|reason, _| !is_master(&reason.model));
        self.settle(translated, problems);
    }

    /// Rows of documents, by model, that were left out for want of a row that may have come with changes of these models.
    pub(super) fn waiting_for<'m>(&self, changed: impl Iterator<Item = &'m str>) -> BTreeMap<&'static str, BTreeSet<i64>> {
        let changed: BTreeSet<&str> = changed.collect();
        // Master data hangs together: a product is missing as long as its template is.
        let masters = changed.iter().any(|model| is_master(model));
        let mut waiting: BTreeMap<&'static str, BTreeSet<i64>> = BTreeMap::new();
        for (reason, ids) in &self.rows {
            let Some(stream) = stream_of(&reason.model) else { continue };
            let waits = |target: &str| changed.contains(target) || (masters && is_master(target));
            if stream.extent != Extent::Master && reason.target.as_deref().is_some_and(waits) {
                waiting.entry(stream.model).or_default().extend(ids);
            }
        }
        waiting
    }

    /// For people, less what comes of models that are not read at all: those are gaps of their own, which say what they cost.
    pub(super) fn gaps(&self, unread: &BTreeSet<String>) -> Vec<Gap> {
        let gap = |(reason, ids): (&Reason, &BTreeSet<i64>)| {
            let (rows, names, are) = if ids.len() == 1 { ("row", "names", "is") } else { ("rows", "name", "are") };
            // Ids are kept up to a bound, so above it the number is not known.
            let more = if ids.len() < ROWS_MAX { "" } else { " or more" };
            let example = ids.first().copied().unwrap_or_default();
            let count = ids.len();
            // A missing rate is mended in Odoo and not in the row, so it says its own words.
            if reason.target.as_deref() == Some(RATES) {
                let what = format!("{}.{}", reason.model, reason.field);
                let why = format!(
                    "{count}{more} {rows} (such as id {example}) {} amounts in a currency that has no rate to the configured \
                     one at their date; enter the rate in Odoo, or set money.currency",
                    if ids.len() == 1 { "has" } else { "have" }
                );
                let costs =
                    "these amounts are without a value, and so is what rests on them; quantities and dates are known";
                return Gap { what, why, costs: costs.to_owned() };
            }
            let why = match &reason.target {
                Some(target) => {
                    format!("{count}{more} {rows} {names} what can not be used or read of {target} (such as id {example})")
                }
                None => {
                    format!("{count}{more} {rows} {are} not understood (such as id {example}): expected {}", reason.expected)
                }
            };
            let costs = stream_of(&reason.model).map_or("", |stream| stream.costs);
            Gap { what: format!("{}.{}", reason.model, reason.field), why, costs: format!("in these rows: {costs}") }
        };
        // A model that is not read is one gap; every row that names it would be another with the same cause.
        let follows = |reason: &Reason| reason.target.as_ref().is_some_and(|target| unread.contains(target));
        self.rows.iter().filter(|(reason, _)| !follows(reason)).map(gap).collect()
    }
}

/// What was passed over, for people.
pub(crate) fn gaps_of(problems: Vec<Problem>) -> Vec<Gap> {
    let mut left_out = LeftOut::default();
    left_out.settle(&Tables::default(), problems);
    left_out.gaps(&BTreeSet::new())
}

fn is_master(model: &str) -> bool {
    stream_of(model).is_some_and(|stream| stream.extent == Extent::Master)
}
