//! What everything else refers to: company, units, categories, products. Gives out the items.
//!
//! Visibility of an item: version 1 at the product's `create_date`; a new version whenever its cost changes by a cent or
//! more, or when it is delisted. Products that are not storable (services, discounts of a loyalty programme) are known, so
//! that rows naming them are understood, but are no items: they can not run out.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::error::RecordingError;
use super::feed::Feed;
use super::reader::Reader;
use super::row::{Cell, Model, Row};
use crate::domain::ids::ItemId;
use crate::domain::money::UnitPrice;
use crate::domain::record::{Item, Record};

static COMPANY: Model = Model { name: "res.company", needs: &["id", "currency_id"] };
static UOM: Model = Model { name: "uom.uom", needs: &["id", "name", "category_id", "factor"] };
static CATEGORY: Model = Model { name: "product.category", needs: &["id", "complete_name", "parent_path"] };
static TEMPLATE: Model = Model {
    name: "product.template",
    needs: &[
        "id",
        "name",
        "categ_id",
        "uom_id",
        "uom_po_id",
        "list_price",
        "sale_ok",
        "is_storable",
        "active",
        "create_date",
        "write_date",
    ],
};
static PRODUCT: Model = Model {
    name: "product.product",
    needs: &["id", "product_tmpl_id", "default_code", "standard_price", "active", "create_date", "write_date"],
};
static LAYER: Model =
    Model { name: "stock.valuation.layer", needs: &["id", "product_id", "quantity", "value", "create_date"] };

struct Unit {
    name: String,
    category: i64,
    /// How many of this unit make one reference unit (Odoo's `factor`).
    factor: f64,
}

struct Template {
    name: String,
    category: i64,
    unit: i64,
    purchase_unit: i64,
    list_price: Decimal,
    storable: bool,
    /// From when it is not for sale; None while it is.
    delisted_at: Option<Timestamp>,
}

/// A product as other rows need it.
#[derive(Debug)]
pub(super) struct Product {
    /// The item's id.
    pub(super) item: ItemId,
    /// Its category.
    pub(super) category: i64,
    /// Its list price.
    pub(super) list_price: Decimal,
    /// Is stock kept of it?
    pub(super) stocked: bool,
    unit: i64,
    purchase_unit: i64,
}

/// Everything that other rows refer to.
pub(super) struct Catalog {
    currency: i64,
    units: BTreeMap<i64, Unit>,
    products: BTreeMap<i64, Product>,
    templates: BTreeMap<i64, Vec<i64>>,
    category_paths: BTreeMap<i64, String>,
}

impl Catalog {
    /// Reads the catalogue and puts its items on the feed.
    pub(super) fn read(reader: &mut Reader<'_>, currency: &str, feed: &mut Feed) -> Result<Self, RecordingError> {
        let currency = read_currency(reader, currency)?;
        let mut units = BTreeMap::new();
        reader.rows(&UOM, |row| {
            let factor = row.number("factor")?;
            if factor <= 0.0 {
                return Err(row.wrong("factor", "a factor above zero", &Cell::Number(factor), "correct the unit in Odoo"));
            }
            let unit = Unit { name: row.text("name")?, category: row.must_link("category_id")?, factor };
            units.insert(row.id()?, unit);
            Ok(())
        })?;
        let mut categories = BTreeMap::new();
        let mut category_paths = BTreeMap::new();
        reader.rows(&CATEGORY, |row| {
            categories.insert(row.id()?, row.text("complete_name")?);
            category_paths.insert(row.id()?, row.text("parent_path")?);
            Ok(())
        })?;
        let templates = read_templates(reader, &units, &categories)?;
        let mut catalog = Self { currency, units, products: BTreeMap::new(), templates: BTreeMap::new(), category_paths };
        let mut histories = BTreeMap::new();
        reader.rows(&PRODUCT, |row| {
            let (id, template_id) = (row.id()?, row.must_link("product_tmpl_id")?);
            let template = templates.get(&template_id).ok_or_else(|| row.dangling("product_tmpl_id", "product.template"))?;
            catalog.templates.entry(template_id).or_default().push(id);
            let product = Product {
                item: ItemId::new(id.to_string()),
                category: template.category,
                list_price: template.list_price,
                stocked: template.storable,
                unit: template.unit,
                purchase_unit: template.purchase_unit,
            };
            if template.storable {
                histories.insert(id, History::new(&row, template, &catalog.units, &categories)?);
            }
            catalog.products.insert(id, product);
            Ok(())
        })?;
        read_costs(reader, &catalog, &mut histories)?;
        for history in histories.into_values() {
            history.tell(feed);
        }
        Ok(catalog)
    }

