//! The world of a scenario: what the ERP holds on the day that is looked at, written down by people in a few lines of TOML.
//!
//! Days are whole numbers counted from the scenario's day (`-3` is three days before it); whatever is left out has a plain value.
//! Scenarios add to the world that their suite shares, and a record of the same id takes the shared one's place. What comes out
//! are the records that a source tells of, each at the moment from which a reader could have seen it.

mod demand;
mod documents;
mod lots;
mod masters;
mod notices;
mod when;

use jiff::Timestamp;
use reeve_domain::record::{Observed, Record};
use serde::Deserialize;

pub use self::demand::{Change, DemandSpec, StockSpec, Usual};
pub use self::documents::{BillSpec, MoveSpec, PoSpec, SaleSpec};
pub use self::lots::LotSpec;
pub use self::masters::{ItemSpec, LocationSpec, PriceSpec, PromotionSpec, RuleSpec, SupplierSpec};
pub use self::notices::{NoticeSpec, OfferSpec};
pub use self::when::{Day, When};

/// What stands in a shop, in families.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct World {
    /// Products.
    pub item: Vec<ItemSpec>,
    /// Stores and warehouses.
    pub location: Vec<LocationSpec>,
    /// Suppliers.
    pub supplier: Vec<SupplierSpec>,
    /// What suppliers ask.
    pub price: Vec<PriceSpec>,
    /// Minimum and maximum.
    pub rule: Vec<RuleSpec>,
    /// Price promotions.
    pub promotion: Vec<PromotionSpec>,
    /// What customers usually order, day by day.
    pub demand: Vec<DemandSpec>,
    /// What is on hand on the scenario's day.
    pub stock: Vec<StockSpec>,
    /// Batches, and when they expire.
    pub lot: Vec<LotSpec>,
    /// Single customer orders.
    pub sale: Vec<SaleSpec>,
    /// Lines of purchase orders.
    pub po: Vec<PoSpec>,
    /// Movements of stock.
    #[serde(rename = "move")]
    pub moves: Vec<MoveSpec>,
    /// Lines of suppliers' bills.
    pub bill: Vec<BillSpec>,
    /// What partners announced.
    pub notice: Vec<NoticeSpec>,
    /// What channels offer.
    pub offer: Vec<OfferSpec>,
}

/// Why a world can not be made: which record of which family, and what is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("[[{family}]] number {}: {message}", index + 1)]
pub struct WorldFault {
    /// The family, as its header names it.
    pub family: &'static str,
    /// Which of the family, from 0.
    pub index: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Day by day before the scenario's own, from which master data are known.
const LONG_AGO: i32 = -400;

/// Takes the place of what has the same id, or stands behind it.
fn put<T: Clone>(shared: &mut Vec<T>, own: &[T], id: impl Fn(&T) -> String) {
    for one in own {
        match shared.iter_mut().find(|other| id(other) == id(one)) {
            Some(place) => *place = one.clone(),
            None => shared.push(one.clone()),
        }
    }
}

impl World {
    /// This world with what a scenario adds to it or says otherwise.
    #[must_use]
    pub fn with(&self, own: &Self) -> Self {
        let mut all = self.clone();
        put(&mut all.item, &own.item, |s| s.id.clone());
        put(&mut all.location, &own.location, |s| s.id.clone());
        put(&mut all.supplier, &own.supplier, |s| s.id.clone());
        put(&mut all.price, &own.price, PriceSpec::key);
        put(&mut all.rule, &own.rule, RuleSpec::key);
        put(&mut all.promotion, &own.promotion, |s| s.id.clone());
        put(&mut all.demand, &own.demand, |s| format!("{}@{}", s.item, s.at));
        put(&mut all.stock, &own.stock, |s| format!("{}@{}", s.item, s.at));
        put(&mut all.po, &own.po, |s| s.id.clone());
        put(&mut all.lot, &own.lot, |s| s.id.clone());
        all.sale.extend_from_slice(&own.sale);
        all.moves.extend_from_slice(&own.moves);
        all.bill.extend_from_slice(&own.bill);
        all.notice.extend_from_slice(&own.notice);
        all.offer.extend_from_slice(&own.offer);
        all
    }

