//! How often the first choice was the best, and what it cost where it was not, by type.

use std::mem::discriminant;

use serde::Serialize;

use crate::lab::simulate::generate::TYPES;
use crate::lab::simulate::play::Deed;

use super::Played;

/// Share of the money at stake within which two answers are worth the same.
const SAME: f64 = 0.01;

/// What came of the cases of a type.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The type, or `all`.
    pub code: String,
    pub cases: usize,
    /// First choices that do what the best answer does, in whatever quantity, or are worth the same within a hundredth of the stake.
    pub best_first: usize,
    /// Those that are worth the same within that, quantities and all.
    pub worth_the_same: usize,
    /// Money at stake, worth of the best answers, and what first choices are worth less than those.
    pub stake: f64,
    pub best: f64,
    pub regret: f64,
    pub illegal: usize,
    pub abstained: usize,
}

/// All of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub seed: u64,
    pub all: Row,
    pub by_type: Vec<Row>,
}

impl Report {
    /// The report of what was played.
    pub fn of(played: &[Played], seed: u64) -> Self {
        let by_type = TYPES.iter().map(|(code, _)| Row::of(code, played.iter().filter(|one| one.code == *code)));
        Self { seed, all: Row::of("all", played.iter()), by_type: by_type.filter(|row| row.cases > 0).collect() }
    }
}

impl Row {
    fn of<'p>(code: &str, played: impl Iterator<Item = &'p Played>) -> Self {
        let mut row = Self {
            code: code.to_owned(),
            cases: 0,
            best_first: 0,
            worth_the_same: 0,
            stake: 0.0,
            best: 0.0,
            regret: 0.0,
            illegal: 0,
            abstained: 0,
        };
        for one in played {
            let same = one.is_worth_the_same();
            row.cases += 1;
            row.worth_the_same += usize::from(same);
            row.best_first += usize::from(same || one.does_the_same());
            row.stake += one.verdict.stake;
            row.best += one.verdict.best;
            row.regret += one.regret();
            row.illegal += usize::from(one.verdict.illegal.is_some());
            row.abstained += usize::from(one.abstained);
        }
        row
    }

    /// Share of first choices that are the best.
    pub fn best_share(&self) -> f64 {
        self.best_first as f64 / self.cases.max(1) as f64
    }

    /// Regret as a share of the money at stake.
    pub fn regret_share(&self) -> f64 {
        if self.stake > 0.0 { self.regret / self.stake } else { 0.0 }
    }
}

impl Played {
    /// What the first choice is worth less than the best. It can be a little below zero: the best is found by other draws.
    pub fn regret(&self) -> f64 {
        self.verdict.best - self.verdict.chosen
    }

    /// Is it worth the same as the best?
    pub fn is_worth_the_same(&self) -> bool {
        self.regret() <= SAME * self.verdict.stake
    }

    fn does_the_same(&self) -> bool {
        let kinds = |deeds: &[Deed]| {
            let mut kinds: Vec<_> = deeds.iter().map(|deed| (format!("{:?}", discriminant(deed)), source(deed))).collect();
            kinds.sort();
            kinds
        };
        kinds(&self.chosen) == kinds(&self.verdict.best_deeds)
    }
}

/// The donor or line of a deed.
fn source(deed: &Deed) -> usize {
    match *deed {
        Deed::Transfer { donor: source, .. }
        | Deed::Expedite { line: source, .. }
        | Deed::Raise { line: source, .. }
        | Deed::Split { line: source, .. }
        | Deed::AskLine { line: source }
        | Deed::Cancel { line: source, .. }
        | Deed::Defer { line: source, .. } => source,
        _ => 0,
    }
}
