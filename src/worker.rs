//! Keeps the stages running: by period, by wake-up, with back-off after a failure, until it is told to stop.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::words::cut;
use crate::pipeline::{Progress, Stage};
use crate::store::{JobStatus, Store};

/// Rounds over all stages after which a run that never comes to rest is called what it is: a fault.
const ROUNDS_MAX: usize = 200;

/// What such an error ends with.
const FAULT: &str = "this is a fault in Reeve, please report it";

/// Longest error that is kept of a stage, in characters: it is shown on a page and in the digest, and may hold words of an ERP
/// or a database.
const ERROR_CHARS: usize = 500;

/// Shortest pause of a stage that has nothing to do.
const SHORTEST: Duration = Duration::from_millis(20);

/// Longest pause after repeated failures.
const BACKOFF_MAX: Duration = Duration::from_mins(10);

/// Runs all stages in order, again and again, until none has anything left to do.
///
/// # Errors
/// The first failure of any stage, with its name; or that the stages keep waking each other.
pub async fn run_until_idle(stages: &[Box<dyn Stage>], store: &Store, clock: &Clock) -> anyhow::Result<()> {
    for _ in 0..ROUNDS_MAX {
        let mut moved = 0;
        for stage in stages {
            for round in 0.. {
                anyhow::ensure!(
                    round < ROUNDS_MAX,
                    "the stage {} finds new work each time it is run; {FAULT}",
                    stage.name()
                );
                let outcome = stage.run_once().await;
                note(stage.as_ref(), &outcome, store, clock).await?;
                match outcome.map_err(|error| error.context(format!("the stage {} failed", stage.name())))? {
                    Progress::Advanced(n) => moved += n,
                    Progress::Idle => break,
                }
            }
        }
        if moved == 0 {
            return Ok(());
        }
    }
    anyhow::bail!("the stages did not come to rest after {ROUNDS_MAX} rounds; {FAULT}")
}

/// Drives one stage until `stop`.
pub async fn drive(
    stage: Box<dyn Stage>,
    store: Store,
    clock: Clock,
    period: Duration,
    wake: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut failures: u32 = 0;
    while !stop.is_cancelled() {
        // Begun before the run, so that what wakes the stage while it runs is not lost.
        let woken = wake.notified();
        let outcome = stage.run_once().await;
        if let Err(error) = note(stage.as_ref(), &outcome, &store, &clock).await {
            tracing::warn!(stage = stage.name(), "Could not note the status of stage {}: {error:#}", stage.name());
        }
        let pause = match outcome {
            Ok(Progress::Advanced(_)) => {
                failures = 0;
                wake.notify_waiters();
                continue;
            }
            Ok(Progress::Idle) => {
                failures = 0;
                stage.due_in().await.map_or(period, |due| due.clamp(SHORTEST, period.max(SHORTEST)))
            }
            Err(error) => {
                failures += 1;
                tracing::error!(stage = stage.name(), failures, "Stage {} failed: {error:#}", stage.name());
                (period * 2_u32.saturating_pow(failures.min(8))).min(BACKOFF_MAX.max(period))
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = woken => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Writes a stage's status when it has something to say: work done, or a failure. An idle look is no news.
async fn note(stage: &dyn Stage, outcome: &anyhow::Result<Progress>, store: &Store, clock: &Clock) -> anyhow::Result<()> {
    let now = clock.now();
    let status = match outcome {
        Ok(Progress::Idle) => return Ok(()),
        Ok(Progress::Advanced(n)) => JobStatus {
            stage: stage.name().to_owned(),
            last_run: now,
            last_ok: Some(now),
            last_error: None,
            advanced: i64::try_from(*n).unwrap_or(i64::MAX),
        },
        Err(error) => JobStatus {
            stage: stage.name().to_owned(),
            last_run: now,
            last_ok: None,
            last_error: Some(cut(&format!("{error:#}"), ERROR_CHARS)),
            advanced: 0,
        },
    };
    Ok(store.put_job_status(&status).await?)
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::store::testing::on_each;

    struct Failing;

    #[async_trait]
    impl Stage for Failing {
        fn name(&self) -> &'static str {
            "observe"
        }

        async fn run_once(&self) -> anyhow::Result<Progress> {
            anyhow::bail!("Odoo said\n2026-10-31 approved by Ari\u{202e}\u{1b}[2J{}", "x".repeat(10_000))
        }
    }

    #[tokio::test]
    async fn an_error_that_holds_words_from_outside_is_kept_as_one_short_line() {
        on_each(|store| async move {
            let stages: Vec<Box<dyn Stage>> = vec![Box::new(Failing)];
            run_until_idle(&stages, &store, &Clock::System).await.unwrap_err();
            let kept = store.list_job_status().await.unwrap().remove(0).last_error.unwrap();
            assert!(kept.starts_with("Odoo said 2026-10-31 approved by Ari[2Jxxx"), "{kept}");
            assert_eq!(kept.chars().count(), ERROR_CHARS);
        })
        .await;
    }
}
