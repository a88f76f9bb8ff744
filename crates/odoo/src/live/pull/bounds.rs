//! Which rows of a stream are read: the table of streams says by what, here it becomes a question.
//!
//! The dates are fixed when a mirror is begun, so that rows do not slide out of it from day to day, and they are the same for
//! all streams. What is bounded is only *what is read unasked*: a row that is known stays known, whatever becomes of it.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::call::Domain;
use super::super::streams::{Extent, Stream, Term};

/// Transfers are read this much further back than what moved in them: they are dated by their plan, moves by what happened.
const SLACK: SignedDuration = SignedDuration::from_hours(30 * 24);
const WITH_SLACK: &str = "stock.picking";

/// Where references lead that conditions go over.
const OVER: &[(&str, &str, &str)] = &[
    ("account.move.line", "move_id", "account.move"),
    ("pos.order.line", "order_id", "pos.order"),
    ("purchase.order.line", "order_id", "purchase.order"),
    ("res.partner", "commercial_partner_id", "res.partner"),
    ("sale.order.line", "order_id", "sale.order"),
    ("stock.move", "location_dest_id", "stock.location"),
    ("stock.move", "location_id", "stock.location"),
    ("stock.picking", "picking_type_id", "stock.picking.type"),
];

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

/// Which rows of a stream are read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bounded {
    /// What is asked always.
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

/// The models and fields that a path goes over, `order_id.state` from a model; None where it leads nobody knows where.
fn steps<'a>(model: &'a str, path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let mut steps = Vec::new();
    let (mut model, mut rest) = (model, path);
    while let Some((field, after)) = rest.split_once('.') {
        steps.push((model, field));
        model = OVER.iter().find(|(from, over, _)| (*from, *over) == (model, field)).map(|(_, _, to)| *to)?;
        rest = after;
    }
    steps.push((model, rest));
    Some(steps)
}

