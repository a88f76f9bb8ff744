//! Muting on a real store with made-up cases.

use super::*;
use crate::domain::action::Range;
use crate::domain::case::{Lane, Rank};
use crate::domain::exception::{Signal, Subject};
use crate::domain::ids::{CaseId, LocationId, SupplierId};

fn start() -> Timestamp {
    "2026-10-08T08:00:00Z".parse().unwrap()
}

impl Muting {
    /// The mute that hides one case.
    pub(in super::super) async fn hides(&self, store: &Store, case: &Case) -> Result<Option<&Mute>, StoreError> {
        Ok(self.hides_each(store, std::slice::from_ref(case)).await?.remove(0))
    }
}

async fn bench() -> (Store, Config, Clock) {
    let store = Store::open_and_migrate("sqlite::memory:").await.unwrap();
    (store, Config::load_from(None, &[]).unwrap(), Clock::standing_at(start()))
}

fn exception(code: ExceptionType, item: &str, period: &str) -> Exception {
    let day = "2026-10-07".parse().unwrap();
    let subject = Subject { supplier: Some(SupplierId::new("9")), ..Subject::at(&ItemId::new(item), &LocationId::new("3")) };
    let signal = Signal::rule("receiving/1", code, subject, period.to_owned(), (day, day), "48 of 60 came".to_owned());
    let id = signal.exception_id();
    Exception {
        id,
        signal,
        state: ExceptionState::Open,
        first_seen: start(),
        last_seen: start(),
        misses: 0,
        mode: crate::domain::mode::Mode::Live,
    }
}

async fn case(store: &Store, id: &str, found: &[Exception], at_stake: i64, lane: Lane) -> Case {
    let money = Money::from_minor(at_stake * 100);
    let case = Case {
        id: CaseId::new(id),
        version: 1,
        state: CaseState::Open,
        exceptions: found.iter().map(|e| e.id.clone()).collect(),
        codes: found.iter().map(|e| e.signal.code).collect(),
        subject: found[0].signal.subject.clone(),
        links: vec![format!("line:{id}")],
        headline: "48 of 60 came".into(),
        rank: Some(Rank {
            lane,
            p: 0.9,
            value: Range::certain(money),
            at_stake: money,
            deadline: "2026-10-12".parse().unwrap(),
            slack_days: 2.0,
            perishing: 0.5,
            priority: money,
            wait_cost: Money::ZERO,
            hangs_on: None,
            unknown: false,
        }),
        evidence_hash: None,
        owner: None,
        wanted: false,
        opened_at: start(),
        updated_at: start(),
    };
    store.save_detection(found, &[(case.clone(), None)], &[], &[], None).await.unwrap();
    case
}

fn request(person: &str, scope: &str, until: &str) -> MuteRequest {
    MuteRequest {
        person: PersonId::new(person),
        channel: "web".into(),
        code: ExceptionType::RShort,
        scope: scope.parse().unwrap(),
        until: until.parse().unwrap(),
        reason: " the supplier packs in dozens ".into(),
    }
}

