//! BERT's encoder, forwards only: numbers of pieces in, one vector for each piece out.
//!
//! Several texts go through together, one below the other and without padding: every step but attention works on single rows,
//! and attention looks at one text's rows only. So a text's numbers do not depend on its neighbours, to the last bit: each number of a
//! matrix product is summed in the same order whatever other rows there are (a test holds it to that).

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayBase, Axis, Ix2, RawData};

use super::EmbeddingError;
use super::gelu::Gelu;
use super::weights::{Table, Weights};

/// How many numbers stand for a piece.
pub(crate) const HIDDEN: usize = 384;
/// How many pieces the vocabulary has.
pub(crate) const VOCABULARY: usize = 30_522;
/// How many pieces of a text have a place.
const PLACES: usize = 512;
const LAYERS: usize = 6;
const HEADS: usize = 12;
/// What one head looks at.
const HEAD: usize = HIDDEN / HEADS;
const INNER: usize = 1536;
/// Keeps the norm of a row that does not vary from dividing by nothing.
const EPSILON: f32 = 1e-12;

/// The encoder with its weights.
pub(crate) struct Bert<'a> {
    words: Table<'a>,
    places: Table<'a>,
    /// The only kind of text here is the first: the second is for the other text of a pair.
    kind: Array1<f32>,
    norm: Norm,
    layers: Vec<Layer>,
    gelu: Gelu,
}

struct Layer {
    /// What a piece asks, what it answers to and what it says: three products as one.
    ask_answer_say: Linear,
    mix: Linear,
    mix_norm: Norm,
    widen: Linear,
    narrow: Linear,
    narrow_norm: Norm,
}

/// A product with a matrix, and a constant.
struct Linear {
    matrix: Array2<f32>,
    bias: Array1<f32>,
}

/// Brings a row to mean 0 and variance 1, then to what was learnt.
struct Norm {
    weight: Array1<f32>,
    bias: Array1<f32>,
}

impl<'a> Bert<'a> {
    /// Takes the weights by their names in the published model.
    pub(crate) fn from_weights(weights: &Weights<'a>) -> Result<Self, EmbeddingError> {
        let kinds = weights.floats("embeddings.token_type_embeddings.weight", &[2, HIDDEN])?;
        Ok(Self {
            words: weights.table("embeddings.word_embeddings.weight", VOCABULARY, HIDDEN)?,
            places: weights.table("embeddings.position_embeddings.weight", PLACES, HIDDEN)?,
            kind: kinds[..HIDDEN].iter().copied().collect(),
            norm: Norm::from_weights(weights, "embeddings.LayerNorm")?,
            layers: (0..LAYERS).map(|layer| Layer::from_weights(weights, layer)).collect::<Result<_, _>>()?,
            gelu: Gelu::new(),
        })
    }

    /// The last layer's vectors of the pieces of `texts`, one row a piece, the texts one below the other.
    ///
    /// A text has at most 512 pieces, each from the vocabulary.
    pub(crate) fn forward(&self, texts: &[Vec<u32>]) -> Array2<f32> {
        let mut states = self.look_up(texts);
        for layer in &self.layers {
            states = layer.forward(&states, texts, &self.gelu);
        }
        states
    }

    fn look_up(&self, texts: &[Vec<u32>]) -> Array2<f32> {
        let count = texts.iter().map(Vec::len).sum();
        let mut states = Array2::zeros((count, HIDDEN));
        let pieces = texts.iter().flat_map(|text| text.iter().enumerate());
        for ((place, piece), mut row) in pieces.zip(states.axis_iter_mut(Axis(0))) {
            row.assign(&self.kind);
            let row = row.into_slice().expect("a row of an array that was just made is in one piece");
            self.words.add_row(*piece as usize, row);
            self.places.add_row(place, row);
        }
        self.norm.apply(&mut states);
        states
    }
}

impl Layer {
    fn from_weights(weights: &Weights<'_>, layer: usize) -> Result<Self, EmbeddingError> {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        let of = |part: &str| Linear::from_weights(weights, &name(part), HIDDEN, HIDDEN);
        let three = [of("attention.self.query")?, of("attention.self.key")?, of("attention.self.value")?];
        Ok(Self {
            ask_answer_say: Linear::side_by_side(&three),
            mix: of("attention.output.dense")?,
            mix_norm: Norm::from_weights(weights, &name("attention.output.LayerNorm"))?,
            widen: Linear::from_weights(weights, &name("intermediate.dense"), HIDDEN, INNER)?,
            narrow: Linear::from_weights(weights, &name("output.dense"), INNER, HIDDEN)?,
            narrow_norm: Norm::from_weights(weights, &name("output.LayerNorm"))?,
        })
    }

