//! The only place where the inside is wired: settings, store, ports and clock become stages, queue and page.

#[cfg(test)]
mod bounded;
mod charts;

use std::sync::Arc;

use crate::approve::Approvals;
use crate::approve::admit::Queue;
use crate::channels::chat::tell::Tell;
use crate::channels::hooks::Hooks;
use crate::channels::mail::tell::TellByMail;
use crate::channels::{ChannelState, ChartSource};
use crate::clock::Clock;
use crate::config::Config;
use crate::memory::Memories;
use crate::pipeline::Stage;
use crate::pipeline::anchors::Anchoring;
use crate::pipeline::context::Context;
use crate::pipeline::deliver::Deliver;
use crate::pipeline::detect::Detect;
use crate::pipeline::draft::Drafting;
use crate::pipeline::moment::Moments;
use crate::pipeline::noise::NoiseControl;
use crate::pipeline::notify::Notify;
use crate::pipeline::observe::Observe;
use crate::pipeline::recheck_on_records::RecheckOnRecords;
use crate::pipeline::remember::Remember;
use crate::pipeline::understand::Understand;
use crate::pipeline::verify::Verify;
use crate::pipeline::watermark::Hint;
use crate::ports::{Embedder, Ports, VectorIndex};
use crate::reports::kpi::Figures;
use crate::reports::sheets::Sheets;
use crate::store::{Fence, Store};
use crate::worker::{self, Run, StageFigures};

/// The whole of Reeve on one store.
#[derive(Clone)]
pub struct App {
    /// What every stage has at hand.
    pub context: Context,
    /// The approval queue, as people use it.
    pub approvals: Arc<Approvals>,
    /// The same for the stage that fills it.
    filling: Arc<Approvals>,
    /// By what the stages know that another process has taken over; None where there is none beside this one.
    fence: Option<Fence>,
}

impl App {
    /// Wires an App.
    pub fn new(config: Arc<Config>, store: Store, ports: Ports, clock: Clock) -> Self {
        let moments = Arc::new(Moments::new(store.clone(), Arc::clone(&config), clock.clone()));
        let memories = Arc::new(Memories::by_numbers(store.clone()));
        let context = Context { store, config, ports, clock, moments, memories, hint: Arc::default() };
        let approvals = approvals(&context);
        Self { context, filling: Arc::clone(&approvals), approvals, fence: None }
    }

    /// The same with what finds memories, and what makes vectors of their words where there is something. Without this they are
    /// found in this process, by their numbers.
    #[must_use]
    pub fn remembering(mut self, index: Arc<dyn VectorIndex>, embedder: Option<Arc<dyn Embedder>>) -> Self {
        self.context.memories = Arc::new(Memories::new(self.store().clone(), index, embedder));
        self
    }

    /// The same with stages that write only what `fence` lets through. What people do goes on in every process: it is guarded
    /// by versions and idempotency keys.
    #[must_use]
    pub fn fenced(mut self, fence: &Fence) -> Self {
        self.context.store = self.context.store.fenced(fence);
        self.context.memories = Arc::new(self.context.memories.on(self.context.store.clone()));
        // The stage that fills the queue writes through the fence. What people click does not, in whatever process.
        self.filling = approvals(&self.context);
        self.fence = Some(fence.clone());
        self
    }

    /// By what the stages know that another process has taken over.
    pub fn fence(&self) -> Option<&Fence> {
        self.fence.as_ref()
    }

    /// The store as everybody may write it, whatever process does the stages' work.
    pub fn store(&self) -> &Store {
        &self.approvals.store
    }

