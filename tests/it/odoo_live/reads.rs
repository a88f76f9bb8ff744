//! Whatever command is run, a server gets reads and nothing else.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Shop;
use reeve_testing::odoo::Version;

/// Approves the first recommendation of an action; what it is.
fn approve(shop: &Shop, code: &str) {
    for case in shop.json(&["queue", "list"]).as_array().expect("cases") {
        let case = case["id"].as_str().expect("an id");
        let shown = shop.json(&["queue", "show", case]);
        let all = shown["recommendations"].as_array().expect("recommendations");
        let Some(found) = all.iter().find(|r| r["candidate"]["action"]["code"] == code) else { continue };
        let id = found["id"].as_str().expect("an id");
        let text = shop.run(&["queue", "show", case]).fine();
        let line = text.lines().find(|line| line.ends_with(id)).expect("it is shown with its content");
        let content = line.split_whitespace().nth(1).expect("`--content HASH  ID`");
        shop.run(&["queue", "approve", id, "--as", "ari", "--content", content]).fine();
        let shown = shop.json(&["queue", "show", case]);
        let state = |r: &Value| (r["id"] == id).then(|| r["state"]["state"].clone());
        assert_eq!(shown["recommendations"].as_array().expect("some").iter().find_map(state), Some("approved".into()));
        return;
    }
    panic!("nobody proposes {code}");
}

#[tokio::test]
async fn no_command_sends_anything_but_reads() {
    for (version, expected) in [
        (
            Version::V18,
            &[
                " ",
                "common authenticate",
                "common version",
                "object fields_get",
                "object has_access",
                "object read_group",
                "object search",
                "object search_count",
                "object search_read",
            ][..],
        ),
        (
            Version::V19,
            &[
                " ",
                "json/2 context_get",
                "json/2 fields_get",
                "json/2 formatted_read_group",
                "json/2 has_access",
                "json/2 search",
                "json/2 search_count",
                "json/2 search_read",
            ][..],
        ),
    ] {
        let shop = Shop::new(version).await;
        shop.run(&["sync"]).fine();
        assert!(shop.run(&["doctor"]).out.contains("its user can only read"));
        let (serving, _) = shop.served_a_digest(&[]).await;
        assert_eq!(serving.stopped_by("TERM"), Some(0));
        // An unchanged server is read again by a second run, too.
        shop.run(&["sync"]).fine();
        let asked = shop.odoo.faults().requests();
        for quiet in [&["digest"][..], &["queue", "list"], &["events", "list"], &["outbox", "list"], &["audit", "verify"]] {
            shop.run(quiet).fine();
        }
        approve(&shop, "BLOCK-BILL");
        assert!(shop.odoo.writes_seen().is_empty(), "{:?}", shop.odoo.writes_seen());
        let traffic = shop.odoo.traffic();
        let seen: BTreeSet<String> = traffic.iter().map(|call| format!("{} {}", call.service, call.method)).collect();
        assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), expected);
        let plain: BTreeSet<&str> =
            traffic.iter().filter(|call| call.method.is_empty()).map(|call| call.path.as_str()).collect();
        assert_eq!(plain, BTreeSet::from(["/web/version"]));
        // What only looks at the store asks the server nothing but who may sign in and what that user may do.
        let after = &traffic[usize::try_from(asked).expect("few")..];
        assert!(after.iter().all(|call| !call.method.contains("search") && !call.method.contains("group")), "{after:?}");
    }
}
