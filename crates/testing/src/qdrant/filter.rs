//! Which points a filter meets. What the double does not know it refuses, so that no test passes for want of it.

use std::collections::HashMap;

use qdrant_client::qdrant::{Condition, FieldCondition, Filter, Range, Value, condition, r#match, value};
use tonic::Status;

use super::shelf::id;

/// Does the filter meet a point of this id and payload?
pub(super) fn meets(filter: Option<&Filter>, uuid: &str, payload: &HashMap<String, Value>) -> Result<bool, Status> {
    let Some(filter) = filter else { return Ok(true) };
    if filter.min_should.is_some() {
        return Err(unknown("min_should"));
    }
    let met = |conditions: &[Condition]| {
        conditions.iter().map(|condition| is_met(condition, uuid, payload)).collect::<Result<Vec<bool>, Status>>()
    };
    let (must, should, must_not) = (met(&filter.must)?, met(&filter.should)?, met(&filter.must_not)?);
    let should = should.is_empty() || should.contains(&true);
    Ok(!must.contains(&false) && should && !must_not.contains(&true))
}

fn is_met(condition: &Condition, uuid: &str, payload: &HashMap<String, Value>) -> Result<bool, Status> {
    match condition.condition_one_of.as_ref() {
        Some(condition::ConditionOneOf::Field(field)) => field_is_met(field, payload),
        Some(condition::ConditionOneOf::Filter(filter)) => meets(Some(filter), uuid, payload),
        Some(condition::ConditionOneOf::HasId(has)) => has
            .has_id
            .iter()
            .map(|one| id(Some(one)))
            .collect::<Result<Vec<_>, _>>()
            .map(|ids| ids.iter().any(|id| id == uuid)),
        other => Err(unknown(&format!("{other:?}"))),
    }
}

fn field_is_met(field: &FieldCondition, payload: &HashMap<String, Value>) -> Result<bool, Status> {
    let values = values(payload.get(&field.key));
    let by_match = match field.r#match.as_ref().and_then(|wanted| wanted.match_value.as_ref()) {
        None => None,
        Some(wanted) => Some(any_matches(&values, wanted)?),
    };
    let by_range = field.range.as_ref().map(|range| values.iter().any(|value| is_within(value, range)));
    match (by_match, by_range) {
        (None, None) => Err(unknown(&format!("{field:?}"))),
        (by_match, by_range) => Ok(by_match.unwrap_or(true) && by_range.unwrap_or(true)),
    }
}

/// The values of a field: of a list each of its elements.
fn values(value: Option<&Value>) -> Vec<&value::Kind> {
    match value.and_then(|value| value.kind.as_ref()) {
        None => Vec::new(),
        Some(value::Kind::ListValue(list)) => list.values.iter().filter_map(|value| value.kind.as_ref()).collect(),
        Some(kind) => vec![kind],
    }
}

fn any_matches(values: &[&value::Kind], wanted: &r#match::MatchValue) -> Result<bool, Status> {
    let is = |text: &str| values.iter().any(|value| matches!(value, value::Kind::StringValue(found) if found == text));
    match wanted {
        r#match::MatchValue::Keyword(text) => Ok(is(text)),
        r#match::MatchValue::Keywords(texts) => Ok(texts.strings.iter().any(|text| is(text))),
        other => Err(unknown(&format!("{other:?}"))),
    }
}

fn is_within(value: &value::Kind, range: &Range) -> bool {
    let number = match value {
        value::Kind::IntegerValue(number) => *number as f64,
        value::Kind::DoubleValue(number) => *number,
        _ => return false,
    };
    range.lt.is_none_or(|lt| number < lt)
        && range.lte.is_none_or(|lte| number <= lte)
        && range.gt.is_none_or(|gt| number > gt)
        && range.gte.is_none_or(|gte| number >= gte)
}

fn unknown(what: &str) -> Status {
    Status::unimplemented(format!("the double does not know {what}"))
}
