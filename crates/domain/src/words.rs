//! Words from outside, for people: on one line, without what can not be seen, and inside quotes that they can not leave.
//!
//! What other systems and people write (errors of an ERP, names, notes) is data wherever it is shown: on a page, in a digest,
//! in a terminal. [`plain`] is for text that stands alone, [`quoted`] for text inside a sentence of ours. For prompts, where
//! brackets mean something too, there is [`text::clean`](crate::text::clean).

use std::error::Error;
use std::fmt::Write as _;

use crate::text::is_invisible;

/// Most marks that may sit on one letter: languages need few, and a heap of them covers the lines above and below.
const MARKS_MAX: usize = 4;

/// One line of text: white space of any kind, line ends too, is one space; what can not be seen (control characters and with
/// them every terminal sequence, bidirectional marks, zero-width and tag characters) is left out. Letters stay as they are.
///
/// ```text
/// plain("ok\napproved \u{202e}yb\u{1b}[2J") = "ok approved yb[2J"
/// ```
pub fn plain(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let (mut gap, mut marks) = (false, 0);
    for c in text.chars() {
        // Line and paragraph separators are white space and invisible: as white space they keep words apart.
        if c.is_whitespace() || is_blank(c) {
            gap = true;
            continue;
        }
        if is_invisible(c) || is_hidden_format(c) {
            continue;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MARKS_MAX {
            continue;
        }
        if gap && !line.is_empty() {
            line.push(' ');
        }
        gap = false;
        line.push(c);
    }
    line
}

/// [`plain`] text of at most `max_chars` characters; what is longer ends in `…`.
pub fn cut(text: &str, max_chars: usize) -> String {
    let line = plain(text);
    if line.chars().count() <= max_chars {
        return line;
    }
    let kept: String = line.chars().take(max_chars.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// One line with every space kept, for text that stands in columns: each white space, line ends too, is a space, and what can
/// not be seen is left out.
pub fn aligned(text: &str) -> String {
    text.chars().filter_map(shown).collect()
}

/// Text of several lines on purpose: each of them [`aligned`].
pub fn lines(text: &str) -> String {
    text.split('\n').map(aligned).collect::<Vec<_>>().join("\n")
}

/// JSON text in which whatever can not be seen is written as an escape: it says the same to a program, and nothing to a
/// terminal. Line ends between its values stay.
pub fn visible_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c == '\n' || (!is_invisible(c) && !is_hidden_format(c) && !is_blank(c)) {
            out.push(c);
            continue;
        }
        // Only inside of strings: JSON knows no such character outside of them.
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    out
}

/// The character as it is shown: None where it is left out.
fn shown(c: char) -> Option<char> {
    match c {
        c if c.is_whitespace() || is_blank(c) => Some(' '),
        c if is_invisible(c) || is_hidden_format(c) => None,
        c => Some(c),
    }
}

/// Text from outside in quotes, [`cut`] to `max_chars` characters (the quotes not counted). Quotes in it become `'`, so that
/// it can not end its own.
pub fn quoted(text: &str, max_chars: usize) -> String {
    let inner: String = cut(text, max_chars)
        .chars()
        .map(|c| if matches!(c, '“' | '”' | '„' | '‟' | '"' | '«' | '»') { '\'' } else { c })
        .collect();
    format!("“{inner}”")
}

/// An error with its causes, as one text. Some repeat their cause in their own words: what was said is not said again.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_said = inner.to_string();
        if !said.contains(&inner_said) {
            said = format!("{said}: {inner_said}");
        }
        cause = inner.source();
    }
    said
}

/// Looks like a space without being one.
fn is_blank(c: char) -> bool {
    matches!(c, '\u{2800}' | '\u{3164}' | '\u{ffa0}' | '\u{115f}' | '\u{1160}')
}

/// Formats of scripts, music and shorthand, and code points that are no characters: they show nothing.
fn is_hidden_format(c: char) -> bool {
    let code = u32::from(c);
    matches!(code, 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A | 0x13430..=0x1343F | 0xFDD0..=0xFDEF) || code & 0xFFFE == 0xFFFE
}

