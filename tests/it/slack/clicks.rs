//! A click decides once, on both databases, and everybody sees it.

use reeve::approve::{Ask, Loose};
use reeve::domain::hand::Hand;
use reeve::domain::ids::PersonId;
use reeve_testing::slack::Signed;

use super::bench::{ARI, Bench, EVE, FAY};
use crate::support::databases::databases;

#[tokio::test]
async fn a_signed_click_approves_once_and_the_card_says_so() {
    for db in databases().await {
        let bench = Bench::on(db, |_| {}).await;
        let card = bench.card().await;
        assert!(card.shown().contains("TRANSFER from Central Warehouse* · USD 896.68"), "{}", card.shown());
        assert!(!card.text.contains("<script>"), "{}", card.text);
        let click = bench.slack.press(ARI, &card, "reeve/approve");
        let signed = Signed::interaction(&click, bench.seconds());
        for _ in 0..2 {
            let answer = bench.post("/slack/interactions", &signed).await;
            assert_eq!((answer.status, &*answer.body), (200, ""));
        }
        assert_eq!(bench.decisions().await, 0, "acknowledged before the work");
        assert_eq!(bench.inbox.work_off().await.unwrap(), 1, "the same click is one");
        assert_eq!(bench.state_of_first().await, "approved");
        assert_eq!(bench.decisions().await, 1);
        assert!(bench.slack.last_said().starts_with("Approved"), "{}", bench.slack.last_said());
        let log = bench.world.store.list_audit_of(&format!("recommendation:{}", bench.world.recommendations[0].id)).await;
        let log = log.unwrap();
        let approved = log.iter().find(|e| e.entry.action == "recommendation.approved").unwrap();
        assert_eq!((&*approved.entry.actor, &*approved.entry.channel), ("ari", "slack"));

        let after = bench.card().await;
        assert_eq!((&after.ts, after.updates), (&card.ts, 1), "changed in place");
        assert!(after.shown().contains("approved by Ari Approver"), "{}", after.shown());
        assert!(after.buttons("reeve/approve").is_empty(), "nothing is left to decide");
        assert_eq!(bench.cards().len(), 1);
        bench.world.store.verify_audit().await.unwrap();
    }
}

#[tokio::test]
async fn a_second_trigger_of_one_click_is_the_same_decision() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    for _ in 0..2 {
        let click = bench.slack.press(ARI, &card, "reeve/approve");
        assert_eq!(bench.interact(&click).await.status, 200);
    }
    assert_eq!(bench.decisions().await, 1);
    let said: Vec<String> = bench.slack.ephemeral().iter().map(|said| said["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(said.len(), 2);
    assert_eq!(said[0], said[1], "answered the same");
}

#[tokio::test]
async fn what_was_decided_on_the_page_changes_the_card_and_a_late_click_is_told_who_was_first() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let rec = &bench.world.recommendations[0];
    let loose = Loose {
        recommendation: rec.id.to_string(),
        content_hash: rec.content_hash(),
        key: "page".to_owned(),
        verb: "approve".to_owned(),
        ..Loose::default()
    };
    let ask = Ask::parse(loose, "web", Some(&rec.candidate)).unwrap().by(&PersonId::new("fay"), Hand::Own);
    bench.world.state.approvals.decide(&ask).await.unwrap();
    let after = bench.card().await;
    assert_eq!((&after.ts, after.updates), (&card.ts, 1));
    assert!(after.shown().contains("approved by Fay Finance"), "{}", after.shown());
    let click = bench.slack.press(ARI, &card, "reeve/approve");
    bench.interact(&click).await;
    let said = bench.slack.last_said();
    assert!(
        said.starts_with("Not counted: Fay Finance approved this at") && said.contains("the first decision counts"),
        "{said}"
    );
    assert_eq!(bench.decisions().await, 1);
}

