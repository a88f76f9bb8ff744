//! Asking for sums: how the answers are taken apart, and how large a piece is asked for next.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::live::call::{Domain, FieldInfo, Group, ReadGroups, ReadRows, Right, Scope, Server};
use crate::live::error::OdooError;
use crate::rows::cell::Cell;
use crate::settings::OdooConfig;
use reeve_ports::clock::Clock;

/// Products asked for at first.
const FIRST_CHUNK: usize = 40;
/// Most products in one question: their ids stand in it.
const MOST_PRODUCTS: usize = 500;

/// How long it is believed what may be read.
const ANSWER_HOLDS: Duration = Duration::from_hours(1);

/// The fields of a model that may be read, or why it may not.
pub(in crate::live) type Readable = Result<BTreeMap<String, FieldInfo>, OdooError>;

/// A product and the unit that its stock is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) struct Product {
    pub(in crate::live) id: i64,
    pub(in crate::live) unit: i64,
}

/// The server with what every question to it shares.
pub(in crate::live) struct Asking {
    pub(in crate::live) server: Arc<dyn Server>,
    companies: Vec<i64>,
    clock: Clock,
    pub(in crate::live) page_max: usize,
    page_time: Duration,
    chunk: AtomicUsize,
    /// The longest answer and the longest wait since the last piece was done.
    worst: Mutex<(usize, Duration)>,
    readable: Mutex<BTreeMap<String, (Timestamp, Readable)>>,
}

impl Asking {
    pub(in crate::live) fn new(server: Arc<dyn Server>, clock: Clock, odoo: &OdooConfig, companies: Vec<i64>) -> Self {
        Self {
            server,
            companies,
            clock,
            page_max: odoo.page_max.max(1),
            page_time: odoo.page_time,
            chunk: AtomicUsize::new(FIRST_CHUNK),
            worst: Mutex::new((0, Duration::ZERO)),
            readable: Mutex::default(),
        }
    }

    pub(in crate::live) fn scope(&self, time_zone: Option<&str>) -> Scope {
        Scope { companies: self.companies.clone(), time_zone: time_zone.map(str::to_owned) }
    }

    /// How many products the next question should be about.
    pub(in crate::live) fn chunk(&self) -> usize {
        self.chunk.load(Ordering::Relaxed)
    }

    /// Storable products above `after`, by id, at most `limit`; archived ones too, for they have been sold.
    pub(in crate::live) async fn products(&self, after: i64, limit: usize) -> Result<Vec<Product>, OdooError> {
        let domain = self.storable().await?.and("id", ">", after);
        self.read_products(domain, limit).await
    }

    /// Of some products those that are storable, by id.
    pub(in crate::live) async fn products_of(&self, ids: &[i64]) -> Result<Vec<Product>, OdooError> {
        let domain = self.storable().await?.and("id", "in", ids.to_vec());
        self.read_products(domain, ids.len().max(1)).await
    }

    async fn storable(&self) -> Result<Domain, OdooError> {
        // The template's own fields: what a product only inherits is not stored, and a domain on such a field may be ignored.
        let fields = self.server.fields("product.template").await?;
        Ok(if fields.contains_key("is_storable") {
            Domain::all().and("product_tmpl_id.is_storable", "=", true)
        } else {
            Domain::all().and("product_tmpl_id.type", "=", "product")
        })
    }

    async fn read_products(&self, domain: Domain, limit: usize) -> Result<Vec<Product>, OdooError> {
        let rows = self
            .server
            .rows(&ReadRows {
                model: "product.product".to_owned(),
                domain,
                fields: vec!["uom_id".to_owned()],
                order: "id",
                limit,
                scope: self.scope(None),
            })
            .await?;
        let product = |row: &Vec<Cell>| Some(Product { id: row[0].id()?, unit: row.get(1).and_then(Cell::id).unwrap_or(0) });
        Ok(rows.iter().filter_map(product).collect())
    }

    /// All rows of a small model, archived ones included.
    pub(in crate::live) async fn all(&self, model: &str, fields: &[&str]) -> Result<Vec<Vec<Cell>>, OdooError> {
        self.rows_of(model, Domain::all(), fields).await
    }

    /// All rows that a condition means, by id, archived ones included; each with its id first.
    pub(in crate::live) async fn rows_of(
        &self,
        model: &str,
        domain: Domain,
        fields: &[&str],
    ) -> Result<Vec<Vec<Cell>>, OdooError> {
        // By id and not by offset: rows that come or go between two pages would shift the rest.
        let (mut all, mut after) = (Vec::new(), 0);
        loop {
            let page = self
                .server
                .rows(&ReadRows {
                    model: model.to_owned(),
                    domain: domain.clone().and("id", ">", after),
                    fields: fields.iter().map(|f| (*f).to_owned()).collect(),
                    order: "id",
                    limit: self.page_max,
                    scope: self.scope(None),
                })
                .await?;
            // An answer of another width would be read into the wrong fields.
            if let Some(odd) = page.iter().find(|row| row.len() != fields.len() + 1) {
                let detail = format!("a row has {} cells where {} were asked for", odd.len(), fields.len() + 1);
                return Err(OdooError::Garbled { url: self.server.name(), what: format!("rows of {model}"), detail });
            }
            let full = page.len() >= self.page_max;
            let last = page.last().and_then(|row| row[0].id());
            all.extend(page);
            match last {
                // A server that does not go on by id would be asked for the same page for ever.
                Some(last) if full && last > after => after = last,
                _ => return Ok(all),
            }
        }
    }

