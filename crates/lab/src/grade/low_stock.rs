//! How sure "will run out" was: what was projected on the mornings of a replay, beside what then happened (handbook §7).
//!
//! A morning's I-LOW says a probability and a day of relief. It was right where the place had nothing left to sell on a day
//! before that relief. Mornings whose relief lies beyond the recording, and which did not run out in it, are left out: what
//! became of them is not known. Mornings of one shortage hang together, so places are counted beside mornings.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;

use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{Calendar, days_between};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{Exception, ExceptionState, ExceptionType as T};
use reeve_models::formulas::low_stock_p;

/// Bands of the projected risk, each a tenth wide.
const BANDS: u32 = 10;

/// One morning's word on one place.
#[derive(Clone, Debug)]
struct Said {
    place: Place,
    first_seen: Date,
    day: Date,
    relief: Date,
    risk: f64,
}

/// What was said and what was seen, morning by morning.
#[derive(Clone, Debug, Default)]
pub struct Mornings {
    said: Vec<Said>,
    /// Days on which a place was seen with nothing left to sell.
    out: BTreeSet<(Place, Date)>,
}

/// Mornings on which a place was projected to run out with a risk in one band.
#[derive(Clone, Debug, Serialize)]
pub struct Band {
    /// The band's lower and upper bound of risk.
    pub risk: (f64, f64),
    /// Mean p that the formula makes of it, before any decision on the type.
    pub p: f64,
    /// Mornings.
    pub mornings: u32,
    /// Shortages they belong to.
    pub shortages: u32,
    /// Mornings after which the place ran out before relief.
    pub ran_out: u32,
    /// Σ (p − outcome)² over the mornings.
    pub squares: f64,
}

fn place_of(exception: &Exception) -> Option<Place> {
    let subject = &exception.signal.subject;
    Some((subject.item.clone()?, subject.location.clone()?))
}

fn relief_of(exception: &Exception) -> Option<Date> {
    let relief = exception.signal.facts.iter().find(|fact| fact.id.as_str().contains("/relief_on@"))?;
    if let FactValue::Date(day) = relief.value { Some(day) } else { None }
}

/// Which shortages a band has met: a place and the day on which it ran out.
type Shortages<'b> = BTreeSet<(&'b Place, Date)>;

impl Mornings {
    /// Notes what is open after a look; what is said counts where it is the look of a digest.
    pub fn note(&mut self, calendar: &Calendar, at: Timestamp, of_digest: bool, all: &[Exception]) {
        let day = calendar.day_of(at);
        for exception in all.iter().filter(|e| e.state != ExceptionState::Resolved && e.misses == 0) {
            match (exception.signal.code, place_of(exception), relief_of(exception)) {
                (T::IOut, Some(place), _) => drop(self.out.insert((place, day))),
                // What was not looked at again stands with the words of an older morning.
                (T::ILow, Some(place), Some(relief)) if of_digest && exception.signal.to == day => {
                    let (first_seen, risk) = (calendar.day_of(exception.first_seen), exception.signal.score);
                    self.said.push(Said { place, first_seen, day, relief, risk });
                }
                _ => {}
            }
        }
    }

