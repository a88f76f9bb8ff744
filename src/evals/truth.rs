//! What was injected into a recording, and what counts as having found it. For scoring only: nothing else reads it.

use std::path::Path;

use anyhow::Context;
use jiff::civil::Date;
use serde::Deserialize;

use crate::domain::book::Book;
use crate::domain::calendar::plus_days;
use crate::domain::exception::{Exception, ExceptionType as T};

/// One injected anomaly, look-alike or derived stock-out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    /// Its name in the truth.
    pub(super) id: String,
    /// Its class.
    pub(super) class: String,
    /// A look-alike with a business explanation: must not alarm.
    pub(super) explained: bool,
    product: Option<String>,
    products: Vec<String>,
    warehouse: Option<String>,
    po_id: Option<u64>,
    bill_id: Option<u64>,
    duplicate_bill_id: Option<u64>,
    supplier: Option<String>,
    systematic: bool,
    subtype: String,
    date: Option<Date>,
    date_from: Option<Date>,
    date_to: Option<Date>,
    received: Option<Date>,
    planned: Option<Date>,
    original_planned: Option<Date>,
    ordered: Option<Date>,
    bill_date: Option<Date>,
}

#[derive(Deserialize)]
struct TruthFile {
    window: (Date, Date),
    events: Vec<Event>,
}

/// Everything that was injected.
pub(super) struct Truth {
    /// First and last day of the recording.
    pub(super) window: (Date, Date),
    /// What was injected.
    pub(super) events: Vec<Event>,
}

impl Truth {
    /// Reads `truth.json` beside a recording.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub(super) fn read(recording: &Path) -> anyhow::Result<Self> {
        let path = recording.join("truth.json");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("reading {}: only a recording with a truth can be scored", path.display()))?;
        let file: TruthFile = serde_json::from_str(&text).with_context(|| format!("understanding {}", path.display()))?;
        Ok(Self { window: file.window, events: file.events })
    }
}

