//! Names of made-up things, by number.

const KINDS: [(&str, &[&str]); 8] = [
    ("Kitchen", &["Kettle", "Saucepan", "Mixing bowl", "Kitchen scale", "Bread knife"]),
    ("Coffee and tea", &["Espresso beans", "Filter coffee", "Green tea", "Black tea", "Cocoa"]),
    ("Household", &["Dish soap", "Laundry powder", "Sponge set", "Bin liners", "Glass cleaner"]),
    ("Garden", &["Potting soil", "Watering can", "Plant pot", "Grass seed", "Garden gloves"]),
    ("Stationery", &["Notebook", "Ballpoint pen", "Envelope set", "Desk folder", "Marker"]),
    ("Snacks", &["Oat biscuits", "Salted nuts", "Dark chocolate", "Rice crackers", "Dried apples"]),
    ("Bath", &["Hand soap", "Bath towel", "Shampoo", "Bath mat", "Hand cream"]),
    ("Tools", &["Screwdriver", "Tape measure", "Work light", "Hammer", "Drill bits"]),
];
const SORTS: [&str; 10] = ["classic", "large", "small", "blue", "green", "red", "natural", "premium", "travel", "family"];

/// Category and name of an item.
pub(super) fn item(number: u32) -> (&'static str, String) {
    let at = number as usize;
    let (category, nouns) = KINDS[at / 5 % KINDS.len()];
    (category, format!("{} {} {number}", nouns[at % nouns.len()], SORTS[at / 3 % SORTS.len()]))
}

/// Code and name of a location.
pub(super) fn location(number: u32) -> (String, String) {
    match number {
        1 => ("DC".to_owned(), "Distribution centre".to_owned()),
        _ => (format!("S{number:03}"), format!("Store {number:03}")),
    }
}

/// Name of a supplier.
pub(super) fn supplier(number: u32) -> String {
    format!("Supplier {number:02}")
}
