//! Writes a recording of what was read of a live Odoo: the folder that [`crate::recorded`] reads, from the mirror.
//!
//! Names of people and customers, references and free text are left out unless `plain` says otherwise: `table` says what may
//! stand in a recording, `veil` what is made of it. Rows are written as they were, dangling references and all; INDEX.json
//! says so. What happened before the recording begins is made up for by movements of opening stock (`opening`), so that the
//! sum of movements is the stock. Master data is held in memory, documents go to the disk page by page (`folder`).

mod documents;
mod folder;
mod opening;
mod scope;
mod table;
#[cfg(test)]
mod tests;
mod veil;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;

pub(crate) use self::folder::AS_THEY_WERE;
use self::folder::{Folder, ModelFile};
use self::opening::Openings;
pub use self::scope::Scope;
use self::scope::Within;
use self::veil::Veil;
use super::costs::{COSTS, PRODUCT};
use super::pull::Puller;
use super::source::live::{Tables, cells, is_out_of_scope};
use super::streams::{Extent, STREAMS, Stream, stream_of};
use crate::rows::COMPANY_COSTS;
use crate::rows::cell::Cell;
use reeve_domain::record::StockLevel;
use reeve_ports::{BoxError, Mirror};

/// Rows that are in memory at once, of a stream of documents.
const PAGE: usize = 1_000;

/// What the translation reads although no stream has it; empty in a recording.
const UNREAD: &[(&str, &[&str])] =
    &[("stock.valuation.layer", &["id", "product_id", "quantity", "value", "create_date", "company_id"])];
/// Fields that the translation needs although no stream has them, and what stands there.
const UNREAD_FIELDS: &[(&str, &str, Cell)] = &[("sale.order.line", "is_reward_line", Cell::Flag(false))];

/// Why no recording came about. Nothing of it is left.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// What was read can not be read back.
    #[error("what was read of Odoo can not be read back from the store")]
    Mirror(#[source] BoxError),
    /// A file or folder can not be written.
    #[error("{} can not be written", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The folder holds something.
    #[error("{} is not empty (or no folder's name); name a folder that does not exist yet", .0.display())]
    Taken(PathBuf),
    /// The scope can not be understood.
    #[error("{0}")]
    Scope(String),
    /// Stock is not known.
    #[error(
        "stock levels could not be read, and without them a recording that begins later has the wrong stock; record without days="
    )]
    NoLevels,
}

impl RecordError {
    fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

/// What a recording is made of.
pub struct Recorder<'a> {
    /// Where the rows are.
    pub mirror: &'a dyn Mirror,
    /// The stock as Odoo states it; what is not there is zero. None: it is not known.
    pub levels: Option<&'a [StockLevel]>,
    /// The companies whose rows are recorded; empty: all. The first is that of rows that name none.
    pub companies: &'a [i64],
    /// `money.currency`, ISO 4217.
    pub currency: &'a str,
    /// The time.
    pub now: Timestamp,
    /// Are names, references and free text kept as they are?
    pub plain: bool,
    /// How much is recorded.
    pub scope: &'a Scope,
    /// With what marks are made: random, and forgotten afterwards.
    pub key: [u8; 32],
}

/// What was recorded.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Summary {
    /// The folder.
    pub folder: PathBuf,
    /// Are names, references and free text as they are in Odoo?
    pub plain: bool,
    /// Rows by model.
    pub rows: BTreeMap<&'static str, u64>,
    /// Movements of opening stock that were added.
    pub opening_stock: u64,
}

