//! What each company pays for a product. Odoo keeps a cost for each company and answers that of the first one asked about, so
//! every company has to be asked by itself; where only one is read, its cost stands in the product's own row.
//!
//! At first, and then every `odoo.sweep_every`, all products are read; in between those that were written or whose stock
//! moved, for a receipt changes an average cost without a trace on the product. A row of the mirror is a product: its id, and
//! pairs of company and cost, each in that company's currency.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::call::{Domain, ReadRows, Scope, Server, odoo_time};
use super::demand::{Asking, SumsError, stirred};
use super::error::OdooError;
use crate::rows::cell::Cell;
use crate::settings::OdooConfig;
use reeve_ports::clock::Clock;
use reeve_ports::{Gap, Mirror, MirrorRow};

/// The stream's name in the mirror.
pub(crate) const COSTS: &str = "odoo/costs";
/// The model that costs are said of.
pub(crate) const PRODUCT: &str = "product.product";
const COST: &str = "standard_price";

/// Of which shape positions are; one of another shape begins again.
const POSITION: u32 = 1;
/// Products asked for at once: their ids stand in the question.
const CHUNK: usize = 500;

/// Up to where costs were read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Position {
    shape: u32,
    /// Who was asked about.
    companies: Vec<i64>,
    /// What was written before is known.
    since: Timestamp,
    /// When all were begun to be read the last time.
    swept: Timestamp,
    /// While all are read: the products above this id are still to come.
    after: Option<i64>,
}

/// Reads each company's costs into the mirror.
pub struct CostReader {
    asking: Asking,
    mirror: Arc<dyn Mirror>,
    odoo: OdooConfig,
    companies: Vec<i64>,
}

impl CostReader {
    /// A reader of `companies` (by id; empty: all that the user sees).
    pub fn new(
        server: Arc<dyn Server>,
        mirror: Arc<dyn Mirror>,
        clock: Clock,
        odoo: &OdooConfig,
        companies: Vec<i64>,
    ) -> Self {
        let asking = Asking::new(server, clock, odoo, companies.clone());
        Self { asking, mirror, odoo: odoo.clone(), companies }
    }

    /// Brings in what changed up to `until`; nothing is asked where there is only one company. Answers what can not be read.
    /// What was brought in before an error stays.
    ///
    /// # Errors
    /// [`SumsError::Odoo`] where the server does not answer, [`SumsError::Mirror`] where the store does not keep.
    pub async fn refresh(&self, until: Timestamp) -> Result<Vec<Gap>, SumsError> {
        let companies = self.companies().await?;
        if companies.len() < 2 || !self.asking.has(PRODUCT, COST).await? {
            return Ok(Vec::new());
        }
        match self.bring(&companies, until).await {
            Err(SumsError::Odoo(error @ (OdooError::AccessDenied { .. } | OdooError::UnknownField { .. }))) => {
                Ok(vec![Gap {
                    what: format!("{PRODUCT}.{COST}"),
                    why: error.to_string(),
                    costs: "what each company pays: the cost of one counts for all".to_owned(),
                }])
            }
            outcome => outcome.map(|()| Vec::new()),
        }
    }

