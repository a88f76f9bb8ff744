//! Walks eight actors over cases and recommendations for as long as is asked, and says what was met.
//!
//! `cargo run --release -p reeve-domain --example walk -- --steps 10000000 --seed 1`

#![expect(clippy::print_stdout, reason = "it is a program of its own, and this is what it says")]

#[path = "../tests/walk/reference.rs"]
mod reference;
#[path = "../tests/walk/world.rs"]
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let (mut steps, mut seed) = (10_000_000, 1);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let number = words.next().and_then(|text| text.parse().ok());
        match (word.as_str(), number) {
            ("--steps", Some(number)) => steps = number,
            ("--seed", Some(number)) => seed = number,
            _ => {
                println!("usage: walk [--steps N] [--seed N]");
                return ExitCode::FAILURE;
            }
        }
    }
    let report = world::walk(steps, seed);
    println!("{} steps, {} cases, seed {seed}: no divergence", report.steps, report.worlds);
    println!("  written {}, refused {}, turned away as stale {}", report.written, report.refused, report.stale);
    println!("  approved {}, handed off {}, not sent {}", report.approved, report.handed_off, report.not_sent);
    let told = |what: &str, counts: Vec<u64>| {
        let met = counts.iter().filter(|n| **n > 0).count();
        let least = counts.iter().min().copied().unwrap_or_default();
        println!("  {what}: {met} of {} pairs of state and event met, the rarest {least} times", counts.len());
    };
    told("recommendations", report.pairs.iter().flatten().copied().collect());
    told("cases", report.case_pairs.iter().flatten().copied().collect());
    // A pair of state and event that was never met was never held to the reference: the walk has proved nothing about it.
    for missed in report.missed() {
        println!("  never met: {missed}");
    }
    if report.missed().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
