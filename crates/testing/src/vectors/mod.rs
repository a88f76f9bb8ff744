//! What every index of memory has to do, written once: whoever makes one runs [`keeps_the_contract`] on it.
//!
//! The index has to take vectors of [`TEXT`] and [`PROFILE`] numbers. It is emptied before each part, so it has to be one that
//! nobody needs.

mod brute;
mod filters;
mod keeping;

use reeve_domain::remembered::MemoryKind;
use reeve_ports::{Nearest, Point, Space, VectorIndex};

pub use self::brute::{nearest_of, random_points};

/// Numbers of a vector of words, in the contract.
pub const TEXT: usize = 16;

/// Numbers of a vector of figures, in the contract.
pub const PROFILE: usize = 6;

/// Holds an index to all of the contract, part by part.
///
/// # Panics
/// Where it does not keep it; the message says which part.
pub async fn keeps_the_contract(index: &dyn VectorIndex) {
    keeping::what_is_put_twice_is_there_once(index).await;
    keeping::what_is_put_again_takes_the_place_of_what_was_there(index).await;
    keeping::what_is_forgotten_is_not_found(index).await;
    keeping::a_position_is_kept_until_all_is_forgotten(index).await;
    keeping::nothing_is_found_where_nothing_is_asked_for(index).await;
    filters::a_company_sees_its_own_only(index).await;
    filters::each_filter_leaves_out_what_it_should(index).await;
    filters::a_point_without_a_vector_is_found_in_the_other_space(index).await;
    filters::the_nearest_come_first_and_those_as_near_by_id(index).await;
    brute::thousands_are_found_as_by_hand(index).await;
}

/// A case of the company without a name, found by its words only, known since 100.
pub fn point(id: &str, text: [f32; 2]) -> Point {
    Point {
        id: id.to_owned(),
        seq: 1,
        company: String::new(),
        kind: MemoryKind::Case,
        codes: Vec::new(),
        item: None,
        supplier: None,
        location: None,
        known_at: 100,
        text: unit(TEXT, &text),
        profile: Vec::new(),
    }
}

/// All that [`point`] makes, nearest to what lies in the direction of the first number.
pub fn asked(limit: usize) -> Nearest {
    Nearest {
        company: String::new(),
        kinds: vec![MemoryKind::Case],
        codes: Vec::new(),
        supplier: None,
        known_before: 1_000,
        space: Space::Text,
        vector: unit(TEXT, &[1.0]),
        limit,
    }
}

/// A vector of length one that begins in the direction of these numbers.
pub fn unit(numbers: usize, begins: &[f32]) -> Vec<f32> {
    let mut vector = begins.to_vec();
    vector.resize(numbers, 0.0);
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter().map(|x| x / length).collect()
}

/// The ids of what is found, in their order.
pub async fn ids(index: &dyn VectorIndex, asked: &Nearest) -> Vec<String> {
    let near = index.nearest(asked).await.expect("the index answers");
    near.into_iter().map(|near| near.id).collect()
}

/// Empties an index and puts these points.
async fn with(index: &dyn VectorIndex, points: &[Point]) {
    index.clear().await.expect("it can be emptied");
    index.put(points).await.expect("points can be put");
}
