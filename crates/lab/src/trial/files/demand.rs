//! Demand by day as CSV: base files, folders of a trial, scores.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;

use super::table;
use crate::trial::TrialError;
use crate::trial::demand::{Event, EventKind, Scope, Trial};
use reeve_models::demand::panel::{Cell, Panel, SeriesKey};
use reeve_models::demand::review::Review;

/// Columns of demand by day.
const COLUMNS: &[&str] = &["date", "sku", "location", "units", "price", "promo", "holiday", "stockout_hours", "open"];

/// What is known of a trial's folder as a whole.
#[derive(Debug, Deserialize)]
struct Meta {
    eval_from: Date,
    #[serde(default)]
    ks: Vec<usize>,
}

/// Reads demand by day, plain or gzipped. A day that a series lacks is closed.
///
/// # Errors
/// A malformed line is named by file and number; so is a series that has a day twice.
pub fn read_demand(file: &Path) -> Result<Panel, TrialError> {
    read_panel(file, Cell::CLOSED)
}

/// Reads a base file. A day that a series lacks is an open day without sales.
///
/// # Errors
/// As [`read_demand`].
pub fn read_demand_base(file: &Path) -> Result<Panel, TrialError> {
    read_panel(file, Cell { open: true, ..Cell::CLOSED })
}

fn read_panel(file: &Path, lacking: Cell) -> Result<Panel, TrialError> {
    let mut numbers: BTreeMap<SeriesKey, usize> = BTreeMap::new();
    let mut rows: Vec<(usize, Date, Cell, u64)> = Vec::new();
    table::rows(file, COLUMNS, |row| {
        let key = SeriesKey { location: row.name(2)?.to_owned(), item: row.name(1)?.to_owned() };
        let next = numbers.len();
        let series = *numbers.entry(key).or_insert(next);
        let cell = Cell {
            units: row.amount(3)? as f32,
            price: row.amount(4)? as f32,
            promo: row.flag(5, false)?,
            holiday: row.flag(6, false)?,
            stockout_hours: row.amount(7)? as f32,
            open: row.flag(8, true)?,
        };
        rows.push((series, row.date(0)?, cell, row.line()));
        Ok(())
    })?;
    let mut days: Vec<Date> = rows.iter().map(|row| row.1).collect();
    days.sort_unstable();
    days.dedup();
    // Numbers were given by first appearance; the panel wants the keys' order.
    let keys: Vec<(SeriesKey, usize)> = numbers.into_iter().collect();
    let mut place = vec![0; keys.len()];
    for (at, (_, number)) in keys.iter().enumerate() {
        place[*number] = at;
    }
    let mut cells = vec![lacking; keys.len() * days.len()];
    let mut seen = vec![false; cells.len()];
    for (series, day, cell, line) in rows {
        let at = place[series] * days.len() + days.partition_point(|other| *other < day);
        if std::mem::replace(&mut seen[at], true) {
            let key = &keys[place[series]].0;
            let what = format!("{} at {} has {day} a second time; give each day of a series once", key.item, key.location);
            return Err(TrialError::Line { file: file.to_owned(), line, what });
        }
        cells[at] = cell;
    }
    let wrong =
        |error: reeve_models::demand::panel::PanelError| TrialError::File { file: file.to_owned(), what: error.to_string() };
    Panel::new(days, keys.into_iter().map(|(key, _)| key).collect(), cells).map_err(wrong)
}

/// A folder's demand without its truth: the panel, and the index of the first day to score.
///
/// # Errors
/// As [`read_demand`]; also when `meta.json` does not name a day of the panel in `eval_from`.
pub fn read_demand_folder(folder: &Path) -> Result<(Panel, usize), TrialError> {
    let panel = read_demand(&folder.join("demand.csv"))?;
    let (from, _) = read_meta(folder, &panel)?;
    Ok((panel, from))
}

fn read_meta(folder: &Path, panel: &Panel) -> Result<(usize, Vec<usize>), TrialError> {
    let file = folder.join("meta.json");
    let meta: Meta = super::read_json(&file)?;
    let from = panel.days().partition_point(|day| *day < meta.eval_from);
    if from == panel.days().len() {
        let what = format!("eval_from is {}, but demand.csv ends before", meta.eval_from);
        return Err(TrialError::File { file, what });
    }
    Ok((from, meta.ks))
}

