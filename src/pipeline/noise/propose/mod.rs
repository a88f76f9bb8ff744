//! Proposals to mute what is noisy: a recommendation like any other, which a person approves or rejects in the queue. What is
//! approved begins with the approval; here it is only settled. Reeve mutes nothing by itself.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::figures::{Noisy, noisiest, shown_cases};
use super::mutes::{check_day, standing};
use super::{Muting, NoiseControl};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::action::{Action, Candidate, Check, MoneySum, Range};
use crate::domain::audit::AuditEntry;
use crate::domain::calendar::{days_between, plus_days};
use crate::domain::case::{Case, CaseState, Lane, Rank};
use crate::domain::case_life::CaseEvent;
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::evidence::{Bundle, Fact, FactValue};
use crate::domain::exception::{ExceptionType, Subject};
use crate::domain::ids::{CaseId, FactId, PersonId, content_id};
use crate::domain::money::Money;
use crate::domain::mute::{Mute, MuteScope, proposal_link};
use crate::domain::recommendation::{Drafter, Prose, Recommendation};
use crate::domain::record::{RecordKind, RecordRef};
use crate::store::{Change, Store, StoreError};

/// Under which key the store remembers the day on which the figures were looked at last.
const LOOKED: &str = "noise.looked";

/// How the machine signs the log here.
const STAGE: &str = "noise";

/// Opens a case for each type that is too noisy, once a day at most. Answers how many.
///
/// # Errors
/// When the store can not be used.
pub(super) async fn propose(it: &NoiseControl) -> anyhow::Result<usize> {
    let NoiseControl { store, config, clock, .. } = it;
    let today = config.rules.calendar.calendar().day_of(clock.now());
    if store.find_setting(LOOKED).await?.as_deref() == Some(&today.to_string()) {
        return Ok(0);
    }
    let since = plus_days(today, -i32::try_from(config.noise.history_days).unwrap_or(i32::MAX));
    let mut shown = shown_cases(store, since).await?;
    // Nothing was shown: nothing to look at, and nothing to ask the store for.
    let (mut opened, waits, last) =
        (0, waiting(store).await?, if shown.is_empty() { BTreeMap::new() } else { answered(it, since).await? });
    // What was answered is not asked again: only cases that were first shown after the last answer count.
    shown.retain(|c| !waits.contains(&c.code) && last.get(&c.code).is_none_or(|day| c.first_shown > *day));
    for noisy in noisiest(&shown, config.noise.proposal_shown_min, config.noise.proposal_share) {
        opened += usize::from(open(it, &noisy, since, today).await?);
    }
    // Last: killed half-way it looks again, and what it has opened already waits and is passed over.
    store.put_setting(LOOKED, &today.to_string()).await?;
    Ok(opened)
}

/// The types for which a proposal waits or has just been approved.
async fn waiting(store: &Store) -> anyhow::Result<BTreeSet<ExceptionType>> {
    let links = store.list_links().await?;
    Ok(ExceptionType::ALL.iter().copied().filter(|code| links.contains_key(&proposal_link(*code))).collect())
}

/// The day of the last answer about muting each type since a day: a proposal that is over, or a mute that has ended or will. What
/// was answered before it is no answer to what was shown since.
async fn answered(it: &NoiseControl, since: Date) -> anyhow::Result<BTreeMap<ExceptionType, Date>> {
    let NoiseControl { store, config, .. } = it;
    let calendar = config.rules.calendar.calendar();
    let mut last: BTreeMap<ExceptionType, Date> = BTreeMap::new();
    let mut note = |code: ExceptionType, day: Date| {
        let known = last.entry(code).or_insert(day);
        *known = (*known).max(day);
    };
    let lately = store.list_cases_updated_between(calendar.begin_of(since), Timestamp::MAX).await?;
    for case in lately.iter().filter(|c| c.is_mute_proposal()) {
        let of = ExceptionType::ALL.iter().find(|code| case.links.contains(&proposal_link(**code)));
        if let Some(code) = of {
            note(*code, calendar.day_of(case.updated_at));
        }
    }
    for mute in store.list_mutes().await? {
        let day = mute.ended.as_ref().map_or(mute.until, |(at, _)| calendar.day_of(*at).min(mute.until));
        note(mute.code, day);
    }
    Ok(last)
}

