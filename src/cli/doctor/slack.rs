//! What `reeve doctor` asks Slack: do the tokens hold, what may the bot do, is it in the channel. Nothing is put up.

use serde_json::json;

use crate::channels::slack::api::{Api, CallError};
use crate::clock::Clock;
use crate::config::{Config, SlackMode};

/// What the bot's token has to allow, and what it is for.
const NEEDED: [(&str, &str); 2] = [("chat:write", "to put up and change cards"), ("commands", "for /reeve")];

/// Whether Slack would take what Reeve sends, and how clicks come in.
pub(super) async fn look(config: &Config) -> anyhow::Result<String> {
    let slack = &config.slack;
    if !slack.is_set() {
        return Ok("not set up (docs/SLACK.md)".to_owned());
    }
    let api = Api::new(slack, Clock::System);
    let who = api.call("auth.test", &json!({})).await.map_err(|error| bot(&error))?;
    let team = who.body["team_id"].as_str().unwrap_or_default();
    anyhow::ensure!(
        team == slack.team,
        "the bot's token is of the workspace {team}, and slack.team says {}: set the one or the other",
        slack.team
    );
    let missing: Vec<String> = NEEDED
        .iter()
        // An answer that names no scopes says nothing about them.
        .filter(|(scope, _)| !who.scopes.is_empty() && !who.scopes.iter().any(|has| has == scope))
        .map(|(scope, what)| format!("{scope} ({what})"))
        .collect();
    anyhow::ensure!(
        missing.is_empty(),
        "the bot's token lacks {}: add the scopes of config/slack/manifest.yaml to the app and install it again",
        missing.join(", ")
    );
    let channel = channel(&api, &slack.channel).await?;
    let looks = who.scopes.is_empty() || who.scopes.iter().any(|scope| scope.ends_with(":history"));
    let twice = if looks { "" } else { "; without channels:history a card whose answer is lost may stand there twice" };
    let charts = if slack.charts && !who.scopes.is_empty() && !who.scopes.iter().any(|scope| scope == "files:write") {
        "; without files:write cards come without their chart: give the app that scope and install it again, or set slack.charts = false"
    } else {
        ""
    };
    let way = match slack.mode {
        SlackMode::Socket => {
            api.open_connection().await.map_err(|error| app(&error))?;
            "clicks come by a socket, which can be opened".to_owned()
        }
        SlackMode::Http => {
            format!("clicks come to {}/slack/interactions, signed", config.web.address())
        }
    };
    Ok(format!("workspace {team}, {channel}, {way}{twice}{charts}; nothing was sent"))
}

async fn channel(api: &Api, id: &str) -> anyhow::Result<String> {
    match api.call("conversations.info", &json!({ "channel": id })).await {
        Ok(answer) => {
            let name = answer.body["channel"]["name"].as_str().unwrap_or(id).to_owned();
            let is_in = answer.body["channel"]["is_member"].as_bool().unwrap_or(true);
            anyhow::ensure!(is_in, "the app is not in the channel {name}: /invite it there");
            Ok(format!("in the channel {name}"))
        }
        Err(CallError::Refused(word)) if word == "missing_scope" || word == "unknown_method" => {
            Ok(format!("whether it is in the channel {id} can not be seen without channels:read"))
        }
        Err(CallError::Refused(word)) if word == "channel_not_found" => {
            anyhow::bail!(
                "there is no channel {id} that the app can see: set slack.channel to its id (C…) and /invite the app there"
            )
        }
        Err(error) => Err(error.into()),
    }
}

fn bot(error: &CallError) -> anyhow::Error {
    match error.word() {
        "" => anyhow::anyhow!("{error}: is slack.api_base right, and can this machine reach it?"),
        _ => anyhow::anyhow!("{error}: install the app again and set its new bot token (slack.bot_token)"),
    }
}

fn app(error: &CallError) -> anyhow::Error {
    match error.word() {
        "" => anyhow::anyhow!("the socket can not be opened: {error}"),
        _ => anyhow::anyhow!(
            "the socket can not be opened: {error}; make an app-level token with the scope connections:write, switch Socket Mode on, \
             and set slack.app_token"
        ),
    }
}

#[cfg(test)]
mod tests {
    use reeve_testing::slack::{self as workspace, ELSEWHERE, Fault, Slack};

    use super::*;

    fn config(slack: &Slack, change: &[(&str, &str)]) -> Config {
        let all = [
            ("API_BASE", slack.api.as_str()),
            ("BOT_TOKEN", workspace::BOT),
            ("APP_TOKEN", workspace::APP),
            ("TEAM", workspace::TEAM),
            ("APP_ID", workspace::APP_ID),
            ("CHANNEL", workspace::CHANNEL),
        ];
        let mut set: Vec<(String, String)> = Vec::new();
        for (key, value) in all.iter().chain(change) {
            let name = format!("REEVE_SLACK__{key}");
            set.retain(|(known, _)| *known != name);
            set.push((name, (*value).to_owned()));
        }
        Config::load_from(None, &set).unwrap()
    }

    #[tokio::test]
    async fn what_holds_is_said_and_what_does_not_with_what_to_do() {
        let slack = Slack::start().await;
        let said = look(&config(&slack, &[])).await.unwrap();
        assert!(said.contains("in the channel stock-approvals") && said.contains("can be opened"), "{said}");
        for (change, named) in [
            (("BOT_TOKEN", "xoxb-old"), "new bot token"),
            (("APP_TOKEN", "xapp-old"), "connections:write"),
            (("TEAM", "T9"), "slack.team"),
            (("CHANNEL", ELSEWHERE), "/invite"),
            (("CHANNEL", "C0NOWHERE"), "slack.channel"),
        ] {
            let error = look(&config(&slack, &[change])).await.unwrap_err().to_string();
            assert!(error.contains(named), "{change:?}: {error}");
        }
        slack.fail("auth.test", Fault::Drop);
        let error = look(&config(&slack, &[])).await.unwrap_err().to_string();
        assert!(error.contains("slack.api_base"), "{error}");
        assert!(slack.posted().is_empty());
        assert_eq!(look(&Config::load_from(None, &[]).unwrap()).await.unwrap(), "not set up (docs/SLACK.md)");
    }
}
