//! Text → the numbers of its pieces, as BERT's own tokenizer (uncased) does it: no regular expressions, one pass.
//!
//! 1. Clean: control characters go, every kind of space is a space, a Chinese character is a word of its own.
//! 2. Plain: letters without their accents, in lower case.
//! 3. Words: cut at spaces, and before and after every punctuation mark.
//! 4. Pieces: the longest start of a word that the vocabulary knows, then the longest start of what is left, written `##rest`. A
//!    word with a part that it does not know is `[UNK]` as a whole.
//!
//! Other than the usual implementations, it does not take the text `[SEP]` for the mark of that name: marks are ours to set. And it
//! knows the categories of today's Unicode: some 700 marks and punctuation signs of rare scripts, added since, are cut off or left
//! out here and make their word unknown there.

use std::collections::HashMap;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::EmbeddingError;
use super::bert::VOCABULARY;

/// A longer word is `[UNK]` without a look (`max_input_chars_per_word` of the model's file).
const LETTERS_MAX: usize = 100;

/// The vocabulary, ready to look up.
pub(crate) struct WordPiece {
    /// Pieces that a word can start with.
    starts: HashMap<String, u32>,
    /// Pieces that go on, without their `##`.
    rests: HashMap<String, u32>,
    marks: Marks,
}

/// The numbers of the vocabulary's special entries.
struct Marks {
    start: u32,
    end: u32,
    unknown: u32,
}

/// What is read of tokenizer.json.
#[derive(Deserialize)]
struct File {
    model: Model,
}

#[derive(Deserialize)]
struct Model {
    vocab: HashMap<String, u32>,
}

impl WordPiece {
    /// Reads the vocabulary of a tokenizer.json.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, EmbeddingError> {
        let file: File = serde_json::from_slice(json).map_err(|error| EmbeddingError::Vocabulary(error.to_string()))?;
        let vocab = file.model.vocab;
        // Numbers are rows of the table of words: one past its end must not be found out at the first text that has it.
        if vocab.len() != VOCABULARY || vocab.values().any(|id| *id as usize >= VOCABULARY) {
            return Err(EmbeddingError::Vocabulary(format!(
                "it has {} entries, or numbers past {VOCABULARY}; expected were {VOCABULARY}",
                vocab.len()
            )));
        }
        let mark = |name: &str| {
            vocab.get(name).copied().ok_or_else(|| EmbeddingError::Vocabulary(format!("the entry {name} is missing")))
        };
        let marks = Marks { start: mark("[CLS]")?, end: mark("[SEP]")?, unknown: mark("[UNK]")? };
        let (mut starts, mut rests) = (HashMap::new(), HashMap::new());
        for (piece, id) in vocab {
            match piece.strip_prefix("##") {
                // The piece `##` itself would be an empty rest.
                Some(rest) if !rest.is_empty() => rests.insert(rest.to_owned(), id),
                _ => starts.insert(piece, id),
            };
        }
        Ok(Self { starts, rests, marks })
    }

    /// The pieces of a text between the marks of beginning and end, `pieces_max` at most with both of these.
    ///
    /// What comes after is not looked at: a text of a megabyte costs no more than its first pieces.
    pub(crate) fn encode(&self, text: &str, pieces_max: usize) -> Vec<u32> {
        let mut pieces = vec![self.marks.start];
        let full = pieces_max - 1;
        let mut word = String::new();
        let mut letters = 0;
        for letter in plain(text).chain([' ']) {
            let alone = is_punctuation(letter) || is_chinese(letter);
            if !alone && letter != ' ' {
                letters += 1;
                // A word past the limit is unknown whatever it is: no need to keep it.
                if letters <= LETTERS_MAX {
                    word.push(letter);
                }
                continue;
            }
            if letters > LETTERS_MAX {
                pieces.push(self.marks.unknown);
            } else {
                self.add_word(&word, &mut pieces);
            }
            word.clear();
            letters = 0;
            if alone {
                self.add_word(letter.encode_utf8(&mut [0; 4]), &mut pieces);
            }
            if pieces.len() >= full {
                break;
            }
        }
        pieces.truncate(full);
        pieces.push(self.marks.end);
        pieces
    }

    fn add_word(&self, word: &str, pieces: &mut Vec<u32>) {
        let before = pieces.len();
        let mut rest = word;
        while !rest.is_empty() {
            let known = if rest.len() == word.len() { &self.starts } else { &self.rests };
            let ends = rest.char_indices().rev().map(|(at, letter)| at + letter.len_utf8());
            let longest = ends.into_iter().find_map(|end| known.get(&rest[..end]).map(|id| (*id, end)));
            let Some((id, end)) = longest else {
                pieces.truncate(before);
                pieces.push(self.marks.unknown);
                return;
            };
            pieces.push(id);
            rest = &rest[end..];
        }
    }
}

/// The letters of a text, cleaned, without accents, in lower case; every space is `' '`.
fn plain(text: &str) -> impl Iterator<Item = char> {
    let clean = text.chars().filter_map(|letter| {
        if letter == '\u{fffd}' || is_control(letter) {
            None
        } else if letter.is_whitespace() {
            Some(' ')
        } else {
            Some(letter)
        }
    });
    // An accent is a letter of its own once composed letters are taken apart.
    clean.nfd().filter(|letter| letter.general_category() != GeneralCategory::NonspacingMark).flat_map(char::to_lowercase)
}

/// What is not seen. The three kinds of space that are control characters by their category are spaces; what no version of Unicode
/// has given a meaning stays, and makes its word unknown.
fn is_control(letter: char) -> bool {
    use GeneralCategory::{Control, Format, PrivateUse};
    !matches!(letter, '\t' | '\n' | '\r') && matches!(letter.general_category(), Control | Format | PrivateUse)
}

/// What stands for itself. All of ASCII that is no letter, digit or space counts, also `$`, `+` and `^`.
fn is_punctuation(letter: char) -> bool {
    letter.is_ascii_punctuation() || letter.general_category_group() == GeneralCategoryGroup::Punctuation
}

/// The blocks of CJK ideographs that BERT takes apart. Japanese and Korean syllables are not among them.
fn is_chinese(letter: char) -> bool {
    matches!(letter,
        '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}' | '\u{20000}'..='\u{2a6df}' | '\u{2a700}'..='\u{2b73f}'
        | '\u{2b740}'..='\u{2b81f}' | '\u{2b920}'..='\u{2ceaf}' | '\u{f900}'..='\u{faff}' | '\u{2f800}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests;
