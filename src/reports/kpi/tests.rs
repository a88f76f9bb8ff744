//! The figures on rows made by hand, with results worked out by hand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use reeve_testing::cases;

use super::rows::Rows;
use super::{Kpi, Period, decisions, model, ranking, trust};
use crate::config::Config;
use crate::domain::action::{Action, Candidate, MoneySum, Range};
use crate::domain::calendar::Calendar;
use crate::domain::case::{Case, CaseState, Lane, Rank};
use crate::domain::decision::DecisionVerb::{self, Approve, Reject};
use crate::domain::decision::{Before, RecommendationState as State, RejectReason};
use crate::domain::digest::{BelowLine, Digest, DigestLine};
use crate::domain::exception::ExceptionType;
use crate::domain::ids::{CaseId, ItemId, LocationId, PersonId, RecommendationId};
use crate::domain::money::{Money, Quantity};
use crate::domain::outcome::{Findings, Measured};
use crate::domain::recommendation::{Drafter, Prose, Recommendation};
use crate::rules::guard::Rule;
use crate::store::{DecisionRow, DrillCounts, Outcome, View};

/// A Thursday.
fn at(minutes: i64) -> Timestamp {
    "2026-10-08T08:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

fn period() -> Period {
    Period { from: "2026-10-05".parse().unwrap(), to: "2026-10-11".parse().unwrap() }
}

fn config() -> Config {
    Config::load_from(None, &[]).unwrap()
}

fn transfer(units: i64) -> Action {
    Action::Transfer {
        item: ItemId::new("1"),
        from: LocationId::new("a"),
        to: LocationId::new("b"),
        quantity: Quantity::units(units),
        ship_on: "2026-10-09".parse().unwrap(),
    }
}

fn money(value: i64) -> Money {
    Money::from_minor(value * 100)
}

/// Rows to which a test adds what it needs.
struct Bench(Rows);

impl Bench {
    fn new() -> Self {
        Self(Rows {
            // Past the end of the period, so that nothing in it is still too fresh to be counted.
            now: at(5 * 24 * 60),
            calendar: Calendar::utc(),
            decisions: vec![],
            recommendations: BTreeMap::new(),
            cases: BTreeMap::new(),
            exceptions: BTreeMap::new(),
            digests: vec![],
            shown_before: BTreeMap::new(),
            views: vec![],
            outcomes: BTreeMap::new(),
            queued: BTreeMap::new(),
            carried_out: BTreeMap::new(),
            bundles: BTreeMap::new(),
            asked: vec![],
            drills: DrillCounts::default(),
        })
    }

    /// A case with a recommendation for each action, first one first; answers their ids.
    fn case(&mut self, id: &str, p: f64, actions: &[Action]) -> Vec<RecommendationId> {
        let case_id = CaseId::new(id);
        let worth = Range::certain(money(50));
        self.0.cases.insert(
            case_id.clone(),
            Case {
                codes: vec![ExceptionType::IOut],
                rank: Some(Rank {
                    p,
                    value: worth,
                    at_stake: money(90),
                    slack_days: 3.0,
                    perishing: 0.3,
                    ..cases::rank(money(20))
                }),
                opened_at: at(-600),
                ..cases::case(id, &[], at(0))
            },
        );
        let drafted = actions.iter().zip(1..).map(|(action, rank)| {
            let candidate = Candidate {
                id: format!("A{rank}"),
                action: action.clone(),
                summary: String::new(),
                money: MoneySum::new(p, Range::certain(money(90)), Range::default(), money(5), Money::ZERO),
                value: money(5),
                latest_date: "2026-10-12".parse().unwrap(),
                checks: vec![],
                cites: vec![],
                then: vec![],
            };
            Recommendation::drafted(
                case_id.clone(),
                rank,
                candidate,
                Prose::default(),
                format!("e-{id}"),
                Drafter::Playbook { because: None },
                at(-300),
            )
        });
        let mut ids = Vec::new();
        for rec in drafted {
            ids.push(rec.id.clone());
            // At four in the morning: waiting is counted in working hours from when the office opens.
            self.0.queued.insert(rec.id.clone(), at(-240));
            self.0.recommendations.insert(rec.id.clone(), rec);
        }
        ids
    }

    fn decide(&mut self, id: &RecommendationId, verb: DecisionVerb, reason: Option<RejectReason>, minutes: i64) {
        let rec = self.0.recommendations.get_mut(id).unwrap();
        let by = PersonId::new("ada");
        rec.state = match reason {
            Some(reason) => State::Rejected { by: by.clone(), at: at(minutes), reason, before: Before::default() },
            None => State::CarriedOut,
        };
        let row = DecisionRow {
            id: format!("{id}-{minutes}"),
            case_id: rec.case_id.clone(),
            recommendation_id: id.clone(),
            person: by,
            verb,
            content_hash: rec.content_hash(),
            reason,
            note: String::new(),
            value: rec.candidate.value,
            at: at(minutes),
            body: serde_json::Value::Null,
        };
        self.0.decisions.push(row);
    }

    fn opened(&mut self, id: &RecommendationId, minutes: i64, seconds: i64) {
        let rec = &self.0.recommendations[id];
        self.0.views.push(View {
            person: PersonId::new("ada"),
            recommendation_id: id.clone(),
            case_id: rec.case_id.clone(),
            content_hash: rec.content_hash(),
            channel: "web".to_owned(),
            opened_at: at(minutes) + SignedDuration::from_secs(seconds),
        });
    }

    /// What was measured at the horizon.
    fn measured(&mut self, id: &RecommendationId, predicted: i64, actual: i64, benefit: i64) {
        let measured = Measured {
            horizon: "2026-10-31".parse().unwrap(),
            actual_loss: Some(money(actual)),
            predicted_loss: money(predicted),
            benefit: Some(money(benefit)),
            basis: String::new(),
        };
        let found = Findings { measured: Some(measured), ..Findings::default() };
        let outcome = Outcome { recommendation_id: id.clone(), at: at(0), state: State::CarriedOut, found };
        self.0.outcomes.insert(id.clone(), outcome);
    }

    /// A digest of the Thursday with these cases, the last of them at random where `sampled`.
    fn digest(&mut self, cases: &[&str], sampled: &[&str], below: u32) {
        let line = |(id, place): (&&str, u32)| DigestLine {
            case_id: CaseId::new(*id),
            place,
            codes: vec![],
            headline: String::new(),
            subject: String::new(),
            at_stake: money(90),
            value: Range::certain(money(50)),
            priority: money(20),
            p: 0.8,
            deadline: "2026-10-12".parse().unwrap(),
            slack_days: 3.0,
            wait_cost: Money::ZERO,
            lane: Lane::Ordinary,
            action: String::new(),
            recommendation: String::new(),
            why: String::new(),
            alternatives: vec![],
            note: None,
            sampled: sampled.contains(id),
            new: true,
        };
        let digest = Digest {
            day: "2026-10-08".parse().unwrap(),
            planner: None,
            as_of: at(-90),
            unread: Vec::new(),
            currency: "USD".to_owned(),
            lines: cases.iter().chain(sampled).zip(1..).map(line).collect(),
            below: BelowLine { cases: below, ..BelowLine::default() },
            planners: vec![],
            explained: vec![],
            at_stake: Money::ZERO,
            decided: vec![],
            drafted_by: String::new(),
            health: vec![],
            noise: vec![],
            audit_head: (0, String::new()),
        };
        self.0.digests.push((digest, at(-60)));
    }

    fn kpis(&self) -> Vec<Kpi> {
        let config = config();
        let mut kpis = decisions::all(&self.0, &config, period());
        kpis.extend(ranking::all(&self.0, &config, period()));
        kpis.extend(trust::all(&self.0, period()));
        kpis.extend(model::all(&self.0, &config, period()));
        kpis
    }

    fn find(&self, id: &str) -> Kpi {
        self.kpis().into_iter().find(|kpi| kpi.id == id).unwrap_or_else(|| panic!("there is no figure {id}"))
    }

    #[track_caller]
    fn says(&self, id: &str, value: f64, n: usize) {
        let kpi = self.find(id);
        let found = kpi.value.unwrap_or_else(|| panic!("{id}: {}", kpi.basis));
        assert!((found - value).abs() < 1e-4, "{id} is {found}, not {value}: {}", kpi.basis);
        assert_eq!(kpi.n, n, "{id}: {}", kpi.basis);
    }

    #[track_caller]
    fn is_silent(&self, id: &str) {
        let kpi = self.find(id);
        assert!(kpi.value.is_none() && kpi.basis.starts_with("not enough data: "), "{id}: {kpi:?}");
    }
}

#[test]
fn without_records_no_figure_is_made_up() {
    for kpi in Bench::new().kpis() {
        assert_eq!((kpi.value, kpi.shown().as_str()), (None, "–"), "{}", kpi.id);
        assert!(kpi.basis.starts_with("not enough data: "), "{}: {}", kpi.id, kpi.basis);
    }
}

#[test]
fn acceptance_edits_and_overrides_are_counted_by_what_was_decided_last() {
    let mut bench = Bench::new();
    let one = bench.case("one", 0.8, &[transfer(10), transfer(20)]);
    let two = bench.case("two", 0.8, &[transfer(10), transfer(20)]);
    let three = bench.case("three", 0.8, &[transfer(10)]);
    let four = bench.case("four", 0.8, &[transfer(10)]);
    bench.decide(&one[0], Approve, None, 60);
    bench.decide(&two[1], Approve, None, 70);
    bench.decide(&three[0], Reject, Some(RejectReason::NotReal), 80);
    // A first signature, and an edit that waits for somebody: neither decides anything yet.
    bench.decide(&four[0], Approve, None, 90);
    bench.0.recommendations.get_mut(&four[0]).unwrap().state = State::Queued;
    bench.says("acceptance_rate", 2.0 / 3.0, 3);
    bench.says("override_rate", 0.5, 2);
    bench.says("edit_rate", 0.0, 2);
    bench.is_silent("edit_distance_quantity");
    // The second one was changed from 25 to 20 before.
    let edited = bench.0.recommendations.get_mut(&two[1]).unwrap();
    edited.drafter = Drafter::Edited {
        editors: vec![PersonId::new("bob")],
        first: one[0].clone(),
        was: Box::new(transfer(25)),
        was_then: vec![],
    };
    bench.says("edit_rate", 0.5, 2);
    bench.says("edit_distance_quantity", 0.2, 1);
    bench.is_silent("edit_distance_days");
}

#[test]
fn the_time_to_a_decision_is_counted_in_working_hours_and_from_the_first_look() {
    let mut bench = Bench::new();
    // Queued at 4:00, when nobody works; the office opens at 8:00.
    for (name, minutes) in [("a", 30), ("b", 60), ("c", 600), ("d", 26 * 60)] {
        let ids = bench.case(name, 0.8, &[transfer(1)]);
        bench.decide(&ids[0], Approve, None, minutes);
    }
    // Half an hour, one, nine until closing, and nine on Thursday with two on Friday.
    bench.says("approval_cycle_median", 5.0, 4);
    bench.says("approval_cycle_p90", 11.0, 4);
    bench.says("approval_within_target", 0.5, 4);
    bench.digest(&["a", "b", "c", "d"], &[], 0);
    // Shown at 7:00: 1.5, 2, 11 and 27 hours.
    bench.says("time_to_decision", 6.5, 4);
    bench.says("digest_completion", 0.75, 4);
    bench.says("snapshot_to_digest_p95", 1_800.0, 1);
}

#[test]
fn noise_and_recall_are_counted_from_what_was_shown() {
    let mut bench = Bench::new();
    let names = ["a", "b", "c", "d"];
    for name in names {
        bench.case(name, 0.8, &[transfer(1)]);
    }
    let sampled = ["s1", "s2", "s3", "s4", "s5"];
    for name in sampled {
        bench.case(name, 0.5, &[transfer(1)]);
    }
    bench.digest(&names, &sampled, 20);
    // Shown, and nothing of it decided yet: that says neither that it was noise nor that it was none.
    bench.is_silent("alert_noise");
    let first = |bench: &Bench, case: &str| {
        bench.0.recommendations.values().find(|r| r.case_id.as_str() == case).unwrap().id.clone()
    };
    for (case, reason) in [
        ("a", None),
        ("b", Some(RejectReason::NotReal)),
        ("c", Some(RejectReason::WrongDate)),
        ("d", Some(RejectReason::Policy)),
        ("s1", None),
        ("s2", Some(RejectReason::NotReal)),
        ("s3", Some(RejectReason::NotReal)),
        ("s4", Some(RejectReason::NotReal)),
    ] {
        let id = first(&bench, case);
        bench.decide(&id, if reason.is_some() { Reject } else { Approve }, reason, 60);
    }
    bench.says("alert_noise", 4.0 / 9.0, 9);
    // Of a, b and c two were real; a policy says nothing about it.
    bench.says("precision_at_k", 2.0 / 4.0, 4);
    assert!((bench.find("precision_at_k").parts[0].value - 2.0 / 3.0).abs() < 1e-9);
    bench.is_silent("recall_estimated");
    let id = first(&bench, "s5");
    bench.decide(&id, Reject, Some(RejectReason::NotReal), 61);
    // One of five random places was real: of 20 below the line four are missed; a, c and s1 were shown.
    bench.says("recall_estimated", 3.0 / 7.0, 5);
    // The same again on the next day: what is below the line is counted as often as what is shown.
    bench.digest(&["a", "b"], &[], 30);
    bench.says("recall_estimated", 4.0 / (4.0 + 0.2 * 50.0), 5);
}

#[test]
fn vector_12_and_the_measured_outcomes_judge_the_order() {
    let mut bench = Bench::new();
    let mut ids = Vec::new();
    for (name, benefit) in [("a", 50), ("b", 100), ("c", 10)] {
        let id = bench.case(name, 0.8, &[transfer(1)])[0].clone();
        bench.decide(&id, Approve, None, 60);
        bench.measured(&id, benefit + 5, 0, benefit);
        ids.push(id);
    }
    bench.digest(&["a", "b", "c"], &[], 0);
    bench.says("ndcg_at_k", 0.8649, 1);
    // Half of three, rounded up: the first two of 50, 100 and 10 are the best two.
    bench.says("value_capture_at_k", 1.0, 1);
    bench.says("realised_value", 175.0, 3);
    bench.is_silent("realised_value_rejected");
    bench.0.carried_out.insert(ids[0].clone(), at(60 + 47 * 60));
    bench.0.carried_out.insert(ids[1].clone(), at(60 + 49 * 60));
    bench.says("execution_rate", 1.0 / 3.0, 3);
    // What never left was approved, and realised nothing.
    bench.0.recommendations.get_mut(&ids[2]).unwrap().state = State::NotCarriedOut;
    let not_sent = Some("discarded by Dan Director, because done by phone".to_owned());
    let found = Findings { not_sent, ..Findings::default() };
    let outcome = Outcome { recommendation_id: ids[2].clone(), at: at(0), state: State::NotCarriedOut, found };
    bench.0.outcomes.insert(ids[2].clone(), outcome);
    bench.says("execution_rate", 1.0 / 3.0, 3);
    assert!(bench.find("execution_rate").basis.ends_with("; 1 never sent"));
    bench.says("acceptance_rate", 1.0, 3);
    bench.says("realised_value", 160.0, 2);
}

#[test]
fn calibration_is_counted_on_what_people_judged() {
    let mut bench = Bench::new();
    for (name, p, reason) in
        [("a", 0.8, None), ("b", 0.4, Some(RejectReason::NotReal)), ("c", 0.9, Some(RejectReason::Duplicate))]
    {
        let id = bench.case(name, p, &[transfer(1)])[0].clone();
        bench.decide(&id, if reason.is_some() { Reject } else { Approve }, reason, 60);
    }
    bench.says("calibration_brier", 0.1, 2);
    // Half of the cases 0.2 off, half 0.4.
    bench.says("calibration_ece", 0.3, 2);
    assert_eq!(bench.find("calibration_ece").parts.len(), 2);
}

#[test]
fn an_approval_that_was_not_read_is_a_rubber_stamp() {
    let mut bench = Bench::new();
    let ids: Vec<_> = ["a", "b", "c", "d"].map(|name| bench.case(name, 0.8, &[transfer(1)])[0].clone()).into();
    for id in &ids {
        bench.decide(id, Approve, None, 60);
    }
    bench.opened(&ids[0], 59, 0);
    bench.opened(&ids[1], 59, 57);
    bench.opened(&ids[2], 61, 0);
    // Three seconds, opened only afterwards, and never opened.
    bench.says("rubber_stamp_share", 0.75, 4);
    bench.says("time_to_decide", 31.5, 2);
    bench.is_silent("drill_acceptance");
    bench.0.drills = DrillCounts { answered: 4, caught: 3, accepted: 1 };
    bench.says("drill_acceptance", 0.25, 4);
    // What somebody else opened, or another content, is no look of theirs.
    bench.0.views[0].content_hash = "older".to_owned();
    bench.says("rubber_stamp_share", 1.0, 4);
}

#[test]
fn fatigue_shows_where_the_end_of_a_sitting_is_quicker_than_its_beginning() {
    let mut bench = Bench::new();
    for i in 0..6 {
        let id = bench.case(&format!("c{i}"), 0.8, &[transfer(1)])[0].clone();
        let reason = (i < 1).then_some(RejectReason::WrongDate);
        bench.decide(&id, if i < 1 { Reject } else { Approve }, reason, i * 10);
        // Two minutes each at first, half a minute at the end.
        bench.opened(&id, i * 10, if i < 3 { -120 } else { -30 });
    }
    bench.says("fatigue_time", 0.25, 2);
    bench.says("fatigue_approvals", 0.5, 2);
    bench.says("decisions_per_hour", 6.0 / (50.0 / 60.0), 6);
    // After a pause of half an hour a new sitting begins: none of them is long enough to be compared.
    let id = bench.case("later", 0.8, &[transfer(1)])[0].clone();
    bench.decide(&id, Approve, None, 200);
    bench.says("fatigue_time", 0.25, 2);
    bench.0.decisions.retain(|d| d.at != at(20));
    bench.is_silent("fatigue_time");
}

#[test]
fn abstentions_are_right_when_people_see_no_clear_action_either() {
    let mut bench = Bench::new();
    let escalate = || Action::Escalate { unclear: "x".to_owned(), to: "y".to_owned() };
    let one = bench.case("one", 0.2, &[escalate(), transfer(1)]);
    let two = bench.case("two", 0.2, &[escalate(), transfer(1)]);
    bench.case("three", 0.8, &[transfer(1)]);
    bench.decide(&one[0], Approve, None, 60);
    bench.decide(&two[1], Approve, None, 60);
    bench.says("abstention_rate", 2.0 / 3.0, 3);
    bench.says("abstention_precision", 0.5, 2);
}

#[test]
fn model_cost_counts_each_call_once_and_needs_a_price() {
    let mut bench = Bench::new();
    let ids = bench.case("one", 0.8, &[transfer(1), transfer(2)]);
    for id in &ids {
        bench.0.recommendations.get_mut(id).unwrap().drafter = Drafter::Model {
            name: "m".to_owned(),
            prompt_hash: String::new(),
            reply_hash: "r".to_owned(),
            tokens: 4_000,
            estimated: false,
            latency_ms: 2_500,
            cost_micro: 0,
        };
    }
    bench.decide(&ids[0], Approve, None, 60);
    bench.says("model_tokens_per_case", 4_000.0, 1);
    bench.says("model_latency_p95", 2.5, 1);
    bench.is_silent("model_cost_per_case");
    let mut config = config();
    config.model.price_per_1000_tokens = Money::from_minor(2);
    let kpis = model::all(&bench.0, &config, period());
    let cost = |id: &str| kpis.iter().find(|k| k.id == id).unwrap().value;
    assert_eq!((cost("model_cost_per_case"), cost("model_cost_per_accepted")), (Some(0.08), Some(0.08)));
}

#[test]
fn money_that_waiting_lost_is_counted_in_its_period() {
    let mut bench = Bench::new();
    bench.case("one", 0.8, &[transfer(1)]);
    bench.case("two", 0.8, &[transfer(1)]);
    bench.says("expired_value", 0.0, 2);
    let case = bench.0.cases.get_mut(&CaseId::new("one")).unwrap();
    case.state = CaseState::Expired;
    bench.says("expired_value", 50.0, 2);
    bench.0.cases.get_mut(&CaseId::new("one")).unwrap().updated_at = at(9 * 24 * 60);
    bench.says("expired_value", 0.0, 2);
}

proptest! {
    /// Whatever people decide: shares are shares, and counts are not more than there is.
    #[test]
    fn shares_stay_shares(choices in prop::collection::vec((0_u8..4, 0_i64..2_000, 0_i64..400, 0.0..1.0_f64), 1..25)) {
        let mut bench = Bench::new();
        let mut names = Vec::new();
        for (i, (what, minutes, look, p)) in choices.iter().enumerate() {
            let name = format!("c{i}");
            let ids = bench.case(&name, *p, &[transfer(5), transfer(6)]);
            names.push(name);
            match what {
                0 => bench.decide(&ids[0], Approve, None, *minutes),
                1 => bench.decide(&ids[1], Approve, None, *minutes),
                2 => bench.decide(&ids[0], Reject, Some(RejectReason::NotReal), *minutes),
                _ => continue,
            }
            bench.opened(&ids[0], *minutes, -look);
        }
        let shown: Vec<&str> = names.iter().map(String::as_str).collect();
        bench.digest(&shown, &[], 3);
        let signed = ["fatigue_approvals"];
        for kpi in bench.kpis() {
            let Some(value) = kpi.value else { continue };
            prop_assert!(value.is_finite() && kpi.n > 0, "{kpi:?}");
            if kpi.unit == super::Unit::Share && !signed.contains(&kpi.id) {
                prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{kpi:?}");
            }
            if kpi.id.starts_with("acceptance") || kpi.id.starts_with("rubber") {
                prop_assert!(kpi.n <= choices.len());
            }
        }
        // Precision and noise look at the same judgements from two sides.
        let (precision, noise) = (bench.find("precision_at_k"), bench.find("alert_noise"));
        if choices.len() <= config().rules.ranking.capacity && let (Some(judged), Some(noise)) = (precision.parts.first(), noise.value) {
            let unreal = (1.0 - judged.value) * judged.n as f64;
            prop_assert!((unreal - noise * choices.len() as f64).abs() < 1e-6);
        }
    }
}

#[test]
fn what_the_guard_refused_is_counted_once_for_each_draft_and_rule() {
    let mut bench = Bench::new();
    bench.is_silent("model_refused");
    bench.0.asked =
        vec![BTreeSet::new(), BTreeSet::from([Rule::Claims, Rule::Number]), BTreeSet::from([Rule::Claims]), BTreeSet::new()];
    bench.says("model_refused", 0.5, 4);
    assert!(bench.find("model_refused").basis.ends_with("4 drafts; refused by rule: claims 2, number 1"));
}
