//! Which items a location carries.
//!
//! An item belongs to a place only if it was ever stocked, sold, ordered, ruled or priced there ([`CarriedBy`]). Everything
//! else in the catalogue is not missing there, whatever its stock says: it is not offered. What a place has not touched for
//! long it has given up, unless something of it is left: stock, an open order, a customer who waits, a reorder rule.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::Deserialize;

use super::book::{Book, Place};
use super::calendar::days_between;
use super::days::day_of;
use super::ids::{ItemId, LocationId};
use super::notice::NoticeContent;
use super::record::{MoveKind, StockMove};
use super::supply::Supply;

/// Days after which a place has given up what it has not touched. More than a year, so that what comes back each season stays.
const GIVEN_UP_DAYS: u32 = 400;

/// What makes a location carry an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CarriedBy {
    /// Something of it was ever in stock there: a movement that was done, a level, a month's close.
    Stock,
    /// It was ever sold from there, or a customer waits for it there.
    Sale,
    /// A confirmed order or a transfer was ever on its way there. A draft binds nobody and brings nothing.
    Order,
    /// A reorder rule asks for stock there. One of zero to zero asks for none; Odoo makes such rules by itself.
    Rule,
    /// A channel offers it from there by name. Price lists, promotions and supplier's prices name no location: they hold for
    /// a whole company and do not say that each of its places has the item.
    Price,
}

/// By what a location carries an item, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedRule {
    /// Each of these is enough.
    pub by: BTreeSet<CarriedBy>,
    /// Days after which a place has given up what it has not touched and of which nothing is left; 0: never.
    pub given_up_days: u32,
}

impl Default for CarriedRule {
    fn default() -> Self {
        use CarriedBy::{Order, Price, Rule, Sale, Stock};
        Self { by: BTreeSet::from([Stock, Sale, Order, Rule, Price]), given_up_days: GIVEN_UP_DAYS }
    }
}

/// What is known of places while they are gathered: the last day on which each was touched; [`Date::MAX`] while something is
/// left.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched(BTreeMap<Place, Date>);

impl Touched {
    fn on(&mut self, place: Place, day: Date) {
        let last = self.0.entry(place).or_insert(day);
        *last = day.max(*last);
    }

    fn still(&mut self, place: Place) {
        self.on(place, Date::MAX);
    }

    /// Adds what is known of an item elsewhere.
    fn take(&mut self, item: &ItemId, other: &Self) {
        of_item(&other.0, item).for_each(|(place, day)| self.on(place.clone(), *day));
    }
}

impl Book {
    /// Every item at every location that carries it, in order.
    pub fn places(&self) -> Vec<Place> {
        self.carried.iter().cloned().collect()
    }

    /// Does the location carry the item?
    pub fn carries(&self, item: &ItemId, location: &LocationId) -> bool {
        self.carried.contains(&(item.clone(), location.clone()))
    }

    /// The locations that carry an item, in order.
    pub fn carriers_of(&self, item: &ItemId) -> Vec<LocationId> {
        let from = (item.clone(), LocationId::new(""));
        self.carried.range(from..).take_while(|(of, _)| of == item).map(|(_, location)| location.clone()).collect()
    }

    /// The locations that have something of an item on hand, whether they carry it or not, in order: who could give some.
    pub fn stocked_at(&self, item: &ItemId) -> Vec<LocationId> {
        let from = (item.clone(), LocationId::new(""));
        let levels = self.stock_levels.range(from..).map(|(place, _)| place).take_while(|place| place.0 == *item);
        let moves = self.locations_of_moves(item);
        let places: BTreeSet<&LocationId> = levels.map(|(_, location)| location).chain(moves).collect();
        let stocked =
            |location: &&LocationId| self.locations.contains_key(*location) && self.on_hand(item, location).is_positive();
        places.into_iter().filter(stocked).cloned().collect()
    }

