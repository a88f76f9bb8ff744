//! A model's reasons, again: each claim decided anew from its own frozen facts and the candidates of its draft.

use reeve_domain::action::Candidate;
use reeve_domain::evidence::Bundle;
use reeve_domain::recommendation::Recommendation;

use super::{Line, Verdict};
use crate::claims::{Claims, Ground, Refusal};

/// A line for each claim of the card. `drafted` are the candidates of the same draft, as they were when it was made.
pub fn lines(rec: &Recommendation, bundle: &Bundle, drafted: &[Candidate], currency: &str) -> Vec<Line> {
    let ground = Ground::new(drafted, bundle, currency);
    rec.prose
        .claims
        .iter()
        .map(|claim| {
            let figure = format!("claim {}", claim.id);
            match Claims::again(claim, &ground) {
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
