//! Just enough of Rust's syntax to look at a file without its comments, strings and tests.

/// `text` with comments, strings and character literals blanked out; line breaks stay where they are.
pub(super) fn code(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = match bytes[at] {
            b'/' if bytes[at..].starts_with(b"//") => end_of_line(bytes, at),
            b'/' if bytes[at..].starts_with(b"/*") => end_of_block(bytes, at),
            b'"' => end_of_string(bytes, at),
            b'r' if !out.last().is_some_and(|before| is_word(*before)) => end_of_raw_string(bytes, at).unwrap_or(at),
            b'\'' => end_of_char(bytes, at).unwrap_or(at),
            _ => at,
        };
        if end == at {
            out.push(bytes[at]);
            at += 1;
        } else {
            out.extend(bytes[at..end].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }));
            at = end;
        }
    }
    String::from_utf8(out).expect("only whole literals and comments were replaced, by ASCII")
}

/// `text` up to its trailing `#[cfg(test)] mod tests { … }`.
pub(super) fn without_tests(text: &str) -> &str {
    ["\n#[cfg(test)]\nmod tests {", "\n#[cfg(test)]\npub(crate) mod tests {"]
        .iter()
        .filter_map(|start| text.find(start))
        .min()
        .map_or(text, |start| &text[..=start])
}

/// Whether a whole file is test code: `tests.rs`, the body of a `#[cfg(test)] mod tests;`.
pub(super) fn is_tests(path: &str) -> bool {
    // What stands in place of the outside for tests is no code of the daemon.
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("crates/testing/")
}

/// Whether a byte can be part of a name.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn end_of_line(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |length| at + length)
}

fn end_of_block(bytes: &[u8], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            (at, depth) = (at + 2, depth + 1);
        } else if bytes[at..].starts_with(b"*/") {
            (at, depth) = (at + 2, depth - 1);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_raw_string(bytes: &[u8], start: usize) -> Option<usize> {
    let hashes = bytes[start + 1..].iter().take_while(|byte| **byte == b'#').count();
    let open = start + 1 + hashes;
    if bytes.get(open) != Some(&b'"') {
        return None;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let length = bytes[open + 1..].windows(close.len()).position(|window| window == close.as_bytes());
    Some(length.map_or(bytes.len(), |length| open + 1 + length + close.len()))
}

/// `'x'`, `'\n'`, `'é'`, but not the lifetime `'a`.
fn end_of_char(bytes: &[u8], start: usize) -> Option<usize> {
    match *bytes.get(start + 1)? {
        // What follows the backslash may be a quote itself, so the closing one is looked for after it.
        b'\\' => bytes[start + 3..].iter().position(|byte| *byte == b'\'').map(|length| start + 3 + length + 1),
        first => {
            let width = match first {
                0..0x80 => 1,
                0x80..0xe0 => 2,
                0xe0..0xf0 => 3,
                _ => 4,
            };
            (bytes.get(start + 1 + width) == Some(&b'\'')).then_some(start + width + 2)
        }
    }
}

#[test]
fn comments_and_literals_are_blanked_and_nothing_else() {
    let check = |text: &str, expected: &str| {
        let words: Vec<String> = code(text).split_whitespace().map(str::to_owned).collect();
        assert_eq!(words.join(" "), expected, "from {text:?}");
    };
    check("a // b\nc", "a c");
    check("a /* b /* c */ d */ e", "a e");
    check(r#"a "b \" // c" d"#, "a d");
    check("a r#\"b \" c\"# d \"e\" f", "a d f");
    check("for_r\"x\" y", "for_r y");
    check("a '\"' b '\\'' c '\\u{e9}' d 'é' e", "a b c d e");
    check("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
    assert_eq!(code("a\n/* b\n */\nc").lines().count(), 4, "line numbers stay");
}

#[test]
fn tests_are_what_follows_the_tests_module() {
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {\n b }\n"), "a\n");
    assert_eq!(without_tests("a\nb\n"), "a\nb\n");
    assert!(is_tests("src/store/tests.rs") && !is_tests("src/contests.rs"));
}
