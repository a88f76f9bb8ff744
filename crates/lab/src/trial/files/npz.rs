//! Tables of numbers as numpy writes them: `X` and `y` in an archive.
//!
//! Only what such archives need is read of the ZIP and NPY formats: entries that are stored or deflated, arrays of whole or
//! broken numbers of one or two dimensions. Nothing is allocated because a file claims it.

use std::io::Read;
use std::path::Path;

use flate2::read::DeflateDecoder;
use ndarray::{Array2, ShapeBuilder};

use super::numbers::Numbers;
use super::table;
use crate::trial::TrialError;

/// Bytes of a file, and of an array in it, at most.
const BYTES_MAX: u64 = 4 << 30;

/// Reads `X` and `y` of an archive: features, and labels of which those above 0 are anomalies.
///
/// # Errors
/// What the archive lacks, or what in it can not be read.
pub fn read_npz(file: &Path) -> Result<Numbers, TrialError> {
    let wrong = |what: &str| TrialError::File { file: file.to_owned(), what: what.to_owned() };
    let mut bytes = Vec::new();
    let read = table::open(file)?.take(BYTES_MAX).read_to_end(&mut bytes);
    read.map_err(|source| TrialError::Read { file: file.to_owned(), source })?;
    let array = |name: &str| {
        let packed = entry(&bytes, name).ok_or_else(|| {
            wrong(&format!("it has no array {name} that can be read; it must be written by numpy.savez with X and y"))
        })?;
        parse(&packed).ok_or_else(|| wrong(&format!("{name} is no array of numbers of one or two dimensions")))
    };
    let (x, y) = (array("X.npy")?, array("y.npy")?);
    let [count, features] = x.shape[..] else { return Err(wrong("X must have two dimensions: rows and columns")) };
    // Both stand in the file by themselves, so they may be of different sizes.
    if y.values.len() != count || count == 0 || features == 0 {
        return Err(wrong(&format!("X has {count} rows of {features} columns, but y has {} labels", y.values.len())));
    }
    let rows = Array2::from_shape_vec((count, features).set_f(x.columns_first), x.values)
        .map_err(|_| wrong("X has fewer numbers than its shape says"))?;
    let labels = y.values.iter().map(|label| *label > 0.0).collect();
    let names = (0..features).map(|at| format!("x{at}")).collect();
    Ok(Numbers { rows, names, labels: Some(("y".to_owned(), labels)) })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?)))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?)).ok()
}

/// The unpacked bytes of an archive's entry (APPNOTE of the ZIP format, 4.3.7, 4.3.12 and 4.3.16).
fn entry(bytes: &[u8], name: &str) -> Option<Vec<u8>> {
    // The list of entries is found by its end, which stands behind everything else in the file.
    let end = bytes.windows(4).rposition(|four| four == b"PK\x05\x06")?;
    let mut at = u32_at(bytes, end + 16)?;
    for _ in 0..u16_at(bytes, end + 10)? {
        if bytes.get(at..at.checked_add(4)?)? != b"PK\x01\x02" {
            return None;
        }
        let (method, size) = (u16_at(bytes, at + 10)?, u32_at(bytes, at + 20)?);
        let (name_length, more) = (u16_at(bytes, at + 28)?, u16_at(bytes, at + 30)? + u16_at(bytes, at + 32)?);
        let head = u32_at(bytes, at + 42)?;
        if bytes.get(at + 46..at + 46 + name_length)? == name.as_bytes() {
            // An entry's own head may be longer than the list says: its lengths are read again.
            let from =
                head.checked_add(30)?.checked_add(u16_at(bytes, head + 26)?)?.checked_add(u16_at(bytes, head + 28)?)?;
            let packed = bytes.get(from..from.checked_add(size)?)?;
            let mut unpacked = Vec::new();
            match method {
                0 => unpacked.extend_from_slice(packed),
                8 => {
                    // A small archive may unpack to any length.
                    DeflateDecoder::new(packed).take(BYTES_MAX).read_to_end(&mut unpacked).ok()?;
                }
                _ => return None,
            }
            return Some(unpacked);
        }
        at = at + 46 + name_length + more;
    }
    None
}

struct Array {
    shape: Vec<usize>,
    columns_first: bool,
    values: Vec<f64>,
}

/// An array in numpy's own format, version 1 or 2.
fn parse(bytes: &[u8]) -> Option<Array> {
    let (length, from): (usize, usize) = match bytes.get(..8)? {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _] => (u16_at(bytes, 8)?, 10),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2, _] => (u32_at(bytes, 8)?, 12),
        _ => return None,
    };
    let header = std::str::from_utf8(bytes.get(from..from.checked_add(length)?)?).ok()?;
    let data = bytes.get(from + length..)?;
    // The head is a Python literal. Only its three known keys are looked for.
    let after = |key: &str| Some(header.split_once(&format!("'{key}':"))?.1.trim_start());
    let kind = after("descr")?.strip_prefix('\'')?.split('\'').next()?;
    let columns_first = after("fortran_order")?.starts_with("True");
    let shape = after("shape")?.strip_prefix('(')?.split(')').next()?;
    let shape: Vec<usize> = shape
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    if shape.is_empty() || shape.len() > 2 {
        return None;
    }
    macro_rules! numbers {
        ($kind:ty) => {
            data.chunks_exact(size_of::<$kind>())
                .map(|part| Some(<$kind>::from_le_bytes(part.try_into().ok()?) as f64))
                .collect::<Option<Vec<f64>>>()?
        };
    }
    #[expect(clippy::cast_lossless, reason = "one macro for numbers of all widths")]
    let values: Vec<f64> = match kind {
        "<f8" => numbers!(f64),
        "<f4" => numbers!(f32),
        "<i8" => numbers!(i64),
        "<i4" => numbers!(i32),
        "<i2" => numbers!(i16),
        "|i1" => numbers!(i8),
        "<u8" => numbers!(u64),
        "<u4" => numbers!(u32),
        "<u2" => numbers!(u16),
        "|u1" | "|b1" => numbers!(u8),
        _ => return None,
    };
    // The shape is the file's claim: it has to fit what is there.
    let wanted = shape.iter().try_fold(1_usize, |all, part| all.checked_mul(*part))?;
    (values.len() == wanted && values.iter().all(|value| !value.is_infinite())).then_some(Array {
        shape,
        columns_first,
        values,
    })
}
