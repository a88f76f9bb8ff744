//! What a click is judged by is what holds at the click: who stands in for whom, who may sign what, what counts together.
//! On every database there is.

use std::collections::BTreeMap;

use super::*;
use crate::domain::ids::LocationId;
use crate::domain::policy::Amount;
use crate::pipeline::recheck::Promised;
use crate::store::testing::on_each;

fn line(id: &str) -> Action {
    Action::CancelPo { po_line: id.into(), quantity: Quantity::units(40) }
}

/// A queued case about one order line, worth 600.00.
async fn line_case(bench: &Bench, id: &str, po_line: &str) -> Recommendation {
    let recs = with_case(&bench.it.store, id, vec![(line(po_line), 600)]).await;
    assert_eq!(bench.it.submit().await.unwrap(), 1);
    recs.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_proposed_mute_is_folded_into_nothing_and_nothing_into_it() {
    on_each(|store| async move {
        let bench = Bench::on(store);
        let recs = bench.case("case-1", "7", 500).await;
        // A card of the catalogue, so that only what the case is about can refuse it.
        let link = vec!["mute:R-SHORT@all".to_owned()];
        let mute = with_linked_case(&bench.it.store, "case-2", link, vec![(transfer("8", 40), 500)]).await;
        bench.it.submit().await.unwrap();
        assert!(bench.it.store.get_case(&CaseId::new("case-2")).await.unwrap().is_mute_proposal());
        let before = bench.snapshot().await;
        for (rec, into) in [(&recs[0], "case-2"), (&mute[0], "case-1")] {
            let refused = bench.decide("pia", rec, Verb::Merge { into: CaseId::new(into) }).await.unwrap_err().to_string();
            assert!(refused.contains("a proposed mute is no case of the business"), "{refused}");
        }
        assert_eq!(bench.snapshot().await, before);
    })
    .await;
}

#[tokio::test]
async fn order_lines_of_one_supplier_count_together_though_only_the_records_name_it() {
    on_each(|store| async move {
        let bench = Bench::on(store);
        let supplier = |id: &str| *bench.facts.suppliers.lock().unwrap() = Some(vec![Named::new(id, &[])]);
        // Each by somebody else, so that only the supplier adds up.
        supplier("9");
        let first = line_case(&bench, "case-1", "71").await;
        assert_eq!(bench.approve("ari", &first).await.unwrap().tier, Some(Tier::T1));
        let second = line_case(&bench, "case-2", "72").await;
        let answer = bench.approve("fay", &second).await.unwrap();
        assert_eq!((answer.tier, answer.counted), (Some(Tier::T2), Money::from_minor(120_000)), "{:?}", answer.because);
        assert!(answer.because[0].contains("same supplier"), "{:?}", answer.because);
        supplier("10");
        let other = line_case(&bench, "case-3", "73").await;
        assert_eq!(bench.approve("dan", &other).await.unwrap().tier, Some(Tier::T1), "another supplier");
        // What was taken back counts no more.
        bench.decide("ari", &first, Verb::Undo).await.unwrap();
        supplier("9");
        let third = line_case(&bench, "case-4", "74").await;
        let answer = bench.approve("ari", &third).await.unwrap();
        assert_eq!(answer.counted, Money::from_minor(120_000), "with the second one");
    })
    .await;
}

#[tokio::test]
async fn a_delegation_that_ended_after_the_form_was_shown_counts_no_more_at_the_click() {
    on_each(|store| async move {
        let bench = Bench::on(store);
        let recs = bench.case("case-1", "7", 500).await;
        let (ari, pia) = (PersonId::new("ari"), PersonId::new("pia"));
        let days = ("2026-10-08".parse().unwrap(), "2026-10-10".parse().unwrap());
        let made = bench.it.delegate(&ari, &pia, days, "on leave", "web").await.unwrap();
        let case = bench.it.store.get_case(&CaseId::new("case-1")).await.unwrap();
        let shown = bench.it.preview(&pia, &case, &[&recs[0]]).await.unwrap();
        assert_eq!((shown[0].may_approve, shown[0].acting_for.as_deref()), (true, Some("Ari Approver")));
        bench.it.end_delegation(&made.id, &ari, "web").await.unwrap();
        let before = bench.snapshot().await;
        let refused = bench.approve("pia", &recs[0]).await.unwrap_err();
        assert!(matches!(refused, DecisionRefused::MayNotSign(Refused { because: Refusal::Role { .. }, .. })), "{refused}");
        assert_eq!(bench.snapshot().await, before);
    })
    .await;
}

#[tokio::test]
async fn a_delegation_that_ends_while_the_click_is_judged_counts_no_more_either() {
    on_each(|store| async move {
        let bench = Bench::on(store);
        let recs = bench.case("case-1", "7", 500).await;
        let (ari, pia) = (PersonId::new("ari"), PersonId::new("pia"));
        let days = ("2026-10-08".parse().unwrap(), "2026-10-10".parse().unwrap());
        let made = bench.it.delegate(&ari, &pia, days, "on leave", "web").await.unwrap();
        // It was read as one that holds, and ends before anything is written.
        let process = Approvals { recheck: Arc::new(Facts::default()), ..bench.it.clone() };
        *bench.facts.meanwhile.lock().unwrap() = Some((process, Meanwhile::EndsDelegation(made.id, ari)));
        let refused = bench.approve("pia", &recs[0]).await.unwrap_err();
        assert!(matches!(refused, DecisionRefused::MayNotSign(_)), "{refused}");
        assert_eq!((bench.state(&recs[0].id).await, bench.pending().await), ("queued".into(), 0));
    })
    .await;
}

/// A donor whose stock is enough for one approval. Somebody else approves right after it was looked at.
struct Donor {
    store: Store,
    meanwhile: Mutex<Option<(Approvals, DecisionRequest)>>,
}

#[async_trait::async_trait]
impl Recheck for Donor {
    async fn recheck(&self, _: &Case, steps: &[&Action]) -> anyhow::Result<Vec<Vec<Check>>> {
        let passed = self.store.count_decisions().await? == 0;
        let other = self.meanwhile.lock().unwrap().take();
        if let Some((process, click)) = other {
            process.decide(&click).await?;
        }
        let detail = if passed { "40 ≤ 60" } else { "40 ≤ 20" };
        let check = Check { name: "quantity ≤ transferable".into(), detail: detail.into(), passed, hard: true };
        Ok(steps.iter().map(|_| vec![check.clone()]).collect())
    }

    async fn facts(&self, _: &Case, _: &Action) -> anyhow::Result<policy::Facts> {
        Ok(policy::Facts { suppliers: Some(vec![]), ..policy::Facts::default() })
    }

    async fn moved(&self, _: &Case, _: &Recommendation) -> anyhow::Result<Vec<String>> {
        Ok(vec![])
    }

    /// Who approves takes of it.
    async fn promised(&self, _: &Case) -> anyhow::Result<Promised> {
        let taken = Quantity::units(40 * self.store.count_decisions().await?);
        let firm = BTreeMap::from([((ItemId::new("7"), LocationId::new("1")), taken)]);
        Ok(Promised { firm: firm.clone(), proposed: firm })
    }

    async fn mode(&self, _: &Case) -> anyhow::Result<crate::domain::mode::Mode> {
        Ok(crate::domain::mode::Mode::Live)
    }

    async fn owner(&self, _: &Case) -> anyhow::Result<Option<PersonId>> {
        Ok(None)
    }

    async fn concerned(&self, _: &Case) -> anyhow::Result<Vec<PersonId>> {
        Ok(vec![])
    }
}

#[tokio::test]
async fn stock_that_somebody_takes_while_a_click_waits_for_its_turn_is_not_given_away_twice() {
    on_each(|store| async move {
        let bench = Bench::on(store.clone());
        let (first, second) = (bench.case("case-1", "7", 100).await, bench.case("case-2", "7", 100).await);
        let click = bench.click("ari", &second[0], Verb::Approve);
        let meanwhile = Mutex::new(Some((bench.it.clone(), click)));
        let late = Approvals { recheck: Arc::new(Donor { store, meanwhile }), ..bench.it.clone() };
        let refused = late.decide(&bench.click("fay", &first[0], Verb::Approve)).await.unwrap_err();
        assert!(matches!(refused, DecisionRefused::ChecksFailed(_)), "{refused}");
        assert_eq!(
            (bench.state(&first[0].id).await, bench.state(&second[0].id).await),
            ("queued".into(), "approved".into())
        );
        assert_eq!(bench.pending().await, 1, "one message leaves");
    })
    .await;
}

/// What somebody rewrites of a person in the configuration.
type Rewrite = fn(&mut Person);

/// The same bench after somebody rewrote what a person may do.
fn rewritten(bench: &mut Bench, person: &str, change: impl FnOnce(&mut Person)) {
    let mut config = (*bench.it.config).clone();
    change(config.people.iter_mut().find(|p| p.id.as_str() == person).unwrap());
    bench.it.config = Arc::new(config);
}

#[tokio::test]
async fn whoever_signed_first_is_judged_again_when_the_second_signs() {
    on_each(|store| async move {
        let mut bench = Bench::on(store);
        let recs = bench.case("case-1", "7", 20_000).await;
        assert!(bench.approve("ari", &recs[0]).await.unwrap().needs_second);
        let as_it_was = Arc::clone(&bench.it.config);
        let changes: [(&str, Rewrite); 4] = [
            ("no role that decides", |p| p.roles = vec![Role::Viewer]),
            ("no approver any more", |p| p.roles = vec![Role::Planner]),
            ("a limit below what counts", |p| p.limit = Some(Amount::company(15_000))),
            ("another part of the business", |p| p.scopes.suppliers = vec!["Acme".into()]),
        ];
        for (what, change) in changes {
            bench.it.config = Arc::clone(&as_it_was);
            rewritten(&mut bench, "ari", change);
            let refused = bench.approve("fay", &recs[0]).await.unwrap_err();
            let lapsed = |because: &Refusal| matches!(because, Refusal::FirstNoLonger(who) if who == "Ari Approver");
            assert!(
                matches!(&refused, DecisionRefused::MayNotSign(Refused { because, .. }) if lapsed(because)),
                "{what}: {refused}"
            );
            assert_eq!((bench.state(&recs[0].id).await, bench.pending().await), ("signed".into(), 0), "{what}");
        }
        bench.it.config = as_it_was;
        assert_eq!(bench.approve("fay", &recs[0]).await.unwrap().state, "approved");
        bench.it.store.verify_audit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn nobody_puts_out_of_sight_what_others_look_after_unless_they_are_asked() {
    let mut bench = Bench::new().await;
    let recs = bench.case("case-1", "7", 500).await;
    bench.case("case-2", "8", 500).await;
    *bench.facts.suppliers.lock().unwrap() = Some(vec![Named::new("9", &["Other"])]);
    let everything = Arc::clone(&bench.it.config);
    rewritten(&mut bench, "pia", |p| p.scopes.suppliers = vec!["Acme".into()]);
    let reject = || Verb::Reject { reason: RejectReason::NotReal, note: String::new() };
    let snooze = || Verb::Snooze { until: "2026-10-12".parse().unwrap(), wake: WakeCondition::Grew };
    let before = bench.snapshot().await;
    for verb in [reject(), snooze(), Verb::Merge { into: CaseId::new("case-2") }] {
        let refused = bench.decide("pia", &recs[0], verb.clone()).await.unwrap_err();
        assert!(refused.to_string().contains("Pia Planner decides for supplier Acme"), "{verb:?}: {refused}");
    }
    assert_eq!(bench.snapshot().await, before);
    // Their own part of the business, or asked by name.
    *bench.facts.suppliers.lock().unwrap() = Some(vec![Named::new("9", &["Acme"])]);
    bench.decide("pia", &recs[0], snooze()).await.unwrap();
    bench.decide("pia", &recs[0], Verb::Undo).await.unwrap();
    *bench.facts.suppliers.lock().unwrap() = Some(vec![Named::new("9", &["Other"])]);
    bench.decide("ari", &recs[0], forward("pia")).await.unwrap();
    bench.decide("pia", &recs[0], reject()).await.unwrap();
    bench.it.config = everything;
    assert_eq!(bench.case_state("case-1").await, "closed");
}
