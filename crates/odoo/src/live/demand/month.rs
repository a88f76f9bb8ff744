//! From the sums of a month to its record: what is left at each day's close, walked back from the month's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::DemandMonth;

/// What happened to an item at a warehouse on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Day {
    /// Shipped to customers and sold at the tills.
    pub(super) sold: Quantity,
    /// Brought back by customers.
    pub(super) returned: Quantity,
    /// Of both, at the tills, but for customers' orders that were settled there: sold less brought back.
    pub(super) tills: Quantity,
    /// Of what was sold, customers' orders that were settled at a till.
    pub(super) settled: Quantity,
    /// When it was counted: sold at the tills and not booked until later.
    pub(super) unposted: Quantity,
    /// When the day closed, of the last of a month: sold at the tills and not booked until later.
    pub(super) unposted_at_close: Quantity,
    /// Taken off by a count: what the tills had sold before and booked only after the month.
    pub(super) counted_ahead: Quantity,
    /// What the shelves hold more at its close than at its beginning.
    pub(super) net: Quantity,
}

/// Days by their number in the month; one that is not there had nothing.
pub(super) type Days = BTreeMap<u8, Day>;

/// What the shelves held when the month began.
pub(super) fn opening(days: &Days, closing: Quantity) -> Quantity {
    closing - days.values().map(|day| day.net).sum()
}

/// The record of a month that closed with `closing`. None for a month in which nothing happened: its level is that of the
/// month before. So a record depends on what was moved, never on when it was read.
pub(super) fn record(place: (i64, i64), month: Date, days: &Days, closing: Quantity) -> Option<DemandMonth> {
    let pick = |of: fn(&Day) -> Quantity| -> BTreeMap<u8, Quantity> {
        days.iter().map(|(day, sums)| (*day, of(sums))).filter(|(_, quantity)| !quantity.is_zero()).collect()
    };
    if days.values().all(|day| *day == Day::default()) {
        return None;
    }
    let mut out = BTreeSet::new();
    // From the month's close back to its first day: the closing level is known, the opening one is not.
    let mut level = closing;
    for day in (1..=month.days_in_month().unsigned_abs()).rev() {
        if !level.is_positive() {
            out.insert(day);
        }
        level -= days.get(&day).map_or(Quantity::ZERO, |sums| sums.net);
    }
    Some(DemandMonth {
        item: ItemId::new(place.0.to_string()),
        location: LocationId::new(place.1.to_string()),
        month,
        sold: pick(|day| day.sold),
        returned: pick(|day| day.returned),
        tills: pick(|day| day.tills),
        settled: pick(|day| day.settled),
        unposted: pick(|day| day.unposted),
        out,
        closing,
        counted_ahead: pick(|day| day.counted_ahead),
        unposted_at_close: days.values().map(|day| day.unposted_at_close).sum(),
    })
}