#[tokio::test]
async fn a_muted_case_is_hidden_until_the_mute_ends_by_its_day_or_by_a_person() {
    let (store, config, clock) = bench().await;
    let short = case(&store, "case-1", &[exception(ExceptionType::RShort, "1", "a")], 100, Lane::Ordinary).await;
    let hidden = async || {
        let muting = Muting::load(&store, &config, clock.now()).await.unwrap();
        muting.hides(&store, &short).await.unwrap().is_some()
    };
    assert!(!hidden().await);
    let made = mute(&store, &config, &clock, &request("ari", "supplier:9", "2026-10-20")).await.unwrap();
    assert_eq!(made.reason, "the supplier packs in dozens");
    assert!(hidden().await);
    // The same again is the same; another one of the same scope is refused.
    assert_eq!(mute(&store, &config, &clock, &request("ari", "supplier:9", "2026-10-20")).await.unwrap(), made);
    let other = mute(&store, &config, &clock, &request("fay", "supplier:9", "2026-10-21")).await.unwrap_err();
    assert!(other.to_string().contains("muted already, by Ari Approver until 2026-10-20"), "{other}");

    // On its last day it no longer hides: "until" does not include it.
    clock.set("2026-10-20T00:00:00Z".parse().unwrap());
    assert!(!hidden().await, "it ends by itself");
    // Back in time, only to end it by hand while it still holds.
    clock.set(start());
    assert!(hidden().await);
    // The second click of an impatient hand changes nothing and is no error.
    for _ in 0..2 {
        unmute(&store, &config, &clock, &made.id, &PersonId::new("fay"), "cli").await.unwrap();
    }
    assert!(!hidden().await);
    let late = unmute(&store, &config, &clock, &made.id, &PersonId::new("ari"), "cli").await.unwrap_err();
    assert!(matches!(late, MuteRefused::Over), "{late}");
    let log = store.list_audit_of(&format!("mute:{}", made.id)).await.unwrap();
    let said: Vec<(&str, &str)> = log.iter().map(|e| (e.entry.action.as_str(), e.entry.actor.as_str())).collect();
    assert_eq!(said, [("mute.made", "ari"), ("mute.ended", "fay")]);
    assert_eq!(log[0].entry.detail["hides_cases"], 1);
    store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn lanes_dear_cases_and_cases_with_something_else_in_them_are_shown_all_the_same() {
    let (store, config, clock) = bench().await;
    let plain = case(&store, "case-1", &[exception(ExceptionType::RShort, "1", "a")], 1_000, Lane::Ordinary).await;
    // One above what a mute may hide of a single case.
    let dear = case(&store, "case-2", &[exception(ExceptionType::RShort, "2", "b")], 1_001, Lane::Ordinary).await;
    let due = case(&store, "case-3", &[exception(ExceptionType::RShort, "3", "c")], 10, Lane::BillDue).await;
    let key = case(&store, "case-4", &[exception(ExceptionType::RShort, "4", "d")], 10, Lane::KeyItem).await;
    let both = [exception(ExceptionType::RShort, "5", "e"), exception(ExceptionType::FPrice, "5", "e")];
    let mixed = case(&store, "case-5", &both, 10, Lane::Ordinary).await;
    let elsewhere = case(&store, "case-6", &[exception(ExceptionType::FPrice, "6", "f")], 10, Lane::Ordinary).await;
    mute(&store, &config, &clock, &request("pia", "all", "2026-10-20")).await.unwrap();
    let muting = Muting::load(&store, &config, clock.now()).await.unwrap();
    for (case, expected) in
        [(&plain, true), (&dear, false), (&due, false), (&key, false), (&mixed, false), (&elsewhere, false)]
    {
        assert_eq!(muting.hides(&store, case).await.unwrap().is_some(), expected, "{}", case.id);
    }
    // When only the muted one of two still holds, it is hidden too.
    let resolved = Exception { state: ExceptionState::Resolved, ..both[1].clone() };
    assert!(muting.hider(&mixed, &[both[0].clone(), resolved.clone()]).is_some());
    assert!(muting.hider(&mixed, &[resolved]).is_none(), "nothing of it holds: it is on its way out");
}

#[tokio::test]
async fn a_category_is_muted_by_the_items_records() {
    let (store, config, clock) = bench().await;
    let short = case(&store, "case-1", &[exception(ExceptionType::RShort, "75", "a")], 100, Lane::Ordinary).await;
    let item = crate::domain::record::Item {
        id: ItemId::new("75"),
        sku: "AC-006".into(),
        name: "Beans".into(),
        category: "Coffee".into(),
        unit: "Units".into(),
        cost: None,
        costs: std::collections::BTreeMap::new(),
        list_price: None,
        sellable: true,
        delisted_at: None,
        keys: crate::domain::packs::ItemKeys::default(),
    };
    let observed = vec![crate::domain::record::Observed { changed_at: start(), record: Record::Item(item) }];
    let page = crate::ports::Page { observed, next: "1".into(), more: false };
    store.apply_page("made-up", &page, start()).await.unwrap();
    mute(&store, &config, &clock, &request("pia", "category:Tea", "2026-10-20")).await.unwrap();
    assert!(Muting::load(&store, &config, clock.now()).await.unwrap().hides(&store, &short).await.unwrap().is_none());
    mute(&store, &config, &clock, &request("pia", "category:Coffee", "2026-10-20")).await.unwrap();
    let muting = Muting::load(&store, &config, clock.now()).await.unwrap();
    let by = muting.hides(&store, &short).await.unwrap().unwrap();
    assert_eq!(by.scope.to_string(), "category:Coffee");
    let line = account(&config, &[(short.clone(), by)]).unwrap();
    assert_eq!(line, "Muted: 1 case worth 100.00: R-SHORT for category:Coffee by Pia Planner until 2026-10-20 (1).");
    assert_eq!(account(&config, &[]), None, "nothing is said of nothing");
}

#[tokio::test]
async fn only_who_may_decide_mutes_and_only_for_a_while_and_with_a_reason() {
    let (store, mut config, clock) = bench().await;
    let viewer = Person {
        id: PersonId::new("vic"),
        name: "Vic Viewer".into(),
        // Neither role decides, whatever tier comes with it.
        roles: vec![crate::domain::policy::Role::Viewer, crate::domain::policy::Role::Admin],
        tier: 4,
        erp_user: String::new(),
        scopes: crate::domain::policy::Scopes::default(),
        limit: None,
    };
    config.people.push(viewer);
    config.people.push(Person {
        id: PersonId::new("system"),
        name: "System".into(),
        roles: vec![crate::domain::policy::Role::Approver],
        tier: 4,
        erp_user: String::new(),
        scopes: crate::domain::policy::Scopes::default(),
        limit: None,
    });
    let refused = async |request: MuteRequest| mute(&store, &config, &clock, &request).await.unwrap_err();
    for person in ["vic", "system"] {
        let why = refused(request(person, "all", "2026-10-20")).await;
        assert!(matches!(why, MuteRefused::NotAllowed(_)), "{person}: {why}");
        let made = mute(&store, &config, &clock, &request("pia", "item:1", "2026-10-20")).await.unwrap();
        let why = unmute(&store, &config, &clock, &made.id, &PersonId::new(person), "web").await.unwrap_err();
        assert!(matches!(why, MuteRefused::NotAllowed(_)), "{person}: {why}");
    }
    assert!(matches!(refused(request("nobody", "all", "2026-10-20")).await, MuteRefused::UnknownPerson(_)));
    // Over, ending today, and a day more than the thirty.
    for until in ["2026-10-07", "2026-10-08", "2026-11-08"] {
        let why = refused(request("pia", "all", until)).await;
        assert!(why.to_string().contains("from 2026-10-09 to 2026-11-07"), "{until}: {why}");
    }
    let why = refused(MuteRequest { reason: " \n".into(), ..request("pia", "all", "2026-10-20") }).await;
    assert!(matches!(why, MuteRefused::NoReason), "{why}");
    mute(&store, &config, &clock, &request("pia", "all", "2026-11-07")).await.unwrap();
}

#[tokio::test]
async fn hiding_much_money_takes_who_may_release_as_much_and_what_takes_two_nobody_mutes_alone() {
    let (store, config, clock) = bench().await;
    for n in 0..2 {
        let found = [exception(ExceptionType::RShort, "1", &format!("p{n}"))];
        case(&store, &format!("case-{n}"), &found, 900, Lane::Ordinary).await;
    }
    // 1,800.00 at stake: tier 2.
    let why = mute(&store, &config, &clock, &request("pia", "all", "2026-10-20")).await.unwrap_err();
    assert!(matches!(why, MuteRefused::NotAllowed(Refusal::Role { .. })), "{why}");
    for n in 2..14 {
        let found = [exception(ExceptionType::RShort, "1", &format!("p{n}"))];
        case(&store, &format!("case-{n}"), &found, 900, Lane::Ordinary).await;
    }
    let why = mute(&store, &config, &clock, &request("fay", "all", "2026-10-20")).await.unwrap_err();
    assert!(why.to_string().contains("12,600.00 at stake now, and that takes two people (T3)"), "{why}");
    // Nothing of that item waits, so it is a small one.
    mute(&store, &config, &clock, &request("fay", "item:2", "2026-10-20")).await.unwrap();
}

#[tokio::test]
async fn small_mutes_made_at_once_do_not_pass_for_small_ones() {
    let (store, config, clock) = bench().await;
    for n in 0..6 {
        let found = [exception(ExceptionType::RShort, &format!("{n}"), "a")];
        case(&store, &format!("case-{n}"), &found, 900, Lane::Ordinary).await;
    }
    let mut all = tokio::task::JoinSet::new();
    for n in 0..6 {
        let (store, config, clock) = (store.clone(), config.clone(), clock.clone());
        all.spawn(async move {
            mute(&store, &config, &clock, &request("pia", &format!("item:{n}"), "2026-10-20")).await.is_ok()
        });
    }
    let made = all.join_all().await.into_iter().filter(|made| *made).count();
    // One hides 900.00, a planner's; two hide 1,800.00.
    assert_eq!((made, store.list_mutes().await.unwrap().len()), (1, 1));
    store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn a_mute_made_when_nothing_waits_is_judged_by_what_such_cases_came_to() {
    let (store, config, clock) = bench().await;
    for n in 0..14 {
        let found = [exception(ExceptionType::RShort, &format!("{n}"), "a")];
        let short = case(&store, &format!("case-{n}"), &found, 900, Lane::Ordinary).await;
        let closed = Case { version: 2, state: CaseState::Closed, ..short };
        store.advance_case(&closed, 1, &[]).await.unwrap();
    }
    // 12,600.00 in 28 days, and 12 days of muting: 5,400.00, though it hides nothing now.
    let pia = PersonId::new("pia");
    let thought = Mute::new(
        ExceptionType::RShort,
        MuteScope::All,
        pia.clone(),
        "known".into(),
        start(),
        "2026-10-20".parse().unwrap(),
    );
    let weight = weight::weigh(&store, &config, &[&pia], &thought, start()).await.unwrap();
    assert_eq!((weight.cases, weight.now, weight.ahead), (0, Money::ZERO, Money::from_minor(540_000)));
    assert_eq!(weight.counted(), Money::from_minor(540_000));
    let why = mute(&store, &config, &clock, &request("pia", "all", "2026-10-20")).await.unwrap_err();
    assert!(matches!(why, MuteRefused::NotAllowed(_)), "{why}");
    // Of another supplier nothing is known, and of what was long ago nothing counts.
    mute(&store, &config, &clock, &request("pia", "supplier:8", "2026-10-20")).await.unwrap();
    // The cases are two months old by now, and what a mute will hide is judged by the last four weeks.
    clock.set("2026-12-08T08:00:00Z".parse().unwrap());
    mute(&store, &config, &clock, &request("pia", "all", "2026-12-20")).await.unwrap();
}

#[tokio::test]
async fn a_mute_that_comes_to_hide_more_than_it_was_allowed_to_hides_nothing_any_more_and_says_so() {
    let (store, config, clock) = bench().await;
    let first = case(&store, "case-0", &[exception(ExceptionType::RShort, "0", "a")], 900, Lane::Ordinary).await;
    let made = mute(&store, &config, &clock, &request("pia", "all", "2026-10-20")).await.unwrap();
    assert!(made.tier.is_some());
    let load = async || Muting::load(&store, &config, clock.now()).await.unwrap();
    assert!(load().await.hides(&store, &first).await.unwrap().is_some() && load().await.lifted().is_empty());
    let second = case(&store, "case-1", &[exception(ExceptionType::RShort, "1", "a")], 900, Lane::Ordinary).await;
    let muting = load().await;
    for case in [&first, &second] {
        assert!(muting.hides(&store, case).await.unwrap().is_none());
    }
    let said = muting.lifted();
    assert!(
        said.len() == 1 && said[0].contains("would hide 1,800.00 at stake") && said[0].contains("Pia Planner"),
        "{said:?}"
    );
    // Once one of them is answered, the other is hidden again.
    let closed = Case { version: 2, state: CaseState::Closed, ..second };
    store.advance_case(&closed, 1, &[]).await.unwrap();
    assert!(load().await.hides(&store, &first).await.unwrap().is_some());
}

#[tokio::test]
async fn small_mutes_of_one_person_count_together_and_those_of_others_do_not() {
    crate::store::testing::on_each(|store| async move {
        let (config, clock) = (Config::load_from(None, &[]).unwrap(), Clock::standing_at(start()));
        for (item, at_stake) in [("1", 600), ("2", 600), ("3", 300)] {
            let found = [exception(ExceptionType::RShort, item, "a")];
            case(&store, &format!("case-{item}"), &found, at_stake, Lane::Ordinary).await;
        }
        let ask =
            async |person: &str, scope: &str| mute(&store, &config, &clock, &request(person, scope, "2026-10-20")).await;
        // Up to 1,000.00 a planner hides alone: each of the three is below it, the first two together are not.
        let first = ask("pia", "item:1").await.unwrap();
        let why = ask("pia", "item:2").await.unwrap_err();
        assert!(matches!(why, MuteRefused::NotAllowed(Refusal::Role { .. })), "{why}");
        ask("pia", "item:3").await.unwrap();
        assert_eq!(store.list_mutes().await.unwrap().len(), 2);
        // What another one hides is theirs, and what is no longer hidden counts no more.
        unmute(&store, &config, &clock, &first.id, &PersonId::new("pia"), "web").await.unwrap();
        ask("ari", "item:1").await.unwrap();
        ask("pia", "item:2").await.unwrap();
    })
    .await;
}
