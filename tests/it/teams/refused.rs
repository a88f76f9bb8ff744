//! What is forged, replayed, late, too large, or from elsewhere changes nothing.

use std::time::Duration;

use reeve_testing::teams::{Claims, Fault, Signed, Signer, TENANT};
use serde_json::{Value, json};

use super::bench::{ARI, Bench, EVE, FAY};

async fn nothing_changed(bench: &Bench, what: &str) {
    bench.inbox.work_off().await.unwrap();
    assert_eq!((bench.decisions().await, bench.state_of_first().await), (0, "queued".to_owned()), "{what}");
}

fn with(value: &Value, pointer: &str, to: Value) -> Value {
    let mut changed = value.clone();
    *changed.pointer_mut(pointer).unwrap_or_else(|| panic!("there is no {pointer}")) = to;
    changed
}

#[tokio::test]
async fn what_is_not_signed_by_teams_for_this_bot_and_now_is_refused() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let click = bench.teams.press(ARI, &card, "reeve.approve", &[]);
    let (now, service) = (bench.seconds(), bench.teams.service());
    let good = || Claims::good(&service, now);
    let changed = |change: &dyn Fn(&mut Claims)| {
        let mut claims = good();
        change(&mut claims);
        Signed::with(&claims, &click)
    };
    let claim = |name: &str, value: Value| changed(&|it: &mut Claims| it.claims[name] = value.clone());
    let without = |name: &str| {
        changed(&|it: &mut Claims| {
            it.claims.as_object_mut().unwrap().remove(name);
        })
    };
    let mut table = vec![
        ("no signature", changed(&|it| it.header["alg"] = "none".into()), 401),
        ("signed with the public key", changed(&|it| it.header["alg"] = "HS256".into()), 401),
        ("another algorithm of the same key", changed(&|it| it.header["alg"] = "RS512".into()), 401),
        ("another key under the name of Teams'", changed(&|it| it.signer = Signer::Stranger), 401),
        (
            "a key that nobody tells of",
            changed(&|it| (it.signer, it.header["kid"]) = (Signer::Stranger, Signer::Stranger.kid().into())),
            401,
        ),
        (
            "a key for another channel",
            changed(&|it| (it.signer, it.header["kid"]) = (Signer::Elsewhere, Signer::Elsewhere.kid().into())),
            403,
        ),
        ("no key named", changed(&|it| it.header = json!({ "alg": "RS256", "typ": "JWT" })), 401),
        ("by somebody else", claim("iss", json!("https://sts.windows.net/x/")), 401),
        ("by Teams among others", claim("iss", json!(["https://api.botframework.com"])), 401),
        ("for another bot", claim("aud", json!("22222222-2222-3333-4444-555555555555")), 401),
        ("for this bot among others", claim("aud", json!([reeve_testing::teams::APP_ID, "x"])), 401),
        ("expired", claim("exp", json!(now - 301)), 401),
        ("from the future", claim("nbf", json!(now + 301)), 401),
        ("an end that is text", claim("exp", json!("never")), 401),
        ("without an end", without("exp"), 401),
        ("without a beginning", without("nbf"), 401),
        ("without an issuer", without("iss"), 401),
        ("for nobody", without("aud"), 401),
        ("without a service", without("serviceurl"), 401),
        ("for another service", claim("serviceurl", json!("https://smba.trafficmanager.net/emea/")), 403),
        ("without a token", Signed { headers: vec![], body: click.to_string() }, 401),
        ("a token that is none", replaced(&changed(&|_| {}), "Bearer abc"), 401),
        ("another scheme", replaced(&changed(&|_| {}), "Basic abc"), 401),
    ];
    let mut twice = changed(&|_| {});
    twice.headers.push(twice.headers.iter().find(|(name, _)| name == "authorization").unwrap().clone());
    table.push(("two tokens", twice, 401));
    let mut cut = changed(&|_| {});
    let token = &mut cut.headers.iter_mut().find(|(name, _)| name == "authorization").unwrap().1;
    token.truncate(token.len() - 2);
    table.push(("a cut signature", cut, 401));
    let large = with(&click, "/from/name", json!("a".repeat(300 * 1024)));
    table.push(("oversized", Signed::with(&good(), &large), 413));
    table.push(("no JSON", Signed { body: "{".to_owned(), ..changed(&|_| {}) }, 400));
    table.push(("no activity", Signed { body: "[]".to_owned(), ..changed(&|_| {}) }, 400));
    let evil = with(&click, "/serviceUrl", json!("https://smba.evil.example/"));
    let signed_evil = Signed::with(&Claims::good("https://smba.evil.example/", now), &evil);
    table.push(("a service that the token may not go to", signed_evil, 403));
    for (what, signed, status) in table {
        assert_eq!(bench.post(&signed).await.status, status, "{what}");
        nothing_changed(&bench, what).await;
    }
    assert_eq!(bench.world.store.count_chat_waiting().await.unwrap(), 0);
    // Within five minutes on either side it is taken.
    assert_eq!(bench.post(&claim("exp", json!(now - 299))).await.status, 200);
    assert_eq!(bench.decisions().await, 1);
}

