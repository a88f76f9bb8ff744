//! `reeve serve`: stages, page and deliveries, until a signal. The first signal lets everything finish what it has begun;
//! a second one ends the process at once.
//!
//! Whoever has a sign-in link is that person, and what a daemon prints is kept in a journal that others read: links are
//! printed only to somebody who sits at this machine's terminal, and by the demo, whose people are made up.

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Outcome, duty, open};
use crate::app::App;
use crate::channels::web::LinkFor;
use crate::channels::{self, web};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::policy::Role;
use crate::worker;

/// How long stages may take to end after a signal.
const DRAIN: Duration = Duration::from_secs(20);

pub(super) async fn run(config: Config) -> anyhow::Result<Outcome> {
    // First of all: a second one that is started by mistake ends here, before it touches the store.
    let listener = listen(&config).await?;
    let app = Box::pin(open::app(config, Clock::System)).await?;
    if let Some(warning) = app.context.config.warning_of_samples() {
        tracing::warn!("{warning}");
    }
    let to_terminal = std::io::stdout().is_terminal();
    say_where(&app, &listener, |page| may_print_links(to_terminal, page).then_some(LinkFor::Person)).await?;
    until_stopped(app, listener).await
}

/// May a daemon print links by which anybody can sign in? Only where nobody reads along: on a terminal, for a page that is
/// open to this machine alone.
fn may_print_links(to_terminal: bool, page: SocketAddr) -> bool {
    to_terminal && page.ip().is_loopback()
}

/// Takes the page's address.
pub(super) async fn listen(config: &Config) -> anyhow::Result<TcpListener> {
    TcpListener::bind(&config.web.listen).await.with_context(|| {
        format!(
            "can not serve the page on {}: is another program (or another reeve) using the port? Set web.listen or \
             REEVE_WEB__LISTEN to a free address",
            config.web.listen
        )
    })
}

/// Prints the page's address, and how to sign in: a one-time link for each person who decides where `with_links` allows it,
/// else the command that makes one.
pub(super) async fn say_where(
    app: &App,
    listener: &TcpListener,
    with_links: impl FnOnce(SocketAddr) -> Option<LinkFor>,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let web = &app.context.config.web;
    if !address.ip().is_loopback() && web.base_url.is_empty() {
        tracing::warn!(
            "The page is open to the network on {address} and speaks plain HTTP: put a proxy with TLS before it and set \
             web.base_url to its https address (until then nobody can stay signed in), or set web.listen to 127.0.0.1"
        );
    }
    // The address may be one that was chosen at the start, so the configured one is not asked for the port.
    let base = if web.base_url.is_empty() { format!("http://{address}") } else { web.address() };
    if let Some(made_for) = with_links(address) {
        say!("\nThe queue is at {base}. Sign in with a link below; each works once, for half an hour.");
        let people = &app.context.config.people;
        for person in people.iter().filter(|p| p.roles.iter().any(|r| !matches!(r, Role::Viewer | Role::Admin))) {
            let link = web::sign_in_link(app.store(), &person.id, &app.context.clock, &base, made_for).await?;
            say!("  {:<14} {link}", person.name);
        }
    } else {
        say!(
            "\nThe queue is at {base}. To sign in, make a link with `reeve sign-in PERSON` and give it to that person only."
        );
    }
    say!("Stop with Ctrl-C.");
    Ok(())
}

/// Serves until a signal comes.
pub(super) async fn until_stopped(app: App, listener: TcpListener) -> anyhow::Result<Outcome> {
    let stop = CancellationToken::new();
    let wake = Arc::new(Notify::new());
    let tasks = TaskTracker::new();
    let context = &app.context;
    // These run in every process; the others only while this one is on duty.
    for stage in app.stages().into_iter().filter(|stage| !stage.is_for_one()) {
        let (store, clock) = (app.store().clone(), context.clock.clone());
        tasks.spawn(worker::drive(stage, store, clock, context.config.worker.period, Arc::clone(&wake), stop.clone()));
    }
    tasks.spawn(duty::work(app.clone(), Arc::clone(&wake), stop.clone()));
    let state = app.web();
    tasks.spawn(Arc::clone(&state.hooks).pass_on(app.store().clone(), Arc::clone(&wake), stop.clone()));
    tasks.spawn(channels::listen_to_chats(state.clone(), stop.clone()));
    let router = channels::router(state);
    let ended = stop.clone();
    let most = context.config.web.connections_max;
    tasks.spawn(channels::serve(listener, router, most, ended));
    tasks.close();
    signal().await?;
    tracing::info!("Stopping; a second signal ends at once");
    stop.cancel();
    tokio::select! {
        () = tasks.wait() => {}
        () = tokio::time::sleep(DRAIN) => tracing::warn!("Some work did not end in time; it will be taken up again at the next start"),
        _ = signal() => {}
    }
    context.store.close().await;
    Ok(Outcome::Fine)
}

/// Waits for Ctrl-C or, on Unix, a request to terminate.
async fn signal() -> anyhow::Result<()> {
    // Service managers end a process by this one.
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).context("listening for signals")?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done.context("listening for signals"),
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_printed_only_on_a_terminal_and_for_a_page_of_this_machine() {
        for (to_terminal, page, may) in [
            (true, "127.0.0.1:8087", true),
            (true, "[::1]:8087", true),
            (true, "0.0.0.0:8087", false),
            (true, "[::]:8087", false),
            (true, "192.168.1.4:8087", false),
            (false, "127.0.0.1:8087", false),
            (false, "[::1]:8087", false),
            (false, "0.0.0.0:8087", false),
        ] {
            assert_eq!(may_print_links(to_terminal, page.parse().unwrap()), may, "{to_terminal} {page}");
        }
    }
}
