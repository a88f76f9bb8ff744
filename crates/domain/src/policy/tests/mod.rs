//! What is tested across the files of this folder, and the people and questions it is tested with.

mod delegating;
mod escalating;
mod handbook;
mod judging;
mod showing;
mod signing;
mod time;

use jiff::Timestamp;

use super::*;
use crate::ids::{ItemId, PersonId, RecommendationId, SupplierId};
use crate::money::Money;

/// Eight in the morning of a Thursday.
pub(super) fn now() -> Timestamp {
    "2026-10-08T08:00:00Z".parse().unwrap()
}

pub(super) fn units(amount: i64) -> Money {
    Money::from_minor(amount * 100)
}

pub(super) fn person(id: &str, roles: &[Role], tier: u8) -> Person {
    Person { roles: roles.to_vec(), tier, ..Person::gone(PersonId::new(id)) }
}

/// The people of the demo.
pub(super) fn pia() -> Person {
    person("pia", &[Role::Planner], 0)
}

pub(super) fn ari() -> Person {
    person("ari", &[Role::Planner, Role::Approver], 2)
}

pub(super) fn fay() -> Person {
    person("fay", &[Role::Approver, Role::Finance], 3)
}

pub(super) fn dan() -> Person {
    person("dan", &[Role::Approver, Role::Director], 4)
}

pub(super) fn demo() -> Vec<Person> {
    vec![pia(), ari(), fay(), dan()]
}

/// A question with everything at hand to ask it.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) action: &'static str,
    pub(super) value: Money,
    pub(super) item: Option<ItemId>,
    pub(super) supplier: Option<SupplierId>,
    pub(super) facts: Facts,
    pub(super) signers: Vec<PersonId>,
    pub(super) on_behalf_of: Vec<PersonId>,
    pub(super) earlier: Vec<Earlier>,
}

impl Asked {
    /// Item 7 of supplier 9, signed by ari, all facts known and harmless.
    pub(super) fn new(action: &'static str, value: i64) -> Self {
        Self {
            action,
            value: units(value),
            item: Some(ItemId::new("7")),
            supplier: Some(SupplierId::new("9")),
            facts: harmless(),
            signers: vec![PersonId::new("ari")],
            on_behalf_of: Vec::new(),
            earlier: Vec::new(),
        }
    }

    pub(super) fn by(self, policy: &Policy) -> Ruling {
        let id = RecommendationId::new("r-now");
        policy.judge(&Question {
            id: &id,
            steps: &[QuestionStep {
                action: ActionCode::named(self.action).unwrap(),
                item: self.item.as_ref(),
                supplier: self.supplier.as_ref(),
                facts: &self.facts,
            }],
            value: self.value,
            signers: &self.signers,
            on_behalf_of: &self.on_behalf_of,
            earlier: &self.earlier,
            now: now(),
        })
    }

    /// After one released by `bo` that has nothing in common with it.
    pub(super) fn after(mut self, value: i64, change: impl FnOnce(&mut Earlier)) -> Self {
        let mut earlier = Earlier {
            recommendation: RecommendationId::new(format!("r-{}", self.earlier.len())),
            at: now(),
            action: ActionCode::named("TRANSFER"),
            value: units(value),
            item: None,
            supplier: None,
            by: PersonId::new("bo"),
            on_behalf_of: Vec::new(),
        };
        change(&mut earlier);
        self.earlier.push(earlier);
        self
    }

    pub(super) fn knowing(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.facts);
        self
    }
}

/// Facts that no rule is about.
pub(super) fn harmless() -> Facts {
    Facts {
        class: Some(Class::C),
        item: None,
        categories: Some(vec!["All / Food / Cheese".into()]),
        locations: Some(vec![Named::new("1", &["NOR", "North store"])]),
        suppliers: Some(vec![Named::new("9", &["Acme"])]),
        supplier_risk: Some(Risk::Low),
        margin_lost: Some(Money::ZERO),
        margin_lost_share: Some(Share(rust_decimal::Decimal::ZERO)),
    }
}

/// The shipped policy with `from` replaced by `to`.
#[track_caller]
pub(super) fn changed(from: &str, to: &str) -> Policy {
    let text = DEFAULT_TOML.replacen(from, to, 1);
    assert_ne!(text, DEFAULT_TOML, "{from:?} is not in the shipped policy");
    Policy::parse("policy.toml", &text).unwrap()
}

/// The shipped policy with one more rule.
#[track_caller]
pub(super) fn with_rule(rule: &str) -> Policy {
    changed("[cumulative]", &format!("[[rules]]\nname = \"own\"\n{rule}\n\n[cumulative]"))
}
