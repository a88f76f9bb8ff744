//! The digest of a morning: it waits for what it has to tell, and no longer than its deadline.

use std::collections::BTreeSet;

use reeve::domain::action::Action;
use reeve::domain::exception::{Exception, ExceptionState, ExceptionType};
use reeve::domain::record::{MoveKind, Observed, Record};

use super::{Shop, at};
use crate::support::databases::databases;

/// The evening before the recording's last day: everything of it so far was read.
const EVENING: &str = "2026-10-30T18:00:00Z";

const DAY: &str = "2026-10-31";

#[tokio::test]
async fn a_source_that_is_down_holds_the_digest_up_until_its_deadline_and_it_says_what_is_not_in_it() {
    for database in databases().await {
        let shop = Shop::open(&database.store_url(), EVENING).await;
        let before = shop.found().await;
        shop.down(true);
        for now in ["2026-10-31T00:05:00Z", "2026-10-31T06:00:00Z", "2026-10-31T07:59:59Z"] {
            shop.at(now).await;
            assert!(shop.digest(DAY).await.is_none(), "{now}: yesterday has not been read to its end");
        }
        shop.at("2026-10-31T08:00:00Z").await;
        let kept = shop.digest(DAY).await.expect("no longer than the deadline");
        assert_eq!(kept.digest.as_of, at(EVENING), "it claims no more than was read");
        assert_eq!(
            kept.digest.unread,
            [
                "Not in it: yesterday's sales, orders, receipts, counts and bills after 18:00 UTC.",
                "The source has been down since 2026-10-31 00:05 UTC: Odoo is unavailable: no route to host.",
            ]
        );
        for page in [&kept.text, &kept.markdown, &kept.html] {
            let said = page.split_whitespace().collect::<Vec<_>>().join(" ").replace("&#x27;", "'");
            assert!(said.contains("2026-10-30 18:00 UTC") && said.contains("Not in it: yesterday's sales"), "{page}");
            assert!(said.contains("has been down since 2026-10-31 00:05 UTC"), "{page}");
        }
        assert!(shop.found().await == before, "nothing is judged by records that are not there");

        // Back: the digest was sent, and stays. The next one has nothing to say about it.
        shop.down(false);
        shop.at("2026-10-31T09:00:00Z").await;
        assert_eq!(shop.digest(DAY).await.as_ref(), Some(&kept));
        assert!(shop.found().await != before);
        shop.at("2026-11-01T06:10:00Z").await;
        let next = shop.digest("2026-11-01").await.expect("everything was read");
        assert!(next.digest.unread.is_empty(), "{:?}", next.digest.unread);

        // Down again, after a look of the day: that is waited for as well.
        shop.at("2026-11-02T00:02:00Z").await;
        shop.down(true);
        for now in ["2026-11-02T00:05:00Z", "2026-11-02T06:00:00Z"] {
            shop.at(now).await;
            assert!(shop.digest("2026-11-02").await.is_none(), "{now}: it may be back before the deadline");
        }
        shop.at("2026-11-02T08:00:00Z").await;
        let unread = shop.digest("2026-11-02").await.expect("no longer than the deadline").digest.unread;
        assert_eq!(unread[0], "Not in it: sales, orders, receipts, counts and bills after 00:02 UTC.");
        assert!(unread[1].contains("has been down since 2026-11-02 00:05 UTC"), "{unread:?}");
        shop.store.close().await;
    }
}

#[tokio::test]
async fn a_look_that_began_before_the_close_and_ended_after_it_is_none_of_the_new_day() {
    let shop = Shop::open("sqlite::memory:", EVENING).await;
    shop.server.script().ends = Some(at("2026-10-31T06:30:00Z"));
    shop.at("2026-10-30T23:30:00Z").await;
    assert_eq!(
        reeve::pipeline::watermark::looked_at(&shop.store).await.expect("it answers"),
        Some(at("2026-10-30T23:30:00Z"))
    );
    assert!(shop.digest(DAY).await.is_none(), "what was sold after 23:30 may be missing");
    shop.at("2026-10-31T06:31:00Z").await;
    let kept = shop.digest(DAY).await.expect("the next look began on the day");
    assert_eq!((kept.digest.as_of, kept.digest.unread.len()), (at("2026-10-31T06:31:00Z"), 0));
}

#[tokio::test]
async fn a_look_that_has_not_ended_by_the_deadline_is_waited_for_no_longer() {
    for database in databases().await {
        let shop = Shop::open(&database.store_url(), EVENING).await;
        // As if another process were in the middle of it: a look has begun, and its end is not in sight.
        let source = reeve::ports::Source::identity(&*shop.server);
        shop.store.begin_look(&source, &["records"], at("2026-10-31T05:40:00Z")).await.expect("it answers");
        let notify = shop.app.stages().into_iter().find(|stage| stage.name() == "notify").expect("there is one");
        shop.clock.set(at("2026-10-31T07:59:59Z"));
        notify.run_once().await.expect("it comes to rest");
        assert!(shop.digest(DAY).await.is_none(), "it may end before the deadline");
        shop.clock.set(at("2026-10-31T08:00:00Z"));
        notify.run_once().await.expect("it comes to rest");
        let kept = shop.digest(DAY).await.expect("no longer than the deadline");
        assert_eq!(
            kept.digest.unread,
            [
                "Not in it: yesterday's sales, orders, receipts, counts and bills after 18:00 UTC.",
                "The reading that began 2026-10-31 05:40 UTC had not ended.",
            ]
        );
        for page in [&kept.text, &kept.markdown, &kept.html] {
            let said = page.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(said.contains("The reading that began 2026-10-31 05:40 UTC had not ended."), "{page}");
        }
        shop.store.close().await;
    }
}

