//! Rows put into groups, and what is reckoned of each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::spans::{Span, begin_of, end_of, offset, to_utc};
use crate::odoo::calls::Args;
use crate::odoo::cell::{Cell, DAY, Kind, SECOND, date_text, parse_date, time_text, write_json};
use crate::odoo::domain::{Light, RowRef};
use crate::odoo::fail::Fail;
use crate::odoo::schema::FieldDef;
use crate::odoo::search::{Plan, compare_cells};
use crate::odoo::state::{State, Table};

/// What rows are grouped by.
pub(super) struct Key {
    /// As it was asked for: `date:day`.
    pub(super) asked: String,
    field: FieldDef,
    place: Option<usize>,
    pub(super) span: Option<Span>,
}

/// What is answered of a group.
pub(super) struct Sum {
    /// The name in the answer.
    shown: String,
    place: Option<usize>,
    kind: Kind,
    how: How,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    CountDistinct,
    /// `__count`.
    Rows,
}

impl How {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "sum" => Self::Sum,
            "avg" => Self::Avg,
            "min" => Self::Min,
            "max" => Self::Max,
            "count" => Self::Count,
            "count_distinct" => Self::CountDistinct,
            _ => return None,
        })
    }
}

/// The value of a key in a group, small enough to be compared often. Text is kept aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    /// An id, a day, a place in the list of texts. Empty ones come last, as in PostgreSQL.
    Value(i64),
    Empty,
}

#[derive(Default)]
pub(super) struct Group {
    pub(super) count: u64,
    sums: Vec<Total>,
}

#[derive(Clone, Default)]
pub(super) struct Total {
    sum: f64,
    count: u64,
    low: Option<Cell>,
    high: Option<Cell>,
    seen: Option<Vec<i64>>,
}

pub(super) struct Grouped<'a> {
    state: &'a State,
    pub(super) keys: Vec<Key>,
    sums: Vec<Sum>,
    texts: Vec<Arc<str>>,
    pub(super) groups: Vec<(Vec<Part>, Group)>,
    zone: TimeZone,
}

fn field<'a>(state: &'a State, model: &str, name: &str) -> Result<&'a FieldDef, Fail> {
    let found = state.schema[model].fields.get(name);
    let found = found.ok_or_else(|| Fail::value(format!("Invalid field '{name}' on model '{model}'")))?;
    if !found.store {
        return Err(Fail::value(format!("Cannot convert {model}.{name} to SQL because it is not stored")));
    }
    Ok(found)
}

fn key(state: &State, model: &str, table: Option<&Table>, asked: &str) -> Result<Key, Fail> {
    let (name, span) = asked.split_once(':').map_or((asked, None), |(name, span)| (name, Some(span)));
    let field = field(state, model, name)?.clone();
    let dated = matches!(field.kind, Kind::Date | Kind::Datetime);
    let span = match span {
        None if dated => Some(Span::Month),
        None => None,
        Some("hour") => Some(Span::Hour),
        Some("day") => Some(Span::Day),
        Some("week") => Some(Span::Week),
        Some("month") => Some(Span::Month),
        Some("quarter") => Some(Span::Quarter),
        Some("year") => Some(Span::Year),
        Some(other) => return Err(Fail::value(format!("Error when processing read_group parameter {asked}: {other}"))),
    };
    Ok(Key { asked: asked.to_owned(), place: table.and_then(|table| table.place(name)), field, span })
}

/// `quantity:sum`, `quantity`, `total:sum(quantity)`.
fn sum(state: &State, model: &str, table: Option<&Table>, asked: &str, full_name: bool) -> Result<Option<Sum>, Fail> {
    if asked == "__count" {
        return Ok(Some(Sum { shown: asked.to_owned(), place: None, kind: Kind::Integer, how: How::Rows }));
    }
    let (name, how) = asked.split_once(':').map_or((asked, None), |(name, how)| (name, Some(how)));
    let (shown, name, how) = match how.and_then(|how| how.strip_suffix(')')?.split_once('(')) {
        Some((how, of)) => (name, of, Some(how)),
        None => (name, name, how),
    };
    let field =
        field(state, model, name).map_err(|fail| Fail { message: format!("{} for '{asked}'.", fail.message), ..fail })?;
    let how = match how {
        None if matches!(field.kind, Kind::Integer | Kind::Float) && name != "id" => How::Sum,
        None => return Ok(None),
        Some(how) => How::of(how).ok_or_else(|| Fail::value(format!("Invalid aggregate method '{how}' for '{asked}'.")))?,
    };
    let shown = if full_name { asked } else { shown };
    Ok(Some(Sum { shown: shown.to_owned(), place: table.and_then(|table| table.place(name)), kind: field.kind, how }))
}

