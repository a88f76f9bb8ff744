//! Tests of signing: roles, tiers, own limits, scopes, four eyes and separation of duties.

use super::*;

/// An attempt on a ruling of the shipped policy.
struct Try {
    action: &'static str,
    value: i64,
    signed: Vec<Signer>,
    touched: Vec<PersonId>,
    facts: Facts,
    policy: Policy,
}

impl Try {
    fn new(action: &'static str, value: i64) -> Self {
        Self { action, value, signed: vec![], touched: vec![], facts: harmless(), policy: Policy::standard() }
    }

    fn after(mut self, signed: &[Person]) -> Self {
        self.signed = signed.iter().cloned().map(Signer::own).collect();
        self
    }

    fn touched(mut self, by: &str) -> Self {
        self.touched.push(PersonId::new(by));
        self
    }

    fn signer(&self, signer: &Signer) -> Result<Standing, Refusal> {
        let mut asked = Asked::new(self.action, self.value);
        asked.facts = self.facts.clone();
        let ruling = asked.by(&self.policy);
        let (facts, signed, touched_by) = (&self.facts, self.signed.as_slice(), self.touched.as_slice());
        self.policy.may_sign(&Attempt { signer, ruling: &ruling, facts: std::slice::from_ref(facts), signed, touched_by })
    }

    fn by(&self, person: &Person) -> Result<Standing, Refusal> {
        self.signer(&Signer::own(person.clone()))
    }
}

fn for_(person: Person, others: &[Person]) -> Signer {
    Signer { person, on_behalf_of: others.to_vec() }
}

const DONE: Result<Standing, Refusal> = Ok(Standing { needs_second: false });
const OPEN: Result<Standing, Refusal> = Ok(Standing { needs_second: true });

/// One action for each tier.
const TIERS: [(&str, i64); 5] = [("MONITOR", 0), ("NEW-PO", 1), ("NEW-PO", 5_000), ("NEW-PO", 20_000), ("NEW-PO", 60_000)];

#[test]
fn one_approver_needs_the_role_and_the_tier() {
    let bo = person("bo", &[Role::Approver], 1);
    assert_eq!(Try::new("NEW-PO", 1_000).by(&bo), DONE);
    assert_eq!(Try::new("NEW-PO", 1_001).by(&bo), Err(Refusal::TierTooLow { who: "bo".into(), has: 1, tier: Tier::T2 }));
    let planner = person("pia", &[Role::Planner], 4);
    assert_eq!(Try::new("MONITOR", 0).by(&planner), DONE);
    let told = Try::new("NEW-PO", 1).by(&planner).unwrap_err().to_string();
    assert_eq!(
        told,
        "pia may not decide this: it is T1 and takes an approver; being an administrator or a viewer gives no right to"
    );
    // Finance or a director alone does not release what takes an approver.
    assert!(matches!(Try::new("NEW-PO", 1).by(&person("f", &[Role::Finance], 4)), Err(Refusal::Role { .. })));
}

#[test]
fn an_administrator_or_viewer_decides_nothing() {
    for role in [Role::Admin, Role::Viewer] {
        let person = person("adm", &[role], 4);
        for (action, value) in TIERS {
            assert!(matches!(Try::new(action, value).by(&person), Err(Refusal::Role { .. })), "{role:?} {value}");
            // Not even with somebody else's rights.
            let for_dan = Try::new(action, value).signer(&for_(person.clone(), &[dan()]));
            assert!(matches!(for_dan, Err(Refusal::Role { .. })), "{role:?} {value}");
        }
        assert_eq!(
            may_turn_down(&person).unwrap_err().to_string(),
            "adm may not decide this: it is T0 and takes a planner or an approver; being an administrator or a viewer gives no \
             right to"
        );
    }
    for role in [Role::Planner, Role::Approver, Role::Finance, Role::Director] {
        assert_eq!(may_turn_down(&person("p", &[role], 0)), Ok(()));
    }
}

