//! What an index keeps, and for how long.

use reeve_ports::{Nearest, Point, VectorIndex};

use super::{PROFILE, asked, ids, point, unit, with};

pub(super) async fn what_is_put_twice_is_there_once(index: &dyn VectorIndex) {
    let points = [point("a", [1.0, 0.0]), point("b", [1.0, 1.0])];
    with(index, &points).await;
    index.put(&points).await.expect("points can be put again");
    // In one go, too: the last one counts.
    let twice = [point("c", [0.0, 1.0]), point("c", [1.0, 0.1])];
    index.put(&twice).await.expect("two of one id can be put");
    assert_eq!(index.count().await.expect("it counts"), 3, "put twice is there once");
    assert_eq!(ids(index, &asked(9)).await, ["a", "c", "b"], "of two with one id the last one counts");
    index.put(&[]).await.expect("nothing can be put");
}

pub(super) async fn what_is_put_again_takes_the_place_of_what_was_there(index: &dyn VectorIndex) {
    let before = Point {
        supplier: Some("9".to_owned()),
        codes: vec!["D-SPIKE".to_owned()],
        profile: unit(PROFILE, &[1.0]),
        ..point("a", [1.0, 0.0])
    };
    with(index, &[before]).await;
    index.put(&[Point { company: "2".to_owned(), ..point("a", [0.0, 1.0]) }]).await.expect("it can be put again");
    let theirs = Nearest { company: "2".to_owned(), ..asked(9) };
    assert_eq!(index.count().await.expect("it counts"), 1);
    assert_eq!(ids(index, &asked(9)).await, [""; 0], "it is of another company now");
    assert_eq!(ids(index, &theirs).await, ["a"]);
    let by_supplier = Nearest { supplier: Some("9".to_owned()), ..theirs.clone() };
    let by_code = Nearest { codes: vec!["D-SPIKE".to_owned()], ..theirs.clone() };
    let by_profile = Nearest { space: reeve_ports::Space::Profile, vector: unit(PROFILE, &[1.0]), ..theirs };
    for asked in [by_supplier, by_code, by_profile] {
        assert_eq!(ids(index, &asked).await, [""; 0], "what it was before is gone: {asked:?}");
    }
}

pub(super) async fn what_is_forgotten_is_not_found(index: &dyn VectorIndex) {
    with(index, &[point("a", [1.0, 0.0]), point("b", [1.0, 1.0])]).await;
    let gone = ["a", "never-there"].map(str::to_owned);
    for _ in 0..2 {
        index.forget(&gone).await.expect("what is not there is forgotten");
    }
    index.forget(&[]).await.expect("nothing can be forgotten");
    assert_eq!(ids(index, &asked(9)).await, ["b"]);
    assert_eq!(index.count().await.expect("it counts"), 1);
}

pub(super) async fn a_position_is_kept_until_all_is_forgotten(index: &dyn VectorIndex) {
    index.clear().await.expect("it can be emptied");
    let position = async || index.position().await.expect("it tells its position");
    assert_eq!(position().await, 0, "nothing is held");
    index.put(&[point("a", [1.0, 0.0])]).await.expect("points can be put");
    assert_eq!(position().await, 0, "what is put is held only when that is said");
    for seq in [7, 7, 9] {
        index.hold_up_to(seq).await.expect("it holds");
        assert_eq!(position().await, seq);
    }
    assert_eq!(index.count().await.expect("it counts"), 1, "the position is no point");
    assert_eq!(ids(index, &asked(9)).await, ["a"], "the position is not found");
    index.clear().await.expect("it can be emptied");
    assert_eq!((position().await, index.count().await.expect("it counts")), (0, 0));
    assert_eq!(ids(index, &asked(9)).await, [""; 0]);
    index.hold_up_to(3).await.expect("it holds, with nothing in it");
    assert_eq!(position().await, 3);
}

pub(super) async fn nothing_is_found_where_nothing_is_asked_for(index: &dyn VectorIndex) {
    with(index, &[point("a", [1.0, 0.0])]).await;
    let nothing = [
        Nearest { limit: 0, ..asked(1) },
        Nearest { kinds: Vec::new(), ..asked(1) },
        Nearest { vector: Vec::new(), ..asked(1) },
    ];
    for asked in nothing {
        assert_eq!(ids(index, &asked).await, [""; 0], "{asked:?}");
    }
    assert_eq!(ids(index, &asked(usize::MAX)).await, ["a"], "at most so many is no wish for so many");
}
