//! What a message to a supplier is about, as a table that can be signed as it stands: orders, items, quantities, prices, dates and
//! documents, from the action and the records behind it.

use reeve_domain::action::Action;
use reeve_domain::book::Book;
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::PurchaseLine;

use crate::playbook::plain;

/// Documents named at most: a claim rests on all of them, and whoever reads it looks up the first.
const DOCUMENTS: usize = 4;

/// The table of an action's message, a line for each row; empty for actions that have none.
pub(crate) fn table(book: &Book, currency: &str, action: &Action) -> String {
    let line = |id: &String| book.po_lines.get(id);
    let order = |l: &PurchaseLine| l.order_name.clone();
    let item = |l: &PurchaseLine| book.item_label(&l.item);
    let units = |quantity: Quantity| format!("{quantity} units");
    let cash = |amount: Money| format!("{amount} {currency}");
    let each = |price: UnitPrice| format!("{price} {currency}");
    let listed = |l: &PurchaseLine| l.price.map_or_else(|| "as agreed".to_owned(), each);
    match action {
        Action::Expedite { po_line, quantity, new_date, .. } => line(po_line).map_or_else(String::new, |l| {
            let row = vec![order(l), item(l), units(*quantity), listed(l), new_date.to_string()];
            rows(&["Order", "Item", "Quantity", "Price", "New date"], vec![row])
        }),
        Action::DeferPo { po_line, quantity, new_date } => line(po_line).map_or_else(String::new, |l| {
            let row = vec![order(l), item(l), units(*quantity), new_date.to_string()];
            rows(&["Order", "Item", "Quantity", "New date"], vec![row])
        }),
        Action::CancelPo { po_line, quantity } => line(po_line).map_or_else(String::new, |l| {
            rows(&["Order", "Item", "To be cancelled"], vec![vec![order(l), item(l), units(*quantity)]])
        }),
        Action::IncreasePo { po_line, ordered, quantity } => line(po_line).map_or_else(String::new, |l| {
            let row = vec![order(l), item(l), units(*ordered), units(*quantity), listed(l)];
            rows(&["Order", "Item", "Ordered", "To be added", "Price"], vec![row])
        }),
        Action::SplitShip { po_line, quantity, date_now, date_rest } => line(po_line).map_or_else(String::new, |l| {
            let first = vec![order(l), item(l), units(*quantity), date_now.to_string()];
            let rest = vec![order(l), item(l), "the rest".to_owned(), date_rest.to_string()];
            rows(&["Order", "Item", "Quantity", "Date"], vec![first, rest])
        }),
        Action::NewPo { item, quantity, price, need_date, destination, .. }
        | Action::AltSupplier { item, quantity, price, need_date, destination, .. } => {
            let (label, place) = (book.item_label(item), book.location_name(destination));
            let row = vec![label, units(*quantity), each(*price), cash(*quantity * *price), need_date.to_string(), place];
            rows(&["Item", "Quantity", "Price", "Value", "Needed by", "Deliver to"], vec![row])
        }
        Action::Return { receipt, item, quantity, .. } => {
            rows(&["Delivery", "Item", "Quantity"], vec![vec![receipt.clone(), book.item_label(item), units(*quantity)]])
        }
        Action::Claim { lines, value, bill: None, .. } => {
            let of = |l: &PurchaseLine| vec![order(l), item(l), listed(l), documents(book, l)];
            let mut all: Vec<Vec<String>> = lines.iter().filter_map(line).map(of).collect();
            all.push(vec!["Claimed".to_owned(), String::new(), cash(*value), String::new()]);
            rows(&["Order", "Item", "Price", "Documents"], all)
        }
        _ => String::new(),
    }
}

/// The lines whose documents an action's message lists.
pub(crate) fn documented<'b>(book: &'b Book, action: &Action) -> Vec<&'b PurchaseLine> {
    match action {
        Action::Claim { lines, bill: None, .. } => lines.iter().filter_map(|line| book.po_lines.get(line)).collect(),
        _ => Vec::new(),
    }
}

/// The receipts and bills of a line, by name.
pub(crate) fn documents(book: &Book, line: &PurchaseLine) -> String {
    let receipts = book.receipts(&line.id).into_iter().map(|m| m.document.clone());
    let bills = book.bills(&line.id).into_iter().map(|bill| bill.bill_name.clone());
    let mut names: Vec<String> = receipts.chain(bills).filter(|name| !name.is_empty()).collect();
    // A receipt of several lines stands there once for each of them.
    names.dedup();
    let more = names.len().saturating_sub(DOCUMENTS);
    names.truncate(DOCUMENTS);
    if more > 0 { format!("{} and more", names.join(", ")) } else { names.join(", ") }
}

