//! What people say to the bot, and what it answers.

use reeve_testing::teams::{TEAM, check_card};

use super::bench::{ARI, Bench, EVE};
use crate::support::databases::databases;

#[tokio::test]
async fn the_bot_helps_and_shows_what_waits() {
    for db in databases().await {
        let bench = Bench::on(db, |_, _| {}).await;
        bench.show().await;
        let said = bench.write(EVE, "hello?").await;
        assert!(said.contains("link CODE") && said.contains("queue"), "{said}");
        let said = bench.write(EVE, "queue").await;
        assert!(said.contains("open /me on Reeve's page"), "{said}");
        let said = bench.write(ARI, "Queue").await;
        assert!(said.contains("One case waits for you") && said.contains("TRANSFER"), "{said}");
        check_card(bench.teams.posted().pop().unwrap().card()).unwrap();
        let talk = bench.world.store.find_teams_talk(reeve_testing::teams::TENANT, ARI).await.unwrap();
        assert!(talk.is_some(), "the bot can speak to whoever has spoken to it");
    }
}

#[tokio::test]
async fn in_a_channel_the_bot_listens_only_where_it_is_meant_and_answers_in_the_thread() {
    let bench = Bench::new().await;
    let before = bench.teams.posted().len();
    for text in ["queue", "help", "link ABCD"] {
        let answer = bench.tell_bot(&bench.teams.write_in_channel(ARI, text, false)).await;
        assert_eq!((answer.status, &*answer.body), (200, ""));
    }
    assert_eq!((bench.inbox.work_off().await.unwrap(), bench.teams.posted().len()), (0, before));
    let asked = bench.teams.write_in_channel(ARI, "queue", true);
    bench.tell_bot(&asked).await;
    // Sent again, as Teams does where it is not sure.
    bench.tell_bot(&asked).await;
    assert_eq!(bench.inbox.work_off().await.unwrap(), 1);
    let said = bench.teams.posted().pop().unwrap();
    assert!(said.conversation.ends_with(";messageid=1") && said.shown().contains("One case waits"), "{said:?}");
    assert_eq!(said.activity["replyToId"], asked["id"]);
}

#[tokio::test]
async fn conversations_are_known_while_the_bot_is_in_them() {
    for db in databases().await {
        let bench = Bench::on(db, |_, _| {}).await;
        let tenant = reeve_testing::teams::TENANT;
        let store = &bench.world.store;
        let team = store.find_teams_conversation(tenant, TEAM).await.unwrap().unwrap();
        assert_eq!((&*team.service_url, &*team.bot), (&*bench.teams.service(), reeve_testing::teams::BOT));
        assert_eq!(bench.tell_bot(&bench.teams.install(EVE, true)).await.status, 200);
        assert!(store.find_teams_talk(tenant, EVE).await.unwrap().is_some());
        assert_eq!(bench.tell_bot(&bench.teams.install(EVE, false)).await.status, 200);
        assert!(store.find_teams_talk(tenant, EVE).await.unwrap().is_none());
        // Others come and go.
        let mut other = bench.teams.team_changes(ARI, true);
        other["membersAdded"][0]["id"] = "29:somebody".into();
        other["membersRemoved"] = serde_json::json!([{ "id": "29:somebody-else" }]);
        bench.tell_bot(&other).await;
        assert_eq!(store.count_teams_conversations(tenant).await.unwrap(), 1);
        bench.tell_bot(&bench.teams.team_changes(ARI, false)).await;
        assert_eq!(store.count_teams_conversations(tenant).await.unwrap(), 0);
    }
}
