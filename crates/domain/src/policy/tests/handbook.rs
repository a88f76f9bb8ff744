//! Every rule of the handbook's §9: a probe that answers as the handbook says, and otherwise once the rule is taken out.
//!
//! Rules that are data are taken out of the shipped policy here. Rules that are code can not be: for each of them the probe
//! stands beside the same attempt without what the rule is about, so that a rule that was taken out shows.

use super::*;

/// What a recommendation takes, in short: "T3 2 finance".
fn takes(policy: &Policy, asked: Asked) -> String {
    let ruling = asked.by(policy);
    let with: Vec<&str> = ruling.with.iter().map(|role| role.name()).collect();
    let forbidden = if ruling.permitted { "" } else { " forbidden" };
    format!("{} {} {}{forbidden}", ruling.tier, ruling.signatures, with.join("+"))
}

#[test]
fn every_rule_that_is_data_is_missed_when_it_is_taken_out() {
    type Probe = fn(&Policy) -> String;
    let table: Vec<(&str, &str, &str, &str, Probe)> = vec![
        // Rule, what it is taken out of, what is left, what it asks, who is asked.
        ("T0: MONITOR", "[\"MONITOR\", ", "[", "T0 1 ", |p| takes(p, Asked::new("MONITOR", 9_000))),
        ("T0: NO-ACTION", "\"NO-ACTION\", ", "", "T0 1 ", |p| takes(p, Asked::new("NO-ACTION", 9_000))),
        ("T0: RECOUNT", "\"RECOUNT\", ", "", "T0 1 ", |p| takes(p, Asked::new("RECOUNT", 9_000))),
        ("T0: CONTACT", "\"CONTACT\", ", "", "T0 1 ", |p| takes(p, Asked::new("CONTACT", 9_000))),
        ("T1 up to 1,000", "limit = \"1000\"", "limit = \"9999\"", "T2 1 ", |p| takes(p, Asked::new("NEW-PO", 1_001))),
        ("T2 up to 10,000", "limit = \"10000\"", "limit = \"49999\"", "T3 2 finance", |p| {
            takes(p, Asked::new("NEW-PO", 10_001))
        }),
        ("T3 up to 50,000", "limit = \"50000\"", "limit = \"500000\"", "T4 2 director", |p| {
            takes(p, Asked::new("NEW-PO", 50_001))
        }),
        ("T2: ADJUST-PARAM on class A", "[\"ADJUST-PARAM\"]", "[\"NO-ACTION\"]", "T2 1 ", |p| {
            takes(p, Asked::new("ADJUST-PARAM", 1).knowing(|f| f.class = Some(Class::A)))
        }),
        ("and only on class A", "classes = [\"A\"]", "classes = [\"A\", \"B\"]", "T1 1 ", |p| {
            takes(p, Asked::new("ADJUST-PARAM", 1).knowing(|f| f.class = Some(Class::B)))
        }),
        ("T2: ALT-SUPPLIER", "actions = [\"ALT-SUPPLIER\", ", "actions = [", "T2 1 ", |p| {
            takes(p, Asked::new("ALT-SUPPLIER", 1))
        }),
        ("T2: MARKDOWN", "\"MARKDOWN\", \"PROMO", "\"PROMO", "T2 1 ", |p| takes(p, Asked::new("MARKDOWN", 1))),
        ("T2: PROMO-CHANGE", "\"PROMO-CHANGE\", \"FIX", "\"FIX", "T2 1 ", |p| takes(p, Asked::new("PROMO-CHANGE", 1))),
        ("T2: FIX-MASTER", ", \"FIX-MASTER\"]", "]", "T2 1 ", |p| takes(p, Asked::new("FIX-MASTER", 1))),
        ("T3: ADJUST-STOCK", "[\"ADJUST-STOCK\", \"REV", "[\"REV", "T3 2 finance", |p| {
            takes(p, Asked::new("ADJUST-STOCK", 1))
        }),
        ("T3: REVERSE-DOC", ", \"REVERSE-DOC\"]\n# The tier", "]\n# The tier", "T3 2 finance", |p| {
            takes(p, Asked::new("REVERSE-DOC", 1))
        }),
        ("T3: CLAIM above 5,000", "above = \"5000\"", "above = \"9000\"", "T3 2 finance", |p| {
            takes(p, Asked::new("CLAIM", 5_001))
        }),
        ("T3: two different people", "signatures = 2", "signatures = 1", "T3 2 finance", |p| {
            takes(p, Asked::new("NEW-PO", 20_000))
        }),
        ("T3: one of finance", "with = [\"finance\"]", "with = []", "T3 2 finance", |p| {
            takes(p, Asked::new("NEW-PO", 20_000))
        }),
        (
            "T4: two different people",
            "[tiers.T4]\n# How many different people sign: 1 or 2.\nsignatures = 2",
            "[tiers.T4]\nsignatures = 1",
            "T4 2 director",
            |p| takes(p, Asked::new("NEW-PO", 60_000)),
        ),
        ("T4: one director", "with = [\"director\"]", "with = []", "T4 2 director", |p| {
            takes(p, Asked::new("NEW-PO", 60_000))
        }),
        (
            "finance agrees to reversals of any size",
            "actions = [\"REVERSE-DOC\"]",
            "actions = []\nabove = 99999",
            "T4 2 finance+director",
            |p| takes(p, Asked::new("REVERSE-DOC", 60_000)),
        ),
        (
            "finance agrees to write-offs above 1,000",
            "above = \"1000\"",
            "above = \"99999\"",
            "T4 2 finance+director",
            |p| takes(p, Asked::new("ADJUST-STOCK", 60_000)),
        ),
        ("cumulative: same item", "item = true", "item = false", "T2 1 ", |p| {
            takes(p, Asked::new("NEW-PO", 600).after(600, |e| e.item = Some(ItemId::new("7"))))
        }),
        ("cumulative: same supplier", "supplier = true", "supplier = false", "T2 1 ", |p| {
            takes(p, Asked::new("NEW-PO", 600).after(600, |e| e.supplier = Some(SupplierId::new("9"))))
        }),
        ("cumulative: same approver", "approver = true", "approver = false", "T2 1 ", |p| {
            takes(p, Asked::new("NEW-PO", 600).after(600, |e| e.by = PersonId::new("ari")))
        }),
        ("cumulative: approver chain", "chain = true", "chain = false", "T2 1 ", |p| {
            takes(p, Asked::new("NEW-PO", 600).after(600, |e| e.on_behalf_of = vec![PersonId::new("ari")]))
        }),
        ("cumulative: over 7 days", "days = 7", "days = 6", "T2 1 ", |p| {
            let then = now().checked_sub(jiff::SignedDuration::from_hours(7 * 24)).unwrap();
            takes(
                p,
                Asked::new("NEW-PO", 600).after(600, |e| {
                    e.at = then;
                    e.item = Some(ItemId::new("7"));
                }),
            )
        }),
    ];
    let standard = Policy::standard();
    for (rule, from, to, asks, probe) in table {
        assert_eq!(probe(&standard), asks, "{rule}");
        assert_ne!(probe(&changed(from, to)), asks, "nothing misses the rule: {rule}");
    }
}

