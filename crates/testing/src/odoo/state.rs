//! What the fake server holds: rows by model, the clock, the users, what they may do. Tests change it directly; requests
//! only read it (or are refused, or are kept as a write that was seen).
//!
//! The clock stands still until it is set: every change at one time carries one stamp.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value;

use super::Version;
use super::access::User;
use super::cell::{Cell, Kind, SECOND};
use super::sales::Sales;
use super::schema::{self, FieldDef, Schema};

/// A row: its cells in the order of the table's columns.
pub(super) type Row = Vec<Cell>;

/// Where `id`, `create_date` and `write_date` stand in every table.
pub(super) const ID: usize = 0;
pub(super) const CREATED: usize = 1;
pub(super) const WRITTEN: usize = 2;

/// The rows of a model.
#[derive(Debug)]
pub struct Table {
    pub model: String,
    /// The fields that any row has a value for.
    pub columns: Vec<FieldDef>,
    pub places: HashMap<String, usize>,
    pub rows: BTreeMap<i64, Row>,
    /// Rows by when they were written.
    pub stamps: BTreeSet<(i64, i64)>,
    /// The id that the next row gets. Rolled-back transactions leave gaps.
    pub next_id: i64,
    /// Rows that are computed when they are asked for, and those of them that were changed or deleted since.
    pub sales: Option<Arc<Sales>>,
    pub replaced: HashSet<i64>,
}

impl Table {
    pub fn new(model: &str) -> Self {
        let mut table = Self {
            model: model.to_owned(),
            columns: Vec::new(),
            places: HashMap::new(),
            rows: BTreeMap::new(),
            stamps: BTreeSet::new(),
            next_id: 1,
            sales: None,
            replaced: HashSet::new(),
        };
        table.column(&FieldDef::stored("id", "integer", None));
        table.column(&FieldDef::stored("create_date", "datetime", None));
        table.column(&FieldDef::stored("write_date", "datetime", None));
        table
    }

    /// Where a field stands; it is added, empty in every row, when it is not there yet.
    pub fn column(&mut self, field: &FieldDef) -> usize {
        if let Some(place) = self.places.get(&field.name) {
            return *place;
        }
        let place = self.columns.len();
        for row in self.rows.values_mut() {
            row.push(field.kind.empty());
        }
        self.columns.push(field.clone());
        self.places.insert(field.name.clone(), place);
        place
    }

    pub fn place(&self, field: &str) -> Option<usize> {
        self.places.get(field).copied()
    }

    /// A row with nothing in it.
    pub fn blank(&self) -> Row {
        self.columns.iter().map(|field| field.kind.empty()).collect()
    }

    /// Puts a whole row in place of whatever had its id.
    pub fn put(&mut self, row: Row) {
        let id = row[ID].int().expect("a row has an id");
        self.take(id);
        let Cell::Time(written) = row[WRITTEN] else { panic!("a row of {} has no write_date", self.model) };
        self.stamps.insert((written, id));
        self.next_id = self.next_id.max(id + 1);
        self.rows.insert(id, row);
    }

    /// Takes a row out.
    pub fn take(&mut self, id: i64) -> Option<Row> {
        if let Some(row) = self.rows.remove(&id) {
            if let Cell::Time(written) = row[WRITTEN] {
                self.stamps.remove(&(written, id));
            }
            return Some(row);
        }
        let sales = self.sales.clone()?;
        if self.replaced.contains(&id) || !sales.holds(id) {
            return None;
        }
        self.replaced.insert(id);
        Some((0..self.columns.len()).map(|place| sales.cell(id, place, &self.columns[place])).collect())
    }

    /// A row as it stands, computed or kept.
    pub fn row(&self, id: i64) -> Option<Row> {
        if let Some(row) = self.rows.get(&id) {
            return Some(row.clone());
        }
        let sales = self.sales.as_ref()?;
        (sales.holds(id) && !self.replaced.contains(&id))
            .then(|| (0..self.columns.len()).map(|place| sales.cell(id, place, &self.columns[place])).collect())
    }
}

