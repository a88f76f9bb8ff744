//! The records by line, with names replaced by numbers and dates by day numbers. It judges nothing, and nothing hangs on the order in
//! which records came.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::records::{Bill, Notice, NoticeKind, PurchaseLine, ReceivingError, Records};

/// One line with all that happened to it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) po: usize,
    pub(super) vendor: usize,
    pub(super) item: usize,
    pub(super) location: usize,
    /// Day numbers.
    pub(super) ordered: i32,
    pub(super) promised: i32,
    pub(super) quantity: f64,
    pub(super) price: f64,
    /// Day and quantity of each receipt, in order of day.
    pub(super) parts: Vec<(i32, f64)>,
    /// Quantity billed and mean price, where there is a bill.
    pub(super) billed: Option<(f64, f64)>,
    /// Day of the last receipt or bill: from then on the line can be judged. `None` while nothing has come.
    pub(super) complete: Option<i32>,
    /// What notices on file say about this line: change of price, bonus share, delay in days. 0 for none.
    pub(super) price_notice: f64,
    pub(super) bonus_notice: f64,
    pub(super) delay_notice: f64,
}

impl Entry {
    pub(super) fn received(&self) -> f64 {
        self.parts.iter().map(|(_, quantity)| quantity).sum()
    }

    /// Smallest step of its quantities: one where all are whole, a thousandth where some are weighed.
    pub(super) fn step(&self) -> f64 {
        let whole = |quantity: f64| (quantity - quantity.round()).abs() < 1e-6;
        let all = whole(self.quantity) && self.parts.iter().all(|(_, quantity)| whole(*quantity));
        if all { 1.0 } else { 1e-3 }
    }

    /// Logarithm of one of its quantities over another, where either may be 0.
    pub(super) fn ratio(&self, over: f64, under: f64) -> f64 {
        let half = self.step() / 2.0;
        ((over + half) / (under + half)).ln()
    }

    pub(super) fn first(&self) -> Option<i32> {
        self.parts.first().map(|(day, _)| *day)
    }
}

/// Packs of an item that are looked at: of more, any ratio would be near one.
const PACKS_MAX: usize = 6;

/// The records by line, and the order in which lines can be judged.
pub(super) struct Ledger {
    pub(super) entries: Vec<Entry>,
    /// Where each entry stands in [`Records::lines`].
    pub(super) places: Vec<usize>,
    /// Indices of entries by the day they are complete; of one day in the order of the lines' identities.
    pub(super) order: Vec<usize>,
    /// Units in the packs that each item was ordered in.
    pub(super) packs_of: Vec<Vec<f64>>,
    pub(super) vendors: usize,
    pub(super) locations: usize,
}

/// Numbers names in the order of their appearance.
#[derive(Default)]
struct Names<'a>(BTreeMap<&'a str, usize>);

impl<'a> Names<'a> {
    fn number(&mut self, name: &'a str) -> usize {
        let next = self.0.len();
        *self.0.entry(name).or_insert(next)
    }
}

const EPOCH: Date = Date::constant(1970, 1, 1);

/// Days since 1970-01-01.
fn day(date: Date) -> i32 {
    let since = date.since(EPOCH).expect("two dates are a span of days apart");
    since.get_days()
}

/// The day of a number.
pub(super) fn date(day: i32) -> Date {
    EPOCH.saturating_add(jiff::Span::new().days(day))
}

fn check(line: &str, field: &'static str, value: f64) -> Result<f64, ReceivingError> {
    let good = value.is_finite() && value >= 0.0;
    if good { Ok(value) } else { Err(ReceivingError::Number { line: line.to_owned(), field, value }) }
}

