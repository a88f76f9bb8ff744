//! Cases that went wrong elsewhere, through the whole program on each database: what is kept of them in the store, what is
//! advised and what the digest says. What the detectors alone make of them is in `bills`, `received` and `event_cases`.

use std::path::Path;

use reeve::config::Config;
use reeve::domain::exception::ExceptionType as T;
use reeve::domain::recommendation::Recommendation;
use reeve::ports::Senders;
use reeve::store::Which;
use serde_json::json;

use crate::support::databases::databases;
use crate::support::recordings::{first_row, with_case, with_rows};
use crate::support::shop::at_the_end;

/// What is kept at the end of a recording.
struct Kept {
    /// Kind and headline of what is not over.
    open: Vec<(T, String)>,
    /// Everything advised.
    advice: Vec<Recommendation>,
    cases: usize,
    entries: i64,
    digest: String,
}

impl Kept {
    fn of(&self, code: T) -> Vec<&str> {
        self.open.iter().filter(|(open, _)| *open == code).map(|(_, headline)| headline.as_str()).collect()
    }

    /// Codes and summaries of what is advised about something, by a word in the summary.
    fn advised(&self, about: &str) -> Vec<String> {
        let about = self.advice.iter().filter(|rec| rec.candidate.summary.contains(about));
        about.map(|rec| format!("{} {}", rec.candidate.action.code(), rec.candidate.summary)).collect()
    }
}

async fn lived(url: &str, recording: &Path) -> Kept {
    let config = Config::load_from(None, &[]).expect("the defaults load");
    let calendar = config.rules.calendar.calendar();
    let app = at_the_end(recording, url, config, Senders::default()).await;
    let store = &app.context.store;
    app.run_until_idle().await.expect("the stages come to rest");
    let open = store.list_exceptions(Which::Live).await.expect("the store answers");
    let all = store.list_exceptions(Which::All).await.expect("the store answers");
    let ids: Vec<_> = all.iter().map(|exception| &exception.id).collect();
    let by_case = store.map_exceptions_to_cases(&ids).await.expect("the store answers");
    let cases: std::collections::BTreeSet<_> = by_case.into_values().collect();
    let mut advice = Vec::new();
    for case in &cases {
        let all = store.list_recommendations(case).await.expect("the store answers");
        advice.extend(all.into_iter().map(|(rec, _)| rec));
    }
    let day = calendar.day_of(app.context.clock.now());
    let kept = Kept {
        open: open.into_iter().map(|e| (e.signal.code, e.signal.headline)).collect(),
        advice,
        cases: cases.len(),
        entries: store.verify_audit().await.expect("the chain holds").0,
        digest: store.find_digest(day).await.expect("the store answers").expect("the day has a digest").text,
    };
    store.close().await;
    kept
}

#[tokio::test]
async fn part_deliveries_billed_alike_are_paid_and_nothing_is_reversed() {
    for case in ["rows-partial_sameref", "rows-freight"] {
        let dir = with_case(&format!("03-part-deliveries-billed-alike/{case}.json"));
        for database in databases().await {
            let kept = lived(&database.store_url(), dir.path()).await;
            let on = format!("{case} on {}", database.kind());
            // The recording's own duplicate stays.
            let twice = kept.of(T::FDupBill);
            assert!(twice.len() == 1 && twice[0].contains("BILL/2026/09/0010"), "{on}: {twice:?}");
            for bill in ["BILL/2026/10/0022", "BILL/2026/10/0023"] {
                assert_eq!(kept.advised(bill), [""; 0], "{on}");
                assert!(!kept.digest.contains(bill), "{on}: {}", kept.digest);
            }
        }
    }
}

#[tokio::test]
async fn a_bill_that_was_reversed_is_neither_open_nor_advised_nor_listed() {
    let dir = with_case("04-duplicate-already-reversed/rows-dup_reversed.json");
    for database in databases().await {
        let kept = lived(&database.store_url(), dir.path()).await;
        let on = database.kind();
        assert_eq!(kept.of(T::FDupBill), [""; 0], "on {on}");
        assert_eq!(kept.advised("BILL/2026/09/0010"), [""; 0], "on {on}");
        assert!(!kept.digest.contains("BILL/2026/09/0010"), "on {on}: {}", kept.digest);
    }
}

#[tokio::test]
async fn a_bill_for_the_whole_order_is_not_called_not_owed() {
    let dir = with_case("15-bill-for-the-whole-order/rows-advance.json");
    for database in databases().await {
        let kept = lived(&database.store_url(), dir.path()).await;
        let about = |h: &&str| h.contains("BILL/2026/10/0022");
        assert_eq!(kept.of(T::FQty).into_iter().filter(about).count(), 0, "on {}", database.kind());
        assert_eq!(kept.advised("BILL/2026/10/0022"), [""; 0], "on {}", database.kind());
    }
}

#[tokio::test]
async fn items_that_no_place_carries_make_no_case_no_advice_and_no_entry() {
    let none = with_rows(&json!({}));
    let (template, product) = (first_row("product.template"), first_row("product.product"));
    let (mut templates, mut products) = (Vec::new(), Vec::new());
    for nth in 0..40 {
        let id = 9_000 + nth;
        let (mut of, mut like) = (template.clone(), product.clone());
        of["id"] = json!(id);
        of["name"] = json!(format!("Special order item {nth}"));
        (of["product_variant_ids"], of["seller_ids"], of["variant_seller_ids"]) = (json!([id]), json!([]), json!([]));
        like["id"] = json!(id);
        (like["default_code"], like["barcode"]) = (json!(format!("SO-{nth:03}")), json!(false));
        like["display_name"] = json!(format!("[SO-{nth:03}] Special order item {nth}"));
        like["product_tmpl_id"] = json!([id, format!("[SO-{nth:03}] Special order item {nth}")]);
        for empty in ["orderpoint_ids", "purchase_order_line_ids", "stock_move_ids", "stock_quant_ids"] {
            like[empty] = json!([]);
        }
        templates.push(json!({ "added": of }));
        products.push(json!({ "added": like }));
    }
    let forty = with_rows(&json!({ "product.template": templates, "product.product": products }));
    for database in databases().await {
        let before = lived(&database.store_url(), none.path()).await;
        let other = databases().await.into_iter().find(|other| other.kind() == database.kind()).expect("the same kind");
        let after = lived(&other.store_url(), forty.path()).await;
        let on = database.kind();
        assert_eq!((after.cases, after.advice.len()), (before.cases, before.advice.len()), "on {on}");
        assert_eq!(after.entries, before.entries, "on {on}");
        assert!(!after.open.iter().any(|(_, headline)| headline.contains("SO-0")), "on {on}");
        assert_eq!(after.digest, before.digest, "on {on}");
    }
}
