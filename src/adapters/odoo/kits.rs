//! Kits: products that are sold by a name of their own and leave the shelves as their components (bills of material of type
//! `phantom`). What is sold of a kit is demand of its components; a kit has no stock of its own, whatever its product says.
//!
//! Which bill counts for a product is decided as Odoo does: of its company or of none, the lowest sequence first, one of the
//! variant before one of the template. Components that are kits are taken apart in their turn. What is not known here is
//! how a kit was made up earlier: a bill is believed from its last change on, before it the moves say what left.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::call::Domain;
use super::cell::Cell;
use super::demand::Asking;
use super::error::OdooError;
use crate::ports::{BoxError, Mirror, MirrorRow};

/// Where the mirror keeps them, by the kit's product.
pub(super) const KEPT: &str = "odoo/kits";
const BOM: &str = "mrp.bom";
const LINE: &str = "mrp.bom.line";
/// Ids in one question.
const IDS_MAX: usize = 500;

/// A component of a kit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::adapters) struct Part {
    /// The line of the bill that asks for it.
    pub(super) line: i64,
    /// The component.
    pub(in crate::adapters) product: i64,
    /// How many of its stock unit one stock unit of the kit is.
    pub(in crate::adapters) quantity: f64,
}

/// How a kit is made up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Kit {
    /// In which company; None: in those that have no bill of their own.
    company: Option<i64>,
    /// Since when nothing was changed about it.
    since: Timestamp,
    parts: Vec<Part>,
}

/// All kits.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::adapters) struct Kits {
    of: BTreeMap<i64, Vec<Kit>>,
    /// The kits that a component is in.
    with: BTreeMap<i64, BTreeSet<i64>>,
    /// From when on a bill's line is what was sold, too.
    since: BTreeMap<i64, Timestamp>,
}

impl Kits {
    fn new(of: BTreeMap<i64, Vec<Kit>>) -> Self {
        let (mut with, mut since) = (BTreeMap::<i64, BTreeSet<i64>>::new(), BTreeMap::<i64, Timestamp>::new());
        for (product, kits) in &of {
            for kit in kits {
                for part in &kit.parts {
                    with.entry(part.product).or_default().insert(*product);
                    // A line that several kits share counts for all of them from the last change on, so for none twice.
                    let slot = since.entry(part.line).or_insert(kit.since);
                    *slot = kit.since.max(*slot);
                }
            }
        }
        Self { of, with, since }
    }

    /// What a product is made up of in a company; None where it is no kit there.
    pub(in crate::adapters) fn parts(&self, product: i64, company: Option<i64>) -> Option<&[Part]> {
        Some(&self.kit(product, company)?.parts)
    }

    /// Since when a product is made up as it is in a company; None where it is no kit there (any more).
    pub(super) fn made_up_since(&self, product: i64, company: Option<i64>) -> Option<Timestamp> {
        Some(self.kit(product, company)?.since)
    }

    fn kit(&self, product: i64, company: Option<i64>) -> Option<&Kit> {
        let kits = self.of.get(&product)?;
        let own = kits.iter().find(|kit| company.is_some() && kit.company == company);
        own.or_else(|| kits.iter().find(|kit| kit.company.is_none()))
    }

    /// The kits that have one of these components.
    pub(super) fn with(&self, components: impl Iterator<Item = i64>) -> BTreeSet<i64> {
        components.filter_map(|component| self.with.get(&component)).flatten().copied().collect()
    }

    /// Every component that a product has in any company; the product itself where it is no kit.
    pub(super) fn touched_by(&self, product: i64) -> BTreeSet<i64> {
        match self.of.get(&product) {
            Some(kits) => kits.iter().flat_map(|kit| &kit.parts).map(|part| part.product).chain([product]).collect(),
            None => BTreeSet::from([product]),
        }
    }

    /// Since when a bill's line says what is sold; None for one that is in no kit (any more).
    pub(super) fn since(&self, line: i64) -> Option<Timestamp> {
        self.since.get(&line).copied()
    }

    /// As they were kept.
    pub(super) async fn load(mirror: &dyn Mirror) -> Result<Self, BoxError> {
        let kits = |row: MirrorRow| Some((row.id, serde_json::from_str(&row.body).ok()?));
        Ok(Self::new(mirror.all(KEPT).await?.into_iter().filter_map(kits).collect()))
    }

    /// Keeps them, where they changed.
    pub(super) async fn save(&self, mirror: &dyn Mirror, at: Timestamp) -> Result<(), BoxError> {
        let text = serde_json::to_string(&self.of).expect("numbers and times");
        let kept = mirror.position(KEPT).await?;
        if kept.as_deref() == Some(text.as_str()) || (kept.is_none() && self.of.is_empty()) {
            return Ok(());
        }
        let before: BTreeMap<i64, Vec<Kit>> = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let row = |(id, kits): (&i64, &Vec<Kit>)| MirrorRow {
            id: *id,
            body: serde_json::to_string(kits).expect("numbers and times"),
            links: [None; 3],
        };
        let rows: Vec<MirrorRow> = self.of.iter().filter(|(id, kits)| before.get(id) != Some(kits)).map(row).collect();
        let gone: Vec<i64> = before.keys().filter(|id| !self.of.contains_key(id)).copied().collect();
        mirror.keep(KEPT, &rows, &gone, &text, at).await?;
        Ok(())
    }
}

