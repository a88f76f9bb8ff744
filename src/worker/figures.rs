//! What a stage took: time, work, memory. Read from the operating system where that says it, absent elsewhere.

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
        StageFigures {
            stage,
            seconds: self.at.elapsed().as_secs_f64(),
            cpu_seconds: self.cpu.zip(cpu_time()).map(|(before, now)| now.saturating_sub(before).as_secs_f64()),
            advanced,
            peak_memory_bytes: peak_memory(),
        }
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
        all.add(&turn(1.0, None, 0, None));
        assert_eq!(all, turn(4.0, None, 7, Some(20)), "what is not known of a part is not known of the whole");
    }
}
