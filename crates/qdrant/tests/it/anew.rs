//! Somebody drops the collection while it is filled: no position may claim what went with it.

use reeve_ports::VectorIndex;
use reeve_testing::qdrant::Qdrant;
use reeve_testing::vectors::point;

use crate::support::{index, transient};

#[tokio::test]
async fn a_position_is_refused_where_the_collection_was_dropped_meanwhile() {
    let server = Qdrant::start().await;
    let index = index(&server.url);
    index.put(&[point("a", [1.0, 0.0])]).await.unwrap();
    index.hold_up_to(1).await.unwrap();
    server.shelf.drop_collection(index.collection());

    transient(index.put(&[point("b", [1.0, 0.0])]).await);
    // Whoever goes on all the same makes the collection, without what was in it.
    index.put(&[point("b", [1.0, 0.0])]).await.unwrap();
    for _ in 0..2 {
        assert!(transient(index.hold_up_to(2).await).contains("made anew"));
    }
    assert_eq!(index.position().await.unwrap(), 0);
    index.put(&[point("a", [1.0, 0.0])]).await.unwrap();
    index.hold_up_to(2).await.unwrap();
    assert_eq!((index.position().await.unwrap(), index.count().await.unwrap()), (2, 2));
}

#[tokio::test]
async fn a_position_is_refused_where_another_process_made_the_collection_anew() {
    let server = Qdrant::start().await;
    let (serving, rebuilding) = (index(&server.url), index(&server.url));
    serving.put(&[point("a", [1.0, 0.0])]).await.unwrap();
    rebuilding.clear().await.unwrap();
    assert!(transient(serving.hold_up_to(1).await).contains("made anew"));
    assert_eq!(serving.position().await.unwrap(), 0);
}

#[tokio::test]
async fn whoever_only_asks_for_the_position_takes_no_doubt_away() {
    let server = Qdrant::start().await;
    let (serving, rebuilding) = (index(&server.url), index(&server.url));
    serving.put(&[point("a", [1.0, 0.0])]).await.unwrap();
    rebuilding.clear().await.unwrap();
    // Somebody else in this process looks between the put and the position.
    assert_eq!(serving.position().await.unwrap(), 0);
    serving.check().await.unwrap();
    assert!(transient(serving.hold_up_to(1).await).contains("made anew"));
    assert_eq!(serving.position().await.unwrap(), 0);
    serving.hold_up_to(1).await.unwrap();
}
