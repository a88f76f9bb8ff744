//! A configured Odoo, put together: connection, write barrier, what brings rows and sums into the mirror, and the source that
//! tells them.
//!
//! The connection is made when it is first needed and made anew when the server no longer knows it; each time the write
//! barrier is asked first. A server that was read before can be away when Reeve starts: what is known of it is in the mirror.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::barrier::{self, MayWrite};
use super::call::{Domain, ReadRows, Scope, Server};
use super::connect::connect;
use super::costs::CostReader;
use super::demand::DemandReader;
use super::error::OdooError;
use super::levels::LevelReader;
use super::patient::{Patient, RealSleep};
use super::progress::Progress;
use super::pull::{Puller, Settings};
use super::source::{DEMAND, LEVELS, OdooSource, Refresh, Told, read_up_to};
use super::streams::STREAMS;
use crate::rows::cell::Cell;
use crate::settings::OdooConfig;
use reeve_domain::calendar::Calendar;
use reeve_ports::clock::Clock;
use reeve_ports::{BoxError, Gap, Mirror, PortError};

/// Where the mirror keeps what is known of the server.
const KNOWN: &str = "odoo/known";

/// Where the mirror keeps what the sums can not tell.
const SUM_GAPS: &str = "odoo/sum-gaps";

/// Models that are read as sums only, and what the sums stand on.
const SUMMED: &[&str] = &[
    "stock.quant",
    "report.pos.order",
    "pos.config",
    "pos.session",
    "pos.order",
    "pos.order.line",
    "mrp.bom",
    "mrp.bom.line",
    "product.template.attribute.value",
];

/// Seed of the jitter between attempts; any will do.
const JITTER: u64 = 17;

/// What was asked at the last connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// Server and database.
    name: String,
    /// Ids of the configured companies.
    companies: Vec<i64>,
    /// The configured companies, by which the ids were found.
    wanted: Vec<String>,
}

/// What is needed to read a server.
pub struct Setup {
    /// `[odoo]`
    pub odoo: OdooConfig,
    /// `[calendar]`
    pub calendar: Calendar,
    /// `money.currency`
    pub currency: String,
    /// Where its rows are kept.
    pub mirror: Arc<dyn Mirror>,
    /// The time.
    pub clock: Clock,
    /// Who is told how far it is.
    pub progress: Arc<dyn Progress>,
}

/// An opened server.
pub struct Opened {
    /// What it tells.
    pub source: OdooSource,
    /// What its user could change; empty but for trials. None where it was not asked, because the server is away.
    pub may_write: Option<Vec<MayWrite>>,
}

/// Signs in, makes sure that nothing could be written, and puts the source together. Where the server is away but was read
/// before, the source tells what is known and signs in later.
///
/// # Errors
/// What is wrong with the configuration, the sign-in or the user's rights; or that a server that was never read is away.
pub async fn open(setup: Setup) -> Result<Opened, PortError> {
    let setup = Arc::new(setup);
    // What is known of other companies than are wanted now is not gone on with.
    let known = known(&*setup.mirror).await?.filter(|known| known.wanted == setup.odoo.companies);
    let (told, connection, may_write) = match (Connection::make(&setup).await, known) {
        (Ok(connection), _) => {
            let may_write = connection.may_write.clone();
            (connection.known.clone(), Some(connection), Some(may_write))
        }
        // Only what passes by itself: a refused sign-in has to be seen at the start.
        (Err(PortError::Transient { source, .. }), Some(known)) => {
            tracing::warn!("Odoo is away, Reeve goes on with what it has read: {source}");
            (known, None, None)
        }
        (Err(error), _) => return Err(error),
    };
    let told = Told { name: told.name, companies: told.companies, currency: setup.currency.clone() };
    let mirror = Arc::clone(&setup.mirror);
    let live = Live { setup, connection: Mutex::new(connection) };
    Ok(Opened { source: OdooSource::new(told, mirror, Some(Box::new(live))), may_write })
}

