//! The digest: which cases are shown today, in which order, and the account of the rest (handbook §6).
//!
//! One digest for each business day. Once made it is kept as it was sent; making it again on the same inputs gives the
//! same bytes.
//!
//! It waits until everything was read that happened before its day, with a look that began when the digest was due (what was
//! done in the ERP just before is not recommended again), and until that look has been looked through. At its deadline it is
//! made all the same, of what the detectors have seen, and says what is not in it.

mod undecided;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use self::undecided::{Ranked, Undecided};
use super::deliver::stuck;
use super::detect::{is_current, looked_through};
use super::modes::in_force;
use super::moment::Moment;
use super::watermark::Reading;
use super::{Context as Stages, Progress, Stage, observe, stop};
use crate::domain::audit::AuditEntry;
use crate::domain::book::Book;
use crate::domain::calendar::{Calendar, days_between};
use crate::domain::case::{Lane, Rank};
use crate::domain::decision::DecisionVerb;
use crate::domain::digest::{BelowLine, Digest, DigestLine, ExplainedLine};
use crate::domain::draft::order_note;
use crate::domain::exception::{Exception, ExceptionState, Subject};
use crate::domain::ids::{CaseId, content_hash};
use crate::domain::money::Money;
use crate::domain::words::{cut, plain};
use crate::render;
use crate::rules::alternatives::alternatives;
use crate::rules::card::Card;
use crate::rules::drafters::drafted_by;
use crate::rules::settings::RankingConfig;
use crate::store::StoredDigest;

/// A case keeps its place unless its priority moves by more than this share (handbook §6 rule 4).
const STABLE_SHARE: f64 = 0.20;

/// Longest reason in a digest of more than one sentence, in characters: two lines of a terminal.
const REASON_CHARS: usize = 180;

/// Longest error of a stage that the health of a digest tells, in characters.
const ERROR_CHARS: usize = 300;

/// How long records may be silent before the digest says that they are stale (handbook §2.7: orders 24 h).
const STALE_HOURS: i64 = 24;

/// How long a case without recommendations holds the digest up.
const UNDRAFTED_HOLDS: SignedDuration = SignedDuration::from_mins(30);

/// Makes the day's digest, once, from the configured hour on.
pub struct Notify(pub Stages);

#[async_trait]
impl Stage for Notify {
    fn name(&self) -> &'static str {
        "notify"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, config, clock, moments, .. } = &self.0;
        let now = clock.now();
        let day = config.rules.calendar.calendar().day_of(now);
        if now < config.rules.calendar.digest_at(day) || store.find_digest(day).await?.is_some() {
            return Ok(Progress::Idle);
        }
        if !(is_settled(&self.0).await? && (is_read(&self.0, day).await? || now >= config.rules.calendar.digest_by(day))) {
            return Ok(Progress::Idle);
        }
        // What it says was judged before; of the records it wants names, and at its deadline there may be no more than half.
        let moment = moments.now_or_half().await?;
        let digest = compose(&self.0, &moment, day).await?;
        let kept = StoredDigest {
            text: render::text(&digest),
            markdown: render::markdown(&digest),
            html: render::html(&digest),
            made_at: clock.now(),
            digest,
        };
        let entry = AuditEntry::by_stage("notify", clock.now(), "digest.made", format!("digest:{day}"))
            .on(content_hash(&[&kept.text]))
            .with(serde_json::json!({ "cases": kept.digest.lines.len(), "below": kept.digest.below.cases }));
        store.put_digest(&kept, &entry).await.context("keeping the digest")?;
        Ok(Progress::Advanced(1))
    }
}

/// Was everything read that the digest of `day` has to tell, with a look that began when it was due, and looked through? A
/// source that is down may come back: it is waited for until the deadline.
async fn is_read(stages: &Stages, day: Date) -> anyhow::Result<bool> {
    let due = stages.config.rules.calendar.digest_at(day);
    let fresh = Reading::load(&stages.store).await?.up_to().is_some_and(|at| at >= due);
    Ok(fresh && is_current(stages).await?)
}

