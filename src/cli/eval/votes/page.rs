//! The page on which people vote: one pair at a time, served to this machine only, at an address that nobody can guess.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Router, serve as serve_router};
use clap::Args;
use serde::Deserialize;

use super::Asked;
use crate::cli::Outcome;
use crate::ports::is_loopback;
use crate::suites::votes::{Choice, Draft, Pair};

/// Where.
#[derive(Debug, Args)]
pub(in crate::cli) struct Page {
    #[command(flatten)]
    asked: Asked,
    /// Address of this machine to listen on; port 0 takes any that is free.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// Longest remark, in bytes.
const WORDS_MAX: usize = 2000;

struct Served {
    asked: Asked,
    path: String,
}

/// What the form sends.
#[derive(Deserialize)]
struct Sent {
    pair: String,
    choice: String,
    #[serde(default)]
    words: String,
}

pub(super) async fn serve(page: &Page) -> anyhow::Result<Outcome> {
    anyhow::ensure!(page.listen.ip().is_loopback(), "--listen {}: votes are collected on this machine only", page.listen);
    let mut secret = [0_u8; 16];
    getrandom::fill(&mut secret).map_err(|error| anyhow::anyhow!("the machine gives no randomness: {error}"))?;
    let path = format!("/{}", crate::suites::baseline::hex(&secret));
    let Asked { first, second, by, votes } = &page.asked;
    let asked = Asked { first: first.clone(), second: second.clone(), by: by.clone(), votes: votes.clone() };
    // What is missing is said before anybody opens a page.
    asked.open()?;
    let listener =
        tokio::net::TcpListener::bind(page.listen).await.with_context(|| format!("can not listen on {}", page.listen))?;
    say!("Vote at http://{}{path} (Ctrl-C ends it).", listener.local_addr().context("where it listens")?);
    let router = Router::new().route(&path, get(show).post(take)).with_state(Arc::new(Served { asked, path }));
    let ended = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!("Ctrl-C can not be heard ({error}); end it by its process");
            std::future::pending::<()>().await;
        }
    };
    serve_router(listener, router).with_graceful_shutdown(ended).await.context("serving the page")?;
    Ok(Outcome::Fine)
}

/// A page of another site that a browser has open must not reach this one by a name of its own.
fn is_ours(headers: &HeaderMap) -> bool {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).is_some_and(is_loopback)
}

async fn show(State(served): State<Arc<Served>>, headers: HeaderMap) -> Response {
    if !is_ours(&headers) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match served.asked.open() {
        Ok(open) => {
            let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'";
            ([(header::CONTENT_SECURITY_POLICY, policy)], Html(text(open.first(), open.len(), &served.path))).into_response()
        }
        Err(error) => failed(&error),
    }
}

async fn take(State(served): State<Arc<Served>>, headers: HeaderMap, Form(sent): Form<Sent>) -> Response {
    if !is_ours(&headers) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let kept = served.asked.open().and_then(|open| {
        // A pair on which this person has voted is not open: a second press of the button is no second vote.
        let Some(pair) = open.iter().find(|pair| pair.id == sent.pair) else { return Ok(true) };
        let choice = match sent.choice.as_str() {
            "upper" => pair.choice(true),
            "lower" => pair.choice(false),
            "same" => Choice::Same,
            _ => return Ok(false),
        };
        let words = &sent.words[..sent.words.floor_char_boundary(WORDS_MAX)];
        served.asked.keep(pair, choice, words).map(|()| true)
    });
    match kept {
        Ok(true) => Redirect::to(&served.path).into_response(),
        Ok(false) => StatusCode::BAD_REQUEST.into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> Response {
    tracing::error!("A vote can not be kept: {error:#}");
    (StatusCode::INTERNAL_SERVER_ERROR, "The votes can not be read or written; see the terminal.").into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn text(pair: Option<&Pair>, left: usize, path: &str) -> String {
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Which draft?</title><style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}fieldset{margin:1rem 0;border:1px solid #888;border-radius:6px}button{font:inherit;padding:.5rem 1rem}</style></head><body>\n",
    );
    let Some(pair) = pair else {
        out.push_str("<h1>Thank you</h1><p>There is no pair left on which you have not voted.</p></body></html>\n");
        return out;
    };
    let (upper, lower) = if pair.is_swapped() { (&pair.second, &pair.first) } else { (&pair.first, &pair.second) };
    let _ = write!(
        out,
        "<h1>Which would you rather be given?</h1><p>{left} pairs are left.</p><p><b>{}</b></p><form method=\"post\" action=\"{path}\"><input type=\"hidden\" name=\"pair\" value=\"{}\">",
        escaped(&pair.first.headline),
        escaped(&pair.id)
    );
    out.push_str(&side("Upper", upper));
    out.push_str(&side("Lower", lower));
    for (value, label) in [("upper", "The upper one"), ("lower", "The lower one"), ("same", "The same to me")] {
        let _ = write!(out, "<label><input type=\"radio\" name=\"choice\" value=\"{value}\" required> {label}</label><br>");
    }
    out.push_str("<p><label>Why, if you like<br><textarea name=\"words\" rows=\"3\" cols=\"70\" maxlength=\"2000\"></textarea></label></p><button>Vote</button></form></body></html>\n");
    out
}

fn side(name: &str, draft: &Draft) -> String {
    let message =
        if draft.message.is_empty() { String::new() } else { format!("<p><i>Message:</i> {}</p>", escaped(&draft.message)) };
    format!(
        "<fieldset><legend>{name}</legend><p><b>{}</b></p><p>{}</p><p><i>Risks:</i> {}</p>{message}</fieldset>\n",
        escaped(&draft.action),
        escaped(&draft.rationale),
        escaped(&draft.risks)
    )
}
