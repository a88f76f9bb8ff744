//! What everything else refers to: company, units, categories, products. Gives out the items.
//!
//! Visibility of an item: version 1 at the product's `create_date`; a new version whenever its cost changes by a cent or
//! more, or when it is delisted. Products that are not storable (services, discounts of a loyalty programme) are known, so
//! that rows naming them are understood, but are no items: they can not run out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::Rows;
use super::care::{Care, RowError};
use super::currency::Currencies;
use super::feed::Feed;
use super::packaging::{self, Packagings};
use super::row::{Model, Row};
use super::units::Units;
use reeve_domain::ids::ItemId;
use reeve_domain::money::UnitPrice;
use reeve_domain::packs::{ItemKeys, Pack};
use reeve_domain::record::{Foreign, Item, Record};

pub(super) static CATEGORY: Model =
    Model { name: "product.category", needs: &["id", "complete_name", "parent_path"], optional: &[] };
pub(super) static TEMPLATE: Model = Model {
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
    optional: &["type", "company_id", "uom_ids"],
};
pub(super) static PRODUCT: Model = Model {
    name: "product.product",
    needs: &["id", "product_tmpl_id", "default_code", "standard_price", "active", "create_date", "write_date"],
    optional: &["barcode", COMPANY_COSTS],
};
pub(super) static LAYER: Model = Model {
    name: "stock.valuation.layer",
    needs: &["id", "product_id", "quantity", "value", "create_date"],
    optional: &["company_id"],
};

/// What each company pays for a product, as pairs of company and cost in its currency, where several were asked.
pub(crate) const COMPANY_COSTS: &str = "costs by company";

struct Template {
    name: String,
    category: Option<i64>,
    unit: i64,
    purchase_unit: i64,
    list_price: Option<Decimal>,
    /// By what costs are multiplied that are told of no company; None: not at all.
    factor: Option<Decimal>,
    storable: bool,
    /// From when it is not for sale; None while it is.
    delisted_at: Option<Timestamp>,
    /// In which other units it may be sold (from 19 on).
    units: Vec<i64>,
}

/// A product as other rows need it.
#[derive(Debug)]
pub(super) struct Product {
    /// The item's id.
    pub(super) item: ItemId,
    /// `AC-006 Espresso beans 1 kg`.
    pub(super) name: String,
    /// Its category.
    pub(super) category: Option<i64>,
    /// Its list price; None where it can not be told in the configured currency.
    pub(super) list_price: Option<Decimal>,
    /// Is stock kept of it?
    pub(super) stocked: bool,
    unit: i64,
    purchase_unit: i64,
}

/// Everything that other rows refer to.
#[derive(Debug)]
pub(crate) struct Catalog {
    currencies: Currencies,
    units: Units,
    packagings: Packagings,
    products: BTreeMap<i64, Product>,
    templates: BTreeMap<i64, Vec<i64>>,
    category_paths: BTreeMap<i64, String>,
}

