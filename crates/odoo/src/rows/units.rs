//! Units of measure, and how they convert.
//!
//! Up to Odoo 18 a unit's `factor` says how many of it make one reference unit of its category (a dozen: 1/12). From 19 on
//! there are no categories: `factor` says how many reference units it holds (a dozen: 12), and units convert where they lead
//! back to the same one by `relative_uom_id`.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::Rows;
use super::care::RowError;
use super::row::{Model, Row};
use crate::rows::cell::Cell;

pub(super) static UOM: Model =
    Model { name: "uom.uom", needs: &["id", "name", "category_id", "factor"], optional: &["relative_uom_id"] };

/// Beyond this no two units of one kind of goods are apart.
const RATIO_MAX: f64 = 1e9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Odoo's category.
    Category(i64),
    /// The unit that it is made of.
    MadeOf(i64),
}

#[derive(Debug)]
struct Unit {
    name: String,
    kind: Kind,
    /// How many of this unit make one reference unit.
    factor: f64,
}

/// All units.
#[derive(Debug, Default)]
pub(super) struct Units(BTreeMap<i64, Unit>);

impl Units {
    /// Reads them.
    pub(super) fn read<R: Rows>(rows: &mut R) -> Result<Self, R::Error> {
        let mut units = BTreeMap::new();
        rows.each(&UOM, |row| {
            let factor = row.number("factor")?;
            // A factor of zero converts everything into nothing.
            if factor <= 0.0 {
                return Err(row.wrong("factor", "a factor above zero", &Cell::Number(factor), "correct the unit in Odoo"));
            }
            let id = row.id()?;
            // Up to 18 units share a category, and the factor says how many make its reference; from 19 on each is made of
            // another one.
            let (kind, factor) = match (row.link("category_id")?, row.link("relative_uom_id")?) {
                (Some(category), _) => (Kind::Category(category), factor),
                (None, Some(parent)) => (Kind::MadeOf(parent), factor.recip()),
                (None, None) => (Kind::MadeOf(id), factor.recip()),
            };
            units.insert(id, Unit { name: row.text("name")?, kind, factor });
            Ok(())
        })?;
        Ok(Self(units))
    }

    /// Is there a unit with this id?
    pub(super) fn has(&self, id: i64) -> bool {
        self.0.contains_key(&id)
    }

    /// A unit's name; empty where it is unknown.
    pub(super) fn name(&self, id: i64) -> &str {
        self.0.get(&id).map_or("", |unit| &unit.name)
    }

    /// The unit that a row names. It must be known.
    pub(super) fn named(&self, row: &Row, field: &'static str) -> Result<i64, RowError> {
        let id = row.must_link(field)?;
        if self.has(id) { Ok(id) } else { Err(row.dangling(field, "uom.uom")) }
    }

    /// How many of the unit `to` one of the unit `from` is; None where they do not convert.
    ///
    /// Odoo's conversion: quantity ÷ `from.factor` × `to.factor`. Rounded where 1/12 of a float shows its error.
    pub(super) fn ratio(&self, from: i64, to: i64) -> Option<Decimal> {
        if from == to {
            return Some(Decimal::ONE);
        }
        if self.root(from)? != self.root(to)? {
            return None;
        }
        let ratio = self.0.get(&to)?.factor / self.0.get(&from)?.factor;
        if !(RATIO_MAX.recip()..=RATIO_MAX).contains(&ratio) {
            return None;
        }
        Decimal::from_f64(ratio).map(|ratio| ratio.round_dp(9).normalize()).filter(|ratio| !ratio.is_zero())
    }

    /// As [`Units::ratio`], or what is wrong with the row's unit.
    pub(super) fn ratio_of(&self, row: &Row, field: &'static str, to: i64) -> Result<Decimal, RowError> {
        let from = self.named(row, field)?;
        self.ratio(from, to).ok_or_else(|| {
            let expected = format!("a unit that converts to the product's stock unit `{}`", self.name(to));
            let found = Cell::Text(self.name(from).to_owned());
            let remedy = "correct the unit in Odoo and record the model again";
            RowError { target: Some("uom.uom"), ..row.wrong(field, expected, &found, remedy) }
        })
    }

    /// What a unit leads back to.
    fn root(&self, id: i64) -> Option<Kind> {
        let mut at = id;
        // A chain that bites its tail would never end.
        for _ in 0..=self.0.len() {
            match self.0.get(&at)?.kind {
                Kind::MadeOf(parent) if parent != at => at = parent,
                kind => return Some(kind),
            }
        }
        None
    }
}
