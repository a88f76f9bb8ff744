//! Tests of the lint: for each finding the smallest bad policy, and none for the shipped one.

use super::*;
use crate::ids::PersonId;
use crate::policy::tests::{ari, changed, dan, demo, fay, person, pia, with_rule};
use crate::policy::{Role, Scopes};

/// The findings that are worse than a note, as text.
fn worse(policy: &Policy, people: &[Person]) -> Vec<String> {
    let findings = lint(policy, people, &[]).into_iter().filter(|f| f.severity < Severity::Note);
    findings.map(|f| f.to_string()).collect()
}

/// The shipped policy with a change has exactly this finding.
#[track_caller]
fn finds(from: &str, to: &str, expected: &str) {
    assert_eq!(worse(&changed(from, to), &demo()), [expected]);
}

#[test]
fn the_shipped_policy_and_people_have_no_holes_and_hang_on_two_people() {
    let findings: Vec<String> = lint(&Policy::standard(), &demo(), &[]).iter().map(ToString::to_string).collect();
    let note = |takes: &str, who: &str| {
        format!(
            "note: everywhere: {takes} hangs on {who}: when they edited it, counted it or are away, nobody can approve it. Fix: give \
             another person the same tier, role and scope."
        )
    };
    assert_eq!(
        findings,
        [
            note("T3 (two people with one of finance among them)", "fay"),
            note("T4 (two people with a director among them)", "dan"),
            note("T4 (two people with one of finance and a director among them)", "dan"),
            note("T4 (two people with one of finance and a director among them)", "fay"),
        ]
    );
    // With a second of each there is nothing to say.
    let more = [person("fin", &[Role::Finance], 3), person("dir", &[Role::Director], 4)];
    assert_eq!(lint(&Policy::standard(), &[demo(), more.to_vec()].concat(), &[]), []);
}

#[test]
fn a_value_reached_by_splitting_is_found_with_its_route() {
    finds(
        "days = 7",
        "days = 0",
        "error: cumulative.days: a T1 approver reaches 10,000.00 by splitting: nothing counts together, so 10 of 1,000.00 reach \
         10,000.00 USD on one day. Fix: count at least 7 days together.",
    );
    finds(
        "\napprover = true",
        "\napprover = false",
        "error: cumulative.approver: a T1 approver reaches 10,000.00 by splitting: 10 of 1,000.00 reach 10,000.00 USD by one \
         person, in several items of several suppliers. Fix: set cumulative.approver to true.",
    );
    finds(
        "\nitem = true",
        "\nitem = false",
        "error: cumulative.item: a T1 approver reaches 10,000.00 by splitting: 10 of 1,000.00 reach 10,000.00 USD for one item, \
         bought from several suppliers and signed by several people. Fix: set cumulative.item to true.",
    );
    finds(
        "\nsupplier = true",
        "\nsupplier = false",
        "error: cumulative.supplier: a T1 approver reaches 10,000.00 by splitting: 10 of 1,000.00 reach 10,000.00 USD at one \
         supplier, in several items and signed by several people. Fix: set cumulative.supplier to true.",
    );
    finds(
        "\nchain = true",
        "\nchain = false",
        "error: cumulative.chain: a T1 approver reaches 10,000.00 by splitting: 10 of 1,000.00 reach 10,000.00 USD, half signed by \
         one person and half by who stands in for them, each within an own sum. Fix: set cumulative.chain to true.",
    );
    finds(
        "days = 7",
        "days = 3",
        "warning: cumulative.days: after 3 days the sum starts anew: a T1 approver releases 3,000.00 in the 7 days of the \
         handbook. Fix: count at least 7 days together.",
    );
    // Parts that do not fit exactly are one more.
    let policy = changed("limit = \"1000\"", "limit = \"3000\"");
    let policy = Policy { cumulative: crate::policy::Cumulative { days: 0, ..policy.cumulative.clone() }, ..policy };
    assert!(worse(&policy, &demo())[0].contains("so 4 of 3,000.00 reach 10,000.00"));
    let policy = changed("limit = \"1000\"", "limit = \"0\"");
    let policy = Policy { cumulative: crate::policy::Cumulative { days: 0, ..policy.cumulative.clone() }, ..policy };
    assert_eq!(worse(&policy, &demo()), Vec::<String>::new());
}

