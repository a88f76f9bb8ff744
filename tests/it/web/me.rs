//! `/me` over real HTTP: what one sees of oneself, what others did in one's name, and how to end it.

use std::sync::Arc;

use reeve::channels::web::{LinkFor, sign_in_link};
use reeve::config::Config;
use reeve::domain::ids::PersonId;
use reeve::domain::policy::Role;
use reeve::people::{By, ChatChannel, ChatUser, Identities, Scope};
use reeve::store::TokenOwner;

use super::http::{Visitor, send};
use super::world::World;

const ADMIN: By<'_> = By { actor: "dan", channel: "cli" };
const BANNER: &str = "Something was done in your name";

fn identities(world: &World) -> Identities {
    let config = Arc::new(Config::load_from(None, &[]).unwrap());
    Identities { store: world.store.clone(), config, clock: world.clock.clone() }
}

fn slack(user: &str) -> ChatUser {
    ChatUser::new(ChatChannel::Slack, "T1", user).unwrap()
}

/// The CSRF token of the page's forms.
async fn csrf(who: &Visitor<'_>) -> String {
    let page = who.get("/me").await.body;
    page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

async fn act(who: &Visitor<'_>, what: &str, id: &str) -> super::http::Answer {
    let csrf = csrf(who).await;
    who.post("/me", &[("csrf", &csrf), ("do", what), ("id", id)]).await
}

#[tokio::test]
async fn a_code_is_shown_once_and_binds_the_chat_it_is_typed_in() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let answer = act(&ari, "code", "slack").await;
    assert_eq!(answer.status, 200);
    let code = answer.body.split("<code class=\"big\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert_eq!(code.len(), 19, "{code}");
    let page = ari.get("/me").await.body;
    assert!(!page.contains(&code) && page.contains("waits for its code"), "{page}");
    for screen in ["/audit", "/health"] {
        assert!(!ari.get(screen).await.body.contains(&code), "{screen}");
    }
    identities(&world).confirm(&slack("U1"), &code).await.unwrap();
    let page = ari.get("/me").await.body;
    assert!(
        page.contains("slack · T1 · U1") && page.contains("linked until 2027-04-07") && !page.contains(BANNER),
        "{page}"
    );
    let id = world.store.list_identities(None).await.unwrap().remove(0).id;
    // Nobody ends somebody else's.
    let fay = Visitor::sign_in(&world, "fay").await;
    assert_eq!(act(&fay, "unlink", &id).await.status, 409);
    assert_eq!(act(&ari, "unlink", &id).await.status, 200);
    assert!(identities(&world).resolve(&slack("U1"), world.clock.now()).await.is_err());
    assert_eq!(act(&ari, "unlink", &id).await.status, 409, "twice");
    assert_eq!(act(&ari, "code", "telegram").await.status, 400);
}

#[tokio::test]
async fn what_somebody_else_did_in_one_s_name_is_said_on_every_page_until_it_was_seen() {
    let world = World::new().await;
    let (ids, ari) = (identities(&world), Visitor::sign_in(&world, "ari").await);
    let asked = ids.link(&PersonId::new("ari"), &slack("U1"), ADMIN).await.unwrap();
    for screen in ["/", "/audit", "/me", "/cases/c-00112233aabbccdd"] {
        assert!(ari.get(screen).await.body.contains(BANNER), "{screen}");
    }
    let page = ari.get("/me").await.body;
    assert!(
        page.contains("linked by somebody at the command line in the name of Dan Director on 2026-10-09")
            && page.contains("waits for your yes"),
        "{page}"
    );
    let fay = Visitor::sign_in(&world, "fay").await;
    assert!(!fay.get("/").await.body.contains(BANNER), "it is not Fay's");
    assert_eq!(act(&fay, "accept", &asked.id).await.status, 409, "and not hers to accept");
    assert_eq!(act(&ari, "accept", &asked.id).await.status, 200);
    assert_eq!(ids.resolve(&slack("U1"), world.clock.now()).await.unwrap(), PersonId::new("ari"));
    assert!(ari.get("/").await.body.contains(BANNER), "linked by somebody else: still to be seen");
    assert_eq!(act(&ari, "told", "").await.status, 303);
    assert!(!ari.get("/").await.body.contains(BANNER));

    let owner = TokenOwner::Person("ari".to_owned());
    let made = ids.new_token(owner, "flow", &["decide".parse::<Scope>().unwrap()], 30, ADMIN).await.unwrap();
    let page = ari.get("/me").await.body;
    assert!(
        page.contains(BANNER)
            && page.contains("made by somebody at the command line in the name of Dan Director")
            && page.contains(">decides<"),
        "{page}"
    );
    assert!(!page.contains(&made.shown) && !page.contains(&made.row.hash), "{page}");
    assert_eq!(act(&fay, "revoke", &made.row.id).await.status, 409);
    assert!(ids.bearer(&made.shown).await.is_ok());
    assert_eq!(act(&ari, "revoke", &made.row.id).await.status, 200);
    assert!(ids.bearer(&made.shown).await.is_err());
    world.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn a_sign_in_link_made_by_command_is_told_to_whom_it_lets_in() {
    let world = World::new().await;
    let (fay, ari) = (Visitor::sign_in(&world, "fay").await, Visitor::sign_in(&world, "ari").await);
    assert!(!fay.get("/").await.body.contains(BANNER), "a demo's own links are nothing to be told");
    let operator = world.store.clone().opened_by("eve (uid 1001)");
    let fay_id = PersonId::new("fay");
    let link = sign_in_link(&operator, &fay_id, &world.clock, &world.base, LinkFor::Person).await.unwrap();
    for screen in ["/", "/me"] {
        let page = fay.get(screen).await.body;
        assert!(page.contains(BANNER), "{screen}");
        assert!(
            page.contains("by eve (uid 1001) at the machine, in your name: a link to sign in as you was made"),
            "{screen}: {page}"
        );
    }
    assert!(!ari.get("/").await.body.contains(BANNER), "it is not Ari's");
    // It does not go with the link: whoever has used it can not hide it so.
    let body = format!("token={}", link.split_once("token=").unwrap().1);
    let form = ("content-type", "application/x-www-form-urlencoded");
    assert_eq!(send(&world, "POST", "/sign-in", &[form], &body).await.status, 303);
    world.clock.set(world.clock.now().checked_add(jiff::SignedDuration::from_mins(31)).unwrap());
    let fay = Visitor::sign_in(&world, "fay").await;
    assert!(fay.get("/").await.body.contains(BANNER));
    assert_eq!(act(&fay, "told", "").await.status, 303);
    let page = fay.get("/").await.body;
    assert!(!page.contains(BANNER) && !page.contains("eve (uid 1001)"), "{page}");
    let log = world.store.list_audit_of("person:fay").await.unwrap();
    let made: Vec<_> = log.iter().filter(|e| e.entry.action == "person.sign_in_link_made").map(|e| &e.entry).collect();
    assert!(made.iter().all(|e| (e.actor.as_str(), e.channel.as_str()) == ("cli", "cli")), "{made:?}");
    assert_eq!((&made[0].detail["made_for"], &made[0].detail["os_user"]), (&"the demo".into(), &serde_json::Value::Null));
    assert_eq!(made[1].detail["os_user"], "eve (uid 1001)");
}

#[tokio::test]
async fn other_sessions_can_be_ended_and_this_one_stays() {
    let world = World::new().await;
    let (here, there) = (Visitor::sign_in(&world, "ari").await, Visitor::sign_in(&world, "ari").await);
    let fay = Visitor::sign_in(&world, "fay").await;
    assert!(here.get("/me").await.body.contains("End other sessions"));
    assert!(!fay.get("/me").await.body.contains("End other sessions"));
    let unused = world.link("ari").await;
    assert_eq!(act(&here, "sessions", "").await.status, 200);
    assert_eq!((here.get("/").await.status, there.get("/").await.status, fay.get("/").await.status), (200, 303, 200));
    assert_eq!(send(&world, "GET", unused.strip_prefix(&world.base).unwrap(), &[], "").await.status, 403);
    let log = world.store.list_audit_of("person:ari").await.unwrap();
    assert_eq!(log.last().unwrap().entry.action, "person.other_sessions_ended");
}

#[tokio::test]
async fn a_form_that_is_forged_or_unknown_changes_nothing() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let stolen = csrf(&Visitor::sign_in(&world, "fay").await).await;
    for fields in [&[("do", "code"), ("id", "slack")][..], &[("csrf", stolen.as_str()), ("do", "code"), ("id", "slack")][..]]
    {
        assert_eq!(ari.post("/me", fields).await.status, 403);
    }
    let own = csrf(&ari).await;
    for (name, value) in [("person", "dan"), ("tier", "4"), ("by", "dan")] {
        let fields = [("csrf", own.as_str()), ("do", "code"), ("id", "slack"), (name, value)];
        assert_eq!(ari.post("/me", &fields).await.status, 400, "{name}");
    }
    assert_eq!(ari.post("/me", &[("csrf", &own), ("do", "promote")]).await.status, 400);
    assert!(world.store.list_identities(None).await.unwrap().is_empty());
    assert_eq!(send(&world, "GET", "/me", &[], "").await.header("location"), "/sign-in");
}

#[tokio::test]
async fn a_viewer_sees_everything_and_can_do_nothing() {
    let mut config = Config::load_from(None, &[]).unwrap();
    for person in &mut config.people {
        if person.id.as_str() == "pia" {
            person.roles = vec![Role::Viewer];
        } else if person.id.as_str() == "dan" {
            person.roles = vec![Role::Admin];
        }
    }
    let world = World::of(config).await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let stolen = ari.form("approve").await;
    for person in ["pia", "dan"] {
        let who = Visitor::sign_in(&world, person).await;
        let page = who.get("/cases/c-00112233aabbccdd").await.body;
        assert!(page.contains("TRANSFER") && page.contains("Evidence"), "{page}");
        assert!(!page.contains("name=\"verb\"") && page.contains("can not decide it"), "{page}");
        let me = who.get("/me").await.body;
        assert!(me.contains("You see everything and decide nothing"), "{me}");
        // The form of somebody else, with one's own session's token.
        let mut form = stolen.clone();
        form.insert("csrf".to_owned(), csrf(&who).await);
        for verb in ["approve", "reject", "snooze", "undo", "edit"] {
            form.insert("verb".to_owned(), verb.to_owned());
            let more = [("reason", "not-real"), ("until", "2026-10-12"), ("quantity", "30")];
            assert_eq!(who.decide(&form, &more).await.status, 403, "{person} {verb}");
        }
    }
    assert!(world.store.list_decisions(jiff::Timestamp::MIN).await.unwrap().is_empty());
}

#[tokio::test]
async fn behind_https_the_cookie_is_this_host_s_and_never_goes_in_clear() {
    let mut config = Config::load_from(None, &[]).unwrap();
    config.web.base_url = "https://reeve.example".to_owned();
    let world = World::of(config).await;
    let link = world.link("ari").await;
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let proxied = [form, ("Host", "reeve.example"), ("Origin", "https://reeve.example")];
    let body = format!("token={}", link.split_once("token=").unwrap().1);
    let answer = send(&world, "POST", "/sign-in", &proxied, &body).await;
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("__Host-reeve_session=") && !cookie.contains("Domain"), "{cookie}");
    for part in ["; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let secret = cookie.split(';').next().unwrap();
    let host = ("Host", "reeve.example");
    assert_eq!(send(&world, "GET", "/me", &[host, ("Cookie", secret)], "").await.status, 200);
    // Under the other name, which any site of the domain could set, it is not taken.
    let tossed = secret.replace("__Host-", "");
    assert_eq!(send(&world, "GET", "/me", &[host, ("Cookie", &tossed)], "").await.status, 303);
    assert_eq!(send(&world, "GET", "/me", &[("Host", "evil.example"), ("Cookie", secret)], "").await.status, 403);
}
