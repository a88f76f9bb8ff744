//! Hard and soft checks of handbook §5, recomputed from the current book for any action, edited or not. The assessment lets
//! no candidate through that fails a hard one; queueing and the click run the same functions again.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::role::Role;
use crate::scene::Scene;
use reeve_domain::action::{Action, Check};
use reeve_domain::book::Place;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::PurchaseLine;
use reeve_models::formulas;

use super::bills::{self, BASIS_TWICE};
use super::catalogue;
use super::gathered;
use super::matching::{self, BASIS_BILL, CLAIM_DAYS};
use super::projection;
use super::receiving::{self, BASIS_RETURN};
use super::shortage;
use super::three_way::three_way;
use super::working;

/// Claims below this are not worth the relationship (handbook §5).
const CLAIM_LEAST: Money = Money::from_minor(2_500);
/// A first order above this many times the computed need gets a warning.
const UNUSUAL_ORDER: f64 = 2.0;
/// Days in which accepted variances of a supplier count together.
const VARIANCE_DAYS: i32 = 90;

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
    match action {
        Action::Expedite { po_line, quantity, new_date, surcharge_max } => {
            expedite(scene, c, po_line, *quantity, *new_date, *surcharge_max);
        }
        Action::DeferPo { po_line, quantity, new_date } => less(scene, c, po_line, *quantity, Some(*new_date)),
        Action::CancelPo { po_line, quantity } => less(scene, c, po_line, *quantity, None),
        Action::NewPo { item, supplier, quantity, price, need_date, destination } => {
            let place = (item.clone(), destination.clone());
            new_po(scene, c, &place, supplier, *quantity, *price, *need_date);
        }
        Action::Transfer { item, from, to, quantity, ship_on } => transfer(scene, c, item, from, to, *quantity, *ship_on),
        Action::IncreasePo { .. }
        | Action::SplitShip { .. }
        | Action::AltSupplier { .. }
        | Action::Reallocate { .. }
        | Action::AdjustParam { .. }
        | Action::ForecastFix { .. }
        | Action::MarkEvent { .. }
        | Action::AdjustStock { .. }
        | Action::HoldQc { .. }
        | Action::Return { .. }
        | Action::FixMaster { .. }
        | Action::PromoChange { .. }
        | Action::Markdown { .. } => catalogue::check(scene, c, action),
        Action::Recount { item, location, deadline, not_by } => {
            known_place(scene, c, item, location);
            not_past(scene, c, "deadline is not past", *deadline);
            let who = not_by.as_deref().unwrap_or("nobody is excluded");
            c.soft("somebody else counts", not_by.is_some(), who.to_owned());
        }
        Action::Claim { supplier, bill: Some(bill), lines, value, .. } => {
            bills::claim_back(scene, c, supplier, bill, *value);
            c.hard("no lines beside the bill", lines.is_empty(), format!("{} lines", lines.len()));
            worth_a_claim(c, *value);
        }
        Action::Claim { supplier, lines, quantity, value, basis, bill: None } => {
            claim(scene, c, supplier, lines, *quantity, *value, basis);
        }
        Action::BlockBill { bill, disputed, .. } => bills::block(scene, c, bill, *disputed),
        Action::AcceptVar { document, variance, .. } => accept(scene, c, document, *variance),
        Action::ReverseDoc { document, duplicate_of } => bills::reverse(scene, c, document, duplicate_of),
        Action::Contact { role, partner, answer_by, .. } => {
            contact(scene, c, role, partner);
            not_past(scene, c, "answer date is not past", *answer_by);
        }
        Action::Monitor { until, .. } => not_past(scene, c, "end of watching is not past", *until),
        // A mute is about Reeve's own list; `noise` checks it.
        Action::NoAction { .. } | Action::Escalate { .. } | Action::Mute { .. } => {}
    }
    // What stops an action is read first.
    checks.0.sort_by_key(|check| !check.hard);
    checks.0
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

