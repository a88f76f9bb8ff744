//! A user who may write: refused before the first row, or let through with a warning that nobody can miss.

use super::{Shop, browser, failed, page, sign_in};
use reeve_testing::odoo::Version;

const ALLOWED: (&str, &str) = ("REEVE_ODOO__ALLOW_WRITE_CAPABLE_CREDENTIAL", "i-understand");

/// What may be asked before it is known that nothing could be written.
const BEFORE: [&str; 7] = ["", "authenticate", "check_access_rights", "context_get", "has_access", "list", "version"];

#[tokio::test]
async fn a_user_who_may_write_is_refused_before_anything_is_read() {
    for version in [Version::V17, Version::V18, Version::V19] {
        let shop = Shop::new(version).await;
        shop.odoo.set_right("stock.move", "write", true);
        shop.odoo.set_right("purchase.order", "create", true);
        shop.odoo.set_right("purchase.order", "unlink", true);
        for command in ["sync", "serve"] {
            let said = failed(&shop.run(&[command]));
            for part in ["stock.move (write)", "purchase.order (create, unlink)", "docs/ODOO.md"] {
                assert!(said.contains(part), "{command}: {said}");
            }
            assert!(!said.contains(&shop.odoo.key()), "{said}");
        }
        let doctor = shop.run(&["doctor"]);
        assert_eq!(doctor.code, Some(2), "{doctor:?}");
        assert!(doctor.out.contains("stock.move (write)"), "{doctor:?}");
        let traffic = shop.odoo.traffic();
        assert!(traffic.len() > 50, "the barrier asks about every model");
        let more: Vec<_> = traffic.iter().filter(|call| !BEFORE.contains(&call.method.as_str())).collect();
        assert!(more.is_empty(), "{more:?}");
        assert!(shop.store().await.count_records().await.expect("the store answers").values().all(|count| *count == 0));
    }
}

#[tokio::test]
async fn the_administrator_is_refused() {
    let shop = Shop::new(Version::V18).await;
    let (user, key) = shop.odoo.administrator();
    let said = shop.run_with(&["sync"], &[("REEVE_ODOO__USER", &user), ("REEVE_ODOO__API_KEY", &key)]).error();
    assert!(said.contains("make a read-only user for Reeve") && said.contains("more models"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn for_a_trial_it_runs_and_says_so_everywhere() {
    let shop = Shop::new(Version::V18).await;
    shop.odoo.set_right("stock.move", "write", true);
    let almost = [("REEVE_ODOO__ALLOW_WRITE_CAPABLE_CREDENTIAL", "yes")];
    assert!(shop.run_with(&["sync"], &almost).error().contains("stock.move (write)"));
    let synced = shop.run_with(&["sync"], &[ALLOWED]);
    assert_eq!(synced.code, Some(0), "{synced:?}");
    assert!(synced.err.contains("can write: stock.move (write)"), "{synced:?}");
    let (serving, said) = shop.served_a_digest(&[ALLOWED]).await;
    let http = browser();
    let (base, cookie) = sign_in(&shop, &http, &said).await;
    for path in ["/", "/digests", "/health", "/audit", "/policy"] {
        let text = page(&http, &base, path, &cookie).await;
        assert!(text.contains("For trials only") && text.contains("stock.move (write)"), "{path}: {text}");
    }
    assert_eq!(serving.stopped_by("TERM"), Some(0));
    let health = shop.json(&["digest"])["health"].to_string();
    assert!(health.contains("For trials only") && health.contains("stock.move (write)"), "{health}");
    assert!(shop.odoo.writes_seen().is_empty());
    // With the right gone the warning goes, too.
    shop.odoo.set_right("stock.move", "write", false);
    shop.run(&["sync"]).fine();
    assert_eq!(shop.store().await.find_setting("source.warning").await.expect("the store answers").as_deref(), Some(""));
}
