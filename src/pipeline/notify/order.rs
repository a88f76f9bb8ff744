//! In which order cases stand on a day, and which of them the digest shows (handbook §6): by lane, then money, small moves damped,
//! and some drawn at random from those below the line.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::Date;

use super::super::context::Context as Stages;
use super::super::detect::looked_through;
use super::super::want;
use super::edition::{Edition, Share};
use super::undecided::{self, Ranked, Undecided};
use crate::domain::audit::AuditEntry;
use crate::domain::calendar::{days_between, plus_days};
use crate::domain::case::{Lane, Rank};
use crate::domain::digest::DigestLine;
use crate::domain::ids::content_hash;
use crate::domain::money::Money;
use crate::rules::settings::RankingConfig;
use crate::store::StoredDigest;

/// A case keeps its place unless its priority moves by more than this share (handbook §6 rule 4).
const STABLE_SHARE: f64 = 0.20;

/// Which cases are shown on a day, and in which order all stand.
pub(super) struct Order {
    /// What waits for people, and what is latent.
    pub(super) undecided: Undecided,
    /// The places of those that stand above the line on their own merit, and of those that are drawn from below it.
    pub(super) straight: BTreeSet<usize>,
    pub(super) sampled: BTreeSet<usize>,
    /// Up to when was looked through what was read; None before the first look.
    pub(super) as_of: Option<Timestamp>,
    pub(super) yesterday: Option<StoredDigest>,
}

impl Order {
    pub(super) async fn of_day(stages: &Stages, edition: &Edition, share: Option<&Share>) -> anyhow::Result<Self> {
        let Stages { store, config, .. } = stages;
        let ranking = &edition.ranking;
        let calendar = config.rules.calendar.calendar();
        // What the cases rest on, which may be less than what was read since.
        let as_of = looked_through(stages).await?;
        // Ranks were counted on the day of the last look; the time that is left has gone on.
        let stood_still = as_of.map_or(0, |at| days_between(calendar.day_of(at), edition.reckoned).max(0));
        let yesterday = store.find_digest_of(edition.whose(), plus_days(edition.day, -1)).await?;
        let before = lines_of(yesterday.as_ref());
        let of_the_day = |rank: &mut Rank| {
            rank.slack_days -= f64::from(stood_still);
            rank.lane = lane(rank, ranking);
        };
        let mut undecided = undecided::read(stages, |case| share.is_none_or(|share| share.has(case)), of_the_day).await?;
        for entry in &mut undecided.ranked {
            let old = before.get(entry.case.id.as_str());
            entry.damped = old.map_or(entry.rank.priority, |old| stable(old, &entry.rank));
        }
        undecided.ranked.sort_by_key(order);
        let (straight, sampled) = above(&undecided.ranked, ranking, edition.day);
        Ok(Self { undecided, straight, sampled, as_of, yesterday })
    }

    /// Opens what is drawn and nobody was told of. Answers whether there was any: then it is drafted first, and the same is drawn again.
    pub(super) async fn open_drawn(&self, stages: &Stages, day: Date) -> anyhow::Result<bool> {
        let Stages { store, clock, .. } = stages;
        let mut opened = false;
        for case in self.sampled.iter().filter_map(|i| self.undecided.ranked.get(*i)).map(|entry| &entry.case) {
            let entry = AuditEntry::by_stage("notify", clock.now(), want::OPENED, want::subject(case));
            let because = format!("drawn for the digest of {day}");
            opened |= want::want(store, case, entry, &because, clock.now()).await.context("opening what was drawn")?;
        }
        Ok(opened)
    }
}

pub(super) fn lines_of(digest: Option<&StoredDigest>) -> BTreeMap<&str, &DigestLine> {
    digest.into_iter().flat_map(|d| &d.digest.lines).map(|line| (line.case_id.as_str(), line)).collect()
}

/// Damps small moves: yesterday's priority stands unless it changed by more than a fifth or the slack crossed a whole day.
pub(super) fn stable(old: &DigestLine, rank: &Rank) -> Money {
    let moved = (rank.priority - old.priority).abs().minor as f64 > STABLE_SHARE * old.priority.abs().minor as f64;
    let crossed = old.slack_days.floor().total_cmp(&rank.slack_days.floor()).is_ne();
    if moved || crossed { rank.priority } else { old.priority }
}

/// Lanes before money; then priority; equal ones with a positive low end first; then cost of delay, deadline and id.
pub(super) fn order(entry: &Ranked) -> (Lane, std::cmp::Reverse<Money>, bool, std::cmp::Reverse<Money>, Date, String) {
    use std::cmp::Reverse;
    let doubtful = entry.rank.value.low <= Money::ZERO;
    let delay = Money::from_f64(entry.rank.value.expected.to_f64() * entry.rank.perishing);
    (entry.rank.lane, Reverse(entry.damped), doubtful, Reverse(delay), entry.rank.deadline, entry.case.id.to_string())
}

/// Which cases stand above the line on their own merit, and which are drawn from those below it. Only what is worth a
/// decision, or stands in a lane, has merit. The draw goes by hash of day and case: random to people, the same for everybody
/// who recomputes it.
pub(super) fn above(ranked: &[Ranked], ranking: &RankingConfig, day: Date) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let (capacity, places) = (ranking.capacity, ranking.sample_places);
    let worth: Vec<usize> = (0..ranked.len()).filter(|&i| is_worth_deciding(&ranked[i].rank, ranking)).collect();
    // Everything has a line: there is nothing below it to draw from.
    if ranked.len() == worth.len() && worth.len() <= capacity {
        return (worth.into_iter().collect(), BTreeSet::new());
    }
    // However short the list is, its first place goes by merit.
    let places = places.min(capacity.saturating_sub(1));
    let straight: BTreeSet<usize> = worth.into_iter().take(capacity - places).collect();
    let mut rest: Vec<(String, usize)> = (0..ranked.len())
        .filter(|i| !straight.contains(i))
        .map(|i| (content_hash(&[&day.to_string(), ranked[i].case.id.as_str()]), i))
        .collect();
    rest.sort();
    (straight, rest.into_iter().take(places).map(|(_, i)| i).collect())
}

/// Is it worth a line? In a lane it takes more: a lane puts a case before others whatever they are worth.
pub(super) fn is_worth_deciding(rank: &Rank, ranking: &RankingConfig) -> bool {
    let least = if rank.lane == Lane::Ordinary { ranking.least_value } else { ranking.least_value_lane };
    rank.value.expected > Money::ZERO && rank.value.expected >= least
}

/// The lane that a case stands in: one that is worth too little for it stands by money.
pub(super) fn lane(rank: &Rank, ranking: &RankingConfig) -> Lane {
    if rank.value.expected >= ranking.least_value_lane { rank.lane } else { Lane::Ordinary }
}
