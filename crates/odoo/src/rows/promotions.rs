//! Promotions: dated lines of price lists, and loyalty programmes that give a percentage.
//!
//! Each is visible from its `create_date`: that it was planned is known before it starts. Only what has both a first and a
//! last day is a promotion; anything else is simply the price. Days are those of the recorded UTC times, both inclusive (an
//! end at 23:59 belongs to its day).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::Rows;
use super::care::{Care, RowError};
use super::catalog::{Catalog, Product};
use super::feed::Feed;
use super::row::{Model, Row};
use crate::rows::cell::Cell;
use reeve_domain::record::{Promotion, PromotionSource, Record};

pub(super) static PRICELIST_ITEM: Model = Model {
    name: "product.pricelist.item",
    needs: &[
        "id",
        "applied_on",
        "product_id",
        "product_tmpl_id",
        "categ_id",
        "compute_price",
        "percent_price",
        "price_discount",
        "fixed_price",
        "currency_id",
        "date_start",
        "date_end",
        "pricelist_id",
        "create_date",
    ],
    optional: &["company_id"],
};
pub(super) static PRICELIST: Model = Model { name: "product.pricelist", needs: &["id", "name"], optional: &[] };
pub(super) static PROGRAM: Model = Model {
    name: "loyalty.program",
    needs: &["id", "name", "date_from", "date_to", "create_date"],
    optional: &["company_id"],
};
pub(super) static RULE: Model = Model { name: "loyalty.rule", needs: &["id", "program_id", "product_ids"], optional: &[] };
pub(super) static REWARD: Model = Model {
    name: "loyalty.reward",
    needs: &["id", "program_id", "reward_type", "discount_mode", "discount", "discount_product_ids"],
    optional: &[],
};

/// Dated lines of price lists, by percentage, formula or fixed price. The id is `pricelist-<id>`, followed by the item's
/// where the line counts for several.
pub(super) fn read_pricelists<R: Rows>(
    rows: &mut R,
    catalog: &Catalog,
    care: &Care,
    feed: &mut Feed,
) -> Result<(), R::Error> {
    let mut names = BTreeMap::new();
    if !care.is_strict() {
        // A recording has names in its references.
        rows.each(&PRICELIST, |row| {
            names.insert(row.id()?, row.text("name")?);
            Ok(())
        })?;
    }
    rows.each(&PRICELIST_ITEM, |row| {
        // A line without both days is the price, not a promotion.
        let (Some(from), Some(to)) = (row.date_opt("date_start")?, row.date_opt("date_end")?) else { return Ok(()) };
        let mut products: Vec<&Product> = match row.text("applied_on")?.as_str() {
            "0_product_variant" => vec![catalog.product(row, "product_id")?],
            "1_product" => catalog.variants(row, "product_tmpl_id")?,
            "2_product_category" => {
                let category = row.must_link("categ_id")?;
                catalog.products().filter(|product| catalog.is_in_category(product, category)).collect()
            }
            "3_global" => catalog.products().collect(),
            other => {
                let found = Cell::Text(other.to_owned());
                return Err(row.wrong(
                    "applied_on",
                    "variant, product, category or global",
                    &found,
                    "record the model again",
                ));
            }
        };
        products.retain(|product| product.stocked);
        let several = products.len() > 1;
        for product in products {
            let percent = percent_off(row, product, catalog, care)?;
            if percent <= 0.0 {
                // A dated surcharge, or a price list for another currency: no reduction that could explain demand.
                continue;
            }
            let id = row.id()?;
            let record = Promotion {
                id: if several { format!("pricelist-{id}-{}", product.item) } else { format!("pricelist-{id}") },
                source: PromotionSource::Pricelist,
                item: product.item.clone(),
                name: match row.link("pricelist_id")?.and_then(|id| names.get(&id)) {
                    Some(name) => name.clone(),
                    None => row.link_name("pricelist_id"),
                },
                from,
                to,
                percent,
                company: row.company().map(|id| id.to_string()),
            };
            feed.push(row.time("create_date")?, Record::Promotion(record));
        }
        Ok(())
    })
}

