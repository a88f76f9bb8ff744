//! Links into Odoo: where people see a record that a fact cites.
//!
//! `/web#id=…&model=…&view_type=form` is the address of a form in Odoo 17. Its successors have addresses of their own, and take this
//! one too: their web client rewrites it when it opens. So one form of link serves all three, whichever is read.

use reqwest::Url;

use reeve_domain::record::{RecordKind, RecordRef};

use super::OdooConfig;

impl OdooConfig {
    /// The address at which Odoo shows a record, without whatever credentials stand in `odoo.url`. None without a server that is
    /// read, and for what Odoo has no form for: sums by month, stock levels, what others announced, what was decided here.
    pub fn link_to(&self, record: &RecordRef) -> Option<String> {
        let (model, id) = form_of(record)?;
        let mut address = Url::parse(self.url.trim()).ok()?;
        if !matches!(address.scheme(), "http" | "https") {
            return None;
        }
        // Neither can fail for an address with a host.
        address.set_username("").ok()?;
        address.set_password(None).ok()?;
        address.set_query(None);
        let path = format!("{}/web", address.path().trim_end_matches('/'));
        address.set_path(&path);
        address.set_fragment(Some(&format!("id={id}&model={model}&view_type=form")));
        Some(address.into())
    }
}

/// The model and the number of the row that a record was read from.
fn form_of(record: &RecordRef) -> Option<(&'static str, u64)> {
    let id = record.id.as_str();
    let (model, number) = match record.kind {
        RecordKind::Item => ("product.product", id),
        RecordKind::Location => ("stock.warehouse", id),
        RecordKind::Supplier => ("res.partner", id),
        RecordKind::SupplierPrice => ("product.supplierinfo", id),
        RecordKind::ReorderRule => ("stock.warehouse.orderpoint", id),
        // Each product of a rule is a promotion of its own: `pricelist-3-75`.
        RecordKind::Promotion => match id.split_once('-')? {
            ("pricelist", rule) => ("product.pricelist.item", first(rule)),
            ("loyalty", program) => ("loyalty.program", first(program)),
            _ => return None,
        },
        // A component of a kit stands behind the kit's line: `183-75`.
        RecordKind::SaleLine => ("sale.order.line", first(id)),
        RecordKind::PoLine => ("purchase.order.line", id),
        RecordKind::Move => ("stock.move", id),
        RecordKind::BillLine => ("account.move.line", id),
        RecordKind::Lot => ("stock.lot", id),
        RecordKind::StockLevel
        | RecordKind::LotStock
        | RecordKind::DemandMonth
        | RecordKind::Notice
        | RecordKind::Decision
        | RecordKind::Case => return None,
    };
    // Whatever else is no number was not read from one row: it has no form, and nothing of it gets into an address.
    Some((model, number.parse().ok()?))
}

fn first(id: &str) -> &str {
    id.split('-').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(url: &str, kind: RecordKind, id: &str) -> Option<String> {
        let config = OdooConfig { url: url.to_owned(), ..crate::settings::defaults() };
        config.link_to(&RecordRef::new(kind, id))
    }

    #[test]
    fn a_record_that_has_a_form_has_a_link_without_credentials() {
        let at = |kind, id| link("https://erp.example.com", kind, id);
        let form = |model: &str, id| Some(format!("https://erp.example.com/web#id={id}&model={model}&view_type=form"));
        assert_eq!(at(RecordKind::Item, "75"), form("product.product", 75));
        assert_eq!(at(RecordKind::PoLine, "183"), form("purchase.order.line", 183));
        assert_eq!(at(RecordKind::Promotion, "pricelist-3-75"), form("product.pricelist.item", 3));
        assert_eq!(at(RecordKind::Promotion, "loyalty-4-75"), form("loyalty.program", 4));
        assert_eq!(at(RecordKind::SaleLine, "9-75"), form("sale.order.line", 9));
        let behind = link("https://ada:s3cr3t@shop.example/erp/?db=x#y", RecordKind::Supplier, "9").unwrap();
        assert_eq!(behind, "https://shop.example/erp/web#id=9&model=res.partner&view_type=form");
    }

    #[test]
    fn what_has_no_form_or_no_server_has_no_link() {
        for (kind, id) in [
            (RecordKind::StockLevel, "75@3"),
            (RecordKind::Case, "case-1"),
            (RecordKind::Move, "pos-4"),
            (RecordKind::Promotion, "elsewhere-1"),
            (RecordKind::Item, "1&model=res.users"),
        ] {
            assert_eq!(link("https://erp.example.com", kind, id), None, "{kind:?} {id}");
        }
        for url in ["", "erp.example.com", "javascript:alert(1)"] {
            assert_eq!(link(url, RecordKind::Item, "75"), None, "{url}");
        }
    }
}
