//! What partners and channels announced in a scenario, as it stands in the store once it was understood.

use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::notice::{CarrierState, Notice, NoticeContent, NoticeLine};
use reeve_domain::record::{Observed, Record};
use serde::Deserialize;

use super::World;
use super::masters::{maybe_price, quantity};
use super::when::{Day, When};

/// What kind of announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A supplier will be late.
    Delay,
    /// A supplier confirms.
    Confirmation,
    /// Goods are on their way.
    Shipped,
    /// Where a shipment is.
    Carrier,
    /// A supplier wrote something.
    Note,
    /// A promotion is planned.
    Brief,
}

/// An announcement.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoticeSpec {
    pub id: String,
    pub kind: Kind,
    pub at: When,
    /// The order lines it is about.
    #[serde(default)]
    pub po: Vec<String>,
    /// Quantity for each of them; as ordered where nothing is said.
    #[serde(default)]
    pub qty: Vec<f64>,
    pub price: Option<f64>,
    /// The new promise, the expected arrival, or the last day.
    pub date: Option<i32>,
    /// The first day.
    pub from: Option<i32>,
    /// The shipment or document.
    #[serde(default)]
    pub document: String,
    pub status: Option<CarrierState>,
    pub replaces: Option<String>,
    pub supplier: Option<String>,
    pub item: Option<String>,
    pub uplift: Option<f64>,
    /// Text from outside.
    #[serde(default)]
    pub text: String,
}

/// What a channel offers of an item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfferSpec {
    pub channel: String,
    pub item: String,
    pub at: Option<String>,
    pub published: f64,
    pub told: When,
}

fn notice(id: String, source: &str, at: jiff::Timestamp, content: NoticeContent) -> Observed {
    let notice = Notice { id, source: source.to_owned(), occurred_at: at, received_at: at, content };
    Observed { changed_at: at, record: Record::Notice(notice) }
}

fn lines(spec: &NoticeSpec, world: &World) -> Result<Vec<NoticeLine>, String> {
    let line = |(at, id): (usize, &String)| {
        let po = world.po.iter().find(|po| po.id == *id);
        let po = po.ok_or_else(|| format!("there is no order line {id:?}; add [[world.po]] with that id"))?;
        let order = po.order.clone().unwrap_or_else(|| format!("5{}", po.id));
        Ok(NoticeLine {
            po_line: Some(id.clone()),
            order: format!("P{order:0>5}"),
            item: Some(ItemId::new(po.item.as_str())),
            item_text: po.item.clone(),
            qty: Some(quantity("qty", spec.qty.get(at).copied().unwrap_or(po.qty))?),
            price: maybe_price("price", spec.price)?,
            date: None,
            lot: String::new(),
        })
    };
    spec.po.iter().enumerate().map(line).collect()
}

pub(super) fn told(spec: &NoticeSpec, world: &World, day: &Day) -> Result<Observed, String> {
    let at = spec.at.at(day)?;
    let date = |what: &str| spec.date.map(|d| day.date(d)).ok_or_else(|| format!("{what} needs its `date`"));
    let content = match spec.kind {
        Kind::Delay => NoticeContent::SupplierDelay {
            lines: lines(spec, world)?,
            new_date: date("a delay")?,
            reason: spec.text.clone(),
        },
        Kind::Confirmation => {
            let mut lines = lines(spec, world)?;
            for line in &mut lines {
                line.date = spec.date.map(|d| day.date(d));
            }
            NoticeContent::OrderConfirmation { lines }
        }
        Kind::Shipped => NoticeContent::ShipNotice {
            shipment: if spec.document.is_empty() { spec.id.clone() } else { spec.document.clone() },
            shipped_on: at.to_zoned(jiff::tz::TimeZone::UTC).date(),
            expected_on: spec.date.map(|d| day.date(d)),
            packages: None,
            lines: lines(spec, world)?,
            replaces: spec.replaces.clone(),
        },
        Kind::Carrier => NoticeContent::CarrierStatus {
            document: spec.document.clone(),
            status: spec.status.ok_or("a carrier's word needs its `status`")?,
            expected_on: spec.date.map(|d| day.date(d)),
        },
        Kind::Note => NoticeContent::SupplierNote {
            supplier: SupplierId::new(spec.supplier.clone().ok_or("a note needs its `supplier`")?),
            text: spec.text.clone(),
        },
        Kind::Brief => NoticeContent::PromotionBrief {
            name: spec.document.clone(),
            item: ItemId::new(spec.item.clone().ok_or("a brief needs its `item`")?),
            from: day.date(spec.from.ok_or("a brief needs its first day (`from`)")?),
            to: date("a brief")?,
            expected_uplift: spec.uplift,
            text: spec.text.clone(),
        },
    };
    Ok(notice(format!("edi/{}", spec.id), "edi", at, content))
}

pub(super) fn offered(spec: &OfferSpec, day: &Day) -> Result<Observed, String> {
    let at = spec.told.at(day)?;
    let content = NoticeContent::ChannelStock {
        channel: spec.channel.clone(),
        item: ItemId::new(spec.item.as_str()),
        location: spec.at.as_deref().map(LocationId::new),
        published: quantity("published", spec.published)?,
    };
    let told_at = at.as_millisecond();
    Ok(notice(format!("{}/{}-{told_at}#0", spec.channel, spec.item), &spec.channel, at, content))
}
