//! The life of a case, as one total function (handbook §8): new → (latent) → open → (snoozed) → decided → verifying → closed; or
//! resolved by itself, expired, or folded into another. It knows no clock and no store.
//!
//! A case that is over stays over: only the undo of the decision that ended it brings it back. What happens to its
//! recommendations is [`super::decision`]'s business.

use jiff::civil::Date;

use super::case::CaseState;
use super::decision::WakeCondition;
use super::exception::ExceptionType;
use super::ids::CaseId;
use super::mode::Mode;
use super::money::Money;

/// What can happen to a case.
#[derive(Clone, Debug, PartialEq)]
pub enum CaseEvent {
    /// It was judged, and no decision would gain anything.
    StayLatent,
    /// Somebody wants to see what could be done, whatever it is worth.
    Want,
    /// Recommendations for it were drafted, or one of them was changed by a person.
    Propose,
    /// A person puts it off.
    Snooze {
        /// Until when at the latest.
        until: Date,
        /// What ends it earlier.
        wake: WakeCondition,
        /// What it is worth now.
        value_then: Money,
        /// What is wrong now.
        codes_then: Vec<ExceptionType>,
    },
    /// The snooze is over.
    Wake,
    /// One of its recommendations is approved.
    Approve,
    /// A person says that there is nothing to decide, or has refused everything that was proposed.
    Refuse,
    /// A person takes their decision back.
    Undo,
    /// What was approved has left.
    HandOff,
    /// It is known what became of what was handed off.
    Settle,
    /// Its exceptions went away.
    Resolve,
    /// The last date on which anything helped has passed.
    Expire,
    /// A person says that it is the same as another.
    Merge {
        /// The other one.
        into: CaseId,
    },
    /// Its scope is taken to another mode.
    Withdraw {
        /// Which one.
        to: Mode,
    },
}

impl CaseEvent {
    /// The name in messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::StayLatent => "leave below the line",
            Self::Want => "ask for recommendations for",
            Self::Propose => "propose something for",
            Self::Snooze { .. } => "snooze",
            Self::Wake => "wake",
            Self::Approve => "decide",
            Self::Refuse => "close",
            Self::Undo => "reopen",
            Self::HandOff => "hand off",
            Self::Settle => "settle",
            Self::Resolve => "resolve",
            Self::Expire => "expire",
            Self::Merge { .. } => "merge",
            Self::Withdraw { .. } => "withdraw",
        }
    }
}

/// Something that can not happen to a case where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("can not {event} a case that is {}", from.replace('_', " "))]
pub struct CaseRefused {
    from: &'static str,
    event: &'static str,
}

impl CaseState {
    /// Does it wait for people, now or later?
    pub fn is_undecided(&self) -> bool {
        matches!(self, Self::New | Self::Open | Self::Snoozed { .. })
    }

    /// May further exceptions join it, and does it still hang on them whether it is there? So does one that nobody has seen yet, and
    /// one in shadow, where nobody decides.
    pub fn may_grow(&self) -> bool {
        self.is_undecided() || matches!(self, Self::Latent | Self::Shadow)
    }

    /// Is nothing drafted for it yet, nor put before people?
    pub fn is_unseen(&self) -> bool {
        matches!(self, Self::New | Self::Latent)
    }

    /// Is it in shadow, or was it to its end?
    pub fn is_shadow(&self) -> bool {
        matches!(self, Self::Shadow | Self::ShadowOver { .. })
    }

