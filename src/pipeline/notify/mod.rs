//! The digest: which cases are shown today, in which order, and the account of the rest (handbook §6).
//!
//! One digest for each business day, and where there are planners (`edition`) one more for each of them, of what is theirs. Once made it is
//! kept as it was sent; making it again on the same inputs gives the same bytes.
//!
//! It waits until everything was read that happened before its day, with a look that began when the digest was due (what was
//! done in the ERP just before is not recommended again), and until that look has been looked through. At its deadline it is
//! made all the same, of what the detectors have seen, and says what is not in it.

mod edition;
mod order;
mod undecided;

use std::collections::BTreeSet;

use anyhow::Context;
use async_trait::async_trait;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use self::edition::{Edition, Share};
use self::order::{Order, lines_of};
use self::undecided::{Ranked, Undecided};
use super::context::Context as Stages;
use super::deliver::stuck;
use super::detect::{is_current, looked_through};
use super::enrich::AWAY;
use super::modes::in_force;
use super::moment::Moment;
use super::registry::drift::{self, DetectorDrift};
use super::watermark::{self, Reading};
use super::{Progress, Stage, observe, stop, writers};
use crate::config::{Config, PlannerConfig};
use crate::domain::audit::AuditEntry;
use crate::domain::book::Book;
use crate::domain::calendar::{Calendar, days_between};
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
use crate::store::StoredDigest;

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
        let Stages { config, clock, .. } = &self.0;
        for edition in Edition::all(config, clock.now()) {
            if self.make(&edition).await? {
                return Ok(Progress::Advanced(1));
            }
        }
        Ok(Progress::Idle)
    }
}

impl Notify {
    /// Makes a digest, where it is due and all that it has to tell is there. Answers whether anything was done for it.
    async fn make(&self, edition: &Edition) -> anyhow::Result<bool> {
        let Stages { store, config, clock, moments, .. } = &self.0;
        let now = clock.now();
        if now < edition.due || store.find_digest_of(edition.whose(), edition.day).await?.is_some() {
            return Ok(false);
        }
        if !(is_settled(&self.0).await? && (is_read(&self.0, edition).await? || now >= edition.by)) {
            return Ok(false);
        }
        // Whose a case is, its records say. Everybody's digest asks for none before it is clear that it will be made.
        let share = match &edition.planner {
            None => None,
            Some(_) => Share::of(config, &moments.now_or_half().await?, edition),
        };
        let order = Order::of_day(&self.0, edition, share.as_ref()).await?;
        // What is drawn from below the line has to be drafted to be decided. While nothing is drafted, since people stopped it or a
        // source is away, it has a line without a proposal.
        if stop::stopped(store, config).await?.is_none()
            && observe::may_look(&self.0).await?
            && order.open_drawn(&self.0, edition.day).await?
        {
            return Ok(true);
        }
        // What it says was judged before; of the records it wants names, and at its deadline there may be no more than half.
        let moment = moments.now_or_half().await?;
        let digest = compose(&self.0, &moment, edition, order, share.as_ref()).await?;
        let kept = StoredDigest {
            text: render::text(&digest),
            markdown: render::markdown(&digest),
            html: render::html(&digest),
            made_at: clock.now(),
            digest,
        };
        let entry = AuditEntry::by_stage("notify", clock.now(), "digest.made", edition.subject())
            .on(content_hash(&[&kept.text]))
            .with(serde_json::json!({ "cases": kept.digest.lines.len(), "below": kept.digest.below.cases }));
        store.put_digest(&kept, &entry).await.context("keeping the digest")?;
        Ok(true)
    }
}

