//! Muting: a person's decision, for a while, with a reason; and which cases are hidden by it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::weight::{self, Weight};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit::AuditEntry;
use crate::domain::calendar::{days_between, plus_days};
use crate::domain::case::{Case, CaseState};
use crate::domain::exception::{Exception, ExceptionState, ExceptionType};
use crate::domain::ids::{CaseId, ItemId, PersonId, content_hash};
use crate::domain::money::Money;
use crate::domain::mute::{Mute, MuteScope, may_hide};
use crate::domain::policy::{Attempt, Person, Refusal, Signer, Tier, may_turn_down};
use crate::domain::record::{Record, RecordKind};
use crate::store::{CaseSubject, Change, MuteEnd, NewMute, Notice, Store, StoreError};

/// Longest reason, in characters.
const REASON_CHARS: usize = 500;

/// How often a mute is judged anew because somebody else muted in between.
const TRIES: usize = 16;

/// The mutes of a day, and what is needed to apply them. With none of them it costs one query.
#[derive(Clone, Debug)]
pub struct Muting {
    live: Vec<Mute>,
    /// Only filled where a mute is by category.
    categories: BTreeMap<ItemId, String>,
    cap: Money,
    lifted: Vec<String>,
}

impl Muting {
    /// The mutes that hold on the business day of `now`, without those that hide more by now than they were allowed to.
    ///
    /// # Errors
    /// When the store can not be read.
    pub async fn load(store: &Store, config: &Config, now: Timestamp) -> Result<Self, StoreError> {
        let today = config.rules.calendar.calendar().day_of(now);
        let live: Vec<Mute> = store.list_mutes().await?.into_iter().filter(|m| m.is_live(today)).collect();
        if live.is_empty() {
            return Self::of(store, config, live).await;
        }
        let (kept, lifted) = weight::allowed(store, config, live, now).await?;
        Ok(Self { lifted, ..Self::of(store, config, kept).await? })
    }

    /// The same for mutes that are only thought of.
    ///
    /// # Errors
    /// When the store can not be read.
    pub async fn of(store: &Store, config: &Config, live: Vec<Mute>) -> Result<Self, StoreError> {
        let by_category = live.iter().any(|m| matches!(m.scope, MuteScope::Category(_)));
        let categories = if by_category { categories(store).await? } else { BTreeMap::new() };
        Ok(Self { live, categories, cap: config.noise.mute_value_max, lifted: Vec::new() })
    }

    /// Sentences about mutes that hide nothing any more, since they would hide more than they were allowed to.
    pub fn lifted(&self) -> &[String] {
        &self.lifted
    }

    /// The mutes that hold.
    pub(super) fn live(&self) -> &[Mute] {
        &self.live
    }

    /// Other mutes on the same grounds.
    pub(super) fn with(&self, live: Vec<Mute>) -> Self {
        Self { live, lifted: Vec::new(), categories: self.categories.clone(), cap: self.cap }
    }

    /// May a mute hide this case at all?
    pub(super) fn may_hide(&self, case: &Case) -> bool {
        !case.is_mute_proposal() && may_hide(case, self.cap)
    }

    /// Is nothing muted?
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// The mute that hides a case: every exception of it that still holds is muted, it stands in no lane, and its money is
    /// below the cap. Named is the one whose end brings it back.
    pub fn hider(&self, case: &Case, exceptions: &[Exception]) -> Option<&Mute> {
        if self.live.is_empty() || case.is_mute_proposal() || !may_hide(case, self.cap) {
            return None;
        }
        let mut open = exceptions.iter().filter(|e| e.state == ExceptionState::Open).peekable();
        open.peek()?;
        self.covers_all(open)
    }

