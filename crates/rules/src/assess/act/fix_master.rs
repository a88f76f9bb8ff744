//! FIX-MASTER: a field of master data as its source of truth says it (handbook §5).

use crate::assess::checks::{Checks, still};
use crate::assess::gathered::{Gathered, Proposal, item_ref, line_ref};
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::evidence::FactValue;
use reeve_domain::ids::ItemId;
use reeve_domain::record::PurchaseLine;

/// Puts in the unit cost that the newest received order says, where the master data have none.
pub(in crate::assess) fn missing_cost(gathered: &mut Gathered<'_>, item: &ItemId) {
    let book = gathered.scene.book;
    if book.items.get(item).is_none_or(|i| i.cost.is_some()) {
        return;
    }
    let came = |line: &&PurchaseLine| line.confirmed && !book.receipts(&line.id).is_empty();
    // A received order is a price that was really paid; a price list may never have been bought from.
    let newest = book.lines_of_item(item).into_iter().filter(came).max_by_key(|line| (line.ordered_at, line.id.clone()));
    let Some((line, price)) = newest.and_then(|line| Some((line, line.price?))) else { return };
    let cites = vec![
        gathered.fact(line_ref(&line.id), "price", &format!("price on {}", line.order_name), FactValue::Price(price)),
        gathered.fact(
            line_ref(&line.id),
            "ordered_at",
            "ordered on",
            FactValue::Date(book.calendar.day_of(line.ordered_at)),
        ),
    ];
    let summary =
        format!("Enter {price} as unit cost of {}, as it was bought on {}.", book.item_label(item), line.order_name);
    // What a missing cost hides can not be counted, so the correction claims no money and stands behind the question.
    let mut proposal = Proposal::idle(
        Action::FixMaster {
            record: item_ref(item),
            field: "cost".to_owned(),
            old: String::new(),
            new: price.to_string(),
            source: line_ref(&line.id).to_string(),
        },
        summary,
        gathered.today_plus(14),
    );
    proposal.cites = cites;
    gathered.proposals.push(proposal);
}

/// FIX-MASTER.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::FixMaster { record, field, old, new, source } = action else { return };
    still(scene, c, record, field, old);
    c.hard("something changes", old != new, format!("{old} to {new}"));
    c.hard("source is cited", !source.trim().is_empty(), source.clone());
}
