//! The sums of a case page: how a net benefit and a priority come about, line by line.
//!
//! Every figure is a stored one. The only arithmetic splits a stored net benefit into the terms it was made of, so that the
//! column adds up.

use serde::Serialize;

use super::uses::Uses;
use crate::domain::action::{Candidate, MoneySum, Range};
use crate::domain::case::{Case, Rank};
use crate::domain::money::Money;

/// A fact that a figure rests on.
#[derive(Clone, Serialize)]
pub struct Cite {
    pub anchor: String,
    pub label: String,
    pub value: String,
}

/// One line of a sum.
#[derive(Serialize)]
pub struct SumLine {
    symbol: &'static str,
    what: String,
    value: String,
    range: Option<String>,
    cites: Vec<Cite>,
    note: String,
    total: bool,
}

impl SumLine {
    /// The line in words, for where there are no columns: "p = 0.95, probability that it is real".
    pub fn said(&self) -> String {
        let range = self.range.as_ref().map_or_else(String::new, |range| format!(" ({range})"));
        let note = if self.note.is_empty() { String::new() } else { format!("; {}", self.note) };
        // A line that is a result brings its sign along.
        let name = self.symbol.trim_start_matches("= ");
        format!("{name} = {}{range}: {}{note}", self.value, self.what)
    }
}

/// NB = p·(L₀ − Lₐ) − C − (1 − p)·G, term by term, from the rounded figures.
pub fn sum_lines(candidate: &Candidate, uses: &Uses, case: &Case) -> Vec<SumLine> {
    let m: &MoneySum = &candidate.money;
    let regret = Money::from_minor(((1.0 - m.p) * m.regret.minor as f64).round_ties_even() as i64);
    // Taken from the stored net benefit, so that the column adds up to the cent.
    let saved = m.benefit.expected + m.cost + regret;
    let codes: Vec<&str> = case.codes.iter().map(|c| c.code()).collect();
    let line = |symbol, what: &str, value: String| SumLine {
        symbol,
        what: what.to_owned(),
        value,
        range: None,
        cites: Vec::new(),
        note: String::new(),
        total: false,
    };
    vec![
        SumLine {
            cites: uses.p.clone(),
            note: format!("what was decided on {} before, and its prior", codes.join(", ")),
            ..line("p", "probability that it is real", share(m.p))
        },
        SumLine {
            range: range_text(&m.loss_now),
            cites: uses.loss_now.clone(),
            ..line("L₀", "loss to be expected if nothing is done", m.loss_now.expected.to_string())
        },
        SumLine {
            range: range_text(&m.loss_after),
            cites: uses.loss_after.clone(),
            note: "the same facts, after the action".to_owned(),
            ..line("Lₐ", "loss that remains after the action", m.loss_after.expected.to_string())
        },
        line("p·(L₀ − Lₐ)", "loss avoided", saved.to_string()),
        SumLine {
            cites: uses.cost.clone(),
            note: "rates in the settings".to_owned(),
            ..line("− C", "what the action costs", (-m.cost).to_string())
        },
        SumLine {
            cites: uses.regret.clone(),
            note: format!("(1 − {}) × {} regret", share(m.p), m.regret),
            ..line("− (1 − p)·G", "what a false alarm would cost", (-regret).to_string())
        },
        SumLine {
            range: range_text(&m.benefit),
            total: true,
            ..line("= NB", "net benefit", m.benefit.expected.to_string())
        },
    ]
}

/// P = V·(λ + (1 − λ)·u), with what u comes from.
pub fn priority_lines(rank: &Rank, lambda: f64) -> Vec<SumLine> {
    let line = |symbol, what: String, value, total| SumLine {
        symbol,
        what,
        value,
        range: None,
        cites: Vec::new(),
        note: String::new(),
        total,
    };
    vec![
        line("V", "the best action's net benefit, at least 0".to_owned(), rank.value.expected.to_string(), false),
        line(
            "slack",
            format!("days left to decide before {}, less the usual time for approval", rank.deadline),
            number(rank.slack_days, 1),
            false,
        ),
        line(
            "u",
            match rank.wait_cost {
                Money::ZERO => "share of V that perishes by the next digest".to_owned(),
                cost => format!("share of V that perishes by the next digest: one day's wait costs {cost}"),
            },
            share(rank.perishing),
            false,
        ),
        line("λ", "share of V that counts however much time there is".to_owned(), share(lambda), false),
        line(
            "P = V·(λ + (1 − λ)·u)",
            "priority: what it is worth to decide this today".to_owned(),
            rank.priority.to_string(),
            true,
        ),
    ]
}

fn range_text(range: &Range) -> Option<String> {
    (range.low != range.high).then(|| format!("{} to {}", range.low, range.high))
}

/// A share from 0 to 1 at up to four decimals, as it is stored.
pub fn share(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() { "0".to_owned() } else { text.to_owned() }
}

/// A number at so many decimals.
pub fn number(value: f64, decimals: usize) -> String {
    format!("{value:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_lose_their_trailing_zeros_and_nothing_else() {
        assert_eq!([share(0.0), share(1.0), share(0.95), share(0.1234)], ["0", "1", "0.95", "0.1234"]);
    }
}