#[test]
fn a_limit_without_a_rate_is_found_wherever_it_is() {
    let says = |place: &str, limit: &str| {
        format!(
            "error: {place}: the limit {limit} is in a currency without a rate, so everything counts as above it. Fix: add EUR to \
             [rates], or give the limit in USD."
        )
    };
    finds("limit = \"50000\"", "limit = \"50000 EUR\"", &says("tiers.T3.limit", "50000 EUR"));
    finds("above = \"5000\"", "above = \"5000 EUR\"", &says("rules, \"large claims\", above", "5000 EUR"));
    let rule = with_rule("margin_lost_above = \"1 EUR\"\ntier = \"T2\"");
    assert_eq!(worse(&rule, &demo()), [says("rules, \"own\", margin_lost_above", "1 EUR")]);
    let mut people = demo();
    people[1].limit = Some("500 EUR".parse().unwrap());
    assert_eq!(worse(&Policy::standard(), &people), [says("people, ari, limit", "500 EUR")]);
    assert_eq!(worse(&changed("[rates]", "[rates]\nEUR = 1.1"), &people), Vec::<String>::new());
}

#[test]
fn limits_that_do_not_rise_are_found() {
    finds(
        "limit = \"10000\"",
        "limit = \"1000\"",
        "error: tiers.T2.limit: T2 ends at 1,000.00 and T1 at 1,000.00, so no value is T2. Fix: make the limit of T2 larger than \
         that of T1.",
    );
    finds(
        "limit = \"50000\"",
        "limit = \"9000\"",
        "error: tiers.T3.limit: T3 ends at 9,000.00 and T2 at 10,000.00, so no value is T3. Fix: make the limit of T3 larger than \
         that of T2.",
    );
}

#[test]
fn a_list_without_a_way_to_say_nothing_or_to_ask_is_found() {
    finds(
        "\"MONITOR\", \"NO-ACTION\", \"ESCALATE\",\n    \"MUTE\"",
        "\"MONITOR\", \"ESCALATE\",\n    \"MUTE\"",
        "error: permitted.actions: NO-ACTION is missing, so there is no way to say that nothing is to be done. Fix: add \
         \"NO-ACTION\" to permitted.actions.",
    );
    finds(
        "\"NO-ACTION\", \"ESCALATE\",\n    \"MUTE\"",
        "\"NO-ACTION\",\n    \"MUTE\"",
        "error: permitted.actions: ESCALATE is missing, so there is no way to ask for human judgement. Fix: add \"ESCALATE\" to \
         permitted.actions.",
    );
}

#[test]
fn dead_rules_are_found() {
    let dead = |rule: &str| worse(&with_rule(rule), &demo());
    let says = |why: &str| {
        [format!("warning: rules, \"own\": {why}. Fix: take the rule out, or change it so that it asks for more.")]
    };
    let nothing = says("the rule asks for nothing: it names no tier above T0, no co-approval and no second signature");
    assert_eq!(dead("actions = [\"CLAIM\"]"), nothing);
    assert_eq!(dead("actions = [\"CLAIM\"]\ntier = \"T0\"\nsignatures = 1"), nothing);
    let already = says("the rule asks for T1, and whatever commits something is T1 already");
    assert_eq!(dead("actions = [\"CLAIM\"]\ntier = \"T1\""), already);
    let covered = says("the rule changes nothing: \"large claims\" holds wherever it does and asks as much");
    assert_eq!(dead("actions = [\"CLAIM\"]\nabove = \"5000\"\ntier = \"T3\""), covered);
    assert_eq!(
        dead("actions = [\"CLAIM\"]\nabove = \"6000\"\nclasses = [\"A\"]\nlocations = [\"N\"]\ntier = \"T2\""),
        covered
    );
    let policy = changed("\"CLAIM\", \"RETURN\"", "\"RETURN\"");
    let text = worse(&policy, &demo()).join("\n");
    assert!(text.contains("\"large claims\": the rule never holds: none of its actions may be recommended"), "{text}");
    // Rules that do something.
    for alive in [
        "actions = [\"CONTACT\"]\ntier = \"T1\"",
        "tier = \"T1\"",
        "actions = [\"CLAIM\"]\nabove = \"4999\"\ntier = \"T3\"",
        "actions = [\"CLAIM\", \"RETURN\"]\nabove = \"5000\"\ntier = \"T3\"",
        "actions = [\"CLAIM\"]\ntier = \"T3\"",
        "above = \"5000\"\ntier = \"T3\"",
        "actions = [\"CLAIM\"]\nabove = \"5000\"\ntier = \"T4\"",
        "actions = [\"CLAIM\"]\nabove = \"5000\"\ntier = \"T3\"\nwith = [\"director\"]",
        "actions = [\"CLAIM\"]\nabove = \"5000\"\ntier = \"T3\"\nsignatures = 2",
        "actions = [\"ADJUST-STOCK\"]\nabove = 2000\nwith = [\"director\"]",
        "supplier_risk = \"high\"\ntier = \"T2\"",
    ] {
        assert!(!dead(alive).iter().any(|f| f.starts_with("warning: rules, \"own\"")), "{alive}");
    }
}

