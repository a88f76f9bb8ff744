//! People who decide, over HTTP and from the shell, whatever happens to the program they talk to: a click that was not answered
//! is made again, under its key, until it is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::ids::CaseId;
use reeve::people::{By, Identities};
use reeve::store::TokenOwner;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::receiver::Chance;
use super::shop::{Shop, reference, supplier};
use crate::support::binary::started;

/// Longest answer that is waited for; a daemon that is there answers in milliseconds.
const ANSWER: Duration = Duration::from_secs(20);

/// How a decision is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Over HTTP, by a person's token.
    Http(&'static str),
    /// By a command, which may be killed too.
    Shell,
    /// By a command, with an hour to take it back.
    Window,
}

/// What a case goes through in a round: who does what about which proposal.
type Script = &'static [(Way, &'static str, &'static str)];

const SCRIPTS: [Script; 6] = [
    &[(Way::Http("ari"), "approve", "BLOCK-BILL")],
    // What is rejected never leaves; something else of the case does.
    &[(Way::Http("ari"), "reject", "BLOCK-BILL"), (Way::Http("ari"), "approve", "CONTACT")],
    &[(Way::Shell, "approve", "BLOCK-BILL")],
    // Approved by mistake and taken back in time: nothing may leave in between.
    &[(Way::Window, "approve", "BLOCK-BILL"), (Way::Window, "undo", "")],
    // It takes two, and there is one; then there are two.
    &[(Way::Http("ari"), "approve", "REVERSE-DOC")],
    &[(Way::Http("ari"), "approve", "REVERSE-DOC"), (Way::Http("fay"), "approve", "REVERSE-DOC")],
];

/// One decision, as it is made each time until it is answered.
#[derive(Clone)]
struct Click {
    way: Way,
    verb: &'static str,
    recommendation: String,
    content: String,
    key: String,
    tries: u32,
}

/// How far a case has come.
#[derive(Default)]
struct Progress {
    case: Option<String>,
    round: u32,
    step: usize,
    /// The last decision that was answered.
    last: Option<Click>,
    unanswered: Option<Click>,
}

/// What was acknowledged to people.
#[derive(Default)]
pub(super) struct Acknowledged {
    /// By recommendation: verbs that were answered as done.
    pub(super) approved: BTreeSet<String>,
    pub(super) signed: BTreeSet<String>,
    pub(super) rejected: BTreeSet<String>,
    pub(super) undone: BTreeSet<String>,
    /// Answers that came only when a click was made again.
    pub(super) again: u32,
    /// Commands that were killed.
    pub(super) killed: u32,
}

/// The program has gone.
pub(super) struct Gone;

/// The people, and what they remember.
pub(super) struct People<'s> {
    shop: &'s Shop,
    tokens: BTreeMap<&'static str, String>,
    cases: Vec<Progress>,
    chance: Chance,
    made: u32,
    /// Rung when somebody decides: the other moment at which a kill hurts.
    pub(super) asked: Arc<Notify>,
    pub(super) told: Acknowledged,
}

impl<'s> People<'s> {
    pub(super) async fn new(shop: &'s Shop, bills: usize) -> Self {
        let config = Arc::new(Config::load_from(Some(&shop.config), &[]).unwrap());
        let mut tokens = BTreeMap::new();
        // Each under an account of their own at the machine: one user's two tokens would count as one person.
        for (person, user) in [("ari", "ari (uid 70001)"), ("fay", "fay (uid 70002)")] {
            let (store, config) = (shop.store.clone().opened_by(user), Arc::clone(&config));
            let identities = Identities { store, config, clock: Clock::System };
            let scopes = ["read:cases", "decide"].map(|scope| scope.parse().unwrap());
            let (owner, by) = (TokenOwner::Person(person.to_owned()), By { actor: "cli", channel: "cli" });
            tokens.insert(person, identities.new_token(owner, "test", &scopes, 30, by).await.unwrap().shown);
        }
        let cases = (0..bills).map(|_| Progress { round: 1, ..Progress::default() }).collect();
        Self { shop, tokens, cases, chance: Chance(23), made: 0, asked: Arc::default(), told: Acknowledged::default() }
    }

    /// Decides what there is to decide, at most `most` times. While `anew`, cases that are through are opened again.
    /// Answers how many cases are not through.
    pub(super) async fn work(&mut self, daemon: SocketAddr, most: u32, anew: bool) -> Result<usize, Gone> {
        self.find_cases(daemon).await?;
        let (mut made, mut left) = (0, 0);
        for n in 0..self.cases.len() {
            if made == most {
                return Ok(self.cases.len());
            }
            if self.script(n).get(self.cases[n].step).is_none() {
                if !anew {
                    continue;
                }
                self.reopen(n).await;
            }
            left += 1;
            made += u32::from(self.decide(daemon, n).await?);
        }
        Ok(left)
    }

