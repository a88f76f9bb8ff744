//! A question to the index as Qdrant is asked it, and its answer in our order.
//!
//! Every search is exact. Where several points are as near as the last one, which of them are found is decided by their ids: so
//! more is asked for than is wanted, until what lies at the border is there whole.

use qdrant_client::qdrant::{
    Condition, DenseVector, FieldCondition, Filter, Match, PayloadIncludeSelector, Query, QueryPoints, Range,
    RepeatedStrings, ScoredPoint, SearchParams, VectorInput, WithPayloadSelector, condition, r#match, query, vector_input,
    with_payload_selector,
};

use reeve_ports::{Near, Nearest};

use crate::point::{field, text_in};

/// How many more than are wanted are asked for at first.
const MORE: usize = 32;

/// How much more is asked for where that was not enough.
const GROWTH: usize = 8;

/// How many points are asked for at first. `limit` may be as large as it likes.
pub(crate) fn first(limit: usize) -> usize {
    limit.saturating_add(MORE)
}

/// Nothing can be found by this, whatever is there.
pub(crate) fn finds_nothing(asked: &Nearest) -> bool {
    asked.limit == 0 || asked.kinds.is_empty() || asked.vector.is_empty()
}

/// The request for the `count` nearest.
pub(crate) fn request(collection: &str, asked: &Nearest, count: usize) -> QueryPoints {
    let vector = DenseVector { data: asked.vector.clone() };
    let nearest = query::Variant::Nearest(VectorInput { variant: Some(vector_input::Variant::Dense(vector)) });
    let fields = PayloadIncludeSelector { fields: vec![field::ID.to_owned()] };
    let selector = with_payload_selector::SelectorOptions::Include(fields);
    QueryPoints {
        collection_name: collection.to_owned(),
        query: Some(Query { variant: Some(nearest) }),
        using: Some(asked.space.name().to_owned()),
        filter: Some(filter(asked)),
        params: Some(SearchParams { exact: Some(true), ..SearchParams::default() }),
        limit: Some(count as u64),
        with_payload: Some(WithPayloadSelector { selector_options: Some(selector) }),
        ..QueryPoints::default()
    }
}

/// The company always, and what else is asked for.
fn filter(asked: &Nearest) -> Filter {
    let kinds = asked.kinds.iter().map(|kind| kind.name().to_owned()).collect();
    let before = Range { lt: Some(asked.known_before as f64), ..Range::default() };
    let mut must = vec![
        keyword(field::COMPANY, &asked.company),
        any_of(field::KIND, kinds),
        field_condition(FieldCondition {
            key: field::KNOWN_AT.to_owned(),
            range: Some(before),
            ..FieldCondition::default()
        }),
    ];
    if !asked.codes.is_empty() {
        must.push(any_of(field::CODES, asked.codes.clone()));
    }
    if let Some(supplier) = &asked.supplier {
        must.push(keyword(field::SUPPLIER, supplier));
    }
    Filter { must, ..Filter::default() }
}

/// The field is this text.
pub(crate) fn keyword(name: &str, text: &str) -> Condition {
    matches(name, r#match::MatchValue::Keyword(text.to_owned()))
}

fn any_of(name: &str, strings: Vec<String>) -> Condition {
    matches(name, r#match::MatchValue::Keywords(RepeatedStrings { strings }))
}

fn matches(name: &str, value: r#match::MatchValue) -> Condition {
    let r#match = Some(Match { match_value: Some(value) });
    field_condition(FieldCondition { key: name.to_owned(), r#match, ..FieldCondition::default() })
}

fn field_condition(field: FieldCondition) -> Condition {
    Condition { condition_one_of: Some(condition::ConditionOneOf::Field(field)) }
}

/// What was found of the `count` that were asked for, nearest first, by id where two are as near.
#[derive(Debug, PartialEq)]
pub(crate) enum Found {
    /// All that was wanted.
    All(Vec<Near>),
    /// At the border there may be more that are as near: so many have to be asked for.
    AskFor(usize),
    /// A point without an id of ours: somebody else writes into the collection.
    Foreign,
}

/// Puts an answer into our order.
pub(crate) fn found(answer: &[ScoredPoint], asked: &Nearest, count: usize) -> Found {
    let near = |point: &ScoredPoint| Some(Near { id: text_in(&point.payload, field::ID)?.to_owned(), score: point.score });
    let Some(mut near) = answer.iter().map(near).collect::<Option<Vec<Near>>>() else { return Found::Foreign };
    near.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.id.cmp(&b.id)));
    // All were found, or the last one that was is farther than the last one that is wanted.
    let whole = near.len() < count
        || match (near.get(asked.limit - 1), near.last()) {
            (Some(wanted), Some(last)) => last.score < wanted.score,
            _ => true,
        };
    if !whole {
        return Found::AskFor(count.saturating_mul(GROWTH));
    }
    near.truncate(asked.limit);
    Found::All(near)
}

#[cfg(test)]
mod tests {
    use reeve_domain::remembered::MemoryKind;
    use reeve_ports::Space;

    use super::*;
    use crate::point::text;

    fn asked(limit: usize) -> Nearest {
        Nearest {
            company: "1".to_owned(),
            kinds: vec![MemoryKind::Case],
            codes: vec![],
            supplier: None,
            known_before: 10,
            space: Space::Text,
            vector: vec![1.0],
            limit,
        }
    }

    fn answer(points: &[(&str, f32)]) -> Vec<ScoredPoint> {
        let point = |(id, score): &(&str, f32)| ScoredPoint {
            payload: [(field::ID.to_owned(), text(id))].into(),
            score: *score,
            ..ScoredPoint::default()
        };
        points.iter().map(point).collect()
    }

    fn ids(found: Found) -> Vec<String> {
        let Found::All(near) = found else { panic!("{found:?}") };
        near.into_iter().map(|near| near.id).collect()
    }

    #[test]
    fn every_filter_names_the_company_even_where_it_is_empty() {
        let companies = ["", "1"].map(|company| Nearest { company: company.to_owned(), ..asked(3) });
        for asked in companies {
            assert!(filter(&asked).must.contains(&keyword(field::COMPANY, &asked.company)));
        }
    }

    #[test]
    fn those_that_are_as_near_come_by_id_and_more_is_asked_for_until_all_are_known() {
        let points = [("c", 0.5), ("a", 0.5), ("d", 0.9), ("b", 0.5)];
        assert_eq!(ids(found(&answer(&points), &asked(3), 5)), ["d", "a", "b"]);
        assert_eq!(found(&answer(&points), &asked(3), 4), Found::AskFor(32));
        assert_eq!(ids(found(&answer(&points), &asked(1), 4)), ["d"]);
        assert_eq!(found(&[ScoredPoint::default()], &asked(1), 4), Found::Foreign);
        assert!(ids(found(&[], &asked(1), 4)).is_empty());
    }
}