#[test]
fn a_rule_inside_another_is_dead_whatever_its_condition_is() {
    let two = |wide: &str, narrow: &str| {
        let policy = with_rule(&format!("{wide}\ntier = \"T2\"\n[[rules]]\nname = \"narrow\"\n{narrow}\ntier = \"T2\""));
        let found = worse(&policy, &demo());
        found.iter().any(|f| f.contains("rules, \"narrow\": the rule changes nothing: \"own\" holds"))
    };
    for (wide, narrow) in [
        ("classes = [\"A\", \"B\"]", "classes = [\"A\"]"),
        ("categories = [\"Food\", \"Toys\"]", "categories = [\"Toys\"]"),
        ("locations = [\"N\", \"S\"]", "locations = [\"S\"]"),
        ("suppliers = [\"1\", \"2\"]", "suppliers = [\"2\"]"),
        ("supplier_risk = \"low\"", "supplier_risk = \"high\""),
        ("margin_lost_above = 5", "margin_lost_above = 6"),
        ("margin_lost_share_above = 0.5", "margin_lost_share_above = 0.6"),
        ("above = 5", "above = 6"),
        ("above = \"5 GBP\"", "above = 6"),
    ] {
        assert!(two(wide, narrow), "{narrow} inside {wide}");
        assert!(!two(narrow, wide), "{wide} inside {narrow}");
        assert!(!two(wide, "actions = [\"CLAIM\"]"), "everything inside {wide}");
        assert!(two(wide, wide), "{wide} twice");
    }
    // Of two that are the same, one is alive.
    let policy = with_rule("above = 5\ntier = \"T2\"\n[[rules]]\nname = \"again\"\nabove = 5\ntier = \"T2\"");
    let found = worse(&policy, &demo());
    assert!(found.iter().any(|f| f.contains("\"again\": the rule changes nothing")), "{found:?}");
    assert!(!found.iter().any(|f| f.contains("\"own\": the rule")), "{found:?}");
}

#[test]
fn rules_without_a_name_of_their_own_are_found() {
    let twice = with_rule("tier = \"T2\"\nclasses = [\"A\"]\n[[rules]]\nname = \"own \"\ntier = \"T3\"\nclasses = [\"B\"]");
    let found = worse(&twice, &demo());
    assert!(found.len() == 2 && found[0].contains("\"own \": the name is empty or taken"), "{found:?}");
    let empty = with_rule("tier = \"T2\"\nclasses = [\"A\"]\n[[rules]]\nname = \" \"\ntier = \"T3\"\nclasses = [\"B\"]");
    assert!(worse(&empty, &demo())[0].contains("\" \": the name is empty or taken"));
}

#[test]
fn a_role_that_nobody_has_is_found_where_it_is_asked_for() {
    let nobody_of_finance = [pia(), ari(), dan()];
    let found = worse(&Policy::standard(), &nobody_of_finance);
    assert!(
        found.contains(
            &"error: tiers.T3.with; rules, \"finance agrees to reversals\", with; rules, \"finance agrees to large write-offs\", \
              with: a signature of one of finance is asked for, and nobody has the role finance. Fix: give the role finance to \
              somebody, or ask for another."
                .to_owned()
        ),
        "{found:#?}"
    );
    // And so nobody can complete the pair.
    assert!(
        found.iter().any(|f| f.contains("nobody may approve T3 (two people with one of finance among them)")),
        "{found:#?}"
    );
    // A machine is nobody.
    let machine = person("system", &[Role::Finance], 4);
    assert!(
        worse(&Policy::standard(), &[pia(), ari(), dan(), machine])
            .iter()
            .any(|f| f.contains("nobody has the role finance"))
    );
    let admin = with_rule("with = [\"admin\"]");
    let found = worse(&admin, &demo());
    assert!(found.iter().any(|f| f.contains("\"own\", with: an administrator gives no right to sign")), "{found:#?}");
}

