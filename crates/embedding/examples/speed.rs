//! How fast the model loads and embeds on this machine, and how much memory it takes.
//!
//! `cargo run --release -p reeve-embedding --example speed`

#![expect(clippy::print_stdout, reason = "it is a program of its own, and this is what it says")]

use std::time::{Duration, Instant};

use reeve_embedding::MiniLm;

/// Times each measurement is repeated; the fastest is the one least disturbed by what else runs.
const RUNS: usize = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let model = MiniLm::load()?;
    println!("{}: loaded in {} ms", model.name(), start.elapsed().as_millis());
    println!("memory: {}", resident());

    let sentences: Vec<String> = (0..128)
        .map(|number| {
            format!("Order P{number:05} of oat milk is {} days late and three shops run out before it comes", number % 9 + 2)
        })
        .collect();
    let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
        for together in [1, 4, 16, 128] {
            let (time, cpu) = fastest(|| {
                for texts in sentences.chunks(together) {
                    pool.install(|| model.embed(texts));
                }
            });
            let (rate, cpu_rate) = (sentences.len() as f64 / time.as_secs_f64(), sentences.len() as f64 / cpu);
            println!(
                "{threads} thread(s), {together} sentences a call: {rate:.0} sentences/s, {cpu_rate:.0} for each second of CPU"
            );
        }
    }
    let long = "the supplier delivered less than was ordered ".repeat(100);
    let (time, cpu) = fastest(|| drop(model.embed(&[&long])));
    println!("one text of 256 pieces: {} ms, {:.0} ms of CPU", time.as_millis(), cpu * 1000.0);
    println!("memory: {}", resident());
    Ok(())
}

/// The least time by the clock, and the least seconds of CPU, of some runs.
fn fastest(mut run: impl FnMut()) -> (Duration, f64) {
    let mut least = (Duration::MAX, f64::INFINITY);
    for _ in 0..RUNS {
        let (start, cpu) = (Instant::now(), cpu_seconds());
        run();
        least = (least.0.min(start.elapsed()), least.1.min(cpu_seconds() - cpu));
    }
    least
}

/// What this process has used of the cores so far. Linux counts it in hundredths of a second; elsewhere it is not known.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Past the program's name, which may hold anything, the twelfth and thirteenth words: as the user, and in the system.
    let words = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    words.skip(11).take(2).filter_map(|word| word.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// What Linux says of this process; elsewhere nothing.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join(", ")
}