    /// The records, in the order in which a reader could have seen them.
    ///
    /// # Errors
    /// The first record that can not be made.
    pub fn observed(&self, as_of: Timestamp) -> Result<Vec<Observed>, WorldFault> {
        let day = Day::of(as_of);
        let mut told = Vec::new();
        let masters = day.noon(LONG_AGO);
        let mut known = |record: Record, changed_at: Timestamp| told.push(Observed { changed_at, record });
        each("location", &self.location, |s| {
            let _: () = known(Record::Location(s.record()), masters);
            Ok(())
        })?;
        each("supplier", &self.supplier, |s| {
            let _: () = known(Record::Supplier(s.record()), masters);
            Ok(())
        })?;
        each("item", &self.item, |s| {
            let _: () = known(Record::Item(s.record(&day)?), masters);
            Ok(())
        })?;
        each("price", &self.price, |s| {
            self.names(&s.item, None)?;
            let _: () = known(Record::SupplierPrice(s.record(&day)?), masters);
            Ok(())
        })?;
        each("rule", &self.rule, |s| {
            self.names(&s.item, Some(&s.at))?;
            let _: () = known(Record::ReorderRule(s.record()?), masters);
            Ok(())
        })?;
        each("promotion", &self.promotion, |s| {
            self.names(&s.item, None)?;
            let _: () = known(Record::Promotion(s.record(&day)), day.noon(s.from.min(0) - 20));
            Ok(())
        })?;
        let documents = documents::Documents { world: self, day: &day };
        let mut rest = Vec::new();
        each("po", &self.po, |s| {
            rest.extend(documents.order(s)?);
            documents.rest(s).map(|planned| rest.extend(planned))
        })?;
        each("move", &self.moves, |s| documents.moved(s).map(|all| rest.extend(all)))?;
        each("bill", &self.bill, |s| documents.bill(s).map(|one| rest.push(one)))?;
        each("sale", &self.sale, |s| documents.sale(s).map(|all| rest.extend(all)))?;
        each("demand", &self.demand, |s| {
            self.names(&s.item, Some(&s.at))?;
            demand::told(s, &day).map(|all| rest.extend(all))
        })?;
        // Stock is written down as what is left on the day. What it began with follows from the moves, so those come first.
        each("stock", &self.stock, |s| {
            self.names(&s.item, Some(&s.at))?;
            demand::opening(s, &day, &rest).map(|one| told.push(one))
        })?;
        each("notice", &self.notice, |s| notices::told(s, self, &day).map(|one| told.push(one)))?;
        each("offer", &self.offer, |s| {
            self.names(&s.item, s.at.as_deref())?;
            notices::offered(s, &day).map(|one| told.push(one))
        })?;
        each("lot", &self.lot, |s| self.names(&s.item, Some(&s.at)))?;
        let lots = lots::told(&self.lot, &day);
        told.extend(lots.map_err(|message| WorldFault { family: "lot", index: 0, message })?);
        told.append(&mut rest);
        // Of one moment in the order of their keys, so that the order in the file makes no difference.
        told.sort_by_cached_key(|o| (o.changed_at, o.record.key()));
        Ok(told)
    }

    /// Are there an item and a location of these ids?
    fn names(&self, item: &str, at: Option<&str>) -> Result<(), String> {
        if !self.item.iter().any(|known| known.id == item) {
            return Err(format!("there is no item {item:?} in this world; add [[world.item]] or name one that is there"));
        }
        match at {
            Some(at) if !self.location.iter().any(|known| known.id == at) => {
                Err(format!("there is no location {at:?} in this world; add [[world.location]] or name one that is there"))
            }
            _ => Ok(()),
        }
    }
}

fn each<T>(family: &'static str, of: &[T], mut make: impl FnMut(&T) -> Result<(), String>) -> Result<(), WorldFault> {
    for (index, one) in of.iter().enumerate() {
        make(one).map_err(|message| WorldFault { family, index, message })?;
    }
    Ok(())
}