    /// The mute whose end brings back a case with these exceptions, where every one of them is muted.
    pub(super) fn covers_all<'e>(&self, exceptions: impl Iterator<Item = &'e Exception>) -> Option<&Mute> {
        let mut found: Vec<&Mute> = Vec::new();
        for exception in exceptions {
            let category = exception.signal.subject.item.as_ref().and_then(|i| self.categories.get(i)).map(String::as_str);
            // Where two mutes cover one exception it is hidden until the longer one ends.
            let covers = |m: &&Mute| m.covers(exception, category);
            found.push(self.live.iter().filter(covers).max_by_key(|m| (m.until, &m.id))?);
        }
        // The case is back when the first of them ends.
        found.into_iter().min_by_key(|m| (m.until, &m.id))
    }

    /// The mute that hides each of these waiting cases, with the exceptions read from the store together.
    ///
    /// # Errors
    /// When the store can not be read.
    pub async fn hides_each(&self, store: &Store, cases: &[Case]) -> Result<Vec<Option<&Mute>>, StoreError> {
        let may: Vec<&CaseId> =
            cases.iter().filter(|case| !self.live.is_empty() && self.may_hide(case)).map(|c| &c.id).collect();
        let mut exceptions = store.list_exceptions_of(&may).await?;
        Ok(cases.iter().map(|case| self.hider(case, &exceptions.remove(&case.id)?)).collect())
    }

    /// The waiting cases that are hidden, each with its mute, in the order of the queue. Only those are read in which something
    /// holds that is of a muted type.
    ///
    /// # Errors
    /// When the store can not be read.
    pub async fn hidden(&self, store: &Store) -> Result<Vec<(Case, &Mute)>, StoreError> {
        self.hidden_about(store, &CaseSubject::default()).await
    }

    /// The same of the cases that are about `subject`.
    ///
    /// # Errors
    /// When the store can not be read.
    pub async fn hidden_about(&self, store: &Store, subject: &CaseSubject) -> Result<Vec<(Case, &Mute)>, StoreError> {
        let codes: BTreeSet<ExceptionType> = self.live.iter().map(|mute| mute.code).collect();
        let codes: Vec<ExceptionType> = codes.into_iter().collect();
        let cases = store.list_cases_about_with(subject, CaseState::RANKED, &codes).await?;
        let mutes = self.hides_each(store, &cases).await?;
        Ok(cases.into_iter().zip(mutes).filter_map(|(case, mute)| Some((case, mute?))).collect())
    }

    /// The money at stake in the waiting cases that are hidden, and how many they are.
    ///
    /// # Errors
    /// When the store can not be read.
    pub async fn weigh(&self, store: &Store) -> Result<(usize, Money), StoreError> {
        let hidden = self.hidden(store).await?;
        let at_stake = hidden.iter().filter_map(|(case, _)| case.rank.as_ref()).map(|rank| rank.at_stake).sum();
        Ok((hidden.len(), at_stake))
    }
}

/// The category of each item.
pub(super) async fn categories(store: &Store) -> Result<BTreeMap<ItemId, String>, StoreError> {
    let items = store.load_records_of(&[RecordKind::Item]).await?;
    let category = |record| if let Record::Item(item) = record { Some((item.id, item.category)) } else { None };
    Ok(items.into_iter().filter_map(category).collect())
}

/// What somebody wants not to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MuteRequest {
    /// Who is signed in.
    pub person: PersonId,
    /// Through what: `web`, `cli`.
    pub channel: String,
    /// Which type.
    pub code: ExceptionType,
    /// On which subjects.
    pub scope: MuteScope,
    /// The day on which it is shown again.
    pub until: Date,
    /// Why.
    pub reason: String,
}

/// Why nothing was muted, or no mute ended. Written for the person who asked.
#[derive(Debug, thiserror::Error)]
pub enum MuteRefused {
    /// Not configured.
    #[error("there is no person {0:?} in the configuration; add them under [[people]]")]
    UnknownPerson(String),
    /// The policy says no.
    #[error(transparent)]
    NotAllowed(#[from] Refusal),
    /// So much would be hidden that it takes two.
    #[error(
        "it would hide {hides} at stake {when}, and that takes two people ({tier}); mute something narrower, or decide the cases"
    )]
    TooMuch {
        /// The money at stake in what it would hide.
        hides: Money,
        /// Now, or by what such cases came to.
        when: &'static str,
        /// What it takes.
        tier: Tier,
    },
    /// The day is past or too far.
    #[error("{until} is no day to mute until: choose one from {first} to {last}; a mute ends by itself")]
    BadDay {
        /// What was asked.
        until: Date,
        /// The first that can be chosen.
        first: Date,
        /// The last.
        last: Date,
    },
    /// A mute has a reason.
    #[error("say why it is muted, in at most {REASON_CHARS} characters: others have to understand it")]
    NoReason,
    /// It is muted already, differently.
    #[error("{what} is muted already, by {who} until {until}; end that mute first")]
    Already {
        /// Type and scope.
        what: String,
        /// Their name.
        who: String,
        /// Until when.
        until: Date,
    },
    /// There is no such mute.
    #[error("there is no mute {0:?}; `reeve mute list` shows them all")]
    Unknown(String),
    /// It is over.
    #[error("this mute is over already; nothing is hidden by it")]
    Over,
    /// Not the person's fault.
    #[error("it could not be kept, and nothing was changed: {0:#}")]
    Failed(anyhow::Error),
}

