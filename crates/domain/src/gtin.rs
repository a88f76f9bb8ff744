//! GTINs (GS1): 8, 12, 13 or 14 digits of which the last is a check digit. The same number is written with and without
//! leading zeros, so it is compared without them.

/// Most digits of a GTIN.
const DIGITS_MAX: usize = 14;
/// Fewer digits than this, leading zeros aside, are a number of somebody's own.
const DIGITS_MIN: usize = 6;

/// A barcode as it is compared where it is all digits: without blanks, dashes, the application identifier `(01)` and
/// leading zeros. None where it is no GTIN's form. Whether the check digit is right is another question: shops number
/// their own goods as they like.
pub fn key(text: &str) -> Option<String> {
    let text = text.trim();
    let text = text.strip_prefix("(01)").unwrap_or(text);
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.')).collect();
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = match digits.strip_prefix("01") {
        Some(rest) if digits.len() == DIGITS_MAX + 2 => rest,
        _ => &digits,
    };
    let key = digits.trim_start_matches('0');
    (DIGITS_MIN..=DIGITS_MAX).contains(&key.len()).then(|| key.to_owned())
}

/// Is the check digit of a [`key`] right?
pub fn checks(key: &str) -> bool {
    let Some((digits, last)) = key.split_at_checked(key.len().saturating_sub(1)) else { return false };
    last.parse().is_ok_and(|last: u32| check_digit(digits) == last)
}

/// The GTIN of the piece in the package that a GTIN-14 with an indicator (1 to 8) names, as a [`key`]; None where it is
/// none. It does not say how many pieces are in the package.
pub fn piece_in(key: &str) -> Option<String> {
    if !is_package(key) {
        return None;
    }
    let body = &key[1..DIGITS_MAX - 1];
    self::key(&format!("{body}{}", check_digit(body)))
}

/// Does a [`key`] name a package by its form: a right GTIN-14 with an indicator?
pub fn is_package(key: &str) -> bool {
    key.len() == DIGITS_MAX && !key.starts_with('9') && key.bytes().all(|b| b.is_ascii_digit()) && checks(key)
}

/// The check digit of what stands before it: weights 3 and 1 from the right.
fn check_digit(digits: &str) -> u32 {
    let sum: u32 = digits
        .bytes()
        .rev()
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| u32::from(digit.wrapping_sub(b'0')) * weight)
        .sum();
    (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_number_is_the_same_however_it_is_padded() {
        for text in
            ["036000291452", "0036000291452", "00036000291452", "36000291452", "0360-0029 1452", "(01)00036000291452"]
        {
            assert_eq!(key(text).as_deref(), Some("36000291452"), "{text}");
        }
        assert_eq!(key("0104006381333931").as_deref(), Some("4006381333931"), "an application identifier before it");
        for other in ["", "0", "12345", "AC-006", "123456789012345", "４００６３８１３３３９３１"] {
            assert_eq!(key(other), None, "{other}");
        }
    }

    #[test]
    fn a_check_digit_is_right_or_not() {
        for right in ["4006381333931", "36000291452", "96385074", "14006381333938"] {
            assert!(checks(right), "{right}");
        }
        assert!(!checks("4006381333932") && !checks("4000000000000") && !checks(""));
    }

    #[test]
    fn a_package_leads_to_its_piece() {
        assert_eq!(piece_in("14006381333938").as_deref(), Some("4006381333931"));
        assert_eq!(piece_in("4006381333931"), None);
        assert_eq!(piece_in("14006381333931"), None, "its check digit is wrong");
        assert_eq!(piece_in("94006381333934"), None, "of variable measure");
    }
}
