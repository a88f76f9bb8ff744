//! The suites that come with Reeve: green, the same bytes twice, held to their gates by an exit code, with graders that can fail.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::civil::date;
use reeve::evals::backtest;
use reeve::evals::suite::{self, How};
use reeve::odoo::recorded::Recorded;
use reeve::ports::{Page, PortError, Source};
use reeve::rules::prompts::DraftPrompt;
use reeve::suites::baseline::{Baseline, Signers};
use reeve::suites::cassette::{self, Origin};
use reeve::suites::grade::mutate;
use reeve::suites::lint;
use reeve::suites::suite::Suite;

use crate::support::binary::{Ended, reeve};

pub(super) const TRIAGE: &str = "evals/triage";
const DRAFTS: &str = "evals/drafts";
const LIVE: &str = "evals/live";

fn suite(folder: &str) -> Suite {
    Suite::read(Path::new(folder)).unwrap()
}

fn how() -> How {
    How {
        tags: Vec::new(),
        repeats: 1,
        prompt: Arc::new(DraftPrompt::shipped()),
        drafter: None,
        recorder: None,
        today: date(2026, 11, 30),
        done: BTreeMap::new(),
    }
}

fn run(args: &[&str]) -> Ended {
    reeve(args, &[])
}

fn copied(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let at = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copied(&path, &at);
        } else {
            fs::copy(&path, &at).unwrap();
        }
    }
}

/// A small suite of its own: some scenarios of a shipped one.
pub(super) fn some_of(suite: &str, names: &[&str]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::copy(Path::new(suite).join("suite.toml"), home.path().join("suite.toml")).unwrap();
    for name in names {
        copied(&Path::new(suite).join(name), &home.path().join(name));
    }
    home
}

