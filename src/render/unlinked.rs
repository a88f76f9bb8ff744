//! Text that no program for mail makes a link of. These look through plain text and HTML alike for what reads like an address, and a name that
//! somebody outside chose would lead from our letter to wherever they like.

/// The text with a bracket around whatever makes an address of it: of schemes, of names of hosts, of mail addresses and of shares. It can still
/// be read, and is no address any more.
///
/// ```text
/// unlinked("VER-1 https://login.example/approve") = "VER-1 https[:]//login[.]example/approve"
/// unlinked("12.50 for WH/IN/00012. Pay a@b.example") = "12.50 for WH/IN/00012. Pay a[@]b[.]example"
/// ```
pub fn unlinked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |n: usize| chars.get(n).copied().unwrap_or(' ');
    let mut out = String::with_capacity(text.len());
    for (n, c) in chars.iter().enumerate() {
        let before = n.checked_sub(1).map_or(' ', at);
        let after = at(n + 1);
        let joins = !before.is_whitespace() && !after.is_whitespace();
        let links = match c {
            // What browsers take for a dot is one. The last part of a host's name has two letters at least, and a figure has none.
            '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => {
                joins && ((after.is_alphabetic() && at(n + 2).is_alphabetic()) || is_www(&chars[..n]))
            }
            '@' | '\u{ff20}' => joins && after.is_alphanumeric(),
            ':' => after == '/' && at(n + 2) == '/',
            '\\' => after == '\\',
            _ => false,
        };
        if links {
            out.extend(['[', *c, ']']);
        } else {
            out.push(*c);
        }
    }
    out
}

fn is_www(before: &[char]) -> bool {
    before.iter().rev().take(3).filter(|c| c.eq_ignore_ascii_case(&'w')).count() == 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_like_an_address_is_none_any_more() {
        for (text, is) in [
            ("VER-1 https://reeve-login.example/approve", "VER-1 https[:]//reeve-login[.]example/approve"),
            ("see WWW.1e100.net", "see WWW[.]1e100[.]net"),
            ("pay to a.b+c@evil.example", "pay to a.b+c[@]evil[.]example"),
            ("evil.co/x and ev\u{ed}l.xn--p1ai", "evil[.]co/x and ev\u{ed}l[.]xn--p1ai"),
            ("evil\u{ff0e}example", "evil[\u{ff0e}]example"),
            (r"\\evil\share", r"[\]\evil\share"),
            ("hhttps://://x", "hhttps[:]//[:]//x"),
        ] {
            assert_eq!(unlinked(text), is);
            assert_eq!(unlinked(is), is, "once is enough");
        }
    }

    #[test]
    fn figures_documents_and_sentences_stay_as_they_are() {
        for text in [
            "12.50 for 3.5 kg at 2026-10-08 23:59 UTC. Records read up to 7 @ 12.50, e.g. here.",
            "WH/IN/00012: 40 of 100; BILL/2026/10/0042 (at stake USD 1,234.50)… \"quoted.\"",
        ] {
            assert_eq!(unlinked(text), text);
        }
    }
}
