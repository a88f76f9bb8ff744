//! The digest: the morning list as data, before it becomes text, Markdown or HTML.
//!
//! Same inputs, same digest: nothing here depends on when or how often it was made.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::action::Range;
use super::case::Lane;
use super::ids::{CaseId, PersonId};
use super::money::Money;

/// One case as the digest shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DigestLine {
    /// Which case.
    pub case_id: CaseId,
    /// Place in the list, from 1.
    pub place: u32,
    /// Type codes, most telling first.
    pub codes: Vec<String>,
    /// What happened, in one sentence.
    pub headline: String,
    /// Who or where: item and location, or supplier and order, for people.
    pub subject: String,
    /// L₀: the money at stake.
    pub at_stake: Money,
    /// V with its doubt.
    pub value: Range,
    /// P.
    pub priority: Money,
    /// Probability that it is real.
    pub p: f64,
    /// Last day on which the first recommendation works.
    pub deadline: Date,
    /// Days left to decide.
    pub slack_days: f64,
    /// What is lost of V if the decision waits for the next digest; nothing where that can not be computed.
    #[serde(default)]
    pub wait_cost: Money,
    /// Lane before money.
    pub lane: Lane,
    /// The first recommendation: action code and sentence.
    pub action: String,
    /// The sentence.
    pub recommendation: String,
    /// Why.
    pub why: String,
    /// Other actions with their benefit, best first, one phrase each.
    pub alternatives: Vec<String>,
    /// Set where the drafter's first choice is worth more than 10 % less than the best.
    pub note: Option<String>,
    /// A random case from below the line, shown to measure what is missed.
    pub sampled: bool,
    /// Is it new since the digest before?
    pub new: bool,
}

impl DigestLine {
    /// Is it listed on its own merit, and not drawn from below the line?
    pub fn is_worth_deciding(&self) -> bool {
        !self.sampled
    }
}

/// The account of everything below the line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BelowLine {
    /// How many cases.
    pub cases: u32,
    /// The sum of their V.
    pub value: Money,
    /// The largest of them, in words.
    pub largest: Option<String>,
}

/// Something that deviates, with the business reason that makes it ordinary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedLine {
    /// Type code.
    pub code: String,
    /// What deviates.
    pub headline: String,
    /// Why that is ordinary.
    pub reason: String,
}

/// Whose digest it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestOf {
    /// Who, in the configuration.
    pub id: PersonId,
    /// What they are called.
    pub name: String,
}

/// The morning list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// The business day on which it was made.
    pub day: Date,
    /// Whose it is, where it has the cases of one planner; None: everybody's, with all cases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub planner: Option<DigestOf>,
    /// The records were read up to here.
    pub as_of: Timestamp,
    /// What is not in it though its day was over, because it was not read in time, and why, and which scopes are not
    /// live: one line each, none when all was read and is live.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// ISO code of all amounts.
    pub currency: String,
    /// The cases above the line.
    pub lines: Vec<DigestLine>,
    /// The rest.
    pub below: BelowLine,
    /// In everybody's, where there are planners: what each of them has, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planners: Vec<String>,
    /// What looks odd and is explained.
    pub explained: Vec<ExplainedLine>,
    /// Sum of the money at stake above the line, each root cause once.
    pub at_stake: Money,
    /// What is muted, by whom and until when, and which mutes are proposed: one line each, none where there is nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noise: Vec<String>,
    /// What was decided since the digest before, one line each.
    pub decided: Vec<String>,
    /// Who wrote the recommendations: "playbook", or "model NAME, n of m by the playbook because …".
    pub drafted_by: String,
    /// What is stale, missing or not running; empty when all is well.
    pub health: Vec<String>,
    /// Number and hash of the newest audit entry when the digest was made: the anchor of the log.
    pub audit_head: (i64, String),
}
