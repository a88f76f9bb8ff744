//! What came on a purchase line, from rows to recommendations: exchanged goods, and a receipt booked in twice that a count took
//! out again.

use std::path::Path;

use jiff::Timestamp;
use reeve::config::Config;
use reeve::domain::action::Action;
use reeve::domain::evidence::FactValue;
use reeve::domain::exception::{Exception, ExceptionType as T};
use reeve::domain::recommendation::Recommendation;
use reeve::ports::Senders;
use reeve::store::{Store, Which};

use crate::support::databases::databases;
use crate::support::recordings::with_case;
use crate::support::shop::{at_the_end, bundled};

fn config() -> Config {
    Config::load_from(None, &[]).expect("the defaults load")
}

async fn run(url: &str, dir: &Path, at: Option<Timestamp>) -> Store {
    let app = at_the_end(dir, url, config(), Senders::default()).await;
    app.context.clock.set(at.unwrap_or_else(|| app.context.clock.now()));
    app.run_until_idle().await.expect("the stages come to rest");
    app.context.store.clone()
}

/// The open exceptions of a purchase line, in order of type.
async fn on_line(store: &Store, line: &str) -> Vec<Exception> {
    let mut found = store.list_exceptions(Which::Live).await.expect("the store answers");
    found.retain(|e| e.signal.subject.po_line.as_deref() == Some(line));
    found.sort_by_key(|e| e.signal.code);
    found
}

fn codes(exceptions: &[Exception]) -> Vec<T> {
    exceptions.iter().map(|e| e.signal.code).collect()
}

#[tokio::test]
async fn what_comes_in_the_place_of_a_return_is_not_too_much() {
    let dir = with_case("01-exchange-return/rows-exchange.json");
    for database in databases().await {
        let store = run(&database.store_url(), dir.path(), None).await;
        let found = on_line(&store, "341").await;
        assert_eq!(codes(&found), [T::RDamage], "on {}", database.kind());
        let headline = &found[0].signal.headline;
        assert!(headline.starts_with("36 of ") && headline.ends_with("36 came in their place."), "{headline}");
        store.close().await;
    }
}

#[tokio::test]
async fn what_was_exchanged_and_billed_again_is_billed_too_much() {
    let dir = with_case("01-exchange-return/rows-exchange_bill.json");
    for database in databases().await {
        let store = run(&database.store_url(), dir.path(), None).await;
        let found = on_line(&store, "338").await;
        assert_eq!(codes(&found), [T::RDamage, T::FQty], "on {}", database.kind());
        let fact = |field: &str| {
            let ends = format!("/{field}");
            found[1].signal.facts.iter().find(|f| f.id.as_str().ends_with(&ends)).map(|f| f.value.clone())
        };
        assert!(matches!(fact("price"), Some(FactValue::Price(p)) if p.to_string() == "5.20"));
        assert!(matches!(fact("quantity_variance"), Some(FactValue::Money(m)) if m.to_string() == "520.00"));
        store.close().await;
    }
}

/// The recommendations of the case that P00040's second receipt is in, as that evening has them.
async fn doubled_receipt_on(day: &str) -> (Vec<Exception>, Vec<Recommendation>) {
    let at = config().rules.calendar.calendar().close_of(day.parse().expect("a day"));
    let store = run("sqlite::memory:", bundled(), Some(at)).await;
    let open = store.list_exceptions(Which::Live).await.expect("the store answers");
    let ids: Vec<_> = open.iter().map(|exception| &exception.id).collect();
    let cases = store.map_exceptions_to_cases(&ids).await.expect("the store answers");
    let doubled: Vec<Exception> = open.into_iter().filter(|e| e.signal.code == T::RDup).collect();
    let mut recommended = Vec::new();
    for case in doubled.iter().filter_map(|e| cases.get(&e.id)) {
        let all = store.list_recommendations(case).await.expect("the store answers");
        recommended.extend(all.into_iter().map(|(r, _)| r));
    }
    store.close().await;
    (doubled, recommended)
}

/// Moves 2419 to 2423 repeat 2031 to 2035 a second later on 2026-09-08: 144, 246, 60, 96 and 30 too many, 1,357.20 at the order's
/// prices. Lines 190 to 194 of BILL/2026/09/0007 bill both receipts on the 10th. Counts 3184 to 3188 took exactly the surplus out on
/// the 19th; the bill still has it.
#[tokio::test]
async fn a_doubled_receipt_is_reversed_until_a_count_has_taken_it_out_and_its_bill_is_held_all_the_same() {
    let p = |recommended: &[Recommendation]| recommended[0].candidate.money.p;
    let mut before = Vec::new();
    for day in ["2026-09-08", "2026-09-18"] {
        let (doubled, recommended) = doubled_receipt_on(day).await;
        assert_eq!(doubled.len(), 1, "{day}");
        let first = &recommended[0];
        assert!(
            matches!(&first.candidate.action, Action::ReverseDoc { document, duplicate_of }
                if document == "NOR/IN/00012" && duplicate_of == "NOR/IN/00010"),
            "{day}: {:?}",
            first.candidate.action
        );
        before.push(p(&recommended));
    }
    for day in ["2026-09-19", "2026-09-22"] {
        let (doubled, recommended) = doubled_receipt_on(day).await;
        assert_eq!(doubled.len(), 1, "{day}");
        let headline = &doubled[0].signal.headline;
        assert!(headline.ends_with("they were taken off the books again, and are billed all the same."), "{headline}");
        assert!(
            matches!(&recommended[0].candidate.action, Action::BlockBill { bill, disputed, .. }
                if bill == "47" && disputed.to_string() == "1,357.20"),
            "{day}: {:?}",
            recommended[0].candidate.action
        );
        let takes_out =
            |r: &Recommendation| matches!(r.candidate.action, Action::ReverseDoc { .. } | Action::Recount { .. });
        assert!(!recommended.iter().any(takes_out), "{day}: the count is not to be repeated");
        assert!(before.iter().all(|before| p(&recommended) < *before), "{day}: p falls when a count took it out");
    }
}
