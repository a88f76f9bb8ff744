//! What an event means: the sender's words held against our records, checked, and put into notices.
//!
//! Pure. Numbers and dates beyond what can be real are refused, text is cut and cleaned, and whoever speaks for one supplier
//! can say nothing about another's orders. What names something that is not known is told apart from what is wrong.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;

use super::known::Known;
use crate::domain::calendar::days_between;
use crate::domain::event::wire::{Amount, BilledLine, GoodsLine, Name, OrderLine};
use crate::domain::event::{Event, Fault, Said, wire};
use crate::domain::ids::{ItemId, SupplierId};
use crate::domain::money::{Money, Quantity, UnitPrice};
use crate::domain::notice::{NoticeContent, NoticeLine};
use crate::domain::record::PurchaseLine;
use crate::domain::text::clean;

/// Longest text from outside that is kept in a notice, in characters.
const TEXT_MAX: usize = 2_000;
/// Longest description of an item, and lot.
const WORDS_MAX: usize = 200;
/// Most lines of one event.
const LINES_MAX: usize = 2_000;
/// Largest quantity of a line, in stock units; larger ones are slips of the hand.
const QUANTITY_MAX: i64 = 10_000_000;
/// Largest price or amount, in whole currency units.
const AMOUNT_MAX: i64 = 1_000_000_000;
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
    let suppliers_own = matches!(
        event.said,
        Said::SupplierDelay(_) | Said::OrderConfirmation(_) | Said::ShipNotice(_) | Said::Invoice(_) | Said::SupplierNote(_)
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
        Said::SupplierDelay(said) => against.delay(said),
        Said::OrderConfirmation(said) => against.confirmation(said),
        Said::ShipNotice(said) => against.ship_notice(said),
        Said::ReceiptAdvice(said) => against.receipt(said),
        Said::Invoice(said) => against.invoice(said),
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

/// A line as any of the documents carries it.
#[derive(Clone, Copy, Default)]
struct Asked<'a> {
    order: Option<&'a Name>,
    line: Option<&'a Name>,
    item_id: Option<&'a Name>,
    sku: Option<&'a Name>,
    gtin: Option<&'a Name>,
    description: Option<&'a str>,
    qty: Option<Amount>,
    price: Option<Amount>,
    date: Option<Date>,
    lot: Option<&'a str>,
}

impl<'a> From<&'a OrderLine> for Asked<'a> {
    fn from(l: &'a OrderLine) -> Self {
        Self {
            order: l.order.as_ref(),
            line: l.line.as_ref(),
            item_id: l.item_id.as_ref(),
            sku: l.sku.as_ref(),
            gtin: l.gtin.as_ref(),
            description: l.description.as_deref(),
            qty: l.qty,
            price: l.price,
            date: l.date,
            lot: None,
        }
    }
}

impl<'a> From<&'a GoodsLine> for Asked<'a> {
    fn from(l: &'a GoodsLine) -> Self {
        Self {
            order: l.order.as_ref(),
            line: l.line.as_ref(),
            item_id: l.item_id.as_ref(),
            sku: l.sku.as_ref(),
            gtin: l.gtin.as_ref(),
            description: l.description.as_deref(),
            qty: Some(l.qty),
            lot: l.lot.as_deref(),
            ..Self::default()
        }
    }
}

impl<'a> From<&'a BilledLine> for Asked<'a> {
    fn from(l: &'a BilledLine) -> Self {
        Self {
            order: l.order.as_ref(),
            line: l.line.as_ref(),
            item_id: l.item_id.as_ref(),
            sku: l.sku.as_ref(),
            gtin: l.gtin.as_ref(),
            description: l.description.as_deref(),
            qty: Some(l.qty),
            price: Some(l.price),
            ..Self::default()
        }
    }
}

