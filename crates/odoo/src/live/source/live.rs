//! Rows of the mirror as the translation reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use crate::live::costs::COSTS;
use crate::live::streams::{Stream, stream_of};
use crate::rows::cell::Cell;
use crate::rows::{COMPANY_COSTS, Care, FIRST_PLANNED, Model, Row, RowError, Rows};
use reeve_ports::MirrorRow;

/// Rows by model, each with its cells in the order of the stream's fields.
#[derive(Debug, Default)]
pub(in crate::live) struct Tables(BTreeMap<&'static str, BTreeMap<i64, Vec<Cell>>>);

impl Tables {
    /// Adds rows of a stream. A body that is no list of cells becomes a row of the id alone: the translation says what is
    /// missing.
    pub(in crate::live) fn add(&mut self, model: &'static str, rows: Vec<MirrorRow>) {
        let table = self.0.entry(model).or_default();
        for row in rows {
            table.entry(row.id).or_insert_with(|| cells(&row));
        }
    }

    /// Adds a row's cells.
    pub(in crate::live) fn put(&mut self, model: &'static str, id: i64, cells: Vec<Cell>) {
        self.0.entry(model).or_default().insert(id, cells);
    }

    /// The ids of a model's rows.
    pub(in crate::live) fn ids(&self, model: &str) -> impl Iterator<Item = i64> {
        self.0.get(model).into_iter().flat_map(|table| table.keys().copied())
    }

    /// The reference in a field of each of a model's rows.
    pub(in crate::live) fn links(&self, model: &'static str, field: &str) -> BTreeSet<i64> {
        let at = stream_of(model).and_then(|stream| stream.position(field));
        let rows = self.0.get(model).into_iter().flat_map(BTreeMap::values);
        rows.filter_map(|cells| cells.get(at?)?.id()).collect()
    }

    /// The ids in a field that lists them, of all of a model's rows.
    pub(in crate::live) fn lists(&self, model: &'static str, field: &str) -> BTreeSet<i64> {
        let at = stream_of(model).and_then(|stream| stream.position(field));
        let rows = self.0.get(model).into_iter().flat_map(BTreeMap::values);
        let cells = rows.filter_map(|cells| cells.get(at?));
        cells.flat_map(|cell| if let Cell::List(ids) = cell { ids.as_slice() } else { &[] }).filter_map(Cell::id).collect()
    }

    /// What each company pays for a product, where several were asked.
    pub(in crate::live) fn company_costs(&self, product: i64) -> Cell {
        let kept = self.0.get(COSTS).and_then(|table| table.get(&product)?.get(1));
        kept.cloned().unwrap_or(Cell::Flag(false))
    }

    /// Is there such a row?
    pub(in crate::live) fn has(&self, model: &str, id: i64) -> bool {
        self.0.get(model).is_some_and(|table| table.contains_key(&id))
    }
}

/// A row's cells.
pub(in crate::live) fn cells(row: &MirrorRow) -> Vec<Cell> {
    serde_json::from_str(&row.body).unwrap_or_else(|_| vec![Cell::Number(row.id as f64)])
}

/// Tables as [`Rows`]: what can not be understood is passed over.
pub(in crate::live) struct Live<'a> {
    tables: &'a Tables,
    companies: &'a [i64],
    care: &'a Care,
}

impl<'a> Live<'a> {
    /// Rows of these companies (none: of all), and of those that belong to none.
    pub(in crate::live) fn new(tables: &'a Tables, companies: &'a [i64], care: &'a Care) -> Self {
        Self { tables, companies, care }
    }
}

/// Does a row belong to none of these companies (none: all), and not to all of them either?
pub(in crate::live) fn is_out_of_scope(companies: &[i64], stream: &Stream, cells: &[Cell]) -> bool {
    let company = stream.position("company_id").and_then(|at| cells.get(at)?.id());
    // Rates are those of the company above a branch, too: each is looked up by its company.
    stream.model != "res.currency.rate"
        && stream.model != "res.company"
        && !companies.is_empty()
        && company.is_some_and(|company| !companies.contains(&company))
}

impl Rows for Live<'_> {
    type Error = Infallible;

    fn each(&mut self, model: &'static Model, mut each: impl FnMut(&Row) -> Result<(), RowError>) -> Result<(), Infallible> {
        let (Some(stream), Some(table)) = (stream_of(model.name), self.tables.0.get(model.name)) else { return Ok(()) };
        let place = |field: &str| match field {
            FIRST_PLANNED => stream.first_seen_position("date_planned"),
            field => stream.position(field),
        };
        let places: Vec<Option<usize>> = model.fields().map(place).collect();
        let costs = model.fields().position(|field| field == COMPANY_COSTS);
        for (number, (id, cells)) in table.iter().enumerate() {
            if is_out_of_scope(self.companies, stream, cells) {
                continue;
            }
            let cell = |at: &Option<usize>| at.and_then(|at| cells.get(at)).cloned().unwrap_or(Cell::Flag(false));
            let mut row = Row { model, number: number + 1, cells: places.iter().map(cell).collect() };
            if let Some(at) = costs {
                row.cells[at] = self.tables.company_costs(*id);
            }
            // A row that is not understood must not stop the others: it becomes a gap.
            if let Err(error) = each(&row) {
                self.care.pass_over(error);
            }
        }
        Ok(())
    }
}
