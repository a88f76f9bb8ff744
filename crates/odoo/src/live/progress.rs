//! How far a pull has come, for whoever wants to draw it.

use std::time::Duration;

use tokio::time::Instant;

/// What is being done with a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It is read from the beginning.
    Loading,
    /// What changed is read.
    Following,
    /// Its ids are compared.
    Sweeping,
}

impl Doing {
    /// In a word, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Loading => "reading",
            Self::Following => "following",
            Self::Sweeping => "comparing",
        }
    }
}

/// A step forward.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The stream.
    pub stream: &'static str,
    /// What is being done.
    pub doing: Doing,
    /// Rows done of it since it was begun or taken up again.
    pub done: u64,
    /// Rows that there are to do, where that is known.
    pub total: Option<u64>,
    /// Rows per second.
    pub rate: f64,
    /// How long it will still take at this rate, where the total is known.
    pub left: Option<Duration>,
    /// Is this the stream's last step?
    pub over: bool,
}

/// Is told of every step. Called between pages: it must not wait.
pub trait Progress: Send + Sync {
    /// A page is committed, or a stream is through.
    fn step(&self, step: &Step);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _step: &Step) {}
}

/// Counts one stream's rows and what they take.
#[derive(Debug)]
pub(super) struct Meter {
    stream: &'static str,
    doing: Doing,
    start: Instant,
    done: u64,
    total: Option<u64>,
}

impl Meter {
    /// Starts to count.
    pub(super) fn new(stream: &'static str, doing: Doing, total: Option<u64>) -> Self {
        Self { stream, doing, start: Instant::now(), done: 0, total }
    }

    /// So many rows more.
    pub(super) fn add(&mut self, rows: usize) {
        self.done += rows as u64;
    }

    /// Where it stands.
    pub(super) fn step(&self, over: bool) -> Step {
        let seconds = self.start.elapsed().as_secs_f64();
        let rate = if seconds > 0.0 { self.done as f64 / seconds } else { 0.0 };
        let rest = self.total.map(|total| total.saturating_sub(self.done));
        let left = rest.filter(|_| rate > 0.0).and_then(|rest| Duration::try_from_secs_f64(rest as f64 / rate).ok());
        Step { stream: self.stream, doing: self.doing, done: self.done, total: self.total, rate, left, over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn rate_and_time_left_follow_from_what_is_done() {
        let mut meter = Meter::new("stock.move", Doing::Loading, Some(10_000));
        assert_eq!(meter.step(false).left, None, "nothing is known before the first page");
        tokio::time::advance(Duration::from_secs(2)).await;
        meter.add(4_000);
        let step = meter.step(false);
        assert_eq!((step.done, step.rate, step.left), (4_000, 2_000.0, Some(Duration::from_secs(3))));
        meter.add(9_000);
        assert_eq!(meter.step(true).left, Some(Duration::ZERO), "more than was counted is no negative time");
    }
}