#[test]
fn the_system_is_never_an_approver_whatever_its_roles() {
    for id in ["stage:draft", "system", "System-2", ""] {
        let machine = person(id, &[Role::Planner, Role::Approver, Role::Finance, Role::Director], 4);
        let refused = Err(Refusal::Machine(PersonId::new(id)));
        assert_eq!(Try::new("MONITOR", 0).by(&machine), refused, "{id}");
        assert_eq!(Try::new("MONITOR", 0).signer(&for_(dan(), std::slice::from_ref(&machine))), refused, "{id}");
        assert_eq!(Try::new("MONITOR", 0).signer(&for_(machine.clone(), &[dan()])), refused, "{id}");
        assert_eq!(may_turn_down(&machine), Err(Refusal::Machine(PersonId::new(id))));
    }
}

#[test]
fn who_touched_it_can_not_approve_it_nor_can_who_stands_in_for_them_or_whom_they_stand_in_for() {
    assert_eq!(Try::new("MONITOR", 0).touched("dan").by(&dan()), Err(Refusal::Touched("dan".into())));
    let ari_for_fay = for_(ari(), &[fay()]);
    assert_eq!(Try::new("NEW-PO", 1).signer(&ari_for_fay), DONE);
    assert_eq!(Try::new("NEW-PO", 1).touched("ari").signer(&ari_for_fay), Err(Refusal::Touched("ari".into())));
    assert_eq!(Try::new("NEW-PO", 1).touched("fay").signer(&ari_for_fay), Err(Refusal::Touched("fay".into())));
    // In the middle of a chain too.
    let chain = for_(ari(), &[fay(), dan()]);
    assert_eq!(Try::new("NEW-PO", 1).touched("fay").signer(&chain), Err(Refusal::Touched("fay".into())));
    // Whoever signed first may be concerned since.
    let second = Try::new("NEW-PO", 20_000).after(&[ari()]).touched("ari").by(&fay());
    assert_eq!(second, Err(Refusal::Touched("ari".into())));
    // Not even an administrator who is an approver as well.
    let adm = person("adm", &[Role::Admin, Role::Approver], 4);
    assert_eq!(Try::new("NEW-PO", 1).by(&adm), DONE);
    assert_eq!(Try::new("NEW-PO", 1).touched("adm").by(&adm), Err(Refusal::Touched("adm".into())));
}

#[test]
fn four_eyes_take_two_different_people_and_the_right_ones() {
    let bo = person("bo", &[Role::Approver], 3);
    let t3 = |signed: &[Person], person: &Person| Try::new("NEW-PO", 20_000).after(signed).by(person);
    assert_eq!(t3(&[], &ari()), OPEN);
    assert_eq!(t3(&[], &fay()), OPEN);
    assert_eq!(t3(&[ari()], &fay()), DONE);
    assert_eq!(t3(&[fay()], &ari()), DONE);
    assert_eq!(
        t3(&[ari()], &bo).unwrap_err().to_string(),
        "T3 takes two people, one of them of finance; bo as the second would not complete it"
    );
    assert_eq!(t3(&[fay()], &fay()), Err(Refusal::SamePerson("fay".into())));
    let low = person("low", &[Role::Approver, Role::Finance], 2);
    assert_eq!(
        t3(&[ari()], &low).unwrap_err().to_string(),
        "T3 takes two people, one of them with the right to release T3; low as the second would not complete it"
    );
    assert_eq!(t3(&[bo], &low), DONE);
    let t4 = |signed: &[Person], person: &Person| Try::new("NEW-PO", 60_000).after(signed).by(person);
    assert_eq!(
        t4(&[ari()], &fay()).unwrap_err().to_string(),
        "T4 takes two people, one of them a director; fay as the second would not complete it"
    );
    assert_eq!(t4(&[fay()], &dan()), DONE);
    // Finance agrees to a reversal that is a director's as well.
    let reversal = |signed: &[Person], person: &Person| Try::new("REVERSE-DOC", 60_000).after(signed).by(person);
    assert_eq!(reversal(&[fay()], &dan()), DONE);
    assert!(matches!(reversal(&[ari()], &dan()), Err(Refusal::Pair { lacks, .. }) if lacks == "of finance"));
}

