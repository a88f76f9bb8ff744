//! D-DATA of a feed: days on which a location that always sells has sent nothing, or far less than ever (handbook §4.1).
//!
//! Tills post when their session closes, stores send at noon what they sold the day before, and lines break. Read too early,
//! such a day looks as if nobody had bought anything of anything. That is one thing, not one for each item: one exception for
//! the location (one for all of them, where all are silent), and its series say nothing of that day until the data have come.
//!
//! What is usual is the location's own: its last eight same weekdays. A location with few orders, or closed on that weekday,
//! is not judged, because there a day without any is a day like others.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::facts::{fact, record};
use crate::settings::{ClosedDays, Settings};
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::LocationId;
use reeve_domain::money::Quantity;
use reeve_domain::record::RecordKind;

const DETECTOR: &str = "feed-gaps/1";
/// The same without its version.
const DETECTOR_NAME: &str = "feed-gaps";

/// Same weekdays that say what is usual.
const WEEKS: usize = 8;

/// Of them, how many must be known before a location is judged.
const WEEKS_MIN: usize = 5;

/// A location that usually has fewer rows (order lines, or units at the tills) on such a day is not judged.
const ROWS_MIN: f64 = 8.0;

/// A day with less than this share of the lowest of the same weekdays is held to be half there.
const HALF: f64 = 0.5;

/// Days back that are looked at for gaps: older ones have been learned from as they are.
const LOOK_BACK: i32 = 63;

/// What sends rows of its own and can fail alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Feed {
    Orders,
    Tills,
    Shipments,
}

impl Feed {
    fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Tills => "till sales",
            Self::Shipments => "shipments",
        }
    }
}

/// A run of days of which a feed's data are missing.
#[derive(Clone, Debug, PartialEq)]
struct Gap {
    feed: Feed,
    from: Date,
    to: Date,
    /// Rows that came on its last day, and what its same weekdays brought: the lowest and the mean.
    came: f64,
    lowest: f64,
    usual: f64,
}

/// What is missing at the locations of a book.
#[derive(Clone, Debug, Default)]
pub struct Feeds {
    gaps: BTreeMap<LocationId, Vec<Gap>>,
    /// Locations that could be judged at all on their last day.
    judged: BTreeSet<LocationId>,
    /// When locations are closed.
    off: BTreeMap<LocationId, BTreeSet<Date>>,
}

impl Feeds {
    /// Looks once over all rows of the last weeks. On a day that is `off` nothing is missing.
    pub fn of(book: &Book, off: &ClosedDays) -> Self {
        let mut rows = FeedRows::default();
        rows.add(book);
        Self::of_rows(book, off, rows)
    }

    /// The same by rows that were counted before.
    pub(super) fn of_rows(book: &Book, off: &ClosedDays, rows: FeedRows) -> Self {
        let off = book.locations.keys().map(|location| (location.clone(), off.of(book, location))).collect();
        let mut found = Self { off, ..Self::default() };
        for ((location, feed), rows) in rows.by_day() {
            found.look(book, &location, feed, &rows);
        }
        found
    }

    fn is_off(&self, location: &LocationId, day: Date) -> bool {
        self.off.get(location).is_some_and(|days| days.contains(&day))
    }

