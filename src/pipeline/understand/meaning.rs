//! What an event means: the sender's words held against our records, checked, and put into notices.
//!
//! Pure. Numbers and dates beyond what can be real are refused, text is cut and cleaned, and whoever speaks for one supplier
//! can say nothing about another's orders. What names something that is not known is told apart from what is wrong. What would
//! change nothing (an order that is cancelled, a delay of goods that are there, a shipment of nothing) is not understood into
//! nothing: it says so.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::amounts::{Ratio, Ways};
use super::items::{Keys, Named};
use super::known::Known;
use super::lines::{Document, Kind, WORDS_MAX};
use super::orders::{OrderKeys, Parties, binding};
use super::sums::{abs, all_taken_back, counted, credited, not_zero, some_of, sums};
use crate::domain::calendar::days_between;
use crate::domain::event::wire::{Amount, Name};
use crate::domain::event::{Event, Fault, Said, wire};
use crate::domain::ids::{ItemId, SupplierId};
use crate::domain::money::{Quantity, UnitPrice};
use crate::domain::notice::{NoticeContent, NoticeLine};
use crate::domain::packs::Pack;
use crate::domain::record::PurchaseLine;
use crate::domain::text::clean;

/// Longest text from outside that is kept in a notice, in characters.
const TEXT_MAX: usize = 2_000;
/// How far a date may be from the day on which the event came.
const DAYS_MAX: i32 = 731;
/// How far ahead of us a sender may be: a day, for clocks that are set to a local time.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Largest multiple of usual sales that a brief may promise.
const UPLIFT_MAX: f64 = 1_000.0;

/// What an event is held against.
pub(super) struct Against<'a> {
    /// The records.
    pub known: &'a Known,
    /// The supplier that the sender speaks for, where it is one.
    pub supplier: Option<&'a SupplierId>,
    /// The company's currency.
    pub currency: &'a str,
    /// When the event came.
    pub received_at: Timestamp,
}

/// The notices of an event: one, or one for each item that it lists.
///
/// # Errors
/// Says what is wrong, or not known, and where.
pub(super) fn meaning(event: &Event, against: &Against<'_>) -> Result<Vec<NoticeContent>, Fault> {
    against.day("timestamp", event.at.to_zoned(jiff::tz::TimeZone::UTC).date())?;
    // The newest word on a thing counts, so none may be newer than can be.
    if event.at.duration_since(against.received_at) > AHEAD_MAX {
        return Err(Fault::wrong("timestamp", &format!("{} lies in the future", event.at)));
    }
    // Of all that can be announced, this is what a supplier can know. Stock of a channel or a promotion is not theirs to
    // tell.
    let suppliers_own = matches!(
        event.said,
        Said::SupplierDelay(_)
            | Said::OrderConfirmation(_)
            | Said::ShipNotice(_)
            | Said::Invoice(_)
            | Said::CreditNote(_)
            | Said::SupplierNote(_)
    );
    if let Some(supplier) = against.supplier
        && !suppliers_own
    {
        return Err(Fault::wrong(
            "type",
            &format!("the hook speaks for supplier {supplier}, which does not send {}", event.kind),
        ));
    }
    match &event.said {
        Said::SupplierDelay(said) => against.delay(said, event.at),
        Said::OrderConfirmation(said) => against.confirmation(said),
        Said::ShipNotice(said) => against.ship_notice(said),
        Said::ReceiptAdvice(said) => against.receipt(said),
        Said::Invoice(said) => against.invoice(said),
        Said::CreditNote(said) => against.credit_note(said),
        Said::ChannelStock(said) => against.channel_stock(said),
        Said::CarrierStatus(said) => {
            against.day_of("data.expected_on", said.expected_on)?;
            let document = clean(&said.document.0, WORDS_MAX);
            Ok(vec![NoticeContent::CarrierStatus { document, status: said.status, expected_on: said.expected_on }])
        }
        Said::PromotionBrief(said) => against.promotion(said),
        Said::SupplierNote(said) => {
            let supplier = against.sender("data.supplier", said.supplier.as_ref())?;
            let supplier = supplier.ok_or_else(|| Fault::wrong("data.supplier", "missing; say who wrote it"))?;
            Ok(vec![NoticeContent::SupplierNote { supplier, text: clean(&said.text, TEXT_MAX) }])
        }
    }
}

