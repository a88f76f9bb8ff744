//! Of several processes on one store one is on duty: it runs the stages that are one piece of work. The others wait, ask now and
//! then, and take over when its lease has run out, when it goes, or at once where they know that it has ended.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::process::{is_dead, own};
use crate::store::{Duty, OnDuty, Store, StoreError};

/// The duty of all stages but delivery. They are one: each goes by what the one before it has written, and they share what is
/// in memory of the moment.
pub const STAGES: &str = "stages";

/// Parts of a lease after which it is renewed, and after which the others ask for it.
const RENEWALS: u32 = 3;
const ASKED: u32 = 6;

/// Shortest time between two questions, however short the lease.
const SHORTEST: Duration = Duration::from_millis(20);

/// Comes on duty where nobody is. Answers else who is.
///
/// # Errors
/// When the store can not be used.
pub async fn try_take(store: &Store, lease: Duration) -> Result<Result<Duty, OnDuty>, StoreError> {
    loop {
        let on = store.find_duty(STAGES).await?;
        let dead = on.as_ref().filter(|on| is_dead(&on.process)).map(|on| on.token);
        // To ask is to read: nobody who waits writes, or waits at a row that somebody has locked.
        if let Some(on) = on.filter(|on| !on.is_over && dead.is_none() && on.process.id != own().id) {
            return Ok(Err(on));
        }
        // Where another one was faster, it is asked again who that is.
        if let Some(duty) = store.take_duty(STAGES, own(), lease, dead).await? {
            return Ok(Ok(duty));
        }
    }
}

/// Waits until this process comes on duty. None when it is stopped before.
pub async fn take(store: &Store, lease: Duration, stop: &CancellationToken) -> Option<Duty> {
    let mut told = None;
    while !stop.is_cancelled() {
        match try_take(store, lease).await {
            Ok(Ok(duty)) => {
                tracing::info!(token = duty.token, "This process does the work");
                return Some(duty);
            }
            Ok(Err(on)) => {
                // Once for each holder.
                if told != Some(on.token) {
                    told = Some(on.token);
                    tracing::info!("{}; this one answers and delivers", says(&on));
                }
            }
            Err(error) => tracing::warn!("Could not ask who does the work: {error}"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep((lease / ASKED).max(SHORTEST)) => {}
        }
    }
    None
}

/// Stays on duty until `done`; where another process has taken over, cancels `term` and ends.
pub async fn keep(store: Store, duty: Duty, lease: Duration, term: CancellationToken, done: CancellationToken) {
    loop {
        tokio::select! {
            () = done.cancelled() => return,
            () = tokio::time::sleep((lease / RENEWALS).max(SHORTEST)) => {}
        }
        match store.renew_duty(&duty, lease).await {
            Ok(true) => {}
            Ok(false) => return term.cancel(),
            // The lease may run out meanwhile: whoever takes over then has a higher token, and this one can not write.
            Err(error) => tracing::warn!("Could not renew that this process does the work: {error}"),
        }
    }
}

/// Who does the work, in words.
pub fn says(on: &OnDuty) -> String {
    format!("process {} on {} has done the work since {}", on.process.pid, on.process.host, on.since)
}

/// How the work is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// False where the process that did it is silent, and nobody has taken over.
    pub is_well: bool,
    /// Who does it, and what to do where nobody does.
    pub says: String,
}

/// How the work is doing, for `reeve doctor` and the page.
///
/// # Errors
/// When the store can not be read.
pub async fn health(store: &Store) -> Result<Health, StoreError> {
    let Some(on) = store.find_duty(STAGES).await? else {
        let says = "no process has done any yet: `reeve serve` or `reeve run` does".to_owned();
        return Ok(Health { is_well: true, says });
    };
    let who = says(&on);
    Ok(match on.until {
        None => Health { is_well: true, says: format!("nobody does it now: {who}, and has ended") },
        Some(until) if on.is_over => Health {
            is_well: false,
            says: format!(
                "{who}, was to give a sign of life by {until} and did not, and nobody has taken over: see whether it runs, and \
                 start `reeve serve`"
            ),
        },
        Some(_) => Health { is_well: true, says: who },
    })
}

/// Has a stage ended because another process has taken over?
pub(super) fn is_overtaken(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Fenced)))
}
