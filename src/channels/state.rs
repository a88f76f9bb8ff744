//! What every channel that speaks HTTP has at hand.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::hooks::Hooks;
use crate::approve::Approvals;
use crate::cards::chart::{self, ChartData};
use crate::cards::flow_chart::{self, Flow, FlowData};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::exception::Subject;
use crate::reports::kpi::Figures;
use crate::reports::sheets::Sheets;
use crate::store::Store;

/// Where the demand chart of a case comes from. Supplied by whoever knows the books.
#[async_trait]
pub trait ChartSource: Send + Sync {
    /// The days of a subject up to `as_of`; None where a chart says nothing about it.
    async fn chart(&self, subject: &Subject, as_of: Timestamp) -> Option<ChartData>;

    /// What was ordered, received and billed of the order line or order that a subject is about; None where it is about none.
    async fn flow(&self, subject: &Subject) -> Option<FlowData>;
}

/// The one chart that says most of a subject, as SVG, for where there is room for one: what was ordered, received and billed where that can be
/// compared, and else what was sold.
pub(super) async fn first_chart(charts: &dyn ChartSource, subject: &Subject, as_of: Timestamp) -> Option<String> {
    let flow = charts.flow(subject).await.filter(|data| data.steps.iter().any(|step| step.flow != Flow::Ordered));
    let drawn = match flow.map(|data| flow_chart::svg(&data)) {
        Some(drawn) => drawn,
        None => chart::svg(&charts.chart(subject, as_of).await?),
    };
    Some(drawn).filter(|svg| !svg.is_empty())
}

/// What pages, API and hooks need. Cheap to clone.
#[derive(Clone)]
pub struct ChannelState {
    /// Where everything is kept.
    pub store: Store,
    /// People, limits, time zone.
    pub config: Arc<Config>,
    /// When it is.
    pub clock: Clock,
    /// What a click does.
    pub approvals: Approvals,
    /// The charts.
    pub charts: Arc<dyn ChartSource>,
    /// The figures.
    pub figures: Arc<Figures>,
    /// What records say of an item or a supplier.
    pub sheets: Arc<Sheets>,
    /// Who may send events.
    pub hooks: Arc<Hooks>,
}
