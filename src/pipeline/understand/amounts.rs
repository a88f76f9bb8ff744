//! Quantities and prices in the sender's unit → in the item's stock unit.
//!
//! A measure converts by itself. A package converts by what it holds: by the barcode that was given, by how the order was
//! placed, by how the supplier sells and how we keep the item, or by the sender's own word. Where none of these tells it, it is
//! not known; it is never taken as one.

use rust_decimal::Decimal;

use crate::domain::event::Fault;
use crate::domain::event::wire::Amount;
use crate::domain::money::{Quantity, UnitPrice};
use crate::domain::packs::Pack;
use crate::domain::record::Item;
use crate::domain::text::clean;
use crate::domain::units::{Container, Dimension, Measure, container, container_named, measure};

/// Largest quantity of a line, in stock units; larger ones are slips of the hand.
const QUANTITY_MAX: i64 = 10_000_000;
/// Largest price or amount, in whole currency units.
pub(super) const AMOUNT_MAX: i64 = 1_000_000_000;
/// Most decimals of a quantity, as they are kept.
const DECIMALS: u32 = 4;
/// Pieces are counted to a hundredth (Odoo's default); less is nothing.
const PIECES_MIN: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// How many stock units one of the sender's units is, as a fraction: a third of a dozen is no decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ratio {
    many: Decimal,
    of: Decimal,
}

impl Ratio {
    pub(super) const ONE: Self = Self { many: Decimal::ONE, of: Decimal::ONE };

    fn whole(many: Decimal) -> Self {
        Self { many, of: Decimal::ONE }
    }

    /// A quantity in stock units.
    ///
    /// # Errors
    /// It is more than can be, or less than can be counted.
    pub(super) fn quantity(self, path: &str, amount: Amount, stock_unit: &str) -> Result<Quantity, Fault> {
        let given = within(path, amount.0, QUANTITY_MAX)?;
        let exact = given.checked_mul(self.many).and_then(|n| n.checked_div(self.of));
        let stock = within(path, exact.unwrap_or(Decimal::MAX), QUANTITY_MAX)?.round_dp(DECIMALS).normalize();
        let pieces = measure(stock_unit).is_none_or(|m| m.dimension == Dimension::Count);
        // Rounded away it would read as none: none received, none billed.
        if !given.is_zero() && (stock.is_zero() || (pieces && stock < PIECES_MIN)) {
            return Err(Fault::wrong(path, &format!("{given} is less than can be counted in {stock_unit}")));
        }
        Ok(Quantity(stock))
    }

    /// The price of a stock unit.
    ///
    /// # Errors
    /// It is more than can be, or below zero.
    pub(super) fn price(self, path: &str, amount: Amount) -> Result<UnitPrice, Fault> {
        let given = within(path, amount.0, AMOUNT_MAX)?;
        let exact = given.checked_mul(self.of).and_then(|n| n.checked_div(self.many)).unwrap_or(Decimal::MAX);
        Ok(UnitPrice(within(path, exact, AMOUNT_MAX)?.round_dp(6).normalize()))
    }
}

/// What is known of an item's units.
pub(super) struct Ways<'a> {
    pub(super) item: &'a Item,
    /// The package whose barcode was given; it holds nothing where that is not known.
    pub(super) coded: Option<&'a Pack>,
    /// What the sender says one package holds.
    pub(super) told: Option<Amount>,
    /// In what the order's lines of the item were placed.
    pub(super) ordered: Vec<&'a Pack>,
    /// In what the supplier sells it and we keep it.
    pub(super) listed: Vec<&'a Pack>,
}