async fn open(it: &NoiseControl, noisy: &Noisy, since: Date, today: Date) -> anyhow::Result<bool> {
    let NoiseControl { store, config, clock, .. } = it;
    let now = clock.now();
    let days = config.noise.proposal_days.min(u32::from(config.rules.policy.mutes.longest_days));
    let until = plus_days(today, i32::try_from(days).unwrap_or(i32::MAX));
    let (code, scope) = (noisy.code, noisy.scope.clone());
    // Only thought of, and nobody's: what the card says it hides is what it hides alone. Whoever signs is weighed with their
    // own.
    let thought = Mute::new(code, scope.clone(), PersonId::new("nobody"), String::new(), now, until);
    let (cases, hides) = Muting::of(store, config, vec![thought]).await?.weigh(store).await?;
    // By the time, too: the same type may be proposed again once there is enough that was shown since the last answer.
    let id = CaseId(content_id("case-", &["mute", code.code(), &now.as_millisecond().to_string()], 12));
    let bundle = bundle(&id, noisy, (cases, hides), (since, today), config, now);
    let what = scope_text(store, &scope).await?;
    let (rejected, shown) = (noisy.noise.rejected, noisy.noise.shown);
    let action = Action::Mute { exception: code, scope, until, hides };
    let candidate = Candidate {
        id: "A1".to_owned(),
        summary: format!("Do not show {code} ({}) for {what} until {until}", code.name()),
        checks: checks(store, config, clock, &action).await?,
        action,
        money: MoneySum::nothing(1.0, Range::default()),
        // What the policy asks of a mute goes by the money it hides; it releases none, and none is counted for it.
        value: hides,
        latest_date: plus_days(until, -1),
        cites: bundle.facts.keys().cloned().collect(),
        then: vec![],
    };
    let percent = |share: f64| FactValue::percent(share * 100.0).show();
    let prose = Prose {
        rationale: format!(
            "{rejected} of {shown} cases of {code} for {what} that were shown since {since} were rejected as not real: \
             {}, and hardly less than {}. Muted, they are still found and counted.",
            percent(noisy.noise.share),
            percent(noisy.noise.low)
        ),
        risks: format!(
            "A real one is missed while it lasts. It would hide {cases} cases of today with {hides} at stake; bills that are \
             due, key items and cases above {} are shown all the same.",
            config.noise.mute_value_max
        ),
        would_change: "Whatever makes the type noisy being put right: a tolerance, a lead time, a master record.".to_owned(),
        message: None,
        cites: candidate.cites.clone(),
        ..Prose::default()
    };
    let hash = bundle.hash();
    let drafter = Drafter::Playbook { because: None };
    let mut rec = Recommendation::drafted(id.clone(), 1, candidate, prose, hash.clone(), drafter, now);
    rec.state = rec.state.after(Event::Check, now)?.after(Event::Queue, now)?;
    let headline = format!("{rejected} of {shown} cases of {code} for {what} were not real: mute them?");
    let case = case(id, noisy, headline, hash, until, today, now);
    let detail = json!({ "type": code, "scope": noisy.scope, "noise": noisy.noise, "hides_cases": cases, "hides": hides });
    let entries = [
        entry("case.opened", format!("case:{}", case.id), String::new(), detail, now),
        entry(
            "recommendation.queued",
            format!("recommendation:{}", rec.id),
            rec.content_hash(),
            json!({ "case": case.id, "evidence": rec.evidence_hash, "rank": rec.rank }),
            now,
        ),
    ];
    match store.open_proposal(&case, &bundle, &rec, &entries).await {
        Ok(()) => Ok(true),
        // Another process was first.
        Err(StoreError::Conflict) => Ok(false),
        Err(error) => Err(error).context("opening a proposal to mute"),
    }
}