/// Was everything read that a digest has to tell, with a look that began when it was due, and looked through? A
/// source that is down may come back: it is waited for until the deadline.
async fn is_read(stages: &Stages, edition: &Edition) -> anyhow::Result<bool> {
    let fresh = Reading::load(&stages.store).await?.up_to().is_some_and(|at| at >= edition.due);
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

async fn compose(
    stages: &Stages,
    moment: &Moment,
    edition: &Edition,
    order: Order,
    share: Option<&Share>,
) -> anyhow::Result<Digest> {
    let Stages { store, config, clock, ports, .. } = stages;
    let calendar = config.rules.calendar.calendar();
    let Order { undecided: Undecided { mut ranked, noise, drafters }, straight, sampled, as_of, yesterday } = order;
    let as_of = as_of.unwrap_or(moment.book.as_of);
    let before = lines_of(yesterday.as_ref());
    let reading = Reading::load(store).await?;
    let due = edition.due;
    let mut unread = reading.unread(edition.reckoned, due, &calendar, ports.source.streams());
    // It was read in time but not looked through: no stream is behind, so nothing else would say what is missing.
    if as_of < due && reading.up_to().is_some_and(|at| at >= due) {
        unread.push(not_looked_through(as_of, &calendar));
    }
    // What is not live is not in it either, and people have to know that.
    unread.extend(in_force(store, config).await?.says());
    let shown: BTreeSet<usize> = straight.union(&sampled).copied().collect();
    // Only of what gets a line it is read in full what is proposed: below the line there may be thousands.
    undecided::fill(store, &mut ranked, &shown).await?;
    let candidate = match writers::configured(store, config).await?.filter(|_| ports.model.is_some()) {
        Some(stand) => stand.why_playbook(store, edition.reckoned, &calendar).await?,
        None => None,
    };
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
    let mut odd = store.list_explained().await?;
    odd.retain(|exception| share.is_none_or(|share| share.has_exception(exception)));
    Ok(Digest {
        day: edition.day,
        planner: edition.planner.clone(),
        as_of,
        unread,
        currency: config.rules.money.currency.clone(),
        at_stake: lines.iter().filter(|l| l.is_worth_deciding()).map(|l| l.at_stake).sum(),
        below: account(&below),
        planners: if edition.planner.is_none() { planners(config, book, &ranked) } else { Vec::new() },
        explained: explained(&odd, edition.reckoned),
        noise,
        decided: decided(stages, yesterday.as_ref(), share).await?,
        drafted_by: drafted_by(drafters.iter(), candidate.as_deref()),
        health: health(stages, moment).await?.into_iter().chain(unknown(&below)).collect(),
        audit_head: store.audit_head().await?,
        lines,
    })
    .inspect(|_| tracing::info!(at = %clock.now(), whose = edition.whose(), "Composed the digest of {}", edition.day))
}

/// What each planner has, for whoever answers for all of it.
fn planners(config: &Config, book: &Book, ranked: &[Ranked]) -> Vec<String> {
    let Some(ownership) = config.ownership() else { return Vec::new() };
    let line = |planner: &PlannerConfig| {
        let own = |entry: &&Ranked| *ownership.of_case(book, &entry.case) == planner.person;
        let theirs: Vec<&Ranked> = ranked.iter().filter(own).collect();
        let worth: Money = theirs.iter().map(|entry| entry.rank.value.expected).sum();
        let name = config.people.iter().find(|person| person.id == planner.person).map_or("", |person| &person.name);
        let cases = render::count(theirs.len(), "case", "cases");
        let first = theirs
            .first()
            .map_or(String::new(), |entry| format!("; the first: {}", entry.case.headline.trim_end_matches('.')));
        format!("{}: {cases}, together worth {} {worth}{first}.", plain(name), config.rules.money.currency)
    };
    config.planners.iter().map(line).collect()
}

/// What a digest says that was made before the detectors had looked through what was read.
fn not_looked_through(as_of: Timestamp, calendar: &Calendar) -> String {
    let at = as_of.to_zoned(calendar.timezone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string();
    format!("Not in it: what was read after {at}; it had not been looked through, see Health.")
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
    // The night's look is about the day before, so a look-alike of yesterday is news this morning.
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

async fn decided(stages: &Stages, yesterday: Option<&StoredDigest>, share: Option<&Share>) -> anyhow::Result<Vec<String>> {
    let Some(since) = yesterday.map(|d| d.made_at) else { return Ok(Vec::new()) };
    let mut lines = Vec::new();
    // The answer to a drill decided nothing.
    let decisions = stages.store.list_decisions(since).await?;
    let about: BTreeSet<&CaseId> = decisions.iter().map(|decision| &decision.case_id).collect();
    let cases = stages.store.list_cases_of(&about.into_iter().collect::<Vec<_>>()).await?;
    for decision in decisions.iter().filter(|d| d.verb != DecisionVerb::Drill) {
        let Some(case) = cases.get(&decision.case_id) else { continue };
        if share.is_some_and(|share| !share.has(case)) {
            continue;
        }
        lines.push(format!("{} by {}: {}", decision.verb, decision.person, case.headline));
    }
    Ok(lines)
}

async fn health(stages: &Stages, moment: &Moment) -> anyhow::Result<Vec<String>> {
    let Stages { store, clock, config, .. } = stages;
    let mut lines = Vec::new();
    if let Some(stopped) = stop::stopped(store, config).await? {
        // While it is stopped new cases get no drafts and so no lines: how many there are must not go unsaid.
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
    // Another thing than old records: a source that is read and tells nothing new, and one that nobody has read.
    if let Some(looked) = watermark::looked_at(store).await? {
        let hours = clock.now().duration_since(looked).as_hours();
        if hours >= STALE_HOURS {
            lines.push(format!("The source was last read {hours} hours ago; `reeve doctor` says why."));
        }
    }
    lines.extend(store.find_setting(observe::WARNING).await?.filter(|warning| !warning.is_empty()));
    for gap in observe::gaps(store).await? {
        lines.push(gap.to_string());
    }
    if let Some(why) = store.find_setting(AWAY).await?.filter(|why| !why.is_empty()) {
        lines.push(format!("Memory does not answer, so new cards do not show how like cases ended: {why}."));
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
    lines.extend(detectors(stages).await?);
    lines.extend(moment.seen.overview.feeds.lines(&moment.book));
    if !moment.book.has_sale_lines() {
        lines.push("There are no sales in the records: demand can not be judged.".to_owned());
    }
    Ok(lines)
}

/// What is wrong with the detectors: one that can not be read, and what has drifted.
async fn detectors(stages: &Stages) -> anyhow::Result<Vec<String>> {
    let Stages { store, clock, config, .. } = stages;
    let running = stages.models().now().await?;
    let today = config.rules.calendar.calendar().day_of(clock.now());
    let standings = drift::of_the_day(store, &running, today, config.rules.detect.false_share).await?;
    Ok(running.unreadable.iter().cloned().chain(standings.iter().filter_map(DetectorDrift::line)).collect())
}

#[cfg(test)]
mod tests;
