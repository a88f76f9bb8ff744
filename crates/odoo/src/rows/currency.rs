//! Amounts in the configured currency.
//!
//! A recording is of one company, in one currency: amounts in another are missing values. A live server has rates: an
//! amount is converted at its document's date, by the newest rate of that day or before; without one it is missing.
//!
//! Odoo's `rate` says how many units of a currency one unit of the company's currency is, for one company or for all. A
//! currency's rate of the company goes before one of all; branches use those of the company above them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::Rows;
use super::care::{Care, RowError};
use super::row::{Model, Row};
use crate::rows::cell::Cell;

pub(super) static CURRENCY: Model = Model { name: "res.currency", needs: &["id", "name"], optional: &[] };
pub(super) static COMPANY: Model =
    Model { name: "res.company", needs: &["id", "currency_id"], optional: &["parent_id", "name"] };
pub(super) static RATE: Model =
    Model { name: "res.currency.rate", needs: &["id", "name", "currency_id", "rate"], optional: &["company_id"] };

/// Beyond this a rate is no rate.
const FACTOR_MAX: f64 = 1e7;

/// Which amounts can be told, and how.
#[derive(Debug)]
pub(crate) enum Currencies {
    /// Only those in this currency, as they are.
    Only(i64),
    /// Those for which there are rates.
    Rates(Rates),
}

/// Rates of all companies that are read.
#[derive(Debug)]
pub(crate) struct Rates {
    /// The configured currency, where the server knows it.
    target: Option<i64>,
    /// Currency and company above, by company.
    companies: BTreeMap<i64, (i64, Option<i64>)>,
    names: BTreeMap<i64, String>,
    /// The company of rows that name none.
    home: Option<i64>,
    /// By currency and company (None: all), then by day.
    by_day: BTreeMap<(i64, Option<i64>), BTreeMap<Date, f64>>,
}

impl Rates {
    /// Reads currencies, companies and rates; `configured` is an ISO 4217 code, `home` the company of rows without one.
    pub(crate) fn read<R: Rows>(rows: &mut R, configured: &str, home: Option<i64>) -> Result<Self, R::Error> {
        let mut all =
            Self { target: None, companies: BTreeMap::new(), names: BTreeMap::new(), home, by_day: BTreeMap::new() };
        rows.each(&CURRENCY, |row| {
            if row.text("name")? == configured {
                all.target = Some(row.id()?);
            }
            Ok(())
        })?;
        rows.each(&COMPANY, |row| {
            all.companies.insert(row.id()?, (row.must_link("currency_id")?, row.link("parent_id")?));
            all.names.insert(row.id()?, row.text("name")?);
            Ok(())
        })?;
        // Rows of no company go by the first there is, which in Odoo is the main one.
        if home.is_none() {
            all.home = all.companies.keys().next().copied();
        }
        rows.each(&RATE, |row| {
            let day = row
                .date_opt("name")?
                .ok_or_else(|| row.wrong("name", "a day as `YYYY-MM-DD`", &Cell::Flag(false), "correct the rate in Odoo"))?;
            let rate = row.number("rate")?;
            // A rate of zero would turn every amount into nothing, or divide by it.
            if rate <= 0.0 {
                return Err(row.wrong("rate", "a rate above zero", &Cell::Number(rate), "correct the rate in Odoo"));
            }
            let key = (row.must_link("currency_id")?, row.link("company_id")?);
            all.by_day.entry(key).or_default().insert(day, rate);
            Ok(())
        })?;
        Ok(all)
    }

    /// By what an amount of `currency` in a document of `company` is multiplied; None without a rate.
    fn factor(&self, currency: Option<i64>, company: Option<i64>, on: Date) -> Option<Decimal> {
        let target = self.target?;
        let company = company.or(self.home);
        let own = company.and_then(|id| self.companies.get(&id)).map(|(currency, _)| *currency);
        let currency = currency.or(own)?;
        if currency == target {
            return Some(Decimal::ONE);
        }
        let factor = self.rate(target, own, company, on)? / self.rate(currency, own, company, on)?;
        if !(FACTOR_MAX.recip()..=FACTOR_MAX).contains(&factor) {
            return None;
        }
        Decimal::from_f64(factor)
    }

