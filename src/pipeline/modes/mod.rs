//! Modes in force: the configuration's, and over them what people have set, with who may do that.
//!
//! Whatever asks less of people may be set by anybody who decides or runs Reeve, as with a stop. What is off is not even seen, and
//! what is live costs money, so both take an administrator or an approver of tier 2 or more; to go live two of them, by two
//! hands, where the configuration says so.

use serde_json::json;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit::AuditEntry;
use crate::domain::book::Book;
use crate::domain::exception::Signal;
use crate::domain::hand::{Hand, could_be_one};
use crate::domain::ids::{PersonId, content_hash};
use crate::domain::mode::{Mode, ModeRule, ModeScope, Modes, Whereabouts, is_within};
use crate::domain::policy::{Person, Role};
use crate::domain::record::{Record, RecordKind};
use crate::rules::ownership::{self, names_of_location, names_of_supplier};
use crate::store::{ModeStep, Step, Store, StoreError};

/// Longest reason, in characters.
const REASON_CHARS: usize = 500;

/// For how many days a proposal to go live may be confirmed.
const PROPOSAL_DAYS: i64 = 30;

/// The least tier of an approver who may set something live or off.
const TIER: u8 = 2;

/// What holds now.
#[derive(Clone, Debug, Default)]
pub struct InForce {
    /// The rules.
    pub modes: Modes,
    /// Where each of them comes from, the default first.
    pub rules: Vec<Rule>,
    /// What waits for a second person.
    pub proposed: Vec<ModeStep>,
    /// Names what holds: it is another whenever anybody changed anything, and empty where nobody ever did.
    pub key: String,
    /// The number of the last step.
    last: i64,
}

/// A rule with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The rule.
    pub rule: ModeRule,
    /// The step that set it; None where it is configured.
    pub set: Option<ModeStep>,
}

/// Reads what holds.
///
/// # Errors
/// The store's.
pub async fn in_force(store: &Store, config: &Config) -> Result<InForce, StoreError> {
    let steps = store.list_mode_steps().await?;
    let last = steps.last().map_or(0, |step| step.seq);
    let mut newest: Vec<ModeStep> = Vec::new();
    let mut proposed: Vec<ModeStep> = Vec::new();
    for step in steps {
        // Whatever is said of a scope later makes an older proposal void.
        proposed.retain(|old| !old.scope.is(&step.scope));
        match step.step {
            Step::Proposed => proposed.push(step),
            Step::Set => {
                newest.retain(|old| !old.scope.is(&step.scope));
                newest.push(step);
            }
        }
    }
    let mut modes = config.modes.modes();
    for step in &newest {
        if let Some(mode) = step.mode {
            modes.put(ModeRule { scope: step.scope.clone(), mode });
        }
    }
    let set = |scope: &ModeScope| newest.iter().find(|step| step.mode.is_some() && step.scope.is(scope)).cloned();
    let default = ModeRule { scope: ModeScope::default(), mode: modes.default };
    let all = std::iter::once(default).chain(modes.rules.iter().cloned());
    let rules: Vec<Rule> = all.map(|rule| Rule { set: set(&rule.scope), rule }).collect();
    // A store from before there were modes has kept no name, and need not be looked at anew for that.
    let key = if last == 0 && modes.are_all_live() {
        String::new()
    } else {
        let written = rules.iter().map(|rule| format!("{} {}", rule.rule.scope, rule.rule.mode));
        let written: Vec<String> = written.chain([last.to_string()]).collect();
        content_hash(&[&written.join("\n")])
    };
    Ok(InForce { modes, rules, proposed, key, last })
}

impl InForce {
    /// What is not live, in a line; None where everything is.
    pub fn says(&self) -> Option<String> {
        if self.modes.are_all_live() {
            return None;
        }
        let rest = if self.modes.rules.is_empty() { "everything" } else { "everything else" };
        let said = Mode::ALL.into_iter().rev().filter_map(|mode| {
            let named = self.modes.rules.iter().filter(|rule| rule.mode == mode).map(|rule| rule.scope.to_string());
            let named: Vec<String> = named.chain((self.modes.default == mode).then(|| rest.to_owned())).collect();
            (!named.is_empty()).then(|| format!("{mode}: {}", named.join("; ")))
        });
        let said: Vec<String> = said.collect();
        Some(format!("Modes: {}. Only what is live is in the queue and here.", said.join(" · ")))
    }
}

/// Where a signal is, by every name.
pub fn whereabouts(book: &Book, signal: &Signal) -> Whereabouts {
    ownership::whereabouts(book, &signal.subject, signal.code)
}