/// Is the work of the stages before done? A digest is made once, so it must not be made of half of it, nor of nothing. A case
/// that can not be drafted holds it up for a while and not for ever.
async fn is_settled(stages: &Stages) -> anyhow::Result<bool> {
    let Stages { store, clock, config, .. } = stages;
    if looked_through(stages).await?.is_none() {
        return Ok(false);
    }
    let since = clock.now().checked_sub(UNDRAFTED_HOLDS).unwrap_or(Timestamp::MIN);
    // While Reeve is stopped nothing is drafted, so there is nothing to wait for.
    let drafts_come = stop::stopped(store, config).await?.is_none();
    let undrafted = drafts_come && store.has_new_since(since).await?;
    Ok(!undrafted && store.list_cases_proposing(&["drafted", "checked"]).await?.is_empty())
}

async fn compose(stages: &Stages, moment: &Moment, day: Date) -> anyhow::Result<Digest> {
    let Stages { store, config, clock, ports, .. } = stages;
    let calendar = config.rules.calendar.calendar();
    // What the cases rest on, which may be less than what was read since.
    let as_of = looked_through(stages).await?.unwrap_or(moment.book.as_of);
    let reading = Reading::load(store).await?;
    let due = config.rules.calendar.digest_at(day);
    let mut unread = reading.unread(day, due, &calendar, ports.source.streams());
    if as_of < due && reading.up_to().is_some_and(|at| at >= due) {
        unread.push(not_looked_through(as_of, &calendar));
    }
    unread.extend(in_force(store, config).await?.says());
    // Ranks were counted on the day of the last look; the time that is left has gone on.
    let stood_still = f64::from(days_between(calendar.day_of(as_of), day).max(0));
    let yesterday = store.find_digest(crate::domain::calendar::plus_days(day, -1)).await?;
    let before: BTreeMap<&str, &DigestLine> =
        yesterday.iter().flat_map(|d| &d.digest.lines).map(|l| (l.case_id.as_str(), l)).collect();
    let Undecided { mut ranked, noise, drafters } = undecided::read(stages, |rank| {
        rank.slack_days -= stood_still;
        rank.lane = lane(rank, &config.rules.ranking);
    })
    .await?;
    for entry in &mut ranked {
        let old = before.get(entry.case.id.as_str());
        entry.damped = old.map_or(entry.rank.priority, |old| stable(old, &entry.rank));
    }
    ranked.sort_by_key(order);
    let (straight, sampled) = above(&ranked, &config.rules.ranking, day);
    let shown: BTreeSet<usize> = straight.union(&sampled).copied().collect();
    undecided::fill(store, &mut ranked, &shown).await?;
    let book = &moment.book;
    let (mut lines, mut below) = (Vec::new(), Vec::new());
    for (i, entry) in ranked.iter().enumerate() {
        if shown.contains(&i) {
            let place = u32::try_from(lines.len() + 1).unwrap_or(u32::MAX);
            lines.push(line(book, entry, place, sampled.contains(&i), !before.contains_key(entry.case.id.as_str())));
        } else {
            below.push(entry);
        }
    }
    Ok(Digest {
        day,
        as_of,
        unread,
        currency: config.rules.money.currency.clone(),
        at_stake: lines.iter().filter(|l| l.is_worth_deciding()).map(|l| l.at_stake).sum(),
        below: account(&below),
        explained: explained(&store.list_explained().await?, day),
        noise,
        decided: decided(stages, yesterday.as_ref()).await?,
        drafted_by: drafted_by(drafters.iter()),
        health: health(stages, moment).await?.into_iter().chain(unknown(&below)).collect(),
        audit_head: store.audit_head().await?,
        lines,
    })
    .inspect(|_| tracing::info!(at = %clock.now(), "Composed the digest of {day}"))
}

