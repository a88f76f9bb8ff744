//! Rules: conditions under which a recommendation needs more than its value alone asks for.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use super::amount::{Amount, Share};
use super::facts::{Class, Facts, Risk, in_category};
use super::people::Role;
use super::tiers::{Tier, one_or_two};
use crate::action::Action;
use crate::money::Money;

/// The code of an action of the catalogue (handbook §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ActionCode(&'static str);

impl ActionCode {
    /// Every action of the catalogue, in the handbook's order.
    pub fn all() -> impl Iterator<Item = Self> {
        Action::CODES.iter().map(|code| Self(code))
    }

    /// The action called `code`, where there is one.
    pub fn named(code: &str) -> Option<Self> {
        Self::all().find(|known| known.0 == code)
    }

    /// The code of this action.
    pub fn of(action: &Action) -> Self {
        Self(action.code())
    }

    /// The code itself.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for ActionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<'de> Deserialize<'de> for ActionCode {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let code = String::deserialize(d)?;
        Self::named(&code).ok_or_else(|| {
            let known: Vec<&str> = Self::all().map(Self::as_str).collect();
            serde::de::Error::custom(format!("there is no action {code:?}; the catalogue has {}", known.join(", ")))
        })
    }
}

/// `[[rules]]`: when all of its conditions hold, what it asks is asked.
///
/// A condition that is left out holds always. What is not known of a recommendation counts as if the condition held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What people call it; shown on the card and in the audit log.
    pub name: String,

    /// One of these actions.
    #[serde(default)]
    pub actions: Vec<ActionCode>,
    /// Worth more than this, together with what the same action was approved for in the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Amount>,
    /// An item of one of these classes.
    #[serde(default)]
    pub classes: Vec<Class>,
    /// An item of one of these categories, or below.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Touches one of these locations.
    #[serde(default)]
    pub locations: Vec<String>,
    /// Touches one of these suppliers.
    #[serde(default)]
    pub suppliers: Vec<String>,
    /// Touches a supplier of at least this risk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier_risk: Option<Risk>,
    /// Gives away more margin than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin_lost_above: Option<Amount>,
    /// Gives away more than this share of the margin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin_lost_share_above: Option<Share>,

    /// The tier it is raised to, if it is lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Roles that have to be among those who sign: a co-approval, so that at least two people sign.
    #[serde(default)]
    pub with: Vec<Role>,
    /// How many people sign at least: 1 or 2.
    #[serde(default, deserialize_with = "some_one_or_two", skip_serializing_if = "Option::is_none")]
    pub signatures: Option<u8>,
}

fn some_one_or_two<'de, D: Deserializer<'de>>(d: D) -> Result<Option<u8>, D::Error> {
    one_or_two(d).map(Some)
}

/// What a rule is held against.
pub(super) struct Held<'a> {
    pub(super) action: ActionCode,
    /// Own value and what the same action was approved for in the window.
    pub(super) same_action: Money,
    pub(super) facts: &'a Facts,
}

impl Rule {
    /// Do all of its conditions hold? Then the conditions that hold only because something is not known, for people.
    /// `convert` is None for an amount without a rate, which everything is above.
    pub(super) fn holds(&self, held: &Held<'_>, convert: impl Fn(&Amount) -> Option<Money>) -> Option<Vec<&'static str>> {
        let facts = held.facts;
        let above = |limit: &Amount, money: Money| convert(limit).is_none_or(|limit| money > limit);
        let mut unknown = Vec::new();
        // An empty list asks nothing; an unknown fact could be the one that is asked for.
        let mut any = |asked: bool, known: Option<bool>, what: &'static str| {
            if asked && known.is_none() {
                unknown.push(what);
            }
            !asked || known.unwrap_or(true)
        };
        let touches =
            |names: &[String], there: &[super::facts::Named]| names.iter().any(|name| there.iter().any(|one| one.is(name)));
        // An order without a supplier is known to have none. That is not the same as a supplier who is not known.
        let no_supplier = facts.suppliers.as_ref().is_some_and(Vec::is_empty);
        let all = any(!self.actions.is_empty(), Some(self.actions.contains(&held.action)), "action")
            && any(
                self.above.is_some(),
                Some(self.above.as_ref().is_some_and(|limit| above(limit, held.same_action))),
                "value",
            )
            && any(!self.classes.is_empty(), facts.class.map(|class| self.classes.contains(&class)), "item class")
            && any(
                !self.categories.is_empty(),
                facts
                    .categories
                    .as_ref()
                    .map(|there| there.iter().any(|category| self.categories.iter().any(|of| in_category(category, of)))),
                "category",
            )
            && any(!self.locations.is_empty(), facts.locations.as_ref().map(|l| touches(&self.locations, l)), "location")
            && any(!self.suppliers.is_empty(), facts.suppliers.as_ref().map(|s| touches(&self.suppliers, s)), "supplier")
            && any(
                self.supplier_risk.is_some(),
                // Without a supplier there is no risk of one.
                if no_supplier { Some(false) } else { facts.supplier_risk.map(|risk| Some(risk) >= self.supplier_risk) },
                "supplier risk",
            )
            && any(
                self.margin_lost_above.is_some(),
                facts.margin_lost.map(|lost| self.margin_lost_above.as_ref().is_some_and(|limit| above(limit, lost))),
                "margin effect",
            )
            && any(
                self.margin_lost_share_above.is_some(),
                facts.margin_lost_share.map(|lost| Some(lost) > self.margin_lost_share_above),
                "share of margin lost",
            );
        all.then_some(unknown)
    }

    /// Its conditions as people read them: "CLAIM above 5000", or "everything".
    pub fn when_told(&self) -> String {
        let list = |of: &[String]| of.join(" or ");
        let mut told = Vec::new();
        if !self.actions.is_empty() {
            told.push(self.actions.iter().map(|a| a.as_str()).collect::<Vec<_>>().join(", "));
        }
        if let Some(above) = &self.above {
            told.push(format!("above {above}"));
        }
        if !self.classes.is_empty() {
            told.push(format!(
                "on class {}",
                self.classes.iter().map(|c| format!("{c:?}")).collect::<Vec<_>>().join(" or ")
            ));
        }
        for (word, names) in
            [("of category", &self.categories), ("at location", &self.locations), ("with supplier", &self.suppliers)]
        {
            if !names.is_empty() {
                told.push(format!("{word} {}", list(names)));
            }
        }
        if let Some(risk) = self.supplier_risk {
            told.push(format!("with a supplier of at least {risk} risk"));
        }
        if let Some(lost) = &self.margin_lost_above {
            told.push(format!("giving away more than {lost} of margin"));
        }
        if let Some(lost) = &self.margin_lost_share_above {
            told.push(format!("giving away more than {lost} of the margin"));
        }
        if told.is_empty() { "everything".to_owned() } else { told.join(" ") }
    }

    /// What it asks, as people read it: "at least T3, finance among those who sign".
    pub fn asks_told(&self) -> String {
        let mut told = Vec::new();
        if let Some(tier) = self.tier {
            told.push(format!("at least {tier}"));
        }
        if !self.with.is_empty() {
            let roles: Vec<&str> = self.with.iter().map(|role| role.told()).collect();
            told.push(format!("two people with {} among them", roles.join(" and ")));
        }
        if let Some(signatures) = self.signatures {
            told.push(format!("at least {signatures} signature{}", if signatures == 1 { "" } else { "s" }));
        }
        if told.is_empty() { "nothing".to_owned() } else { told.join(", ") }
    }
}