#[test]
fn one_person_signs_once_whoever_they_stand_in_for() {
    let t3 = |first: Signer, second: &Signer| {
        let mut attempt = Try::new("NEW-PO", 20_000);
        attempt.signed = vec![first];
        attempt.signer(second)
    };
    let same = |name: &str| Err(Refusal::SamePerson(name.into()));
    let own = Signer::own;
    assert_eq!(t3(own(ari()), &for_(ari(), &[fay()])), same("ari"));
    assert_eq!(t3(own(fay()), &for_(ari(), &[fay()])), same("fay"));
    assert_eq!(t3(for_(ari(), &[fay()]), &own(fay())), same("fay"));
    assert_eq!(t3(for_(ari(), &[fay()]), &own(ari())), same("ari"));
    assert_eq!(t3(for_(ari(), &[fay()]), &for_(dan(), &[fay()])), same("fay"));
    assert_eq!(t3(for_(ari(), &[fay()]), &own(dan())), DONE);
}

#[test]
fn who_stands_in_has_the_others_rights_and_limits_and_not_their_own() {
    // Ari releases T2 himself and T3's finance signature for fay.
    let t3 = Try::new("NEW-PO", 20_000).after(&[dan()]);
    assert!(matches!(t3.by(&ari()), Err(Refusal::Pair { .. })));
    assert_eq!(t3.signer(&for_(ari(), &[fay()])), DONE);
    // Dan for a small approver is a small approver; through a chain it is the last one who counts.
    let bo = person("bo", &[Role::Approver], 1);
    let t2 = Try::new("NEW-PO", 5_000);
    let refused = t2.signer(&for_(dan(), std::slice::from_ref(&bo))).unwrap_err();
    assert_eq!(refused, Refusal::TierTooLow { who: "dan for bo".into(), has: 1, tier: Tier::T2 });
    assert!(t2.signer(&for_(ari(), &[fay(), bo.clone()])).is_err());
    assert_eq!(t2.signer(&for_(ari(), &[bo, fay()])), DONE);
    // A planner may stand in for an approver: it is the approver's right.
    assert_eq!(t2.signer(&for_(pia(), &[ari()])), DONE);
}

#[test]
fn an_own_limit_holds_for_all_that_counts_and_in_any_currency() {
    let mut policy = changed("[rates]", "[rates]\nEUR = \"2\"");
    let limited = |limit: &str| Person { limit: Some(limit.parse().unwrap()), ..ari() };
    let attempt = |value| Try { policy: policy.clone(), ..Try::new("NEW-PO", value) };
    assert_eq!(attempt(500).by(&limited("500")), DONE);
    assert_eq!(
        attempt(501).by(&limited("500")).unwrap_err().to_string(),
        "ari may release up to 500, and 501.00 USD counts here; pass it on to somebody with a higher limit"
    );
    assert_eq!(attempt(1_000).by(&limited("500 EUR")), DONE);
    assert!(matches!(attempt(1_001).by(&limited("500 EUR")), Err(Refusal::AboveOwnLimit { .. })));
    // Without a rate it lets nothing through; what commits nothing needs none.
    assert!(matches!(attempt(1).by(&limited("500 GBP")), Err(Refusal::AboveOwnLimit { .. })));
    assert_eq!(Try::new("MONITOR", 900).by(&limited("1")), DONE);
    // The first of two signatures is a release too.
    assert!(matches!(attempt(20_000).by(&limited("500")), Err(Refusal::AboveOwnLimit { .. })));
    // Who stands in is held to the other's limit.
    let limits = Try::new("NEW-PO", 501);
    assert!(matches!(limits.signer(&for_(dan(), &[limited("500")])), Err(Refusal::AboveOwnLimit { .. })));
    assert_eq!(limits.signer(&for_(limited("500"), &[dan()])), DONE);
    policy.rates.clear();
    assert!(Try { policy, ..Try::new("NEW-PO", 1) }.by(&limited("500 EUR")).is_err());
}

