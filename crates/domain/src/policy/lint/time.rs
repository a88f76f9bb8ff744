//! Time: quiet hours that leave nobody to be told, and steps that come too late to matter.

use super::Finding;
use crate::policy::document::Policy;

pub(super) fn findings(policy: &Policy) -> Vec<Finding> {
    let mut found = Vec::new();
    let working = policy.hours.from.minutes()..policy.hours.to.minutes();
    let all = working.len();
    let quiet = working.filter(|minute| policy.quiet.holds_minute(*minute)).count();
    let hours = format!("{}–{}", policy.hours.from, policy.hours.to);
    if quiet == all {
        found.push(Finding::error(
            "quiet",
            format!("quiet hours cover all working hours ({hours}): nobody is ever told anything while they work"),
            "let quiet hours end before work begins and begin after it ends",
        ));
    } else if quiet > 0 {
        found.push(Finding::warning(
            "quiet",
            format!(
                "quiet hours cover {quiet} minutes of the working hours ({hours}): what is due then waits while people work"
            ),
            "let quiet hours end before work begins and begin after it ends",
        ));
    }
    let mut holidays = policy.hours.holidays.iter();
    let useless = holidays.find(|day| {
        // Asked without any holiday, or each one would be a day off because of itself.
        let mut open = policy.hours.clone();
        open.holidays.clear();
        !open.is_working_day(**day)
    });
    if let Some(day) = useless {
        found.push(Finding::note(
            "hours.holidays",
            format!("nobody works on {day} anyway"),
            "check the date: a holiday on a working day was perhaps meant",
        ));
    }
    if policy.drills.share.0 > rust_decimal::Decimal::new(5, 1) {
        found.push(Finding::warning(
            "drills.share",
            format!("{} of what people see would be planted", policy.drills.share),
            "plant a few in a hundred: 0.02",
        ));
    }
    found
}