/// A folder with its truth, for measuring.
///
/// # Errors
/// As [`read_demand_folder`], and for a truth that names series, days or kinds that are not there.
pub fn read_demand_trial(folder: &Path) -> Result<Trial, TrialError> {
    let panel = read_demand(&folder.join("demand.csv"))?;
    let (eval_from, ks) = read_meta(folder, &panel)?;
    let series: BTreeMap<(&str, &str), usize> =
        panel.keys().iter().enumerate().map(|(at, key)| ((key.location.as_str(), key.item.as_str()), at)).collect();
    let locations: BTreeMap<&str, usize> =
        panel.keys().iter().zip(panel.locations()).map(|(key, number)| (key.location.as_str(), *number)).collect();
    let columns = &["type", "sku", "location", "start", "end", "detect_until", "magnitude", "impact_units"];
    let mut events = Vec::new();
    table::rows(&folder.join("truth.csv"), columns, |row| {
        let name = row.name(0)?;
        let kind = EventKind::from_name(name).ok_or_else(|| {
            row.error(format!("type is {name:?}, but must be one of {}", EventKind::ALL.map(EventKind::name).join(", ")))
        })?;
        let day = |column| {
            let date = row.date(column)?;
            panel.days().binary_search(&date).map_err(|_| row.error(format!("{date} is no day of demand.csv")))
        };
        let (item, location) = (row.name(1)?, row.name(2)?);
        let scope = match (item, location) {
            ("*", "*") => Some(Scope::All),
            ("*", location) => locations.get(location).map(|number| Scope::Location(*number)),
            (item, location) => series.get(&(location, item)).map(|at| Scope::Series(*at)),
        };
        let scope = scope.ok_or_else(|| row.error(format!("{item} at {location} is not in demand.csv")))?;
        let (from, to, detect_until) = (day(3)?, day(4)?, day(5)?);
        if from > to || from > detect_until {
            return Err(row.error("start must not be after end or detect_until"));
        }
        events.push(Event { kind, scope, from, to, detect_until, magnitude: row.number(6)?, impact: row.amount(7)? });
        Ok(())
    })?;
    Ok(Trial { panel, eval_from, events, ks })
}

/// Reads scores of a trial's days: a matrix of series × days, NaN where a day has none.
///
/// # Errors
/// A malformed line. Series and days that the panel does not have are left out, as the protocol says.
pub fn read_demand_scores(file: &Path, panel: &Panel) -> Result<ndarray::Array2<f32>, TrialError> {
    let mut scores = ndarray::Array2::from_elem((panel.keys().len(), panel.days().len()), f32::NAN);
    table::rows(file, &["date", "sku", "location", "score"], |row| {
        let key = SeriesKey { location: row.name(2)?.to_owned(), item: row.name(1)?.to_owned() };
        let score = row.number(3)? as f32;
        if let (Ok(series), Ok(day)) = (panel.keys().binary_search(&key), panel.days().binary_search(&row.date(0)?)) {
            scores[[series, day]] = score;
        }
        Ok(())
    })?;
    Ok(scores)
}

/// Writes a review's alarms as `date,sku,location,score,probability,p,kind,drivers`, highest first; the days are those from
/// `from` on.
///
/// # Errors
/// Those of the writer.
pub fn write_demand_alarms(to: impl Write, panel: &Panel, from: usize, review: &Review) -> Result<(), std::io::Error> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(["date", "sku", "location", "score", "probability", "p", "kind", "drivers"])?;
    for reviewed in &review.alarms {
        let key = &panel.keys()[reviewed.alarm.series];
        let drivers: Vec<String> =
            reviewed.drivers.iter().map(|driver| format!("{} {:.2}", driver.feature, driver.value)).collect();
        writer.write_record([
            &panel.days()[from + reviewed.alarm.day].to_string(),
            &key.item,
            &key.location,
            &reviewed.alarm.score.to_string(),
            &reviewed.probability.map_or_else(String::new, |probability| format!("{probability:.4}")),
            &format!("{:.6}", reviewed.p),
            reviewed.kind.code(),
            &drivers.join("; "),
        ])?;
    }
    writer.flush()
}

/// Writes scores as `date,sku,location,score`, day after day from `from` on, each by location and item. `scores` has a row
/// for each series and a column for each day from `from` on; what is not finite is no score and has no line.
///
/// # Errors
/// Those of the writer.
pub fn write_demand_scores(
    to: impl Write,
    panel: &Panel,
    from: usize,
    scores: ndarray::ArrayView2<'_, f32>,
) -> Result<(), std::io::Error> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(["date", "sku", "location", "score"])?;
    for (day, column) in panel.days()[from..].iter().zip(scores.columns()) {
        let day = day.to_string();
        for (key, score) in panel.keys().iter().zip(column).filter(|(_, score)| score.is_finite()) {
            writer.write_record([&day, &key.item, &key.location, &score.to_string()])?;
        }
    }
    writer.flush()
}