/// Reads all kits. `ratio` says how many of one unit another is. `Err` inside: why they can not be read.
pub(super) async fn read(asking: &Asking, ratio: impl Fn(i64, i64) -> f64) -> Result<Result<Kits, OdooError>, OdooError> {
    let mut line_fields = BTreeSet::new();
    for model in [BOM, LINE] {
        match asking.readable(model).await? {
            Ok(fields) => line_fields = fields.into_keys().collect(),
            // Without manufacturing there are no kits.
            Err(OdooError::UnknownModel { .. }) => return Ok(Ok(Kits::default())),
            Err(error) => return Ok(Err(error)),
        }
    }
    let phantom = Domain::all().and("type", "=", "phantom").and("active", "=", true);
    let fields = ["product_id", "product_tmpl_id", "product_qty", "product_uom_id", "sequence", "company_id", "write_date"];
    let boms: BTreeMap<i64, Bom> =
        asking.rows_of(BOM, phantom, &fields).await?.iter().filter_map(|row| Bom::of(row)).collect();
    if boms.is_empty() {
        return Ok(Ok(Kits::default()));
    }
    let in_phantom = Domain::all().and("bom_id.type", "=", "phantom").and("bom_id.active", "=", true);
    let only_for = "bom_product_template_attribute_value_ids";
    let mut fields = vec!["bom_id", "product_id", "product_qty", "product_uom_id", "write_date"];
    fields.extend(Some(only_for).filter(|field| line_fields.contains(*field)));
    let mut shelf = Shelf { boms, lines: BTreeMap::new(), products: BTreeMap::new(), attributes: BTreeMap::new() };
    for row in asking.rows_of(LINE, in_phantom, &fields).await? {
        if let Some((bom, line)) = Line::of(&row) {
            shelf.lines.entry(bom).or_default().push(line);
        }
    }
    shelf.read_products(asking).await?;
    Ok(Ok(Kits::new(shelf.kits(&ratio))))
}

/// A bill.
#[derive(Clone, Debug)]
struct Bom {
    id: i64,
    product: Option<i64>,
    template: i64,
    /// What it makes, in `unit`.
    quantity: f64,
    unit: i64,
    sequence: f64,
    company: Option<i64>,
    written: Timestamp,
}

impl Bom {
    fn of(row: &[Cell]) -> Option<(i64, Self)> {
        let id = row.first()?.id()?;
        let quantity = number(row.get(3)?).filter(|quantity| *quantity > 0.0).unwrap_or(1.0);
        let bom = Self {
            id,
            product: row.get(1)?.id(),
            template: row.get(2)?.id()?,
            quantity,
            unit: row.get(4)?.id()?,
            sequence: number(row.get(5)?).unwrap_or(0.0),
            company: row.get(6)?.id(),
            written: time(row.get(7)?),
        };
        Some((id, bom))
    }
}

/// A bill's line.
#[derive(Clone, Debug)]
struct Line {
    id: i64,
    product: i64,
    quantity: f64,
    unit: i64,
    written: Timestamp,
    /// Only variants with these values have it; empty: all.
    only_for: Vec<i64>,
}

impl Line {
    fn of(row: &[Cell]) -> Option<(i64, Self)> {
        let only_for = match row.get(6) {
            Some(Cell::List(ids)) => ids.iter().filter_map(Cell::id).collect(),
            _ => Vec::new(),
        };
        let line = Self {
            id: row.first()?.id()?,
            product: row.get(2)?.id()?,
            quantity: number(row.get(3)?)?,
            unit: row.get(4)?.id()?,
            written: time(row.get(5)?),
            only_for,
        };
        Some((row.get(1)?.id()?, line))
    }
}

/// A product as bills need it.
#[derive(Clone, Debug)]
struct Product {
    template: i64,
    unit: i64,
    values: BTreeSet<i64>,
}

/// What was read of bills.
struct Shelf {
    boms: BTreeMap<i64, Bom>,
    lines: BTreeMap<i64, Vec<Line>>,
    products: BTreeMap<i64, Product>,
    /// Which attribute a value is one of.
    attributes: BTreeMap<i64, i64>,
}