/// What a digest says that was made before the detectors had looked through what was read.
fn not_looked_through(as_of: Timestamp, calendar: &Calendar) -> String {
    let at = as_of.to_zoned(calendar.timezone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
    format!("Not in it: what was read after {at}; it had not been looked through, see Health.")
}

/// Damps small moves: yesterday's priority stands unless it changed by more than a fifth or the slack crossed a whole day.
fn stable(old: &DigestLine, rank: &Rank) -> Money {
    let moved = (rank.priority - old.priority).abs().minor as f64 > STABLE_SHARE * old.priority.abs().minor as f64;
    let crossed = old.slack_days.floor().total_cmp(&rank.slack_days.floor()).is_ne();
    if moved || crossed { rank.priority } else { old.priority }
}

/// Lanes before money; then priority; equal ones with a positive low end first; then cost of delay, deadline and id.
fn order(entry: &Ranked) -> (Lane, std::cmp::Reverse<Money>, bool, std::cmp::Reverse<Money>, Date, String) {
    use std::cmp::Reverse;
    let doubtful = entry.rank.value.low <= Money::ZERO;
    let delay = Money::from_f64(entry.rank.value.expected.to_f64() * entry.rank.perishing);
    (entry.rank.lane, Reverse(entry.damped), doubtful, Reverse(delay), entry.rank.deadline, entry.case.id.to_string())
}

/// Which cases stand above the line on their own merit, and which are drawn from those below it. Only what is worth a
/// decision, or stands in a lane, has merit. The draw goes by hash of day and case: random to people, the same for everybody
/// who recomputes it.
fn above(ranked: &[Ranked], ranking: &RankingConfig, day: Date) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let (capacity, places) = (ranking.capacity, ranking.sample_places);
    let worth: Vec<usize> = (0..ranked.len()).filter(|&i| is_worth_deciding(&ranked[i].rank, ranking)).collect();
    if ranked.len() == worth.len() && worth.len() <= capacity {
        return (worth.into_iter().collect(), BTreeSet::new());
    }
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
fn is_worth_deciding(rank: &Rank, ranking: &RankingConfig) -> bool {
    let least = if rank.lane == Lane::Ordinary { ranking.least_value } else { ranking.least_value_lane };
    rank.value.expected > Money::ZERO && rank.value.expected >= least
}

/// The lane that a case stands in: one that is worth too little for it stands by money.
fn lane(rank: &Rank, ranking: &RankingConfig) -> Lane {
    if rank.value.expected >= ranking.least_value_lane { rank.lane } else { Lane::Ordinary }
}

fn line(book: &Book, entry: &Ranked, place: u32, sampled: bool, new: bool) -> DigestLine {
    let Ranked { case, rank, recommendations, .. } = entry;
    let first = recommendations.first();
    // Its words are the card's, as on the page and in the API.
    let card = first.map(Card::of);
    let note = first.and_then(|first| {
        let candidates: Vec<_> = recommendations.iter().map(|r| r.candidate.clone()).collect();
        order_note(&candidates, &first.candidate.id)
    });
    DigestLine {
        case_id: case.id.clone(),
        place,
        codes: case.codes.iter().map(|c| c.code().to_owned()).collect(),
        headline: plain(&case.headline),
        subject: subject_label(book, &case.subject),
        at_stake: rank.at_stake,
        value: rank.value,
        priority: rank.priority,
        p: rank.p,
        deadline: rank.deadline,
        slack_days: rank.slack_days,
        wait_cost: rank.wait_cost,
        lane: rank.lane,
        why: card.as_ref().map(|card| reason(&card.rationale)).unwrap_or_default(),
        action: card.as_ref().map(|card| card.codes.clone()).unwrap_or_default(),
        recommendation: card.map(|card| card.summary).unwrap_or_default(),
        alternatives: alternatives(book, recommendations),
        note,
        sampled,
        new,
    }
}

/// The sentences that matter: the first, and the second where both fit on two lines. None is ever cut.
fn reason(rationale: &str) -> String {
    let ends = rationale.match_indices(". ").map(|(at, _)| at + 1).chain([rationale.len()]);
    let opens = |at: usize| rationale[at..].trim_start().chars().next().is_none_or(|c| !c.is_lowercase());
    let mut ends = ends.filter(|&at| opens(at));
    let first = ends.next().unwrap_or(rationale.len());
    let second = ends.next().filter(|&at| rationale[..at].chars().count() <= REASON_CHARS);
    rationale[..second.unwrap_or(first)].trim().to_owned()
}

/// Who or where a subject is, for people.
pub fn subject_label(book: &Book, subject: &Subject) -> String {
    let mut parts = Vec::new();
    parts.extend(subject.item.as_ref().map(|i| book.item_label(i)));
    parts.extend(subject.location.as_ref().map(|l| book.location_name(l)));
    parts.extend(subject.supplier.as_ref().map(|s| book.supplier_name(s)));
    let order = subject.order.as_ref().and_then(|o| book.lines_of_order(o).first().map(|l| l.order_name.clone()));
    parts.extend(order);
    if parts.is_empty() {
        parts.extend(subject.document.clone());
    }
    parts.join(" · ")
}

/// Cases below the line whose money nobody can say because something is missing: they are named, not counted as nothing.
fn unknown(below: &[&Ranked]) -> Option<String> {
    let mut cases: Vec<&&Ranked> = below.iter().filter(|entry| entry.rank.unknown).collect();
    cases.sort_by(|a, b| a.case.id.cmp(&b.case.id));
    let first = cases.first()?.case.headline.trim_end_matches('.');
    Some(match cases.len() {
        1 => format!("One case below the line can not be valued, because something it needs is missing: {first}."),
        n => format!(
            "{n} cases below the line can not be valued, because something they need is missing; one of them: {first}."
        ),
    })
}

fn account(below: &[&Ranked]) -> BelowLine {
    let size = |e: &Ranked| (e.rank.value.expected, e.rank.at_stake);
    let largest = below.iter().max_by(|a, b| size(a).cmp(&size(b)).then_with(|| b.case.id.cmp(&a.case.id)));
    let money = |e: &Ranked| match e.rank.value.expected {
        Money::ZERO => format!("at stake {}", e.rank.at_stake),
        worth => worth.to_string(),
    };
    BelowLine {
        cases: u32::try_from(below.len()).unwrap_or(u32::MAX),
        value: below.iter().map(|e| e.rank.value.expected).sum(),
        largest: largest.map(|e| format!("{} ({})", e.case.headline.trim_end_matches('.'), money(e))),
    }
}

/// Look-alikes of the last two days, each with its reason; the same item on the same reason stands once.
fn explained(exceptions: &[Exception], day: Date) -> Vec<ExplainedLine> {
    let mut seen = BTreeSet::new();
    let mut lines = Vec::new();
    let recent = |e: &&Exception| e.state == ExceptionState::Explained && days_between(e.signal.to, day) <= 1;
    for exception in exceptions.iter().filter(recent) {
        let Some(reason) = &exception.signal.explained else { continue };
        if seen.insert((exception.signal.code, exception.signal.subject.item.clone(), reason.clone())) {
            lines.push(ExplainedLine {
                code: exception.signal.code.code().to_owned(),
                headline: exception.signal.headline.clone(),
                reason: reason.clone(),
            });
        }
    }
    lines.sort_by(|a, b| (&a.code, &a.headline).cmp(&(&b.code, &b.headline)));
    lines
}

async fn decided(stages: &Stages, yesterday: Option<&StoredDigest>) -> anyhow::Result<Vec<String>> {
    let Some(since) = yesterday.map(|d| d.made_at) else { return Ok(Vec::new()) };
    let mut lines = Vec::new();
    // The answer to a drill decided nothing.
    let decisions = stages.store.list_decisions(since).await?;
    let about: BTreeSet<&CaseId> = decisions.iter().map(|decision| &decision.case_id).collect();
    let cases = stages.store.list_cases_of(&about.into_iter().collect::<Vec<_>>()).await?;
    for decision in decisions.iter().filter(|d| d.verb != DecisionVerb::Drill) {
        let Some(case) = cases.get(&decision.case_id) else { continue };
        lines.push(format!("{} by {}: {}", decision.verb, decision.person, case.headline));
    }
    Ok(lines)
}

async fn health(stages: &Stages, moment: &Moment) -> anyhow::Result<Vec<String>> {
    let Stages { store, clock, config, .. } = stages;
    let mut lines = Vec::new();
    if let Some(stopped) = stop::stopped(store, config).await? {
        let undrafted = match store.count_cases_in(&["new"]).await? {
            0 => String::new(),
            1 => " One new case waits for its draft.".to_owned(),
            n => format!(" {n} new cases wait for their drafts."),
        };
        lines.push(format!("{}{undrafted}", stopped.says(config)));
    }
    if let Some(newest) = store.newest_change().await? {
        let hours = clock.now().duration_since(newest).as_hours();
        if hours >= STALE_HOURS {
            lines.push(format!("The newest record is {hours} hours old; check that the source is being read."));
        }
    }
    if let Some(looked) = observe::looked_at(store).await? {
        let hours = clock.now().duration_since(looked).as_hours();
        if hours >= STALE_HOURS {
            lines.push(format!("The source was last read {hours} hours ago; `reeve doctor` says why."));
        }
    }
    lines.extend(store.find_setting(observe::WARNING).await?.filter(|warning| !warning.is_empty()));
    for gap in observe::gaps(store).await? {
        lines.push(gap.to_string());
    }
    let dead = store.count_dead().await?;
    if dead > 0 {
        lines.push(format!("{dead} deliveries failed for good; see `reeve outbox list`."));
    }
    lines.extend(stuck::lines(store, &stages.config, clock.now()).await?);
    for status in store.list_job_status().await? {
        if let Some(error) = status.last_error {
            lines.push(format!("The stage {} last failed: {}", status.stage, cut(&error, ERROR_CHARS)));
        }
    }
    lines.extend(moment.seen.overview.feeds.lines(&moment.book));
    if !moment.book.has_sale_lines() {
        lines.push("There are no sales in the records: demand can not be judged.".to_owned());
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::domain::action::Range;
    use crate::domain::case::Case;

    const DAY: &str = "2026-10-09";

    fn ranked(id: &str, worth: i64, at_stake: i64, lane: Lane) -> Ranked {
        let expected = Money::from_minor(worth);
        let rank = Rank {
            lane,
            p: 0.9,
            value: Range { low: expected, expected, high: expected },
            at_stake: Money::from_minor(at_stake),
            deadline: DAY.parse().unwrap(),
            slack_days: 1.0,
            perishing: 1.0,
            priority: expected,
            wait_cost: Money::ZERO,
            hangs_on: None,
            unknown: false,
        };
        let case = Case {
            headline: format!("case {id}."),
            rank: Some(rank.clone()),
            ..reeve_testing::cases::case(id, &[], Timestamp::UNIX_EPOCH)
        };
        Ranked { case, damped: rank.priority, rank, recommendations: vec![] }
    }

    fn ranking(capacity: usize) -> RankingConfig {
        RankingConfig { capacity, ..Config::load_from(None, &[]).unwrap().rules.ranking }
    }

    #[test]
    fn only_what_is_worth_a_decision_is_above_the_line() {
        let all = [
            ranked("due", 2500, 0, Lane::BillDue),
            ranked("a", 1000, 2000, Lane::Ordinary),
            ranked("b", 999, 2000, Lane::Ordinary),
            ranked("c", 0, 800, Lane::Ordinary),
        ];
        let (straight, sampled) = above(&all, &ranking(15), DAY.parse().unwrap());
        assert_eq!(straight, BTreeSet::from([0, 1]));
        assert_eq!(sampled.len(), 1, "one of the rest is drawn");
        assert!(sampled.is_disjoint(&straight));
        assert_eq!(above(&all[..2], &ranking(15), DAY.parse().unwrap()).1, BTreeSet::new(), "nothing is left to draw from");
        assert_eq!(above(&all[..2], &ranking(1), DAY.parse().unwrap()).0.len(), 1, "the line holds");
    }

    #[test]
    fn a_lane_does_not_lift_what_is_worth_little() {
        let ranking = ranking(15);
        let due = |worth: i64| {
            let mut entry = ranked("due", worth, worth, Lane::BillDue);
            entry.rank.lane = lane(&entry.rank, &ranking);
            entry
        };
        let first = |worth: i64| {
            let mut all = [due(worth), ranked("a", 32_600, 40_000, Lane::Ordinary)];
            all.sort_by_key(order);
            all[0].case.id.to_string()
        };
        assert_eq!((first(2000), first(2499), first(2500)), ("a".into(), "a".into(), "due".into()));
        assert!(is_worth_deciding(&due(2000).rank, &ranking), "it is worth a line of its own");
        assert!(!is_worth_deciding(&due(900).rank, &ranking));
    }

    #[test]
    fn a_case_keeps_its_priority_until_it_moved_by_a_fifth_or_its_slack_crossed_a_day() {
        let book = Book::new(Timestamp::UNIX_EPOCH, crate::domain::calendar::Calendar::utc(), []);
        let entry = ranked("a", 10_000, 0, Lane::Ordinary);
        let old = line(&book, &entry, 1, false, true);
        let now = |priority: i64, slack_days: f64| {
            let rank = Rank { priority: Money::from_minor(priority), slack_days, ..entry.rank.clone() };
            stable(&old, &rank).minor
        };
        assert_eq!(now(12_000, 1.0), 10_000, "a fifth is not more than a fifth");
        assert_eq!(now(12_001, 1.0), 12_001);
        assert_eq!(now(8_000, 1.0), 10_000);
        assert_eq!(now(7_999, 1.0), 7_999);
        assert_eq!(now(10_500, 1.9), 10_000, "the same whole day");
        assert_eq!(now(10_500, 0.9), 10_500, "a day was crossed");
        assert_eq!(now(10_500, 2.0), 10_500);
    }

    #[test]
    fn equal_ones_with_a_doubtful_low_end_stand_below_and_lanes_above_money() {
        let mut doubtful = ranked("a", 500, 900, Lane::Ordinary);
        doubtful.rank.value.low = Money::ZERO;
        let mut all = [
            doubtful,
            ranked("b", 500, 900, Lane::Ordinary),
            ranked("c", 2500, 2500, Lane::KeyItem),
            ranked("d", 2500, 2500, Lane::BillDue),
        ];
        all.sort_by_key(order);
        let ids: Vec<&str> = all.iter().map(|r| r.case.id.as_str()).collect();
        assert_eq!(ids, ["d", "c", "b", "a"]);
    }

    #[test]
    fn the_random_place_is_marked_the_same_for_everybody_and_another_on_another_day() {
        let mut all = vec![ranked("top", 9000, 9000, Lane::Ordinary)];
        all.extend((0..40).map(|n| ranked(&format!("low-{n}"), 0, 700, Lane::Ordinary)));
        let drawn = |day: &str| above(&all, &ranking(15), day.parse().unwrap()).1;
        assert_eq!(drawn(DAY), drawn(DAY));
        let days: BTreeSet<_> = (1..=20).map(|d| drawn(&format!("2026-10-{d:02}"))).collect();
        assert!(days.len() > 10, "it is not always the same case: {days:?}");
        let book = Book::new(Timestamp::UNIX_EPOCH, crate::domain::calendar::Calendar::utc(), []);
        let at = *drawn(DAY).first().unwrap();
        assert!(
            line(&book, &all[at], 2, true, false).sampled,
            "its line says so, and the estimate of what is missed reads it"
        );
    }

    #[test]
    fn where_nothing_below_is_worth_anything_the_largest_is_told_by_what_is_at_stake() {
        let (b, c) = (ranked("b", 0, 700, Lane::Ordinary), ranked("c", 0, 800, Lane::Ordinary));
        let account = account(&[&b, &c]);
        assert_eq!(account.largest.as_deref(), Some("case c (at stake 8.00)"));
        assert_eq!((account.cases, account.value), (2, Money::ZERO));
    }

    #[test]
    fn a_reason_is_whole_sentences_that_fit() {
        let first = "Riverside can spare 5.5 units; moving them saves 12.00.";
        assert_eq!(reason(&format!("{first} It is short.")), format!("{first} It is short."));
        assert_eq!(reason(&format!("{first} {}", "Long ".repeat(60))), first);
        let long = "word ".repeat(60);
        assert_eq!(reason(&long), long.trim());
    }
}
