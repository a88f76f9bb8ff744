//! What an auditor does, on the bundled recording: cards recompute, what was tampered with is found, exports prove
//! themselves, anchors outlive a rewritten log.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::io::BufReader;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use reeve::app::App;
use reeve::approve::{DecisionRequest, Verb};
use reeve::config::Config;
use reeve::domain::calendar::plus_days;
use reeve::domain::ids::{PersonId, RecommendationId};
use reeve::domain::money::Money;
use reeve::domain::outbox::OutboxKind;
use reeve::pipeline::anchors::{self, Anchor};
use reeve::ports::{Outgoing, PortError, Receipt, Sender, Senders};
use reeve::reports::audit::{CardReport, card, export, story, tables};
use reeve::rules::recompute::Verdict;
use reeve::store::Store;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use crate::support::databases::{TestDb, databases};
use crate::support::shop::{at_the_end, bundled};

/// Keeps what it is sent.
#[derive(Default)]
struct Kept(Mutex<Vec<Outgoing>>);

#[async_trait]
impl Sender for Kept {
    fn name(&self) -> &'static str {
        "the receiver"
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        &OutboxKind::ALL
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        self.0.lock().unwrap().push(message.clone());
        Ok(Receipt::unnamed(message.at))
    }

    fn knows(&self, destination: &str) -> bool {
        destination == "webhook"
    }

    fn free_at(&self, _: &str, now: jiff::Timestamp) -> jiff::Timestamp {
        now
    }
}

async fn app(db: &TestDb, config: Config) -> App {
    app_with(db, config, Senders::default()).await
}

async fn app_with(db: &TestDb, config: Config, senders: Senders) -> App {
    let app = at_the_end(bundled(), &db.store_url(), config, senders).await;
    app.run_until_idle().await.unwrap();
    app
}

/// The tables of decisions, states and rights say what the log says.
pub(crate) async fn tables_agree(store: &Store) {
    let differences = tables::compare(store).await.unwrap();
    assert!(differences.is_empty(), "{differences:#?}");
}

async fn recompute(app: &App, id: &RecommendationId) -> CardReport {
    card::verify(&app.context.store, &app.context.config, id).await.unwrap()
}

/// Has everything drafted that is latent: whatever a case is worth, its card recomputes.
async fn want_all(app: &App) {
    for case in app.context.store.list_cases(&["latent"]).await.unwrap() {
        assert!(app.approvals.want(&case.id, &PersonId::new("pia"), "web").await.unwrap());
    }
    app.run_until_idle().await.unwrap();
}

/// Past Reeve, as somebody with the database's password.
async fn past_reeve(db: &TestDb, sql: &str) {
    let mut connection = AnyConnection::connect(&db.url).await.unwrap();
    let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    assert!(done.rows_affected() > 0 || sql.contains("trigger"), "{sql} changed nothing");
}

