//! Bills that nothing answers for, and goods that nobody has billed (handbook §4.3).

use crate::detect::unmatched::{asked, came_without_order, likely_order, unbilled_lines, unmatched_lines};
use crate::role::Role;
use reeve_domain::action::{Action, Range};
use reeve_domain::bill::Bill;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::money::Money;
use reeve_domain::record::{RecordKind, RecordRef};

use super::gathered::{Gathered, Proposal, Question};
use super::matching::{self, bill_facts, bill_name, lines_of_bill};

/// Share of a bill without an order that is owed to nobody, or not like this. The rest is owed, and only its order is missing.
const NOT_OWED: f64 = 0.3;
/// Share of it that remains after asking the supplier what it is for.
const LEFT_AFTER_CONTACT: f64 = 0.4;
/// Share of what is billed late that is billed wrong and paid, because nobody has the papers any more.
const BILLED_WRONG: f64 = 0.01;
/// Share of that which remains after asking for the bill now.
const LEFT_AFTER_ASKING: f64 = 0.3;

/// A bill without order or receipt: what of it is perhaps not owed, less as far as an order fits it.
pub(super) fn bill(gathered: &mut Gathered<'_>, exception: &Exception) {
    let book = gathered.scene.book;
    let Some(id) = exception.signal.subject.bill.as_deref() else { return };
    let Some(bill) = Bill::of_lines(lines_of_bill(book, id)).pop() else { return };
    let lines = unmatched_lines(book, &bill);
    let Some(first) = lines.first().copied() else { return };
    let name = bill_name(first);
    let Some(amount) = asked(&lines) else {
        gathered.miss(format!("price of bill {name} in company currency"), "what is not owed of it");
        return;
    };
    let source = RecordRef::new(RecordKind::BillLine, first.id.clone());
    let likely = likely_order(book, &bill, &lines);
    let share = likely.as_ref().map_or(0.0, |likely| likely.fit);
    let at_risk = Money::from_f64(amount.to_f64() * NOT_OWED * (1.0 - share));
    let mut cites = bill_facts(gathered, first);
    cites.extend([
        gathered.fact(source.clone(), "unmatched", "billed without order", FactValue::Money(amount)),
        gathered.assume(source.clone(), "not_owed", "share of such bills that is not owed", NOT_OWED),
        gathered.fact(source.clone(), "fit", "how well the likeliest order fits", FactValue::percent(share * 100.0)),
        gathered.fact(source.clone(), "unmatched_at_stake", "what may not be owed", FactValue::Money(at_risk)),
    ]);
    let key = format!("bill:{id}/unmatched");
    gathered.lose(&key, format!("paid without an order: {name}"), Range::certain(at_risk), cites);
    let keys = [key];
    // On its due day it is paid by itself; where that day has passed it may still be unpaid tomorrow.
    let latest = first.due_on.unwrap_or(book.today).max(gathered.tomorrow());
    let (cost, cost_cite) = matching::paperwork(gathered, source.clone());
    let cites = vec![
        cost_cite,
        gathered.fact(source.clone(), "disputed", "disputed", FactValue::Money(amount)),
        gathered.assume(
            source.clone(),
            "block_left",
            "share that is paid although blocked",
            gathered.scene.settings.left.block,
        ),
    ];
    let supplier = book.supplier_name(&first.supplier);
    let came = came_without_order(book, &bill, &lines).is_some();
    let reason = if came { "no order for it" } else { "no order or receipt for it" };
    gathered.proposals.push(Proposal {
        action: Action::BlockBill { bill: id.to_owned(), disputed: amount, reason: reason.into() },
        summary: format!("Keep {amount} of bill {name} from {supplier} unpaid until its order is found."),
        after: Gathered::leaving(&keys, gathered.scene.settings.left.block),
        cost,
        regret: gathered.scene.settings.costs.contact,
        value: amount,
        latest,
        cites,
        change: None,
        then: Vec::new(),
    });
    let about = likely.map_or_else(
        || format!("bill {name}: for which order is it"),
        |likely| format!("bill {name}: is it for our order {}", likely.order),
    );
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: first.supplier.as_str(),
        about: &about,
        keys: &keys,
        left: LEFT_AFTER_CONTACT,
        latest,
        source,
    });
    gathered.watch.get_or_insert_with(|| format!("an order or a receipt is found for {name}"));
}

/// Goods that nobody has billed: they are owed and stand in the accruals; what can be lost is that the bill comes when nobody
/// can check it.
pub(super) fn unbilled(gathered: &mut Gathered<'_>, exception: &Exception) {
    let scene = gathered.scene;
    let book = scene.book;
    let Some(supplier) = &exception.signal.subject.supplier else { return };
    // The lines that the exception cites say whose case it is.
    let company = super::gathered::company_of(scene);
    let all = unbilled_lines(book, scene.settings, supplier);
    let Some(lines) = all.get(&company) else { return };
    let value: Money = lines.iter().map(|(.., value)| *value).sum();
    // The goods will be billed and are owed. Only what nobody can check any more by then is at stake.
    let at_stake = Money::from_f64(value.to_f64() * BILLED_WRONG);
    let source = RecordRef::new(RecordKind::Supplier, supplier.as_str());
    let cites = vec![
        gathered.fact(source.clone(), "unbilled", "received and not billed", FactValue::Money(value)),
        gathered.assume(source.clone(), "billed_wrong", "share of late bills that is wrong and paid", BILLED_WRONG),
        gathered.fact(source.clone(), "unbilled_at_stake", "what that comes to", FactValue::Money(at_stake)),
    ];
    let key = format!("unbilled:{supplier}");
    let name = book.supplier_name(supplier);
    gathered.lose(&key, format!("billed late and wrong: {name}"), Range::certain(at_stake), cites);
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: supplier.as_str(),
        about: "goods that came and were not billed: please send the bills",
        keys: &[key],
        left: LEFT_AFTER_ASKING,
        latest: gathered.today_plus(14),
        source,
    });
    gathered.watch.get_or_insert_with(|| format!("{name} bills what it has delivered"));
}