#[test]
fn a_pair_that_can_not_be_completed_is_found() {
    // The only director is the only one of finance: alone, they are one.
    let both = person("dan", &[Role::Director, Role::Finance], 4);
    let found = worse(&Policy::standard(), &[pia(), both.clone()]);
    assert_eq!(found.iter().filter(|f| f.contains("nobody may approve T4")).count(), 2, "{found:#?}");
    assert_eq!(worse(&Policy::standard(), &[pia(), both, ari()]), Vec::<String>::new());
    // Two who may sign, neither of whom holds the tier.
    let low = [person("a", &[Role::Approver, Role::Director], 2), person("f", &[Role::Approver, Role::Finance], 2)];
    let found = worse(&Policy::standard(), &low);
    assert!(
        found.iter().any(|f| f.contains("nobody may approve T3"))
            && found.iter().any(|f| f.contains("nobody may approve T4"))
    );
    assert!(!found.iter().any(|f| f.contains("nobody may approve T2")), "{found:#?}");
}

fn scoped(person: Person, locations: &[&str], categories: &[&str], suppliers: &[&str]) -> Person {
    let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
    let scopes = Scopes { locations: list(locations), categories: list(categories), suppliers: list(suppliers) };
    Person { scopes, ..person }
}

#[test]
fn a_part_of_the_business_that_nobody_may_approve_is_found() {
    let everybody = |more: &[Person]| -> Vec<String> {
        let rest = [fay(), dan(), person("fin", &[Role::Finance], 3), person("dir", &[Role::Director], 4)];
        // Nobody but those under test approves T1 and T2.
        let rest = rest.map(|p| Person { roles: p.roles.into_iter().filter(|r| *r != Role::Approver).collect(), ..p });
        let findings = lint(&Policy::standard(), &[rest.to_vec(), more.to_vec()].concat(), &[]);
        let told = findings.iter().filter(|f| f.what.contains("T1") || f.what.contains("T2 hangs"));
        told.map(|f| format!("{}: {}", f.place, f.what)).collect()
    };
    let b = |id: &str| person(id, &[Role::Approver], 2);
    assert_eq!(everybody(&[b("a"), b("b")]), Vec::<String>::new());
    // North has an approver, whatever is elsewhere has none.
    assert_eq!(
        everybody(&[scoped(b("a"), &["NOR"], &[], &[]), scoped(b("b"), &["NOR"], &[], &[])]),
        ["whatever no scope names: nobody may approve T1"]
    );
    // Only c looks after everything, a and b after a part each.
    let hangs = everybody(&[scoped(b("a"), &["NOR"], &[], &[]), scoped(b("b"), &["SOU"], &["Food"], &[]), b("c")]);
    let where_ = "location SOU; category Food; whatever no scope names";
    let what = |tier: &str| {
        format!("{where_}: {tier} hangs on c: when they edited it, counted it or are away, nobody can approve it")
    };
    assert_eq!(hangs, [what("T1"), what("T2")]);
    // A supplier that only a rule names is a place too: somebody who looks after all others does not cover it.
    let policy = with_rule("suppliers = [\"Acme\"]\ntier = \"T2\"");
    let people = [scoped(ari(), &[], &[], &["Bolt"]), fay(), dan()].map(|p| match p.id.as_str() {
        "ari" => p,
        _ => Person { roles: vec![Role::Finance, Role::Director], ..p },
    });
    let found = worse(&policy, &people);
    assert!(
        found.iter().any(|f| f.starts_with("error: supplier Acme; whatever no scope names: nobody may approve T1")),
        "{found:#?}"
    );
}

