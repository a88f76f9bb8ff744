//! Mutes: a person's decision that cases of one type, on some subjects, are not shown for a while.
//!
//! What is muted is still found and still counted. A mute ends by itself, belongs to somebody, and hides nothing that is
//! dear: not a case in a lane, not one whose money is above the cap, not one in which something else was found as well.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::case::{Case, Lane};
use super::exception::{Exception, ExceptionType, Subject};
use super::ids::{ItemId, LocationId, PersonId, SupplierId, content_id};
use super::money::Money;
use super::policy::Tier;

/// What cases that wait for a mute own as a link, so that there is one proposal for each type at a time.
const LINK: &str = "mute:";

/// On which subjects a type is muted. As text: `all`, `item:75`, `location:3`, `supplier:9`, `category:Coffee`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MuteScope {
    /// One item, wherever it is.
    Item(ItemId),
    /// One supplier.
    Supplier(SupplierId),
    /// One location.
    Location(LocationId),
    /// The items of one category.
    Category(String),
    /// Every subject: the type as a whole.
    All,
}

impl MuteScope {
    /// Is `subject` within? `category` is that of its item, where it has one.
    pub fn covers(&self, subject: &Subject, category: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Item(item) => subject.item.as_ref() == Some(item),
            Self::Supplier(supplier) => subject.supplier.as_ref() == Some(supplier),
            Self::Location(location) => subject.location.as_ref() == Some(location),
            Self::Category(name) => category == Some(name),
        }
    }

    /// Every scope that `subject` is within, the narrowest first.
    pub fn around(subject: &Subject, category: Option<&str>) -> Vec<Self> {
        let mut scopes = Vec::new();
        scopes.extend(subject.item.clone().map(Self::Item));
        scopes.extend(subject.supplier.clone().map(Self::Supplier));
        scopes.extend(subject.location.clone().map(Self::Location));
        scopes.extend(category.filter(|c| !c.is_empty()).map(|c| Self::Category(c.to_owned())));
        scopes.push(Self::All);
        scopes
    }
}

impl fmt::Display for MuteScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Item(id) => write!(f, "item:{id}"),
            Self::Supplier(id) => write!(f, "supplier:{id}"),
            Self::Location(id) => write!(f, "location:{id}"),
            Self::Category(name) => write!(f, "category:{name}"),
        }
    }
}

impl From<MuteScope> for String {
    fn from(scope: MuteScope) -> Self {
        scope.to_string()
    }
}

impl TryFrom<String> for MuteScope {
    type Error = UnknownScope;
    fn try_from(text: String) -> Result<Self, UnknownScope> {
        text.parse()
    }
}

/// A text that names no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope; use all, item:ID, location:ID, supplier:ID or category:NAME")]
pub struct UnknownScope(pub String);

impl FromStr for MuteScope {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let unknown = || UnknownScope(text.to_owned());
        if text == "all" {
            return Ok(Self::All);
        }
        let (kind, id) = text.split_once(':').ok_or_else(unknown)?;
        let id = id.trim();
        // Ids and names of the ERP are short; nobody types a longer one.
        if id.is_empty() || id.len() > 200 || id.chars().any(char::is_control) {
            return Err(unknown());
        }
        match kind {
            "item" => Ok(Self::Item(ItemId::new(id))),
            "supplier" => Ok(Self::Supplier(SupplierId::new(id))),
            "location" => Ok(Self::Location(LocationId::new(id))),
            "category" => Ok(Self::Category(id.to_owned())),
            _ => Err(unknown()),
        }
    }
}

/// A person's decision not to be shown something for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    /// The hash of what it says and when.
    pub id: String,
    /// Which type.
    pub code: ExceptionType,
    /// On which subjects.
    pub scope: MuteScope,
    /// Who muted it and answers for it.
    pub owner: PersonId,
    /// Why, in their words.
    pub reason: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// The day on which the cases are shown again.
    pub until: Date,
    /// When and by whom it was ended before that.
    pub ended: Option<(Timestamp, PersonId)>,
    /// Under which tier it was made: what it hides may not come to need a higher one. None for those made before this was
    /// kept.
    #[serde(default)]
    pub tier: Option<Tier>,
}

impl Mute {
    /// A mute made now.
    pub fn new(
        code: ExceptionType,
        scope: MuteScope,
        owner: PersonId,
        reason: String,
        made_at: Timestamp,
        until: Date,
    ) -> Self {
        let made = made_at.as_millisecond().to_string();
        let id = content_id("mute-", &[code.code(), &scope.to_string(), owner.as_str(), &made], 12);
        Self { id, code, scope, owner, reason, made_at, until, ended: None, tier: None }
    }

    /// Does it hide anything on `today`?
    pub fn is_live(&self, today: Date) -> bool {
        self.ended.is_none() && today < self.until
    }

    /// Is this exception one that it is about?
    pub fn covers(&self, exception: &Exception, category: Option<&str>) -> bool {
        self.code == exception.signal.code && self.scope.covers(&exception.signal.subject, category)
    }
}

/// May a mute hide this case at all? `cap` is the most money that may be at stake in a hidden case. A case that is not ranked
/// yet may be worth anything.
pub fn may_hide(case: &Case, cap: Money) -> bool {
    case.rank.as_ref().is_some_and(|rank| rank.lane == Lane::Ordinary && rank.at_stake <= cap && rank.value.expected <= cap)
}

/// The link that a proposal to mute a type owns.
pub fn proposal_link(code: ExceptionType) -> String {
    format!("{LINK}{code}")
}

