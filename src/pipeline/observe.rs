//! The source → records, from a cursor. Each page and the cursor behind it are stored in one transaction, so a kill at any
//! page loses nothing and reads nothing twice.

use anyhow::Context;
use async_trait::async_trait;

use super::{Context as Stages, Progress, Stage};
use crate::store::{Store, StoreError};

/// Under which key the store knows that more is known to be there than has been read.
const BEHIND: &str = "observe.behind";

/// Has everything been read that was visible at the last look? Half of a story is none: nothing is judged before.
pub(super) async fn is_abreast(store: &Store) -> Result<bool, StoreError> {
    Ok(store.find_setting(BEHIND).await?.as_deref() == Some("no"))
}

/// Reads what has become visible up to now.
pub struct Observe(pub Stages);

#[async_trait]
impl Stage for Observe {
    fn name(&self) -> &'static str {
        "observe"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, config, ports, clock, .. } = &self.0;
        let source = ports.source.identity();
        let cursor = store.find_cursor(&source).await?;
        let now = clock.now();
        let page = ports
            .source
            .read(cursor.as_deref(), now, config.source.page)
            .await
            .with_context(|| format!("reading records from {source}"))?;
        if page.observed.is_empty() {
            return Ok(Progress::Idle);
        }
        let read = page.observed.len();
        // Said before the page is stored and taken back after the last one: killed in between, it stays said.
        if page.more {
            store.put_setting(BEHIND, "yes").await?;
        }
        store.apply_page(&source, &page, now).await.context("storing a page of records")?;
        if !page.more {
            store.put_setting(BEHIND, "no").await?;
        }
        Ok(Progress::Advanced(read))
    }
}