/// What scopes name that no record has: a rule about it does nothing. One line for each.
///
/// # Errors
/// The store's.
pub async fn unknown_names<'s>(
    store: &Store,
    scopes: impl IntoIterator<Item = &'s ModeScope>,
) -> Result<Vec<String>, StoreError> {
    // What names nothing is about everything: in it no name can be misspelt, and no record has to be read.
    let scopes: Vec<&ModeScope> = scopes.into_iter().filter(|scope| scope.names() > 0).collect();
    if scopes.is_empty() {
        return Ok(Vec::new());
    }
    let (mut categories, mut locations, mut suppliers) = (Vec::new(), Vec::new(), Vec::new());
    for record in store.load_records_of(&[RecordKind::Item, RecordKind::Location, RecordKind::Supplier]).await? {
        match record {
            Record::Item(item) => categories.push(item.category),
            Record::Location(location) => locations.extend(names_of_location(&location)),
            Record::Supplier(supplier) => suppliers.extend(names_of_supplier(&supplier)),
            _ => {}
        }
    }
    let mut unknown = Vec::new();
    for scope in scopes {
        for (what, name, known) in [
            ("category", &scope.category, &categories),
            ("location", &scope.location, &locations),
            ("supplier", &scope.supplier, &suppliers),
        ] {
            if let Some(name) = name
                && !known.iter().any(|own| is_within(own, name))
            {
                unknown.push(format!("{scope}: no {what} is called {name:?}; look at how it is written in Odoo"));
            }
        }
    }
    Ok(unknown)
}

/// What came of a wish to change a mode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It holds, from the next look on.
    Set(ModeStep),
    /// It waits for a second person.
    Proposed(ModeStep),
    /// It was so already.
    Same,
}

/// Sets what is done with a scope, in the name of `by`; without a mode it takes back what was set.
///
/// # Errors
/// When the person is unknown or may not, the scope names what is not there, the reason is missing, one person or one hand would
/// do what takes two, or the store can not keep it.
pub async fn change(
    store: &Store,
    config: &Config,
    clock: &Clock,
    (by, channel, hand): (&PersonId, &str, &Hand),
    (scope, mode): (&ModeScope, Option<Mode>),
    reason: &str,
) -> anyhow::Result<Changed> {
    let now = in_force(store, config).await?;
    let set = now.rules.iter().find(|rule| rule.rule.scope.is(scope)).and_then(|rule| rule.set.as_ref());
    let before = now.modes.of_scope(scope);
    let after = mode.unwrap_or_else(|| configured(config, &now, scope));
    let person = known(config, by)?;
    let (rises, highest) = rises(&now, scope, mode, (before, after));
    // Going to shadow only takes questions away. What is off is not even seen, and what is live costs money.
    let asks_no_more = !rises && after == Mode::Shadow;
    let may = if asks_no_more { person.decides() || person.is(Role::Admin) } else { may_operate(person) };
    anyhow::ensure!(
        !person.is_machine() && may,
        "{} may not set {scope} {after}; ask {}",
        person.name,
        if asks_no_more {
            "anybody who decides or runs Reeve".to_owned()
        } else {
            format!("an administrator or an approver of tier {TIER} or more")
        }
    );
    if set.is_some_and(|set| set.mode == mode) || (set.is_none() && mode.is_none()) {
        return Ok(Changed::Same);
    }
    let reason: String = reason.trim().chars().take(REASON_CHARS).collect();
    anyhow::ensure!(!reason.is_empty(), "say why: whoever looks at the modes later has to know");
    // What was set of a place that has another name by now can still be taken back.
    let unknown = unknown_names(store, [scope]).await?;
    anyhow::ensure!(mode.is_none() || unknown.is_empty(), "{}", unknown.join("; "));
    // By the most that any part of it comes to: under a rule that is taken back a live one may come up again.
    let two = rises && highest.is_live() && takes_two(config);
    let is_it = |old: &&ModeStep| old.scope.is(scope) && old.mode == mode && stands(config, old, clock.now());
    // One that is too old, or whose maker may not any more, is none: then this is the first step.
    let first = now.proposed.iter().find(is_it);
    if let (true, Some(first)) = (two, first) {
        confirms(config, first, by, hand)?;
    }
    let step = if two && first.is_none() { Step::Proposed } else { Step::Set };
    let (hand, at) = (Some(hand.clone()), clock.now());
    let new = ModeStep { seq: now.last + 1, scope: scope.clone(), step, mode, by: by.clone(), at, reason, hand };
    keep(store, &new, channel, (before, after), first.filter(|_| two)).await?;
    tracing::info!(by = %by, scope = %scope, mode = %after, "A mode was {}", step.name());
    Ok(match step {
        Step::Proposed => Changed::Proposed(new),
        Step::Set => Changed::Set(new),
    })
}