    async fn bring(&self, companies: &[i64], until: Timestamp) -> Result<(), SumsError> {
        let kept = self.mirror.position(COSTS).await.map_err(SumsError::Mirror)?;
        let known = kept.and_then(|text| serde_json::from_str::<Position>(&text).ok());
        // A cost that was read for other companies says nothing of these: then all products are read anew.
        let known = known.filter(|p| p.shape == POSITION && p.companies == companies);
        let companies_kept = companies.to_vec();
        let mut at = known.unwrap_or(Position {
            shape: POSITION,
            companies: companies_kept,
            since: until,
            swept: until,
            after: Some(0),
        });
        // What is written while all products are read is read again behind it.
        if at.after.is_none() && until.duration_since(at.swept) >= span(self.odoo.sweep_every) {
            (at.since, at.swept, at.after) = (until, until, Some(0));
        }
        while let Some(after) = at.after {
            let ids: Vec<i64> = self.asking.products(after, CHUNK).await?.iter().map(|product| product.id).collect();
            at.after = ids.last().copied().filter(|_| ids.len() >= CHUNK);
            let rows = self.read(companies, &ids).await?;
            self.keep(&rows, &at, until).await?;
        }
        // Stamps are of when a transaction began: one that was long in writing shows up with a stamp that was passed
        // already.
        let since = at.since.checked_sub(span(self.odoo.overlap)).unwrap_or(at.since);
        let mut changed = stirred(&self.asking, since).await?;
        changed.extend(self.written(since).await?);
        let changed: Vec<i64> = changed.into_iter().collect();
        for ids in changed.chunks(CHUNK) {
            let rows = self.read(companies, ids).await?;
            self.keep(&rows, &at, until).await?;
        }
        at.since = until;
        self.keep(&[], &at, until).await
    }

    /// The companies whose costs are read, in order. They are in the mirror already.
    async fn companies(&self) -> Result<Vec<i64>, SumsError> {
        let there = self.mirror.all("res.company").await.map_err(SumsError::Mirror)?;
        let read = |id: &i64| self.companies.is_empty() || self.companies.contains(id);
        Ok(there.into_iter().map(|row| row.id).filter(read).collect())
    }

    /// Products that were written at `since` or later.
    async fn written(&self, since: Timestamp) -> Result<BTreeSet<i64>, SumsError> {
        let (mut found, mut after) = (BTreeSet::new(), 0);
        loop {
            let domain = Domain::all().and("write_date", ">=", odoo_time(since)).and("id", ">", after);
            let ids = self.asking.server.ids(PRODUCT, &domain, CHUNK, &self.asking.scope(None)).await?;
            let full = ids.len() >= CHUNK;
            match ids.last() {
                Some(last) if full && *last > after => after = *last,
                _ => {
                    found.extend(ids);
                    return Ok(found);
                }
            }
            found.extend(ids);
        }
    }

    /// What each company pays for some products. One that a company does not see costs it nothing known.
    async fn read(&self, companies: &[i64], ids: &[i64]) -> Result<Vec<MirrorRow>, SumsError> {
        let mut costs: BTreeMap<i64, Vec<(i64, f64)>> = ids.iter().map(|id| (*id, Vec::new())).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        // Odoo answers a cost in the light of one company, so each is asked alone.
        for company in companies {
            let ask = ReadRows {
                model: PRODUCT.to_owned(),
                domain: Domain::all().and("id", "in", ids.to_vec()),
                fields: vec![COST.to_owned()],
                order: "id",
                limit: ids.len(),
                scope: Scope { companies: vec![*company], time_zone: None },
            };
            // Odoo has zero where nobody entered a cost: it is not known, not free.
            for row in self.asking.server.rows(&ask).await? {
                if let [id, Cell::Number(cost), ..] = row.as_slice()
                    && let Some(of) = id.id().and_then(|id| costs.get_mut(&id))
                    && *cost != 0.0
                {
                    of.push((*company, *cost));
                }
            }
        }
        let row = |(id, pairs): (i64, Vec<(i64, f64)>)| {
            let body = serde_json::to_string(&(id, pairs)).expect("numbers");
            MirrorRow { id, body, links: [None; 3] }
        };
        Ok(costs.into_iter().map(row).collect())
    }

    async fn keep(&self, rows: &[MirrorRow], at: &Position, until: Timestamp) -> Result<(), SumsError> {
        let position = serde_json::to_string(at).map_err(|error| SumsError::Mirror(Box::new(error)))?;
        self.mirror.keep(COSTS, rows, &[], &position, until).await.map_err(SumsError::Mirror)?;
        Ok(())
    }
}

fn span(duration: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
