//! The recording that comes with the program, so that the demo works from any folder and without the source tree.

use std::io;
use std::path::Path;

/// Names and contents of the files in evals/recordings/odoo-18-retailer; what was injected into it stays out, as the demo must
/// not know it.
macro_rules! bundled {
    ($($name:literal,)*) => {
        &[$(($name, include_bytes!(concat!("../../../../evals/recordings/odoo-18-retailer/", $name)))),*]
    };
}

const FILES: &[(&str, &[u8])] = bundled![
    "INDEX.json",
    "ORIGIN.md",
    "README.md",
    "account.move.json.gz",
    "account.move.line.json.gz",
    "loyalty.program.json.gz",
    "loyalty.reward.json.gz",
    "loyalty.rule.json.gz",
    "product.category.json.gz",
    "product.pricelist.item.json.gz",
    "product.pricelist.json.gz",
    "product.product.json.gz",
    "product.supplierinfo.json.gz",
    "product.template.json.gz",
    "purchase.order.json.gz",
    "purchase.order.line.json.gz",
    "res.company.json.gz",
    "res.partner.json.gz",
    "sale.order.json.gz",
    "sale.order.line.json.gz",
    "stock.location.json.gz",
    "stock.lot.json.gz",
    "stock.move.json.gz",
    "stock.move.line.json.gz",
    "stock.picking.json.gz",
    "stock.picking.type.json.gz",
    "stock.quant.json.gz",
    "stock.scrap.json.gz",
    "stock.valuation.layer.json.gz",
    "stock.warehouse.json.gz",
    "stock.warehouse.orderpoint.json.gz",
    "uom.uom.json.gz",
];

/// Writes the recording into `folder`, made if it is not there. What is there of it already is written anew.
///
/// # Errors
/// When the folder or a file can not be written.
pub fn unpack(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    for (name, content) in FILES {
        std::fs::write(folder.join(name), content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_the_truth_is_in_the_program() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../evals/recordings/odoo-18-retailer");
        let mut there: Vec<String> =
            folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        there.retain(|name| !name.starts_with("truth"));
        there.sort();
        assert_eq!(FILES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), there);
        let out = tempfile::tempdir().unwrap();
        unpack(&out.path().join("recording")).unwrap();
        unpack(&out.path().join("recording")).unwrap();
        for name in there {
            let (unpacked, original) = (out.path().join("recording").join(&name), folder.join(&name));
            assert!(std::fs::read(unpacked).unwrap() == std::fs::read(original).unwrap(), "{name}");
        }
    }
}
