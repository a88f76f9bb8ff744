//! Injection into demand: that it does what the plan says, and nothing else.

use jiff::ToSpan;
use jiff::civil::date;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::draw::poisson;
use reeve_models::demand::panel::{Cell, SeriesKey, TRADING_HOURS};

const DAYS: usize = 120;

/// Forty series at four locations, of five to forty-four a day.
fn base() -> Panel {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let days = (0..DAYS).map(|day| date(2026, 1, 1).saturating_add((day as i64).days())).collect();
    let key = |at: usize| SeriesKey { location: format!("L{}", at / 10), item: format!("I{:02}", at % 10) };
    let keys: Vec<SeriesKey> = (0..40).map(key).collect();
    let cell = |rng: &mut ChaCha8Rng, series: usize| {
        let units = poisson(rng, 5.0 + series as f64) as f32;
        Cell { units, price: 2.5, open: true, ..Cell::CLOSED }
    };
    let cells = (0..40).flat_map(|series| std::iter::repeat_n(series, DAYS)).map(|series| cell(&mut rng, series)).collect();
    Panel::new(days, keys, cells).unwrap()
}

fn plan() -> Plan {
    Plan { holidays: 2, closures: 2, ..Plan::like(Track::Fresh, 40, 60..110) }
}

fn trial(seed: u64) -> Trial {
    inject(&base(), &Plan { exceptions: 30, promotions: 12, stockouts: 8, ..plan() }, seed).unwrap()
}

fn series_of(event: &Event) -> Option<usize> {
    if let Scope::Series(series) = event.scope { Some(series) } else { None }
}

#[test]
fn the_same_seed_gives_the_same_trial_and_another_gives_another() {
    assert_eq!(trial(3), trial(3));
    assert_ne!(trial(3), trial(4));
}

#[test]
fn only_days_of_the_window_are_changed_and_only_where_an_event_says_so() {
    let (before, trial) = (base(), trial(1));
    let mut told = vec![false; 40 * DAYS];
    for event in &trial.events {
        assert!(event.from >= 60 && event.to < 110 && event.detect_until < 110, "{event:?}");
        for series in 0..40 {
            let about = match event.scope {
                Scope::Series(one) => one == series,
                Scope::Location(location) => trial.panel.locations()[series] == location,
                Scope::All => true,
            };
            if about {
                told[series * DAYS + event.from..=series * DAYS + event.to].fill(true);
            }
        }
    }
    for series in 0..40 {
        for day in 0..DAYS {
            let same = before.series(series)[day] == trial.panel.series(series)[day];
            assert!(same || told[series * DAYS + day], "series {series}, day {day}");
        }
    }
}

#[test]
fn events_of_a_series_keep_their_distance() {
    for seed in 0..5 {
        let events = trial(seed).events;
        for (at, one) in events.iter().enumerate() {
            for other in events[..at].iter().filter(|other| series_of(other).is_some() && other.scope == one.scope) {
                assert!(one.from > other.to + 4 || other.from > one.to + 4, "{one:?} and {other:?}");
            }
        }
    }
}

#[test]
fn each_kind_does_what_it_says() {
    let before = base();
    let mut kinds = std::collections::BTreeSet::new();
    for trial in (0..6).map(trial) {
        let holidays: Vec<usize> = trial.events.iter().filter(|e| series_of(e).is_none()).map(|e| e.from).collect();
        for event in &trial.events {
            kinds.insert(event.kind);
            let Some(series) = series_of(event) else { continue };
            let days = (event.from..=event.to).filter(|day| !holidays.contains(day));
            for (was, is) in days.map(|day| (before.series(series)[day], trial.panel.series(series)[day])) {
                match event.kind {
                    EventKind::Spike | EventKind::LevelUp | EventKind::DriftUp => assert!(is.units >= was.units),
                    EventKind::Collapse | EventKind::LevelDown | EventKind::DriftDown => assert!(is.units <= was.units),
                    EventKind::PhantomZero => assert_eq!((is.units, is.stockout_hours), (0.0, 0.0)),
                    EventKind::Duplicate => assert!((is.units - 2.0 * was.units).abs() < 1e-6),
                    EventKind::UomMult => {
                        assert!((f64::from(is.units) - event.magnitude * f64::from(was.units)).abs() < 1e-3);
                    }
                    EventKind::UomDiv => assert!(is.units <= was.units / 6.0 && is.units.fract() == 0.0),
                    EventKind::PromoLift => assert!(is.promo && is.price < was.price && is.units >= was.units),
                    EventKind::KnownStockout => assert!(is.stockout_hours == TRADING_HOURS && is.units <= was.units),
                    EventKind::Holiday | EventKind::Closure => unreachable!("they are about many series"),
                }
            }
            assert!(event.kind.is_explained() || event.impact >= 3.0);
        }
        for event in trial.events.iter().filter(|event| event.kind == EventKind::Closure) {
            let shut = (0..40).filter(|series| Scope::Location(trial.panel.locations()[*series]) == event.scope);
            assert!(shut.map(|series| trial.panel.series(series)[event.from]).all(|cell| !cell.open && cell.units == 0.0));
        }
    }
    assert_eq!(kinds.len(), EventKind::ALL.len(), "{kinds:?}");
}

#[test]
fn a_plan_is_as_dense_as_its_track_and_a_window_must_fit() {
    let plan = Plan::like(Track::Fresh, 600, 200..242);
    assert_eq!((plan.exceptions, plan.promotions, plan.stockouts), (210, 130, 75));
    let refused = inject(&base(), &Plan { window: 100..130, ..plan }, 1).unwrap_err();
    assert!(refused.to_string().contains("100..130 of 120 days"), "{refused}");
}

#[test]
fn a_large_base_is_drawn_from() {
    let trial = inject(&base(), &Plan { series_max: 10, ..plan() }, 1).unwrap();
    assert_eq!(trial.panel.keys().len(), 10);
    assert!(trial.panel.keys().windows(2).all(|pair| pair[0] < pair[1]));
}