    /// Which places carry these items. One pass over what the book has of them; never over items times locations.
    pub(super) fn find_carried(&self, items: &BTreeSet<ItemId>) -> BTreeSet<Place> {
        let rule = &self.carried_rule;
        let mut touched = Touched::default();
        for item in items.iter().filter(|item| self.items.contains_key(*item)) {
            for by in &rule.by {
                match by {
                    CarriedBy::Stock => self.touched_by_stock(item, &mut touched),
                    CarriedBy::Sale => self.touched_by_sales(item, &mut touched),
                    CarriedBy::Order => self.touched_by_orders(item, &mut touched),
                    CarriedBy::Rule => self.touched_by_rules(item, &mut touched),
                    CarriedBy::Price => touched.take(item, &self.offered),
                }
            }
        }
        let given_up = |last: Date| {
            let days = u32::try_from(days_between(last, self.today)).unwrap_or(0);
            rule.given_up_days > 0 && days > rule.given_up_days
        };
        let known = |(_, location): &Place| self.locations.contains_key(location);
        let kept = touched.0.into_iter().filter(|(place, last)| known(place) && !(*last < Date::MAX && given_up(*last)));
        kept.map(|(place, _)| place).collect()
    }

    fn touched_by_stock(&self, item: &ItemId, touched: &mut Touched) {
        for (place, level) in of_item(&self.stock_levels, item) {
            if !level.on_hand.0.is_zero() {
                touched.still(place.clone());
            }
        }
        for location in self.locations_of_moves(item) {
            let done = self.moves_at(item, location).into_iter().filter(|m| !m.qty.0.is_zero());
            if let Some(last) = done.filter_map(|m| m.done_at).max() {
                let place = (item.clone(), location.clone());
                // What still lies there is offered however long ago it moved; what is gone counts from its last movement.
                if self.on_hand(item, location).0.is_zero() {
                    touched.on(place, self.calendar.day_of(last));
                } else {
                    touched.still(place);
                }
            }
        }
        for (place, months) in of_item(&self.demand_months, item) {
            // The sums reach back further than the moves do. A month that closed with stock shows that it was kept there.
            if let Some(month) = months.iter().rfind(|month| !month.closing.0.is_zero()) {
                touched.on(place.clone(), month.month.last_of_month().min(self.today));
            }
        }
    }

    fn touched_by_sales(&self, item: &ItemId, touched: &mut Touched) {
        for location in self.locations_of_sales(item) {
            // What comes back is not counted: a place may take back what it never sold.
            let sold = self.sales_at(item, location).into_iter().filter(|line| line.qty.is_positive());
            if let Some(last) = sold.map(|line| line.ordered_at).max() {
                touched.on((item.clone(), location.clone()), self.calendar.day_of(last));
            }
        }
        // Sums reach further back than single lines do, so an item that sells twice a year is not given up.
        for (place, months) in of_item(&self.demand_months, item) {
            let days = months.iter().filter_map(|month| {
                let sold = month.sold.iter().chain(&month.tills).filter(|(_, units)| units.is_positive());
                Some(day_of(month, *sold.map(|(day, _)| day).max()?))
            });
            if let Some(last) = days.max() {
                touched.on(place.clone(), last);
            }
        }
        // A customer who waits keeps an item at its place, however long ago it last sold there.
        for location in self.locations_of_moves(item) {
            let waits = |m: &&StockMove| {
                m.kind == MoveKind::Delivery
                    && m.done_at.is_none()
                    && m.from.as_ref() == Some(location)
                    && m.qty.is_positive()
            };
            if self.moves_at(item, location).iter().any(waits) {
                touched.still((item.clone(), location.clone()));
            }
        }
    }

    fn touched_by_orders(&self, item: &ItemId, touched: &mut Touched) {
        touched.take(item, &self.ordered);
        for location in self.supply_locations_of(item) {
            let comes = |m: &&StockMove| {
                matches!(m.kind, MoveKind::Receipt | MoveKind::Transfer)
                    && m.done_at.is_none()
                    && m.qty.is_positive()
                    && m.to.as_ref() == Some(location)
            };
            if self.supply_moves_at(item, location).iter().any(comes) {
                touched.still((item.clone(), location.clone()));
            }
        }
    }