impl Case {
    /// Is it a proposal to mute something, and not about the retailer's business?
    pub fn is_mute_proposal(&self) -> bool {
        self.links.iter().any(|link| link.starts_with(LINK))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::Range;
    use crate::case::{CaseState, Rank};
    use crate::exception::{ExceptionState, Signal};
    use crate::ids::CaseId;

    fn subject() -> Subject {
        Subject { supplier: Some(SupplierId::new("9")), ..Subject::at(&ItemId::new("75"), &LocationId::new("3")) }
    }

    #[test]
    fn a_scope_is_the_same_after_it_was_written_down() {
        for text in ["all", "item:75", "location:3", "supplier:9", "category:Coffee / Beans: dark"] {
            let scope: MuteScope = text.parse().unwrap();
            assert_eq!(scope.to_string(), text);
            let json = serde_json::to_string(&scope).unwrap();
            assert_eq!(serde_json::from_str::<MuteScope>(&json).unwrap(), scope);
        }
        for text in ["", "item", "item:", "everything", "person:ada", "item:\u{7}"] {
            assert!(text.parse::<MuteScope>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_scope_covers_its_own_subjects_and_no_others() {
        for (scope, within) in [
            ("all", true),
            ("item:75", true),
            ("item:76", false),
            ("location:3", true),
            ("location:1", false),
            ("supplier:9", true),
            ("supplier:8", false),
            ("category:Coffee", true),
            ("category:Tea", false),
        ] {
            assert_eq!(scope.parse::<MuteScope>().unwrap().covers(&subject(), Some("Coffee")), within, "{scope}");
        }
        assert!(!"item:75".parse::<MuteScope>().unwrap().covers(&Subject::default(), None));
        let around = MuteScope::around(&subject(), Some("Coffee"));
        assert_eq!(around.len(), 5);
        assert!(around.iter().all(|scope| scope.covers(&subject(), Some("Coffee"))));
        assert_eq!(MuteScope::around(&Subject::default(), Some("")), [MuteScope::All]);
    }

    #[test]
    fn a_mute_ends_by_itself_on_its_day_or_when_it_is_ended() {
        let until: Date = "2026-10-20".parse().unwrap();
        let by = PersonId::new("ada");
        let mute =
            Mute::new(ExceptionType::RShort, MuteScope::All, by.clone(), "known".into(), Timestamp::UNIX_EPOCH, until);
        assert!(mute.is_live(until.yesterday().unwrap()));
        assert!(!mute.is_live(until));
        let ended = Mute { ended: Some((Timestamp::UNIX_EPOCH, by)), ..mute };
        assert!(!ended.is_live(until.yesterday().unwrap()));
    }

    #[test]
    fn a_mute_is_about_its_own_type_in_its_own_scope() {
        let of = |code: ExceptionType| {
            let day: Date = "2026-10-08".parse().unwrap();
            let signal = Signal {
                detector: "receiving".into(),
                code,
                subject: subject(),
                period: String::new(),
                links: vec![],
                from: day,
                to: day,
                score: 1.0,
                drivers: vec![],
                headline: String::new(),
                facts: vec![],
                missing: vec![],
                explained: None,
                opens_until: None,
                habit: None,
            };
            let (id, state, at) = (signal.exception_id(), ExceptionState::Open, Timestamp::UNIX_EPOCH);
            Exception { id, signal, state, first_seen: at, last_seen: at, misses: 0, mode: crate::mode::Mode::Live }
        };
        let mute = |scope: &str| {
            let (by, until) = (PersonId::new("ada"), "2026-10-20".parse().unwrap());
            Mute::new(ExceptionType::RShort, scope.parse().unwrap(), by, "known".into(), Timestamp::UNIX_EPOCH, until)
        };
        assert!(mute("supplier:9").covers(&of(ExceptionType::RShort), None));
        assert!(!mute("supplier:9").covers(&of(ExceptionType::RLate), None), "another type");
        assert!(!mute("supplier:8").covers(&of(ExceptionType::RShort), None), "another supplier");
    }

    fn case(lane: Lane, at_stake: i64, worth: i64) -> Case {
        let money = Money::from_minor;
        let rank = Rank {
            lane,
            p: 0.5,
            value: Range { low: money(0), expected: money(worth), high: money(worth) },
            at_stake: money(at_stake),
            deadline: "2026-10-20".parse().unwrap(),
            slack_days: 2.0,
            perishing: 0.5,
            priority: money(worth),
            wait_cost: Money::ZERO,
            hangs_on: None,
            unknown: false,
        };
        Case {
            id: CaseId::new("case-1"),
            version: 1,
            state: CaseState::Open,
            exceptions: vec![],
            codes: vec![],
            subject: Subject::default(),
            links: vec!["line:7".into()],
            headline: String::new(),
            rank: Some(rank),
            evidence_hash: None,
            owner: None,
            wanted: false,
            opened_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn lanes_and_dear_cases_and_unknown_money_are_never_hidden() {
        let cap = Money::from_minor(1_000);
        assert!(may_hide(&case(Lane::Ordinary, 1_000, 1_000), cap));
        assert!(!may_hide(&case(Lane::Ordinary, 1_001, 10), cap));
        assert!(!may_hide(&case(Lane::Ordinary, 10, 1_001), cap));
        assert!(!may_hide(&case(Lane::BillDue, 10, 10), cap));
        assert!(!may_hide(&case(Lane::KeyItem, 10, 10), cap));
        assert!(!may_hide(&Case { rank: None, ..case(Lane::Ordinary, 1, 1) }, cap));
    }

    #[test]
    fn a_proposal_is_known_by_its_link() {
        let business = case(Lane::Ordinary, 1, 1);
        assert!(!business.is_mute_proposal());
        assert!(Case { links: vec![proposal_link(ExceptionType::RShort)], ..business }.is_mute_proposal());
    }
}
