//! Texts for Slack: what came from outside makes no mention and no link, and what is too long is left out by whole words.

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

/// As many whole words as fit, with a sign that more follows. One word that is longer than all the room is a name without an end, and the only
/// thing that is ever cut.
pub(super) fn whole_words(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut length = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let wide = word.chars().count();
        if length + wide + 1 > most {
            break;
        }
        out.push_str(word);
        length += wide;
    }
    if out.trim().is_empty() {
        out = text.chars().take(most - 1).collect();
    }
    format!("{}…", out.trim_end())
}

/// A text in pieces of at most `most` characters, each of whole words.
pub(super) fn pieces(text: &str, most: usize) -> Vec<String> {
    let mut all = Vec::new();
    let mut piece = String::new();
    let mut length = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        // A name without an end stands in several pieces.
        let chars: Vec<char> = word.chars().collect();
        for part in chars.chunks(most) {
            if length + part.len() > most && length > 0 {
                all.push(std::mem::take(&mut piece).trim_end().to_owned());
                length = 0;
            }
            piece.extend(part);
            length += part.len();
        }
    }
    if !piece.trim().is_empty() {
        all.push(piece.trim_end().to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_makes_mentions_and_links_is_escaped_and_nothing_else() {
        assert_eq!(escaped("<!channel> & AC_006 *x*"), "&lt;!channel&gt; &amp; AC_006 *x*");
    }

    proptest! {
        #[test]
        fn pieces_hold_every_word_and_none_is_too_long(text in "[a-z ]{0,200}", most in 1usize..40) {
            let all = pieces(&text, most);
            prop_assert!(all.iter().all(|piece| piece.chars().count() <= most));
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&all.concat()), letters(&text));
        }

        #[test]
        fn whole_words_fit(text in "\\PC{0,200}", most in 2usize..40) {
            prop_assert!(whole_words(&text, most).chars().count() <= most);
        }
    }
}
