//! The real program with a tenant beside it: a made-up retailer is looked at, its cases are put up, and somebody decides there while the
//! program is killed between what it decided and what it would have answered.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use reeve::channels::teams::wire::{self, Came};
use reeve::people::ChatChannel;
use reeve_testing::teams::{self as tenant, Posted, Teams};
use serde_json::Value;

use crate::chat::program::{Installed, until};
use crate::support::binary::Process;

const DAN: &str = "6a1f0f7c-5a0b-4a63-9d4e-0c7a5a4f0003";

fn settings(teams: &Teams) -> String {
    format!(
        "[teams]\napp_id = \"{}\"\napp_secret = \"{}\"\ntenant = \"{}\"\nchannel = \"{}\"\nper_second = 1000.0\nburst = 1000\n\
         metadata_url = \"{host}/v1/.well-known/openidconfiguration\"\ntoken_url = \"{host}/{{tenant}}/oauth2/v2.0/token\"\n\
         service_hosts = [\"{}\"]\n",
        tenant::APP_ID,
        tenant::SECRET,
        tenant::TENANT,
        tenant::CHANNEL,
        teams.authority(),
        host = teams.host,
    )
}

/// The program, and where it can be reached.
struct Served {
    process: Process,
    address: String,
}

impl Served {
    fn of(mut process: Process) -> Self {
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let said = lines.find_map(|line| line.unwrap().split_once("http://").map(|(_, rest)| rest.to_owned())).unwrap();
        let address = said.split(['.', ' ', '/']).take(4).collect::<Vec<_>>().join(".");
        // What else it prints has somewhere to go.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, address: format!("http://{}/teams/messages", address.trim_end_matches('.')) }
    }

    async fn tell(&self, teams: &Teams, activity: &Value) -> Option<Value> {
        let signed = teams.sign(activity, reeve::clock::Clock::System.wire().as_second());
        let client = reeve::http::client(Duration::from_secs(20)).unwrap();
        let mut request = client.post(&self.address).body(signed.body);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.ok()?;
        assert_eq!(answer.status().as_u16(), 200);
        let text = answer.text().await.ok()?;
        Some(serde_json::from_str(&text).unwrap_or_default())
    }
}

fn cards(teams: &Teams) -> Vec<Posted> {
    teams.posted().into_iter().filter(|posted| !posted.buttons("reeve.approve").is_empty()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_put_up_and_decided_and_a_killed_program_answers_what_comes_again() {
    let teams = Teams::start().await;
    let shop = Installed::with(&settings(&teams), ChatChannel::Teams, tenant::TENANT, DAN).await;
    let store = &shop.store;

    let mut served = Served::of(shop.serve());
    served.tell(&teams, &teams.team_changes(DAN, true)).await.unwrap();
    let first = until("a card is put up", async || cards(&teams).into_iter().next()).await;

    // A press, all the way: decided, answered, shown.
    let said = served.tell(&teams, &teams.press(DAN, &first, "reeve.approve", &[])).await.unwrap();
    assert!(said["value"].is_object() || said["value"].is_string(), "{said}");
    if said.to_string().contains("Undo") {
        until("the card says so", async || {
            let shown = teams.posted().into_iter().find(|card| card.id == first.id)?;
            shown.shown().contains("approved by Dan Director").then_some(())
        })
        .await;
    }

    // Others: the program is killed as soon as it is done with them, whether or not it could still say so.
    for card in cards(&teams).into_iter().filter(|card| card.id != first.id).take(2) {
        let activity = teams.press(DAN, &card, "reeve.approve", &[]);
        let Came::Pressed(heard) = wire::activity(&activity, &shop.config.teams) else { panic!("it is a press") };
        let kept = async || store.find_chat_outcome(&heard.id).await.unwrap();
        let pressed = async {
            served.tell(&teams, &activity).await;
        };
        tokio::select! {
            () = pressed => {}
            _ = until("the press is done with", async || kept().await) => {}
        }
        served.process.killed();
        served = Served::of(shop.serve());
        until("it is done by the next program", async || kept().await).await;
        let again = served.tell(&teams, &activity).await.unwrap();
        assert_eq!(again["statusCode"], 200, "{again}");
        let once_more = served.tell(&teams, &activity).await.unwrap();
        assert_eq!(again, once_more, "and so it stays");
    }
    shop.is_sound().await;
    served.process.killed();
}
