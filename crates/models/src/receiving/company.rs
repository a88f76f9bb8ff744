//! Which other lines came with a line: a shipment is late as a whole, a single odd line of it is late by itself.
//!
//! Only what was known on a given day is looked at: receipts up to that day, and lines ordered by then.

use std::collections::BTreeMap;

use super::ledger::Ledger;

/// Most lines of a group that are looked at, to bound the work for very large orders.
const GROUP_MAX: usize = 64;

/// Days around the promised day within which a vendor's other lines say how punctual it is just then.
const NEIGHBOUR_DAYS: i32 = 21;

/// Days over which a place's rhythm of deliveries is counted.
const RHYTHM_DAYS: i32 = 90;

/// Days over which lines a day are counted.
const BEFORE_DAYS: i32 = 14;

/// Lines by what they share.
pub(super) struct Company<'a> {
    ledger: &'a Ledger,
    /// By order and promised day.
    order: BTreeMap<(usize, i32), Vec<usize>>,
    /// By vendor, location and promised day.
    route: BTreeMap<(usize, usize, i32), Vec<usize>>,
    /// Each vendor's lines by promised day.
    vendor: Vec<Vec<(i32, usize)>>,
    /// Lines first received, by what they share and the day.
    days: [BTreeMap<(usize, i32), f64>; 2],
}

/// What is known of a group of lines that were to come together with one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Siblings {
    /// Others that have come.
    pub(super) known: f64,
    /// Others that came on the same day.
    pub(super) same: f64,
    /// Others that have not come yet.
    pub(super) open: f64,
    /// Days between this line and the nearest other that has come; 0 without any.
    pub(super) nearest: f64,
    /// This line's days late less the median of the others'; 0 without any.
    pub(super) apart: f64,
}

/// What lines that come on the same day may share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shared {
    Location,
    Vendor,
}

/// What else came on the same day.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Day {
    /// Other lines.
    pub(super) others: f64,
    /// Lines a day in the fortnight before.
    pub(super) before: f64,
    /// Share of the days before on which anything came.
    pub(super) busy: f64,
}

impl<'a> Company<'a> {
    pub(super) fn new(ledger: &'a Ledger) -> Self {
        let mut company = Company {
            ledger,
            order: BTreeMap::new(),
            route: BTreeMap::new(),
            vendor: vec![Vec::new(); ledger.vendors],
            days: Default::default(),
        };
        for (at, entry) in ledger.entries.iter().enumerate() {
            company.order.entry((entry.po, entry.promised)).or_default().push(at);
            company.route.entry((entry.vendor, entry.location, entry.promised)).or_default().push(at);
            company.vendor[entry.vendor].push((entry.promised, at));
            if let Some(first) = entry.first() {
                for (days, shared) in company.days.iter_mut().zip([entry.location, entry.vendor]) {
                    *days.entry((shared, first)).or_default() += 1.0;
                }
            }
        }
        // By promised day, so that the neighbours of a line are the ones beside it.
        for lines in &mut company.vendor {
            lines.sort_unstable();
        }
        company
    }

    /// The other lines of the same order that were promised for the same day.
    pub(super) fn of_order(&self, at: usize, first: i32, now: i32) -> Siblings {
        let entry = &self.ledger.entries[at];
        let group = self.order.get(&(entry.po, entry.promised)).map_or(&[][..], Vec::as_slice);
        self.siblings(group.iter().copied(), at, first, now)
    }

    /// The lines of other orders from the same vendor to the same place for the same day.
    pub(super) fn of_route(&self, at: usize, first: i32, now: i32) -> Siblings {
        let entry = &self.ledger.entries[at];
        let group = self.route.get(&(entry.vendor, entry.location, entry.promised)).map_or(&[][..], Vec::as_slice);
        self.siblings(group.iter().copied().filter(|other| self.ledger.entries[*other].po != entry.po), at, first, now)
    }

    /// The vendor's lines promised for about the same time, of any order and place.
    pub(super) fn neighbours(&self, at: usize, first: i32, now: i32) -> Siblings {
        let entry = &self.ledger.entries[at];
        let lines = &self.vendor[entry.vendor];
        let here = lines.partition_point(|line| *line < (entry.promised, at));
        let near = |line: &&(i32, usize)| (line.0 - entry.promised).abs() <= NEIGHBOUR_DAYS;
        let heard_of = |line: &&(i32, usize)| self.ledger.entries[line.1].ordered <= now;
        let before = lines[..here].iter().rev().take_while(near).filter(heard_of).take(GROUP_MAX / 2);
        let after = lines[here..].iter().take_while(near).filter(heard_of).take(GROUP_MAX / 2);
        self.siblings(before.chain(after).map(|(_, other)| *other), at, first, now)
    }

    fn siblings(&self, group: impl Iterator<Item = usize>, at: usize, first: i32, now: i32) -> Siblings {
        let days_late = first - self.ledger.entries[at].promised;
        let mut found = Siblings::default();
        let mut late = Vec::new();
        // An order that was placed later was not known on the line's day.
        let heard_of = |other: &usize| *other != at && self.ledger.entries[*other].ordered <= now;
        for other in group.filter(heard_of).take(GROUP_MAX) {
            let entry = &self.ledger.entries[other];
            match entry.first() {
                Some(came) if came <= now => {
                    found.known += 1.0;
                    found.same += f64::from(came == first);
                    late.push(came - entry.promised);
                }
                _ => found.open += 1.0,
            }
        }
        late.sort_unstable();
        if let Some(nearest) = late.iter().map(|other| (days_late - other).abs()).min() {
            found.nearest = f64::from(nearest);
            found.apart = f64::from(days_late - late[late.len() / 2]);
        }
        found
    }

    /// What else came on the day of a line's first receipt.
    pub(super) fn on_day(&self, shared: Shared, at: usize, first: i32) -> Day {
        let entry = &self.ledger.entries[at];
        let (days, key) = match shared {
            Shared::Location => (&self.days[0], entry.location),
            Shared::Vendor => (&self.days[1], entry.vendor),
        };
        // Less the line itself, which is among those of its day.
        let others = days.get(&(key, first)).map_or(0.0, |count| count - 1.0);
        let before: f64 = days.range((key, first - BEFORE_DAYS)..(key, first)).map(|(_, count)| count).sum();
        let busy = days.range((key, first - RHYTHM_DAYS)..(key, first)).count() as f64;
        Day { others, before: before / f64::from(BEFORE_DAYS), busy: busy / f64::from(RHYTHM_DAYS) }
    }
}