fn open(all: &[Exception]) -> BTreeSet<String> {
    let seen = all.iter().filter(|e| e.state == ExceptionState::Open && e.misses == 0);
    seen.map(|e| e.signal.fingerprint()).collect()
}

#[tokio::test]
async fn back_after_three_days_it_reads_first_and_then_looks() {
    let (evening, back) = ("2026-10-27T10:30:00Z", "2026-10-30T18:30:00Z");
    for database in databases().await {
        let mut shop = Shop::open(&database.store_url(), evening).await;
        let before = shop.found().await;
        shop.down(true);
        for day in ["2026-10-28", "2026-10-29", "2026-10-30"] {
            // Somebody also starts it anew, which brings nothing.
            shop.restart();
            for hour in ["00:05", "06:00", "08:00"] {
                shop.at(&format!("{day}T{hour}:00Z")).await;
            }
            let digest = shop.digest(day).await.expect("each at its deadline").digest;
            assert_eq!(digest.as_of, at(evening));
            let missing = if day == "2026-10-28" {
                "Not in it: yesterday's sales, orders, receipts, counts and bills after 10:30 UTC."
            } else {
                "Not in it: sales, orders, receipts, counts and bills after 2026-10-27 10:30 UTC, nor those of the days since."
            };
            let down = "The source has been down since 2026-10-28 00:05 UTC: Odoo is unavailable: no route to host.";
            assert_eq!(digest.unread, [missing, down]);
        }
        assert!(shop.found().await == before, "three days of nothing are three days without records");

        shop.down(false);
        shop.restart();
        shop.at(back).await;
        let found = shop.found().await;
        // Somebody who never was away sees the same, no fall and no stock-out more.
        let other = Shop::open("sqlite::memory:", back).await;
        let straight = other.found().await;
        assert_eq!(open(&found), open(&straight));
        let waits = found.iter().filter(|e| e.state == ExceptionState::Open && e.misses > 0);
        let close = at("2026-10-27T23:59:59.999Z");
        let calendar = reeve::domain::calendar::Calendar::utc();
        let born_of_missing = waits.filter(|e| calendar.close_of(e.signal.to) >= close && e.last_seen < close);
        assert_eq!(born_of_missing.count(), 0, "what rested on a day that was not over closes at once");
        shop.store.close().await;
    }
}

#[tokio::test]
async fn what_was_transferred_just_before_the_digest_is_not_recommended_again() {
    // As it is when nobody acts.
    let idle = Shop::open("sqlite::memory:", EVENING).await;
    idle.at("2026-10-31T05:59:30Z").await;
    idle.at("2026-10-31T06:00:00Z").await;
    let digest = idle.digest(DAY).await.expect("everything was read").digest;
    let mut wanted = Vec::new();
    for line in digest.lines.iter().filter(|line| line.action == "TRANSFER") {
        let all = idle.store.list_recommendations(&line.case_id).await.expect("the store answers");
        let first = all.into_iter().map(|(rec, _)| rec).min_by_key(|rec| rec.rank).expect("a recommendation");
        if let Action::Transfer { item, from, to, quantity, .. } = first.candidate.action {
            let out = line.codes.iter().any(|code| code == ExceptionType::IOut.code());
            wanted.push((out, item, from, to, quantity));
        }
    }
    assert!(!wanted.is_empty(), "there is a transfer to make: {:?}", digest.lines);
    let (_, item, from, to, quantity) = wanted.iter().max_by_key(|wanted| wanted.0).expect("there is one").clone();

    // The planner saw it at night, and did it at ten to six.
    let shop = Shop::open("sqlite::memory:", EVENING).await;
    let records = shop.store.load_records().await.expect("the store answers");
    let like = records.into_iter().find_map(|record| match record {
        Record::Move(m) if m.kind == MoveKind::Receipt && m.done_at.is_some() => Some(m),
        _ => None,
    });
    let mut done = like.expect("the recording has receipts");
    let moment = at("2026-10-31T05:59:40Z");
    (done.id, done.document, done.kind) = ("999999".to_owned(), "INT/999999".to_owned(), MoveKind::Transfer);
    (done.po_line, done.sale_line, done.partner, done.document_id) = (None, None, None, None);
    (done.item, done.from, done.to, done.qty) = (item.clone(), Some(from), Some(to.clone()), quantity);
    (done.created_at, done.scheduled_at, done.done_at, done.deadline) = (moment, None, Some(moment), None);
    shop.server.script().done.push(Observed { changed_at: moment, record: Record::Move(done) });
    // A look that ended half a minute before the hour does not know of it; the one that the hour calls for does.
    shop.at("2026-10-31T05:59:30Z").await;
    shop.at("2026-10-31T06:00:00Z").await;
    let digest = shop.digest(DAY).await.expect("everything was read").digest;
    for line in &digest.lines {
        for (rec, _) in shop.store.list_recommendations(&line.case_id).await.expect("the store answers") {
            let again = matches!(&rec.candidate.action, Action::Transfer { item: i, to: t, .. } if *i == item && *t == to);
            assert!(!(again && rec.rank == 1 && rec.state.is_waiting()), "it was done: {}", rec.candidate.summary);
        }
    }
}
