//! Demand with injected exceptions.
//!
//! What is injected keeps the noise of the days it falls on: less is a binomial thinning of what was sold, more is a
//! Poisson count on top. An exception changes only its own series; an explained event says so in its context (promotion
//! with a price cut, known stock-out, holiday, closure) and must not be alarmed.

mod event;
mod inject;
mod plan;

use reeve_models::demand::panel::Panel;
use reeve_models::demand::train::{Label, Lesson};

pub use self::event::{Event, EventKind, Scope};
pub use self::inject::inject;
pub use self::plan::{Plan, Track};

/// A panel with what was injected into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Demand, exceptions and explained events in it.
    pub panel: Panel,
    /// Index of the first day to score; nothing was injected before.
    pub eval_from: usize,
    /// What was injected. No two exceptions or explained events of single series overlap.
    pub events: Vec<Event>,
    /// Alarms a day that planners read, for [`super::measure::demand`].
    pub ks: Vec<usize>,
}

impl Trial {
    /// The trial as a lesson: a label for each series and day from the first that is scored.
    pub fn lesson(self) -> Lesson {
        let (days, from) = (self.panel.days().len(), self.eval_from);
        let mut labels = vec![Label::Usual; self.panel.keys().len() * (days - from)];
        let mut mark = |series: usize, first: usize, last: usize, label: Label| {
            let row = &mut labels[series * (days - from)..][..days - from];
            row[first.saturating_sub(from).min(days - from)..(last + 1).saturating_sub(from).min(days - from)].fill(label);
        };
        // Exceptions after what is explained: where both are, the exception is to be found.
        for event in self.events.iter().filter(|event| event.kind.is_explained()) {
            for series in self.series_of(event.scope) {
                mark(series, event.from, event.to, Label::Explained);
            }
        }
        for (number, event) in self.events.iter().enumerate().filter(|(_, event)| !event.kind.is_explained()) {
            for series in self.series_of(event.scope) {
                mark(series, event.from, event.to.max(event.detect_until) + 1, Label::Uncounted);
                if let Some(kind) = event.kind.verdict() {
                    mark(series, event.from, event.detect_until, Label::Odd(number as u32, kind));
                }
            }
        }
        Lesson { panel: self.panel, from, labels }
    }

    fn series_of(&self, scope: Scope) -> Vec<usize> {
        match scope {
            Scope::Series(series) => vec![series],
            Scope::Location(location) => {
                (0..self.panel.keys().len()).filter(|series| self.panel.locations()[*series] == location).collect()
            }
            Scope::All => (0..self.panel.keys().len()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
