//! Runs scenarios of a suite through the very App that people run: recorded ports, a clock that stands still, a store in memory.
//!
//! Scenarios share nothing, so they run side by side on all cores; what comes out is in the order of the suite whatever ended first.

mod player;
mod source;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::civil::Date;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use self::player::Player;
pub use self::player::Recorder;
use self::source::Rows;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::decision::RecommendationState;
use crate::domain::recommendation::Drafter;
use crate::ports::{LanguageModel, Ports, Senders};
use crate::rules::prompts::DraftPrompt;
use crate::store::{Store, Which};
use crate::suites::attempt::{Attempt, CaseSeen};
use crate::suites::cassette;
use crate::suites::grade::{Look, grade};
use crate::suites::run::Outcome;
use crate::suites::scenario::Scenario;
use crate::suites::suite::{DrafterKind, Limits, Suite};
use crate::suites::votes::Draft;

/// How a suite is run.
#[derive(Clone)]
pub struct How {
    /// Which scenarios: all where none is named, else those that match one of the tags.
    pub tags: Vec<String>,
    /// How often each.
    pub repeats: u32,
    /// The prompt that drafts.
    pub prompt: Arc<DraftPrompt>,
    /// Who drafts, where the suite is to be run otherwise than it says.
    pub drafter: Option<DrafterKind>,
    /// What records, where anything is to be recorded.
    pub recorder: Option<Recorder>,
    /// The day on which quarantines are looked at.
    pub today: Date,
    /// What was done before, by key: it is not done again.
    pub done: BTreeMap<String, Done>,
}

/// What is kept of an attempt for a run that goes on later.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Done {
    /// What the graders said.
    pub outcome: Outcome,
    /// What it said to people, for votes.
    pub drafts: Vec<Draft>,
}

/// An attempt and what it was made with.
pub struct Made {
    /// Where in the suite.
    pub at: usize,
    /// What came of it; none where it was done before.
    pub attempt: Option<Attempt>,
    /// What the graders said.
    pub outcome: Outcome,
    /// What it said to people, for votes.
    pub drafts: Vec<Draft>,
    /// By what it is known when a run is resumed.
    pub key: String,
}

impl How {
    /// The scenarios of `suite` that are to be run, with their place.
    pub fn picked<'s>(&self, suite: &'s Suite) -> Vec<(usize, &'s Scenario)> {
        let is_picked = |scenario: &Scenario| self.tags.is_empty() || self.tags.iter().any(|tag| scenario.matches(tag));
        suite.scenarios.iter().enumerate().filter(|(_, scenario)| is_picked(scenario)).collect()
    }

    fn drafter(&self, suite: &Suite) -> DrafterKind {
        self.drafter.unwrap_or(suite.spec.drafter)
    }

    fn key(&self, suite: &Suite, scenario: &Scenario, repeat: u32) -> String {
        let drafter = serde_json::to_string(&self.drafter(suite)).expect("a name");
        let program = env!("CARGO_PKG_VERSION");
        crate::domain::ids::content_id("", &[&scenario.hash, self.prompt.hash(), &drafter, &repeat.to_string(), program], 32)
    }
}

