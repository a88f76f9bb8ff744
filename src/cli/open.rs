//! Opens what a command works on: the store, the source, the model and the receiver, as configured.

use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

use super::os_user::os_user;
use crate::adapters::{minilm, openai, webhook};
use crate::app::App;
use crate::channels::mail::send::MailSender;
use crate::channels::slack::send::SlackSender;
use crate::channels::teams::send::TeamsSender;
use crate::clock::Clock;
use crate::config::{Config, EmbeddingKind, IndexKind};
use crate::evals::retailer;
use crate::memory::InProcess;
use crate::odoo::live;
use crate::odoo::live::barrier::{MayWrite, in_words};
use crate::odoo::live::progress::{Progress, Silent};
use crate::odoo::recorded::Recorded;
use crate::pipeline::observe::WARNING;
use crate::ports::{Embedder, Page, PortError, Ports, Sender, Senders, Source, VectorIndex};
use crate::qdrant::{QdrantIndex, Shape};
use crate::rules::likeness;
use crate::store::{Fence, Store};

/// The configured store, which has to be there, migrated. What is done by command in it is logged with the user who gave the
/// command.
pub(super) async fn store(config: &Config) -> anyhow::Result<Store> {
    Ok(Store::open_existing(&config.store.url).await?.opened_by(&os_user()))
}

/// The same for a command that begins something: the store is made where there is none.
pub(super) async fn store_or_new(config: &Config) -> anyhow::Result<Store> {
    Ok(Store::open_and_migrate(&config.store.url).await?.opened_by(&os_user()))
}

/// The configured store for a command that only reads: it is not made, not migrated and not mended, and refuses to be written.
pub(super) async fn store_to_read(config: &Config) -> anyhow::Result<Store> {
    let store = Store::open_to_read(&config.store.url).await?;
    anyhow::ensure!(
        store.is_migrated().await?,
        "the store {} has the schema of another version of Reeve; `reeve migrate` brings it up to date",
        store.url()
    );
    Ok(store)
}

/// The configured recording, read and checked.
pub(super) async fn recording(config: &Config) -> anyhow::Result<Arc<Recorded>> {
    let (folder, currency) = (config.source.recording.clone(), config.rules.money.currency.clone());
    let opened =
        tokio::task::spawn_blocking(move || Recorded::open(&folder, &currency)).await.context("reading the recording")?;
    Ok(Arc::new(opened.with_context(|| format!("the recording in {} can not be used", config.source.recording.display()))?))
}

/// What a command reads: the live Odoo where one is configured, else what a store was filled with by `reeve lab`, else the
/// recording.
///
/// # Errors
/// What is wrong with either; a user who may write is refused.
pub(super) async fn source(
    config: &Config,
    store: &Store,
    clock: &Clock,
    progress: Arc<dyn Progress>,
) -> anyhow::Result<Arc<dyn Source>> {
    if config.odoo.url.is_empty() {
        // No live Odoo is read, so what was found about the rights of its user is over.
        store.put_setting(WARNING, "").await?;
        return match retailer::filled(store).await? {
            Some(filled) => Ok(filled),
            None => Ok(recording(config).await?),
        };
    }
    anyhow::ensure!(
        !stands(store).await?,
        "the store {} is a demo's, whose people and goods are made up; name another one with --store or store.url for your Odoo",
        store.url()
    );
    let opened = live::open(setup(config, store, clock, progress)).await.context("opening Odoo")?;
    // Where the server is away, what was found at the last start stands.
    if let Some(may_write) = opened.may_write {
        store.put_setting(WARNING, &warning(&may_write)).await?;
    }
    Ok(Arc::new(opened.source))
}

/// What is needed to read the configured Odoo.
pub(super) fn setup(config: &Config, store: &Store, clock: &Clock, progress: Arc<dyn Progress>) -> live::Setup {
    live::Setup {
        odoo: config.odoo.clone(),
        calendar: config.rules.calendar.calendar(),
        currency: config.rules.money.currency.clone(),
        mirror: Arc::new(store.clone()),
        clock: clock.clone(),
        progress,
    }
}

