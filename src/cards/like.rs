//! What was decided on like cases, ready for a case's page.

use serde::Serialize;

use super::plain;
use crate::domain::evidence::Bundle;
use crate::memory::{like_cases, told};

/// How like cases were decided and ended.
#[derive(Serialize)]
pub(super) struct LikeView {
    said: String,
    cases: Vec<LikeCaseView>,
}

#[derive(Serialize)]
pub(super) struct LikeCaseView {
    id: String,
    ended: String,
    about: String,
    measured: String,
}

/// The like cases that a bundle tells of; None where it tells of none. `currency` is the company's.
pub(super) fn like_view(bundle: &Bundle, currency: &str) -> Option<LikeView> {
    let like = like_cases(bundle);
    let said = told(&like, currency)?;
    let cases = like.into_iter().map(|case| LikeCaseView {
        id: case.case.to_string(),
        ended: plain(&case.ended),
        about: plain(&case.about),
        measured: case.measured.map_or_else(String::new, |money| format!("{money} {currency}")),
    });
    Some(LikeView { said, cases: cases.collect() })
}
