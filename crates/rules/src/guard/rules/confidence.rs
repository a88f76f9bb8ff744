//! Confidence: a percentage, shown beside p and never in its place.

use super::super::objection::Objection;

pub(in crate::guard) fn check(percent: i64, objections: &mut Vec<Objection>) -> u8 {
    if let Some(percent) = u8::try_from(percent).ok().filter(|percent| *percent <= 100) {
        percent
    } else {
        objections.push(Objection::Confidence(percent));
        0
    }
}
