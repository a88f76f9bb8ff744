//! Looking again at the moment of a decision: what is asked. `recheck_on_records` answers it, tests put others in its place.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::domain::action::{Action, Check};
use crate::domain::book::Place;
use crate::domain::case::Case;
use crate::domain::ids::PersonId;
use crate::domain::mode::Mode;
use crate::domain::money::Quantity;
use crate::domain::policy::Facts;
use crate::domain::recommendation::Recommendation;

/// What other cases take of the items that a case is about, by donor. Of all that a look at a case rests on it is the one thing
/// that a decision on another case moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Promised {
    /// Signed or approved, and not yet seen in the ERP.
    pub firm: BTreeMap<Place, Quantity>,
    /// The firm ones, and what waits for a decision as the first choice of its case.
    pub proposed: BTreeMap<Place, Quantity>,
}

/// Looks at the facts of this moment. Supplied by whoever knows the books; called at the queue and at every approving click.
/// Nothing has a default: whoever looks says each of the seven.
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

    /// What other cases are promised now of what this one is about.
    async fn promised(&self, case: &Case) -> anyhow::Result<Promised>;

    /// The people whose own count, receipt or bill the case is about: they can not approve it.
    async fn concerned(&self, case: &Case) -> anyhow::Result<Vec<PersonId>>;

    /// The planner whose case it is; None where there are no planners.
    async fn owner(&self, case: &Case) -> anyhow::Result<Option<PersonId>>;

    /// In which mode the scope of a case is now, of several exceptions the one that is most in sight.
    async fn mode(&self, case: &Case) -> anyhow::Result<Mode>;
}