    fn rate(&self, currency: i64, own: Option<i64>, company: Option<i64>, on: Date) -> Option<f64> {
        let newest = |company| Some(*self.by_day.get(&(currency, company))?.range(..=on).next_back()?.1);
        let mut at = company;
        for _ in 0..=self.companies.len() {
            let Some(id) = at else { break };
            if let Some(rate) = newest(Some(id)) {
                return Some(rate);
            }
            at = self.companies.get(&id).and_then(|(_, parent)| *parent);
        }
        newest(None).or_else(|| (own == Some(currency)).then_some(1.0))
    }
}

impl Currencies {
    /// By what an amount in the currency that the row names (none: the company's) is multiplied on a day (None: at the newest
    /// rate). None where it can not be converted.
    pub(super) fn factor(
        &self,
        row: &Row,
        field: &'static str,
        on: Option<Date>,
        care: &Care,
    ) -> Result<Option<Decimal>, RowError> {
        match self {
            Self::Only(currency) => Ok((row.must_link(field)? == *currency).then_some(Decimal::ONE)),
            Self::Rates(rates) => {
                let currency = row.link(field)?;
                let factor = rates.factor(currency, row.company(), on.unwrap_or(Date::MAX));
                if factor.is_none() {
                    care.pass_over(no_rate(row, field, currency));
                }
                Ok(factor)
            }
        }
    }

    /// The currency that the row names, where it is not the configured one.
    pub(super) fn foreign(&self, row: &Row, field: &'static str) -> Result<Option<i64>, RowError> {
        match self {
            Self::Only(_) => Ok(None),
            Self::Rates(rates) => Ok(row.link(field)?.filter(|currency| Some(*currency) != rates.target)),
        }
    }

    /// By what an amount in the currency of a company is multiplied, at the newest rate. `company` is the row's; None: the one
    /// of rows that name none.
    pub(super) fn company_factor(&self, row: &Row, company: Option<i64>, care: &Care) -> Option<Decimal> {
        match self {
            Self::Only(_) => Some(Decimal::ONE),
            Self::Rates(rates) => {
                let factor = rates.factor(None, company, Date::MAX);
                if factor.is_none() {
                    care.pass_over(no_rate(row, "id", None));
                }
                factor
            }
        }
    }

    /// The company in whose currency a product that belongs to all has its list price: Odoo's main one, the first. Its cost is
    /// each company's own.
    pub(super) fn main_company(&self) -> Option<i64> {
        match self {
            Self::Only(_) => None,
            Self::Rates(rates) => rates.companies.keys().next().copied(),
        }
    }

    /// The company of rows that name none.
    pub(super) fn home(&self) -> Option<i64> {
        match self {
            Self::Only(_) => None,
            Self::Rates(rates) => rates.home,
        }
    }

    /// The name of the company that a row belongs to; empty where it is not told.
    pub(super) fn company_name(&self, row: &Row) -> String {
        let named = match self {
            Self::Only(_) => None,
            Self::Rates(rates) => row.company().and_then(|company| rates.names.get(&company)).cloned(),
        };
        named.filter(|name| !name.is_empty()).unwrap_or_else(|| row.link_name("company_id"))
    }
}

/// The model in whose rates a currency was missing.
pub(crate) const RATES: &str = "res.currency.rate";

fn no_rate(row: &Row, field: &'static str, currency: Option<i64>) -> RowError {
    let found = Cell::Number(currency.map_or(0.0, |id| id as f64));
    let expected = "a currency with a rate to the configured one at the document's date";
    RowError { target: Some(RATES), ..row.wrong(field, expected, &found, "enter the rate in Odoo, or set `money.currency`") }
}
