//! Approvals of which the ERP shows nothing, as the digest tells of them.

use jiff::{SignedDuration, Timestamp};

use super::super::stuck::{Unseen, missed};
use crate::domain::calendar::Calendar;

fn unseen(count: i64) -> Vec<Unseen> {
    let first: Timestamp = "2026-09-10T20:00:00Z".parse().unwrap();
    let one = |n: i64| Unseen {
        case: format!("case-{n}"),
        summary: format!("Move {n} units"),
        since: first + SignedDuration::from_hours(24 * n),
        why: "not seen in the ERP".to_owned(),
    };
    (0..count).map(one).collect()
}

#[test]
fn the_newest_are_named_and_the_others_counted_however_many_there_are() {
    let calendar = Calendar::utc();
    assert!(missed(&[], &calendar).is_empty());
    assert_eq!(
        missed(&unseen(2), &calendar),
        [
            "Approved, not seen in the ERP since 2026-09-11: Move 1 units (case case-1).",
            "Approved, not seen in the ERP since 2026-09-10: Move 0 units (case case-0)."
        ]
    );
    let many = missed(&unseen(45), &calendar);
    assert_eq!(many.len(), 4, "{many:?}");
    assert!(many[0].contains("Move 44 units") && many[2].contains("Move 42 units"), "{many:?}");
    assert_eq!(
        many[3],
        "Approved earlier and not seen in the ERP or not sent: 42 more, the oldest since 2026-09-10; see Outbox, or `reeve outbox list`."
    );
}
