//! The policy as it is written in `config/policy.toml`, read into types that can not hold a bad value.
//!
//! Every key is there and known, or reading fails with the file, the line, the key and what to do. Whether the whole makes
//! sense for the people there are is [`super::lint`]'s question.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::POLICY_VERSION;
use super::amount::{Amount, rates};
use super::delegation::DelegationRules;
use super::escalation::Escalation;
use super::hours::WorkingHours;
use super::people::{Person, Role};
use super::quiet::QuietHours;
use super::rules::{ActionCode, Rule};
use super::tiers::{Tier, Tiers, one_or_two};
use crate::evidence::{Fact, FactValue};
use crate::ids::content_id;
use crate::money::Money;
use crate::record::RecordKind;

/// The policy that is compiled in: the handbook's defaults.
pub const DEFAULT_TOML: &str = include_str!("../../../../config/policy.toml");

/// Who may approve what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What people call it.
    pub name: String,
    /// Its label, raised with each change; the audit log keeps it with a hash of the content.
    pub version: String,
    /// The company's currency (ISO 4217).
    pub currency: String,
    /// Company units for one unit of another currency.
    #[serde(deserialize_with = "rates")]
    pub rates: BTreeMap<String, Decimal>,
    /// How much takes whom.
    pub tiers: Tiers,
    /// What takes more than its value alone.
    pub rules: Vec<Rule>,
    /// What counts together.
    pub cumulative: Cumulative,
    /// What may be recommended.
    pub permitted: Permitted,
    /// What a language model may be shown.
    pub model: ModelSight,
    /// Standing in for one another.
    pub delegation: DelegationRules,
    /// Who hears of what nobody decides.
    pub escalation: Escalation,
    /// When people work.
    pub hours: WorkingHours,
    /// When nobody is disturbed.
    pub quiet: QuietHours,
    /// Planted wrong recommendations.
    pub drills: Drills,
    /// Leaving out what is noise.
    pub mutes: Mutes,
    /// Who says which version of a detector runs. A policy that was written before it could be said is as if it said the usual, and
    /// its version stays what it was.
    #[serde(default, skip_serializing_if = "Detectors::is_usual")]
    pub detectors: Detectors,
}

/// `[cumulative]`: what counts together, so that splitting does not lower the tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "four switches of the file, each a key of its own")]
pub struct Cumulative {
    /// Days back that count; 0 counts nothing together.
    pub days: u16,
    /// Values on the same item.
    pub item: bool,
    /// Values on the same supplier.
    pub supplier: bool,
    /// Values signed by the same person.
    pub approver: bool,
    /// Values signed by whom they stand in for, or by whoever stands in for them.
    pub chain: bool,
}

/// `[permitted]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Permitted {
    /// Actions that may be recommended at all.
    pub actions: Vec<ActionCode>,
}

/// `[model]`: what a language model may be shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSight {
    /// Facts of these kinds of records.
    pub records: Vec<RecordKind>,
    /// Facts of these kinds.
    pub facts: Vec<FactKind>,
    /// Text that somebody outside wrote: names, notes, references.
    pub outside_text: bool,
}

/// A kind of fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactKind {
    /// Quantities.
    Quantity,
    /// Prices of one unit.
    Price,
    /// Amounts of money.
    Money,
    /// Days of the calendar.
    Date,
    /// Numbers of days.
    Days,
    /// Percentages.
    Percent,
    /// Other numbers.
    Number,
    /// Words.
    Text,
}

impl FactKind {
    fn of(value: &FactValue) -> Self {
        match value {
            FactValue::Quantity(_) => Self::Quantity,
            FactValue::Price(_) => Self::Price,
            FactValue::Money(_) => Self::Money,
            FactValue::Date(_) => Self::Date,
            FactValue::Days(_) => Self::Days,
            FactValue::Percent(_) => Self::Percent,
            FactValue::Number(_) => Self::Number,
            FactValue::Text(_) => Self::Text,
        }
    }

    /// As people read it.
    pub fn told(self) -> &'static str {
        match self {
            Self::Quantity => "quantities",
            Self::Price => "prices",
            Self::Money => "money",
            Self::Date => "dates",
            Self::Days => "numbers of days",
            Self::Percent => "percentages",
            Self::Number => "other numbers",
            Self::Text => "words",
        }
    }
}

impl ModelSight {
    /// May a language model be shown this fact?
    pub fn shows(&self, fact: &Fact) -> bool {
        self.records.contains(&fact.source.kind)
            && self.facts.contains(&FactKind::of(&fact.value))
            && (self.outside_text || !fact.third_party)
    }
}

/// `[drills]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drills {
    /// Share of the recommendations put before people that are planted wrong ones.
    pub share: super::amount::Share,
}

/// `[detectors]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detectors {
    /// Roles that may promote a version.
    pub who: Vec<Role>,
    /// The least tier of an approver who may.
    pub approver_tier: Tier,
    /// How many different people promote.
    #[serde(deserialize_with = "one_or_two")]
    pub signatures: u8,
}

