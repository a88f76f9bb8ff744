//! Keeps the stages running: by period, by wake-up, with back-off after a failure, until it is told to stop. [`duty`] says which
//! of several processes does.

pub mod duty;
mod process;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::domain::words::cut;
pub use crate::pipeline::figures::{StageFigures, Started};
use crate::pipeline::moment::BeingRead;
use crate::pipeline::{Progress, Stage};
use crate::store::{JobStatus, Store};

/// Rounds over all stages after which a run that never comes to rest is called what it is: a fault.
const ROUNDS_MAX: usize = 200;

/// What such an error ends with.
const FAULT: &str = "this is a fault in Reeve, please report it";

/// What is said of stages that keep waking each other.
fn restless() -> anyhow::Error {
    anyhow::anyhow!("the stages did not come to rest after {ROUNDS_MAX} rounds; {FAULT}")
}

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
            moved += turn(stage.as_ref(), store, clock).await?;
        }
        if moved == 0 {
            return Ok(());
        }
    }
    Err(restless())
}

/// What a run came to.
#[derive(Debug, Default)]
pub struct Run {
    /// What each stage did and took, in their order.
    pub stages: Vec<StageFigures>,
    /// The stages that failed, each with why. The others went on without them.
    pub failed: Vec<(&'static str, anyhow::Error)>,
    /// Times that all stages were gone through.
    pub rounds: usize,
}

/// The same, measured, and without giving up where a stage fails: an ERP that is away must not hold up what was approved. `tell`
/// hears of each stage's first turn and of each later one in which it did something.
///
/// # Errors
/// When the stages keep waking each other. A stage that failed is told of in the answer, and not run again.
pub async fn run_measured(
    stages: &[Box<dyn Stage>],
    store: &Store,
    clock: &Clock,
    mut tell: impl FnMut(&StageFigures),
) -> anyhow::Result<Run> {
    let mut run = Run::default();
    while run.rounds < ROUNDS_MAX {
        run.rounds += 1;
        let mut moved = 0;
        for stage in stages {
            let name = stage.name();
            // Within this run it would only fail again; the next one asks it anew.
            if run.failed.iter().any(|(failed, _)| *failed == name) {
                continue;
            }
            let started = Started::now();
            let outcome = turn(stage.as_ref(), store, clock).await;
            let advanced = outcome.as_ref().copied().unwrap_or(0);
            moved += advanced;
            let parts = stage.parts();
            let own = started.took(name, advanced).beside(&parts);
            for took in parts.into_iter().chain([own]) {
                // Later rounds are for what earlier ones have brought: a stage for which that was nothing has nothing to tell.
                if run.rounds == 1 || took.advanced > 0 {
                    tell(&took);
                }
                match run.stages.iter_mut().find(|figures| figures.stage == took.stage) {
                    Some(figures) => figures.add(&took),
                    None => run.stages.push(took),
                }
            }
            run.failed.extend(outcome.err().map(|error| (name, error)));
        }
        if moved == 0 {
            return Ok(run);
        }
    }
    Err(restless())
}

/// Runs a stage until it has nothing left to do. Answers how much it moved on.
async fn turn(stage: &dyn Stage, store: &Store, clock: &Clock) -> anyhow::Result<usize> {
    let mut moved = 0;
    for _ in 0..ROUNDS_MAX {
        let outcome = stage.run_once().await;
        note(stage, &outcome, store, clock).await?;
        match outcome.map_err(|error| error.context(format!("the stage {} failed", stage.name())))? {
            Progress::Advanced(n) => moved += n,
            Progress::Idle => return Ok(moved),
        }
    }
    anyhow::bail!("the stage {} finds new work each time it is run; {FAULT}", stage.name())
}

/// Drives one stage until `stop`. Where another process has taken over that is no failure: `stop` is cancelled, for all that share it.
pub async fn drive(
    stage: Box<dyn Stage>,
    store: Store,
    clock: Clock,
    period: Duration,
    wake: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut failures: u32 = 0;
    // A round: from the first piece of work until there is none left.
    let mut round: Option<(Started, usize)> = None;
    while !stop.is_cancelled() {
        // Begun before the run, so that what wakes the stage while it runs is not lost.
        let woken = wake.notified();
        let started = Started::now();
        let outcome = stage.run_once().await;
        let noted = match &outcome {
            Err(error) if duty::is_overtaken(error) || BeingRead::is_why(error) => Ok(()),
            outcome => note(stage.as_ref(), outcome, &store, &clock).await,
        };
        if outcome.as_ref().err().or(noted.as_ref().err()).is_some_and(duty::is_overtaken) {
            log(stage.as_ref(), round.take());
            stop.cancel();
            return;
        }
        if let Err(error) = noted {
            tracing::warn!(stage = stage.name(), "Could not note the status of stage {}: {error:#}", stage.name());
        }
        let pause = match outcome {
            Ok(Progress::Advanced(n)) => {
                failures = 0;
                let (since, before) = round.unwrap_or((started, 0));
                round = Some((since, before + n));
                // What it wrote may be work for any of the others: each looks for itself whether it is.
                wake.notify_waiters();
                continue;
            }
            Ok(Progress::Idle) => {
                failures = 0;
                log(stage.as_ref(), round.take());
                // Never longer than the period, since a wake-up may have been lost.
                stage.due_in().await.map_or(period, |due| due.clamp(SHORTEST, period.max(SHORTEST)))
            }
            // No failure, so nothing to tell people of and nothing to back off from: the end of the reading wakes it.
            Err(error) if BeingRead::is_why(&error) => {
                log(stage.as_ref(), round.take());
                tracing::debug!(stage = stage.name(), "Stage {} waits: {error:#}", stage.name());
                period
            }
            Err(error) => {
                failures += 1;
                log(stage.as_ref(), round.take());
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

/// Logs what a stage's round took: the figures that `reeve run` prints. An idle look is no news. Other stages run beside it, so
/// the processor's time is that of the whole process meanwhile.
fn log(stage: &dyn Stage, round: Option<(Started, usize)>) {
    // Asked after every look, so that what idle ones took is not told as a part of the next round's.
    let parts = stage.parts();
    let Some((since, advanced)) = round else { return };
    let own = since.took(stage.name(), advanced).beside(&parts);
    for took in parts.into_iter().filter(|part| part.advanced > 0).chain([own]) {
        tracing::info!(
            stage = took.stage,
            advanced = took.advanced,
            seconds = took.seconds,
            process_cpu_seconds = took.cpu_seconds,
            process_peak_memory_bytes = took.peak_memory_bytes,
            "Stage {} moved {} on in {:.2} s",
            took.stage,
            took.advanced,
            took.seconds
        );
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

    /// Has as much to do as it says.
    struct Working(std::sync::atomic::AtomicUsize);

    #[async_trait]
    impl Stage for Working {
        fn name(&self) -> &'static str {
            "draft"
        }

        async fn run_once(&self) -> anyhow::Result<Progress> {
            let left = self.0.load(std::sync::atomic::Ordering::SeqCst);
            self.0.store(0, std::sync::atomic::Ordering::SeqCst);
            Ok(if left == 0 { Progress::Idle } else { Progress::Advanced(left) })
        }
    }

    #[tokio::test]
    async fn a_measured_run_goes_on_without_a_stage_that_failed_and_tells_of_it() {
        on_each(|store| async move {
            let stages: Vec<Box<dyn Stage>> = vec![Box::new(Failing), Box::new(Working(7.into()))];
            let mut told = Vec::new();
            let run = run_measured(&stages, &store, &Clock::System, |f| told.push((f.stage, f.advanced))).await.unwrap();
            assert_eq!(told, [("observe", 0), ("draft", 7)]);
            assert_eq!(run.stages.iter().map(|f| (f.stage, f.advanced)).collect::<Vec<_>>(), told);
            assert_eq!((run.rounds, run.failed.len(), run.failed[0].0), (2, 1, "observe"));
            assert_eq!(store.list_job_status().await.unwrap().len(), 2, "both are known to the page");
        })
        .await;
    }

    /// Waits for the end of a reading, and tells when it has been asked twice.
    struct Waiting(Arc<std::sync::atomic::AtomicUsize>, CancellationToken);

    #[async_trait]
    impl Stage for Waiting {
        fn name(&self) -> &'static str {
            "detect"
        }

        async fn run_once(&self) -> anyhow::Result<Progress> {
            if self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0 {
                self.1.cancel();
            }
            Err(anyhow::Error::from(BeingRead).context("looking at the items"))
        }
    }

    #[tokio::test]
    async fn a_stage_that_waits_for_the_end_of_a_reading_has_not_failed() {
        on_each(|store| async move {
            let (asked, stop) = (Arc::default(), CancellationToken::new());
            let stage = Box::new(Waiting(Arc::clone(&asked), stop.clone()));
            let period = Duration::from_millis(1);
            drive(stage, store.clone(), Clock::System, period, Arc::default(), stop).await;
            assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 2, "it is asked again");
            assert!(store.list_job_status().await.unwrap().is_empty(), "nothing is told as a failure");
        })
        .await;
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
