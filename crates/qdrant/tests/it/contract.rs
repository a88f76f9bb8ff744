//! The contract of every index of memory, and in which form its requests leave.

use qdrant_client::qdrant::{
    QueryPoints, condition::ConditionOneOf, r#match::MatchValue, payload_index_params::IndexParams,
};
use reeve_ports::VectorIndex;
use reeve_qdrant::{QdrantConfig, QdrantIndex};
use reeve_testing::qdrant::Qdrant;
use reeve_testing::vectors::{asked, keeps_the_contract, point};

use crate::support::{config, index, shape};

#[tokio::test]
async fn the_contract_is_kept_and_no_search_leaves_without_its_company() {
    let server = Qdrant::start().await;
    keeps_the_contract(&index(&server.url)).await;
    let queries = server.shelf.queries();
    assert!(queries.len() > 60);
    for query in queries {
        assert!(names_a_company(&query), "{query:?}");
        assert_eq!(query.params.and_then(|params| params.exact), Some(true));
    }
    for upsert in server.shelf.upserts() {
        assert!(upsert.points.len() <= 256 && upsert.wait == Some(true));
    }
}

fn names_a_company(query: &QueryPoints) -> bool {
    let must = query.filter.as_ref().map(|filter| filter.must.as_slice()).unwrap_or_default();
    must.iter().any(|condition| match &condition.condition_one_of {
        Some(ConditionOneOf::Field(field)) => {
            let value = field.r#match.as_ref().and_then(|wanted| wanted.match_value.as_ref());
            field.key == "company" && matches!(value, Some(MatchValue::Keyword(_)))
        }
        _ => false,
    })
}

/// Runs where `QDRANT_URL` names the gRPC port of a server that may be written to, with `QDRANT_API_KEY` and `QDRANT_CA_FILE` where it
/// asks for them. Its collection of the name `reeve_contract_…` is emptied.
#[tokio::test]
async fn the_contract_is_kept_by_a_real_server() {
    #[expect(clippy::disallowed_methods, reason = "which server there is to test against is said by the environment")]
    let said = |name| std::env::var(name).unwrap_or_default();
    let (url, api_key, ca_file) = (said("QDRANT_URL"), said("QDRANT_API_KEY"), said("QDRANT_CA_FILE"));
    if url.is_empty() {
        return;
    }
    let config = QdrantConfig { api_key: api_key.into(), ca_file, ..config(&url) };
    let index = QdrantIndex::new(&config, shape("model-1")).expect("the settings can be used");
    keeps_the_contract(&index).await;
    let said = index.check().await.expect("it is there");
    assert!(said.starts_with("Qdrant "), "{said}");
    index.clear().await.expect("it can be emptied");
}

#[tokio::test]
async fn a_collection_is_made_with_indexes_for_every_filter_and_no_graph() {
    let server = Qdrant::start().await;
    let index = index(&server.url);
    index.put(&[point("a", [1.0, 0.0])]).await.unwrap();
    let collection = server.shelf.collection(index.collection()).unwrap();
    let mut indexed: Vec<&str> = collection.indexes.keys().map(String::as_str).collect();
    indexed.sort_unstable();
    assert_eq!(indexed, ["codes", "company", "kind", "known_at", "made", "supplier"]);
    let company = collection.indexes["company"].field_index_params.clone().and_then(|params| params.index_params);
    let Some(IndexParams::KeywordIndexParams(company)) = company else { panic!("{company:?}") };
    assert_eq!(company.is_tenant, Some(true));
    assert_eq!(collection.made.shard_number, Some(1));
    assert_eq!(collection.made.hnsw_config.and_then(|hnsw| hnsw.m), Some(0));
}

#[tokio::test]
async fn what_only_looks_makes_no_collection() {
    let server = Qdrant::start().await;
    let index = index(&server.url);
    assert_eq!((index.position().await.unwrap(), index.count().await.unwrap()), (0, 0));
    assert_eq!(index.nearest(&asked(3)).await.unwrap(), []);
    index.forget(&["a".to_owned()]).await.unwrap();
    assert!(index.check().await.unwrap().contains("is made when something is remembered"));
    assert_eq!(server.shelf.collections(), [""; 0]);
}

#[tokio::test]
async fn a_collection_that_was_left_half_made_is_finished() {
    let server = Qdrant::start().await;
    let (first, second) = (index(&server.url), index(&server.url));
    first.put(&[]).await.unwrap();
    first.put(&[point("a", [1.0, 0.0])]).await.unwrap();
    // As if it had been killed between making the collection and marking it.
    let made = server.shelf.collection(first.collection()).unwrap().made;
    server.shelf.make_collection(made);
    second.put(&[point("b", [1.0, 0.0])]).await.unwrap();
    second.hold_up_to(4).await.unwrap();
    assert_eq!((second.position().await.unwrap(), second.count().await.unwrap()), (4, 1));
    assert_eq!(server.shelf.collection(first.collection()).unwrap().indexes.len(), 6);
}