    fn look(&mut self, book: &Book, location: &LocationId, feed: Feed, rows: &BTreeMap<Date, f64>) {
        let closed = book.closed_at(location);
        let Some(first) = rows.keys().next().copied() else { return };
        let mut gaps: Vec<Gap> = Vec::new();
        let mut missing: BTreeSet<Date> = BTreeSet::new();
        let begin = first.max(plus_days(closed, -LOOK_BACK));
        for ahead in 0..=days_between(begin, closed) {
            let day = plus_days(begin, ahead);
            if self.is_off(location, day) {
                continue;
            }
            // A day that was itself missing or off says nothing about what is usual.
            let earlier = (1..=WEEKS as i32).map(|week| plus_days(day, -7 * week));
            let same: Vec<f64> = earlier
                .filter(|day| *day >= first && !missing.contains(day) && !self.is_off(location, *day))
                .map(|day| rows.get(&day).copied().unwrap_or(0.0))
                .collect();
            if same.len() < WEEKS_MIN {
                continue;
            }
            let lowest = same.iter().copied().fold(f64::INFINITY, f64::min);
            let usual = same.iter().sum::<f64>() / same.len() as f64;
            // One silent day of its kind before, and silence is nothing new.
            if lowest <= 0.0 || usual < ROWS_MIN {
                continue;
            }
            if day == closed {
                self.judged.insert(location.clone());
            }
            let came = rows.get(&day).copied().unwrap_or(0.0);
            // Half a day can only be told from a quiet one where there is much of it.
            let half = lowest >= 2.0 * ROWS_MIN && came < HALF * lowest;
            if came > 0.0 && !half {
                continue;
            }
            missing.insert(day);
            match gaps.last_mut().filter(|gap| days_between(gap.to, day) == 1) {
                Some(gap) => (gap.to, gap.came, gap.lowest, gap.usual) = (day, came, lowest, usual),
                None => gaps.push(Gap { feed, from: day, to: day, came, lowest, usual }),
            }
        }
        self.gaps.entry(location.clone()).or_default().extend(gaps);
    }

    /// Does a location say nothing of a day, because its data are missing or because it was closed?
    pub fn is_silent(&self, location: &LocationId, day: Date) -> bool {
        self.is_off(location, day)
            || self.gaps.get(location).is_some_and(|gaps| gaps.iter().any(|gap| (gap.from..=gap.to).contains(&day)))
    }

    /// What is missing up to the last day that is over, for the digest's head.
    pub fn lines(&self, book: &Book) -> Vec<String> {
        self.open(book, 1).into_iter().map(|(location, gap)| headline(book, location, gap)).collect()
    }

    /// Gaps that ended no more than `days` days before the last day that is over.
    fn open(&self, book: &Book, days: i32) -> Vec<(&LocationId, &Gap)> {
        let all = self.gaps.iter().flat_map(|(location, gaps)| gaps.iter().map(move |gap| (location, gap)));
        all.filter(|(location, gap)| days_between(gap.to, book.closed_at(location)) < days).collect()
    }

    /// One exception for each gap; one for all locations together where all of them are silent since the same day.
    pub(super) fn signals(&self, book: &Book, settings: &Settings) -> Vec<Signal> {
        let open = self.open(book, settings.detect.event_days.max(1));
        let silent: BTreeSet<&LocationId> = open.iter().map(|(location, _)| *location).collect();
        // With one location "everywhere" would say no more than the location's own signal.
        let everywhere = self.judged.len() > 1 && self.judged.iter().all(|location| silent.contains(location));
        let mut found: Vec<Signal> = open.iter().map(|(location, gap)| signal(book, location, gap)).collect();
        if everywhere {
            // Joined by a link they are one case: one thing to look after, whether it is a holiday or a line that is down.
            for (signal, (_, gap)) in found.iter_mut().zip(&open) {
                signal.links.push(format!("feed:all {}", gap.from));
            }
        }
        found
    }
}

fn headline(book: &Book, location: &LocationId, gap: &Gap) -> String {
    let name = book.location_name(location);
    let days = if gap.from == gap.to { format!("on {}", gap.to) } else { format!("from {} to {}", gap.from, gap.to) };
    let (feed, lowest) = (gap.feed.name(), gap.lowest);
    if gap.came > 0.0 {
        format!(
            "{name} has sent {:.0} {feed} {days}, never fewer than {lowest:.0} on that weekday before: part of its data seem to be missing, so its demand is not judged there.",
            gap.came
        )
    } else {
        format!(
            "{name} has sent no {feed} {days}, {:.0} would be usual: it was closed or its data have not come, so its demand is not judged there.",
            gap.usual
        )
    }
}

/// Is this D-DATA a feed that sent nothing, and not another fault of the data?
pub(crate) fn is_feed(signal: &Signal) -> bool {
    signal.is_made_by(DETECTOR_NAME)
}