pub(super) fn text_of(path: PathBuf) -> String {
    fs::read_to_string(path).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suites_pass_their_gates_and_are_the_same_a_second_time() {
    for folder in [TRIAGE, DRAFTS, LIVE] {
        let suite = suite(folder);
        let first = suite::run(&suite, &how(), |_| Ok(())).await.unwrap();
        let second = suite::run(&suite, &how(), |_| Ok(())).await.unwrap();
        let outcomes = |made: &[suite::Made]| made.iter().map(|made| made.outcome.clone()).collect::<Vec<_>>();
        assert_eq!(outcomes(&first), outcomes(&second), "{folder} came out otherwise");
        let failed: Vec<String> = first
            .iter()
            .filter(|made| !made.outcome.passed())
            .map(|made| format!("{}: {:?}", made.outcome.scenario, made.outcome.failures().collect::<Vec<_>>()))
            .collect();
        let share = 1.0 - failed.len() as f64 / first.len() as f64;
        assert!(share >= suite.spec.gates.pass_rate, "{}", failed.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_grader_catches_what_is_broken_on_purpose() {
    let mut all = Vec::new();
    for folder in [TRIAGE, DRAFTS, LIVE] {
        let suite = suite(folder);
        for made in suite::run(&suite, &how(), |_| Ok(())).await.unwrap() {
            let scenario = suite.scenarios[made.at].clone();
            let settings = suite::settings(&scenario, &how()).unwrap().rules;
            all.push((scenario, made.attempt.unwrap(), settings));
        }
    }
    for row in mutate::table(all.iter().map(|(scenario, attempt, settings)| (scenario, attempt, settings))) {
        assert!(row.made > 0, "nothing could be broken for {} ({})", row.grader, row.breaks);
        assert_eq!(row.caught, row.made, "{} lets pass: {}", row.grader, row.breaks);
    }
}

#[test]
fn the_suites_are_clean_and_cover_every_type() {
    let suites = [suite(TRIAGE), suite(DRAFTS), suite(LIVE)];
    let found = lint::lint(&suites, date(2026, 11, 30));
    assert!(found.is_empty(), "{}", found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"));
    let about: std::collections::BTreeSet<_> = suites[0].scenarios.iter().filter_map(|s| s.spec.kind).collect();
    let missing: Vec<_> =
        reeve::domain::exception::ExceptionType::ALL.iter().filter(|code| !about.contains(*code)).collect();
    assert!(missing.is_empty(), "no scenario is about {missing:?}");
}

#[test]
fn a_wrong_expectation_stops_with_two_and_says_what_and_where() {
    let home = some_of(TRIAGE, &["001_carton_missing_bill_unpaid", "088_nothing_at_all"]);
    let expected = home.path().join("088_nothing_at_all/expected.toml");
    fs::write(&expected, "must = [\"R-SHORT\"]\nwhy = \"planted\"\n").unwrap();
    let out = home.path().join("out");
    let (suite, out) = (home.path().to_str().unwrap(), out.to_str().unwrap());
    let ended = run(&["eval", "run", "--suite", suite, "--out", out]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.out.contains("STOP must-pass: 088_nothing_at_all run 1: found"), "{}", ended.out);
    let folder = Path::new(out).join(home.path().file_name().unwrap());
    let junit = text_of(folder.join("junit.xml"));
    assert!(junit.contains("failures=\"1\"") && junit.contains("R-SHORT was not found"), "{junit}");
    for file in ["run.json", "attempts.jsonl", "drafts.jsonl", "report.md", "report.html"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
}

#[test]
fn a_fault_of_a_file_says_file_and_line() {
    let home = some_of(TRIAGE, &["001_carton_missing_bill_unpaid"]);
    let suite = home.path().to_str().unwrap();
    let file = home.path().join("001_carton_missing_bill_unpaid/scenario.toml");
    let whole = text_of(file.clone());
    let said = |text: &str| {
        fs::write(&file, text).unwrap();
        run(&["eval", "run", "--suite", suite]).error()
    };
    let error = said(&whole.replace("item = \"1\"", "item = \"99\""));
    assert!(error.contains("scenario.toml:9: [[po]] number 1: there is no item \"99\""), "{error}");
    let error = said(&whole.replace("promised = -5", "promissed = -5"));
    assert!(error.contains("scenario.toml:9:") && error.contains("promissed"), "{error}");
    let error = said(&whole.replace("[world]\n", "[settings.detect]\nhorizon_dayz = 3\n[world]\n"));
    assert!(error.contains("horizon_dayz"), "{error}");
}

#[test]
fn a_question_without_a_cassette_fails_loudly() {
    let scenario = fs::read_dir(DRAFTS).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let name = scenario.filter(|name| Path::new(DRAFTS).join(name).join("cassettes").is_dir()).min().unwrap();
    let home = some_of(DRAFTS, &[&name]);
    fs::remove_dir_all(home.path().join(&name).join("cassettes")).unwrap();
    let ended = run(&["eval", "run", "--suite", home.path().to_str().unwrap()]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.out.contains("no cassette answers"), "{}", ended.out);
}

#[test]
fn a_run_goes_on_where_it_was_cut_off() {
    let home = some_of(TRIAGE, &["001_carton_missing_bill_unpaid", "003_short_within_tolerance"]);
    let (suite, notes) = (home.path().to_str().unwrap(), home.path().join("notes.jsonl"));
    let args = ["eval", "run", "--suite", suite, "--resume", notes.to_str().unwrap(), "--json"];
    let whole = run(&args).fine();
    let lines = text_of(notes.clone());
    assert_eq!(lines.lines().count(), 2);
    // What a kill leaves: a whole line and half of one.
    let first = lines.lines().next().unwrap();
    fs::write(&notes, format!("{first}\n{}", &lines.lines().nth(1).unwrap()[..40])).unwrap();
    assert_eq!(run(&args).fine(), whole);
}

#[test]
fn a_baseline_is_accepted_by_who_is_listed_and_what_is_worse_is_stopped() {
    let home = some_of(TRIAGE, &["001_carton_missing_bill_unpaid", "003_short_within_tolerance"]);
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let suite = home.path().to_str().unwrap();
    let name = home.path().file_name().unwrap().to_str().unwrap();
    run(&["eval", "run", "--suite", suite, "--out", &at("out")]).fine();
    let kept = format!("{}/{name}", at("out"));
    let said = run(&["eval", "key", &at("key")]).fine();
    let public = said.lines().find_map(|line| line.strip_prefix("public = ")).unwrap().to_owned();
    let accept = |commit: &str| {
        run(&[
            "eval",
            "accept",
            &kept,
            "--suite",
            suite,
            "--by",
            "mira",
            "--key",
            &at("key"),
            "--commit",
            commit,
            "--because",
            "first",
            "--signers",
            &at("signers.toml"),
        ])
    };
    assert!(accept("abc").error().contains("list yourself in"), "nobody is listed yet");
    fs::write(at("signers.toml"), format!("[[signer]]\nname = \"mira\"\npublic = {public}\n")).unwrap();
    accept("abc").fine();
    let compare = |run_json: &str| run(&["eval", "compare", suite, run_json, "--signers", &at("signers.toml")]);
    compare(&kept).fine();
    // What must pass and does no more stops.
    let worse = text_of(Path::new(&kept).join("run.json")).replacen("\"passed\": true", "\"passed\": false", 3);
    fs::write(at("worse.json"), worse).unwrap();
    let ended = compare(&at("worse.json"));
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.out.contains("STOP must-pass"), "{}", ended.out);
    // A baseline that somebody else changed holds nothing.
    let path = home.path().join("baseline.json");
    fs::write(&path, text_of(path.clone()).replace("\"abc\"", "\"abd\"")).unwrap();
    assert!(compare(&kept).error().contains("not what mira signed"));
}

#[test]
fn the_accepted_baselines_are_of_this_prompt_and_these_scenarios() {
    for folder in [TRIAGE, DRAFTS, LIVE] {
        let suite = suite(folder);
        let baseline = Baseline::read(&suite.folder).unwrap().unwrap_or_else(|| panic!("nobody has accepted {folder}"));
        baseline.verify(&Signers::read(Path::new("evals/signers.toml")).unwrap()).unwrap();
        assert_eq!(baseline.run.prompt, DraftPrompt::shipped().hash(), "the prompt was changed: run {folder} and accept it");
        assert_eq!(baseline.run.data, suite.data_hash, "{folder} was changed: run it and accept it");
    }
}

#[test]
fn what_the_live_suite_plays_a_model_has_said() {
    let mut answers = 0;
    for scenario in suite(LIVE).scenarios {
        let kept = cassette::read(&scenario.cassettes()).unwrap();
        assert!(!kept.is_empty(), "{} has no cassette", scenario.id);
        for cassette in kept.values() {
            let says = cassette.origin == Origin::Live && cassette.recorded_on.is_some() && !cassette.asked.is_empty();
            assert!(says, "{}: {} does not say which model answered, and when", scenario.id, cassette.request);
            answers += 1;
        }
    }
    assert!(answers > 0);
}

#[test]
fn what_is_exported_is_imported_without_loss() {
    for form in ["inspect", "promptfoo"] {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("cases.jsonl");
        let from = some_of(TRIAGE, &["001_carton_missing_bill_unpaid", "088_nothing_at_all"]);
        run(&["eval", "export", from.path().to_str().unwrap(), "--form", form, "--out", file.to_str().unwrap()]).fine();
        let lines = text_of(file.clone());
        let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        let (asked, answer) = match form {
            "inspect" => (&first["input"][1]["content"], &first["target"][0]),
            _ => (&first["vars"]["user"], &first["assert"][1]["value"]),
        };
        assert!(asked.as_str().unwrap().contains("BLOCK-BILL"), "{asked}");
        assert!(answer.as_str().is_some_and(|text| text.contains('A')), "{answer}");
        let to = some_of(TRIAGE, &[]);
        run(&["eval", "import", file.to_str().unwrap(), "--suite", to.path().to_str().unwrap()]).fine();
        for name in ["001_carton_missing_bill_unpaid", "088_nothing_at_all"] {
            for part in ["scenario.toml", "expected.toml"] {
                assert_eq!(text_of(from.path().join(name).join(part)), text_of(to.path().join(name).join(part)));
            }
        }
    }
}

#[test]
fn a_changed_prompt_needs_a_version_and_then_has_one() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("draft");
    copied(Path::new("prompts/draft"), &folder);
    let at = folder.to_str().unwrap();
    run(&["prompts", "list", "--prompt", at]).fine();
    let system = folder.join("system.md");
    fs::write(&system, text_of(system.clone()) + "\nBe brief.\n").unwrap();
    assert_eq!(run(&["prompts", "list", "--prompt", at]).code, Some(2));
    assert!(run(&["prompts", "diff", at]).fine().contains("+ Be brief."));
    run(&["prompts", "bump", at, "--part", "minor", "--words", "Asks for brevity."]).fine();
    assert!(run(&["prompts", "list", "--prompt", at]).fine().contains("draft 2.1.0"));
    assert_eq!(run(&["prompts", "bump", at, "--part", "minor", "--words", "Again."]).code, Some(2), "nothing changed");
}

/// A source whose future is not there yet.
struct Cut {
    whole: Recorded,
    at: jiff::Timestamp,
}

#[async_trait::async_trait]
impl Source for Cut {
    fn identity(&self) -> String {
        self.whole.identity()
    }

    async fn read(&self, cursor: Option<&str>, until: jiff::Timestamp, limit: usize) -> Result<Page, PortError> {
        self.whole.read(cursor, until.min(self.at), limit).await
    }

    fn span(&self) -> Option<(jiff::Timestamp, jiff::Timestamp)> {
        self.whole.span()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backtest_does_not_look_ahead() {
    let config = Arc::new(reeve::config::Config::load_from(None, &[]).unwrap());
    let recorded = || Recorded::open(crate::support::shop::bundled(), "USD").unwrap();
    let span = (date(2026, 9, 28), date(2026, 9, 30));
    let with_future = backtest::run(Arc::clone(&config), Arc::new(recorded()), span, |_, _| {}).await.unwrap();
    let calendar = config.rules.calendar.calendar();
    let at = calendar.moment_of(span.1, config.rules.calendar.digest_hour);
    let without =
        backtest::run(Arc::clone(&config), Arc::new(Cut { whole: recorded(), at }), span, |_, _| {}).await.unwrap();
    assert_eq!(with_future, without);
    assert!(with_future.days.iter().all(|day| day.lines > 0), "{}", with_future.text());
    assert!(with_future.capture > 0.0 && with_future.capture <= 1.0, "{}", with_future.text());
}