/// Models other than the stream's own, of which conditions name fields.
pub(super) fn models(stream: &'static Stream) -> Vec<&'static str> {
    let terms = [stream.only, stream.either, stream.open, stream.detail];
    let fields = terms.into_iter().flatten().map(|term| term.field).chain([stream.dated_by]);
    let steps = fields.filter_map(|field| steps(stream.model, field)).flatten();
    let mut models: Vec<&str> = steps.map(|(model, _)| model).filter(|model| *model != stream.model).collect();
    models.sort_unstable();
    models.dedup();
    models
}

/// Which rows of a stream are read, on a server where `has(model, field)` says what a condition may name. A term that can
/// not be asked is left out, so that rather more is read than less; where dates can not be asked, all rows are.
pub(super) fn bounded(stream: &Stream, bounds: &Bounds, has: &dyn Fn(&str, &str) -> bool) -> Bounded {
    let usable = |field: &str| {
        steps(stream.model, field).is_some_and(|steps| steps.into_iter().all(|(model, field)| has(model, field)))
    };
    let all = |terms: &[Term], domain: Domain| {
        let terms = terms.iter().filter(|term| usable(term.field));
        terms.fold(domain, |domain, term| domain.and(term.field, term.operator, term.value.to_json()))
    };
    let each = |terms: &[Term]| -> Vec<Domain> {
        let terms = terms.iter().filter(|term| usable(term.field));
        terms.map(|term| Domain::all().and(term.field, term.operator, term.value.to_json())).collect()
    };
    let only = all(stream.only, Domain::all()).and_any(&each(stream.either));
    // Master data is read whole: a document of today may name a product of ten years ago.
    if stream.extent == Extent::Master || !usable(stream.dated_by) {
        return Bounded { only, extent: None };
    }
    // Days, which are understood of dates and of times.
    let since = |at: Timestamp| {
        let at = if stream.model == WITH_SLACK { at.checked_sub(SLACK).unwrap_or(at) } else { at };
        Domain::all().and(stream.dated_by, ">=", at.strftime("%Y-%m-%d").to_string())
    };
    // Single movements of years say nothing more than their sums: of what is older only what is in no sum is asked for.
    let mut branches = match stream.extent {
        Extent::Detail => vec![since(bounds.detail)],
        _ if stream.detail.iter().all(|term| !usable(term.field)) => vec![since(bounds.history)],
        _ => vec![since(bounds.detail), none(stream.detail, &usable, since(bounds.history))],
    };
    // What is still open counts however old it is.
    let open = all(stream.open, Domain::all());
    if open != Domain::all() {
        branches.push(open);
    }
    let extent = Some(only.clone().and_any(&branches));
    Bounded { only, extent }
}

/// And none of the terms.
fn none(terms: &[Term], usable: &dyn Fn(&str) -> bool, domain: Domain) -> Domain {
    let terms = terms.iter().filter(|term| usable(term.field));
    terms.fold(domain, |domain, term| {
        let value: Value = json!(term.value.to_json());
        match term.operator {
            "=" => domain.and(term.field, "!=", value),
            "!=" => domain.and(term.field, "=", value),
            "in" => domain.and(term.field, "not in", value),
            "not in" => domain.and(term.field, "in", value),
            // Rather more than less.
            _ => domain,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::streams::{STREAMS, stream_of};
    use super::*;

    fn bounds() -> Bounds {
        Bounds::new(None, 400, 120, "2026-10-08T12:00:00Z".parse().unwrap())
    }

    fn domain(model: &str, has: &dyn Fn(&str, &str) -> bool) -> Value {
        bounded(stream_of(model).unwrap(), &bounds(), has).domain().to_json()
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
        assert_eq!(
            domain("purchase.order.line", &|_, _| true),
            json!([
                "|",
                ["order_id.date_order", ">=", "2025-09-03"],
                "&",
                ["order_id.state", "in", ["draft", "sent", "to approve", "purchase"]],
                ["order_id.receipt_status", "!=", "full"]
            ])
        );
        assert_eq!(models(stream_of("purchase.order.line").unwrap()), ["purchase.order"]);
    }

    #[test]
    fn what_a_server_can_not_be_asked_is_left_out() {
        let without = |model: &str, field: &str| (model, field) != ("purchase.order", "receipt_status");
        assert!(!domain("purchase.order.line", &without).to_string().contains("receipt_status"));
        assert_eq!(bounded(stream_of("stock.scrap").unwrap(), &bounds(), &|_, _| false).extent, None);
    }

    #[test]
    fn customers_moves_are_read_less_far_back() {
        assert_eq!(
            domain("stock.move", &|_, _| true),
            json!([
                "|",
                "|",
                ["date", ">=", "2026-06-10"],
                "&",
                "&",
                ["date", ">=", "2025-09-03"],
                ["location_dest_id.usage", "!=", "customer"],
                ["location_id.usage", "!=", "customer"],
                ["state", "not in", ["done", "cancel"]]
            ])
        );
        assert_eq!(domain("sale.order", &|_, _| true), json!([["date_order", ">=", "2026-06-10"]]));
    }

    #[test]
    fn what_is_never_of_interest_is_never_read() {
        let lines = bounded(stream_of("account.move.line").unwrap(), &bounds(), &|_, _| true);
        assert_eq!(
            lines.only.to_json(),
            json!([["move_id.move_type", "in", ["in_invoice", "in_refund"]], ["display_type", "=", "product"]])
        );
        assert_eq!(
            domain("res.partner", &|_, _| true),
            json!(["|", ["commercial_partner_id.supplier_rank", ">", 0], ["is_company", "=", true]])
        );
    }

    #[test]
    fn every_condition_of_the_table_can_be_asked_and_turned_round() {
        for stream in STREAMS {
            let terms = [stream.only, stream.either, stream.open, stream.detail].into_iter().flatten();
            for field in terms.map(|term| term.field).chain([stream.dated_by]) {
                assert!(steps(stream.model, field).is_some(), "{}: where does {field} lead?", stream.model);
            }
            for term in stream.detail {
                assert!(["=", "!=", "in", "not in"].contains(&term.operator), "{} {}", stream.model, term.field);
            }
        }
    }
}
