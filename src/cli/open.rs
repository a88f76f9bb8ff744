//! Opens what a command works on: the store, the source, the model and the receiver, as configured.

use std::sync::Arc;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

use crate::adapters::recorded::Recorded;
use crate::adapters::{openai, webhook};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::ports::{Ports, Sender, Source};
use crate::store::Store;

/// The configured store, migrated.
pub(super) async fn store(config: &Config) -> anyhow::Result<Store> {
    Ok(Store::open_and_migrate(&config.store.url).await?)
}

/// The configured recording, read and checked.
pub(super) async fn recording(config: &Config) -> anyhow::Result<Arc<Recorded>> {
    let (folder, currency) = (config.source.recording.clone(), config.money.currency.clone());
    let opened =
        tokio::task::spawn_blocking(move || Recorded::open(&folder, &currency)).await.context("reading the recording")?;
    Ok(Arc::new(opened.with_context(|| format!("the recording in {} can not be used", config.source.recording.display()))?))
}

/// Every way out, with `source` as the way in.
pub(super) fn ports(config: &Config, source: Arc<dyn Source>, clock: &Clock) -> anyhow::Result<Ports> {
    Ok(Ports { source, model: openai::model(&config.model, clock.clone())?, webhook: receiver(config)? })
}

/// The receiver of approved recommendations, where one is configured.
pub(super) fn receiver(config: &Config) -> anyhow::Result<Option<Arc<dyn Sender>>> {
    let settings = &config.webhook;
    if settings.url.is_empty() {
        return Ok(None);
    }
    anyhow::ensure!(
        !settings.secret.expose_secret().is_empty(),
        "configuration key `webhook.secret`: a receiver is set but no signing secret; set REEVE_WEBHOOK__SECRET or webhook.secret_file"
    );
    let sender = webhook::SignedWebhook::new(&settings.url, &settings.secret, settings.timeout)?;
    Ok(Some(Arc::new(sender)))
}

/// The App on the configured store and recording.
pub(super) async fn app(config: Config, clock: Clock) -> anyhow::Result<App> {
    let store = store(&config).await?;
    let source = recording(&config).await?;
    let ports = ports(&config, source, &clock)?;
    Ok(App::new(Arc::new(config), store, ports, clock))
}

/// The clock for decisions on a store. A demo's store stands on its recording's last day, and its undo windows and deadlines
/// with it: there it is as much later as has passed since the demo was started, and never another day.
pub(super) async fn clock_of(store: &Store, config: &Config) -> anyhow::Result<Clock> {
    let Some(text) = store.find_setting(STANDS_AT).await? else { return Ok(Clock::System) };
    let times = text.split_once(' ').and_then(|(at, since)| Some((at.parse().ok()?, since.parse().ok()?)));
    let (at, since): (Timestamp, Timestamp) =
        times.with_context(|| format!("the store's setting {STANDS_AT} is damaged; build the demo's store anew"))?;
    let calendar = config.calendar.calendar();
    let passed = Clock::System.now().duration_since(since).max(SignedDuration::ZERO);
    let now = at.checked_add(passed).unwrap_or(at).min(calendar.close_of(calendar.day_of(at)));
    Ok(Clock::going_on_from(now))
}

/// Says in a demo's store that it stands at `at`, from now on.
pub(super) async fn stand(store: &Store, at: Timestamp) -> anyhow::Result<()> {
    Ok(store.put_setting(STANDS_AT, &format!("{at} {}", Clock::System.now())).await?)
}

/// Under which key a demo's store keeps the time of its recording and the real time of its start.
const STANDS_AT: &str = "demo.stands_at";
