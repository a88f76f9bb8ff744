//! A tenant of Microsoft Teams with a state of its own: the directory that gives tokens, the keys that sign, the connector that a bot
//! speaks to, and people who press buttons and write.
//!
//! It holds callers to the platform's contract: a token that it gave, conversations that the bot is in, sizes, what a card may hold. What goes
//! wrong there goes wrong here on demand ([`Fault`]).

mod connector;
mod keys;
mod limits;
mod people;
mod tokens;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub use self::limits::check_card;
pub use self::people::Signed;
pub use self::tokens::{Claims, Signer, token};
use crate::endpoint::{Endpoint, Says};

/// The bot's app.
pub const APP_ID: &str = "11111111-2222-3333-4444-555555555555";
/// Its secret.
pub const SECRET: &str = "holdout-client-secret";
/// The directory.
pub const TENANT: &str = "99999999-8888-7777-6666-555555555555";
/// What the bot is called in conversations.
pub const BOT: &str = "28:11111111-2222-3333-4444-555555555555";
/// The team, by its first channel.
pub const TEAM: &str = "19:general@thread.tacv2";
/// The channel that cards are shown in.
pub const CHANNEL: &str = "19:stock-approvals@thread.tacv2";
/// Who signs.
pub const ISSUER: &str = "https://api.botframework.com";

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429, with seconds to wait where they are said.
    TooMany(Option<u32>),
    /// Another status, without a word.
    Status(u16),
    /// A status with the connector's or the directory's word.
    Says(u16, &'static str),
    /// The connection is closed before anything is done.
    Drop,
    /// It is done, and the connection is closed before the answer.
    LoseAnswer,
    /// It is never answered.
    Hang,
}

/// A message in a conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// Where: of a channel with the thread.
    pub conversation: String,
    /// Its name there.
    pub id: String,
    /// What it is.
    pub activity: Value,
    /// How often it was changed.
    pub updates: usize,
}

impl Posted {
    /// The card that it shows; null where it shows none.
    pub fn card(&self) -> &Value {
        &self.activity["attachments"][0]["content"]
    }

    /// Everything that it shows, as one text to look in.
    pub fn shown(&self) -> String {
        format!("{} {}", self.activity["text"].as_str().unwrap_or_default(), self.card())
    }

    /// Its buttons whose verb begins with `start`, those under other buttons included.
    pub fn buttons(&self, start: &str) -> Vec<Value> {
        buttons(self.card(), start)
    }
}

/// The buttons of a card whose verb begins with `start`, those under other buttons included.
pub fn buttons(card: &Value, start: &str) -> Vec<Value> {
    let mut found = Vec::new();
    match card {
        Value::Object(map) => {
            if card["type"] == "Action.Execute" && card["verb"].as_str().is_some_and(|verb| verb.starts_with(start)) {
                found.push(card.clone());
            }
            // What is asked by itself is no button.
            found.extend(map.iter().filter(|(name, _)| *name != "refresh").flat_map(|(_, value)| buttons(value, start)));
        }
        Value::Array(all) => found.extend(all.iter().flat_map(|value| buttons(value, start))),
        _ => {}
    }
    found
}

/// What the tenant holds.
#[derive(Debug, Default)]
struct State {
    count: u64,
    url: String,
    posted: Vec<Posted>,
    /// Conversations that the bot is in, and with whom.
    talks: BTreeMap<String, String>,
    is_in_team: bool,
    tokens: BTreeSet<String>,
    calls: Vec<(String, Value)>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    /// Signers that the keys tell of.
    told: Vec<Signer>,
    /// Largest message that is taken.
    bytes_max: usize,
}

/// A running tenant. It ends when dropped.
#[derive(Debug)]
pub struct Teams {
    /// `http://127.0.0.1:1234`
    pub host: String,
    state: Arc<Mutex<State>>,
    _endpoint: Endpoint,
}

impl Teams {
    /// Starts one; the bot is in the team.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            is_in_team: true,
            told: vec![Signer::Teams, Signer::Elsewhere],
            bytes_max: 100_000,
            ..State::default()
        }));
        let kept = Arc::clone(&state);
        let endpoint = Endpoint::start(move |asked| {
            let says = connector::answer(&kept, &asked);
            async move {
                match says {
                    connector::Said::Now(says) => Some(says),
                    connector::Said::Nothing => None,
                    connector::Said::Never => std::future::pending::<Option<Says>>().await,
                }
            }
        })
        .await;
        lock(&state).url.clone_from(&endpoint.url);
        Self { host: endpoint.url.clone(), state, _endpoint: endpoint }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Where its connector is.
    pub fn service(&self) -> String {
        format!("{}/emea/", self.host)
    }

    /// Host and port, as an allow-list names them.
    pub fn authority(&self) -> &str {
        self.host.strip_prefix("http://").unwrap_or(&self.host)
    }

    /// The next call goes wrong, after those that are to already: `token`, `metadata`, `keys`, `begin`, `post` or `put`.
    pub fn fail(&self, call: &str, fault: Fault) {
        self.state().faults.entry(call.to_owned()).or_default().push_back(fault);
    }

    /// Faults that nobody has run into yet.
    pub fn faults_left(&self) -> usize {
        self.state().faults.values().map(VecDeque::len).sum()
    }

    /// What stands in the conversations, oldest first.
    pub fn posted(&self) -> Vec<Posted> {
        self.state().posted.clone()
    }

    /// Somebody deletes a message.
    pub fn delete(&self, id: &str) {
        self.state().posted.retain(|posted| posted.id != id);
    }

    /// The bot is taken out of the team, or added to it.
    pub fn put_in_team(&self, is_in: bool) {
        self.state().is_in_team = is_in;
    }

    /// The bodies of each call, whatever became of it.
    pub fn calls(&self, call: &str) -> Vec<Value> {
        self.state().calls.iter().filter(|(called, _)| called == call).map(|(_, body)| body.clone()).collect()
    }

    /// Which keys are told of from now on.
    pub fn tell_of(&self, signers: &[Signer]) {
        self.state().told = signers.to_vec();
    }

    /// Larger messages are refused from now on.
    pub fn take_at_most(&self, bytes: usize) {
        self.state().bytes_max = bytes;
    }

    /// Tokens that were given hold no longer.
    pub fn end_tokens(&self) {
        self.state().tokens.clear();
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
