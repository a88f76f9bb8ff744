//! A pilot of one warehouse on the bundled recording: its cases are put before people and all others are only watched, until two
//! people set the rest live; and back again.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use reeve::app::App;
use reeve::approve::{DecisionRefused, DecisionRequest, Verb};
use reeve::config::Config;
use reeve::domain::case::{Case, CaseState};
use reeve::domain::decision::RecommendationState;
use reeve::domain::hand::Hand;
use reeve::domain::ids::PersonId;
use reeve::domain::mode::{Mode, ModeScope};
use reeve::domain::recommendation::Recommendation;
use reeve::pipeline::modes::{self, Changed};
use reeve::ports::Senders;

use crate::audit::tables_agree;
use crate::support::binary::reeve;
use crate::support::databases::databases;
use crate::support::shop::{at_the_end, bundled};

const PILOT: &str = "[modes]\ndefault = \"shadow\"\nrules = [{ location = \"Northgate DC\", mode = \"live\" }]\n";

fn pilot() -> Config {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reeve.toml");
    std::fs::write(&file, PILOT).unwrap();
    Config::load_from(Some(&file), &[]).unwrap()
}

async fn in_states(app: &App, states: &[&str]) -> Vec<Case> {
    app.context.store.list_cases(states).await.unwrap()
}

async fn change(app: &App, who: &str, mode: Mode) -> Changed {
    let (store, config, clock) = (&app.context.store, &app.context.config, &app.context.clock);
    let by = PersonId::new(who);
    let wish = (&ModeScope::default(), Some(mode));
    modes::change(store, config, clock, (&by, "web", &Hand::Own), wish, "after two weeks").await.unwrap()
}

async fn proposals(app: &App, case: &Case) -> Vec<Recommendation> {
    let all = app.context.store.list_recommendations(&case.id).await.unwrap();
    all.into_iter().map(|(rec, _)| rec).collect()
}