impl Against<'_> {
    fn delay(&self, said: &wire::SupplierDelay, at: Timestamp) -> Result<Vec<NoticeContent>, Fault> {
        self.day("data.new_date", said.new_date)?;
        let order = OrderKeys { name: said.order.as_ref(), id: said.order_id.as_ref() };
        let parties = self.parties(said.supplier.as_ref(), said.company.as_ref())?;
        let some = not_zero(&said.lines, "is late")?;
        let mut lines = if some.is_empty() {
            self.whole_order(order, &parties, |_| (None, None))?
        } else {
            self.lines(&some, &Document { kind: Kind::Answer, order, ordered: true, shipped: None, parties })?
        };
        for line in &mut lines {
            line.date = line.date.or(Some(said.new_date));
        }
        // Gateways tell some things late. A delay of goods that are on the shelf must raise nothing.
        let came = lines.iter().map(|l| self.known.closed_before(l.po_line.as_ref()?, at)).collect::<Option<Vec<_>>>();
        if let Some(last) = came.and_then(|all| all.into_iter().max()) {
            let day = last.to_zoned(jiff::tz::TimeZone::UTC).date();
            let order = &lines[0].order;
            let what = format!(
                "all of it on order {order} came before this was said (last on {day}); nothing is left that could be late"
            );
            return Err(Fault::wrong("data.order", &what));
        }
        Ok(vec![NoticeContent::SupplierDelay { lines, new_date: said.new_date, reason: clean(&said.reason, TEXT_MAX) }])
    }

    fn confirmation(&self, said: &wire::OrderConfirmation) -> Result<Vec<NoticeContent>, Fault> {
        self.day_of("data.date", said.date)?;
        let order = OrderKeys { name: Some(&said.order), id: said.order_id.as_ref() };
        let parties = self.parties(said.supplier.as_ref(), said.company.as_ref())?;
        // Confirmed without lines it is confirmed as it was ordered.
        let mut lines = if said.lines.is_empty() {
            self.whole_order(order, &parties, |ordered| (Some(ordered.qty), ordered.price))?
        } else {
            self.lines(&said.lines, &Document { kind: Kind::Answer, order, ordered: true, shipped: None, parties })?
        };
        for line in &mut lines {
            line.date = line.date.or(said.date);
        }
        Ok(vec![NoticeContent::OrderConfirmation { lines }])
    }

    fn ship_notice(&self, said: &wire::ShipNotice) -> Result<Vec<NoticeContent>, Fault> {
        self.day("data.shipped_on", said.shipped_on)?;
        self.day_of("data.expected_on", said.expected_on)?;
        counted("data.lines", said.lines.len())?;
        // Each package has a code of its own, so where nobody says how many there are, the codes do.
        let told = u32::try_from(said.sscc.len()).ok().filter(|n| *n > 0);
        let order = OrderKeys { name: said.order.as_ref(), id: said.order_id.as_ref() };
        let parties = self.parties(said.supplier.as_ref(), said.company.as_ref())?;
        let lines =
            self.lines(&said.lines, &Document { kind: Kind::Goods, order, ordered: true, shipped: None, parties })?;
        Ok(vec![NoticeContent::ShipNotice {
            shipment: clean(&said.shipment.0, WORDS_MAX),
            shipped_on: said.shipped_on,
            expected_on: said.expected_on,
            packages: said.packages.or(told),
            // A line of none says that the goods are not in it, as if it were not there.
            lines: some_of(lines, "is shipped")?,
            replaces: said.replaces.as_ref().map(|r| clean(&r.0, WORDS_MAX)),
        }])
    }

    fn receipt(&self, said: &wire::ReceiptAdvice) -> Result<Vec<NoticeContent>, Fault> {
        self.day_of("data.received_on", said.received_on)?;
        counted("data.lines", said.lines.len())?;
        let order = OrderKeys { name: said.order.as_ref(), id: said.order_id.as_ref() };
        let parties = self.parties(said.supplier.as_ref(), said.company.as_ref())?;
        // What names the shipment leads to the order by the ship notice.
        let by_shipment = order.given().is_none() && said.lines.iter().any(|l| l.order.is_none() && l.order_id.is_none());
        let shipped = match said.shipment.as_ref().filter(|_| by_shipment) {
            Some(shipment) => Some(self.lines_of_shipment(shipment, &parties)?),
            None => None,
        };
        let document = Document { kind: Kind::Goods, order, ordered: said.shipment.is_none(), shipped, parties };
        let lines = self.lines(&said.lines, &document)?;
        if lines.iter().all(|l| l.qty.is_some_and(Quantity::is_zero)) {
            return Err(Fault::wrong("data.lines", "nothing of any line was received"));
        }
        let shipment = said.shipment.as_ref().map_or_else(String::new, |s| clean(&s.0, WORDS_MAX));
        Ok(vec![NoticeContent::ReceiptAdvice { shipment, lines }])
    }

    /// The purchase lines that are in a shipment, of one supplier.
    fn lines_of_shipment(&self, shipment: &Name, parties: &Parties<'_>) -> Result<Vec<PurchaseLine>, Fault> {
        let path = "data.shipment";
        let named: Vec<(&str, &super::known::Order)> =
            self.known.lines_of_shipment(shipment).filter_map(|l| Some((l, self.known.order_of_line(l)?))).collect();
        let named: Vec<_> =
            named.into_iter().filter(|(_, o)| parties.supplier.as_ref().is_none_or(|s| o.supplier == *s)).collect();
        let mut orders: Vec<&super::known::Order> = Vec::new();
        for (_, order) in &named {
            // Several lines of one order are one order.
            if orders.iter().all(|o| o.id != order.id) {
                orders.push(order);
            }
        }
        // Suppliers number their shipments as they like: two of them may use one number.
        let suppliers: std::collections::BTreeSet<&SupplierId> = orders.iter().map(|o| &o.supplier).collect();
        match suppliers.len() {
            0 => Err(Fault::missing(
                path,
                &format!("no ship notice of shipment {} is known (yet); or name the order", clean(&shipment.0, 60)),
            )),
            1 => {
                let mut lines = Vec::new();
                for order in orders {
                    lines.extend(binding(path, order)?.into_iter().cloned());
                }
                Ok(lines)
            }
            _ => {
                let shown: Vec<String> = suppliers.into_iter().map(|s| self.known.supplier_label(s)).collect();
                Err(Fault::ambiguous(path, "shipment", &shipment.0, &shown, "its order or supplier"))
            }
        }
    }

    fn invoice(&self, said: &wire::Invoice) -> Result<Vec<NoticeContent>, Fault> {
        self.day("data.date", said.date)?;
        let ours = self.is_ours(&said.currency)?;
        counted("data.lines", said.lines.len())?;
        let order = OrderKeys { name: said.order.as_ref(), id: said.order_id.as_ref() };
        let parties = self.parties(said.supplier.as_ref(), said.company.as_ref())?;
        let named = parties.supplier.clone();
        let document = Document { kind: Kind::Money, order, ordered: named.is_none(), shipped: None, parties };
        let lines = some_of(self.lines(&said.lines, &document)?, "is billed")?;
        let number = clean(&said.number.0, WORDS_MAX);
        let supplier = named.or_else(|| self.supplier_of(&lines));
        // Nothing but what is taken back: a credit note by another name.
        if all_taken_back(&said.lines) {
            let (tax, total) = (said.tax.map(abs), said.total.map(abs));
            let total = sums(tax, total)?.filter(|_| ours);
            let lines = lines.into_iter().map(|l| credited(l, ours)).collect();
            let (bill, reason) = (String::new(), String::new());
            return Ok(vec![NoticeContent::CreditNote {
                number,
                supplier,
                credited_on: said.date,
                bill,
                total,
                lines,
                reason,
            }]);
        }
        let total = sums(said.tax, said.total)?.filter(|_| ours);
        // Without a rate it is no price of ours; what it is worth stays open.
        let lines = lines.into_iter().map(|l| NoticeLine { price: l.price.filter(|_| ours), ..l }).collect();
        Ok(vec![NoticeContent::Invoice { number, supplier, billed_on: said.date, total, lines }])
    }

    fn credit_note(&self, said: &wire::CreditNote) -> Result<Vec<NoticeContent>, Fault> {
        self.day("data.date", said.date)?;
        let ours = self.is_ours(&said.currency)?;
        counted("data.lines", said.lines.len())?;
        let order = OrderKeys { name: said.order.as_ref(), id: said.order_id.as_ref() };
        let parties = self.parties(said.supplier.as_ref(), said.company.as_ref())?;
        let named = parties.supplier.clone();
        let document = Document { kind: Kind::Money, order, ordered: named.is_none(), shipped: None, parties };
        let lines = some_of(self.lines(&said.lines, &document)?, "is credited")?;
        // Some senders write what is credited below zero and some above. Both mean the same; a mixture means nothing.
        let back = all_taken_back(&said.lines);
        if !back && lines.iter().any(|l| l.qty.is_some_and(|q| q < Quantity::ZERO)) {
            return Err(Fault::wrong(
                "data.lines",
                "some quantities are below zero and some above; what is credited is above",
            ));
        }
        let (tax, total) = if back { (said.tax.map(abs), said.total.map(abs)) } else { (said.tax, said.total) };
        let total = sums(tax, total)?.filter(|_| ours);
        Ok(vec![NoticeContent::CreditNote {
            number: clean(&said.number.0, WORDS_MAX),
            supplier: named.or_else(|| self.supplier_of(&lines)),
            credited_on: said.date,
            bill: said.bill.as_ref().map_or_else(String::new, |b| clean(&b.0, WORDS_MAX)),
            total,
            lines: lines.into_iter().map(|l| credited(l, ours)).collect(),
            reason: clean(&said.reason, TEXT_MAX),
        }])
    }

    /// Is a currency the company's?
    fn is_ours(&self, currency: &str) -> Result<bool, Fault> {
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(Fault::wrong("data.currency", "must be an ISO 4217 code such as USD"));
        }
        Ok(currency.eq_ignore_ascii_case(self.currency))
    }

    /// Whose order lines are on.
    fn supplier_of(&self, lines: &[NoticeLine]) -> Option<SupplierId> {
        let line = lines.iter().find_map(|l| l.po_line.as_ref())?;
        Some(self.known.order_of_line(line)?.supplier.clone())
    }

    fn channel_stock(&self, said: &wire::ChannelStock) -> Result<Vec<NoticeContent>, Fault> {
        counted("data.items", said.items.len())?;
        let channel = clean(&said.channel.0, WORDS_MAX);
        let each = said.items.iter().enumerate().map(|(i, offered)| {
            let path = format!("data.items[{i}]");
            let (item, pack) = self.must_item(&path, [&offered.item_id, &offered.sku, &offered.gtin].map(Option::as_ref))?;
            let location = offered.location.as_ref().map(|name| self.known.location(&format!("{path}.location"), name));
            let published = self.in_stock_units(&path, &item, pack.as_ref(), offered.published)?;
            Ok(NoticeContent::ChannelStock { channel: channel.clone(), item, location: location.transpose()?, published })
        });
        each.collect()
    }

    fn promotion(&self, said: &wire::PromotionBrief) -> Result<Vec<NoticeContent>, Fault> {
        self.day("data.from", said.from)?;
        self.day("data.to", said.to)?;
        if said.to < said.from {
            return Err(Fault::wrong("data.to", "is before data.from"));
        }
        counted("data.items", said.items.len())?;
        let (name, text) = (clean(&said.name, WORDS_MAX), clean(&said.text, TEXT_MAX));
        let each = said.items.iter().enumerate().map(|(i, promoted)| {
            let path = format!("data.items[{i}]");
            let (item, _) = self.must_item(&path, [&promoted.item_id, &promoted.sku, &promoted.gtin].map(Option::as_ref))?;
            if promoted.expected_uplift.is_some_and(|u| !(u > 0.0 && u <= UPLIFT_MAX)) {
                return Err(Fault::wrong(&format!("{path}.expected_uplift"), "must be above 0 and at most 1000"));
            }
            Ok(NoticeContent::PromotionBrief {
                name: name.clone(),
                item,
                from: said.from,
                to: said.to,
                expected_uplift: promoted.expected_uplift,
                text: text.clone(),
            })
        });
        each.collect()
    }

    /// Who speaks: the supplier that is named, which must be the one that the hook speaks for, or that one.
    fn sender(&self, path: &str, named: Option<&Name>) -> Result<Option<SupplierId>, Fault> {
        let Some(name) = named else { return Ok(self.supplier.cloned()) };
        let found = self.known.supplier(path, name)?;
        self.may_speak(path, "it is said", &found)?;
        Ok(Some(found))
    }

    /// Between whom an event on orders is. A hook that is bound to a supplier need not call it as we do.
    fn parties<'p>(&self, supplier: Option<&Name>, company: Option<&'p Name>) -> Result<Parties<'p>, Fault> {
        let supplier = match self.sender("data.supplier", supplier) {
            Err(Fault::Unknown(_)) if self.supplier.is_some() => self.supplier.cloned(),
            sender => sender?,
        };
        Ok(Parties { supplier, company })
    }

    fn whole_order(
        &self,
        keys: OrderKeys<'_>,
        parties: &Parties<'_>,
        told: impl Fn(&PurchaseLine) -> (Option<Quantity>, Option<UnitPrice>),
    ) -> Result<Vec<NoticeLine>, Fault> {
        let path = "data.order";
        let keys = keys.given().ok_or_else(|| Fault::wrong(path, "missing; name the order, or its lines"))?;
        let order = self.order(path, keys, parties, &[])?;
        let lines = binding(path, order)?.into_iter().map(|ordered| {
            let (qty, price) = told(ordered);
            NoticeLine {
                po_line: Some(ordered.id.clone()),
                order: ordered.order_name.clone(),
                item: Some(ordered.item.clone()),
                item_text: clean(&self.known.label(&ordered.item), WORDS_MAX),
                qty,
                price,
                date: None,
                lot: String::new(),
            }
        });
        Ok(lines.collect())
    }

    /// The item that is named outside of any order, and the package where its barcode is.
    fn must_item(&self, path: &str, [item_id, sku, gtin]: [Option<&Name>; 3]) -> Result<(ItemId, Option<Pack>), Fault> {
        let keys = Keys { item_id, sku, gtin, ..Keys::default() };
        match self.known.named(&keys, None) {
            Named::Found(found) => match self.known.settled(&found, None) {
                Ok(meant) => Ok((meant.item, meant.pack)),
                Err(several) => {
                    let name = keys.words().unwrap_or_default();
                    Err(Fault::ambiguous(path, "item", name, &self.known.shown(&several), "its item_id"))
                }
            },
            Named::Contrary(one, other) => Err(Fault::wrong(path, &format!("{one} and {other} name different items"))),
            Named::Unknown(why) => {
                let why = if why.is_empty() { why } else { format!(": {why}") };
                let name = clean(keys.words().unwrap_or_default(), 60);
                Err(Fault::missing(path, &format!("item {name} is not known (yet){why}")))
            }
            Named::Nothing => Err(Fault::wrong(path, "names no item; give item_id, sku or gtin")),
        }
    }

    fn in_stock_units(&self, path: &str, item: &ItemId, pack: Option<&Pack>, amount: Amount) -> Result<Quantity, Fault> {
        let at = format!("{path}.published");
        let Some(item) = self.known.items.get(item) else { return Ratio::ONE.quantity(&at, amount, "") };
        let ways = Ways { item, coded: pack, told: None, ordered: vec![], listed: item.keys.packs.iter().collect() };
        ways.ratio(path, None)?.quantity(&at, amount, &item.unit)
    }

    pub(super) fn day_of(&self, path: &str, day: Option<Date>) -> Result<(), Fault> {
        day.map_or(Ok(()), |day| self.day(path, day))
    }

    fn day(&self, path: &str, day: Date) -> Result<(), Fault> {
        let today = self.received_at.to_zoned(jiff::tz::TimeZone::UTC).date();
        if days_between(today, day).abs() > DAYS_MAX {
            return Err(Fault::wrong(path, &format!("{day} is more than two years away")));
        }
        Ok(())
    }
}
