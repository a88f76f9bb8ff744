//! What has become of a recommendation, in words.

use super::names::{actor_name, moment, people_names, reason_text};
use super::plain;
use crate::config::Config;
use crate::domain::audit::Chained;
use crate::domain::decision::{RecommendationState, Signature, WakeCondition};
use crate::domain::detail::{Detail as _, NotSent};
use crate::domain::policy::Person;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::deliver::ended::NOT_SENT;

/// Where it stands; nothing while it waits.
pub(super) fn recommendation_state(state: &RecommendationState, config: &Config) -> String {
    let zone = &config.rules.calendar.timezone;
    let people = &config.people;
    match state {
        RecommendationState::Shadow => "in shadow: nobody is asked".to_owned(),
        RecommendationState::Drafted | RecommendationState::Checked => "not yet in the queue".to_owned(),
        RecommendationState::Queued => String::new(),
        RecommendationState::Signed { by, at, .. } => {
            format!("signed by {} on {}; a second signature is needed", actor_name(by.as_str(), people), moment(*at, zone))
        }
        RecommendationState::Approved { by, at, .. } => {
            format!("approved by {} on {}", people_names(by, people), moment(*at, zone))
        }
        RecommendationState::ApprovedWithEdit { by, at, .. } => {
            format!("approved with other values by {} on {}", people_names(by, people), moment(*at, zone))
        }
        RecommendationState::Rejected { by, at, reason, .. } => {
            let who = actor_name(by.as_str(), people);
            format!("rejected by {who} on {}: {}", moment(*at, zone), reason_text(*reason).to_lowercase())
        }
        RecommendationState::Forwarded { to, via, at, signed, .. } => {
            let from = via.last().map(|by| actor_name(by.as_str(), people)).unwrap_or_default();
            let whom = actor_name(to.as_str(), people);
            format!("passed on to {whom} by {from} on {}{}", moment(*at, zone), half_signed(signed.as_ref(), people))
        }
        RecommendationState::Escalated { level, at, signed } => {
            format!("escalated (step {level}) on {}{}", moment(*at, zone), half_signed(signed.as_ref(), people))
        }
        RecommendationState::Snoozed { by, until, wake, .. } => {
            let or = match wake {
                WakeCondition::Grew => String::new(),
                WakeCondition::ValueAbove { value } => format!(" or until it is worth more than {value}"),
                WakeCondition::StageChanged => " or until something else is wrong too".to_owned(),
            };
            format!("snoozed until {until}{or} by {}", actor_name(by.as_str(), people))
        }
        RecommendationState::Expired => "expired: nobody decided in time".to_owned(),
        RecommendationState::Superseded => "superseded".to_owned(),
        RecommendationState::HandedOff => "handed off".to_owned(),
        RecommendationState::CarriedOut => "carried out".to_owned(),
        RecommendationState::Partly => "carried out in part".to_owned(),
        RecommendationState::NotCarriedOut => "not carried out".to_owned(),
        RecommendationState::Undone => "taken back by its executor".to_owned(),
    }
}

/// Why what was approved never left, where that is how it ended.
pub(super) fn not_sent(r: &Recommendation, history: &[Chained]) -> Option<String> {
    if r.state != RecommendationState::NotCarriedOut {
        return None;
    }
    let subject = format!("recommendation:{}", r.id);
    // The same state can come about in another way later: what counts is the entry that ended it last.
    let ends =
        |e: &&Chained| e.entry.subject == subject && matches!(&*e.entry.action, NOT_SENT | "recommendation.not_carried_out");
    let last = history.iter().rev().find(ends).filter(|e| e.entry.action == NOT_SENT)?;
    Some(format!("not sent: {}", plain(&NotSent::of(&last.entry).because?)))
}

/// What is there of two signatures, after another state's text.
fn half_signed(signed: Option<&Signature>, people: &[Person]) -> String {
    signed.map_or_else(String::new, |first| format!("; signed by {}", actor_name(first.by.as_str(), people)))
}
