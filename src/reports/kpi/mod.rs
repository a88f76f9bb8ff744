//! Figures of the work and of Reeve itself over a period (handbook §10), each with its formula, its basis and how many records
//! stand behind it.
//!
//! Pure functions over rows that were read once (`rows`) and the book; by group: `service`, `suppliers`, `decisions`,
//! `ranking`, `trust`, `model`. Where the records do not carry a figure, it says what is missing: no number is made up, and
//! none is shown without what it was counted from.

mod decisions;
mod figures;
mod handled;
mod model;
mod ranking;
mod rows;
mod service;
mod suppliers;
#[cfg(test)]
mod tests;
mod trust;

use jiff::civil::Date;
use serde::Serialize;

pub use self::figures::Figures;
pub use self::rows::{Rows, read};

use crate::config::Config;
use crate::domain::book::Book;
use crate::domain::calendar::plus_days;
use crate::domain::record::PurchaseLine;
use crate::rules::detect::gather::Overview;

/// Days of the period where none is asked for: four weeks, today included.
pub const USUAL_DAYS: i32 = 28;
/// With fewer records behind it a figure is shown, and marked as resting on few.
pub const FEW: usize = 10;

/// The days that are looked at, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl Period {
    /// From `from` to `to`; what is not given is the usual length, up to `today`.
    ///
    /// # Errors
    /// Says so when it ends before it begins.
    pub fn of(from: Option<Date>, to: Option<Date>, today: Date) -> anyhow::Result<Self> {
        let to = to.unwrap_or(today).min(today);
        let from = from.unwrap_or_else(|| plus_days(to, 1 - USUAL_DAYS));
        anyhow::ensure!(from <= to, "the period ends on {to}, before it begins on {from}");
        Ok(Self { from, to })
    }

    /// Is the day one of it?
    pub fn holds(self, day: Date) -> bool {
        self.from <= day && day <= self.to
    }
}

/// What a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// Stock and customers.
    Service,
    /// Those who deliver.
    Suppliers,
    /// What people decide, and what becomes of it.
    Decisions,
    /// Whether the right cases are shown.
    Ranking,
    /// Whether what is shown can be believed, and is read before it is signed.
    Trust,
    /// What the language model costs and how long things take.
    Model,
}

impl Group {
    /// Every group, in the order in which they are shown.
    pub const ALL: [Self; 6] = [Self::Service, Self::Suppliers, Self::Decisions, Self::Ranking, Self::Trust, Self::Model];

    /// The heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Service => "Stock and service",
            Self::Suppliers => "Suppliers",
            Self::Decisions => "Decisions and what became of them",
            Self::Ranking => "The right cases",
            Self::Trust => "Trust",
            Self::Model => "Cost and speed",
        }
    }
}

/// In what a figure is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// From 0 to 1, shown in percent.
    Share,
    /// In the company's currency.
    Money,
    /// Working or elapsed hours; the formula says which.
    Hours,
    /// Elapsed seconds.
    Seconds,
    /// Calendar days.
    Days,
    /// A number without a unit.
    Number,
    /// Pieces.
    Count,
}

/// What a figure is: constant, beside its function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Definition {
    pub id: &'static str,
    pub group: Group,
    pub name: &'static str,
    pub formula: &'static str,
    pub unit: Unit,
}

/// One figure, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Kpi {
    /// Its name in metrics and JSON.
    pub id: &'static str,
    /// What it is about.
    pub group: Group,
    /// Its name for people.
    pub name: &'static str,
    /// How it is computed.
    pub formula: &'static str,
    /// In what it is counted.
    pub unit: Unit,
    /// The figure; None where the records do not carry it.
    pub value: Option<f64>,
    /// How many records stand behind it.
    pub n: usize,
    /// Which records, or what is missing.
    pub basis: String,
    /// The same by supplier, type, detector or bin, where that tells more.
    pub parts: Vec<Part>,
}

