//! Makes a scenario of a real decision: the records of what it was about as they stand in the store, with every name, code and word
//! of people put out of sight. Quantities, prices and days stay, for they are what it was decided on.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use jiff::Timestamp;
use serde_json::Value;

use crate::domain::decision::{DecisionVerb, RejectReason};
use crate::domain::ids::ItemId;
use crate::domain::record::{Observed, Record};
use crate::store::Store;

/// A scenario that was made of a decision.
pub struct Promoted {
    /// The text of scenario.toml.
    pub scenario: String,
    /// The text of expected.toml.
    pub expected: String,
    /// The records, a line of JSON each.
    pub records: String,
    /// Records that are younger than the decision and were left out.
    pub younger: usize,
}

/// Text that is put out of sight, wherever it stands in a record, by the name of its field. What one record says of another (an
/// order's name on a receipt) is replaced by the same word in both.
const NAMES: &[&str] = &[
    "sku",
    "name",
    "category",
    "code",
    "company_name",
    "document",
    "document_id",
    "origin",
    "order_name",
    "bill",
    "bill_name",
    "reference",
    "customer",
    "entered_by",
    "order",
    "item_text",
    "lot",
    "shipment",
    "number",
    "barcode",
];
/// Free text of people: left out.
const WORDS: &[&str] = &["reason", "text"];

/// Makes a scenario of the decision `id`.
///
/// # Errors
/// When there is no such decision, or what it was about is not there any more.
pub async fn promote(store: &Store, id: &str) -> anyhow::Result<Promoted> {
    let decision = store.find_decision(id).await?;
    let decision =
        decision.with_context(|| format!("there is no decision {id:?}; `reeve audit` lists them by their keys"))?;
    let (rec, _) = store.get_recommendation(&decision.recommendation_id).await?;
    let case = store.get_case(&decision.case_id).await?;
    // The evidence that was decided on, whatever has been frozen since.
    let bundle = store.get_bundle(&case.id, &rec.evidence_hash).await?;
    let exceptions = store.list_case_exceptions(&case.id).await?;
    let mut items: BTreeSet<ItemId> = exceptions.iter().filter_map(|e| e.signal.subject.item.clone()).collect();
    items.extend(rec.candidate.actions().filter_map(|action| action.item().cloned()));
    let (kept, younger) = about(store.load_records().await?, &items, bundle.as_of);
    let records = redacted(&kept)?;
    let code = case.codes.first().map(|code| code.code()).context("the case has no type")?;
    let first = rec.candidate.action.code();
    let expected = match (decision.verb, decision.reason) {
        (DecisionVerb::Approve | DecisionVerb::Edit, _) => {
            format!("must = [\"{code}\"]\nbest = [\"{first}\"]\nwhy = \"A person approved {first}.\"\n")
        }
        (DecisionVerb::Reject, Some(RejectReason::NotReal)) => {
            format!("must_not = [\"{code}\"]\nwhy = \"A person said that it was not real.\"\n")
        }
        (DecisionVerb::Reject, Some(reason)) => {
            format!(
                "must = [\"{code}\"]\nwhy = \"A person refused {first}: {}.\"\n",
                serde_json::to_value(reason)?.as_str().unwrap_or("for a reason")
            )
        }
        (verb, _) => anyhow::bail!("{} says nothing of what was right; promote an approval or a refusal", verb.name()),
    };
    let scenario = format!(
        "title = \"A real decision about {code}\"\ntype = \"{code}\"\ncause = \"{}\"\ntags = [\"promoted\"]\nas_of = \"{}\"\nsplit = \"dev\"\nprovenance = \"promoted\"\n",
        crate::domain::ids::content_id("decided-", &[id], 10),
        bundle.as_of
    );
    Ok(Promoted { scenario, expected, records, younger })
}