impl Recorder<'_> {
    /// Writes the recording into the folder `dir`, which must not exist or be empty.
    ///
    /// # Errors
    /// Why there is none; nothing is left of it then.
    pub async fn record(&self, dir: &Path) -> Result<Summary, RecordError> {
        if self.levels.is_none() && self.scope.days.is_some() {
            return Err(RecordError::NoLevels);
        }
        let mut folder = Folder::begin(dir)?;
        let outcome = self.write(&mut folder).await;
        if outcome.is_err() {
            folder.give_up();
        }
        outcome.map(|(rows, opening_stock)| Summary { folder: dir.to_owned(), plain: self.plain, rows, opening_stock })
    }

    async fn write(&self, folder: &mut Folder) -> Result<(BTreeMap<&'static str, u64>, u64), RecordError> {
        let mut masters = Tables::default();
        let mut rows: BTreeMap<&'static str, Vec<Vec<Cell>>> = BTreeMap::new();
        for stream in STREAMS.iter().filter(|stream| stream.extent == Extent::Master) {
            let all = self.mirror.all(stream.model).await.map_err(RecordError::Mirror)?;
            let cells = all.iter().map(cells).filter(|cells| !is_out_of_scope(self.companies, stream, cells));
            rows.insert(stream.model, cells.collect());
            masters.add(stream.model, all);
        }
        masters.add(COSTS, self.mirror.all(COSTS).await.map_err(RecordError::Mirror)?);
        let within = Within::new(self.scope, &rows, self.now)?;
        let mut writing =
            Writing { recorder: self, folder, veil: Veil::new(self.key, self.plain), within, counts: BTreeMap::new() };
        writing.learn_names(&rows).await?;
        let bounds = Puller::known_bounds(self.mirror).await.map_err(RecordError::Mirror)?;
        let from = [bounds.map(|bounds| bounds.detail), writing.within.since].into_iter().flatten().max();
        let openings = Openings::new(self, &masters, &mut rows, from);
        writing.masters(&rows, &masters)?;
        let opening_stock = writing.documents(openings).await?;
        for (model, fields) in UNREAD {
            let file = writing.folder.model(model, fields.iter().map(|field| (*field).to_owned()).collect())?;
            writing.folder.close(file)?;
        }
        let counts = writing.counts;
        let index = json!({
            "what": "rows of a live Odoo as Reeve read them, under the names of Odoo 18",
            "made_by": "reeve sync --record",
            "rows": AS_THEY_WERE,
            "pseudonyms": !self.plain,
            "currency": self.currency,
            "home": self.companies.first(),
            "recorded_at": self.now.to_string(),
            "scope": {"warehouses": self.scope.warehouses, "days": self.scope.days},
            "opening_stock": opening_stock,
        });
        folder.finish(index, &readme(self.plain))?;
        Ok((counts, opening_stock))
    }

    /// Rows of documents above an id, in scope of the companies; None at the end.
    async fn page(&self, stream: &'static Stream, after: &mut i64) -> Result<Option<Vec<Vec<Cell>>>, RecordError> {
        let ids = self.mirror.ids(stream.model, *after, PAGE).await.map_err(RecordError::Mirror)?;
        let Some(last) = ids.last() else { return Ok(None) };
        *after = *last;
        let rows = self.mirror.rows(stream.model, &ids).await.map_err(RecordError::Mirror)?;
        Ok(Some(rows.iter().map(cells).filter(|cells| !is_out_of_scope(self.companies, stream, cells)).collect()))
    }
}

/// A recording while it is written.
struct Writing<'a> {
    recorder: &'a Recorder<'a>,
    folder: &'a mut Folder,
    veil: Veil,
    within: Within,
    counts: BTreeMap<&'static str, u64>,
}

