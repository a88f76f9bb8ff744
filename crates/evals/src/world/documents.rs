//! Documents of a scenario: orders of customers, orders to suppliers, receipts and other moves, bills.

use jiff::Timestamp;
use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::packs::Pack;
use reeve_domain::record::{BillLine, MoveKind, Observed, PurchaseLine, Record, SaleLine, StockMove};
use serde::Deserialize;

use super::World;
use super::masters::{ForeignSpec, maybe_price, quantity};
use super::when::{Day, When};

/// The customer of whom nothing is said.
pub(super) const PLAIN_CUSTOMER: &str = "5";

/// A move of nothing from nowhere: each maker says what it is of.
pub(super) fn bare_move(id: &str, kind: MoveKind, at: Timestamp) -> StockMove {
    StockMove {
        id: id.to_owned(),
        kind,
        item: ItemId::new(""),
        from: None,
        to: None,
        qty: reeve_domain::money::Quantity::ZERO,
        created_at: at,
        scheduled_at: None,
        done_at: None,
        document: format!("DOC/{id}"),
        document_id: Some(id.to_owned()),
        origin: String::new(),
        po_line: None,
        sale_line: None,
        partner: None,
        deadline: None,
        returns: None,
        to_replace: false,
        asked: None,
        owner: None,
        entered_by: Some("7".to_owned()),
        reason: String::new(),
    }
}

/// A line of a purchase order.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the file")]
pub struct PoSpec {
    pub id: String,
    /// Its order; a line of which nothing is said has one of its own.
    pub order: Option<String>,
    pub supplier: Option<String>,
    pub item: String,
    pub at: String,
    pub qty: f64,
    /// Of a unit; the supplier's first price of the item where nothing is said, 0 where it can not be converted.
    pub price: Option<f64>,
    pub foreign: Option<ForeignSpec>,
    pub ordered: When,
    pub promised: When,
    /// What was promised at first, where that was another day.
    pub first: Option<When>,
    /// Is it not yet confirmed by an order of ours, a draft?
    #[serde(default)]
    pub draft: bool,
    #[serde(default)]
    pub cancelled: bool,
    /// Has the ERP closed it, so that nothing more is to come?
    #[serde(default)]
    pub closed: bool,
    /// Name and units of the pack in which it was ordered.
    pub pack: Option<(String, f64)>,
    /// Do the goods go straight to a customer?
    #[serde(default)]
    pub drop_ship: bool,
    /// Name of the kit, where it is one, and how many whole ones were received.
    pub kit: Option<String>,
    pub kits_received: Option<f64>,
    pub company: Option<String>,
}

/// A movement of stock.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoveSpec {
    pub id: String,
    pub kind: MoveKind,
    /// What moves; that of its order line where nothing is said.
    pub item: Option<String>,
    /// Where it comes from and goes to, of our places.
    pub from: Option<String>,
    pub to: Option<String>,
    pub qty: f64,
    /// When it was done; left out while it is planned.
    pub done: Option<When>,
    /// When it was entered; when it was done, or three days ago, where nothing is said.
    pub created: Option<When>,
    pub scheduled: Option<When>,
    pub deadline: Option<When>,
    /// The order line that it fulfils.
    pub po: Option<String>,
    /// The sale line that it fulfils.
    pub sale: Option<String>,
    pub partner: Option<String>,
    pub document: Option<String>,
    #[serde(default)]
    pub origin: String,
    /// The move that it takes back.
    pub returns: Option<String>,
    #[serde(default)]
    pub to_replace: bool,
    /// Whose goods they are.
    pub owner: Option<String>,
    /// Of a kit's component: how many the document asks for.
    pub asked: Option<f64>,
    pub by: Option<String>,
    #[serde(default)]
    pub reason: String,
}

