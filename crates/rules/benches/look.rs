//! The first look at a shop, timed: `cargo bench -p reeve-rules --bench look -- 500 10 120` (items, locations, days).
//!
//! One look and no repetition: a large shop takes minutes. It prints processor time and the most memory for the book and for
//! the look, each by series and day, and the hash of what was seen: two builds that print the same hash see the same.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

mod shop;

use std::time::Instant;

use reeve_domain::book::Book;
use reeve_domain::calendar::Calendar;
use reeve_domain::ids::content_hash;
use reeve_rules::detect::{Seen, look};
use reeve_rules::settings::Settings;

/// Items, locations and days where none are named: some seconds on one core.
const USUAL: [usize; 3] = [50, 10, 120];

fn main() {
    let named: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let [items, locations, days] = <[usize; 3]>::try_from(named).unwrap_or(USUAL);
    let records = shop::records(items, locations, days);
    let (count, calendar) = (records.len(), Calendar::utc());
    let now = calendar.close_of(shop::day(days - 1));
    let settings = Settings::defaults();
    let per = format!("{items} items x {locations} locations x {days} days, {count} records");
    let series_days = items * locations * days;
    let book = timed(&format!("book of {per}"), series_days, || settings.settled(Book::new(now, calendar, records)));
    let seen = timed("look", series_days, || look(&book, &settings));
    println!("{} signals, hash {}", seen.signals.len(), &hash(&seen)[..16]);
}

/// Everything that a look comes to, as one hash.
fn hash(seen: &Seen) -> String {
    let signals = serde_json::to_string(&seen.signals).expect("signals have no keys that are not text");
    content_hash(&[&signals, &format!("{:?}", seen.outlook)])
}

/// Runs something and says what it took.
fn timed<T>(what: &str, series_days: usize, work: impl FnOnce() -> T) -> T {
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let made = work();
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let each = cpu / series_days as f64 * 1e6;
    println!("{what}: {wall:.2} s, {cpu:.2} s of CPU, {each:.2} us a series-day, {} MB at most so far", peak_megabytes());
    made
}

/// Processor time of this process so far; zero where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold blanks: fields are counted behind it. Ticks are hundredths of a second.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// The most memory that this process has had; zero where the system does not tell.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