    /// Where each case stands that is not at the end of its script.
    pub(super) async fn stand(&self) -> String {
        let mut all = String::new();
        for (n, one) in self.cases.iter().enumerate().filter(|(n, one)| self.script(*n).get(one.step).is_some()) {
            let Some(id) = &one.case else { continue };
            let id = CaseId::new(id.clone());
            let (case, recs) = (self.shop.store.get_case(&id).await, self.shop.store.list_recommendations(&id).await);
            let states = recs.map(|recs| recs.into_iter().map(|(rec, _)| (rec.id, rec.state)).collect::<Vec<_>>());
            let case = case.map(|case| (case.state, case.version));
            all.extend([format!("{id} (supplier {n}) at step {} of round {}: {case:?}, {states:?}; ", one.step, one.round)]);
        }
        all
    }

    /// How many decisions were answered.
    pub(super) fn made(&self) -> u32 {
        self.made
    }

    fn script(&self, n: usize) -> Script {
        SCRIPTS[(n + self.cases[n].round as usize) % SCRIPTS.len()]
    }

    async fn reopen(&mut self, n: usize) {
        let case = CaseId::new(self.cases[n].case.clone().unwrap());
        // First remembered, then done: done a second time it does no harm, and forgotten it would.
        let round = self.cases[n].round + 1;
        self.shop.reopen(&case, n, round).await;
        self.cases[n].round = round;
        (self.cases[n].step, self.cases[n].last) = (0, None);
    }

    async fn find_cases(&mut self, daemon: SocketAddr) -> Result<(), Gone> {
        if self.cases.iter().all(|c| c.case.is_some()) {
            return Ok(());
        }
        let (status, list) = self.get(daemon, "/api/v1/cases?state=all&type=F-DUPBILL&limit=200").await?;
        assert_eq!(status, 200, "{list}");
        for case in list["cases"].as_array().unwrap() {
            let place = (0..self.cases.len()).find(|n| case["subject"]["supplier"] == supplier(*n).as_str()).unwrap();
            self.cases[place].case = Some(case["id"].as_str().unwrap().to_owned());
        }
        Ok(())
    }

    /// Makes the next decision on a case, or the one before again. Answers whether it is made.
    async fn decide(&mut self, daemon: SocketAddr, n: usize) -> Result<bool, Gone> {
        let mut click = match self.cases[n].unanswered.take() {
            Some(click) => click,
            None => match self.next(daemon, n).await? {
                Some(click) => click,
                None => return Ok(false),
            },
        };
        click.tries += 1;
        self.cases[n].unanswered = Some(click.clone());
        self.asked.notify_one();
        let done = match click.way {
            Way::Http(person) => self.over_http(daemon, person, &click).await?,
            Way::Shell | Way::Window => self.by_command(&click).await?,
        };
        self.cases[n].unanswered = None;
        if let Some(state) = &done {
            self.made += 1;
            self.told.again += u32::from(click.tries > 1);
            let script = self.script(n);
            let (side, step) = match (state.as_str(), click.way) {
                // Facts that changed in between make a first signature void: then this is the first.
                ("signed", Way::Http("fay")) => (&mut self.told.signed, 0),
                ("signed", _) => (&mut self.told.signed, 1),
                // The second signature, whoever gave it.
                ("approved", Way::Http(_)) => (&mut self.told.approved, script.len()),
                ("approved", _) => (&mut self.told.approved, self.cases[n].step + 1),
                ("rejected", _) => (&mut self.told.rejected, self.cases[n].step + 1),
                ("undone", _) => (&mut self.told.undone, self.cases[n].step + 1),
                (other, _) => panic!("{} of {}: answered {other}", click.verb, click.recommendation),
            };
            side.insert(click.recommendation.clone());
            self.cases[n].step = step;
            self.cases[n].last = Some(click);
        }
        Ok(done.is_some())
    }

    /// The next decision of a case's script, if what it is about is proposed by now.
    async fn next(&mut self, daemon: SocketAddr, n: usize) -> Result<Option<Click>, Gone> {
        let (way, verb, action) = self.script(n)[self.cases[n].step];
        let key = format!("{n}-{}-{}", self.cases[n].round, self.cases[n].step);
        if verb == "undo" {
            let last = self.cases[n].last.clone().unwrap();
            return Ok(Some(Click { way, verb, key, tries: 0, ..last }));
        }
        let Some(case) = &self.cases[n].case else { return Ok(None) };
        let (status, shown) = self.get(daemon, &format!("/api/v1/cases/{case}")).await?;
        assert_eq!(status, 200, "{shown}");
        // Drafted on what the records say in this round?
        let facts = shown["evidence"]["facts"].as_array().map_or(&[][..], |all| all);
        let said = reference(self.cases[n].round);
        if !facts.iter().any(|f| f["value"].as_str().unwrap().contains(&said)) {
            return Ok(None);
        }
        let hash = &shown["evidence"]["hash"];
        let cards = shown["cards"].as_array().unwrap();
        let card = cards.iter().find(|c| c["waiting"] == true && c["action"] == action && c["evidence_hash"] == *hash);
        let text = |card: &Value, name: &str| card[name].as_str().unwrap().to_owned();
        Ok(card.map(|card| Click {
            way,
            verb,
            recommendation: text(card, "recommendation"),
            content: text(card, "content_hash"),
            key: format!("{key}-{}", text(card, "recommendation")),
            tries: 0,
        }))
    }

