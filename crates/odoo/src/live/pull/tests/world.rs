//! A server and a mirror in memory. The server stamps to the microsecond and tells seconds, commits late, and can be made to
//! fail, to hang and to be killed at any request; the mirror at any commit, before or after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Notify;

use super::super::super::call::{Domain, FieldInfo, Group, ReadGroups, ReadRows, Right, Scope, Server, Version};
use super::super::super::error::OdooError;
use crate::rows::cell::Cell;
use reeve_domain::record::Observed;
use reeve_ports::{BoxError, Mirror, MirrorChange, MirrorRow};

/// A row: its values without the stamps, and the stamps in microseconds.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) values: BTreeMap<&'static str, Cell>,
    pub(super) created: i64,
    pub(super) written: i64,
}

/// A transaction that has begun and is seen by nobody yet.
#[derive(Clone, Debug)]
pub(super) struct Slow {
    pub(super) stamp: i64,
    model: &'static str,
    id: i64,
    values: Vec<(&'static str, Cell)>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) tables: BTreeMap<&'static str, BTreeMap<i64, Row>>,
    next_id: i64,
    /// The server's clock in microseconds.
    pub(super) clock: i64,
    pub(super) slow: Vec<Slow>,
    pub(super) requests: u64,
    /// The process dies in the request with this number.
    pub(super) kill_at: Option<u64>,
    /// Requests with these numbers fail.
    pub(super) fail_at: BTreeSet<u64>,
    /// Fields that make a question be refused.
    pub(super) refused: BTreeSet<&'static str>,
    /// Fields that are not there any more.
    pub(super) dropped: BTreeSet<&'static str>,
    /// Models without access.
    pub(super) denied: BTreeSet<&'static str>,
    /// Nothing can be seen, though it may be asked for.
    pub(super) blind: bool,
    /// Largest page asked for, and what was asked.
    pub(super) asked: Vec<ReadRows>,
}

/// The server.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) state: Mutex<State>,
    pub(super) killed: Notify,
}

pub(super) const FIELDS: [&str; 6] = ["id", "name", "state", "order_id", "create_date", "write_date"];