fn percent_off(row: &Row, product: &Product, catalog: &Catalog, care: &Care) -> Result<f64, RowError> {
    match row.text("compute_price")?.as_str() {
        "percentage" => row.number("percent_price"),
        "formula" => row.number("price_discount"),
        "fixed" => {
            // A fixed price says how much is off only beside a list price and in its currency.
            let Some(list_price) = product.list_price.filter(|price| *price > Decimal::ZERO) else { return Ok(0.0) };
            let Some(factor) = catalog.factor(row, "currency_id", row.date_opt("date_start")?, care)? else {
                return Ok(0.0);
            };
            let off = Decimal::ONE_HUNDRED * (list_price - row.price("fixed_price")? * factor);
            Ok(off.checked_div(list_price).and_then(|off| off.round_dp(4).to_f64()).unwrap_or(0.0))
        }
        other => {
            let found = Cell::Text(other.to_owned());
            Err(row.wrong("compute_price", "percentage, formula or fixed", &found, "record the model again"))
        }
    }
}

struct Program {
    name: String,
    days: Option<(Date, Date)>,
    created_at: Timestamp,
    rule_products: Vec<i64>,
    company: Option<String>,
}

/// Loyalty programmes with a percentage: one promotion for each item, `loyalty-<programme>-<item>`.
///
/// The items are those the reward names, else those the programme's rules name, else (a discount on the whole order) all.
pub(super) fn read_loyalty<R: Rows>(rows: &mut R, catalog: &Catalog, feed: &mut Feed) -> Result<(), R::Error> {
    let mut programs = BTreeMap::new();
    rows.each(&PROGRAM, |row| {
        let program = Program {
            name: row.text("name")?,
            days: row.date_opt("date_from")?.zip(row.date_opt("date_to")?),
            created_at: row.time("create_date")?,
            rule_products: Vec::new(),
            company: row.company().map(|id| id.to_string()),
        };
        programs.insert(row.id()?, program);
        Ok(())
    })?;
    // A rule says what has to be bought, which is what is reduced where the reward names nothing.
    rows.each(&RULE, |row| {
        let program = programs.get_mut(&row.must_link("program_id")?);
        let program = program.ok_or_else(|| row.dangling("program_id", "loyalty.program"))?;
        program.rule_products.extend(row.links("product_ids")?);
        Ok(())
    })?;
    // A programme may hold several rewards for one item; a customer can count on the largest.
    let mut best: BTreeMap<(i64, i64), f64> = BTreeMap::new();
    rows.each(&REWARD, |row| {
        let id = row.must_link("program_id")?;
        let program = programs.get(&id).ok_or_else(|| row.dangling("program_id", "loyalty.program"))?;
        // Free products and fixed amounts give no percentage that could explain a lift.
        if row.text("reward_type")? != "discount" || row.text("discount_mode")? != "percent" || program.days.is_none() {
            return Ok(());
        }
        let named = row.links("discount_product_ids")?;
        let products: Vec<i64> = match (named.is_empty(), program.rule_products.is_empty()) {
            (false, _) => named,
            (true, false) => program.rule_products.clone(),
            (true, true) => catalog.ids().collect(),
        };
        let percent = row.number("discount")?;
        for product in products {
            let best = best.entry((id, product)).or_insert(0.0);
            *best = best.max(percent);
        }
        Ok(())
    })?;
    for ((id, product), percent) in best {
        let program = &programs[&id];
        // A programme may name products that were not recorded: they are not ours to watch.
        let (Some((from, to)), Some(product)) = (program.days, catalog.by_id(product)) else { continue };
        if product.stocked && percent > 0.0 {
            let record = Promotion {
                id: format!("loyalty-{id}-{}", product.item),
                source: PromotionSource::Loyalty,
                item: product.item.clone(),
                name: program.name.clone(),
                from,
                to,
                percent,
                company: program.company.clone(),
            };
            feed.push(program.created_at, Record::Promotion(record));
        }
    }
    Ok(())
}
