//! What is kept of writers, on every database.

use jiff::civil::date;

use super::*;
use crate::domain::writer::{DraftGrade, Writer};
use crate::store::testing::{at, entry, on_each, on_each_left_at};

fn writer() -> Writer {
    Writer::new("http://127.0.0.1:8000/…", "http://127.0.0.1:8000/v1", "caf\u{e9}", "1.0.0", "ab12cd34ef")
}

fn draft(case: &str, day: Date, shown: bool, end: DraftEnd) -> GradedDraft {
    GradedDraft {
        case: CaseId::new(case),
        evidence_hash: "e1".to_owned(),
        writer: writer().id(),
        shown,
        day,
        end,
        because: String::new(),
        grade: DraftGrade::default(),
        draft: None,
        tokens: 2200,
        at: at(1),
    }
}

#[tokio::test]
async fn a_proof_and_steps_are_kept_in_a_store_of_an_earlier_program() {
    on_each_left_at(26, |store| async move {
        store.migrate().await.unwrap();
        let proof = Proof {
            writer: writer(),
            suite: "drafts".to_owned(),
            data: "d".to_owned(),
            runs: ("a".to_owned(), "b".to_owned()),
            found: vec!["figures: 12 of 12".to_owned()],
            missing: vec![],
            at: at(2),
        };
        let id = store.add_proof(&proof, "dan", &entry("writer.proved")).await.unwrap();
        // A proof is known by what it says, so a second click adds none.
        assert_eq!(store.add_proof(&proof, "dan", &entry("writer.proved")).await.unwrap(), id);
        let kept = store.list_proofs(&writer().id()).await.unwrap();
        assert_eq!((kept.len(), kept[0].passed, &kept[0].proof), (1, true, &proof));
        let first = WriterStep {
            seq: 1,
            writer: writer().id(),
            change: WriterChange::Promoted,
            by: "dan".to_owned(),
            at: at(3),
            reason: "better".to_owned(),
            hand: Some(Hand::Own),
            proof: id,
        };
        store.add_writer_step(&first, &[], &entry("writer.promoted")).await.unwrap();
        let second =
            WriterStep { seq: 2, change: WriterChange::TakenBack, hand: None, proof: String::new(), ..first.clone() };
        store.add_writer_step(&second, &[], &entry("writer.taken_back")).await.unwrap();
        let late = store.add_writer_step(&second, &[], &entry("writer.taken_back")).await;
        assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
        assert_eq!(store.list_writer_steps().await.unwrap(), [first, second]);
        assert_eq!(store.verify_audit().await.unwrap().0, 3, "the same proof is told once");
    })
    .await;
}

#[tokio::test]
async fn drafts_are_counted_by_day_and_the_first_of_an_evidence_stays() {
    on_each(|store| async move {
        let (one, two) = (date(2026, 10, 1), date(2026, 10, 2));
        for made in [
            draft("c-1", one, false, DraftEnd::Passed),
            // The same case on the same evidence once more, as after a restart: the first one stays.
            draft("c-1", one, true, DraftEnd::Refused),
            draft("c-2", one, false, DraftEnd::Passed),
            draft("c-3", two, true, DraftEnd::Unanswered),
        ] {
            store.add_writer_draft(&made).await.unwrap();
        }
        let id = writer().id();
        let count = |day, shown, end, drafts| DraftCount { day, shown, end, drafts };
        let first = count(one, false, DraftEnd::Passed, 2);
        assert_eq!(
            store.count_writer_drafts(&id, two).await.unwrap(),
            std::slice::from_ref(&first),
            "a day is counted when it is over"
        );
        let all = store.count_writer_drafts(&id, date(2026, 10, 3)).await.unwrap();
        assert_eq!(all, [first, count(two, true, DraftEnd::Unanswered, 1)]);
        assert!(store.has_writer_draft(&CaseId::new("c-1"), "e1", &id).await.unwrap());
        assert!(!store.has_writer_draft(&CaseId::new("c-1"), "e2", &id).await.unwrap());
        let listed = store.list_writer_drafts(&id, two, date(2026, 10, 3)).await.unwrap();
        assert_eq!(listed, [draft("c-3", two, true, DraftEnd::Unanswered)]);
        assert_eq!(store.list_writer_drafts("another", one, two).await.unwrap(), []);
    })
    .await;
}
