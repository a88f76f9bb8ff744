//! How like cases were decided and ended, as memory's facts say.

use std::collections::BTreeMap;

use reeve_domain::claim::ClaimKind;
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::record::RecordKind;
use reeve_domain::text::clean;

use super::ground::ids;
use super::{CASE, Claims, Ground};

/// Longest verdict, in characters.
const VERDICT_MAX: usize = 60;

pub(super) fn decide(ground: &Ground<'_>, claims: &mut Claims) {
    let ended: Vec<&Fact> =
        ground.named("ended").map(|(_, fact)| fact).filter(|fact| fact.source.kind == RecordKind::Case).collect();
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for fact in &ended {
        let FactValue::Text(words) = &fact.value else { continue };
        // "approved and carried out: TRANSFER": behind the colon stands what of, which differs from case to case.
        let verdict = words.split_once(':').map_or(words.as_str(), |(verdict, _)| verdict);
        *verdicts.entry(clean(verdict, VERDICT_MAX)).or_default() += 1;
    }
    if verdicts.is_empty() {
        return;
    }
    let told: Vec<String> = verdicts.iter().map(|(verdict, n)| format!("{n} {verdict}")).collect();
    let words = format!("Like cases ended so: {}.", told.join(", "));
    claims.say(CASE, ClaimKind::LikeCases, None, true, words, ids(&ended));
}
