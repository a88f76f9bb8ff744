//! Which version runs: what a store begins with, what people promote, and what it takes.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use jiff::civil::date;

use super::*;
use crate::clock::Clock;
use crate::domain::calendar::plus_days;
use crate::domain::hand::Hand;
use crate::domain::ids::PersonId;
use crate::domain::model::{Recipe, Validation};
use crate::models::control::drift::{DaySeen, demand};
use crate::models::receiving::{Labelled, PurchaseLine, Receipt, Records};
use crate::store::ModelDay;
use crate::store::testing::on_each;

const PEOPLE: &str = r#"
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

fn config(text: &str) -> Config {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("reeve.toml");
    std::fs::write(&file, text).unwrap();
    Config::load_from(Some(&file), &[]).unwrap()
}

fn clock() -> Clock {
    Clock::standing_at("2026-10-08T06:00:00Z".parse().unwrap())
}

/// Trees of receiving from forty lines, a quarter of them short; another seed gives another version.
fn trained(seed: u64) -> String {
    let mut records = Records::default();
    let mut labels = BTreeMap::new();
    for nth in 0..40_i8 {
        let day = jiff::civil::date(2026, 1, 1).checked_add(jiff::Span::new().days(i64::from(nth))).unwrap();
        let (line, is_short) = (format!("l{nth}"), nth % 4 == 0);
        records.lines.push(PurchaseLine {
            line: line.clone(),
            po: format!("po{nth}"),
            vendor: format!("v{}", nth % 5),
            item: "i".to_owned(),
            location: "w".to_owned(),
            mode: String::new(),
            ordered: day,
            promised: day,
            quantity: 100.0,
            pack_size: 1.0,
            price: 2.0,
        });
        records.receipts.push(Receipt { line: line.clone(), date: day, quantity: if is_short { 60.0 } else { 100.0 } });
        labels.insert(line, is_short);
    }
    let folder = Labelled { records: &records, labels: &labels };
    ReceivingDetector::train(&[folder], seed).unwrap().to_json().unwrap()
}

fn sheet(parameters: &str) -> crate::domain::model::ModelSheet {
    sheet_of(ModelKind::Receiving, parameters, Recipe { trained_on: "40 lines".to_owned(), ..Recipe::default() }).unwrap()
}

struct Door {
    store: Store,
    config: Config,
    clock: Clock,
}

impl Door {
    async fn added(&self, seed: u64) -> ModelName {
        let text = trained(seed);
        add(&self.store, &self.clock, &sheet(&text), &text, "dan", "command").await.unwrap();
        sheet(&text).name
    }

    async fn validated(&self, model: &ModelName, failed: &[&str]) {
        let beside = in_force(&self.store, &self.config).await.unwrap().models().name(model.kind);
        let validation = Validation {
            model: model.clone(),
            beside,
            on: "40 lines".to_owned(),
            data_hash: "ab".to_owned(),
            seeds: vec![1],
            measures: BTreeMap::from([("average precision".to_owned(), (0.9, 0.8))]),
            failed: failed.iter().map(|what| (*what).to_owned()).collect(),
            at: self.clock.now(),
        };
        validated(&self.store, &validation, "dan", "command").await.unwrap();
    }

    async fn promote(&self, who: &str, name: &ModelName) -> Result<Changed, String> {
        let by = PersonId::new(who);
        let done = promote(&self.store, &self.config, &self.clock, (&by, "web", &Hand::Own), name, "better").await;
        done.map_err(|error| format!("{error:#}"))
    }

    async fn back(&self, who: &str, kind: ModelKind) -> Result<Changed, String> {
        let by = PersonId::new(who);
        let done = roll_back(&self.store, &self.config, &self.clock, (&by, "web", &Hand::Own), (kind, None), "worse").await;
        done.map_err(|error| format!("{error:#}"))
    }

    async fn runs(&self, kind: ModelKind) -> ModelName {
        in_force(&self.store, &self.config).await.unwrap().models().name(kind)
    }
}

fn door(store: Store) -> Door {
    Door { store, config: config(PEOPLE), clock: clock() }
}

