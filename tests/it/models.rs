//! Detectors from the command line: what is written, that it is the same every time, and how what is wrong is said.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::binary::{Ended, bundled_recording, reeve};

/// A small trial, made of nobody's data.
fn trial(name: &str) -> String {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "crates/lab/tests/trial", name].iter().collect();
    folder.display().to_string()
}

fn run(args: &[&str]) -> Ended {
    reeve(args, &[])
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("the file was written")
}

/// What `reeve models …` writes to its `--out`.
fn written(folder: &Path, args: &[&str]) -> String {
    let out = folder.join("out");
    let out_name = out.to_str().expect("a path in UTF-8");
    run(&[args, &["--out", out_name]].concat()).fine();
    read(&out)
}

#[test]
fn a_folder_of_demand_is_scored_from_its_first_day_on_and_the_same_every_time() {
    let home = tempfile::tempdir().unwrap();
    let folder = trial("demand");
    let args = ["models", "score", "--demand", &folder, "--detector", "unsupervised"];
    let scores = written(home.path(), &args);
    let lines: Vec<&str> = scores.lines().collect();
    assert_eq!(lines[0], "date,sku,location,score");
    assert!(lines[1].starts_with("2026-02-16,SKU-"), "{}", lines[1]);
    // 24 series on 21 days, less where a location was shut.
    assert!((450..=505).contains(&lines.len()), "{}", lines.len());
    assert_eq!(written(home.path(), &args), scores);
}

#[test]
fn alarms_keep_the_promise_and_say_what_how_sure_and_why() {
    let home = tempfile::tempdir().unwrap();
    let (folder, alarms) = (trial("demand"), home.path().join("alarms.csv"));
    let alarms_name = alarms.to_str().expect("a path in UTF-8");
    let alarms_of = |promise: &str| {
        let args =
            ["models", "score", "--demand", &folder, "--detector", "shipped", "--alarms", alarms_name, "--promise", promise];
        written(home.path(), &args);
        read(&alarms)
    };
    let (strict, loose) = (alarms_of("0.05"), alarms_of("0.6"));
    assert!(strict.starts_with("date,sku,location,score,probability,p,kind,drivers\n"), "{strict}");
    assert!(loose.starts_with(strict.trim_end()) && loose.lines().count() > strict.lines().count(), "{strict}{loose}");
    let line = loose.lines().nth(1).expect("an alarm");
    assert!(["D-", "I-PHANTOM"].iter().any(|code| line.contains(code)), "{line}");
}

#[test]
fn alarms_of_what_was_not_trained_keep_the_promise_by_p_values_and_json_has_count_and_drift() {
    let home = tempfile::tempdir().unwrap();
    let (folder, alarms, out) = (trial("demand"), home.path().join("alarms.csv"), home.path().join("scores.csv"));
    let (alarms_name, out_name) = (alarms.to_str().expect("UTF-8"), out.to_str().expect("UTF-8"));
    for detector in ["unsupervised", "shipped"] {
        let args = ["models", "score", "--demand", &folder, "--detector", detector, "--alarms", alarms_name, "--json"];
        let said = run(&[&args[..], &["--out", out_name]].concat()).fine();
        let said: Value = serde_json::from_str(&said).expect("JSON");
        let written = read(&alarms).lines().count() - 1;
        assert_eq!(said["alarms"]["count"], written, "{detector}: {said}");
        let drift: Vec<&str> =
            said["alarms"]["drift"].as_array().unwrap().iter().map(|d| d["drift"].as_str().unwrap()).collect();
        assert_eq!(drift.len(), 4, "{said}");
        assert!(drift.iter().all(|word| ["stable", "moved", "changed"].contains(word)), "{said}");
    }
}

#[test]
fn a_detector_from_a_file_scores_as_it_was_written() {
    let home = tempfile::tempdir().unwrap();
    let (folder, model) = (trial("demand"), home.path().join("model.json"));
    let model = model.to_str().expect("UTF-8");
    run(&["models", "train", "--demand", &folder, "--out", model]).fine();
    // Learning hangs on the seed; what scores as it is does not.
    let scored =
        |seed: &str| written(home.path(), &["models", "score", "--demand", &folder, "--model", model, "--seed", seed]);
    assert_eq!(scored("1"), scored("2"));
}

#[test]
fn a_folder_of_orders_is_scored_line_by_line() {
    let home = tempfile::tempdir().unwrap();
    for detector in ["unsupervised", "trained"] {
        let scores = written(home.path(), &["models", "score", "--receiving", &trial("receiving"), "--detector", detector]);
        let lines: Vec<Vec<&str>> = scores.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(lines[0], ["line", "score", "probability", "kind", "drivers"]);
        assert_eq!(lines.len(), 261, "a score for each line");
        let sure = lines[1..].iter().filter(|line| line[2].parse::<f64>().unwrap() > 0.9);
        assert!(sure.clone().count() > 0, "{scores}");
        for line in sure {
            assert!(line[4].contains('=') && !line[3].is_empty(), "what is likely says what it is and why: {line:?}");
        }
    }
}

