//! Whose words people see: a language model writes in shadow until it has earned its own, and loses them when they get worse.
#![expect(clippy::unwrap_used, reason = "what a test stands on may fail it")]

use jiff::civil::date;
use reeve::config::Config;
use reeve::domain::recommendation::{Drafter, Recommendation};
use reeve::domain::writer::{DraftEnd, GradedDraft};
use reeve::store::{Store, WriterChange};
use serde_json::Value;
use tempfile::TempDir;

use super::model::{Demo, Manner, Says, answer, ran, url, without_a_model};
use super::support::binary::{Ended, reeve};

/// Words of the stub that the playbook never says.
const ITS_WORDS: &str = " what was expected?";

const GOOD: Manner = |asked| answer(asked, |_| {});

/// A command on a demo's store, with its model.
async fn command(home: &TempDir, demo: &Demo, args: &[&str]) -> Ended {
    let (store, environment) = (url(home), demo.environment.clone());
    let args: Vec<String> = ["--store", &store].into_iter().chain(args.iter().copied()).map(str::to_owned).collect();
    let ran = move || {
        let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        reeve(&args, &environment)
    };
    tokio::task::spawn_blocking(ran).await.unwrap()
}

fn writer_of(demo: &Demo) -> String {
    let environment: Vec<(String, String)> =
        demo.environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    Config::load_from(None, &environment).unwrap().writer().unwrap().id()
}

/// Every draft of the demo's model.
async fn drafts(home: &TempDir, demo: &Demo) -> Vec<GradedDraft> {
    let store = Store::open(&url(home)).await.unwrap();
    let all = store.list_writer_drafts(&writer_of(demo), date(2020, 1, 1), date(2100, 1, 1)).await.unwrap();
    store.close().await;
    all
}

async fn queue(home: &TempDir) -> Vec<Recommendation> {
    let store = Store::open(&url(home)).await.unwrap();
    let queue = store.list_recommendations_in(&["queued"]).await.unwrap().into_iter().map(|(rec, _)| rec).collect();
    store.close().await;
    queue
}