/// Signs in and asks what the user could change, and nothing else: for `reeve doctor`.
///
/// # Errors
/// As [`open`], but a server that is away is always one.
pub async fn look(setup: Setup) -> Result<(String, Vec<MayWrite>), PortError> {
    let connection = Connection::make(&Arc::new(setup)).await?;
    Ok((connection.known.name, connection.may_write))
}

async fn known(mirror: &dyn Mirror) -> Result<Option<Known>, PortError> {
    let text = mirror.position(KNOWN).await.map_err(store)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Ids of the companies whose rows are told of the server that was read into a mirror; empty: all.
///
/// # Errors
/// Where the mirror can not be read.
pub async fn companies_read(mirror: &dyn Mirror) -> Result<Vec<i64>, PortError> {
    Ok(known(mirror).await?.map_or_else(Vec::new, |known| known.companies))
}

fn store(source: BoxError) -> PortError {
    PortError::Transient { service: "the store", retry_after: None, source }
}

/// A signed-in server with what reads it.
struct Connection {
    known: Known,
    may_write: Vec<MayWrite>,
    puller: Puller,
    demand: DemandReader,
    levels: LevelReader,
    costs: CostReader,
}

impl Connection {
    async fn make(setup: &Arc<Setup>) -> Result<Self, PortError> {
        let Setup { odoo, calendar, mirror, clock, progress, .. } = &**setup;
        let settings = Settings::new(odoo, &calendar.timezone)
            .map_err(|error| OdooError::Setting { key: "odoo.quiet_hours", message: error.to_string() })?;
        let server = connect(odoo, clock).await?;
        let patient = || -> Arc<dyn Server> { Arc::new(Patient::new(Arc::clone(&server), Arc::new(RealSleep), JITTER)) };
        let models: Vec<&str> = STREAMS.iter().map(|stream| stream.model).chain(SUMMED.iter().copied()).collect();
        // The barrier is asked on each new connection and before the first row: rights may have changed since the last one.
        let allow = &odoo.allow_write_capable_credential;
        let may_write = barrier::check_write_barrier(&*patient(), &models, allow).await?;
        if !may_write.is_empty() {
            tracing::warn!(
                "This Odoo user can write: {}. Reeve does not, but only a read-only user makes it impossible",
                barrier::in_words(&may_write)
            );
        }
        let companies = companies(&*patient(), &odoo.companies).await?;
        let known = Known { name: server.name(), companies, wanted: odoo.companies.clone() };
        // What is known of the server is kept, so that a start while it is away can go on with the mirror.
        let text = serde_json::to_string(&known).expect("names and numbers");
        mirror.keep(KNOWN, &[], &[], &text, clock.now()).await.map_err(store)?;
        let scope = Scope { companies: known.companies.clone(), time_zone: None };
        let puller = Puller::new(Arc::clone(&server), Arc::clone(mirror), clock.clone(), settings, scope)
            .with_progress(Arc::clone(progress));
        // Sums are asked for at the same pace; the pull has a patience of its own.
        let summing: Arc<dyn Server> = Arc::new(Patient::new(puller.paced_server(), Arc::new(RealSleep), JITTER));
        let asked = known.companies.clone();
        let demand =
            DemandReader::new(Arc::clone(&summing), Arc::clone(mirror), clock.clone(), odoo, calendar, asked.clone());
        let costs = CostReader::new(Arc::clone(&summing), Arc::clone(mirror), clock.clone(), odoo, asked.clone());
        let levels = LevelReader::new(summing, Arc::clone(mirror), clock.clone(), odoo, calendar, asked);
        Ok(Self { known, may_write, puller, demand, levels, costs })
    }

    async fn bring(&self, mirror: &dyn Mirror, clock: &Clock, until: Timestamp) -> Result<(), PortError> {
        let pulled = self.puller.pull(STREAMS, until).await?;
        // Nothing may be asked until then. The look is not whole, so nothing is called read up to its beginning.
        if let Some(until) = pulled.paused_until {
            return Err(PortError::Resting { service: "Odoo", until });
        }
        tracing::info!(
            read = pulled.rows_read,
            changed = pulled.rows_changed,
            gone = pulled.rows_gone,
            late = pulled.rows_found_late,
            requests = pulled.requests,
            "Read what has changed in Odoo"
        );
        // A stream is read up to when the look began, and is called so only once it is read to its end.
        let whole = async |stream: &str| {
            let (key, at) = (read_up_to(stream), until.to_string());
            mirror.keep(&key, &[], &[], &at, clock.now()).await.map_err(store)
        };
        // Shelves, units, tills and bills of material are read once for both: a look stands on one ground.
        let ground = self.demand.ground().await?;
        let mut gaps = self.demand.refresh_on(&ground, until).await?;
        whole(DEMAND).await?;
        self.levels.refresh_on(&ground, until).await?;
        whole(LEVELS).await?;
        gaps.extend(self.costs.refresh(until).await?);
        let text = serde_json::to_string(&gaps).expect("gaps are text");
        // What is written counts as a change of the mirror, so the same gaps are not written again.
        if mirror.position(SUM_GAPS).await.map_err(store)?.as_deref() != Some(text.as_str()) {
            mirror.keep(SUM_GAPS, &[], &[], &text, clock.now()).await.map_err(store)?;
        }
        Ok(())
    }
}

/// The ids of the companies with these names, in the order of the names; none where none are named.
async fn companies(server: &dyn Server, names: &[String]) -> Result<Vec<i64>, OdooError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let ask = ReadRows {
        model: "res.company".to_owned(),
        domain: Domain::all(),
        fields: vec!["name".to_owned()],
        order: "id",
        limit: 1_000,
        scope: Scope::default(),
    };
    let there: Vec<(i64, String)> = server
        .rows(&ask)
        .await?
        .into_iter()
        .filter_map(|cells| match cells.as_slice() {
            [id, Cell::Text(name), ..] => Some((id.id()?, name.clone())),
            _ => None,
        })
        .collect();
    let find = |wanted: &String| {
        let found = there.iter().find(|(_, name)| name.trim().eq_ignore_ascii_case(wanted.trim()));
        found.map(|(id, _)| *id).ok_or_else(|| {
            let names: Vec<&str> = there.iter().map(|(_, name)| name.as_str()).collect();
            let message = format!("the user sees no company {wanted:?}; there are {}", names.join(", "));
            OdooError::Setting { key: "odoo.companies", message }
        })
    };
    names.iter().map(find).collect()
}

/// What brings news of a server.
struct Live {
    setup: Arc<Setup>,
    connection: Mutex<Option<Connection>>,
}

#[async_trait]
impl Refresh for Live {
    async fn refresh(&self, until: Timestamp) -> Result<(), PortError> {
        let mut connection = self.connection.lock().await;
        let made = match connection.take() {
            Some(made) => made,
            None => Connection::make(&self.setup).await?,
        };
        let outcome = made.bring(&*self.setup.mirror, &self.setup.clock, until).await;
        // A server that refuses may have forgotten who asks: the next time begins with signing in.
        if !matches!(outcome, Err(PortError::Permanent { .. })) {
            *connection = Some(made);
        }
        outcome
    }

    async fn gaps(&self) -> Result<Vec<Gap>, PortError> {
        let mirror = &*self.setup.mirror;
        let mut gaps = Puller::gaps(mirror).await.map_err(store)?;
        let sums = mirror.position(SUM_GAPS).await.map_err(store)?;
        gaps.extend(sums.and_then(|text| serde_json::from_str::<Vec<Gap>>(&text).ok()).unwrap_or_default());
        Ok(gaps)
    }
}
