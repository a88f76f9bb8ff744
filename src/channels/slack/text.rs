//! Texts for Slack: what came from outside makes no mention and no link.

use serde_json::{Value, json};

/// Text that is read for formatting, which is ours. Addresses and names of channels and people in it stay letters.
pub(super) fn mrkdwn(text: &str) -> Value {
    json!({ "type": "mrkdwn", "text": text, "verbatim": true })
}

/// Text that stands as it is. Emoji names stay letters: what is in a product's name is no picture.
pub(super) fn plain_text(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// Text from outside for where formatting is read: the three signs that make mentions and links are replaced. A star in a name may make
/// a word bold, and no more.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_mentions_and_links_is_escaped_and_nothing_else() {
        assert_eq!(escaped("<!channel> & AC_006 *x*"), "&lt;!channel&gt; &amp; AC_006 *x*");
    }
}