/// The figures and each decision behind them: who verifies the card counts the decisions and computes the interval anew.
fn bundle(
    id: &CaseId,
    noisy: &Noisy,
    (cases, hides): (usize, Money),
    (since, today): (Date, Date),
    config: &Config,
    now: Timestamp,
) -> Bundle {
    let source = || RecordRef::new(RecordKind::Decision, format!("{}@{}", noisy.code, noisy.scope));
    let noise = &noisy.noise;
    let number = |n: f64, dp| FactValue::number(n, dp);
    let mut facts = vec![
        Fact::new(source(), "from", "shown from", FactValue::Date(since), now),
        Fact::new(source(), "to", "shown up to", FactValue::Date(today), now),
        Fact::new(source(), "shown", "cases shown", number(f64::from(noise.shown), 0), now),
        Fact::new(source(), "rejected", "of them rejected as not real", number(f64::from(noise.rejected), 0), now),
        Fact::new(source(), "share", "share that was not real", number(noise.share, 4), now),
        Fact::new(source(), "low", "lower end of its 95 % interval (Wilson)", number(noise.low, 4), now),
        Fact::new(source(), "high", "upper end of it", number(noise.high, 4), now),
        Fact::new(source(), "threshold", "lower end from which it is proposed", number(config.noise.proposal_share, 4), now),
        Fact::new(source(), "hides_cases", "cases it would hide now", number(cases as f64, 0), now),
        Fact::new(source(), "hides", "money at stake in them", FactValue::Money(hides), now),
    ];
    // Each of them, and not only how many: whoever verifies the card counts them anew.
    for shown in &noisy.cases {
        let (record, field, label) = match &shown.rejected_by {
            Some(decision) => (RecordRef::new(RecordKind::Decision, decision.clone()), "not_real", "rejected as not real"),
            None => (source(), shown.id.as_str(), "shown and not rejected as not real"),
        };
        facts.push(Fact::new(record, field, label, FactValue::Text(shown.id.to_string()), now));
    }
    let facts = facts.into_iter().map(|fact| (fact.id.clone(), fact)).collect::<BTreeMap<FactId, Fact>>();
    Bundle { case_id: id.clone(), version: 1, as_of: now, facts, missing: Vec::new(), workings: None }
}

fn case(id: CaseId, noisy: &Noisy, headline: String, hash: String, until: Date, today: Date, now: Timestamp) -> Case {
    let mut subject = Subject::default();
    match &noisy.scope {
        MuteScope::Item(item) => subject.item = Some(item.clone()),
        MuteScope::Location(location) => subject.location = Some(location.clone()),
        MuteScope::Supplier(supplier) => subject.supplier = Some(supplier.clone()),
        // A subject has no place for these.
        MuteScope::Category(_) | MuteScope::All => {}
    }
    // It is worth attention, not money: no figure is invented for it.
    let rank = Rank {
        lane: Lane::Ordinary,
        p: 1.0,
        value: Range::default(),
        at_stake: Money::ZERO,
        deadline: plus_days(until, -1),
        slack_days: f64::from(days_between(today, until)),
        perishing: 0.0,
        priority: Money::ZERO,
        wait_cost: Money::ZERO,
        hangs_on: None,
        unknown: false,
    };
    Case {
        id,
        version: 1,
        state: CaseState::Open,
        exceptions: Vec::new(),
        codes: vec![noisy.code],
        subject,
        links: vec![proposal_link(noisy.code)],
        headline,
        rank: Some(rank),
        evidence_hash: Some(hash),
        owner: None,
        wanted: false,
        opened_at: now,
        updated_at: now,
    }
}

async fn scope_text(store: &Store, scope: &MuteScope) -> anyhow::Result<String> {
    let (what, kind, id) = match scope {
        MuteScope::All => return Ok("every subject".to_owned()),
        MuteScope::Category(name) => return Ok(format!("the category {}", crate::domain::words::plain(name))),
        MuteScope::Item(id) => ("the item", RecordKind::Item, id.as_str()),
        MuteScope::Location(id) => ("the location", RecordKind::Location, id.as_str()),
        MuteScope::Supplier(id) => ("the supplier", RecordKind::Supplier, id.as_str()),
    };
    let record = RecordRef::new(kind, id);
    let names = store.list_names_of(&BTreeSet::from([record.clone()])).await?;
    let name = names.get(&record).map_or(id, String::as_str);
    Ok(format!("{what} {}", crate::domain::words::plain(name)))
}