/// Runs what is picked of `suite`. `on_done` is told of each attempt as it ends; the answer is in the suite's order.
///
/// # Errors
/// What is wrong with the suite's settings. A scenario that fails is an outcome, not an error.
pub async fn run(
    suite: &Suite,
    how: &How,
    mut on_done: impl FnMut(&Made) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Made>> {
    let tracker = TaskTracker::new();
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let turns = Arc::new(Semaphore::new(cores));
    let (told, mut made_so_far) = tokio::sync::mpsc::unbounded_channel();
    for (at, scenario) in how.picked(suite) {
        let config = Arc::new(settings(scenario, how)?);
        for repeat in 1..=how.repeats {
            let key = how.key(suite, scenario, repeat);
            if let Some(Done { outcome, drafts }) = how.done.get(&key).cloned() {
                let made = Made { at, attempt: None, outcome, drafts, key };
                told.send(made).map_err(|_| anyhow::anyhow!("nobody takes what was done"))?;
                continue;
            }
            let job = Job {
                scenario: scenario.clone(),
                config: Arc::clone(&config),
                drafter: how.drafter(suite),
                limits: suite.spec.limits.clone(),
                quarantined: suite.quarantined(&scenario.id, how.today).map(|kept| kept.reason.clone()),
                prompt: how.prompt.hash().to_owned(),
                recorder: how.recorder.clone(),
                repeat,
            };
            let (turns, told) = (Arc::clone(&turns), told.clone());
            tracker.spawn(async move {
                // The semaphore is never closed.
                let _turn = turns.acquire_owned().await;
                let (attempt, outcome) = job.made().await;
                // Where nobody listens any more there is nobody to tell.
                let drafts = attempt.drafts();
                let _told = told.send(Made { at, attempt: Some(attempt), outcome, drafts, key });
            });
        }
    }
    drop(told);
    tracker.close();
    let mut all = Vec::new();
    while let Some(made) = made_so_far.recv().await {
        on_done(&made)?;
        all.push(made);
    }
    tracker.wait().await;
    all.sort_by_key(|made| (made.at, made.outcome.repeat));
    Ok(all)
}

/// The configuration of a scenario: the defaults and what it says otherwise. The operator's file has no part in it.
///
/// # Errors
/// The key that can not be set.
pub fn settings(scenario: &Scenario, how: &How) -> anyhow::Result<Config> {
    let origin = scenario.folder.join("scenario.toml").display().to_string();
    let mut config = Config::of_table(&origin, scenario.spec.settings.clone())
        .with_context(|| format!("the settings of scenario {}", scenario.id))?;
    config.rules.prompt = how.prompt.as_ref().clone();
    // A world of one case would have its random place filled with whatever nobody is to be asked about.
    config.rules.ranking.sample_places = 0;
    Ok(config)
}

/// One attempt to be made.
struct Job {
    scenario: Scenario,
    config: Arc<Config>,
    drafter: DrafterKind,
    limits: Limits,
    quarantined: Option<String>,
    prompt: String,
    recorder: Option<Recorder>,
    repeat: u32,
}

impl Job {
    async fn made(self) -> (Attempt, Outcome) {
        let player = (self.drafter == DrafterKind::Model).then(|| {
            let kept = cassette::read(&self.scenario.cassettes());
            kept.map(|kept| {
                let folder = self.scenario.cassettes();
                Arc::new(Player::new(kept, folder, self.recorder.clone(), self.prompt.clone(), self.limits.calls))
            })
        });
        let limit = Duration::from_secs(self.limits.seconds);
        let run = async {
            let player = player.transpose()?;
            let seen = self.played(player.clone()).await?;
            anyhow::Ok((seen, player.map(|player| player.calls()).unwrap_or_default()))
        };
        let empty = |failed: String| Attempt {
            scenario: self.scenario.id.clone(),
            repeat: self.repeat,
            cases: Vec::new(),
            exceptions: Vec::new(),
            digest: None,
            calls: Vec::new(),
            failed: Some(failed),
        };
        // One that hangs must not keep the others from being graded.
        let attempt = match tokio::time::timeout(limit, run).await {
            Ok(Ok((seen, calls))) => Attempt { calls, ..seen },
            Ok(Err(error)) => empty(format!("{error:#}")),
            Err(_) => empty(format!("it took longer than {} s", limit.as_secs())),
        };
        let grades = grade(&Look { scenario: &self.scenario, attempt: &attempt, settings: &self.config.rules });
        let about = attempt.about(self.scenario.spec.kind);
        let first = about.and_then(CaseSeen::first);
        let mut origins: Vec<String> = attempt.calls.iter().filter_map(|c| c.origin).map(|o| o.to_string()).collect();
        origins.sort();
        origins.dedup();
        let mut asked: Vec<String> = attempt.calls.iter().map(|c| c.asked.clone()).filter(|a| !a.is_empty()).collect();
        asked.sort();
        asked.dedup();
        let outcome = Outcome {
            scenario: self.scenario.id.clone(),
            about: self.scenario.spec.kind.map(|code| code.code().to_owned()).unwrap_or_default(),
            tags: self.scenario.spec.tags.clone(),
            repeat: self.repeat,
            drafter: first.map_or_else(String::new, |rec| drafter_name(&rec.drafter)),
            origins,
            asked,
            first: first.map_or_else(String::new, |rec| rec.candidate.codes()),
            tokens: attempt.calls.iter().map(|call| call.tokens).sum(),
            hash: attempt.hash(),
            quarantined: self.quarantined.clone(),
            grades,
        };
        (attempt, outcome)
    }

    /// Runs the App on the scenario's records until nothing is left to do, and takes down what stands in the store.
    async fn played(&self, player: Option<Arc<Player>>) -> anyhow::Result<Attempt> {
        let observed = self.scenario.observed()?;
        let records = observed.len();
        anyhow::ensure!(records <= self.limits.records, "it holds {records} records of at most {}", self.limits.records);
        let store = Store::open_and_migrate("sqlite::memory:").await?;
        let ports = Ports {
            source: Arc::new(Rows::new(&self.scenario.id, observed)),
            model: player.map(|player| player as Arc<dyn LanguageModel>),
            senders: Senders::default(),
        };
        let clock = Clock::standing_at(self.scenario.as_of);
        let app = App::new(Arc::clone(&self.config), store.clone(), ports, clock.clone());
        let mut before = self.scenario.spec.looks.clone();
        before.sort_unstable();
        // The look at the scenario's own moment is the last; some exceptions take one before it to open, or to be over.
        for days in before.into_iter().chain([0]) {
            let hours = jiff::SignedDuration::from_hours(24 * i64::from(days));
            clock.set(self.scenario.as_of.checked_add(hours).context("a look before all calendars")?);
            app.run_until_idle().await?;
        }
        let seen = taken_down(&store, &self.scenario, self.repeat, &self.config).await;
        store.close().await;
        seen
    }
}

/// What stands in the store, in the order of ids.
async fn taken_down(store: &Store, scenario: &Scenario, repeat: u32, config: &Config) -> anyhow::Result<Attempt> {
    let mut cases = Vec::new();
    for id in store.list_case_ids(&[]).await? {
        let case = store.get_case(&id).await?;
        let exceptions = store.list_case_exceptions(&id).await?;
        let listed = store.list_recommendations(&id).await?;
        let mut recommendations: Vec<_> = listed.into_iter().map(|(rec, _)| rec).filter(|rec| is_live(&rec.state)).collect();
        recommendations.sort_by_key(|rec| rec.rank);
        let bundle = match &case.evidence_hash {
            Some(hash) => Some(store.get_bundle(&id, hash).await?),
            None => None,
        };
        cases.push(CaseSeen { case, exceptions, recommendations, bundle });
    }
    // An attempt is hashed: in which order the store answers is no part of what came of it.
    cases.sort_by(|a, b| a.case.id.cmp(&b.case.id));
    let mut exceptions = store.list_exceptions(Which::All).await?;
    exceptions.sort_by(|a, b| a.id.cmp(&b.id));
    let day = config.rules.calendar.calendar().day_of(scenario.as_of);
    let digest = store.find_digest(day).await?.map(|kept| kept.digest);
    Ok(Attempt { scenario: scenario.id.clone(), repeat, cases, exceptions, digest, calls: Vec::new(), failed: None })
}

/// Who drafted, for reports.
fn drafter_name(drafter: &Drafter) -> String {
    match drafter {
        Drafter::Playbook { because: None } => "playbook".to_owned(),
        Drafter::Playbook { because: Some(why) } => format!("playbook, because {}", why.kind.as_ref().unwrap_or(&why.whole)),
        Drafter::Model { name, .. } => format!("model {name}"),
        Drafter::Edited { .. } => "people".to_owned(),
    }
}

/// Does it wait for somebody, or is it on its way to people?
fn is_live(state: &RecommendationState) -> bool {
    matches!(state, RecommendationState::Drafted | RecommendationState::Shadow | RecommendationState::Checked)
        || state.is_waiting()
}
