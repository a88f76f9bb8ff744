//! Runs the fake Odoo server by itself: to try Reeve against it, and to measure. Prints where it is and how to sign in, and
//! runs until it is interrupted.

use clap::{Parser, ValueEnum};

#[path = "../tests/fake_odoo/mod.rs"]
mod fake_odoo;

use fake_odoo::{FakeOdoo, Seed, Size, Version};

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
    drop(tokio::signal::ctrl_c().await);
}
