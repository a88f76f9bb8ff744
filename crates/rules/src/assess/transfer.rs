//! Transfers that are overdue: the goods at risk, and who knows where they are (handbook §4.6). What the receiver lacks
//! meanwhile is a shortage, and is counted as one.

use crate::detect::counted::Event;
use crate::role::Role;
use crate::scene::Scene;
use reeve_domain::action::Range;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::notice::CarrierState;
use reeve_domain::record::{RecordKind, RecordRef};
use reeve_domain::transit::Passage;

use super::gathered::{Gathered, Question, scaled};
use super::{counted, shortage};

/// Share of overdue transfers whose goods are not found again.
const LOST: f64 = 0.2;
/// The same where the carrier reports them lost or damaged.
const REPORTED_LOST: f64 = 0.9;

/// The transfer that an exception is about, while it lasts.
pub(super) fn passage_of(scene: &Scene<'_>, exception: &Exception) -> Option<Passage> {
    let cited = exception.signal.facts.iter().map(|f| &f.source).find(|s| s.kind == RecordKind::Move)?;
    scene.book.passage(&cited.id)
}

/// Assesses an overdue transfer.
pub(super) fn assess(gathered: &mut Gathered<'_>, exception: &Exception) {
    let scene = gathered.scene;
    let book = scene.book;
    let Some(passage) = passage_of(scene, exception) else { return };
    let carriers = book.carriers();
    let carrier = carriers.newest(&passage.documents);
    let reported = matches!(carrier, Some((_, CarrierState::Lost | CarrierState::Damaged, _)));
    let source = RecordRef::new(RecordKind::Move, passage.id.clone());
    let mut keys = Vec::new();
    // Goods that never left are on their old shelf: nothing of them is at risk on the way.
    if passage.shipped_at.is_some() || reported {
        let Some(cost) = gathered.cost(&passage.item) else { return };
        let share = if reported { REPORTED_LOST } else { LOST };
        let value = passage.qty * cost.price;
        let amount = scaled(Range { low: value, expected: value, high: value }, share);
        let cites = vec![
            cost.cite,
            gathered.fact(source.clone(), "qty", "not arrived", FactValue::Quantity(passage.qty)),
            gathered.fact(source.clone(), "goods_value", "value of the goods", FactValue::Money(value)),
            gathered.assume(source.clone(), "lost", "share of such goods that is not found again", share),
            gathered.fact(source.clone(), "goods_at_risk", "goods value at risk", FactValue::Money(amount.expected)),
        ];
        let key = format!("transit:{}", passage.id);
        let name = format!("{} with {}", book.item_label(&passage.item), passage.document());
        gathered.lose(&key, format!("goods that may be lost on their way: {name}"), amount, cites);
        keys.push(key);
    }
    if let Some(to) = &passage.to {
        let place = (passage.item.clone(), to.clone());
        keys.extend(shortage::keys(&place));
        // Goods that are reported lost are not unbooked on the shelf: counting there would find nothing.
        let shipped = passage.shipped_at.filter(|_| !reported).map(|at| Event { at, by: None });
        // A count that agreed since has found that they are not there unbooked.
        if shipped.is_some_and(|event| counted::agreed(gathered, &place, &event).is_none()) {
            gathered.recount(&passage.item, to, &keys, gathered.scene.settings.left.recount_transfer, None);
        }
    }
    // Whoever had the goods last is asked: the carrier where there is one, else who sent them.
    let sender = passage.from.as_ref().or(passage.to.as_ref());
    let (role, partner) = match (&carrier, sender) {
        (Some((notice, ..)), _) => (Role::Carrier, notice.source.clone()),
        (None, Some(sender)) => (Role::Warehouse, sender.as_str().to_owned()),
        (None, None) => (Role::Warehouse, String::new()),
    };
    let question = if passage.shipped_at.is_some() { "where are the goods" } else { "when will it leave" };
    gathered.contact(&Question {
        role,
        partner: &partner,
        about: &format!("transfer {}, which is overdue: {question}", passage.document()),
        keys: &keys,
        left: gathered.scene.settings.left.question,
        latest: gathered.answer_by(),
        source,
    });
    if reported {
        gathered.escalate("who bears what was lost on the way", "logistics");
    }
    let document = passage.document().to_owned();
    gathered.watch.get_or_insert_with(|| format!("{document} is booked in"));
}
