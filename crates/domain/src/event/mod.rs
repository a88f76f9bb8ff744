//! Events from outside: their types, and the step from a body to one of them.
//!
//! A body is a Standard Webhooks payload (`type`, `timestamp`, `data`) or a CloudEvents 1.0 structured one (`type`, `time`,
//! `data`). Whatever the bytes are, the answer is an event or a fault that says where it lies; nothing panics. What an event
//! means for our records is not known here: `pipeline::understand` finds that out.

pub mod wire;

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::text::clean;

/// Longest fault that is kept, in characters.
const FAULT_MAX: usize = 500;

/// Most candidates that a fault names.
const CANDIDATES_MAX: usize = 4;

/// The types of events. Version 1 of each is what is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EventType {
    /// See [`wire::SupplierDelay`].
    #[serde(rename = "supplier.delay.v1")]
    SupplierDelay,
    /// See [`wire::OrderConfirmation`].
    #[serde(rename = "order.confirmation.v1")]
    OrderConfirmation,
    /// See [`wire::ShipNotice`].
    #[serde(rename = "ship.notice.v1")]
    ShipNotice,
    /// See [`wire::ReceiptAdvice`].
    #[serde(rename = "receipt.advice.v1")]
    ReceiptAdvice,
    /// See [`wire::Invoice`].
    #[serde(rename = "invoice.v1")]
    Invoice,
    /// See [`wire::CreditNote`].
    #[serde(rename = "credit.note.v1")]
    CreditNote,
    /// See [`wire::ChannelStock`].
    #[serde(rename = "channel.stock.v1")]
    ChannelStock,
    /// See [`wire::CarrierStatus`].
    #[serde(rename = "carrier.status.v1")]
    CarrierStatus,
    /// See [`wire::PromotionBrief`].
    #[serde(rename = "promotion.brief.v1")]
    PromotionBrief,
    /// See [`wire::SupplierNote`].
    #[serde(rename = "supplier.note.v1")]
    SupplierNote,
}

impl EventType {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::SupplierDelay,
        Self::OrderConfirmation,
        Self::ShipNotice,
        Self::ReceiptAdvice,
        Self::Invoice,
        Self::CreditNote,
        Self::ChannelStock,
        Self::CarrierStatus,
        Self::PromotionBrief,
        Self::SupplierNote,
    ];

    /// The name in events and configuration: `supplier.delay.v1`.
    pub fn name(self) -> &'static str {
        match self {
            Self::SupplierDelay => "supplier.delay.v1",
            Self::OrderConfirmation => "order.confirmation.v1",
            Self::ShipNotice => "ship.notice.v1",
            Self::ReceiptAdvice => "receipt.advice.v1",
            Self::Invoice => "invoice.v1",
            Self::CreditNote => "credit.note.v1",
            Self::ChannelStock => "channel.stock.v1",
            Self::CarrierStatus => "carrier.status.v1",
            Self::PromotionBrief => "promotion.brief.v1",
            Self::SupplierNote => "supplier.note.v1",
        }
    }

    /// The type of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The name of its schema's file in `config/events`: `supplier-delay.v1.json`.
    pub fn file_name(self) -> String {
        let (words, version) = self.name().rsplit_once('.').unwrap_or((self.name(), "v1"));
        format!("{}.{version}.json", words.replace('.', "-"))
    }

    /// The JSON Schema (2020-12) of the whole body, as it stands in `config/events`.
    pub fn schema(self) -> Value {
        let data = match self {
            Self::SupplierDelay => data_schema::<wire::SupplierDelay>(),
            Self::OrderConfirmation => data_schema::<wire::OrderConfirmation>(),
            Self::ShipNotice => data_schema::<wire::ShipNotice>(),
            Self::ReceiptAdvice => data_schema::<wire::ReceiptAdvice>(),
            Self::Invoice => data_schema::<wire::Invoice>(),
            Self::CreditNote => data_schema::<wire::CreditNote>(),
            Self::ChannelStock => data_schema::<wire::ChannelStock>(),
            Self::CarrierStatus => data_schema::<wire::CarrierStatus>(),
            Self::PromotionBrief => data_schema::<wire::PromotionBrief>(),
            Self::SupplierNote => data_schema::<wire::SupplierNote>(),
        };
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.name(),
            "type": "object",
            "required": ["type", "timestamp", "data"],
            "properties": {
                "type": { "const": self.name() },
                "timestamp": { "type": "string", "format": "date-time", "description": "When it happened." },
                "data": data,
            },
        })
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn data_schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| {
        s.inline_subschemas = true;
        s.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// What an event says, in the sender's words.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// See [`wire::SupplierDelay`].
    SupplierDelay(wire::SupplierDelay),
    /// See [`wire::OrderConfirmation`].
    OrderConfirmation(wire::OrderConfirmation),
    /// See [`wire::ShipNotice`].
    ShipNotice(wire::ShipNotice),
    /// See [`wire::ReceiptAdvice`].
    ReceiptAdvice(wire::ReceiptAdvice),
    /// See [`wire::Invoice`].
    Invoice(wire::Invoice),
    /// See [`wire::CreditNote`].
    CreditNote(wire::CreditNote),
    /// See [`wire::ChannelStock`].
    ChannelStock(wire::ChannelStock),
    /// See [`wire::CarrierStatus`].
    CarrierStatus(wire::CarrierStatus),
    /// See [`wire::PromotionBrief`].
    PromotionBrief(wire::PromotionBrief),
    /// See [`wire::SupplierNote`].
    SupplierNote(wire::SupplierNote),
}

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its type.
    pub kind: EventType,
    /// When it happened, as the sender says.
    pub at: Timestamp,
    /// What it says.
    pub said: Said,
}

