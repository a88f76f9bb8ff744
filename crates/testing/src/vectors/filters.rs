//! What is found and what is not, and in which order.

use reeve_domain::remembered::MemoryKind;
use reeve_ports::{Nearest, Point, Space, VectorIndex};

use super::{PROFILE, TEXT, asked, ids, point, unit, with};

pub(super) async fn a_company_sees_its_own_only(index: &dyn VectorIndex) {
    // The same thing in each company, and names that could be taken for one another.
    let companies = ["", "1", "12", "1 ", "one"];
    let in_company =
        |(nth, company): (usize, &&str)| Point { company: (*company).to_owned(), ..point(&format!("in-{nth}"), [1.0, 0.0]) };
    with(index, &companies.iter().enumerate().map(in_company).collect::<Vec<_>>()).await;
    for (nth, company) in companies.into_iter().enumerate() {
        let asked = Nearest { company: company.to_owned(), ..asked(9) };
        assert_eq!(ids(index, &asked).await, [format!("in-{nth}")], "company {company:?}");
    }
    for company in ["2", "ONE", " "] {
        let asked = Nearest { company: company.to_owned(), ..asked(9) };
        assert_eq!(ids(index, &asked).await, [""; 0], "company {company:?}");
    }
}

pub(super) async fn each_filter_leaves_out_what_it_should(index: &dyn VectorIndex) {
    let codes = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
    let points = [
        Point { codes: codes(&["D-SPIKE"]), supplier: Some("9".to_owned()), ..point("a", [1.0, 0.0]) },
        Point { codes: codes(&["S-OUT", "D-SPIKE"]), known_at: 500, ..point("b", [1.0, 0.1]) },
        Point { codes: codes(&["S-OUT"]), supplier: Some("90".to_owned()), ..point("c", [1.0, 0.2]) },
        Point { kind: MemoryKind::Promotion, ..point("d", [1.0, 0.3]) },
        Point { kind: MemoryKind::SupplierNote, supplier: Some("9".to_owned()), ..point("e", [1.0, 0.4]) },
    ];
    with(index, &points).await;
    let every = || Nearest { kinds: MemoryKind::ALL.to_vec(), ..asked(9) };
    let notes = vec![MemoryKind::SupplierNote, MemoryKind::PlannerNote, MemoryKind::Promotion];
    let table: Vec<(Nearest, &[&str])> = vec![
        (every(), &["a", "b", "c", "d", "e"]),
        (asked(9), &["a", "b", "c"]),
        (Nearest { kinds: notes, ..every() }, &["d", "e"]),
        (Nearest { kinds: vec![MemoryKind::PlannerNote], ..every() }, &[]),
        (Nearest { codes: codes(&["D-SPIKE"]), ..every() }, &["a", "b"]),
        (Nearest { codes: codes(&["D-SPIKE", "S-OUT"]), ..every() }, &["a", "b", "c"]),
        (Nearest { codes: codes(&["D-SPIKE", "M-NONE"]), ..every() }, &["a", "b"]),
        (Nearest { codes: codes(&["M-NONE"]), ..every() }, &[]),
        (Nearest { supplier: Some("9".to_owned()), ..every() }, &["a", "e"]),
        (Nearest { supplier: Some("9".to_owned()), codes: codes(&["S-OUT"]), ..every() }, &[]),
        (Nearest { known_before: 500, ..every() }, &["a", "c", "d", "e"]),
        (Nearest { known_before: 501, ..every() }, &["a", "b", "c", "d", "e"]),
        (Nearest { known_before: 100, ..every() }, &[]),
        (Nearest { known_before: i64::MAX, ..every() }, &["a", "b", "c", "d", "e"]),
        (Nearest { known_before: i64::MIN, ..every() }, &[]),
    ];
    for (asked, expected) in table {
        assert_eq!(ids(index, &asked).await, expected, "{asked:?}");
    }
}

pub(super) async fn a_point_without_a_vector_is_found_in_the_other_space(index: &dyn VectorIndex) {
    let by_words = point("by-words", [1.0, 0.0]);
    let profile = unit(PROFILE, &[1.0]);
    let by_figures = Point { text: Vec::new(), profile: profile.clone(), ..point("by-figures", [1.0, 0.0]) };
    let by_both = Point { profile: unit(PROFILE, &[1.0, 1.0]), ..point("by-both", [1.0, 1.0]) };
    let by_neither = Point { text: Vec::new(), ..point("by-neither", [1.0, 0.0]) };
    with(index, &[by_words, by_figures, by_both, by_neither]).await;
    assert_eq!(ids(index, &asked(9)).await, ["by-words", "by-both"]);
    let asked = Nearest { space: Space::Profile, vector: profile, ..asked(9) };
    assert_eq!(ids(index, &asked).await, ["by-figures", "by-both"]);
    assert_eq!(index.count().await.expect("it counts"), 4);
}

pub(super) async fn the_nearest_come_first_and_those_as_near_by_id(index: &dyn VectorIndex) {
    // Three hundred that are the same, more than are asked for at once, between one that is nearer and one that is farther.
    let mut points: Vec<Point> = (0..300).rev().map(|n| point(&format!("same-{n:03}"), [1.0, 1.0])).collect();
    points.push(point("far", [-1.0, 0.0]));
    points.push(point("near", [1.0, 0.0]));
    with(index, &points).await;
    for limit in [1, 2, 5, 150, 301] {
        let mut expected: Vec<String> = (0..300).map(|n| format!("same-{n:03}")).collect();
        expected.insert(0, "near".to_owned());
        expected.truncate(limit);
        assert_eq!(ids(index, &asked(limit)).await, expected, "at most {limit}");
    }
    let all = index.nearest(&asked(999)).await.expect("the index answers");
    let scores = [all[0].score, all[1].score, all[301].score];
    assert_eq!((all.len(), all[301].id.as_str()), (302, "far"));
    for (score, expected) in scores.into_iter().zip([1.0, std::f32::consts::FRAC_1_SQRT_2, -1.0]) {
        assert!((score - expected).abs() < 1e-5, "the score is the cosine: {score}, not {expected}");
    }
    assert_eq!(all[1].score.to_bits(), all[300].score.to_bits(), "what is the same is as near");
    let vector = unit(TEXT, &[-1.0]);
    assert_eq!(ids(index, &Nearest { vector, ..asked(1) }).await, ["far"]);
}
