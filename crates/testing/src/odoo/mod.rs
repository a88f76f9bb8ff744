//! `FakeOdoo`: a server with state that answers as the recorded Odoo 17, 18 and 19 do: over `/jsonrpc`, and 19 over `/json/2`
//! too. Tests fill it, change it while it is read, and make it fail; [`FakeOdoo::traffic`] tells what it was asked.
//!
//! It runs on a thread and a runtime of its own, so that neither a paused clock nor a busy test holds it up. Its own clock
//! stands still until it is set. What it does not do: compute fields (totals, states follow from nothing), keep one2many
//! lists in step with their other side, translate.

#![allow(dead_code, unused_imports, reason = "the tests and the program that runs it alone use different parts")]

mod access;
mod calls;
mod cell;
pub mod companies;
mod domain;
mod fail;
mod faults;
mod generated;
mod grouping;
mod json2;
mod jsonrpc;
mod purchases;
mod recording;
mod sales;
mod schema;
mod search;
mod server;
mod state;
pub mod tills;
mod wire;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;

use axum::Router;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use faults::{Fault, Faults};
pub use generated::Size;
pub use server::Call;
pub use state::{State, Transaction};

/// The versions that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// As 18, without `has_access`.
    V17,
    /// JSON-RPC.
    V18,
    /// JSON-2, and JSON-RPC.
    V19,
}

/// What the server is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seed {
    /// Nothing but the reading user.
    Empty,
    /// The bundled recording.
    Recording,
    /// A large made-up retailer.
    Generated(Size),
    /// Two companies with a currency each ([`companies`]).
    Companies,
}

/// The server. It stops when it is dropped.
#[derive(Debug)]
pub struct FakeOdoo {
    shared: server::Shared,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
}

impl FakeOdoo {
    /// Starts on a free port.
    pub async fn start(seed: Seed, version: Version) -> Self {
        Self::start_on(0, seed, version).await
    }

    /// Starts on a port of this machine.
    ///
    /// # Panics
    /// When the port is taken.
    pub async fn start_on(port: u16, seed: Seed, version: Version) -> Self {
        let (started, starting) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        thread::spawn(move || serve(port, seed, version, started, stopped));
        let (shared, address) = starting.await.expect("the fake starts");
        Self { shared, address, stop: Some(stop) }
    }

    /// `http://127.0.0.1:1234`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The one database.
    pub fn database(&self) -> String {
        self.with(|state| state.database.clone())
    }

    /// The login of the user who may only read.
    pub fn user(&self) -> String {
        self.with_reader(|user| user.login.clone())
    }

    /// The key of that user.
    pub fn key(&self) -> String {
        self.with_reader(|user| user.key.clone())
    }

    /// The login and the key of a user who may write everything.
    pub fn administrator(&self) -> (String, String) {
        self.with(|state| (state.users[0].login.clone(), state.users[0].key.clone()))
    }

    /// Looks at the state or changes it, in one go: no request is answered meanwhile.
    pub fn with<T>(&self, of: impl FnOnce(&mut State) -> T) -> T {
        of(&mut self.shared.state())
    }

    /// Makes a row, stamped now. Its id.
    pub fn create(&self, model: &str, values: &Value) -> i64 {
        self.with(|state| state.create(model, values))
    }

    /// Changes a row, stamped now.
    pub fn write(&self, model: &str, id: i64, values: &Value) {
        self.with(|state| state.write(model, id, values));
    }

    /// Deletes a row.
    pub fn unlink(&self, model: &str, id: i64) {
        self.with(|state| state.unlink(model, id));
    }

    /// Archives a row.
    pub fn archive(&self, model: &str, id: i64) {
        self.with(|state| state.archive(model, id));
    }

    /// Begins a transaction that others do not see until it is committed.
    pub fn begin(&self) -> Transaction {
        self.with(|state| Transaction::begin(state))
    }

    /// Ends a transaction.
    pub fn commit(&self, transaction: Transaction) {
        self.with(|state| transaction.commit(state));
    }

    /// Moves the server's clock.
    pub fn set_now(&self, at: jiff::Timestamp) {
        self.with(|state| state.set_now(at));
    }

    /// Moves every date and time of the server, its clock too, by whole days.
    pub fn move_days(&self, days: i64) {
        self.with(|state| recording::move_days(state, days));
    }

    /// What the server's clock shows.
    pub fn now(&self) -> jiff::Timestamp {
        self.with(|state| state.now())
    }

