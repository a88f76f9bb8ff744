//! A receipt that repeats another: stock that is in the books twice, and bills that were passed because of it (handbook §4.2,
//! R-DUP). How far it still asks for anything is said in `doubled`.

use std::collections::BTreeMap;

use reeve_domain::action::{Action, Range};
use reeve_domain::book::Place;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::ids::ItemId;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{RecordKind, RecordRef, StockMove};
use reeve_domain::surplus::{self, Surplus};

use super::gathered::{Gathered, Proposal, line_ref};
use super::matching::{self, Disputes};
use super::receiving::{false_stock, receipts_of};

/// Assesses a receipt that repeats another.
pub(super) fn assess(gathered: &mut Gathered<'_>, exception: &Exception, disputes: &mut Disputes) {
    let book = gathered.scene.book;
    let subject = &exception.signal.subject;
    let Some(document) = &subject.document else { return };
    let moves: Vec<StockMove> = receipts_of(gathered, document);
    let Some(head) = moves.first() else {
        gathered.miss(format!("receipt {document}"), "the stock booked twice");
        return;
    };
    // How much of it is one too many, and how much of that has been taken out again since, the book knows.
    let doubled = book.surplus_of(document);
    let mut taken_out: BTreeMap<&str, (Quantity, &ItemId)> = BTreeMap::new();
    // Several lines of a receipt may have brought one item to one place: it is one loss.
    let mut places: BTreeMap<&Place, (Quantity, &Surplus)> = BTreeMap::new();
    for surplus in &doubled {
        for (taken, qty) in &surplus.taken_out {
            taken_out.entry(taken).or_insert((Quantity::ZERO, &surplus.place.0)).0 += *qty;
        }
        let ours = book.find_move(&surplus.receipt).is_none_or(|m| m.owner.is_none());
        // Goods of another owner on our shelf are no loss of ours.
        if ours && surplus.left().is_positive() {
            places.entry(&surplus.place).or_insert((Quantity::ZERO, surplus)).0 += surplus.left();
        }
    }
    for (taken, (qty, item)) in taken_out {
        let label = format!("taken off the books since, {}", book.item_label(item));
        gathered.fact(RecordRef::new(RecordKind::Move, taken.to_owned()), "taken_out", &label, FactValue::Quantity(qty));
    }
    let mut keys = Vec::new();
    for (place, (left, surplus)) in places {
        let source = RecordRef::new(RecordKind::Move, surplus.receipt.clone());
        let Some(key) = false_stock(gathered, place, left, "stock received twice", source) else { continue };
        // Whoever booked it in twice would find it twice again.
        let counter = book.find_move(&surplus.receipt).and_then(|m| m.entered_by.clone());
        gathered.recount(&place.0, &place.1, std::slice::from_ref(&key), gathered.scene.settings.left.recount, counter);
        keys.push(key);
    }
    // The bill check compares with what is booked as received, so what was booked twice passes it.
    for line in surplus::lines_of(&doubled) {
        billed_twice(gathered, line, book.billed_twice(line, &doubled), disputes);
    }
    let beside = |m: &StockMove| {
        let receipts = book.receipts(book.line_of(m)?).into_iter();
        receipts.filter(|r| r.document != *document).map(|r| r.document.clone()).next()
    };
    // Only where the order's lines have another receipt is there something that this one repeats.
    let Some(original) = moves.iter().find_map(beside) else { return };
    // What was taken out since, a reversal would take out again: then only what is left can be counted.
    if !doubled.iter().all(|surplus| super::bills::is_still_there(gathered.scene, surplus)) {
        return;
    }
    // Reversing a receipt that was right means booking it in again: twice the paperwork.
    let cost = gathered.scene.settings.costs.paperwork;
    let source = RecordRef::new(RecordKind::Move, head.id.clone());
    let cites = vec![
        gathered.fact(source.clone(), "cost_paperwork", "cost of the paperwork (setting)", FactValue::Money(cost)),
        gathered.assume(
            source,
            "reverse_left",
            "share that remains after a reversal",
            gathered.scene.settings.left.reversal,
        ),
    ];
    let value: Money = keys.iter().map(|k| gathered.lost(k).expected).sum();
    gathered.proposals.push(Proposal {
        action: Action::ReverseDoc { document: document.clone(), duplicate_of: original.clone() },
        summary: format!("Reverse receipt {document}, which repeats {original}."),
        then: Vec::new(),
        after: Gathered::leaving(&keys, gathered.scene.settings.left.reversal),
        cost,
        regret: cost + cost,
        value,
        latest: gathered.today_plus(7),
        cites,
        change: None,
    });
}

/// Billed because it was received twice: the books show the goods, so that the bill check alone is content.
fn billed_twice(gathered: &mut Gathered<'_>, line: &str, twice: Quantity, disputes: &mut Disputes) {
    let book = gathered.scene.book;
    let Some(line) = book.po_lines.get(line).filter(|_| twice.is_positive()) else { return };
    disputes.add(gathered, &line.id, true, false);
    let Some(price) = line.price else { return };
    let source = line_ref(&line.id);
    let amount = twice * price;
    let cites = vec![
        gathered.fact(source.clone(), "price", "agreed price", FactValue::Price(price)),
        gathered.fact(source.clone(), "billed_twice", "billed of what was received twice", FactValue::Quantity(twice)),
        gathered.fact(source, "paid_twice", "to be paid twice", FactValue::Money(amount)),
    ];
    let [key, ..] = matching::keys(&line.id);
    let name = format!("{} on {}", book.item_label(&line.item), line.order_name);
    gathered.lose(&key, format!("billed for goods received twice: {name}"), Range::certain(amount), cites);
}
