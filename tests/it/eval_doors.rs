//! What goes into the suites and comes out of them: a model's own answers, real decisions, people's votes, pages and exit codes; and
//! how a model earns its words by them.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reeve::domain::decision::DecisionVerb;
use reeve::domain::record::Record;
use reeve::store::Store;
use reeve::suites::votes::{Choice, Draft, Pair, pairs, read};
use reeve_testing::model::BASE;
use serde_json::Value;
use tempfile::TempDir;

use super::evals::{TRIAGE, some_of, text_of};
use super::model::{Manner, Marks, Says, answer, served};
use super::support::binary::{Ended, Running, in_a_shell, reeve};

/// Scenarios in which something is to be recommended.
const TWELVE: [&str; 12] = [
    "001_carton_missing_bill_unpaid",
    "002_carton_missing_bill_paid",
    "004_cumulative_short_over_two_receipts",
    "006_over_delivery_thirty_percent",
    "011_receipt_booked_twice",
    "025_drop_ship_overdue",
    "027_price_above_order",
    "031_foreign_price_raised",
    "033_duplicate_bill_same_number",
    "035_billed_twice_in_parts",
    "044_out_of_stock_other_store_has_plenty",
    "046_open_order_can_be_hurried",
];

/// Answers in the computed order.
const IN_ORDER: Manner = |asked| {
    answer(asked, |all| {
        let choices = all["choices"].as_array_mut().unwrap();
        choices.reverse();
    })
};

/// A suite with an endpoint beside it that is asked for its answers.
struct Bench {
    home: TempDir,
    suite: TempDir,
    environment: Vec<(&'static str, String)>,
    marks: Marks,
    _endpoint: reeve_testing::endpoint::Endpoint,
}

impl Bench {
    async fn of(names: &[&str], manner: Manner) -> Self {
        let (endpoint, marks) = served(manner).await;
        let environment =
            vec![("REEVE_MODEL__BASE_URL", format!("{}{BASE}", endpoint.url)), ("REEVE_MODEL__NAME", "stub".to_owned())];
        let (home, suite) = (tempfile::tempdir().unwrap(), some_of(TRIAGE, names));
        Self { home, suite, environment, marks, _endpoint: endpoint }
    }

    fn at(&self, name: &str) -> String {
        self.home.path().join(name).to_str().unwrap().to_owned()
    }

    fn suite(&self) -> String {
        self.suite.path().to_str().unwrap().to_owned()
    }

    /// The folder of a run that was left in `out`.
    fn kept(&self, out: &str) -> PathBuf {
        self.home.path().join(out).join(self.suite.path().file_name().unwrap())
    }

    /// How often the endpoint was asked.
    fn calls(&self) -> usize {
        self.marks.lock().unwrap().iter().map(|(_, calls)| calls).sum()
    }

    /// Runs a command beside the endpoint, with the model of it.
    async fn run(&self, args: &[&str]) -> Ended {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let environment = self.environment.clone();
        let ran = move || {
            let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
            reeve(&args, &environment)
        };
        tokio::task::spawn_blocking(ran).await.unwrap()
    }

