//! What `reeve doctor` asks about Teams: does the directory give the bot its token, can the keys be read by which requests are known, and has
//! Teams told of a conversation. Nothing is put up.

use crate::channels::teams::api::{Api, CallError};
use crate::channels::teams::keys::Keys;
use crate::cli::open;
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Store, TeamsKind};

/// Whether Teams would take what Reeve sends, and how clicks come in.
pub(super) async fn look(config: &Config) -> anyhow::Result<String> {
    let teams = &config.teams;
    let workflow = if teams.has_workflow() { "a workflow gets the digest (nothing was sent to it)" } else { "" };
    if !teams.has_bot() {
        let none = "not set up (docs/TEAMS.md)";
        return Ok(if workflow.is_empty() { none.to_owned() } else { format!("no bot; {workflow}") });
    }
    Api::new(teams, Clock::System).sign_in().await.map_err(|error| token(&error))?;
    let keys = Keys::new(teams, Clock::System).count().await.map_err(|error| {
        anyhow::anyhow!("the keys by which requests of Teams are known can not be read: {error}; is teams.metadata_url right, and can this machine reach it?")
    })?;
    anyhow::ensure!(keys > 0, "none of the keys at teams.metadata_url speaks for Teams: is it the right address?");
    let known = conversations(config, &open::store_to_read(config).await?).await?;
    let says = [
        format!("the directory gives a token, {keys} keys of Teams can be read, {known}"),
        format!("clicks come to {}/teams/messages, signed", config.web.address()),
        workflow.to_owned(),
        "nothing was sent".to_owned(),
    ];
    Ok(says.into_iter().filter(|said| !said.is_empty()).collect::<Vec<_>>().join("; "))
}

/// What Teams has told of.
async fn conversations(config: &Config, store: &Store) -> anyhow::Result<String> {
    let teams = &config.teams;
    let all = store.count_teams_conversations(&teams.tenant).await?;
    if store.find_teams_conversation(&teams.tenant, &teams.channel).await?.is_some() {
        return Ok(format!("the channel is one of {all} conversations that Teams has told of"));
    }
    let of_a_team = store.find_newest_teams_conversation(&teams.tenant, TeamsKind::Channel).await?;
    anyhow::ensure!(
        of_a_team.is_some(),
        "Teams has told of no team that the app is in: start `reeve serve`, see that Microsoft reaches {}/teams/messages over https, and add \
         the app (config/teams) to the team of teams.channel; where it is in already, take it out and add it again",
        config.web.address()
    );
    Ok(format!("{all} conversations are known; the channel is reached through a team that the app is in"))
}

fn token(error: &CallError) -> anyhow::Error {
    match error {
        CallError::NoToken(_) => anyhow::anyhow!(
            "{error}: teams.app_id, teams.tenant and teams.app_secret have to be those of one registration; make a new client secret where \
             it has expired"
        ),
        _ => anyhow::anyhow!("{error}: is teams.token_url right, and can this machine reach it?"),
    }
}
