//! What never leaves ends as not carried out, whoever approved it is told, and nothing of it is sent afterwards. On every
//! database there is.

use super::*;
use crate::approve::{DecisionRefused, Sweep};
use crate::domain::recommendation::Recommendation;
use crate::store::testing::on_each;

/// One approved case.
async fn approved_on(store: Store) -> (Bench, Vec<Recommendation>) {
    let bench = Bench::on(store);
    let recs = bench.case("case-1", "7", 500).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    (bench, recs)
}

/// What stands where nothing was sent: the recommendation, its sibling, the case, and what was said.
async fn told(bench: &Bench, recs: &[Recommendation]) -> (String, String, String, Vec<String>) {
    let store = &bench.it.store;
    let notices = store.list_notices(&PersonId::new("ari")).await.unwrap();
    (
        bench.state(&recs[0].id).await,
        bench.state(&recs[1].id).await,
        bench.case_state("case-1").await,
        notices.into_iter().map(|n| n.said).collect(),
    )
}

#[tokio::test]
async fn what_an_operator_discards_is_not_carried_out_and_who_approved_it_is_told_why() {
    on_each(|store| async move {
        let (receiver, url) = receiver(&[]).await;
        let (bench, recs) = approved_on(store).await;
        let deliver = sending(&bench, &url, 3);
        let row = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap().remove(0);
        deliver.discard(&row.id, "done by phone", &PersonId::new("dan"), "cli").await.unwrap();
        let (state, sibling, case, said) = told(&bench, &recs).await;
        assert_eq!((state.as_str(), sibling.as_str(), case.as_str()), ("not_carried_out", "superseded", "closed"));
        let because = "discarded by Dan Director, because done by phone";
        assert!(said.len() == 1 && said[0].contains("was not sent") && said[0].ends_with(because), "{said:?}");
        let log = bench.it.store.list_audit_of(&format!("recommendation:{}", recs[0].id)).await.unwrap();
        let last: Vec<_> = log[log.len() - 2..].iter().map(|e| (&*e.entry.action, &*e.entry.actor)).collect();
        assert_eq!(last, [("outbox.discarded", "dan"), ("recommendation.not_sent", "dan")]);
        assert_eq!(log.last().unwrap().entry.detail["because"], because);
        let seen = stuck::picture(&deliver.store, &deliver.config, deliver.clock.now()).await.unwrap();
        assert_eq!((seen.held.len(), seen.unseen[0].why.as_str()), (0, &*format!("not sent ({because})")));
        // It stays so: nothing leaves, nothing is approved or taken back, and it can not be put back either.
        bench.later(60);
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0));
        assert!(deliver.replay(&row.id, &PersonId::new("dan"), "cli").await.is_err());
        assert!(deliver.discard(&row.id, "again", &PersonId::new("dan"), "cli").await.is_err());
        for (person, rec, verb) in
            [("ari", &recs[0], Verb::Undo), ("fay", &recs[0], Verb::Approve), ("fay", &recs[1], Verb::Approve)]
        {
            let refused: DecisionRefused = bench.decide(person, rec, verb).await.unwrap_err();
            assert!(!matches!(refused, DecisionRefused::Failed(_)), "{refused}");
        }
        assert_eq!(bench.it.remind_and_expire().await.unwrap(), Sweep::default());
        assert!(receiver.got().is_empty());
        bench.it.store.verify_audit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_expires_before_it_was_sent_ends_whether_it_waits_or_was_given_up() {
    on_each(|store| async move {
        let (_receiver, url) = receiver(&[502; 2]).await;
        let (bench, recs) = approved_on(store).await;
        let other = bench.case("case-2", "8", 500).await;
        bench.approve("ari", &other[0]).await.unwrap();
        // The first is given up at once, the second never tried.
        let deliver = sending(&bench, &url, 1);
        bench.later(5);
        let first = bench.it.store.list_outbox_about(recs[0].id.as_str()).await.unwrap().remove(0);
        let held = bench
            .it
            .store
            .claim_due_to("webhook", &OutboxKind::ALL, bench.it.clock.now(), Duration::from_secs(1))
            .await
            .unwrap()
            .unwrap();
        bench.it.store.mark_dead(&held, bench.it.clock.now(), "refused for good", &[]).await.unwrap();
        let both = [bench.state(&recs[0].id).await, bench.state(&other[0].id).await];
        assert_eq!(both, ["approved", "approved"], "given up is not ended: it can be replayed");
        deliver.clock.set(first.expires_at.unwrap());
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 2));
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0), "once");
        for (rec, case) in [(&recs[0], "case-1"), (&other[0], "case-2")] {
            assert_eq!(
                (bench.state(&rec.id).await, bench.case_state(case).await),
                ("not_carried_out".into(), "closed".into())
            );
            let row = bench.it.store.list_outbox_about(rec.id.as_str()).await.unwrap().remove(0);
            assert_eq!(row.state, OutboxState::Dead);
            assert!(row.last_error.unwrap().contains("it expired before it was"));
            assert!(deliver.replay(&row.id, &PersonId::new("ari"), "cli").await.is_err());
        }
        assert_eq!(bench.it.store.list_notices(&PersonId::new("ari")).await.unwrap().len(), 2);
        bench.it.store.verify_audit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_was_on_its_way_when_its_end_was_told_is_handed_off_all_the_same() {
    on_each(|store| async move {
        let (receiver, url) = receiver(&[502]).await;
        let (bench, recs) = approved_on(store).await;
        let deliver = sending(&bench, &url, 9);
        bench.later(5);
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 1, 0));
        let row = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap().remove(0);
        deliver.discard(&row.id, "too slow", &PersonId::new("ari"), "cli").await.unwrap();
        let (state, _, _, said) = told(&bench, &recs).await;
        assert_eq!((state.as_str(), said.len()), ("not_carried_out", 0), "who discards it knows");
        let log = bench.it.store.list_audit_of(&format!("recommendation:{}", recs[0].id)).await.unwrap();
        assert!(log.last().unwrap().entry.detail["because"].as_str().unwrap().contains("may have arrived"));
        // The attempt had arrived: its executor reports.
        let report = Report {
            id: "webhook/1".into(),
            message_id: row.id.clone(),
            destination: "webhook".into(),
            state: Reported::Accepted,
            note: String::new(),
            reference: String::new(),
            said_at: None,
            received_at: deliver.clock.now(),
        };
        bench.it.store.keep_report(&report, "h", &deliver.entry("hand_off.reported", &row, json!({}))).await.unwrap();
        assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
        assert_eq!((bench.state(&recs[0].id).await.as_str(), receiver.got().len()), ("handed_off", 0));
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0));
        bench.it.store.verify_audit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_end_and_an_undo_at_once_never_both_happen() {
    on_each(|store| async move {
        let (_receiver, url) = receiver(&[]).await;
        let (bench, recs) = approved_on(store).await;
        let deliver = sending(&bench, &url, 9);
        let row = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap().remove(0);
        let (dan, who) = (PersonId::new("dan"), "ari");
        let (discarded, undone) =
            tokio::join!(deliver.discard(&row.id, "done by phone", &dan, "cli"), bench.decide(who, &recs[0], Verb::Undo));
        assert_ne!(discarded.is_ok(), undone.is_ok(), "{discarded:?} {undone:?}");
        let state = bench.state(&recs[0].id).await;
        assert_eq!(state, if undone.is_ok() { "queued" } else { "not_carried_out" });
        let row = bench.it.store.find_outbox(&row.id).await.unwrap().unwrap();
        assert_eq!(row.state, if undone.is_ok() { OutboxState::Cancelled } else { OutboxState::Discarded });
        bench.it.store.verify_audit().await.unwrap();
    })
    .await;
}