fn told(micros: i64) -> String {
    let at = Timestamp::from_second(micros.div_euclid(1_000_000)).unwrap();
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

pub(super) fn text(text: &str) -> Cell {
    Cell::Text(text.into())
}

impl State {
    /// Time goes by.
    pub(super) fn tick(&mut self, micros: i64) {
        self.clock += micros;
    }

    pub(super) fn ids(&self, model: &str) -> Vec<i64> {
        self.tables.get(model).map(|rows| rows.keys().copied().collect()).unwrap_or_default()
    }

    pub(super) fn create(&mut self, model: &'static str, values: &[(&'static str, Cell)]) -> i64 {
        self.next_id += 1;
        let (id, at) = (self.next_id, self.clock);
        self.put(model, id, at, values);
        id
    }

    pub(super) fn write(&mut self, model: &'static str, id: i64, values: &[(&'static str, Cell)]) {
        if self.tables.get(model).is_some_and(|rows| rows.contains_key(&id)) {
            let at = self.clock;
            self.put(model, id, at, values);
        }
    }

    pub(super) fn delete(&mut self, model: &str, id: i64) {
        self.tables.get_mut(model).map(|rows| rows.remove(&id));
    }

    /// Begins a transaction: its stamp (and the id of what it makes) is that of now.
    pub(super) fn begin(&mut self, model: &'static str, id: Option<i64>, values: &[(&'static str, Cell)]) {
        let id = id.unwrap_or_else(|| {
            self.next_id += 1;
            self.next_id
        });
        self.slow.push(Slow { stamp: self.clock, model, id, values: values.to_vec() });
    }

    /// Commits transactions that began before; one whose row was written since fails, as it does in PostgreSQL.
    pub(super) fn commit(&mut self, before: i64) {
        let (ended, rest) = std::mem::take(&mut self.slow).into_iter().partition(|slow: &Slow| slow.stamp < before);
        self.slow = rest;
        for Slow { stamp, model, id, values } in ended {
            match self.tables.get(model).and_then(|rows| rows.get(&id)) {
                Some(row) if row.written.div_euclid(1_000_000) >= stamp.div_euclid(1_000_000) => {}
                // What was deleted meanwhile stays deleted; what is new has no order yet.
                None if values.iter().all(|(name, _)| *name != "order_id") && model == "purchase.order.line" => {}
                _ => self.put(model, id, stamp, &values),
            }
        }
    }

    fn put(&mut self, model: &'static str, id: i64, at: i64, values: &[(&'static str, Cell)]) {
        let rows = self.tables.entry(model).or_default();
        let row = rows.entry(id).or_insert_with(|| Row { values: BTreeMap::new(), created: at, written: at });
        row.written = at;
        row.values.extend(values.iter().cloned());
    }

    fn cell(&self, model: &str, id: i64, field: &str) -> Cell {
        let Some(row) = self.tables.get(model).and_then(|rows| rows.get(&id)) else { return Cell::Flag(false) };
        if let Some((link, rest)) = field.split_once('.') {
            assert_eq!(link, "order_id");
            return row
                .values
                .get(link)
                .and_then(Cell::id)
                .map_or(Cell::Flag(false), |id| self.cell("purchase.order", id, rest));
        }
        match field {
            "id" => Cell::Number(id as f64),
            "create_date" => text(&told(row.created)),
            "write_date" => text(&told(row.written)),
            field => row.values.get(field).cloned().unwrap_or(Cell::Flag(false)),
        }
    }

    /// Microseconds of a time field, over references too.
    fn micros(&self, model: &str, id: i64, field: &str) -> Option<i64> {
        let row = self.tables.get(model)?.get(&id)?;
        match field {
            "create_date" => Some(row.created),
            "write_date" => Some(row.written),
            _ => {
                let (link, rest) = field.split_once('.')?;
                self.micros("purchase.order", row.values.get(link)?.id()?, rest)
            }
        }
    }

    fn holds(&self, model: &str, id: i64, term: &Value) -> bool {
        let (field, operator, value) = (term[0].as_str().unwrap(), term[1].as_str().unwrap(), &term[2]);
        if field.ends_with("_date") {
            let Some(micros) = self.micros(model, id, field) else { return value == &Value::Bool(false) && operator == "=" };
            if value == &Value::Bool(false) {
                return operator == "!=";
            }
            let at: jiff::civil::DateTime = value.as_str().unwrap().parse().unwrap();
            let at = at.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_microsecond();
            return match operator {
                ">=" => micros >= at,
                ">" => micros > at,
                "=" => micros == at,
                other => panic!("{other} on a time"),
            };
        }
        let cell = serde_json::to_value(self.cell(model, id, field)).unwrap();
        match operator {
            "=" => cell == *value,
            "!=" => cell != *value,
            ">" => cell.as_f64().unwrap() > value.as_f64().unwrap(),
            "in" => value.as_array().unwrap().contains(&cell),
            "not in" => !value.as_array().unwrap().contains(&cell),
            other => panic!("{other}"),
        }
    }

    /// Odoo's prefix notation, read from the back.
    pub(super) fn meets(&self, model: &str, id: i64, terms: &Value) -> bool {
        let mut stack: Vec<bool> = Vec::new();
        for term in terms.as_array().unwrap().iter().rev() {
            let one = match term.as_str() {
                Some(operator) => {
                    let (one, other) = (stack.pop().unwrap(), stack.pop().unwrap());
                    if operator == "|" { one || other } else { one && other }
                }
                None => self.holds(model, id, term),
            };
            stack.push(one);
        }
        stack.into_iter().all(|one| one)
    }

    fn found(&self, ask: &ReadRows) -> Vec<i64> {
        if self.blind {
            return Vec::new();
        }
        let terms = ask.domain.to_json();
        let mut ids: Vec<i64> = self.ids(&ask.model).into_iter().filter(|id| self.meets(&ask.model, *id, &terms)).collect();
        match ask.order {
            "id" => {}
            "write_date desc, id desc" => {
                ids.sort_by_key(|id| (self.micros(&ask.model, *id, "write_date"), *id));
                ids.reverse();
            }
            other => panic!("{other}"),
        }
        ids.truncate(ask.limit);
        ids
    }
}

impl World {
    pub(super) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Counts a request, and fails or dies in it.
    async fn enter(&self, model: &str) -> Result<(), OdooError> {
        let (dies, fails) = {
            let mut state = self.state();
            state.requests += 1;
            let nth = state.requests;
            // Every question takes a moment.
            state.tick(1_000);
            (state.kill_at == Some(nth), state.fail_at.contains(&nth))
        };
        if dies {
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
        let url = "http://odoo".to_owned();
        if fails {
            return Err(OdooError::Busy { url, detail: "502".into(), retry_after: None });
        }
        let denied = self.state().denied.contains(model);
        if denied { Err(OdooError::AccessDenied { model: model.into(), groups: String::new() }) } else { Ok(()) }
    }
}

#[async_trait]
impl Server for World {
    fn version(&self) -> Version {
        Version::V18
    }

    fn name(&self) -> String {
        "http://odoo (test)".into()
    }

    async fn fields(&self, model: &str) -> Result<BTreeMap<String, FieldInfo>, OdooError> {
        self.enter(model).await?;
        let state = self.state();
        if !["purchase.order", "purchase.order.line", "product.product"].contains(&model) {
            return Err(OdooError::UnknownModel { model: model.into() });
        }
        let info = FieldInfo { kind: "char".into(), stored: true, searchable: true };
        let names = FIELDS.into_iter().filter(|name| !state.dropped.contains(name));
        Ok(names.map(|name| (name.to_owned(), info.clone())).collect())
    }