#[test]
fn who_may_sign_each_tier_is_as_the_handbook_says() {
    let policy = Policy::standard();
    let may = |action, value, first: Option<Person>, person: Person, touched: &[&str]| {
        let ruling = Asked::new(action, value).by(&policy);
        let (signer, signed) = (Signer::own(person), Vec::from_iter(first.map(Signer::own)));
        let touched_by: Vec<PersonId> = touched.iter().map(|id| PersonId::new(*id)).collect();
        policy
            .may_sign(&Attempt {
                signer: &signer,
                ruling: &ruling,
                facts: &[harmless()],
                signed: &signed,
                touched_by: &touched_by,
            })
            .map(|standing| standing.needs_second)
            .map_err(|_| ())
    };
    let (done, second, refused) = (Ok(false), Ok(true), Err(()));
    // T0: planner of the scope. T1: one approver. T2: one approver with T2.
    assert_eq!(may("MONITOR", 0, None, pia(), &[]), done);
    assert_eq!(may("NEW-PO", 1_000, None, pia(), &[]), refused);
    assert_eq!(may("NEW-PO", 1_000, None, person("bo", &[Role::Approver], 1), &[]), done);
    assert_eq!(may("NEW-PO", 1_001, None, person("bo", &[Role::Approver], 1), &[]), refused);
    assert_eq!(may("NEW-PO", 1_001, None, ari(), &[]), done);
    // T3 and T4: two different people, one of finance, one director.
    assert_eq!(may("NEW-PO", 20_000, None, fay(), &[]), second);
    assert_eq!(may("NEW-PO", 20_000, Some(fay()), fay(), &[]), refused);
    assert_eq!(may("NEW-PO", 20_000, Some(dan()), ari(), &[]), refused);
    assert_eq!(may("NEW-PO", 20_000, Some(fay()), ari(), &[]), done);
    assert_eq!(may("NEW-PO", 60_000, Some(fay()), ari(), &[]), refused);
    assert_eq!(may("NEW-PO", 60_000, Some(fay()), dan(), &[]), done);
    // Separation of duties; administrators are not exempt; the system is never an approver.
    let admin = || person("adm", &[Role::Admin, Role::Approver], 4);
    assert_eq!(may("NEW-PO", 1, None, admin(), &[]), done);
    assert_eq!(may("NEW-PO", 1, None, admin(), &["adm"]), refused);
    assert_eq!(may("MONITOR", 0, None, person("adm", &[Role::Admin], 4), &[]), refused);
    assert_eq!(may("NEW-PO", 1, None, person("system", &[Role::Approver], 4), &[]), refused);
    assert_eq!(may("NEW-PO", 1, None, person("stage:queue", &[Role::Approver], 4), &[]), refused);
}

