//! The only place where the inside is wired: settings, store, ports and clock become stages, queue and page.

mod charts;

use std::sync::Arc;

use async_trait::async_trait;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::action::{Action, Check};
use crate::domain::case::Case;
use crate::pipeline::approve::{Approvals, Recheck};
use crate::pipeline::deliver::Deliver;
use crate::pipeline::desk::Desk;
use crate::pipeline::detect::Detect;
use crate::pipeline::draft::{Drafting, Promises, open_exceptions};
use crate::pipeline::notify::Notify;
use crate::pipeline::observe::Observe;
use crate::pipeline::queue::Queue;
use crate::pipeline::recheck::recheck;
use crate::pipeline::verify::Verify;
use crate::pipeline::view::CaseView;
use crate::pipeline::{Context, Stage};
use crate::ports::Ports;
use crate::store::Store;
use crate::web::WebState;
use crate::worker;

/// The whole of Reeve on one store.
#[derive(Clone)]
pub struct App {
    /// What every stage has at hand.
    pub context: Context,
    /// The approval queue.
    pub approvals: Arc<Approvals>,
}

impl App {
    /// Wires an App.
    pub fn new(config: Arc<Config>, store: Store, ports: Ports, clock: Clock) -> Self {
        let desk = Arc::new(Desk::new(store.clone(), Arc::clone(&config), clock.clone()));
        let context = Context { store, config, ports, clock, desk };
        let approvals = Arc::new(Approvals {
            store: context.store.clone(),
            config: Arc::clone(&context.config),
            clock: context.clock.clone(),
            recheck: Arc::new(OnTheDesk(context.clone())),
        });
        Self { context, approvals }
    }

    /// The stages, in the order in which an exception meets them.
    pub fn stages(&self) -> Vec<Box<dyn Stage>> {
        let context = || self.context.clone();
        vec![
            Box::new(Observe(context())),
            Box::new(Detect(context())),
            Box::new(Drafting(context())),
            Box::new(Queue(Arc::clone(&self.approvals))),
            Box::new(Notify(context())),
            Box::new(Deliver {
                store: self.context.store.clone(),
                config: Arc::clone(&self.context.config),
                clock: self.context.clock.clone(),
                sender: self.context.ports.webhook.clone(),
            }),
            Box::new(Verify(context())),
        ]
    }

    /// What the page needs.
    pub fn web(&self) -> WebState {
        WebState {
            store: self.context.store.clone(),
            config: Arc::clone(&self.context.config),
            clock: self.context.clock.clone(),
            approvals: self.approvals.as_ref().clone(),
            charts: Arc::new(charts::Charts(Arc::clone(&self.context.desk))),
        }
    }

    /// Runs every stage until there is nothing left to do at the clock's time.
    ///
    /// # Errors
    /// The first stage that failed, and why.
    pub async fn run_until_idle(&self) -> anyhow::Result<()> {
        worker::run_until_idle(&self.stages(), &self.context.store, &self.context.clock).await
    }
}

/// Hard checks against the book of this moment.
struct OnTheDesk(Context);

#[async_trait]
impl Recheck for OnTheDesk {
    async fn recheck(&self, case: &Case, action: &Action) -> anyhow::Result<Vec<Check>> {
        let Context { store, config, desk, .. } = &self.0;
        let laid = desk.lay_out().await?;
        let exceptions = open_exceptions(store.list_case_exceptions(&case.id).await?, case);
        let claimed = store.list_links().await?.into_iter().map(|(link, case)| (link, case.to_string())).collect();
        let promised = Promises::firm(store).await?.to_others(&case.id);
        let view = CaseView {
            case,
            exceptions: &exceptions,
            book: &laid.book,
            outlook: &laid.seen.outlook,
            p: &laid.p,
            claimed: &claimed,
            promised: &promised,
            config,
        };
        Ok(recheck(&view, action))
    }
}
