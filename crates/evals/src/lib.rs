//! Offline eval suites for machine-learning engineers: scenarios in files, graders, statistics and reports. Pure: whoever runs the
//! daemon on a scenario stands in the daemon, and hands over what came of it as an [`attempt::Attempt`].
//!
//! - [`world`]: a shop in a few lines; [`scenario`], [`suite`]: the files, read with errors that say file and line;
//! - [`attempt`]: what came of a scenario; [`cassette`]: what a language model answered, kept by what it was asked;
//! - [`grade`]: graders, each a small named function, and a mutation for each that it must catch;
//! - [`standing`]: whether a language model has earned its words;
//! - [`stats`], [`compare`], [`baseline`], [`lint`]: what runs say together;
//! - [`report`]: the same for a terminal, a machine, a pull request and a browser; [`exchange`]: for other benches;
//! - [`votes`]: what people say of words, side by side.

pub mod attempt;
pub mod baseline;
pub mod cassette;
pub mod compare;
pub mod exchange;
pub mod grade;
pub mod lint;
pub mod report;
pub mod run;
pub mod scenario;
pub mod standing;
pub mod stats;
pub mod suite;
pub mod votes;
pub mod world;
