//! The table of streams: one entry for each model that is read, parents before children.
//!
//! Names are Odoo 18's. What 17 or 19 calls otherwise is `renamed`; what they do not have is filled by `absent`.

use super::{Absent, Against, Extent, Field, Stream, Term, documents, master};
use crate::live::call::Version;

/// Everything that is read row by row, parents before children.
pub static STREAMS: &[Stream] = &[
    master::RES_CURRENCY,
    master::RES_COMPANY,
    master::RES_CURRENCY_RATE,
    master::UOM_UOM,
    master::PRODUCT_CATEGORY,
    master::PRODUCT_TEMPLATE,
    master::PRODUCT_PRODUCT,
    master::PRODUCT_PACKAGING,
    master::PRODUCT_UOM,
    master::RES_PARTNER,
    master::STOCK_WAREHOUSE,
    master::STOCK_LOCATION,
    master::STOCK_PICKING_TYPE,
    master::STOCK_WAREHOUSE_ORDERPOINT,
    master::PRODUCT_SUPPLIERINFO,
    master::PRODUCT_PRICELIST,
    master::PRODUCT_PRICELIST_ITEM,
    master::LOYALTY_PROGRAM,
    master::LOYALTY_RULE,
    master::LOYALTY_REWARD,
    documents::PURCHASE_ORDER,
    documents::PURCHASE_ORDER_LINE,
    documents::STOCK_PICKING,
    documents::SALE_ORDER,
    documents::SALE_ORDER_LINE,
    documents::STOCK_SCRAP,
    documents::STOCK_LOT,
    documents::STOCK_MOVE,
    documents::ACCOUNT_MOVE,
    documents::ACCOUNT_MOVE_LINE,
];

/// A field without which the stream can not be read.
pub(super) const fn must(name: &'static str) -> Field {
    Field { name, renamed: None, absent: Absent::Never, costs: "" }
}

/// A field that may be missing, and what is lost then (nothing, where it says nothing).
pub(super) const fn may(name: &'static str, absent: Absent, costs: &'static str) -> Field {
    Field { name, renamed: None, absent, costs }
}

/// A field that Odoo 19 calls otherwise.
pub(super) const fn renamed(name: &'static str, in_19: &'static str, absent: Absent, costs: &'static str) -> Field {
    Field { name, renamed: Some((Version::V19, in_19)), absent, costs }
}

pub(super) const fn term(field: &'static str, operator: &'static str, value: Against) -> Term {
    Term { field, operator, value }
}

/// A stream of which everything is said by defaults: master data of every version, read whole.
pub(super) const MASTER: Stream = Stream {
    model: "",
    fields: &[],
    links: &[],
    extent: Extent::Master,
    only: &[],
    either: &[],
    dated_by: "",
    open: &[],
    detail: &[],
    costs: "",
    versions: Version::V17..=Version::V19,
    first_seen: &[],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_stream_begins_with_the_id_and_its_links_and_first_values_are_fields() {
        let mut models = BTreeSet::new();
        for stream in STREAMS {
            assert!(models.insert(stream.model), "{} stands twice", stream.model);
            assert_eq!(stream.fields[0].name, "id", "{}", stream.model);
            let names: BTreeSet<&str> = stream.fields.iter().map(|f| f.name).collect();
            assert_eq!(names.len(), stream.fields.len(), "{}", stream.model);
            assert!(stream.links.len() <= 3 && stream.either.len() <= 2 && stream.detail.len() <= 2, "{}", stream.model);
            for field in stream.links.iter().chain(stream.first_seen) {
                assert!(names.contains(field), "{}.{field}", stream.model);
            }
            assert_eq!(stream.dated_by.is_empty(), stream.extent == Extent::Master, "{}", stream.model);
            assert!(!stream.costs.is_empty(), "{}", stream.model);
        }
    }

    #[test]
    fn the_names_of_19_are_used_from_19_on() {
        let line = super::super::stream_of("purchase.order.line").unwrap();
        let unit = &line.fields[line.position("product_uom").unwrap()];
        assert_eq!(unit.name_on(Version::V17), "product_uom");
        assert_eq!(unit.name_on(Version::V19), "product_uom_id");
        assert_eq!(line.first_seen_position("date_planned"), Some(line.fields.len()));
    }
}
