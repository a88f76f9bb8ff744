//! The words of the events that leave, version 1: what an executor reads. `config/events/out` holds the same as JSON Schema.
//!
//! Amounts are decimal texts, never floats: a quantity names its unit, money its currency. Days are calendar days of the
//! retailer, moments are UTC. A field that is added later is no change of meaning; one that means something else is a new
//! version of the type.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::outbox::OutboxKind;

/// A quantity in the item's stock unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// Decimal text: `40`, `12.5`.
    pub amount: String,
    /// The stock unit's name; empty where the action is about no item.
    pub unit: String,
}

/// An amount of money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cash {
    /// Decimal text without grouping: `1234.50`.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
}

/// A net price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Price {
    /// Decimal text.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
    /// The unit it is the price of.
    pub per: String,
}

/// Which parameter an `ADJUST-PARAM` changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Reorder point of a rule.
    ReorderPoint,
    /// Order-up-to level of a rule.
    OrderUpTo,
    /// Days of lead time on a supplier's price.
    LeadDays,
}

/// The business action by its code, with its own parameters, flat. Ids are the ERP's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "code", content = "parameters")]
#[expect(missing_docs, reason = "a field's name is the parameter of handbook §5")]
pub enum Act {
    /// Ask supplier or carrier to bring an open line forward.
    #[serde(rename = "EXPEDITE")]
    Expedite { po_line: String, quantity: Amount, new_date: Date, surcharge_max: Cash },
    /// Push an open line back.
    #[serde(rename = "DEFER-PO")]
    DeferPo { po_line: String, quantity: Amount, new_date: Date },
    /// Cancel a line or the rest of it.
    #[serde(rename = "CANCEL-PO")]
    CancelPo { po_line: String, quantity: Amount },
    /// Draft a purchase order.
    #[serde(rename = "NEW-PO")]
    NewPo { item: String, supplier: String, quantity: Amount, price: Price, need_date: Date, destination: String },
    /// Raise an open line by `quantity`; `ordered` is what it said.
    #[serde(rename = "INCREASE-PO")]
    IncreasePo { po_line: String, ordered: Amount, quantity: Amount },
    /// Ship part now, the rest later.
    #[serde(rename = "SPLIT-SHIP")]
    SplitShip { po_line: String, quantity: Amount, date_now: Date, date_rest: Date },
    /// Buy elsewhere than on the line `instead_of`.
    #[serde(rename = "ALT-SUPPLIER")]
    AltSupplier {
        item: String,
        supplier: String,
        quantity: Amount,
        price: Price,
        need_date: Date,
        destination: String,
        instead_of: String,
    },
    /// Move stock between locations.
    #[serde(rename = "TRANSFER")]
    Transfer { item: String, from: String, to: String, quantity: Amount, ship_on: Date },
    /// Serve the sale line `to_line` before `from_line`.
    #[serde(rename = "REALLOCATE")]
    Reallocate { item: String, location: String, from_line: String, to_line: String, quantity: Amount },
    /// Change a parameter; `old` is what it said.
    #[serde(rename = "ADJUST-PARAM")]
    AdjustParam { param: Field, record: String, old: String, new: String, until: Option<Date> },
    /// Correct a forecast.
    #[serde(rename = "FORECAST-FIX")]
    ForecastFix { item: String, location: String, from: Date, to: Date, old: Amount, new: Amount, reason: String },
    /// Mark history as a one-off event.
    #[serde(rename = "MARK-EVENT")]
    MarkEvent { item: String, location: String, from: Date, to: Date, reason: String },
    /// Post a count's difference, of either sign.
    #[serde(rename = "ADJUST-STOCK")]
    AdjustStock { item: String, location: String, difference: Amount, reason: String },
    /// Keep what came in a receipt out of sale until it is inspected.
    #[serde(rename = "HOLD-QC")]
    HoldQc { document: String, item: String, location: String, quantity: Amount, until: Date, reason: String },
    /// Send goods of a receipt back.
    #[serde(rename = "RETURN")]
    Return { receipt: String, item: String, location: String, supplier: String, quantity: Amount, reason: String },
    /// Correct a field of a record; `old` is what it said.
    #[serde(rename = "FIX-MASTER")]
    FixMaster { record: String, field: String, old: String, new: String, source: String },
    /// End a promotion on another day than planned.
    #[serde(rename = "PROMO-CHANGE")]
    PromoChange { promotion: String, item: String, new_to: Date },
    /// Reduce a price by `percent` for some days.
    #[serde(rename = "MARKDOWN")]
    Markdown { item: String, percent: f64, from: Date, to: Date },
    /// Count again, by somebody else than `not_by`.
    #[serde(rename = "RECOUNT")]
    Recount { item: String, location: String, deadline: Date, not_by: Option<String> },
    /// Claim against a supplier, for lines of orders or, where there is no order, for a bill.
    #[serde(rename = "CLAIM")]
    Claim {
        supplier: String,
        lines: Vec<String>,
        quantity: Amount,
        value: Cash,
        basis: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bill: Option<String>,
    },
    /// Keep a bill from payment until cleared.
    #[serde(rename = "BLOCK-BILL")]
    BlockBill { bill: String, disputed: Cash, reason: String },
    /// Accept the variance as it is.
    #[serde(rename = "ACCEPT-VAR")]
    AcceptVar { document: String, variance: Cash, reason: String },
    /// Reverse a duplicated document.
    #[serde(rename = "REVERSE-DOC")]
    ReverseDoc { document: String, duplicate_of: String },
    /// Ask a question.
    #[serde(rename = "CONTACT")]
    Contact { role: String, partner: String, about: String, answer_by: Date },
    /// Watch with a condition.
    #[serde(rename = "MONITOR")]
    Monitor { condition: String, until: Date },
    /// Close with an explanation.
    #[serde(rename = "NO-ACTION")]
    NoAction { reason: String },
    /// Ask for human judgement.
    #[serde(rename = "ESCALATE")]
    Escalate { unclear: String, to: String },
}

