//! Which digests there are of a day: everybody's, and one for each planner of what is theirs, at their own hour.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::config::{Config, PlannerConfig};
use crate::domain::case::Case;
use crate::domain::digest::DigestOf;
use crate::domain::exception::Exception;
use crate::domain::ids::PersonId;
use crate::pipeline::moment::Moment;
use crate::rules::ownership::Ownership;
use crate::rules::settings::RankingConfig;

/// One digest, before it is made.
#[derive(Clone, Debug)]
pub(super) struct Edition {
    /// Whose; None: everybody's.
    pub(super) planner: Option<DigestOf>,
    /// The day that it is of: where it is read.
    pub(super) day: Date,
    /// The business day on which it is due. Another one where its reader is far from the business.
    pub(super) reckoned: Date,
    /// From when it is made.
    pub(super) due: Timestamp,
    /// From when it is made of whatever there is.
    pub(super) by: Timestamp,
    /// How it ranks: with the planner's own capacity.
    pub(super) ranking: RankingConfig,
}

impl Edition {
    /// Those of the moment `now`, everybody's first.
    pub(super) fn all(config: &Config, now: Timestamp) -> Vec<Self> {
        std::iter::once(Self::everybodys(config, now))
            .chain(config.planners.iter().map(|planner| Self::of(config, planner, now)))
            .collect()
    }

    fn everybodys(config: &Config, now: Timestamp) -> Self {
        let calendar = &config.rules.calendar;
        let day = calendar.calendar().day_of(now);
        Self {
            planner: None,
            day,
            reckoned: day,
            due: calendar.digest_at(day),
            by: calendar.digest_by(day),
            ranking: config.rules.ranking.clone(),
        }
    }

    fn of(config: &Config, planner: &PlannerConfig, now: Timestamp) -> Self {
        let day = planner.calendar(config).day_of(now);
        let due = planner.digest_at(config, day);
        let name = config.people.iter().find(|person| person.id == planner.person).map(|person| person.name.clone());
        Self {
            planner: Some(DigestOf { id: planner.person.clone(), name: name.unwrap_or_else(|| planner.person.to_string()) }),
            day,
            // Ranks and closed days are counted in the business's days.
            reckoned: config.rules.calendar.calendar().day_of(due),
            due,
            by: planner.digest_by(config, day),
            ranking: RankingConfig { capacity: planner.capacity(config), ..config.rules.ranking.clone() },
        }
    }

    /// The id of whose it is; empty: everybody's.
    pub(super) fn whose(&self) -> &str {
        self.planner.as_ref().map_or("", |planner| planner.id.as_str())
    }

    /// What the log calls it.
    pub(super) fn subject(&self) -> String {
        match &self.planner {
            None => format!("digest:{}", self.day),
            Some(planner) => format!("digest:{}:{}", self.day, planner.id),
        }
    }
}

/// What belongs into one digest.
pub(super) struct Share {
    moment: Arc<Moment>,
    ownership: Ownership,
    person: PersonId,
}

impl Share {
    /// That of `edition`; None where everything does.
    pub(super) fn of(config: &Config, moment: &Arc<Moment>, edition: &Edition) -> Option<Self> {
        let person = edition.planner.as_ref()?.id.clone();
        Some(Self { moment: Arc::clone(moment), ownership: config.ownership()?, person })
    }

    /// Does a case?
    pub(super) fn has(&self, case: &Case) -> bool {
        *self.ownership.of_case(&self.moment.book, case) == self.person
    }

    /// Does what no case holds?
    pub(super) fn has_exception(&self, exception: &Exception) -> bool {
        *self.ownership.of_signal(&self.moment.book, &exception.signal) == self.person
    }
}
