//! What web shops and marketplaces offer of our stock, beside what was available when they said so.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::announced::in_order;
use super::book::{Book, signed};
use super::ids::{ItemId, LocationId};
use super::money::Quantity;
use super::notice::{Notice, NoticeContent};
use super::record::MoveKind;

/// A channel, what it offers, and from where.
type Key<'b> = (&'b str, &'b ItemId, Option<&'b LocationId>);

/// A quantity as it was told, with what was available at that time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// Offered for sale.
    pub published: Quantity,
    /// Available then.
    pub available: Quantity,
    /// When what was available had changed last before; None where it never did.
    pub changed_at: Option<Timestamp>,
}

/// What a channel offers of an item now.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The newest notice.
    pub notice: String,
    /// The channel's name.
    pub channel: String,
    /// What.
    pub item: ItemId,
    /// From where; None when from anywhere.
    pub location: Option<LocationId>,
    /// As it was told last.
    pub last: Told,
    /// As it was told before that, newest first.
    pub before: Vec<Told>,
    /// Available now.
    pub available: Quantity,
}

impl Offer {
    /// The locations it is served from.
    pub fn places<'b>(&'b self, book: &'b Book) -> Vec<&'b LocationId> {
        self.location.as_ref().map_or_else(|| book.locations.keys().collect(), |l| vec![l])
    }
}

impl Book {
    /// The newest word of every channel on every item and location that the book knows.
    pub fn channel_offers(&self) -> Vec<Offer> {
        self.offers_of(|_| true)
    }

    /// The newest word of every channel on one item.
    pub fn channel_offers_of(&self, item: &ItemId) -> Vec<Offer> {
        self.offers_of(|of| of == item)
    }

    fn offers_of(&self, wanted: impl Fn(&ItemId) -> bool) -> Vec<Offer> {
        let mut by_key: BTreeMap<Key<'_>, Vec<(&Notice, Quantity)>> = BTreeMap::new();
        let is_wanted = |n: &&Notice| matches!(&n.content, NoticeContent::ChannelStock { item, .. } if wanted(item));
        // Newest first: the first of a channel's words is what it says now.
        for notice in in_order(self.notices.values().filter(is_wanted)).into_iter().rev() {
            if let NoticeContent::ChannelStock { channel, item, location, published } = &notice.content {
                let known =
                    self.items.contains_key(item) && location.as_ref().is_none_or(|l| self.locations.contains_key(l));
                if known {
                    by_key.entry((channel.as_str(), item, location.as_ref())).or_default().push((notice, *published));
                }
            }
        }
        by_key
            .into_iter()
            .filter_map(|((channel, item, location), told)| self.offer(channel, item, location, &told))
            .collect()
    }

    fn offer(
        &self,
        channel: &str,
        item: &ItemId,
        location: Option<&LocationId>,
        told: &[(&Notice, Quantity)],
    ) -> Option<Offer> {
        // An offer without a place is of everything there is, so it is held against all places together.
        let places: Vec<&LocationId> = location.map_or_else(|| self.locations.keys().collect(), |l| vec![l]);
        let available: Quantity = places.iter().map(|l| self.available(item, l)).sum();
        // Records keep changes, not levels of before: what was available then is what is there now less what changed since.
        let changes: Vec<(Timestamp, Quantity)> = places.iter().flat_map(|l| self.changes(item, l)).collect();
        let as_told = |(notice, published): &(&Notice, Quantity)| {
            let at = notice.told_at();
            let since: Quantity = changes.iter().filter(|(when, _)| *when > at).map(|(_, by)| *by).sum();
            // A channel needs time to take a change over: by this moment one can say how long it had.
            let changed_at = changes.iter().map(|(when, _)| *when).filter(|when| *when <= at).max();
            Told { at, published: *published, available: available - since, changed_at }
        };
        let (newest, earlier) = told.split_first()?;
        Some(Offer {
            notice: newest.0.id.clone(),
            channel: channel.to_owned(),
            item: item.clone(),
            location: location.cloned(),
            last: as_told(newest),
            before: earlier.iter().map(as_told).collect(),
            available,
        })
    }

    /// When and by how much what is available at a place changed. A customer's order takes its goods when it is confirmed;
    /// shipping them later changes nothing.
    fn changes(&self, item: &ItemId, location: &LocationId) -> Vec<(Timestamp, Quantity)> {
        self.moves_at(item, location)
            .into_iter()
            .filter_map(|m| {
                let by = signed(m, location);
                let at = if m.kind == MoveKind::Delivery { Some(m.created_at) } else { m.done_at };
                at.filter(|_| !by.0.is_zero()).map(|at| (at, by))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::Calendar;
    use crate::record::{Item, Location, Record, StockMove};

    fn hour(n: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(n)
    }

    fn moved(id: usize, kind: MoveKind, qty: i64, created: i64, done: Option<i64>) -> Record {
        let here = Some(LocationId::new("2"));
        let inward = kind != MoveKind::Delivery;
        Record::Move(StockMove {
            id: id.to_string(),
            kind,
            item: ItemId::new("1"),
            from: here.clone().filter(|_| !inward),
            to: here.filter(|_| inward),
            qty: Quantity::units(qty),
            created_at: hour(created),
            scheduled_at: None,
            done_at: done.map(hour),
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
        })
    }

    fn shop() -> Vec<Record> {
        vec![
            Record::Item(Item {
                id: ItemId::new("1"),
                sku: "AC-001".into(),
                name: "Scale".into(),
                category: String::new(),
                unit: "Units".into(),
                cost: None,
                list_price: None,
                sellable: true,
                delisted_at: None,
                keys: crate::packs::ItemKeys::default(),
                costs: std::collections::BTreeMap::new(),
            }),
            Record::Location(Location {
                id: LocationId::new("2"),
                code: "MKT".into(),
                name: "Market".into(),
                company: None,
                company_name: String::new(),
            }),
        ]
    }

    fn told(at: i64) -> Record {
        Record::Notice(Notice {
            id: "web/1".into(),
            source: "web".into(),
            occurred_at: hour(at),
            received_at: hour(at),
            content: NoticeContent::ChannelStock {
                channel: "Web shop".into(),
                item: ItemId::new("1"),
                location: Some(LocationId::new("2")),
                published: Quantity::units(7),
            },
        })
    }

    proptest! {
        #[test]
        fn what_was_available_then_is_what_a_book_of_that_time_says(
            receipts in prop::collection::vec((1_i64..50, 0_i64..40), 0..6),
            sales in prop::collection::vec((1_i64..20, 0_i64..40, 0_i64..20), 0..6),
            at in 0_i64..40,
        ) {
            let moves: Vec<(MoveKind, i64, i64, i64)> = receipts
                .into_iter()
                .map(|(qty, done)| (MoveKind::Opening, qty, done, done))
                .chain(sales.into_iter().map(|(qty, created, later)| (MoveKind::Delivery, qty, created, created + later)))
                .collect();
            let records = |until: i64| {
                let seen = moves.iter().enumerate().filter(move |(_, m)| m.2 <= until);
                let moves = seen.map(|(i, (kind, qty, created, done))| {
                    moved(i, *kind, *qty, *created, Some(*done).filter(|done| *done <= until))
                });
                shop().into_iter().chain(moves).collect::<Vec<_>>()
            };
            let now = Book::new(hour(99), Calendar::utc(), records(99).into_iter().chain([told(at)]));
            let then = Book::new(hour(at), Calendar::utc(), records(at));
            let offers = now.channel_offers();
            prop_assert_eq!(offers[0].last.available, then.available(&ItemId::new("1"), &LocationId::new("2")));
        }
    }
}
