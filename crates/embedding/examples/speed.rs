//! How fast the model loads and embeds on this machine, and how much memory it takes.
//!
//! `cargo run --release -p reeve-embedding --example speed`

#![expect(clippy::print_stdout, reason = "it is a program of its own, and this is what it says")]

use std::time::{Duration, Instant};

use reeve_embedding::MiniLm;

/// Times each measurement is repeated; the fastest is the one least disturbed by what else runs.
const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let model = MiniLm::load()?;
    println!("{}: loaded in {} ms", model.name(), start.elapsed().as_millis());
    println!("memory: {}", resident());

    let sentences: Vec<String> = (0..256)
        .map(|number| {
            format!("Order P{number:05} of oat milk is {} days late and three shops run out before it comes", number % 9 + 2)
        })
        .collect();
    let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        for together in [1, 4, 16, 256] {
            let time = fastest(|| {
                for texts in sentences.chunks(together) {
                    pool.install(|| model.embed(texts));
                }
            });
            let rate = sentences.len() as f64 / time.as_secs_f64();
            println!("{threads} thread(s), {together} sentences a call: {rate:.0} sentences/s");
        }
    }
    let long = "the supplier delivered less than was ordered ".repeat(100);
    println!("one text of 256 pieces: {} ms", fastest(|| drop(model.embed(&[&long]))).as_millis());
    println!("memory: {}", resident());
    Ok(())
}

fn fastest(mut run: impl FnMut()) -> Duration {
    let one = |_| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..RUNS).map(one).min().unwrap_or_default()
}

/// What Linux says of this process; elsewhere nothing.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}
