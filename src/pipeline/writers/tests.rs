//! Whose words people see: what it takes to see a model's, and what takes them back.

use jiff::SignedDuration;

use super::*;
use crate::clock::Clock;
use crate::domain::hand::Hand;
use crate::domain::ids::{CaseId, PersonId};
use crate::domain::money::Money;
use crate::domain::writer::{DraftGrade, GradedDraft, Proof};
use crate::store::testing::on_each;

const SETTINGS: &str = r#"
[model]
base_url = "http://127.0.0.1:8000/v1"
name = "stub"
[[people]]
id = "ari"
name = "Ari"
roles = ["approver"]
tier = 2
[[people]]
id = "dan"
name = "Dan"
roles = ["admin"]
tier = 0
[[people]]
id = "pia"
name = "Pia"
roles = ["planner", "approver"]
tier = 1
"#;

/// A store with two people who may promote, and one who may not.
struct Door {
    store: Store,
    config: Config,
    clock: Clock,
    writer: Writer,
}

impl Door {
    fn of(store: Store) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reeve.toml");
        std::fs::write(&file, SETTINGS).unwrap();
        let config = Config::load_from(Some(&file), &[]).unwrap();
        let writer = config.writer().unwrap();
        Self { store, config, clock: Clock::standing_at("2026-10-08T06:00:00Z".parse().unwrap()), writer }
    }

    fn later(&self, hours: i64) {
        self.clock.set(self.clock.now().checked_add(SignedDuration::from_hours(hours)).unwrap());
    }

    async fn proved(&self, missing: &[&str]) -> bool {
        let proof = Proof {
            writer: self.writer.clone(),
            suite: "drafts".to_owned(),
            data: "d".to_owned(),
            runs: ("a".to_owned(), "b".to_owned()),
            found: vec![],
            missing: missing.iter().map(|why| (*why).to_owned()).collect(),
            at: self.clock.now(),
        };
        proved(&self.store, &self.clock, &proof, ("command", "command")).await.unwrap().1
    }

    async fn promote_by(&self, who: &str, hand: &Hand) -> Result<Changed, String> {
        let by = PersonId::new(who);
        let who = (&by, "web", hand);
        let done = promote(&self.store, &self.config, &self.clock, who, &self.writer, "better", None).await;
        done.map_err(|error| format!("{error:#}"))
    }

    async fn promote(&self, who: &str) -> Result<Changed, String> {
        self.promote_by(who, &Hand::Own).await
    }

    async fn take_back(&self, who: &str) -> Result<Changed, String> {
        let by = PersonId::new(who);
        let done = take_back(&self.store, &self.config, &self.clock, (&by, "web", &Hand::Own), &self.writer, "worse").await;
        done.map_err(|error| format!("{error:#}"))
    }

    async fn earn(&self) {
        self.proved(&[]).await;
        self.promote("ari").await.unwrap();
        self.promote("dan").await.unwrap();
    }

    async fn state(&self) -> State {
        stand(&self.store, &self.writer).await.unwrap().state
    }

    async fn unfit(&self) -> Option<String> {
        let now = stand(&self.store, &self.writer).await.unwrap();
        drift::unfit(&drift::of_late(&self.store, &self.config, &self.clock, &now).await.unwrap())
    }

    /// Keeps drafts, the `nth` as `end` and `regret` say.
    async fn drafts(&self, of: &str, n: u32, shown: bool, make: impl Fn(u32) -> (DraftEnd, i64)) {
        for nth in 0..n {
            let (end, regret) = make(nth);
            let draft = GradedDraft {
                case: CaseId::new(format!("{of}-{nth}")),
                evidence_hash: "e".to_owned(),
                writer: self.writer.id(),
                shown,
                day: self.config.rules.calendar.calendar().day_of(self.clock.now()),
                end,
                because: String::new(),
                grade: DraftGrade {
                    regret: Money::from_minor(regret),
                    best: Money::from_minor(100),
                    ..DraftGrade::default()
                },
                draft: None,
                tokens: 0,
                at: self.clock.now(),
            };
            self.store.add_writer_draft(&draft).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_writer_is_promoted_by_two_who_may_after_it_was_better_than_the_playbook() {
    on_each(|store| async move {
        let door = Door::of(store);
        assert_eq!(door.state().await, State::Candidate, "nobody has to do anything for that");
        let refused = door.promote("ari").await.unwrap_err();
        assert!(refused.contains("was not held against the playbook") && refused.contains("reeve words prove"), "{refused}");
        assert!(!door.proved(&["it is worse at regret"]).await, "a candidate has nothing that could be taken back");
        let refused = door.promote("ari").await.unwrap_err();
        assert!(refused.contains("has not earned its words on drafts: it is worse at regret"), "{refused}");
        // So that the second proof is the newer one.
        door.later(1);
        door.proved(&[]).await;
        let refused = door.promote("pia").await.unwrap_err();
        assert!(refused.contains("Pia may not change whose words people see; ask Ari or Dan"), "{refused}");
        assert!(matches!(door.promote("ari").await, Ok(Changed::Proposed(_))));
        assert_eq!(door.state().await, State::Candidate, "a proposal changes nothing");
        assert!(door.promote("ari").await.unwrap_err().contains("takes a second person; ask Dan"));
        assert!(matches!(door.promote("dan").await, Ok(Changed::Done(_))));
        assert_eq!(door.state().await, State::Earned);
        assert_eq!(door.promote("dan").await, Ok(Changed::Same));
        // Another prompt is another writer.
        let other = Writer { prompt: "other".to_owned(), ..door.writer.clone() };
        assert_eq!(stand(&door.store, &other).await.unwrap().state, State::Candidate);
        let log = door.store.list_audit_of(&format!("writer:{}", door.writer.id())).await.unwrap();
        let said: Vec<&str> = log.iter().map(|entry| entry.entry.action.as_str()).collect();
        assert_eq!(said, ["writer.proved", "writer.proved", "writer.proposed", "writer.promoted"]);
    })
    .await;
}

#[tokio::test]
async fn two_names_by_one_hand_are_not_two_people_and_a_proposal_can_be_withdrawn() {
    on_each(|store| async move {
        let door = Door::of(store);
        door.proved(&[]).await;
        let hand = Hand::Command("root (uid 0)".to_owned());
        assert!(matches!(door.promote_by("ari", &hand).await, Ok(Changed::Proposed(_))));
        assert!(door.promote_by("dan", &hand).await.unwrap_err().contains("could be the same hand"));
        assert!(matches!(door.take_back("dan").await, Ok(Changed::Done(_))));
        let now = stand(&door.store, &door.writer).await.unwrap();
        assert_eq!((now.state, now.proposed), (State::Candidate, None));
        assert_eq!(door.take_back("dan").await, Ok(Changed::Same), "there is nothing to take back");
        assert!(matches!(door.promote("dan").await, Ok(Changed::Proposed(_))), "the proof still stands");
    })
    .await;
}

#[tokio::test]
async fn the_second_signs_the_proof_that_the_first_proposed_and_no_other() {
    on_each(|store| async move {
        let door = Door::of(store);
        door.proved(&[]).await;
        door.promote("ari").await.unwrap();
        let proposed = stand(&door.store, &door.writer).await.unwrap().proposed.unwrap().proof;
        door.later(1);
        door.proved(&[]).await;
        let dan = PersonId::new("dan");
        let who = (&dan, "web", &Hand::Own);
        for shown in [proposed.as_str(), ""] {
            let refused = promote(&door.store, &door.config, &door.clock, who, &door.writer, "so do I", Some(shown)).await;
            assert!(format!("{:#}", refused.unwrap_err()).contains("not the newest proof"), "{shown}");
        }
        // Whoever looks at the newer one proposes it anew, and the other may sign that.
        assert!(matches!(door.promote("dan").await, Ok(Changed::Proposed(_))));
        assert_eq!(door.state().await, State::Candidate);
        let newer = stand(&door.store, &door.writer).await.unwrap().proposed.unwrap().proof;
        let ari = PersonId::new("ari");
        let who = (&ari, "web", &Hand::Own);
        let done = promote(&door.store, &door.config, &door.clock, who, &door.writer, "so do I", Some(&newer)).await;
        assert!(matches!(done, Ok(Changed::Done(_))), "{done:?}");
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_back_needs_another_proof() {
    on_each(|store| async move {
        let door = Door::of(store);
        door.earn().await;
        door.later(1);
        assert!(door.take_back("pia").await.unwrap_err().contains("Pia may not"));
        assert!(matches!(door.take_back("ari").await, Ok(Changed::Done(_))), "taking back takes one");
        assert_eq!(door.state().await, State::TakenBack);
        assert!(door.promote("dan").await.unwrap_err().contains("since its words were taken back"));
        door.later(1);
        door.earn().await;
        assert_eq!(door.state().await, State::Earned);
        door.later(1);
        assert!(door.proved(&["pass_rate: 3 of 12 scenarios passed"]).await, "a failing gate takes back by itself");
        let now = stand(&door.store, &door.writer).await.unwrap();
        let step = now.since.unwrap();
        assert_eq!((now.state, step.by.as_str(), step.hand), (State::TakenBack, "stage:draft", None));
        let calendar = door.config.rules.calendar.calendar();
        let today = calendar.day_of(door.clock.now());
        let told =
            stand(&door.store, &door.writer).await.unwrap().why_playbook(&door.store, today, &calendar).await.unwrap();
        let told = told.unwrap();
        assert!(
            told.contains("model stub was taken back on 2026-10-08 (it no longer passes on drafts: pass_rate"),
            "{told}"
        );
        assert_eq!(door.store.verify_audit().await.unwrap().0, 9);
    })
    .await;
}

#[tokio::test]
async fn a_proof_of_long_ago_promotes_nobody() {
    on_each(|store| async move {
        let door = Door::of(store);
        door.proved(&[]).await;
        // One hour beyond thirty days.
        door.later(24 * 30 + 1);
        assert!(door.promote("ari").await.unwrap_err().contains("within 30 days"));
    })
    .await;
}

#[tokio::test]
async fn drafts_that_got_worse_beyond_chance_are_too_bad_and_few_or_unanswered_ones_are_not() {
    on_each(|store| async move {
        let door = Door::of(store);
        // Far above what may be refused, so that only their number keeps it from being told.
        let half_refused = |nth: u32| (if nth.is_multiple_of(2) { DraftEnd::Refused } else { DraftEnd::Passed }, 0);
        door.drafts("few", 19, false, half_refused).await;
        assert_eq!(door.unfit().await, None, "too few to tell");
        door.drafts("down", 40, false, |_| (DraftEnd::Unanswered, 0)).await;
        assert_eq!(door.unfit().await, None, "an endpoint that is down says nothing about words");
        door.drafts("more", 20, false, half_refused).await;
        assert_eq!(door.unfit().await.as_deref(), Some("the guard refused 20 of 39 drafts, where one in ten may be"));
        door.proved(&[]).await;
        let refused = door.promote("ari").await.unwrap_err();
        assert!(refused.contains("of its drafts in shadow, the guard refused 20 of 39"), "{refused}");
        door.later(24 * 29);
        assert_eq!(door.unfit().await, None, "that was four weeks ago");

        door.earn().await;
        // Of a best of 100: ten is just within a tenth, eleven is not.
        door.drafts("regret", 30, true, |nth| (DraftEnd::Passed, if nth < 9 { 11 } else { 10 })).await;
        let why = door.unfit().await.unwrap();
        assert_eq!(why, "9 of 30 drafts put first what is worth more than a tenth less than the best, where one in ten may");
        taken_back_by_stage(&door.store, &door.clock, &door.writer, &why).await.unwrap();
        assert_eq!(door.state().await, State::TakenBack);
        let before = door.store.list_writer_steps().await.unwrap().len();
        taken_back_by_stage(&door.store, &door.clock, &door.writer, &why).await.unwrap();
        assert_eq!(door.store.list_writer_steps().await.unwrap().len(), before, "once is enough");
    })
    .await;
}

#[tokio::test]
async fn drafts_in_shadow_are_told_by_whole_days() {
    on_each(|store| async move {
        let door = Door::of(store);
        let calendar = door.config.rules.calendar.calendar();
        let told = || async {
            let now = stand(&door.store, &door.writer).await.unwrap();
            let today = calendar.day_of(door.clock.now());
            now.why_playbook(&door.store, today, &calendar).await.unwrap().unwrap()
        };
        assert_eq!(told().await, "model stub is a candidate: no draft in shadow yet");
        door.drafts("c", 41, false, |nth| (if nth < 3 { DraftEnd::Refused } else { DraftEnd::Passed }, 0)).await;
        assert_eq!(told().await, "model stub is a candidate: no draft in shadow yet", "the day is not over");
        door.later(24);
        assert_eq!(told().await, "model stub is a candidate: 41 drafts in shadow, 38 passed the guard");
    })
    .await;
}