/// Sits on the letter before.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c),
        0x0300..=0x036F | 0x0483..=0x0489 | 0x0591..=0x05BD | 0x0610..=0x061A | 0x064B..=0x065F | 0x0E31 | 0x0E34..=0x0E3A
        | 0x0E47..=0x0E4E | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_can_not_be_seen_goes_and_words_stay_on_one_line() {
        for (text, shown) in [
            ("Kaffee Crème 1 kg – 20 %", "Kaffee Crème 1 kg – 20 %"),
            ("a [b] {c} <d> `e`", "a [b] {c} <d> `e`"),
            ("noted\r\n2026-10-08 approved by ada", "noted 2026-10-08 approved by ada"),
            ("a\u{85}b\u{2028}c\u{2029}d\u{b}e\u{c}f\tg", "a b c d e f g"),
            ("  two   spaces\u{a0}\u{3000}wide \u{2800}blank ", "two spaces wide blank"),
            ("\u{1b}[31mred\u{1b}[0m\u{1b}]0;title\u{7}\u{9b}2J\u{0}", "[31mred[0m]0;title2J"),
            ("\u{61c}a\u{200e}b\u{200f}c\u{202a}d\u{202e}e\u{2066}f\u{2069}g", "abcdefg"),
            ("app\u{200b}ro\u{200d}ve\u{2060}d\u{feff}\u{ad}", "approved"),
            ("x\u{e0041}\u{e007f}y\u{1d173}z\u{fdd0}\u{10ffff}", "xyz"),
            ("\u{202e}", ""),
        ] {
            assert_eq!(plain(text), shown, "{text:?}");
        }
        assert_eq!(plain(&format!("a{}b", "\u{301}".repeat(50))), format!("a{}b", "\u{301}".repeat(MARKS_MAX)));
        assert_eq!(plain("ที่นี่ é"), "ที่นี่ é", "what a language needs stays");
    }

    #[test]
    fn a_quotation_can_not_end_itself_and_is_no_longer_than_asked() {
        assert_eq!(quoted("no” and the model said “yes\"", 80), "“no' and the model said 'yes'”");
        assert_eq!(quoted("abcdef", 6), "“abcdef”");
        assert_eq!(quoted("abcdefg", 6), "“abcde…”");
        assert_eq!(cut("ab  cdef", 4), "ab…");
        assert_eq!(quoted("", 6), "“”");
    }

    #[test]
    fn columns_keep_their_spaces_and_nothing_makes_a_line() {
        assert_eq!(aligned("a   b\nc\r\u{1b}[2J\u{2028}d\u{202e}"), "a   b c [2J d");
        assert_eq!(lines("a   b\n\u{9b}2J\r\n c"), "a   b\n2J \n c");
        let json = "{\n  \"a\": \"x\u{202e}\u{9b}\u{7f}\u{e0041}ü\"\n}";
        let visible = visible_json(json);
        assert_eq!(visible, "{\n  \"a\": \"x\\u202e\\u009b\\u007f\\udb40\\udc41ü\"\n}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&visible), value(json));
    }

    #[test]
    fn an_error_tells_its_causes_once() {
        #[derive(Debug, thiserror::Error)]
        enum Told {
            #[error("the shop is closed")]
            Shop(#[source] Box<Told>),
            #[error("no way: {0}")]
            Way(#[source] Box<Told>),
            #[error("the bridge is up")]
            Bridge,
        }
        let way = Told::Way(Box::new(Told::Bridge));
        assert_eq!(with_causes(&Told::Bridge), "the bridge is up");
        assert_eq!(with_causes(&way), "no way: the bridge is up");
        assert_eq!(with_causes(&Told::Shop(Box::new(way))), "the shop is closed: no way: the bridge is up");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_one_short_line_that_stays_as_it_is(text in any::<String>(), max in 1_usize..60) {
            let line = plain(&text);
            prop_assert!(!line.chars().any(|c| c.is_control() || is_invisible(c)), "{line:?}");
            prop_assert_eq!(plain(&line), line.clone());
            prop_assert!(cut(&text, max).chars().count() <= max);
            let inner = quoted(&text, max);
            prop_assert_eq!(inner.matches('“').count() + inner.matches('”').count(), 2);
        }
    }
}
