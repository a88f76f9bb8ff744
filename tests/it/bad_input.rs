//! Bad input through the real program: exit code 1, one line that says what, where and what to do, and nothing half done.
//! What is only wrong in the shop (no cost, no list price, no supplier) is no bad input: it is what Reeve is for.
#![expect(clippy::unwrap_used, reason = "what a test stands on may fail it")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use reeve::store::Store;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::binary::{bundled_recording, in_a_shell, reeve};

/// A copy of the bundled recording that may be spoilt, and a folder for a store beside it.
struct Shop {
    home: TempDir,
}

impl Shop {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let recording = home.path().join("recording");
        fs::create_dir(&recording).unwrap();
        for entry in fs::read_dir(bundled_recording()).unwrap() {
            let from = entry.unwrap().path();
            fs::copy(&from, recording.join(from.file_name().unwrap())).unwrap();
        }
        Self { home }
    }

    fn path(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, model: &str) -> String {
        self.path(&format!("recording/{model}.json.gz"))
    }

    /// Changes a model's unpacked text.
    fn edit_text(&self, model: &str, change: impl FnOnce(&mut String)) {
        let mut text = String::new();
        GzDecoder::new(fs::File::open(self.file(model)).unwrap()).read_to_string(&mut text).unwrap();
        change(&mut text);
        let mut packed = GzEncoder::new(fs::File::create(self.file(model)).unwrap(), Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap();
    }

    /// Changes a model's rows.
    fn edit(&self, model: &str, change: impl FnOnce(&mut Vec<Value>)) {
        self.edit_text(model, |text| {
            let mut file: Value = serde_json::from_str(text).unwrap();
            change(file["rows"].as_array_mut().unwrap());
            *text = file.to_string();
        });
    }

    /// How the demo refuses this recording. No store may come of it.
    #[track_caller]
    fn refused(&self) -> String {
        let demo = ["demo", "--once", "--dir", &self.path("demo")];
        let said = reeve(&demo, &[("REEVE_SOURCE__RECORDING", &self.path("recording"))]).error();
        assert!(!Path::new(&self.path("demo/reeve.db")).exists(), "a store was made of it: {said}");
        assert!(said.contains(&self.path("recording")), "the folder is not named: {said}");
        said
    }
}

