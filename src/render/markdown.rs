//! The digest as Markdown (CommonMark with GitHub's tables and links), for chat and files.

use std::fmt::Write;

use super::{anchor, below, marks, origin, plain, stakes, title};
use crate::domain::digest::{Digest, DigestLine};

/// The digest as Markdown. Text from outside is escaped: it makes no link, no heading and no markup.
pub fn markdown(digest: &Digest) -> String {
    let mut out = format!("# Reeve, {}: {}\n\n{}\n", digest.day, escape(&title(digest)), escape(&origin(digest)));
    for line in &digest.unread {
        put(&mut out, format_args!("\n**{}**\n", escape(line)));
    }
    if digest.lines.is_empty() {
        out.push_str("\nNothing needs a decision today.\n");
    }
    for line in &digest.lines {
        case(&mut out, line);
    }
    put(&mut out, format_args!("\n**{}**\n", escape(&below(digest))));
    let explained: Vec<String> =
        digest.explained.iter().map(|e| format!("{}: {} ({})", e.code, e.headline, e.reason)).collect();
    list(&mut out, "Whose cases", &digest.planners);
    list(&mut out, "Looks odd, is explained", &explained);
    list(&mut out, "Muted and proposed", &digest.noise);
    list(&mut out, "Decided since the last digest", &digest.decided);
    list(&mut out, "Health", &digest.health);
    put(&mut out, format_args!("\n{}\n", escape(&anchor(digest))));
    out
}

fn case(out: &mut String, line: &DigestLine) {
    put(out, format_args!("\n## {}. {}\n\n", line.place, escape(&line.headline)));
    let mut who = vec![escape(&line.subject), line.codes.iter().map(|c| escape(c)).collect::<Vec<_>>().join(", ")];
    who.extend(marks(line).into_iter().map(str::to_owned));
    put(out, format_args!("{}  \n{}\n\n", who.join(" · "), escape(&stakes(line))));
    put(out, format_args!("- **{}**: {}\n", escape(&line.action), escape(&line.recommendation)));
    put(out, format_args!("- Why: {}\n", escape(&line.why)));
    if let Some(note) = &line.note {
        put(out, format_args!("- Note: {}\n", escape(note)));
    }
    if !line.alternatives.is_empty() {
        put(out, format_args!("- Or: {}\n", escape(&line.alternatives.join("; "))));
    }
}

fn list(out: &mut String, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    put(out, format_args!("\n## {title}\n\n"));
    for line in lines {
        put(out, format_args!("- {}\n", escape(line)));
    }
}

fn put(out: &mut String, what: std::fmt::Arguments<'_>) {
    out.write_fmt(what).expect("writing to a string can not fail");
}

/// Escapes every character that could start markup, HTML, an entity or an automatic link.
fn escape(text: &str) -> String {
    let text = plain(text);
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let next = text[at + c.len_utf8()..].chars().next().unwrap_or(' ');
        let marks = match c {
            '\\' | '`' | '*' | '{' | '}' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '@' | '!' => true,
            // Inside a word these mark nothing, and names and codes stay readable.
            '_' => !before.is_alphanumeric() || !next.is_alphanumeric(),
            // Addresses link by themselves, by their scheme or by `www.`.
            ':' => next == '/',
            '.' => before.eq_ignore_ascii_case(&'w') && next.is_alphanumeric(),
            '#' | '+' | '-' | '=' => before == ' ' || at == 0,
            _ => false,
        };
        if marks {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    // "1." or "1)" at the very start would begin a numbered list.
    let digits = out.chars().take_while(char::is_ascii_digit).count();
    if digits > 0 && out[digits..].starts_with(['.', ')']) {
        out.insert(digits, '\\');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::{quiet, sample};
    use super::*;

    #[test]
    fn the_markdown_digest_is_as_it_was() {
        insta::assert_snapshot!("digest_markdown", markdown(&sample()));
        insta::assert_snapshot!("quiet_markdown", markdown(&quiet()));
    }

    #[test]
    fn text_from_outside_makes_no_markup() {
        assert_eq!(
            escape("[x](http://e.example) <b> *a* `c` # 1"),
            "\\[x\\](http\\://e.example) \\<b\\> \\*a\\* \\`c\\` \\# 1"
        );
        assert_eq!(escape("1. first\n2. second"), "1\\. first 2. second");
        assert_eq!(escape("www.evil.example a@b.c"), "www\\.evil.example a\\@b.c");
    }
}
