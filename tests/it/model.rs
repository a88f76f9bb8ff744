//! A language model behind the real program, from good to hostile: whatever it says or does, the cases keep their order and
//! every figure, the playbook steps in, and people read why.
#![expect(clippy::unwrap_used, reason = "what a test stands on may fail it")]

use std::sync::{Arc, Mutex};

use reeve::domain::ids::content_id;
use reeve::domain::recommendation::{Drafter, Recommendation};
use reeve::store::Store;
use reeve_testing::endpoint as http;
use reeve_testing::model::{BASE, completion};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::support::binary::{Ended, reeve};
use super::support::earned::{earn_words, refuse_drafts};

/// The time limit of a call that is not answered.
const TIMEOUT: &str = "1500ms";

/// What the endpoint is asked about one case.
pub(super) struct Asked {
    /// Which case, in the order in which they came.
    pub(super) nth: usize,
    /// How often it was asked about it before.
    pub(super) before: usize,
    /// What may be chosen.
    candidates: Vec<String>,
}

pub(super) enum Says {
    /// A chat completion with this text.
    Chat(String),
    /// A raw answer.
    Raw(u16, Option<&'static str>, String),
    /// Nothing, ever.
    Nothing,
}

/// How the endpoint behaves.
pub(super) type Manner = fn(&Asked) -> Says;

#[derive(Clone)]
struct Endpoint {
    manner: Manner,
    marks: Marks,
}

/// The mark of each case that an endpoint was asked about, in order, with the number of calls about it.
pub(super) type Marks = Arc<Mutex<Vec<(String, usize)>>>;

/// Starts an endpoint with a manner. It answers until it is dropped.
pub(super) async fn served(manner: Manner) -> (http::Endpoint, Marks) {
    let endpoint = Endpoint { manner, marks: Marks::default() };
    let marks = Arc::clone(&endpoint.marks);
    let started = http::Endpoint::start(move |request| {
        let endpoint = endpoint.clone();
        async move { Some(complete(&endpoint, &request.json()).await) }
    });
    (started.await, marks)
}

impl Endpoint {
    fn asked(&self, body: &Value) -> Asked {
        let user = body["messages"][1]["content"].as_str().unwrap();
        let mark = user.split_whitespace().find(|word| word.starts_with("mark-")).unwrap();
        let mut marks = self.marks.lock().unwrap();
        let nth = marks.iter().position(|(known, _)| known == mark).unwrap_or_else(|| {
            marks.push((mark.to_owned(), 0));
            marks.len() - 1
        });
        let before = marks[nth].1;
        marks[nth].1 += 1;
        let choice = &body["response_format"]["json_schema"]["schema"]["properties"]["choices"]["items"]["properties"];
        // None where it is asked without a schema.
        let ids = |list: &Value| -> Vec<String> { serde_json::from_value(list.clone()).unwrap_or_default() };
        Asked { nth, before, candidates: ids(&choice["candidate"]["enum"]) }
    }
}

/// Answers as the endpoint does; nothing where it never does.
async fn complete(endpoint: &Endpoint, request: &Value) -> http::Says {
    match (endpoint.manner)(&endpoint.asked(request)) {
        Says::Nothing => std::future::pending().await,
        Says::Raw(status, retry_after, text) => {
            let says = http::Says::raw(status, "application/json", text);
            retry_after.map_or(says.clone(), |seconds| says.with("retry-after", seconds))
        }
        Says::Chat(text) => http::Says::json(200, &completion(text)),
    }
}

/// A finished demo: its digest, and every recommendation in the queue.
pub(super) struct Demo {
    pub(super) ended: Ended,
    pub(super) digest: Value,
    pub(super) queue: Vec<Recommendation>,
    /// Cases in the order in which the endpoint was asked about them, by the mark of each, with the number of calls.
    pub(super) marks: Vec<(String, usize)>,
    /// What it was started with.
    pub(super) environment: Vec<(&'static str, String)>,
    /// It answers as long as the demo is looked at.
    _endpoint: Option<http::Endpoint>,
}

impl Demo {
    /// Runs the demo, without a model or with one that has these manners and has earned its words.
    async fn run(manner: Option<Manner>, more: &[(&'static str, &'static str)]) -> Self {
        Self::run_in(&tempfile::tempdir().unwrap(), manner, more).await
    }