#[test]
fn a_person_decides_inside_their_scopes_only() {
    let scoped = |locations: &[&str], categories: &[&str], suppliers: &[&str]| {
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        let scopes = Scopes { locations: list(locations), categories: list(categories), suppliers: list(suppliers) };
        Person { scopes, ..ari() }
    };
    let try_ = |person: &Person, change: &dyn Fn(&mut Facts)| {
        let mut attempt = Try::new("NEW-PO", 1);
        change(&mut attempt.facts);
        attempt.by(person)
    };
    let same = |_: &mut Facts| ();
    assert_eq!(try_(&scoped(&["NOR", "SOU"], &["All / Food"], &["9"]), &same), DONE);
    let told = try_(&scoped(&["SOU"], &[], &["Acme", "Bolt"]), &same).unwrap_err().to_string();
    assert_eq!(
        told,
        "ari decides for location SOU; supplier Acme, Bolt, and this is not only about that; pass it on to somebody who looks \
         after it"
    );
    for outside in [scoped(&["NOR"], &["All / Toys"], &[]), scoped(&[], &[], &["Bolt"]), scoped(&["1", "2"], &[], &["8"])] {
        assert!(matches!(try_(&outside, &same), Err(Refusal::OutOfScope { .. })), "{outside:?}");
    }
    // Every place that it touches, and none unknown.
    let both = |f: &mut Facts| f.locations.as_mut().unwrap().push(Named::new("2", &["SOU"]));
    assert!(try_(&scoped(&["NOR"], &[], &[]), &both).is_err());
    assert_eq!(try_(&scoped(&["NOR", "SOU"], &[], &[]), &both), DONE);
    assert!(try_(&scoped(&["NOR"], &[], &[]), &|f| f.locations = None).is_err());
    assert!(try_(&scoped(&[], &["All / Food"], &[]), &|f| f.categories = None).is_err());
    // A kind that it does not touch does not count, as long as another does.
    assert_eq!(try_(&scoped(&["SOU"], &["All / Food"], &[]), &|f| f.locations = Some(vec![])), DONE);
    assert!(try_(&scoped(&["NOR"], &[], &[]), &|f| f.locations = Some(vec![])).is_err());
    // Nothing is known, and nothing is needed for who looks after everything.
    assert_eq!(try_(&ari(), &|f| *f = Facts::default()), DONE);
    // The scope is the delegator's.
    let for_scoped = Try::new("NEW-PO", 1).signer(&for_(dan(), &[scoped(&["SOU"], &[], &[])]));
    assert!(matches!(for_scoped, Err(Refusal::OutOfScope { .. })));
    assert_eq!(Scopes::default().told(), "everything");
}

#[test]
fn what_is_not_permitted_nobody_signs() {
    let policy = changed("\"MARKDOWN\", \"CONTACT\"", "\"CONTACT\"");
    let told = Try { policy, ..Try::new("MARKDOWN", 1) }.by(&dan()).unwrap_err().to_string();
    assert_eq!(told, "MARKDOWN may not be recommended under this policy; nobody can release it, so reject it");
}

#[test]
fn a_refusal_says_who_could() {
    let policy = Policy::standard();
    let ruling = Asked::new("NEW-PO", 20_000).by(&policy);
    let everybody: Vec<Signer> =
        [pia(), ari(), fay(), dan()].into_iter().map(Signer::own).chain([for_(ari(), &[fay()])]).collect();
    let signed = [Signer::own(dan())];
    let signer = Signer::own(pia());
    let attempt = Attempt { signer: &signer, ruling: &ruling, facts: &[harmless()], signed: &signed, touched_by: &[] };
    let refused = policy.may_sign_among(&attempt, &everybody).unwrap_err();
    assert_eq!(refused.could, ["fay", "ari for fay"]);
    assert_eq!(
        refused.to_string(),
        "pia may not decide this: it is T3 and takes two people, each an approver or one of finance or a director, one of finance \
         among them; being an administrator or a viewer gives no right to. Who could: fay, ari for fay"
    );
    let nobody = policy.may_sign_among(&Attempt { touched_by: &[PersonId::new("fay")], ..attempt }, &everybody).unwrap_err();
    assert!(nobody.to_string().ends_with("Nobody in the configuration could as things stand; ask whoever keeps the policy"));
    let twice: Vec<Signer> = everybody.iter().chain(&everybody).cloned().collect();
    assert_eq!(policy.who_could(&attempt, &twice).len(), 2);
}