async fn keep(
    store: &Store,
    new: &ModeStep,
    channel: &str,
    (before, after): (Mode, Mode),
    first: Option<&ModeStep>,
) -> anyhow::Result<()> {
    let subject = format!("mode:{}", new.scope);
    let detail = json!({
        "seq": new.seq, "scope": new.scope, "step": new.step.name(), "mode": new.mode, "reason": new.reason,
        "before": before, "after": after, "proposed_by": first.map(|first| &first.by),
        "hand": new.hand.as_ref().map(Hand::recorded),
    });
    let action = format!("mode.{}", new.step.name());
    let entry = AuditEntry::by(new.by.as_str(), channel, new.at, &action, subject.clone()).with(detail);
    let what = format!("{} was {} {after}: {}", new.scope, new.step.name(), new.reason);
    let occasion = [subject.as_str(), new.step.name(), &new.seq.to_string()];
    let told = store.told_by_command(channel, &new.by, &occasion, &what, new.at);
    match store.add_mode_step(new, told.as_slice(), &store.with_os_user(entry)).await {
        Err(StoreError::Conflict) => anyhow::bail!("somebody else set a mode at the same moment; look at it and try again"),
        kept => Ok(kept?),
    }
}

/// Would anything become more than it is now, and the most that anything comes to? Not only the scope as a whole: what rules about
/// other things say of a part of it goes under a rule that names more, and comes up again where such a rule is taken back.
fn rises(now: &InForce, scope: &ModeScope, mode: Option<Mode>, (before, after): (Mode, Mode)) -> (bool, Mode) {
    let others = now.modes.rules.iter().filter(|rule| !rule.scope.is(scope) && rule.scope.may_meet(scope));
    let others: Vec<Mode> = others.map(|rule| rule.mode).collect();
    if let Some(mode) = mode {
        return (others.iter().chain([&before]).any(|was| mode > *was), mode);
    }
    let highest = others.into_iter().fold(after, Mode::max);
    (highest > before, highest)
}

/// Does a proposal to go live still stand: is it recent, and would whoever made it be asked today?
fn stands(config: &Config, first: &ModeStep, now: jiff::Timestamp) -> bool {
    let is_recent = now.duration_since(first.at) <= jiff::SignedDuration::from_hours(24 * PROPOSAL_DAYS);
    is_recent && operators(config).any(|person| person.id == first.by)
}

/// What a scope comes to when what was set of it is taken back.
fn configured(config: &Config, now: &InForce, scope: &ModeScope) -> Mode {
    let mut modes = config.modes.modes();
    for set in now.rules.iter().filter_map(|rule| rule.set.as_ref()).filter(|set| !set.scope.is(scope)) {
        if let Some(mode) = set.mode {
            modes.put(ModeRule { scope: set.scope.clone(), mode });
        }
    }
    modes.of_scope(scope)
}

/// Is the second a second person, by another hand?
fn confirms(config: &Config, first: &ModeStep, by: &PersonId, hand: &Hand) -> anyhow::Result<()> {
    anyhow::ensure!(
        first.by != *by,
        "you have proposed it, and going live takes a second person; ask {}",
        operators(config).filter(|p| p.id != *by).map(|p| p.name.as_str()).collect::<Vec<_>>().join(" or ")
    );
    let handed_over = config.identity.links_are_handed_over && matches!(hand, Hand::MadeByCommand(_));
    anyhow::ensure!(
        handed_over || !could_be_one(first.hand.as_ref(), hand),
        "{} proposed it by what could be the same hand, so it could be one person with two names; the second confirms it on the \
         page, signed in by a link that somebody else made, under Modes",
        first.by
    );
    Ok(())
}

/// Does going live take a second person? Where only one may, nobody could be the second.
fn takes_two(config: &Config) -> bool {
    config.modes.four_eyes_to_go_live && operators(config).count() >= 2
}

fn operators(config: &Config) -> impl Iterator<Item = &Person> {
    config.people.iter().filter(|person| may_operate(person))
}

/// May somebody set something live or off?
pub fn may_operate(person: &Person) -> bool {
    !person.is_machine() && (person.is(Role::Admin) || (person.is(Role::Approver) && person.tier >= TIER))
}

fn known<'c>(config: &'c Config, by: &PersonId) -> anyhow::Result<&'c Person> {
    let found = config.people.iter().find(|p| p.id == *by);
    found.ok_or_else(|| anyhow::anyhow!("there is no person {:?} in the configuration; name one of [[people]]", by.as_str()))
}

#[cfg(test)]
mod tests;
