//! What is a supplier's usual way, and so no news where the policy says that usual ways need none.

use reeve_domain::exception::ExceptionType as T;
use reeve_models::receiving::ReceivingKind as K;

use super::Judged;

/// Earlier lines that make a habit, and the share of them that must have been as far off. A supplier that does a thing on one line
/// in five does it on half of twenty once in four hundred times.
const LINES: usize = 20;
const SHARE: f64 = 0.5;

/// Why lines that a rule is about are no news; None where any of them is, or where nothing is known of it.
pub(super) fn reason(code: T, lines: &[Option<Judged<'_>>]) -> Option<String> {
    let kind = match code {
        T::RShort => K::Short,
        T::ROver => K::Over,
        T::RLate => K::Late,
        T::REarly => K::Early,
        _ => return None,
    };
    let mut least: Option<(usize, usize)> = None;
    // Of an order all lines have to be usual: one that is not may be the reason why somebody should look.
    for line in lines {
        let habit = line.as_ref()?.habit(kind);
        let (as_far, of) = (habit.as_far(), habit.before.len());
        if of < LINES || (as_far as f64) < SHARE * of as f64 {
            return None;
        }
        least = Some(least.map_or((as_far, of), |least| least.min((as_far, of))));
    }
    let (as_far, of) = least?;
    Some(format!("this supplier's usual way: as much or more on {as_far} of its last {of} lines"))
}
