//! What people did through Reeve agrees with the log, and what was done past it does not.

use serde_json::json;

use super::*;
use crate::approve::Verb;
use crate::approve::tests::Bench;
use crate::domain::action::Action;
use crate::domain::audit::AuditEntry;
use crate::domain::decision::{RejectReason, WakeCondition};
use crate::domain::ids::{ItemId, LocationId, PersonId};
use crate::domain::money::Quantity;
use crate::people::{By, ChatChannel, ChatUser, Identities};
use crate::pipeline::noise::mutes::{MuteRequest, mute};
use crate::pipeline::stop;
use crate::store::testing::{on_each, on_each_at};

async fn said(store: &Store) -> Vec<String> {
    compare(store).await.unwrap().iter().map(ToString::to_string).collect()
}

/// A store in which people have decided, in every way there is, and given and taken rights.
async fn lived_in(store: Store) -> Bench {
    let bench = Bench::on(store);
    let opened = |id: &str| AuditEntry {
        at: bench.it.clock.now(),
        actor: "stage:detect".into(),
        channel: "stage".into(),
        action: "case.opened".into(),
        subject: format!("case:{id}"),
        content: String::new(),
        detail: json!({}),
    };
    // The bench puts cases there past the log, so their opening is written first.
    let ids = ["case-1", "case-2", "case-3", "case-4", "case-5", "case-6"];
    bench.it.store.append_audit(&ids.map(opened)).await.unwrap();
    let mut all = Vec::new();
    for (id, value) in ids.into_iter().zip([500, 20_000, 600, 700, 800, 900]) {
        all.push(bench.case(id, &format!("7{id}"), value).await);
    }
    // A note that has to be cleaned: table and log must keep the same of it.
    let no = |reason| Verb::Reject { reason, note: "no \u{1b}[2J\nneed".into() };
    // Approved by one; by two; rejected whole; put off; changed; undone, passed on and given back.
    bench.approve("ari", &all[0][0]).await.unwrap();
    bench.approve("dan", &all[1][0]).await.unwrap();
    bench.approve("fay", &all[1][0]).await.unwrap();
    bench.decide("ari", &all[2][0], no(RejectReason::NotReal)).await.unwrap();
    let until = "2026-10-11".parse().unwrap();
    bench.decide("ari", &all[3][0], Verb::Snooze { until, wake: WakeCondition::Grew }).await.unwrap();
    let fewer = Action::Transfer {
        item: ItemId::new("7case-5"),
        from: LocationId::new("1"),
        to: LocationId::new("2"),
        quantity: Quantity::units(30),
        ship_on: "2026-10-09".parse().unwrap(),
    };
    bench.decide("pia", &all[4][0], Verb::Edit { step: 1, action: Box::new(fewer) }).await.unwrap();
    bench.approve("ari", &all[5][0]).await.unwrap();
    bench.decide("ari", &all[5][0], Verb::Undo).await.unwrap();
    let forward = Verb::Forward { to: PersonId::new("fay"), note: "you know them".into() };
    bench.decide("ari", &all[5][0], forward).await.unwrap();
    bench.decide("fay", &all[5][0], Verb::Return { note: String::new() }).await.unwrap();

    let (pia, fay) = (PersonId::new("ari"), PersonId::new("dan"));
    let day = |text: &str| text.parse().unwrap();
    bench.it.delegate(&pia, &fay, (day("2026-10-08"), day("2026-10-12")), "away", "web").await.unwrap();
    let request = MuteRequest {
        person: PersonId::new("ari"),
        channel: "web".into(),
        code: crate::domain::exception::ExceptionType::RShort,
        scope: "item:99".parse().unwrap(),
        until: day("2026-10-12"),
        reason: "noise".into(),
    };
    mute(&bench.it.store, &bench.it.config, &bench.it.clock, &request).await.unwrap();
    let identities = Identities {
        store: bench.it.store.clone(),
        config: std::sync::Arc::clone(&bench.it.config),
        clock: bench.it.clock.clone(),
    };
    let by = By { actor: "ari", channel: "web" };
    let scopes = ["read:cases".parse().unwrap()];
    identities.new_token(crate::store::TokenOwner::Person("ari".into()), "dashboards", &scopes, 30, by).await.unwrap();
    let user = ChatUser::new(ChatChannel::Slack, "T0123456", "U0123456").unwrap();
    let link = identities.link(&pia, &user, by).await.unwrap();
    identities.accept(&link.id, &pia, by).await.unwrap();
    bench
}

