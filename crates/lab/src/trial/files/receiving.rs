//! Purchase orders as CSV: base files, folders of a trial, scores.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use super::table;
use crate::trial::TrialError;
use crate::trial::receiving::{BaseLine, Label, LineTruth, Trial};
use reeve_models::receiving::{Bill, LineScore, Notice, NoticeKind, PurchaseLine, Receipt, ReceivingKind, Records};

/// Reads a base file: lines of orders with the days on which they were promised and delivered, plain or gzipped.
///
/// # Errors
/// A malformed line is named by file and number.
pub fn read_receiving_base(file: &Path) -> Result<Vec<BaseLine>, TrialError> {
    let columns = &[
        "line",
        "po",
        "vendor",
        "sku",
        "location",
        "mode",
        "ordered",
        "promised",
        "delivered",
        "qty",
        "pack_size",
        "price",
    ];
    let mut lines = Vec::new();
    table::rows(file, columns, |row| {
        let promised = row.date(7)?;
        let line = PurchaseLine {
            line: row.name(0)?.to_owned(),
            po: row.text(1).to_owned(),
            vendor: row.name(2)?.to_owned(),
            item: row.name(3)?.to_owned(),
            location: row.text(4).to_owned(),
            mode: row.text(5).to_owned(),
            // Without a day of ordering there is no lead time, and the trial takes the vendor's usual one.
            ordered: row.date_or_none(6)?.unwrap_or(promised),
            promised,
            quantity: above_nought(row, 9)?,
            pack_size: row.amount(10)?,
            price: above_nought(row, 11)?,
        };
        lines.push(BaseLine { line, delivered: row.date(8)? });
        Ok(())
    })?;
    Ok(lines)
}

fn above_nought(row: &table::Row<'_>, column: usize) -> Result<f64, TrialError> {
    match row.number(column)? {
        number if number > 0.0 => Ok(number),
        number => Err(row.error(format!("quantity and price must be above 0, and one is {number}"))),
    }
}

/// A folder's records without its truth.
///
/// # Errors
/// A malformed line is named by file and number.
pub fn read_receiving_folder(folder: &Path) -> Result<Records, TrialError> {
    let mut records = Records::default();
    let columns =
        &["line", "po", "vendor", "sku", "location", "mode", "order_date", "promised_date", "qty", "pack_size", "price"];
    table::rows(&folder.join("po_lines.csv"), columns, |row| {
        records.lines.push(PurchaseLine {
            line: row.name(0)?.to_owned(),
            po: row.text(1).to_owned(),
            vendor: row.name(2)?.to_owned(),
            item: row.name(3)?.to_owned(),
            location: row.text(4).to_owned(),
            mode: row.text(5).to_owned(),
            ordered: row.date(6)?,
            promised: row.date(7)?,
            quantity: row.amount(8)?,
            pack_size: row.amount(9)?,
            price: row.amount(10)?,
        });
        Ok(())
    })?;
    table::rows(&folder.join("receipts.csv"), &["line", "date", "qty"], |row| {
        records.receipts.push(Receipt { line: row.name(0)?.to_owned(), date: row.date(1)?, quantity: row.amount(2)? });
        Ok(())
    })?;
    table::rows(&folder.join("bills.csv"), &["line", "date", "qty", "price"], |row| {
        let (quantity, price) = (row.amount(2)?, row.amount(3)?);
        records.bills.push(Bill { line: row.name(0)?.to_owned(), date: row.date(1)?, quantity, price });
        Ok(())
    })?;
    let columns = &["kind", "vendor", "location", "valid_from", "valid_to", "value"];
    table::rows(&folder.join("notices.csv"), columns, |row| {
        let kind = match row.text(0) {
            "price_change" => NoticeKind::PriceChange,
            "bonus" => NoticeKind::Bonus,
            "delay" => NoticeKind::Delay,
            other => return Err(row.error(format!("kind is {other:?}, but must be price_change, bonus or delay"))),
        };
        let whom = |text: &str| (text != "*" && !text.is_empty()).then(|| text.to_owned());
        let (vendor, location) = (whom(row.text(1)), whom(row.text(2)));
        records.notices.push(Notice {
            kind,
            vendor,
            location,
            line: None,
            from: row.date(3)?,
            to: row.date(4)?,
            value: row.number(5)?,
        });
        Ok(())
    })?;
    Ok(records)
}

