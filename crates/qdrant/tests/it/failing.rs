//! A server that is down, slow, busy, too old, of another kind, or that does not know the key.

use std::time::Duration;

use qdrant_client::qdrant::CreateCollection;
use reeve_ports::{Nearest, Point, PortError, VectorIndex};
use reeve_qdrant::{QdrantConfig, QdrantIndex, Shape};
use reeve_testing::endpoint::{Endpoint, Says};
use reeve_testing::qdrant::{Fault, Qdrant};
use reeve_testing::vectors::{TEXT, asked, point};
use tonic::Code;

use crate::support::{config, index, permanent, shape, transient};

#[tokio::test]
async fn a_server_that_is_down_is_asked_again_and_found_when_it_is_back() {
    let server = Qdrant::start().await;
    let index = index(&server.url);
    index.put(&[point("a", [1.0, 0.0])]).await.unwrap();
    let stopped = server.stop().await;
    for said in [
        transient(index.check().await),
        transient(index.nearest(&asked(3)).await),
        transient(index.put(&[point("b", [1.0, 0.0])]).await),
        transient(index.forget(&["a".to_owned()]).await),
        transient(index.position().await),
        transient(index.hold_up_to(1).await),
        transient(index.count().await),
        transient(index.clear().await),
    ] {
        assert!(said.contains("can not be reached") && said.contains("memory.qdrant.url"), "{said}");
    }
    let _server = stopped.start().await;
    assert_eq!(index.nearest(&asked(3)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_waited_for_so_long_and_no_longer() {
    let server = Qdrant::start().await;
    let brief = QdrantConfig { timeout: Duration::from_millis(100), ..config(&server.url) };
    let index = QdrantIndex::new(&brief, shape("model-1")).unwrap();
    server.shelf.fail(Some(Fault::Hangs));
    let said = transient(index.nearest(&asked(3)).await);
    assert!(said.contains("did not search within 100 ms"), "{said}");
    server.shelf.fail(None);
    // Its answer to a connection that was given up does not come late.
    assert_eq!(QdrantIndex::new(&config(&server.url), shape("model-1")).unwrap().nearest(&asked(3)).await.unwrap(), []);
}

#[tokio::test]
async fn a_busy_server_says_when_to_come_again() {
    let server = Qdrant::start().await;
    server.shelf.fail(Some(Fault::Busy(9)));
    let error = index(&server.url).nearest(&asked(3)).await.unwrap_err();
    let PortError::Transient { retry_after, .. } = error else { panic!("{error:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(9)));
}

#[tokio::test]
async fn what_the_server_says_decides_whether_it_is_asked_again() {
    let server = Qdrant::start().await;
    let index = index(&server.url);
    index.put(&[point("a", [1.0, 0.0])]).await.unwrap();
    let say = |code, words| server.shelf.fail(Some(Fault::Says(code, words)));
    say(Code::Internal, "Service internal error: No space left on device: WAL buffer size exceeds available disk space");
    assert!(transient(index.put(&[point("b", [1.0, 0.0])]).await).contains("No space left on device"));
    say(Code::Unavailable, "shard is being transferred");
    assert!(transient(index.nearest(&asked(3)).await).contains("shard is being transferred"));
    say(Code::InvalidArgument, "Wrong input: Index required but not found for 'kind'");
    assert!(permanent(index.nearest(&asked(3)).await).contains("refused to search"));
    say(Code::Unimplemented, "");
    assert!(permanent(index.nearest(&asked(3)).await).contains("does not answer as Qdrant does"));
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused_before_anything_is_written() {
    let server = Qdrant::start().await;
    let index = index(&server.url);
    for version in ["1.12.6", "1.9.0", "0.11.1"] {
        server.shelf.be_version(version);
        for said in [permanent(index.check().await), permanent(index.put(&[point("a", [1.0, 0.0])]).await)] {
            assert!(said.contains(version) && said.contains("1.13 or later"), "{said}");
        }
    }
    assert_eq!(server.shelf.collections(), [""; 0]);
    server.shelf.be_version("something else");
    assert!(permanent(index.check().await).contains("something else"));
    for version in ["1.13.0", "1.20.1", "2.0.0"] {
        server.shelf.be_version(version);
        assert!(index.check().await.unwrap().contains(version));
    }
}

#[tokio::test]
async fn a_key_that_is_missing_or_wrong_is_told_without_the_key() {
    let server = Qdrant::start().await;
    server.shelf.ask_for_key("right");
    let with = |key: &str| {
        QdrantIndex::new(&QdrantConfig { api_key: key.to_owned().into(), ..config(&server.url) }, shape("model-1")).unwrap()
    };
    for key in ["", "wr0ng"] {
        for said in [permanent(with(key).check().await), permanent(with(key).put(&[point("a", [1.0, 0.0])]).await)] {
            assert!(said.contains("memory.qdrant.api_key") && !said.contains("wr0ng"), "{said}");
        }
    }
    with("right").put(&[point("a", [1.0, 0.0])]).await.unwrap();
}

#[tokio::test]
async fn a_vector_of_another_length_is_refused_before_it_leaves() {
    let server = Qdrant::start().await;
    let index = index(&server.url);
    let short = Point { text: vec![1.0, 0.0], ..point("short", [1.0, 0.0]) };
    let said = permanent(index.put(&[point("a", [1.0, 0.0]), short]).await);
    assert!(said.contains("of short has 2 numbers, not 16"), "{said}");
    let said = permanent(index.nearest(&Nearest { vector: vec![1.0], ..asked(3) }).await);
    assert!(said.contains("has 1 numbers, not 16"), "{said}");
    assert_eq!(server.shelf.calls(), [""; 0]);
}

#[tokio::test]
async fn a_collection_with_other_vectors_is_not_written_to() {
    let server = Qdrant::start().await;
    let index = index(&server.url);
    // Made by hand, under the name that ours has.
    let other = QdrantIndex::new(&config(&server.url), Shape { text: TEXT + 1, ..shape("model-1") }).unwrap();
    other.hold_up_to(1).await.unwrap();
    let made = server.shelf.collection(other.collection()).unwrap().made;
    server.shelf.make_collection(CreateCollection { collection_name: index.collection().to_owned(), ..made });
    for said in [permanent(index.check().await), permanent(index.put(&[point("a", [1.0, 0.0])]).await)] {
        assert!(said.contains("its vector `text` has 17 numbers, not 16") && said.contains("remove it"), "{said}");
    }
    index.clear().await.unwrap();
    index.put(&[point("a", [1.0, 0.0])]).await.unwrap();
}

#[tokio::test]
async fn what_is_no_qdrant_is_told_with_the_port_that_is_meant() {
    // Qdrant's other port speaks HTTP/1.1, as this does.
    let server = Endpoint::saying(Says::status(200)).await;
    let error = index(&server.url).check().await.unwrap_err();
    let said = reeve_domain::words::with_causes(&error);
    assert!(said.contains("gRPC port, 6334"), "{said}");
}