impl Shelf {
    async fn read_products(&mut self, asking: &Asking) -> Result<(), OdooError> {
        let model = "product.product";
        let values = "product_template_attribute_value_ids";
        let mut fields = vec!["product_tmpl_id", "uom_id"];
        fields.extend(Some(values).filter(|_| self.lines.values().flatten().any(|line| !line.only_for.is_empty())));
        let templates: BTreeSet<i64> = self.boms.values().map(|bom| bom.template).collect();
        let components: BTreeSet<i64> = self.lines.values().flatten().map(|line| line.product).collect();
        for (field, ids) in [("product_tmpl_id", templates), ("id", components)] {
            for some in ids.into_iter().collect::<Vec<_>>().chunks(IDS_MAX) {
                for row in asking.rows_of(model, Domain::all().and(field, "in", some.to_vec()), &fields).await? {
                    let values = if let Some(Cell::List(ids)) = row.get(3) { ids.as_slice() } else { &[] };
                    let values = values.iter().filter_map(Cell::id).collect();
                    if let (Some(id), Some(template), Some(unit)) = (row[0].id(), row[1].id(), row[2].id()) {
                        self.products.insert(id, Product { template, unit, values });
                    }
                }
            }
        }
        let named: BTreeSet<i64> = self.lines.values().flatten().flat_map(|line| line.only_for.iter().copied()).collect();
        let model = "product.template.attribute.value";
        if named.is_empty() || asking.readable(model).await?.is_err() {
            return Ok(());
        }
        for some in named.into_iter().collect::<Vec<_>>().chunks(IDS_MAX) {
            let domain = Domain::all().and("id", "in", some.to_vec());
            let rows = asking.rows_of(model, domain, &["attribute_line_id"]).await?;
            self.attributes.extend(rows.iter().filter_map(|row| Some((row[0].id()?, row[1].id()?))));
        }
        Ok(())
    }

    fn kits(&self, ratio: &impl Fn(i64, i64) -> f64) -> BTreeMap<i64, Vec<Kit>> {
        let companies: BTreeSet<Option<i64>> = self.boms.values().map(|bom| bom.company).chain([None]).collect();
        let mut kits = BTreeMap::new();
        for product in self.products.keys() {
            let in_company = |company: &Option<i64>| {
                let mut kit = Kit { company: *company, since: Timestamp::MIN, parts: Vec::new() };
                self.take_apart(*product, 1.0, &mut Vec::new(), &mut kit, ratio).then_some(kit)
            };
            let all: Vec<Kit> = companies.iter().filter_map(in_company).collect();
            if !all.is_empty() {
                kits.insert(*product, all);
            }
        }
        kits
    }

    /// Adds what `quantity` of a product is made of. False where it is no kit.
    fn take_apart(
        &self,
        product: i64,
        quantity: f64,
        within: &mut Vec<i64>,
        kit: &mut Kit,
        ratio: &impl Fn(i64, i64) -> f64,
    ) -> bool {
        // A bill that leads back to itself is one that Odoo refuses; here it must not lead on for ever.
        let (Some(known), false) = (self.products.get(&product), within.contains(&product)) else { return false };
        let Some(bom) = self.bom(product, known, kit.company) else { return false };
        kit.since = kit.since.max(bom.written);
        let times = quantity * ratio(known.unit, bom.unit) / bom.quantity;
        within.push(product);
        for line in self.lines.get(&bom.id).into_iter().flatten().filter(|line| self.counts(line, known)) {
            kit.since = kit.since.max(line.written);
            let unit = self.products.get(&line.product).map_or(line.unit, |component| component.unit);
            let quantity = times * line.quantity * ratio(line.unit, unit);
            if !self.take_apart(line.product, quantity, within, kit, ratio) {
                kit.parts.push(Part { line: line.id, product: line.product, quantity });
            }
        }
        within.pop();
        true
    }

    fn bom(&self, product: i64, known: &Product, company: Option<i64>) -> Option<&Bom> {
        let is_for = |bom: &&Bom| match bom.product {
            Some(variant) => variant == product,
            None => bom.template == known.template,
        };
        let is_ours = |bom: &&Bom| bom.company.is_none() || bom.company == company;
        let key = |bom: &&Bom| (bom.product.is_none(), bom.id);
        self.boms
            .values()
            .filter(is_for)
            .filter(is_ours)
            .min_by(|a, b| a.sequence.total_cmp(&b.sequence).then_with(|| key(a).cmp(&key(b))))
    }

    /// Does a variant have the line? It must have a value of each attribute that the line names.
    fn counts(&self, line: &Line, product: &Product) -> bool {
        let attribute = |value: &i64| self.attributes.get(value).copied().unwrap_or(0);
        let mut met: BTreeMap<i64, bool> = BTreeMap::new();
        for value in &line.only_for {
            *met.entry(attribute(value)).or_default() |= product.values.contains(value);
        }
        met.into_values().all(|met| met)
    }
}

fn number(cell: &Cell) -> Option<f64> {
    if let Cell::Number(number) = cell { Some(*number) } else { None }
}

/// A time as Odoo writes it; the beginning of time where it says none.
pub(super) fn time(cell: &Cell) -> Timestamp {
    let Cell::Text(text) = cell else { return Timestamp::MIN };
    let civil: Option<jiff::civil::DateTime> = text.parse().ok();
    civil.and_then(|civil| jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()).unwrap_or(Timestamp::MIN)
}