    /// Lets time pass on the server.
    pub fn advance(&self, by: std::time::Duration) {
        self.with(|state| state.advance(by));
    }

    /// The rows of a model by id, archived ones included, references as bare ids.
    pub fn rows(&self, model: &str) -> BTreeMap<i64, BTreeMap<String, Value>> {
        self.with(|state| state.rows(model))
    }

    /// Grants the reader a right on a model (`read`, `write`, `create`, `unlink`) or takes it away.
    pub fn set_right(&self, model: &str, right: &str, may: bool) {
        assert!(access::RIGHTS.contains(&right), "{right} is no right");
        self.with_reader(|user| {
            user.rights.insert((model.to_owned(), right.to_owned()), may);
        });
    }

    /// Grants the reader write, create and unlink on a model by its groups and refuses them by a record rule: so does a
    /// read-only user who is an internal user. Only a question about rows tells.
    pub fn refuse_by_rule(&self, model: &str) {
        self.with_reader(|user| {
            for right in ["write", "create", "unlink"] {
                user.rights.insert((model.to_owned(), right.to_owned()), true);
                user.ruled.insert((model.to_owned(), right.to_owned()));
            }
        });
    }

    /// Installs the point of sale.
    pub fn install_point_of_sale(&self) {
        self.with(State::install_point_of_sale);
    }

    /// Hides a field from the reader, as a field's groups do.
    pub fn hide_field(&self, model: &str, field: &str) {
        self.with_reader(|user| {
            user.hidden.insert((model.to_owned(), field.to_owned()));
        });
    }

    /// Ends the reader's key, or makes it valid again.
    pub fn set_key_valid(&self, valid: bool) {
        self.with_reader(|user| user.key_valid = valid);
    }

    /// Gives the reader these companies, the main one first.
    pub fn set_companies(&self, companies: &[i64]) {
        self.with_reader(|user| companies.clone_into(&mut user.companies));
    }

    fn with_reader<T>(&self, of: impl FnOnce(&mut access::User) -> T) -> T {
        self.with(|state| of(state.users.iter_mut().find(|user| user.uid == access::READER).expect("there is a reader")))
    }

    /// Serves other databases too: JSON-2 must name the one it means, and `db.list` is closed, as on a careful host.
    pub fn hide_databases(&self) {
        self.with(|state| (state.many_databases, state.lists_databases) = (true, false));
    }

    /// The plan of what goes wrong.
    pub fn faults(&self) -> Faults {
        self.shared.faults.clone()
    }

    /// Every request so far, in order.
    pub fn traffic(&self) -> Vec<Call> {
        self.shared.calls().clone()
    }

    /// Forgets the requests so far.
    pub fn forget_traffic(&self) {
        self.shared.calls().clear();
    }

    /// The requests so far that were no reads.
    pub fn writes_seen(&self) -> Vec<Call> {
        self.shared.calls().iter().filter(|call| !call.is_read()).cloned().collect()
    }
}

impl Drop for FakeOdoo {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens any more when the server ended by itself.
            let _ = stop.send(());
        }
    }
}

/// Fills the state, says where it is, serves until it is told to stop.
fn serve(
    port: u16,
    seed: Seed,
    version: Version,
    started: oneshot::Sender<(server::Shared, SocketAddr)>,
    stopped: oneshot::Receiver<()>,
) {
    let mut state = State::new(version);
    match seed {
        Seed::Empty => state.now = cell::parse_time("2026-11-01 12:00:00").expect("a time"),
        Seed::Recording => recording::seed(&mut state),
        Seed::Generated(size) => generated::seed(&mut state, size),
        Seed::Companies => {
            state.now = cell::parse_time("2026-11-01 18:00:00").expect("a time");
            companies::seed(&mut state);
        }
    }
    let shared = server::Shared {
        state: Arc::new(Mutex::new(state)),
        traffic: Arc::new(Mutex::new(Vec::new())),
        faults: Faults::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    runtime.block_on(async move {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let seen = shared.clone();
        let router = Router::new().fallback(move |fuse, method, uri, headers, body| {
            server::handle(seen.clone(), fuse, method, uri, headers, body)
        });
        let service = router.into_make_service_with_connect_info::<wire::Fuse>();
        drop(started.send((shared, address)));
        tokio::select! {
            _ = axum::serve(wire::Wires(listener), service) => {}
            _ = stopped => {}
        }
    });
}
