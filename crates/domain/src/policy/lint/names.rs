//! Names of locations, categories and suppliers that are none of those there are.

use super::{Finding, KnownNames};
use crate::policy::document::Policy;
use crate::policy::facts::{Named, in_category};
use crate::policy::people::Person;

pub(super) fn findings(policy: &Policy, people: &[Person], known: &KnownNames) -> Vec<Finding> {
    let rules = policy.rules.iter().map(|r| (format!("rules, {:?}", r.name), &r.locations, &r.categories, &r.suppliers));
    let scopes = people
        .iter()
        .map(|p| (format!("people, {}, scopes", p.id), &p.scopes.locations, &p.scopes.categories, &p.scopes.suppliers));
    let mut found = Vec::new();
    for (place, locations, categories, suppliers) in rules.chain(scopes) {
        let mut unknown = |kind: &str, name: &str| {
            found.push(Finding::error(
                &place,
                format!("there is no {kind} {name:?}, so this never matches"),
                format!("write the id or the name of a {kind} as the ERP has it"),
            ));
        };
        let is = |all: &[Named], name: &str| all.iter().any(|one| one.is(name));
        for name in locations.iter().filter(|name| !is(&known.locations, name)) {
            unknown("location", name);
        }
        for name in categories.iter().filter(|name| !known.categories.iter().any(|one| in_category(one, name))) {
            unknown("category", name);
        }
        for name in suppliers.iter().filter(|name| !is(&known.suppliers, name)) {
            unknown("supplier", name);
        }
    }
    found
}
