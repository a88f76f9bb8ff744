//! What an auditor asks: is the log whole, what is the story of a case, does a card's arithmetic hold?
//!
//! Reads only. A card is recomputed from the evidence that was frozen with it, by formulas and not by the code that drafted
//! it; what the frozen evidence can not say is named and never counted as agreeing.
//!
//! - `card`: one recommendation, line by line;
//! - `facts`, `money`, `words`: how each kind of line is recomputed;
//! - `worked`, `again`, `projected`: the same from the workings that are frozen beside the facts;
//! - `drilled`: a card that was wrong on purpose; `muted`: a proposal to mute;
//! - `story`: everything that happened to a case, in plain words;
//! - `export`: the log as a file, and the check of such a file;
//! - `anchors`: heads of the log that were put down outside of it;
//! - `tables`: decisions, states and rights as the tables have them, held against the log.

mod again;
pub mod anchors;
pub mod card;
mod drilled;
pub mod export;
mod facts;
mod money;
mod muted;
mod projected;
#[cfg(test)]
pub(crate) mod recomputed;
pub mod story;
pub mod tables;
mod words;
mod worked;

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
    fn same(figure: impl Into<String>, stated: impl ToString, recomputed: impl ToString, from: impl Into<String>) -> Self {
        let (stated, recomputed) = (stated.to_string(), recomputed.to_string());
        let verdict = if stated == recomputed { Verdict::Agrees } else { Verdict::Differs };
        Self { figure: figure.into(), stated, recomputed, from: from.into(), verdict }
    }

    /// A figure that was recomputed from rounded inputs: it agrees when it is as near as their rounding allows.
    fn near(
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
    fn not_frozen(figure: impl Into<String>, stated: impl ToString, why: impl Into<String>) -> Self {
        Self {
            figure: figure.into(),
            stated: stated.to_string(),
            recomputed: String::new(),
            from: why.into(),
            verdict: Verdict::NotFrozen,
        }
    }
}

/// A card, recomputed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CardReport {
    /// The recommendation.
    pub recommendation: String,
    /// Its case.
    pub case: String,
    /// What it proposes.
    pub summary: String,
    /// Figure by figure.
    pub lines: Vec<Line>,
    /// What is no figure: which checks were made, and when again.
    pub notes: Vec<String>,
    /// What was wrong in it, where it was a drill and is known as one.
    pub drill: Option<String>,
}

impl CardReport {
    /// How many figures came out so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.lines.iter().filter(|line| line.verdict == verdict).count()
    }

    /// Does everything that could be recomputed agree?
    pub fn holds(&self) -> bool {
        self.count(Verdict::Differs) == 0
    }

    /// The outcome in one sentence.
    pub fn sentence(&self) -> String {
        let (agree, differ, open) =
            (self.count(Verdict::Agrees), self.count(Verdict::Differs), self.count(Verdict::NotFrozen));
        let figures = |n: usize| if n == 1 { "1 figure".to_owned() } else { format!("{n} figures") };
        let open = match open {
            0 => String::new(),
            n => format!(" {} could not be recomputed from the frozen evidence.", figures(n)),
        };
        let planted = self.count(Verdict::Planted);
        let said = match differ {
            0 if planted > 0 => format!("Recomputed: {planted} of {} differ as planted.{open}", figures(agree + planted)),
            0 => format!("Recomputed: all {} agree.{open}", figures(agree)),
            n => format!("Recomputed: {n} of {} DIFFER.{open}", figures(agree + n + planted)),
        };
        match &self.drill {
            Some(what) => format!("A drill: wrong on purpose, {what} {said}"),
            None => said,
        }
    }
}
