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

#[cfg(test)]
mod tests {
    use reeve_testing::teams::{self as tenant, Fault, Signer, TEAM, Teams};

    use super::*;
    use crate::store::TeamsConversation;

    fn config(teams: &Teams, store: &str, change: &[(&str, &str)]) -> Config {
        let all = [
            ("TEAMS__APP_ID", tenant::APP_ID.to_owned()),
            ("TEAMS__APP_SECRET", tenant::SECRET.to_owned()),
            ("TEAMS__TENANT", tenant::TENANT.to_owned()),
            ("TEAMS__CHANNEL", tenant::CHANNEL.to_owned()),
            ("TEAMS__METADATA_URL", format!("{}/v1/.well-known/openidconfiguration", teams.host)),
            ("TEAMS__TOKEN_URL", format!("{}/{{tenant}}/oauth2/v2.0/token", teams.host)),
            ("STORE__URL", store.to_owned()),
        ];
        let mut set: Vec<(String, String)> = all.map(|(key, value)| (format!("REEVE_{key}"), value)).to_vec();
        for (key, value) in change {
            let name = format!("REEVE_TEAMS__{key}");
            set.retain(|(known, _)| *known != name);
            set.push((name, (*value).to_owned()));
        }
        Config::load_from(None, &set).unwrap()
    }

    #[tokio::test]
    async fn what_holds_is_said_and_what_does_not_with_what_to_do() {
        let (teams, folder) = (Teams::start().await, tempfile::tempdir().unwrap());
        let url = format!("sqlite:{}", folder.path().join("reeve.db").display());
        let store = Store::open_and_migrate(&url).await.unwrap();
        let with = |change: &[(&str, &str)]| config(&teams, &url, change);
        let none = look(&with(&[])).await.unwrap_err().to_string();
        assert!(none.contains("add the app (config/teams)"), "{none}");
        let told = TeamsConversation {
            id: TEAM.to_owned(),
            tenant: tenant::TENANT.to_owned(),
            kind: TeamsKind::Channel,
            service_url: teams.service(),
            bot: tenant::BOT.to_owned(),
            team: TEAM.to_owned(),
            person: String::new(),
            seen_at: Clock::System.wire(),
        };
        store.keep_teams_conversation(&told).await.unwrap();
        let said = look(&with(&[])).await.unwrap();
        assert!(said.contains("through a team") && said.contains("/teams/messages") && said.contains("1 keys"), "{said}");
        let of_team = look(&with(&[("CHANNEL", TEAM), ("WORKFLOW_URL", "https://flow.example/s3cr3t")])).await.unwrap();
        assert!(of_team.contains("the channel is one of 1") && of_team.contains("a workflow"), "{of_team}");
        assert!(!of_team.contains("s3cr3t"), "{of_team}");
        for (change, named) in [
            (("APP_SECRET", "old"), "teams.app_secret"),
            (("APP_ID", "22222222-2222-3333-4444-555555555555"), "teams.app_id"),
            (("TENANT", "other"), "teams.tenant"),
        ] {
            let error = look(&with(&[change])).await.unwrap_err().to_string();
            assert!(error.contains(named) && !error.contains("old"), "{change:?}: {error}");
        }
        for (call, named) in
            [("token", "teams.token_url"), ("metadata", "teams.metadata_url"), ("keys", "teams.metadata_url")]
        {
            teams.fail(call, Fault::Drop);
            let error = look(&with(&[])).await.unwrap_err().to_string();
            assert!(error.contains(named), "{call}: {error}");
        }
        teams.tell_of(&[Signer::Elsewhere]);
        let error = look(&with(&[])).await.unwrap_err().to_string();
        assert!(error.contains("speaks for Teams"), "{error}");
        assert!(teams.posted().is_empty());
        assert_eq!(look(&Config::load_from(None, &[]).unwrap()).await.unwrap(), "not set up (docs/TEAMS.md)");
    }
}
