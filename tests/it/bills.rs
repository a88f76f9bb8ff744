//! Bills from rows to signals and recommendations: equal ones that are both owed, reversed ones, bills for the whole order, and
//! prices that were ordered. The cases lie in `tests/cases`.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use reeve::config::Config;
use reeve::domain::book::Book;
use reeve::domain::exception::{ExceptionType as T, Signal};
use reeve::odoo::recorded::Recorded;
use reeve::ports::{Senders, Source};
use reeve::rules::detect::look;
use serde_json::{Value, json};

use crate::support::recordings::{with_case, with_rows};
use crate::support::shop::at_the_end;

/// The bundled recording's duplicate.
const DUPLICATE: &str = "BILL/2026/09/0010";

fn config() -> Config {
    Config::load_from(None, &[]).expect("the defaults load")
}

fn open(folder: &Path) -> Recorded {
    Recorded::open(folder, "USD").expect("the recording opens")
}

/// What the detectors see in the newest book of a recording, without the demand's.
async fn seen(folder: &Path) -> Vec<Signal> {
    let recorded = open(folder);
    let (_, last) = recorded.span().expect("things happened");
    seen_at(&recorded, last).await
}

async fn seen_at(recorded: &Recorded, at: Timestamp) -> Vec<Signal> {
    let page = recorded.read(None, at, usize::MAX).await.expect("it reads");
    // The newest state of each record, as the store keeps it.
    let newest: BTreeMap<_, _> = page.observed.into_iter().map(|o| (o.record.key(), o.record)).collect();
    let config = config();
    look(&Book::new(at, config.rules.calendar.calendar(), newest.into_values()), &config.rules).signals
}

fn of(signals: &[Signal], code: T) -> Vec<&str> {
    signals.iter().filter(|s| s.code == code).map(|s| s.headline.as_str()).collect()
}

/// Only the bundled duplicate is one.
fn assert_no_other(case: &str, signals: &[Signal]) {
    let found = of(signals, T::FDupBill);
    assert!(found.len() == 1 && found[0].contains(DUPLICATE), "{case}: {found:?}");
}

#[tokio::test]
async fn equal_bills_that_are_both_owed_are_no_duplicates() {
    for case in ["rows-partial_ownrefs", "rows-partial_sameref", "rows-freight"] {
        let dir = with_case(&format!("03-part-deliveries-billed-alike/{case}.json"));
        let signals = seen(dir.path()).await;
        assert_no_other(case, &signals);
        let wrong = of(&signals, T::FQty).into_iter().filter(|h| h.contains("BILL/2026/10/002")).collect::<Vec<_>>();
        assert!(wrong.is_empty(), "{case}: both are in the sum, and it is what was received: {wrong:?}");
    }
}

#[tokio::test]
async fn a_duplicate_that_was_reversed_is_quiet_whichever_field_says_so() {
    for case in ["rows-dup_reversed", "rows-dup_reversed_ctl"] {
        let dir = with_case(&format!("04-duplicate-already-reversed/{case}.json"));
        let signals = seen(dir.path()).await;
        assert_eq!(of(&signals, T::FDupBill), [""; 0], "{case}");
        let on_order = |s: &&Signal| s.code == T::FQty && s.subject.order.as_deref() == Some("43");
        assert!(!signals.iter().any(|s| on_order(&s)), "{case}: the pair is out of the sum");
    }
}

#[tokio::test]
async fn half_an_order_billed_whole_is_quiet_until_it_is_late_and_says_then_what_is_outstanding() {
    let case = "15-bill-for-the-whole-order/rows-advance.json";
    let dir = with_case(case);
    let is_it = |h: &&str| h.contains("BILL/2026/10/0022");
    let signals = seen(dir.path()).await;
    assert_eq!(of(&signals, T::FQty).into_iter().filter(is_it).count(), 0);
    let recorded = open(dir.path());
    let late = seen_at(&recorded, "2026-11-09T12:00:00Z".parse().expect("a time")).await;
    let found: Vec<&str> = of(&late, T::FQty).into_iter().filter(is_it).collect();
    assert!(found.len() == 1 && found[0].contains("120 are outstanding since 2026-11-06"), "{found:?}");

    // The same bill, to be paid before the rest is promised.
    let text = std::fs::read_to_string(Path::new("tests/cases").join(case)).expect("the case is there");
    let mut rows: Value = serde_json::from_str(&text).expect("it is JSON");
    rows["account.move"][0]["added"]["invoice_date_due"] = json!("2026-11-03");
    let early = seen(with_rows(&rows).path()).await;
    let found: Vec<&str> = of(&early, T::FQty).into_iter().filter(is_it).collect();
    assert!(found.len() == 1 && found[0].contains("would be paid before the goods come"), "{found:?}");
}

#[tokio::test]
async fn a_card_about_a_reversed_bill_can_not_reverse_it_again_and_an_ordered_price_is_owed() {
    let dir = with_case("04-duplicate-already-reversed/rows-dup_reversed.json");
    let app = at_the_end(dir.path(), "sqlite::memory:", config(), Senders::default()).await;
    app.run_until_idle().await.expect("the stages come to rest");
    let day = config().rules.calendar.calendar().day_of(app.context.clock.now());
    let text = app.context.store.find_digest(day).await.expect("the store answers").expect("the day has a digest").text;
    assert!(!text.contains(DUPLICATE), "{text}");
    // Ordered at 2.07, listed at 1.80, and billed as ordered: nothing of the bill is held back.
    assert!(!text.contains("Keep 17.82"), "{text}");
}
