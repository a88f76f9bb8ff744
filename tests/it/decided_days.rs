//! Days of the bundled recording on which people decide by a rule: what they decided is shown beside later cards and moves
//! nothing of them, and every figure of every card recomputes.

use std::sync::Arc;

use jiff::civil::date;
use reeve::config::Config;
use reeve::evals::decided::{self, Replay, Report, Rule};
use reeve::evals::recording::Reads;
use reeve::odoo::recorded::Recorded;

use crate::support::shop;

/// Mornings late enough for a baseline, and early enough for something like it to go wrong again.
async fn eight_mornings() -> Report {
    let config = Config::load_from(None, &[]).expect("the defaults");
    let source = Recorded::open(shop::bundled(), &config.rules.money.currency).expect("the recording opens");
    let times = ["20:00", "06:10"].map(|time| time.parse().expect("a time"));
    let replay = Replay {
        recording: shop::bundled(),
        reads: Reads::Lived(times.to_vec()),
        rule: Rule::parse("truth:3").expect("a rule"),
        span: (Some(date(2026, 10, 14)), Some(date(2026, 10, 21))),
        digests: None,
    };
    decided::run(config, Arc::new(source), Ok, replay, |_, _| ()).await.expect("it can be lived")
}

#[tokio::test]
async fn decisions_are_shown_beside_later_cards_and_every_figure_recomputes() {
    let report = Box::pin(eight_mornings()).await;
    let said = report.text();
    assert_eq!((report.days, report.memory.as_str()), (8, "numbers alone"), "{said}");
    // The rule was followed through the one door.
    assert!(report.approved > 8 && report.rejected > 0, "{said}");
    assert!(report.approved + report.rejected <= 3 * 8, "{said}");
    // What was approved left, and was looked for in the records a day later.
    assert!(report.read_back.values().flat_map(std::collections::BTreeMap::values).sum::<u32>() > 3, "{said}");
    // Later cards tell of it, and of most of them it is the same cause.
    let likes = &report.on_cards;
    assert!(likes.cards_with > 0 && likes.pairs > 0 && likes.cards_with < likes.cards, "{said}");
    assert!(2 * likes.right() > likes.pairs, "{said}");
    assert!(likes.age_days.is_some_and(|(least, ..)| least >= 1), "what is decided today is shown tomorrow: {said}");
    // Memory moves nothing; decisions do.
    assert!(report.memory_moved.is_same() && report.memory_moved.cards > 50, "{said}");
    assert!(report.decisions_moved.p > 0 && !report.learnt.is_empty(), "{said}");
    // Every card, of every kind of action.
    let all = &report.recomputed.all;
    assert!(report.recomputed.holds() && all.cards > 100 && all.agree > 20 * all.cards, "{said}");
    assert!(report.recomputed.by_action.len() > 5 && report.recomputed.decided.cards > 8, "{said}");
    assert!(report.holds(), "{said}");
}
