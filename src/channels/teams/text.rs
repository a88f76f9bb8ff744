//! Texts for Teams: what came from outside makes no link, no mention and no formatting, for it stands in runs, which are not read as
//! Markdown; what is too long is left out by whole words.

use serde_json::{Value, json};

/// A paragraph of one text.
pub(super) fn words(text: &str) -> Value {
    json!({ "type": "RichTextBlock", "inlines": [run(text)] })
}

/// The same in small letters that stand back.
pub(super) fn aside(text: &str) -> Value {
    json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text, "isSubtle": true, "size": "Small" }] })
}

/// The first thing that is read.
pub(super) fn title(text: &str) -> Value {
    json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text, "weight": "Bolder", "size": "Medium" }] })
}

/// A paragraph that begins with what it is about.
pub(super) fn labelled(label: &str, text: &str) -> Value {
    json!({ "type": "RichTextBlock", "inlines": [bold(&format!("{label} ")), run(text)] })
}

pub(super) fn run(text: &str) -> Value {
    json!({ "type": "TextRun", "text": text })
}

pub(super) fn bold(text: &str) -> Value {
    json!({ "type": "TextRun", "text": text, "weight": "Bolder" })
}

/// Text from outside for the few places where Markdown is read: every sign that means something in it is a letter, and what would be made
/// a link by itself is none.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.replace("://", ": //").replace("www.", "www .").chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '~' | '|' | '!' | '-' | '+' => {
                out.push('\\');
                out.push(c);
            }
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}
