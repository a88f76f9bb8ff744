//! What goes wrong on the way: passed over where asking again helps, else told so that a person knows what to do; and the
//! next run ends where an undisturbed one does.

use std::fmt::Write as _;

use super::Shop;
use crate::support::binary::Ended;
use reeve_testing::odoo::{Fault, Version};

/// Everything that a store knows of the server's rows, a line each.
async fn records(shop: &Shop) -> String {
    let store = shop.store().await;
    let mut all = String::new();
    for record in store.load_records().await.expect("the store answers") {
        writeln!(all, "{record:?}").expect("text");
    }
    store.close().await;
    all
}

/// The records of a sync in which nothing went wrong, and how many requests that took.
async fn undisturbed(version: Version) -> (String, u64) {
    let shop = Shop::new(version).await;
    shop.run(&["sync"]).fine();
    let records = records(&shop).await;
    assert!(records.len() > 10_000, "there is something to read");
    (records, shop.odoo.faults().requests())
}

#[track_caller]
fn assert_same(ours: &str, whole: &str, what: &str) {
    let differs = ours.lines().zip(whole.lines()).find(|(a, b)| a != b);
    assert!(ours == whole, "{what}: {differs:#?}, {} lines of {}", ours.lines().count(), whole.lines().count());
}

/// One line, no traceback, no key.
#[track_caller]
fn told(shop: &Shop, ended: Ended) -> String {
    let said = ended.error();
    for never in ["Traceback", "panicked", "RUST_BACKTRACE", &shop.odoo.key()] {
        assert!(!said.contains(never), "{said}");
    }
    said
}

#[tokio::test]
async fn what_passes_is_passed_over() {
    let version = Version::V18;
    let (whole, requests) = undisturbed(version).await;
    let one_of_each = [
        Fault::TooMany(None),
        Fault::TooMany(Some(0)),
        Fault::TooMany(Some(1)),
        Fault::Unavailable(Some(0)),
        Fault::BadGateway,
        Fault::Cut,
        Fault::Truncated,
        Fault::LoginPage,
        Fault::Hang,
        Fault::SerializationFailure,
    ];
    // In the questions about rights, among the rows and near the end, where the sums are.
    let places = [30, requests / 2, requests - 15];
    for (begin, faults) in places.into_iter().zip(one_of_each.chunks(one_of_each.len().div_ceil(places.len()))) {
        let shop = Shop::new(version).await;
        for (nth, fault) in (0..).zip(faults) {
            // Not one behind the other: of one question only so many attempts are made.
            shop.odoo.faults().at(begin + 3 * nth, *fault);
        }
        let ended = shop.run_with(&["sync"], &[("REEVE_ODOO__TIMEOUT", "3s")]);
        assert_eq!(ended.code, Some(0), "{faults:?} from request {begin}: {ended:?}");
        assert!(!ended.err.contains(&shop.odoo.key()), "{ended:?}");
        assert_same(&records(&shop).await, &whole, &format!("{faults:?} from request {begin}"));
    }
}

#[tokio::test]
async fn what_stays_ends_the_run_with_what_to_do_and_the_next_one_completes_it() {
    let away = &["is busy", "asked again later", "goes on from there"][..];
    let refused = &["refused the sign-in", "odoo.api_key"];
    for (version, faults) in [
        (
            Version::V18,
            &[
                ("stock.move", Fault::TooMany(Some(3_600)), away),
                ("purchase.order", Fault::SessionLost, refused),
                ("account.move", Fault::Unavailable(Some(600)), away),
            ][..],
        ),
        (Version::V19, &[("purchase.order", Fault::SessionLost, refused)]),
    ] {
        let (whole, _) = undisturbed(version).await;
        for (model, fault, parts) in faults {
            let shop = Shop::new(version).await;
            shop.odoo.faults().on("search_read", Some(model), 50, *fault);
            let said = told(&shop, shop.run(&["sync"]));
            assert!(parts.iter().all(|part| said.contains(part)), "{version:?} {fault:?}: {said}");
            shop.odoo.faults().clear();
            shop.run(&["sync"]).fine();
            assert_same(&records(&shop).await, &whole, &format!("{version:?} {fault:?}"));
        }
    }
}

/// What Odoo can not answer of one model costs that model alone, and only until it can.
#[tokio::test]
async fn an_error_inside_odoo_is_a_line_until_it_is_gone() {
    let (whole, _) = undisturbed(Version::V18).await;
    let shop = Shop::new(Version::V18).await;
    shop.odoo.faults().on("search_read", Some("stock.picking"), 50, Fault::ServerError);
    let ended = shop.run(&["sync"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("Not read: stock.picking (Odoo refused"), "{ended:?}");
    assert!(!ended.out.contains("Traceback") && !ended.err.contains("Traceback"), "{ended:?}");
    shop.odoo.faults().clear();
    assert!(!shop.run(&["sync"]).fine().contains("stock.picking"));
    assert_same(&records(&shop).await, &whole, "after an error inside Odoo");
}

#[tokio::test]
async fn at_the_door_everything_is_told_at_once() {
    for version in [Version::V18, Version::V19] {
        let shop = Shop::new(version).await;
        for (fault, part) in [
            (Fault::TooMany(Some(1)), "HTTP 429"),
            (Fault::BadGateway, "HTTP 502"),
            (Fault::Unavailable(None), "HTTP 503"),
            (Fault::Cut, "can not be"),
            (Fault::Truncated, "is not Odoo"),
            (Fault::LoginPage, "is not Odoo"),
            (Fault::Hang, "no answer within 0.3 s"),
            (Fault::SessionLost, "check odoo."),
        ] {
            shop.odoo.faults().always(fault);
            // Only who is waited for in vain has a short time: on a busy machine the others take longer to answer.
            let patience: &[_] = if fault == Fault::Hang { &[("REEVE_ODOO__TIMEOUT", "300ms")] } else { &[] };
            let said = told(&shop, shop.run_with(&["sync"], patience));
            shop.odoo.faults().clear();
            assert!(said.contains(part), "{version:?} {fault:?}: {said}");
        }
        shop.odoo.set_key_valid(false);
        let said = told(&shop, shop.run(&["sync"]));
        assert!(said.contains("refused the sign-in") && said.contains("check odoo."), "{said}");
        let said = told(&shop, shop.run_with(&["sync"], &[("REEVE_ODOO__DATABASE", "nowhere")]));
        assert!(said.contains("odoo.database") || said.contains("check odoo."), "{said}");
        let said = told(&shop, shop.run_with(&["sync"], &[("REEVE_ODOO__API_KEY", "")]));
        assert!(said.contains("REEVE_ODOO__API_KEY"), "{said}");
    }
}
