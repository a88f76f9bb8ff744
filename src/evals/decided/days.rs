//! One life of the recording: read, digest, decided, handed off, day by day.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::super::recording::Reads;
use super::decide::{Clicks, first_choice};
use super::hindsight::{Cause, Hindsight};
use super::recomputed::Recomputed;
use super::rule::Rule;
use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::action::Candidate;
use crate::domain::calendar::plus_days;
use crate::domain::case::{CaseState, Rank};
use crate::domain::exception::ExceptionType;
use crate::domain::ids::CaseId;
use crate::domain::outbox::OutboxKind;
use crate::memory::{LikeCase, like_cases};
use crate::pipeline::Stage;
use crate::ports::{Outgoing, PortError, Ports, Receipt, Sender, Senders, Source};
use crate::store::{Outcome, Store};
use crate::worker;

/// How long people take from the digest to their decisions.
const READING: SignedDuration = SignedDuration::from_mins(20);

/// A life to be lived.
pub(super) struct World<'a> {
    pub(super) config: &'a Arc<Config>,
    pub(super) source: &'a Arc<dyn Source>,
    pub(super) hindsight: &'a Hindsight,
    pub(super) reads: &'a Reads,
    /// By what people decide; None where nobody does.
    pub(super) rule: Option<Rule>,
    pub(super) digests: Option<&'a Path>,
    /// Is every card recomputed as soon as it is drafted?
    pub(super) recomputes: bool,
}

/// What it came to.
#[derive(Default)]
pub(super) struct Lived {
    pub(super) mornings: Vec<Morning>,
    /// Why cases that were on a card are real, over all mornings.
    pub(super) causes: BTreeMap<CaseId, BTreeSet<Cause>>,
    pub(super) clicks: Clicks,
    pub(super) recomputed: Recomputed,
    /// What was read back of what was handed off: the newest word on each.
    pub(super) outcomes: Vec<Outcome>,
    /// Probability that an exception of a type is real, on the last morning.
    pub(super) p: BTreeMap<ExceptionType, f64>,
    /// What finds like cases.
    pub(super) memory: String,
}

/// What people had before them on a morning.
pub(super) struct Morning {
    pub(super) day: Date,
    /// Cases of the digest, in its order.
    pub(super) lines: Vec<CaseId>,
    /// Everything with a card, in the order of money.
    pub(super) cards: Vec<Card>,
}

/// A case's card.
#[derive(Clone)]
pub(super) struct Card {
    pub(super) case: CaseId,
    /// The leading type.
    pub(super) code: String,
    pub(super) rank: Rank,
    /// What is proposed, first choice first, with its money and checks.
    pub(super) proposed: Vec<Candidate>,
    pub(super) like: Vec<LikeCase>,
}

/// Takes what was approved, and does nothing about it: a recording is over.
struct Takes;

#[async_trait]
impl Sender for Takes {
    fn name(&self) -> &'static str {
        "replay"
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        &[OutboxKind::Approved, OutboxKind::NotSeen, OutboxKind::Stuck]
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        Ok(Receipt::unnamed(message.at))
    }

    fn knows(&self, _: &str) -> bool {
        true
    }

    fn free_at(&self, _: &str, now: Timestamp) -> Timestamp {
        now
    }
}