    /// What the mornings came to, by bands of risk; bands without mornings are not listed. `last` is the last day whose end is
    /// known.
    pub fn bands(&self, book: &Book, last: Date) -> Vec<Band> {
        let mut found: BTreeMap<u32, (Band, Shortages<'_>)> = BTreeMap::new();
        // A morning after the last day says what nobody can know.
        for said in self.said.iter().filter(|said| said.day <= last) {
            let ran_out = self.ran_out(book, said, last);
            // The day of relief and after it nothing was said of.
            if !ran_out && said.relief > last {
                continue;
            }
            let band = ((said.risk * f64::from(BANDS)).floor() as u32).min(BANDS - 1);
            let p = low_stock_p(said.risk, T::ILow.prior(), T::ILow.prior());
            let (slot, shortages) = found.entry(band).or_insert_with(|| {
                let at = |step: u32| f64::from(step) / f64::from(BANDS);
                let risk = (at(band), at(band + 1));
                (Band { risk, p: 0.0, mornings: 0, shortages: 0, ran_out: 0, squares: 0.0 }, BTreeSet::new())
            });
            slot.p += p;
            slot.mornings += 1;
            slot.ran_out += u32::from(ran_out);
            // Brier's score, summed: how far what was said lay from what happened.
            slot.squares += (p - f64::from(u8::from(ran_out))).powi(2);
            shortages.insert((&said.place, said.first_seen));
        }
        let ended = |(band, shortages): (Band, BTreeSet<(&Place, Date)>)| Band {
            p: band.p / f64::from(band.mornings),
            shortages: shortages.len() as u32,
            ..band
        };
        found.into_values().map(ended).collect()
    }

    /// Was there nothing left to sell on a day from that morning to the day before relief?
    fn ran_out(&self, book: &Book, said: &Said, last: Date) -> bool {
        let (item, location) = &said.place;
        let days = days_between(said.day, said.relief).max(1) as usize;
        let levels = book.on_hand_by_day(item, location, said.day);
        let empty = levels.iter().take(days).any(|level| *level <= 0.0);
        let seen = self.out.range((said.place.clone(), said.day)..=(said.place.clone(), last));
        empty || seen.clone().any(|(_, day)| *day < said.relief)
    }
}

/// For people: a line for each band, and how far p was off.
pub fn report(bands: &[Band]) -> String {
    let mut out = String::new();
    let (mut mornings, mut squares) = (0, 0.0);
    for band in bands {
        let share = 100.0 * f64::from(band.ran_out) / f64::from(band.mornings);
        let (low, high) = band.risk;
        let _ = writeln!(
            out,
            "  will run out: risk {low:.1} to {high:.1}, p {:.2}: {} of {} mornings ({share:.0} %) of {} shortages ran out before relief",
            band.p, band.ran_out, band.mornings, band.shortages
        );
        mornings += band.mornings;
        squares += band.squares;
    }
    if mornings > 0 {
        let _ = writeln!(out, "  will run out: Brier score {:.3} over {mornings} mornings", squares / f64::from(mornings));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_domain::exception::{Signal, Subject};
    use reeve_domain::ids::{ItemId, LocationId};
    use reeve_domain::money::Quantity;
    use reeve_domain::record::{MoveKind, Record, StockMove};

    fn at(text: &str) -> Timestamp {
        format!("{text}T06:10:00Z").parse().unwrap()
    }

    fn seen(code: T, item: &str, day: &str, relief: &str, risk: f64) -> Exception {
        let subject = Subject::at(&ItemId::new(item), &LocationId::new("2"));
        let on: Date = day.parse().unwrap();
        let mut signal = Signal::rule("test/1", code, subject, "stock".into(), (on, on), String::new());
        let source = reeve_domain::record::RecordRef::new(reeve_domain::record::RecordKind::Item, item);
        let relief = FactValue::Date(relief.parse().unwrap());
        signal.facts = vec![reeve_domain::evidence::Fact::new(source, "relief_on@2", "relief on", relief, at(day))];
        signal.score = risk;
        let (id, state) = (signal.exception_id(), ExceptionState::Open);
        Exception {
            id,
            signal,
            state,
            first_seen: at("2026-11-01"),
            last_seen: at(day),
            misses: 0,
            mode: reeve_domain::mode::Mode::Live,
        }
    }

    fn opening(item: &str, units: i64, day: &str, kind: MoveKind) -> Record {
        let place = Some(LocationId::new("2"));
        let inward = kind == MoveKind::Opening;
        Record::Move(StockMove {
            id: format!("{item}{day}"),
            kind,
            item: ItemId::new(item),
            from: place.clone().filter(|_| !inward),
            to: place.filter(|_| inward),
            qty: Quantity::units(units),
            created_at: at(day),
            scheduled_at: None,
            done_at: Some(at(day)),
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

    #[test]
    fn a_morning_was_right_where_nothing_was_left_before_its_relief_and_what_is_not_known_is_left_out() {
        let calendar = Calendar::utc();
        let mut mornings = Mornings::default();
        let (day, later) = ("2026-11-01", "2026-11-02");
        // 1 runs out on the 3rd; 2 on the day of relief only; 3 is waited for though some is there; 4 is not over yet.
        let said = |day: &str, item: &str, relief: &str, risk| seen(T::ILow, item, day, relief, risk);
        let first =
            [said(day, "1", "2026-11-04", 0.95), said(day, "2", "2026-11-03", 0.95), said(day, "3", "2026-11-05", 0.65)];
        mornings.note(&calendar, at(day), true, &first);
        mornings.note(&calendar, at(day), false, &first);
        let out = seen(T::IOut, "3", later, "2026-11-05", 1.0);
        mornings.note(
            &calendar,
            at(later),
            true,
            &[said(later, "1", "2026-11-04", 0.91), said(later, "4", "2026-12-01", 0.95), out],
        );
        // Said of the day after the last one.
        mornings.note(&calendar, at("2026-11-07"), true, &[said("2026-11-07", "1", "2026-11-09", 0.95)]);
        let records = ["1", "2", "3", "4"].map(|item| opening(item, 5, "2026-10-20", MoveKind::Opening));
        let sold = ["1", "2"].map(|item| opening(item, 5, "2026-11-03", MoveKind::Delivery));
        let last: Date = "2026-11-06".parse().unwrap();
        let book = Book::new(calendar.close_of(last), calendar, records.into_iter().chain(sold));
        let bands = mornings.bands(&book, last);
        let told: Vec<(f64, u32, u32, u32)> =
            bands.iter().map(|band| (band.risk.0, band.mornings, band.shortages, band.ran_out)).collect();
        assert_eq!(told, [(0.6, 1, 1, 1), (0.9, 3, 2, 2)]);
        let text = report(&bands);
        assert!(text.contains("risk 0.9 to 1.0") && text.contains("2 of 3 mornings (67 %) of 2 shortages"), "{text}");
        assert!(text.contains("Brier score"), "{text}");
    }
}