fn differing(report: &CardReport) -> Vec<&str> {
    report.lines.iter().filter(|l| l.verdict == Verdict::Differs).map(|l| l.figure.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_card_recomputes_from_its_frozen_evidence_and_a_tampered_one_does_not() {
    for db in databases().await {
        let app = Box::pin(app(&db, Config::load_from(None, &[]).unwrap())).await;
        want_all(&app).await;
        let all = app.context.store.list_recommendations_in(&["queued"]).await.unwrap();
        assert!(all.len() > 50, "{}", all.len());
        for (rec, _) in &all {
            let report = recompute(&app, &rec.id).await;
            let wrong: Vec<_> = report.lines.iter().filter(|l| l.verdict != Verdict::Agrees).collect();
            assert!(wrong.is_empty(), "{}: {wrong:?}", rec.id);
            assert!(report.lines.len() > 20, "{}: {} figures are too few for a proof", rec.id, report.lines.len());
            assert!(report.notes.iter().any(|n| n.contains("checks")), "{:?}", report.notes);
            // As this database keeps it.
            let bundle = app.context.store.get_bundle(&rec.case_id, &rec.evidence_hash).await.unwrap();
            assert_eq!(bundle.hash(), rec.evidence_hash);
            assert!(bundle.workings.is_some());
        }

        // A reviewed card, its action, then its worth, its reason and its evidence changed behind Reeve's back.
        // Of a case that loses a part of its worth by waiting: where all of it perishes, lambda changes nothing.
        let mut moved = None;
        for (rec, _) in all.iter().filter(|(r, _)| r.candidate.action.code() == "TRANSFER" && r.rank == 1) {
            let rank = app.context.store.get_case(&rec.case_id).await.unwrap().rank.unwrap();
            moved = moved.or_else(|| (rank.perishing < 0.9).then_some(rec));
        }
        let rec = moved.expect("a transfer whose case can wait a little");
        let body = serde_json::to_string(rec).unwrap();
        let benefit = rec.candidate.money.benefit.expected;
        let forged = [
            (format!("\"expected\":{}", benefit.minor), format!("\"expected\":{}", benefit.minor + 100), "NB"),
            (format!("worth {benefit}"), "worth 98,765.43".to_owned(), "numbers in the rationale"),
            (format!("\"value\":{}", rec.candidate.value.minor), "\"value\":1".to_owned(), "value for limits"),
        ];
        for (was, is, figure) in forged {
            let text = body.replace(&was, &is).replace('\'', "''");
            assert_ne!(text, body, "{was} is in the card");
            past_reeve(&db, &format!("update recommendations set body = '{text}' where id = '{}'", rec.id)).await;
            let report = recompute(&app, &rec.id).await;
            let found = differing(&report);
            assert!(found.contains(&figure) && found.contains(&"content hash") && found.contains(&"id"), "{is}: {found:?}");
            assert!(report.sentence().contains("DIFFER"), "{}", report.sentence());
        }
        let text = body.replace('\'', "''");
        past_reeve(&db, &format!("update recommendations set body = '{text}' where id = '{}'", rec.id)).await;
        assert!(recompute(&app, &rec.id).await.holds());
        let bundle = app.context.store.get_bundle(&rec.case_id, &rec.evidence_hash).await.unwrap();
        let lost = bundle.facts.keys().find(|id| id.as_str().contains("/lost_margin@")).unwrap();
        let mut forged = bundle.clone();
        forged.facts.get_mut(lost).unwrap().value =
            reeve::domain::evidence::FactValue::Money(reeve::domain::money::Money::from_minor(99_999_900));
        let text = serde_json::to_string(&forged).unwrap().replace('\'', "''");
        past_reeve(&db, &format!("update evidence set body = '{text}' where hash = '{}'", rec.evidence_hash)).await;
        let report = recompute(&app, &rec.id).await;
        let found = differing(&report);
        assert!(found.contains(&"evidence hash") && found.contains(&lost.as_str()) && found.contains(&"L₀"), "{found:?}");
        // What the figures were computed from, and a setting, changed in the same way.
        let mut stock = bundle.clone();
        stock.workings.as_mut().unwrap().shortages.values_mut().for_each(|stake| stake.supply += 1.0);
        let mut setting = bundle.clone();
        setting.workings.as_mut().unwrap().settings.lambda = 0.5;
        for (forged, figure) in [(stock, "L₀, low to high"), (setting, "priority")] {
            let text = serde_json::to_string(&forged).unwrap().replace('\'', "''");
            past_reeve(&db, &format!("update evidence set body = '{text}' where hash = '{}'", rec.evidence_hash)).await;
            let report = recompute(&app, &rec.id).await;
            let found = differing(&report);
            assert!(found.contains(&"evidence hash") && found.contains(&figure), "{figure}: {found:?}");
        }
        app.context.store.close().await;
    }
}

/// How many days of the recording are played one after the other.
const DAYS: i32 = 24;

#[tokio::test(flavor = "multi_thread")]
async fn cards_of_many_days_recompute_and_a_drill_is_called_one_once_it_is_over() {
    let db = &databases().await[0];
    let mut config = Config::load_from(None, &[]).unwrap();
    config.rules.policy.drills.share = "1".parse().unwrap();
    let calendar = config.rules.calendar.calendar();
    let app = at_the_end(bundled(), &db.store_url(), config, Senders::default()).await;
    let (store, clock) = (app.context.store.clone(), app.context.clock.clone());
    let last = calendar.day_of(clock.now());
    for day in (0..DAYS).rev() {
        clock.set(calendar.close_of(plus_days(last, -day)));
        app.run_until_idle().await.unwrap();
    }
    let drills = store.list_drills().await.unwrap();
    let (mut cards, mut over) = (0, 0);
    for case in store.list_cases(&[]).await.unwrap() {
        for (rec, _) in store.list_recommendations(&case.id).await.unwrap() {
            cards += 1;
            let report = recompute(&app, &rec.id).await;
            let said = report.sentence();
            let open: Vec<_> = report.lines.iter().filter(|l| l.verdict == Verdict::NotFrozen).collect();
            assert!(open.is_empty(), "{}: {open:?}", rec.id);
            match drills.iter().find(|d| d.recommendation_id == rec.id) {
                None => {
                    let wrong: Vec<_> = report.lines.iter().filter(|l| l.verdict != Verdict::Agrees).collect();
                    assert!(report.holds() && report.drill.is_none(), "{}: {said} {wrong:?}", rec.id);
                }
                Some(drill) if drill.end.is_none() => {
                    // Whoever may run the command may be the one who is to find out.
                    assert!(report.drill.is_none() && !said.contains("rill"), "{said}");
                }
                Some(drill) => {
                    over += 1;
                    assert!(report.holds(), "{}: {said} {:?}", rec.id, differing(&report));
                    assert!(report.count(Verdict::Planted) > 0);
                    assert!(said.starts_with(&format!("A drill: wrong on purpose, {}", drill.what)), "{said}");
                }
            }
        }
    }
    assert!(cards > 100 && over > 3, "{cards} cards, {over} drills that are over");
    tables_agree(&store).await;
    // What was not planted is found in a drill too.
    let drill = drills.iter().find(|d| d.end.is_some()).unwrap();
    let (rec, _) = store.get_recommendation(&drill.recommendation_id).await.unwrap();
    let mut forged = rec.clone();
    forged.candidate.money.cost += Money::from_minor(1);
    let text = serde_json::to_string(&forged).unwrap().replace('\'', "''");
    past_reeve(db, &format!("update recommendations set body = '{text}' where id = '{}'", rec.id)).await;
    let report = recompute(&app, &rec.id).await;
    assert!(!report.holds() && differing(&report).contains(&"C"), "{:?}", differing(&report));
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_a_case_tells_who_did_what_under_which_policy() {
    let db = &databases().await[0];
    let app = Box::pin(app(db, Config::load_from(None, &[]).unwrap())).await;
    let store = &app.context.store;
    let all = store.list_recommendations_in(&["queued"]).await.unwrap();
    let (rec, _) = all.iter().find(|(r, _)| r.candidate.action.code() == "BLOCK-BILL").unwrap();
    let request = DecisionRequest {
        idempotency_key: "one".to_owned(),
        person: PersonId::new("dan"),
        channel: "web".to_owned(),
        hand: reeve::domain::hand::Hand::Own,
        recommendation_id: rec.id.clone(),
        content_hash: rec.content_hash(),
        verb: Verb::Approve,
    };
    app.approvals.decide(&request).await.unwrap();
    let story = story::tell(store, &app.context.config, &rec.case_id).await.unwrap();
    let step = story.steps.last().unwrap();
    assert_eq!((step.who.as_str(), step.through.as_str()), ("Dan Director", "the page"));
    assert!(step.what.starts_with(&format!("approved {}", rec.id)), "{}", step.what);
    assert_eq!(step.content, rec.content_hash());
    assert!(step.policy.is_some(), "the policy's version is told");
    assert_eq!(story.deliveries.len(), 1);
    assert!(story.deliveries[0].state.starts_with("waits for"), "{:?}", story.deliveries);
    let report = recompute(&app, &rec.id).await;
    assert!(report.holds(), "{:?}", differing(&report));
    assert!(report.lines.iter().any(|l| l.figure == "content of dan's click to approve"));
}

/// An export whose last entries were cut, and whose head was written anew to fit.
fn cut_to(text: &str, form: export::Form, last: i64) -> String {
    let header = usize::from(form == export::Form::Csv);
    let kept: Vec<&str> = text.lines().take(header + usize::try_from(last).unwrap()).collect();
    let tail = kept.last().unwrap();
    let hash = if form == export::Form::Csv {
        tail.rsplit(',').next().unwrap().to_owned()
    } else {
        serde_json::from_str::<serde_json::Value>(tail).unwrap()["hash"].as_str().unwrap().to_owned()
    };
    let head = if form == export::Form::Csv {
        let detail = format!("{{\"\"entries\"\":{last},\"\"log_hash\"\":\"\"{hash}\"\",\"\"log_seq\"\":{last}}}");
        format!("head,,{last},,,,,,\"{detail}\",,{hash}")
    } else {
        let head = serde_json::json!({ "entries": last, "seq": last, "hash": hash, "log_seq": last, "log_hash": hash });
        format!("{{\"head\":{head}}}")
    };
    format!("{}\n{head}\n", kept.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_proves_itself_and_no_line_of_it_can_be_changed() {
    for db in databases().await {
        let app = Box::pin(app(&db, Config::load_from(None, &[]).unwrap())).await;
        let store = &app.context.store;
        let (seq, hash) = store.audit_head().await.unwrap();
        for form in [export::Form::JsonLines, export::Form::Csv] {
            let mut text = Vec::new();
            export::write(store, form, None, None, &mut text).await.unwrap();
            let anchor = Anchor { at: app.context.clock.now(), seq, hash: hash.clone() };
            let checked = export::check(BufReader::new(text.as_slice()), std::slice::from_ref(&anchor)).unwrap();
            assert_eq!((checked.entries, checked.first, checked.last), (seq, 1, seq));
            assert_eq!((checked.head.as_str(), checked.anchors), (hash.as_str(), 1));
            let other = Anchor { hash: "0".repeat(64), ..anchor };
            let fault = export::check(BufReader::new(text.as_slice()), &[other]).unwrap_err().to_string();
            assert!(fault.contains("was rewritten"), "{fault}");
            // Cut from the tail, with a head that says that the log ended there: an anchor of what is gone tells.
            let shorter = cut_to(&String::from_utf8(text.clone()).unwrap(), form, seq - 3);
            assert_eq!(export::check(BufReader::new(shorter.as_bytes()), &[]).unwrap().last, seq - 3);
            let gone = Anchor { at: app.context.clock.now(), seq, hash: hash.clone() };
            let fault =
                export::check(BufReader::new(shorter.as_bytes()), std::slice::from_ref(&gone)).unwrap_err().to_string();
            assert!(fault.contains("entries were cut from its end"), "{fault}");
            // A part of a log may stop before an anchor, and says how many it stops before.
            let part = shorter.replace(&format!("\"log_seq\":{}", seq - 3), &format!("\"log_seq\":{seq}"));
            let part = part.replace(&format!("\"\"log_seq\"\":{}", seq - 3), &format!("\"\"log_seq\"\":{seq}"));
            let log_hash = store.audit_hash(seq - 3).await.unwrap().unwrap();
            let part = part.replace(&format!("\"log_hash\":\"{log_hash}"), &format!("\"log_hash\":\"{hash}"));
            let part = part.replace(&format!("\"\"log_hash\"\":\"\"{log_hash}"), &format!("\"\"log_hash\"\":\"\"{hash}"));
            let checked = export::check(BufReader::new(part.as_bytes()), &[gone]).unwrap();
            assert_eq!((checked.anchors, checked.beyond), (0, 1));
            let text = String::from_utf8(text).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            let header = usize::from(form == export::Form::Csv);
            for gone in [header, header + 5, lines.len() - 2, lines.len() - 1] {
                let mut cut = lines.clone();
                cut.remove(gone);
                assert!(export::check(BufReader::new(cut.join("\n").as_bytes()), &[]).is_err(), "without line {gone}");
            }
            let mut swapped = lines.clone();
            swapped.swap(header + 3, header + 4);
            assert!(export::check(BufReader::new(swapped.join("\n").as_bytes()), &[]).is_err());
            let changed = text.replacen("stage:draft", "stage:drift", 1);
            assert!(export::check(BufReader::new(changed.as_bytes()), &[]).is_err());
        }
        let mut part = Vec::new();
        let day = app.context.clock.now();
        export::write(store, export::Form::JsonLines, Some(day), None, &mut part).await.unwrap();
        let checked = export::check(BufReader::new(part.as_slice()), &[]).unwrap();
        assert_eq!(checked.last, seq);
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn anchors_find_a_log_that_was_rewritten_whole() {
    for db in databases().await {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("anchors.jsonl");
        let mut config = Config::load_from(None, &[]).unwrap();
        config.audit.anchor_file.clone_from(&file);
        config.webhook.url = "http://127.0.0.1:9/".to_owned();
        config.audit.anchor_destination = "webhook".to_owned();
        let elsewhere = Arc::new(Kept::default());
        let app = app_with(&db, config, Senders::only(Arc::clone(&elsewhere) as Arc<dyn Sender>)).await;
        let store = &app.context.store;
        let kept = anchors::read(&file).unwrap().anchors;
        assert_eq!(kept.len(), 1, "one with the digest, however often the stages run");
        assert!(anchors::compare(store, &kept).await.unwrap().is_empty());
        {
            let sent = elsewhere.0.lock().unwrap();
            let event: serde_json::Value = serde_json::from_str(&sent[0].body).unwrap();
            assert_eq!((sent.len(), event["type"].as_str()), (1, Some(anchors::EVENT_TYPE)));
            assert_eq!(serde_json::from_value::<Anchor>(event["data"].clone()).unwrap(), kept[0]);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        // A file that is gone, or lacks what the log says was written to it, is no proof, and says so.
        assert!(anchors::read_configured(store, &file).await.unwrap().faults.is_empty());
        std::fs::remove_file(&file).unwrap();
        let held = anchors::read_configured(store, &file).await.unwrap();
        assert!(held.faults.len() == 1 && held.faults[0].contains("is gone"), "{:?}", held.faults);
        std::fs::write(&file, "").unwrap();
        let held = anchors::read_configured(store, &file).await.unwrap();
        assert!(held.faults.len() == 1 && held.faults[0].contains("lacks 1 of 1 anchors"), "{:?}", held.faults);

        // A line that a crash cut off does not swallow the next one, and hides none of the others.
        std::fs::write(&file, "{\"at\":\"20").unwrap();
        anchors::append(&file, &kept[0]).unwrap();
        let held = anchors::read_configured(store, &file).await.unwrap();
        assert_eq!(held.anchors, kept);
        assert!(held.faults.len() == 1 && held.faults[0].contains("line 1: no anchor"), "{:?}", held.faults);
        assert!(
            std::fs::read_to_string(&file).unwrap().ends_with(&format!("{}\n", serde_json::to_string(&kept[0]).unwrap()))
        );

        // Somebody with the database's password writes the log anew, links, head and all.
        let entries = store.list_audit(0, 10_000).await.unwrap();
        let drops = if db.kind() == "sqlite" {
            vec!["drop trigger audit_log_no_update", "drop trigger audit_head_only_forward"]
        } else {
            vec!["drop trigger audit_log_no_change on audit_log", "drop trigger audit_head_only_forward on audit_head"]
        };
        for sql in &drops {
            past_reeve(&db, sql).await;
        }
        let mut previous = reeve::domain::audit::GENESIS.to_owned();
        for chained in &entries {
            let mut entry = chained.entry.clone();
            if chained.seq == 7 {
                entry.actor = "somebody else".to_owned();
            }
            let hash = entry.chain_hash(chained.seq, &previous);
            past_reeve(
                &db,
                &format!(
                    "update audit_log set actor = '{}', previous = '{previous}', hash = '{hash}' where seq = {}",
                    entry.actor, chained.seq
                ),
            )
            .await;
            previous = hash;
        }
        past_reeve(&db, &format!("update audit_head set hash = '{previous}'")).await;
        assert_eq!(store.verify_audit().await.unwrap().1, previous, "the chain alone can not tell");
        let broken = anchors::compare(store, &kept).await.unwrap();
        assert!(broken.len() == 1 && broken[0].contains("rewritten"), "{broken:?}");
        let of_digests = anchors::of_digests(store).await.unwrap();
        assert_eq!(anchors::compare(store, &of_digests).await.unwrap().len(), 1, "the digest's head tells too");

        // The next start puts the guards back, and the log says that they were gone.
        assert_eq!(store.missing_guards().await.unwrap().len(), drops.len());
        store.migrate().await.unwrap();
        app.run_until_idle().await.unwrap();
        let told = store.last_audit_of("audit:guards").await.unwrap().unwrap();
        assert_eq!(told.entry.detail["missing"].as_array().unwrap().len(), drops.len());
        store.close().await;
    }
}