/// What everybody is told of a user who could write; empty where he can not.
fn warning(may_write: &[MayWrite]) -> String {
    if may_write.is_empty() {
        return String::new();
    }
    format!(
        "For trials only: Reeve reads Odoo as a user who can write ({}). It does not write, but only a read-only user makes \
         that impossible (odoo.allow_write_capable_credential)",
        in_words(may_write)
    )
}

/// Every way out, with `source` as the way in.
pub(super) fn ports(config: &Config, store: &Store, source: Arc<dyn Source>, clock: &Clock) -> anyhow::Result<Ports> {
    Ok(Ports { source, model: openai::model(&config.model, clock.clone())?, senders: senders(config, store, clock)? })
}

/// Everybody who sends: an entry for each way out that is configured. Two for one kind of message are refused.
fn senders(config: &Config, store: &Store, clock: &Clock) -> anyhow::Result<Senders> {
    let slack = config
        .slack
        .is_set()
        .then(|| -> Arc<dyn Sender> { Arc::new(SlackSender::new(&config.slack, &config.delivery, clock.clone())) });
    let teams = config.teams.is_set().then(|| -> Arc<dyn Sender> {
        Arc::new(TeamsSender::new(&config.teams, &config.delivery, store.clone(), clock.clone()))
    });
    let mail =
        config.mail.is_set().then(|| -> Arc<dyn Sender> { Arc::new(MailSender::new(&config.mail, &config.delivery)) });
    Ok(Senders::new(receivers(config)?.into_iter().chain(slack).chain(teams).chain(mail).collect())?)
}

/// The sender to those who get signed webhooks, where any is configured.
pub(super) fn receivers(config: &Config) -> anyhow::Result<Option<Arc<dyn Sender>>> {
    let all = config.all_destinations();
    if all.is_empty() {
        return Ok(None);
    }
    for destination in &all {
        anyhow::ensure!(
            !destination.secret.expose_secret().is_empty(),
            "destination {:?} has an address but no signing secret; set REEVE_WEBHOOK__SECRET or webhook.secret_file, or \
             secret_file of its [[destinations]]",
            destination.name
        );
    }
    let set_up = webhook::Destinations::new(&all, &config.delivery);
    let set_up = set_up.map_err(|(name, error)| anyhow::anyhow!(error).context(format!("destination {name:?}")))?;
    Ok(Some(Arc::new(set_up)))
}

/// The App on the configured store and source. In a store with a made-up retailer it is the morning at which that stands.
pub(super) async fn app(config: Config, clock: Clock) -> anyhow::Result<App> {
    let store = store_or_new(&config).await?;
    let is_made_up = retailer::filled(&store).await?.is_some();
    let clock = if is_made_up { clock_of(&store, &config).await? } else { clock };
    app_of(config, store, clock).await
}

/// The App on the configured source and an open store, at the time of `clock` whatever the store stands at.
pub(super) async fn app_of(config: Config, store: Store, clock: Clock) -> anyhow::Result<App> {
    // A live source writes what it reads, so it stands behind the same fence as the stages.
    let fence = Fence::default();
    let source = source(&config, &store.fenced(&fence), &clock, Arc::new(Silent)).await?;
    let ports = ports(&config, &store, source, &clock)?;
    Ok(remembering(App::new(Arc::new(config), store, ports, clock))?.fenced(&fence))
}

