//! Exceptions: typed, deduplicated deviations on a subject (handbook §4).

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::evidence::{Fact, Missing};
use super::habit::Habit;
use super::ids::{ExceptionId, ItemId, LocationId, SupplierId, content_id};
use super::mode::Mode;

macro_rules! types {
    ($($(#[$doc:meta])* $variant:ident, $code:literal, $name:literal, $family:ident, $prior:literal;)+) => {
        /// What happened. Severity is not an attribute of a type: the ranking says how much it matters.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum ExceptionType {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)+
        }

        impl ExceptionType {
            /// Every type, in the handbook's order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The handbook's code: `R-SHORT`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// The name a planner reads.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Which part of the business it is about.
            pub fn family(self) -> Family {
                match self { $(Self::$variant => Family::$family),+ }
            }

            /// Prior probability that an exception of this type is real before anybody has decided one, as the mean of the
            /// type's beta prior (handbook §7). Certain rules stand high, statistical verdicts lower.
            pub fn prior(self) -> f64 {
                match self { $(Self::$variant => $prior),+ }
            }
        }
    };
}

/// The families of handbook §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Family {
    /// §4.1
    Demand,
    /// §4.2
    Receiving,
    /// §4.3
    Matching,
    /// §4.4
    Inventory,
    /// §4.5
    Supply,
    /// §4.6, what is offered to customers
    Channel,
    /// §4.6, goods between our own locations
    Transfer,
}

types! {
    /// Demand far above what is usual.
    DSpike, "D-SPIKE", "demand spike", Demand, 0.80;
    /// Demand far below what is usual.
    DCollapse, "D-COLLAPSE", "demand collapse", Demand, 0.75;
    /// A lasting change of level.
    DShift, "D-SHIFT", "demand level shift", Demand, 0.75;
    /// A promotion sells more than planned.
    DPromoOver, "D-PROMO-OVER", "promotion over plan", Demand, 0.75;
    /// A promotion sells less than planned.
    DPromoUnder, "D-PROMO-UNDER", "promotion under plan", Demand, 0.75;
    /// One customer's order takes what all others want.
    DBulk, "D-BULK", "one-off bulk order", Demand, 0.80;
    /// Sales were low because nothing was there.
    DCensored, "D-CENSORED", "stockout-censored demand", Demand, 0.85;
    /// Demand falls as a neighbour of its group rises.
    DCannibal, "D-CANNIBAL", "cannibalisation", Demand, 0.60;
    /// An item that is not sold any more is still there, or still comes.
    DEol, "D-EOL", "end-of-life imbalance", Demand, 0.90;
    /// Many returns of one item.
    DReturn, "D-RETURN", "return surge", Demand, 0.85;
    /// Wrong demand data: the same order twice.
    DData, "D-DATA", "demand data fault", Demand, 0.85;
    /// Less came than was ordered.
    RShort, "R-SHORT", "short receipt", Receiving, 0.95;
    /// More came than was ordered.
    ROver, "R-OVER", "over-receipt", Receiving, 0.95;
    /// Came after the promise.
    RLate, "R-LATE", "late receipt", Receiving, 0.95;
    /// Came before the promise.
    REarly, "R-EARLY", "early receipt", Receiving, 0.90;
    /// Received in another unit than ordered.
    RUom, "R-UOM", "unit of measure suspicion", Receiving, 0.80;
    /// Received twice.
    RDup, "R-DUP", "duplicate receipt", Receiving, 0.90;
    /// Came other than it was announced.
    RAsn, "R-ASN", "ship-notice mismatch", Receiving, 0.85;
    /// Came in place of what was ordered.
    RSubst, "R-SUBST", "substitution", Receiving, 0.80;
    /// Came without an order line.
    RUnplanned, "R-UNPLANNED", "receipt without order", Receiving, 0.90;
    /// A lot came with too little shelf life, or goods without a lot.
    RLot, "R-LOT", "lot or expiry fault", Receiving, 0.85;
    /// Failed a check or went back to the supplier.
    RDamage, "R-DAMAGE", "damaged or returned to supplier", Receiving, 0.85;
    /// Billed more than received.
    FQty, "F-QTY", "billed more than received", Matching, 0.95;
    /// Billed or ordered at another price than agreed.
    FPrice, "F-PRICE", "price variance", Matching, 0.95;
    /// Came at another price than the cost in the books.
    FCost, "F-COST", "cost variance", Matching, 0.85;
    /// Billed without an order or a receipt that it could be matched with.
    FUnmatched, "F-UNMATCHED", "bill without order or receipt", Matching, 0.90;
    /// Received long ago and billed by nobody.
    FUnbilled, "F-UNBILLED", "received, not billed", Matching, 0.90;
    /// Billed twice.
    FDupBill, "F-DUPBILL", "duplicate bill", Matching, 0.90;
    /// Stock will run out before more can come.
    ILow, "I-LOW", "potential stock-out", Inventory, 0.75;
    /// No stock while customers want it.
    IOut, "I-OUT", "stocked out", Inventory, 0.95;
    /// One location short, another with stock to spare.
    IImbal, "I-IMBAL", "network imbalance", Inventory, 0.80;
    /// More than is sold in any reasonable time, or nothing of it is sold at all.
    IOver, "I-OVER", "overstock", Inventory, 0.80;
    /// Part of a lot will be left when it expires.
    IStale, "I-STALE", "expiry risk", Inventory, 0.85;
    /// Goods that are kept for orders which do not move, while others wait.
    IReserve, "I-RESERVE", "reservation deadlock", Inventory, 0.80;
    /// An adjustment of stock that is unlike all others.
    IAdj, "I-ADJ", "unusual adjustment", Inventory, 0.60;
    /// A count differs from the books.
    ICount, "I-COUNT", "count variance", Inventory, 0.95;
    /// Losses that repeat on one subject.
    IShrink, "I-SHRINK", "shrink cluster", Inventory, 0.85;
    /// Less than nothing in the books.
    INeg, "I-NEG", "negative stock", Inventory, 0.97;
    /// Much thrown away at once.
    IScrap, "I-SCRAP", "scrap surge", Inventory, 0.90;
    /// Stock in the books that nobody can buy.
    IPhantom, "I-PHANTOM", "phantom inventory", Inventory, 0.65;
    /// A supplier will deliver later than the goods are needed.
    SDelay, "S-DELAY", "supplier delay announced", Supply, 0.90;
    /// Open quantity past its promise.
    SOverdue, "S-OVERDUE", "overdue purchase order", Supply, 0.95;
    /// An order that its supplier has not confirmed, who usually does.
    SUnconf, "S-UNCONF", "unconfirmed purchase order", Supply, 0.80;
    /// A supplier's lead time has moved away from the master value.
    SLtShift, "S-LTSHIFT", "lead time shifted", Supply, 0.85;
    /// A late supplier is the only one who sells what runs short.
    SSingle, "S-SINGLE", "single-source exposure", Supply, 0.90;
    /// A supplier delivers in time and in full less often than it did.
    SOtif, "S-OTIF", "supplier performance fall", Supply, 0.85;
    /// The least order that a supplier takes is far more than is needed.
    SMoq, "S-MOQ", "minimum order conflict", Supply, 0.85;
    /// A reorder rule that contradicts itself or the demand, or is missing.
    SParam, "S-PARAM", "policy parameter absurd", Supply, 0.85;
    /// Master data that block the arithmetic.
    MMaster, "M-MASTER", "master-data fault", Supply, 0.95;
    /// A channel offers more than can be served.
    OOversell, "O-OVERSELL", "oversell risk", Channel, 0.80;
    /// A channel's stock has drifted away from the books.
    OSync, "O-SYNC", "channel stock drift", Channel, 0.80;
    /// Customers' orders that are past their day.
    OLate, "O-LATE", "late customer order", Channel, 0.85;
    /// Less was picked than was ordered, though the books say it is there.
    OShortPick, "O-SHORTPICK", "short pick", Channel, 0.80;
    /// Another quantity came than left.
    TDiff, "T-DIFF", "transfer discrepancy", Transfer, 0.90;
    /// A transfer that should have arrived, or left, by now.
    TLate, "T-LATE", "overdue transfer", Transfer, 0.80;
}

