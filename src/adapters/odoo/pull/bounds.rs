//! How much of each stream is read: the one place.
//!
//! The dates are fixed when a mirror is begun, so that rows do not slide out of it from day to day, and they are the same for
//! all streams. A row that hangs on another (an order's line) is bounded by the other's dates and states, so that both are
//! read or neither. What is bounded is only *what is read unasked*: a row that is known stays known, whatever becomes of it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::call::{Domain, odoo_time};
use super::super::streams::{Extent, Stream};

/// Pickings are read this much further back than the moves in them, which may have been added later.
const SLACK: SignedDuration = SignedDuration::from_hours(30 * 24);

/// From when on documents are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    history_days: u32,
    detail_days: u32,
    /// Documents with suppliers and of our own.
    pub history: Timestamp,
    /// Documents with customers.
    pub detail: Timestamp,
}

impl Bounds {
    /// So many days back from `now`, or the bounds of before where these reach as far back.
    pub(super) fn new(before: Option<Self>, history_days: u32, detail_days: u32, now: Timestamp) -> Self {
        if let Some(before) = before.filter(|b| b.history_days >= history_days && b.detail_days >= detail_days) {
            return before;
        }
        let back = |days: u32| {
            let at = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::UNIX_EPOCH);
            // Whole days: the bound is the same however often the first pull is tried.
            Timestamp::from_second(at.as_second().div_euclid(86_400) * 86_400).unwrap_or(at)
        };
        Self { history_days, detail_days, history: back(history_days), detail: back(detail_days) }
    }
}

/// What a term compares with.
#[derive(Clone, Copy, Debug)]
enum To {
    One(&'static str),
    Any(&'static [&'static str]),
    History,
    Detail,
    HistoryOfPickings,
    DetailOfPickings,
}

impl To {
    fn value(self, bounds: &Bounds) -> Value {
        let before = |at: Timestamp| odoo_time(at.checked_sub(SLACK).unwrap_or(at));
        match self {
            Self::One(text) => json!(text),
            Self::Any(texts) => json!(texts),
            Self::History => json!(odoo_time(bounds.history)),
            Self::Detail => json!(odoo_time(bounds.detail)),
            Self::HistoryOfPickings => json!(before(bounds.history)),
            Self::DetailOfPickings => json!(before(bounds.detail)),
        }
    }
}

/// A field of this model or, over a reference, of another.
#[derive(Clone, Copy, Debug)]
struct Path {
    /// The references, each with the model it leads to.
    over: &'static [(&'static str, &'static str)],
    field: &'static str,
}