async fn approve(app: &App, rec: &Recommendation, key: &str) -> Result<String, DecisionRefused> {
    let request = DecisionRequest {
        idempotency_key: format!("{key}-{}", rec.id),
        person: PersonId::new("dan"),
        channel: "web".to_owned(),
        hand: Hand::Own,
        recommendation_id: rec.id.clone(),
        content_hash: rec.content_hash(),
        verb: Verb::Approve,
    };
    app.approvals.decide(&request).await.map(|answer| answer.state)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pilot_of_one_warehouse_asks_about_that_and_about_nothing_else() {
    for db in databases().await {
        let app = at_the_end(bundled(), &db.store_url(), pilot(), Senders::default()).await;
        app.run_until_idle().await.unwrap();
        let store = &app.context.store;
        let book = app.context.moments.now().await.unwrap().book.clone();
        let north = book.locations.values().find(|location| location.name == "Northgate DC").unwrap().id.clone();

        let (live, shadow) = (in_states(&app, CaseState::UNDECIDED).await, in_states(&app, &["shadow"]).await);
        assert!(live.len() > 1 && shadow.len() > live.len(), "{} live, {} in shadow", live.len(), shadow.len());
        for case in &live {
            for exception in store.list_case_exceptions(&case.id).await.unwrap() {
                let elsewhere = exception.signal.subject.location.is_some_and(|location| location != north);
                assert!(exception.mode.is_live() && !elsewhere, "{}", case.headline);
            }
        }
        // What shadow would have shown is judged and drafted, and nobody is asked or told.
        assert!(shadow.iter().all(|case| case.rank.is_some()));
        let watched = proposals(&app, shadow.iter().find(|case| case.subject.item.is_some()).unwrap()).await;
        assert!(watched.iter().all(|rec| rec.state == RecommendationState::Shadow) && !watched.is_empty());
        let links = store.list_links().await.unwrap();
        assert!(shadow.iter().all(|case| !links.values().any(|owner| *owner == case.id)), "shadow claims nothing");
        let digest = store.list_digests(1).await.unwrap().remove(0);
        assert!(digest.text.contains("Modes: live: location=Northgate DC · shadow: everything else."), "{}", digest.text);
        let told = |case: &Case| digest.digest.lines.iter().any(|line| line.case_id == case.id);
        assert!(!digest.digest.lines.is_empty() && !shadow.iter().any(told));
        assert!(digest.digest.lines.iter().all(|line| live.iter().any(|case| case.id == line.case_id)));
        let refused = approve(&app, &watched[0], "in shadow").await.unwrap_err();
        assert!(matches!(refused, DecisionRefused::NotLive(_)) && refused.to_string().contains("shadow"), "{refused}");
        tables_agree(store).await;

        // Two people set the rest live: what stood in shadow is put before people at the next look.
        assert!(matches!(change(&app, "ari", Mode::Live).await, Changed::Proposed(_)));
        app.run_until_idle().await.unwrap();
        assert_eq!(in_states(&app, &["shadow"]).await.len(), shadow.len(), "one person's wish changes nothing");
        assert!(matches!(change(&app, "fay", Mode::Live).await, Changed::Set(_)));
        app.run_until_idle().await.unwrap();
        assert_eq!(in_states(&app, &["shadow"]).await.len(), 0);
        let all = in_states(&app, CaseState::UNDECIDED).await;
        assert!(all.len() > live.len(), "{} of {}", all.len(), live.len());
        assert!(live.iter().all(|case| all.iter().any(|other| other.id == case.id)), "what was live stays what it was");
        tables_agree(store).await;

        // And back: what nobody has decided is withdrawn, and what was approved goes on.
        let mut elsewhere = Vec::new();
        for case in &all {
            let exceptions = store.list_case_exceptions(&case.id).await.unwrap();
            let away = exceptions.iter().all(|e| e.signal.subject.location.as_ref().is_some_and(|l| *l != north));
            if away && proposals(&app, case).await.iter().any(|rec| rec.state.is_waiting()) {
                elsewhere.push(case);
            }
        }
        let mut approved = None;
        for case in &elsewhere {
            let first = proposals(&app, case).await.into_iter().find(|rec| rec.state == RecommendationState::Queued);
            if let Some(rec) = first
                && rec.candidate.action.is_for_the_outside()
                && approve(&app, &rec, "first").await.is_ok_and(|state| state == "approved")
            {
                approved = Some((case.id.clone(), rec.id));
                break;
            }
        }
        let (decided, rec) = approved.expect("something can be approved");
        change(&app, "pia", Mode::Shadow).await;
        // Before the next look, too, nobody decides on it.
        let late = elsewhere.iter().rev().find(|case| case.id != decided).unwrap();
        let waiting = proposals(&app, late).await.into_iter().find(|rec| rec.state.is_waiting()).unwrap();
        let refused = approve(&app, &waiting, "late").await.unwrap_err();
        assert!(matches!(refused, DecisionRefused::NotLive(_)), "{refused}");
        app.run_until_idle().await.unwrap();
        assert_eq!(store.get_case(&late.id).await.unwrap().state, CaseState::Withdrawn { to: Mode::Shadow });
        assert!(proposals(&app, late).await.iter().all(|rec| !rec.state.is_waiting()));
        let log = store.list_audit_of(&format!("case:{}", late.id)).await.unwrap();
        assert!(log.iter().any(|e| e.entry.action == "case.withdrawn"), "{log:?}");
        assert!(log.iter().any(|e| e.entry.action == "case.cleared"), "its proposals are withdrawn by an entry: {log:?}");
        assert_eq!(store.get_case(&decided).await.unwrap().state.name(), "decided");
        assert_eq!(store.get_recommendation(&rec).await.unwrap().0.state.name(), "approved");
        tables_agree(store).await;
    }
}

#[test]
fn modes_are_shown_and_set_by_command() {
    let home = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", home.path().join("reeve.db").display());
    let on = |args: &[&str]| reeve(&[&["--store", &store], args].concat(), &[]);
    on(&["migrate"]).fine();
    let set = |who: &str, scope: &str, mode: &str| {
        on(&["mode", "set", "--scope", scope, "--mode", mode, "--as", who, "--reason", "a pilot"])
    };
    assert!(on(&["mode", "show"]).fine().starts_with("live    all   configured"));
    assert!(set("pia", "category=Nowhere", "shadow").error().contains("no category is called"));
    assert!(set("pia", "type=R-SHORT", "shadow").fine().starts_with("Set: type=R-SHORT is shadow"));
    assert!(set("pia", "type=R-SHORT", "live").error().contains("may not set"));
    assert!(set("ari", "type=R-SHORT", "live").fine().starts_with("Proposed: "));
    assert!(set("dan", "type=R-SHORT", "live").error().contains("same hand"), "two commands are one hand");
    let shown = on(&["mode", "show"]).fine();
    assert!(shown.contains("shadow  type=R-SHORT   set by pia") && shown.contains("PROPOSED type=R-SHORT: live"), "{shown}");
    let json: serde_json::Value = serde_json::from_str(&on(&["--json", "mode", "show"]).fine()).unwrap();
    assert_eq!((json["rules"][1]["mode"].as_str(), json["proposed"][0]["by"].as_str()), (Some("shadow"), Some("ari")));
    let cleared = on(&["mode", "set", "--scope", "type=R-LATE", "--clear", "--as", "ari", "--reason", "x"]).fine();
    assert!(cleared.contains("so already"), "{cleared}");
    assert!(on(&["audit", "verify"]).fine().contains("unbroken") || on(&["audit", "verify"]).code == Some(0));
}