impl Catalog {
    /// Reads the catalogue and puts its items on the feed.
    pub(super) fn read<R: Rows>(
        rows: &mut R,
        currencies: Currencies,
        care: &Care,
        feed: &mut Feed,
    ) -> Result<Self, R::Error> {
        let units = Units::read(rows)?;
        let mut categories = BTreeMap::new();
        let mut category_paths = BTreeMap::new();
        // Before products: a template names them, and a product takes over what its template says.
        rows.each(&CATEGORY, |row| {
            categories.insert(row.id()?, row.text("complete_name")?);
            category_paths.insert(row.id()?, row.text("parent_path")?);
            Ok(())
        })?;
        let templates = read_templates(rows, &units, &categories, &currencies, care)?;
        let packagings = Packagings::read(rows)?;
        let (products, variants) = (BTreeMap::new(), BTreeMap::new());
        let mut catalog = Self { currencies, units, packagings, products, templates: variants, category_paths };
        let mut histories = BTreeMap::new();
        rows.each(&PRODUCT, |row| {
            let (id, template_id) = (row.id()?, row.must_link("product_tmpl_id")?);
            let template = templates.get(&template_id).ok_or_else(|| row.dangling("product_tmpl_id", "product.template"))?;
            // Only what can run out has a history of costs.
            if template.storable {
                histories.insert(id, History::new(row, template, &catalog, &categories, care)?);
            }
            catalog.templates.entry(template_id).or_default().push(id);
            let product = Product {
                item: ItemId::new(id.to_string()),
                name: format!("{} {}", row.text("default_code")?, template.name).trim_start().to_owned(),
                category: template.category,
                list_price: template.list_price,
                stocked: template.storable,
                unit: template.unit,
                purchase_unit: template.purchase_unit,
            };
            catalog.products.insert(id, product);
            Ok(())
        })?;
        read_costs(rows, &catalog, &mut histories)?;
        // Costs by company are told only where stock is valued by several: else each item would have a second figure for the
        // same.
        let companies: BTreeSet<i64> = histories
            .values()
            .flat_map(|history| history.layers.values().flat_map(BTreeMap::keys))
            .flatten()
            .copied()
            .collect();
        for history in histories.into_values() {
            history.tell(companies.len() > 1, feed);
        }
        Ok(catalog)
    }

    /// The product a row names, stocked or not. It must be known.
    pub(super) fn product(&self, row: &Row, field: &'static str) -> Result<&Product, RowError> {
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

    /// The variants of the template a row names. It must be known.
    pub(super) fn variants(&self, row: &Row, field: &'static str) -> Result<Vec<&Product>, RowError> {
        let ids = self.templates.get(&row.must_link(field)?).ok_or_else(|| row.dangling(field, "product.template"))?;
        Ok(ids.iter().filter_map(|id| self.products.get(id)).collect())
    }

    /// Is the product in this category or below it?
    pub(super) fn is_in_category(&self, product: &Product, category: i64) -> bool {
        let wanted = category.to_string();
        let path = product.category.and_then(|id| self.category_paths.get(&id));
        path.is_some_and(|path| path.split('/').any(|step| step == wanted))
    }

    /// The name of the company that a row belongs to; empty where it is not told.
    pub(super) fn company_name(&self, row: &Row) -> String {
        self.currencies.company_name(row)
    }

    /// By what the row's amounts are multiplied to be in the configured currency; None where they can not be told in it.
    /// `on` is the document's day; None: today's, as far as it is known.
    pub(super) fn factor(
        &self,
        row: &Row,
        field: &'static str,
        on: Option<Date>,
        care: &Care,
    ) -> Result<Option<Decimal>, RowError> {
        self.currencies.factor(row, field, on, care)
    }

    /// The currency that the row names, where it is not the configured one.
    pub(super) fn foreign(&self, row: &Row, field: &'static str) -> Result<Option<i64>, RowError> {
        self.currencies.foreign(row, field)
    }

    /// How many of the product's stock units one of the row's units is.
    pub(super) fn stock_units(&self, row: &Row, field: &'static str, product: &Product) -> Result<Decimal, RowError> {
        self.units.ratio_of(row, field, product.unit)
    }

    /// How many stock units one of the row's units is, or one of the product's purchase units where the row names none.
    pub(super) fn purchase_units(&self, row: &Row, field: &'static str, product: &Product) -> Result<Decimal, RowError> {
        match row.link(field)? {
            Some(_) => self.stock_units(row, field, product),
            None => Ok(self.units.ratio(product.purchase_unit, product.unit).unwrap_or(Decimal::ONE)),
        }
    }
}

impl Catalog {
    /// The unit that a row names, or the product's purchase unit where it names none, as a package; None where that is the
    /// stock unit.
    pub(super) fn purchase_pack(&self, row: &Row, field: &'static str, product: &Product) -> Result<Option<Pack>, RowError> {
        let unit = row.link(field)?.unwrap_or(product.purchase_unit);
        Ok(packaging::pack_of(&self.units, unit, product.unit, ""))
    }

