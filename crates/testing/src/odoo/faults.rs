//! What goes wrong, by plan: at a certain request, at calls of a certain method, or always. And what a test does to the
//! server's rows between two requests.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::state::State;

/// A way in which a request goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429, with seconds in `Retry-After` or without.
    TooMany(Option<u64>),
    /// 502 of a proxy, as HTML.
    BadGateway,
    /// 503 of a proxy, with seconds in `Retry-After` or without.
    Unavailable(Option<u64>),
    /// No answer, ever.
    Hang,
    /// The connection ends in the middle of the body that was announced.
    Cut,
    /// A well-formed HTTP answer whose JSON stops in the middle.
    Truncated,
    /// The login page of a proxy or of Odoo's web client, with 200.
    LoginPage,
    /// The key or the session is not accepted this time.
    SessionLost,
    /// An error inside Odoo, with a traceback.
    ServerError,
    /// PostgreSQL gave up on two writers: an error that is gone when asked again.
    SerializationFailure,
}

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum When {
    /// At the n-th request from when it was planned, from 1.
    At(u64),
    /// At every n-th.
    Every(u64),
    /// At calls of a method (and a model, where one is named), this many times.
    Calls {
        method: String,
        model: Option<String>,
        times: u64,
    },
    Always,
}

type Deed = Box<dyn FnOnce(&mut State) + Send>;

#[derive(Default)]
struct Plan {
    requests: u64,
    faults: Vec<(When, Fault)>,
    deeds: Vec<(u64, Deed)>,
}

/// The plan of what goes wrong.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Plan>>);

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|plan| f.debug_struct("Faults").field("requests", &plan.requests).field("faults", &plan.faults).finish())
    }
}

impl Faults {
    fn with<T>(&self, of: impl FnOnce(&mut Plan) -> T) -> T {
        of(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// At the n-th request from now; 1 is the next.
    pub fn at(&self, nth: u64, fault: Fault) {
        self.with(|plan| plan.faults.push((When::At(plan.requests + nth), fault)));
    }

    /// At every n-th request.
    pub fn every(&self, nth: u64, fault: Fault) {
        self.with(|plan| plan.faults.push((When::Every(nth.max(1)), fault)));
    }

    /// At the next `times` calls of a method, of one model or of any.
    pub fn on(&self, method: &str, model: Option<&str>, times: u64, fault: Fault) {
        let when = When::Calls { method: method.to_owned(), model: model.map(str::to_owned), times };
        self.with(|plan| plan.faults.push((when, fault)));
    }

    /// At every request until [`Faults::clear`].
    pub fn always(&self, fault: Fault) {
        self.with(|plan| plan.faults.push((When::Always, fault)));
    }

    /// Nothing goes wrong from now on.
    pub fn clear(&self) {
        self.with(|plan| plan.faults.clear());
    }

    /// Does something to the server just before it answers the n-th request from now: what others do in the middle of a
    /// sync.
    pub fn before(&self, nth: u64, deed: impl FnOnce(&mut State) + Send + 'static) {
        self.with(|plan| plan.deeds.push((plan.requests + nth, Box::new(deed))));
    }

    /// How many requests came in so far.
    pub fn requests(&self) -> u64 {
        self.with(|plan| plan.requests)
    }

    /// Counts a request: what is done to the rows first, and how it goes wrong.
    pub fn strike(&self, model: &str, method: &str, state: &mut State) -> Option<Fault> {
        let (deeds, fault) = self.with(|plan| {
            plan.requests += 1;
            let now = plan.requests;
            let (due, later) = std::mem::take(&mut plan.deeds).into_iter().partition(|(at, _)| *at <= now);
            plan.deeds = later;
            let due: Vec<(u64, Deed)> = due;
            let hit = plan.faults.iter_mut().position(|(when, _)| match when {
                When::At(at) => *at == now,
                When::Every(nth) => now.is_multiple_of(*nth),
                When::Calls { method: of, model: at, times } => {
                    let hit = *times > 0 && of == method && at.as_deref().is_none_or(|at| at == model);
                    *times -= u64::from(hit);
                    hit
                }
                When::Always => true,
            });
            (due, hit.map(|at| plan.faults[at].1))
        });
        for (_, deed) in deeds {
            deed(state);
        }
        fault
    }
}
