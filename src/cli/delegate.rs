//! `reeve delegate`: who stands in for whom.

use clap::Subcommand;
use jiff::civil::Date;

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::domain::ids::PersonId;

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
    let app = open::app_on(config, store).await?;
    match command {
        Delegate::List => {
            let all = app.approvals.standing_in().await?;
            if json {
                print_json(&all)?;
                return Ok(Outcome::Fine);
            }
            for d in &all {
                say!("{}  {} for {}  {} to {}  {}", d.id, d.to, d.from, d.starts, d.ends, d.reason);
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser as _;

    use super::super::{Cli, Command, decide};
    use super::*;
    use crate::clock::Clock;
    use crate::domain::case::CaseState;
    use crate::domain::decision::RecommendationState as State;
    use crate::store::Store;
    use crate::store::testing::{entry, moved, recommendation, with_case};

    /// An Odoo that is away and a recording that is not there.
    fn nothing_to_read(url: &str) -> Config {
        let mut config = Config::load_from(None, &[]).unwrap();
        url.clone_into(&mut config.store.url);
        "http://127.0.0.1:9".clone_into(&mut config.odoo.url);
        config.source.recording = PathBuf::from("/nowhere/at/all");
        config
    }

    async fn give(config: &Config, args: &[&str]) -> anyhow::Result<Outcome> {
        let all = ["reeve"].iter().chain(args);
        match Cli::try_parse_from(all).unwrap().command {
            Command::Queue(command) => Box::pin(decide::run(config.clone(), command, false)).await,
            Command::Delegate(command) => Box::pin(run(config.clone(), command, false)).await,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn people_decide_and_stand_in_while_the_erp_is_away() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("reeve.db").display());
        let config = nothing_to_read(&url);
        let store = Store::open_and_migrate(&url).await.unwrap();
        let mut recs = Vec::new();
        for id in ["case-1", "case-2"] {
            let case = with_case(&store, id, 100).await;
            let mut case = moved(&case, CaseState::Open);
            case.evidence_hash = Some("e1".to_owned());
            let rec = recommendation(&case, 1, State::Queued);
            store.replace_recommendations(&case, 1, std::slice::from_ref(&rec), &[entry("drafted")]).await.unwrap();
            recs.push(rec);
        }
        let (id, content) = (recs[0].id.as_str(), recs[0].content_hash());
        let reject = ["--as", "ari", "--content", &content, "--reason", "not-real"];
        give(&config, &[&["queue", "reject", id], &reject[..]].concat()).await.unwrap();
        let picked = format!("{}:{}", recs[1].id, recs[1].content_hash());
        let batch = give(&config, &["queue", "batch", &picked, "--as", "ari", "--reject", "not-real"]).await.unwrap();
        assert_eq!(batch, Outcome::Fine);
        for rec in &recs {
            assert_eq!(store.get_recommendation(&rec.id).await.unwrap().0.state.name(), "rejected");
        }
        let today = config.rules.calendar.calendar().day_of(Clock::System.now()).to_string();
        let days = ["--from", &today, "--until", &today, "--reason", "away"];
        give(&config, &[&["delegate", "add", "--as", "ari", "--to", "fay"], &days[..]].concat()).await.unwrap();
        let made = store.list_delegations().await.unwrap().remove(0);
        give(&config, &["delegate", "end", &made.id, "--as", "ari"]).await.unwrap();
        assert!(store.list_delegations().await.unwrap()[0].revoked_at.is_some());
        // Whoever sat there is in the log, and the person whose name was given is told of each.
        let log = store.list_audit(0, 100).await.unwrap();
        let by_command: Vec<_> = log.iter().filter(|e| e.entry.channel == "cli").collect();
        assert_eq!(by_command.len(), 4);
        assert!(by_command.iter().all(|e| e.entry.detail["os_user"].as_str().is_some_and(|user| !user.is_empty())));
        assert_eq!(store.count_untold(&PersonId::new("ari")).await.unwrap(), 4);
    }
}
