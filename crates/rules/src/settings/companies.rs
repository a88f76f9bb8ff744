//! `[companies]`: what goes on between legal entities, and by what a location carries an item.

use serde::{Deserialize, Deserializer};

use super::Settings;
use reeve_domain::book::Book;
use reeve_domain::carried::CarriedRule;

/// `[companies]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompaniesConfig {
    /// Companies that may transfer goods among each other, by name or id.
    #[serde(deserialize_with = "groups")]
    pub transfers: Vec<Vec<String>>,
}

/// `"A=B"`: two or more companies, each named.
fn groups<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Vec<String>>, D::Error> {
    let entries = Vec::<String>::deserialize(deserializer)?;
    let group = |entry: String| {
        let names: Vec<String> = entry.split('=').map(|name| name.trim().to_owned()).collect();
        if names.len() >= 2 && names.iter().all(|name| !name.is_empty()) {
            return Ok(names);
        }
        Err(serde::de::Error::custom(format!("{entry:?} does not name two companies, such as \"Alpha Ltd=Beta Ltd\"")))
    };
    entries.into_iter().map(group).collect()
}

impl Settings {
    /// A book that goes by what is configured: who carries what, and which companies transfer goods.
    #[must_use]
    pub fn settled(&self, book: Book) -> Book {
        let by = self.detect.carried_by.clone();
        let rule = CarriedRule { by, given_up_days: self.detect.carried_days };
        let book = book.with_trade(&self.companies.transfers);
        // The usual rule holds in every book from the start.
        if rule == CarriedRule::default() { book } else { book.with_carried(&rule) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use reeve_domain::carried::CarriedBy;

    #[test]
    fn the_defaults_are_the_usual_rule_and_no_company_trades() {
        let settings = Settings::defaults();
        let usual = CarriedRule::default();
        assert_eq!((settings.detect.carried_by, settings.detect.carried_days), (usual.by, usual.given_up_days));
        assert!(settings.companies.transfers.is_empty());
    }

    #[test]
    fn companies_that_trade_are_named_together_and_a_half_entry_is_refused() {
        let settings = Settings::with("[companies]\ntransfers = [\"Alpha Ltd = Beta Ltd\", \"1=3\"]").unwrap();
        assert_eq!(settings.companies.transfers, [["Alpha Ltd", "Beta Ltd"], ["1", "3"]]);
        let error = Settings::with("[companies]\ntransfers = [\"Alpha Ltd\"]").unwrap_err();
        assert!(error.contains("transfers") && error.contains("Alpha Ltd=Beta Ltd"), "{error}");
    }

    #[test]
    fn what_makes_a_place_carry_an_item_is_configured_by_words() {
        let settings = Settings::with("[detect]\ncarried_by = [\"sale\", \"rule\"]").unwrap();
        assert_eq!(settings.detect.carried_by, BTreeSet::from([CarriedBy::Sale, CarriedBy::Rule]));
        assert!(Settings::with("[detect]\ncarried_by = [\"hearsay\"]").unwrap_err().contains("carried_by"));
    }
}
