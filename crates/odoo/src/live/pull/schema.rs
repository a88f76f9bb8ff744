//! What can be asked of a stream on this server, and how an answer becomes a row of the mirror.
//!
//! A row's body holds the stream's fields in their order, behind them the first values seen of some, and last the row's
//! `write_date` as it was answered: by it a sweep knows whether the row is still the one that was read.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::super::call::{FieldInfo, Version};
use super::super::streams::{Absent, Extent, Stream};
use super::bounds::Bounded;
use crate::rows::cell::Cell;
use reeve_ports::{Gap, MirrorRow};

/// The stamp that Odoo puts on what it writes.
pub(super) const STAMP: &str = "write_date";

/// Where a cell comes from.
#[derive(Clone, Debug, PartialEq)]
enum From {
    /// The answer, at this place.
    Answer(usize),
    /// Nowhere: the server does not tell.
    Filled(Cell),
}

/// A stream as this server can be asked for it.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    /// Names of fields on this server, without `id`.
    pub(super) asked: Vec<String>,
    cells: Vec<From>,
    first: Vec<usize>,
    links: Vec<usize>,
    /// Where the stamp stands in an answer; None where rows carry none.
    stamp: Option<usize>,
    /// Can a row change without its stamp, and are there few enough to read them all again?
    pub(super) whole: bool,
    /// Fields that are missing and missed.
    pub(super) gaps: Vec<Gap>,
}

/// A row as it was answered.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Its id.
    pub(super) id: i64,
    /// Its stamp in seconds, where it has one.
    pub(super) stamp: Option<i64>,
    cells: Vec<Cell>,
}

impl Schema {
    /// Fits a stream's fields to those of a server, less the ones that were refused. A gap where the stream can not be read
    /// without one that is missing.
    pub(super) fn new(
        stream: &Stream,
        version: Version,
        fields: &BTreeMap<String, FieldInfo>,
        without: &BTreeMap<String, String>,
    ) -> Result<Self, Gap> {
        let mut schema = Self {
            asked: Vec::new(),
            cells: Vec::new(),
            first: stream.first_seen.iter().filter_map(|name| stream.position(name)).collect(),
            links: stream.links.iter().filter_map(|name| stream.position(name)).collect(),
            stamp: None,
            whole: false,
            gaps: Vec::new(),
        };
        for field in stream.fields {
            if field.name == "id" {
                schema.cells.push(From::Answer(0));
                continue;
            }
            let here = [field.name_on(version), field.name].into_iter().find_map(|name| Some((name, fields.get(name)?)));
            let why = match here {
                Some((name, info)) => match without.get(name) {
                    None => {
                        // A computed field changes without a new stamp on its row: such rows have to be read again as a
                        // whole.
                        schema.whole |= !info.stored;
                        let place = schema.ask(name);
                        schema.cells.push(From::Answer(place));
                        continue;
                    }
                    Some(why) => why.clone(),
                },
                None => "this server has no such field".to_owned(),
            };
            let gap = |costs: &str| Gap {
                what: format!("{}.{}", stream.model, field.name),
                why: why.clone(),
                costs: costs.into(),
            };
            // A field without which nothing can be told makes the stream a gap; for the others there is a value that claims
            // nothing.
            let Some(cell) = field.absent.cell() else { return Err(gap(stream.costs)) };
            if !field.costs.is_empty() {
                schema.gaps.push(gap(field.costs));
            }
            schema.cells.push(From::Filled(cell));
        }
        // Only master data is small enough to be read again and again.
        schema.whole &= stream.extent == Extent::Master;
        if fields.contains_key(STAMP) && !without.contains_key(STAMP) {
            schema.stamp = Some(schema.ask(STAMP));
        } else {
            // Without stamps nobody can tell what has changed.
            schema.whole = true;
        }
        // A question for no field at all would be answered with all of them.
        if schema.asked.is_empty() {
            schema.ask("id");
        }
        Ok(schema)
    }

    /// The place in an answer of a field, which is asked for.
    fn ask(&mut self, name: &str) -> usize {
        let at = self.asked.iter().position(|asked| asked == name).unwrap_or_else(|| {
            self.asked.push(name.to_owned());
            self.asked.len() - 1
        });
        at + 1
    }

    /// Do rows carry stamps?
    pub(super) fn stamped(&self) -> bool {
        self.stamp.is_some()
    }

    /// Fields that a stream can do without, by their names here.
    pub(super) fn optional(&self, stream: &Stream) -> Vec<String> {
        let fields = stream.fields.iter().zip(&self.cells);
        let names = fields.filter(|(field, _)| field.absent != Absent::Never).filter_map(|(_, from)| match from {
            From::Answer(place) if *place > 0 => self.asked.get(place - 1),
            _ => None,
        });
        names.filter(|name| *name != STAMP).cloned().collect()
    }

