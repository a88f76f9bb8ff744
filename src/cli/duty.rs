//! The stages of a process among several: those that are for one run while it is on duty, deliveries always.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::open;
use crate::app::App;
use crate::odoo::live::progress::Silent;
use crate::store::{Duty, Fence, Store};
use crate::worker::{self, duty};

/// Runs the stages that are for one process whenever this one is on duty, until `stop`.
///
/// Each time it begins with nothing in memory of the time before: others have worked meanwhile.
pub(super) async fn work(app: App, wake: Arc<Notify>, stop: CancellationToken) {
    let fence = app.fence().cloned().unwrap_or_default();
    let (mut app, mut is_first) = (app.fenced(&fence), true);
    let (store, lease) = (app.store().clone(), app.context.config.worker.lease);
    while !stop.is_cancelled() {
        // Nothing is written until it is on duty again, not even by what is still under way.
        fence.close();
        let Some(duty) = duty::take(&store, lease, &stop).await else { break };
        fence.raise(duty.clone());
        let (term, done) = (stop.child_token(), CancellationToken::new());
        let beat = TaskTracker::new().spawn(duty::keep(store.clone(), duty.clone(), lease, term.clone(), done.clone()));
        let ready = if is_first { Ok(()) } else { anew(&mut app).await };
        match ready {
            Ok(()) => run(&app, &wake, &term).await,
            Err(error) => tracing::error!("This process can not do the work: {error:#}"),
        }
        is_first = false;
        // Only when nothing is under way any more: what was begun on one duty must not end on the next.
        done.cancel();
        if let Err(error) = beat.await {
            tracing::warn!("The lease was not renewed: {error}");
        }
        // Who was overtaken has nothing to give back, and who has lost a stage must not keep the others waiting.
        if !give_back(&store, &duty).await {
            tracing::info!("Another process has taken over the work");
        }
        if !term.is_cancelled() {
            pause(app.context.config.worker.period, &stop).await;
        }
    }
}

/// Runs the stages until `term`.
async fn run(app: &App, wake: &Arc<Notify>, term: &CancellationToken) {
    let tasks = TaskTracker::new();
    let context = &app.context;
    for stage in app.stages().into_iter().filter(|stage| stage.is_for_one()) {
        let (store, clock) = (context.store.clone(), context.clock.clone());
        let drive = worker::drive(stage, store, clock, context.config.worker.period, Arc::clone(wake), term.clone());
        // A stage that panics is not run any more: the process lets go of the work, so that it or another one begins anew.
        let lets_go = term.clone().drop_guard();
        tasks.spawn(async move {
            drive.await;
            drop(lets_go);
        });
    }
    tasks.close();
    tasks.wait().await;
}

/// Opens the source anew: what it remembers of the time before may be told otherwise by now.
async fn anew(app: &mut App) -> anyhow::Result<()> {
    let context = &app.context;
    let source = open::source(&context.config, &context.store, &context.clock, Arc::new(Silent));
    app.context.ports.source = source.await.context("opening the source anew")?;
    Ok(())
}

/// Gives the work back. False where another process has it by now.
async fn give_back(store: &Store, duty: &Duty) -> bool {
    match store.give_back_duty(duty).await {
        Ok(was_held) => was_held,
        Err(error) => {
            tracing::warn!("Others wait until the lease has run out: {error}");
            true
        }
    }
}

async fn pause(time: Duration, stop: &CancellationToken) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = tokio::time::sleep(time) => {}
    }
}

/// A command's turn at the stages: on duty from its beginning to its end.
pub(super) struct Turn {
    store: Store,
    duty: Duty,
    done: CancellationToken,
    beat: tokio::task::JoinHandle<()>,
}

impl Turn {
    /// Comes on duty.
    ///
    /// # Errors
    /// Says who is on duty where somebody is, and until when.
    pub(super) async fn take(store: &Store, fence: &Fence, lease: Duration) -> anyhow::Result<Self> {
        let duty = duty::try_take(store, lease).await?.map_err(|on| {
            let until = on.until.map_or_else(String::new, |until| format!(", and has it until {until} at least"));
            anyhow::anyhow!(
                "{}{until}: one process at a time runs the stages; let it do so, or end it and run this again",
                duty::says(&on)
            )
        })?;
        fence.raise(duty.clone());
        let done = CancellationToken::new();
        // Where another one takes over, the fence refuses what is written: nothing has to be cancelled.
        let beat = duty::keep(store.clone(), duty.clone(), lease, CancellationToken::new(), done.clone());
        Ok(Self { store: store.clone(), duty, done, beat: TaskTracker::new().spawn(beat) })
    }

    /// Gives it back.
    pub(super) async fn end(self) {
        self.done.cancel();
        if let Err(error) = self.beat.await {
            tracing::warn!("The lease was not renewed: {error}");
        }
        give_back(&self.store, &self.duty).await;
    }
}
