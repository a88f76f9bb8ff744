//! The digest for a terminal of 100 columns.

use super::{anchor, below, marks, origin, plain, stakes, title};
use crate::domain::digest::{Digest, DigestLine};

const WIDTH: usize = 100;
/// Lines for what happened and for what to do: our own sentences fit, names without an end do not fill the screen.
const SENTENCE_LINES: usize = 4;
const INDENT: usize = 4;

/// The digest as plain text, at most 100 columns wide, without colour codes.
pub fn text(digest: &Digest) -> String {
    Page { colour: false, out: String::new() }.digest(digest)
}

/// The same with ANSI colour codes, for a terminal that shows them.
pub fn text_coloured(digest: &Digest) -> String {
    Page { colour: true, out: String::new() }.digest(digest)
}

#[derive(Clone, Copy)]
enum Style {
    Plain,
    Bold,
    Dim,
    Green,
}

struct Page {
    colour: bool,
    out: String,
}

impl Page {
    fn digest(mut self, digest: &Digest) -> String {
        self.put(Style::Bold, &format!("Reeve, {}: {}", digest.day, title(digest)), 0, usize::MAX);
        self.put(Style::Dim, &origin(digest), 0, usize::MAX);
        for line in &digest.unread {
            self.put(Style::Bold, &plain(line), 0, usize::MAX);
        }
        if digest.lines.is_empty() {
            self.gap();
            self.put(Style::Plain, "Nothing needs a decision today.", 0, usize::MAX);
        }
        for line in &digest.lines {
            self.case(line);
        }
        self.gap();
        self.put(Style::Bold, &below(digest), 0, usize::MAX);
        let explained: Vec<String> = digest
            .explained
            .iter()
            .map(|e| format!("{}: {} ({})", plain(&e.code), plain(&e.headline), plain(&e.reason)))
            .collect();
        self.list("Whose cases", &digest.planners);
        self.list("Looks odd, is explained", &explained);
        self.list("Muted and proposed", &digest.noise);
        self.list("Decided since the last digest", &digest.decided);
        self.list("Health", &digest.health);
        self.gap();
        self.put(Style::Dim, &anchor(digest), 0, usize::MAX);
        self.out
    }

    /// About seven lines: who reads on finds the rest on the case page.
    fn case(&mut self, line: &DigestLine) {
        self.gap();
        let place = format!("{:>2}. ", line.place);
        self.put(Style::Bold, &format!("{place}{}", plain(&line.headline)), INDENT, SENTENCE_LINES);
        let mut who = vec![plain(&line.subject), line.codes.iter().map(|c| plain(c)).collect::<Vec<_>>().join(", ")];
        who.extend(marks(line).into_iter().map(str::to_owned));
        self.put(Style::Dim, &format!("    {}", who.join(" · ")), INDENT, 2);
        self.put(Style::Plain, &format!("    {}", stakes(line)), INDENT, 2);
        self.put(
            Style::Green,
            &format!("  > {}: {}", plain(&line.action), plain(&line.recommendation)),
            INDENT,
            SENTENCE_LINES,
        );
        // The reason is never cut: the digest holds no more than the sentences that matter.
        self.put(Style::Plain, &format!("    Why: {}", plain(&line.why)), INDENT, usize::MAX);
        if let Some(note) = &line.note {
            self.put(Style::Plain, &format!("    Note: {}", plain(note)), INDENT, 2);
        }
        if !line.alternatives.is_empty() {
            let all: Vec<String> = line.alternatives.iter().map(|a| plain(a)).collect();
            self.put(Style::Dim, &format!("    Or: {}", as_many_as_fit(&all)), INDENT, 2);
        }
    }

    fn list(&mut self, title: &str, lines: &[String]) {
        if lines.is_empty() {
            return;
        }
        self.gap();
        self.put(Style::Bold, &format!("{title}:"), 0, usize::MAX);
        for line in lines {
            self.put(Style::Plain, &format!("  - {}", plain(line)), INDENT, usize::MAX);
        }
    }

    fn gap(&mut self) {
        self.out.push('\n');
    }