/// The server's state.
#[derive(Debug)]
pub struct State {
    pub version: Version,
    pub database: String,
    /// Are there others, so that JSON-2 must name the one it means?
    pub many_databases: bool,
    /// May `db.list` be asked?
    pub lists_databases: bool,
    pub schema: Schema,
    pub tables: BTreeMap<String, Table>,
    /// Microseconds since 1970.
    pub now: i64,
    pub users: Vec<User>,
    /// Names of rows that are referred to but are not there.
    pub names: HashMap<(String, i64), Arc<str>>,
    /// Values of company-dependent fields, where a company has its own: model, field, id, company.
    pub company_values: BTreeMap<(String, String, i64, i64), Cell>,
}

impl State {
    pub fn new(version: Version) -> Self {
        let mut schema = schema::of(version);
        schema.retain(|model, _| !is_point_of_sale(model));
        Self {
            version,
            database: "retail".to_owned(),
            many_databases: false,
            lists_databases: true,
            schema,
            tables: BTreeMap::new(),
            now: 0,
            users: super::access::users(),
            names: HashMap::new(),
            company_values: BTreeMap::new(),
        }
    }

    /// The table of a model, made when it is not there.
    ///
    /// # Panics
    /// When the server has no such model.
    pub fn table_mut(&mut self, model: &str) -> &mut Table {
        assert!(self.schema.contains_key(model), "this server has no model {model}");
        self.tables.entry(model.to_owned()).or_insert_with(|| Table::new(model))
    }

    /// The description of a field, under the name that Odoo 18 or this version gives it.
    ///
    /// # Panics
    /// When this version has no such field.
    pub fn field(&self, model: &str, name: &str) -> FieldDef {
        let def = self.schema.get(model).unwrap_or_else(|| panic!("this server has no model {model}"));
        if let Some(field) = def.fields.get(name) {
            return field.clone();
        }
        let renamed = schema::name_in(&self.schema, self.version, model, name);
        let name = renamed.unwrap_or_else(|| panic!("{model} has no field {name} on this server"));
        def.fields[&name].clone()
    }

    fn fill(&mut self, model: &str, row: &mut Row, values: &Value) {
        let values = values.as_object().expect("values are an object");
        for (name, value) in values {
            let field = self.field(model, name);
            let table = self.table_mut(model);
            let place = table.column(&field);
            row.resize_with(table.columns.len(), || Cell::False);
            row[place] = Cell::from_json(&field, value);
        }
    }

    /// Makes a row, stamped now. Dates may be given with a fraction.
    pub fn create(&mut self, model: &str, values: &Value) -> i64 {
        let id = self.reserve(model);
        self.create_as(model, id, self.now, values);
        id
    }

    /// Takes the next id of a model, as a transaction does when it makes a row, long before it ends.
    pub fn reserve(&mut self, model: &str) -> i64 {
        let table = self.table_mut(model);
        let id = table.next_id;
        table.next_id += 1;
        id
    }

    pub fn create_as(&mut self, model: &str, id: i64, stamp: i64, values: &Value) {
        let mut row = self.table_mut(model).blank();
        row[ID] = Cell::Int(id);
        row[CREATED] = Cell::Time(stamp);
        row[WRITTEN] = Cell::Time(stamp);
        let active = self.schema[model].fields.get("active").cloned();
        if let Some(active) = active {
            let table = self.table_mut(model);
            let place = table.column(&active);
            row.resize_with(table.columns.len(), || Cell::False);
            row[place] = Cell::True;
        }
        self.fill(model, &mut row, values);
        self.settle(model, &mut row);
        self.table_mut(model).put(row);
    }

