//! Suppliers' own numbers on their bills, as people type them: in any case, with blanks, dashes and zeros or without.

/// A number read apart into runs of letters and of digits: `ver 0043/a` is `VER`, `43`, `A`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BillNumber {
    runs: Vec<String>,
}

/// How two numbers stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// One number, however it was typed.
    Same,
    /// The one with something short before or behind it: `VER-4043A`, `INV 4043`, `4043/2`.
    Alike,
    /// Two numbers.
    Other,
    /// At least one bill carries no number of its own.
    Unknown,
}

/// Letters that one number may have more than the other and still be like it: `COPY`, `BIS`, `INV`.
const LETTERS_MORE: usize = 6;
/// Digits that one number may have more, set apart: `4043-2`.
const DIGITS_MORE: usize = 2;

impl BillNumber {
    /// Reads a number. None where there is no digit other than zero in it: `n/a`, `see mail` and `0` number nothing.
    pub fn read(text: &str) -> Option<Self> {
        let mut runs: Vec<String> = Vec::new();
        let mut last = None;
        for c in text.chars() {
            let kind = c.is_alphanumeric().then(|| c.is_numeric());
            if let Some(digits) = kind {
                if last != Some(digits) {
                    runs.push(String::new());
                }
                // Zeros before a number are typed by some and left out by others.
                if let Some(run) = runs.last_mut().filter(|run| !(digits && c == '0' && run.is_empty())) {
                    run.extend(c.to_uppercase());
                }
            }
            last = kind;
        }
        // A run of nothing but zeros tells nothing apart.
        runs.retain(|run| !run.is_empty());
        runs.iter().any(|run| is_digits(run)).then_some(Self { runs })
    }

    /// The number without what separates its parts.
    pub fn compact(&self) -> String {
        self.runs.concat()
    }

    /// How this number stands to another.
    pub fn against(&self, other: &Self) -> Numbers {
        if self.runs == other.runs || self.compact() == other.compact() {
            return Numbers::Same;
        }
        let (short, long) =
            if self.runs.len() < other.runs.len() { (&self.runs, &other.runs) } else { (&other.runs, &self.runs) };
        // A copy of a bill is often numbered as the first one with something added at either end.
        let rest = if long.starts_with(short) {
            &long[short.len()..]
        } else if long.ends_with(short) {
            &long[..long.len() - short.len()]
        } else {
            return Numbers::Other;
        };
        let count = |digits: bool| -> usize {
            rest.iter().filter(|run| is_digits(run) == digits).map(|run| run.chars().count()).sum()
        };
        if count(false) <= LETTERS_MORE && count(true) <= DIGITS_MORE { Numbers::Alike } else { Numbers::Other }
    }
}

fn is_digits(run: &str) -> bool {
    run.chars().all(char::is_numeric)
}

/// How the numbers of two bills stand to each other, where both have one.
pub fn compare(a: Option<&BillNumber>, b: Option<&BillNumber>) -> Numbers {
    match (a, b) {
        (Some(a), Some(b)) => a.against(b),
        _ => Numbers::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(a: &str, b: &str, expected: Numbers) {
        let found = |a, b| compare(BillNumber::read(a).as_ref(), BillNumber::read(b).as_ref());
        assert_eq!(found(a, b), expected, "{a:?} and {b:?}");
        assert_eq!(found(b, a), expected, "{b:?} and {a:?}");
    }

    #[test]
    fn one_number_is_typed_in_many_ways() {
        for typed in ["VER 4043", "ver4043", " VER-4043 ", "VER.4043", "ver/04043", "VER-004043", "V.E.R. 4043"] {
            // Dots between letters part them; what is left is the same all the same.
            check("VER-4043", typed, Numbers::Same);
        }
        check("2026-0012", "2026/12", Numbers::Same);
        check("INV-2026-1012", "INV20261012", Numbers::Same);
        check("4043", "0004043", Numbers::Same);
        check("äb-7", "ÄB 7", Numbers::Same);
    }

    #[test]
    fn a_short_addition_makes_a_number_like_another() {
        for typed in ["VER-4043A", "VER-4043/2", "4043", "VER 4043 copy", "INV VER-4043"] {
            check("VER-4043", typed, Numbers::Alike);
        }
    }

    #[test]
    fn other_numbers_are_others_and_words_are_none() {
        for typed in ["VER-4044", "VER-40431", "HW-4043", "VER-4043-2026"] {
            check("VER-4043", typed, Numbers::Other);
        }
        // Two parts of one thing, each with its own mark.
        check("VER-4043-1", "VER-4043-2", Numbers::Other);
        check("VER-4043A", "VER-4043B", Numbers::Other);
        for typed in ["", "n/a", "see mail", "000", "-"] {
            check("VER-4043", typed, Numbers::Unknown);
        }
    }
}
