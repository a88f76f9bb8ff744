//! The program itself, killed without warning and started again: nothing is lost, nothing is done twice, and the log says so.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::path::Path;
use std::process::{Command, Output, Stdio};

use reeve::store::{Store, View};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};

/// Sizes of the store at which the program is killed: from its first page to when most is written.
const KILLED_AT: [u64; 4] = [1, 250_000, 5_500_000, 8_500_000];

#[expect(clippy::disallowed_methods, reason = "the program is started as its users start it")]
fn reeve(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reeve"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    reeve(arguments).output().expect("the program can be started")
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The digest that a whole run prints, without the line that names the folder.
fn demo(folder: &Path) -> String {
    let printed = text(&run(&["demo", "--once", "--dir", folder.to_str().unwrap()]));
    printed.lines().filter(|line| !line.starts_with("The store is")).collect::<Vec<_>>().join("\n")
}

fn store_in(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("reeve.db").display())
}

fn on(store: &str, arguments: &[&str]) -> Output {
    run(&[&["--store", store], arguments].concat())
}

fn json(store: &str, arguments: &[&str]) -> Value {
    serde_json::from_str(&text(&on(store, &[&["--json"], arguments].concat()))).unwrap()
}

fn written(folder: &Path) -> u64 {
    let size = |name: &str| folder.join(name).metadata().map_or(0, |m| m.len());
    size("reeve.db") + size("reeve.db-wal")
}

#[test]
fn a_run_that_was_killed_anywhere_ends_like_one_that_was_not() {
    let home = tempfile::tempdir().unwrap();
    let whole = home.path().join("whole");
    let digest = demo(&whole);
    let log = json(&store_in(&whole), &["audit", "list", "--limit", "10000"]);
    let mut killed = 0;
    for at in KILLED_AT {
        let folder = home.path().join(at.to_string());
        let mut child = reeve(&["demo", "--once", "--dir", folder.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program can be started");
        while written(&folder) < at && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
        assert_eq!(demo(&folder), digest, "killed at {at} bytes");
        let store = store_in(&folder);
        // The log names every step: the same entries with the same hashes means that each was taken, and taken once.
        assert_eq!(json(&store, &["audit", "list", "--limit", "10000"]), log, "killed at {at} bytes");
        assert_eq!(json(&store, &["audit", "verify"])["ok"], true);
    }
    // Where a machine writes in other portions the last sizes may never be reached.
    assert!(killed >= 2, "the program was killed {killed} times only");
}

/// The first recommendation of an action, by its code, that is not of the case `not_of`.
fn proposed(store: &str, code: &str, not_of: &Value) -> Value {
    let cases = json(store, &["queue", "list"]);
    let all = cases.as_array().unwrap().iter().flat_map(|case| {
        let shown = json(store, &["queue", "show", case["id"].as_str().unwrap()]);
        shown["recommendations"].as_array().unwrap().clone()
    });
    let mut found = all.filter(|r| r["candidate"]["action"]["code"] == code && r["case_id"] != *not_of);
    found.next().unwrap_or_else(|| panic!("nobody proposes {code}"))
}

/// Decides on what was shown.
fn decide(store: &str, verb: &str, person: &str, on_what: &Value, content: &str, more: &[&str]) -> Output {
    let id = on_what["id"].as_str().unwrap();
    on(store, &[&["queue", verb, id, "--as", person, "--content", content], more].concat())
}

/// The content hash of a recommendation, as `queue show` prints it.
fn content(store: &str, what: &Value) -> String {
    let shown = text(&on(store, &["queue", "show", what["case_id"].as_str().unwrap()]));
    let id = what["id"].as_str().unwrap();
    let line = shown.lines().find(|line| line.ends_with(id)).expect("the recommendation is shown with its content");
    line.split_whitespace().nth(1).expect("`--content HASH  ID`").to_owned()
}

#[tokio::test]
async fn decisions_survive_another_demo_and_a_changed_log_is_found_out() {
    let home = tempfile::tempdir().unwrap();
    let digest = demo(home.path());
    let store = store_in(home.path());
    let bill = proposed(&store, "BLOCK-BILL", &Value::Null);
    let case = bill["case_id"].as_str().unwrap();
    assert!(!on(&store, &["queue", "show", case, "--as", "nobody"]).status.success());
    text(&on(&store, &["queue", "show", case, "--as", "ari"]));
    let contact = proposed(&store, "CONTACT", &bill["case_id"]);
    let (seen, of_contact) = (content(&store, &bill), content(&store, &contact));
    assert!(!decide(&store, "approve", "pia", &bill, &seen, &[]).status.success(), "a planner does not approve");
    assert!(!decide(&store, "approve", "ari", &bill, &of_contact, &[]).status.success(), "that was not on the screen");
    text(&decide(&store, "approve", "ari", &bill, &seen, &[]));
    let kept = Store::open(&store).await.unwrap();
    let views = kept.list_views_of_decided(jiff::Timestamp::MIN).await.unwrap();
    kept.close().await;
    let opened = |v: &View| v.person.as_str() == "ari" && v.channel == "cli" && v.recommendation_id.as_str() == bill["id"];
    assert!(views.iter().any(opened), "{views:?}");
    text(&decide(&store, "reject", "pia", &contact, &of_contact, &["--reason", "real-but-wrong-action"]));
    assert!(!decide(&store, "reject", "pia", &bill, &seen, &["--reason", "not-real"]).status.success());

    let before = json(&store, &["audit", "list", "--limit", "10000"]);
    assert_eq!(demo(home.path()), digest, "the digest is kept as it was sent");
    let shown = json(&store, &["queue", "show", bill["case_id"].as_str().unwrap()]);
    let state = |what: &Value, shown: &Value| {
        let all = shown["recommendations"].as_array().unwrap();
        all.iter().find(|r| r["id"] == what["id"]).map(|r| r["state"]["state"].as_str().unwrap().to_owned())
    };
    assert_eq!(state(&bill, &shown).as_deref(), Some("approved"));
    let shown = json(&store, &["queue", "show", contact["case_id"].as_str().unwrap()]);
    assert_eq!(state(&contact, &shown).as_deref(), Some("rejected"));
    let after = json(&store, &["audit", "list", "--limit", "10000"]);
    let decided = |log: &Value| {
        let all = log.as_array().unwrap().iter().map(|e| e["entry"]["action"].as_str().unwrap());
        all.filter(|a| matches!(*a, "recommendation.approved" | "recommendation.rejected")).count()
    };
    assert_eq!((decided(&before), decided(&after)), (2, 2));
    assert_eq!(after.as_array().unwrap()[..before.as_array().unwrap().len()], before.as_array().unwrap()[..]);

    // Whoever has the file can change it; but not without being found out.
    let verify = || on(&store, &["--json", "audit", "verify"]);
    assert_eq!(verify().status.code(), Some(0));
    for change in [
        "update audit_log set actor = 'dan' where action = 'recommendation.approved'",
        "delete from audit_log where action = 'recommendation.rejected'",
        "delete from audit_log where seq = (select max(seq) from audit_log)",
    ] {
        let copy = home.path().join("copy.db");
        std::fs::copy(home.path().join("reeve.db"), &copy).unwrap();
        let url = format!("sqlite:{}", copy.display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let done = sqlx::raw_sql(change).execute(&mut connection).await;
        connection.close().await.unwrap();
        // The store may refuse it outright; what it lets through must be found.
        if done.is_ok() {
            let found = on(&url, &["--json", "audit", "verify"]);
            assert_eq!(found.status.code(), Some(2), "{change}: {}", String::from_utf8_lossy(&found.stdout));
        }
    }
}
