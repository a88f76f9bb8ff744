//! `reeve delegate`: who stands in for whom.

use clap::Subcommand;
use jiff::civil::Date;

use super::{Outcome, open, print_json};
use crate::app::App;
use crate::config::Config;
use crate::domain::ids::PersonId;
use crate::ports::Ports;

/// Standing in for one another.
#[derive(Debug, Subcommand)]
pub(super) enum Delegate {
    /// List who stands in for whom, today or later.
    List,
    /// Give one's own rights to somebody for some days. Separation of duties holds for both.
    Add {
        /// Whose rights: the id of whoever gives them.
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
        /// Who stands in.
        #[arg(long)]
        to: String,
        /// First day.
        #[arg(long)]
        from: Date,
        /// Last day, itself included.
        #[arg(long)]
        until: Date,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// End one at once; what was signed under it stands.
    End {
        /// The delegation's id, as `reeve delegate list` prints it.
        id: String,
        /// Who ends it: either of the two.
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
}

pub(super) async fn run(config: Config, command: Delegate, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(&config).await?;
    let clock = open::clock_of(&store, &config).await?;
    let ports = Ports { source: open::recording(&config).await?, model: None, webhook: None };
    let app = App::new(std::sync::Arc::new(config), store, ports, clock);
    match command {
        Delegate::List => {
            let all = app.approvals.standing_in().await?;
            if json {
                print_json(&all)?;
                return Ok(Outcome::Fine);
            }
            for d in &all {
                say!("{}  {} for {}  {} to {}  {}", d.id, d.to, d.from, d.starts, d.ends, crate::render::plain(&d.reason));
            }
            say!("{} delegations", all.len());
        }
        Delegate::Add { person, to, from, until, reason } => {
            let (person, to) = (PersonId::new(person), PersonId::new(to));
            let made = app.approvals.delegate(&person, &to, (from, until), &reason, "cli").await?;
            if json {
                print_json(&made)?;
            } else {
                say!("{}: {} stands in for {} from {} to {}.", made.id, made.to, made.from, made.starts, made.ends);
            }
        }
        Delegate::End { id, person } => {
            app.approvals.end_delegation(&id, &PersonId::new(person), "cli").await?;
            say!("{id} has ended.");
        }
    }
    Ok(Outcome::Fine)
}
