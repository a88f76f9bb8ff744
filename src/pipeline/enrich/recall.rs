//! What memory adds to a case's facts: like cases that were decided, and what others wrote.

use anyhow::Context;

use super::{Enriching, Stages};
use crate::domain::evidence::{Bundle, Fact};
use crate::domain::text::clean;
use crate::domain::words::with_causes;
use crate::memory::{Asked, Concerned, MemoryError};
use crate::rules::likeness::company_of;
use crate::rules::scene::Scene;

/// Why memory does not answer, for the digest: a setting, empty while it does.
pub(in crate::pipeline) const AWAY: &str = "memory.away";
/// Longest reason, in characters.
const AWAY_MAX: usize = 200;

impl Enriching {
    /// Tells memory's index what is new, once for all cases. Where it does not answer, each case gets its evidence without it, and the
    /// digest says so.
    pub(super) async fn tell_memory(&self) -> anyhow::Result<()> {
        let Stages { store, config, memories, .. } = &self.stages;
        if !config.memory.enabled {
            return Ok(());
        }
        let away = match memories.tell_index().await {
            Ok(_) => String::new(),
            Err(MemoryError::Port(error)) => clean(&with_causes(&error), AWAY_MAX),
            Err(error) => return Err(error).context("telling the index of memory what is new"),
        };
        if store.find_setting(AWAY).await?.unwrap_or_default() != away {
            store.put_setting(AWAY, &away).await?;
        }
        Ok(())
    }

    /// What memory adds to the facts of a case: like cases of its company that were decided before today.
    pub(super) async fn remembered(&self, scene: &Scene<'_>, latest: Option<&Bundle>) -> anyhow::Result<Vec<Fact>> {
        let Stages { config, memories, .. } = &self.stages;
        if !config.memory.enabled {
            return Ok(Vec::new());
        }
        let Some(company) = company_of(scene.book, scene.exceptions) else { return Ok(Vec::new()) };
        let asked = Asked {
            case: &scene.case.id,
            exceptions: scene.exceptions,
            company: &company,
            // Else a decision of today would change the evidence of other cards on the day on which they are decided.
            known_before: config.rules.calendar.calendar().begin_of(scene.book.today),
            limit: config.memory.like_cases,
        };
        match memories.facts(&asked, &Concerned::of(scene.book, scene.exceptions)).await {
            Ok(facts) => Ok(facts),
            // What was shown before stays: a card must not change because an index is away for a moment.
            Err(MemoryError::Port(error)) => {
                tracing::warn!("Memory did not answer; the case is drafted without: {}", with_causes(&error));
                Ok(latest.into_iter().flat_map(Bundle::remembered).cloned().collect())
            }
            Err(error) => Err(error).context("asking what was decided on like cases"),
        }
    }
}