fn expedite(scene: &Scene<'_>, c: &mut Checks, po_line: &str, quantity: Quantity, new_date: Date, surcharge: Money) {
    let Some(line) = open_line(scene, c, po_line, quantity) else { return };
    let earliest = projection::earliest_expedite(scene, line);
    let feasible = earliest.is_some_and(|(_, day)| new_date >= day) && new_date > scene.book.today;
    let shown = earliest.map_or_else(|| "no receipt is planned".to_owned(), |(_, day)| format!("{new_date} ≥ {day}"));
    c.hard("new date can be reached", feasible, shown);
    let sooner =
        earliest.is_some_and(|(day, _)| days_between(scene.book.today, new_date) < i32::try_from(day).unwrap_or(i32::MAX));
    c.hard("new date is sooner than expected", sooner, new_date.to_string());
    let promised = scene.book.due(line);
    let owed = promised <= scene.book.today;
    let detail = format!("{surcharge}, promised for {promised}");
    c.hard("no surcharge on what is overdue", !owed || surcharge <= Money::ZERO, detail);
    let day = days_between(scene.book.today, new_date).max(0) as u32;
    let needs = super::needs(scene);
    let saved = |(place, units): &(Place, f64)| {
        let need = needs.get(place).copied().unwrap_or_default();
        // Of a kit a component may be here already, which comes no sooner.
        let to_come = projection::arrivals(scene.book, place).iter().filter(|a| a.po_line == po_line).map(|a| a.qty).sum();
        shortage::saved_by_expediting(scene, place, need, po_line, units.min(to_come), day).unwrap_or(0.0)
    };
    let served = super::places_served(scene.book, line, quantity.to_f64());
    let benefit = Money::from_f64(served.iter().map(saved).sum::<f64>() * super::probability(scene));
    c.hard("surcharge < benefit", surcharge < benefit, format!("{surcharge} < {benefit}"));
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
    let (lead_days, lead_sd) = lead.map_or((f64::from(days), 0.0), |l| (l.days, l.sd));
    let sigma = formulas::window_sigma(lead_days, sigma_d, mu_d, lead_sd);
    let safety = formulas::safety_stock(projection::service_z(scene), sigma);
    let arrivals = projection::arrivals(scene.book, place);
    let available = scene.book.available(&place.0, &place.1).to_f64();
    let mut lowest = f64::INFINITY;
    for day in 0..=days {
        let came: f64 = arrivals
            .iter()
            .filter(|a| a.day < day)
            .map(|a| if Some(a.po_line.as_str()) == line { (a.qty - quantity).max(0.0) } else { a.qty })
            .sum();
        lowest = lowest.min(available + came - scene.outlook.window(place, 0, day).0);
    }
    (lowest >= safety, lowest, safety)
}

/// Defer (with a date) or cancel (without).
fn less(scene: &Scene<'_>, c: &mut Checks, po_line: &str, quantity: Quantity, new_date: Option<Date>) {
    let Some(line) = open_line(scene, c, po_line, quantity) else { return };
    let book = scene.book;
    let place = (line.item.clone(), line.location.clone());
    let promised = book.due(line);
    c.hard("promise is still ahead", promised > book.today, format!("{promised}, today is {}", book.today));
    if let Some(day) = new_date {
        c.hard("new date is later", day > promised, format!("{day} > {promised}"));
    }
    let lead = projection::lead_time(book, &place, &line.supplier).map_or(0, |l| l.days.ceil() as i32);
    // What is cancelled can be had again after a lead time at the earliest.
    let until = new_date.unwrap_or_else(|| plus_days(promised.max(book.today), lead));
    let forecast = scene.outlook.daily.contains_key(&place);
    let (covered, lowest, safety) = covered_until(scene, &place, Some(po_line), quantity.to_f64(), until);
    let detail = format!("{lowest:.1} ≥ {safety:.1} until {until}");
    c.hard("projected stock ≥ safety stock", covered && forecast, detail);
    let waiting = book.waiting(&line.item, &line.location);
    let supply = book.on_shelf(&line.item, &line.location)
        + book.incoming(&line.item, &line.location).iter().map(|i| i.qty).sum::<Quantity>()
        - quantity;
    c.hard("no customer waits for it", waiting <= supply, format!("{waiting} ≤ {supply}"));
}