impl World<'_> {
    /// Lives from the first morning to the last.
    pub(super) async fn live(
        &self,
        (first, last): (Date, Date),
        wire: &impl Fn(App) -> anyhow::Result<App>,
        on_day: impl Fn(u64),
    ) -> anyhow::Result<Lived> {
        let calendar = self.config.rules.calendar.calendar();
        // In memory: a replay begins with nothing and leaves nothing behind.
        let store = Store::open_and_migrate("sqlite::memory:").await?;
        let clock = Clock::standing_at(calendar.close_of(plus_days(first, -2)));
        let senders = Senders::new(vec![Arc::new(Takes)])?;
        let ports = Ports { source: Arc::clone(self.source), model: None, senders };
        let app = wire(App::new(Arc::clone(self.config), store.clone(), ports, clock.clone()))?;
        let mut lived = Lived { memory: app.context.memories.model().unwrap_or_default(), ..Lived::default() };
        let mut day = first;
        while day <= last {
            for moment in self.reads.of(&calendar, day, self.config.rules.calendar.digest_hour) {
                clock.set(moment);
                app.run_until_idle().await.with_context(|| format!("replaying {day}"))?;
                if self.recomputes {
                    lived.recomputed.drafted(&store, self.config, moment).await?;
                }
            }
            self.morning(&app, day, &mut lived).await.with_context(|| format!("the morning of {day}"))?;
            on_day(lived.mornings.len() as u64);
            day = plus_days(day, 1);
        }
        lived.outcomes = store.list_outcomes(Timestamp::UNIX_EPOCH).await?;
        lived.p = app.context.moments.now().await?.p.clone();
        if self.recomputes {
            let decided = lived.clicks.decided.values().map(|decided| &decided.recommendation);
            lived.recomputed.decided(&store, self.config, decided).await?;
        }
        store.close().await;
        Ok(lived)
    }

    /// What people read, what they decide on it, and what leaves when they can not take it back any more.
    async fn morning(&self, app: &App, day: Date, lived: &mut Lived) -> anyhow::Result<()> {
        let (store, clock) = (app.store(), &app.context.clock);
        let Some(kept) = store.find_digest(day).await? else { anyhow::bail!("there is no digest") };
        if let Some(folder) = self.digests {
            let file = folder.join(format!("{day}.txt"));
            std::fs::write(&file, &kept.text).with_context(|| format!("can not write {}", file.display()))?;
        }
        let cards = cards(store).await?;
        for card in &cards {
            let case = store.get_case(&card.case).await?;
            let causes = self.hindsight.causes(store, &case).await?;
            lived.causes.entry(case.id).or_default().extend(causes);
        }
        let lines = kept.digest.lines.iter().map(|line| line.case_id.clone()).collect();
        lived.mornings.push(Morning { day, lines, cards });
        let Some(rule) = self.rule else { return Ok(()) };
        clock.set(clock.now().checked_add(READING)?);
        lived.clicks.decide(app, self.hindsight, rule, &kept).await?;
        let undo = SignedDuration::from_mins(i64::from(self.config.approval.undo_minutes) + 1);
        clock.set(clock.now().checked_add(undo)?);
        // Nothing is read and nothing drafted before the evening: only what was approved leaves.
        let deliver: Vec<Box<dyn Stage>> = app.stages().into_iter().filter(|stage| stage.name() == "deliver").collect();
        worker::run_until_idle(&deliver, store, clock).await
    }
}

/// Every case that people may decide, with its card, in the order of money.
async fn cards(store: &Store) -> anyhow::Result<Vec<Card>> {
    let mut cards = Vec::new();
    for case in store.list_cases(CaseState::UNDECIDED).await? {
        let (Some(rank), Some(hash)) = (case.rank.clone(), &case.evidence_hash) else { continue };
        if first_choice(store, &case).await?.is_none() {
            continue;
        }
        let mut all: Vec<_> = store.list_recommendations(&case.id).await?.into_iter().map(|(rec, _)| rec).collect();
        all.retain(|rec| rec.state.is_waiting() && rec.evidence_hash == *hash);
        all.sort_by_key(|rec| rec.rank);
        cards.push(Card {
            code: case.codes.first().map_or_else(String::new, |code| code.code().to_owned()),
            rank,
            proposed: all.into_iter().map(|rec| rec.candidate).collect(),
            like: like_cases(&store.get_bundle(&case.id, hash).await?),
            case: case.id,
        });
    }
    cards.sort_by(|a, b| {
        let place = |card: &Card| (card.rank.lane, std::cmp::Reverse(card.rank.priority), card.case.clone());
        place(a).cmp(&place(b))
    });
    Ok(cards)
}
