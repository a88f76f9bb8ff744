//! Asking: politely, again where it may help, and for as much as the server answers in the time that an answer should take.

use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::call::{Domain, ReadRows};
use super::super::error::OdooError;
use super::{Halt, Puller};
use crate::rows::cell::Cell;
use reeve_http::retry::Retries;

/// How often one thing is asked before the pull is given up for now. What was read stays.
const TRIES: u32 = 5;
/// A server that asks for a longer rest than this is left to the next cycle.
const REST_MAX: Duration = Duration::from_mins(1);
/// Fewest rows of a page.
const PAGE_MIN: usize = 50;

impl Puller {
    /// Asks once it may, and again where that may help.
    pub(super) async fn patiently<T, F>(&self, ask: impl Fn() -> F + Send + Sync) -> Result<T, Halt>
    where
        F: Future<Output = Result<T, OdooError>> + Send,
    {
        let mut tries = 0;
        loop {
            self.not_in_quiet_hours()?;
            self.pace.turn().await;
            match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => self.rest_after(error, &mut tries).await?,
            }
        }
    }

    /// Asks for a page of `*page` rows, which grows and shrinks with the time an answer takes. Answers the rows and how many
    /// were asked for.
    pub(super) async fn page(&self, ask: &mut ReadRows, page: &mut usize) -> Result<(Vec<Vec<Cell>>, usize), Halt> {
        let mut tries = 0;
        loop {
            // In the loop: a try that had to wait may come back in quiet hours.
            self.not_in_quiet_hours()?;
            *page = self.fitted(*page);
            ask.limit = *page;
            self.pace.turn().await;
            let start = Instant::now();
            match self.server.rows(ask).await {
                // How full a page is says whether there is more, so one that is longer than was asked for says nothing.
                Ok(rows) if rows.len() > ask.limit => {
                    return Err(self.garbled(&ask.model, format!("{} rows instead of {}", rows.len(), ask.limit)));
                }
                Ok(rows) => {
                    // A page that is not full says little about the time that a full one takes.
                    if rows.len() == ask.limit {
                        *page = self.fitted(resized(ask.limit, start.elapsed(), self.settings.page_time));
                    }
                    return Ok((rows, ask.limit));
                }
                Err(error) => {
                    // Perhaps the page was too large for it to answer in time.
                    if error.is_transient() {
                        *page /= 2;
                    }
                    self.rest_after(error, &mut tries).await?;
                }
            }
        }
    }

    /// Which of these ids are there, of rows that also meet the domain.
    pub(super) async fn among(&self, model: &str, domain: Domain, ids: &[i64]) -> Result<Vec<i64>, Halt> {
        let domain = domain.and("id", "in", ids.to_vec());
        self.patiently(|| self.server.ids(model, &domain, ids.len(), &self.scope)).await
    }

    /// A question for rows of a model.
    pub(super) fn question(&self, model: &str, domain: Domain, fields: &[String], order: &'static str) -> ReadRows {
        ReadRows { model: model.to_owned(), domain, fields: fields.to_vec(), order, limit: 1, scope: self.scope.clone() }
    }

    fn fitted(&self, page: usize) -> usize {
        let most = self.settings.page_max.max(1);
        page.clamp(PAGE_MIN.min(most), most)
    }

    fn not_in_quiet_hours(&self) -> Result<(), Halt> {
        let over_at = self.settings.quiet.as_ref().and_then(|quiet| quiet.over_at(self.clock.now()));
        over_at.map_or(Ok(()), |at| Err(Halt::Quiet(at)))
    }

    /// Waits before another try, or gives the error back.
    async fn rest_after(&self, error: OdooError, tries: &mut u32) -> Result<(), Halt> {
        *tries += 1;
        let retries = Retries { attempts: TRIES, first: self.settings.patience, longest: REST_MAX };
        let rest = error
            .is_transient()
            .then(|| retries.pause(*tries, error.asked_pause().filter(|asked| !asked.is_zero()), 0.0))
            .flatten();
        let Some(rest) = rest else { return Err(Halt::Odoo(error)) };
        tracing::debug!(%error, rest_ms = rest.as_millis() as u64, "asking again");
        sleep(rest).await;
        Ok(())
    }

    /// An answer that can not be.
    pub(super) fn garbled(&self, model: &str, detail: String) -> Halt {
        Halt::Odoo(OdooError::Garbled { url: self.server.name(), what: format!("rows of {model}"), detail })
    }
}

/// The page after one of `rows` that took `took`: never more than twice or less than half of it.
fn resized(rows: usize, took: Duration, wanted: Duration) -> usize {
    let factor = wanted.as_secs_f64() / took.as_secs_f64().max(0.001);
    (rows as f64 * factor.clamp(0.5, 2.0)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_follows_the_time_it_takes() {
        let second = Duration::from_secs(1);
        assert_eq!(resized(1_000, second, 2 * second), 2_000);
        assert_eq!(resized(1_000, Duration::ZERO, second), 2_000);
        assert_eq!(resized(1_000, 4 * second, 3 * second), 750);
        assert_eq!(resized(1_000, 60 * second, second), 500);
    }
}