impl Against<'_> {
    fn delay(&self, said: &wire::SupplierDelay) -> Result<Vec<NoticeContent>, Fault> {
        self.day("data.new_date", said.new_date)?;
        let mut lines = if said.lines.is_empty() {
            self.whole_order(said.order.as_ref(), |_| (None, None))?
        } else {
            self.lines(&said.lines, said.order.as_ref(), true)?
        };
        for line in &mut lines {
            line.date = line.date.or(Some(said.new_date));
        }
        Ok(vec![NoticeContent::SupplierDelay { lines, new_date: said.new_date, reason: clean(&said.reason, TEXT_MAX) }])
    }

    fn confirmation(&self, said: &wire::OrderConfirmation) -> Result<Vec<NoticeContent>, Fault> {
        self.day_of("data.date", said.date)?;
        let mut lines = if said.lines.is_empty() {
            self.whole_order(Some(&said.order), |ordered| (Some(ordered.qty), ordered.price))?
        } else {
            self.lines(&said.lines, Some(&said.order), true)?
        };
        for line in &mut lines {
            line.date = line.date.or(said.date);
        }
        Ok(vec![NoticeContent::OrderConfirmation { lines }])
    }

    fn ship_notice(&self, said: &wire::ShipNotice) -> Result<Vec<NoticeContent>, Fault> {
        self.day("data.shipped_on", said.shipped_on)?;
        self.day_of("data.expected_on", said.expected_on)?;
        let told = u32::try_from(said.sscc.len()).ok().filter(|n| *n > 0);
        Ok(vec![NoticeContent::ShipNotice {
            shipment: clean(&said.shipment.0, WORDS_MAX),
            shipped_on: said.shipped_on,
            expected_on: said.expected_on,
            packages: said.packages.or(told),
            lines: self.some_lines(&said.lines, said.order.as_ref(), true)?,
            replaces: said.replaces.as_ref().map(|r| clean(&r.0, WORDS_MAX)),
        }])
    }

    fn receipt(&self, said: &wire::ReceiptAdvice) -> Result<Vec<NoticeContent>, Fault> {
        self.day_of("data.received_on", said.received_on)?;
        // What names the shipment leads to the order by the ship notice.
        let lines = self.some_lines(&said.lines, said.order.as_ref(), said.shipment.is_none())?;
        let shipment = said.shipment.as_ref().map_or_else(String::new, |s| clean(&s.0, WORDS_MAX));
        Ok(vec![NoticeContent::ReceiptAdvice { shipment, lines }])
    }

    fn invoice(&self, said: &wire::Invoice) -> Result<Vec<NoticeContent>, Fault> {
        self.day("data.date", said.date)?;
        if said.currency.len() != 3 || !said.currency.bytes().all(|b| b.is_ascii_alphabetic()) {
            return Err(Fault::wrong("data.currency", "must be an ISO 4217 code such as USD"));
        }
        let ours = said.currency.eq_ignore_ascii_case(self.currency);
        let named = self.sender("data.supplier", said.supplier.as_ref())?;
        let mut lines = self.some_lines(&said.lines, said.order.as_ref(), named.is_none())?;
        if !ours {
            // Without a rate it is no price of ours; what it is worth stays open.
            for line in &mut lines {
                line.price = None;
            }
        }
        let of_order = || said.order.as_ref().or(said.lines.first()?.order.as_ref());
        let supplier = named.or_else(|| Some(self.known.order(of_order()?)?.first()?.supplier.clone()));
        for (path, amount) in [("data.tax", said.tax), ("data.total", said.total)] {
            amount.map(|a| within(path, a.0, AMOUNT_MAX)).transpose()?;
        }
        let total = said.total.filter(|_| ours).map(|t| Money::from_decimal(t.0));
        let number = clean(&said.number.0, WORDS_MAX);
        Ok(vec![NoticeContent::Invoice { number, supplier, billed_on: said.date, total, lines }])
    }

    fn channel_stock(&self, said: &wire::ChannelStock) -> Result<Vec<NoticeContent>, Fault> {
        counted("data.items", said.items.len())?;
        let channel = clean(&said.channel.0, WORDS_MAX);
        let each = said.items.iter().enumerate().map(|(i, offered)| {
            let path = format!("data.items[{i}]");
            let item = self.must_item(&path, [&offered.item_id, &offered.sku, &offered.gtin].map(Option::as_ref))?;
            let location = offered.location.as_ref().map(|name| {
                let found = self.known.location(name);
                found.ok_or_else(|| Fault::unknown(&format!("{path}.location"), "location", &name.0))
            });
            let published = quantity(&format!("{path}.published"), offered.published)?;
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
            let item = self.must_item(&path, [&promoted.item_id, &promoted.sku, &promoted.gtin].map(Option::as_ref))?;
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
        let found = self.known.supplier(name).ok_or_else(|| Fault::unknown(path, "supplier", &name.0))?;
        self.may_speak(path, "it is said", &found)?;
        Ok(Some(found))
    }

    fn may_speak(&self, path: &str, what: &str, about: &SupplierId) -> Result<(), Fault> {
        match self.supplier {
            Some(own) if own != about => {
                Err(Fault::wrong(path, &format!("{what} of another supplier than {own}, whom alone the hook speaks for")))
            }
            _ => Ok(()),
        }
    }

    /// An order's lines.
    fn order(&self, path: &str, name: &Name) -> Result<&[PurchaseLine], Fault> {
        let lines = self.known.order(name).ok_or_else(|| Fault::unknown(path, "order", &name.0))?;
        for line in lines {
            self.may_speak(path, &format!("order {} is", clean(&name.0, 60)), &line.supplier)?;
        }
        Ok(lines)
    }

    fn whole_order(
        &self,
        name: Option<&Name>,
        told: impl Fn(&PurchaseLine) -> (Option<Quantity>, Option<UnitPrice>),
    ) -> Result<Vec<NoticeLine>, Fault> {
        let name = name.ok_or_else(|| Fault::wrong("data.order", "missing; name the order, or its lines"))?;
        let lines = self.order("data.order", name)?.iter().map(|ordered| {
            let (qty, price) = told(ordered);
            NoticeLine {
                po_line: Some(ordered.id.clone()),
                order: ordered.order_name.clone(),
                item: Some(ordered.item.clone()),
                item_text: clean(self.known.label(&ordered.item), WORDS_MAX),
                qty,
                price,
                date: None,
                lot: String::new(),
            }
        });
        Ok(lines.collect())
    }

    fn some_lines<'l, L>(&self, lines: &'l [L], order: Option<&'l Name>, must: bool) -> Result<Vec<NoticeLine>, Fault>
    where
        Asked<'l>: From<&'l L>,
    {
        counted("data.lines", lines.len())?;
        self.lines(lines, order, must)
    }

    /// Lines with their order (`order` where they name none; `must` there be one) and item looked up.
    fn lines<'l, L>(&self, lines: &'l [L], order: Option<&'l Name>, must: bool) -> Result<Vec<NoticeLine>, Fault>
    where
        Asked<'l>: From<&'l L>,
    {
        if lines.len() > LINES_MAX {
            return Err(Fault::wrong("data.lines", &format!("at most {LINES_MAX} are taken")));
        }
        let with_order = lines.iter().map(|line| {
            let asked = Asked::from(line);
            Asked { order: asked.order.or(order), ..asked }
        });
        with_order.enumerate().map(|(i, asked)| self.line(&format!("data.lines[{i}]"), asked, must)).collect()
    }

    fn line(&self, path: &str, asked: Asked<'_>, must: bool) -> Result<NoticeLine, Fault> {
        self.day_of(&format!("{path}.date"), asked.date)?;
        let qty = asked.qty.map(|q| quantity(&format!("{path}.qty"), q)).transpose()?;
        let price = asked.price.map(|p| within(&format!("{path}.price"), p.0, AMOUNT_MAX).map(UnitPrice)).transpose()?;
        let ordered = match asked.order {
            Some(name) => self.order(&format!("{path}.order"), name)?,
            None if must => {
                return Err(Fault::wrong(&format!("{path}.order"), "missing; name the order here or in data.order"));
            }
            None => &[],
        };
        let names = [asked.item_id, asked.sku, asked.gtin];
        let item = self.item(path, names)?;
        let named = names.iter().any(Option::is_some) || asked.description.is_some();
        let by_line = asked.line.and_then(|line| ordered.iter().find(|l| l.id == line.0));
        if let (Some(line), Some(item)) = (by_line, &item)
            && line.item != *item
        {
            return Err(Fault::wrong(
                &format!("{path}.line"),
                &format!("line {} is of another item than is named", line.id),
            ));
        }
        if by_line.is_none() && !named {
            return Err(match asked.line {
                // A number of the sender's own says nothing without the item.
                Some(line) => Fault::unknown(&format!("{path}.line"), "line", &line.0),
                None => Fault::wrong(path, "names no item; give item_id, sku, gtin or our id of the line"),
            });
        }
        let found = by_line.or_else(|| {
            let mut same = ordered.iter().filter(|l| Some(&l.item) == item.as_ref()).peekable();
            let first = same.peek().copied();
            same.find(|l| Some(l.qty) == qty).or(first)
        });
        let item = item.or_else(|| found.map(|l| l.item.clone()));
        let words = asked.description.or_else(|| Some(names.into_iter().flatten().next()?.0.as_str()));
        let label = || item.as_ref().map_or("", |i| self.known.label(i));
        Ok(NoticeLine {
            po_line: found.map(|l| l.id.clone()),
            order: ordered.first().map_or_else(String::new, |l| l.order_name.clone()),
            item_text: clean(words.unwrap_or_else(label), WORDS_MAX),
            item,
            qty,
            price,
            date: asked.date,
            lot: clean(asked.lot.unwrap_or_default(), WORDS_MAX),
        })
    }

    /// The item of an id, SKU and GTIN, as far as they are given and known; they may not contradict each other.
    fn item(&self, path: &str, [id, sku, gtin]: [Option<&Name>; 3]) -> Result<Option<ItemId>, Fault> {
        let by_id = id.and_then(|n| self.known.item(n));
        let by_sku = sku.and_then(|n| self.known.sku(n));
        if let (Some(a), Some(b)) = (&by_id, &by_sku)
            && a != b
        {
            return Err(Fault::wrong(path, "item_id and sku name different items"));
        }
        Ok(by_id.or(by_sku).or_else(|| gtin.and_then(|n| self.known.sku(n))))
    }

    fn must_item(&self, path: &str, names: [Option<&Name>; 3]) -> Result<ItemId, Fault> {
        let found = self.item(path, names)?;
        found.ok_or_else(|| match names.into_iter().flatten().next() {
            Some(name) => Fault::unknown(path, "item", &name.0),
            None => Fault::wrong(path, "names no item; give item_id, sku or gtin"),
        })
    }

    fn day_of(&self, path: &str, day: Option<Date>) -> Result<(), Fault> {
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

fn counted(path: &str, count: usize) -> Result<(), Fault> {
    match count {
        0 => Err(Fault::wrong(path, "must not be empty")),
        1..=LINES_MAX => Ok(()),
        _ => Err(Fault::wrong(path, &format!("at most {LINES_MAX} are taken"))),
    }
}

fn quantity(path: &str, amount: Amount) -> Result<Quantity, Fault> {
    Ok(Quantity(within(path, amount.0, QUANTITY_MAX)?.round_dp(4).normalize()))
}

fn within(path: &str, amount: Decimal, max: i64) -> Result<Decimal, Fault> {
    if amount.is_sign_negative() && !amount.is_zero() {
        return Err(Fault::wrong(path, &format!("{amount} is below zero")));
    }
    if amount > Decimal::from(max) {
        return Err(Fault::wrong(path, &format!("{amount} is beyond {max}, the most that is believed")));
    }
    Ok(amount.normalize())
}
