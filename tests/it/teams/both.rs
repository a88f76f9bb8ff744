//! One case in two chats and on the page: one decision, and each shows its last state.

use reeve::approve::{Ask, Loose};
use reeve::domain::hand::Hand;
use reeve::domain::ids::PersonId;
use reeve::people::{ChatChannel, ChatUser};
use reeve_testing::slack::{self as workspace, Posted, Signed};

use super::bench::{ARI, Bench, FAY, with_slack};
use crate::support::databases::databases;
use crate::web::http::send;

/// The card in Slack.
fn in_slack(bench: &Bench) -> Posted {
    let shows = format!("case:{}", bench.world.case.id);
    bench.slack.posted().into_iter().find(|p| p.metadata["event_payload"]["shows"] == shows).unwrap()
}

#[tokio::test]
async fn the_first_of_three_counts_and_the_others_are_told_who_it_was() {
    for db in databases().await {
        let bench = Bench::on(db, with_slack).await;
        let code = bench.code("fay", ChatChannel::Slack).await;
        let user = ChatUser::new(ChatChannel::Slack, workspace::TEAM, "UFAY").unwrap();
        bench.identities().confirm(&user, &code).await.unwrap();
        let card = bench.card().await;
        let (inbox, _) = reeve::channels::slack::inbox(&bench.world.state).unwrap();

        // In Slack first.
        let click = bench.slack.press("UFAY", &in_slack(&bench), "reeve/approve");
        let signed = Signed::interaction(&click, bench.seconds());
        let headers: Vec<(&str, &str)> = signed.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
        let answer = send(&bench.world, "POST", "/slack/interactions", &headers, &signed.body).await;
        assert_eq!(answer.status, 200);
        inbox.work_off().await.unwrap();
        assert_eq!((bench.state_of_first().await.as_str(), bench.decisions().await), ("approved", 1));

        // Then in Teams, on a card that does not know yet.
        let said = bench.press(ARI, &card, "reeve.approve", &[]).await;
        assert!(said.contains("Not counted: Fay Finance approved this at"), "{said}");

        // Then on the page.
        let rec = &bench.world.recommendations[0];
        let loose = Loose {
            recommendation: rec.id.to_string(),
            content_hash: rec.content_hash(),
            key: "page".to_owned(),
            verb: "approve".to_owned(),
            ..Loose::default()
        };
        let ask = Ask::parse(loose, "web", Some(&rec.candidate)).unwrap().by(&PersonId::new("dan"), Hand::Own);
        let refused = bench.world.state.approvals.decide(&ask).await.unwrap_err().to_string();
        assert!(refused.contains("Fay Finance approved this at"), "{refused}");

        assert_eq!(bench.decisions().await, 1);
        let after = bench.card().await;
        assert_eq!((&after.id, after.updates), (&card.id, 1));
        for shown in [after.shown(), in_slack(&bench).shown()] {
            assert!(shown.contains("approved by Fay Finance"), "{shown}");
        }
        assert!(after.buttons("reeve.approve").is_empty() && in_slack(&bench).buttons("reeve/approve").is_empty());
        bench.world.store.verify_audit().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_decided_in_teams_changes_the_card_in_slack() {
    let bench = Bench::on(databases().await.remove(0), with_slack).await;
    let card = bench.card().await;
    bench.press(FAY, &card, "reeve.approve", &[]).await;
    bench.show().await;
    let shown = in_slack(&bench).shown();
    assert!(shown.contains("approved by Fay Finance"), "{shown}");
}
