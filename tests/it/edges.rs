//! Where a started Reeve meets the rest of its machine: the folder it is started in, another Reeve, a store of somebody else,
//! and a crowd of connections that ask nothing.

use std::net::TcpStream;
use std::time::Duration;

use reqwest::StatusCode;

use super::support::binary::{Running, in_a_shell, reeve};

/// What the demo printed, without where its store is.
fn without_its_folder(said: &str) -> String {
    said.lines().filter(|line| !line.starts_with("The store is ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_demo_works_from_any_folder() {
    let (here, away) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at_home = reeve(&["demo", "--once", "--dir", here.path().to_str().unwrap()], &[]).fine();
    let away = away.path().to_str().unwrap();
    let elsewhere = in_a_shell("cd \"$AWAY\" && exec \"$REEVE\" demo --once", &[("AWAY", away)]).fine();
    assert_eq!(without_its_folder(&elsewhere), without_its_folder(&at_home));
    // A recording that somebody named is never replaced by another one.
    let own = in_a_shell(
        "cd \"$AWAY\" && exec \"$REEVE\" demo --once --dir other",
        &[("AWAY", away), ("REEVE_SOURCE__RECORDING", "recordings/mine")],
    );
    let said = own.error();
    assert!(said.contains("recordings/mine") && said.contains("can not be used"), "{said}");
}

#[test]
fn a_demo_takes_no_store_that_people_work_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let store = format!("sqlite:{path}/reeve.db");
    reeve(&["--store", &store, "migrate"], &[]).fine();
    reeve(&["--store", &store, "sign-in", "pia"], &[]).fine();
    let there = || {
        let names = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        // SQLite keeps its log beside the store while a process has it open, and a while longer.
        let mut all: Vec<String> = names.filter(|name| !name.starts_with("reeve.db-")).collect();
        all.sort();
        all
    };
    let before = there();
    let away = in_a_shell("cd / && exec \"$REEVE\" demo --once --dir \"$DIR\"", &[("DIR", path)]);
    for said in [reeve(&["demo", "--once", "--dir", path], &[]).error(), away.error()] {
        assert!(said.contains(path) && said.contains("is not a demo's") && said.contains("--dir"), "{said}");
    }
    assert_eq!(there(), before, "nothing is put beside it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_idle_connections_keeps_nobody_out_and_the_doctor_knows_a_running_reeve() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["demo", "--dir", folder.path().to_str().unwrap(), "--listen", "127.0.0.1:0"].map(ToOwned::to_owned);
    let start = move || {
        let mut demo = Running::start(&args, &[("REEVE_WEB__CONNECTIONS_MAX", "64")]);
        let said = demo.said_until("Stop with Ctrl-C.");
        (demo, said)
    };
    let (demo, said) = tokio::task::spawn_blocking(start).await.unwrap();
    let base = said.split_once("The queue is at ").unwrap().1.split(". ").next().unwrap().to_owned();
    let address = base.strip_prefix("http://").unwrap().to_owned();
    let idle: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(&address).unwrap()).collect();
    let http = reeve::http::client(Duration::from_secs(30)).unwrap();
    for path in ["/healthz", "/sign-in"] {
        let answer = http.get(format!("{base}{path}")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    drop(idle);
    let store = format!("sqlite:{}", folder.path().join("reeve.db").display());
    let doctor = move || reeve(&["--store", &store, "doctor"], &[("REEVE_WEB__LISTEN", &address)]).fine();
    let doctor = tokio::task::spawn_blocking(doctor).await.unwrap();
    assert!(doctor.contains(&format!("Reeve {} serves 127.0.0.1:", env!("CARGO_PKG_VERSION"))), "{doctor}");
    assert_eq!(tokio::task::spawn_blocking(move || demo.stopped_by("TERM")).await.unwrap(), Some(0));
}