impl<'a> Grouped<'a> {
    pub(super) fn new(
        state: &'a State,
        model: &'a str,
        args: &Args,
        light: &Light,
        by: &[String],
        (sums, full): (&[String], bool),
    ) -> Result<Self, Fail> {
        let table = state.tables.get(model);
        let keys = by.iter().map(|asked| key(state, model, table, asked)).collect::<Result<Vec<_>, _>>()?;
        let sums = sums.iter().map(|asked| sum(state, model, table, asked, full));
        let sums = sums.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        // A zone that does not exist is taken for UTC without a word.
        let zone = args.context.get("tz").and_then(Value::as_str).and_then(|name| TimeZone::get(name).ok());
        let zone = zone.unwrap_or(TimeZone::UTC);
        let mut grouped = Self { state, keys, sums, texts: Vec::new(), groups: Vec::new(), zone };
        if let Some(plan) = Plan::new(state, model, &args.domain(), Some("id"), (0, None), light)? {
            grouped.collect(&plan);
        }
        grouped.sort(args);
        // A page of groups, of which all have to be known before they are in order.
        let (offset, limit) = args.page()?;
        let limit = limit.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        grouped.groups = std::mem::take(&mut grouped.groups).into_iter().skip(offset).take(limit).collect();
        Ok(grouped)
    }

    fn collect(&mut self, plan: &Plan<'a>) {
        let mut found: HashMap<Vec<Part>, Group> = HashMap::new();
        let mut places: BTreeMap<Arc<str>, i64> = BTreeMap::new();
        // A zone's days are looked up once: its offset is asked for by the hour.
        let mut offsets: HashMap<i64, i64> = HashMap::new();
        let mut parts = Vec::new();
        plan.each(|row| {
            parts.clear();
            for key in &self.keys {
                let cell = key.place.map_or(Cell::False, |place| row.cell(plan.table(), place).into_owned());
                let part = match (cell, key.span) {
                    (Cell::Time(at), Some(span)) => {
                        let offset = if self.zone == TimeZone::UTC {
                            0
                        } else {
                            let hour = at.div_euclid(3600 * SECOND);
                            *offsets.entry(hour).or_insert_with(|| offset(&self.zone, at))
                        };
                        Part::Value(begin_of(span, at + offset))
                    }
                    (Cell::Text(day), Some(span)) => {
                        parse_date(&day).map_or(Part::Empty, |days| Part::Value(begin_of(span, days * DAY)))
                    }
                    (Cell::Int(id), _) => Part::Value(id),
                    (Cell::True, _) => Part::Value(1),
                    (Cell::False, _) if key.field.kind == Kind::Boolean => Part::Value(0),
                    (Cell::Text(text), _) => {
                        // Texts are numbered as they come, so that a key is made of numbers alone.
                        let next = places.len() as i64;
                        let place = *places.entry(text.clone()).or_insert(next);
                        if place == next {
                            self.texts.push(text);
                        }
                        Part::Value(place)
                    }
                    _ => Part::Empty,
                };
                parts.push(part);
            }
            let group = match found.get_mut(&parts) {
                Some(group) => group,
                None => {
                    found.entry(parts.clone()).or_insert(Group { count: 0, sums: vec![Total::default(); self.sums.len()] })
                }
            };
            group.count += 1;
            for (sum, total) in self.sums.iter().zip(&mut group.sums) {
                total.add(sum, row, plan.table());
            }
            true
        });
        // Without keys there is one group, however few rows there are.
        if self.keys.is_empty() && found.is_empty() {
            found.insert(Vec::new(), Group { count: 0, sums: vec![Total::default(); self.sums.len()] });
        }
        self.groups = found.into_iter().collect();
    }

    /// In the order of the keys: references by name, times by time; `orderby` may turn one around.
    fn sort(&mut self, args: &Args) {
        let asked = args.named.get("orderby").or_else(|| args.named.get("order")).and_then(Value::as_str).unwrap_or("");
        let falling: Vec<&str> = asked.split(',').filter_map(|part| part.trim().strip_suffix(" desc")).collect();
        let falls: Vec<bool> = self.keys.iter().map(|key| falling.contains(&key.asked.as_str())).collect();
        let mut ranks: Vec<HashMap<i64, usize>> = Vec::new();
        for (at, key) in self.keys.iter().enumerate() {
            let mut values: Vec<i64> = self.groups.iter().filter_map(|(parts, _)| value(parts[at])).collect();
            values.sort_unstable();
            values.dedup();
            match (key.field.kind, key.field.relation.as_deref()) {
                (Kind::Many2one, Some(relation)) => {
                    values.sort_by_cached_key(|id| (self.state.display_name(relation, *id), *id));
                }
                (Kind::Text, _) => values.sort_by_key(|place| self.texts[*place as usize].clone()),
                _ => {}
            }
            ranks.push(values.into_iter().enumerate().map(|(rank, value)| (value, rank)).collect());
        }
        self.groups.sort_by_cached_key(|(parts, _)| {
            let rank = |(at, part): (usize, &Part)| {
                // What is empty comes last, and first where the order is turned around, as in PostgreSQL.
                let rank = value(*part).map_or(i64::MAX, |value| ranks[at][&value] as i64);
                if falls[at] { -rank } else { rank }
            };
            parts.iter().enumerate().map(rank).collect::<Vec<i64>>()
        });
    }