type Term = (Path, &'static str, To);

/// How a model is bounded.
#[derive(Clone, Copy, Debug)]
enum Rule {
    /// By itself: rows that are of interest at all, and of those, the ones for which all terms of one branch hold.
    Itself { only: &'static [Term], branches: &'static [&'static [Term]] },
    /// As the model that a reference leads to.
    As { over: (&'static str, &'static str) },
}

const fn own(field: &'static str) -> Path {
    Path { over: &[], field }
}

const CREATED: Path = own("create_date");
const STATE: Path = own("state");
const FROM_USAGE: Path = Path { over: &[("location_id", "stock.location")], field: "usage" };
const TO_USAGE: Path = Path { over: &[("location_dest_id", "stock.location")], field: "usage" };
const PICKING_CODE: Path = Path { over: &[("picking_type_id", "stock.picking.type")], field: "code" };
const ENDED: To = To::Any(&["done", "cancel"]);

/// Since when, for documents without a rule of their own.
const DOCUMENTS: Rule = Rule::Itself { only: &[], branches: &[&[(CREATED, ">=", To::History)]] };
const DETAIL: Rule = Rule::Itself { only: &[], branches: &[&[(CREATED, ">=", To::Detail)]] };

/// Only vendors' documents: customers' invoices are as many as sales and say nothing more.
const VENDORS: To = To::Any(&["in_invoice", "in_refund", "in_receipt"]);

/// The rules. Branches after the dates are what is still open.
static RULES: &[(&str, Rule)] = &[
    (
        "purchase.order",
        Rule::Itself {
            only: &[],
            branches: &[
                &[(CREATED, ">=", To::History)],
                &[(STATE, "in", To::Any(&["draft", "sent", "to approve"]))],
                &[(own("receipt_status"), "in", To::Any(&["pending", "partial"]))],
                &[(own("invoice_status"), "=", To::One("to invoice"))],
            ],
        },
    ),
    ("purchase.order.line", Rule::As { over: ("order_id", "purchase.order") }),
    (
        "account.move",
        Rule::Itself {
            only: &[(own("move_type"), "in", VENDORS)],
            branches: &[
                &[(CREATED, ">=", To::History)],
                &[(STATE, "=", To::One("draft"))],
                &[(own("payment_state"), "in", To::Any(&["not_paid", "partial", "in_payment"]))],
            ],
        },
    ),
    ("account.move.line", Rule::As { over: ("move_id", "account.move") }),
    (
        "sale.order",
        Rule::Itself {
            only: &[],
            branches: &[
                &[(own("date_order"), ">=", To::Detail)],
                &[(own("delivery_status"), "in", To::Any(&["pending", "started", "partial"]))],
            ],
        },
    ),
    ("sale.order.line", Rule::As { over: ("order_id", "sale.order") }),
    ("pos.order", Rule::Itself { only: &[], branches: &[&[(own("date_order"), ">=", To::Detail)]] }),
    ("pos.order.line", Rule::As { over: ("order_id", "pos.order") }),
    (
        "stock.picking",
        Rule::Itself {
            only: &[],
            branches: &[
                &[(CREATED, ">=", To::DetailOfPickings)],
                &[(CREATED, ">=", To::HistoryOfPickings), (PICKING_CODE, "!=", To::One("outgoing"))],
                &[(STATE, "not in", ENDED)],
            ],
        },
    ),
    (
        "stock.move",
        Rule::Itself {
            only: &[],
            branches: &[
                &[(CREATED, ">=", To::Detail)],
                &[
                    (CREATED, ">=", To::History),
                    (FROM_USAGE, "!=", To::One("customer")),
                    (TO_USAGE, "!=", To::One("customer")),
                ],
                &[(STATE, "not in", ENDED)],
            ],
        },
    ),
    ("stock.move.line", Rule::As { over: ("move_id", "stock.move") }),
];

fn rule(model: &str) -> Option<Rule> {
    RULES.iter().find(|(name, _)| *name == model).map(|(_, rule)| *rule)
}

/// Which rows of a stream are read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bounded {
    /// What never changes about a row and is asked always.
    pub(super) only: Domain,
    /// What is asked of rows that are not known yet; holds `only`. None: they are all read.
    pub(super) extent: Option<Domain>,
}

impl Bounded {
    /// What is read when everything is.
    pub(super) fn domain(&self) -> Domain {
        self.extent.clone().unwrap_or_else(|| self.only.clone())
    }
}

/// Models other than the stream's own, of which a rule names fields.
pub(super) fn models(stream: &Stream) -> Vec<&'static str> {
    let mut models = Vec::new();
    each_term(stream, &mut |over, _| models.extend(over.iter().map(|(_, model)| *model)));
    models.sort_unstable();
    models.dedup();
    models
}

fn each_term(stream: &Stream, seen: &mut dyn FnMut(&[(&'static str, &'static str)], Term)) {
    let mut over = Vec::new();
    let mut found = of(stream);
    while let Rule::As { over: step } = found {
        over.push(step);
        found = rule(step.1).unwrap_or(DOCUMENTS);
    }
    let Rule::Itself { only, branches } = found else { return };
    for term in only.iter().chain(branches.iter().copied().flatten()) {
        let mut way = over.clone();
        way.extend(term.0.over);
        seen(&way, *term);
    }
}

fn of(stream: &Stream) -> Rule {
    match stream.extent {
        Extent::Master => Rule::Itself { only: &[], branches: &[] },
        Extent::Documents => rule(stream.model).unwrap_or(DOCUMENTS),
        Extent::Detail => rule(stream.model).unwrap_or(DETAIL),
    }
}

/// Which rows of a stream are read, on a server where `has(model, field)` says what a condition may name. A branch that can
/// not be asked is left out; a row is then read for its dates alone. Where no branch can be asked, all rows are read.
pub(super) fn bounded(stream: &Stream, bounds: &Bounds, has: &dyn Fn(&str, &str) -> bool) -> Bounded {
    let mut over = Vec::new();
    let mut found = of(stream);
    while let Rule::As { over: step } = found {
        over.push(step);
        found = rule(step.1).unwrap_or(DOCUMENTS);
    }
    let Rule::Itself { only, branches } = found else { return Bounded { only: Domain::all(), extent: None } };
    let term = |domain: Domain, (path, operator, to): Term| {
        let (mut model, mut name) = (stream.model, String::new());
        for (field, leads_to) in over.iter().chain(path.over) {
            if !has(model, field) {
                return None;
            }
            (model, name) = (leads_to, format!("{name}{field}."));
        }
        has(model, path.field).then(|| domain.and(&format!("{name}{}", path.field), operator, to.value(bounds)))
    };
    let only = only.iter().fold(Domain::all(), |domain, t| term(domain.clone(), *t).unwrap_or(domain));
    let asked: Vec<Domain> =
        branches.iter().filter_map(|branch| branch.iter().try_fold(Domain::all(), |domain, t| term(domain, *t))).collect();
    let extent = if asked.is_empty() { None } else { Some(only.clone().and_any(&asked)) };
    Bounded { only, extent }
}

#[cfg(test)]
mod tests {
    use super::super::super::call::Version;
    use super::*;

    fn stream(model: &'static str, extent: Extent) -> Stream {
        Stream {
            model,
            fields: &[],
            links: &[],
            extent,
            only: &[],
            either: &[],
            dated_by: "",
            open: &[],
            detail: &[],
            costs: "",
            versions: Version::V17..=Version::V19,
            first_seen: &[],
        }
    }

    fn bounds() -> Bounds {
        Bounds::new(None, 400, 120, "2026-10-08T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn the_dates_stay_unless_more_is_wanted() {
        let (first, later) = (bounds(), "2026-12-01T00:00:00Z".parse().unwrap());
        assert_eq!(first.history.to_string(), "2025-09-03T00:00:00Z");
        assert_eq!(Bounds::new(Some(first.clone()), 400, 120, later), first);
        assert_eq!(Bounds::new(Some(first.clone()), 30, 120, later), first, "what is read already stays");
        assert_eq!(Bounds::new(Some(first), 800, 120, later).history.to_string(), "2024-09-22T00:00:00Z");
    }

    #[test]
    fn a_line_is_read_where_its_order_is() {
        let line = bounded(&stream("purchase.order.line", Extent::Documents), &bounds(), &|_, _| true);
        assert_eq!(
            line.domain().to_json(),
            json!([
                "|",
                "|",
                "|",
                ["order_id.create_date", ">=", "2025-09-03 00:00:00"],
                ["order_id.state", "in", ["draft", "sent", "to approve"]],
                ["order_id.receipt_status", "in", ["pending", "partial"]],
                ["order_id.invoice_status", "=", "to invoice"]
            ])
        );
        assert_eq!(models(&stream("purchase.order.line", Extent::Documents)), ["purchase.order"]);
    }

    #[test]
    fn what_a_server_can_not_be_asked_is_left_out() {
        let without = |model: &str, field: &str| (model, field) != ("purchase.order", "receipt_status");
        let line = bounded(&stream("purchase.order.line", Extent::Documents), &bounds(), &without);
        assert!(!line.domain().to_json().to_string().contains("receipt_status"));
        let none = bounded(&stream("stock.scrap", Extent::Documents), &bounds(), &|_, _| false);
        assert_eq!(none, Bounded { only: Domain::all(), extent: None });
    }

    #[test]
    fn customers_moves_are_read_less_far_back() {
        let moves = bounded(&stream("stock.move", Extent::Documents), &bounds(), &|_, _| true);
        assert_eq!(
            moves.domain().to_json(),
            json!([
                "|",
                "|",
                ["create_date", ">=", "2026-06-10 00:00:00"],
                "&",
                "&",
                ["create_date", ">=", "2025-09-03 00:00:00"],
                ["location_id.usage", "!=", "customer"],
                ["location_dest_id.usage", "!=", "customer"],
                ["state", "not in", ["done", "cancel"]]
            ])
        );
    }

    #[test]
    fn master_data_is_read_whole_and_customers_invoices_never() {
        assert_eq!(bounded(&stream("uom.uom", Extent::Master), &bounds(), &|_, _| true).extent, None);
        let lines = bounded(&stream("account.move.line", Extent::Documents), &bounds(), &|_, _| true);
        assert_eq!(lines.only.to_json(), json!([["move_id.move_type", "in", ["in_invoice", "in_refund", "in_receipt"]]]));
    }
}