#[test]
fn many_names_are_looked_at_one_by_one() {
    let names: Vec<String> = (0..30).map(|n| format!("L{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let b = |id: &str| person(id, &[Role::Approver], 2);
    let people = [scoped(b("a"), &names, &[], &[]), scoped(b("b"), &[], &names, &[]), scoped(b("c"), &[], &[], &names)];
    let found = lint(&Policy::standard(), &people, &[]);
    let nobody = found.iter().find(|f| f.what == "nobody may approve T1").expect("whatever is elsewhere is nobody's");
    assert_eq!(nobody.place, "whatever no scope names");
    let hangs = found.iter().find(|f| f.what.starts_with("T1 hangs on b")).expect("there is only one for each kind");
    assert!(hangs.place.starts_with("category L0; category L1; ") && !hangs.place.contains(" with "), "{}", hangs.place);
}

#[test]
fn a_case_that_nobody_looks_after_and_nobody_plans_for_is_found() {
    let about = |people: &[Person]| -> Vec<String> {
        let found = lint(&Policy::standard(), people, &[]).into_iter().filter(|f| f.what.contains("case without an owner"));
        found.map(|f| f.to_string()).collect()
    };
    let nobody = "warning: escalation.steps, number 1: a case without an owner is told to those who plan, and nobody has the \
                  role planner: the step reaches nobody. Fix: give somebody the role planner, or add a step to approvers, a role \
                  or a person as early.";
    assert_eq!(about(&[fay(), dan()]), [nobody]);
    assert_eq!(about(&[fay(), dan(), person("system", &[Role::Planner], 0)]), [nobody], "a machine reads nothing");
    let parts = Person { scopes: Scopes { locations: vec!["1".into()], ..Scopes::default() }, ..pia() };
    let found = about(&[parts.clone(), fay(), dan()]);
    assert!(found.len() == 1 && found[0].starts_with("note: ") && found[0].contains("a part only"), "{found:?}");
    assert!(about(&[parts, ari(), fay(), dan()]).is_empty(), "one of them looks after everything");
    assert!(about(&demo()).is_empty());
}

#[test]
fn escalation_to_nobody_is_found() {
    let step = |to: &str| changed("to = \"approvers\"", &format!("to = \"{to}\""));
    assert_eq!(
        worse(&step("person:eve"), &demo()),
        [
            "error: escalation.steps, number 2: eve is not in the configuration: the step escalates to nobody. Fix: write the id of \
          somebody under [[people]]."
        ]
    );
    assert_eq!(
        worse(&step("role:admin"), &demo()),
        [
            "error: escalation.steps, number 2: nobody has the role admin: the step escalates to nobody. Fix: give somebody the role, \
          or name another."
        ]
    );
    assert_eq!(
        worse(&step("next-tier"), &demo()),
        [
            "error: escalation.steps, number 2: T4 has no next tier: the step escalates to nobody. Fix: name a role or a person \
          instead."
        ]
    );
    assert_eq!(worse(&step("person:ari"), &demo()), Vec::<String>::new());
    let low =
        [pia(), person("a", &[Role::Approver], 2), person("f", &[Role::Finance], 3), person("d", &[Role::Director], 3)];
    assert!(
        worse(&Policy::standard(), &low).contains(
            &"error: escalation.steps, number 3: nobody holds T4: the step escalates T3 to nobody. Fix: name a role or a \
                        person instead."
                .to_owned()
        )
    );
    finds(
        "per_person_per_day = 5",
        "per_person_per_day = 0",
        "error: escalation.per_person_per_day: nobody may be told anything, so every step escalates to nobody. Fix: allow at least \
         one notice a day.",
    );
    let mut silent = Policy::standard();
    silent
        .escalation
        .steps
        .retain(|step| step.to == crate::policy::Addressee::Owner || !step.tiers.contains(&crate::policy::Tier::T3));
    assert_eq!(
        worse(&silent, &demo()),
        ["T1", "T2", "T3"].map(|tier| format!(
            "warning: escalation.steps: nobody but its owner hears of a {tier} that is not decided. Fix: add a step for {tier} to \
             approvers, next-tier, a role or a person."
        ))
    );
    let mut none = Policy::standard();
    none.escalation.steps[0].tiers.clear();
    assert!(worse(&none, &demo())[0].contains("number 1: the step is for no tier"));
}

#[test]
fn people_who_are_not_what_they_seem_are_found() {
    let with = |person: Person| worse(&Policy::standard(), &[demo(), vec![person]].concat());
    assert!(with(ari())[0].starts_with("error: people, ari: the id is there twice"));
    assert!(with(person("bo", &[Role::Approver], 5))[0].contains("tier 5 is above T4"));
    assert_eq!(with(person("bo", &[Role::Approver], 4)), Vec::<String>::new());
    assert!(with(person("bo", &[Role::Planner, Role::Admin], 1))[0].contains("they hold T1 and no role that signs it"));
    assert_eq!(with(person("bo", &[Role::Admin], 0)), Vec::<String>::new());
    assert!(with(person("system", &[Role::Approver], 1))[0].contains("the id is one of the system"));
    assert_eq!(with(person("system", &[Role::Viewer], 0)), Vec::<String>::new());
}

#[test]
fn circles_and_long_chains_of_delegation_are_found_once() {
    let link = |id: &str, from: &str, to: &str| Delegation {
        id: id.to_owned(),
        from: PersonId::new(from),
        to: PersonId::new(to),
        starts: "2026-10-01".parse().unwrap(),
        ends: "2026-10-09".parse().unwrap(),
        reason: "holiday".into(),
        revoked_at: None,
    };
    let found = |links: &[Delegation]| -> Vec<String> {
        let found = lint(&Policy::standard(), &demo(), links).into_iter().filter(|f| f.severity < Severity::Note);
        found.map(|f| format!("{}: {}", f.place, f.what)).collect()
    };
    assert_eq!(found(&[link("1", "ari", "fay"), link("2", "fay", "dan")]), Vec::<String>::new());
    let circle = found(&[link("1", "ari", "fay"), link("2", "fay", "ari")]);
    assert_eq!(circle.len(), 1, "{circle:?}");
    assert!(circle[0].starts_with("delegation 1 (ari → fay): ari → fay → ari would stand in for themselves"), "{circle:?}");
    let chain = found(&[link("1", "pia", "ari"), link("2", "ari", "fay"), link("3", "fay", "dan")]);
    assert_eq!(chain.len(), 1, "{chain:?}");
    assert!(chain[0].contains("pia → ari → fay → dan is a chain of 3"), "{chain:?}");
    let gone = found(&[link("1", "eve", "ari")]);
    assert!(gone.len() == 1 && gone[0].contains("eve is not in the configuration"));
    let mut back = link("2", "fay", "ari");
    back.revoked_at = Some(crate::policy::tests::now());
    assert_eq!(found(&[link("1", "ari", "fay"), back]), Vec::<String>::new());
}

#[test]
fn quiet_hours_over_working_hours_are_found() {
    let quiet = |from: &str, to: &str| {
        let mut policy = Policy::standard();
        (policy.quiet.from, policy.quiet.to) = (from.parse().unwrap(), to.parse().unwrap());
        worse(&policy, &demo())
    };
    assert_eq!(quiet("17:00", "08:00"), Vec::<String>::new());
    assert_eq!(
        quiet("17:00", "09:30"),
        [
            "warning: quiet: quiet hours cover 90 minutes of the working hours (08:00–17:00): what is due then waits while people \
          work. Fix: let quiet hours end before work begins and begin after it ends."
        ]
    );
    for (from, to) in [("08:00", "17:00"), ("18:00", "17:00"), ("00:00", "24:00")] {
        assert_eq!(
            quiet(from, to),
            [
                "error: quiet: quiet hours cover all working hours (08:00–17:00): nobody is ever told anything while they work. Fix: \
              let quiet hours end before work begins and begin after it ends."
            ]
        );
    }
}

#[test]
fn holidays_on_days_off_and_too_many_drills_are_found() {
    let saturday = changed("holidays = []", "holidays = [\"2026-12-25\", \"2026-12-26\"]");
    let found = lint(
        &saturday,
        &[demo(), vec![person("fin", &[Role::Finance], 3), person("dir", &[Role::Director], 4)]].concat(),
        &[],
    );
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].severity, found[0].what.as_str()), (Severity::Note, "nobody works on 2026-12-26 anyway"));
    let half = changed("share = 0.0", "share = 0.5");
    assert_eq!(worse(&half, &demo()), Vec::<String>::new());
    assert!(worse(&changed("share = 0.0", "share = 0.51"), &demo())[0].contains("51 % of what people see would be planted"));
}