    /// Cells that were added for a new column hold `False`: give them what their type holds when it is empty.
    fn settle(&mut self, model: &str, row: &mut Row) {
        let table = self.table_mut(model);
        for (cell, field) in row.iter_mut().zip(&table.columns) {
            if matches!(field.kind, Kind::Integer | Kind::Float | Kind::Many) && *cell == Cell::False {
                *cell = field.kind.empty();
            }
        }
    }

    /// Changes a row, stamped now, or as `values` say.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn write(&mut self, model: &str, id: i64, values: &Value) {
        self.write_as(model, id, self.now, values);
    }

    pub fn write_as(&mut self, model: &str, id: i64, stamp: i64, values: &Value) {
        let row = self.table_mut(model).take(id);
        let mut row = row.unwrap_or_else(|| panic!("{model} has no row {id}"));
        row[WRITTEN] = Cell::Time(stamp);
        self.fill(model, &mut row, values);
        self.settle(model, &mut row);
        self.table_mut(model).put(row);
    }

    /// Deletes a row; it leaves no trace.
    ///
    /// # Panics
    /// When there is no such row.
    pub fn unlink(&mut self, model: &str, id: i64) {
        assert!(self.table_mut(model).take(id).is_some(), "{model} has no row {id}");
    }

    /// Archives a row.
    pub fn archive(&mut self, model: &str, id: i64) {
        self.write(model, id, &serde_json::json!({"active": false}));
    }

    /// Moves the clock, to the future or the past.
    pub fn set_now(&mut self, at: jiff::Timestamp) {
        self.now = at.as_microsecond();
    }

    /// What the clock shows.
    pub fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.now).expect("the clock shows a time")
    }

    /// Lets time pass.
    pub fn advance(&mut self, by: std::time::Duration) {
        self.now += by.as_micros() as i64;
    }

    /// The models that have rows.
    pub fn models(&self) -> impl Iterator<Item = String> {
        self.tables.keys().cloned()
    }

    /// The ids of a model's rows, ascending, archived ones and computed ones included.
    pub fn ids(&self, model: &str) -> Vec<i64> {
        let Some(table) = self.tables.get(model) else { return Vec::new() };
        let mut ids: Vec<i64> = table.rows.keys().copied().collect();
        if let Some(sales) = &table.sales {
            ids.extend(sales.ids(sales.every()).filter(|id| !table.replaced.contains(id)));
            ids.sort_unstable();
        }
        ids
    }

    /// The rows of a model by id, as they are now, as Odoo encodes them with bare ids; only fields that any row ever had.
    pub fn rows(&self, model: &str) -> BTreeMap<i64, BTreeMap<String, Value>> {
        let Some(table) = self.tables.get(model) else { return BTreeMap::new() };
        let encode = |id: i64| {
            let row = table.row(id).expect("the id was just listed");
            let cells = table.columns.iter().zip(&row).map(|(field, cell)| (field.name.clone(), cell.to_json()));
            (id, cells.collect())
        };
        self.ids(model).into_iter().map(encode).collect()
    }

    /// A value of a company-dependent field for one company.
    pub fn set_company_value(&mut self, model: &str, field: &str, id: i64, company: i64, value: &Value) {
        let cell = Cell::from_json(&self.field(model, field), value);
        self.company_values.insert((model.to_owned(), field.to_owned(), id, company), cell);
    }

    /// Installs the point of sale: its models, and what it adds to receipts and deliveries.
    pub fn install_point_of_sale(&mut self) {
        self.schema.extend(schema::of(self.version).into_iter().filter(|(model, _)| is_point_of_sale(model)));
        self.add_field("stock.picking", "pos_session_id", "many2one", Some("pos.session"));
        self.add_field("stock.picking", "pos_order_id", "many2one", Some("pos.order"));
    }

    /// Changes one row of every `nth` of a model a little: what a business does in a day. How many were changed.
    pub fn touch(&mut self, model: &str, nth: usize) -> usize {
        let ids: Vec<i64> = self.ids(model).into_iter().step_by(nth.max(1)).collect();
        for id in &ids {
            self.write(model, *id, &serde_json::json!({}));
        }
        ids.len()
    }

    /// Adds a field, as installing a module does.
    pub fn add_field(&mut self, model: &str, name: &str, kind: &str, relation: Option<&str>) {
        let def = self.schema.get_mut(model).unwrap_or_else(|| panic!("this server has no model {model}"));
        def.fields.insert(name.to_owned(), FieldDef::stored(name, kind, relation));
    }

    /// Takes a field away, as an upgrade does.
    pub fn remove_field(&mut self, model: &str, name: &str) {
        let gone = self.schema.get_mut(model).and_then(|def| def.fields.remove(name));
        assert!(gone.is_some(), "{model} has no field {name} on this server");
    }

    /// Takes a model away: its module is not installed.
    pub fn remove_model(&mut self, model: &str) {
        assert!(self.schema.remove(model).is_some(), "this server has no model {model}");
        self.tables.remove(model);
    }

    /// The name that references to a row show.
    pub fn display_name(&self, model: &str, id: i64) -> Arc<str> {
        let row = self.tables.get(model).and_then(|table| Some((table, table.rows.get(&id)?)));
        if let Some((table, row)) = row {
            for field in ["display_name", "complete_name", "name"] {
                if field == "name"
                    && let Some(Cell::Text(code)) = table.place("default_code").map(|place| &row[place])
                    && let Some(Cell::Text(name)) = table.place("name").map(|place| &row[place])
                {
                    return Arc::from(format!("[{code}] {name}"));
                }
                if let Some(Cell::Text(name)) = table.place(field).map(|place| &row[place]) {
                    return name.clone();
                }
            }
        }
        let known = self.names.get(&(model.to_owned(), id)).cloned();
        known.unwrap_or_else(|| Arc::from(format!("{model},{id}")))
    }
}