/// A folder with its truth, for measuring.
///
/// # Errors
/// As [`read_receiving_folder`], and for a truth that names lines or kinds that are not there, or lacks a line.
pub fn read_receiving_trial(folder: &Path) -> Result<Trial, TrialError> {
    let records = read_receiving_folder(folder)?;
    let file = folder.join("truth.csv");
    let index: BTreeMap<&str, usize> = records.lines.iter().enumerate().map(|(at, line)| (line.line.as_str(), at)).collect();
    let mut truth: Vec<Option<LineTruth>> = vec![None; records.lines.len()];
    table::rows(&file, &["line", "eval", "label", "type", "magnitude", "impact", "notice"], |row| {
        let name = row.name(0)?;
        let at = *index.get(name).ok_or_else(|| row.error(format!("line {name} is not in po_lines.csv")))?;
        let kind = || {
            let name = row.text(3);
            let names = || ReceivingKind::ALL.map(ReceivingKind::name).join(", ");
            let unknown = || row.error(format!("type is {name:?}, but must be one of {}", names()));
            ReceivingKind::from_name(name).ok_or_else(unknown)
        };
        let label = match row.text(2) {
            "1" => Label::Exception(kind()?),
            "0" => Label::Ordinary,
            "-1" => Label::NotCounted,
            other => return Err(row.error(format!("label is {other:?}, but must be 1, 0 or -1"))),
        };
        truth[at] = Some(LineTruth {
            scored: row.flag(1, false)?,
            label,
            magnitude: row.number(4)?,
            impact: row.amount(5)?,
            notice: !row.text(6).is_empty(),
        });
        Ok(())
    })?;
    let lacking = truth.iter().position(Option::is_none);
    if let Some(at) = lacking {
        return Err(TrialError::File {
            file,
            what: format!("line {} of po_lines.csv is not in it", records.lines[at].line),
        });
    }
    Ok(Trial { records, truth: truth.into_iter().flatten().collect() })
}

/// Reads scores of lines, in the order of `records.lines`; NaN where a line has none. Lines that are not there are left out.
///
/// # Errors
/// A malformed line.
pub fn read_receiving_scores(file: &Path, records: &Records) -> Result<Vec<f64>, TrialError> {
    let mut scores = BTreeMap::new();
    table::rows(file, &["line", "score"], |row| {
        scores.entry(row.name(0)?.to_owned()).or_insert(row.number(1)?);
        Ok(())
    })?;
    Ok(records.lines.iter().map(|line| scores.get(&line.line).copied().unwrap_or(f64::NAN)).collect())
}

/// Writes `line,score,probability,kind,drivers`, in the order given. Drivers are names with their values, the strongest first,
/// separated by blanks; the kind is the likeliest one, whether or not the line is an exception.
///
/// # Errors
/// Those of the writer.
pub fn write_receiving_scores(to: impl Write, scores: &[LineScore]) -> Result<(), std::io::Error> {
    let mut writer = csv::Writer::from_writer(to);
    writer.write_record(["line", "score", "probability", "kind", "drivers"])?;
    for line in scores {
        let drivers: Vec<String> = line.drivers.iter().map(|(name, value)| format!("{name}={value:.4}")).collect();
        let (score, probability) = (line.score.to_string(), format!("{:.6}", line.probability));
        writer.write_record([line.line.as_str(), &score, &probability, line.kind.name(), &drivers.join(" ")])?;
    }
    writer.flush()
}