#[test]
fn names_that_the_erp_does_not_have_are_found() {
    let known = KnownNames {
        locations: vec![Named::new("1", &["NOR"])],
        categories: vec!["All / Food / Cheese".into()],
        suppliers: vec![Named::new("9", &["Acme"])],
    };
    let found = |policy: &Policy, people: &[Person]| -> Vec<String> {
        let findings = lint_with(policy, people, &[], Some(&known)).into_iter();
        findings.filter(|f| f.what.contains("there is no")).map(|f| format!("{}: {}", f.place, f.what)).collect()
    };
    let mut people = demo();
    people.push(scoped(
        person("bo", &[Role::Approver], 1),
        &["NOR", "1", "SOU"],
        &["All / Food", "Toys"],
        &["acme", "Bolt"],
    ));
    assert_eq!(
        found(&Policy::standard(), &people),
        [
            "people, bo, scopes: there is no category \"Toys\", so this never matches",
            "people, bo, scopes: there is no location \"SOU\", so this never matches",
            "people, bo, scopes: there is no supplier \"Bolt\", so this never matches",
        ]
    );
    let rule = with_rule("locations = [\"X\"]\ntier = \"T2\"");
    assert_eq!(found(&rule, &demo()), ["rules, \"own\": there is no location \"X\", so this never matches"]);
}