impl fmt::Display for ExceptionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A code that is none of [`ExceptionType`].
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not an exception type; expected a code such as \"R-SHORT\"")]
pub struct UnknownType(pub String);

impl FromStr for ExceptionType {
    type Err = UnknownType;
    fn from_str(code: &str) -> Result<Self, UnknownType> {
        Self::ALL.iter().copied().find(|t| t.code() == code).ok_or_else(|| UnknownType(code.to_owned()))
    }
}

/// What an exception is about. Which parts are set depends on the type (handbook §4, "fingerprint").
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Subject {
    /// Which item.
    pub item: Option<ItemId>,
    /// Where.
    pub location: Option<LocationId>,
    /// Which supplier.
    pub supplier: Option<SupplierId>,
    /// Which purchase order (the ERP's id).
    pub order: Option<String>,
    /// Which purchase line.
    pub po_line: Option<String>,
    /// Which bill (the ERP's id).
    pub bill: Option<String>,
    /// Any other document: a receipt, scrap, sale order (the ERP's name for it).
    pub document: Option<String>,
}

impl Subject {
    /// An item at a location.
    pub fn at(item: &ItemId, location: &LocationId) -> Self {
        Self { item: Some(item.clone()), location: Some(location.clone()), ..Self::default() }
    }

    /// The parts that are set, in fixed order: the middle of a fingerprint.
    pub fn key(&self) -> String {
        let parts = [
            ("i", self.item.as_ref().map(ItemId::as_str)),
            ("l", self.location.as_ref().map(LocationId::as_str)),
            ("s", self.supplier.as_ref().map(SupplierId::as_str)),
            ("o", self.order.as_deref()),
            ("p", self.po_line.as_deref()),
            ("b", self.bill.as_deref()),
            ("d", self.document.as_deref()),
        ];
        let set: Vec<String> = parts.iter().filter_map(|(k, v)| v.map(|v| format!("{k}={v}"))).collect();
        set.join(" ")
    }
}

