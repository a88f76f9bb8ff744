//! Looking again at the moment of a decision.

use async_trait::async_trait;

use crate::domain::action::{Action, Check};
use crate::domain::case::Case;
use crate::domain::ids::PersonId;
use crate::domain::mode::Mode;
use crate::domain::policy::Facts;
use crate::domain::recommendation::Recommendation;

/// Looks at the facts of this moment. Supplied by whoever knows the books; called at the queue and at every approving click.
/// Nothing has a default: whoever looks says each of the five.
#[async_trait]
pub trait Recheck: Send + Sync {
    /// Makes the hard and soft checks of a plan's steps again, on the records as they are now: a list for each step, in their
    /// order, each on what the steps before it leave.
    async fn recheck(&self, case: &Case, steps: &[&Action]) -> anyhow::Result<Vec<Vec<Check>>>;

    /// What the policy's rules ask about an action: its item's class, the places it touches and so on. What is not known
    /// counts as the stricter case.
    async fn facts(&self, case: &Case, action: &Action) -> anyhow::Result<Facts>;

    /// What of the facts that a recommendation rests on reads otherwise in the records as they are now: "on hand: 40 then,
    /// 12 now". Empty where it still stands on them.
    async fn moved(&self, case: &Case, recommendation: &Recommendation) -> anyhow::Result<Vec<String>>;

    /// The people whose own count, receipt or bill the case is about: they can not approve it.
    async fn concerned(&self, case: &Case) -> anyhow::Result<Vec<PersonId>>;

    /// In which mode the scope of a case is now, of several exceptions the one that is most in sight.
    async fn mode(&self, case: &Case) -> anyhow::Result<Mode>;
}
