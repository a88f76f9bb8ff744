//! What a change does to stock, receipts and demand at a place, so that its shortage can be projected with it.

use super::projection::Projection;
use crate::outlook::{DayForecast, Outlook};
use crate::scene::Scene;
use reeve_domain::book::Place;
use reeve_domain::workings::Change;

/// The steps of a change that work on a place, as workings name it. A change of one step was computed for the places it is asked of.
pub(super) fn steps<'c>(change: &'c Change, place: &str) -> Vec<&'c Change> {
    let Change::Together(steps) = change else { return vec![change] };
    let works = |step: &&Change| match step {
        Change::Moved { place: at, .. }
        | Change::Sooner { place: at, .. }
        | Change::Raised { place: at, .. }
        | Change::Ordered { place: at, .. } => at == place,
        _ => true,
    };
    steps.iter().filter(works).collect()
}

/// Stock and receipts with steps that are decided `wait` days from now. What then comes too late changes nothing.
pub(super) fn stock(now: &Projection, steps: &[&Change], wait: u32) -> Projection {
    let mut stock = now.clone();
    for step in steps {
        let Some(day) = step.day_after(wait) else { continue };
        stock = match step {
            Change::Moved { quantity, .. } => stock.with_arrival(day, *quantity, 0.0),
            Change::Sooner { line, quantity, .. } => stock.with_moved(line, *quantity, day),
            Change::Ordered { quantity, sd, .. } | Change::Raised { quantity, sd, .. } => {
                stock.with_arrival(day, *quantity, *sd)
            }
            _ => stock,
        };
    }
    stock
}

/// The demand at a place with steps that are decided `wait` days from now; none where they leave it as it is.
pub(super) fn outlook(scene: &Scene<'_>, place: &Place, steps: &[&Change], wait: u32) -> Option<Outlook> {
    let (from, to, share) = steps.iter().find_map(|step| match step {
        Change::Quieter { to, share, .. } => Some((step.day_after(wait)?, *to, *share)),
        _ => None,
    })?;
    let day = |(at, day): (u32, DayForecast)| {
        let share = if (from..=to).contains(&at) { share } else { 1.0 };
        DayForecast { mean: day.mean * share, sigma: day.sigma * share }
    };
    let course = (1..).zip(scene.outlook.course(place)).map(day).collect();
    Some(Outlook { daily: [(place.clone(), course)].into(), ..Outlook::default() })
}