    /// A short text that is another one when rows would be.
    pub(super) fn print(&self, stream: &Stream, version: Version, companies: &[i64], bounded: &Bounded) -> String {
        let names: Vec<&str> = stream.fields.iter().map(|field| field.name).collect();
        let all = format!(
            "{version:?} {} {names:?} {:?} {:?} {:?} {:?} {companies:?} {}",
            stream.model,
            self.asked,
            self.cells,
            stream.links,
            stream.first_seen,
            bounded.domain().to_json()
        );
        hex::encode(&Sha256::digest(all.as_bytes())[..12])
    }

    /// Understands an answered row; else what is wrong with it.
    pub(super) fn answer(&self, cells: Vec<Cell>) -> Result<Answer, String> {
        if cells.len() != self.asked.len() + 1 {
            return Err(format!("a row has {} cells instead of {}", cells.len(), self.asked.len() + 1));
        }
        let id = cells[0].id().ok_or_else(|| format!("a row's id is {}", cells[0]))?;
        let stamp = match self.stamp.map(|at| &cells[at]) {
            None => None,
            Some(cell) => stamp_of(cell).map_err(|()| format!("the {STAMP} of row {id} is {cell}"))?,
        };
        Ok(Answer { id, stamp, cells })
    }

    /// The row as it is kept. `known` is the row of the same id that is kept already, `carry` whether its first values are
    /// those that this stream keeps.
    pub(super) fn keep(&self, answer: &Answer, known: Option<&MirrorRow>, carry: bool) -> MirrorRow {
        let mut cells: Vec<Cell> = self.cells.iter().map(|from| from.cell(answer)).collect();
        let before = match known.filter(|_| carry && !self.first.is_empty()) {
            Some(row) => first_values(&row.body, self.first.len()),
            None => Vec::new(),
        };
        for (nth, at) in self.first.iter().enumerate() {
            // A first value that was empty is none yet: the first that is told counts.
            let first = before.get(nth).filter(|cell| !is_empty(cell)).unwrap_or(&cells[*at]).clone();
            cells.push(first);
        }
        // Last, where a sweep finds it without knowing the stream's fields.
        cells.push(self.stamp.map_or(Cell::Flag(false), |at| answer.cells[at].clone()));
        let mut links = [None; 3];
        for (link, at) in links.iter_mut().zip(&self.links) {
            *link = reference(self.cells.get(*at).map(|from| from.cell(answer)).as_ref());
        }
        MirrorRow { id: answer.id, body: serde_json::to_string(&cells).expect("cells are plain values"), links }
    }
}

impl From {
    fn cell(&self, answer: &Answer) -> Cell {
        match self {
            Self::Answer(at) => answer.cells[*at].clone(),
            Self::Filled(cell) => cell.clone(),
        }
    }
}

/// The stamp of a kept row, in seconds; None where it has none, or can not be read and has to be read again.
pub(super) fn kept_stamp(row: &MirrorRow) -> Option<i64> {
    let cells: Vec<Cell> = serde_json::from_str(&row.body).ok()?;
    stamp_of(cells.last()?).ok().flatten()
}

/// Seconds of a stamp; Ok(None) for an empty one.
pub(super) fn stamp_of(cell: &Cell) -> Result<Option<i64>, ()> {
    match cell {
        Cell::Flag(false) | Cell::Null => Ok(None),
        Cell::Text(text) => {
            let at: jiff::civil::DateTime = text.parse().map_err(|_| ())?;
            let at = at.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| ())?;
            Ok(Some(at.timestamp().as_second()))
        }
        _ => Err(()),
    }
}

/// The first values behind a kept row's cells; before the stamp, whatever came before them.
fn first_values(body: &str, count: usize) -> Vec<Cell> {
    let cells: Vec<Cell> = serde_json::from_str(body).unwrap_or_default();
    let end = cells.len().saturating_sub(1);
    if end < count { Vec::new() } else { cells[end - count..end].to_vec() }
}

fn is_empty(cell: &Cell) -> bool {
    matches!(cell, Cell::Flag(false) | Cell::Null)
}