/// The digest without what says who drafted.
fn but_for_the_drafter(digest: &Value) -> Value {
    let mut digest = digest.clone();
    digest["drafted_by"] = Value::Null;
    digest
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_candidate_writes_is_kept_and_graded_and_seen_by_nobody() {
    let plain = without_a_model().await;
    let home = tempfile::tempdir().unwrap();
    let demo = Demo::run_with_candidate(&home, GOOD).await;
    assert_eq!((demo.ended.code, demo.ended.err.as_str()), (Some(0), ""));
    assert!(demo.marks.len() > 10, "only {} cases were asked about", demo.marks.len());

    // To the byte what it would be without a model: queue, digest and log.
    assert_eq!(demo.queue, plain.queue);
    assert_eq!(but_for_the_drafter(&demo.digest), but_for_the_drafter(&plain.digest));
    assert_eq!(demo.drafted_by(), "the playbook; model stub is a candidate: no draft in shadow yet");

    let kept = drafts(&home, &demo).await;
    assert_eq!(kept.len(), demo.marks.len());
    assert!(kept.iter().all(|draft| !draft.shown && draft.end == DraftEnd::Passed), "{kept:?}");
    // It puts the last one first, so it regrets what it put behind.
    assert!(kept.iter().any(|draft| draft.grade.regrets()) && kept.iter().any(|draft| draft.grade.turns_round()));
    let prose = |draft: &GradedDraft| draft.draft.as_ref().unwrap().choices[0].prose.question.clone();
    assert!(kept.iter().all(|draft| prose(draft).ends_with(ITS_WORDS)));

    let status = command(&home, &demo, &["words", "status"]).await.fine();
    assert!(status.contains(": candidate. People see the playbook's words."), "{status}");
    assert!(status.contains(&format!("in shadow: {0} drafts, {0} passed the guard, 0 without", kept.len())), "{status}");
    let doctor = command(&home, &demo, &["doctor"]).await.out;
    assert!(doctor.contains("words          people see the playbook's: model stub is a candidate: "), "{doctor}");
    let listed = command(&home, &demo, &["words", "drafts"]).await.fine();
    assert!(listed.contains(ITS_WORDS), "only whoever asks for them by this command reads them: {listed}");
    let claims =
        || kept.iter().flat_map(|draft| &draft.draft.as_ref().unwrap().choices).flat_map(|choice| &choice.prose.claims);
    assert!(claims().next().is_some() && claims().all(|claim| listed.contains(&claim.words)), "{listed}");
    // Who votes sees both drafts as they would stand on a card: the computed words, under them what the model adds.
    let out = home.path().join("pairs");
    command(&home, &demo, &["words", "drafts", "--out", out.to_str().unwrap()]).await.fine();
    let pairs = |whose: &str| -> Vec<Value> {
        let text = std::fs::read_to_string(out.join(whose).join("drafts.jsonl")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let (of_playbook, of_model) = (pairs("playbook"), pairs("model"));
    assert!(!of_model.is_empty() && of_playbook.len() == of_model.len(), "{} pairs", of_model.len());
    let computed = |draft: &Value| {
        let rec = demo.queue.iter().find(|rec| {
            let is_case = draft["scenario"].as_str().unwrap().starts_with(&format!("case/{}/", rec.case_id));
            is_case && draft["action"] == rec.candidate.told().as_str()
        });
        rec.map(|rec| rec.prose.rationale.clone()).filter(|words| !words.is_empty())
    };
    let mut compared = 0;
    for (playbook, model) in of_playbook.iter().zip(&of_model) {
        let said = |draft: &Value| draft["rationale"].as_str().unwrap().to_owned();
        assert!(said(model).ends_with(ITS_WORDS) && !said(playbook).contains(ITS_WORDS), "{model}");
        for draft in [playbook, model] {
            let Some(words) = computed(draft) else { continue };
            assert!(said(draft).starts_with(&words), "{draft}");
            compared += 1;
        }
    }
    assert!(compared >= of_model.len(), "{compared} of {} pairs", of_model.len());
    for args in [
        &["queue", "list", "--all"][..],
        &["queue", "show", plain.queue[0].case_id.as_str()],
        &["case", "show", plain.queue[0].case_id.as_str(), "--evidence"],
        &["digest"],
        &["audit", "list", "--limit", "100000"],
        &["audit", "export"],
        &["kpi", "--details"],
    ] {
        for json in [&[][..], &["--json"]] {
            let said = command(&home, &demo, &[json, args].concat()).await;
            assert!(!said.out.contains(ITS_WORDS), "{args:?} shows a draft that was made in shadow");
        }
    }

    // Done twice is done once.
    let (again, _) = ran(&home, demo.environment.clone()).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(drafts(&home, &demo).await, kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_back_the_playbook_writes_anew_what_nobody_has_begun_on() {
    let home = tempfile::tempdir().unwrap();
    let demo = Demo::run_in(&home, Some(GOOD), &[]).await;
    assert!(demo.drafted_by().starts_with("model stub ("), "{}", demo.drafted_by());
    assert!(demo.queue.iter().any(|rec| matches!(rec.drafter, Drafter::Model { .. })));
    let kept = drafts(&home, &demo).await;
    assert!(!kept.is_empty() && kept.iter().all(|draft| draft.shown), "{kept:?}");
    let refused = command(&home, &demo, &["words", "take-back", "--as", "pia", "--reason", "worse"]).await.error();
    assert!(refused.contains("may not change whose words people see"), "{refused}");
    let said = command(&home, &demo, &["words", "take-back", "--as", "ari", "--reason", "worse"]).await.fine();
    assert!(said.contains("was taken back, people see the playbook: worse"), "{said}");
    let (again, _) = ran(&home, demo.environment.clone()).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    let words = |queue: &[Recommendation]| {
        let mut all: Vec<_> = queue.iter().map(|rec| (rec.case_id.clone(), rec.rank, rec.content_hash())).collect();
        all.sort();
        all
    };
    let now = queue(&home).await;
    assert!(now.iter().all(|rec| matches!(rec.drafter, Drafter::Playbook { .. })), "{now:#?}");
    assert_eq!(words(&now), words(&without_a_model().await.queue), "they say what they would have said without a model");
    let store = Store::open(&url(&home)).await.unwrap();
    store.verify_audit().await.unwrap();
    store.close().await;
    command(&home, &demo, &["audit", "verify"]).await.fine();
}

#[tokio::test(flavor = "multi_thread")]
async fn switched_off_the_playbook_writes_anew_what_nobody_has_begun_on() {
    let home = tempfile::tempdir().unwrap();
    let demo = Demo::run_in(&home, Some(GOOD), &[]).await;
    assert!(demo.queue.iter().any(|rec| matches!(rec.drafter, Drafter::Model { .. })));
    let without = demo.environment.iter().filter(|(name, _)| !name.starts_with("REEVE_MODEL__")).cloned().collect();
    let (again, _) = ran(&home, without).await;
    assert_eq!(again.code, Some(0), "{again:?}");
    let now = queue(&home).await;
    assert!(!now.is_empty() && now.iter().all(|rec| matches!(rec.drafter, Drafter::Playbook { .. })), "{now:#?}");
    assert!(now.iter().all(|rec| rec.prose.claims.is_empty() && rec.prose.question.is_empty()), "{now:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_whose_drafts_are_refused_loses_its_words_by_itself() {
    let home = tempfile::tempdir().unwrap();
    // As many as the demo has cases are too few to tell: there were others before.
    let demo = Demo::run_after(&home, |_| Says::Chat("Certainly!".to_owned()), 12).await;
    assert_eq!(demo.ended.code, Some(0));
    let warned = "WARN People see the playbook again: the guard refused 20 of 20 drafts";
    assert!(demo.ended.err.contains(warned) && demo.ended.err.lines().count() == 1, "{}", demo.ended.err);
    let kept = drafts(&home, &demo).await;
    let shown = kept.iter().filter(|draft| draft.shown).count();
    assert_eq!(shown, 20, "that many it takes to tell");
    assert_eq!(demo.marks.len(), kept.len() - 12, "the rest is made in shadow");
    assert!(kept.iter().all(|draft| draft.end == DraftEnd::Refused && draft.draft.is_none()));
    let store = Store::open(&url(&home)).await.unwrap();
    let last = store.list_writer_steps().await.unwrap().pop().unwrap();
    assert_eq!((last.change, last.by.as_str()), (WriterChange::TakenBack, "stage:draft"));
    assert_eq!(last.reason, "the guard refused 20 of 20 drafts, where one in ten may be");
    store.close().await;
    assert!(
        demo.drafted_by().contains(
            "; model stub was taken back on 2026-10-31 (the guard refused 20 of 20 drafts, where one in ten may be): "
        ),
        "{}",
        demo.drafted_by()
    );
    command(&home, &demo, &["audit", "verify"]).await.fine();
    let status = command(&home, &demo, &["--json", "words", "status"]).await.fine();
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!((&status["state"], &status["people_see"]), (&"taken_back".into(), &"playbook".into()), "{status}");
}
