//! One-time codes that a person types in a chat: 16 letters and digits that are hard to mistake for each other.
//!
//! The first four find the link, the other twelve prove it. Twelve of 32 letters are 60 bits: whoever has stolen the hash can
//! not find them in the quarter of an hour in which they count.

use std::fmt;

use super::random;
use crate::domain::ids::content_hash;

/// Crockford's base 32: no I, L, O and U.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Letters of a code.
const LENGTH: usize = 16;
/// Letters by which the link is found.
const PUBLIC: usize = 4;

/// A code. Shown once, by [`fmt::Display`]; `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Code(String);

impl Code {
    /// A new one.
    pub(super) fn new() -> Self {
        // 256 is a multiple of 32, so each letter is as likely as another.
        Self(random::<LENGTH>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
    }

    /// What somebody typed: in any case, with or without hyphens and spaces, O for 0 and I or L for 1.
    pub(super) fn typed(text: &str) -> Option<Self> {
        // People type whole messages into a chat, and nothing that long is a code.
        if text.len() > 64 {
            return None;
        }
        let letters: Option<String> = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| match c.to_ascii_uppercase() {
                'O' => Some('0'),
                'I' | 'L' => Some('1'),
                c if c.is_ascii() && LETTERS.contains(&(c as u8)) => Some(c),
                _ => None,
            })
            .collect();
        letters.filter(|letters| letters.len() == LENGTH).map(Self)
    }

    /// The part by which the link is found.
    pub(super) fn id(&self) -> &str {
        &self.0[..PUBLIC]
    }

    /// The hash of the whole: what is kept.
    pub(super) fn hash(&self) -> String {
        content_hash(&["chat-code", &self.0])
    }
}

impl fmt::Display for Code {
    /// `7K2M-4F9W-X2QT-0BZC`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, letter) in self.0.chars().enumerate() {
            if n > 0 && n % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{letter}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({}…)", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_shown_and_as_people_type_it() {
        for _ in 0..100 {
            let code = Code::new();
            let shown = code.to_string();
            assert_eq!(shown.len(), 19, "{shown}");
            for typed in [
                shown.clone(),
                shown.to_lowercase(),
                shown.replace('-', ""),
                format!("  {} ", shown.replace('-', " ")),
                shown.replace('0', "o").replace('1', "l"),
            ] {
                assert_eq!(Code::typed(&typed).as_ref(), Some(&code), "{typed}");
            }
            assert!(!format!("{code:?}").contains(&shown[5..9]), "{code:?}");
        }
    }

    #[test]
    fn what_is_no_code_is_none() {
        let long = "0".repeat(1000);
        for text in ["", "0000", "0000-0000-0000-000U", "0000-0000-0000-00000", "0000-0000-0000-000é", long.as_str()] {
            assert_eq!(Code::typed(text), None, "{text}");
        }
    }
}
