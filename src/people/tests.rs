//! What nobody can do: be taken for somebody else, guess, replay, use what has ended, or decide as a machine.

use std::future::Future;
use std::sync::Arc;

use jiff::SignedDuration;

use super::*;
use crate::domain::decision::DecisionVerb;
use crate::domain::hand::Hand;
use crate::store::testing::on_each;
use crate::store::{IdentityRow, IdentityState, StoreError, TokenOwner};

const PAGE: By<'_> = By { actor: "ari", channel: "web" };
const ADMIN: By<'_> = By { actor: "adm", channel: "cli" };

/// Runs a test on every database, with the default people and a clock of its own.
async fn each<F, Fut>(test: F)
where
    F: Fn(Identities) -> Fut,
    Fut: Future<Output = ()>,
{
    on_each(|store| {
        let config = Arc::new(Config::load_from(None, &[]).unwrap());
        let clock = Clock::standing_at("2026-10-09T06:30:00Z".parse().unwrap());
        test(Identities { store, config, clock })
    })
    .await;
}

fn id(person: &str) -> PersonId {
    PersonId::new(person)
}

fn slack(user: &str) -> ChatUser {
    ChatUser::new(ChatChannel::Slack, "T0001", user).unwrap()
}

fn later(identities: &Identities, by: SignedDuration) {
    identities.clock.set(identities.clock.now().checked_add(by).unwrap());
}

async fn code(identities: &Identities, person: &str) -> String {
    let by = By { actor: person, channel: "web" };
    identities.invite(&id(person), ChatChannel::Slack, by).await.unwrap().code
}

async fn who(identities: &Identities, user: &str) -> Result<PersonId, IdentityRefused> {
    identities.resolve(&slack(user), identities.clock.now()).await
}

async fn actions(identities: &Identities) -> Vec<String> {
    identities.store.verify_audit().await.unwrap();
    identities.store.list_audit(0, 100).await.unwrap().into_iter().map(|e| e.entry.action).collect()
}

/// The code with one letter of its secret part changed.
fn wrong(code: &str) -> String {
    let last = if code.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &code[..code.len() - 1])
}

#[tokio::test]
async fn a_code_typed_in_a_chat_binds_it_to_whoever_asked_for_it() {
    each(|ids| async move {
        assert!(matches!(who(&ids, "U1").await, Err(IdentityRefused::NotLinked)));
        let code = code(&ids, "ari").await;
        assert!(matches!(who(&ids, "U1").await, Err(IdentityRefused::NotLinked)), "asking alone binds nobody");
        let row = ids.confirm(&slack("U1"), &code.to_lowercase()).await.unwrap();
        assert_eq!((row.person, row.user_id.as_str(), row.verified_by.as_str()), (id("ari"), "U1", "ari"));
        assert_eq!(who(&ids, "U1").await.unwrap(), id("ari"));
        // The same letters elsewhere are another user.
        for other in [
            slack("u1"),
            slack("U2"),
            ChatUser::new(ChatChannel::Slack, "T0002", "U1").unwrap(),
            ChatUser::new(ChatChannel::Teams, "T0001", "U1").unwrap(),
        ] {
            assert!(matches!(ids.resolve(&other, ids.clock.now()).await, Err(IdentityRefused::NotLinked)), "{other:?}");
        }
        assert_eq!(actions(&ids).await, ["identity.code_made", "identity.linked"]);
        assert_eq!(ids.store.count_untold(&id("ari")).await.unwrap(), 0, "what one does oneself one need not be told");
    })
    .await;
}

#[tokio::test]
async fn a_code_counts_once_and_for_a_quarter_of_an_hour() {
    each(|ids| async move {
        let first = code(&ids, "ari").await;
        ids.confirm(&slack("U1"), &first).await.unwrap();
        assert!(matches!(ids.confirm(&slack("U2"), &first).await, Err(IdentityRefused::WrongCode)), "replayed");
        let late = code(&ids, "pia").await;
        later(&ids, SignedDuration::from_mins(15));
        assert!(matches!(ids.confirm(&slack("U3"), &late).await, Err(IdentityRefused::WrongCode)), "too late");
        let replaced = code(&ids, "pia").await;
        let newer = code(&ids, "pia").await;
        assert!(matches!(ids.confirm(&slack("U3"), &replaced).await, Err(IdentityRefused::WrongCode)), "replaced");
        // A code for one channel is none for another.
        let teams = ChatUser::new(ChatChannel::Teams, "T0001", "U3").unwrap();
        assert!(matches!(ids.confirm(&teams, &newer).await, Err(IdentityRefused::WrongCode)));
        ids.confirm(&slack("U3"), &newer).await.unwrap();
        assert_eq!(who(&ids, "U3").await.unwrap(), id("pia"));
    })
    .await;
}