/// The handbook's table, as a table of its own: by value, and what some actions take at least.
fn by_the_handbook(action: &str, value: i64) -> u8 {
    let by_value =
        [(1_000, 1), (10_000, 2), (50_000, 3)].iter().find(|(limit, _)| value <= *limit).map_or(4, |(_, tier)| *tier);
    match action {
        // A mute commits nothing, and is held to what it hides.
        "MUTE" if value > 10_000 => 3,
        "MUTE" if value > 1_000 => 2,
        // Beside the handbook's four, notes and questions commit nothing either.
        "MONITOR" | "NO-ACTION" | "RECOUNT" | "CONTACT" | "ESCALATE" | "FORECAST-FIX" | "MARK-EVENT" | "MUTE" => 0,
        "ADJUST-PARAM" | "ALT-SUPPLIER" | "MARKDOWN" | "PROMO-CHANGE" | "FIX-MASTER" => by_value.max(2),
        "ADJUST-STOCK" | "REVERSE-DOC" => by_value.max(3),
        "CLAIM" if value > 5_000 => by_value.max(3),
        _ => by_value,
    }
}

#[test]
fn every_action_of_every_value_is_of_the_handbooks_tier() {
    // Nothing is known beside action and value: a class that is not known is class A.
    let policy = Policy::standard();
    for action in crate::action::Action::CODES {
        for value in [0, 1_000, 1_001, 5_000, 5_001, 10_000, 10_001, 50_000, 50_001] {
            let asked = Asked::new(action, value).knowing(|facts| *facts = Facts::default());
            assert_eq!(asked.by(&policy).tier.level(), by_the_handbook(action, value), "{action} {value}");
        }
    }
}