/// The checks of a proposal, at the queue and at the click: as hard as those of any other action.
///
/// # Errors
/// When the store can not be read.
pub async fn checks(store: &Store, config: &Config, clock: &Clock, action: &Action) -> anyhow::Result<Vec<Check>> {
    let Action::Mute { exception, scope, until, hides } = action else { return Ok(Vec::new()) };
    let now = clock.now();
    let today = config.rules.calendar.calendar().day_of(now);
    let hard = |name: &str, detail: String, passed| Check { name: name.to_owned(), detail, passed, hard: true };
    let longest = config.rules.policy.mutes.longest_days;
    let standing = standing(store, today, *exception, scope).await?;
    let thought = Mute::new(*exception, scope.clone(), PersonId::new("nobody"), String::new(), now, *until);
    let (_, hides_now) = Muting::of(store, config, vec![thought]).await?.weigh(store).await?;
    let most = (*hides).max(config.noise.mute_value_max);
    Ok(vec![
        hard("it ends", format!("{until}, at most {longest} days ahead"), check_day(config, today, *until).is_ok()),
        hard(
            "it is not muted already",
            standing.as_ref().map_or_else(|| "it is not".to_owned(), |m| format!("until {} by {}", m.until, m.owner)),
            standing.is_none(),
        ),
        hard("it hides no more than was judged", format!("{hides_now} ≤ {most}"), hides_now <= most),
    ])
}

/// Closes proposals that are done: approved ones when their undo window has passed, and those whose day has come undecided.
///
/// # Errors
/// When the store can not be used.
pub(super) async fn settle(it: &NoiseControl) -> anyhow::Result<usize> {
    let NoiseControl { store, config, clock, .. } = it;
    let now = clock.now();
    let today = config.rules.calendar.calendar().day_of(now);
    let window = SignedDuration::from_mins(i64::from(config.approval.undo_minutes));
    let mut settled = 0;
    for case in store.list_cases(CaseState::LIVE).await?.into_iter().filter(Case::is_mute_proposal) {
        let mut recs = Vec::new();
        let mut next = case.clone();
        let mut entries = Vec::new();
        for (mut rec, seen) in store.list_recommendations(&case.id).await? {
            let Action::Mute { until, .. } = &rec.candidate.action else { continue };
            let until = *until;
            let name = match &rec.state {
                State::Approved { at, .. } | State::ApprovedWithEdit { at, .. }
                    if at.checked_add(window).is_ok_and(|end| end <= now) =>
                {
                    // Reeve carried it out itself, in the transaction of the approval.
                    rec.state = rec.state.after(Event::HandOff, now)?.after(Event::SeenDone, now)?;
                    next.state = next.state.after(CaseEvent::HandOff)?.after(CaseEvent::Settle)?;
                    "recommendation.carried_out"
                }
                state if state.is_waiting() && until <= today && next.state.is_undecided() => {
                    rec.state = rec.state.after(Event::Expire, now)?;
                    next.state = next.state.after(CaseEvent::Expire)?;
                    "recommendation.expired"
                }
                _ => continue,
            };
            let detail = json!({ "case": case.id });
            entries.push(entry(name, format!("recommendation:{}", rec.id), rec.content_hash(), detail, now));
            recs.push((rec, seen));
        }
        if recs.is_empty() {
            continue;
        }
        next.version = case.version + 1;
        next.updated_at = now;
        let cases = [(next, case.version)];
        let change = Change { cases: &cases, recommendations: &recs, entries: &entries, ..Change::default() };
        match store.advance(change).await {
            Ok(()) => settled += 1,
            // Somebody clicked in the same moment: the next look sees what is there then.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error).context("settling a proposal to mute"),
        }
    }
    Ok(settled)
}

fn entry(action: &str, subject: String, content: String, detail: serde_json::Value, now: Timestamp) -> AuditEntry {
    AuditEntry::by_stage(STAGE, now, action, subject).on(content).with(detail)
}

#[cfg(test)]
mod tests;