impl Ways<'_> {
    /// How many stock units one of the sender's unit is; none: the stock unit, or the package whose barcode was given.
    ///
    /// # Errors
    /// Says what is not known, or what contradicts what.
    pub(super) fn ratio(&self, path: &str, unit: Option<&str>) -> Result<Ratio, Fault> {
        let unit = unit.map(str::trim).filter(|unit| !unit.is_empty());
        let told = self.told.map(|t| within(&format!("{path}.pack_qty"), t.0, QUANTITY_MAX)).transpose()?;
        let told = told.filter(|t| !t.is_zero());
        let at = format!("{path}.unit");
        let stock = self.item.unit.as_str();
        let Some(unit) = unit else {
            return match (self.coded, told) {
                (Some(pack), _) => self.holds(&at, "package of its gtin", Some(pack.qty.0), told),
                // Five, of which one holds twelve: five or sixty?
                (None, Some(told)) if told != Decimal::ONE => {
                    Err(Fault::wrong(&at, &format!("missing; pack_qty is {told}, so say what qty counts")))
                }
                (None, _) => Ok(Ratio::ONE),
            };
        };
        if let Some(pack) = self.coded {
            // A package's code with pieces as its unit: five pieces, or five packages?
            if same(unit, stock) || measure(unit).is_some_and(|m| m.dimension == Dimension::Count) {
                let says =
                    format!("says {}, but its gtin is of a package ({}): say which qty counts", clean(unit, 20), pack.name);
                return Err(Fault::wrong(&at, &says));
            }
            return self.holds(&at, &clean(unit, 20), Some(pack.qty.0).filter(|q| !q.is_zero()).or(told), told);
        }
        if same(unit, stock) {
            return Ok(Ratio::ONE);
        }
        // A unit that is called as one of our packages is that package. Two of one name and of different sizes settle
        // nothing.
        let mut named: Vec<Decimal> = self.packs().filter(|p| same(unit, &p.name)).map(|p| p.qty.0).collect();
        named.dedup();
        if let [one] = named.as_slice() {
            return self.holds(&at, &clean(unit, 20), Some(*one), told);
        }
        match (measure(unit), container(unit)) {
            (Some(from), _) => match converted(from, stock) {
                Some(ratio) => Ok(ratio),
                None => self.holds(&at, &clean(unit, 20), None, told),
            },
            (None, Some(sort)) => {
                let known = self.package(&at, unit, sort, told)?;
                self.holds(&at, &clean(unit, 20), known, told)
            }
            (None, None) => told.map(Ratio::whole).ok_or_else(|| {
                let unit = clean(unit, 20);
                Fault::missing(
                    &at,
                    &format!("{unit} is no unit that is known; use a code of UN/ECE Recommendation 20, or say pack_qty"),
                )
            }),
        }
    }

    fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.ordered.iter().chain(&self.listed).copied()
    }

    /// What a sort of package holds, as far as it is known: as it was ordered, else as it is listed.
    fn package(&self, at: &str, unit: &str, sort: Container, told: Option<Decimal>) -> Result<Option<Decimal>, Fault> {
        for packs in [&self.ordered, &self.listed] {
            let fitting = |of: &dyn Fn(Option<Container>) -> bool| {
                let packs = packs.iter().filter(|p| measure(&p.name).is_none() && of(container_named(&p.name)));
                let mut sizes: Vec<Decimal> = packs.map(|p| p.qty.0).collect();
                sizes.sort();
                sizes.dedup();
                sizes
            };
            let named = fitting(&|named| named == Some(sort));
            // A package whose name says nothing of its sort may be any but a pallet.
            let sizes = if named.is_empty() { fitting(&|named| named.is_none() && !sort.is_pallet()) } else { named };
            match (sizes.as_slice(), told) {
                ([], _) => {}
                ([one], _) => return Ok(Some(*one)),
                (several, Some(told)) if several.contains(&told) => return Ok(Some(told)),
                (several, _) => {
                    let shown: Vec<String> =
                        several.iter().map(|s| format!("{} {}", s.normalize(), self.item.unit)).collect();
                    return Err(Fault::ambiguous(at, "one", unit, &shown, "its gtin or pack_qty"));
                }
            }
        }
        // The stock unit is that package itself: goods that are kept by the box.
        Ok((container_named(&self.item.unit) == Some(sort)).then_some(Decimal::ONE))
    }

    /// What is known of a package, against what the sender says of it.
    fn holds(&self, at: &str, unit: &str, known: Option<Decimal>, told: Option<Decimal>) -> Result<Ratio, Fault> {
        match (known.filter(|k| !k.is_zero()), told) {
            (Some(known), Some(told)) if known != told => Err(Fault::wrong(
                at,
                &format!("one {unit} holds {} {} here, but pack_qty says {told}", known.normalize(), self.item.unit),
            )),
            (Some(many), _) | (None, Some(many)) => Ok(Ratio::whole(many)),
            (None, None) => {
                let packs: Vec<String> = self.packs().map(|p| format!("{} of {}", clean(&p.name, 30), p.qty)).collect();
                let packs = if packs.is_empty() { "no packages".to_owned() } else { packs.join(", ") };
                let label = self.item.label();
                Err(Fault::missing(
                    at,
                    &format!(
                        "how many {} of {label} one {unit} is, is not known (it has {packs}); note its packaging or say pack_qty",
                        self.item.unit
                    ),
                ))
            }
        }
    }
}

/// A measure in the stock unit. What is kept in a word that is no measure (bottles) is counted; what is kept in packages of
/// several (`Pack of 6`) is not, as a piece of it may be either.
fn converted(from: Measure, stock: &str) -> Option<Ratio> {
    match measure(stock) {
        Some(to) if to.dimension == from.dimension => Some(Ratio { many: from.size, of: to.size }),
        None if from.dimension == Dimension::Count && !stock.chars().any(char::is_numeric) => Some(Ratio::whole(from.size)),
        _ => None,
    }
}

fn same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

/// An amount of zero or more, up to `max`.
pub(super) fn within(path: &str, amount: Decimal, max: i64) -> Result<Decimal, Fault> {
    if amount.is_sign_negative() && !amount.is_zero() {
        return Err(Fault::wrong(path, &format!("{amount} is below zero")));
    }
    if amount > Decimal::from(max) {
        let amount = if amount == Decimal::MAX { "it".to_owned() } else { amount.to_string() };
        return Err(Fault::wrong(path, &format!("{amount} is beyond {max}, the most that is believed")));
    }
    Ok(amount.normalize())
}
