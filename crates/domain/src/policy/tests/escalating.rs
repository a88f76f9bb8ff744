//! Tests of escalation: which steps are due, who is told, and how often.

use std::collections::BTreeSet;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn steps_are_due_after_working_hours() {
    let policy = Policy::standard();
    // Queued on a Thursday at 16:00; a working day has nine hours.
    let queued = at("2026-10-08T16:00:00Z");
    let due = |now: &str, tier| -> Vec<String> {
        let steps = policy.steps_due(tier, queued, at(now)).into_iter();
        steps.map(|(place, step, at)| format!("{place} {} {at}", step.to)).collect()
    };
    assert!(due("2026-10-09T14:59:59Z", Tier::T2).is_empty());
    assert_eq!(due("2026-10-09T15:00:00Z", Tier::T2), ["0 owner 2026-10-09T15:00:00Z"]);
    // The weekend is no working time: sixteen hours are Monday at 14:00.
    assert_eq!(due("2026-10-12T13:59:59Z", Tier::T2).len(), 1);
    assert_eq!(due("2026-10-12T14:00:00Z", Tier::T2)[1], "1 approvers 2026-10-12T14:00:00Z");
    assert_eq!(due("2026-10-20T14:00:00Z", Tier::T2)[2], "2 next-tier 2026-10-13T13:00:00Z");
    assert_eq!(due("2026-10-20T14:00:00Z", Tier::T4)[2], "3 role:director 2026-10-13T13:00:00Z");
    assert_eq!(due("2026-10-20T14:00:00Z", Tier::T0), ["0 owner 2026-10-09T15:00:00Z"]);
}

#[test]
fn steps_come_soonest_first_whatever_their_order() {
    let policy = changed("after_hours = 8", "after_hours = 99");
    let order: Vec<usize> = policy.steps(Tier::T2).into_iter().map(|(place, _)| place).collect();
    assert_eq!(order, [1, 2, 0]);
}

/// Whom a step tells of a recommendation, with fay standing in for dan.
fn told(to: &str, action: &'static str, value: i64, facts: &Facts, touched: &[&str]) -> Vec<String> {
    let policy = Policy::standard();
    let mut people = demo();
    people.push(Person {
        scopes: Scopes { locations: vec!["SOU".into()], ..Scopes::default() },
        ..person("sue", &[Role::Approver, Role::Finance], 3)
    });
    people.push(person("system", &[Role::Approver, Role::Finance], 4));
    let mut everybody: Vec<Signer> = people.into_iter().map(Signer::own).collect();
    everybody.push(Signer { person: fay(), on_behalf_of: vec![dan()] });
    let mut asked = Asked::new(action, value);
    asked.facts = facts.clone();
    let ruling = asked.by(&policy);
    let (signer, touched_by) = (Signer::own(pia()), touched.iter().map(|id| PersonId::new(*id)).collect::<Vec<_>>());
    let attempt = Attempt {
        signer: &signer,
        ruling: &ruling,
        facts: std::slice::from_ref(facts),
        signed: &[],
        touched_by: &touched_by,
    };
    let owner = PersonId::new("pia");
    let found: BTreeSet<PersonId> =
        policy.recipients(&to.parse().unwrap(), &Recipients { attempt, owner: Some(&owner), everybody: &everybody });
    found.iter().map(ToString::to_string).collect()
}

#[test]
fn a_step_tells_those_who_could_do_something() {
    let facts = harmless();
    assert_eq!(told("owner", "NEW-PO", 1, &facts, &[]), ["pia"]);
    // T1: every approver of the scope; sue's is another, the system is nobody.
    assert_eq!(told("approvers", "NEW-PO", 1, &facts, &[]), ["ari", "dan", "fay"]);
    assert_eq!(told("approvers", "NEW-PO", 1, &facts, &["ari"]), ["dan", "fay"]);
    // T3: who may release it, or has the role that it takes. Ari could only be the other one.
    assert_eq!(told("approvers", "NEW-PO", 20_000, &facts, &[]), ["dan", "fay"]);
    // T4: dan, and fay who stands in for him.
    assert_eq!(told("approvers", "NEW-PO", 60_000, &facts, &[]), ["dan", "fay"]);
    assert_eq!(told("next-tier", "NEW-PO", 20_000, &facts, &["dan"]), Vec::<String>::new());
    assert_eq!(told("next-tier", "NEW-PO", 5_000, &facts, &[]), ["dan", "fay"]);
    assert_eq!(told("next-tier", "NEW-PO", 60_000, &facts, &[]), Vec::<String>::new());
    assert_eq!(told("role:finance", "NEW-PO", 1, &facts, &[]), ["fay"]);
    let south = Facts { locations: Some(vec![Named::new("2", &["SOU"])]), ..harmless() };
    assert_eq!(told("role:finance", "NEW-PO", 1, &south, &[]), ["fay", "sue"]);
    assert_eq!(told("approvers", "NEW-PO", 1, &south, &[]), ["ari", "dan", "fay", "sue"]);
    assert_eq!(told("person:dan", "NEW-PO", 1, &facts, &[]), ["dan"]);
    assert_eq!(told("person:eve", "NEW-PO", 1, &facts, &[]), Vec::<String>::new());
}

#[test]
fn nobody_is_told_more_often_than_the_cap() {
    let policy = Policy::standard();
    assert!(policy.may_tell(0) && policy.may_tell(4) && !policy.may_tell(5));
}

#[test]
fn an_addressee_is_written_as_it_is_read() {
    for text in ["owner", "approvers", "next-tier", "role:planner", "role:director", "person:ari"] {
        assert_eq!(text.parse::<Addressee>().unwrap().to_string(), text);
    }
    for bad in ["", "boss", "role:boss", "role:", "person:", "owner:x", "team:x"] {
        let error = bad.parse::<Addressee>().unwrap_err();
        assert!(error.starts_with(&format!("nobody is called {bad:?} here: write \"owner\"")), "{error}");
    }
}

#[test]
fn tiers_follow_one_another() {
    let mut at = Tier::T0;
    let mut seen = vec![at];
    while let Some(next) = at.next() {
        at = next;
        seen.push(at);
    }
    assert_eq!(seen, Tier::ALL);
    assert_eq!(Tier::ALL.map(Tier::level), [0, 1, 2, 3, 4]);
}
