//! Points as Qdrant keeps them: our id becomes a UUID, what is filtered by becomes the payload, and a vector that is not there is
//! left out.

use std::collections::HashMap;

use qdrant_client::qdrant::{
    DenseVector, NamedVectors, PointId, PointStruct, Value, Vector, Vectors, point_id, value, vector, vectors,
};

use reeve_domain::ids::content_hash;
use reeve_ports::{Point, Space};

use crate::error::QdrantError;
use crate::shape::Shape;

/// Names in the payload.
pub(crate) mod field {
    pub(crate) const ID: &str = "id";
    pub(crate) const COMPANY: &str = "company";
    pub(crate) const KIND: &str = "kind";
    pub(crate) const CODES: &str = "codes";
    pub(crate) const ITEM: &str = "item";
    pub(crate) const SUPPLIER: &str = "supplier";
    pub(crate) const LOCATION: &str = "location";
    pub(crate) const KNOWN_AT: &str = "known_at";
    pub(crate) const SEQ: &str = "seq";
    /// Only the point that keeps the position has these.
    pub(crate) const POSITION: &str = "position";
    pub(crate) const MADE: &str = "made";
}

/// The id in Qdrant, which takes numbers and UUIDs only: 122 bits of our id's hash, as a UUID of version 8 (RFC 9562, "vendor's own").
pub(crate) fn uuid(id: &str) -> PointId {
    let hash = content_hash(&[id]);
    // The digit after the third dash holds two bits that say that it is a UUID, and two of the hash.
    let variant = ["8", "9", "a", "b"][usize::from(hash.as_bytes()[15] & 3)];
    let uuid = format!("{}-{}-8{}-{variant}{}-{}", &hash[..8], &hash[8..12], &hash[12..15], &hash[16..19], &hash[19..31]);
    PointId { point_id_options: Some(point_id::PointIdOptions::Uuid(uuid)) }
}

pub(crate) fn text(text: &str) -> Value {
    Value { kind: Some(value::Kind::StringValue(text.to_owned())) }
}

pub(crate) fn number(number: i64) -> Value {
    Value { kind: Some(value::Kind::IntegerValue(number)) }
}

/// A text of a payload, where there is one of this name.
pub(crate) fn text_in<'a>(payload: &'a HashMap<String, Value>, name: &str) -> Option<&'a str> {
    match payload.get(name)?.kind.as_ref()? {
        value::Kind::StringValue(text) => Some(text),
        _ => None,
    }
}

/// A number of a payload, where there is one of this name.
pub(crate) fn number_in(payload: &HashMap<String, Value>, name: &str) -> Option<i64> {
    match payload.get(name)?.kind.as_ref()? {
        value::Kind::IntegerValue(number) => Some(*number),
        _ => None,
    }
}

/// Named vectors. None at all are an empty list of them: Qdrant refuses a point that does not say so.
pub(crate) fn vectors(named: impl IntoIterator<Item = (&'static str, Vec<f32>)>) -> Vectors {
    let one = |(name, data): (&'static str, Vec<f32>)| {
        let vector = Some(vector::Vector::Dense(DenseVector { data }));
        (name.to_owned(), Vector { vector, ..Vector::default() })
    };
    let vectors = named.into_iter().map(one).collect();
    Vectors { vectors_options: Some(vectors::VectorsOptions::Vectors(NamedVectors { vectors })) }
}

/// A point as it is sent.
///
/// # Errors
/// When one of its vectors is of another length than the collection's.
pub(crate) fn sent(point: &Point, shape: &Shape) -> Result<PointStruct, QdrantError> {
    let mut named = Vec::new();
    for space in Space::ALL {
        let vector = point.vector(space);
        if !vector.is_empty() {
            fits(vector, space, shape, &point.id)?;
            named.push((space.name(), vector.to_vec()));
        }
    }
    Ok(PointStruct { id: Some(uuid(&point.id)), payload: payload(point), vectors: Some(vectors(named)) })
}

/// A vector of another length is refused here, where it is still known of what it is.
pub(crate) fn fits(vector: &[f32], space: Space, shape: &Shape, of: &str) -> Result<(), QdrantError> {
    let (found, expected) = (vector.len(), shape.numbers(space));
    if found == expected {
        return Ok(());
    }
    Err(QdrantError::Length { space: space.name(), of: of.to_owned(), found, expected })
}

fn payload(point: &Point) -> HashMap<String, Value> {
    let codes = point.codes.iter().map(|code| text(code)).collect();
    let codes = Value { kind: Some(value::Kind::ListValue(qdrant_client::qdrant::ListValue { values: codes })) };
    let always = [
        (field::ID, text(&point.id)),
        (field::SEQ, number(point.seq)),
        (field::COMPANY, text(&point.company)),
        (field::KIND, text(point.kind.name())),
        (field::CODES, codes),
        (field::KNOWN_AT, number(point.known_at)),
    ];
    let about = [(field::ITEM, &point.item), (field::SUPPLIER, &point.supplier), (field::LOCATION, &point.location)];
    let about = about.into_iter().filter_map(|(name, id)| Some((name, text(id.as_ref()?))));
    always.into_iter().chain(about).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_id_has_the_same_uuid_in_the_form_that_uuids_have() {
        let uuid = |id| match uuid(id).point_id_options {
            Some(point_id::PointIdOptions::Uuid(uuid)) => uuid,
            _ => panic!("it is a UUID"),
        };
        let one = uuid("m-0123456789");
        assert_eq!(one, uuid("m-0123456789"));
        assert_ne!(one, uuid("m-0123456788"));
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(one.as_bytes()[14] == b'8' && b"89ab".contains(&one.as_bytes()[19]), "{one}");
    }
}