/// One feature's share in a detector's score: "why this row".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Driver {
    /// The feature's name.
    pub feature: String,
    /// Its value.
    pub value: f64,
    /// Its share of the score, 0 to 1.
    pub share: f64,
}

/// One detector firing on one subject. Never shown alone: it makes or updates an [`Exception`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// Which detector, with its version: `demand-forest/1`.
    pub detector: String,
    /// Which type it claims.
    pub code: ExceptionType,
    /// About what.
    pub subject: Subject,
    /// The business period or document that makes it one exception and not the next: `2026-W41`, a receipt's name.
    pub period: String,
    /// What it shares a root cause with: exceptions with a link in common fold into one case. `shortage:75@3`.
    pub links: Vec<String>,
    /// First day of what it describes.
    pub from: Date,
    /// Last day of what it describes so far.
    pub to: Date,
    /// Detector score, 0 to 1; 1 where a rule is certain.
    pub score: f64,
    /// Which features drove the score; empty for rules.
    pub drivers: Vec<Driver>,
    /// One sentence of computed text: what happened, with its numbers.
    pub headline: String,
    /// The records it rests on.
    pub facts: Vec<Fact>,
    /// What would have been needed and was not there.
    pub missing: Vec<Missing>,
    /// The business reason that makes it ordinary, where there is one: then it is recorded, shown as explained, not alarmed.
    pub explained: Option<String>,
    /// Last day on which it opens a case. Later it only keeps the case open that it has: what happened long ago is no news, but
    /// what waits for a decision does not go away by itself. None where it is news on any day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_until: Option<Date>,
    /// What a detector of the supplier's habits says of its purchase line, where one has looked at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub habit: Option<Box<Habit>>,
}

impl Signal {
    /// A signal that a rule is certain of. Facts, links and drivers are added by the methods below.
    pub fn rule(
        detector: &str,
        code: ExceptionType,
        subject: Subject,
        period: String,
        days: (Date, Date),
        headline: String,
    ) -> Self {
        Self {
            detector: detector.to_owned(),
            code,
            subject,
            period,
            links: Vec::new(),
            from: days.0,
            to: days.1,
            score: 1.0,
            drivers: Vec::new(),
            headline,
            facts: Vec::new(),
            missing: Vec::new(),
            explained: None,
            opens_until: None,
            habit: None,
        }
    }

    /// Was it made by this detector, in whatever version?
    pub fn is_made_by(&self, detector: &str) -> bool {
        self.detector.split('/').next() == Some(detector)
    }

    /// Says until which day it is news.
    #[must_use]
    pub fn opens_until(mut self, day: Date) -> Self {
        self.opens_until = Some(day);
        self
    }

    /// Adds a link: exceptions that share one fold into one case.
    #[must_use]
    pub fn link(mut self, link: String) -> Self {
        self.links.push(link);
        self
    }

    /// Adds the facts it rests on.
    #[must_use]
    pub fn with(mut self, facts: impl IntoIterator<Item = Fact>) -> Self {
        self.facts.extend(facts);
        self
    }

    /// Type, subject and period: the identity for deduplication.
    pub fn fingerprint(&self) -> String {
        format!("{}|{}|{}", self.code.code(), self.subject.key(), self.period)
    }

    /// The exception this signal makes or updates.
    pub fn exception_id(&self) -> ExceptionId {
        ExceptionId(content_id("x-", &[&self.fingerprint()], 16))
    }
}

/// Where an exception stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionState {
    /// Its condition holds.
    Open,
    /// Its condition has been false for two consecutive reads.
    Resolved,
    /// A business reason makes it ordinary.
    Explained,
}

/// A typed, deduplicated deviation: the newest signal with this fingerprint, and its history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exception {
    /// The hash of the fingerprint.
    pub id: ExceptionId,
    /// The newest signal.
    pub signal: Signal,
    /// Where it stands.
    pub state: ExceptionState,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen to hold.
    pub last_seen: Timestamp,
    /// Reads in a row in which it no longer held.
    pub misses: u32,
    /// Whether people are asked about it, as its scope was when it was last looked at.
    #[serde(default, skip_serializing_if = "Mode::is_live")]
    pub mode: Mode,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back() {
        for t in ExceptionType::ALL {
            assert_eq!(t.code().parse::<ExceptionType>().expect("own code"), *t);
        }
        assert!("X-NONE".parse::<ExceptionType>().is_err());
    }

    #[test]
    fn a_subject_key_names_only_what_is_set() {
        assert_eq!(Subject::at(&ItemId::new("75"), &LocationId::new("3")).key(), "i=75 l=3");
    }
}