pub(super) fn new_po(
    scene: &Scene<'_>,
    c: &mut Checks,
    place: &Place,
    supplier: &SupplierId,
    quantity: Quantity,
    price: UnitPrice,
    need_date: Date,
) {
    let book = scene.book;
    let (item, destination) = place;
    known_place(scene, c, item, destination);
    let sold = book.items.get(item).is_some_and(|i| i.sellable);
    c.hard("item is not ending", sold, book.item_label(item));
    let offers: Vec<_> =
        book.supplier_prices_at(item, destination, book.today).into_iter().filter(|p| &p.supplier == supplier).collect();
    let known = book.suppliers.contains_key(supplier) && !offers.is_empty();
    c.hard("supplier is approved for the item", known, book.supplier_name(supplier));
    let listed = offers.iter().find(|o| o.price == Some(price));
    c.hard("price is valid today", listed.is_some(), format!("{price} on {}", book.today));
    let moq = listed.or(offers.first()).map_or(Quantity::ZERO, |o| o.min_qty);
    c.hard("quantity ≥ minimum order", quantity.is_positive() && quantity >= moq, format!("{quantity} ≥ {moq}"));
    let multiple = book.rule(item, destination).map_or(Quantity::units(1), |r| r.multiple);
    let whole = multiple.0 <= Decimal::ZERO || (quantity.0 % multiple.0).is_zero();
    c.hard("quantity is a pack multiple", whole, format!("{quantity}, packs of {multiple}"));
    let levels = projection::levels(scene, place, supplier);
    let up_to = levels.map_or(0.0, |l| l.up_to);
    let position = projection::position(book, place);
    let reorder = levels.map_or(0.0, |l| l.reorder);
    c.hard("no open order covers the need", position < reorder, format!("{position:.1} < {reorder:.1}"));
    not_past(scene, c, "need date is not past", need_date);
    let computed = formulas::order_quantity(up_to, position, moq.to_f64(), multiple.to_f64());
    let usual = quantity.to_f64() <= UNUSUAL_ORDER * computed.max(1.0);
    c.soft("quantity is not above twice the need", usual, format!("{quantity}, need {computed:.0}"));
    let lead = projection::lead_time(book, place, supplier).map_or(0, |l| l.days.ceil() as i32);
    let soon = plus_days(book.today, lead);
    c.soft("need date leaves the lead time", need_date >= soon, format!("{need_date} ≥ {soon}"));
}

fn transfer(
    scene: &Scene<'_>,
    c: &mut Checks,
    item: &ItemId,
    from: &LocationId,
    to: &LocationId,
    quantity: Quantity,
    ship_on: Date,
) {
    let book = scene.book;
    known_place(scene, c, item, from);
    known_place(scene, c, item, to);
    c.hard("lane has two ends", from != to, format!("{} to {}", book.location_name(from), book.location_name(to)));
    let owners = [from, to].map(|l| book.company_of(l).map_or_else(|| "no company".to_owned(), |c| book.company_label(c)));
    let detail = if owners[0] == owners[1] { owners[0].clone() } else { owners.join(" to ") };
    c.hard("companies may transfer", book.may_transfer(from, to), detail);
    c.hard("receiver carries the item", book.carries(item, to), book.location_name(to));
    let spare = Quantity::floor_units(projection::spare(scene, &(item.clone(), from.clone())).units);
    let fits = quantity.is_positive() && quantity <= spare;
    c.hard("quantity ≤ transferable", fits, format!("{quantity} ≤ {spare}"));
    let owner = gathered::needed_elsewhere(scene, item, from);
    let detail = owner.map_or_else(|| "no other case".to_owned(), |o| format!("short in {o}"));
    c.hard("donor is not short itself", owner.is_none(), detail);
    not_past(scene, c, "shipping date is not past", ship_on);
    let arrives = working::trip(scene, from, to, ship_on).1;
    let place = (item.clone(), to.clone());
    let need = super::needs(scene).get(&place).copied().unwrap_or_default();
    let relief = plus_days(book.today, projection::in_days(shortage::relief(scene, &place, need)));
    c.hard("arrives before what is missing comes anyway", arrives < relief, format!("{arrives} < {relief}"));
    let promotion = book.promotions_at(item, from).find(|p| p.to >= book.today && p.from <= plus_days(book.today, 14));
    let detail = promotion.map_or_else(|| "none".to_owned(), |p| format!("from {} to {}", p.from, p.to));
    c.soft("no promotion within 14 days", promotion.is_none(), detail);
}

