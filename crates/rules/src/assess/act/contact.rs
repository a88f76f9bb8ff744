//! CONTACT: a question to whom it concerns (handbook §5).

use crate::assess::checks::{Checks, not_past};
use crate::assess::gathered::{Gathered, Question, line_ref};
use crate::assess::shortage::{Short, keys};
use crate::role::Role;
use crate::scene::Scene;
use jiff::civil::Date;
use reeve_domain::ids::{LocationId, SupplierId};

/// Asks after what is overdue.
pub(in crate::assess) fn questions(gathered: &mut Gathered<'_>, short: &Short) {
    for arrival in short.now.arrivals.iter().filter(|a| !a.firm) {
        ask_overdue(gathered, &arrival.po_line, &keys(&short.place));
    }
}

/// Asks the supplier of an overdue line when the rest will arrive. Lines of one order make one question.
pub(in crate::assess) fn ask_overdue(gathered: &mut Gathered<'_>, po_line: &str, keys: &[String]) {
    let book = gathered.scene.book;
    let Some(line) = book.po_lines.get(po_line) else { return };
    let about = format!("order {}, which is past its promised day: when will the rest arrive", line.order_name);
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: line.supplier.as_str(),
        about: &about,
        keys,
        left: gathered.scene.settings.left.question_overdue,
        latest: gathered.answer_by(),
        source: line_ref(po_line),
    });
}

pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, role: &str, partner: &str, answer_by: Date) {
    let book = scene.book;
    let (known, detail) = match Role::named(role) {
        Some(Role::Supplier) => {
            let id = SupplierId::new(partner);
            (book.suppliers.contains_key(&id), book.supplier_name(&id))
        }
        Some(Role::Warehouse | Role::Store) => {
            let id = LocationId::new(partner);
            (book.locations.contains_key(&id), book.location_name(&id))
        }
        _ => (!partner.trim().is_empty(), partner.to_owned()),
    };
    c.hard("recipient is known", known, detail);
    not_past(scene, c, "answer date is not past", answer_by);
}