    fn forward(&self, states: &Array2<f32>, texts: &[Vec<u32>], gelu: &Gelu) -> Array2<f32> {
        // Each half adds to what came in, so that a half with nothing to say changes nothing.
        let mut mixed = self.mix.apply(&self.attend(states, texts));
        mixed += states;
        self.mix_norm.apply(&mut mixed);

        let mut inner = self.widen.apply(&mixed);
        gelu.apply(inner.as_slice_mut().expect("a product is in one piece"));
        let mut out = self.narrow.apply(&inner);
        out += &mixed;
        self.narrow_norm.apply(&mut out);
        out
    }

    /// For each piece and head: what the pieces of the same text say, weighed by how well they answer to what the piece asks.
    fn attend(&self, states: &Array2<f32>, texts: &[Vec<u32>]) -> Array2<f32> {
        let all = self.ask_answer_say.apply(states);
        let mut heard = Array2::zeros(states.raw_dim());
        let mut start = 0;
        for text in texts {
            let rows = start..start + text.len();
            for head in 0..HEADS {
                let block = |third: usize| columns(third * HIDDEN + head * HEAD);
                let [ask, answer, say] = [0, 1, 2].map(|third| cut(all.view(), &rows, block(third)));
                let mut weights = ask.dot(&answer.t());
                soft_max(&mut weights, 1.0 / (HEAD as f32).sqrt());
                cut(heard.view_mut(), &rows, block(0)).assign(&weights.dot(&say));
            }
            start = rows.end;
        }
        heard
    }
}

/// The columns of one head's block that begins at `first`.
fn columns(first: usize) -> Range<usize> {
    first..first + HEAD
}

/// A part of a matrix. It stands for ndarray's `s!`, which a package without `unsafe` can not use.
fn cut<S: RawData>(mut view: ArrayBase<S, Ix2>, rows: &Range<usize>, columns: Range<usize>) -> ArrayBase<S, Ix2> {
    view.slice_axis_inplace(Axis(0), rows.clone().into());
    view.slice_axis_inplace(Axis(1), columns.into());
    view
}

/// Turns each row, times `scale`, into shares of one.
fn soft_max(rows: &mut Array2<f32>, scale: f32) {
    for mut row in rows.axis_iter_mut(Axis(0)) {
        // Less the largest, so that no power is past what a float holds; the shares are the same.
        let largest = row.fold(f32::NEG_INFINITY, |largest, value| largest.max(*value));
        row.mapv_inplace(|value| ((value - largest) * scale).exp());
        let sum = row.sum();
        row.mapv_inplace(|value| value / sum);
    }
}

impl Linear {
    fn from_weights(weights: &Weights<'_>, name: &str, inputs: usize, outputs: usize) -> Result<Self, EmbeddingError> {
        let matrix = weights.matrix(&format!("{name}.weight"), inputs, outputs)?;
        Ok(Self { matrix, bias: weights.vector(&format!("{name}.bias"), outputs)? })
    }

    /// One product that gives what each of `parts` gives, one after the other.
    fn side_by_side(parts: &[Self]) -> Self {
        let matrices: Vec<_> = parts.iter().map(|part| part.matrix.view()).collect();
        let biases: Vec<_> = parts.iter().map(|part| part.bias.view()).collect();
        let matrix = ndarray::concatenate(Axis(1), &matrices).expect("the parts have the same inputs");
        Self {
            // Joining columns leaves them in columns; read row by row, the product is packed faster.
            matrix: matrix.as_standard_layout().into_owned(),
            bias: ndarray::concatenate(Axis(0), &biases).expect("vectors can always be joined"),
        }
    }

    fn apply(&self, rows: &Array2<f32>) -> Array2<f32> {
        let mut product = rows.dot(&self.matrix);
        product += &self.bias;
        product
    }
}

impl Norm {
    fn from_weights(weights: &Weights<'_>, name: &str) -> Result<Self, EmbeddingError> {
        let weight = weights.vector(&format!("{name}.weight"), HIDDEN)?;
        Ok(Self { weight, bias: weights.vector(&format!("{name}.bias"), HIDDEN)? })
    }

    fn apply(&self, rows: &mut Array2<f32>) {
        for mut row in rows.axis_iter_mut(Axis(0)) {
            let mean = row.sum() / HIDDEN as f32;
            row -= mean;
            let variance = row.dot(&row) / HIDDEN as f32;
            row *= 1.0 / (variance + EPSILON).sqrt();
            row *= &self.weight;
            row += &self.bias;
        }
    }
}
