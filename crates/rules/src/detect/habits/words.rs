//! What is odd of a line, in a planner's words.

use reeve_domain::exception::Driver;
use reeve_domain::habit::Habit;
use reeve_models::receiving::Features;

/// Earlier lines of a supplier, or deliveries, up to which it is said that there are few: it is then held against what all suppliers
/// do.
const FEW: usize = 5;

/// What speaks against the supplier's habit: "as far off on 1 of its last 40 lines".
pub(super) fn beside_habit(habit: &Habit) -> String {
    let (as_far, of) = (habit.as_far(), habit.before.len());
    match of {
        0 => "this is the supplier's first line, held against what all suppliers do".to_owned(),
        1..FEW => {
            let lines = if of == 1 { "line" } else { "lines" };
            format!(
                "this supplier has only {of} earlier {lines} ({as_far} as far off), so it is held against what all suppliers do"
            )
        }
        _ if as_far == 0 => format!("not this supplier's way: none of its last {of} lines was as far off"),
        _ => format!("not this supplier's way: as far off on {as_far} of its last {of} lines"),
    }
}

/// What has become of the supplier's habit: "off so on 5 of its last 6 deliveries, and on 1 of 20 before".
pub(super) fn run(habit: &Habit) -> String {
    let (newest, before) = habit.runs();
    let now = format!("this supplier was so on {} of its last {} deliveries", newest.off, newest.of);
    match before.of as usize {
        0 => format!("{now}, and there are none before: it is held against what all suppliers do"),
        1..FEW => {
            format!("{now}, and on {} of only {} before: it is held against what all suppliers do", before.off, before.of)
        }
        _ => format!("{now}, and on {} of {} before", before.off, before.of),
    }
}

/// What makes a line odd, the strongest first: each with how far it is off and its share in the surprise.
pub(super) fn drivers(f: &Features) -> Vec<Driver> {
    /// A tenth is no surprise.
    const LEAST: f64 = 1.0;
    /// More are not read.
    const MOST: usize = 4;
    let price = f.price.exp_m1();
    let tails = [
        ("short by a share of the order", f.short, f.short_tail),
        ("beyond the order by a share", f.over, f.over_tail),
        ("billed above the agreed price by a share", price.max(0.0), f.price_tail),
        ("billed below the agreed price by a share", (-price).max(0.0), f.price_tail),
        ("days late", f.days.max(0.0), f.late_tail),
        ("days early", (-f.days).max(0.0), f.early_tail),
        ("billed and not received, a share", f.billed_received.exp_m1().max(0.0), f.unreceived_tail),
        ("receipts of equal quantity", f.equal_parts, f.duplicate_odds.max(0.0)),
        ("received for one ordered", f.received_ordered.exp(), f.unit_odds.max(0.0)),
    ];
    let mut odd: Vec<_> = tails.into_iter().filter(|(_, value, tail)| *value > 0.0 && *tail >= LEAST).collect();
    odd.sort_by(|a, b| b.2.total_cmp(&a.2));
    odd.truncate(MOST);
    let all: f64 = odd.iter().map(|(_, _, tail)| tail).sum();
    let driver = |(feature, value, tail): (&str, f64, f64)| Driver {
        feature: feature.to_owned(),
        value: super::round(value),
        share: super::round(tail / all),
    };
    odd.into_iter().map(driver).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn habit(before: &[f64], deliveries: &[f64]) -> Habit {
        let (line, detector, kind) = ("1".to_owned(), "unsupervised-0".to_owned(), "short".to_owned());
        let (before, deliveries) = (before.to_vec(), deliveries.to_vec());
        Habit { line, detector, kind, features: Vec::new(), off: 0.02, before, deliveries, usual: 0.1 }
    }

    #[test]
    fn few_lines_are_said_to_be_few() {
        assert_eq!(
            beside_habit(&habit(&[0.0, 0.03], &[])),
            "this supplier has only 2 earlier lines (1 as far off), so it is held against what all suppliers do"
        );
        assert_eq!(
            beside_habit(&habit(&[0.0; 20], &[])),
            "not this supplier's way: none of its last 20 lines was as far off"
        );
        assert_eq!(
            run(&habit(&[], &[0.0, 0.0, 0.1, 0.1, 0.1, 0.0, 0.1, 0.1])),
            "this supplier was so on 5 of its last 6 deliveries, and on 0 of only 2 before: it is held against what all suppliers do"
        );
    }
}