    async fn over_http(&mut self, daemon: SocketAddr, person: &str, click: &Click) -> Result<Option<String>, Gone> {
        let decision = match click.verb {
            "reject" => json!({ "verb": "reject", "reason": "wrong-quantity" }),
            verb => json!({ "verb": verb }),
        };
        let body = json!({ "recommendation": click.recommendation, "content_hash": click.content, "decision": decision });
        // The key is the person's own name for the decision: made again, it is the same one.
        let headers = format!("Idempotency-Key: {}\r\nContent-Type: application/json\r\n", click.key);
        let token = &self.tokens[person];
        let (status, answer) = call(daemon, "POST", "/api/v1/decisions", token, &headers, &body.to_string()).await?;
        if status == 200 {
            let state = answer["state"].as_str().unwrap().to_owned();
            if self.chance.below(5) == 0 {
                let again = call(daemon, "POST", "/api/v1/decisions", token, &headers, &body.to_string()).await?;
                assert_eq!(again, (200, answer), "the same decision again is answered the same");
            }
            return Ok(Some(state));
        }
        assert_eq!(status, 409, "{answer}");
        assert!(!self.stands(click).await, "{} stands and is refused: {answer}", click.key);
        Ok(None)
    }

    async fn by_command(&mut self, click: &Click) -> Result<Option<String>, Gone> {
        let config = if click.way == Way::Window { &self.shop.window } else { &self.shop.config };
        let arguments = ["--config", config.to_str().unwrap(), "queue", click.verb, &click.recommendation];
        let who = ["--as", "ari", "--content", &click.content];
        let mut command = started(&[&arguments[..], &who[..]].concat(), &self.shop.log);
        if self.chance.below(3) == 0 {
            tokio::time::sleep(Duration::from_millis(self.chance.below(120))).await;
            if command.try_wait().unwrap().is_none() {
                self.told.killed += 1;
                drop(command);
                return Err(Gone);
            }
        }
        let ended = loop {
            match command.try_wait().unwrap() {
                Some(ended) => break ended,
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        // A command has no key that outlives it: that it was done already is an answer too.
        let done = ended.success() || (click.tries > 1 && self.stands(click).await);
        Ok(done.then(|| if click.verb == "undo" { "undone" } else { "approved" }.to_owned()))
    }

    /// Is it in the audit log?
    async fn stands(&self, click: &Click) -> bool {
        let log = self.shop.store.list_audit_of(&format!("recommendation:{}", click.recommendation)).await.unwrap();
        let names: &[&str] = match click.verb {
            "approve" => &["recommendation.approved", "recommendation.signed"],
            "reject" => &["recommendation.rejected"],
            _ => &["recommendation.undone"],
        };
        let who = if click.way == Way::Http("fay") { "fay" } else { "ari" };
        log.iter().any(|e| names.contains(&&*e.entry.action) && e.entry.actor == who)
    }

    async fn get(&self, daemon: SocketAddr, path: &str) -> Result<(u16, Value), Gone> {
        call(daemon, "GET", path, &self.tokens["ari"], "", "").await
    }
}

/// One call, answered whole or not at all.
async fn call(
    to: SocketAddr,
    method: &str,
    path: &str,
    token: &str,
    headers: &str,
    body: &str,
) -> Result<(u16, Value), Gone> {
    let text = format!(
        "{method} {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{headers}\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let exchange = async {
        let mut stream = TcpStream::connect(to).await.ok()?;
        stream.write_all(text.as_bytes()).await.ok()?;
        let mut raw = Vec::new();
        stream.read_to_end(&mut raw).await.ok()?;
        let raw = String::from_utf8(raw).ok()?;
        let (head, body) = raw.split_once("\r\n\r\n")?;
        let status: u16 = head.split(' ').nth(1)?.parse().ok()?;
        // Cut off in the middle it is no answer.
        Some((status, serde_json::from_str(body).ok()?))
    };
    let answer = tokio::time::timeout(ANSWER, exchange).await.expect("a daemon that runs answers");
    match answer {
        // Too much at once, or just stopping: the same as no answer.
        Some((503, _)) | None => Err(Gone),
        Some(answer) => Ok(answer),
    }
}