    /// The product a row names, stocked or not. It must be recorded.
    pub(super) fn product(&self, row: &Row, field: &'static str) -> Result<&Product, RecordingError> {
        self.products.get(&row.must_link(field)?).ok_or_else(|| row.dangling(field, "product.product"))
    }

    /// The product with this id.
    pub(super) fn by_id(&self, id: i64) -> Option<&Product> {
        self.products.get(&id)
    }

    /// All products, by id.
    pub(super) fn products(&self) -> impl Iterator<Item = &Product> {
        self.products.values()
    }

    /// All product ids.
    pub(super) fn ids(&self) -> impl Iterator<Item = i64> {
        self.products.keys().copied()
    }

    /// The variants of the template a row names. It must be recorded.
    pub(super) fn variants(&self, row: &Row, field: &'static str) -> Result<Vec<&Product>, RecordingError> {
        let ids = self.templates.get(&row.must_link(field)?).ok_or_else(|| row.dangling(field, "product.template"))?;
        Ok(ids.iter().filter_map(|id| self.products.get(id)).collect())
    }

    /// Is the product in this category or below it?
    pub(super) fn is_in_category(&self, product: &Product, category: i64) -> bool {
        let wanted = category.to_string();
        self.category_paths.get(&product.category).is_some_and(|path| path.split('/').any(|step| step == wanted))
    }

    /// Is the row in the company's currency? Other currencies are not converted: their amounts are missing values.
    pub(super) fn is_company_currency(&self, row: &Row, field: &'static str) -> Result<bool, RecordingError> {
        Ok(row.must_link(field)? == self.currency)
    }

    /// How many of the product's stock units one of the row's units is.
    pub(super) fn stock_units(&self, row: &Row, field: &'static str, product: &Product) -> Result<Decimal, RecordingError> {
        let from = self.units.get(&row.must_link(field)?).ok_or_else(|| row.dangling(field, "uom.uom"))?;
        let to = &self.units[&product.unit];
        if from.category != to.category {
            let expected = format!("a unit that converts to the product's stock unit `{}`", to.name);
            let found = Cell::Text(from.name.clone());
            return Err(row.wrong(field, expected, &found, "correct the unit in Odoo and record the model again"));
        }
        Ok(ratio(from, to))
    }

    /// How many stock units a purchase unit of the product is.
    pub(super) fn purchase_unit(&self, product: &Product) -> Decimal {
        ratio(&self.units[&product.purchase_unit], &self.units[&product.unit])
    }
}

/// Odoo's conversion: quantity ÷ `from.factor` × `to.factor`. Rounded where 1/12 of a float shows its error.
fn ratio(from: &Unit, to: &Unit) -> Decimal {
    let ratio = Decimal::from_f64(to.factor / from.factor).unwrap_or(Decimal::ONE).round_dp(9).normalize();
    if ratio.is_zero() { Decimal::ONE } else { ratio }
}

/// The company's currency must be the configured one: amounts are never mixed.
fn read_currency(reader: &mut Reader<'_>, configured: &str) -> Result<i64, RecordingError> {
    let mut currency = None;
    reader.rows(&COMPANY, |row| {
        let (id, name) = (row.must_link("currency_id")?, row.link_name("currency_id"));
        if name != configured {
            let configured = configured.to_owned();
            return Err(RecordingError::Currency { file: COMPANY.file(), found: name, configured });
        }
        currency = Some(id);
        Ok(())
    })?;
    currency.ok_or_else(|| RecordingError::Header { file: COMPANY.file(), detail: "it holds no company".to_owned() })
}