    /// Where a case stands after `event`.
    ///
    /// News about what was handed off changes nothing in a case that has gone another way since: it stays where it went.
    ///
    /// # Errors
    /// [`CaseRefused`] for whatever does not fit.
    pub fn after(self, event: CaseEvent) -> Result<Self, CaseRefused> {
        let refused = CaseRefused { from: self.name(), event: event.name() };
        match event {
            CaseEvent::StayLatent if self.is_unseen() => Ok(Self::Latent),
            // What nobody could gain by deciding is judged again with each look, and may have gained value since.
            CaseEvent::Want if matches!(self, Self::New | Self::Latent) => Ok(Self::New),
            CaseEvent::Propose if matches!(self, Self::New | Self::Latent | Self::Open) => Ok(Self::Open),
            // Of what is in shadow nobody is asked anything, so all that can happen to it is that it ends.
            CaseEvent::Propose if matches!(self, Self::Shadow) => Ok(Self::Shadow),
            CaseEvent::Resolve | CaseEvent::Merge { .. } if matches!(self, Self::Shadow) => {
                Ok(Self::ShadowOver { to: None })
            }
            CaseEvent::Withdraw { to } if matches!(self, Self::Shadow) => Ok(Self::ShadowOver { to: Some(to) }),
            CaseEvent::Withdraw { to } if self.is_undecided() => Ok(Self::Withdrawn { to }),
            CaseEvent::Snooze { until, wake, value_then, codes_then } if self.is_undecided() => {
                Ok(Self::Snoozed { until, value_then, wake, codes_then })
            }
            CaseEvent::Wake if matches!(self, Self::Snoozed { .. }) => Ok(Self::Open),
            CaseEvent::Approve if self.is_undecided() => Ok(Self::Decided),
            CaseEvent::Refuse if self.is_undecided() => Ok(Self::Closed),
            CaseEvent::Resolve if self.is_undecided() => Ok(Self::ResolvedItself),
            CaseEvent::Expire if self.is_undecided() => Ok(Self::Expired),
            CaseEvent::Merge { into } if self.is_undecided() => Ok(Self::Merged { into }),
            // A case that was closed or put off comes back to people. One that went another way since stays there.
            CaseEvent::Undo => match self {
                Self::Decided | Self::Closed | Self::Snoozed { .. } => Ok(Self::Open),
                other => Ok(other),
            },
            CaseEvent::HandOff => match self {
                Self::Decided => Ok(Self::Verifying),
                other => Ok(other),
            },
            CaseEvent::Settle => match self {
                Self::Decided | Self::Verifying => Ok(Self::Closed),
                other => Ok(other),
            },
            // Named one by one and not by `_`: a new event does not compile until somebody has said where it leads.
            CaseEvent::StayLatent
            | CaseEvent::Want
            | CaseEvent::Propose
            | CaseEvent::Snooze { .. }
            | CaseEvent::Wake
            | CaseEvent::Approve
            | CaseEvent::Refuse
            | CaseEvent::Resolve
            | CaseEvent::Expire
            | CaseEvent::Merge { .. }
            | CaseEvent::Withdraw { .. } => Err(refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> Vec<CaseState> {
        let until = "2026-10-09".parse().unwrap();
        vec![
            CaseState::New,
            CaseState::Latent,
            CaseState::Open,
            CaseState::Snoozed { until, value_then: Money::ZERO, wake: WakeCondition::Grew, codes_then: vec![] },
            CaseState::Decided,
            CaseState::Verifying,
            CaseState::Closed,
            CaseState::ResolvedItself,
            CaseState::Expired,
            CaseState::Merged { into: CaseId::new("case-2") },
            CaseState::Shadow,
            CaseState::ShadowOver { to: None },
            CaseState::Withdrawn { to: Mode::Shadow },
        ]
    }

    fn events() -> Vec<CaseEvent> {
        let until = "2026-10-10".parse().unwrap();
        vec![
            CaseEvent::StayLatent,
            CaseEvent::Want,
            CaseEvent::Propose,
            CaseEvent::Snooze { until, wake: WakeCondition::Grew, value_then: Money::ZERO, codes_then: vec![] },
            CaseEvent::Wake,
            CaseEvent::Approve,
            CaseEvent::Refuse,
            CaseEvent::Undo,
            CaseEvent::HandOff,
            CaseEvent::Settle,
            CaseEvent::Resolve,
            CaseEvent::Expire,
            CaseEvent::Merge { into: CaseId::new("case-3") },
            CaseEvent::Withdraw { to: Mode::Off },
        ]
    }

    #[test]
    fn every_pair_of_state_and_event_has_its_answer() {
        // Rows: states; columns: stay-latent want propose snooze wake approve refuse undo hand-off settle resolve expire merge withdraw.
        // `.` refused, `=` stays, else the first letters of what follows.
        let table = "
            new             la =  op sn .  de cl =  =  =  re ex me wi
            latent          =  ne op .  .  .  .  =  =  =  .  .  .  .
            open            .  .  op sn .  de cl =  =  =  re ex me wi
            snoozed         .  .  .  sn op de cl op =  =  re ex me wi
            decided         .  .  .  .  .  .  .  op ve cl .  .  .  .
            verifying       .  .  .  .  .  .  .  =  =  cl .  .  .  .
            closed          .  .  .  .  .  .  .  op =  =  .  .  .  .
            resolved_itself .  .  .  .  .  .  .  =  =  =  .  .  .  .
            expired         .  .  .  .  .  .  .  =  =  =  .  .  .  .
            merged          .  .  .  .  .  .  .  =  =  =  .  .  .  .
            shadow          .  .  sh .  .  .  .  =  =  =  sh .  sh sh
            shadow_over     .  .  .  .  .  .  .  =  =  =  .  .  .  .
            withdrawn       .  .  .  .  .  .  .  =  =  =  .  .  .  .";
        let rows: Vec<Vec<&str>> = table.trim().lines().map(|l| l.split_whitespace().collect()).collect();
        assert_eq!(rows.len(), states().len());
        for (state, row) in states().into_iter().zip(rows) {
            assert_eq!((state.name(), row.len()), (row[0], events().len() + 1));
            for (event, expected) in events().into_iter().zip(&row[1..]) {
                let what = format!("{} + {}", state.name(), event.name());
                match (*expected, state.clone().after(event)) {
                    (".", result) => assert!(result.is_err(), "{what} gave {result:?}"),
                    ("=", result) => assert_eq!(result.as_ref(), Ok(&state), "{what}"),
                    (start, result) => {
                        let name = result.unwrap_or_else(|e| panic!("{what}: {e}")).name();
                        assert!(name.starts_with(start), "{what} gave {name}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_refusal_says_what_and_where() {
        let error = CaseState::ResolvedItself.after(CaseEvent::Approve).unwrap_err().to_string();
        assert_eq!(error, "can not decide a case that is resolved itself");
    }
}