#[test]
fn whoever_signed_first_has_to_be_able_to_sign_it_when_the_second_signs() {
    let two = |first: Person| Try::new("NEW-PO", 20_000).after(&[first]).by(&fay());
    assert_eq!(two(ari()), DONE);
    let lapsed = Err(Refusal::FirstNoLonger(ari().name));
    assert_eq!(two(Person { roles: vec![Role::Viewer], ..ari() }), lapsed, "a role was taken away");
    assert_eq!(two(Person { roles: vec![Role::Planner], ..ari() }), lapsed, "a planner does not sign a T3");
    let limit = |amount| Person { limit: Some(Amount::company(amount)), ..ari() };
    assert_eq!(two(limit(19_999)), lapsed, "more counts now than they may release");
    assert_eq!(two(limit(20_000)), DONE);
    let elsewhere = Scopes { locations: vec!["nowhere".into()], ..Scopes::default() };
    assert_eq!(two(Person { scopes: elsewhere, ..ari() }), lapsed, "it lies outside what they look after");
    // Who stood in signed with the other's rights: those have to hold.
    let gone = Person { roles: vec![Role::Viewer], ..ari() };
    let stood_in = Try { signed: vec![for_(pia(), &[gone])], ..Try::new("NEW-PO", 20_000) };
    assert!(matches!(stood_in.by(&fay()), Err(Refusal::FirstNoLonger(_))));
}

/// What a pair comes to on something worth 20,000 where the first and the second released so much this week, alone; `way` says
/// how the second's release counts.
fn pair(first: (&Signer, i64), second: (&Signer, i64), way: impl Fn(&mut Earlier)) -> Result<Standing, Refusal> {
    let policy = Policy::standard();
    let mut asked = Asked::new("NEW-PO", 20_000);
    asked.signers = vec![first.0.person.id.clone(), second.0.person.id.clone()];
    let behind = first.0.on_behalf_of.iter().chain(&second.0.on_behalf_of);
    asked.on_behalf_of = behind.map(|p| p.id.clone()).collect();
    let asked = asked.after(first.1, |e| e.by = first.0.person.id.clone()).after(second.1, |e| {
        e.by = second.0.person.id.clone();
        way(e);
    });
    let (facts, signed) = (asked.facts.clone(), [first.0.clone()]);
    let ruling = asked.by(&policy);
    assert_eq!(ruling.counted, units(20_000 + first.1 + second.1), "the tier counts what either released");
    policy.may_sign(&Attempt {
        signer: second.0,
        ruling: &ruling,
        facts: std::slice::from_ref(&facts),
        signed: &signed,
        touched_by: &[],
    })
}

#[test]
fn a_pair_is_held_each_to_their_own_limit_by_what_they_released_themselves() {
    let own = |person: Person, limit: &str| Signer::own(Person { limit: Some(limit.parse().unwrap()), ..person });
    let alone = |_: &mut Earlier| ();
    let (ari, fay) = (own(ari(), "25000"), own(fay(), "45000"));
    // Fay released much this week: that is no concern of Ari's limit, whoever of the two signs first.
    assert_eq!(pair((&ari, 1_000), (&fay, 25_000), alone), DONE);
    assert_eq!(pair((&fay, 25_000), (&ari, 1_000), alone), DONE);
    // Each of them up to their limit and not one above it.
    assert_eq!(pair((&ari, 5_000), (&fay, 24_999), alone), DONE);
    assert!(matches!(pair((&ari, 0), (&fay, 25_001), alone), Err(Refusal::AboveOwnLimit { .. })));
    assert!(matches!(pair((&fay, 0), (&ari, 5_001), alone), Err(Refusal::AboveOwnLimit { .. })));
    assert!(matches!(pair((&ari, 5_001), (&fay, 0), alone), Err(Refusal::FirstNoLonger(_))));
    // What counts by item or supplier counts for both: splitting between two people is splitting.
    let of_the_item = |e: &mut Earlier| e.item = Some(ItemId::new("7"));
    let of_the_supplier = |e: &mut Earlier| e.supplier = Some(SupplierId::new("9"));
    assert!(matches!(pair((&ari, 0), (&fay, 5_001), of_the_item), Err(Refusal::FirstNoLonger(_))));
    assert!(matches!(pair((&fay, 0), (&ari, 25_001), of_the_item), Err(Refusal::AboveOwnLimit { .. })));
    assert!(matches!(pair((&ari, 0), (&fay, 5_001), of_the_supplier), Err(Refusal::FirstNoLonger(_))));
    assert_eq!(pair((&ari, 0), (&fay, 5_000), of_the_supplier), DONE);
}

