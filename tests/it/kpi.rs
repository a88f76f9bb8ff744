//! The figures on the bundled recording. What comes from the book was counted by hand from the recording's records, apart
//! from the program: see the comment at each figure.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::sync::Arc;

use jiff::SignedDuration;
use reeve::app::App;
use reeve::approve::{DecisionRequest, Verb};
use reeve::config::Config;
use reeve::domain::decision::RejectReason;
use reeve::domain::ids::PersonId;
use reeve::domain::recommendation::Recommendation;
use reeve::pipeline::context::Context;
use reeve::ports::Senders;
use reeve::reports::kpi::{Figures, Period, Report};
use reeve::store::View;

use crate::support::databases::databases;
use crate::support::shop::{at_the_end, bundled};

#[track_caller]
fn says(report: &Report, id: &str, value: f64, n: usize) {
    let kpi = report.find(id).unwrap_or_else(|| panic!("there is no figure {id}"));
    let found = kpi.value.unwrap_or_else(|| panic!("{id}: {}", kpi.basis));
    assert!((found - value).abs() < 1e-9, "{id} is {found}, not {value}: {}", kpi.basis);
    assert_eq!(kpi.n, n, "{id}: {}", kpi.basis);
}

async fn click(app: &App, who: &str, on: &Recommendation, verb: Verb) {
    let request = DecisionRequest {
        idempotency_key: format!("{who}-{}", on.id),
        person: PersonId::new(who),
        channel: "web".to_owned(),
        hand: reeve::domain::hand::Hand::Own,
        recommendation_id: on.id.clone(),
        content_hash: on.content_hash(),
        verb,
    };
    app.approvals.decide(&request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_the_recording_are_those_counted_by_hand() {
    for db in databases().await {
        let config = Config::load_from(None, &[]).unwrap();
        let app = at_the_end(bundled(), &db.store_url(), config, Senders::default()).await;
        let Context { config, store, clock, .. } = app.context.clone();
        // At the close of the last day: the figures were counted over whole days.
        let calendar = config.rules.calendar.calendar();
        clock.set(calendar.close_of(calendar.day_of(clock.now())));
        app.run_until_idle().await.unwrap();
        let moments = Arc::clone(&app.context.moments);
        let figures = || Figures::new(store.clone(), Arc::clone(&config), clock.clone(), Arc::clone(&moments));
        // 2026-10-04 to 2026-10-31: twenty items at three locations over 28 days.
        let period = Period::of(None, None, figures().today()).unwrap();
        let before = figures().of(period).await.unwrap();
        // 74 of 1,680 item-location-days closed with nothing on hand.
        says(&before, "stockout_rate", 74.0 / 1_680.0, 1_680);
        says(&before, "on_shelf_proxy", 1.0 - 74.0 / 1_680.0, 1_680);
        // 49 times an item was received twice at a place; twice it ran out in between.
        says(&before, "service_level_cycle", 47.0 / 49.0, 49);
        // 10,433 units on 1,540 order lines up to 2026-10-30; 10,254 left on the same or the next day.
        says(&before, "fill_rate_units", 10_254.0 / 10_433.0, 1_540);
        // 108 lines due and a day past: Homestead 14 of 20, Lindqvist 28 of 29, Verde 25 of 30, Voltline none of 29.
        says(&before, "supplier_otif", 67.0 / 108.0, 108);
        let parts: Vec<usize> = before.find("supplier_otif").unwrap().parts.iter().map(|p| p.n).collect();
        assert_eq!(parts, [20, 29, 30, 29]);
        // 6,276 of 11,616 units came by the promised day.
        says(&before, "supplier_fill_rate", 6_276.0 / 11_616.0, 108);
        // 24 counts that differ, 314.70 at cost; 31,670.41 in stock.
        says(&before, "count_accuracy_value", 1.0 - 314.7 / 31_670.41, 20);
        // 823.40 of it above the rules' maxima.
        says(&before, "excess_share", 823.4 / 31_670.41, 60);
        // 30 exceptions, 8 cases in the digest.
        says(&before, "compression", 30.0 / 8.0, 8);
        says(&before, "grounding", 1.0, 2_206);
        // Four losing counts in a row are given to loss prevention.
        says(&before, "abstention_rate", 1.0 / 10.0, 10);
        says(&before, "digest_completion", 0.0, 8);
        for silent in ["acceptance_rate", "alert_noise", "rubber_stamp_share", "realised_value", "count_accuracy_lines"] {
            let kpi = before.find(silent).unwrap();
            assert!(kpi.value.is_none() && kpi.basis.starts_with("not enough data"), "{kpi:?}");
        }

        // Three people's clicks: one read for a minute, one for two seconds, one rejection.
        let digest = store.list_digests(1).await.unwrap().remove(0).digest;
        let all = store.list_recommendations_in(&["queued"]).await.unwrap();
        let first = |nth: usize| {
            let case = &digest.lines.iter().filter(|l| !l.sampled).nth(nth).unwrap().case_id;
            all.iter().map(|(r, _)| r).find(|r| r.case_id == *case && r.rank == 1).unwrap()
        };
        let ask = all.iter().map(|(r, _)| r).find(|r| r.candidate.action.code() == "CONTACT").unwrap();
        // Of two cases: the first valid decision ends the other actions of its own.
        let block = all
            .iter()
            .map(|(r, _)| r)
            .find(|r| r.candidate.action.code() == "BLOCK-BILL" && r.rank == 1 && r.case_id != ask.case_id)
            .unwrap();
        let unreal = (0..13)
            .map(first)
            .find(|r| r.case_id != ask.case_id && r.case_id != block.case_id)
            .expect("the digest has more than two cases");
        let looked = |rec: &Recommendation, who: &str, seconds: i64| View {
            person: PersonId::new(who),
            recommendation_id: rec.id.clone(),
            case_id: rec.case_id.clone(),
            content_hash: rec.content_hash(),
            channel: "web".to_owned(),
            opened_at: clock.now() - SignedDuration::from_secs(seconds),
        };
        store.keep_views(&[looked(ask, "pia", 60), looked(block, "dan", 2)]).await.unwrap();
        click(&app, "pia", ask, Verb::Approve).await;
        click(&app, "dan", block, Verb::Approve).await;
        click(&app, "pia", unreal, Verb::Reject { reason: RejectReason::NotReal, note: String::new() }).await;
        let after = figures().of(period).await.unwrap();
        says(&after, "acceptance_rate", 2.0 / 3.0, 3);
        says(&after, "edit_rate", 0.0, 2);
        says(&after, "rubber_stamp_share", 0.5, 2);
        says(&after, "time_to_decide", 31.0, 2);
        says(&after, "alert_noise", 1.0 / 8.0, 8);
        // Two were real, with p as it stood on their cards; one was not.
        let p = |r: &Recommendation| r.candidate.money.p;
        let brier = ((1.0 - p(ask)).powi(2) + (1.0 - p(block)).powi(2) + p(unreal).powi(2)) / 3.0;
        says(&after, "calibration_brier", brier, 3);
        store.close().await;
    }
}
