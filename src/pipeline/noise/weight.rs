//! What a mute weighs: the money by which the policy says who may make it, and whether it may go on hiding.
//!
//! One rule for a mute made by hand, for a proposal that is approved and for a mute that holds. It weighs the largest of
//! three sums of money at stake: what it hides now; what it will hide by what such cases came to (`ahead`, below); and what
//! everything that its owner has muted hides together with it, since ten small mutes are a large one.
//!
//! `ahead` = money at stake in the past cases that it would have hidden ÷ days looked back × days of the mute, where as many
//! days are looked back as the mute lasts, and at least 28: a day on which nothing waits says nothing about the next ones.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Muting;
use super::mutes::categories;
use crate::config::Config;
use crate::domain::action::Action;
use crate::domain::calendar::{days_between, plus_days};
use crate::domain::case::{Case, CaseState};
use crate::domain::exception::{Exception, ExceptionType};
use crate::domain::ids::{PersonId, RecommendationId};
use crate::domain::money::Money;
use crate::domain::mute::{Mute, MuteScope};
use crate::domain::policy::{ActionCode, Facts, Named, Question, QuestionStep, Ruling};
use crate::domain::record::{RecordKind, RecordRef};
use crate::store::{Store, StoreError};

/// How many days are looked back at least: four weeks, so that each weekday counts alike.
pub(crate) const LOOK_BACK_DAYS: i32 = 28;

/// What a mute weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight {
    /// How many waiting cases it hides now.
    pub(crate) cases: usize,
    /// The money at stake in them.
    pub(crate) now: Money,
    /// The money at stake that it will hide, as past cases say.
    pub(crate) ahead: Money,
    /// The larger of the two for all that its owner has muted, with it.
    pub(crate) in_all: Money,
}

impl Weight {
    /// What the policy judges.
    pub(crate) fn counted(self) -> Money {
        self.now.max(self.ahead).max(self.in_all)
    }
}

/// Weighs a mute that is only thought of, for each of those who would answer for it.
///
/// # Errors
/// When the store can not be read.
pub(crate) async fn weigh(
    store: &Store,
    config: &Config,
    owners: &[&PersonId],
    mute: &Mute,
    now: Timestamp,
) -> Result<Weight, StoreError> {
    let today = config.rules.calendar.calendar().day_of(now);
    let alone = Muting::of(store, config, vec![mute.clone()]).await?;
    let (cases, hides) = alone.weigh(store).await?;
    let ahead = self::ahead(store, config, &alone, now).await?;
    let mut in_all = hides.max(ahead);
    for owner in owners {
        let mut own = store.list_mutes().await?;
        own.retain(|m| m.owner == **owner && m.is_live(today));
        // With nothing beside it, it was weighed above.
        if !own.is_empty() {
            own.push(mute.clone());
            let all = Muting::of(store, config, own).await?;
            in_all = in_all.max(all.weigh(store).await?.1).max(self::ahead(store, config, &all, now).await?);
        }
    }
    Ok(Weight { cases, now: hides, ahead, in_all })
}

/// What the mutes will hide until the last of them ends, by what they would have hidden before.
async fn ahead(store: &Store, config: &Config, muting: &Muting, now: Timestamp) -> Result<Money, StoreError> {
    let calendar = config.rules.calendar.calendar();
    let today = calendar.day_of(now);
    let lasts = muting.live().iter().map(|m| days_between(today, m.until)).max().unwrap_or(0).max(0);
    let looked_back = lasts.max(LOOK_BACK_DAYS);
    let since = plus_days(today, -looked_back);
    let codes: BTreeSet<_> = muting.live().iter().map(|m| m.code).collect();
    let mut at_stake = 0_i128;
    // What was opened since has been updated since.
    for case in store.list_cases_updated_between(calendar.begin_of(since), Timestamp::MAX).await? {
        let recent = calendar.day_of(case.opened_at) > since
            && !matches!(case.state, CaseState::Merged { .. })
            && !case.state.is_shadow();
        if recent && case.codes.iter().all(|code| codes.contains(code)) && muting.may_hide(&case) {
            let found: Vec<Exception> = store.list_case_exceptions(&case.id).await?;
            if muting.covers_all(found.iter()).is_some() {
                at_stake += case.rank.as_ref().map_or(0, |rank| i128::from(rank.at_stake.minor));
            }
        }
    }
    let (days, back) = (i128::from(lasts), i128::from(looked_back));
    // Rounded up: what counts for a limit is never less than it is.
    Ok(Money::from_minor(i64::try_from((at_stake * days + back - 1) / back).unwrap_or(i64::MAX)))
}

