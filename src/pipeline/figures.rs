//! What a stage took: time, work, memory. Read from the operating system where that says it, absent elsewhere.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// Clock ticks of a second in `/proc/self/stat`: what Linux promises to programs, on every machine that Reeve runs on.
const TICKS: f64 = 100.0;

/// What one stage did and took, over all its turns of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageFigures {
    /// The stage.
    pub stage: &'static str,
    /// By the clock on the wall.
    pub seconds: f64,
    /// Of the whole process meanwhile, on all cores. None where the system does not say.
    pub cpu_seconds: Option<f64>,
    /// How much it moved on, in the stage's own pieces: records, cases, messages.
    pub advanced: usize,
    /// The most memory that the process has had in its life so far. None where the system does not say.
    pub peak_memory_bytes: Option<u64>,
}

impl StageFigures {
    /// Takes in another turn of the same stage.
    pub fn add(&mut self, turn: &Self) {
        self.seconds += turn.seconds;
        self.cpu_seconds = self.cpu_seconds.zip(turn.cpu_seconds).map(|(before, now)| before + now);
        self.advanced += turn.advanced;
        self.peak_memory_bytes = turn.peak_memory_bytes.or(self.peak_memory_bytes);
    }

    /// What is left of it beside parts that are told by themselves.
    #[must_use]
    pub fn beside(mut self, parts: &[Self]) -> Self {
        for part in parts {
            self.seconds = (self.seconds - part.seconds).max(0.0);
            self.cpu_seconds = self.cpu_seconds.zip(part.cpu_seconds).map(|(all, part)| (all - part).max(0.0));
        }
        self
    }
}

/// Measures a part of a stage's work, in as many pieces as it comes.
#[derive(Debug)]
pub struct Meter(Mutex<StageFigures>);

impl Meter {
    /// Of the part with this name.
    pub fn of(part: &'static str) -> Self {
        Self(Mutex::new(nothing(part)))
    }

    /// From now until what it answers is dropped.
    pub fn begin(&self) -> Measured<'_> {
        Measured { meter: self, started: Started::now() }
    }

    /// So many pieces more were done.
    pub fn count(&self, pieces: usize) {
        self.figures().advanced += pieces;
    }

    /// What was measured since this was asked last.
    pub fn take(&self) -> StageFigures {
        let mut figures = self.figures();
        let part = nothing(figures.stage);
        StageFigures { peak_memory_bytes: peak_memory(), ..std::mem::replace(&mut *figures, part) }
    }

    /// Sums that a panic leaves behind are as good as any.
    fn figures(&self) -> MutexGuard<'_, StageFigures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A piece of work that is being measured.
#[derive(Debug)]
pub struct Measured<'m> {
    meter: &'m Meter,
    started: Started,
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        let (seconds, cpu_seconds) = self.started.spent();
        let mut figures = self.meter.figures();
        figures.seconds += seconds;
        figures.cpu_seconds = figures.cpu_seconds.zip(cpu_seconds).map(|(before, now)| before + now);
    }
}

fn nothing(stage: &'static str) -> StageFigures {
    StageFigures { stage, seconds: 0.0, cpu_seconds: Some(0.0), advanced: 0, peak_memory_bytes: None }
}

/// A moment from which on it is measured.
#[derive(Clone, Copy, Debug)]
pub struct Started {
    at: Instant,
    cpu: Option<Duration>,
}

impl Started {
    /// Now.
    pub fn now() -> Self {
        Self { at: Instant::now(), cpu: cpu_time() }
    }

    /// What was taken since.
    pub fn took(self, stage: &'static str, advanced: usize) -> StageFigures {
        let (seconds, cpu_seconds) = self.spent();
        StageFigures { stage, seconds, cpu_seconds, advanced, peak_memory_bytes: peak_memory() }
    }

    /// Seconds by the clock, and of the processor.
    fn spent(self) -> (f64, Option<f64>) {
        let cpu = self.cpu.zip(cpu_time()).map(|(before, now)| now.saturating_sub(before).as_secs_f64());
        (self.at.elapsed().as_secs_f64(), cpu)
    }
}

/// Processor time of this process so far, in its own code and in the system's, to a hundredth of a second.
fn cpu_time() -> Option<Duration> {
    parse_cpu(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// The program's name stands in brackets and may hold anything, so fields are counted behind the last one.
fn parse_cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let (own, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(Duration::from_secs_f64((f64::from(own) + f64::from(system)) / TICKS))
}

/// The most memory that this process has had, in bytes.
fn peak_memory() -> Option<u64> {
    parse_peak(&std::fs::read_to_string("/proc/self/status").ok()?)
}

fn parse_peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linux_says_is_read() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 900 0 0 0 151 49 0 0 20 0 4 0 100 1 1";
        assert_eq!(parse_cpu(stat), Some(Duration::from_secs(2)));
        assert_eq!(parse_cpu("7 (a) S 1"), None);
        assert_eq!(parse_peak("VmPeak:\t  9 kB\nVmHWM:\t    2048 kB\n"), Some(2 * 1024 * 1024));
        assert_eq!(parse_peak("VmPeak:\t  9 kB\n"), None);
    }

    #[test]
    fn turns_of_a_stage_add_up() {
        let turn = |seconds: f64, cpu_seconds, advanced, peak| StageFigures {
            stage: "draft",
            seconds,
            cpu_seconds,
            advanced,
            peak_memory_bytes: peak,
        };
        let mut all = turn(1.0, Some(0.5), 3, Some(10));
        all.add(&turn(2.0, Some(1.5), 4, Some(20)));
        assert_eq!(all, turn(3.0, Some(2.0), 7, Some(20)));
        let (part, left) = (turn(0.5, Some(0.5), 2, None), turn(2.5, Some(1.5), 7, Some(20)));
        assert_eq!(all.clone().beside(&[part]), left, "a part's time is not told twice");
        all.add(&turn(1.0, None, 0, None));
        assert_eq!(all, turn(4.0, None, 7, Some(20)), "what is not known of a part is not known of the whole");
    }

    #[test]
    fn a_part_is_measured_in_pieces_and_told_once() {
        let meter = Meter::of("enrich");
        for pieces in [2, 3] {
            let _measured = meter.begin();
            meter.count(pieces);
        }
        let told = meter.take();
        assert_eq!((told.stage, told.advanced), ("enrich", 5));
        assert!(told.seconds > 0.0);
        let after = meter.take();
        assert_eq!((after.advanced, after.seconds), (0, 0.0));
    }
}