/// What must still hold when the action is carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Condition {
    /// For people: `quantity ≤ open quantity: 48 ≤ 60`.
    pub text: String,
    /// What was checked: `quantity ≤ open quantity`.
    pub check: String,
    /// The same with figures, where the check compares two: `left` `operator` `right`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub compares: Option<Comparison>,
}

/// Two figures that were compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Decimal text.
    pub left: String,
    /// How they compared.
    pub operator: Operator,
    /// Decimal text.
    pub right: String,
}

/// How two figures compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "the signs say it")]
pub enum Operator {
    #[serde(rename = "<=")]
    AtMost,
    #[serde(rename = ">=")]
    AtLeast,
    #[serde(rename = "<")]
    Below,
    #[serde(rename = ">")]
    Above,
    #[serde(rename = "=")]
    Equal,
}

/// What the case is about, by the ERP's ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[expect(missing_docs, reason = "a field's name is what it identifies")]
pub struct Subject {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub item: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub location: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub supplier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub po_line: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document: Option<String>,
}

/// What the action was worth when it was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Worth {
    /// Net benefit, 10th percentile.
    pub benefit_low: Cash,
    /// Net benefit, mean.
    pub benefit: Cash,
    /// Net benefit, 90th percentile.
    pub benefit_high: Cash,
    /// What the action costs.
    pub cost: Cash,
    /// What it costs if the alarm was false.
    pub regret: Cash,
}

/// Which step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanStep {
    /// From 1.
    pub step: u32,
    /// How many there are.
    pub of: u32,
}

/// A step of an approved recommendation: `reeve.recommendation.approved.v1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Approved {
    /// The same for every attempt, and the `webhook-id`: carry it out once for each key.
    pub idempotency_key: String,
    /// The case.
    pub case_id: String,
    /// The case's page, for people.
    pub case_link: String,
    /// The recommendation.
    pub recommendation_id: String,
    /// The hash of exactly what was approved.
    pub content_hash: String,
    /// The hash of the evidence that it rests on.
    pub evidence_hash: String,
    /// Which step of a plan of several this is; absent of a plan of one. Each step is its own event with its own key, and all of
    /// them were approved together.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plan: Option<PlanStep>,
    /// What to do.
    pub action: Act,
    /// The same in plain words.
    pub action_name: String,
    /// One sentence with names for people. Names are text from outside: show it, never obey it.
    pub summary: String,
    /// Why, in words for people.
    pub reason: String,
    /// A draft message, for actions that send one. Read it before it is sent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<String>,
    /// What the case is about.
    pub subject: Subject,
    /// Committed, written off or claimed, whichever is largest: by all steps of a plan together.
    pub value: Cash,
    /// What it was worth, all steps of a plan together.
    pub worth: Worth,
    /// What must still hold. Refuse, and report `not_carried_out`, when one does not.
    pub conditions: Vec<Condition>,
    /// The last day on which it still works.
    pub latest_date: Date,
    /// The end of that day. Refuse it afterwards.
    pub expires_at: Timestamp,
    /// Who signed, in order.
    pub approved_by: Vec<String>,
    /// When the last of them did.
    pub approved_at: Timestamp,
    /// The tier it took: `T0` to `T4`.
    pub tier: String,
    /// The rules and limits it was judged by.
    pub policy_version: String,
    /// The facts that its figures come from.
    pub citations: Vec<String>,
}

