//! The actions, one file for each (handbook §5): what is proposed and with which quantities, days and money, and the hard and
//! soft checks that run when it is drafted, again when it is queued and again at the click. What an action's card says is in
//! `prompts/playbook`; what is the same for all of its code is a row of the domain's catalogue.

pub(in crate::assess) mod accept_var;
pub(in crate::assess) mod adjust_param;
pub(in crate::assess) mod adjust_stock;
pub(in crate::assess) mod alt_supplier;
pub(in crate::assess) mod claim;
pub(in crate::assess) mod contact;
pub(in crate::assess) mod expedite;
pub(in crate::assess) mod fix_master;
pub(in crate::assess) mod forecast_fix;
pub(in crate::assess) mod hold_qc;
pub(in crate::assess) mod increase_po;
pub(in crate::assess) mod less;
pub(in crate::assess) mod mark_event;
pub(in crate::assess) mod markdown;
pub(in crate::assess) mod new_po;
pub(in crate::assess) mod promo_change;
pub(in crate::assess) mod reallocate;
pub(in crate::assess) mod recount;
pub(in crate::assess) mod send_back;
pub(in crate::assess) mod split_ship;
pub(in crate::assess) mod transfer;

use super::bills;
use super::checks::{Checks, not_past};
use crate::scene::Scene;
use reeve_domain::action::Action;

/// Runs the checks of an action.
pub(super) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    match action {
        Action::Expedite { po_line, quantity, new_date, surcharge_max } => {
            expedite::check(scene, c, po_line, *quantity, *new_date, *surcharge_max);
        }
        Action::DeferPo { po_line, quantity, new_date } => less::check(scene, c, po_line, *quantity, Some(*new_date)),
        Action::CancelPo { po_line, quantity } => less::check(scene, c, po_line, *quantity, None),
        Action::NewPo { item, supplier, quantity, price, need_date, destination } => {
            let place = (item.clone(), destination.clone());
            let (place, quantity, price, need_date) = (&place, *quantity, *price, *need_date);
            new_po::check(scene, c, &new_po::Order { place, supplier, quantity, price, need_date, late: None });
        }
        Action::Transfer { item, from, to, quantity, ship_on } => {
            transfer::check(scene, c, item, from, to, *quantity, *ship_on);
        }
        Action::IncreasePo { .. } => increase_po::check(scene, c, action),
        Action::SplitShip { .. } => split_ship::check(scene, c, action),
        Action::AltSupplier { .. } => alt_supplier::check(scene, c, action),
        Action::Reallocate { .. } => reallocate::check(scene, c, action),
        Action::AdjustParam { .. } => adjust_param::check(scene, c, action),
        Action::ForecastFix { .. } => forecast_fix::check(scene, c, action),
        Action::MarkEvent { .. } => mark_event::check(scene, c, action),
        Action::AdjustStock { .. } => adjust_stock::check(scene, c, action),
        Action::HoldQc { .. } => hold_qc::check(scene, c, action),
        Action::Return { .. } => send_back::check(scene, c, action),
        Action::FixMaster { .. } => fix_master::check(scene, c, action),
        Action::PromoChange { .. } => promo_change::check(scene, c, action),
        Action::Markdown { .. } => markdown::check(scene, c, action),
        Action::Recount { .. } => recount::check(scene, c, action),
        Action::Claim { .. } => claim::check(scene, c, action),
        Action::BlockBill { bill, disputed, .. } => bills::block(scene, c, bill, *disputed),
        Action::AcceptVar { document, variance, .. } => accept_var::check(scene, c, document, *variance),
        Action::ReverseDoc { document, duplicate_of } => bills::reverse(scene, c, document, duplicate_of),
        Action::Contact { role, partner, answer_by, .. } => contact::check(scene, c, role, partner, *answer_by),
        Action::Monitor { until, .. } => not_past(scene, c, "end of watching is not past", *until),
        // A mute is about Reeve's own list; `noise` checks it.
        Action::NoAction { .. } | Action::Escalate { .. } | Action::Mute { .. } => {}
    }
}
