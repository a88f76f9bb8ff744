//! What an auditor asks: is the log whole, what is the story of a case, does a card's arithmetic hold?
//!
//! Reads only. A card is recomputed (`rules::recompute`) from the evidence that was frozen with it, by formulas and not by the code that drafted
//! it; what the frozen evidence can not say is named and never counted as agreeing.
//!
//! - `card`: one recommendation, line by line;
//! - `drilled`: a card that was wrong on purpose;
//! - `story`: everything that happened to a case, in plain words;
//! - `export`: the log as a file, and the check of such a file;
//! - `tables`: decisions, states and rights as the tables have them, held against the log.

pub mod card;
mod drilled;
pub mod export;
pub mod story;
pub mod tables;

use serde::Serialize;

use crate::rules::recompute::{Line, Verdict};

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