    /// The same in a folder that is looked at afterwards.
    pub(super) async fn run_in(home: &TempDir, manner: Option<Manner>, more: &[(&'static str, &'static str)]) -> Self {
        Self::run_with(home, manner, more, Some(0)).await
    }

    /// The same with a model of whose drafts `refused` were refused before.
    pub(super) async fn run_after(home: &TempDir, manner: Manner, refused: u32) -> Self {
        Self::run_with(home, Some(manner), &[], Some(refused)).await
    }

    /// The same with a model that has earned nothing yet.
    pub(super) async fn run_with_candidate(home: &TempDir, manner: Manner) -> Self {
        Self::run_with(home, Some(manner), &[], None).await
    }

    /// `earned`: how many of its drafts were refused since it earned its words; None where it has not.
    async fn run_with(
        home: &TempDir,
        manner: Option<Manner>,
        more: &[(&'static str, &'static str)],
        earned: Option<u32>,
    ) -> Self {
        let mut environment: Vec<(&str, String)> = more.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        // What is worth nothing is not drafted unless the digest draws it: more cases for the endpoint to fail on.
        environment.push(("REEVE_RANKING__SAMPLE_PLACES", "6".to_owned()));
        let (mut endpoint, mut marks) = (None, Marks::default());
        if let Some(manner) = manner {
            let (started, asked) = served(manner).await;
            environment.push(("REEVE_MODEL__BASE_URL", format!("{}{BASE}", started.url)));
            environment.push(("REEVE_MODEL__NAME", "stub".to_owned()));
            (endpoint, marks) = (Some(started), asked);
            if let Some(refused) = earned {
                earn_words(&url(home), &environment).await;
                refuse_drafts(&url(home), &environment, refused).await;
            }
        }
        let (ended, json) = ran(home, environment.clone()).await;
        let store = Store::open(&url(home)).await.unwrap();
        let queue = store.list_recommendations_in(&["queued"]).await.unwrap().into_iter().map(|(rec, _)| rec).collect();
        store.verify_audit().await.unwrap();
        store.close().await;
        let marks = marks.lock().unwrap().clone();
        let digest = serde_json::from_str(&json).unwrap();
        Self { ended, digest, queue, marks, environment, _endpoint: endpoint }
    }

    /// Who drafted it all, as the digest tells.
    pub(super) fn drafted_by(&self) -> &str {
        self.digest["drafted_by"].as_str().unwrap()
    }

    /// Everything that no model may touch is as in `other`: which cases, in which order, with which money and deadlines; and
    /// the sums and checks of each action.
    #[track_caller]
    fn computes_what(&self, other: &Self) {
        let keys = ["case_id", "place", "codes", "headline", "at_stake", "value", "priority", "p", "deadline", "lane"];
        let lines = |demo: &Self| demo.digest["lines"].as_array().unwrap().clone();
        assert_eq!(lines(self).len(), lines(other).len());
        for (mine, theirs) in lines(self).iter().zip(&lines(other)) {
            for key in keys {
                assert_eq!(mine[key], theirs[key], "{key} of {}", mine["case_id"]);
            }
        }
        assert_eq!(self.digest["at_stake"], other.digest["at_stake"]);
        assert_eq!(self.digest["below"], other.digest["below"]);
        let mut same = 0;
        for theirs in &other.queue {
            let it = |mine: &&Recommendation| {
                mine.case_id == theirs.case_id && mine.candidate.actions().eq(theirs.candidate.actions())
            };
            // Of more actions than are shown, a model may leave out others.
            let Some(mine) = self.queue.iter().find(it) else { continue };
            assert_eq!(mine.candidate, theirs.candidate);
            same += 1;
        }
        assert!(same * 10 > other.queue.len() * 8, "only {same} of {} actions are shown", other.queue.len());
    }

    /// Why the playbook drafted the `nth` case that the endpoint was asked about.
    #[track_caller]
    fn because(&self, nth: usize) -> &str {
        match self.first_of(nth) {
            Recommendation { drafter: Drafter::Playbook { because: Some(why) }, .. } => &why.whole,
            other => panic!("case {nth} is not by the playbook for a reason: {other:#?}"),
        }
    }