fn signal(book: &Book, location: &LocationId, gap: &Gap) -> Signal {
    let source = || record(RecordKind::Location, location.as_str());
    let of = |field: &str, label: &str, value| fact(book, source(), &format!("{field}:{}", gap.to), label, value);
    let facts = [
        of("came", &format!("{} that came", gap.feed.name()), FactValue::number(gap.came, 0)),
        of("usual", "usual on that weekday", FactValue::number(gap.usual, 1)),
        of("lowest", "lowest on that weekday in eight weeks", FactValue::number(gap.lowest, 0)),
        of("missing_since", "missing since", FactValue::Date(gap.from)),
    ];
    let subject =
        Subject { location: Some(location.clone()), document: Some(gap.feed.name().to_owned()), ..Subject::default() };
    let period = format!("feed {}", gap.from);
    Signal::rule(DETECTOR, T::DData, subject, period, (gap.from, gap.to), headline(book, location, gap))
        .link(format!("feed:{location} {}", gap.from))
        .with(facts)
}

/// Rows of each location and feed by day of the last weeks, while they are counted: order lines one by one, sums in units.
#[derive(Clone, Debug, Default)]
pub(super) struct FeedRows(BTreeMap<(LocationId, Feed), BTreeMap<Date, Quantity>>);

impl FeedRows {
    /// Adds those of a book's items, none of which has been added before.
    pub(super) fn add(&mut self, book: &Book) {
        let oldest = plus_days(book.closed, -LOOK_BACK - 7 * WEEKS as i32);
        for line in book.sale_lines.values() {
            let day = book.calendar_of(&line.location).day_of(line.ordered_at);
            // The few lines that are older than the detail window are only those still open: no feed's whole day.
            if day >= oldest && book.detail_is_whole_on(day) {
                self.count(&line.location, Feed::Orders, day, Quantity::units(1));
            }
        }
        // Before the detail window only sums are read. Tills and
        // shipments are told apart there, as each can fail alone.
        for month in book.demand_months.values().flatten().filter(|month| month.month.last_of_month() >= oldest) {
            for (sums, feed) in [(&month.tills, Feed::Tills), (&month.sold, Feed::Shipments)] {
                for (number, quantity) in sums.iter().filter(|(_, quantity)| quantity.is_positive()) {
                    let day = plus_days(month.month, i32::from(*number) - 1);
                    if day >= oldest {
                        self.count(&month.location, feed, day, *quantity);
                    }
                }
            }
        }
    }

    fn count(&mut self, location: &LocationId, feed: Feed, day: Date, rows: Quantity) {
        *self.0.entry((location.clone(), feed)).or_default().entry(day).or_insert(Quantity::ZERO) += rows;
    }

    /// Adds what was counted of other items.
    pub(super) fn merge(&mut self, other: Self) {
        for ((location, feed), days) in other.0 {
            for (day, rows) in days {
                self.count(&location, feed, day, rows);
            }
        }
    }

