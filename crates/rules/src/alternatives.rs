//! What else could be done, so that two of a kind can be told from each other: "RECOUNT of AC-001 437.23; RECOUNT of AC-002
//! 372.59".

use reeve_domain::action::Action;
use reeve_domain::book::Book;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::recommendation::Recommendation;

/// The words that may tell two actions of one kind apart, the plainest first. None where the action does not have it.
type Marks = [Option<String>; 6];

/// What else would bring something, by name, with what tells it from others of its kind among `all`, the recommended one first.
/// One unit is no plan, and what costs more than it brings no alternative.
pub fn alternatives(book: &Book, all: &[Recommendation]) -> Vec<String> {
    let helps = |r: &&Recommendation| {
        let mut quantities = r.candidate.actions().map(Action::quantity);
        let enough = quantities.any(|quantity| quantity.is_none_or(|quantity| quantity > Quantity::units(1)));
        r.candidate.money.benefit.expected > Money::ZERO && enough
    };
    let Some((first, others)) = all.split_first() else { return Vec::new() };
    let shown: Vec<&Recommendation> = others.iter().filter(helps).collect();
    let all: Vec<&Recommendation> = [first].into_iter().chain(shown).collect();
    let line = |(name, r): (String, &&Recommendation)| format!("{name} {}", r.candidate.money.benefit.expected);
    told_apart(book, &all).into_iter().zip(&all).skip(1).map(line).collect()
}

/// The name of each of `all`, with what tells it from others of its kind: "TRANSFER from Northgate DC".
pub fn told_apart(book: &Book, all: &[&Recommendation]) -> Vec<String> {
    let marks: Vec<(String, Marks)> = all.iter().map(|r| (r.candidate.codes(), marks(book, &r.candidate.action))).collect();
    let name = |(at, (code, own)): (usize, &(String, Marks))| {
        let rivals: Vec<&Marks> = marks
            .iter()
            .enumerate()
            .filter(|(n, (other, _))| *n != at && other == code)
            .map(|(_, (_, marks))| marks)
            .collect();
        format!("{code}{}", said(own, &rivals))
    };
    marks.iter().enumerate().map(name).collect()
}

/// From where goods come is always said; of the rest as much as tells this one from each of its rivals.
fn said(own: &Marks, rivals: &[&Marks]) -> String {
    let mut words = String::new();
    let mut alike: Vec<&&Marks> = rivals.iter().collect();
    for (n, mark) in own.iter().enumerate() {
        let tells = alike.iter().any(|rival| rival[n] != *mark);
        if let Some(mark) = mark
            && (n == 0 || tells)
        {
            words.push(' ');
            words.push_str(mark);
            // Who has been told apart by this word needs no other.
            alike.retain(|rival| rival[n].as_ref() == Some(mark));
        }
    }
    words
}