fn replaced(signed: &Signed, authorization: &str) -> Signed {
    let mut changed = signed.clone();
    changed.headers.retain(|(name, _)| name != "authorization");
    changed.headers.push(("authorization".to_owned(), authorization.to_owned()));
    changed
}

#[tokio::test]
async fn what_comes_from_elsewhere_or_is_about_something_else_changes_nothing() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let click = bench.teams.press(ARI, &card, "reeve.approve", &[]);
    let press = |field: &str, to: Value| with(&click, &format!("/value/action/data/reeve/{field}"), to);
    let both = |verb: &str| {
        let changed = with(&click, "/value/action/verb", json!(format!("reeve.{verb}")));
        with(&changed, "/value/action/data/reeve/v", json!(verb))
    };
    let no_tenant = with(&with(&click, "/conversation/tenantId", json!("")), "/channelData/tenant/id", json!(""));
    let table = [
        (
            "another directory",
            with(&click, "/conversation/tenantId", json!("00000000-0000-0000-0000-000000000000")),
            403,
            "",
        ),
        ("another directory inside", with(&click, "/channelData/tenant/id", json!("00000000-0000")), 403, ""),
        ("no directory", no_tenant, 403, ""),
        ("another channel", with(&click, "/channelId", json!("webchat")), 403, ""),
        ("an unknown user", with(&click, "/from/aadObjectId", json!(EVE)), 200, "does not know who you are"),
        ("no user", with(&click, "/from/aadObjectId", json!("")), 200, "nobody in the directory"),
        ("an unknown case", press("r", json!("r-unknown")), 200, "knows nothing of this card"),
        ("an id that is none", press("r", json!("'; drop table cases")), 200, "knows nothing of this card"),
        ("another content", press("h", json!("0".repeat(64))), 200, "the facts changed"),
        ("a verb that its data does not have", press("v", json!("reject")), 200, "no button of Reeve's"),
        ("a verb of nothing", both("drill"), 200, "no button of Reeve's"),
        ("a merge", both("merge"), 200, "no button of Reeve's"),
        ("data that is none", with(&click, "/value/action/data", json!("R-1042:3")), 200, "no button of Reeve's"),
        ("no action", with(&click, "/value", json!({})), 200, "no button of Reeve's"),
        ("a button of another app", with(&click, "/value/action/verb", json!("rec.approve")), 200, "no button of Reeve's"),
        ("another invoke", with(&click, "/name", json!("task/fetch")), 200, "does not have"),
    ];
    for (n, (what, activity, status, says)) in table.into_iter().enumerate() {
        // Each is a press of its own.
        let activity = with(&activity, "/id", json!(format!("f:{n}")));
        let answer = bench.tell_bot(&activity).await;
        assert_eq!(answer.status, status, "{what}");
        assert!(answer.body.contains(says), "{what}: {}", answer.body);
        if status == 200 {
            let said: Value = serde_json::from_str(&answer.body).unwrap();
            assert!(said["value"].is_string() || said["value"]["message"].is_string(), "{what}: never empty: {said}");
        }
        nothing_changed(&bench, what).await;
    }
}

#[tokio::test]
async fn what_is_not_known_is_taken_and_nothing_follows() {
    let bench = Bench::new().await;
    let said = bench.teams.write(ARI, "queue");
    for (what, activity) in [
        ("an event", with(&said, "/type", json!("event"))),
        ("a type of tomorrow", with(&said, "/type", json!("quotedReply"))),
        ("no type", with(&said, "/type", json!(null))),
        ("a reaction", with(&said, "/type", json!("messageReaction"))),
        ("entities that are none", {
            let mut activity = said.clone();
            activity["entities"] = json!([null, 7, { "type": "ProductInfo" }, { "type": "mention" }]);
            activity["type"] = "typing".into();
            activity
        }),
        ("a text that is none", with(&with(&said, "/text", json!({ "x": 1 })), "/type", json!("messageUpdate"))),
        ("a conversation that is none", with(&with(&said, "/type", json!("conversationUpdate")), "/from", json!([]))),
        ("an installation of tomorrow", with(&said, "/type", json!("installationUpdate"))),
    ] {
        let answer = bench.tell_bot(&activity).await;
        assert_eq!((answer.status, &*answer.body), (200, ""), "{what}");
        assert_eq!(bench.inbox.work_off().await.unwrap(), 0, "{what}");
    }
}