    /// The rows of the feeds that say something.
    fn by_day(self) -> BTreeMap<(LocationId, Feed), BTreeMap<Date, f64>> {
        // Shipments speak only where nothing else does: of an order that waits for stock they say nothing on its day.
        let told = self.0.keys().filter(|(_, feed)| *feed != Feed::Shipments);
        let covered: BTreeSet<LocationId> = told.map(|(location, _)| location.clone()).collect();
        let says = |(location, feed): &(LocationId, Feed)| *feed != Feed::Shipments || !covered.contains(location);
        let in_numbers = |days: BTreeMap<Date, Quantity>| days.into_iter().map(|(day, rows)| (day, rows.to_f64())).collect();
        self.0.into_iter().filter(|(key, _)| says(key)).map(|(key, days)| (key, in_numbers(days))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_domain::calendar::Calendar;
    use reeve_domain::ids::ItemId;
    use reeve_domain::money::Quantity;
    use reeve_domain::record::{Record, SaleLine};

    const FIRST: &str = "2026-07-06";

    fn day(number: i32) -> Date {
        plus_days(FIRST.parse().unwrap(), number)
    }

    /// Two shops that sell `lines` of ten items on each day but Sundays for ten weeks, less what `left_out` says.
    fn book(lines: i32, left_out: impl Fn(&str, i32, i32) -> bool) -> Book {
        book_of(68, lines, left_out)
    }

    /// The same when a day has closed.
    fn book_of(closed: i32, lines: i32, left_out: impl Fn(&str, i32, i32) -> bool) -> Book {
        let mut records = Vec::new();
        for (id, name) in [("1", "North"), ("2", "South")] {
            records.push(Record::Location(reeve_testing::records::location(id, name)));
            for number in (0..70).filter(|number| number % 7 != 6) {
                for line in (0..lines).filter(|line| !left_out(id, number, *line)) {
                    records.push(Record::SaleLine(SaleLine {
                        item: ItemId::new((line % 10).to_string()),
                        location: LocationId::new(id),
                        qty: Quantity::units(2),
                        ordered_at: format!("{}T12:00:00Z", day(number)).parse().unwrap(),
                        ..reeve_testing::records::sale_line(&format!("{id}-{number}-{line}"))
                    }));
                }
            }
        }
        Book::new(Calendar::utc().close_of(day(closed)), Calendar::utc(), records)
    }

    fn found(book: &Book) -> Vec<String> {
        let settings = Settings::defaults();
        Feeds::of(book, &settings.calendar.closed_days)
            .signals(book, &settings)
            .into_iter()
            .map(|signal| signal.headline)
            .collect()
    }

    #[test]
    fn a_shop_whose_day_has_not_come_is_one_exception_and_its_day_is_silent() {
        let silent = book(20, |shop, number, _| shop == "2" && number == 68);
        let feeds = Feeds::of(&silent, &ClosedDays::default());
        let headlines = found(&silent);
        assert_eq!(headlines.len(), 1, "{headlines:?}");
        assert!(headlines[0].starts_with("South has sent no orders on 2026-09-12, 20 would be usual"), "{headlines:?}");
        let (north, south) = (LocationId::new("1"), LocationId::new("2"));
        assert!(feeds.is_silent(&south, day(68)) && !feeds.is_silent(&north, day(68)));
        assert!(!feeds.is_silent(&south, day(67)));
        assert_eq!(feeds.lines(&silent).len(), 1);
    }

    #[test]
    fn once_the_data_have_come_nothing_is_said() {
        assert_eq!(found(&book(20, |_, _, _| false)), Vec::<String>::new());
    }

    #[test]
    fn half_a_day_is_missing_too_where_there_is_enough_to_tell() {
        let half = book(40, |shop, number, line| shop == "2" && number == 68 && line >= 12);
        let headlines = found(&half);
        assert_eq!(headlines.len(), 1, "{headlines:?}");
        assert!(headlines[0].contains("never fewer than 40"), "{headlines:?}");
        assert_eq!(found(&book(40, |shop, number, line| shop == "2" && number == 68 && line >= 25)), Vec::<String>::new());
    }

    #[test]
    fn closed_weekdays_small_shops_and_shops_that_are_sometimes_silent_are_not_judged() {
        // The 69th day is a Sunday: nothing was ever sold on one.
        let sunday = book_of(69, 20, |_, _, _| false);
        assert_eq!(found(&sunday), Vec::<String>::new());
        assert_eq!(found(&book(4, |shop, number, _| shop == "2" && number == 68)), Vec::<String>::new());
        // Silent on that weekday eight weeks ago too, before anybody could say that this was unusual.
        let moody = book(20, |shop, number, _| shop == "2" && (number == 68 || number == 12));
        assert_eq!(found(&moody), Vec::<String>::new());
    }

    #[test]
    fn where_all_are_silent_it_is_one_thing_of_all() {
        let holiday = book(20, |_, number, _| number == 68);
        let settings = Settings::defaults();
        let off = ClosedDays::try_from(vec!["2026-09-12".to_owned()]).unwrap();
        let feeds = Feeds::of(&holiday, &off);
        assert!(feeds.signals(&holiday, &settings).is_empty(), "a day that is known to be off is missed by nobody");
        assert!(feeds.is_silent(&LocationId::new("1"), day(68)));
        let signals = Feeds::of(&holiday, &ClosedDays::default()).signals(&holiday, &settings);
        assert_eq!(signals.len(), 2);
        let shared = |signal: &Signal| signal.links.iter().any(|link| link == "feed:all 2026-09-12");
        assert!(signals.iter().all(shared), "a link joins them into one case");
    }
}