    async fn eval_run(&self, out: &str, more: &[&str]) -> Ended {
        let (suite, out) = (self.suite(), self.at(out));
        self.run(&[&["eval", "run", "--suite", &suite, "--out", &out], more].concat()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_models_answers_are_recorded_once_and_played_offline_to_the_same_bytes() {
    let names = ["001_carton_missing_bill_unpaid", "044_out_of_stock_other_store_has_plenty"];
    let bench = Bench::of(&names, IN_ORDER).await;
    bench.eval_run("live", &["--drafter", "model", "--record"]).await.fine();
    let calls = bench.calls();
    assert!(calls >= 2, "{calls} calls");
    let folder = bench.suite.path().join(names[0]).join("cassettes");
    let first = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let cassette: Value = serde_json::from_str(&text_of(first)).unwrap();
    assert_eq!((&cassette["origin"], &cassette["model"]), (&"live".into(), &"stub".into()));
    let asked = cassette["asked"].as_str().unwrap();
    assert!(asked.starts_with("stub at http://127.0.0.1:") && asked.contains("/… #"), "{asked}");
    let run: Value = serde_json::from_str(&text_of(bench.kept("live").join("run.json"))).unwrap();
    assert_eq!(run["drafter"], "model stub (live)");
    assert_eq!(run["outcomes"][0]["asked"], serde_json::json!([asked]));

    // Again, and without the endpoint: nothing is asked, and all is the same.
    bench.eval_run("again", &["--drafter", "model", "--record"]).await.fine();
    let offline = reeve(
        &["eval", "run", "--suite", &bench.suite(), "--out", &bench.at("offline"), "--drafter", "model", "--offline"],
        &[],
    );
    offline.fine();
    assert_eq!(bench.calls(), calls);
    for file in ["run.json", "drafts.jsonl", "attempts.jsonl", "junit.xml", "report.md", "report.html"] {
        let live = text_of(bench.kept("live").join(file));
        assert_eq!(live, text_of(bench.kept("again").join(file)), "{file}");
        assert_eq!(live, text_of(bench.kept("offline").join(file)), "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_that_was_cut_off_goes_on_without_asking_twice_and_with_all_its_drafts() {
    let names = ["001_carton_missing_bill_unpaid", "044_out_of_stock_other_store_has_plenty"];
    let bench = Bench::of(&names, IN_ORDER).await;
    let notes = bench.at("notes.jsonl");
    let recorded = ["--drafter", "model", "--record", "--resume", &notes];
    bench.eval_run("whole", &recorded).await.fine();
    let calls = bench.calls();
    // What a kill leaves: one attempt, and half of the next.
    let lines = text_of(PathBuf::from(&notes));
    let (first, second) = (lines.lines().next().unwrap(), lines.lines().nth(1).unwrap());
    fs::write(&notes, format!("{first}\n{}", &second[..60])).unwrap();
    bench.eval_run("resumed", &recorded).await.fine();
    assert_eq!(bench.calls(), calls, "what was answered is kept");
    for file in ["run.json", "drafts.jsonl"] {
        assert_eq!(text_of(bench.kept("whole").join(file)), text_of(bench.kept("resumed").join(file)), "{file}");
    }
    assert!(text_of(bench.kept("resumed").join("drafts.jsonl")).lines().count() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn recording_without_a_model_is_an_error_and_one_that_is_down_fails_the_gate() {
    let names = ["001_carton_missing_bill_unpaid"];
    let bench = Bench::of(&names, |_| Says::Raw(500, Some("0"), String::new())).await;
    let error = reeve(&["eval", "run", "--suite", &bench.suite(), "--record", "--drafter", "model"], &[]).error();
    assert!(error.contains("set model.base_url and model.name"), "{error}");
    let ended = bench.eval_run("down", &["--drafter", "model", "--record"]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(!bench.suite.path().join(names[0]).join("cassettes").exists(), "there is no answer to keep");
}

/// The pairs of two kept runs.
fn pairs_of(first: &Path, second: &Path) -> Vec<Pair> {
    let drafts = |folder: &Path| -> Vec<Draft> { read(&folder.join("drafts.jsonl")).unwrap() };
    pairs(&drafts(first), &drafts(second))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_as_good_earns_its_words_by_peoples_votes() {
    let bench = Bench::of(&TWELVE, IN_ORDER).await;
    bench.eval_run("playbook", &["--drafter", "playbook"]).await.fine();
    bench.eval_run("model", &["--drafter", "model", "--record"]).await.fine();
    let (playbook, model) = (bench.kept("playbook"), bench.kept("model"));
    let (playbook_at, model_at) = (playbook.to_str().unwrap(), model.to_str().unwrap());
    let (suite, votes) = (bench.suite(), bench.at("votes.jsonl"));
    let store = format!("sqlite:{}", bench.at("reeve.db"));
    bench.run(&["--store", &store, "migrate"]).await.fine();
    let runs = ["--playbook", playbook_at, "--model", model_at, "--suite", &suite, "--votes", &votes];
    let words = |args: &[&str]| {
        let args: Vec<String> =
            ["--store", &store, "words"].into_iter().chain(args.iter().copied()).map(str::to_owned).collect();
        let bench = &bench;
        async move { bench.run(&args.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    let standing = bench.run(&[&["eval", "standing"], &runs[..]].concat()).await;
    assert_eq!((standing.code, standing.err.as_str()), (Some(2), ""), "{standing:?}");
    assert!(standing.out.contains("MISSING it is not better beyond chance at any gate"), "{}", standing.out);
    assert!(standing.out.contains("prose: too few votes of people"), "{}", standing.out);
    assert_eq!(words(&[&["prove"], &runs[..]].concat()).await.code, Some(2));
    let refused = words(&["promote", "--as", "ari", "--reason", "reads better"]).await.error();
    assert!(refused.contains("has not earned its words"), "{refused}");

    let mut lines = String::new();
    for person in ["ann", "bob", "cem", "dee", "eva"] {
        for pair in pairs_of(&playbook, &model) {
            let vote = serde_json::json!({
                "pair": pair.id, "scenario": pair.first.scenario, "by": person, "on": "2026-11-30", "choice": Choice::Second,
            });
            lines.extend([vote.to_string(), "\n".to_owned()]);
        }
    }
    assert!(lines.lines().count() >= 50, "{} votes", lines.lines().count());
    fs::write(&votes, lines).unwrap();
    bench.run(&[&["eval", "standing"], &runs[..]].concat()).await.fine();
    let proved = words(&[&["prove"], &runs[..]].concat()).await.fine();
    assert!(proved.contains("has earned its words") && proved.contains("of 5 people"), "{proved}");
    let said = words(&["promote", "--as", "ari", "--reason", "reads better"]).await.fine();
    assert!(said.contains("Proposed. A second person"), "{said}");
    let refused = words(&["promote", "--as", "dan", "--reason", "so do I"]).await.error();
    assert!(refused.contains("could be the same hand"), "two commands are not two people: {refused}");
    let status = words(&["status"]).await.fine();
    assert!(status.contains(": candidate.") && status.contains("PROPOSED by ari: reads better"), "{status}");
    // Another model's answers prove nothing of this one.
    let args: Vec<&str> = [&["--store", &store, "words", "prove"], &runs[..]].concat();
    let other = reeve(&args, &[("REEVE_MODEL__BASE_URL", "http://127.0.0.1:9/v1"), ("REEVE_MODEL__NAME", "other")]).error();
    assert!(other.contains("the run's answers are of stub at http://127.0.0.1:"), "{other}");
    // Nor do answers of nobody who is named.
    let run_at = model.join("run.json");
    let mut run: Value = serde_json::from_str(&text_of(run_at.clone())).unwrap();
    for outcome in run["outcomes"].as_array_mut().unwrap() {
        outcome.as_object_mut().unwrap().remove("asked");
    }
    fs::write(&run_at, run.to_string()).unwrap();
    let unnamed = words(&[&["prove"], &runs[..]].concat()).await.error();
    assert!(unnamed.contains("the run's answers are of nobody who is named"), "{unnamed}");
    bench.run(&["--store", &store, "audit", "verify"]).await.fine();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_are_compared_on_a_page() {
    let names = ["001_carton_missing_bill_unpaid", "044_out_of_stock_other_store_has_plenty"];
    // The last one first.
    let bench = Bench::of(&names, |asked| answer(asked, |_| {})).await;
    bench.eval_run("playbook", &["--drafter", "playbook"]).await.fine();
    let worse = bench.eval_run("model", &["--drafter", "model", "--record"]).await;
    assert_eq!(worse.code, Some(2), "the last action is not the best: {worse:?}");
    let (playbook, model, page) = (bench.kept("playbook"), bench.kept("model"), bench.at("page.html"));
    let (playbook, model) = (playbook.to_str().unwrap(), model.to_str().unwrap());
    let suite = bench.suite();
    let ended = bench.run(&["eval", "compare", playbook, model, "--html", &page, "--suite", &suite]).await;
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let page = text_of(PathBuf::from(page));
    for part in ["<!doctype html>", "001_carton_missing_bill_unpaid", "Stopped by must-pass", "McNemar", "</html>"] {
        assert!(page.contains(part), "{part} is not on the page: {page}");
    }
    assert!(!page.contains("<script"), "{page}");
    let alone = bench.run(&["eval", "compare", playbook, model, "--html", "page.html"]).await;
    assert_eq!(alone.code, Some(2), "the page needs the suite's folder, and clap says so: {alone:?}");
    assert!(alone.err.contains("--suite"), "{alone:?}");
    bench.run(&["eval", "compare", playbook, playbook]).await.fine();
}

/// A bench with two runs that say something different of two scenarios.
async fn two_runs() -> Bench {
    let names = ["001_carton_missing_bill_unpaid", "044_out_of_stock_other_store_has_plenty"];
    let bench = Bench::of(&names, IN_ORDER).await;
    bench.eval_run("playbook", &["--drafter", "playbook"]).await.fine();
    bench.eval_run("model", &["--drafter", "model", "--record"]).await.fine();
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn people_vote_in_the_terminal_and_nobody_is_told_who_drafted() {
    let bench = two_runs().await;
    let (first, second) = (bench.kept("playbook"), bench.kept("model"));
    let open = pairs_of(&first, &second);
    assert!(open.len() >= 2, "{} pairs", open.len());
    let votes = bench.at("votes.jsonl");
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let ask = |answers: &str| {
        let script = format!(
            "printf '{answers}' | \"$REEVE\" eval votes ask --first {first} --second {second} --by mira --votes {votes}"
        );
        in_a_shell(&script, &[]).fine()
    };
    let said = ask("what?\\nu\\nq\\n");
    assert!(said.contains("u, l, s or q:") && said.contains("1 votes were written down"), "{said}");
    assert!(!said.contains("playbook") && !said.contains("stub"), "{said}");
    let kept: Vec<reeve::suites::votes::Vote> = read(Path::new(&votes)).unwrap();
    assert_eq!((kept.len(), kept[0].by.as_str(), kept[0].choice), (1, "mira", open[0].choice(true)));
    let rest = "s\\n".repeat(open.len() - 1);
    let said = ask(&rest);
    assert!(said.contains(&format!("{} votes were written down, 0 pairs are left", open.len() - 1)), "{said}");
    assert!(ask("").contains("0 votes were written down, 0 pairs are left"));
    let counted = reeve(&["eval", "votes", "count", "--votes", &votes], &[]).fine();
    assert!(counted.starts_with(&format!("{} votes of 1 people", open.len())), "{counted}");
    let missing = reeve(&["eval", "votes", "ask", "--first", &bench.at("no"), "--second", second, "--by", "m"], &[]).error();
    assert!(missing.contains("`reeve eval run --out DIR` writes it"), "{missing}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_vote_on_a_page_of_this_machine_and_a_second_press_is_no_second_vote() {
    let bench = two_runs().await;
    let (first, second) = (bench.kept("playbook"), bench.kept("model"));
    let open = pairs_of(&first, &second);
    let votes = bench.at("votes.jsonl");
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let args = ["eval", "votes", "page", "--first", first, "--second", second, "--by", "bo", "--votes", &votes];
    let outside = reeve(&[&args[..], &["--listen", "0.0.0.0:0"]].concat(), &[]).error();
    assert!(outside.contains("on this machine only"), "{outside}");
    let (running, url) = tokio::task::spawn_blocking({
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        move || {
            let mut running = Running::start(&args, &[]);
            let said = running.said_until("Vote at ");
            let url = said.split("Vote at ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
            (running, url)
        }
    })
    .await
    .unwrap();
    let client = reeve::http::client(Duration::from_secs(20)).unwrap();
    let page = client.get(&url).send().await.unwrap();
    assert!(page.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let page = page.text().await.unwrap();
    assert!(page.contains(&format!("{} pairs are left", open.len())) && page.contains(&open[0].id), "{page}");
    assert!(!page.contains("playbook") && !page.contains("stub"), "{page}");
    // Another site's name, or an address that somebody guessed, leads nowhere.
    let strange = client.get(&url).header("host", "evil.example").send().await.unwrap();
    assert_eq!(strange.status(), 404);
    let guessed = client.get(url.rsplit_once('/').unwrap().0).send().await.unwrap();
    assert_eq!(guessed.status(), 404);
    let press = |choice: &'static str| {
        let form = format!("pair={}&choice={choice}&words=%3Cb%3Eplain%3C%2Fb%3E", open[0].id);
        let post = client.post(&url).header("content-type", "application/x-www-form-urlencoded").body(form);
        async move { post.send().await.unwrap().status() }
    };
    assert_eq!(press("both").await, 400);
    let taken = press("lower").await;
    assert!(taken.is_success() || taken.is_redirection(), "{taken}");
    let page = client.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains(&format!("{} pairs are left", open.len() - 1)), "{page}");
    let again = press("upper").await;
    assert!(again.is_success() || again.is_redirection(), "it is not open any more, which is no fault: {again}");
    let kept: Vec<reeve::suites::votes::Vote> = read(Path::new(&votes)).unwrap();
    assert_eq!((kept.len(), kept[0].choice, kept[0].words.as_str()), (1, open[0].choice(false), "<b>plain</b>"));
    let ended = tokio::task::spawn_blocking(move || running.stopped_by("INT")).await.unwrap();
    assert_eq!(ended, Some(0), "Ctrl-C ends it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_decision_becomes_a_scenario_without_a_name_that_comes_to_the_same() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    reeve(&["demo", "--once", "--dir", &at("demo")], &[]).fine();
    let url = format!("sqlite:{}", at("demo/reeve.db"));
    let store = Store::open(&url).await.unwrap();
    let queue = store.list_recommendations_in(&["queued"]).await.unwrap();
    let (rec, _) = queue.iter().find(|(rec, _)| rec.rank == 1 && rec.candidate.action.code() == "BLOCK-BILL").unwrap();
    let approved = reeve(
        &["--store", &url, "queue", "approve", &rec.id.to_string(), "--as", "ari", "--content", &rec.content_hash()],
        &[],
    );
    assert_eq!(approved.code, Some(0), "{approved:?}");
    let decision = store.list_decisions(jiff::Timestamp::UNIX_EPOCH).await.unwrap().pop().unwrap();
    assert_eq!(decision.verb, DecisionVerb::Approve);
    let case = store.get_case(&rec.case_id).await.unwrap();
    let records = store.load_records().await.unwrap();
    let names: Vec<String> = records
        .iter()
        .filter_map(|record| match record {
            Record::Supplier(supplier) => Some(supplier.name.clone()),
            Record::Location(location) => Some(location.name.clone()),
            Record::Item(item) => Some(item.name.clone()),
            _ => None,
        })
        .collect();
    assert!(names.len() > 10, "{names:?}");
    store.close().await;

    let suite = some_of(TRIAGE, &[]);
    let folder = suite.path().to_str().unwrap();
    let made =
        reeve(&["--store", &url, "eval", "promote", &decision.id, "--suite", folder, "--name", "201_a_bill"], &[]).fine();
    assert!(made.contains("201_a_bill is in") && made.contains("Read it before you keep it"), "{made}");
    let scenario = suite.path().join("201_a_bill");
    let records = text_of(scenario.join("records.jsonl"));
    assert!(!records.is_empty());
    for name in &names {
        assert!(!records.contains(name.as_str()), "{name} is in the scenario");
    }
    assert!(text_of(scenario.join("expected.toml")).contains("best = [\"BLOCK-BILL\"]"));
    let explained = reeve(&["eval", "explain", "201", "--suite", folder], &[]).fine();
    assert!(explained.contains("BLOCK-BILL") && explained.contains(case.codes[0].code()), "{explained}");
    let ended = reeve(&["eval", "run", "--suite", folder, "--out", &at("out")], &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.out);
    let twice =
        reeve(&["--store", &url, "eval", "promote", &decision.id, "--suite", folder, "--name", "201_a_bill"], &[]).error();
    assert!(twice.contains("is there already"), "{twice}");
    let unknown = reeve(&["--store", &url, "eval", "promote", "k-none", "--suite", folder, "--name", "202_b"], &[]).error();
    assert!(unknown.contains("there is no decision \"k-none\""), "{unknown}");
    assert!(!suite.path().join("202_b").exists());
}