impl Event {
    /// The types under which this event may be found.
    pub(super) fn types(&self) -> &'static [T] {
        match self.class.as_str() {
            "demand_spike" => &[T::DSpike],
            "demand_collapse" => &[T::DCollapse, T::IPhantom],
            "demand_level_shift" | "demand_slow_decline" => &[T::DShift],
            "promotion_without_uplift" => &[T::DPromoUnder],
            "receipt_short" => &[T::RShort],
            "receipt_over" => &[T::ROver],
            "receipt_late" => &[T::RLate],
            "receipt_early" => &[T::REarly],
            "receipt_overdue_open" => &[T::SOverdue],
            "receipt_duplicate" => &[T::RDup],
            "receipt_unordered_item" => &[T::RUnplanned],
            "vendor_return" => &[T::RDamage],
            "po_price_above_contract" | "bill_price_mismatch" => &[T::FPrice],
            "bill_qty_mismatch" => &[T::FQty],
            "bill_duplicate" => &[T::FDupBill],
            "count_variance" if self.subtype == "recurring_shrinkage" => &[T::ICount, T::IShrink],
            "count_variance" => &[T::ICount],
            "negative_on_hand" => &[T::INeg],
            "scrap_large" => &[T::IScrap],
            "returns_spike" => &[T::DReturn],
            "duplicate_sale_order" => &[T::DData],
            "stockout" => &[T::IOut, T::ILow],
            _ => &[],
        }
    }

    /// Types that show the same event from another side: what a planner would call real on seeing it, though it is not the
    /// type asked for. Used for precision only, never for recall.
    fn sides(&self) -> &'static [T] {
        match self.class.as_str() {
            "demand_level_shift" => &[T::DSpike],
            "demand_slow_decline" => &[T::DCollapse, T::IPhantom],
            "demand_collapse" => &[T::DShift],
            "receipt_late" if self.systematic => &[T::SOverdue, T::SLtShift],
            "receipt_late" => &[T::SOverdue],
            "receipt_overdue_open" if self.systematic => &[T::SLtShift],
            "receipt_duplicate" => &[T::ICount],
            _ => &[],
        }
    }

    /// First and last day on which it can be seen, with two weeks for slow ones to be noticed (four for a drift).
    fn days(&self) -> Option<(Date, Date)> {
        let from = [self.date_from, self.date, self.received, self.bill_date, self.ordered, self.planned]
            .into_iter()
            .flatten()
            .next()?;
        let from = [Some(from), self.original_planned, self.planned].into_iter().flatten().min()?;
        let open_ended = self.date_from.is_some() && self.date_to.is_none();
        let last = [self.date_to, self.date, self.received, self.bill_date].into_iter().flatten().max().unwrap_or(from);
        Some((from, plus_days(last, if open_ended { 42 } else { 14 })))
    }

    /// Is this exception about the event's subject, within its days?
    fn concerns(&self, book: &Book, exception: &Exception) -> bool {
        let signal = &exception.signal;
        let subject = &signal.subject;
        if signal.code == T::SLtShift {
            let name = subject.supplier.as_ref().map(|s| book.supplier_name(s));
            return name.is_some() && name == self.supplier && self.systematic;
        }
        let Some((from, to)) = self.days() else { return false };
        let first_seen = book.calendar.day_of(exception.first_seen);
        // A stock-out is foreseen before it is there.
        let lead = if self.class == "stockout" { 14 } else { 1 };
        if first_seen > to || book.calendar.day_of(exception.last_seen) < plus_days(from, -lead) {
            return false;
        }
        let sku = subject.item.as_ref().and_then(|i| book.items.get(i)).map(|i| i.sku.clone());
        let code = subject.location.as_ref().and_then(|l| book.locations.get(l)).map(|l| l.code.clone());
        let named = |wanted: Option<&String>, found: Option<&String>| match (wanted.map(String::as_str), found) {
            (None | Some("*"), _) | (_, None) => true,
            (Some(wanted), Some(found)) => wanted == found,
        };
        let bill = |id: Option<u64>| id.map(|b| b.to_string());
        let bills = [bill(self.bill_id), bill(self.duplicate_bill_id)];
        let by_bill = subject.bill.is_none() || bills.iter().all(Option::is_none) || bills.contains(&subject.bill);
        let by_order = match (self.po_id, &subject.order) {
            (Some(po), Some(order)) => po.to_string() == *order,
            _ => true,
        };
        let one_of = self.products.is_empty() || sku.as_ref().is_none_or(|sku| self.products.contains(sku));
        let has_subject =
            subject.item.is_some() || subject.order.is_some() || subject.bill.is_some() || subject.document.is_some();
        has_subject
            && named(self.product.as_ref(), sku.as_ref())
            && named(self.warehouse.as_ref(), code.as_ref())
            && by_bill
            && by_order
            && one_of
    }

    /// Has this exception found the event, under the right type?
    pub(super) fn is_found_by(&self, book: &Book, exception: &Exception) -> bool {
        self.types().contains(&exception.signal.code) && self.concerns(book, exception)
    }

    /// Does the exception show the event, under the right type or from another side?
    pub(super) fn is_shown_by(&self, book: &Book, exception: &Exception) -> bool {
        let types = self.types().contains(&exception.signal.code) || self.sides().contains(&exception.signal.code);
        types && self.concerns(book, exception)
    }
}

/// Did the place of a shortage exception really run out within three weeks of being called short? Derived from the rows.
pub(super) fn ran_out(book: &Book, exception: &Exception) -> bool {
    let subject = &exception.signal.subject;
    let (Some(item), Some(location)) = (&subject.item, &subject.location) else { return false };
    if !matches!(exception.signal.code, T::IOut | T::ILow | T::IImbal) {
        return false;
    }
    let from = book.calendar.day_of(exception.first_seen);
    let days = book.days_from(from, location).len();
    let levels = book.on_hand_by_day(item, location, from);
    levels.iter().take(days.min(21)).any(|level| *level <= 0.0)
}