#[test]
fn a_table_is_scored_by_the_forest_without_its_label() {
    let home = tempfile::tempdir().unwrap();
    let table = home.path().join("table.csv");
    let row = |at: u32| if at == 40 { "9,9,1\n".to_owned() } else { format!("{},{},0\n", at % 7, at % 5) };
    std::fs::write(&table, format!("a,b,label\n{}", (0..80).map(row).collect::<String>())).unwrap();
    let (table, out) = (table.display().to_string(), home.path().join("scores.csv"));
    let args = ["models", "score", "--table", &table, "--seed", "3", "--out", out.to_str().unwrap()];
    let said = run(&args).fine();
    assert!(said.contains("The column label is left out"), "{said}");
    let scores = read(&out);
    assert_eq!(scores.lines().next(), Some("row,score"));
    let of = |line: &str| line.split_once(',').map(|(row, score)| (row.to_owned(), score.parse::<f64>().unwrap())).unwrap();
    let odd = scores.lines().skip(1).map(of).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert_eq!((odd.0.as_str(), scores.lines().count()), ("40", 81));
    run(&args).fine();
    assert_eq!(read(&out), scores, "the same seed gives the same scores");
}

#[test]
fn what_was_trained_on_a_trial_scores_it() {
    let home = tempfile::tempdir().unwrap();
    let model = home.path().join("model.json");
    for what in ["demand", "receiving"] {
        let (option, folder) = (format!("--{what}"), trial(what));
        let args = ["models", "train", &option, &folder, "--out", model.to_str().unwrap()];
        let said = run(&args).fine();
        assert!(said.contains("Trained on 1 trials"), "{said}");
        let first = read(&model);
        run(&args).fine();
        assert_eq!(read(&model), first, "the same trial gives the same detector");
        let scores = written(home.path(), &["models", "score", &option, &folder, "--model", model.to_str().unwrap()]);
        assert!(scores.lines().count() > 200, "{}", scores.lines().count());
    }
}

#[test]
fn a_recording_is_scored_by_the_ids_of_the_erp() {
    let home = tempfile::tempdir().unwrap();
    let recording = bundled_recording().display().to_string();
    let scores =
        written(home.path(), &["models", "score", "--recording", &recording, "--detector", "unsupervised", "--days", "7"]);
    let days: std::collections::BTreeSet<&str> = scores.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!((scores.lines().next(), days.len()), (Some("date,sku,location,score"), 7));
}

#[test]
fn an_evaluation_prints_its_tables_and_writes_them_as_json() {
    let home = tempfile::tempdir().unwrap();
    let row = |at: u32| format!("{},{},{}\n", at % 13, (at * at) % 11, u32::from(at.is_multiple_of(17)));
    std::fs::write(home.path().join("made.csv"), format!("a,b,label\n{}", (0..200).map(row).collect::<String>())).unwrap();
    let (tables, out) = (home.path().display().to_string(), home.path().join("report.json"));
    let args =
        ["eval", "detectors", "--tables", &tables, "--receiving", &trial("receiving"), "--out", out.to_str().unwrap()];
    let said = run(&args).fine();
    assert!(said.contains("made") && said.contains("unsupervised") && said.contains("trained"), "{said}");
    let report: Value = serde_json::from_str(&read(&out)).unwrap();
    assert_eq!(report["tables"][0]["anomalies"], 12);
    assert_eq!(report["receiving"][1]["measures"][0]["exceptions"], 26);
}

/// A store with a made-up retailer in it, and commands on it.
struct Kept {
    home: tempfile::TempDir,
    policy: String,
}

impl Kept {
    fn with_a_retailer() -> Self {
        let home = tempfile::tempdir().unwrap();
        // One signature, so that a command can go all the way: two take the page.
        let policy = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config/policy.toml")).unwrap();
        let (before, after) = policy.split_once("[detectors]").expect("the policy says who promotes");
        let one = format!("{before}[detectors]{}", after.replacen("signatures = 2", "signatures = 1", 1));
        let file = home.path().join("policy.toml");
        std::fs::write(&file, one).unwrap();
        let kept = Self { policy: file.display().to_string(), home };
        let size = ["--items", "24", "--locations", "3", "--days", "120", "--seed", "77"];
        kept.run(&[&["lab", "retailer"][..], &size].concat()).fine();
        kept
    }

    fn run(&self, args: &[&str]) -> Ended {
        let store = format!("sqlite:{}", self.home.path().join("reeve.db").display());
        reeve(&[&["--store", store.as_str()], args].concat(), &[("REEVE_APPROVAL__POLICY_FILE", &self.policy)])
    }

    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[&["--json"], args].concat()).fine()).expect("JSON")
    }

    /// What runs of a detector.
    fn runs(&self, detector: &str) -> String {
        let all = self.json(&["models", "list"]);
        let runs = |v: &&Value| v["state"] == "runs" && v["name"].as_str().unwrap().starts_with(detector);
        let found: Vec<&Value> = all["versions"].as_array().unwrap().iter().filter(runs).collect();
        assert_eq!(found.len(), 1, "{all}");
        found[0]["name"].as_str().unwrap().to_owned()
    }
}