impl Default for Detectors {
    fn default() -> Self {
        Self { who: vec![Role::Admin, Role::Approver], approver_tier: Tier::T2, signatures: 2 }
    }
}

impl Detectors {
    fn is_usual(&self) -> bool {
        *self == Self::default()
    }

    /// May somebody promote a version, or go back to an earlier one?
    pub fn may_promote(&self, person: &Person) -> bool {
        let by = |role: &Role| person.is(*role) && (*role != Role::Approver || person.tier >= self.approver_tier.level());
        !person.is_machine() && self.who.iter().any(by)
    }
}

/// `[mutes]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutes {
    /// Longest a mute may last, in days.
    pub longest_days: u16,
}

/// Why a policy can not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}{}: {message}; config/policy.toml as shipped shows every key", key_told(key))]
pub struct PolicyError {
    /// Which file.
    pub file: String,
    /// Which line of it, from 1.
    pub line: usize,
    /// Which key, as far as it is known.
    pub key: String,
    /// What is wrong with it.
    pub message: String,
}

fn key_told(key: &str) -> String {
    if key.is_empty() || key == "." { String::new() } else { format!(", key `{key}`") }
}

impl Policy {
    /// The policy that is compiled in.
    ///
    /// # Panics
    /// Never: a test reads it.
    pub fn standard() -> Self {
        Self::parse("config/policy.toml", DEFAULT_TOML).expect("the shipped policy is read by a test")
    }

    /// Reads a policy. `file` is for the message.
    ///
    /// # Errors
    /// Says which file, line and key, and what to do.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let error = |key: String, error: &toml::de::Error| PolicyError {
            file: file.to_owned(),
            line: 1 + error.span().and_then(|s| text.get(..s.start)).map_or(0, |before| before.matches('\n').count()),
            key,
            // The parser's own text may have several lines.
            message: error.message().trim().replace('\n', ", "),
        };
        let document = toml::Deserializer::parse(text).map_err(|e| error(String::new(), &e))?;
        let policy: Self = serde_path_to_error::deserialize(document).map_err(|e| error(e.path().to_string(), e.inner()))?;
        policy.check().map_err(|(key, message)| PolicyError {
            file: file.to_owned(),
            line: line_of(text, key),
            key: key.to_owned(),
            message,
        })?;
        Ok(policy)
    }

    /// What single values can not say for themselves.
    fn check(&self) -> Result<(), (&'static str, String)> {
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err((
                "currency",
                format!("{:?} is not a currency: write three capitals such as \"EUR\"", self.currency),
            ));
        }
        for (key, text) in [("name", &self.name), ("version", &self.version)] {
            if text.trim().is_empty() {
                return Err((key, "must not be empty: the audit log names the policy by it".to_owned()));
            }
        }
        self.hours.check()?;
        self.quiet.check()
    }

    /// Name, label and a hash of the whole content, as the audit log records it: the same words never stand for two
    /// different policies. Comments and the order of keys are no content.
    pub fn version(&self) -> String {
        let content = serde_json::to_string(self).expect("a policy is plain values");
        content_id(&format!("{}/{}-", self.name.trim(), self.version.trim()), &[POLICY_VERSION, &content], 12)
    }

    /// A limit in the company's currency; None without a rate.
    pub fn in_company(&self, amount: &Amount) -> Option<Money> {
        amount.convert(&self.currency, &self.rates)
    }

    /// May this action be recommended at all?
    pub fn permits(&self, action: ActionCode) -> bool {
        self.permitted.actions.contains(&action)
    }
}