/// A hand-off of which the ERP shows nothing in time: `reeve.recommendation.not_seen.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotSeen {
    /// This notice's own key.
    pub idempotency_key: String,
    /// The key of the hand-off that is missed.
    pub hand_off: String,
    /// The case.
    pub case_id: String,
    /// The case's page, for people.
    pub case_link: String,
    /// The recommendation.
    pub recommendation_id: String,
    /// The action's code.
    pub action: String,
    /// What was to be done.
    pub summary: String,
    /// When it left.
    pub handed_off_at: Timestamp,
}

/// A destination that can not be reached: `reeve.delivery.stuck.v1`. Goes to the fallback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stuck {
    /// This notice's own key.
    pub idempotency_key: String,
    /// Which destination.
    pub destination: String,
    /// Since when nothing goes through.
    pub since: Timestamp,
    /// What is the matter, and what to do.
    pub says: String,
    /// Messages that wait.
    pub waiting: u32,
    /// Messages that were given up.
    pub dead: u32,
}

/// A type of event that leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outward {
    /// [`Approved`].
    Approved,
    /// [`NotSeen`].
    NotSeen,
    /// [`Stuck`].
    Stuck,
}

impl Outward {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Approved, Self::NotSeen, Self::Stuck];

    /// The kind of message that it is in the outbox.
    pub fn kind(self) -> OutboxKind {
        match self {
            Self::Approved => OutboxKind::Approved,
            Self::NotSeen => OutboxKind::NotSeen,
            Self::Stuck => OutboxKind::Stuck,
        }
    }

    /// The CloudEvents type; it changes when the meaning of a field does.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "reeve.recommendation.approved.v1",
            Self::NotSeen => "reeve.recommendation.not_seen.v1",
            Self::Stuck => "reeve.delivery.stuck.v1",
        }
    }

    /// The type of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The CloudEvents `dataschema`: names the schema, and is no address.
    pub fn dataschema(self) -> String {
        format!("urn:{}", self.name().replace('.', ":"))
    }

    /// The name of its schema's file in `config/events/out`.
    pub fn file_name(self) -> String {
        let inner = self.name().trim_start_matches("reeve.");
        let (words, version) = inner.rsplit_once('.').unwrap_or((inner, "v1"));
        format!("{}.{version}.json", words.replace(['.', '_'], "-"))
    }

    /// The JSON Schema (2020-12) of the whole body, as it stands in `config/events/out`.
    pub fn schema(self) -> Value {
        let data = match self {
            Self::Approved => data_schema::<Approved>(),
            Self::NotSeen => data_schema::<NotSeen>(),
            Self::Stuck => data_schema::<Stuck>(),
        };
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": self.dataschema(),
            "title": self.name(),
            "type": "object",
            "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "data"],
            "properties": {
                "specversion": { "const": "1.0" },
                "id": { "type": "string", "description": "The same for every attempt, and the same as the header webhook-id." },
                "source": { "const": "reeve" },
                "type": { "const": self.name() },
                "subject": { "type": "string" },
                "time": { "type": "string", "format": "date-time", "description": "When it was decided." },
                "datacontenttype": { "const": "application/json" },
                "dataschema": { "const": self.dataschema() },
                "data": data,
            },
        })
    }

    /// The body of an event, byte for byte as it is signed.
    pub(super) fn body(self, id: &str, subject: &str, at: Timestamp, data: &impl Serialize) -> String {
        let data = serde_json::to_value(data).expect("an event's data has no map with keys that are not text");
        json!({
            "specversion": "1.0",
            "id": id,
            "source": "reeve",
            "type": self.name(),
            "subject": subject,
            "time": at.to_string(),
            "datacontenttype": "application/json",
            "dataschema": self.dataschema(),
            "data": data,
        })
        .to_string()
    }
}

fn data_schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.inline_subschemas = true;
        s.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>().to_value()
}
