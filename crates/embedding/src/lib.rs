//! Sentence embeddings in process: all-MiniLM-L6-v2, whose weights are part of the program. No network, no files, no clock.
//!
//! A text goes through `wordpiece` (text → numbers of pieces), `bert` (pieces → one vector each) and [`MiniLm::embed`]
//! (their mean, of length 1). What the model is good for, and what not, is said in `models/embedding/README.md`.
//!
//! - The same text gives the same bytes on one machine, whatever it is embedded together with and on however many threads.
//! - Nothing that a text holds is an instruction: `[SEP]` in a text is three ordinary pieces.
//! - The vectors of two models are never comparable: whoever keeps vectors keeps [`MiniLm::name`] with them.

mod bert;
mod gelu;
mod weights;
mod wordpiece;

use ndarray::{ArrayView1, Axis};
use rayon::prelude::*;

use self::bert::Bert;
use self::weights::Weights;
use self::wordpiece::WordPiece;

/// How many numbers a vector has.
pub const DIMENSIONS: usize = bert::HIDDEN;

/// Pieces of a text that are read, with the mark of its beginning and that of its end; the rest is left out. It is what the model
/// was published with (`max_seq_length` of sentence-transformers); it was trained on texts of at most 128.
pub const PIECES_MAX: usize = 256;

/// The model, and the first eight digits of the SHA-256 of its weights. A test holds it to the file, so that nothing has to be hashed
/// at a start. Whoever changes what else a vector depends on (pieces, mean) has to change it too.
pub const NAME: &str = "all-MiniLM-L6-v2-q8@c039b3cd";

const WEIGHTS: &[u8] = include_bytes!("../../../models/embedding/minilm/minilm-q8.safetensors");
const TOKENIZER: &[u8] = include_bytes!("../../../models/embedding/minilm/tokenizer.json");

/// Pieces that are computed together. The matrices of a layer are packed anew for each product, which for one short text costs as
/// much as the product itself; past this number nothing is gained, and a short list of texts would occupy one core only.
const TOGETHER: usize = 128;

/// Why the model could not be loaded. Both mean that the program was built from the wrong files: trying again does not help.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddingError {
    /// The weights are not those of this model.
    #[error("models/embedding/minilm/minilm-q8.safetensors does not hold this model: {0}; take the file anew and rebuild")]
    Weights(String),
    /// The vocabulary is not that of this model.
    #[error(
        "models/embedding/minilm/tokenizer.json does not hold this model's vocabulary: {0}; take the file anew and rebuild"
    )]
    Vocabulary(String),
}

/// The model, loaded. It is only read after that: share it by reference or in an `Arc`, its 50 MB are there once.
pub struct MiniLm {
    wordpiece: WordPiece,
    bert: Bert<'static>,
}

impl MiniLm {
    /// Unpacks the weights that are part of the program. Takes a tenth of a second or two.
    ///
    /// # Errors
    /// [`EmbeddingError`], when the program was built from other files than the model's.
    pub fn load() -> Result<Self, EmbeddingError> {
        let weights = Weights::parse(WEIGHTS)?;
        Ok(Self { wordpiece: WordPiece::parse(TOKENIZER)?, bert: Bert::from_weights(&weights)? })
    }

    /// The model's name with a hash of its weights. It changes when vectors would: those kept under another name are to be made anew.
    pub fn name(&self) -> &'static str {
        NAME
    }

    /// One vector of [`DIMENSIONS`] numbers and of length 1 for each text, in the order of the texts. Their product is the cosine.
    ///
    /// Runs on the threads of the rayon pool it is called in, and takes some milliseconds for each text: not for an async thread.
    /// A text without a word has the vector of nothing, which is like no other in particular: leave such texts out of a search.
    pub fn embed(&self, texts: &[&str]) -> Vec<Vec<f32>> {
        let pieces: Vec<Vec<u32>> = texts.par_iter().map(|text| self.wordpiece.encode(text, PIECES_MAX)).collect();
        let groups: Vec<&[Vec<u32>]> = groups(&pieces);
        groups.into_par_iter().flat_map_iter(|group| self.embed_group(group)).collect()
    }

    /// The vectors of texts that are computed together.
    fn embed_group(&self, group: &[Vec<u32>]) -> Vec<Vec<f32>> {
        let states = self.bert.forward(group);
        let mut start = 0;
        let mut vectors = Vec::with_capacity(group.len());
        for pieces in group {
            let end = start + pieces.len();
            // There is no padding, so the mean is over exactly the pieces that an attention mask would leave.
            let own = states.slice_axis(Axis(0), (start..end).into());
            vectors.push(unit(own.sum_axis(Axis(0)).view()));
            start = end;
        }
        vectors
    }
}

/// Cuts the texts into runs of about [`TOGETHER`] pieces. Where the cuts are changes the time that it takes and not the vectors.
fn groups(pieces: &[Vec<u32>]) -> Vec<&[Vec<u32>]> {
    let mut groups = Vec::new();
    let mut rest = pieces;
    while !rest.is_empty() {
        let mut count = 0;
        let mut sum = 0;
        while count < rest.len() && (count == 0 || sum + rest[count].len() <= TOGETHER) {
            sum += rest[count].len();
            count += 1;
        }
        let (group, after) = rest.split_at(count);
        groups.push(group);
        rest = after;
    }
    groups
}

/// The direction of a vector. The sum has it as well as the mean.
fn unit(vector: ArrayView1<'_, f32>) -> Vec<f32> {
    let length = vector.dot(&vector).sqrt();
    // As sentence-transformers does: a vector of zeros stays one, and is not divided by nothing.
    let length = length.max(1e-12);
    vector.iter().map(|value| value / length).collect()
}
