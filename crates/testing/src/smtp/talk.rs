//! One conversation with the mail server, by RFC 5321: what may be said when, and what is answered.

use std::io;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::tls::encrypted;
use super::{Arrived, Fault, State, Verb, Way, lock};

/// Longest letter, in bytes.
const LETTER_MAX: usize = 20_000_000;

/// Whether the conversation goes on.
type Goes = io::Result<bool>;

/// What is talked over.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

struct Talk {
    /// Taken only while it is being closed to others.
    stream: Option<BufReader<Box<dyn Wire>>>,
    offers_tls: bool,
    encrypted: bool,
    state: Arc<Mutex<State>>,
    user: String,
    from: Option<String>,
    to: Option<String>,
}

/// Talks until the other side has had enough, or a fault ends it.
pub(super) async fn talk(stream: TcpStream, way: Way, state: Arc<Mutex<State>>) {
    let wire: Box<dyn Wire> = match way {
        Way::Open | Way::Starttls => Box::new(stream),
        // Who does not speak it, or does not believe the certificate, has gone.
        Way::Tls => match encrypted(Box::new(stream)).await {
            Ok(wire) => wire,
            Err(_) => return,
        },
    };
    let mut talk = Talk {
        stream: Some(BufReader::new(wire)),
        offers_tls: way == Way::Starttls,
        encrypted: way == Way::Tls,
        state,
        user: String::new(),
        from: None,
        to: None,
    };
    let begun = talk.answer(Verb::Connect, "220 mail.example.com ready").await;
    let mut goes = begun;
    while let Ok(true) = goes {
        goes = talk.next().await;
    }
}

impl Talk {
    async fn next(&mut self) -> Goes {
        let mut line = String::new();
        if self.wire()?.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        let upper = line.to_uppercase();
        let wants_account = lock(&self.state).account.is_some();
        if upper.starts_with("EHLO ") {
            let auth = if wants_account { "250-AUTH PLAIN LOGIN\r\n" } else { "" };
            let tls = if self.offers_tls && !self.encrypted { "250-STARTTLS\r\n" } else { "" };
            return self.say(&format!("250-mail.example.com\r\n{auth}{tls}250 8BITMIME")).await;
        }
        if upper == "STARTTLS" && self.offers_tls && !self.encrypted {
            self.say("220 2.0.0 go on").await?;
            // What was read ahead is dropped with the buffer: nothing that was said in the clear may count behind the
            // handshake.
            let wire = self.stream.take().ok_or(io::ErrorKind::NotConnected)?.into_inner();
            self.stream = Some(BufReader::new(encrypted(wire).await?));
            self.encrypted = true;
            return Ok(true);
        }
        if let Some(said) = line.strip_prefix("AUTH PLAIN ") {
            return self.sign_in(said).await;
        }
        if upper == "NOOP" || upper == "RSET" {
            (self.from, self.to) = (None, None);
            return self.say("250 ok").await;
        }
        if upper == "QUIT" {
            self.say("221 bye").await?;
            return Ok(false);
        }
        if let Some(address) = between(&line, "MAIL FROM:<") {
            if wants_account && self.user.is_empty() {
                return self.say("530 5.7.0 sign in first").await;
            }
            if self.from.is_some() {
                return self.say("503 5.5.1 one letter at a time").await;
            }
            self.from = Some(address);
            return self.answer(Verb::Mail, "250 2.1.0 ok").await;
        }
        if let Some(address) = between(&line, "RCPT TO:<") {
            if self.from.is_none() {
                return self.say("503 5.5.1 from whom?").await;
            }
            if lock(&self.state).unknown.contains(&address) {
                return self.say("550 5.1.1 no such mailbox here").await;
            }
            self.to = Some(address);
            return self.answer(Verb::Rcpt, "250 2.1.5 ok").await;
        }
        if upper == "DATA" {
            if self.to.is_none() {
                return self.say("503 5.5.1 to whom?").await;
            }
            let goes = self.answer(Verb::Data, "354 go on").await?;
            // A refusal is none that a letter follows.
            return if goes && self.to.is_some() { self.letter().await } else { Ok(goes) };
        }
        self.say("500 5.5.2 what?").await
    }

    async fn letter(&mut self) -> Goes {
        let fault = self.fault(Verb::Letter);
        let mut text = String::new();
        loop {
            let mut line = String::new();
            if self.wire()?.read_line(&mut line).await? == 0 || text.len() > LETTER_MAX {
                return Ok(false);
            }
            if fault == Some(Fault::Drop) {
                return Ok(false);
            }
            if line == ".\r\n" {
                break;
            }
            // A line that begins with a dot was sent with another one before it.
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
        let (from, to) = (self.from.take().unwrap_or_default(), self.to.take().unwrap_or_default());
        match fault {
            Some(Fault::Says(refusal)) => return self.say(refusal).await,
            Some(Fault::Hang) => return hang().await,
            Some(Fault::Drop | Fault::LoseAnswer | Fault::Late(_)) | None => {}
        }
        let number = {
            let mut state = lock(&self.state);
            state.arrived.push(Arrived { user: self.user.clone(), from, to, encrypted: self.encrypted, text });
            state.arrived.len()
        };
        match fault {
            Some(Fault::LoseAnswer) => return Ok(false),
            Some(Fault::Late(passed)) => tokio::time::sleep(passed).await,
            _ => {}
        }
        self.say(&format!("250 2.0.0 queued as Q{number}")).await
    }

    async fn sign_in(&mut self, said: &str) -> Goes {
        let said = STANDARD.decode(said).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
        let mut parts = said.split('\0').skip(1);
        let (user, password) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let account = lock(&self.state).account.clone();
        if account.as_ref().is_none_or(|(known, secret)| known != user || secret != password) {
            return self.say("535 5.7.8 wrong user or password").await;
        }
        user.clone_into(&mut self.user);
        self.answer(Verb::Auth, "235 2.7.0 welcome").await
    }

    /// Answers, or fails as it was told to. What is refused was not asked.
    async fn answer(&mut self, verb: Verb, answer: &str) -> Goes {
        match self.fault(verb) {
            None => self.say(answer).await,
            Some(Fault::Says(refusal)) => {
                match verb {
                    Verb::Mail => self.from = None,
                    Verb::Rcpt | Verb::Data => self.to = None,
                    Verb::Connect | Verb::Auth | Verb::Letter => {}
                }
                self.say(refusal).await
            }
            Some(Fault::Hang) => hang().await,
            Some(Fault::Late(passed)) => {
                tokio::time::sleep(passed).await;
                self.say(answer).await
            }
            Some(Fault::Drop | Fault::LoseAnswer) => Ok(false),
        }
    }

    fn wire(&mut self) -> io::Result<&mut BufReader<Box<dyn Wire>>> {
        Ok(self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?)
    }

    fn fault(&self, verb: Verb) -> Option<Fault> {
        lock(&self.state).faults.get_mut(&verb)?.pop_front()
    }

    async fn say(&mut self, answer: &str) -> Goes {
        let wire = self.wire()?;
        wire.write_all(format!("{answer}\r\n").as_bytes()).await?;
        wire.flush().await?;
        Ok(true)
    }
}

/// Says nothing any more. Whoever waits has to have had enough by themselves.
async fn hang() -> Goes {
    std::future::pending().await
}

/// What stands between `start` and the next `>`.
fn between(line: &str, start: &str) -> Option<String> {
    let rest = line.get(..start.len()).filter(|head| head.eq_ignore_ascii_case(start)).map(|_| &line[start.len()..])?;
    rest.split_once('>').map(|(address, _)| address.to_owned())
}
