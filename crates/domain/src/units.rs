//! Units as partners write them: UN/ECE Recommendation 20 (measures), 21 (packages, with an X before them), the commonest of
//! X12, and plain words.
//!
//! A measure converts by itself: a dozen is twelve pieces. A package says nothing of what it holds: how many that are is
//! known by the item, its supplier or the order, or it is not known.

use rust_decimal::Decimal;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Pieces.
    Count,
    /// Kilograms.
    Mass,
    /// Litres.
    Volume,
    /// Metres.
    Length,
    /// Square metres.
    Area,
}

/// A unit that converts to others of its dimension.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// Of what.
    pub dimension: Dimension,
    /// How many pieces, kilograms, litres, metres or square metres one is.
    pub size: Decimal,
}

/// A sort of package: sorts that go by several names are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Container(&'static str);

impl Container {
    /// A package of which nothing is known but that it is one.
    const ANY: Self = Self("package");

    /// Is it on the floor of a warehouse, not in a hand?
    pub fn is_pallet(self) -> bool {
        self.0 == "pallet"
    }
}

use Dimension::{Area, Count, Length, Mass, Volume};

/// Codes and words in capitals, of what, and the size as mantissa and decimals.
const MEASURES: &[(&[&str], Dimension, i64, u32)] = &[
    (
        &[
            "C62",
            "EA",
            "H87",
            "PCE",
            "PC",
            "PCS",
            "NAR",
            "NMB",
            "UN",
            "UNT",
            "XPP",
            "XUN",
            "XNE",
            "EACH",
            "UNIT",
            "UNITS",
            "UNIT(S)",
            "PIECE",
            "PIECES",
            "STK",
            "STÜCK",
            "STÜCKE",
            "EINHEIT(EN)",
            "EINHEITEN",
            "UNITÉ",
            "UNITÉS",
            "UNITÉ(S)",
            "UNIDAD",
            "UNIDADES",
            "UNIDAD(ES)",
            "UNITÀ",
            "STUK",
            "STUKS",
            "SZT",
        ],
        Count,
        1,
        0,
    ),
    (&["PR", "NPR", "PAIR", "PAIRS"], Count, 2, 0),
    (&["DZN", "DZ", "DPC", "DOZEN", "DOZENS", "DUTZEND", "DOUZAINE", "DOUZAINES", "DOCENA", "DOCENAS"], Count, 12, 0),
    (&["TPR"], Count, 20, 0),
    (&["DPR"], Count, 24, 0),
    (&["CEN", "HC"], Count, 100, 0),
    (&["GRO", "GROSS"], Count, 144, 0),
    (&["MIL", "T3"], Count, 1000, 0),
    (&["GGR"], Count, 1728, 0),
    (&["MGM", "MG"], Mass, 1, 6),
    (&["CGM"], Mass, 1, 5),
    (&["GRM", "G", "GR", "GRAM", "GRAMS"], Mass, 1, 3),
    (&["ONZ", "OZ"], Mass, 28_349_523_125, 12),
    (&["HGM"], Mass, 1, 1),
    (&["LBR", "LB", "LBS"], Mass, 45_359_237, 8),
    (&["KGM", "KG", "KGS", "KILOGRAM", "KILOGRAMS"], Mass, 1, 0),
    (&["DTN"], Mass, 100, 0),
    (&["STN"], Mass, 90_718_474, 5),
    (&["TNE", "T"], Mass, 1000, 0),
    (&["LTN"], Mass, 10_160_469_088, 7),
    (&["MLT", "ML", "CMQ"], Volume, 1, 3),
    (&["CLT", "CL"], Volume, 1, 2),
    (&["INQ", "IN³"], Volume, 16_387_064, 9),
    (&["OZA", "FL OZ (US)"], Volume, 295_735_295_625, 13),
    (&["DLT", "DL"], Volume, 1, 1),
    (&["PTL"], Volume, 473_176_473, 9),
    (&["QTL", "QT (US)"], Volume, 946_352_946, 9),
    (&["LTR", "L", "DMQ", "LITER", "LITERS", "LITRE", "LITRES"], Volume, 1, 0),
    (&["GLL", "GAL (US)"], Volume, 3_785_411_784, 9),
    (&["GLI"], Volume, 454_609, 5),
    (&["FTQ", "FT³"], Volume, 28_316_846_592, 9),
    (&["HLT", "HL"], Volume, 100, 0),
    (&["MTQ", "M³"], Volume, 1000, 0),
    (&["MMT", "MM"], Length, 1, 3),
    (&["CMT", "CM"], Length, 1, 2),
    (&["INH", "IN"], Length, 254, 4),
    (&["DMT", "DM"], Length, 1, 1),
    (&["FOT", "FT"], Length, 3048, 4),
    (&["YRD", "YD"], Length, 9144, 4),
    (&["MTR", "M", "METER", "METERS", "METRE", "METRES"], Length, 1, 0),
    (&["KMT", "KM"], Length, 1000, 0),
    (&["CMK"], Area, 1, 4),
    (&["FTK", "FT²"], Area, 9_290_304, 8),
    (&["YDK"], Area, 83_612_736, 8),
    (&["MTK", "M²"], Area, 1, 0),
];

