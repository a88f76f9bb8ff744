//! A Slack workspace with a state of its own: the methods of the Web API that a bot uses, Socket Mode, and people who click.
//!
//! It holds callers to the platform's contract: tokens, limits of Block Kit, triggers that open one form once. What goes wrong there
//! goes wrong here on demand ([`Fault`]).

mod files;
mod limits;
mod methods;
mod people;
mod socket;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub use self::people::{Signed, signed_at};
pub use self::socket::Link;
use crate::endpoint::{Endpoint, Says};

/// The bot's token.
pub const BOT: &str = "xoxb-holdout";
/// The app-level token.
pub const APP: &str = "xapp-holdout";
/// What requests over HTTP are signed with.
pub const SECRET: &str = "holdout-signing-secret";
/// The workspace.
pub const TEAM: &str = "T000000001";
/// The app.
pub const APP_ID: &str = "A0HOLDOUT";
/// A channel that the bot is in.
pub const CHANNEL: &str = "C2EAF21CB2";
/// A channel that it is not in.
pub const ELSEWHERE: &str = "C0ELSEWHERE";

/// Would the platform take these blocks in a message?
///
/// # Errors
/// Says what is too much.
pub fn check_blocks(blocks: &[Value]) -> Result<(), String> {
    limits::check(blocks, limits::Surface::Message)
}

/// What goes wrong with one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429, with seconds to wait where they are said.
    TooMany(Option<u32>),
    /// Another status.
    Status(u16),
    /// `ok: false` with this word.
    Says(&'static str),
    /// The connection is closed before anything is done.
    Drop,
    /// It is done, and the connection is closed before the answer.
    LoseAnswer,
    /// It is never answered.
    Hang,
}

/// A message in a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// Where.
    pub channel: String,
    /// Its name there.
    pub ts: String,
    /// Its text.
    pub text: String,
    /// Its blocks.
    pub blocks: Vec<Value>,
    /// The data that it carries.
    pub metadata: Value,
    /// How often it was changed.
    pub updates: usize,
}

impl Posted {
    /// Everything that it shows, as one text to look in.
    pub fn shown(&self) -> String {
        format!("{} {}", self.text, Value::from(self.blocks.clone()))
    }

    /// The values of its buttons whose name begins with `start`.
    pub fn buttons(&self, start: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for block in &self.blocks {
            let elements = block["elements"].as_array().into_iter().flatten();
            for button in elements.chain([&block["accessory"]]) {
                let id = button["action_id"].as_str().unwrap_or_default();
                if id.starts_with(start) {
                    found.push((id.to_owned(), button["value"].as_str().unwrap_or_default().to_owned()));
                }
            }
        }
        found
    }
}

/// A file that was uploaded, or is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uploaded {
    /// Its name in the workspace.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// How long it was said to be.
    pub length: usize,
    /// What came.
    pub bytes: Vec<u8>,
    /// Has its upload been completed?
    pub complete: bool,
}

/// What the workspace holds.
#[derive(Debug, Default)]
struct State {
    now: i64,
    clicks: u64,
    posted: Vec<Posted>,
    files: Vec<Uploaded>,
    looks: usize,
    ephemeral: Vec<Value>,
    views: Vec<Value>,
    homes: BTreeMap<String, Value>,
    triggers: BTreeSet<String>,
    calls: Vec<(String, Value)>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    scopes: String,
    tickets: u64,
}

/// A running workspace. It ends when dropped.
#[derive(Debug)]
pub struct Slack {
    /// Where its Web API is: `http://127.0.0.1:1234/api`.
    pub api: String,
    /// Where answers to clicks go.
    pub host: String,
    state: Arc<Mutex<State>>,
    links: socket::Links,
    _endpoint: Endpoint,
}

impl Slack {
    /// Starts one.
    pub async fn start() -> Self {
        let state = Arc::new(Mutex::new(State {
            now: 1_795_407_327,
            scopes: "chat:write,commands,users:read,channels:read,channels:history,files:write".to_owned(),
            ..State::default()
        }));
        let links = socket::Links::start().await;
        let (kept, ws) = (Arc::clone(&state), links.url.clone());
        let endpoint = Endpoint::start(move |asked| {
            let says = methods::answer(&kept, &ws, &asked);
            async move {
                match says {
                    methods::Said::Now(says) => Some(says),
                    methods::Said::Nothing => None,
                    methods::Said::Never => std::future::pending::<Option<Says>>().await,
                }
            }
        })
        .await;
        Self { api: format!("{}/api", endpoint.url), host: endpoint.url.clone(), state, links, _endpoint: endpoint }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The next call of `method` goes wrong, after those that are to already.
    pub fn fail(&self, method: &str, fault: Fault) {
        self.state().faults.entry(method.to_owned()).or_default().push_back(fault);
    }

    /// Faults that nobody has run into yet.
    pub fn faults_left(&self) -> usize {
        self.state().faults.values().map(VecDeque::len).sum()
    }

    /// What stands in the channels, oldest first.
    pub fn posted(&self) -> Vec<Posted> {
        self.state().posted.clone()
    }

    /// The files that were uploaded or are to be, oldest first.
    pub fn files(&self) -> Vec<Uploaded> {
        self.state().files.clone()
    }

    /// The app's token holds these scopes from now on, divided by commas.
    pub fn grant(&self, scopes: &str) {
        scopes.clone_into(&mut self.state().scopes);
    }

    /// The next so many messages that show a file are refused: the workspace is still looking through it.
    pub fn look_through(&self, messages: usize) {
        self.state().looks = messages;
    }

    /// Somebody deletes a message.
    pub fn delete(&self, ts: &str) {
        self.state().posted.retain(|posted| posted.ts != ts);
    }

    /// What single people were told, oldest first.
    pub fn ephemeral(&self) -> Vec<Value> {
        self.state().ephemeral.clone()
    }

    /// The text of the newest of them; nothing where there is none.
    pub fn last_said(&self) -> String {
        self.ephemeral().last().and_then(|said| said["text"].as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// The forms that were opened, oldest first.
    pub fn views(&self) -> Vec<Value> {
        self.state().views.clone()
    }

    /// Somebody's own page.
    pub fn home(&self, user: &str) -> Option<Value> {
        self.state().homes.get(user).cloned()
    }

    /// The arguments of each call of `method`, whatever became of it.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        self.state().calls.iter().filter(|(called, _)| called == method).map(|(_, arguments)| arguments.clone()).collect()
    }

    /// The sockets that are open.
    pub fn links(&self) -> &socket::Links {
        &self.links
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