#[tokio::test]
async fn an_undo_in_the_chat_brings_the_buttons_back_and_a_click_on_them_is_a_new_one() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    bench.interact(&bench.slack.press(ARI, &card, "reeve/approve")).await;
    bench.show().await;
    let said = bench.slack.ephemeral().pop().unwrap();
    let undo = &said["blocks"].as_array().unwrap().iter().find(|b| b["type"] == "actions").unwrap()["elements"][0];
    let click = bench.slack.press_value(ARI, &card.ts, undo["action_id"].as_str().unwrap(), undo["value"].as_str().unwrap());
    bench.interact(&click).await;
    assert_eq!(bench.state_of_first().await, "queued");
    let back = bench.card().await;
    assert!(!back.buttons("reeve/approve").is_empty());
    bench.interact(&bench.slack.press(ARI, &back, "reeve/approve")).await;
    assert_eq!((bench.state_of_first().await, bench.decisions().await), ("approved".to_owned(), 3));
    assert_eq!(bench.cards().len(), 1, "all in place");
}

#[tokio::test]
async fn an_old_button_says_how_it_stands_now() {
    let bench = Bench::new().await;
    let old = bench.card().await;
    bench.interact(&bench.slack.press(ARI, &old, "reeve/approve")).await;
    bench.show().await;
    let said = bench.slack.ephemeral().pop().unwrap();
    let undo = &said["blocks"].as_array().unwrap().iter().find(|b| b["type"] == "actions").unwrap()["elements"][0];
    let undo = (undo["action_id"].as_str().unwrap(), undo["value"].as_str().unwrap());
    bench.interact(&bench.slack.press_value(ARI, &old.ts, undo.0, undo.1)).await;
    // The card that was not refreshed: its click was counted before, and was taken back since.
    bench.interact(&bench.slack.press(ARI, &old, "reeve/approve")).await;
    assert_eq!(bench.state_of_first().await, "queued");
    let said = bench.slack.last_said();
    assert!(said.contains("Nothing was done now") && said.contains("It is queued"), "{said}");
    let back = bench.card().await;
    bench.interact(&bench.slack.press(ARI, &back, "reeve/approve")).await;
    // The undo of the first approval does not take back the second, but offers to.
    bench.interact(&bench.slack.press_value(ARI, &old.ts, undo.0, undo.1)).await;
    assert_eq!(bench.state_of_first().await, "approved");
    let said = bench.slack.ephemeral().pop().unwrap();
    let text = said["text"].as_str().unwrap();
    assert!(text.contains("Nothing was done now") && text.contains("It is approved"), "{text}");
    assert!(said["blocks"].as_array().unwrap().iter().any(|b| b["type"] == "actions"), "{said}");
}

#[tokio::test]
async fn whoever_is_not_linked_is_told_how_and_then_decides() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    bench.interact(&bench.slack.press(EVE, &card, "reeve/approve")).await;
    assert!(bench.slack.last_said().contains("open /me on Reeve's page"), "{}", bench.slack.last_said());
    assert_eq!(bench.decisions().await, 0);
    let wrong = bench.command(EVE, "link ABCD-EFGH-JKLM").await;
    assert!(wrong.contains("does not fit"), "{wrong}");
    let code = bench.code("dan").await;
    let linked = bench.command(EVE, &format!("link {code}")).await;
    assert!(linked.starts_with("You are Dan Director here"), "{linked}");
    let queue = bench.command(EVE, "queue").await;
    assert!(queue.contains("waits for you") || queue.contains("wait for you"), "{queue}");
    assert!(bench.command(FAY, "help").await.contains("link CODE"));
    assert!(bench.command(FAY, "what").await.contains("link CODE"), "anything else is a question");
    let again = bench.command(EVE, &format!("link {code}")).await;
    assert!(again.contains("does not fit"), "a code is good for once: {again}");
}

#[tokio::test]
async fn somebodys_own_page_shows_what_waits_for_them() {
    let bench = Bench::new().await;
    for user in [ARI, EVE] {
        let event = bench.slack.open_home(user);
        for retry in 0..3 {
            let mut signed = Signed::event(&event, bench.seconds());
            if retry > 0 {
                signed.headers.push(("x-slack-retry-num".to_owned(), retry.to_string()));
                signed.headers.push(("x-slack-retry-reason".to_owned(), "http_timeout".to_owned()));
            }
            assert_eq!(bench.post("/slack/events", &signed).await.status, 200);
        }
    }
    assert_eq!(bench.inbox.work_off().await.unwrap(), 2, "what comes again is one");
    let home = bench.slack.home(ARI).unwrap().to_string();
    assert!(home.contains("receipt WH/IN/00012") && home.contains("reeve/why/"), "{home}");
    assert!(bench.slack.home(EVE).unwrap().to_string().contains("open /me"));
}
