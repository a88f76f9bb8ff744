//! Reads kits: bills of material as Odoo has them, and which of them counts for a product.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::kits::{Kit, Kits, Part};
use crate::live::call::Domain;
use crate::live::demand::Asking;
use crate::live::error::OdooError;
use crate::rows::cell::Cell;

const BOM: &str = "mrp.bom";
const LINE: &str = "mrp.bom.line";
/// Ids in one question.
const IDS_MAX: usize = 500;

/// Reads all kits. `ratio` says how many of one unit another is. `Err` inside: why they can not be read.
pub(super) async fn read(asking: &Asking, ratio: impl Fn(i64, i64) -> f64) -> Result<Result<Kits, OdooError>, OdooError> {
    let mut line_fields = BTreeSet::new();
    // The lines' model comes last, so what is kept are its fields.
    for model in [BOM, LINE] {
        match asking.readable(model).await? {
            Ok(fields) => line_fields = fields.into_keys().collect(),
            // Without manufacturing there are no kits.
            Err(OdooError::UnknownModel { .. }) => return Ok(Ok(Kits::default())),
            Err(error) => return Ok(Err(error)),
        }
    }
    // Archived rows are answered too, so what counts today is asked for by name.
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
    // What may not be read is not asked for: then every line counts for every variant.
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
        // Templates, since a bill may be for all variants of one; and components, for the unit they are kept in.
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
                let mut kit = Kit::without_parts(*company, Timestamp::MIN);
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
        // A kit is known from the last change of any bill inside it on: what it was before nobody kept.
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
fn time(cell: &Cell) -> Timestamp {
    let Cell::Text(text) = cell else { return Timestamp::MIN };
    let civil: Option<jiff::civil::DateTime> = text.parse().ok();
    civil.and_then(|civil| jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: i64 = 1;
    const DOZEN: i64 = 2;

    /// Variants 10 and 11 (values 1 and 2 of one attribute, 7 of another) of template 10; components 20 to 24.
    fn shelf(boms: Vec<Bom>, lines: Vec<(i64, Line)>) -> Shelf {
        let product =
            |template: i64, values: &[i64]| Product { template, unit: UNIT, values: values.iter().copied().collect() };
        let mut products = BTreeMap::from([(10, product(10, &[1, 7])), (11, product(10, &[2, 7]))]);
        products.extend((20..25).map(|id| (id, product(id, &[]))));
        let mut all = Shelf { boms: BTreeMap::new(), lines: BTreeMap::new(), products, attributes: BTreeMap::new() };
        all.boms.extend(boms.into_iter().map(|bom| (bom.id, bom)));
        for (bom, line) in lines {
            all.lines.entry(bom).or_default().push(line);
        }
        // Values 1 to 3 are of attribute 100, 7 and 8 of attribute 200.
        all.attributes = BTreeMap::from([(1, 100), (2, 100), (3, 100), (7, 200), (8, 200)]);
        all
    }

    fn bom(id: i64, product: Option<i64>, template: i64, sequence: f64, company: Option<i64>) -> Bom {
        Bom { id, product, template, quantity: 1.0, unit: UNIT, sequence, company, written: Timestamp::UNIX_EPOCH }
    }

    fn line(product: i64, quantity: f64) -> Line {
        let id = 1000 + product;
        Line { id, product, quantity, unit: UNIT, written: Timestamp::UNIX_EPOCH, only_for: Vec::new() }
    }

    fn made_of(shelf: &Shelf, product: i64, company: Option<i64>) -> Vec<(i64, f64)> {
        let ratio = |from: i64, to: i64| match (from, to) {
            (DOZEN, UNIT) => 12.0,
            (UNIT, DOZEN) => 1.0 / 12.0,
            _ => 1.0,
        };
        let kits = Kits::new(shelf.kits(&ratio));
        let parts = kits.parts(product, company).unwrap_or_default();
        parts.iter().map(|part| (part.product, part.quantity)).collect()
    }

    #[test]
    fn the_lowest_sequence_goes_first_then_a_bill_of_the_variant_then_the_older() {
        let of_template = bom(1, None, 10, 1.0, None);
        let of_variant = bom(2, Some(11), 10, 1.0, None);
        let lines = vec![(1, line(20, 1.0)), (2, line(21, 1.0)), (3, line(22, 1.0))];
        let both = shelf(vec![of_template.clone(), of_variant.clone()], lines.clone());
        assert_eq!(made_of(&both, 10, None), [(20, 1.0)]);
        assert_eq!(made_of(&both, 11, None), [(21, 1.0)]);
        let first = shelf(vec![of_template.clone(), of_variant, bom(3, None, 10, 0.0, None)], lines.clone());
        assert_eq!([10, 11].map(|variant| made_of(&first, variant, None)), [[(22, 1.0)], [(22, 1.0)]]);
        let older = shelf(vec![of_template, bom(3, None, 10, 1.0, None)], lines);
        assert_eq!(made_of(&older, 10, None), [(20, 1.0)]);
    }

    #[test]
    fn a_companys_bill_counts_in_that_company_alone() {
        let bills = vec![bom(1, None, 10, 5.0, None), bom(2, None, 10, 1.0, Some(2))];
        let shared = shelf(bills, vec![(1, line(20, 1.0)), (2, line(21, 1.0))]);
        assert_eq!(made_of(&shared, 10, Some(1)), [(20, 1.0)]);
        assert_eq!(made_of(&shared, 10, Some(2)), [(21, 1.0)]);
        let alone = shelf(vec![bom(2, None, 10, 1.0, Some(2))], vec![(2, line(21, 1.0))]);
        assert_eq!(made_of(&alone, 10, Some(1)), [], "no kit there");
        assert_eq!(made_of(&alone, 10, Some(2)), [(21, 1.0)]);
    }

    #[test]
    fn a_line_for_some_variants_needs_a_value_of_each_attribute_that_it_names() {
        let only = |values: &[i64]| Line { only_for: values.to_vec(), ..line(21, 1.0) };
        for (values, has) in [
            (&[][..], [true, true]),
            (&[1], [true, false]),
            (&[1, 2], [true, true]),
            (&[2, 7], [false, true]),
            (&[1, 8], [false, false]),
            (&[3], [false, false]),
        ] {
            let bill = shelf(vec![bom(1, None, 10, 1.0, None)], vec![(1, line(20, 1.0)), (1, only(values))]);
            let parts = [10, 11].map(|variant| made_of(&bill, variant, None).contains(&(21, 1.0)));
            assert_eq!(parts, has, "{values:?}");
        }
    }

    #[test]
    fn kits_in_kits_and_components_in_other_units_come_to_stock_units_of_what_is_on_shelves() {
        // Two dozen of 10 are made of a dozen of 20, and of six of 21, of which each is two of 22 and a half of 23.
        let outer = Bom { quantity: 2.0, unit: DOZEN, ..bom(1, None, 10, 1.0, None) };
        let dozen = Line { unit: DOZEN, ..line(20, 1.0) };
        let lines = vec![(1, dozen), (1, line(21, 6.0)), (2, line(22, 2.0)), (2, line(23, 0.5))];
        let nested = shelf(vec![outer, bom(2, None, 21, 1.0, None)], lines);
        assert_eq!(made_of(&nested, 10, None), [(20, 0.5), (22, 0.5), (23, 0.125)]);
        assert_eq!(made_of(&nested, 21, None), [(22, 2.0), (23, 0.5)]);
    }

    #[test]
    fn a_bill_that_leads_back_to_itself_ends() {
        let lines = vec![(1, line(21, 1.0)), (2, line(10, 1.0)), (2, line(22, 1.0))];
        let circle = shelf(vec![bom(1, None, 10, 1.0, None), bom(2, None, 21, 1.0, None)], lines);
        assert_eq!(made_of(&circle, 10, None), [(10, 1.0), (22, 1.0)]);
    }
}