    /// Does this server's model have a field?
    pub(in crate::live) async fn has(&self, model: &str, field: &str) -> Result<bool, OdooError> {
        Ok(self.server.fields(model).await?.contains_key(field))
    }

    /// The fields of a model; `Err` inside: why it can not be read, which is to be lived with. An answer holds for a while: a
    /// module is not installed, a right not given every minute.
    pub(in crate::live) async fn readable(&self, model: &str) -> Result<Readable, OdooError> {
        let now = self.clock.now();
        let known = self.readable.lock().unwrap_or_else(PoisonError::into_inner).get(model).cloned();
        if let Some((at, answer)) = known
            && now.duration_since(at).unsigned_abs() < ANSWER_HOLDS
        {
            return Ok(answer);
        }
        let answer = self.ask_readable(model).await?;
        // What went wrong inside the server may go right the next time.
        if !matches!(answer, Err(OdooError::Server { .. })) {
            let mut readable = self.readable.lock().unwrap_or_else(PoisonError::into_inner);
            readable.insert(model.to_owned(), (now, answer.clone()));
        }
        Ok(answer)
    }

    async fn ask_readable(&self, model: &str) -> Result<Readable, OdooError> {
        let refused = |error: OdooError| match error {
            OdooError::AccessDenied { .. } | OdooError::UnknownModel { .. } | OdooError::Server { .. } => Ok(Err(error)),
            error => Err(error),
        };
        let fields = match self.server.fields(model).await {
            Ok(fields) => fields,
            Err(error) => return refused(error),
        };
        match self.server.may(model, Right::Read).await {
            Ok(true) => Ok(Ok(fields)),
            Ok(false) => Ok(Err(OdooError::AccessDenied { model: model.to_owned(), groups: String::new() })),
            Err(error) => refused(error),
        }
    }

    /// Asks for sums, and minds how long the answer is and how long it takes.
    pub(in crate::live) async fn groups(
        &self,
        model: &str,
        domain: Domain,
        by: &[&str],
        sum: &[&str],
        zone: Option<&str>,
    ) -> Result<Vec<Group>, OdooError> {
        let ask = ReadGroups {
            model: model.to_owned(),
            domain,
            by: by.iter().map(|b| (*b).to_owned()).collect(),
            sums: sum.iter().map(|s| (*s).to_owned()).collect(),
            scope: self.scope(zone),
        };
        let began = self.clock.now();
        let answer = self.server.groups(&ask).await;
        let took = self.clock.now().duration_since(began).unsigned_abs();
        let Ok(groups) = answer else {
            // Perhaps it was too much to ask; the next try asks for less.
            self.chunk.store((self.chunk() / 2).max(1), Ordering::Relaxed);
            return answer;
        };
        // A look asks several questions: the next piece is made as large as the dearest of them allows.
        let mut worst = self.worst.lock().unwrap_or_else(PoisonError::into_inner);
        *worst = (worst.0.max(groups.len()), worst.1.max(took));
        drop(worst);
        if let Some(odd) = groups.iter().find(|g| g.keys.len() != by.len() || g.sums.len() != sum.len()) {
            let detail = format!("a group has {} keys and {} sums", odd.keys.len(), odd.sums.len());
            return Err(self.garbled(model, detail));
        }
        Ok(groups)
    }

    /// A piece is done: half as much at a time after an answer that was too long or too slow, twice as much where there was
    /// plenty of room. `full` is false for a piece that was small because there was no more.
    pub(in crate::live) fn settle(&self, full: bool) {
        let mut worst = self.worst.lock().unwrap_or_else(PoisonError::into_inner);
        let (groups, took) = std::mem::take(&mut *worst);
        let now = self.chunk();
        let next = if groups > self.page_max || took > self.page_time {
            now / 2
        } else if full && groups * 4 <= self.page_max && took * 4 <= self.page_time {
            now * 2
        } else {
            now
        };
        self.chunk.store(next.clamp(1, MOST_PRODUCTS), Ordering::Relaxed);
    }

    /// An answer that makes no sense.
    pub(in crate::live) fn garbled(&self, model: &str, detail: String) -> OdooError {
        OdooError::Garbled { url: self.server.name(), what: format!("sums of {model}"), detail }
    }

    /// The id that a group has at `at`. None where Odoo says `false`.
    pub(in crate::live) fn key(&self, model: &str, group: &Group, at: usize) -> Result<Option<i64>, OdooError> {
        match &group.keys[at] {
            Cell::Flag(false) => Ok(None),
            cell => cell.id().map(Some).ok_or_else(|| self.garbled(model, format!("{cell} where an id was expected"))),
        }
    }

    /// The day that a group has at `at`.
    pub(in crate::live) fn day(&self, model: &str, group: &Group, at: usize) -> Result<Date, OdooError> {
        let day = if let Cell::Text(day) = &group.keys[at] { day.parse().ok() } else { None };
        day.ok_or_else(|| self.garbled(model, format!("{} where a day was expected", group.keys[at])))
    }
}