fn is_point_of_sale(model: &str) -> bool {
    model.starts_with("pos.") || model == "report.pos.order"
}

/// A transaction that has begun and not ended: nobody sees what it does until [`Transaction::commit`], and then it carries
/// the time at which it *began*.
#[derive(Debug)]
pub struct Transaction {
    stamp: i64,
    steps: Vec<(String, i64, Option<Value>, bool)>,
}

impl Transaction {
    /// Begins now.
    pub fn begin(state: &State) -> Self {
        Self { stamp: state.now, steps: Vec::new() }
    }

    /// Makes a row. Its id is taken at once, so it is lower than that of rows which others make meanwhile.
    pub fn create(&mut self, state: &mut State, model: &str, values: Value) -> i64 {
        let id = state.reserve(model);
        self.steps.push((model.to_owned(), id, Some(values), true));
        id
    }

    /// Changes a row.
    pub fn write(&mut self, model: &str, id: i64, values: Value) {
        self.steps.push((model.to_owned(), id, Some(values), false));
    }

    /// Deletes a row.
    pub fn unlink(&mut self, model: &str, id: i64) {
        self.steps.push((model.to_owned(), id, None, false));
    }

    /// Ends; everybody sees it from now on. What others deleted meanwhile is left alone.
    pub fn commit(self, state: &mut State) {
        for (model, id, values, new) in self.steps {
            let there = state.tables.get(&model).is_some_and(|table| table.row(id).is_some());
            match values {
                Some(values) if new => state.create_as(&model, id, self.stamp, &values),
                Some(values) if there => state.write_as(&model, id, self.stamp, &values),
                None if there => state.unlink(&model, id),
                _ => {}
            }
        }
    }
}

/// A fraction of a second that belongs to a second: rows that are known by whole seconds only get it, so that rows of one
/// transaction still share their stamp.
pub(super) fn within_second(second: i64) -> i64 {
    second.div_euclid(SECOND) * SECOND + (second.div_euclid(SECOND).wrapping_mul(7_919_173)).rem_euclid(SECOND - 2) + 1
}
