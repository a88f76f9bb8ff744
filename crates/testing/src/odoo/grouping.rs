//! `read_group` and, from 19 on, `formatted_read_group`: sums by references, days, months.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Version;
use super::calls::Args;
use super::cell::{Cell, DAY, Kind, SECOND, civil_of, date_text, days_of, parse_date, time_text, write_json};
use super::domain::{Light, RowRef};
use super::fail::Fail;
use super::schema::FieldDef;
use super::search::{Plan, compare_cells};
use super::state::{State, Table};

/// What rows are grouped by.
struct Key {
    /// As it was asked for: `date:day`.
    asked: String,
    field: FieldDef,
    place: Option<usize>,
    span: Option<Span>,
}

/// A stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// What is answered of a group.
struct Sum {
    /// The name in the answer.
    shown: String,
    place: Option<usize>,
    kind: Kind,
    how: How,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
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
enum Part {
    /// An id, a day, a place in the list of texts. Empty ones come last, as in PostgreSQL.
    Value(i64),
    Empty,
}

#[derive(Default)]
struct Group {
    count: u64,
    sums: Vec<Total>,
}

#[derive(Clone, Default)]
struct Total {
    sum: f64,
    count: u64,
    low: Option<Cell>,
    high: Option<Cell>,
    seen: Option<Vec<i64>>,
}

struct Grouped<'a> {
    state: &'a State,
    keys: Vec<Key>,
    sums: Vec<Sum>,
    texts: Vec<Arc<str>>,
    groups: Vec<(Vec<Part>, Group)>,
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
    fn new(
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
                let rank = value(*part).map_or(i64::MAX, |value| ranks[at][&value] as i64);
                if falls[at] { -rank } else { rank }
            };
            parts.iter().enumerate().map(rank).collect::<Vec<i64>>()
        });
    }

    /// The begin and the end of a stretch of time in UTC, as the field writes times.
    fn range(&self, key: &Key, begin: i64) -> (String, String) {
        let end = end_of(key.span.unwrap_or(Span::Day), begin);
        if key.field.kind == Kind::Date {
            return (date_text(begin / DAY), date_text(end / DAY));
        }
        (time_text(to_utc(&self.zone, begin)), time_text(to_utc(&self.zone, end)))
    }

    /// The terms that a group's key adds to the domain.
    fn term(&self, key: &Key, part: Part) -> Value {
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

    fn write_sums(&self, out: &mut Vec<u8>, group: &Group) {
        for (sum, total) in self.sums.iter().zip(&group.sums) {
            out.extend_from_slice(b", ");
            write_json(out, &sum.shown);
            out.extend_from_slice(b": ");
            total.cell(sum, group.count).write(out);
        }
    }

    fn write_key(&self, out: &mut Vec<u8>, key: &Key, part: Part) {
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

/// Microseconds by which a zone is ahead of UTC at a time.
fn offset(zone: &TimeZone, at: i64) -> i64 {
    let at = jiff::Timestamp::from_microsecond(at).expect("a row's time is in range");
    i64::from(zone.to_offset(at).seconds()) * SECOND
}

/// The UTC time at which a local time is.
fn to_utc(zone: &TimeZone, local: i64) -> i64 {
    let first = local - offset(zone, local);
    local - offset(zone, first)
}

fn begin_of(span: Span, local: i64) -> i64 {
    let days = local.div_euclid(DAY);
    let (year, month, _) = civil_of(days);
    match span {
        Span::Hour => local.div_euclid(3600 * SECOND) * 3600 * SECOND,
        Span::Day => days * DAY,
        Span::Week => (days - (days + 3).rem_euclid(7)) * DAY,
        Span::Month => days_of(year, month, 1) * DAY,
        Span::Quarter => days_of(year, (month - 1) / 3 * 3 + 1, 1) * DAY,
        Span::Year => days_of(year, 1, 1) * DAY,
    }
}

fn end_of(span: Span, begin: i64) -> i64 {
    let (year, month, _) = civil_of(begin.div_euclid(DAY));
    let months = |count: i64| {
        let month = month - 1 + count;
        days_of(year + month / 12, month % 12 + 1, 1) * DAY
    };
    match span {
        Span::Hour => begin + 3600 * SECOND,
        Span::Day => begin + DAY,
        Span::Week => begin + 7 * DAY,
        Span::Month => months(1),
        Span::Quarter => months(3),
        Span::Year => months(12),
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What people are shown of a stretch of time, in English.
fn label(span: Span, begin: i64) -> String {
    let days = begin.div_euclid(DAY);
    let (year, month, day) = civil_of(days);
    let name = MONTHS[(month - 1) as usize];
    match span {
        Span::Hour => format!("{:02}:00 {day:02} {}", begin.rem_euclid(DAY) / (3600 * SECOND), &name[..3]),
        Span::Day => format!("{day:02} {} {year}", &name[..3]),
        Span::Week => {
            let (iso_year, _, _) = civil_of(days + 3);
            let week = (days + 3 - days_of(iso_year, 1, 1)) / 7 + 1;
            format!("W{week} {iso_year}")
        }
        Span::Month => format!("{name} {year}"),
        Span::Quarter => format!("Q{} {year}", (month - 1) / 3 + 1),
        Span::Year => year.to_string(),
    }
}

/// A domain with its `&`s written out, without the brackets around it.
fn normal(domain: &Value) -> Vec<u8> {
    let items = domain.as_array().map(Vec::as_slice).unwrap_or_default();
    let leaves = items.iter().filter(|item| item.is_array()).count();
    let operators = items.iter().filter(|item| matches!(item.as_str(), Some("&" | "|"))).count();
    let mut all = vec![json!("&"); leaves.saturating_sub(operators + 1)];
    all.extend(items.iter().cloned());
    let text = Value::Array(all).to_string();
    text.as_bytes()[1..text.len() - 1].to_vec()
}

/// Appends `a and b and …` in prefix notation, as `expression.AND` puts domains together.
fn write_joined(out: &mut Vec<u8>, domains: &[&[u8]]) {
    let count = domains.iter().filter(|domain| !domain.is_empty()).count();
    out.push(b'[');
    for _ in 1..count {
        out.extend_from_slice(b"\"&\", ");
    }
    for (nth, domain) in domains.iter().filter(|domain| !domain.is_empty()).enumerate() {
        if nth > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(domain);
    }
    out.push(b']');
}

/// What an answer says of one value of one key; many groups share it.
struct Piece {
    /// The value as `read_group` and as `formatted_read_group` show it.
    plain: Vec<u8>,
    formatted: Vec<u8>,
    term: Vec<u8>,
    range: Vec<u8>,
}

impl Grouped<'_> {
    fn piece(&self, key: &Key, part: Part) -> Piece {
        let (mut plain, mut formatted, mut range) = (Vec::new(), Vec::new(), b"false".to_vec());
        if let (Some(span), Part::Value(begin)) = (key.span, part) {
            let (from, to) = self.range(key, begin);
            write_json(&mut plain, &label(span, begin));
            write_json(&mut formatted, &json!([from, label(span, begin)]));
            range = json!({"from": from, "to": to}).to_string().into_bytes();
        } else {
            self.write_key(&mut plain, key, part);
            formatted.clone_from(&plain);
        }
        Piece { plain, formatted, term: normal(&self.term(key, part)), range }
    }

    /// The pieces of every value of every key.
    fn pieces(&self) -> Vec<HashMap<Part, Piece>> {
        let of_key = |(at, key): (usize, &Key)| {
            let mut pieces = HashMap::new();
            for (parts, _) in &self.groups {
                pieces.entry(parts[at]).or_insert_with(|| self.piece(key, parts[at]));
            }
            pieces
        };
        self.keys.iter().enumerate().map(of_key).collect()
    }
}

/// `read_group`, lazy or not.
pub(super) fn read_group(state: &State, model: &str, args: &Args, light: &Light) -> Result<Vec<u8>, Fail> {
    let lazy = args.named.get("lazy") != Some(&Value::Bool(false));
    let mut by = match args.named.get("groupby") {
        Some(Value::String(one)) => vec![one.clone()],
        _ => args.texts("groupby"),
    };
    let rest = if lazy && by.len() > 1 { by.split_off(1) } else { Vec::new() };
    let mut sums = args.texts("fields");
    sums.retain(|name| !by.contains(name) && name != "__count");
    let grouped = Grouped::new(state, model, args, light, &by, (&sums, false))?;
    let domain = normal(&args.domain());
    let pieces = grouped.pieces();
    let count = match by.first() {
        Some(first) if lazy => format!("{}_count", first.split(':').next().unwrap_or_default()),
        _ => "__count".to_owned(),
    };
    let mut out = vec![b'['];
    for (nth, (parts, group)) in grouped.groups.iter().enumerate() {
        out.extend_from_slice(if nth > 0 { b", {" } else { b"{" });
        let pieces: Vec<&Piece> = pieces.iter().zip(parts).map(|(pieces, part)| &pieces[part]).collect();
        for (key, piece) in grouped.keys.iter().zip(&pieces) {
            write_json(&mut out, &key.asked);
            out.extend_from_slice(b": ");
            out.extend_from_slice(&piece.plain);
            out.extend_from_slice(b", ");
        }
        write_json(&mut out, &count);
        out.extend_from_slice(format!(": {}", group.count).as_bytes());
        grouped.write_sums(&mut out, group);
        let mut domains: Vec<&[u8]> = vec![&domain];
        domains.extend(pieces.iter().map(|piece| &*piece.term));
        out.extend_from_slice(b", \"__domain\": ");
        write_joined(&mut out, &domains);
        let spans = grouped.keys.iter().zip(&pieces).filter(|(key, _)| key.span.is_some());
        for (nth, (key, piece)) in spans.clone().enumerate() {
            out.extend_from_slice(if nth > 0 { b", " } else { b", \"__range\": {" });
            write_json(&mut out, &key.asked);
            out.extend_from_slice(b": ");
            out.extend_from_slice(&piece.range);
        }
        if spans.count() > 0 {
            out.push(b'}');
        }
        if lazy && !rest.is_empty() {
            out.extend_from_slice(b", \"__context\": ");
            write_json(&mut out, &json!({"group_by": rest}));
        }
        out.push(b'}');
    }
    out.push(b']');
    Ok(out)
}

/// `formatted_read_group`: a group's values, what it adds to the domain, its sums.
pub(super) fn formatted_read_group(state: &State, model: &str, args: &Args, light: &Light) -> Result<Vec<u8>, Fail> {
    debug_assert_eq!(state.version, Version::V19, "older servers do not know the method");
    let grouped = Grouped::new(state, model, args, light, &args.texts("groupby"), (&args.texts("aggregates"), true))?;
    let pieces = grouped.pieces();
    let mut out = vec![b'['];
    for (nth, (parts, group)) in grouped.groups.iter().enumerate() {
        out.extend_from_slice(if nth > 0 { b", {" } else { b"{" });
        let pieces: Vec<&Piece> = pieces.iter().zip(parts).map(|(pieces, part)| &pieces[part]).collect();
        for (key, piece) in grouped.keys.iter().zip(&pieces) {
            write_json(&mut out, &key.asked);
            out.extend_from_slice(b": ");
            out.extend_from_slice(&piece.formatted);
            out.extend_from_slice(b", ");
        }
        let mut domains: Vec<&[u8]> = pieces.iter().map(|piece| &*piece.term).collect();
        if domains.is_empty() {
            domains.push(b"[1, \"=\", 1]");
        }
        out.extend_from_slice(b"\"__extra_domain\": ");
        write_joined(&mut out, &domains);
        grouped.write_sums(&mut out, group);
        out.push(b'}');
    }
    out.push(b']');
    Ok(out)
}