/// A line of a supplier's bill.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BillSpec {
    pub id: String,
    /// Its bill; a line of which nothing is said has one of its own.
    pub bill: Option<String>,
    /// The supplier's number.
    #[serde(default)]
    pub reference: String,
    pub supplier: Option<String>,
    /// The order line that it bills; left out where it names none.
    pub po: Option<String>,
    pub item: Option<String>,
    /// Below zero on a credit note.
    pub qty: f64,
    /// Of a unit; 0 where it can not be converted.
    pub price: Option<f64>,
    pub foreign: Option<ForeignSpec>,
    pub billed: i32,
    pub due: Option<i32>,
    #[serde(default)]
    pub paid: bool,
    #[serde(default)]
    pub partly: bool,
    #[serde(default)]
    pub reversed: bool,
    pub reverses: Option<String>,
    #[serde(default)]
    pub origin: String,
    pub company: Option<String>,
    pub by: Option<String>,
}

/// A line of a customer's order; it waits to be served unless `served` says when it was.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleSpec {
    pub id: String,
    pub order: Option<String>,
    pub customer: Option<String>,
    #[serde(default)]
    pub reference: String,
    pub item: String,
    pub at: String,
    pub qty: f64,
    pub price: Option<f64>,
    pub ordered: When,
    pub served: Option<When>,
    /// Is there no delivery to it at all, as of an order that is only noted?
    #[serde(default)]
    pub no_delivery: bool,
}

/// Makes the documents of a world.
pub(super) struct Documents<'a> {
    pub(super) world: &'a World,
    pub(super) day: &'a Day,
}

