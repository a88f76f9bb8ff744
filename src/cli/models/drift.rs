//! `reeve models drift`: how each detector stands.

use crate::cli::{Outcome, open, print_json};
use crate::config::Config;
use crate::pipeline::registry::{self, drift};

pub(super) async fn run(config: &Config, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store_to_read(config).await?;
    let clock = open::clock_of(&store, config).await?;
    let running = registry::in_force(&store, config).await?;
    let today = config.rules.calendar.calendar().day_of(clock.now());
    let standings = drift::standings(&store, &running, today, config.rules.detect.false_share).await?;
    if json {
        print_json(&standings)?;
        return Ok(Outcome::Fine);
    }
    for standing in &standings {
        let (late, before) = standing.days;
        say!(
            "{}: {late} of the last {} days, {before} of the {} before",
            standing.model,
            drift::LATE_DAYS,
            drift::BEFORE_DAYS
        );
        if standing.moved.is_empty() {
            say!("  too few days to compare, or too little on them");
        }
        for moved in &standing.moved {
            let (then, now) = moved.counted;
            say!(
                "  {:<18} {:<8} index {:.3}, distance {:.3}, {now} values beside {then}",
                moved.what,
                moved.drift.name(),
                moved.index,
                moved.distance
            );
        }
        let answered = &standing.answered;
        say!(
            "  people were shown {} of its cases and called {} not real; promised is {}",
            answered.shown,
            answered.rejected,
            standing.promised
        );
        if let Some(line) = standing.line() {
            say!("  {line}");
        }
    }
    Ok(Outcome::Fine)
}