fn marks(book: &Book, action: &Action) -> Marks {
    let order = |line: &String| book.po_lines.get(line).map(|l| format!("of {}", l.order_name));
    let about = action.about();
    let (mut from, mut document) = (None, None);
    match action {
        Action::Transfer { from: place, .. } => from = Some(format!("from {}", book.location_name(place))),
        Action::NewPo { supplier, .. } | Action::AltSupplier { supplier, .. } => {
            from = Some(format!("from {}", book.supplier_name(supplier)));
        }
        Action::AdjustParam { param, record, new, .. } => document = Some(format!("of {} to {new}", param.field(record).1)),
        Action::ReverseDoc { document: name, .. } | Action::AcceptVar { document: name, .. } => {
            document = Some(format!("of {name}"));
        }
        Action::Contact { role, .. } => document = Some(format!("to the {role}")),
        Action::Monitor { condition, .. } => document = Some(format!("until {condition}")),
        // A claim is told by its supplier's answer, not by one of its lines.
        Action::Claim { .. } => {}
        _ => document = about.lines.first().and_then(|line| order(line)),
    }
    let place = match (action, about.places.as_slice()) {
        // From where it comes is said already.
        (Action::Transfer { .. }, _) | (_, []) => None,
        (Action::NewPo { .. } | Action::AltSupplier { .. }, [place, ..]) => {
            Some(format!("to {}", book.location_name(place)))
        }
        (_, [place, ..]) => Some(format!("at {}", book.location_name(place))),
    };
    let item = action.item().map(|item| match book.items.get(item) {
        Some(known) if !known.sku.is_empty() => format!("of {}", known.sku),
        _ => format!("of {}", book.item_label(item)),
    });
    let quantity = action.quantity().map(|quantity| format!("{quantity} units"));
    let date = action.date().map(|(field, date)| format!("{} {date}", field.name));
    [from, document, item, place, quantity, date]
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::civil::date;

    use super::*;
    use reeve_domain::action::{Candidate, MoneySum, Range};
    use reeve_domain::calendar::Calendar;
    use reeve_domain::ids::{CaseId, ItemId, LocationId};
    use reeve_domain::recommendation::{Drafter, Prose};
    use reeve_domain::record::Record;

    fn proposed(action: Action, benefit: f64) -> Recommendation {
        let mut money = MoneySum::nothing(1.0, Range::default());
        money.benefit.expected = Money::from_f64(benefit);
        let candidate = Candidate {
            id: "A1".to_owned(),
            action,
            summary: String::new(),
            money,
            value: Money::ZERO,
            latest_date: date(2026, 10, 12),
            checks: vec![],
            cites: vec![],
            then: vec![],
        };
        let drafter = Drafter::Playbook { because: None };
        Recommendation::drafted(
            CaseId::new("c"),
            1,
            candidate,
            Prose::default(),
            String::new(),
            drafter,
            Timestamp::UNIX_EPOCH,
        )
    }

    fn book() -> Book {
        let location = |id: &str, name: &str| Record::Location(reeve_testing::records::location(id, name));
        Book::new(Timestamp::UNIX_EPOCH, Calendar::utc(), [location("1", "Northgate DC"), location("2", "Riverside")])
    }

    fn transfer(from: &str, quantity: i64) -> Action {
        let (item, to) = (ItemId::new("75"), LocationId::new("9"));
        let (from, quantity) = (LocationId::new(from), Quantity::units(quantity));
        Action::Transfer { item, from, to, quantity, ship_on: date(2026, 10, 9) }
    }

    fn recount(item: &str, location: &str) -> Action {
        let (item, location) = (ItemId::new(item), LocationId::new(location));
        Action::Recount { item, location, deadline: date(2026, 10, 9), not_by: None }
    }

    fn nothing() -> Action {
        Action::NoAction { reason: String::new() }
    }

    #[test]
    fn alternatives_are_what_helps_with_where_it_comes_from() {
        let all = [
            proposed(nothing(), 200.0),
            proposed(transfer("1", 8), 110.7),
            proposed(nothing(), 5.0),
            proposed(transfer("1", 1), 4.0),
            proposed(nothing(), 0.0),
            proposed(transfer("1", 9), -3.0),
        ];
        assert_eq!(alternatives(&book(), &all), ["TRANSFER from Northgate DC 110.70", "NO-ACTION 5.00"]);
        assert!(alternatives(&book(), &[]).is_empty());
    }

    #[test]
    fn two_of_a_kind_say_what_tells_them_apart_and_no_more() {
        let of = |actions: Vec<Action>| {
            let all: Vec<Recommendation> = actions.into_iter().map(|action| proposed(action, 9.0)).collect();
            alternatives(&book(), &all)
        };
        // By item; the recommended one counts as a rival too.
        let said = of(vec![recount("70", "1"), recount("71", "1"), recount("72", "1")]);
        assert_eq!(said, ["RECOUNT of item 71 9.00", "RECOUNT of item 72 9.00"]);
        let said = of(vec![recount("70", "1"), recount("70", "2")]);
        assert_eq!(said, ["RECOUNT at Riverside 9.00"]);
        let said = of(vec![nothing(), recount("70", "1"), recount("70", "2"), recount("71", "2")]);
        assert_eq!(
            said,
            ["RECOUNT of item 70 at Northgate DC 9.00", "RECOUNT of item 70 at Riverside 9.00", "RECOUNT of item 71 9.00"]
        );
        let said = of(vec![transfer("1", 8), transfer("1", 12), transfer("2", 8)]);
        assert_eq!(said, ["TRANSFER from Northgate DC 12 units 9.00", "TRANSFER from Riverside 9.00"]);
        assert_eq!(of(vec![nothing(), recount("70", "1")]), ["RECOUNT 9.00"], "alone it needs no more");
    }
}
