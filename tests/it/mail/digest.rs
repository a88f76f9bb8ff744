//! The digest as a letter: what is in it, to whom it goes, and when.

use std::time::Duration;

use reeve::store::OutboxState;

use super::bench::Bench;
use crate::support::databases::databases;
use crate::web::world::EVIL;

/// Two planners: Pia with what she looks after, Ari with the rest.
pub(super) const PLANNERS: &str = "[[planners]]\nperson = \"pia\"\nscopes = [{ category = \"Drinks\" }]\nto = [\"mail\"]\n\
                                   [[planners]]\nperson = \"ari\"\nfallback = true\nto = [\"mail\"]\n";

#[tokio::test]
async fn everybodys_goes_once_to_whoever_answers_for_all() {
    for db in databases().await {
        let bench = Bench::on(db, "").await;
        bench.send().await;
        assert!(bench.smtp.arrived().is_empty(), "yesterday's is yesterday's");
        let made = bench.make(None, |_| {}).await;
        let done = bench.send().await;
        assert_eq!((done.sent, bench.smtp.arrived().len()), (1, 1));
        bench.send().await;
        bench.try_again(3).await;
        assert_eq!(bench.smtp.arrived().len(), 1);
        let letter = bench.mailbox("dan").remove(0);
        assert_eq!(letter.from, "reeve@example.com");
        let subject = letter.header("Subject");
        assert!(subject.starts_with("Reeve, 2026-10-09: 1 case worth deciding"), "{subject}");
        assert_eq!(letter.header("Auto-Submitted"), "auto-generated");
        let words = letter.words();
        for line in made.text.lines().filter(|line| line.is_ascii()) {
            assert!(words.contains(line), "{line:?} is not in the plain text");
        }
        assert!(words.contains("&lt;script&gt;") && !words.contains(&format!("<h2>{EVIL}")), "names are escaped as HTML");
    }
}

#[tokio::test]
async fn its_chart_comes_along_as_a_picture() {
    let bench = Bench::new().await;
    bench.make(None, |_| {}).await;
    bench.send().await;
    let letter = bench.mailbox("dan").remove(0);
    let text = &letter.text;
    for part in ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png", "Content-ID: <chart-"]
    {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
    // "\x89PNG\r\n\x1a\n", as base64.
    assert!(text.contains("iVBORw0KGgo"), "the picture is none");
    let words = letter.words();
    assert!(words.contains("src=\"cid:chart-2026-10-09-1@reeve\""), "{words}");
    assert!(words.contains("alt=\"56 days from 2026-08-14"), "who does not see it reads what it shows");
    let none = Bench::on(databases().await.remove(0), "charts = 0\n").await;
    none.make(None, |_| {}).await;
    none.send().await;
    assert!(!none.mailbox("dan")[0].text.contains("image/png"));
}

#[tokio::test]
async fn planners_get_their_own_and_nobody_elses() {
    for db in databases().await {
        let bench = Bench::on(db, PLANNERS).await;
        bench.make(None, |digest| digest.planners = vec!["pia by name: 1 case.".to_owned()]).await;
        bench.make(Some("pia"), |digest| digest.lines[0].headline = "Only Pia sees this".to_owned()).await;
        bench.make(Some("ari"), |digest| digest.lines.clear()).await;
        assert_eq!(bench.send().await.sent, 3);
        bench.try_again(2).await;
        let of = |person: &str| {
            let mut letters = bench.mailbox(person);
            assert_eq!(letters.len(), 1, "{person}");
            letters.remove(0)
        };
        let (pia, ari, dan) = (of("pia"), of("ari"), of("dan"));
        assert!(pia.words().contains("Only Pia sees this") && !ari.words().contains("Only Pia sees this"));
        assert!(pia.header("Subject").contains("pia by name"), "{}", pia.header("Subject"));
        assert!(ari.words().contains("Nothing needs a decision today."));
        assert!(dan.words().contains("Whose cases") && !dan.words().contains("Only Pia sees this"));
    }
}

#[tokio::test]
async fn who_is_planner_and_answers_for_all_gets_both() {
    let more = PLANNERS.replace("person = \"ari\"", "person = \"dan\"");
    let bench = Bench::on(databases().await.remove(0), &more).await;
    bench.make(None, |_| {}).await;
    bench.make(Some("dan"), |digest| digest.lines.clear()).await;
    bench.send().await;
    bench.try_again(2).await;
    assert_eq!(bench.mailbox("dan").len(), 2);
}

#[tokio::test]
async fn while_it_is_quiet_where_its_reader_is_a_letter_waits() {
    // At half past seven in the morning of the policy's place it is half past eight in the evening in Auckland, which is quiet.
    let more = PLANNERS.replace("person = \"pia\"", "person = \"pia\"\ntimezone = \"Pacific/Auckland\"");
    for db in databases().await {
        let bench = Bench::on(db, &more).await;
        bench.make(Some("pia"), |_| {}).await;
        bench.make(None, |_| {}).await;
        bench.send().await;
        assert_eq!((bench.mailbox("pia").len(), bench.mailbox("dan").len()), (0, 1));
        assert_eq!(bench.count(OutboxState::Pending).await, 1);
        // Saturday and Sunday are quiet there too, and have digests of their own. On their Monday morning, while it is Sunday evening
        // elsewhere, Monday's leaves, and no other.
        for (hours, day) in [(15, "2026-10-10"), (24, "2026-10-11"), (19, "2026-10-12")] {
            bench.later(Duration::from_hours(hours));
            bench.make(Some("pia"), |digest| digest.day = day.parse().unwrap()).await;
            bench.send().await;
            assert_eq!((bench.mailbox("pia").len(), bench.count(OutboxState::Pending).await), (0, 1), "{day}");
        }
        bench.later(Duration::from_hours(1));
        bench.send().await;
        let letters = bench.mailbox("pia");
        let subjects: Vec<String> = letters.iter().map(|letter| letter.header("Subject")).collect();
        assert!(subjects.len() == 1 && subjects[0].starts_with("Reeve, 2026-10-12:"), "{subjects:?}");
        assert_eq!(bench.count(OutboxState::Dead).await, 0, "what was passed over is no fault");
    }
}

#[tokio::test]
async fn a_server_that_wants_to_know_who_sends_is_told() {
    let more = "user = \"reeve\"\npassword = \"s3cr3t\"\n";
    let bench = Bench::on(databases().await.remove(0), more).await;
    bench.smtp.ask_for("reeve", "s3cr3t");
    bench.make(None, |_| {}).await;
    bench.send().await;
    assert_eq!(bench.mailbox("dan")[0].user, "reeve");
    let rows = bench.world.store.list_outbox(OutboxState::Sent).await.unwrap();
    assert!(!rows[0].body.contains("s3cr3t"));
    assert_eq!(rows[0].receipt.as_ref().unwrap().reference.as_deref(), Some("2.0.0 queued as Q1"));
}
