//! Levels of demand that have changed: a collapse while it is young, a shift once it has lasted (handbook §4.1).

use super::demand::{DETECTOR, Demand, Judges, day_facts};
use super::facts::place_fact;
use super::policy::policy_link;
use super::tail::{RunSums, Tail};
use crate::place_key;
use crate::settings::Settings;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{iso_week, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_models::demand::DayScore;

/// Days after which a shift is no longer news: by then the baseline has taken it up.
const SHIFT_NEWS_DAYS: u32 = 35;

/// A level within this share of what it was six to eight weeks ago, before whatever came between, is a return to normal.
const RETURN_SHARE: f64 = 0.35;

/// The days before today that are six to eight weeks ago.
const LONG_AGO_DAYS: std::ops::Range<usize> = 42..56;

impl Demand {
    /// A level that has just fallen: silence, or too little for some days.
    pub(super) fn collapse(
        &self,
        book: &Book,
        settings: &Settings,
        judges: &Judges,
        place: &Place,
        tail: &Tail,
    ) -> Option<Signal> {
        let (score, row) = tail.day(0)?;
        let back = self.back(score);
        // Two judges that look at other things may agree with the statistics; then less surprise is enough.
        let limit = settings.detect.collapse_p * judges.bonus(place, back, row);
        let (item, location) = place;
        // Nothing sold for longer than the series is ever silent, or sold too little for days: each by its own tail.
        let silent =
            score.zero_run >= 2 && f64::from(score.zero_run) > score.zero_run_usual_p99 && score.p_zero_run <= limit;
        let low = score.low_run >= 2 && score.p_low_run <= limit;
        if !(silent || low) {
            return None;
        }
        // Days without any sale are counted apart from days with too few: told is the run that spoke.
        let run = if silent { score.zero_run } else { score.low_run };
        let from = plus_days(score.day, 1 - run as i32);
        let on_hand = tail.on_hand;
        // Silence with stock in the books, while others sell the item, speaks of goods that are not there or can not be found.
        let sells_elsewhere = tail.elsewhere.is_some_and(|ratio| ratio > -0.7);
        let phantom = silent && on_hand.is_positive() && sells_elsewhere;
        let RunSums { sold, usual } = if silent { tail.silent } else { tail.low };
        let (code, headline) = if phantom {
            let words = format!(
                "{} at {} has not sold for {run} days while the books say {on_hand} are there and other locations sell it.",
                book.item_label(item),
                book.location_name(location)
            );
            (T::IPhantom, words)
        } else {
            let words = format!(
                "{} at {} sold {sold} in the last {run} days, {usual:.0} would be usual.",
                book.item_label(item),
                book.location_name(location)
            );
            (T::DCollapse, words)
        };
        let signal = Signal::rule(DETECTOR, code, Subject::at(item, location), iso_week(from), (from, score.day), headline)
            .link(format!("demand:{item}@{location}"))
            .with(day_facts(book, place, score))
            .with([
                place_fact(book, item, location, "run_days", "days in a row", FactValue::days(f64::from(run))),
                place_fact(book, item, location, "run_sold", "sold in the run", FactValue::number(sold, 1)),
                place_fact(book, item, location, "run_usual", "usual in the run", FactValue::number(usual, 1)),
                place_fact(book, item, location, "on_hand", "on hand", FactValue::Quantity(on_hand)),
            ]);
        Some(judges.explain(signal, place, back, row))
    }

    /// A level that has stayed elsewhere, and which way it went.
    pub(super) fn shift(
        &self,
        book: &Book,
        settings: &Settings,
        judges: &Judges,
        place: &Place,
        tail: &Tail,
    ) -> Option<(Signal, Turn)> {
        let (score, row) = tail.day(0)?;
        let shift = score.shift.as_ref()?;
        let back = self.back(score);
        let limit = settings.detect.shift_p * judges.bonus(place, back, row);
        // A level that changed long ago has been learned, and one that changed by less than a quarter moves no order.
        if shift.p > limit || shift.days > SHIFT_NEWS_DAYS || (shift.ratio > 0.75 && shift.ratio < 1.33) {
            return None;
        }
        let (item, location) = place;
        // The two ways are two exceptions: what to do about them has nothing in common.
        let turn = if shift.ratio > 1.0 { Turn::Up } else { Turn::Down };
        let headline = format!(
            "Demand for {} at {} has {} since {}: {:.1} a day, {:.1} before.",
            book.item_label(item),
            book.location_name(location),
            turn.word(),
            shift.since,
            shift.after,
            shift.before
        );
        let mut signal = Signal::rule(
            DETECTOR,
            T::DShift,
            Subject::at(item, location),
            turn.period().to_owned(),
            (shift.since, score.day),
            headline,
        )
        .link(format!("demand:{item}@{location}"))
        .with(day_facts(book, place, score))
        .with([
            place_fact(book, item, location, "shift_since", "since", FactValue::Date(shift.since)),
            place_fact(book, item, location, "shift_before", "a day before", FactValue::number(shift.before, 2)),
            place_fact(book, item, location, "shift_after", "a day since", FactValue::number(shift.after, 2)),
            place_fact(
                book,
                item,
                location,
                "tracking_signal",
                "tracking signal",
                FactValue::number(score.tracking_signal, 1),
            ),
        ]);
        // A higher level may run the place out, so it shares its case with a shortage there; a return to the usual is no news.
        if turn == Turn::Up {
            // What its rule then lacks is what the rule itself is said to lack.
            signal = signal.link(place_key::shortage(item, location)).link(policy_link(item, location));
            if let Some(long_ago) = tail.long_ago.filter(|usual| is_return(*usual, shift.after)) {
                signal.explained = Some(format!("back to the usual: {long_ago:.1} a day were sold six to eight weeks ago"));
            }
        }
        Some((judges.explain(signal, place, back, row), turn))
    }
}

/// Which way a level of demand has gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Up,
    Down,
}

impl Turn {
    /// In the headline.
    fn word(self) -> &'static str {
        match self {
            Self::Up => "risen",
            Self::Down => "fallen",
        }
    }

    /// As the period of its exception: a level that goes up and then down is two.
    fn period(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// Mean demand a day six to eight weeks ago. None where the series is younger.
pub(super) fn usual_before(scores: &[DayScore]) -> Option<f64> {
    let from = scores.len().checked_sub(LONG_AGO_DAYS.end)?;
    let days = &scores[from..from + LONG_AGO_DAYS.len()];
    Some(days.iter().map(|score| score.actual).sum::<f64>() / days.len() as f64)
}

fn is_return(usual: f64, after: f64) -> bool {
    usual > 0.0 && (after / usual - 1.0).abs() <= RETURN_SHARE
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_models::demand::{DemandParams, Series, score_series};

    #[test]
    fn a_rise_back_to_the_level_of_six_weeks_ago_is_a_return() {
        let mut units = vec![5.0; 14];
        units.extend(vec![0.5; 42]);
        let (series, flags) = (units.clone(), vec![false; units.len()]);
        let (censored, promo, blocked) = (flags.clone(), flags.clone(), flags);
        let first = jiff::civil::date(2026, 9, 1);
        let series = Series { first, units: series, censored, promo, blocked };
        let scores = score_series(&series, &DemandParams::default());
        let usual = usual_before(&scores).unwrap();
        assert!((usual - 5.0).abs() < 1e-9);
        assert!(is_return(usual, 6.7) && is_return(usual, 3.3));
        assert!(!is_return(usual, 7.0) && !is_return(usual, 3.0) && !is_return(0.0, 0.0));
        assert_eq!(usual_before(&scores[..55]), None, "too young to say");
    }
}