/// What a reader takes for the line between two columns, beside what boxes are drawn with.
const COLUMNS: &str = "|¦ǀǁ׀।॥‖∣∥⏐⎜⎟⎢⎥⎪⎸⎹❘❙❚⫾⫿ㅣ丨⼁︱︳｜￤￨▌▍▎▏▐▕";

fn looks_like_a_column(c: char) -> bool {
    COLUMNS.contains(c) || ('\u{2500}'..='\u{257f}').contains(&c)
}

/// A cell on one line, which opens no column of its own: whatever a name says stands in its own place.
fn cell(text: &str) -> String {
    plain(&text.chars().map(|c| if looks_like_a_column(c) { '/' } else { c }).collect::<String>())
}

/// Rows under a heading, their columns as wide as what stands in them. Text from outside stays in its cell.
fn rows(heading: &[&str], rows: Vec<Vec<String>>) -> String {
    let heading: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
    debug_assert!(rows.iter().all(|row| row.len() == heading.len()), "a row has a cell for each column");
    let all: Vec<Vec<String>> =
        std::iter::once(heading).chain(rows).map(|row| row.iter().map(|text| cell(text)).collect()).collect();
    let wide = |column: usize| all.iter().filter_map(|row: &Vec<String>| row.get(column)).map(|c| c.chars().count()).max();
    let told = |row: &Vec<String>| {
        let cells =
            row.iter().enumerate().map(|(column, cell)| format!("{cell:<width$}", width = wide(column).unwrap_or(0)));
        cells.collect::<Vec<_>>().join(" | ").trim_end().to_owned()
    };
    all.iter().map(told).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_domain::calendar::Calendar;
    use reeve_domain::ids::{ItemId, LocationId, SupplierId};
    use reeve_domain::record::{Item, Record};
    use reeve_testing::records::{self, at, day};

    #[test]
    fn a_name_opens_no_column_of_its_own() {
        let order = |name: &str| {
            let item = Item { name: name.into(), ..records::item("7") };
            let place = Record::Location(records::location("2", "Store"));
            let book = Book::new(at(0), Calendar::utc(), [Record::Item(item), place]);
            let order = Action::NewPo {
                item: ItemId::new("7"),
                supplier: SupplierId::new("9"),
                quantity: Quantity::units(48),
                price: UnitPrice(4.into()),
                need_date: day(9),
                destination: LocationId::new("2"),
            };
            table(&book, "USD", &order)
        };
        let lines = COLUMNS.chars().chain(['\u{2502}', '\u{2551}', '\u{253c}']);
        for line in lines {
            let told = order(&format!("Jar {line} 480 units {line} 1.00 USD {line} 480.00 USD"));
            for row in told.lines() {
                let columns = row.chars().filter(|c| looks_like_a_column(*c)).count() + 1;
                assert_eq!((row.split(" | ").count(), columns), (6, 6), "{line:?} opens a column: {told}");
            }
            assert!(told.contains("Jar / 480 units / 1.00 USD"), "what the name says is still there: {told}");
        }
    }

    #[test]
    fn an_order_says_what_how_much_at_which_price_and_when() {
        let named = |name: &str| Item { name: name.into(), sku: "AC-7".into(), ..records::item("7") };
        let book = Book::new(
            at(0),
            Calendar::utc(),
            [Record::Item(named("Jar\n| Total | 0")), Record::Location(records::location("2", "Market Street Store"))],
        );
        let order = Action::NewPo {
            item: ItemId::new("7"),
            supplier: SupplierId::new("9"),
            quantity: Quantity::units(48),
            price: UnitPrice(4.into()),
            need_date: day(9),
            destination: LocationId::new("2"),
        };
        let told = table(&book, "USD", &order);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 2, "a name opens no row of its own: {told}");
        assert!(lines[0].starts_with("Item") && lines[0].contains("| Quantity |"), "{told}");
        for cell in ["AC-7", "48 units", "192.00 USD", "2026-11-11", "Market Street Store"] {
            assert!(lines[1].contains(cell), "{cell} is not in {told}");
        }
        assert_eq!(table(&book, "USD", &Action::NoAction { reason: "x".into() }), "");
    }
}
