//! Asking memory: which decided cases are like this one, what was said of the promotion, what the supplier wrote last.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Concerned, Memories, MemoryError, told};
use crate::domain::evidence::Fact;
use crate::domain::exception::Exception;
use crate::domain::ids::CaseId;
use crate::domain::remembered::MemoryKind;
use crate::ports::{Nearest, Space};
use crate::rules::likeness::{self, LEAST_ALIKE, alike, cosine};
use crate::store::Memory;

/// Of each space so many are looked at more closely.
const CLOSER: usize = 40;

/// How much it counts that a case is known to have ended, and that it is new: both less than a small difference in likeness.
const KNOWN: f32 = 0.03;
pub(super) const NEW: f32 = 0.03;
/// In so many days what counts for being new falls to a third.
pub(super) const NEW_DAYS: f32 = 180.0;

/// What is asked of memory.
pub struct Asked<'a> {
    /// The case that asks, which is not like itself.
    pub case: &'a CaseId,
    /// Its exceptions, the leading one first.
    pub exceptions: &'a [Exception],
    /// Whose it is: see [`likeness::company_of`].
    pub company: &'a str,
    /// What was known before this moment is shown: the begin of the business day.
    pub known_before: Timestamp,
    /// At most so many.
    pub limit: usize,
}

/// A like case, found.
#[derive(Clone, Debug, PartialEq)]
pub struct Recalled {
    /// What is remembered.
    pub memory: Memory,
    /// How alike it is, 1 for the same.
    pub alike: f32,
}

impl Memories {
    /// The decided cases that are most like this one, best first: of its company, led by the same type, each about something else,
    /// known on the day before.
    ///
    /// The index finds candidates by numbers and by words; how alike they are is computed here from the store's vectors, so that
    /// every index gives the same order.
    ///
    /// # Errors
    /// The store's, the index's, or the model's.
    pub async fn like(&self, asked: &Asked<'_>) -> Result<Vec<Recalled>, MemoryError> {
        let Some(leading) = asked.exceptions.first().map(|exception| exception.signal.code) else { return Ok(Vec::new()) };
        // Where nothing was ever decided no model has to be woken for it.
        if self.store.last_memory_change().await? == 0 {
            return Ok(Vec::new());
        }
        let profile = likeness::profile(asked.exceptions);
        let words = self.vectors(&[likeness::words(asked.exceptions)]).await?.and_then(|made| made.into_iter().next());
        let mut found = BTreeSet::new();
        for (space, vector) in [(Space::Profile, Some(&profile)), (Space::Text, words.as_ref())] {
            let Some(vector) = vector else { continue };
            let nearest = Nearest {
                company: asked.company.to_owned(),
                kinds: vec![MemoryKind::Case],
                codes: vec![leading.code().to_owned()],
                supplier: None,
                known_before: asked.known_before.as_millisecond(),
                space,
                vector: vector.clone(),
                limit: CLOSER,
            };
            found.extend(self.index.nearest(&nearest).await?.into_iter().map(|near| near.id));
        }
        let found: Vec<String> = found.into_iter().collect();
        let mut like: Vec<(f32, String, Recalled)> = Vec::new();
        for (id, memory) in self.store.list_memories(&found).await? {
            // An index is a copy: what must not be shown is left out by what the store says, too.
            let shown = memory.what.company == asked.company
                && memory.known_at < asked.known_before
                && memory.what.codes.first() == Some(&leading)
                && memory.what.case.as_ref() != Some(asked.case);
            let by_numbers = cosine(&memory.profile, &profile);
            if !shown || by_numbers < LEAST_ALIKE {
                continue;
            }
            let same_model = self.model().is_some_and(|model| model == memory.model);
            let by_words = words.as_ref().filter(|_| same_model).map(|words| cosine(&memory.text, words));
            let alike = alike(by_numbers, by_words);
            let known = memory.what.ended.as_ref().is_some_and(|ended| ended.verdict.is_known());
            let days = (asked.known_before.as_second() - memory.what.at.as_second()).max(0) / 86_400;
            #[expect(clippy::cast_precision_loss, reason = "days between two decisions are few")]
            let new = NEW * (-(days as f32) / NEW_DAYS).exp();
            let place = alike + if known { KNOWN } else { 0.0 } + new;
            // To the thousandth: vectors of words differ in their last digits from machine to machine, and the order must not.
            like.push(((place * 1_000.0).round(), id, Recalled { memory, alike }));
        }
        like.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        // Five times the same item at the same place say less than three different ones.
        let mut about = BTreeSet::new();
        like.retain(|(_, _, recalled)| about.insert(recalled.memory.what.subject.key()));
        like.truncate(asked.limit);
        Ok(like.into_iter().map(|(_, _, recalled)| recalled).collect())
    }

    /// The same as facts for a case's evidence, with what others wrote that belongs to it.
    ///
    /// # Errors
    /// As [`Memories::like`].
    pub async fn facts(&self, asked: &Asked<'_>, concerned: &Concerned) -> Result<Vec<Fact>, MemoryError> {
        // Where nothing was ever remembered nothing has to be looked for.
        if self.store.last_memory_change().await? == 0 {
            return Ok(Vec::new());
        }
        let like = self.like(asked).await?;
        let mut facts: Vec<Fact> = like.iter().flat_map(|recalled| told::facts(&recalled.memory.what)).collect();
        let cases: Vec<CaseId> = like.into_iter().filter_map(|recalled| recalled.memory.what.case).collect();
        facts.extend(self.notes(asked.exceptions, concerned, &cases, asked.company, asked.known_before).await?);
        Ok(facts)
    }

    /// What is remembered that is near to these words, nearest first, with how near it is: for people who look something up.
    ///
    /// # Errors
    /// The store's, the index's, or the model's.
    pub async fn search(
        &self,
        words: &str,
        company: &str,
        kinds: &[MemoryKind],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Recalled>, MemoryError> {
        let Some(vector) = self.vectors(&[words.to_owned()]).await?.and_then(|made| made.into_iter().next()) else {
            return Ok(Vec::new());
        };
        let nearest = Nearest {
            company: company.to_owned(),
            kinds: kinds.to_vec(),
            codes: Vec::new(),
            supplier: None,
            // Up to this moment: whoever looks something up wants today's, too, and no evidence hangs on it.
            known_before: now.as_millisecond().saturating_add(1),
            space: Space::Text,
            vector,
            limit,
        };
        let near = self.index.nearest(&nearest).await?;
        let ids: Vec<String> = near.iter().map(|near| near.id.clone()).collect();
        let mut kept = self.store.list_memories(&ids).await?;
        let mut found = Vec::new();
        // In the order of the index; what only the index still knows is passed over.
        for near in near {
            let Some(at) = kept.iter().position(|(id, memory)| *id == near.id && memory.what.company == company) else {
                continue;
            };
            let (_, memory) = kept.swap_remove(at);
            found.push(Recalled { memory, alike: near.score });
        }
        Ok(found)
    }
}