/// Codes of packages without the X, and the words by which people name the same.
const CONTAINERS: &[(&str, &[&str], &[&str])] = &[
    (
        "case",
        &["CS", "CT", "BX", "CA", "CASE", "CTN", "KAR", "CR"],
        &[
            "CASE", "CARTON", "CARTONS", "CTN", "BOX", "BOXES", "CRATE", "KARTON", "KISTE", "CAJA", "CAISSE", "CARTONE",
            "DOOS", "SCATOLA", "KARTONS", "CASES", "CS", "CT", "BX",
        ],
    ),
    (
        "pack",
        &["PK", "PA", "PKT", "PACK"],
        &["PACK", "PACKS", "PACKET", "PACKAGE", "PAKET", "PACKUNG", "PAQUET", "PK", "PKT"],
    ),
    (
        "pallet",
        &["PF", "PX", "PL", "PLT", "PAL"],
        &["PALLET", "PALLETS", "PALETTE", "PALET", "PALLETTE", "PALLET(S)", "PLT"],
    ),
    ("bag", &["BG", "SA", "SAC"], &["BAG", "BAGS", "SACK", "SACKS", "BEUTEL", "SAC", "BOLSA"]),
    ("bottle", &["BO"], &["BOTTLE", "BOTTLES", "FLASCHE", "BOUTEILLE", "BOTELLA"]),
    ("can", &["CX", "CN"], &["CAN", "CANS", "TIN", "DOSE"]),
    ("drum", &["DR"], &["DRUM", "DRUMS", "FASS"]),
    ("roll", &["RO", "RL"], &["ROLL", "ROLLS", "ROLLE", "ROULEAU"]),
    ("tray", &["PU", "DS"], &["TRAY", "TRAYS", "DISPLAY"]),
    ("bundle", &["BE", "BD", "SET", "KT"], &["BUNDLE", "BUNDLES", "BÜNDEL", "SET", "KIT"]),
];

fn capitals(text: &str) -> String {
    text.trim().trim_end_matches('.').to_uppercase()
}

/// The measure that a code or a word names, where it does.
pub fn measure(text: &str) -> Option<Measure> {
    let text = capitals(text);
    let (_, dimension, mantissa, decimals) = MEASURES.iter().find(|(names, ..)| names.contains(&text.as_str()))?;
    Some(Measure { dimension: *dimension, size: Decimal::new(*mantissa, *decimals) })
}

/// The sort of package that a code names, where it names one and no measure.
pub fn container(code: &str) -> Option<Container> {
    let code = capitals(code);
    if measure(&code).is_some() {
        return None;
    }
    let is_21 = code.len() == 3 && code.starts_with('X') && code.bytes().all(|b| b.is_ascii_alphanumeric());
    // Recommendation 21 has other words for some of what 20 and X12 mean by two letters.
    let known = |code: &str| CONTAINERS.iter().find(|(_, codes, _)| codes.contains(&code)).map(|(sort, ..)| Container(sort));
    match code.as_str() {
        "XPF" | "XPL" => Some(Container::ANY),
        "XCA" => known("CX"),
        _ if is_21 => Some(known(&code[1..]).unwrap_or(Container::ANY)),
        code => known(code).or_else(|| container_named(code).filter(|_| !code.contains(' '))),
    }
}

/// The sort of package that a package's name speaks of, where it does: `Carton 12`.
pub fn container_named(name: &str) -> Option<Container> {
    let name = name.to_uppercase();
    let mut words = name.split(|c: char| !c.is_alphabetic());
    words.find_map(|word| CONTAINERS.iter().find(|(.., words)| words.contains(&word)).map(|(sort, ..)| Container(sort)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_stands_for_two_things() {
        let mut seen = BTreeSet::new();
        let measures = MEASURES.iter().flat_map(|(names, ..)| *names);
        for name in measures.chain(CONTAINERS.iter().flat_map(|(_, codes, _)| *codes)) {
            assert!(seen.insert(*name), "{name} stands twice");
            assert_eq!(*name, name.to_uppercase());
        }
    }

    #[test]
    fn measures_have_their_size() {
        let size = |code: &str| measure(code).map(|m| m.size.normalize().to_string());
        for (code, wanted) in [
            ("ea", "1"),
            ("C62", "1"),
            ("XPP", "1"),
            ("Units", "1"),
            ("DZN", "12"),
            ("Dozens", "12"),
            ("GRO", "144"),
            ("kg", "1"),
            ("GRM", "0.001"),
            ("LBR", "0.45359237"),
            ("mlt", "0.001"),
            ("L", "1"),
            ("CMT", "0.01"),
        ] {
            assert_eq!(size(code).as_deref(), Some(wanted), "{code}");
        }
        for none in ["CS", "XBX", "", "Pack of 6", "QQ", "ST"] {
            assert_eq!(size(none), None, "{none}");
        }
    }

    #[test]
    fn packages_are_told_from_measures_and_their_synonyms_are_one() {
        for code in ["CS", "ct", "BX", "XCT", "XBX", "XCS", "Carton"] {
            assert_eq!(container(code), container_named("Karton 12"), "{code}");
        }
        assert!(container("PF").is_some_and(Container::is_pallet) && container("XPX").is_some_and(Container::is_pallet));
        assert_eq!(container("XZZ"), Some(Container::ANY));
        for none in ["EA", "XPP", "KGM", "QQ", "", "X1", "Pack of 6"] {
            assert_eq!(container(none), None, "{none}");
        }
        assert_eq!(container_named("Pack of 6"), container("PA"));
        assert_eq!(container_named("12 pcs"), None);
    }
}
