//! Whom a case concerns: nobody may judge what they counted, received or wrote themselves.

use std::collections::BTreeSet;

use crate::assess::{counts_behind, posts_counts};
use reeve_domain::book::Book;
use reeve_domain::case::Case;
use reeve_domain::exception::{Exception, Signal};
use reeve_domain::record::{MoveKind, StockMove};

/// The ERP's user ids of those whose own count, receipt or other document a case is about. The recording and Odoo say of a
/// bill only when it was entered, so whoever entered one is not known.
pub fn entered_by<'b>(book: &'b Book, case: &Case, exceptions: &[Exception]) -> BTreeSet<&'b str> {
    let mut hands = BTreeSet::new();
    let subjects = exceptions.iter().map(|e| &e.signal.subject).chain([&case.subject]);
    for subject in subjects {
        let of_document = subject.document.iter().flat_map(|document| book.moves_of_document(document));
        let of_line = subject.po_line.iter().flat_map(|line| book.moves_of_po_line(line));
        let own_line = |m: &&StockMove| m.kind == MoveKind::Receipt && m.po_line == subject.po_line;
        hands.extend(of_document.chain(of_line.filter(own_line)).filter_map(|m| m.entered_by.as_deref()));
    }
    for exception in exceptions {
        let Signal { subject, from, to, .. } = &exception.signal;
        let (Some(item), Some(location)) = (&subject.item, &subject.location) else { continue };
        let counts = book.moves_at(item, location).into_iter().filter(|m| m.kind == MoveKind::Count);
        let seen = counts.filter(|m| (*from..=*to).contains(&book.calendar.day_of(m.done_at.unwrap_or(m.created_at))));
        hands.extend(seen.filter_map(|m| m.entered_by.as_deref()));
        // A posting rests on counts of days before anything was wrong, too.
        if posts_counts(exception.signal.code) {
            let place = (item.clone(), location.clone());
            hands.extend(counts_behind(book, &place).filter_map(|m| m.entered_by.as_deref()));
        }
    }
    // Nobody's is nobody's: an empty id must not match people without one.
    hands.remove("");
    hands
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::settings::Settings;
    use reeve_domain::exception::{ExceptionType, Subject};
    use reeve_domain::ids::{ItemId, LocationId};
    use reeve_domain::record::Record;

    const NOON: &str = "2026-10-08T12:00:00Z";

    fn moved(id: &str, kind: MoveKind, document: &str, line: Option<&str>, who: &str) -> StockMove {
        let at: Timestamp = NOON.parse().unwrap();
        StockMove {
            created_at: at,
            done_at: Some(at),
            document: document.to_owned(),
            po_line: line.map(str::to_owned),
            entered_by: Some(who.to_owned()),
            ..reeve_testing::records::moved(id, kind, None, Some("2"))
        }
    }

    #[test]
    fn a_case_concerns_whoever_received_or_wrote_what_it_is_about_and_nobody_else() {
        let calendar = Settings::defaults().calendar.calendar();
        let moves = [
            moved("1", MoveKind::Receipt, "IN/1", Some("10"), "receiver"),
            moved("2", MoveKind::Receipt, "IN/2", Some("11"), "other receiver"),
            moved("3", MoveKind::Scrap, "SP/1", None, "writer"),
            moved("4", MoveKind::Delivery, "OUT/1", Some("10"), "deliverer"),
            moved("5", MoveKind::Receipt, "SP/1", None, ""),
        ];
        let book = Book::new(NOON.parse().unwrap(), calendar, moves.map(Record::Move));
        let about = |subject: Subject| Case { subject, ..reeve_testing::cases::case("case-1", &[], NOON.parse().unwrap()) };
        let line = about(Subject { po_line: Some("10".into()), ..Subject::default() });
        assert_eq!(entered_by(&book, &line, &[]), BTreeSet::from(["receiver"]));
        let document = about(Subject { document: Some("SP/1".into()), ..Subject::default() });
        assert_eq!(entered_by(&book, &document, &[]), BTreeSet::from(["writer"]));
        assert!(entered_by(&book, &about(Subject::default()), &[]).is_empty());
    }

    #[test]
    fn whoever_counted_before_anything_was_wrong_is_concerned_where_their_counts_can_be_posted() {
        let counted = |id: &str, who: &str, at: &str, applied: bool| {
            let at: Timestamp = at.parse().unwrap();
            let count = moved(id, MoveKind::Count, "", None, who);
            Record::Move(StockMove { created_at: at, done_at: applied.then_some(at), ..count })
        };
        let counts = [
            counted("1", "ari", "2026-10-05T12:00:00Z", true),
            counted("2", "bo", "2026-10-07T12:00:00Z", true),
            counted("3", "cleo", "2026-10-06T12:00:00Z", false),
            counted("4", "dan", "2026-09-20T12:00:00Z", true),
        ];
        let calendar = Settings::defaults().calendar.calendar();
        let now: Timestamp = "2026-10-09T12:00:00Z".parse().unwrap();
        let book = Book::new(now, calendar, counts);
        let hands = |code: ExceptionType| {
            let place = Subject::at(&ItemId::new("1"), &LocationId::new("2"));
            // Below nothing is today what was counted right on days before.
            let signal = Signal::rule("stock/1", code, place, "day".into(), (book.today, book.today), String::new());
            let exceptions = [reeve_testing::cases::exception(signal, now)];
            let case = reeve_testing::cases::case("case-1", &exceptions, now);
            entered_by(&book, &case, &exceptions)
        };
        assert_eq!(hands(ExceptionType::INeg), BTreeSet::from(["ari", "bo", "cleo"]), "dan's count is too old to be posted");
        assert_eq!(hands(ExceptionType::ICount), hands(ExceptionType::INeg));
        assert!(hands(ExceptionType::ILow).is_empty(), "who counted may order");
    }
}
