//! Thousands of points, and what is nearest of them looked up by hand.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reeve_domain::remembered::MemoryKind;
use reeve_ports::{Near, Nearest, Point, Space, VectorIndex};

use super::{PROFILE, TEXT, with};

const POINTS: usize = 2_000;
const QUESTIONS: usize = 60;

pub(super) async fn thousands_are_found_as_by_hand(index: &dyn VectorIndex) {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let points = random_points(&mut random, POINTS);
    with(index, &points).await;
    assert_eq!(index.count().await.expect("it counts"), POINTS);
    for _ in 0..QUESTIONS {
        let asked = random_question(&mut random);
        let found = index.nearest(&asked).await.expect("the index answers");
        let expected = nearest_of(&points, &asked);
        let ids = |near: &[Near]| near.iter().map(|near| near.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&found), ids(&expected), "{asked:?}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!((found.score - expected.score).abs() < 1e-5, "{found:?}, not {expected:?}");
        }
    }
}

/// Points of three companies and all kinds, with codes and suppliers, some of them with one vector only.
pub fn random_points(random: &mut impl Rng, count: usize) -> Vec<Point> {
    (0..count).map(|n| random_point(random, n)).collect()
}

fn random_point(random: &mut impl Rng, n: usize) -> Point {
    let codes = (0..random.gen_range(0..3)).map(|_| code(random)).collect();
    let supplier = random.gen_bool(0.5).then(|| supplier(random));
    let text = if random.gen_bool(0.9) { vector(random, TEXT) } else { Vec::new() };
    let profile = if random.gen_bool(0.7) { vector(random, PROFILE) } else { Vec::new() };
    Point {
        id: format!("m-{n:05}"),
        seq: n as i64 + 1,
        company: company(random),
        kind: MemoryKind::ALL[random.gen_range(0..4)],
        codes,
        item: Some(random.gen_range(0..99).to_string()),
        supplier,
        location: None,
        known_at: random.gen_range(0..1_000),
        text,
        profile,
    }
}

fn random_question(random: &mut impl Rng) -> Nearest {
    let space = Space::ALL[random.gen_range(0..2)];
    let numbers = if space == Space::Text { TEXT } else { PROFILE };
    let kinds = MemoryKind::ALL.into_iter().filter(|_| random.gen_bool(0.7)).collect();
    let codes = if random.gen_bool(0.4) { (0..random.gen_range(1..3)).map(|_| code(random)).collect() } else { Vec::new() };
    Nearest {
        company: company(random),
        kinds,
        codes,
        supplier: random.gen_bool(0.2).then(|| supplier(random)),
        known_before: random.gen_range(0..1_200),
        space,
        vector: vector(random, numbers),
        limit: random.gen_range(0..40),
    }
}

fn company(random: &mut impl Rng) -> String {
    ["", "1", "2"][random.gen_range(0..3)].to_owned()
}

fn code(random: &mut impl Rng) -> String {
    format!("D-{}", random.gen_range(0..5))
}

fn supplier(random: &mut impl Rng) -> String {
    random.gen_range(0..6).to_string()
}

fn vector(random: &mut impl Rng, numbers: usize) -> Vec<f32> {
    let drawn: Vec<f32> = (0..numbers).map(|_| random.gen_range(-1.0..1.0)).collect();
    super::unit(numbers, &drawn)
}

/// The nearest of these points, looked up one by one and in double precision: what an index has to answer.
pub fn nearest_of(points: &[Point], asked: &Nearest) -> Vec<Near> {
    let mut near: Vec<(f64, &str)> = points
        .iter()
        .filter(|point| is_asked_for(point, asked))
        .map(|point| (cosine(point.vector(asked.space), &asked.vector), point.id.as_str()))
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    near.truncate(asked.limit);
    near.into_iter().map(|(score, id)| Near { id: id.to_owned(), score: score as f32 }).collect()
}

fn is_asked_for(point: &Point, asked: &Nearest) -> bool {
    point.company == asked.company
        && asked.kinds.contains(&point.kind)
        && (asked.codes.is_empty() || point.codes.iter().any(|code| asked.codes.contains(code)))
        && (asked.supplier.is_none() || point.supplier == asked.supplier)
        && point.known_at < asked.known_before
        && !point.vector(asked.space).is_empty()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt())
}