#[tokio::test]
async fn what_a_store_began_with_runs_on_whatever_another_program_brings() {
    on_each(|store| async move {
        let old = config("");
        begin(&store, &old, clock().now()).await.unwrap();
        // A program whose own detectors are others: here another receiving detector stands in their place.
        let mut new = old.clone();
        let text = trained(3);
        new.rules.models = Models::default().with_receiving(ReceivingDetector::from_json(&text).unwrap());
        let now = in_force(&store, &new).await.unwrap();
        assert_eq!(now.models().name(ModelKind::Receiving), old.rules.models.name(ModelKind::Receiving));
        assert_eq!(now.unreadable, [""; 0]);
        begin(&store, &new, clock().now()).await.unwrap();
        assert_eq!(in_force(&store, &new).await.unwrap().key, now.key, "it began once");
        assert_eq!(store.audit_head().await.unwrap().0, 0, "nobody did anything");
    })
    .await;
}

#[tokio::test]
async fn a_version_is_promoted_by_two_who_may_after_it_passed_beside_what_runs() {
    on_each(|store| async move {
        let door = door(store);
        let (first, name) = (door.runs(ModelKind::Receiving).await, door.added(1).await);
        let refused = door.promote("ari", &name).await.unwrap_err();
        assert!(refused.contains("has not been held against") && refused.contains("models validate"), "{refused}");
        door.validated(&name, &["average precision .700, and what runs has .800"]).await;
        let refused = door.promote("ari", &name).await.unwrap_err();
        assert!(refused.contains("did not pass its newest validation"), "{refused}");
        // Otherwise the two are of one moment, and neither is the newest.
        door.clock.set(door.clock.now().checked_add(SignedDuration::from_secs(60)).unwrap());
        door.validated(&name, &[]).await;

        let refused = door.promote("pia", &name).await.unwrap_err();
        assert!(refused.contains("Pia may not") && refused.contains("Ari or Dan"), "{refused}");
        assert!(matches!(door.promote("ari", &name).await, Ok(Changed::Proposed(_))));
        assert_eq!(door.runs(ModelKind::Receiving).await, first, "a proposal changes nothing");
        let refused = door.promote("ari", &name).await.unwrap_err();
        assert!(refused.contains("takes a second person; ask Dan"), "{refused}");
        assert!(matches!(door.promote("dan", &name).await, Ok(Changed::Done(_))));
        assert_eq!(door.runs(ModelKind::Receiving).await, name);
        assert_eq!(door.promote("dan", &name).await, Ok(Changed::Same));

        // A card that the first one judged is recomputed by the first one.
        let now = in_force(&door.store, &door.config).await.unwrap();
        assert!(now.models().receiving_of(&first.version).is_some() && now.models().receiving_of(&name.version).is_some());
        assert_eq!(now.history[&ModelKind::Receiving], [first.clone(), name.clone()]);

        assert!(door.back("pia", ModelKind::Receiving).await.is_err());
        assert!(matches!(door.back("ari", ModelKind::Receiving).await, Ok(Changed::Done(_))), "going back takes one");
        assert_eq!(door.runs(ModelKind::Receiving).await, first);
        let refused = door.back("ari", ModelKind::Receiving).await.unwrap_err();
        assert!(refused.contains("no such version to go back to"), "{refused}");
        let log = door.store.list_audit_of(&format!("model:{name}")).await.unwrap();
        let said: Vec<&str> = log.iter().map(|entry| entry.entry.action.as_str()).collect();
        assert_eq!(said, ["model.added", "model.validated", "model.validated", "model.proposed", "model.promoted"]);
    })
    .await;
}