/// The same App with memory as configured.
///
/// # Errors
/// Names the setting that can not be used.
pub(super) fn remembering(app: App) -> anyhow::Result<App> {
    let memory = &app.context.config.memory;
    let embedder: Option<Arc<dyn Embedder>> = match memory.embedding {
        EmbeddingKind::Minilm => Some(Arc::new(minilm::InProcess::default())),
        EmbeddingKind::Endpoint => {
            let endpoint = &memory.endpoint;
            anyhow::ensure!(
                !endpoint.model.is_empty(),
                "memory.embedding is \"endpoint\": name its model in memory.endpoint.model"
            );
            Some(Arc::new(openai::Embeddings::from_config(endpoint, app.context.clock.clone())?))
        }
        EmbeddingKind::None => None,
    };
    let index: Arc<dyn VectorIndex> = match memory.index {
        IndexKind::InProcess => Arc::new(InProcess::default()),
        IndexKind::Qdrant => {
            let text = match memory.embedding {
                EmbeddingKind::Minilm => reeve_embedding::DIMENSIONS,
                EmbeddingKind::Endpoint => memory.endpoint.dimensions,
                EmbeddingKind::None => 0,
            };
            anyhow::ensure!(
                text > 0 || embedder.is_none(),
                "Qdrant has to know how many numbers a vector of {:?} has; say it in memory.endpoint.dimensions",
                memory.endpoint.model
            );
            // Vectors of two models never meet: a collection is named by its model and lengths (decision 90).
            let embedder = embedder.as_ref().map(|embedder| embedder.name()).unwrap_or_default();
            Arc::new(QdrantIndex::new(&memory.qdrant, Shape { embedder, text, profile: likeness::PROFILE })?)
        }
    };
    Ok(app.remembering(index, embedder))
}

/// The App for a command that decides on what the store holds. It reads no source, so none has to be there: a decision must be
/// possible while the ERP is away, and needs no recording where one is read live.
pub(super) async fn app_on(config: Config, store: Store) -> anyhow::Result<App> {
    let clock = clock_of(&store, &config).await?;
    let ports = Ports { source: Arc::new(NotRead), model: None, senders: Senders::default() };
    remembering(App::new(Arc::new(config), store, ports, clock))
}

/// The source of a command that reads none.
struct NotRead;

#[async_trait]
impl Source for NotRead {
    fn identity(&self) -> String {
        "none".to_owned()
    }

    async fn read(&self, _: Option<&str>, _: Timestamp, _: usize) -> Result<Page, PortError> {
        Err(PortError::Permanent { service: "the source", source: "this command reads no source".into() })
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }
}

/// The clock for decisions on a store. A demo's store stands on its recording's last day, and its undo windows and deadlines
/// with it: there it is as much later as has passed since the demo was started, and never another day.
pub(super) async fn clock_of(store: &Store, config: &Config) -> anyhow::Result<Clock> {
    let Some(text) = store.find_setting(STANDS_AT).await? else { return Ok(Clock::System) };
    let times = text.split_once(' ').and_then(|(at, since)| Some((at.parse().ok()?, since.parse().ok()?)));
    let (at, since): (Timestamp, Timestamp) =
        times.with_context(|| format!("the store's setting {STANDS_AT} is damaged; build the demo's store anew"))?;
    let calendar = config.rules.calendar.calendar();
    // A clock that was set back meanwhile must not take a demo before its own records.
    let passed = Clock::System.now().duration_since(since).max(SignedDuration::ZERO);
    let now = at.checked_add(passed).unwrap_or(at).min(calendar.close_of(calendar.day_of(at)));
    Ok(Clock::going_on_from(now))
}

/// Says in a demo's store that it stands at `at`, from now on.
pub(super) async fn stand(store: &Store, at: Timestamp) -> anyhow::Result<()> {
    Ok(store.put_setting(STANDS_AT, &format!("{at} {}", Clock::System.now())).await?)
}

/// Is it a demo's store, that stands at a time of its own?
pub(super) async fn stands(store: &Store) -> anyhow::Result<bool> {
    Ok(store.find_setting(STANDS_AT).await?.is_some())
}

/// Under which key a demo's store keeps the time of its recording and the real time of its start.
const STANDS_AT: &str = "demo.stands_at";
