//! Holds the tokenizer to Hugging Face's, on texts whose pieces are kept in `tests/pieces.json` (made by `tests/oracle.py`).

use super::*;
use crate::{PIECES_MAX, TOKENIZER};

#[derive(Deserialize)]
struct Golden {
    text: String,
    pieces: Vec<u32>,
}

fn wordpiece() -> WordPiece {
    WordPiece::parse(TOKENIZER).unwrap()
}

#[test]
fn pieces_are_those_of_the_reference() {
    let wordpiece = wordpiece();
    let golden: Vec<Golden> = serde_json::from_str(include_str!("../../tests/pieces.json")).unwrap();
    assert!(golden.len() >= 40);
    for Golden { text, pieces } in golden {
        assert_eq!(wordpiece.encode(&text, PIECES_MAX), pieces, "{text:?}");
    }
}

#[test]
fn a_long_text_keeps_its_beginning_and_its_end_mark() {
    let wordpiece = wordpiece();
    let short = wordpiece.encode("late late late", 5);
    assert_eq!(short, wordpiece.encode("late late late", PIECES_MAX));
    // Cut in a word, and in a text without a space.
    for text in ["late ".repeat(10_000), "-".repeat(10_000), "unbelievableness ".repeat(1000)] {
        let pieces = wordpiece.encode(&text, PIECES_MAX);
        assert_eq!((pieces.len(), pieces.first(), pieces.last()), (PIECES_MAX, Some(&101), Some(&102)));
    }
}

#[test]
fn marks_in_a_text_are_text() {
    let wordpiece = wordpiece();
    assert_eq!(wordpiece.encode("[SEP]", PIECES_MAX), wordpiece.encode("[ sep ]", PIECES_MAX));
    assert_eq!(wordpiece.encode(" \u{200b}\n", PIECES_MAX), [101, 102]);
}

#[test]
fn a_file_of_another_vocabulary_is_refused() {
    let refused = |json: &[u8]| WordPiece::parse(json).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refused(b"{").contains("tokenizer.json"));
    assert!(refused(br#"{"model":{"vocab":{"[CLS]":0}}}"#).contains("it has 1 entries"));
    let numbered = |first: usize| {
        let vocab: HashMap<String, usize> = (first..first + VOCABULARY).map(|id| (format!("w{id}"), id)).collect();
        serde_json::to_vec(&serde_json::json!({ "model": { "vocab": vocab } })).unwrap()
    };
    assert!(refused(&numbered(1)).contains("past"));
    assert!(refused(&numbered(0)).contains("[CLS] is missing"));
}
