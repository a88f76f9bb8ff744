//! Times fitting and scoring of the forest on rows read from a file, for the comparison with its peers.
//!
//! `forest_speed ROWS.bin RULE ROUNDS [SEED] [SCORES.bin]`: the file holds two little-endian 32-bit counts, rows and features, and
//! then the rows as 64-bit floats; RULE is `axis`, `extended` (planes of two columns) or `tabular`. Prints the best time of
//! fitting and of scoring in seconds, then the least time of all cores together that each took (`-` where the system does not
//! tell), and writes the scores of the last round as 64-bit floats.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::error::Error;
use std::time::Instant;

use linfa::prelude::*;
use ndarray::Array2;
use reeve_models::forest::{IsolationForestParams, SplitRule};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, rule, rounds, rest @ ..] = args.as_slice() else {
        return Err("usage: forest_speed ROWS.bin axis|extended|tabular ROUNDS [SEED] [SCORES.bin]".into());
    };
    let bytes = std::fs::read(file)?;
    let (head, body) = bytes.split_at_checked(8).ok_or("the file has no head")?;
    let counts: Vec<usize> = head.as_chunks::<4>().0.iter().map(|count| u32::from_le_bytes(*count) as usize).collect();
    let values = body.as_chunks::<8>().0.iter().map(|value| f64::from_le_bytes(*value)).collect();
    let rows = Array2::from_shape_vec((counts[0], counts[1]), values)?;
    drop(bytes);
    let params = match rule.as_str() {
        "axis" => IsolationForestParams::new().trees(100).sample(256),
        "extended" => IsolationForestParams::new().trees(100).sample(256).rule(SplitRule::Extended { dims: 2 }),
        "tabular" => IsolationForestParams::tabular(0),
        _ => return Err("the rule is axis, extended or tabular".into()),
    };
    let rows = DatasetBase::from(rows);
    let (mut fit, mut score) = ((f64::INFINITY, None), (f64::INFINITY, None));
    let seed: u64 = rest.first().map_or(Ok(0), |seed| seed.parse())?;
    for round in 0..rounds.parse()? {
        let begun = (Instant::now(), busy());
        let forest = params.clone().seed(seed + round).fit(&rows)?;
        note(&mut fit, begun);
        let begun = (Instant::now(), busy());
        let scores = forest.score(rows.records());
        note(&mut score, begun);
        if let [_, out, ..] = rest {
            std::fs::write(out, scores.iter().flat_map(|score| score.to_le_bytes()).collect::<Vec<u8>>())?;
        }
    }
    let cpu = |of: Option<f64>| of.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.5}"));
    println!("{:.5} {:.5} {} {}", fit.0, score.0, cpu(fit.1), cpu(score.1));
    Ok(())
}

fn note(best: &mut (f64, Option<f64>), (at, before): (Instant, Option<f64>)) {
    best.0 = best.0.min(at.elapsed().as_secs_f64());
    let took = before.zip(busy()).map(|(before, now)| now - before);
    best.1 = [best.1, took].into_iter().flatten().reduce(f64::min);
}

/// Seconds for which the threads of this process have run; None where the system does not tell. To the nanosecond, where
/// `/proc/self/stat` counts hundredths.
fn busy() -> Option<f64> {
    let of = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    let ran: Vec<u64> = std::fs::read_dir("/proc/self/task").ok()?.flatten().filter_map(of).collect();
    (!ran.is_empty()).then(|| ran.iter().sum::<u64>() as f64 / 1e9)
}
