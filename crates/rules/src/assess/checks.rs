//! Hard and soft checks of handbook §5, recomputed from the current book for any action, edited or not. The assessment lets
//! no candidate through that fails a hard one; queueing and the click run the same functions again.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::scene::Scene;
use reeve_domain::action::{Action, Check};
use reeve_domain::book::Place;
use reeve_domain::calendar::days_between;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::master;
use reeve_domain::money::Quantity;
use reeve_domain::record::{PurchaseLine, RecordRef};
use reeve_models::formulas;

use super::projection;

/// Collects checks.
pub(super) struct Checks(Vec<Check>);

impl Checks {
    pub(super) fn hard(&mut self, name: &str, passed: bool, detail: String) {
        self.0.push(Check { name: name.to_owned(), detail, passed, hard: true });
    }

    pub(super) fn soft(&mut self, name: &str, passed: bool, detail: String) {
        self.0.push(Check { name: name.to_owned(), detail, passed, hard: false });
    }
}

/// All checks of an action, hard ones first.
pub(super) fn of(scene: &Scene<'_>, action: &Action) -> Vec<Check> {
    let mut checks = Checks(Vec::new());
    let c = &mut checks;
    super::act::check(scene, c, action);
    // What stops an action is read first.
    checks.0.sort_by_key(|check| !check.hard);
    checks.0
}

/// The checks of each step of a plan, on what the steps before it leave at a donor.
pub(super) fn of_steps(scene: &Scene<'_>, actions: &[Action]) -> Vec<Vec<Check>> {
    let mut promised = scene.promised.clone();
    let mut all = Vec::new();
    for action in actions {
        all.push(of(&Scene { promised: &promised, ..*scene }, action));
        if let Some((item, from, quantity)) = action.donor() {
            *promised.entry((item.clone(), from.clone())).or_default() += quantity;
        }
    }
    all
}

/// Did every hard check pass?
pub(super) fn legal(checks: &[Check]) -> bool {
    checks.iter().all(|c| c.passed || !c.hard)
}

pub(super) fn not_past(scene: &Scene<'_>, c: &mut Checks, name: &str, day: Date) {
    c.hard(name, day >= scene.book.today, format!("{day}, today is {}", scene.book.today));
}

pub(super) fn known_place(scene: &Scene<'_>, c: &mut Checks, item: &ItemId, location: &LocationId) {
    let known = scene.book.items.contains_key(item) && scene.book.locations.contains_key(location);
    c.hard("item and location are known", known, format!("item {item}, location {location}"));
}

/// The line, if it is open and the quantity fits.
pub(super) fn open_line<'b>(
    scene: &Scene<'b>,
    c: &mut Checks,
    po_line: &str,
    quantity: Quantity,
) -> Option<&'b PurchaseLine> {
    let line = scene.book.po_lines.get(po_line).filter(|l| l.confirmed);
    let open = scene.book.open_quantity(po_line);
    c.hard("line is open", line.is_some() && open.is_positive(), format!("{open} units to come on line {po_line}"));
    let fits = quantity.is_positive() && quantity <= open;
    c.hard("quantity ≤ open quantity", fits, format!("{quantity} ≤ {open}"));
    line
}

/// Is the safety stock kept on every day until `until` when `quantity` of `line` does not come before? With the lowest level
/// found, and the safety stock.
pub(super) fn covered_until(
    scene: &Scene<'_>,
    place: &Place,
    line: Option<&str>,
    quantity: f64,
    until: Date,
) -> (bool, f64, f64) {
    let days = days_between(scene.book.today, until).max(0) as u32;
    let (mu_d, sigma_d) = scene.outlook.per_day(place);
    let supplier = projection::offer(scene.book, place).map(|o| o.supplier.clone());
    let lead = supplier.and_then(|s| projection::lead_time(scene.book, place, &s));
    // Where no lead time is known the stock has to last for the very days that are looked at.
    let (lead_days, lead_sd) = lead.map_or((f64::from(days), 0.0), |l| (l.days, l.sd));
    let sigma = formulas::window_sigma(lead_days, sigma_d, mu_d, lead_sd);
    let safety = formulas::safety_stock(projection::service_z(scene), sigma);
    let arrivals = projection::arrivals(scene.book, place);
    let available = scene.book.available(&place.0, &place.1).to_f64();
    let mut lowest = f64::INFINITY;
    for day in 0..=days {
        let came: f64 = arrivals
            .iter()
            // What comes on a day can be sold from the next morning on.
            .filter(|a| a.day < day)
            .map(|a| if Some(a.po_line.as_str()) == line { (a.qty - quantity).max(0.0) } else { a.qty })
            .sum();
        lowest = lowest.min(available + came - scene.outlook.window(place, 0, day).0);
    }
    (lowest >= safety, lowest, safety)
}

/// Is it a positive number of whole packs?
pub(super) fn whole_packs(c: &mut Checks, quantity: Quantity, multiple: Quantity) {
    let whole = quantity.is_positive() && (multiple.0 <= Decimal::ZERO || (quantity.0 % multiple.0).is_zero());
    c.hard("quantity is a pack multiple", whole, format!("{quantity}, packs of {multiple}"));
}

/// Does the field still say what it said?
pub(super) fn still(scene: &Scene<'_>, c: &mut Checks, record: &RecordRef, field: &str, old: &str) {
    let now = master::field(scene.book, record, field);
    let shown = now.clone().unwrap_or_else(|| "nothing".to_owned());
    // What was empty when it was computed must still be.
    c.hard("old value as still read", now.as_deref().unwrap_or_default() == old, format!("{record} {field} says {shown}"));
}