fn read_templates(
    reader: &mut Reader<'_>,
    units: &BTreeMap<i64, Unit>,
    categories: &BTreeMap<i64, String>,
) -> Result<BTreeMap<i64, Template>, RecordingError> {
    let mut templates = BTreeMap::new();
    reader.rows(&TEMPLATE, |row| {
        let known_unit = |field| {
            let id = row.must_link(field)?;
            if units.contains_key(&id) { Ok(id) } else { Err(row.dangling(field, "uom.uom")) }
        };
        let (unit, purchase_unit) = (known_unit("uom_id")?, known_unit("uom_po_id")?);
        if units[&unit].category != units[&purchase_unit].category {
            let expected = format!("a unit that converts to the stock unit `{}`", units[&unit].name);
            let found = Cell::Text(units[&purchase_unit].name.clone());
            return Err(row.wrong("uom_po_id", expected, &found, "correct the unit in Odoo and record the model again"));
        }
        let category = row.must_link("categ_id")?;
        let storable = row.flag("is_storable")?;
        // Only an item shows its category; what else is sold may stand in one that was not recorded.
        if storable && !categories.contains_key(&category) {
            return Err(row.dangling("categ_id", "product.category"));
        }
        // The recording knows only today's flag. The template's last change is the earliest time at which it surely was
        // down; a template that was never changed since it was made never was for sale.
        let sellable = row.flag("sale_ok")? && row.flag("active")?;
        let template = Template {
            name: row.text("name")?,
            category,
            unit,
            purchase_unit,
            list_price: row.price("list_price")?,
            storable,
            delisted_at: if sellable { None } else { Some(row.time("write_date")?) },
        };
        templates.insert(row.id()?, template);
        Ok(())
    })?;
    Ok(templates)
}

/// An item over time.
struct History {
    created_at: Timestamp,
    /// The item at its creation, without a cost.
    item: Item,
    delisted_at: Option<Timestamp>,
    standard_price: Decimal,
    /// When each valuation layer came: quantity, value.
    layers: BTreeMap<Timestamp, (Decimal, Decimal)>,
}

impl History {
    fn new(
        row: &Row,
        template: &Template,
        units: &BTreeMap<i64, Unit>,
        categories: &BTreeMap<i64, String>,
    ) -> Result<Self, RecordingError> {
        let archived_at = if row.flag("active")? { None } else { Some(row.time("write_date")?) };
        let item = Item {
            id: ItemId::new(row.id()?.to_string()),
            sku: row.text("default_code")?,
            name: template.name.clone(),
            category: categories[&template.category].clone(),
            unit: units[&template.unit].name.clone(),
            cost: None,
            list_price: some_price(template.list_price),
            sellable: true,
            delisted_at: None,
        };
        Ok(Self {
            created_at: row.time("create_date")?,
            item,
            delisted_at: template.delisted_at.or(archived_at),
            standard_price: row.price("standard_price")?,
            layers: BTreeMap::new(),
        })
    }

    /// Puts the versions on the feed: at creation, then whenever cost or sellability changed.
    fn tell(self, feed: &mut Feed) {
        // The product's own cost field holds today's average: telling it earlier would be hindsight, unless nothing was
        // ever valued and it can only be what somebody typed.
        let (mut quantity, mut value) = (Decimal::ZERO, Decimal::ZERO);
        let mut cost = if self.layers.is_empty() { Some(self.standard_price) } else { None };
        let mut times: Vec<Timestamp> = self.layers.keys().copied().chain(self.delisted_at).collect();
        times.push(self.created_at);
        times.sort_unstable();
        times.dedup();
        let mut last: Option<Item> = None;
        for at in times {
            if let Some((more_quantity, more_value)) = self.layers.get(&at) {
                quantity += more_quantity;
                value += more_value;
                // With nothing left (or less) there is nothing to average: the last known cost stays.
                if quantity > Decimal::ZERO && value >= Decimal::ZERO {
                    cost = Some(value / quantity);
                }
            }
            let mut item = self.item.clone();
            item.cost = cost.and_then(|cost| some_price(cost.round_dp(2)));
            item.delisted_at = self.delisted_at.filter(|delisted| *delisted <= at);
            item.sellable = item.delisted_at.is_none();
            if last.as_ref() != Some(&item) {
                feed.push(at.max(self.created_at), Record::Item(item.clone()));
                last = Some(item);
            }
        }
    }
}

/// Zero is Odoo's way to say that nobody has set a price.
pub(super) fn some_price(price: Decimal) -> Option<UnitPrice> {
    (price > Decimal::ZERO).then(|| UnitPrice(price.normalize()))
}

/// Running average cost from the valuation layers, each known from its `create_date`.
fn read_costs(
    reader: &mut Reader<'_>,
    catalog: &Catalog,
    histories: &mut BTreeMap<i64, History>,
) -> Result<(), RecordingError> {
    reader.rows(&LAYER, |row| {
        catalog.product(&row, "product_id")?;
        if let Some(history) = histories.get_mut(&row.must_link("product_id")?) {
            let sums = history.layers.entry(row.time("create_date")?).or_default();
            sums.0 += row.quantity("quantity")?;
            sums.1 += row.quantity("value")?;
        }
        Ok(())
    })
}