/// The id in a reference: a bare one, or one with a name. A list of two ids is none.
fn reference(cell: Option<&Cell>) -> Option<i64> {
    match cell? {
        Cell::List(cells) if !matches!(cells.get(1), Some(Cell::Text(_))) => None,
        cell => cell.id(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::streams::Field;
    use super::*;

    const fn field(name: &'static str, absent: Absent, costs: &'static str) -> Field {
        Field { name, renamed: None, absent, costs }
    }

    static STREAM: Stream = Stream {
        model: "purchase.order.line",
        fields: &[
            field("id", Absent::Never, ""),
            field("order_id", Absent::Never, ""),
            Field { renamed: Some((Version::V19, "product_uom_id")), ..field("product_uom", Absent::Empty, "units") },
            field("date_planned", Absent::Empty, "promises"),
            field("gone", Absent::Zero, ""),
        ],
        links: &["order_id", "product_uom"],
        extent: Extent::Documents,
        only: &[],
        either: &[],
        dated_by: "",
        open: &[],
        detail: &[],
        costs: "what is ordered",
        versions: Version::V17..=Version::V19,
        first_seen: &["date_planned"],
    };

    fn schema(names: &[&str], version: Version, without: &[&str]) -> Result<Schema, Gap> {
        let info = FieldInfo { kind: String::new(), stored: true, searchable: true };
        let fields = names.iter().map(|name| ((*name).to_owned(), info.clone())).collect();
        let without = without.iter().map(|name| ((*name).to_owned(), "refused".to_owned())).collect();
        Schema::new(&STREAM, version, &fields, &without)
    }

    const ALL: [&str; 5] = ["id", "order_id", "product_uom", "date_planned", "write_date"];

    fn text(text: &str) -> Cell {
        Cell::Text(text.into())
    }

    #[test]
    fn a_row_stands_in_the_streams_order_whatever_the_server_calls_its_fields() {
        let schema = schema(&["id", "order_id", "product_uom_id", "date_planned", "write_date"], Version::V19, &[]).unwrap();
        assert_eq!(schema.asked, ["order_id", "product_uom_id", "date_planned", "write_date"]);
        assert_eq!(schema.gaps, [], "what nothing needs is no gap");
        let stamp = "2026-10-01 08:00:00";
        let cells = vec![
            Cell::Number(7.0),
            Cell::Number(3.0),
            Cell::List(vec![Cell::Number(1.0), text("Units")]),
            text("x"),
            text(stamp),
        ];
        let answer = schema.answer(cells).unwrap();
        assert_eq!(answer.stamp, Some("2026-10-01T08:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second()));
        let row = schema.keep(&answer, None, true);
        assert_eq!(row.body, r#"[7,3,[1,"Units"],"x",0,"x","2026-10-01 08:00:00"]"#);
        assert_eq!(row.links, [Some(3), Some(1), None]);
        assert_eq!(kept_stamp(&row), answer.stamp);
    }

    #[test]
    fn the_first_value_seen_stays() {
        let schema = schema(&ALL, Version::V18, &[]).unwrap();
        let row = |planned: Cell, known: Option<&MirrorRow>| {
            let cells = vec![Cell::Number(7.0), Cell::Number(3.0), Cell::Flag(false), planned, Cell::Flag(false)];
            schema.keep(&schema.answer(cells).unwrap(), known, true)
        };
        let empty = row(Cell::Flag(false), None);
        let first = row(text("monday"), Some(&empty));
        let later = row(text("friday"), Some(&first));
        assert_eq!(later.body, r#"[7,3,false,"friday",0,"monday",false]"#);
        assert_eq!(row(Cell::Flag(false), Some(&later)).body, r#"[7,3,false,false,0,"monday",false]"#);
    }

    #[test]
    fn what_is_missing_is_a_gap_and_without_what_is_needed_nothing_is_read() {
        let schema = schema(&ALL, Version::V18, &["product_uom"]).unwrap();
        assert_eq!(
            schema.gaps,
            [Gap { what: "purchase.order.line.product_uom".into(), why: "refused".into(), costs: "units".into() }]
        );
        assert_eq!(schema.optional(&STREAM), ["date_planned"]);
        let gap = super::tests::schema(&["id", "write_date"], Version::V18, &[]).unwrap_err();
        assert_eq!((gap.what.as_str(), gap.costs.as_str()), ("purchase.order.line.order_id", "what is ordered"));
    }

    #[test]
    fn an_answer_that_is_no_row_is_told() {
        let schema = schema(&ALL, Version::V18, &[]).unwrap();
        let cells = |id: Cell, stamp: Cell| vec![id, Cell::Number(3.0), Cell::Flag(false), Cell::Flag(false), stamp];
        assert!(schema.answer(vec![Cell::Number(1.0)]).unwrap_err().contains("1 cells instead of 5"));
        assert!(schema.answer(cells(Cell::Flag(false), Cell::Flag(false))).unwrap_err().contains("id is false"));
        assert!(schema.answer(cells(Cell::Number(1.0), text("soon"))).unwrap_err().contains("write_date of row 1"));
        assert_eq!(
            schema.answer(cells(Cell::Number(1.0), text("2026-10-01 08:00:00.25"))).unwrap().stamp,
            Some(1_790_841_600)
        );
    }

    #[test]
    fn a_list_of_two_ids_is_no_reference() {
        assert_eq!(reference(Some(&Cell::List(vec![Cell::Number(1.0), Cell::Number(2.0)]))), None);
        assert_eq!(reference(Some(&Cell::Number(4.0))), Some(4));
        assert_eq!(reference(Some(&Cell::Flag(false))), None);
    }
}