#[tokio::test]
async fn what_people_did_through_reeve_agrees_with_the_log() {
    on_each(|store| async move {
        let bench = lived_in(store).await;
        assert_eq!(said(&bench.it.store).await, Vec::<String>::new());
        // Snoozes end, undo windows pass, what waits expires.
        for _ in 0..6 {
            bench.later(24 * 60);
            bench.it.remind_and_expire().await.unwrap();
            assert_eq!(said(&bench.it.store).await, Vec::<String>::new());
        }
    })
    .await;
}

#[tokio::test]
async fn a_row_that_was_changed_past_reeve_is_named_with_what_the_log_says() {
    // What is done to the table, which row is named, and what both say.
    let tampered: &[(&str, [&str; 3])] = &[
        (
            "delete from decisions where person = 'dan' and verb = 'approve'",
            ["decision on recommendation", "approve by dan", "gone"],
        ),
        (
            "update decisions set person = 'eve' where person = 'fay' and verb = 'approve'",
            ["decision key-", "\"fay\"", "\"eve\""],
        ),
        (
            "update decisions set value_minor = 1 where verb = 'approve' and person = 'dan'",
            ["decision key-", "\"2000000\"", "\"1\""],
        ),
        ("update decisions set content_hash = 'x' where verb = 'reject'", ["decision key-", "content", "\"x\""]),
        ("update decisions set reason = 'policy' where verb = 'reject'", ["decision key-", "\"not-real\"", "\"policy\""]),
        ("update decisions set note = 'approved' where verb = 'reject'", ["decision key-", "note", "\"approved\""]),
        ("update decisions set at = at + 60000 where verb = 'snooze'", ["decision key-", "time", "2026-10-08T08:01:00Z"]),
        ("update decisions set verb = 'approve' where verb = 'reject'", ["decision key-", "\"reject\"", "\"approve\""]),
        ("update decisions set case_id = 'case-6' where verb = 'reject'", ["decision key-", "\"case-3\"", "\"case-6\""]),
        (
            "update decisions set body = replace(body, ',\"verb\":', ',\"on_behalf_of\":[\"ari\"],\"verb\":') where person = 'fay' and verb = 'approve'",
            ["decision key-", "\"[]\"", "ari"],
        ),
        (
            "insert into decisions select 'forged', case_id, recommendation_id, 'eve', 'undo', content_hash, reason, note, \
             value_minor, at, body from decisions where verb = 'snooze'",
            ["decision forged", "nothing of it", "it is there"],
        ),
        (
            "update recommendations set state = 'approved' where state = 'signed' or state = 'queued'",
            ["recommendation r-", "one thing", "column"],
        ),
        (
            "update recommendations set state = 'approved', body = replace(body, '\"state\":{\"state\":\"rejected\"', '\"state\":{\"state\":\"approved\"') \
             where state = 'rejected'",
            ["comparing recommendations", "recommendations", "damaged"],
        ),
        (
            "update recommendations set state = 'superseded', body = replace(body, '\"state\":{\"state\":\"rejected\"', \
          '\"state\":{\"state\":\"superseded\"') where state = 'rejected'",
            ["recommendation r-", "rejected by ari", "superseded"],
        ),
        ("update recommendations set value_minor = 1 where state = 'approved'", ["recommendation r-", "one thing", "\"1\""]),
        (
            "update recommendations set value_minor = 1, body = replace(body, '\"value\":50000', '\"value\":1') where state = 'approved'",
            ["recommendation r-", "value \"50000\"", "\"1\""],
        ),
        (
            "update recommendations set body = replace(body, '\"ari\"', '\"eve\"') where state = 'approved'",
            ["recommendation r-", "approved by ari", "approved, eve"],
        ),
        (
            "update cases set state = 'closed' where state = 'decided'",
            ["case case-", "one thing", "\"closed\" in its column"],
        ),
        (
            "update cases set state = 'closed', body = replace(body, '{\"state\":\"decided\"', '{\"state\":\"closed\"') where state = 'decided'",
            ["case case-1", "\"decided\"", "\"closed\""],
        ),
        ("update delegations set to_person = 'eve'", ["delegation d-", "one thing", "eve"]),
        (
            "update delegations set to_person = 'eve', body = replace(body, '\"dan\"', '\"eve\"')",
            ["delegation d-", "\"dan\"", "\"eve\""],
        ),
        (
            "update delegations set ends = '2026-12-31', body = replace(body, '2026-10-12', '2026-12-31')",
            ["delegation d-", "2026-10-12", "2026-12-31"],
        ),
        (
            "update delegations set revoked_at = 1, body = replace(body, '\"revoked_at\":null', '\"revoked_at\":\"2026-10-09T00:00:00Z\"')",
            ["delegation d-", "it holds", "it has ended"],
        ),
        ("delete from delegations", ["delegation d-", "it was made", "gone"]),
        (
            "update mutes set until_day = '2027-01-01', body = replace(body, '2026-10-12', '2027-01-01')",
            ["mute ", "2026-10-12", "2027-01-01"],
        ),
        ("delete from mutes", ["mute ", "it was made", "gone"]),
        ("update api_tokens set scopes = 'decide'", ["token ", "\"read:cases\"", "\"decide\""]),
        ("update api_tokens set owner = 'eve'", ["token ", "\"ari\"", "\"eve\""]),
        ("update api_tokens set hash = 'mine'", ["token ", "hash", "mine"]),
        ("update api_tokens set hand = 'own'", ["token ", "hand", "own"]),
        ("update api_tokens set expires_at = expires_at + 86400000", ["token ", "expires_at", "2026"]),
        ("update identities set person = 'eve'", ["link l-", "nothing of it", "it holds"]),
        ("update identities set user_id = 'U9999999'", ["link l-", "nothing of it", "it holds"]),
        ("update identities set state = 'revoked'", ["link of ari to chat:slack", "it holds", "gone"]),
        ("update outbox set body = replace(body, '40', '41')", ["message ", "words with the hash", "hash"]),
    ];
    on_each(|store| async move {
        let bench = lived_in(store).await;
        let store = &bench.it.store;
        let before = store.kept_rows().await;
        for (sql, expected) in tampered {
            store.past_reeve(sql).await;
            let found = match compare(store).await {
                Ok(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
                Err(error) => format!("{error:#}"),
            };
            assert!(!found.is_empty(), "nobody notices: {sql}");
            let one = found.lines().any(|line| expected.iter().all(|part| line.contains(part)));
            assert!(one, "{sql}: {expected:?} are not in\n{found}");
            store.put_rows(&before).await;
            assert_eq!(said(store).await, Vec::<String>::new(), "as it was before: {sql}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_stop_that_was_lifted_or_made_past_reeve_is_found() {
    on_each(|store| async move {
        let bench = lived_in(store).await;
        let (store, config, clock) = (&bench.it.store, &bench.it.config, &bench.it.clock);
        let ari = PersonId::new("ari");
        stop::stop(store, config, clock, (&ari, "web"), "wrong prices").await.unwrap();
        assert_eq!(said(store).await, Vec::<String>::new());
        store.past_reeve("update stops set resumed_at = 1").await;
        let found = said(store).await.join("\n");
        assert!(found.starts_with("stop of all work: the log says stopped by \"ari\""), "{found}");
        store.past_reeve("update stops set resumed_at = null").await;
        stop::resume(store, config, clock, (&ari, "web"), "").await.unwrap();
        assert_eq!(said(store).await, Vec::<String>::new());
        store.past_reeve("update stops set resumed_at = null").await;
        assert_eq!(said(store).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn whoever_may_only_read_can_hold_the_tables_against_the_log() {
    on_each_at(|store, url| async move {
        let bench = lived_in(store).await;
        let store = &bench.it.store;
        let reads_as = if store.is_postgres() {
            let role = format!("reeve_reads_{}", std::process::id());
            let schema = url.rsplit('=').next().unwrap();
            store
                .statements(&[
                    &format!("drop role if exists {role}"),
                    &format!("create role {role} login password 'reads'"),
                    &format!("grant usage on schema {schema} to {role}"),
                    &format!("grant select on all tables in schema {schema} to {role}"),
                ])
                .await;
            let (scheme, rest) = url.split_once("://").unwrap();
            format!("{scheme}://{role}:reads@{}", rest.split_once('@').unwrap().1)
        } else {
            url
        };
        let reader = Store::open_to_read(&reads_as).await.unwrap();
        assert!(reader.verify_audit().await.is_ok());
        assert_eq!(reader.missing_guards().await.unwrap(), Vec::<String>::new());
        assert_eq!(said(&reader).await, Vec::<String>::new());
        let name = "update decisions set person = 'eve' where verb = 'reject'";
        store.past_reeve(name).await;
        assert_eq!(said(&reader).await.len(), 1);
        reader.close().await;
        if store.is_postgres() {
            let role = format!("reeve_reads_{}", std::process::id());
            store.statements(&[&format!("drop owned by {role}"), &format!("drop role {role}")]).await;
        }
    })
    .await;
}
