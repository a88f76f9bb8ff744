//! Tests of delegation: who may stand in for whom, how long, and as whom a person may sign.

use jiff::civil::Date;

use super::*;

fn day(day: i8) -> Date {
    jiff::civil::date(2026, 10, day)
}

/// `from` → `to` on days of one month.
fn from_to(from: &str, to: &str, starts: i8, ends: i8) -> Delegation {
    Delegation {
        id: format!("{from}-{to}-{starts}"),
        from: PersonId::new(from),
        to: PersonId::new(to),
        starts: day(starts),
        ends: day(ends),
        reason: "holiday".into(),
        revoked_at: None,
    }
}

fn ids(all: &[&str]) -> Vec<PersonId> {
    all.iter().map(|id| PersonId::new(*id)).collect()
}

fn people() -> Vec<Person> {
    let more = ["bo", "cy", "di"].map(|id| person(id, &[Role::Approver], 1));
    let useless =
        [person("adm", &[Role::Admin], 4), person("vi", &[Role::Viewer], 0), person("system", &[Role::Approver], 4)];
    [demo(), more.to_vec(), useless.to_vec()].concat()
}

fn check(new: &Delegation, existing: &[Delegation]) -> Result<(), BadDelegation> {
    check_new(new, existing, &people(), &Policy::standard())
}

#[test]
fn it_holds_from_its_first_day_to_its_last_unless_taken_back() {
    let mut one = from_to("fay", "ari", 5, 9);
    let holds: Vec<i8> = (1..=12).filter(|d| one.holds_on(day(*d))).collect();
    assert_eq!(holds, [5, 6, 7, 8, 9]);
    one.revoked_at = Some(now());
    assert!(!one.holds_on(day(7)));
}

#[test]
fn what_can_not_be_delegated_is_refused_with_what_to_do() {
    let ok = || from_to("fay", "ari", 5, 9);
    assert_eq!(check(&ok(), &[]), Ok(()));
    let told = |new: &Delegation| check(new, &[]).unwrap_err().to_string();
    assert_eq!(told(&from_to("fay", "fay", 5, 9)), "fay can not stand in for themselves; choose somebody else");
    assert_eq!(told(&from_to("fay", "eve", 5, 9)), "eve is not in the configuration; choose somebody who plans or approves");
    for useless in ["adm", "vi", "system"] {
        let said = format!("{useless} decides nothing; choose somebody who plans or approves");
        assert_eq!(told(&from_to("fay", useless, 5, 9)), said);
        assert_eq!(told(&from_to(useless, "fay", 5, 9)), said);
    }
    assert!(told(&from_to("eve", "fay", 5, 9)).starts_with("eve is not in"));
    assert_eq!(
        told(&from_to("fay", "ari", 5, 4)),
        "2026-10-05 to 2026-10-04 is not a time to stand in: it has to end on the day it starts or later, within 30 days"
    );
    assert_eq!(check(&from_to("fay", "ari", 5, 5), &[]), Ok(()));
    // Thirty days, the first and the last included.
    assert_eq!(check(&from_to("fay", "ari", 1, 30), &[]), Ok(()));
    assert!(matches!(check(&from_to("fay", "ari", 1, 31), &[]), Err(BadDelegation::Days { longest: 30, .. })));
    assert!(told(&Delegation { reason: "  ".into(), ..ok() }).starts_with("say why"));
    let off = changed("allowed = true", "allowed = false");
    let refused = check_new(&ok(), &[], &people(), &off).unwrap_err();
    assert_eq!(refused.to_string(), "the policy allows no delegation; forward the case instead");
}

#[test]
fn no_cycles_of_any_length() {
    let two = check(&from_to("ari", "fay", 5, 9), &[from_to("fay", "ari", 1, 5)]).unwrap_err();
    assert_eq!(two, BadDelegation::Cycle(ids(&["ari", "fay", "ari"])));
    assert_eq!(
        two.to_string(),
        "ari → fay → ari would stand in for themselves through others in those days; choose somebody outside this circle"
    );
    // On different days there is no cycle.
    assert_eq!(check(&from_to("ari", "fay", 6, 9), &[from_to("fay", "ari", 1, 5)]), Ok(()));
    let three = [from_to("fay", "ari", 1, 9), from_to("ari", "dan", 1, 9)];
    assert_eq!(
        check(&from_to("dan", "fay", 1, 9), &three).unwrap_err(),
        BadDelegation::Cycle(ids(&["dan", "fay", "ari", "dan"]))
    );
    // Whoever only leads into a circle is no part of it.
    let circle = [from_to("fay", "ari", 1, 9), from_to("ari", "fay", 1, 9)];
    assert_eq!(check(&from_to("dan", "fay", 1, 9), &circle).unwrap_err(), BadDelegation::Cycle(ids(&["fay", "ari", "fay"])));
    // What was taken back is gone.
    let mut back = from_to("fay", "ari", 1, 5);
    back.revoked_at = Some(now());
    assert_eq!(check(&from_to("ari", "fay", 5, 9), &[back]), Ok(()));
}

