//! ADJUST-PARAM: a reorder point, a maximum or a lead time as it should be (handbook §5).

use rust_decimal::Decimal;

use crate::assess::checks::{Checks, still};
use crate::scene::Scene;
use reeve_domain::action::Action;

/// A parameter may move by this share of its old value at most; more is for human judgement.
const PARAM_SHARE: Decimal = Decimal::from_parts(5, 0, 0, false, 1);

/// ADJUST-PARAM.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::AdjustParam { param, record, old, new, .. } = action else { return };
    let (record, field) = param.field(record);
    still(scene, c, &record, field, &old.to_string());
    let room = (old.0 * PARAM_SHARE).abs();
    let fits = (new.0 - old.0).abs() <= room && !new.0.is_sign_negative();
    c.hard("change within 50 % of the old value", fits, format!("{old} to {new}"));
}
