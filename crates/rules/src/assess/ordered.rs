//! An order above the supplier's price list (handbook §4.3, F-PRICE): what was ordered at a price is owed at that price. Until
//! it is billed the order can be put right; afterwards the supplier can only be asked.

use crate::role::Role;
use reeve_domain::action::Range;
use reeve_domain::book::Book;
use reeve_domain::calendar::plus_days;
use reeve_domain::evidence::FactValue;
use reeve_domain::money::{Money, UnitPrice};
use reeve_domain::record::{PurchaseLine, RecordKind, RecordRef};

use super::gathered::{Gathered, Question, line_ref};
use super::matching::{CLAIM_DAYS, accepted, claim_until, keys};

/// What a line's order asks beyond the price list of its day, with the list's entry. None where a price is not known.
fn above_list(book: &Book, line: &PurchaseLine) -> Option<(Money, String, UnitPrice)> {
    let entry = book.list_entry(line)?;
    let list = book.list_price(line, entry)?;
    Some((line.qty * UnitPrice(line.price?.0 - list.0), entry.id.clone(), list))
}

/// A price above the supplier's list when the order was placed.
pub(super) fn above_the_list(gathered: &mut Gathered<'_>, line_id: &str) {
    let book = gathered.scene.book;
    let Some(line) = book.po_lines.get(line_id) else {
        gathered.miss(format!("purchase line {line_id}"), "the price variance");
        return;
    };
    let Some(agreed) = line.price else {
        gathered.miss(format!("price of {} in company currency", line.order_name), "the price variance");
        return;
    };
    let Some((variance, id, list)) = above_list(book, line) else {
        gathered
            .miss(format!("list price of {} for {}", line.order_name, book.item_label(&line.item)), "the price variance");
        return;
    };
    let source = line_ref(&line.id);
    let cites = vec![
        gathered.fact(source.clone(), "qty", "ordered", FactValue::Quantity(line.qty)),
        gathered.fact(source.clone(), "price", "price on the order", FactValue::Price(agreed)),
        gathered.fact(
            RecordRef::new(RecordKind::SupplierPrice, id),
            "price",
            "supplier's list price",
            FactValue::Price(list),
        ),
        gathered.fact(source.clone(), "order_variance", "order beyond the list price", FactValue::Money(variance)),
    ];
    let [.., key] = keys(&line.id);
    let name = format!("{} on {}", book.item_label(&line.item), line.order_name);
    gathered.lose(&key, format!("ordered above the list price: {name}"), Range::certain(variance), cites.clone());
    // Below the list nobody asks why.
    if variance > Money::ZERO {
        let order = &line.order_name;
        // Before the bill a wrong price is a line to correct, afterwards money to get back: the chances differ.
        let is_billed = !book.bills(line_id).is_empty();
        let (about, left, latest) = if is_billed {
            let about = format!(
                "the price on order {order}: {agreed} was ordered and billed, above the price list of that day ({list})"
            );
            (about, gathered.scene.settings.left.question_ordered, claim_until(book, &[line]).unwrap_or(book.today))
        } else {
            let about = format!(
                "the price on order {order}: the price list says {list}, the order {agreed}, to be put right before it is billed"
            );
            // Until the goods are paid for the price can be put right.
            (about, gathered.scene.settings.left.question_bill, plus_days(book.calendar.day_of(line.promised), CLAIM_DAYS))
        };
        let keys = [key];
        gathered.contact(&Question {
            role: Role::Supplier,
            partner: line.supplier.as_str(),
            about: &about,
            keys: &keys,
            left,
            latest,
            source,
        });
    }
    let proposal = accepted(gathered, &line.order_name, variance, cites);
    gathered.proposals.push(proposal);
}
