//! A change of models: another collection is filled beside the first, and the alias follows when it holds as much.

use reeve_ports::VectorIndex;
use reeve_qdrant::QdrantIndex;
use reeve_testing::qdrant::Qdrant;
use reeve_testing::vectors::{asked, ids, point};

use crate::support::{config, index, shape};

#[tokio::test]
async fn the_alias_follows_when_the_new_collection_holds_as_much_as_the_old_one() {
    let server = Qdrant::start().await;
    let old = index(&server.url);
    old.put(&[point("a", [1.0, 0.0])]).await.unwrap();
    old.hold_up_to(20).await.unwrap();
    let new = QdrantIndex::new(&config(&server.url), shape("model-2")).unwrap();
    assert_ne!(old.collection(), new.collection());
    assert_eq!(ids(&new, &asked(3)).await, [""; 0], "vectors of another model are not searched");

    new.put(&[point("b", [1.0, 0.0])]).await.unwrap();
    new.hold_up_to(10).await.unwrap();
    assert_eq!(server.shelf.aliases()["reeve_contract"], old.collection());
    assert!(new.check().await.unwrap().contains("not yet the one in use"));
    assert_eq!(new.others().await.unwrap(), [""; 0], "what is in use is not called of no use");
    let third = QdrantIndex::new(&config(&server.url), shape("model-3")).unwrap();
    assert_eq!(third.others().await.unwrap(), [new.collection()]);
    assert_eq!(third.remove_others().await.unwrap(), [""; 0], "what is not in use itself removes nothing");

    new.hold_up_to(20).await.unwrap();
    assert_eq!(server.shelf.aliases()["reeve_contract"], new.collection());
    let changes = server.shelf.calls().into_iter().filter(|call| *call == "Collections/UpdateAliases").count();
    assert_eq!(changes, 2, "one for each collection");
    assert_eq!(ids(&old, &asked(3)).await, ["a"], "a process that still has the old model goes on");

    let said = new.check().await.unwrap();
    assert!(said.contains("1 point in") && said.contains("up to change 20") && said.contains(old.collection()), "{said}");
    assert_eq!(new.remove_others().await.unwrap(), [old.collection()]);
    assert_eq!(server.shelf.collections(), [new.collection()]);
    assert_eq!(ids(&new, &asked(3)).await, ["b"]);
}

#[tokio::test]
async fn collections_of_others_are_left_alone() {
    let server = Qdrant::start().await;
    let index = index(&server.url);
    index.hold_up_to(1).await.unwrap();
    let made = server.shelf.collection(index.collection()).unwrap().made;
    for name in ["reeve_contract_of_ours", "reeve_contract", "products"] {
        let collection_name = name.to_owned();
        server.shelf.make_collection(qdrant_client::qdrant::CreateCollection { collection_name, ..made.clone() });
    }
    assert_eq!(index.remove_others().await.unwrap(), [""; 0]);
    assert_eq!(server.shelf.collections().len(), 4);
}