/// Why an event is not understood, for people. One line, without what could mislead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is wrong, and stays so.
    Wrong(String),
    /// It names something that is not among the records, and may be one day.
    Unknown(String),
}

impl Fault {
    /// Something is wrong at `path`, which holds field names of ours only.
    pub fn wrong(path: &str, what: &str) -> Self {
        Self::Wrong(placed(path, &clean(what, FAULT_MAX)))
    }

    /// What is named at `path` is not known.
    pub fn unknown(path: &str, what: &str, name: &str) -> Self {
        Self::Unknown(placed(path, &format!("{what} {} is not known (yet)", clean(name, 60))))
    }

    /// What is meant at `path` is not there yet, as `what` says.
    pub fn missing(path: &str, what: &str) -> Self {
        Self::Unknown(placed(path, &clean(what, FAULT_MAX)))
    }

    /// Several things of ours are called what stands at `path`: `candidates`, which are cleaned like any text. `settle` says
    /// what tells them apart.
    pub fn ambiguous(path: &str, what: &str, name: &str, candidates: &[String], settle: &str) -> Self {
        let shown = candidates.iter().take(CANDIDATES_MAX).map(|c| clean(c, 80)).collect::<Vec<_>>().join("; ");
        let more = match candidates.len().saturating_sub(CANDIDATES_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Self::wrong(path, &format!("{what} {} may be {shown}{more}: name {settle}", clean(name, 60)))
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Wrong(reason) | Self::Unknown(reason) => reason,
        }
    }
}

fn placed(path: &str, what: &str) -> String {
    if path.is_empty() { what.to_owned() } else { format!("{path}: {what}") }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    timestamp: Option<Timestamp>,
    time: Option<Timestamp>,
    specversion: Option<String>,
    data: Value,
}

/// Reads a body.
///
/// # Errors
/// Says where the body is not what its type asks for.
pub fn read(body: &str) -> Result<Event, Fault> {
    let mut json = serde_json::Deserializer::from_str(body);
    let envelope: Envelope = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        // The path may hold a name that the sender made up.
        let path = error.path().to_string();
        Fault::wrong(&clean(if path == "." { "" } else { &path }, 80), &error.into_inner().to_string())
    })?;
    // A body ends with its object: what follows would be read by nobody, and the sender would take it for understood.
    json.end().map_err(|error| Fault::wrong("", &format!("something follows the JSON object: {error}")))?;
    if envelope.specversion.as_deref().is_some_and(|v| v != "1.0") {
        return Err(Fault::wrong("specversion", "only version 1.0 of CloudEvents is known"));
    }
    let Some(kind) = EventType::named(&envelope.kind) else {
        let known = EventType::ALL.map(EventType::name).join(", ");
        return Err(Fault::wrong("type", &format!("{} is none of {known}", clean(&envelope.kind, 60))));
    };
    let Some(at) = envelope.timestamp.or(envelope.time) else {
        return Err(Fault::wrong("timestamp", "missing; say when it happened, as in 2026-10-05T08:30:00Z"));
    };
    let data = envelope.data;
    let said = match kind {
        EventType::SupplierDelay => Said::SupplierDelay(typed(data)?),
        EventType::OrderConfirmation => Said::OrderConfirmation(typed(data)?),
        EventType::ShipNotice => Said::ShipNotice(typed(data)?),
        EventType::ReceiptAdvice => Said::ReceiptAdvice(typed(data)?),
        EventType::Invoice => Said::Invoice(typed(data)?),
        EventType::CreditNote => Said::CreditNote(typed(data)?),
        EventType::ChannelStock => Said::ChannelStock(typed(data)?),
        EventType::CarrierStatus => Said::CarrierStatus(typed(data)?),
        EventType::PromotionBrief => Said::PromotionBrief(typed(data)?),
        EventType::SupplierNote => Said::SupplierNote(typed(data)?),
    };
    Ok(Event { kind, at, said })
}

/// The type that a body names, where it is so far readable.
pub fn type_of(body: &str) -> Option<EventType> {
    #[derive(Deserialize)]
    struct Typed {
        #[serde(rename = "type")]
        kind: EventType,
    }
    serde_json::from_str::<Typed>(body).ok().map(|typed| typed.kind)
}

fn typed<T: DeserializeOwned>(data: Value) -> Result<T, Fault> {
    serde_path_to_error::deserialize(data).map_err(|error| {
        let path = match error.path().to_string() {
            path if path == "." => "data".to_owned(),
            path => format!("data.{path}"),
        };
        Fault::wrong(&path, &error.into_inner().to_string())
    })
}

#[cfg(test)]
mod tests;