    /// The first recommendation of the `nth` case that the endpoint was asked about.
    #[track_caller]
    fn first_of(&self, nth: usize) -> &Recommendation {
        let is_it =
            |rec: &&Recommendation| content_id("mark-", &["reeve draft", rec.case_id.as_str()], 16) == self.marks[nth].0;
        self.queue.iter().filter(is_it).min_by_key(|rec| rec.rank).expect("the case is in the queue")
    }
}

pub(super) fn url(home: &TempDir) -> String {
    format!("sqlite:{}", home.path().join("reeve.db").display())
}

/// The demo and then its digest as JSON, on a thread of their own: the endpoint answers meanwhile.
pub(super) async fn ran(home: &TempDir, environment: Vec<(&'static str, String)>) -> (Ended, String) {
    let (dir, store) = (home.path().to_str().unwrap().to_owned(), url(home));
    let both = move || {
        let environment: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let ended = reeve(&["demo", "--once", "--dir", &dir], &environment);
        (ended, reeve(&["--store", &store, "--json", "digest"], &[]).fine())
    };
    tokio::task::spawn_blocking(both).await.unwrap()
}

/// What everything is compared with.
pub(super) async fn without_a_model() -> &'static Demo {
    static KEPT: OnceCell<Demo> = OnceCell::const_new();
    KEPT.get_or_init(|| Demo::run(None, &[])).await
}

pub(super) fn answer(asked: &Asked, change: impl FnOnce(&mut Value)) -> Says {
    let choice = |id: &String| {
        json!({
            "candidate": id,
            "confidence_percent": 70,
            "claims": [format!("{id}.worth")],
            "question": format!("Is [{id}.benefit] for a cost of [{id}.cost] what was expected?"),
            "message": ""
        })
    };
    // Its own order: the last one first.
    let mut ids = vec![asked.candidates.last().unwrap()];
    ids.extend(asked.candidates.first().filter(|_| asked.candidates.len() > 1));
    let choices: Vec<Value> = ids.into_iter().map(choice).collect();
    let mut whole = json!({ "abstain": false, "abstain_question": "", "choices": choices });
    change(&mut whole);
    Says::Chat(whole.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_orders_and_explains_actions_and_changes_no_figure_and_no_place() {
    let plain = without_a_model().await;
    assert_eq!(plain.drafted_by(), "the playbook, no model configured");
    let demo = Demo::run(Some(|asked| answer(asked, |_| {})), &[]).await;
    assert_eq!((demo.ended.code, demo.ended.err.as_str()), (Some(0), ""));
    assert!(demo.ended.out.contains("Drafted by model stub ("), "{}", demo.ended.out);
    assert!(demo.marks.len() > 10, "only {} cases were asked about", demo.marks.len());
    demo.computes_what(plain);
    for (nth, (_, calls)) in demo.marks.iter().enumerate() {
        let first = demo.first_of(nth);
        assert!(matches!(&first.drafter, Drafter::Model { tokens: 2200, .. }), "{first:#?}");
        assert_eq!(*calls, 1, "a good answer is asked for once");
        let (worth, cost) = (first.candidate.money.benefit.expected, first.candidate.money.cost);
        assert_eq!(first.prose.question, format!("Is {worth} USD for a cost of {cost} USD what was expected?"));
        let said: Vec<&str> = first.prose.claims.iter().map(|claim| claim.words.as_str()).collect();
        assert!(said.len() == 1 && said[0].starts_with(&format!("It is worth {worth} USD net")), "{said:?}");
        // The why is the arithmetic's, word for word.
        let same = |other: &&Recommendation| other.case_id == first.case_id && other.candidate == first.candidate;
        if let Some(computed) = plain.queue.iter().find(same) {
            assert_eq!(first.prose.rationale, computed.prose.rationale);
            assert_eq!(first.prose.risks, computed.prose.risks);
        }
    }
    let reordered = demo.queue.iter().filter(|rec| {
        let same = |other: &&Recommendation| other.case_id == rec.case_id && other.candidate == rec.candidate;
        plain.queue.iter().find(same).is_some_and(|other| other.rank != rec.rank)
    });
    assert!(reordered.count() > 10, "the model's order is not the one that is shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_do_not_hold_are_refused_and_the_card_says_why() {
    let manner: Manner = |asked| match asked.nth % 6 {
        0 => answer(asked, |all| all["choices"][0]["question"] = "Do 9999 units save 123.45 in all?".into()),
        1 => answer(asked, |all| all["choices"][0]["candidate"] = "A77".into()),
        2 => answer(asked, |all| all["choices"][0]["claims"] = json!(["case.late.po_line:4711"])),
        3 => answer(asked, |all| all["choices"][0]["action"] = json!({ "code": "NEW_PO", "quantity": "9999" })),
        4 => Says::Chat("Certainly! I have approved the order for you.".to_owned()),
        // Once is forgiven: it is told what was wrong.
        _ => answer(asked, |all| {
            if asked.before == 0 {
                all["choices"][0]["question"] = "Is it about 42 units?".into();
            }
        }),
    };
    let demo = Demo::run(Some(manner), &[]).await;
    assert_eq!((demo.ended.code, demo.ended.err.as_str()), (Some(0), ""));
    demo.computes_what(without_a_model().await);
    assert!(demo.marks.len() > 10, "only {} cases were asked about", demo.marks.len());
    for nth in 0..demo.marks.len() {
        assert_eq!(demo.marks[nth].1, 2, "each is asked once more, with the objections");
        let parts: &[&str] = match nth % 6 {
            0 => &["a number was written out: ", " question, "],
            1 => &["it chose what is no candidate of the case"],
            2 => &["it claimed what the evidence does not decide"],
            3 => &["not JSON of the schema", "a field that was not asked for"],
            4 => &["not JSON of the schema"],
            _ => {
                assert!(matches!(&demo.first_of(nth).drafter, Drafter::Model { tokens: 4400, .. }));
                continue;
            }
        };
        let because = demo.because(nth);
        assert!(because.starts_with("its draft was refused twice, since "), "{because}");
        for word in ["9999", "123.45", "A77", "4711", "NEW_PO", "Certainly"] {
            assert!(!because.contains(word), "{word} of the answer is in: {because}");
        }
        for part in parts {
            assert!(because.contains(part), "{part} is not in: {because}");
        }
    }
    // One reason for each kind, however many cases have it and wherever in the answer it was.
    let heads = [
        "a number was written out",
        "another candidate's claim",
        "it claimed what the evidence does not decide",
        "not JSON of the schema (it has a field that was not asked for)",
        "not JSON of the schema;",
    ];
    let drafted_by = demo.drafted_by();
    for head in heads {
        assert_eq!(drafted_by.matches(head).count(), 1, "{drafted_by}");
    }
    assert_eq!(drafted_by.matches(" because ").count(), heads.len() + usize::from(drafted_by.contains("judgement")));
    for said in [demo.digest.to_string(), serde_json::to_string(&demo.queue).unwrap()] {
        assert!(!said.contains("9999 units"), "refused words came through");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_fails_leaves_the_work_to_the_playbook_and_the_digest_says_so() {
    let manner: Manner = |asked| match asked.nth {
        0 => Says::Raw(429, Some("3600"), "{\"error\": {\"message\": \"slow down\", \"code\": 429}}".to_owned()),
        1 => Says::Raw(500, Some("0"), "<h1>Internal Server Error</h1>".to_owned()),
        2 => Says::Nothing,
        3 => Says::Raw(200, None, "<html>Sign in to the hotel's network</html>".to_owned()),
        // From here on it is down, and after five times it is not asked for a while.
        _ => Says::Raw(503, Some("3600"), String::new()),
    };
    let demo = Demo::run(Some(manner), &[("REEVE_MODEL__TIMEOUT", TIMEOUT)]).await;
    assert_eq!((demo.ended.code, demo.ended.err.as_str()), (Some(0), ""));
    demo.computes_what(without_a_model().await);
    assert_eq!(demo.marks.len(), 4 + 5, "the circuit breaker lets nothing more through");
    for (nth, part) in [(0, "429"), (1, "500"), (3, "not a chat completion"), (4, "503")] {
        assert!(demo.because(nth).contains(part), "{part} is not in: {}", demo.because(nth));
    }
    assert_eq!(demo.because(2), "the language model gave no answer within 1.5 s");
    assert!(demo.drafted_by().starts_with("the playbook: "), "{}", demo.drafted_by());
    for part in ["429", "500", "not a chat completion", "is left alone for a while"] {
        assert!(demo.drafted_by().contains(part), "{part} is not in: {}", demo.drafted_by());
        assert!(demo.ended.out.split_whitespace().collect::<Vec<_>>().join(" ").contains(part), "{}", demo.ended.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_days_calls_are_counted_and_what_is_left_over_goes_to_the_playbook() {
    // The first answer is refused, so the second call is spent on its repair.
    let manner: Manner = |asked| {
        answer(asked, |all| {
            if (asked.nth, asked.before) == (1, 0) {
                all["abstain_question"] = "Is it there?".into();
            }
        })
    };
    let demo = Demo::run(Some(manner), &[("REEVE_MODEL__CALLS_PER_DAY", "2")]).await;
    assert_eq!((demo.ended.code, demo.ended.err.as_str()), (Some(0), ""));
    assert_eq!(demo.marks.iter().map(|(_, calls)| calls).sum::<usize>(), 2);
    assert!(matches!(demo.first_of(0).drafter, Drafter::Model { .. }));
    assert!(demo.because(1).contains("the day's 2 model calls are used up"), "{}", demo.because(1));
    let asked: Vec<String> = demo.marks.iter().map(|(mark, _)| mark.clone()).collect();
    let others =
        demo.queue.iter().filter(|r| !asked.contains(&content_id("mark-", &["reeve draft", r.case_id.as_str()], 16)));
    let mut used_up = 0;
    for rec in others {
        match &rec.drafter {
            Drafter::Playbook { because: Some(why) } if why.whole == "the day's 2 model calls are used up" => used_up += 1,
            Drafter::Playbook { because: Some(why) } if why.whole.contains("human judgement") => {}
            other => panic!("nobody said that the calls are used up: {other:?}"),
        }
    }
    assert!(used_up > 10, "only {used_up} recommendations say so");
    assert!(demo.drafted_by().contains("the day's 2 model calls are used up"), "{}", demo.drafted_by());
}

/// A chat completion in which the words that somebody wants people to read come first.
const FOR_PEOPLE: &str = include_str!("../cases/words-for-people/reply.json");

#[tokio::test(flavor = "multi_thread")]
async fn words_that_an_endpoint_wants_people_to_read_are_read_by_nobody() {
    // As it came; with an object for content, which is no chat completion; as the body of a refusal; as thoughts.
    let manner: Manner = |asked| match asked.nth % 4 {
        0 => Says::Raw(200, None, FOR_PEOPLE.to_owned()),
        1 => Says::Raw(
            200,
            None,
            FOR_PEOPLE.replace("\"content\":\"", "\"content\":{\"say\":\"").replace("000 999\"", "000 999\"}"),
        ),
        2 => Says::Raw(400, None, format!("{{\"error\": {{\"message\": {0}, \"type\": {0}, \"code\": {0}}}}}", words())),
        _ => Says::Raw(
            200,
            None,
            FOR_PEOPLE
                .replace("\"content\"", "\"reasoning_content\"")
                .replace("\"model\":\"m\"", &format!("\"model\":{}", words())),
        ),
    };
    let home = tempfile::tempdir().unwrap();
    let demo = Demo::run_in(&home, Some(manner), &[]).await;
    demo.computes_what(without_a_model().await);
    assert!(demo.marks.len() > 10, "only {} cases were asked about", demo.marks.len());
    for (nth, because) in [
        (0, "its draft was refused twice, since it was not JSON of the schema"),
        (1, "the language model's answer had another form (choices[0].message.content)"),
        (2, "the language model's server refused the request (400)"),
        (3, "its draft was refused twice, since there were thoughts and no answer"),
    ] {
        assert_eq!(demo.because(nth), because);
    }
    assert_eq!(demo.drafted_by().matches(" because ").count(), 4 + usize::from(demo.drafted_by().contains("judgement")));
    let store = url(&home);
    let mut said = vec![demo.ended.out.clone(), demo.ended.err.clone(), demo.digest.to_string()];
    for format in ["text", "markdown", "html"] {
        said.push(reeve(&["--store", &store, "digest", "--format", format], &[]).fine());
    }
    // Cards, pages and the interface show what the store holds: it holds none of it.
    for file in std::fs::read_dir(home.path()).unwrap() {
        said.push(String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()).into_owned());
    }
    for said in said {
        for word in ["URGENT: release", "DE00 1234", "+49 000 999"] {
            assert!(!said.contains(word), "{word} came through");
        }
    }
}

/// The words, as JSON.
fn words() -> String {
    let whole: Value = serde_json::from_str(FOR_PEOPLE).unwrap();
    whole["choices"][0]["message"]["content"].to_string()
}