impl Documents<'_> {
    fn line(&self, id: &str) -> Result<&PoSpec, String> {
        self.world.po.iter().find(|po| po.id == id).ok_or_else(|| {
            format!("there is no order line {id:?}; add [[world.po]] with that id, or leave `po` out where it names none")
        })
    }

    fn supplier_of(&self, po: &PoSpec) -> Result<String, String> {
        let listed = self.world.price.iter().find(|price| price.item == po.item).map(|price| price.supplier.clone());
        po.supplier.clone().or(listed).ok_or_else(|| format!("nobody sells item {}; name the supplier", po.item))
    }

    /// An order line. Where its promise has moved, the first one was seen when it was ordered.
    pub(super) fn order(&self, po: &PoSpec) -> Result<Vec<Observed>, String> {
        self.world.names(&po.item, Some(&po.at))?;
        let supplier = self.supplier_of(po)?;
        let listed = self.world.price.iter().find(|p| p.item == po.item && p.supplier == supplier).and_then(|p| p.price);
        let pack = po.pack.as_ref().map(|(name, qty)| {
            Ok::<_, String>(Pack { name: name.clone(), barcode: String::new(), qty: quantity("pack", *qty)? })
        });
        let (ordered_at, promised) = (po.ordered.at(self.day)?, po.promised.at(self.day)?);
        let promised_first = po.first.as_ref().map_or(Ok(promised), |first| first.at(self.day))?;
        let order = po.order.clone().unwrap_or_else(|| format!("5{}", po.id));
        let line = PurchaseLine {
            id: po.id.clone(),
            order_name: format!("P{order:0>5}"),
            order_id: order,
            supplier: SupplierId::new(supplier),
            item: ItemId::new(po.item.as_str()),
            location: LocationId::new(po.at.as_str()),
            qty: quantity("qty", po.qty)?,
            price: maybe_price("price", po.price.or(listed))?,
            foreign: po.foreign.as_ref().map(ForeignSpec::record).transpose()?,
            company: po.company.clone(),
            ordered_at,
            promised_first,
            promised,
            confirmed: !po.draft && !po.cancelled,
            draft: po.draft,
            pack: pack.transpose()?,
            to_customer: po.drop_ship,
            kits_received: po.kits_received.map(|kits| quantity("kits_received", kits)).transpose()?,
            kit: po.kit.clone(),
        };
        let mut told = Vec::new();
        if promised_first == promised {
            told.push(Observed { changed_at: ordered_at, record: Record::PoLine(line) });
        } else {
            let before = PurchaseLine { promised: promised_first, ..line.clone() };
            told.push(Observed { changed_at: ordered_at, record: Record::PoLine(before) });
            // Nobody knows the new day before it was told: a day later at the earliest.
            let told_at = self.day.noon(-1).max(ordered_at);
            told.push(Observed { changed_at: told_at, record: Record::PoLine(line) });
        }
        Ok(told)
    }

    /// What is still to come on an order line, planned for its promise as an ERP plans it. A kit's components are written by hand.
    pub(super) fn rest(&self, po: &PoSpec) -> Result<Option<Observed>, String> {
        let of_line = |m: &&MoveSpec| m.kind == MoveKind::Receipt && m.po.as_deref() == Some(po.id.as_str());
        // A plan that is written by hand takes the place of the one that would be made up.
        let by_hand = self.world.moves.iter().filter(of_line).any(|m| m.done.is_none());
        if po.closed || po.cancelled || po.draft || po.kit.is_some() || by_hand {
            return Ok(None);
        }
        let came = self.world.moves.iter().filter(of_line).filter(|m| m.returns.is_none());
        let left = po.qty - came.map(|m| m.qty).sum::<f64>();
        if left <= 0.0 {
            return Ok(None);
        }
        let (ordered_at, promised) = (po.ordered.at(self.day)?, po.promised.at(self.day)?);
        let planned = StockMove {
            item: ItemId::new(po.item.as_str()),
            to: (!po.drop_ship).then(|| LocationId::new(po.at.as_str())),
            qty: quantity("qty", left)?,
            scheduled_at: Some(promised),
            po_line: Some(po.id.clone()),
            partner: Some(self.supplier_of(po)?),
            ..bare_move(&format!("r{}", po.id), MoveKind::Receipt, ordered_at)
        };
        Ok(Some(Observed { changed_at: ordered_at, record: Record::Move(planned) }))
    }

    /// A move: as it was planned, where it says when that was, and as it was done.
    pub(super) fn moved(&self, spec: &MoveSpec) -> Result<Vec<Observed>, String> {
        // An order line says which item comes, from whom and where to; a move of it may leave them out.
        let line = spec.po.as_deref().map(|id| self.line(id)).transpose()?;
        let item = spec.item.clone().or_else(|| line.map(|po| po.item.clone()));
        let item = item.ok_or("a move needs its item, or the order line (`po`) that says which")?;
        self.world.names(&item, spec.from.as_deref())?;
        self.world.names(&item, spec.to.as_deref())?;
        let done = spec.done.as_ref().map(|when| when.at(self.day)).transpose()?;
        let created = spec.created.as_ref().map(|when| when.at(self.day)).transpose()?;
        let created_at = created.or(done).unwrap_or_else(|| self.day.noon(-3));
        // What an order line brings goes to its place, from its supplier, unless somebody says otherwise.
        let inward = spec.kind == MoveKind::Receipt;
        let to = spec.to.clone().or_else(|| line.filter(|_| inward && spec.from.is_none()).map(|po| po.at.clone()));
        let partner = match (&spec.partner, line) {
            (Some(partner), _) => Some(partner.clone()),
            (None, Some(po)) => Some(self.supplier_of(po)?),
            (None, None) => None,
        };
        let origin = line.filter(|_| spec.origin.is_empty()).map(|po| {
            let order = po.order.clone().unwrap_or_else(|| format!("5{}", po.id));
            format!("P{order:0>5}")
        });
        let at = |when: &Option<When>| when.as_ref().map(|when| when.at(self.day)).transpose();
        let whole = StockMove {
            item: ItemId::new(item),
            from: spec.from.as_deref().map(LocationId::new),
            to: to.map(LocationId::new),
            qty: quantity("qty", spec.qty)?,
            created_at,
            scheduled_at: at(&spec.scheduled)?.filter(|_| done.is_none()),
            done_at: done,
            document: spec.document.clone().unwrap_or_else(|| format!("DOC/{}", spec.id)),
            document_id: Some(spec.document.clone().unwrap_or_else(|| spec.id.clone())),
            origin: origin.unwrap_or_else(|| spec.origin.clone()),
            po_line: spec.po.clone(),
            sale_line: spec.sale.clone(),
            partner,
            deadline: at(&spec.deadline)?,
            returns: spec.returns.clone(),
            to_replace: spec.to_replace,
            asked: spec.asked.map(|asked| quantity("asked", asked)).transpose()?,
            owner: spec.owner.clone(),
            entered_by: Some(spec.by.clone().unwrap_or_else(|| "7".to_owned())),
            reason: spec.reason.clone(),
            ..bare_move(&spec.id, spec.kind, created_at)
        };
        let mut told = Vec::new();
        // A plan is seen only where the file says when it was entered.
        if created.is_some() && done.is_some() {
            let planned = StockMove { done_at: None, scheduled_at: at(&spec.scheduled)?, ..whole.clone() };
            told.push(Observed { changed_at: created_at, record: Record::Move(planned) });
        }
        told.push(Observed { changed_at: done.unwrap_or(created_at), record: Record::Move(whole) });
        Ok(told)
    }

    pub(super) fn bill(&self, spec: &BillSpec) -> Result<Observed, String> {
        let line = spec.po.as_deref().map(|id| self.line(id)).transpose()?;
        let supplier = match (&spec.supplier, line) {
            (Some(supplier), _) => supplier.clone(),
            (None, Some(po)) => self.supplier_of(po)?,
            (None, None) => return Err("a bill without an order line (`po`) needs its supplier".to_owned()),
        };
        let created_at = self.day.at(spec.billed, 15 * 60);
        let bill = spec.bill.clone().unwrap_or_else(|| format!("7{}", spec.id));
        let record = BillLine {
            id: spec.id.clone(),
            bill_name: format!("BILL/2026/{bill}"),
            bill_id: bill,
            reference: spec.reference.clone(),
            origin: spec.origin.clone(),
            supplier: SupplierId::new(supplier),
            po_line: spec.po.clone(),
            item: spec.item.clone().or_else(|| line.map(|po| po.item.clone())).map(ItemId::new),
            qty: quantity("qty", spec.qty)?,
            price: maybe_price("price", spec.price.or_else(|| line.and_then(|po| po.price)))?,
            billed_on: self.day.date(spec.billed),
            due_on: spec.due.map(|due| self.day.date(due)),
            foreign: spec.foreign.as_ref().map(ForeignSpec::record).transpose()?,
            company: spec.company.clone(),
            paid: spec.paid,
            partly: spec.partly,
            reversed: spec.reversed,
            created_at,
            entered_by: spec.by.clone(),
            reverses: spec.reverses.clone(),
        };
        Ok(Observed { changed_at: created_at, record: Record::BillLine(record) })
    }

    pub(super) fn sale(&self, spec: &SaleSpec) -> Result<Vec<Observed>, String> {
        self.world.names(&spec.item, Some(&spec.at))?;
        let ordered_at = spec.ordered.at(self.day)?;
        let order = spec.order.clone().unwrap_or_else(|| spec.id.clone());
        let customer = spec.customer.clone().unwrap_or_else(|| PLAIN_CUSTOMER.to_owned());
        let line = SaleLine {
            id: spec.id.clone(),
            order_name: format!("S{order}"),
            order_id: order,
            customer: customer.clone(),
            reference: spec.reference.clone(),
            item: ItemId::new(spec.item.as_str()),
            location: LocationId::new(spec.at.as_str()),
            qty: quantity("qty", spec.qty)?,
            price: maybe_price("price", spec.price)?,
            ordered_at,
        };
        let mut told = vec![Observed { changed_at: ordered_at, record: Record::SaleLine(line) }];
        if !spec.no_delivery {
            let done_at = spec.served.as_ref().map(|when| when.at(self.day)).transpose()?;
            let delivery = StockMove {
                item: ItemId::new(spec.item.as_str()),
                from: Some(LocationId::new(spec.at.as_str())),
                qty: quantity("qty", spec.qty)?,
                done_at,
                sale_line: Some(spec.id.clone()),
                partner: Some(customer),
                ..bare_move(&format!("ms{}", spec.id), MoveKind::Delivery, ordered_at)
            };
            told.push(Observed { changed_at: done_at.unwrap_or(ordered_at), record: Record::Move(delivery) });
        }
        Ok(told)
    }
}