/// The line of the last part of a dotted key, for errors found after reading.
fn line_of(text: &str, key: &str) -> usize {
    let (table, name) = key.rsplit_once('.').map_or((None, key), |(t, n)| (Some(t), n));
    let mut inside = table.is_none();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            inside = table.is_some_and(|t| line == format!("[{t}]"));
        } else if inside && line.split('=').next().is_some_and(|k| k.trim() == name) {
            return number + 1;
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::RecordRef;

    #[track_caller]
    fn error(from: &str, to: &str) -> String {
        let text = DEFAULT_TOML.replacen(from, to, 1);
        assert_ne!(text, DEFAULT_TOML, "{from:?} is not in the shipped policy");
        Policy::parse("my/policy.toml", &text).unwrap_err().to_string()
    }

    fn line(of: &str) -> usize {
        1 + DEFAULT_TOML.lines().position(|l| l == of).expect("it is in the shipped policy")
    }

    #[test]
    fn the_shipped_policy_is_read() {
        let policy = Policy::standard();
        assert_eq!(policy.tiers.t1.limit, Amount::company(1_000));
        assert_eq!(policy.permitted.actions.len(), ActionCode::all().count());
    }

    #[test]
    fn a_policy_from_before_detectors_were_in_it_says_the_usual_under_the_version_that_it_had() {
        let (before, rest) = DEFAULT_TOML.split_once("[detectors]").unwrap();
        let (_, after) = rest.split_once("# ---- Attention.").unwrap();
        let old = Policy::parse("old.toml", &format!("{before}{after}")).unwrap();
        assert_eq!((&old.detectors, old.version()), (&Policy::standard().detectors, Policy::standard().version()));
        let one = DEFAULT_TOML.replace("signatures = 2\n\n# ---- Attention.", "signatures = 1\n\n# ---- Attention.");
        let one = Policy::parse("one.toml", &one).unwrap();
        assert_ne!(one.version(), old.version());
        assert_eq!(one.detectors.signatures, 1);
    }

    #[test]
    fn every_key_of_the_shipped_policy_has_a_comment_above_it() {
        let mut before = "";
        for (number, text) in DEFAULT_TOML.lines().enumerate() {
            let is_key = text.contains('=') && text.starts_with(|c: char| c.is_ascii_lowercase());
            let continues = before.contains('=') || before.starts_with(' ') || before.starts_with(']');
            assert!(!is_key || before.starts_with('#'), "line {}: {text} (after {before}, {continues})", number + 1);
            before = text;
        }
    }

    #[test]
    fn an_error_names_file_line_key_and_what_to_do() {
        let told = error("limit = \"1000\"", "limit = \"1,000\"");
        let at = line("limit = \"1000\"");
        assert!(
            told.starts_with(&format!("my/policy.toml, line {at}, key `tiers.T1.limit`: \"1,000\" is not an amount")),
            "{told}"
        );
        assert!(told.ends_with("config/policy.toml as shipped shows every key"), "{told}");

        let told = error("days = 7", "days = 7\ndayz = 7");
        assert!(told.contains(&format!("line {}", line("days = 7") + 1)) && told.contains("unknown field `dayz`"), "{told}");

        let told = error("days = 7\n", "");
        assert!(told.contains("missing field `days`") && told.contains("cumulative"), "{told}");

        let told = error("[cumulative]", "[cumulative");
        assert!(told.contains(&format!("line {}", line("[cumulative]"))), "{told}");
    }

    #[test]
    fn what_can_not_be_is_refused() {
        for (from, to, says) in [
            ("\"MONITOR\"", "\"PAY\"", "there is no action \"PAY\"; the catalogue has EXPEDITE"),
            ("with = [\"finance\"]", "with = [\"boss\"]", "unknown variant `boss`"),
            ("signatures = 2", "signatures = 3", "write 1 or 2"),
            ("signatures = 2", "signatures = 0", "write 1 or 2"),
            ("currency = \"USD\"", "currency = \"usd\"", "three capitals"),
            ("name = \"handbook\"", "name = \" \"", "must not be empty"),
            ("version = \"1\"", "version = \"\"", "must not be empty"),
            ("tier = \"T2\"", "tier = \"T5\"", "unknown variant `T5`"),
            ("records = [\"item\"", "records = [\"salary\"", "unknown variant `salary`"),
            ("[rates]", "[rates]\nEUR = \"0\"", "not a rate"),
        ] {
            let told = error(from, to);
            assert!(told.contains(says) && told.starts_with("my/policy.toml, line "), "{told}");
        }
        assert!(error("version = \"1\"", "version = \"\"").contains(&format!("line {}", line("version = \"1\""))));
    }

    #[test]
    fn the_version_changes_with_the_content_and_not_with_comments() {
        let standard = Policy::standard().version();
        assert!(standard.starts_with("handbook/1-"), "{standard}");
        let changed = |from: &str, to: &str| Policy::parse("p", &DEFAULT_TOML.replacen(from, to, 1)).unwrap().version();
        assert_eq!(changed("[cumulative]", "# A word.\n[cumulative]"), standard);
        assert_eq!(changed("limit = \"1000\"", "limit = 1000.00"), standard);
        assert_ne!(changed("limit = \"1000\"", "limit = \"1001\""), standard);
        assert_ne!(changed("version = \"1\"", "version = \"2\""), standard);
    }

    #[test]
    fn a_model_sees_the_kinds_it_may_and_nothing_else() {
        let at = "2026-10-08T06:00:00Z".parse().unwrap();
        let price = Fact::new(
            RecordRef::new(RecordKind::PoLine, "1"),
            "price",
            "price",
            FactValue::Price(crate::money::UnitPrice(Decimal::ONE)),
            at,
        );
        let name = Fact::new(RecordRef::new(RecordKind::Supplier, "1"), "name", "name", FactValue::Text("Acme".into()), at)
            .from_outside();
        let mut sight = Policy::standard().model;
        assert!(sight.shows(&price) && sight.shows(&name));
        sight.facts.retain(|kind| *kind != FactKind::Price);
        assert!(!sight.shows(&price) && sight.shows(&name));
        sight.outside_text = false;
        assert!(!sight.shows(&name));
        sight.outside_text = true;
        sight.records.retain(|kind| *kind != RecordKind::Supplier);
        assert!(!sight.shows(&name));
    }
}