#[tokio::test]
async fn after_five_wrong_codes_nothing_is_compared_any_more() {
    each(|ids| async move {
        let code = code(&ids, "ari").await;
        // Each from another chat user, so that only the link's own count can stop it.
        for n in 0..5 {
            let refused = ids.confirm(&slack(&format!("U{n}")), &wrong(&code)).await;
            assert!(matches!(refused, Err(IdentityRefused::WrongCode)), "{n}: {refused:?}");
        }
        assert!(
            matches!(ids.confirm(&slack("U9"), &code).await, Err(IdentityRefused::WrongCode)),
            "the right one, too late"
        );
        assert!(matches!(who(&ids, "U9").await, Err(IdentityRefused::NotLinked)));
        let row = ids.store.list_identities(Some(&id("ari"))).await.unwrap().remove(0);
        assert_eq!((row.state, row.attempts, row.ended_why.as_str()), (IdentityState::Revoked, 5, "too many wrong codes"));
        assert_eq!(ids.store.count_untold(&id("ari")).await.unwrap(), 1, "the person is told that somebody guesses");
    })
    .await;
}

#[tokio::test]
async fn a_chat_user_who_guesses_is_stopped_whatever_they_guess() {
    each(|ids| async move {
        for n in 0..50 {
            let refused = ids.confirm(&slack("U1"), &format!("guess {n}")).await;
            assert_eq!(matches!(refused, Err(IdentityRefused::TooMany)), n >= 5, "{n}: {refused:?}");
        }
        let code = code(&ids, "ari").await;
        assert!(matches!(ids.confirm(&slack("U1"), &code).await, Err(IdentityRefused::TooMany)));
        let refused = |all: &[String], name: &str| all.iter().filter(|a| *a == name).count();
        let all = actions(&ids).await;
        assert_eq!((refused(&all, "identity.code_refused"), refused(&all, "identity.codes_stopped")), (5, 1));
        ids.confirm(&slack("U2"), &code).await.unwrap();
        later(&ids, SignedDuration::from_mins(15));
        let code = self::code(&ids, "pia").await;
        ids.confirm(&slack("U1"), &code).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn of_many_guesses_at_once_five_are_compared() {
    each(|ids| async move {
        let code = code(&ids, "ari").await;
        let mut guesses = tokio::task::JoinSet::new();
        for n in 0..20 {
            let (ids, guess) = (ids.clone(), wrong(&code));
            guesses.spawn(async move { ids.confirm(&slack(&format!("U{n}")), &guess).await });
        }
        assert!(guesses.join_all().await.iter().all(|guess| matches!(guess, Err(IdentityRefused::WrongCode))));
        let row = ids.store.list_identities(None).await.unwrap().remove(0);
        assert_eq!((row.state, row.attempts), (IdentityState::Revoked, 5));
    })
    .await;
}

#[tokio::test]
async fn of_two_who_type_the_same_code_at_once_one_is_bound() {
    each(|ids| async move {
        let code = code(&ids, "ari").await;
        let (one, two) = (slack("U1"), slack("U2"));
        let (a, b) = tokio::join!(ids.confirm(&one, &code), ids.confirm(&two, &code));
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1, "{a:?} {b:?}");
        let verified = |row: &&IdentityRow| row.state == IdentityState::Verified;
        assert_eq!(ids.store.list_identities(None).await.unwrap().iter().filter(verified).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_new_link_ends_the_old_ones_on_both_sides_and_whoever_loses_one_is_told() {
    each(|ids| async move {
        for (person, user) in [("ari", "U1"), ("pia", "U2")] {
            let code = code(&ids, person).await;
            ids.confirm(&slack(user), &code).await.unwrap();
        }
        // Ari takes over the chat user that was Pia's.
        let code = code(&ids, "ari").await;
        ids.confirm(&slack("U2"), &code).await.unwrap();
        assert_eq!(who(&ids, "U2").await.unwrap(), id("ari"));
        assert!(matches!(who(&ids, "U1").await, Err(IdentityRefused::Ended(_))));
        let lost = ids.store.list_identities(Some(&id("pia"))).await.unwrap().remove(0);
        assert_eq!((lost.state, lost.ended_by.as_str(), lost.told_at), (IdentityState::Revoked, "ari", None));
        assert_eq!(ids.store.count_untold(&id("pia")).await.unwrap(), 1);
        assert_eq!(ids.store.count_untold(&id("ari")).await.unwrap(), 0);
        ids.store.mark_told(&id("pia"), ids.clock.now()).await.unwrap();
        assert_eq!(ids.store.count_untold(&id("pia")).await.unwrap(), 0);
        let log = ids.store.list_audit_of("person:pia").await.unwrap();
        assert_eq!(log.last().unwrap().entry.action, "identity.unlinked");
        assert_eq!(log.last().unwrap().entry.detail["replaced_for"], "ari");
    })
    .await;
}

#[tokio::test]
async fn a_yes_does_not_wash_the_hand_of_the_command_that_asked() {
    each(|ids| async move {
        let by_command = Hand::MadeByCommand("adm (uid 1001)".to_owned());
        for (asked_by, chat, kept) in [(ADMIN, "U1", None), (PAGE, "U2", Some(Hand::Own))] {
            let asked = ids.link(&id("ari"), &slack(chat), asked_by).await.unwrap();
            let row = ids.accept_in(&asked.id, &id("ari"), PAGE, &Hand::Own).await.unwrap();
            match kept {
                Some(kept) => assert_eq!(row.hand, kept),
                None => assert!(matches!(row.hand, Hand::MadeByCommand(_)), "{:?}", row.hand),
            }
        }
        let asked = ids.link(&id("ari"), &slack("U3"), PAGE).await.unwrap();
        let row = ids.accept_in(&asked.id, &id("ari"), PAGE, &by_command).await.unwrap();
        assert_eq!(row.hand, by_command, "the stricter of the two");
    })
    .await;
}

#[tokio::test]
async fn what_an_administrator_links_waits_for_the_person_and_is_told_to_them() {
    each(|ids| async move {
        let asked = ids.link(&id("ari"), &slack("U1"), ADMIN).await.unwrap();
        assert!(matches!(who(&ids, "U1").await, Err(IdentityRefused::NotLinked)), "an administrator alone binds nobody");
        assert_eq!(ids.store.count_untold(&id("ari")).await.unwrap(), 1);
        // Somebody else's yes is no yes.
        let foreign = ids.accept(&asked.id, &id("pia"), By { actor: "pia", channel: "web" }).await;
        assert!(matches!(foreign, Err(IdentityRefused::Store(StoreError::NotFound { .. }))), "{foreign:?}");
        let row = ids.accept(&asked.id, &id("ari"), PAGE).await.unwrap();
        assert_eq!((row.made_by.as_str(), row.verified_by.as_str(), row.told_at), ("cli:adm", "ari", None));
        assert_eq!(who(&ids, "U1").await.unwrap(), id("ari"));
        let twice = ids.accept(&asked.id, &id("ari"), PAGE).await;
        assert!(matches!(twice, Err(IdentityRefused::Store(StoreError::NotFound { .. }))), "{twice:?}");
        let late = ids.link(&id("pia"), &slack("U2"), ADMIN).await.unwrap();
        later(&ids, SignedDuration::from_hours(24 * 7));
        assert!(ids.accept(&late.id, &id("pia"), By { actor: "pia", channel: "web" }).await.is_err());
        assert!(ids.link(&id("nobody"), &slack("U3"), ADMIN).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_code_s_link_can_not_be_accepted_on_the_page_without_the_code() {
    each(|ids| async move {
        let invitation = ids.invite(&id("ari"), ChatChannel::Slack, PAGE).await.unwrap();
        assert!(ids.accept(&invitation.id, &id("ari"), PAGE).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_link_ends_by_itself_when_taken_back_and_with_the_person() {
    each(|ids| async move {
        let code = code(&ids, "ari").await;
        let row = ids.confirm(&slack("U1"), &code).await.unwrap();
        let without = Config { people: vec![], ..(*ids.config).clone() };
        let gone = Identities { config: Arc::new(without), ..ids.clone() };
        assert!(matches!(who(&gone, "U1").await, Err(IdentityRefused::PersonGone)));
        let end = row.expires_at.unwrap();
        let just = end.checked_sub(SignedDuration::from_millis(1)).unwrap();
        assert_eq!(end.duration_since(ids.clock.now()), SignedDuration::from_hours(24 * 180));
        assert!(ids.resolve(&slack("U1"), just).await.is_ok());
        let expired = ids.resolve(&slack("U1"), end).await.unwrap_err();
        assert!(matches!(expired, IdentityRefused::Expired(_)) && expired.to_string().contains("/me"), "{expired}");
        let foreign = ids.unlink(&row.id, Some(&id("pia")), By { actor: "pia", channel: "web" }).await;
        assert!(foreign.is_err(), "{foreign:?}");
        ids.unlink(&row.id, Some(&id("ari")), PAGE).await.unwrap();
        assert!(matches!(who(&ids, "U1").await, Err(IdentityRefused::Ended(_))));
        assert!(ids.unlink(&row.id, None, ADMIN).await.is_err(), "twice");
    })
    .await;
}

#[test]
fn an_id_is_what_the_chat_tool_says_and_nothing_else() {
    let user = |channel, tenant: &str, user: &str| ChatUser::new(channel, tenant, user).is_ok();
    assert!(user(ChatChannel::Slack, "T1", "U1") && user(ChatChannel::Email, "", "a@x.example"));
    let long = "U".repeat(201);
    for (channel, tenant, id) in [
        (ChatChannel::Slack, "", "U1"),
        (ChatChannel::Slack, "T1", ""),
        (ChatChannel::Slack, "T1", "Ari Approver"),
        (ChatChannel::Slack, "T1", "U1\n"),
        (ChatChannel::Teams, "t t", "U1"),
        (ChatChannel::Teams, "T1", long.as_str()),
        (ChatChannel::Email, "T1", "a@x.example"),
        (ChatChannel::Email, "", "a"),
        (ChatChannel::Email, "", "@x.example"),
    ] {
        assert!(!user(channel, tenant, id), "{channel} {tenant:?} {id:?}");
    }
    let same = |text| ChatUser::new(ChatChannel::Email, "", text).unwrap();
    assert_eq!(same("A@X.example"), same("a@x.example"));
}

// ---- Tokens

fn owner(person: &str) -> TokenOwner {
    TokenOwner::Person(person.to_owned())
}

fn scopes(names: &[&str]) -> Vec<Scope> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

async fn token(ids: &Identities, of: TokenOwner, names: &[&str]) -> NewToken {
    ids.new_token(of, "for a test", &scopes(names), 30, ADMIN).await.unwrap()
}

#[tokio::test]
async fn a_token_is_its_owner_s_until_it_ends() {
    each(|ids| async move {
        let new = token(&ids, owner("ari"), &["decide", "read:cases"]).await;
        let bearer = ids.bearer(&new.shown).await.unwrap();
        assert_eq!((bearer.actor.as_str(), bearer.person.as_ref().map(|p| p.id.clone())), ("ari", Some(id("ari"))));
        assert_eq!(bearer.decider(DecisionVerb::Approve).unwrap().id, id("ari"));
        assert!(matches!(bearer.may(&Scope::ReadAudit), Err(TokenRefused::Scope(_))));
        assert!(bearer.may(&Scope::ReadCases).is_ok());
        let kept = ids.store.find_token(&new.row.id).await.unwrap().unwrap();
        let secret = new.shown.rsplit('_').next().unwrap();
        assert!(!format!("{kept:?}").contains(secret), "the secret is not kept");
        assert_eq!(kept.last_used_at, Some(ids.clock.now()));
        // A use within the same minute is not noted again.
        let first = ids.clock.now();
        later(&ids, SignedDuration::from_secs(59));
        ids.bearer(&new.shown).await.unwrap();
        assert_eq!(ids.store.find_token(&new.row.id).await.unwrap().unwrap().last_used_at, Some(first));
        later(&ids, SignedDuration::from_secs(1));
        ids.bearer(&new.shown).await.unwrap();
        assert_eq!(ids.store.find_token(&new.row.id).await.unwrap().unwrap().last_used_at, Some(ids.clock.now()));

        let without = Config { people: vec![], ..(*ids.config).clone() };
        let gone = Identities { config: Arc::new(without), ..ids.clone() };
        assert!(matches!(gone.bearer(&new.shown).await, Err(TokenRefused::OwnerGone)));
        ids.clock.set(new.row.expires_at);
        assert!(matches!(ids.bearer(&new.shown).await, Err(TokenRefused::Expired(_))));
        ids.revoke_token(&new.row.id, None, ADMIN).await.unwrap();
        assert!(matches!(ids.bearer(&new.shown).await, Err(TokenRefused::Revoked(_))));
        assert!(ids.revoke_token(&new.row.id, None, ADMIN).await.is_err(), "twice");
        assert_eq!(actions(&ids).await, ["token.made", "token.revoked"]);
        assert_eq!(ids.store.count_untold(&id("ari")).await.unwrap(), 1, "somebody else made and revoked it");
    })
    .await;
}

#[tokio::test]
async fn whoever_gives_a_command_in_a_person_s_name_is_not_taken_for_them() {
    each(|ids| async move {
        let ids = Identities { store: ids.store.clone().opened_by("root (uid 0), logged in as eve (uid 1001)"), ..ids };
        let as_fay = By { actor: "fay", channel: "cli" };
        let untold = async |what: &str| {
            assert_eq!(ids.store.count_untold(&id("fay")).await.unwrap(), 1, "{what}");
            ids.store.mark_told(&id("fay"), ids.clock.now()).await.unwrap();
            assert_eq!(ids.store.count_untold(&id("fay")).await.unwrap(), 0, "{what}");
        };
        let made = ids.new_token(owner("fay"), "mine", &scopes(&["decide"]), 30, as_fay).await.unwrap();
        assert_eq!((made.row.created_by.as_str(), made.row.told_at), ("cli:fay", None));
        untold("a token").await;
        ids.revoke_token(&made.row.id, None, as_fay).await.unwrap();
        assert_eq!(ids.store.find_token(&made.row.id).await.unwrap().unwrap().revoked_by, "cli:fay");
        untold("its end").await;
        // Her own chat, which somebody replaces by theirs with a code that they asked for in her name.
        let code = code(&ids, "fay").await;
        let own = ids.confirm(&slack("U1"), &code).await.unwrap();
        assert_eq!(ids.store.count_untold(&id("fay")).await.unwrap(), 0, "what one does on the page is one's own");
        let asked = ids.invite(&id("fay"), ChatChannel::Slack, as_fay).await.unwrap();
        untold("a code").await;
        let taken = ids.confirm(&slack("U2"), &asked.code).await.unwrap();
        assert_eq!((taken.made_by.as_str(), taken.told_at), ("cli:fay", None));
        assert_eq!(ids.store.get_identity(&own.id).await.unwrap().told_at, None, "nor does she know what it ended");
        assert_eq!(ids.store.count_untold(&id("fay")).await.unwrap(), 2, "the new link and the end of her own");
        ids.store.mark_told(&id("fay"), ids.clock.now()).await.unwrap();
        ids.unlink(&taken.id, None, as_fay).await.unwrap();
        untold("a link's end").await;
        ids.link(&id("fay"), &slack("U3"), as_fay).await.unwrap();
        untold("a link to say yes to").await;
        let log = ids.store.list_audit(0, 100).await.unwrap();
        let by_command: Vec<_> = log.iter().filter(|e| e.entry.channel == "cli").collect();
        assert_eq!(by_command.len(), 5);
        for e in by_command {
            assert_eq!(e.entry.detail["os_user"], "root (uid 0), logged in as eve (uid 1001)", "{}", e.entry.action);
        }
        assert!(log.iter().filter(|e| e.entry.channel != "cli").all(|e| e.entry.detail["os_user"].is_null()));
        ids.store.verify_audit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_is_no_token_is_nobody_and_says_nothing() {
    each(|ids| async move {
        let new = token(&ids, owner("ari"), &["read:cases"]).await;
        let (front, secret) = new.shown.rsplit_once('_').unwrap();
        let other = token(&ids, owner("pia"), &["decide"]).await;
        let (other_front, _) = other.shown.rsplit_once('_').unwrap();
        let last = if secret.ends_with('0') { '1' } else { '0' };
        for text in [
            String::new(),
            "reeve_".to_owned(),
            new.shown.to_uppercase(),
            format!("{} ", new.shown),
            front.to_owned(),
            format!("{front}_"),
            format!("{front}_{}{last}", &secret[..63]),
            format!("{front}_{}", &secret[..63]),
            format!("{front}_{secret}0"),
            // The secret of one with the id of another.
            format!("{other_front}_{secret}"),
            format!("reeve_000000000000_{secret}"),
            format!("{front}_{}", new.row.hash),
            format!("reeve_' or 1=1 --_{secret}"),
        ] {
            let refused = ids.bearer(&text).await;
            assert!(matches!(refused, Err(TokenRefused::Unknown)), "{text}: {refused:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_machine_can_be_given_no_right_to_decide_and_has_none_if_it_is() {
    each(|ids| async move {
        let service = || TokenOwner::Service("n8n".to_owned());
        for scope in ["decide", "decide:undo"] {
            let refused = ids.new_token(service(), "flow", &scopes(&["read:audit", scope]), 30, ADMIN).await;
            assert!(matches!(refused, Err(TokenRefused::Machine)), "{refused:?}");
        }
        let new = token(&ids, service(), &["read:cases"]).await;
        let bearer = ids.bearer(&new.shown).await.unwrap();
        assert_eq!((bearer.actor.as_str(), bearer.person.is_none()), ("service:n8n", true));
        assert!(matches!(bearer.decider(DecisionVerb::Approve), Err(TokenRefused::Machine)));
        // Whoever writes the scope past Reeve gains nothing.
        let forged = Bearer { scopes: scopes(&["decide", "decide:approve"]), ..bearer };
        assert!(matches!(forged.decider(DecisionVerb::Approve), Err(TokenRefused::Machine)));
        // Nor does whoever calls a machine like a person.
        let named = token(&ids, TokenOwner::Service("ari".to_owned()), &["read:cases"]).await;
        let bearer = ids.bearer(&named.shown).await.unwrap();
        assert_eq!((bearer.actor.as_str(), bearer.person.is_none()), ("service:ari", true));
        assert_eq!(ids.store.count_untold(&id("ari")).await.unwrap(), 0);
        assert!(ids.revoke_token(&named.row.id, Some(&id("ari")), PAGE).await.is_err(), "it is not Ari's");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_can_not_be_is_not_made() {
    each(|ids| async move {
        let read = scopes(&["read:cases"]);
        let long = "x".repeat(81);
        for (of, name, wanted, days) in [
            (owner("nobody"), "x", &read[..], 30),
            (owner("ari"), " ", &read[..], 30),
            (owner("ari"), long.as_str(), &read[..], 30),
            (owner("ari"), "x", &[][..], 30),
            (owner("ari"), "x", &read[..], 0),
            (owner("ari"), "x", &read[..], 366),
            (TokenOwner::Service("N8N".to_owned()), "x", &read[..], 30),
            (TokenOwner::Service(String::new()), "x", &read[..], 30),
        ] {
            let refused = ids.new_token(of, name, wanted, days, ADMIN).await;
            assert!(matches!(refused, Err(TokenRefused::Bad(_))), "{refused:?}");
        }
        assert!(ids.store.list_tokens().await.unwrap().is_empty() && actions(&ids).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_verb_of_its_own_decides_nothing_else() {
    each(|ids| async move {
        let new = token(&ids, owner("ari"), &["decide:reject"]).await;
        let bearer = ids.bearer(&new.shown).await.unwrap();
        assert!(bearer.decider(DecisionVerb::Reject).is_ok());
        for verb in DecisionVerb::ASKED.into_iter().filter(|verb| *verb != DecisionVerb::Reject) {
            assert!(matches!(bearer.decider(verb), Err(TokenRefused::Scope(_))), "{verb}");
        }
    })
    .await;
}

#[test]
fn a_token_is_found_where_it_should_not_be() {
    let token = format!("reeve_0123456789ab_{}", "0".repeat(64));
    assert!(looks_like_token(&format!("?x={token}")) && looks_like_token(&token[..30]));
    assert!(!looks_like_token("reeve_session") && !looks_like_token("") && !looks_like_token("reeve_"));
}