    fn touched_by_rules(&self, item: &ItemId, touched: &mut Touched) {
        for (place, rule) in of_item(&self.rules, item) {
            if rule.max.is_positive() || rule.min.is_positive() {
                touched.still(place.clone());
            }
        }
    }
}

/// What there is of an item, by place.
fn of_item<'m, T>(all: &'m BTreeMap<Place, T>, item: &ItemId) -> impl Iterator<Item = (&'m Place, &'m T)> {
    let from = (item.clone(), LocationId::new(""));
    let item = item.clone();
    all.range(from..).take_while(move |((of, _), _)| *of == item)
}

impl Supply {
    /// When each place was last ordered for.
    pub(super) fn touched_by_lines(&self) -> Touched {
        let mut touched = Touched::default();
        for line in self.po_lines.values().filter(|line| line.confirmed && line.qty.is_positive()) {
            touched.on((line.item.clone(), line.location.clone()), self.calendar.day_of(line.ordered_at));
        }
        touched
    }

    /// When a channel last offered an item from each place by name.
    pub(super) fn touched_by_offers(&self) -> Touched {
        let mut touched = Touched::default();
        for notice in self.notices.values() {
            if let NoticeContent::ChannelStock { item, location: Some(location), published, .. } = &notice.content
                && published.is_positive()
            {
                touched.on((item.clone(), location.clone()), self.told_on(notice));
            }
        }
        touched
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Calendar;
    use crate::ids::SupplierId;
    use crate::money::Quantity;
    use crate::record::{Item, Location, PurchaseLine, Record, ReorderRule, SaleLine, StockLevel, StockMove};

    fn time(day: &str) -> jiff::Timestamp {
        format!("{day}T12:00:00Z").parse().unwrap()
    }

    fn item(id: &str) -> Record {
        Record::Item(Item {
            id: ItemId::new(id),
            sku: String::new(),
            name: id.to_owned(),
            category: String::new(),
            unit: "Units".to_owned(),
            cost: None,
            costs: BTreeMap::new(),
            list_price: None,
            sellable: true,
            delisted_at: None,
            keys: crate::packs::ItemKeys::default(),
        })
    }

    fn location(id: &str) -> Record {
        let name = format!("Store {id}");
        Record::Location(Location {
            id: LocationId::new(id),
            code: id.to_owned(),
            name,
            company: None,
            company_name: String::new(),
        })
    }

    fn moved(kind: MoveKind, qty: i64, done: Option<&str>) -> StockMove {
        StockMove {
            id: "1".to_owned(),
            kind,
            item: ItemId::new("a"),
            from: None,
            to: Some(LocationId::new("1")),
            qty: Quantity::units(qty),
            created_at: time("2026-01-05"),
            scheduled_at: None,
            done_at: done.map(time),
            document: String::new(),
            document_id: None,
            origin: String::new(),
            po_line: None,
            sale_line: None,
            partner: None,
            deadline: None,
            returns: None,
            to_replace: false,
            asked: None,
            owner: None,
            entered_by: None,
            reason: String::new(),
        }
    }

    fn sale(day: &str) -> Record {
        Record::SaleLine(SaleLine {
            id: "1".to_owned(),
            order_id: "1".to_owned(),
            order_name: "S1".to_owned(),
            customer: "1".to_owned(),
            reference: String::new(),
            item: ItemId::new("a"),
            location: LocationId::new("1"),
            qty: Quantity::units(2),
            price: None,
            ordered_at: time(day),
        })
    }

    fn order(confirmed: bool, draft: bool) -> Record {
        Record::PoLine(PurchaseLine {
            id: "1".to_owned(),
            order_id: "1".to_owned(),
            order_name: "P1".to_owned(),
            supplier: SupplierId::new("9"),
            item: ItemId::new("a"),
            location: LocationId::new("1"),
            qty: Quantity::units(5),
            price: None,
            foreign: None,
            company: None,
            ordered_at: time("2026-10-01"),
            promised_first: time("2026-10-08"),
            promised: time("2026-10-08"),
            confirmed,
            draft,
            pack: None,
            to_customer: false,
            kits_received: None,
            kit: None,
        })
    }

    fn rule(min: i64, max: i64) -> Record {
        let (item, location) = (ItemId::new("a"), LocationId::new("1"));
        let (min, max) = (Quantity::units(min), Quantity::units(max));
        Record::ReorderRule(ReorderRule { id: "1".to_owned(), item, location, min, max, multiple: Quantity::units(1) })
    }

    /// On 6 November: item `a` at the stores 1 and 2 with what is told of it.
    fn book(records: impl IntoIterator<Item = Record>) -> Book {
        let shop = [item("a"), item("b"), location("1"), location("2")];
        Book::new(time("2026-11-06"), Calendar::utc(), shop.into_iter().chain(records))
    }

    #[track_caller]
    fn check(records: impl IntoIterator<Item = Record>, carried: bool) {
        let expected: &[Place] = if carried { &[(ItemId::new("a"), LocationId::new("1"))] } else { &[] };
        assert_eq!(book(records).places(), expected);
    }

    #[test]
    fn a_catalogue_item_that_nobody_touched_is_carried_nowhere() {
        check([], false);
    }

    #[test]
    fn stock_sales_orders_and_rules_each_make_a_place_carry_an_item() {
        check([Record::Move(moved(MoveKind::Opening, 5, Some("2026-01-05")))], true);
        check([sale("2026-10-01")], true);
        check([order(true, false)], true);
        check([Record::Move(moved(MoveKind::Transfer, 5, None))], true);
        check([rule(0, 6)], true);
    }

    #[test]
    fn a_draft_a_cancelled_order_an_empty_move_and_a_rule_of_zero_do_not() {
        check([order(false, true)], false);
        check([order(false, false)], false);
        check([Record::Move(moved(MoveKind::Receipt, 0, Some("2026-10-01")))], false);
        check([Record::Move(moved(MoveKind::Receipt, 0, None))], false);
        check([rule(0, 0)], false);
    }

    #[test]
    fn what_a_place_has_not_touched_for_long_it_has_given_up_unless_something_is_left() {
        let came = Record::Move(moved(MoveKind::Receipt, 2, Some("2025-03-01")));
        let mut gone = moved(MoveKind::Delivery, 2, Some("2025-04-01"));
        (gone.id, gone.from, gone.to) = ("2".to_owned(), gone.to.clone(), None);
        check([came.clone()], true);
        check([came.clone(), Record::Move(gone.clone())], false);
        check([came.clone(), Record::Move(gone.clone()), sale("2026-06-01")], true);
        check([came.clone(), Record::Move(gone.clone()), rule(1, 4)], true);
        let never = CarriedRule { given_up_days: 0, ..CarriedRule::default() };
        assert_eq!(book([came, Record::Move(gone)]).with_carried(&never).places().len(), 1);
    }

    #[test]
    fn only_what_is_configured_counts() {
        let by_rule = CarriedRule { by: BTreeSet::from([CarriedBy::Rule]), ..CarriedRule::default() };
        assert!(book([sale("2026-10-01")]).with_carried(&by_rule).places().is_empty());
        assert_eq!(book([rule(1, 4)]).with_carried(&by_rule).places().len(), 1);
    }

    #[test]
    fn whoever_has_stock_can_give_some_even_where_the_item_is_not_carried() {
        let level = |location: &str, units: i64| {
            let (item, location) = (ItemId::new("a"), LocationId::new(location));
            Record::StockLevel(StockLevel {
                item,
                location,
                on_hand: Quantity::units(units),
                reserved: Quantity::ZERO,
                unposted: Quantity::ZERO,
            })
        };
        let by_rule = CarriedRule { by: BTreeSet::from([CarriedBy::Rule]), ..CarriedRule::default() };
        let book = book([level("1", 4), level("2", 0), rule(1, 4)]).with_carried(&by_rule);
        assert_eq!(book.stocked_at(&ItemId::new("a")), [LocationId::new("1")]);
        assert_eq!(book.carriers_of(&ItemId::new("a")), [LocationId::new("1")]);
        assert!(!book.carries(&ItemId::new("a"), &LocationId::new("2")));
    }
}