    async fn rows(&self, ask: &ReadRows) -> Result<Vec<Vec<Cell>>, OdooError> {
        self.enter(&ask.model).await?;
        let mut state = self.state();
        state.asked.push(ask.clone());
        if let Some(field) = ask.fields.iter().find(|field| state.dropped.contains(field.as_str())) {
            return Err(OdooError::UnknownField { model: ask.model.clone(), field: field.clone() });
        }
        if ask.fields.iter().any(|field| state.refused.contains(field.as_str())) {
            return Err(OdooError::AccessDenied { model: "res.secret".into(), groups: String::new() });
        }
        let row = |id: i64| {
            let cells = ask.fields.iter().map(|field| state.cell(&ask.model, id, field));
            std::iter::once(Cell::Number(id as f64)).chain(cells).collect()
        };
        Ok(state.found(ask).into_iter().map(row).collect())
    }

    async fn ids(&self, model: &str, domain: &Domain, limit: usize, scope: &Scope) -> Result<Vec<i64>, OdooError> {
        self.enter(model).await?;
        let (model, domain, scope) = (model.to_owned(), domain.clone(), scope.clone());
        Ok(self.state().found(&ReadRows { model, domain, fields: Vec::new(), order: "id", limit, scope }))
    }

    async fn count(&self, model: &str, domain: &Domain, scope: &Scope) -> Result<u64, OdooError> {
        Ok(self.ids(model, domain, usize::MAX, scope).await?.len() as u64)
    }

    async fn groups(&self, _ask: &ReadGroups) -> Result<Vec<Group>, OdooError> {
        panic!("no sums are asked for by a pull")
    }

    async fn may(&self, model: &str, _right: Right) -> Result<bool, OdooError> {
        self.enter(model).await?;
        Ok(true)
    }
}

/// What a stream has kept.
#[derive(Debug, Default)]
struct Kept {
    rows: BTreeMap<i64, MirrorRow>,
    position: Option<String>,
}

/// The mirror.
#[derive(Debug, Default)]
pub(super) struct Memory {
    streams: Mutex<BTreeMap<String, Kept>>,
    /// Commits so far, and the one in which the process dies, after it was done or before.
    pub(super) commits: Mutex<(u64, Option<(u64, bool)>)>,
    pub(super) killed: Notify,
}

impl Memory {
    pub(super) fn bodies(&self, stream: &str) -> BTreeMap<i64, String> {
        let streams = self.streams.lock().unwrap();
        let rows = streams.get(stream).map(|kept| kept.rows.clone()).unwrap_or_default();
        rows.into_iter().map(|(id, row)| (id, row.body)).collect()
    }

    fn read<T>(&self, stream: &str, read: impl Fn(&Kept) -> T) -> T {
        read(self.streams.lock().unwrap().entry(stream.to_owned()).or_default())
    }
}

#[async_trait]
impl Mirror for Memory {
    async fn position(&self, stream: &str) -> Result<Option<String>, BoxError> {
        Ok(self.read(stream, |kept| kept.position.clone()))
    }

    async fn keep(
        &self,
        stream: &str,
        rows: &[MirrorRow],
        gone: &[i64],
        position: &str,
        _at: Timestamp,
    ) -> Result<u64, BoxError> {
        let dies = {
            let mut commits = self.commits.lock().unwrap();
            commits.0 += 1;
            commits.1.filter(|(nth, _)| *nth == commits.0).map(|(_, done)| done)
        };
        if dies == Some(false) {
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
        let changed = {
            let mut streams = self.streams.lock().unwrap();
            let kept = streams.entry(stream.to_owned()).or_default();
            let mut changed = 0;
            for row in rows {
                changed += u64::from(kept.rows.insert(row.id, row.clone()).as_ref() != Some(row));
            }
            for id in gone {
                changed += u64::from(kept.rows.remove(id).is_some());
            }
            kept.position = Some(position.to_owned());
            changed
        };
        if dies == Some(true) {
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(changed)
    }

    async fn keep_records(&self, _: &str, _: &[Observed], _: &str, _: Timestamp) -> Result<u64, BoxError> {
        panic!("a pull keeps rows")
    }

    async fn ids(&self, stream: &str, after: i64, limit: usize) -> Result<Vec<i64>, BoxError> {
        Ok(self.read(stream, |kept| kept.rows.range(after + 1..).take(limit).map(|(id, _)| *id).collect()))
    }

    async fn changes(&self, _: i64, _: usize) -> Result<Vec<MirrorChange>, BoxError> {
        panic!("a pull reads no changes")
    }

    async fn rows(&self, stream: &str, ids: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        let ids: BTreeSet<i64> = ids.iter().copied().collect();
        Ok(self.read(stream, |kept| ids.iter().filter_map(|id| kept.rows.get(id).cloned()).collect()))
    }

    async fn linked(&self, _: &str, _: usize, _: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        panic!("a pull follows no links")
    }

    async fn all(&self, _: &str) -> Result<Vec<MirrorRow>, BoxError> {
        panic!("a pull reads by ids")
    }
}
