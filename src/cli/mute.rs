//! `reeve mute`: what people do not want to be shown for a while.

use clap::Subcommand;
use jiff::civil::Date;
use serde_json::json;

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::domain::exception::ExceptionType;
use crate::domain::ids::PersonId;
use crate::domain::mute::MuteScope;
use crate::pipeline::noise::{self, MuteRequest, figures};

/// Muting. Cases that are muted are found and counted as before; they are only not shown.
#[derive(Debug, Subcommand)]
pub(super) enum Mute {
    /// Mute a type of exception on some subjects until a day.
    Add {
        /// The type's code, such as R-SHORT.
        code: ExceptionType,
        /// On which subjects: all, item:ID, location:ID, supplier:ID or category:NAME.
        scope: MuteScope,
        /// The day on which it is shown again.
        #[arg(long)]
        until: Date,
        /// Why.
        #[arg(long)]
        reason: String,
        /// Who mutes it and answers for it: a person's id from the configuration.
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
    /// List what is muted.
    List {
        /// Those that are over, too.
        #[arg(long)]
        all: bool,
    },
    /// Show how noisy each type and detector is: cases shown and rejected as not real, of the cases shown.
    Noise,
    /// End a mute before its day: its cases are shown again.
    End {
        /// The mute's id.
        id: String,
        /// Who ends it: a person's id from the configuration.
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
}

pub(super) async fn run(config: &Config, command: Mute, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(config).await?;
    let clock = open::clock_of(&store, config).await?;
    match command {
        Mute::Add { code, scope, until, reason, person } => {
            let (person, channel) = (PersonId::new(person), "cli".to_owned());
            let request = MuteRequest { person, channel, code, scope, until, reason };
            let mute = noise::mute(&store, config, &clock, &request).await?;
            if json {
                print_json(&mute)?;
            } else {
                say!("{} is muted for {} until {} ({}).", mute.code, mute.scope, mute.until, mute.id);
                say!(
                    "Shown all the same: bills that are due, key items, and cases with more than {} at stake.",
                    config.noise.mute_value_max
                );
            }
        }
        Mute::List { all } => {
            let today = config.rules.calendar.calendar().day_of(clock.now());
            // What has ended is kept: people answer for what they put out of sight (decision 27).
            let mutes: Vec<_> = store.list_mutes().await?.into_iter().filter(|m| all || m.is_live(today)).collect();
            if json {
                print_json(&json!(mutes))?;
                return Ok(Outcome::Fine);
            }
            for m in &mutes {
                let until = match &m.ended {
                    Some((at, by)) => format!("ended {at} by {by}"),
                    None if m.is_live(today) => format!("until {}", m.until),
                    None => format!("was until {}", m.until),
                };
                let reason = crate::cards::plain(&m.reason);
                say!("{} {:<12} {:<24} {until} by {}: {reason}", m.id, m.code.code(), m.scope.to_string(), m.owner);
            }
            say!("{} mutes", mutes.len());
        }
        Mute::Noise => {
            let today = config.rules.calendar.calendar().day_of(clock.now());
            let all = figures::by_detector(&store, today, config.noise.history_days).await?;
            if json {
                print_json(&all)?;
                return Ok(Outcome::Fine);
            }
            for f in &all {
                let (n, percent) = (&f.noise, |share: f64| share * 100.0);
                say!(
                    "{:<12} {:<24} {:>4} of {:>4} not real: {:>3.0} % ({:.0} to {:.0})",
                    f.code.code(),
                    f.detector,
                    n.rejected,
                    n.shown,
                    percent(n.share),
                    percent(n.low),
                    percent(n.high)
                );
            }
            say!("{} detectors and types, over {} days", all.len(), config.noise.history_days);
        }
        Mute::End { id, person } => {
            let mute = noise::unmute(&store, config, &clock, &id, &PersonId::new(person), "cli").await?;
            say!("{} for {} is shown again.", mute.code, mute.scope);
        }
    }
    Ok(Outcome::Fine)
}
