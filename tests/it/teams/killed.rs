//! A process that dies between what it wrote down, what it decided and what it answered: the next one does what is left, and what comes again is
//! answered as it would have been.

use std::time::Duration;

use reeve::channels::chat::act::act;
use reeve::channels::chat::heard::Heard;
use reeve::channels::teams::wire::{self, Came};
use serde_json::{Value, json};

use super::bench::{ARI, Bench};
use crate::support::databases::databases;

/// What a press asks for.
fn heard(bench: &Bench, activity: &Value) -> Heard {
    match wire::activity(activity, &bench.world.state.config.teams) {
        Came::Pressed(heard) => heard,
        other => panic!("it is a press: {other:?}"),
    }
}

#[tokio::test]
async fn what_was_decided_before_the_process_died_is_answered_by_the_next_one_when_it_comes_again() {
    for (db, decided) in databases().await.into_iter().zip([true, false].into_iter().cycle()) {
        let bench = Bench::on(db, |_, _| {}).await;
        let card = bench.card().await;
        let activity = bench.teams.press(ARI, &card, "reeve.approve", &[]);
        let pressed = heard(&bench, &activity);
        // It was written down, taken out, and perhaps decided; whoever did that is gone, and nobody was answered.
        bench.inbox.keep(&pressed).await.unwrap();
        let now = bench.world.clock.wire();
        let store = &bench.world.store;
        store.claim_chat("teams", Some(&pressed.id), now, Duration::from_mins(1)).await.unwrap().unwrap();
        if decided {
            act(&bench.world.state, bench.inbox.voice.as_ref(), &pressed).await.unwrap();
        }
        assert_eq!(bench.decisions().await, usize::from(decided));

        // Teams sends it again while somebody may still be at it: it is answered, and nothing is done twice.
        let meanwhile = bench.invoke(&activity).await;
        assert_eq!(meanwhile["statusCode"], json!(200));
        assert!(meanwhile["value"].as_str().unwrap().contains("not counted yet"), "{meanwhile}");
        assert_eq!(bench.decisions().await, usize::from(decided));

        bench.later(Duration::from_secs(61));
        let (next, _) = reeve::channels::teams::inbox(&bench.world.state).unwrap();
        assert_eq!(next.work_off().await.unwrap(), 1);
        assert_eq!((bench.state_of_first().await.as_str(), bench.decisions().await), ("approved", 1));
        let again = bench.invoke(&activity).await;
        assert!(again.to_string().contains("Approved"), "{again}");
        assert_eq!(bench.invoke(&activity).await, again, "and so it stays");
        assert_eq!(bench.decisions().await, 1);
        assert!(bench.card().await.shown().contains("approved by Ari Approver"));
        bench.world.store.verify_audit().await.unwrap();
    }
}

#[tokio::test]
async fn whoever_was_answered_too_early_is_told_in_their_own_conversation() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    bench.tell_bot(&bench.teams.install(ARI, true)).await;
    let pressed = heard(&bench, &bench.teams.press(ARI, &card, "reeve.approve", &[]));
    bench.inbox.keep(&pressed).await.unwrap();
    let now = bench.world.clock.wire();
    bench.world.store.claim_chat("teams", Some(&pressed.id), now, Duration::from_mins(1)).await.unwrap().unwrap();
    bench.later(Duration::from_secs(61));
    bench.inbox.work_off().await.unwrap();
    let told = bench.teams.posted().pop().unwrap();
    assert!(told.conversation.starts_with("a:talk") && told.shown().contains("Approved"), "{}", told.shown());
}