/// The master data, and the records of `items` that were there at `as_of`; and how many are younger.
fn about(records: Vec<Record>, items: &BTreeSet<ItemId>, as_of: Timestamp) -> (Vec<Observed>, usize) {
    let ours = |item: &ItemId| items.is_empty() || items.contains(item);
    // A bill's line may name no item: then its order's line says what it is about.
    let orders: BTreeSet<String> = records
        .iter()
        .filter_map(|record| match record {
            Record::PoLine(line) if ours(&line.item) => Some(line.id.clone()),
            _ => None,
        })
        .collect();
    let (mut kept, mut younger) = (Vec::new(), 0);
    for record in records {
        let (is_about, at) = match &record {
            Record::Location(_) | Record::Supplier(_) => (true, Timestamp::MIN),
            Record::Item(r) => (ours(&r.id), Timestamp::MIN),
            Record::SupplierPrice(r) => (ours(&r.item), Timestamp::MIN),
            Record::ReorderRule(r) => (ours(&r.item), Timestamp::MIN),
            Record::Promotion(r) => (ours(&r.item), Timestamp::MIN),
            Record::StockLevel(r) => (ours(&r.item), Timestamp::MIN),
            Record::DemandMonth(r) => (ours(&r.item), Timestamp::MIN),
            Record::Lot(r) => (ours(&r.item), r.created_at),
            Record::LotStock(r) => (ours(&r.item), Timestamp::MIN),
            Record::SaleLine(r) => (ours(&r.item), r.ordered_at),
            Record::PoLine(r) => (ours(&r.item), r.ordered_at),
            Record::Move(r) => (ours(&r.item), r.done_at.unwrap_or(r.created_at)),
            Record::BillLine(r) => {
                let of_order = r.po_line.as_ref().is_some_and(|line| orders.contains(line));
                (of_order || r.item.as_ref().is_some_and(ours), r.created_at)
            }
            Record::Notice(r) => (true, r.received_at),
            Record::Gone(_) => (false, Timestamp::MIN),
        };
        if is_about && at > as_of {
            younger += 1;
        } else if is_about {
            // Master data were there before anything that rests on them.
            let changed_at = if at == Timestamp::MIN { Timestamp::UNIX_EPOCH } else { at };
            kept.push(Observed { changed_at, record });
        }
    }
    kept.sort_by_cached_key(|observed| (observed.changed_at, observed.record.key()));
    (kept, younger)
}

/// Lines of JSON in which no name of anybody or anything is left.
fn redacted(records: &[Observed]) -> anyhow::Result<String> {
    let mut names = BTreeMap::new();
    let mut out = String::new();
    for observed in records {
        let mut value = serde_json::to_value(observed).context("a record is plain data")?;
        hide(&mut value, &mut names);
        // What was hidden must still be a record.
        let hidden: Observed = serde_json::from_value(value).context("a record without its names is none any more")?;
        out.push_str(&serde_json::to_string(&hidden).context("a record is plain data")?);
        out.push('\n');
    }
    Ok(out)
}

fn hide(value: &mut Value, names: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                match inner {
                    Value::String(text) if WORDS.contains(&field.as_str()) => text.clear(),
                    Value::String(text) if NAMES.contains(&field.as_str()) && !text.is_empty() => {
                        // The same name gets the same number everywhere: what belongs together still does.
                        let number = names.len() + 1;
                        text.clone_from(names.entry(text.clone()).or_insert_with(|| format!("N{number:05}")));
                    }
                    inner => hide(inner, names),
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|inner| hide(inner, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{LocationId, SupplierId};
    use crate::domain::record::{Location, Supplier};

    #[test]
    fn no_name_is_left_and_one_name_is_one_word_everywhere() {
        let location = |id: &str| Location {
            id: LocationId::new(id),
            code: "NOR".into(),
            name: "Northgate".into(),
            company: None,
            company_name: "Alpha Ltd".into(),
        };
        let at = Timestamp::UNIX_EPOCH;
        let records = [
            Observed { changed_at: at, record: Record::Location(location("1")) },
            Observed { changed_at: at, record: Record::Location(location("2")) },
            Observed {
                changed_at: at,
                record: Record::Supplier(Supplier { id: SupplierId::new("9"), name: "Acme".into() }),
            },
        ];
        let text = redacted(&records).unwrap();
        for name in ["NOR", "Northgate", "Alpha", "Acme"] {
            assert!(!text.contains(name), "{text}");
        }
        let code = |line: usize| {
            let value: Value = serde_json::from_str(text.lines().nth(line).unwrap()).unwrap();
            value["record"]["code"].as_str().unwrap().to_owned()
        };
        assert_eq!(code(0), code(1));
    }
}
