//! `[[planners]]`: whose case is whose, and when, where and how long their own digest is.
//!
//! Without any there is one digest, everybody's. With some there is one for each planner and one of everything.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer};

use super::mail::MAIL;
use super::slack::SLACK;
use super::teams::TEAMS;
use super::{Config, ConfigError};
use crate::domain::calendar::Calendar;
use crate::domain::ids::PersonId;
use crate::domain::mode::ModeScope;
use crate::domain::setting::time_zone;
use crate::rules::ownership::{OwnerRule, Ownership};

/// Most lines that somebody may say that they can work off in a day.
const CAPACITY_MAX: usize = 10_000;

/// One of `[[planners]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannerConfig {
    /// Who, of `[[people]]`.
    pub person: PersonId,
    /// What they look after.
    #[serde(default)]
    pub scopes: Vec<ModeScope>,
    /// Do they look after whatever nobody else does?
    #[serde(default)]
    pub fallback: bool,
    /// In whose time their day is; the business calendar's where nothing is said.
    #[serde(default, deserialize_with = "zone")]
    pub timezone: Option<TimeZone>,
    /// From which hour of it their digest is made; `calendar.digest_hour` where nothing is said.
    pub digest_hour: Option<u8>,
    /// How many cases they can work off in a day; `ranking.capacity` where nothing is said.
    pub capacity: Option<usize>,
    /// Where their digest goes: `mail`, `slack:ID`, `teams:ID`.
    #[serde(default)]
    pub to: Vec<String>,
}

fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TimeZone>, D::Error> {
    time_zone(deserializer).map(Some)
}

impl PlannerConfig {
    /// The calendar that their days are counted in: they close when the business's do.
    pub fn calendar(&self, config: &Config) -> Calendar {
        let own = config.rules.calendar.calendar();
        Calendar { timezone: self.timezone.clone().unwrap_or(own.timezone), ..own }
    }

    /// From when their digest of `day` is made, when everything that it has to tell was read.
    pub fn digest_at(&self, config: &Config, day: Date) -> Timestamp {
        self.calendar(config).moment_of(day, self.digest_hour.unwrap_or(config.rules.calendar.digest_hour))
    }

    /// From when it is made whatever was read; never later than their day closes.
    pub fn digest_by(&self, config: &Config, day: Date) -> Timestamp {
        let wait = config.rules.calendar.digest_deadline;
        let by = self.digest_at(config, day).checked_add(wait).unwrap_or(Timestamp::MAX);
        by.min(self.calendar(config).close_of(day))
    }

    /// How many lines their digest has.
    pub fn capacity(&self, config: &Config) -> usize {
        self.capacity.unwrap_or(config.rules.ranking.capacity)
    }

    /// The names of the destinations that get their digest.
    pub fn destinations(&self) -> Vec<String> {
        let name = |to: &String| if to == MAIL { format!("{MAIL}:{}", self.person) } else { to.clone() };
        self.to.iter().map(name).collect()
    }
}

impl Config {
    /// Whose case is whose; None where there are no planners and all are everybody's.
    pub fn ownership(&self) -> Option<Ownership> {
        let fallback = self.planners.iter().find(|planner| planner.fallback)?.person.clone();
        let rules = self.planners.iter().flat_map(|planner| {
            planner.scopes.iter().map(|scope| OwnerRule { scope: scope.clone(), owner: planner.person.clone() })
        });
        Some(Ownership { rules: rules.collect(), fallback })
    }

    /// The planner that somebody is, where they are one.
    pub fn planner(&self, person: &str) -> Option<&PlannerConfig> {
        self.planners.iter().find(|planner| planner.person.as_str() == person)
    }

