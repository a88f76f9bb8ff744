//! Cases that nobody could gain by deciding, on the bundled recording: judged and counted, not drafted and not told, until the
//! digest draws one or somebody asks.

use std::collections::BTreeSet;

use reeve::config::Config;
use reeve::domain::case::{Case, CaseState};
use reeve::domain::ids::PersonId;
use reeve::ports::Senders;

use crate::audit::tables_agree;
use crate::support::databases::databases;
use crate::support::shop;

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_could_gain_by_deciding_waits_for_nobody() {
    for database in databases().await {
        let config = Config::load_from(None, &[]).unwrap();
        let app = shop::at_the_end(shop::bundled(), &database.store_url(), config, Senders::default()).await;
        app.run_until_idle().await.unwrap();
        let store = &app.context.store;
        let latent = store.list_cases(&["latent"]).await.unwrap();
        assert!(latent.len() > 1, "there are some in every shop");
        let log = || async {
            let entries = store.list_audit(0, 100_000).await.unwrap();
            entries.into_iter().map(|chained| chained.entry).collect::<Vec<_>>()
        };
        let entries = log().await;
        for case in &latent {
            let rank = case.rank.as_ref().expect("it is judged");
            assert!(rank.value.expected.minor <= 0 && !rank.unknown, "{}: {rank:?}", case.headline);
            assert!(store.list_recommendations(&case.id).await.unwrap().is_empty(), "{} is not drafted", case.headline);
            assert!(!entries.iter().any(|entry| entry.subject == format!("case:{}", case.id)), "nor in the log");
        }
        // It is below the line all the same, and what the digest has drawn from there can be decided.
        let digest = store.list_digests(1).await.unwrap().remove(0).digest;
        let undecided = store.list_cases(CaseState::RANKED).await.unwrap().len();
        assert_eq!(digest.lines.len() + digest.below.cases as usize, undecided);
        let drawn: Vec<_> = digest.lines.iter().filter(|line| line.sampled).collect();
        assert!(!drawn.is_empty() && drawn.iter().all(|line| !line.action.is_empty()), "{drawn:?}");

        let asked: &Case = &latent[0];
        let planner = PersonId::new("pia");
        let refused = app.approvals.want(&asked.id, &PersonId::new("nobody"), "web").await;
        assert!(refused.is_err(), "who is nobody asks for nothing");
        assert!(app.approvals.want(&asked.id, &planner, "web").await.unwrap());
        assert!(!app.approvals.want(&asked.id, &planner, "web").await.unwrap(), "once");
        app.run_until_idle().await.unwrap();
        let now = store.get_case(&asked.id).await.unwrap();
        assert_eq!(now.state, CaseState::Open);
        let recs = store.list_recommendations(&asked.id).await.unwrap();
        assert!(!recs.is_empty() && recs.iter().all(|(rec, _)| rec.state.is_waiting()), "{recs:?}");
        let said: Vec<(String, String)> = log()
            .await
            .into_iter()
            .filter(|e| e.subject == format!("case:{}", asked.id))
            .map(|e| (e.actor, e.action))
            .collect();
        assert_eq!(said[0], ("pia".to_owned(), "case.opened".to_owned()));
        assert_eq!(said.len(), 2, "opened once, and drafted: {said:?}");
        // The others stay where they are.
        let left: BTreeSet<_> = store.list_cases(&["latent"]).await.unwrap().into_iter().map(|case| case.id).collect();
        assert_eq!(left.len(), latent.len() - 1);
        tables_agree(&app.context.store).await;
        store.close().await;
    }
}
