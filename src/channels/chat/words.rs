//! What is too long for a chat: it is left out by whole words, and never cut inside one.

/// As many whole words as fit, with a sign that more follows. One word that is longer than all the room is a name without an end, and the only
/// thing that is ever cut.
pub(in crate::channels) fn whole_words(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut length = 0;
    for word in text.split_inclusive(char::is_whitespace) {
        let wide = word.chars().count();
        // One place is kept for the sign that more follows.
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
pub(in crate::channels) fn pieces(text: &str, most: usize) -> Vec<String> {
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
