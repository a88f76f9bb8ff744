//! Runs the fake Odoo server by itself: to try Reeve against it, and to measure. Prints where it is and how to sign in, and
//! runs until it is interrupted or its input says `quit`.
//!
//! Lines of its input: `touch 100` lets an hour pass and changes every hundredth row of every model; `traffic` tells what was
//! asked since the last time, and how long the answers took.

use std::time::Duration;

use clap::{Parser, ValueEnum};

use reeve_testing::odoo::{FakeOdoo, Seed, Size, Version};

/// A fake Odoo server.
#[derive(Parser)]
struct Options {
    /// Major version of Odoo: 17, 18 or 19.
    #[arg(long, default_value_t = 18)]
    version: u16,
    /// What it is filled with.
    #[arg(long, value_enum, default_value_t = Filling::Recording)]
    seed: Filling,
    /// Items of the generated retailer.
    #[arg(long, default_value_t = 200)]
    items: i64,
    /// Its shops.
    #[arg(long, default_value_t = 5)]
    locations: i64,
    /// Its days of history.
    #[arg(long, default_value_t = 100)]
    days: i64,
    /// The port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Filling {
    Recording,
    Generated,
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "it is a program of its own and tells where it is")]
async fn main() {
    let options = Options::parse();
    let version = match options.version {
        17 => Version::V17,
        18 => Version::V18,
        _ => Version::V19,
    };
    let seed = match options.seed {
        Filling::Recording => Seed::Recording,
        Filling::Generated => {
            Seed::Generated(Size { items: options.items, locations: options.locations, days: options.days, seed: 1 })
        }
    };
    let fake = FakeOdoo::start_on(options.port, seed, version).await;
    println!("url = \"{}\"", fake.url());
    println!("database = \"{}\"", fake.database());
    println!("user = \"{}\"", fake.user());
    println!("api_key = \"{}\"", fake.key());
    println!("now = \"{}\"", fake.now());
    // Standard input can only be read by a thread that waits for it.
    let commands = tokio::task::spawn_blocking(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            match line.split_once(' ').map_or((line.as_str(), ""), |(command, rest)| (command, rest)) {
                ("quit", _) => return,
                ("touch", nth) => println!("changed = {}", touch(&fake, nth.parse().unwrap_or(100))),
                ("traffic", _) => tell(&fake),
                (other, _) => println!("unknown = \"{other}\""),
            }
        }
        // No more input is no reason to stop.
        loop {
            std::thread::park();
        }
    });
    tokio::select! {
        _ = commands => {}
        // That thread can not be ended any other way.
        _ = tokio::signal::ctrl_c() => std::process::exit(0),
    }
}

fn touch(fake: &FakeOdoo, nth: usize) -> usize {
    fake.advance(Duration::from_hours(1));
    fake.with(|state| {
        let models: Vec<String> = state.models().collect();
        models.iter().map(|model| state.touch(model, nth)).sum()
    })
}

#[expect(clippy::print_stdout, reason = "it is a program of its own and was asked")]
fn tell(fake: &FakeOdoo) {
    let calls = fake.traffic();
    fake.forget_traffic();
    let took: Duration = calls.iter().map(|call| call.took).sum();
    let bytes: usize = calls.iter().map(|call| call.answered).sum();
    let writes = calls.iter().filter(|call| !call.is_read()).count();
    println!("requests = {}\nwrites = {writes}\nbytes = {bytes}\nseconds = {:.3}", calls.len(), took.as_secs_f64());
}