impl Writing<'_> {
    fn begin(&self, stream: &'static Stream) -> Result<ModelFile, RecordError> {
        self.folder.model(stream.model, fields_of(stream))
    }

    fn end(&mut self, file: ModelFile) -> Result<(), RecordError> {
        self.folder.close(file)
    }

    /// Writes what may be seen of a row.
    fn put(&mut self, stream: &'static Stream, file: &mut ModelFile, cells: &[Cell]) -> Result<(), RecordError> {
        self.put_named(stream, file, cells, None)
    }

    fn masters(&mut self, rows: &BTreeMap<&'static str, Vec<Vec<Cell>>>, masters: &Tables) -> Result<(), RecordError> {
        let names = |model: &str| -> BTreeMap<i64, Cell> {
            let rows = rows.get(model).into_iter().flatten();
            rows.filter_map(|cells| Some((cells.first()?.id()?, cells.get(1)?.clone()))).collect()
        };
        // The names in these references are read.
        let named = [
            ("res.company", "currency_id", names("res.currency")),
            ("product.pricelist.item", "pricelist_id", names("product.pricelist")),
        ];
        for stream in STREAMS.iter().filter(|stream| stream.extent == Extent::Master) {
            let mut file = self.begin(stream)?;
            for cells in rows.get(stream.model).into_iter().flatten() {
                let Some(mut cells) = self.within.master(stream, cells) else { continue };
                if stream.model == PRODUCT {
                    // Behind the stream's own fields, as `fields_of` has it.
                    cells.truncate(stream.fields.len());
                    let id = cells.first().and_then(Cell::id).unwrap_or_default();
                    cells.push(masters.company_costs(id));
                }
                let link = named.iter().find(|(model, ..)| *model == stream.model);
                let link = link.and_then(|(_, field, names)| Some((stream.position(field)?, names)));
                self.put_named(stream, &mut file, &cells, link)?;
            }
            self.end(file)?;
        }
        Ok(())
    }

    /// As [`Writing::put`], with the names of what one of the fields refers to.
    fn put_named(
        &mut self,
        stream: &'static Stream,
        file: &mut ModelFile,
        cells: &[Cell],
        link: Option<(usize, &BTreeMap<i64, Cell>)>,
    ) -> Result<(), RecordError> {
        let id = cells.first().and_then(Cell::id).unwrap_or_default();
        let more = Some(COMPANY_COSTS).filter(|_| stream.model == PRODUCT);
        let fields = stream.fields.iter().map(|field| field.name).chain(stream.first_seen.iter().copied()).chain(more);
        let mut seen = Vec::with_capacity(cells.len() + 1);
        for (at, field) in fields.enumerate() {
            let cell = cells.get(at).unwrap_or(&Cell::Flag(false));
            seen.push(self.veil.cell(table::treat(stream.model, field), id, cell));
        }
        if let Some((at, names)) = link
            && let Some((target, name)) = seen[at].id().and_then(|target| Some((target, names.get(&target)?)))
        {
            seen[at] = Cell::List(vec![Cell::Number(target as f64), name.clone()]);
        }
        let unread = UNREAD_FIELDS.iter().filter(|(model, ..)| *model == stream.model);
        seen.extend(unread.map(|(.., cell)| cell.clone()));
        *self.counts.entry(stream.model).or_default() += 1;
        file.row(&seen)
    }
}

/// The fields of a stream's file: its own, the first values seen, and what else the translation needs.
fn fields_of(stream: &Stream) -> Vec<String> {
    let own = stream.fields.iter().map(|field| field.name.to_owned());
    let first_seen = stream.first_seen.iter().map(|field| format!("first seen: {field}"));
    let costs = Some(COMPANY_COSTS.to_owned()).filter(|_| stream.model == PRODUCT);
    let unread = UNREAD_FIELDS.iter().filter(|(model, ..)| *model == stream.model);
    own.chain(first_seen).chain(costs).chain(unread.map(|(_, field, _)| (*field).to_owned())).collect()
}

/// The cell of a field.
fn cell<'a>(stream: &Stream, cells: &'a [Cell], field: &str) -> Option<&'a Cell> {
    cells.get(stream.position(field)?)
}

/// The id in a field.
fn link(stream: &Stream, cells: &[Cell], field: &str) -> Option<i64> {
    cell(stream, cells, field)?.id()
}

/// The text in a field; empty where there is none.
fn text<'a>(stream: &Stream, cells: &'a [Cell], field: &str) -> &'a str {
    match cell(stream, cells, field) {
        Some(Cell::Text(text)) => text,
        _ => "",
    }
}

/// A stream that is in the table.
fn stream(model: &str) -> &'static Stream {
    stream_of(model).expect("the model is one of the streams, as a test makes sure")
}

fn readme(plain: bool) -> String {
    let names = if plain {
        "**Nothing is left out: it holds the names of partners, their references and free text as they are in Odoo. Treat it \
         like the ERP itself.**"
    } else {
        "Partners and companies are numbered, users too; customers' references, suppliers' bill numbers, lots, reasons and \
         origins that are no documents' names are marks (`x-…`), the same for the same text. The key of the marks was random \
         and is not kept. Names of goods, categories, units, warehouses, promotions and documents, and all quantities and \
         prices, are as they are in Odoo: look through them before you give the recording away."
    };
    format!(
        "# A recording of a live Odoo\n\n\
         Made by `reeve sync --record`; read it with `source.recording` (REEVE_SOURCE__RECORDING), as `reeve demo` does.\n\n\
         - `<model>.json.gz`: `{{model, domain, fields, context, rows}}` under the names of Odoo 18; `false` is empty.\n\
         - `INDEX.json`: models and counts. It says that rows are as they were: what they refer to may be missing.\n\
         - `stock.move` holds added rows named \"Opening stock\", so that the sum of movements is the stock. What was sold \
         before the first of them is not told.\n\n{names}\n"
    )
}