#[test]
fn no_chains_over_two() {
    let chain = [from_to("bo", "cy", 1, 9)];
    assert_eq!(check(&from_to("cy", "di", 1, 9), &chain), Ok(()));
    let chain = [from_to("bo", "cy", 1, 9), from_to("cy", "di", 1, 9)];
    let refused = check(&from_to("di", "ari", 9, 12), &chain).unwrap_err();
    assert_eq!(refused, BadDelegation::Chain { chain: ids(&["bo", "cy", "di", "ari"]), max: 2 });
    assert_eq!(
        refused.to_string(),
        "bo → cy → di → ari is a chain of 3 in those days, and at most 2 may follow one another"
    );
    // In front of one, and between two, is as bad.
    assert!(matches!(check(&from_to("ari", "bo", 1, 3), &chain), Err(BadDelegation::Chain { .. })));
    let apart = [from_to("bo", "cy", 1, 9), from_to("di", "ari", 1, 9)];
    assert!(matches!(check(&from_to("cy", "di", 3, 3), &apart), Err(BadDelegation::Chain { .. })));
    // Links that never hold on one day are no chain, even where each overlaps the new one.
    let early_late = [from_to("bo", "cy", 1, 4), from_to("di", "ari", 5, 9)];
    assert_eq!(check(&from_to("cy", "di", 1, 9), &early_late), Ok(()));
    // One link where the policy says so.
    let short = changed("chain_max = 2", "chain_max = 1");
    let refused = check_new(&from_to("cy", "di", 1, 9), &chain[..1], &people(), &short).unwrap_err();
    assert_eq!(refused, BadDelegation::Chain { chain: ids(&["bo", "cy", "di"]), max: 1 });
    // A delegation that is changed is not held against itself.
    assert_eq!(check(&from_to("bo", "cy", 1, 5), &chain), Ok(()));
}

fn acting(person: &str, existing: &[Delegation], policy: &Policy, on: i8) -> Vec<String> {
    let signers = acting_for(&PersonId::new(person), existing, &people(), policy, day(on));
    signers.iter().map(Signer::told).collect()
}

#[test]
fn a_person_signs_for_themselves_and_for_whom_they_stand_in() {
    let policy = Policy::standard();
    let all = [from_to("fay", "ari", 5, 9), from_to("dan", "fay", 8, 20), from_to("bo", "ari", 5, 9)];
    assert_eq!(acting("ari", &all, &policy, 4), ["ari"]);
    assert_eq!(acting("ari", &all, &policy, 5), ["ari", "ari for fay", "ari for bo"]);
    assert_eq!(acting("ari", &all, &policy, 9), ["ari", "ari for fay", "ari for bo", "ari for fay for dan"]);
    assert_eq!(acting("ari", &all, &policy, 10), ["ari"]);
    assert_eq!(acting("fay", &all, &policy, 8), ["fay", "fay for dan"]);
    assert_eq!(acting("eve", &all, &policy, 8), Vec::<String>::new());
    let off = changed("allowed = true", "allowed = false");
    assert_eq!(acting("ari", &all, &off, 9), ["ari"]);
    let short = changed("chain_max = 2", "chain_max = 1");
    assert_eq!(acting("ari", &all, &short, 9), ["ari", "ari for fay", "ari for bo"]);
    // The last one's rights count.
    let signers = acting_for(&PersonId::new("ari"), &all, &people(), &policy, day(9));
    assert_eq!(signers[3].authority().id, PersonId::new("dan"));
}

#[test]
fn chains_that_are_too_long_circles_and_people_who_left_give_nothing() {
    let policy = Policy::standard();
    let long = [from_to("dan", "fay", 1, 9), from_to("fay", "bo", 1, 9), from_to("bo", "ari", 1, 9)];
    assert_eq!(acting("ari", &long, &policy, 5), ["ari", "ari for bo", "ari for bo for fay"]);
    let circle = [from_to("ari", "fay", 1, 9), from_to("fay", "ari", 1, 9)];
    assert_eq!(acting("ari", &circle, &policy, 5), ["ari", "ari for fay"]);
    assert_eq!(acting("ari", &[from_to("eve", "ari", 1, 9)], &policy, 5), ["ari"]);
    let twice = [from_to("fay", "ari", 1, 9), from_to("fay", "ari", 2, 9)];
    assert_eq!(acting("ari", &twice, &policy, 5), ["ari", "ari for fay"]);
}