    /// Writes a paragraph, wrapped at words, later lines indented; what goes beyond `lines` ends in an ellipsis.
    fn put(&mut self, style: Style, paragraph: &str, indent: usize, lines: usize) {
        let code = match style {
            _ if !self.colour => "",
            Style::Plain => "",
            Style::Bold => "\u{1b}[1m",
            Style::Dim => "\u{1b}[2m",
            Style::Green => "\u{1b}[32m",
        };
        let close = if code.is_empty() { "" } else { "\u{1b}[0m" };
        for line in wrap(paragraph, indent, lines) {
            self.out.push_str(code);
            self.out.push_str(line.trim_end());
            self.out.push_str(close);
            self.out.push('\n');
        }
    }
}

/// Whole alternatives, as many as two lines hold, and how many more there are.
fn as_many_as_fit(all: &[String]) -> String {
    // What the lead, the break between two words and the count of the rest take.
    const ROOM: usize = 2 * WIDTH - 50;
    let mut said = all.first().cloned().unwrap_or_default();
    for (n, one) in all.iter().enumerate().skip(1) {
        if said.chars().count() + 2 + one.chars().count() > ROOM {
            let rest = all.len() - n;
            return format!("{said}; {rest} more on the page");
        }
        said = format!("{said}; {one}");
    }
    said
}

fn wrap(paragraph: &str, indent: usize, most: usize) -> Vec<String> {
    let lead: String = paragraph.chars().take_while(|c| *c == ' ').collect();
    let mut lines = Vec::new();
    let mut line = lead.clone();
    let mut length = lead.chars().count();
    let mut empty = true;
    for word in paragraph.split_whitespace().flat_map(pieces) {
        let wide = word.chars().count();
        if !empty && length + 1 + wide > WIDTH {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            length = indent;
            empty = true;
        }
        if !empty {
            line.push(' ');
            length += 1;
        }
        line.push_str(&word);
        length += wide;
        empty = false;
    }
    lines.push(line);
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let mut kept: String = last.chars().take(WIDTH - 2).collect();
            // A word that was cut is dropped whole: half a number would be a wrong number.
            if kept.chars().count() < last.chars().count() {
                kept.truncate(kept.rfind(' ').unwrap_or(kept.len()));
            }
            kept.push_str(" …");
            *last = kept;
        }
    }
    lines
}

/// A word longer than a line is broken.
fn pieces(word: &str) -> Vec<String> {
    let chars: Vec<char> = word.chars().collect();
    chars.chunks(WIDTH - 2 * INDENT).map(|part| part.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{quiet, sample};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_terminal_digest_reads_like_a_list() {
        insta::assert_snapshot!("digest_text", text(&sample()));
    }

    #[test]
    fn alternatives_are_told_whole_and_the_rest_is_counted() {
        let all: Vec<String> = (1..=9).map(|n| format!("TRANSFER from Northgate DC of AC-00{n} 6.7{n}")).collect();
        let said = as_many_as_fit(&all);
        assert!(said.ends_with("AC-003 6.73; 6 more on the page"), "{said}");
        assert_eq!(wrap(&format!("    Or: {said}"), INDENT, usize::MAX).len(), 2);
        assert_eq!(as_many_as_fit(&all[..2]), format!("{}; {}", all[0], all[1]));
    }

    #[test]
    fn what_is_not_in_it_stands_before_what_is() {
        let mut digest = sample();
        digest.unread = vec!["Not in it: yesterday's sales after 18:02 UTC.".to_owned()];
        let shown = text(&digest);
        assert_eq!(shown.lines().nth(2), Some("Not in it: yesterday's sales after 18:02 UTC."), "{shown}");
    }

    #[test]
    fn a_quiet_day_says_so() {
        insta::assert_snapshot!("quiet_text", text(&quiet()));
    }

    #[test]
    fn colours_change_nothing_but_colours() {
        let coloured = text_coloured(&sample());
        assert!(coloured.contains("\u{1b}[1m"));
        let bare = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[32m"].iter().fold(coloured, |s, c| s.replace(c, ""));
        assert_eq!(bare, text(&sample()));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal_and_no_control_character_comes_out(what in "\\PC{0,400}", raw in any::<String>()) {
            let mut digest = sample();
            digest.lines[0].headline = what.clone();
            digest.lines[0].why = raw.clone();
            digest.lines[0].subject = format!("{what}{raw}");
            digest.health = vec![raw];
            for line in text(&digest).lines() {
                prop_assert!(line.chars().count() <= WIDTH, "{line}");
                prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