    /// The package that a row names, or else its unit, where that is not the stock unit.
    pub(super) fn ordered_pack(&self, row: &Row, product: &Product) -> Result<Option<Pack>, RowError> {
        let packaging = row.link("product_packaging_id").ok().flatten().and_then(|id| self.packagings.by_id(id));
        match packaging {
            Some(pack) => Ok(Some(pack.clone())),
            None => Ok(row.link("product_uom")?.and_then(|unit| packaging::pack_of(&self.units, unit, product.unit, ""))),
        }
    }
}

fn read_templates<R: Rows>(
    rows: &mut R,
    units: &Units,
    categories: &BTreeMap<i64, String>,
    currencies: &Currencies,
    care: &Care,
) -> Result<BTreeMap<i64, Template>, R::Error> {
    let mut templates = BTreeMap::new();
    rows.each(&TEMPLATE, |row| {
        let unit = units.named(row, "uom_id")?;
        let purchase_unit = match row.link("uom_po_id")? {
            Some(id) => {
                // A unit of purchase that can not be converted would give wrong quantities on every order: it is refused
                // here, once.
                units.ratio_of(row, "uom_po_id", unit)?;
                id
            }
            None => unit,
        };
        let category = row.link("categ_id")?;
        // Up to 17 the kind of product says whether stock is kept of it.
        let storable = row.flag("is_storable")? || row.text("type")? == "product";
        // Only an item shows its category; what else is sold may stand in one that was not recorded.
        let known = category.is_some_and(|id| categories.contains_key(&id));
        let category =
            if storable && !known { care.or(Err(row.dangling("categ_id", "product.category")), None)? } else { category };
        // Rows know only today's flag. The template's last change is the earliest time at which it surely was down; a
        // template that was never changed since it was made never was for sale.
        let sellable = row.flag("sale_ok")? && row.flag("active")?;
        let factor = currencies.company_factor(row, row.company(), care).filter(|_| storable);
        let list_price = care.or(row.price("list_price"), Decimal::ZERO)?;
        // A product of all companies has its price in the currency of the main one, its cost in that of the company that is
        // read.
        let main = row.company().or_else(|| currencies.main_company());
        let list_factor = currencies.company_factor(row, main, care).filter(|_| storable);
        let template = Template {
            name: row.text("name")?,
            category,
            unit,
            purchase_unit,
            list_price: list_factor.map(|factor| list_price * factor),
            factor,
            storable,
            delisted_at: if sellable { None } else { Some(row.time("write_date")?) },
            units: packaging::ids(row, "uom_ids"),
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
    /// Each company's own, where several were asked.
    own_prices: BTreeMap<i64, Decimal>,
    /// When valuation layers came: quantity and value, by company.
    layers: BTreeMap<Timestamp, BTreeMap<Option<i64>, (Decimal, Decimal)>>,
}

/// What stock cost on average so far.
#[derive(Clone, Copy, Default)]
struct Average {
    quantity: Decimal,
    value: Decimal,
    cost: Option<Decimal>,
}

impl Average {
    fn add(&mut self, (quantity, value): (Decimal, Decimal)) {
        self.quantity += quantity;
        self.value += value;
        // With nothing left (or less) there is nothing to average: the last known cost stays.
        if self.quantity > Decimal::ZERO && self.value >= Decimal::ZERO {
            self.cost = Some(self.value / self.quantity);
        }
    }
}

impl History {
    fn new(
        row: &Row,
        template: &Template,
        catalog: &Catalog,
        categories: &BTreeMap<i64, String>,
        care: &Care,
    ) -> Result<Self, RowError> {
        let archived_at = if row.flag("active")? { None } else { Some(row.time("write_date")?) };
        let item = Item {
            id: ItemId::new(row.id()?.to_string()),
            sku: row.text("default_code")?,
            name: template.name.clone(),
            category: template.category.and_then(|id| categories.get(&id)).cloned().unwrap_or_default(),
            unit: catalog.units.name(template.unit).to_owned(),
            cost: None,
            costs: BTreeMap::new(),
            list_price: template.list_price.and_then(some_price),
            sellable: true,
            delisted_at: None,
            keys: ItemKeys {
                // A barcode that is no text is no barcode: it only helps to find the item.
                barcode: row.text("barcode").unwrap_or_default().trim().to_owned(),
                packs: catalog.packagings.of(row.id()?, template.unit, &template.units, &catalog.units),
            },
        };
        // A currency without a rate leaves its company's cost out: no value is better than a wrong one.
        let mut own_prices = BTreeMap::new();
        for (company, price) in row.pairs(COMPANY_COSTS)? {
            let price = care.or(row.price_of(COMPANY_COSTS, price), Decimal::ZERO)?;
            if let Some(factor) = catalog.currencies.company_factor(row, Some(company), care) {
                own_prices.insert(company, price * factor);
            }
        }
        let own = catalog.currencies.home().and_then(|home| own_prices.get(&home));
        let standard_price =
            template.factor.unwrap_or(Decimal::ZERO) * care.or(row.price("standard_price"), Decimal::ZERO)?;
        Ok(Self {
            created_at: row.time("create_date")?,
            item,
            delisted_at: template.delisted_at.or(archived_at),
            standard_price: own.copied().unwrap_or(standard_price),
            own_prices,
            layers: BTreeMap::new(),
        })
    }

    /// Puts the versions on the feed: at creation, then whenever cost or sellability changed. `by_company`: stock is valued by
    /// several companies, each for itself.
    fn tell(self, by_company: bool, feed: &mut Feed) {
        // The product's own cost field holds today's average: telling it earlier would be hindsight, unless nothing was
        // ever valued and it can only be what somebody typed.
        let mut all = Average { cost: Some(self.standard_price).filter(|_| self.layers.is_empty()), ..Average::default() };
        let mut own: BTreeMap<i64, Average> = BTreeMap::new();
        for (company, price) in &self.own_prices {
            own.insert(*company, Average { cost: Some(*price), ..Average::default() });
        }
        let mut times: Vec<Timestamp> = self.layers.keys().copied().chain(self.delisted_at).collect();
        times.push(self.created_at);
        times.sort_unstable();
        times.dedup();
        let mut last: Option<Item> = None;
        for at in times {
            // Values of one moment count together: a receipt that is entered and corrected in one second is one change.
            for (company, more) in self.layers.get(&at).into_iter().flatten() {
                all.add(*more);
                if let Some(company) = company.filter(|_| by_company) {
                    own.entry(company).or_default().add(*more);
                }
            }
            let mut item = self.item.clone();
            let price = |average: &Average| average.cost.and_then(|cost| some_price(cost.round_dp(2)));
            item.cost = price(&all);
            item.costs = own.iter().filter_map(|(company, own)| Some((company.to_string(), price(own)?))).collect();
            item.delisted_at = self.delisted_at.filter(|delisted| *delisted <= at);
            item.sellable = item.delisted_at.is_none();
            // A change below a cent is no new version.
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

/// A price in the currency in which it was agreed.
pub(super) fn foreign(currency: i64, price: Decimal) -> Option<Foreign> {
    Some(Foreign { currency: currency.to_string(), price: some_price(price.round_dp(6))? })
}

/// Running average cost from the valuation layers, each known from its `create_date`.
fn read_costs<R: Rows>(rows: &mut R, catalog: &Catalog, histories: &mut BTreeMap<i64, History>) -> Result<(), R::Error> {
    rows.each(&LAYER, |row| {
        catalog.product(row, "product_id")?;
        if let Some(history) = histories.get_mut(&row.must_link("product_id")?) {
            let layers = history.layers.entry(row.time("create_date")?).or_default();
            let sums = layers.entry(row.company()).or_default();
            sums.0 += row.quantity("quantity")?;
            sums.1 += row.quantity("value")?;
        }
        Ok(())
    })
}