    /// The ids of a chat that planners' digests go to, as they stand after `chat:`.
    pub(super) fn planners_in(&self, chat: &str) -> Vec<String> {
        let all = self.planners.iter().flat_map(|planner| &planner.to);
        let mut ids: Vec<String> =
            all.filter_map(|to| to.strip_prefix(chat)?.strip_prefix(':')).map(str::to_owned).collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let bad = |key: &str, message: String| {
        Err(ConfigError::Key { key: format!("planners.{key}"), origin: "[[planners]]".to_owned(), message })
    };
    let mut seen = BTreeSet::new();
    for planner in &config.planners {
        let who = planner.person.as_str();
        if !config.people.iter().any(|person| person.id == planner.person) {
            return bad("person", format!("there is no person {who:?}; name one of [[people]]"));
        }
        if !seen.insert(who) {
            return bad("person", format!("{who:?} is there twice; put all of their scopes into one entry"));
        }
        if planner.scopes.iter().any(|scope| scope.names() == 0) {
            return bad(
                "scopes",
                format!(
                    "a scope of {who:?} names none of category, location, supplier and type; for whatever is left say fallback = true"
                ),
            );
        }
        if planner.scopes.is_empty() && !planner.fallback {
            return bad(
                "scopes",
                format!("{who:?} has none, so no case would ever be theirs; name some, or say fallback = true"),
            );
        }
        if planner.digest_hour.is_some_and(|hour| hour > 23) {
            return bad("digest_hour", format!("must be an hour from 0 to 23, for {who:?}"));
        }
        if planner.capacity.is_some_and(|most| most == 0 || most > CAPACITY_MAX) {
            return bad("capacity", format!("must be at least 1 and at most {CAPACITY_MAX}, for {who:?}"));
        }
        for to in &planner.to {
            if let Err(why) = goes(config, planner, to) {
                return bad("to", format!("{to:?} of {who:?} {why}"));
            }
        }
    }
    // A case in nobody's digest is lost without anybody noticing (decision 127).
    let fallbacks: Vec<&str> = config.planners.iter().filter(|p| p.fallback).map(|p| p.person.as_str()).collect();
    match fallbacks.as_slice() {
        [_] => Ok(()),
        [] if config.planners.is_empty() => Ok(()),
        [] => bad(
            "fallback",
            "no planner has what is in nobody's scope, and those cases would be in no digest; say fallback = true at the one who looks \
             after them"
                .to_owned(),
        ),
        several => bad("fallback", format!("{} are all the fallback; leave it at one", several.join(", "))),
    }
}

/// Can a planner's digest go there?
fn goes(config: &Config, planner: &PlannerConfig, to: &str) -> Result<(), &'static str> {
    if to == MAIL {
        let known = config.mail.address(planner.person.as_str()).is_some();
        return if known { Ok(()) } else { Err("needs [mail], and their address in mail.people") };
    }
    match to.split_once(':') {
        Some((SLACK, id)) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            if config.slack.is_set() {
                Ok(())
            } else {
                Err("needs [slack]")
            }
        }
        Some((TEAMS, id)) if super::teams::may_get_digest(id) => {
            if config.teams.has_bot() {
                Ok(())
            } else {
                Err("needs the bot of [teams]")
            }
        }
        _ => Err("is none of \"mail\", \"slack:ID\" (C… or U…) and \"teams:ID\" (19:… or the id of a person)"),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, ConfigError};

    fn with(text: &str) -> Result<Config, ConfigError> {
        Config::of_table("a test", text.parse().unwrap())
    }

    const PIA: &str = "[[planners]]\nperson = \"pia\"\nscopes = [{ category = \"Drinks\" }]\n";
    const ARI: &str = "[[planners]]\nperson = \"ari\"\nfallback = true\n";

    #[test]
    fn without_planners_nothing_is_anybodys_in_particular() {
        assert!(Config::load_from(None, &[]).unwrap().ownership().is_none());
    }

    #[test]
    fn what_is_not_said_is_the_business_calendars_and_the_rankings() {
        let config = with(&format!("{PIA}timezone = \"Pacific/Auckland\"\ndigest_hour = 7\ncapacity = 4\n{ARI}")).unwrap();
        let day = "2026-10-31".parse().unwrap();
        let [pia, ari] = config.planners.as_slice() else { panic!("two planners") };
        assert_eq!((pia.capacity(&config), ari.capacity(&config)), (4, 15));
        assert_eq!(pia.digest_at(&config, day).to_string(), "2026-10-30T18:00:00Z");
        assert_eq!(ari.digest_at(&config, day), config.rules.calendar.digest_at(day));
        assert_eq!(ari.digest_by(&config, day), config.rules.calendar.digest_by(day));
        assert_eq!(config.ownership().unwrap().fallback.as_str(), "ari");
    }

    #[test]
    fn overlaps_are_fine_and_what_can_not_be_is_refused_with_what_to_do() {
        let overlap = PIA.replace("Drinks\" }", "Drinks\" }, { category = \"Drinks\", location = \"NOR\" }");
        assert!(with(&format!("{overlap}{ARI}")).is_ok());
        for (text, named) in [
            (PIA.to_owned(), "say fallback = true"),
            (format!("{ARI}{PIA}fallback = true\n"), "leave it at one"),
            (format!("{PIA}{PIA}{ARI}"), "twice"),
            (format!("{}{ARI}", PIA.replace("pia", "nobody")), "[[people]]"),
            (format!("{}{ARI}", PIA.replace("{ category = \"Drinks\" }", "{}")), "names none of"),
            (format!("{}{ARI}", PIA.replace("{ category = \"Drinks\" }", "")), "no case would ever be theirs"),
            (format!("{}{ARI}", PIA.replace("category", "categry")), "categry"),
            (format!("{PIA}digest_hour = 24\n{ARI}"), "0 to 23"),
            (format!("{PIA}capacity = 0\n{ARI}"), "at least 1"),
            (format!("{PIA}timezone = \"Mars/Olympus\"\n{ARI}"), "time zone"),
            (format!("{PIA}to = [\"mail\"]\n{ARI}"), "mail.people"),
            (format!("{PIA}to = [\"slack:U1\"]\n{ARI}"), "needs [slack]"),
            (format!("{PIA}to = [\"teams:19:x\"]\n{ARI}"), "needs the bot"),
            (format!("{PIA}to = [\"pia@example.com\"]\n{ARI}"), "is none of"),
        ] {
            let error = with(&text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
