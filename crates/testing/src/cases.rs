//! Exceptions and cases as detection leaves them, whole and plain: a test names what it is about and leaves the rest.

use jiff::Timestamp;
use jiff::civil::date;
use reeve_domain::action::Range;
use reeve_domain::case::{Case, CaseState, Lane, Rank};
use reeve_domain::exception::{Exception, ExceptionState, Signal, Subject};
use reeve_domain::ids::CaseId;
use reeve_domain::money::Money;

/// The exception of a signal that was seen once.
pub fn exception(signal: Signal, at: Timestamp) -> Exception {
    let id = signal.exception_id();
    Exception {
        id,
        signal,
        state: ExceptionState::Open,
        first_seen: at,
        last_seen: at,
        misses: 0,
        mode: reeve_domain::mode::Mode::Live,
    }
}

/// An open case of `exceptions`, about what the first of them is about.
pub fn case(id: &str, exceptions: &[Exception], at: Timestamp) -> Case {
    let first = exceptions.first().map(|exception| &exception.signal);
    Case {
        id: CaseId::new(id),
        version: 1,
        state: CaseState::Open,
        exceptions: exceptions.iter().map(|exception| exception.id.clone()).collect(),
        codes: exceptions.iter().map(|exception| exception.signal.code).collect(),
        subject: first.map_or_else(Subject::default, |signal| signal.subject.clone()),
        links: Vec::new(),
        headline: first.map_or_else(|| "48 of 60 came".to_owned(), |signal| signal.headline.clone()),
        rank: None,
        evidence_hash: None,
        owner: None,
        wanted: false,
        opened_at: at,
        updated_at: at,
    }
}

/// Ordinary, real nine times in ten, worth so much to decide until 12 October 2026 and as much in all.
pub fn rank(worth: Money) -> Rank {
    Rank {
        lane: Lane::Ordinary,
        p: 0.9,
        value: Range::certain(worth),
        at_stake: worth,
        deadline: date(2026, 10, 12),
        wait_cost: Money::ZERO,
        hangs_on: None,
        unknown: false,
        slack_days: 2.0,
        perishing: 0.5,
        priority: worth,
    }
}