    /// The begin and the end of a stretch of time in UTC, as the field writes times.
    pub(super) fn range(&self, key: &Key, begin: i64) -> (String, String) {
        let end = end_of(key.span.unwrap_or(Span::Day), begin);
        if key.field.kind == Kind::Date {
            return (date_text(begin / DAY), date_text(end / DAY));
        }
        (time_text(to_utc(&self.zone, begin)), time_text(to_utc(&self.zone, end)))
    }

    /// The terms that a group's key adds to the domain.
    pub(super) fn term(&self, key: &Key, part: Part) -> Value {
        let name = &key.field.name;
        match (part, key.span) {
            (Part::Empty, _) => json!([[name, "=", false]]),
            (Part::Value(begin), Some(_)) => {
                let (from, to) = self.range(key, begin);
                json!(["&", [name, ">=", from], [name, "<", to]])
            }
            (Part::Value(value), None) => match key.field.kind {
                Kind::Boolean => json!([[name, "=", value != 0]]),
                Kind::Text => json!([[name, "=", &*self.texts[value as usize]]]),
                _ => json!([[name, "=", value]]),
            },
        }
    }

    pub(super) fn write_sums(&self, out: &mut Vec<u8>, group: &Group) {
        for (sum, total) in self.sums.iter().zip(&group.sums) {
            out.extend_from_slice(b", ");
            write_json(out, &sum.shown);
            out.extend_from_slice(b": ");
            total.cell(sum, group.count).write(out);
        }
    }

    pub(super) fn write_key(&self, out: &mut Vec<u8>, key: &Key, part: Part) {
        match (part, key.field.kind) {
            (Part::Empty, _) => out.extend_from_slice(b"false"),
            (Part::Value(id), Kind::Many2one) => {
                let relation = key.field.relation.as_deref().unwrap_or_default();
                write_json(out, &json!([id, &*self.state.display_name(relation, id)]));
            }
            (Part::Value(value), Kind::Boolean) => write_json(out, &(value != 0)),
            (Part::Value(place), Kind::Text) => write_json(out, &*self.texts[place as usize]),
            (Part::Value(value), _) => write_json(out, &value),
        }
    }
}

impl Total {
    fn add(&mut self, sum: &Sum, row: RowRef<'_>, table: &Table) {
        let Some(place) = sum.place else { return };
        let cell = row.cell(table, place);
        // NULLs do not count; a number is never NULL here.
        if *cell == Cell::False && sum.kind != Kind::Boolean {
            return;
        }
        self.count += 1;
        self.sum += cell.number().unwrap_or(0.0);
        match sum.how {
            How::Min if self.low.as_ref().is_none_or(|low| compare_cells(&cell, low).is_lt()) => {
                self.low = Some(cell.into_owned());
            }
            How::Max if self.high.as_ref().is_none_or(|high| compare_cells(&cell, high).is_gt()) => {
                self.high = Some(cell.into_owned());
            }
            How::CountDistinct => {
                let seen = self.seen.get_or_insert_default();
                if let Some(id) = cell.int()
                    && let Err(at) = seen.binary_search(&id)
                {
                    seen.insert(at, id);
                }
            }
            _ => {}
        }
    }

    fn cell(&self, sum: &Sum, rows: u64) -> Cell {
        match sum.how {
            How::Rows => Cell::Int(rows as i64),
            How::Sum if sum.kind == Kind::Integer => Cell::Int(self.sum as i64),
            How::Sum => Cell::Float(self.sum),
            How::Avg => Cell::Float(self.sum / self.count.max(1) as f64),
            How::Count => Cell::Int(self.count as i64),
            How::CountDistinct => Cell::Int(self.seen.as_ref().map_or(0, Vec::len) as i64),
            How::Min => self.low.clone().unwrap_or(Cell::False),
            How::Max => self.high.clone().unwrap_or(Cell::False),
        }
    }
}

fn value(part: Part) -> Option<i64> {
    match part {
        Part::Value(value) => Some(value),
        Part::Empty => None,
    }
}
