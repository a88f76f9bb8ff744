//! A shop that is read from a recording: the whole App, as demo and evals have it.

use std::path::Path;
use std::sync::Arc;

use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::odoo::recorded::Recorded;
use reeve::ports::{Ports, Senders, Source as _};
use reeve::store::Store;

/// The bundled recording.
pub(crate) fn bundled() -> &'static Path {
    Path::new("evals/recordings/odoo-18-retailer")
}

/// The App on a recording and on the store at `url`, at the last moment that the recording tells of. Nothing has run yet.
pub(crate) async fn at_the_end(recording: &Path, url: &str, config: Config, senders: Senders) -> App {
    let source = Recorded::open(recording, &config.rules.money.currency).expect("the recording opens");
    let (_, last) = source.span().expect("things happened");
    let store = Store::open_and_migrate(url).await.expect("the store opens");
    let ports = Ports { source: Arc::new(source), model: None, senders };
    App::new(Arc::new(config), store, ports, Clock::standing_at(last))
}
