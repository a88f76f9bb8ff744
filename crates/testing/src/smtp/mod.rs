//! A mail server with mailboxes: it holds whoever speaks to it to the order of commands, takes letters, and fails where it is told to.
//!
//! As most mailboxes do, it keeps a letter once whose Message-ID has come before ([`Smtp::kept`]); what came on the wire is in
//! [`Smtp::arrived`]. By itself it speaks in the open; it can offer STARTTLS, or speak TLS from the first byte on ([`Way`]), with a certificate that
//! [`CA_FILE`] signs.

mod talk;
mod tls;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// That it greets.
    Connect,
    /// To sign in.
    Auth,
    /// From whom.
    Mail,
    /// To whom.
    Rcpt,
    /// That a letter comes.
    Data,
    /// The end of the letter.
    Letter,
}

/// The file with the certificate of whoever signs for the server, in PEM.
pub const CA_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/smtp/tls/ca.pem");

/// How the way to the server is closed to others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Not at all.
    #[default]
    Open,
    /// When the other side asks for it.
    Starttls,
    /// From the first byte on.
    Tls,
}

/// How it fails, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It answers this: `450 try later`.
    Says(&'static str),
    /// It closes the connection. In the middle of a letter: with half of it read.
    Drop,
    /// It never answers.
    Hang,
    /// It does what it was asked, and closes the connection in place of an answer.
    LoseAnswer,
    /// It does what it was asked, and answers only after so long.
    Late(Duration),
}

/// A letter as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// As whom its sender had signed in; empty: not at all.
    pub user: String,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// Did it come on a way that was closed to others?
    pub encrypted: bool,
    /// Headers and body, with the dots of the wire taken out.
    pub text: String,
}

impl Arrived {
    /// A header's value, unfolded; empty where there is none.
    pub fn header(&self, name: &str) -> String {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let start = format!("{}:", name.to_lowercase());
        let found = head.split("\r\n").find(|line| line.to_lowercase().starts_with(&start));
        found.map(|line| line[start.len()..].trim().to_owned()).unwrap_or_default()
    }

    /// The text of all its parts with quoted-printable resolved, for looking for words.
    pub fn words(&self) -> String {
        let joined = self.text.replace("=\r\n", "");
        let mut bytes = Vec::new();
        let mut rest = joined.as_bytes();
        while let Some((first, after)) = rest.split_first() {
            let coded = (*first == b'=').then(|| after.get(..2)).flatten().and_then(|two| hex::decode(two).ok());
            if let Some(byte) = coded.and_then(|one| one.first().copied()) {
                bytes.push(byte);
                rest = &after[2..];
            } else {
                bytes.push(*first);
                rest = after;
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// What the server knows.
#[derive(Debug, Default)]
struct State {
    arrived: Vec<Arrived>,
    faults: BTreeMap<Verb, VecDeque<Fault>>,
    /// Addresses that it does not take.
    unknown: Vec<String>,
    /// The user and the password that it asks for; none: anybody may send.
    account: Option<(String, String)>,
    connections: usize,
}

/// A running server. It ends when dropped.
#[derive(Debug)]
pub struct Smtp {
    /// On which port of 127.0.0.1 it listens.
    pub port: u16,
    state: Arc<Mutex<State>>,
    /// Ended when it is dropped.
    _server: JoinSet<()>,
}

impl Smtp {
    /// Starts one that takes everything.
    ///
    /// # Panics
    /// When this machine has no free port.
    pub async fn start() -> Self {
        Self::start_by(Way::Open).await
    }

    /// The same with another way to it.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub async fn start_by(way: Way) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("this machine has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let mut server = JoinSet::new();
        server.spawn(async move {
            let mut talks = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                lock(&shared).connections += 1;
                talks.spawn(talk::talk(stream, way, Arc::clone(&shared)));
                while talks.try_join_next().is_some() {}
            }
        });
        Self { port, state, _server: server }
    }

    /// The next time that it is asked `verb` it fails so. Several are used up in turn.
    pub fn fail(&self, verb: Verb, fault: Fault) {
        lock(&self.state).faults.entry(verb).or_default().push_back(fault);
    }

    /// From now on it does what it is asked again.
    pub fn recover(&self) {
        lock(&self.state).faults.clear();
    }

    /// Faults that were not used up.
    pub fn faults_left(&self) -> usize {
        lock(&self.state).faults.values().map(VecDeque::len).sum()
    }

    /// From now on it does not take letters to `address`, or takes them again.
    pub fn knows(&self, address: &str, known: bool) {
        let mut state = lock(&self.state);
        state.unknown.retain(|other| other != address);
        if !known {
            state.unknown.push(address.to_owned());
        }
    }

    /// From now on only this account may send.
    pub fn ask_for(&self, user: &str, password: &str) {
        lock(&self.state).account = Some((user.to_owned(), password.to_owned()));
    }

    /// Every letter that it took, in the order in which they came.
    pub fn arrived(&self) -> Vec<Arrived> {
        lock(&self.state).arrived.clone()
    }

    /// What its mailboxes hold: of letters with one Message-ID to one address the first.
    pub fn kept(&self) -> Vec<Arrived> {
        let mut kept: Vec<Arrived> = Vec::new();
        for letter in self.arrived() {
            let same = |other: &Arrived| other.to == letter.to && other.header("Message-ID") == letter.header("Message-ID");
            if !kept.iter().any(same) {
                kept.push(letter);
            }
        }
        kept
    }

    /// How often somebody has connected.
    pub fn connections(&self) -> usize {
        lock(&self.state).connections
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
