//! Have a writer's drafts got worse? By what the guard refused and what its first choices were worth, of its drafts of late.
//!
//! Both are counted, and weighed by the low end of Wilson's interval: chance alone does not take words back.

use jiff::civil::Date;

use super::{Stand, State};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::calendar::plus_days;
use crate::domain::writer::{DraftEnd, GradedDraft};
use crate::models::formulas::wilson;
use crate::store::{Store, StoreError};

/// Days of late: four weeks hold each weekday four times, as answers on detectors are few.
pub const DAYS: i32 = 28;
/// Drafts below which a share says nothing.
pub const LEAST: u32 = 20;
/// Share of answers that the guard may refuse: each costs two calls and says nothing.
pub const REFUSED_MAX: f64 = 0.10;
/// Share of drafts that may put what is worth more than a tenth less than the best first (handbook §6 rule 7).
pub const REGRETS_MAX: f64 = 0.10;

/// The normal quantile of the intervals: 95 of 100 such intervals hold the true share.
const Z: f64 = 1.959_963_984_540_054;

/// The drafts of a writer that count now: of the last [`DAYS`], and since it came to where it stands. What it did before its words were
/// taken back does not count against a better prompt's proof, nor what it did in shadow against what people saw since.
///
/// # Errors
/// The store's.
pub async fn of_late(store: &Store, config: &Config, clock: &Clock, now: &Stand) -> Result<Vec<GradedDraft>, StoreError> {
    let today: Date = config.rules.calendar.calendar().day_of(clock.now());
    let mut drafts = store.list_writer_drafts(&now.writer.id(), plus_days(today, -DAYS), plus_days(today, 1)).await?;
    let since = now.since.as_ref().map(|step| step.at);
    drafts.retain(|draft| draft.shown == (now.state == State::Earned) && since.is_none_or(|since| draft.at >= since));
    Ok(drafts)
}

/// Why drafts are worse than they may be; None where they are not, or where there are too few to tell.
pub fn unfit(drafts: &[GradedDraft]) -> Option<String> {
    let count = |is: &dyn Fn(&&GradedDraft) -> bool| u32::try_from(drafts.iter().filter(is).count()).unwrap_or(u32::MAX);
    let passed = count(&|draft| draft.end == DraftEnd::Passed);
    let refused = count(&|draft| draft.end == DraftEnd::Refused);
    let regrets = count(&|draft| draft.end == DraftEnd::Passed && draft.grade.regrets());
    // Answers that never came are the endpoint's fault, and count for neither.
    let answered = passed + refused;
    let beyond = |n: u32, of: u32, most: f64| of >= LEAST && wilson(n, of, Z).0 > most;
    if beyond(refused, answered, REFUSED_MAX) {
        return Some(format!("the guard refused {refused} of {answered} drafts, where one in ten may be"));
    }
    beyond(regrets, passed, REGRETS_MAX).then(|| {
        format!(
            "{regrets} of {passed} drafts put first what is worth more than a tenth less than the best, where one in ten may"
        )
    })
}
