//! What was injected into a recording, and what counts as having found it. For scoring only: nothing else reads it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use jiff::civil::Date;
use serde::Deserialize;

use reeve_domain::book::Book;
use reeve_domain::calendar::plus_days;
use reeve_domain::exception::{Exception, ExceptionType as T};

/// One injected anomaly, look-alike or derived stock-out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Event {
    /// Its name in the truth.
    pub id: String,
    /// Its class.
    pub class: String,
    /// A look-alike with a business explanation: must not alarm.
    pub explained: bool,
    product: Option<String>,
    products: Vec<String>,
    warehouse: Option<String>,
    po_id: Option<u64>,
    bill_id: Option<u64>,
    duplicate_bill_id: Option<u64>,
    sale_order_ids: Vec<u64>,
    supplier: Option<String>,
    /// The supplier's id in the recording, looked up in the truth's list by its name.
    #[serde(skip)]
    supplier_id: Option<String>,
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
    /// Suppliers by name, with their ids.
    suppliers: BTreeMap<String, u64>,
    events: Vec<Event>,
}

/// Everything that was injected.
pub struct Truth {
    /// First and last day of the recording.
    pub window: (Date, Date),
    /// What was injected.
    pub events: Vec<Event>,
}

impl Truth {
    /// Reads `truth.json` beside a recording.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    pub fn read(recording: &Path) -> anyhow::Result<Self> {
        let path = recording.join("truth.json");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("reading {}: only a recording with a truth can be scored", path.display()))?;
        let mut file: TruthFile =
            serde_json::from_str(&text).with_context(|| format!("understanding {}", path.display()))?;
        for event in &mut file.events {
            let Some(name) = &event.supplier else { continue };
            let id = file.suppliers.get(name).with_context(|| {
                format!("{}: {} names the supplier {name:?}, who is not in its list of suppliers", path.display(), event.id)
            })?;
            event.supplier_id = Some(id.to_string());
        }
        Ok(Self { window: file.window, events: file.events })
    }
}

impl Event {
    /// The types under which this event may be found.
    pub fn types(&self) -> &'static [T] {
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
            "receipt_unordered_item" => &[T::RUnplanned, T::RSubst],
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

    /// Is this exception about the event's subject, within its days? What the event names has to be named by the exception too,
    /// and be the same: by item and place, or by the very document. An exception that names neither is about something else.
    fn concerns(&self, book: &Book, exception: &Exception) -> bool {
        let signal = &exception.signal;
        let subject = &signal.subject;
        if signal.code == T::SLtShift {
            let id = subject.supplier.as_ref().map(ToString::to_string);
            return id.is_some() && id == self.supplier_id && self.systematic;
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
        let parts = Named {
            item: agrees(self.product.iter().chain(&self.products), sku.as_ref()),
            place: agrees(&self.warehouse, code.as_ref()),
            order: agrees(&self.po_id.map(|id| id.to_string()), subject.order.as_ref()),
            bill: agrees(
                &[self.bill_id, self.duplicate_bill_id].into_iter().flatten().map(|id| id.to_string()).collect::<Vec<_>>(),
                subject.bill.as_ref(),
            ),
            supplier: agrees(&self.supplier_id, subject.supplier.as_ref().map(ToString::to_string).as_ref()),
            // One item of several is enough: a receipt that repeats another is one exception.
            one_item: self.product.is_some(),
        };
        // Two sales orders are no place: whatever else goes wrong there is not them.
        let sales = self.sale_order_ids.is_empty()
            || self.sale_order_ids.iter().any(|id| signal.links.contains(&format!("order:{id}")));
        sales && parts.are_of_one_thing()
    }

    /// Has this exception found the event, under the right type?
    pub fn is_found_by(&self, book: &Book, exception: &Exception) -> bool {
        self.types().contains(&exception.signal.code) && self.concerns(book, exception)
    }

    /// Does the exception show the event, under the right type or from another side?
    pub fn is_shown_by(&self, book: &Book, exception: &Exception) -> bool {
        let types = self.types().contains(&exception.signal.code) || self.sides().contains(&exception.signal.code);
        types && self.concerns(book, exception)
    }
}

/// How something that an event may name stands in an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Agrees {
    /// The event does not name it, or it is about all of them.
    Unasked,
    /// Both name the same.
    Same,
    /// The exception does not say.
    Silent,
    /// They name different things.
    Different,
}