/// All of `parts` must be in `said`.
#[track_caller]
fn names(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

#[test]
fn a_recording_that_is_not_there_or_incomplete_is_refused() {
    let shop = Shop::new();
    fs::remove_file(shop.file("stock.move")).unwrap();
    names(&shop.refused(), &["stock.move.json.gz is missing", "copy the whole folder again"]);
    fs::remove_dir_all(shop.path("recording")).unwrap();
    names(&shop.refused(), &["there is no such folder", "source.recording", "REEVE_SOURCE__RECORDING"]);
}

#[test]
fn a_damaged_file_is_refused_with_the_place() {
    let shop = Shop::new();
    let whole = fs::read(shop.file("stock.move")).unwrap();
    fs::write(shop.file("stock.move"), &whole[..whole.len() / 2]).unwrap();
    names(&shop.refused(), &["stock.move.json.gz", "cut off or damaged", "copy it again"]);

    let shop = Shop::new();
    shop.edit_text("product.template", |text| *text = text.replacen("\"rows\": [{", "\"rows\": [\n{,", 1));
    names(&shop.refused(), &["product.template.json.gz, line 2, column 2", "not the JSON", "record the model again"]);

    let shop = Shop::new();
    fs::write(shop.file("uom.uom"), "not packed at all").unwrap();
    names(&shop.refused(), &["uom.uom.json.gz", "copy it again"]);
}

#[test]
fn a_row_that_can_not_be_understood_is_named_with_its_field_and_the_remedy() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change, &[&str]); 6] = [
        (
            "product.template",
            |row| row["quality"] = json!("red"),
            &["`quality`", "only fields of", "record the model again"],
        ),
        ("product.template", |row| row["list_price"] = json!("cheap"), &["`list_price`", "a number", "\"cheap\""]),
        ("product.template", |row| row["list_price"] = json!(-6.9), &["`list_price`", "zero or more", "-6.9", "in Odoo"]),
        ("product.template", |row| row["uom_id"] = json!([999, "Crate"]), &["`uom_id`", "a recorded `uom.uom`", "999"]),
        (
            "product.product",
            |row| row["create_date"] = json!("2026-07-31T02:00:04+02:00"),
            &["`create_date`", "UTC", "without an offset", "2026-07-31T02:00:04+02:00", "Odoo's API"],
        ),
        ("sale.order.line", |row| row["product_id"] = json!([4711, "Ghost"]), &["`product_id`", "product.product", "4711"]),
    ];
    for (model, change, parts) in cases {
        let shop = Shop::new();
        let mut id = Value::Null;
        shop.edit(model, |rows| {
            change(&mut rows[2]);
            id = rows[2]["id"].clone();
        });
        let said = shop.refused();
        names(&said, &[&format!("{model}.json.gz, row 3 (id {id})")]);
        names(&said, parts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_recording_leaves_no_records_in_a_store_that_was_there() {
    let shop = Shop::new();
    shop.edit("sale.order", |rows| rows[0]["date_order"] = json!("yesterday"));
    let url = format!("sqlite:{}", shop.path("kept.db"));
    Store::open_and_migrate(&url).await.unwrap().close().await;
    let recording = shop.path("recording");
    let serve = [("REEVE_SOURCE__RECORDING", recording.as_str()), ("REEVE_WEB__LISTEN", "127.0.0.1:0")];
    names(&reeve(&["--store", &url, "serve"], &serve).err, &["sale.order.json.gz, row 1", "`date_order`", "\"yesterday\""]);
    let store = Store::open(&url).await.unwrap();
    assert!(store.count_records().await.unwrap().is_empty());
}

#[test]
fn a_configuration_that_can_not_be_used_names_key_origin_and_remedy() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("reeve.toml");
    let path = file.to_str().unwrap();
    let with = |text: &str| {
        fs::write(&file, text).unwrap();
        reeve(&["--config", path, "doctor"], &[]).error()
    };
    for (text, parts) in [
        ("[ranking]\ncapactiy = 3\n", &["`ranking.capactiy`", "unknown", "`capacity`"][..]),
        ("[rankin]\ncapacity = 3\n", &["`rankin`", "unknown", "`ranking`"]),
        ("[calendar]\ntimezone = \"Mars/Olympus\"\n", &["`calendar.timezone`", "Mars/Olympus", "IANA"]),
        ("[costs]\nrecount = \"lots\"\n", &["`costs.recount`", "lots", "\"12.50\""]),
        ("[ranking]\ncapacity = \"many\"\n", &["`ranking.capacity`", "many"]),
        ("[money]\nrecapture = 1.5\n", &["`money.recapture`", "between 0 and 1"]),
        ("[money\n", &["line 1", "not valid TOML"]),
    ] {
        let said = with(text);
        names(&said, &[path]);
        names(&said, parts);
    }
    names(&reeve(&["--config", "/nowhere/reeve.toml", "doctor"], &[]).error(), &["/nowhere/reeve.toml", "--config"]);
    for (name, value, parts) in [
        ("REEVE_RANKING__CAPACTY", "7", &["REEVE_RANKING__CAPACTY", "no such key", "config/default.toml"][..]),
        ("REEVE_RANK__CAPACITY", "7", &["REEVE_RANK__CAPACITY", "no section [rank]", "config/default.toml"]),
        ("REEVE_MODEL_NAME", "x", &["REEVE_MODEL_NAME", "two underscores"]),
        ("REEVE_MODEL__TIMEOUT", "soon", &["model.timeout", "soon", "\"60s\""]),
        ("REEVE_WORKER__PERIOD", "0s", &["worker.period"]),
        ("REEVE_MODEL__API_KEY_FILE", "/nowhere/key", &["model.api_key_file", "/nowhere/key"]),
        ("REEVE_MODEL__BASE_URL", "localhost:8080", &["model.name"]),
        ("REEVE_WEB__LISTEN", "here", &["web.listen", "here"]),
    ] {
        names(&reeve(&["serve"], &[(name, value)]).error(), parts);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_can_not_be_used_says_why() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("text"), "This is no database, only a text that is long enough to be looked at. ".repeat(20)).unwrap();
    let newer = format!("sqlite:{}", path("newer.db"));
    Store::open_and_migrate(&newer).await.unwrap().close().await;
    sqlx::any::install_default_drivers();
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect(&newer).await.unwrap();
    sqlx::raw_sql("update _sqlx_migrations set version = 9999 where version = 1").execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    for (url, parts) in [
        (format!("sqlite:{}", home.path().display()), &["can not be opened", "check that the path is a file"][..]),
        (format!("sqlite:{}", path("text")), &["is no SQLite database", "check the path"]),
        (format!("sqlite:{}", path("text/reeve.db")), &["there is no store", "nothing was ever kept there"]),
        (newer, &["schema 9999", "run the newer version of Reeve"]),
        (format!("postgres://ada:s3cret@{nobody}/reeve"), &["can not be reached", "host and port"]),
        ("mysql://ada:s3cret@db/reeve".to_owned(), &["is no store", "sqlite:PATH or postgres://"]),
    ] {
        let said = reeve(&["--store", &url, "digest"], &[]).error();
        names(&said, parts);
        assert!(!said.contains("s3cret"), "the password is in: {said}");
    }
    // The demo makes its own store, in a folder.
    let said = reeve(&["demo", "--once", "--dir", &path("text")], &[]).error();
    names(&said, &[&path("text"), "--dir"]);
    let said = reeve(&["demo", "--once", "--store", &format!("sqlite:{}", path("other.db"))], &[]).error();
    names(&said, &["--store", "--dir"]);
    assert!(!Path::new(&path("other.db")).exists());
}

#[test]
fn the_doctor_finds_what_is_wrong_and_nothing_where_all_is_well() {
    let home = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", home.path().join("reeve.db").display());
    let page = ("REEVE_WEB__LISTEN", "127.0.0.1:0");
    let none = reeve(&["--store", &store, "doctor"], &[page]);
    assert_eq!(none.code, Some(2), "{none:?}");
    let faults: Vec<&str> = none.out.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert_eq!(faults.len(), 1, "what hangs on the store is not told again: {}", none.out);
    names(faults[0], &["FAULT store", "there is no store at", "reeve migrate"]);
    names(&reeve(&["--store", &store, "migrate"], &[]).fine(), &["is now at schema"]);
    let well = reeve(&["--store", &store, "doctor"], &[page]).fine();
    assert!(well.lines().all(|line| line.starts_with("ok ")), "{well}");
    names(&well, &["store", "writable", "unbroken", "read only", "the playbook drafts", "wait in the outbox", "is free"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let key = ("REEVE_MODEL__API_KEY", "sk-s3cret");
    let model = [page, key, ("REEVE_MODEL__BASE_URL", &dead), ("REEVE_MODEL__NAME", "tiny")];
    let ill = reeve(&["--store", &store, "doctor"], &model);
    assert_eq!((ill.code, ill.err.as_str()), (Some(2), ""), "a finding is no failure of the doctor");
    let faults: Vec<&str> = ill.out.lines().filter(|line| !line.starts_with("ok ")).collect();
    assert_eq!(faults.len(), 1, "{}", ill.out);
    names(faults[0], &["FAULT model", "can not be reached", "model.base_url", "the playbook drafts"]);
    assert!(!ill.out.contains("s3cret"));
}

#[test]
fn a_mistyped_store_is_an_error_and_makes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("reeev/reeve.db");
    let store = format!("sqlite:{}", path.display());
    let card = ["r-1", "--as", "ari", "--content", "0123456789ab"];
    for args in [
        &["digest"][..],
        &["queue", "list"],
        &["queue", "show", "case-1"],
        &[&["queue", "approve"], &card[..]].concat(),
        &[&["queue", "undo"], &card[..]].concat(),
        &["queue", "batch", "r-1:0123456789ab", "--as", "ari"],
        &["mute", "list"],
        &["mute", "noise"],
        &["mute", "end", "m-1", "--as", "ari"],
        &["audit", "verify"],
        &["audit", "verify", "r-1"],
        &["audit", "list"],
        &["audit", "show", "case-1"],
        &["audit", "export"],
        &["kpi"],
        &["outbox", "list"],
        &["outbox", "dead"],
        &["outbox", "status"],
        &["outbox", "replay", "m-1", "--as", "ari"],
        &["outbox", "discard", "m-1", "--as", "ari", "--reason", "x"],
        &["outbox", "enable", "webhook", "--as", "ari"],
        &["events", "list"],
        &["events", "show", "acme/1"],
        &["events", "replay", "--all-quarantined"],
        &["events", "sources"],
        &["policy", "lint"],
        &["delegate", "list"],
        &["delegate", "end", "d-1", "--as", "ari"],
        &["identity", "list"],
        &["identity", "revoke", "l-1"],
        &["token", "list"],
        &["token", "revoke", "t-1"],
        &["token", "new", "--service", "n8n", "--name", "x", "--scope", "read:cases"],
        &["sign-in", "ari"],
        &["models", "score", "--out", "/dev/null"],
    ] {
        let said = reeve(&[&["--store", &store], args].concat(), &[]).error();
        names(&said, &[&store, "there is no store", "nothing was ever kept there", "reeve migrate"]);
        assert!(!path.exists() && !path.parent().unwrap().exists(), "{args:?}");
    }
    names(&reeve(&["--store", &store, "migrate"], &[]).fine(), &["is now at schema"]);
    names(&reeve(&["--store", &store, "queue", "list"], &[]).fine(), &["0 cases"]);
}

#[test]
fn every_command_explains_itself_and_shells_get_completions() {
    let all = reeve(&["--help"], &[]).fine();
    for command in ["demo", "serve", "doctor", "migrate", "digest", "queue", "audit", "outbox", "sign-in", "eval"] {
        let line = all.lines().find(|line| line.trim_start().starts_with(command)).expect(command);
        assert!(line.split_whitespace().count() > 3, "{line}");
        names(&reeve(&[command, "--help"], &[]).fine(), &["Usage: reeve", "--config"]);
    }
    for shell in ["bash", "zsh", "fish"] {
        names(&reeve(&["completions", shell], &[]).fine(), &["reeve", "sign-in"]);
    }
    assert_eq!(reeve::<&str>(&[], &[]).code, Some(2), "without a command it says how it is used");
}

#[test]
fn a_port_in_use_is_named_before_anything_is_done() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let home = tempfile::tempdir().unwrap();
    let demo = home.path().join("demo");
    let said = reeve(&["demo", "--dir", demo.to_str().unwrap(), "--listen", &address], &[]).error();
    names(&said, &[&address, "another program", "REEVE_WEB__LISTEN"]);
    assert!(!demo.join("reeve.db").exists());
}

#[test]
fn a_store_without_room_says_what_to_do_and_goes_on_from_there() {
    let home = tempfile::tempdir().unwrap();
    let demo = home.path().join("demo").to_str().unwrap().to_owned();
    // A limit on the size of files stands for a full disk, which takes more rights to arrange. 512-byte blocks: two MiB,
    // which the empty store fits into and a shop does not.
    let script = "trap '' XFSZ; ulimit -f 4096; exec \"$REEVE\" demo --once --dir \"$DEMO\"";
    let said = in_a_shell(script, &[("DEMO", &demo)]).error();
    names(&said, &[&demo, "goes on from there", "can not be read or written", "room"]);
    // What was stored before is whole: the same command ends well with room again.
    names(&reeve(&["demo", "--once", "--dir", &demo], &[]).fine(), &["worth deciding"]);
    names(&reeve(&["--store", &format!("sqlite:{demo}/reeve.db"), "audit", "verify"], &[]).fine(), &["unbroken"]);
}

#[test]
fn whoever_stops_reading_hears_no_complaint_and_a_full_device_is_named() {
    let script = "\"$REEVE\" completions bash | head -n 1";
    names(&in_a_shell(script, &[]).fine(), &["_reeve"]);
    let store = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", store.path().join("reeve.db").display());
    let said = in_a_shell("exec \"$REEVE\" --store \"$URL\" migrate > /dev/full", &[("URL", &url)]).error();
    names(&said, &["can not print", "check where the output goes"]);
}

#[test]
fn missing_master_data_is_an_exception_and_no_error() {
    let shop = Shop::new();
    let templates = [59, 60, 61];
    let id_of = |link: &Value| link[0].as_i64().unwrap();
    // 59 has no cost and never had one, 60 no list price, 61 no supplier.
    shop.edit("product.product", |rows| {
        for row in rows.iter_mut().filter(|row| id_of(&row["product_tmpl_id"]) == templates[0]) {
            row["standard_price"] = json!(0.0);
        }
    });
    shop.edit("stock.valuation.layer", |rows| {
        for row in rows.iter_mut().filter(|row| row["product_id"][1].as_str().unwrap().contains("AC-001")) {
            row["value"] = json!(0.0);
        }
    });
    shop.edit("product.template", |rows| {
        rows.iter_mut().find(|row| row["id"] == templates[1]).unwrap()["list_price"] = json!(0.0);
    });
    shop.edit("product.supplierinfo", |rows| rows.retain(|row| id_of(&row["product_tmpl_id"]) != templates[2]));
    let demo = ["demo", "--once", "--dir", &shop.path("demo")];
    names(&reeve(&demo, &[("REEVE_SOURCE__RECORDING", &shop.path("recording"))]).fine(), &["worth deciding"]);
    let store = format!("sqlite:{}", shop.path("demo/reeve.db"));
    let list = reeve(&["--store", &store, "--json", "queue", "list"], &[]).fine();
    let cases: Vec<Value> = serde_json::from_str(&list).unwrap();
    let found: Vec<String> = cases
        .iter()
        .filter(|case| case["codes"].as_array().unwrap().iter().any(|code| code == "M-MASTER"))
        .map(|case| case["headline"].to_string())
        .collect();
    for (sku, what) in [("AC-001", "unit cost"), ("AC-002", "list price"), ("AC-003", "valid supplier price")] {
        assert!(found.iter().any(|h| h.contains(sku) && h.contains(what)), "{sku} lacks its {what}: {found:#?}");
    }
}
