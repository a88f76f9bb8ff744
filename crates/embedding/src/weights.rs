//! Reads the file of weights: the safetensors format, with large matrices as one byte a number and one scale a row.
//!
//! The file is eight bytes with the length of a header, the header (JSON: name → type, shape, place) and the numbers, little-endian.
//! Matrices that are multiplied are unpacked once; tables of which a few rows are looked up stay as they are in the program.

use std::collections::HashMap;

use ndarray::{Array1, Array2};
use serde::Deserialize;

use super::EmbeddingError;

/// A parsed file. What it hands out borrows the bytes where it can.
pub(crate) struct Weights<'a> {
    header: HashMap<String, Entry>,
    data: &'a [u8],
}

/// What the header says of one tensor.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    /// Where its bytes begin and end, counted from the end of the header.
    data_offsets: (usize, usize),
}

/// A table whose rows are unpacked when they are looked up.
pub(crate) struct Table<'a> {
    bytes: &'a [u8],
    scales: Vec<f32>,
    columns: usize,
}

impl Table<'_> {
    /// Adds a row to `target`, which has as many numbers as the table has columns. `row` is below the table's rows.
    pub(crate) fn add_row(&self, row: usize, target: &mut [f32]) {
        let bytes = &self.bytes[row * self.columns..][..self.columns];
        for (sum, byte) in target.iter_mut().zip(bytes) {
            *sum += signed(*byte) * self.scales[row];
        }
    }
}

impl<'a> Weights<'a> {
    /// Reads the header. Of the numbers it only looks whether their places are inside the file.
    pub(crate) fn parse(file: &'a [u8]) -> Result<Self, EmbeddingError> {
        let cut_off = || EmbeddingError::Weights("it is cut off in its header".to_owned());
        let (length, rest) = file.split_first_chunk::<8>().ok_or_else(cut_off)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut_off())?;
        let (header, data) = rest.split_at_checked(length).ok_or_else(cut_off)?;
        let mut header: HashMap<String, serde_json::Value> =
            serde_json::from_slice(header).map_err(|error| EmbeddingError::Weights(format!("its header: {error}")))?;
        // The one name that is no tensor: free words of whoever wrote the file.
        header.remove("__metadata__");
        let entry = |(name, value)| match serde_json::from_value::<Entry>(value) {
            Ok(entry) => Ok((name, entry)),
            Err(error) => Err(EmbeddingError::Weights(format!("its header, tensor {name}: {error}"))),
        };
        Ok(Self { header: header.into_iter().map(entry).collect::<Result<_, _>>()?, data })
    }

    /// A tensor of single floats with one dimension.
    pub(crate) fn vector(&self, name: &str, length: usize) -> Result<Array1<f32>, EmbeddingError> {
        Ok(Array1::from(self.floats(name, &[length])?))
    }

    /// A matrix of `rows` × `columns` single floats, one row after the other.
    pub(crate) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, EmbeddingError> {
        let bytes = self.bytes(name, "F32", shape)?;
        // `bytes` has checked that there are four for each number, so no rest is lost.
        let (numbers, _) = bytes.as_chunks::<4>();
        Ok(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect())
    }

    /// A packed table for looking up rows.
    pub(crate) fn table(&self, name: &str, rows: usize, columns: usize) -> Result<Table<'a>, EmbeddingError> {
        let bytes = self.bytes(&format!("{name}.q8"), "U8", &[rows, columns])?;
        let scales = self.floats(&format!("{name}.scale"), &[rows])?;
        Ok(Table { bytes, scales, columns })
    }

    /// A packed matrix, unpacked and turned round: `inputs` × `outputs`, where the file has a row for each output. In this order
    /// the product of states and matrix reads both row by row.
    pub(crate) fn matrix(&self, name: &str, inputs: usize, outputs: usize) -> Result<Array2<f32>, EmbeddingError> {
        let table = self.table(name, outputs, inputs)?;
        Ok(Array2::from_shape_fn((inputs, outputs), |(input, output)| {
            signed(table.bytes[output * inputs + input]) * table.scales[output]
        }))
    }

    fn bytes(&self, name: &str, dtype: &str, shape: &[usize]) -> Result<&'a [u8], EmbeddingError> {
        let entry = self.header.get(name).ok_or_else(|| EmbeddingError::Weights(format!("tensor {name} is missing")))?;
        if entry.dtype != dtype || entry.shape != shape {
            return Err(EmbeddingError::Weights(format!(
                "tensor {name} is {} {:?}, expected was {dtype} {shape:?}",
                entry.dtype, entry.shape
            )));
        }
        let (start, end) = entry.data_offsets;
        let bytes = self.data.get(start..end);
        let size = shape.iter().product::<usize>() * if dtype == "F32" { 4 } else { 1 };
        bytes
            .filter(|bytes| bytes.len() == size)
            .ok_or_else(|| EmbeddingError::Weights(format!("tensor {name} has not {size} bytes at {start} to {end}")))
    }
}

/// The file calls the bytes unsigned, because its writer knew no signed ones; they are signed.
fn signed(byte: u8) -> f32 {
    f32::from(byte.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with the given header and eight bytes of numbers.
    fn file(header: &str) -> Vec<u8> {
        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.extend(header.as_bytes());
        file.extend([255, 2, 3, 4, 0, 0, 0, 63]); // four bytes, and 0.5 as a float
        file
    }

    const HEADER: &str = r#"{"__metadata__":{"format":"np"},
        "m.q8":{"dtype":"U8","shape":[1,4],"data_offsets":[0,4]},"m.scale":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#;

    #[test]
    fn bytes_are_signed_and_times_their_rows_scale() {
        let file = file(HEADER);
        let weights = Weights::parse(&file).unwrap();
        assert_eq!(weights.matrix("m", 4, 1).unwrap().into_raw_vec_and_offset().0, [-0.5, 1.0, 1.5, 2.0]);
        let mut sum = [1.0; 4];
        weights.table("m", 1, 4).unwrap().add_row(0, &mut sum);
        assert_eq!(sum.map(f32::to_bits), [0.5_f32, 2.0, 2.5, 3.0].map(f32::to_bits));
    }

    #[test]
    fn what_is_not_this_model_is_refused_by_name() {
        let refused = |file: &[u8], name: &str| {
            let read = Weights::parse(file).and_then(|weights| weights.matrix(name, 4, 1));
            read.err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(refused(&file(HEADER), "n").contains("tensor n.q8 is missing"));
        assert!(
            refused(&file(&HEADER.replace("[1,4]", "[4,1]")), "m").contains("m.q8 is U8 [4, 1], expected was U8 [1, 4]")
        );
        assert!(refused(&file(&HEADER.replace("F32", "F16")), "m").contains("m.scale is F16 [1]"));
        assert!(refused(&file(&HEADER.replace("[4,8]", "[4,9]")), "m").contains("m.scale has not 4 bytes at 4 to 9"));
        assert!(refused(&file(&HEADER.replace("[4,8]", "[8,4]")), "m").contains("m.scale has not 4 bytes at 8 to 4"));
        assert!(refused(&file("[]"), "m").contains("header"));
        assert!(refused(&file(r#"{"m":{}}"#), "m").contains("tensor m"));
        for cut in [0, 7, 8, 40] {
            assert!(refused(&file(HEADER)[..cut], "m").contains("cut off"), "{cut}");
        }
        assert!(refused(&[255; 16], "m").contains("cut off"));
    }
}