    /// The stages, in the order in which an exception meets them.
    pub fn stages(&self) -> Vec<Box<dyn Stage>> {
        let context = || self.context.clone();
        let mut stages: Vec<Box<dyn Stage>> = vec![
            Box::new(Observe::new(context())),
            Box::new(Understand::new(context())),
            Box::new(Detect(context())),
            // Before drafting, so that the morning's cards know how yesterday's like cases were decided.
            Box::new(Remember(context())),
            Box::new(Drafting::new(context())),
            Box::new(Queue(Arc::clone(&self.filling))),
            Box::new(Notify(context())),
            Box::new(Anchoring(context())),
            Box::new(NoiseControl {
                store: self.context.store.clone(),
                config: Arc::clone(&self.context.config),
                clock: self.context.clock.clone(),
                recheck: Arc::clone(&self.approvals.recheck),
            }),
        ];
        // Where no chat is configured there is nobody to tell.
        let config = &self.context.config;
        if !(config.card_destinations().is_empty() && config.digest_destinations().is_empty()) {
            stages.push(Box::new(Tell { context: context(), charts: self.charts() }));
        }
        if config.mail.is_set() {
            stages.push(Box::new(TellByMail { context: context(), charts: self.charts() }));
        }
        // On the store without a fence: every process delivers, whichever does the stages' work.
        stages.push(Box::new(Deliver {
            store: self.store().clone(),
            config: Arc::clone(&self.context.config),
            clock: self.context.clock.clone(),
            senders: self.context.ports.senders.clone(),
        }));
        stages.push(Box::new(Verify(context())));
        stages
    }

    /// What the page needs.
    pub fn web(&self) -> ChannelState {
        let Context { config, clock, moments, hint, .. } = &self.context;
        channels(self.store(), config, clock, moments, &self.approvals, Arc::clone(hint))
    }

    fn charts(&self) -> Arc<dyn ChartSource> {
        Arc::new(charts::Charts(Arc::clone(&self.context.moments)))
    }

    /// Runs every stage until there is nothing left to do at the clock's time.
    ///
    /// # Errors
    /// The first stage that failed, and why.
    pub async fn run_until_idle(&self) -> anyhow::Result<()> {
        worker::run_until_idle(&self.stages(), &self.context.store, &self.context.clock).await
    }

    /// The same, measured; where a stage fails the others go on.
    ///
    /// # Errors
    /// As [`worker::run_measured`].
    pub async fn run_measured(&self, tell: impl FnMut(&StageFigures)) -> anyhow::Result<Run> {
        worker::run_measured(&self.stages(), &self.context.store, &self.context.clock, tell).await
    }
}

/// What channels need of a store, for whoever only looks at it: no source is asked and nothing is sent.
pub fn onlooker(config: &Arc<Config>, store: &Store, clock: &Clock) -> ChannelState {
    let moments = Arc::new(Moments::new(store.clone(), Arc::clone(config), clock.clone()));
    let approvals = approvals_of(store, config, clock, &moments);
    channels(store, config, clock, &moments, &approvals, Arc::default())
}

fn channels(
    store: &Store,
    config: &Arc<Config>,
    clock: &Clock,
    moments: &Arc<Moments>,
    approvals: &Arc<Approvals>,
    hint: Arc<Hint>,
) -> ChannelState {
    ChannelState {
        store: store.clone(),
        config: Arc::clone(config),
        clock: clock.clone(),
        approvals: approvals.as_ref().clone(),
        figures: Arc::new(Figures::new(store.clone(), Arc::clone(config), clock.clone(), Arc::clone(moments))),
        sheets: Arc::new(Sheets::new(store.clone(), Arc::clone(config), Arc::clone(moments))),
        charts: Arc::new(charts::Charts(Arc::clone(moments))),
        hooks: Arc::new(Hooks::new(config, hint)),
    }
}

/// The approval queue on the store of `context`.
fn approvals(context: &Context) -> Arc<Approvals> {
    approvals_of(&context.store, &context.config, &context.clock, &context.moments)
}

fn approvals_of(store: &Store, config: &Arc<Config>, clock: &Clock, moments: &Arc<Moments>) -> Arc<Approvals> {
    Arc::new(Approvals {
        store: store.clone(),
        config: Arc::clone(config),
        clock: clock.clone(),
        recheck: Arc::new(RecheckOnRecords {
            store: store.clone(),
            config: Arc::clone(config),
            clock: clock.clone(),
            moments: Arc::clone(moments),
        }),
        turn: Arc::default(),
    })
}
