//! `reeve eval simulate`: first choices beside what happens, in made-up worlds that are played forward.

use clap::Args;

use crate::cli::{Outcome, print_json};
use crate::evals::simulate::{Played, Report, Row, run as play};

/// How many worlds, and from where.
#[derive(Debug, Args)]
pub(in crate::cli) struct Simulate {
    /// How many cases, spread over thirteen types.
    #[arg(long, default_value_t = 600)]
    cases: usize,
    /// The same seed makes the same cases.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// List the cases in which something else was better, dearest first.
    #[arg(long)]
    details: bool,
}

pub(super) fn run(args: &Simulate, json: bool) -> anyhow::Result<Outcome> {
    anyhow::ensure!(args.cases > 0, "--cases is how many cases are played: at least one");
    let played = play(args.cases, args.seed);
    let report = Report::of(&played, args.seed);
    if json {
        print_json(&report)?;
        return Ok(Outcome::Fine);
    }
    say!("{} cases of seed {}, each first choice played beside all else that could be done.", report.all.cases, args.seed);
    say!(
        "{:<11} {:>5} {:>11} {:>11} {:>10} {:>8} {:>8} {:>9}",
        "type",
        "cases",
        "best first",
        "same worth",
        "at stake",
        "regret",
        "illegal",
        "abstained"
    );
    report.by_type.iter().chain([&report.all]).for_each(line);
    if args.details {
        details(&played);
    }
    Ok(Outcome::Fine)
}

fn line(row: &Row) {
    let share = |count: usize| 100.0 * count as f64 / row.cases.max(1) as f64;
    say!(
        "{:<11} {:>5} {:>9.1} % {:>9.1} % {:>10.2} {:>6.1} % {:>8} {:>9}",
        row.code,
        row.cases,
        100.0 * row.best_share(),
        share(row.worth_the_same),
        row.stake,
        100.0 * row.regret_share(),
        row.illegal,
        row.abstained,
    );
}

fn details(played: &[Played]) {
    let mut worse: Vec<&Played> =
        played.iter().filter(|one| !one.is_worth_the_same() || one.verdict.illegal.is_some()).collect();
    worse.sort_by(|a, b| b.regret().total_cmp(&a.regret()));
    for one in worse {
        let verdict = &one.verdict;
        say!("{}: {:.2} lost of {:.2} at stake", one.code, one.regret(), verdict.stake);
        say!("  chosen {:.2}: {}", verdict.chosen, one.summary);
        say!("  best   {:.2}: {:?}", verdict.best, verdict.best_deeds);
        if let Some(why) = &verdict.illegal {
            say!("  illegal: {why}");
        }
    }
}