#[test]
fn a_version_is_trained_held_to_the_test_promoted_and_taken_back_and_the_log_agrees() {
    let shop = Kept::with_a_retailer();
    shop.run(&["run"]).fine();
    let first = shop.runs("demand/");
    let said = shop.json(&["models", "train"]);
    let name = said["name"].as_str().expect("it has a name").to_owned();
    assert!(name.starts_with("demand/trained-") && name != first && said["out"].is_null(), "{said}");
    assert_eq!(shop.json(&["models", "train"])["name"], name.as_str(), "the same history gives the same version");
    let refused = shop.run(&["models", "promote", &name, "--as", "ari", "--reason", "new"]).error();
    assert!(refused.contains(&format!("run `reeve models validate {name}` first")), "{refused}");

    let judged = shop.run(&["--json", "models", "validate", &name, "--seeds", "9000001"]);
    let validation: Value = serde_json::from_str(&judged.out).expect("JSON");
    assert!(validation["measures"]["average precision"][0].as_f64().unwrap() > 0.0, "{validation}");
    assert_eq!(validation["beside"], first.as_str());
    let passed = validation["failed"].as_array().unwrap().is_empty();
    assert_eq!(judged.code, Some(if passed { 0 } else { 2 }));
    let promoted = shop.run(&["models", "promote", &name, "--as", "ari", "--reason", "better on our own days"]);
    if passed {
        assert!(promoted.fine().contains("runs from the next look on"));
        assert_eq!(shop.runs("demand/"), name);
        shop.run(&["run"]).fine();
        shop.run(&["models", "rollback", "demand", "--as", "ari", "--reason", "to see"]).fine();
    } else {
        assert!(promoted.error().contains("did not pass its newest validation"));
    }
    assert_eq!(shop.runs("demand/"), first);
    let card = shop.run(&["models", "card", &name]).fine();
    assert!(card.contains("exceptions put into them") && card.contains("average precision"), "{card}");
    let differ = shop.run(&["models", "diff", &name, &first]).fine();
    assert!(differ.contains("parameters") && differ.contains("Judged side by side"), "{differ}");
    let verified = shop.run(&["audit", "verify"]).fine();
    assert!(verified.contains("say what the log says"), "{verified}");

    // As a folder it goes into another store, and back out to the byte.
    let out = shop.home.path().join("versions");
    shop.run(&["models", "export", &name, "--out", out.to_str().unwrap()]).fine();
    let folder = out.join(&name);
    let other = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", other.path().join("other.db").display());
    run(&["--store", &store, "migrate"]).fine();
    run(&["--store", &store, "models", "add", folder.to_str().unwrap()]).fine();
    let again = other.path().join("again");
    run(&["--store", &store, "models", "export", &name, "--out", again.to_str().unwrap()]).fine();
    for file in ["parameters.json", "card.md", "recipe.json", "calibration.json"] {
        assert_eq!(read(&folder.join(file)), read(&again.join(&name).join(file)), "{file}");
    }
    let parameters = folder.join("parameters.json");
    std::fs::write(&parameters, read(&parameters).replacen('1', "2", 1)).unwrap();
    let refused = run(&["--store", &store, "models", "add", folder.to_str().unwrap()]).error();
    assert!(refused.contains("parameters.json does not match its checksum"), "{refused}");
}

#[test]
fn what_is_wrong_is_said_with_file_and_line() {
    let home = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let out = home.path().join("none.csv").display().to_string();
    let table = file("bad.csv", "a,b\n1,2\n3,x\n");
    let error = run(&["models", "score", "--table", &table, "--out", &out]).error();
    assert_eq!(error, format!("{table}, line 3: b is \"x\", but must be a number, or empty where there is none"));
    file("demand.csv", "date,sku,location,units,price,promo,holiday,stockout_hours,open\n2026-01-01,A,B,-2,1,0,0,0,1\n");
    let folder = home.path().display().to_string();
    let error = run(&["models", "score", "--demand", &folder, "--out", &out]).error();
    assert_eq!(error, format!("{folder}/demand.csv, line 2: units is -2, but must be 0 or more"));
    file(
        "demand.csv",
        "date,sku,location,units,price,promo,holiday,stockout_hours,open\n2026-01-01 08:30:00,A,B,2,1,0,0,0,1\n",
    );
    let error = run(&["models", "score", "--demand", &folder, "--out", &out]).error();
    let said = "date is \"2026-01-01 08:30:00\", a moment, but must be a day: write the day alone, such as 2026-01-01";
    assert_eq!(error, format!("{folder}/demand.csv, line 2: {said}"));
    let error = run(&["models", "score", "--table", &table, "--detector", "trained", "--out", &out]).error();
    assert!(error.starts_with("--detector forest is for --table"), "{error}");
    let error = run(&["eval", "detectors"]).error();
    assert!(error.starts_with("there is nothing to measure: name --tables DIR"), "{error}");
    let model = file("model.json", "{\"version\":1}");
    let orders = trial("receiving");
    let error = run(&["models", "score", "--receiving", &orders, "--model", &model, "--out", &out]).error();
    assert!(error.starts_with(&model), "{error}");
    assert!(!Path::new(&out).exists(), "nothing was scored");
}
