//! What promoting asks for, whatever is promoted: a person whom the policy names, a reason, and a second hand where it takes two.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::domain::hand::{Hand, could_be_one};
use crate::domain::ids::PersonId;
use crate::domain::policy::Person;

/// Longest reason, in characters.
const REASON_CHARS: usize = 500;

/// For how many days a proposal may be confirmed, and a test speaks for what was tested: a shop moves on.
pub const VALID_DAYS: i64 = 30;

/// Who asks: the person, through what, and by whose hand.
pub type Who<'w> = (&'w PersonId, &'w str, &'w Hand);

/// Is something of `at` too old to count at `now`?
pub(super) fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) <= SignedDuration::from_hours(24 * VALID_DAYS)
}

/// The reason as it is kept.
pub(super) fn said(reason: &str) -> anyhow::Result<String> {
    let reason: String = reason.trim().chars().take(REASON_CHARS).collect();
    anyhow::ensure!(!reason.is_empty(), "say why: whoever looks at it later has to know");
    Ok(reason)
}

/// Does it take two people here? Where only one may, one is enough.
pub(super) fn takes_two(config: &Config) -> bool {
    config.rules.policy.detectors.signatures == 2 && promoters(config).count() >= 2
}

/// Does a proposal still stand: is it recent, and would whoever made it be asked today?
pub(super) fn stands(config: &Config, by: &str, at: Timestamp, now: Timestamp) -> bool {
    is_recent(at, now) && promoters(config).any(|person| person.id.as_str() == by)
}

/// Is the second a second person, by another hand than the first's?
pub(super) fn confirms(
    config: &Config,
    (first, first_hand): (&str, Option<&Hand>),
    by: &PersonId,
    hand: &Hand,
) -> anyhow::Result<()> {
    let others = || promoters(config).filter(|p| p.id != *by).map(|p| p.name.as_str()).collect::<Vec<_>>().join(" or ");
    anyhow::ensure!(first != by.as_str(), "you have proposed it, and promoting takes a second person; ask {}", others());
    let handed_over = config.identity.links_are_handed_over && matches!(hand, Hand::MadeByCommand(_));
    anyhow::ensure!(
        handed_over || !could_be_one(first_hand, hand),
        "{first} proposed it by what could be the same hand, so it could be one person with two names; the second confirms it on the \
         page, signed in by a link that somebody else made, under Health"
    );
    Ok(())
}

/// May `by` do `what`, such as "change which detector runs"?
pub(super) fn may(config: &Config, by: &PersonId, what: &str) -> anyhow::Result<()> {
    let found = config.people.iter().find(|person| person.id == *by);
    let person = found
        .with_context(|| format!("there is no person {:?} in the configuration; name one of [[people]]", by.as_str()))?;
    let others = || promoters(config).map(|p| p.name.as_str()).collect::<Vec<_>>().join(" or ");
    anyhow::ensure!(may_promote(config, person), "{} may not {what}; ask {}", person.name, others());
    Ok(())
}

/// May somebody change which version runs, and whose words people see?
pub fn may_promote(config: &Config, person: &Person) -> bool {
    config.rules.policy.detectors.may_promote(person)
}

/// Everybody who may.
pub fn promoters(config: &Config) -> impl Iterator<Item = &Person> {
    config.people.iter().filter(|person| may_promote(config, person))
}