#[tokio::test]
async fn a_press_on_what_has_changed_since_and_a_link_that_ended_are_refused() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let filled = [("field.quantity", json!(30)), ("field.date", json!("2026-10-09"))];
    bench.press(ARI, &card, "reeve.edit", &filled).await;
    assert_eq!(bench.decisions().await, 1);
    // The card as it was before the edit.
    let said = bench.press(FAY, &card, "reeve.approve", &[]).await;
    assert!(said.contains("the facts changed"), "{said}");
    let newer = bench.card().await;
    assert!(newer.shown().to_lowercase().contains("edited by ari approver"), "{}", newer.shown());
    bench.later(Duration::from_hours(24 * 400));
    let said = bench.press(FAY, &newer, "reeve.approve", &[]).await;
    assert!(said.contains("ended on"), "{said}");
    assert_eq!(bench.decisions().await, 1);
}

#[tokio::test]
async fn an_input_named_like_a_buttons_data_decides_nothing_else() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let other = json!({ "v": "reject", "r": "r-other", "h": "0".repeat(64), "n": 1 });
    let filled = [("field.reason", json!("not-real")), ("reeve", other)];
    let said = bench.press(ARI, &card, "reeve.reject", &filled).await;
    assert!(said.contains("knows nothing of this card"), "{said}");
    nothing_changed(&bench, "an input in the place of a press").await;
}

#[tokio::test]
async fn a_key_is_asked_for_once_a_day_and_not_for_each_that_nobody_has() {
    let bench = Bench::new().await;
    let said = bench.teams.write(ARI, "help");
    let (now, service) = (bench.seconds(), bench.teams.service());
    let asked = || bench.teams.calls("keys").len();
    let before = asked();
    let with_key = |signer: Signer, seconds: i64| {
        let mut claims = Claims::good(&service, seconds);
        (claims.signer, claims.header["kid"]) = (signer, signer.kid().into());
        Signed::with(&claims, &said)
    };
    for _ in 0..20 {
        assert_eq!(bench.post(&with_key(Signer::Stranger, now)).await.status, 401);
    }
    assert!(asked() <= before + 1, "a storm of keys that nobody has asks once");
    // Teams changes its keys.
    bench.teams.tell_of(&[Signer::Teams, Signer::Stranger]);
    bench.later(Duration::from_mins(6));
    let told = asked();
    assert_eq!(bench.post(&with_key(Signer::Stranger, bench.seconds())).await.status, 200);
    assert_eq!(bench.post(&with_key(Signer::Stranger, bench.seconds())).await.status, 200);
    assert_eq!(asked(), told + 1, "a new key is found, and kept");
    // The directory is away for a while, then for too long.
    bench.later(Duration::from_hours(25));
    for _ in 0..3 {
        bench.teams.fail("metadata", Fault::Status(503));
    }
    assert_eq!(bench.post(&with_key(Signer::Teams, bench.seconds())).await.status, 200);
    bench.later(Duration::from_hours(24));
    assert_eq!(bench.post(&with_key(Signer::Teams, bench.seconds())).await.status, 503);
    bench.later(Duration::from_mins(1));
    assert_eq!(bench.post(&with_key(Signer::Teams, bench.seconds())).await.status, 503);
    bench.later(Duration::from_mins(1));
    assert_eq!(bench.post(&with_key(Signer::Teams, bench.seconds())).await.status, 200);
    // A key that Teams has taken back is good for nothing.
    bench.teams.tell_of(&[Signer::Teams]);
    bench.later(Duration::from_hours(25));
    assert_eq!(bench.post(&with_key(Signer::Stranger, bench.seconds())).await.status, 401);
}

#[tokio::test]
async fn the_bot_says_nothing_to_a_directory_that_is_not_its_own() {
    let bench = Bench::new().await;
    let before = bench.teams.posted().len();
    let activity = with(&bench.teams.write(EVE, "queue"), "/conversation/tenantId", json!(TENANT.replace('9', "8")));
    assert_eq!(bench.tell_bot(&activity).await.status, 403);
    bench.inbox.work_off().await.unwrap();
    assert_eq!(bench.teams.posted().len(), before);
}