#[tokio::test]
async fn two_names_by_one_hand_are_not_two_people() {
    on_each(|store| async move {
        let door = door(store);
        let name = door.added(1).await;
        door.validated(&name, &[]).await;
        let (ari, dan) = (PersonId::new("ari"), PersonId::new("dan"));
        // One account of the machine that gives two names.
        let hand = Hand::Command("root (uid 0)".to_owned());
        let by = |who| promote(&door.store, &door.config, &door.clock, (who, "command", &hand), &name, "better");
        assert!(matches!(by(&ari).await, Ok(Changed::Proposed(_))));
        let refused = by(&dan).await.unwrap_err().to_string();
        assert!(refused.contains("could be the same hand"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn a_validation_beside_another_version_or_of_long_ago_says_nothing() {
    on_each(|store| async move {
        let mut door = door(store);
        door.config.rules.policy.detectors.signatures = 1;
        let (one, other) = (door.added(1).await, door.added(2).await);
        door.validated(&one, &[]).await;
        door.validated(&other, &[]).await;
        assert!(matches!(door.promote("ari", &one).await, Ok(Changed::Done(_))), "one signature is enough here");
        let refused = door.promote("ari", &other).await.unwrap_err();
        assert!(refused.contains(&format!("has not been held against {one}")), "{refused}");
        door.validated(&other, &[]).await;
        door.clock.set(door.clock.now().checked_add(SignedDuration::from_hours(24 * VALID_DAYS + 1)).unwrap());
        assert!(door.promote("ari", &other).await.unwrap_err().contains("within 30 days"));
    })
    .await;
}

#[tokio::test]
async fn a_version_that_was_changed_past_reeve_does_not_run_and_everybody_is_told() {
    on_each(|store| async move {
        let mut door = door(store);
        door.config.rules.policy.detectors.signatures = 1;
        let (name, other) = (door.added(1).await, door.added(2).await);
        door.validated(&name, &[]).await;
        door.promote("ari", &name).await.unwrap();
        // The name stays and what stands under it is another version's.
        let swap = format!(
            "update models set parameters = (select parameters from models where name = '{other}') where name = '{name}'"
        );
        door.store.past_reeve(&swap).await;
        let now = in_force(&door.store, &door.config).await.unwrap();
        let configured = door.config.rules.models.name(ModelKind::Receiving);
        assert_eq!(now.models().name(ModelKind::Receiving), configured);
        assert!(now.unreadable[0].contains("they were changed") && now.unreadable[0].contains(&name.to_string()));
        let text = trained(2);
        let bad = crate::domain::model::ModelSheet { name, ..sheet(&text) };
        let refused = add(&door.store, &door.clock, &bad, &text, "dan", "command").await.unwrap_err();
        assert!(refused.to_string().contains("its parameters are those of"), "{refused}");
    })
    .await;
}

#[tokio::test]
async fn what_has_moved_is_said_with_what_to_do_and_the_days_of_another_version_do_not_count() {
    on_each(|store| async move {
        let running = in_force(&store, &config("")).await.unwrap();
        let (today, version) = (date(2026, 10, 8), running.models().name(ModelKind::Demand).version);
        let seen = |units: f32| {
            let mut seen = DaySeen::default();
            // Spread over two units, so that there is a distribution to compare and not one bar.
            (0..60_u8).for_each(|nth| seen.add(&demand::UNITS, units + f32::from(nth) / 30.0));
            seen
        };
        let days_of = |version: &str, late: f32| -> Vec<ModelDay> {
            let day = |back: i32| ModelDay {
                kind: ModelKind::Demand,
                day: plus_days(today, -back),
                version: version.to_owned(),
                seen: seen(if back <= drift::LATE_DAYS { late } else { 2.0 }),
            };
            (1..=60).map(day).collect()
        };
        let standing = async || drift::of_the_day(&store, &running, today, 0.1).await.unwrap();
        store.put_model_days(&days_of(&version, 2.0)).await.unwrap();
        assert!(standing().await.iter().all(|standing| standing.line().is_none()));
        store.put_model_days(&days_of(&version, 30.0)).await.unwrap();
        let all = standing().await;
        let line = all[0].line().expect("fifteen times as much was sold");
        assert!(all[0].has_drifted() && line.contains("units (index ") && line.contains("reeve models train"), "{line}");
        assert!(all[1].moved.is_empty() && all[1].line().is_none(), "nothing was counted of receiving");
        assert_eq!(drift::kept(&store).await.unwrap(), Some((today, all)), "the page reads what the digest has counted");
        // The same days, as counted by another version: they take the place of those that moved.
        store.put_model_days(&days_of("trained-0", 30.0)).await.unwrap();
        assert!(standing().await[0].moved.is_empty(), "that another version says otherwise is no drift");
    })
    .await;
}
