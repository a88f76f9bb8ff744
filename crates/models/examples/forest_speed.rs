//! Times fitting and scoring of the forest on rows read from a file, for the comparison with its peers.
//!
//! `forest_speed ROWS.bin RULE ROUNDS [SEED] [SCORES.bin]`: the file holds two little-endian 32-bit counts, rows and features, and
//! then the rows as 64-bit floats; RULE is `axis`, `extended` (planes of two columns) or `tabular`. Prints the best time of
//! fitting and of scoring in seconds, and writes the scores of the last round as 64-bit floats.
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
    let (mut fit, mut score) = (f64::INFINITY, f64::INFINITY);
    let seed: u64 = rest.first().map_or(Ok(0), |seed| seed.parse())?;
    for round in 0..rounds.parse()? {
        let begun = Instant::now();
        let forest = params.clone().seed(seed + round).fit(&rows)?;
        fit = fit.min(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let scores = forest.score(rows.records());
        score = score.min(begun.elapsed().as_secs_f64());
        if let [_, out, ..] = rest {
            std::fs::write(out, scores.iter().flat_map(|score| score.to_le_bytes()).collect::<Vec<u8>>())?;
        }
    }
    println!("{fit:.5} {score:.5}");
    Ok(())
}
