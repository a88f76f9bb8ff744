//! What was acknowledged and can not be judged yet is neither lost nor done.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use reeve::domain::action::{Action, Check};
use reeve::domain::case::Case;
use reeve::domain::ids::PersonId;
use reeve::domain::mode::Mode;
use reeve::domain::policy::Facts;
use reeve::domain::recommendation::Recommendation;
use reeve::pipeline::moment::BeingRead;
use reeve::pipeline::recheck::{Promised, Recheck};
use reeve_testing::slack::Signed;

use super::bench::{ARI, Bench};

/// The records, while the source is being read.
struct Reading(AtomicBool);

impl Reading {
    fn look<T>(&self, sees: T) -> anyhow::Result<T> {
        if self.0.load(Ordering::SeqCst) { Err(BeingRead.into()) } else { Ok(sees) }
    }
}

#[async_trait]
impl Recheck for Reading {
    async fn recheck(&self, _: &Case, steps: &[&Action]) -> anyhow::Result<Vec<Vec<Check>>> {
        self.look(steps.iter().map(|_| Vec::new()).collect())
    }

    async fn facts(&self, _: &Case, _: &Action) -> anyhow::Result<Facts> {
        self.look(Facts::default())
    }

    async fn moved(&self, _: &Case, _: &Recommendation) -> anyhow::Result<Vec<String>> {
        self.look(Vec::new())
    }

    async fn promised(&self, _: &Case) -> anyhow::Result<Promised> {
        self.look(Promised::default())
    }

    async fn owner(&self, _: &Case) -> anyhow::Result<Option<PersonId>> {
        Ok(None)
    }

    async fn concerned(&self, _: &Case) -> anyhow::Result<Vec<PersonId>> {
        self.look(Vec::new())
    }

    async fn mode(&self, _: &Case) -> anyhow::Result<Mode> {
        self.look(Mode::Live)
    }
}

#[tokio::test]
async fn a_click_that_comes_while_the_records_are_read_is_told_of_once_and_counted_when_they_have_been() {
    let mut bench = Bench::new().await;
    let card = bench.card().await;
    let reading = Arc::new(Reading(AtomicBool::new(true)));
    bench.inbox.state.approvals.recheck = Arc::clone(&reading) as Arc<dyn Recheck>;
    let click = bench.slack.press(ARI, &card, "reeve/approve");
    let answer = bench.post("/slack/interactions", &Signed::interaction(&click, bench.seconds())).await;
    assert_eq!(answer.status, 200);
    // Longer than what fails for other reasons is tried.
    for _ in 0..8 {
        assert!(bench.inbox.work_off().await.is_err());
        bench.later(Duration::from_mins(6));
    }
    let told =
        bench.slack.ephemeral().iter().filter(|said| said["text"].as_str().unwrap().contains("not counted yet")).count();
    assert_eq!((told, bench.decisions().await), (1, 0));
    reading.0.store(false, Ordering::SeqCst);
    bench.inbox.work_off().await.unwrap();
    assert_eq!((bench.state_of_first().await.as_str(), bench.decisions().await), ("approved", 1));
    assert!(bench.slack.last_said().starts_with("Approved"), "{}", bench.slack.last_said());
}