impl From<StoreError> for MuteRefused {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// Mutes, or says why not. The same request twice is one mute.
///
/// # Errors
/// [`MuteRefused`].
pub async fn mute(store: &Store, config: &Config, clock: &Clock, request: &MuteRequest) -> Result<Mute, MuteRefused> {
    let now = clock.now();
    let person = person(config, &request.person)?;
    may_turn_down(person)?;
    let today = config.rules.calendar.calendar().day_of(now);
    check_day(config, today, request.until)?;
    let reason = request.reason.trim().to_owned();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS {
        return Err(MuteRefused::NoReason);
    }
    for _ in 0..TRIES {
        // Before they are weighed: whoever mutes or ends a mute afterwards, in whichever process, makes this judgement void.
        let seen = store.mutes_seen().await?;
        if let Some(standing) = standing(store, today, request.code, &request.scope).await? {
            let same = standing.owner == request.person && standing.until == request.until && standing.reason == reason;
            return if same { Ok(standing) } else { Err(already(config, &standing)) };
        }
        let (code, scope) = (request.code, request.scope.clone());
        let mute = Mute::new(code, scope, request.person.clone(), reason.clone(), now, request.until);
        let weight = weight::weigh(store, config, &[&person.id], &mute, now).await?;
        let tier = may_hide_so_much(store, config, person, &mute, weight, now).await?;
        let mute = Mute { tier: Some(tier), ..mute };
        let told = json!({
            "hides_cases": weight.cases, "hides": weight.now, "hides_ahead": weight.ahead, "hides_in_all": weight.in_all,
            "tier": tier,
        });
        let entry = begun(&mute, &request.channel, told);
        let new = NewMute { mute: &mute, today, seen: Some(seen) };
        let what = format!("{code} muted for {} until {}: {}", mute.scope, mute.until, mute.reason);
        let notices: Vec<Notice> =
            store.told_by_command(&request.channel, &request.person, &[&mute.id], &what, now).into_iter().collect();
        let entries = [store.with_os_user(entry)];
        let change = Change { mute: Some(&new), notices: &notices, entries: &entries, ..Change::default() };
        match store.advance(change).await {
            Ok(()) => return Ok(mute),
            // Somebody muted or ended a mute in the same moment: judge it on what there is now.
            Err(StoreError::Conflict | StoreError::Duplicate) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(MuteRefused::Failed(anyhow::anyhow!("others are muting at the same time; try again")))
}

/// The tier of a mute, when this person alone may decide it: by the policy, as for a proposal.
async fn may_hide_so_much(
    store: &Store,
    config: &Config,
    person: &Person,
    mute: &Mute,
    weight: Weight,
    now: Timestamp,
) -> Result<Tier, MuteRefused> {
    let hides = weight.counted();
    let (facts, ruling) = weight::ruling(store, config, &person.id, mute, hides, now).await?;
    let signer = Signer::own(person.clone());
    let attempt =
        Attempt { signer: &signer, ruling: &ruling, facts: std::slice::from_ref(&facts), signed: &[], touched_by: &[] };
    if config.rules.policy.may_sign(&attempt)?.needs_second {
        let when =
            if hides > weight.now { "in all, with what you muted before and by what such cases came to" } else { "now" };
        return Err(MuteRefused::TooMuch { hides, when, tier: ruling.tier });
    }
    Ok(ruling.tier)
}

/// Ends a mute before its day. Whoever may decide may end anybody's: showing more does no harm. Ending it twice is ending it
/// once.
///
/// # Errors
/// [`MuteRefused`].
pub async fn unmute(
    store: &Store,
    config: &Config,
    clock: &Clock,
    id: &str,
    by: &PersonId,
    channel: &str,
) -> Result<Mute, MuteRefused> {
    let now = clock.now();
    may_turn_down(person(config, by)?)?;
    let mute = store.find_mute(id).await?.ok_or_else(|| MuteRefused::Unknown(id.to_owned()))?;
    if mute.ended.as_ref().is_some_and(|(_, who)| who == by) {
        return Ok(mute);
    }
    if !mute.is_live(config.rules.calendar.calendar().day_of(now)) {
        return Err(MuteRefused::Over);
    }
    let ending = MuteEnd { id: mute.id.clone(), by: by.clone(), at: now };
    let entry = entry("mute.ended", &mute, by, channel, now, json!({ "owner": mute.owner, "was_until": mute.until }));
    let what = format!("{} is shown again for {}", mute.code, mute.scope);
    let notices: Vec<Notice> = store.told_by_command(channel, by, &[&mute.id, "ended"], &what, now).into_iter().collect();
    let entries = [store.with_os_user(entry)];
    let change = Change { unmute: Some(&ending), notices: &notices, entries: &entries, ..Change::default() };
    match store.advance(change).await {
        Ok(()) => Ok(Mute { ended: Some((now, by.clone())), ..mute }),
        Err(StoreError::Conflict) => Err(MuteRefused::Over),
        Err(error) => Err(error.into()),
    }
}

/// Refuses a day that is past or further off than the configuration allows.
pub(crate) fn check_day(config: &Config, today: Date, until: Date) -> Result<(), MuteRefused> {
    let longest = i32::from(config.rules.policy.mutes.longest_days);
    let (first, last) = (plus_days(today, 1), plus_days(today, longest));
    if (1..=longest).contains(&days_between(today, until)) {
        return Ok(());
    }
    Err(MuteRefused::BadDay { until, first, last })
}

/// The mute of this type and scope that holds on `today`.
pub(crate) async fn standing(
    store: &Store,
    today: Date,
    code: ExceptionType,
    scope: &MuteScope,
) -> Result<Option<Mute>, StoreError> {
    let same = |m: &Mute| m.code == code && m.scope == *scope && m.is_live(today);
    Ok(store.list_mutes().await?.into_iter().find(same))
}

/// The audit entry of a mute that begins.
pub(crate) fn begun(mute: &Mute, channel: &str, more: serde_json::Value) -> AuditEntry {
    let mut detail = json!({
        "type": mute.code,
        "scope": mute.scope,
        "until": mute.until,
        "reason": mute.reason,
    });
    if let (Some(detail), serde_json::Value::Object(more)) = (detail.as_object_mut(), more) {
        detail.extend(more);
    }
    entry("mute.made", mute, &mute.owner, channel, mute.made_at, detail)
}

pub(crate) fn entry(
    action: &str,
    mute: &Mute,
    by: &PersonId,
    channel: &str,
    at: Timestamp,
    detail: serde_json::Value,
) -> AuditEntry {
    AuditEntry::by(by.as_str(), channel, at, action, format!("mute:{}", mute.id))
        .on(content_hash(&[mute.code.code(), &mute.scope.to_string(), &mute.until.to_string(), &mute.reason]))
        .with(detail)
}

fn person<'c>(config: &'c Config, id: &PersonId) -> Result<&'c Person, MuteRefused> {
    config.people.iter().find(|p| p.id == *id).ok_or_else(|| MuteRefused::UnknownPerson(id.to_string()))
}

fn already(config: &Config, standing: &Mute) -> MuteRefused {
    let name = config.people.iter().find(|p| p.id == standing.owner).map(|p| p.name.clone());
    MuteRefused::Already {
        what: format!("{} for {}", standing.code, standing.scope),
        who: name.unwrap_or_else(|| standing.owner.to_string()),
        until: standing.until,
    }
}

/// The digest's one line about what is hidden: how much, and by whom until when. None where nothing is.
pub(crate) fn account(config: &Config, hidden: &[(Case, &Mute)]) -> Option<String> {
    if hidden.is_empty() {
        return None;
    }
    let worth: Money = hidden.iter().filter_map(|(c, _)| c.rank.as_ref()).map(|r| r.value.expected).sum();
    let mut by_mute: BTreeMap<(ExceptionType, &MuteScope, &str), (usize, &Mute)> = BTreeMap::new();
    for (_, mute) in hidden {
        by_mute.entry((mute.code, &mute.scope, &mute.id)).or_insert((0, mute)).0 += 1;
    }
    let each: Vec<String> = by_mute
        .values()
        .map(|(n, mute)| {
            let name = config.people.iter().find(|p| p.id == mute.owner).map_or(mute.owner.as_str(), |p| &p.name);
            format!("{} for {} by {name} until {} ({n})", mute.code, mute.scope, mute.until)
        })
        .collect();
    let cases = crate::render::count(hidden.len(), "case", "cases");
    Some(format!("Muted: {cases} worth {worth}: {}.", each.join("; ")))
}

#[cfg(test)]
mod tests;