fn claim(
    scene: &Scene<'_>,
    c: &mut Checks,
    supplier: &SupplierId,
    ids: &[String],
    quantity: Quantity,
    value: Money,
    basis: &str,
) {
    let book = scene.book;
    let lines: Vec<&PurchaseLine> = ids.iter().filter_map(|id| book.po_lines.get(id)).collect();
    let theirs = !ids.is_empty() && lines.len() == ids.len() && lines.iter().all(|l| &l.supplier == supplier);
    c.hard("lines are the supplier's", theirs, format!("{} of {} lines", lines.len(), ids.len()));
    let evidence = lines.iter().all(|l| !book.receipts(&l.id).is_empty());
    c.hard("there is a receipt", evidence, format!("{} lines", lines.len()));
    let until = matching::claim_until(book, &lines);
    let open = until.is_some_and(|day| book.today <= day);
    let detail = until.map_or_else(|| "nothing came".to_owned(), |d| format!("until {d}, {CLAIM_DAYS} days"));
    c.hard("claim window is open", open, detail);
    let owed: Money = if basis == BASIS_BILL {
        // What is still to come is not owed to us, and a price that was ordered is owed to them. What was booked in twice looks
        // received: the bill check alone finds nothing wrong with a bill for it.
        let over = |l: &&PurchaseLine| {
            three_way(book, scene.settings, l).map_or(Money::ZERO, |w| {
                w.never.max(bills::received_twice(scene, l)).max(Money::ZERO) + w.price_variance.max(Money::ZERO)
            })
        };
        lines.iter().map(over).sum()
    } else if basis == BASIS_TWICE {
        bills::paid_twice(book, ids)
    } else {
        // Also of what went back again, as far as somebody asks money for it.
        let units = |l: &PurchaseLine| match basis {
            BASIS_RETURN => quantity.min(book.arrived(&l.id)).min(receiving::billed_beyond(book, l)),
            _ => quantity.min(book.arrived(&l.id)),
        };
        let most = |l: &&PurchaseLine| l.price.map_or(Money::ZERO, |p| units(l) * p);
        lines.iter().map(most).sum()
    };
    // Credit notes are bills with a negative quantity, so what is already credited is no longer owed.
    c.hard("value is owed and not yet credited", value > Money::ZERO && value <= owed, format!("{value} ≤ {owed}"));
    worth_a_claim(c, value);
}

fn worth_a_claim(c: &mut Checks, value: Money) {
    c.soft("worth a claim", value >= CLAIM_LEAST, format!("{value} ≥ {CLAIM_LEAST}"));
}

fn accept(scene: &Scene<'_>, c: &mut Checks, document: &str, variance: Money) {
    let book = scene.book;
    let bills = matching::lines_of_bill(book, document);
    let lines = book.lines_named(document);
    let receipt = book.moves_of_document(document).next().is_some();
    let known = receipt || !bills.is_empty() || !lines.is_empty();
    c.hard("document exists", known, document.to_owned());
    let policy = &scene.settings.policy;
    let most = policy.in_company(&policy.tiers.t3.limit).unwrap_or(Money::ZERO);
    c.hard("variance is within the largest limit", variance.abs() <= most, format!("{} ≤ {most}", variance.abs()));
    let supplier = bills.first().map(|b| &b.supplier).or_else(|| lines.first().map(|l| &l.supplier));
    if let Some(supplier) = supplier {
        let since = plus_days(book.today, -VARIANCE_DAYS);
        let recent = |l: &&PurchaseLine| book.calendar.day_of(l.ordered_at) >= since;
        let all: Money = book
            .lines_of_supplier(supplier)
            .into_iter()
            .filter(recent)
            .filter_map(|l| three_way(book, scene.settings, l))
            .map(|w| w.total.abs())
            .sum();
        let detail = format!("{all} in {VARIANCE_DAYS} days ≤ {most}");
        c.hard("supplier's variances are within the limit", all <= most, detail);
    }
}

fn contact(scene: &Scene<'_>, c: &mut Checks, role: &str, partner: &str) {
    let book = scene.book;
    let (known, detail) = match Role::named(role) {
        Some(Role::Supplier) => {
            let id = SupplierId::new(partner);
            (book.suppliers.contains_key(&id), book.supplier_name(&id))
        }
        Some(Role::Warehouse | Role::Store) => {
            let id = LocationId::new(partner);
            (book.locations.contains_key(&id), book.location_name(&id))
        }
        _ => (!partner.trim().is_empty(), partner.to_owned()),
    };
    c.hard("recipient is known", known, detail);
}