/// Compares what an event names (one of several; `*` is all of them) with what an exception names.
fn agrees<'a>(wanted: impl IntoIterator<Item = &'a String>, found: Option<&String>) -> Agrees {
    let wanted: Vec<&String> = wanted.into_iter().collect();
    match found {
        _ if wanted.is_empty() || wanted.iter().any(|one| *one == "*") => Agrees::Unasked,
        Some(found) if wanted.contains(&found) => Agrees::Same,
        Some(_) => Agrees::Different,
        None => Agrees::Silent,
    }
}

/// What an event and an exception may both name.
#[derive(Clone, Copy, Debug)]
struct Named {
    item: Agrees,
    place: Agrees,
    order: Agrees,
    bill: Agrees,
    supplier: Agrees,
    /// Does the event name one item, so that an exception of its document that is silent on it is about something else?
    one_item: bool,
}

impl Named {
    /// Nothing is named differently; and either the very document is named by both, or whatever the event names of item and
    /// place is, and it names one of them at all.
    fn are_of_one_thing(self) -> bool {
        let all = [self.item, self.place, self.order, self.bill, self.supplier];
        if all.contains(&Agrees::Different) {
            return false;
        }
        // Of a bill nothing less than the bill will do: the order's own price is another matter.
        let named = self.bill != Agrees::Silent && !(self.one_item && self.item == Agrees::Silent);
        let by_document = named && [self.order, self.bill].contains(&Agrees::Same);
        let subject = [self.item, self.place];
        by_document || (named && subject.contains(&Agrees::Same) && !subject.contains(&Agrees::Silent))
    }
}

/// Did the place of a shortage exception really run out within three weeks of being called short? Derived from the rows.
pub fn ran_out(book: &Book, exception: &Exception) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_subject_is_a_miss_and_an_id_is_compared_as_an_id() {
        use Agrees::{Different, Same, Silent, Unasked};
        let (one, other) = ("44".to_owned(), "45".to_owned());
        assert_eq!(agrees(None, Some(&one)), Unasked);
        assert_eq!(agrees([&"*".to_owned()], None), Unasked);
        assert_eq!(agrees([&one], None), Silent);
        assert_eq!(agrees([&one, &other], Some(&other)), Same);
        assert_eq!(agrees([&one], Some(&other)), Different);
        for (item, place, order, bill, supplier, of_one) in [
            (Same, Same, Same, Silent, Same, false),
            (Same, Same, Unasked, Unasked, Unasked, true),
            (Same, Unasked, Unasked, Unasked, Unasked, true),
            (Unasked, Same, Unasked, Unasked, Unasked, true),
            (Same, Silent, Unasked, Unasked, Unasked, false),
            (Silent, Same, Unasked, Unasked, Unasked, false),
            (Silent, Silent, Unasked, Unasked, Unasked, false),
            (Unasked, Unasked, Unasked, Unasked, Unasked, false),
            (Silent, Silent, Same, Unasked, Silent, true),
            (Silent, Same, Silent, Same, Same, true),
            (Unasked, Same, Silent, Unasked, Silent, true),
            (Unasked, Silent, Silent, Unasked, Same, false),
            (Same, Same, Different, Unasked, Same, false),
            (Same, Same, Same, Unasked, Different, false),
        ] {
            let named = Named { item, place, order, bill, supplier, one_item: false };
            assert_eq!(named.are_of_one_thing(), of_one, "{named:?}");
            let one = Named { one_item: true, ..named };
            assert_eq!(one.are_of_one_thing(), of_one && item != Silent, "{one:?}");
        }
    }

    #[test]
    fn an_event_of_a_supplier_that_is_not_listed_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let write = |suppliers: &str| {
            let text = format!(
                "{{\"window\": [\"2026-08-01\", \"2026-10-31\"], \"suppliers\": {suppliers}, \"events\": [{{\"id\": \"T1\", \
                 \"class\": \"receipt_late\", \"supplier\": \"Acme\"}}]}}"
            );
            std::fs::write(folder.path().join("truth.json"), text).unwrap();
            Truth::read(folder.path())
        };
        assert_eq!(write("{\"Acme\": 7}").unwrap().events[0].supplier_id.as_deref(), Some("7"));
        let error = write("{\"Acme Inc\": 7}").err().unwrap().to_string();
        assert!(error.contains("T1") && error.contains("\"Acme\""), "{error}");
    }
}