impl Ledger {
    /// Puts records together. Receipts and bills of lines that are not there are left out: they are another matter.
    pub(super) fn new(records: &Records) -> Result<Self, ReceivingError> {
        let (mut pos, mut vendors, mut locations) = (Names::default(), Names::default(), Names::default());
        let (mut items, mut packs_of) = (Names::default(), Vec::<Vec<f64>>::new());
        let mut index: BTreeMap<&str, usize> = BTreeMap::new();
        let mut own: BTreeMap<&str, Vec<&Notice>> = BTreeMap::new();
        let mut common: Vec<&Notice> = Vec::new();
        for notice in &records.notices {
            match &notice.line {
                Some(line) => own.entry(line).or_default().push(notice),
                None => common.push(notice),
            }
        }
        let mut entries = Vec::with_capacity(records.lines.len());
        // By identity, so that nothing hangs on the order in which records come.
        let mut places: Vec<usize> = (0..records.lines.len()).collect();
        places.sort_by(|a, b| records.lines[*a].line.cmp(&records.lines[*b].line));
        for (at, line) in places.iter().map(|place| &records.lines[*place]).enumerate() {
            if index.insert(&line.line, at).is_some() {
                return Err(ReceivingError::Twice(line.line.clone()));
            }
            let item = items.number(&line.item);
            let pack = check(&line.line, "pack size", line.pack_size)?;
            packs_of.resize_with(packs_of.len().max(item + 1), Vec::new);
            if !packs_of[item].contains(&pack) && packs_of[item].len() < PACKS_MAX {
                packs_of[item].push(pack);
            }
            let named = own.get(line.line.as_str()).map_or(&[][..], Vec::as_slice);
            let said = |kind| notice(named, &common, line, kind);
            entries.push(Entry {
                po: pos.number(&line.po),
                vendor: vendors.number(&line.vendor),
                item,
                location: locations.number(&line.location),
                ordered: day(line.ordered),
                promised: day(line.promised),
                quantity: check(&line.line, "quantity", line.quantity)?,
                price: check(&line.line, "price", line.price)?,
                parts: Vec::new(),
                billed: None,
                complete: None,
                price_notice: said(NoticeKind::PriceChange),
                bonus_notice: said(NoticeKind::Bonus),
                delay_notice: said(NoticeKind::Delay),
            });
        }
        for receipt in &records.receipts {
            let quantity = check(&receipt.line, "quantity received", receipt.quantity)?;
            if let Some(&at) = index.get(receipt.line.as_str()) {
                entries[at].parts.push((day(receipt.date), quantity));
                entries[at].complete = entries[at].complete.max(Some(day(receipt.date)));
            }
        }
        // A mean price is a sum, and a sum hangs on its order in the last bit.
        let mut bills: Vec<&Bill> = records.bills.iter().collect();
        bills
            .sort_by(|a, b| (a.date.cmp(&b.date)).then(a.quantity.total_cmp(&b.quantity)).then(a.price.total_cmp(&b.price)));
        for bill in bills {
            let quantity = check(&bill.line, "quantity billed", bill.quantity)?;
            let price = check(&bill.line, "price billed", bill.price)?;
            if let Some(&at) = index.get(bill.line.as_str()) {
                let (sum, mean) = entries[at].billed.unwrap_or((0.0, price));
                let total = sum + quantity;
                let mean = if total > 0.0 { (mean * sum + price * quantity) / total } else { price };
                entries[at].billed = Some((total, mean));
                // A late bill makes a line complete later: until then nobody could have judged its price.
                entries[at].complete = entries[at].complete.max(Some(day(bill.date)));
            }
        }
        for entry in &mut entries {
            entry.parts.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        }
        // In this order lines are judged and learned, so that each is judged by what was known on its day.
        let mut order: Vec<usize> =
            (0..entries.len()).filter(|at| entries[*at].complete.is_some() && entries[*at].quantity > 0.0).collect();
        order.sort_by_key(|at| (entries[*at].complete, *at));
        Ok(Ledger { places, packs_of, order, vendors: vendors.0.len(), locations: locations.0.len(), entries })
    }
}

/// The value of the notice of a kind that holds for a line; 0 for none. Of several the one that says most exactly what it is about
/// holds, then the newest, then the larger. `own` are those that name the line, `common` those that name none: a shop may have a
/// notice for each line, which are not all to be looked through for every other.
fn notice(own: &[&Notice], common: &[&Notice], line: &PurchaseLine, kind: NoticeKind) -> f64 {
    let about = |name: &Option<String>, this: &str| name.as_deref().is_none_or(|n| n == this);
    let holds = |n: &&&Notice| {
        n.kind == kind
            && n.value.is_finite()
            && about(&n.vendor, &line.vendor)
            && about(&n.location, &line.location)
            && (n.from..=n.to).contains(&line.promised)
    };
    let said = own.iter().chain(common).filter(holds);
    let exactness = |n: &Notice| [n.line.is_some(), n.vendor.is_some(), n.location.is_some()];
    let best = said
        .max_by(|a, b| (exactness(a), a.from, a.to).cmp(&(exactness(b), b.from, b.to)).then(a.value.total_cmp(&b.value)));
    best.map_or(0.0, |n| n.value)
}
