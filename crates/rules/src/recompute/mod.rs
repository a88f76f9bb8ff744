//! A card's figures, a second time: from the evidence that was frozen with it, by formulas and not by the code that drafted it.
//! What the frozen evidence can not say is named and never counted as agreeing.
//!
//! - `facts`, `money`, `words`, `rank`: how each kind of line is recomputed; `muted`: a proposal to mute;
//! - `claims`: a model's reasons, decided again;
//! - `habits`: what is said of purchase lines beside their suppliers' habits;
//! - `worked`, `again`, `costs`, `projected`, `beside`: the same from the workings that are frozen beside the facts.

mod again;
mod beside;
pub mod claims;
mod costs;
mod facts;
mod habits;
mod money;
mod muted;
mod projected;
pub mod rank;
#[cfg(test)]
pub(crate) mod recomputed;
pub mod words;
mod worked;

use crate::settings::Models;
use reeve_domain::evidence::Bundle;
use reeve_domain::recommendation::Recommendation;
use serde::Serialize;

/// How a figure came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Recomputed, and the same.
    Agrees,
    /// Recomputed, and another.
    Differs,
    /// Another, on purpose: the card was a drill, which has been answered or taken back.
    Planted,
    /// The frozen evidence does not hold what it was computed from.
    NotFrozen,
}

/// One figure of a card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Which figure.
    pub figure: String,
    /// What the card or the evidence says.
    pub stated: String,
    /// What it comes to; empty where it could not be recomputed.
    pub recomputed: String,
    /// From what, or why it could not be.
    pub from: String,
    /// How it came out.
    pub verdict: Verdict,
}

#[expect(clippy::needless_pass_by_value, reason = "figures of many types, most of them copied")]
impl Line {
    /// A figure that was recomputed: it agrees when both read the same.
    pub fn same(
        figure: impl Into<String>,
        stated: impl ToString,
        recomputed: impl ToString,
        from: impl Into<String>,
    ) -> Self {
        let (stated, recomputed) = (stated.to_string(), recomputed.to_string());
        let verdict = if stated == recomputed { Verdict::Agrees } else { Verdict::Differs };
        Self { figure: figure.into(), stated, recomputed, from: from.into(), verdict }
    }

    /// A figure that was recomputed from rounded inputs: it agrees when it is as near as their rounding allows.
    pub fn near(
        figure: impl Into<String>,
        stated: impl ToString,
        recomputed: impl ToString,
        near: bool,
        from: impl Into<String>,
    ) -> Self {
        let verdict = if near { Verdict::Agrees } else { Verdict::Differs };
        Self {
            figure: figure.into(),
            stated: stated.to_string(),
            recomputed: recomputed.to_string(),
            from: from.into(),
            verdict,
        }
    }

    /// A figure whose inputs are not in the frozen evidence.
    pub fn not_frozen(figure: impl Into<String>, stated: impl ToString, why: impl Into<String>) -> Self {
        Self {
            figure: figure.into(),
            stated: stated.to_string(),
            recomputed: String::new(),
            from: why.into(),
            verdict: Verdict::NotFrozen,
        }
    }
}

/// What the frozen evidence alone says of a card's figures. `first` is the card that people's edits started from; `models` are
/// asked again for what they said, where they are the same.
pub fn figures(rec: &Recommendation, bundle: &Bundle, first: Option<&Recommendation>, models: &Models) -> Vec<Line> {
    let mut lines = vec![money::cites(rec, bundle)];
    if let Some(muted) = muted::lines(rec, bundle) {
        lines.extend(muted);
        return lines;
    }
    lines.extend(facts::lines(bundle, models));
    lines.extend(money::lines(rec, bundle, first));
    lines
}
