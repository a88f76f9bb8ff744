//! A model's reasons, again: each claim decided anew from its own frozen facts and the candidates of its draft.

use reeve_domain::action::Candidate;
use reeve_domain::evidence::Bundle;
use reeve_domain::recommendation::Recommendation;

use super::{Line, Verdict};
use crate::claims::{Claims, Ground, Refusal};

/// A line for each claim of the card. `drafted` are the candidates of its draft as far as they can be told: those of the same
/// drafter first, then all that were drafted on the same evidence. Cards that stood beside it may have been taken over by a later
/// draft since, so a claim holds where it holds of either.
pub fn lines(rec: &Recommendation, bundle: &Bundle, drafted: &[Vec<Candidate>], currency: &str) -> Vec<Line> {
    let grounds: Vec<Ground<'_>> = drafted.iter().map(|some| Ground::new(some, bundle, currency)).collect();
    rec.prose
        .claims
        .iter()
        .map(|claim| {
            let figure = format!("claim {}", claim.id);
            let mut found = grounds.iter().map(|ground| Claims::again(claim, ground));
            let holds = found.clone().find(|again| again.as_ref() == Ok(claim));
            match holds.or_else(|| found.next()).unwrap_or(Err(Refusal::Undecided)) {
                Ok(again) => Line::same(figure, &claim.words, &again.words, "its facts and the candidates of the draft"),
                Err(Refusal::False) => Line::near(figure, &claim.words, "not so", false, "its facts and the candidates"),
                Err(Refusal::Undecided) => Line {
                    figure,
                    stated: claim.words.clone(),
                    recomputed: String::new(),
                    from: "its facts and the candidates of the draft do not say it".to_owned(),
                    verdict: Verdict::Differs,
                },
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use reeve_domain::evidence::FactValue;
    use reeve_domain::ids::FactId;
    use reeve_domain::money::{Money, Quantity};
    use reeve_domain::recommendation::{Drafter, Prose};

    use super::*;
    use crate::sample::Sample;

    /// A card of the sample with these claims, on its evidence.
    fn verdicts(
        sample: &Sample,
        ids: &[&str],
        change: impl FnOnce(&mut Recommendation, &mut Vec<Candidate>, &mut Bundle),
    ) -> Vec<Verdict> {
        let all = sample.file().claims();
        let claims = ids.iter().map(|id| all.get(id).unwrap().clone()).collect();
        let prose = Prose { claims, ..Prose::default() };
        let (case, drafter) = (sample.case_id.clone(), Drafter::Playbook { because: None });
        let first = sample.candidates[0].clone();
        let mut rec = Recommendation::drafted(case, 1, first, prose, "e1".to_owned(), drafter, Timestamp::UNIX_EPOCH);
        let (mut candidates, mut bundle) = (sample.candidates.clone(), sample.bundle.clone());
        change(&mut rec, &mut candidates, &mut bundle);
        lines(&rec, &bundle, &[candidates], "EUR").into_iter().map(|line| line.verdict).collect()
    }

    #[test]
    fn a_claim_agrees_while_its_facts_and_figures_say_it() {
        let sample = Sample::made_up();
        let ids = ["A1.best", "A1.better_than.A2", "case.out_of_stock.75@3"];
        assert_eq!(verdicts(&sample, &ids, |_, _, _| {}), [Verdict::Agrees; 3]);
        let worded = verdicts(&sample, &ids, |rec, _, _| rec.prose.claims[0].words.push('!'));
        assert_eq!(worded, [Verdict::Differs, Verdict::Agrees, Verdict::Agrees]);
        let dearer = verdicts(&sample, &ids, |_, candidates, _| {
            candidates[1].money.benefit.expected = Money::from_minor(99_999);
        });
        assert_eq!(dearer, [Verdict::Differs, Verdict::Differs, Verdict::Agrees]);
        let filled = verdicts(&sample, &ids, |_, _, bundle| {
            let fact = bundle.facts.get_mut(&FactId::new("item:75/available@3")).unwrap();
            fact.value = FactValue::Quantity(Quantity::units(1));
        });
        assert_eq!(filled, [Verdict::Agrees, Verdict::Agrees, Verdict::Differs]);
        let alone = verdicts(&sample, &ids[1..2], |_, candidates, _| candidates.truncate(1));
        assert_eq!(alone, [Verdict::Differs], "what it was compared with is gone");
    }
}