#[test]
fn who_stands_in_is_held_to_what_the_whole_chain_released() {
    let limited = Person { limit: Some("25000".parse().unwrap()), ..ari() };
    let deputy = for_(person("bea", &[Role::Approver], 1), std::slice::from_ref(&limited));
    let fay = Signer::own(fay());
    let chained = |by: &str, behind: &[&str]| {
        let (by, behind) = (PersonId::new(by), behind.iter().map(|id| PersonId::new(*id)).collect::<Vec<_>>());
        move |e: &mut Earlier| (e.by, e.on_behalf_of) = (by.clone(), behind.clone())
    };
    // The deputy's own, what the one they stand in for signed, and what anybody signed for either.
    for (by, behind) in [("bea", &[][..]), ("ari", &[]), ("dan", &["ari"]), ("dan", &["bea"])] {
        assert_eq!(pair((&fay, 0), (&deputy, 5_000), chained(by, behind)), DONE, "{by} {behind:?}");
        let over = pair((&fay, 0), (&deputy, 5_001), chained(by, behind));
        assert!(matches!(over, Err(Refusal::AboveOwnLimit { .. })), "{by} {behind:?}: {over:?}");
    }
    // What the other of the pair signed, for themselves or for others, is theirs.
    assert_eq!(pair((&fay, 0), (&deputy, 9_000), chained("fay", &[])), DONE);
    let asked = Asked::new("NEW-PO", 100);
    let twice = asked.after(300, |e| e.by = PersonId::new("ari")).after(300, |e| {
        e.recommendation = RecommendationId::new("r-0");
        (e.by, e.on_behalf_of) = (PersonId::new("dan"), vec![PersonId::new("ari")]);
    });
    let policy = Policy::standard();
    assert_eq!(policy.counted_for(&twice.by(&policy), &Signer::own(limited)), units(400), "one recommendation is one value");
}

proptest::proptest! {
    #[test]
    fn what_is_held_against_one_never_exceeds_what_counts_for_all_and_never_falls_by_splitting(
        parts in proptest::collection::vec((0_i64..5_000, 0_usize..3, proptest::bool::ANY, proptest::bool::ANY), 0..8),
        value in 1_i64..20_000,
    ) {
        let policy = Policy::standard();
        let names = ["ari", "fay", "bo"];
        let mut asked = Asked::new("NEW-PO", value);
        asked.signers = vec![PersonId::new("ari"), PersonId::new("fay")];
        let (mut for_ari, mut for_all) = (value, value);
        for (amount, who, item, supplier) in parts {
            asked = asked.after(amount, |e| {
                e.by = PersonId::new(names[who]);
                e.item = item.then(|| ItemId::new("7"));
                e.supplier = supplier.then(|| SupplierId::new("9"));
            });
            for_ari += if item || supplier || who == 0 { amount } else { 0 };
            for_all += if item || supplier || who < 2 { amount } else { 0 };
        }
        let ruling = asked.by(&policy);
        proptest::prop_assert_eq!(policy.counted_for(&ruling, &Signer::own(ari())), units(for_ari));
        proptest::prop_assert_eq!(ruling.counted, units(for_all));
    }
}