/// What the policy says of hiding `hides` by this mute, whoever else signs.
///
/// # Errors
/// When the store can not be read.
pub(crate) async fn ruling(
    store: &Store,
    config: &Config,
    owner: &PersonId,
    mute: &Mute,
    hides: Money,
    now: Timestamp,
) -> Result<(Facts, Ruling), StoreError> {
    let action = Action::Mute { exception: mute.code, scope: mute.scope.clone(), until: mute.until, hides };
    let facts = facts_of(store, &action).await?;
    let id = RecommendationId::new("mute");
    let ruling = config.rules.policy.judge(&Question {
        id: &id,
        steps: &[QuestionStep { action: ActionCode::of(&action), item: None, supplier: None, facts: &facts }],
        value: hides,
        signers: std::slice::from_ref(owner),
        on_behalf_of: &[],
        earlier: &[],
        now,
    });
    Ok((facts, ruling))
}

/// Divides mutes into those that may go on hiding, and those that hide more by now than the tier they were made under allows,
/// together with what their owner muted before; each of these with a sentence that says so.
///
/// # Errors
/// When the store can not be read.
pub(super) async fn allowed(
    store: &Store,
    config: &Config,
    mut live: Vec<Mute>,
    now: Timestamp,
) -> Result<(Vec<Mute>, Vec<String>), StoreError> {
    // In the order in which they were made: an older mute goes on hiding, and the one that makes it too much is passed over.
    live.sort_by(|a, b| a.made_at.cmp(&b.made_at).then_with(|| a.id.cmp(&b.id)));
    let every = Muting::of(store, config, live.clone()).await?;
    let codes: BTreeSet<_> = live.iter().map(|m| m.code).collect();
    let codes: Vec<ExceptionType> = codes.into_iter().collect();
    let mut cases = store.list_cases_with(CaseState::UNDECIDED, &codes).await?;
    cases.retain(|case| every.may_hide(case));
    let ids: Vec<_> = cases.iter().map(|case| &case.id).collect();
    let mut exceptions = store.list_exceptions_of(&ids).await?;
    let of = |case: Case| {
        let found = exceptions.remove(&case.id).unwrap_or_default();
        (case, found)
    };
    let waiting: Vec<(Case, Vec<Exception>)> = cases.into_iter().map(of).collect();
    let (mut kept, mut said): (Vec<Mute>, Vec<String>) = (Vec::new(), Vec::new());
    for mute in live {
        // Together with what the same person still hides: ten small mutes are a large one.
        let own: Vec<Mute> = kept.iter().filter(|m| m.owner == mute.owner).chain([&mute]).cloned().collect();
        let all = every.with(own);
        let hidden = waiting.iter().filter(|(case, found)| all.hider(case, found).is_some());
        let hides: Money = hidden.filter_map(|(case, _)| case.rank.as_ref()).map(|rank| rank.at_stake).sum();
        // What was made before tiers were kept has none to outgrow.
        if let Some(tier) = mute.tier
            && hides > Money::ZERO
        {
            let (_, ruling) = ruling(store, config, &mute.owner, &mute, hides, now).await?;
            if ruling.tier > tier {
                let name = config.people.iter().find(|p| p.id == mute.owner).map_or(mute.owner.as_str(), |p| &p.name);
                said.push(format!(
                    "{} for {}, muted by {name} until {}, is shown again: together with what {name} muted before it would \
                     hide {hides} at stake, which takes {}, and it was made under {tier}.",
                    mute.code, mute.scope, mute.until, ruling.tier
                ));
                continue;
            }
        }
        kept.push(mute);
    }
    Ok((kept, said))
}

/// What the policy asks of a mute: what it touches, as far as its scope says. What it does not say counts as the stricter,
/// so whoever decides for one place mutes nothing everywhere.
///
/// # Errors
/// When the store can not be read.
pub(crate) async fn facts_of(store: &Store, action: &Action) -> Result<Facts, StoreError> {
    let Action::Mute { scope, .. } = action else { return Ok(Facts::default()) };
    let mut facts = Facts::default();
    match scope {
        MuteScope::All => {}
        MuteScope::Item(item) => facts.categories = categories(store).await?.remove(item).map(|category| vec![category]),
        MuteScope::Category(name) => facts.categories = Some(vec![name.clone()]),
        MuteScope::Location(id) => {
            facts.locations = Some(vec![named(store, RecordKind::Location, id.as_str()).await?]);
        }
        MuteScope::Supplier(id) => {
            facts.suppliers = Some(vec![named(store, RecordKind::Supplier, id.as_str()).await?]);
        }
    }
    Ok(facts)
}

async fn named(store: &Store, kind: RecordKind, id: &str) -> Result<Named, StoreError> {
    let record = RecordRef::new(kind, id);
    let names = store.list_names_of(&BTreeSet::from([record.clone()])).await?;
    let name = names.get(&record).map(String::as_str);
    Ok(Named::new(id, name.as_slice()))
}