/// A figure of a part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// Of what.
    pub name: String,
    /// The figure.
    pub value: f64,
    /// How many records stand behind it.
    pub n: usize,
}

impl Definition {
    /// The figure from `n` records; without any there is none.
    fn of(self, value: Option<f64>, n: usize, basis: impl Into<String>) -> Kpi {
        let Self { id, group, name, formula, unit } = self;
        let value = value.filter(|v| v.is_finite() && n > 0);
        let basis = basis.into();
        let basis = if value.is_some() { basis } else { format!("not enough data: {basis}") };
        Kpi { id, group, name, formula, unit, value, n, basis, parts: Vec::new() }
    }

    /// A part of a whole; without a whole there is no figure.
    fn share(self, part: usize, whole: usize, basis: impl Into<String>) -> Kpi {
        self.of((whole > 0).then(|| part as f64 / whole as f64), whole, basis)
    }

    /// No figure, and why.
    fn without(self, missing: impl Into<String>) -> Kpi {
        self.of(None, 0, missing)
    }
}

impl Kpi {
    fn with_parts(mut self, parts: Vec<Part>) -> Self {
        self.parts = parts;
        self
    }

    /// Does it rest on few records?
    pub fn is_thin(&self) -> bool {
        self.value.is_some() && self.n < FEW
    }

    /// The figure as people read it.
    pub fn shown(&self) -> String {
        self.value.map_or_else(|| "–".to_owned(), |value| self.unit.show(value))
    }
}

impl Unit {
    /// A value in this unit as people read it.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Share => format!("{:.1} %", value * 100.0),
            Self::Money => crate::domain::money::Money::from_f64(value).to_string(),
            Self::Hours => format!("{value:.1} h"),
            Self::Seconds => format!("{value:.0} s"),
            Self::Days => format!("{value:.1} d"),
            Self::Number => format!("{value:.3}"),
            Self::Count => format!("{value:.0}"),
        }
    }
}

/// Figures that are read together, so that none can be made to look good alone (handbook §10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// Why.
    pub why: &'static str,
    /// Their ids.
    pub ids: &'static [&'static str],
}

/// The pairs of the handbook.
pub const PAIRS: &[Pair] = &[
    Pair {
        why: "A high acceptance is worth something only if what was accepted paid off, and was read before it was signed.",
        ids: &["acceptance_rate", "realised_value", "rubber_stamp_share", "drill_acceptance"],
    },
    Pair { why: "Little noise is worth something only if not much is missed.", ids: &["alert_noise", "recall_estimated"] },
];

/// Every figure of a period.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The days.
    pub period: Period,
    /// Whose figures they are.
    pub scope: String,
    /// ISO code of all amounts.
    pub currency: String,
    /// The figures, by group.
    pub kpis: Vec<Kpi>,
    /// What to read together.
    pub pairs: Vec<Pair>,
}

impl Report {
    /// The figure of this id.
    pub fn find(&self, id: &str) -> Option<&Kpi> {
        self.kpis.iter().find(|kpi| kpi.id == id)
    }
}

/// How punctual the order lines of one supplier were, by the same formulas as the figures of all.
pub fn supplier_figures(book: &Book, config: &Config, period: Period, lines: &[&PurchaseLine]) -> Vec<Kpi> {
    suppliers::of_lines(book, config, period, lines.iter().copied())
}

/// Computes every figure.
/// `book` has the sales of all items.
pub fn report(rows: &Rows, book: &Book, overview: &Overview, config: &Config, period: Period) -> Report {
    let mut kpis = service::all(book, overview, rows, config, period);
    kpis.extend(suppliers::all(book, config, period));
    kpis.extend(decisions::all(rows, config, period));
    kpis.extend(ranking::all(rows, config, period));
    kpis.extend(trust::all(rows, period));
    kpis.extend(model::all(rows, config, period));
    Report {
        period,
        scope: "everything that this store holds".to_owned(),
        currency: config.rules.money.currency.clone(),
        kpis,
        pairs: PAIRS.to_vec(),
    }
}
