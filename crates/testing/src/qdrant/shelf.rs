//! What the server holds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use qdrant_client::qdrant::{
    CreateCollection, CreateFieldIndexCollection, PointId, PointStruct, Value, VectorParams, point_id, value, vector,
    vectors, vectors_config,
};
use tonic::Status;

use super::faults::{Faults, Halted};

/// What a server holds, and how it behaves. Outlives the server.
#[derive(Debug, Default)]
pub struct Shelf {
    held: Mutex<Held>,
    faults: Mutex<Faults>,
    pub(super) halted: Halted,
}

/// Collections and aliases.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) collections: BTreeMap<String, Collection>,
    /// To what each leads.
    pub(super) aliases: BTreeMap<String, String>,
}

/// A collection.
#[derive(Clone, Debug)]
pub struct Collection {
    /// What it was made with.
    pub made: CreateCollection,
    /// Indexes of the payload, by field.
    pub indexes: BTreeMap<String, CreateFieldIndexCollection>,
    /// Points, by Qdrant's id.
    pub points: BTreeMap<String, Stored>,
}

/// A point.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its vectors, each of length one.
    pub vectors: BTreeMap<String, Vec<f32>>,
    /// Its payload.
    pub payload: HashMap<String, Value>,
}

impl Stored {
    /// A text of its payload; nothing where there is none.
    pub fn text(&self, name: &str) -> &str {
        match self.payload.get(name).and_then(|value| value.kind.as_ref()) {
            Some(value::Kind::StringValue(text)) => text,
            _ => "",
        }
    }

    /// A whole number of its payload.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.payload.get(name)?.kind.as_ref()? {
            value::Kind::IntegerValue(number) => Some(*number),
            _ => None,
        }
    }
}

impl Shelf {
    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A collection, by its name or an alias.
    pub fn collection(&self, name: &str) -> Option<Collection> {
        self.held().find(name).ok().cloned()
    }

    /// The names of all collections.
    pub fn collections(&self) -> Vec<String> {
        self.held().collections.keys().cloned().collect()
    }

    /// All aliases, each with the collection that it leads to.
    pub fn aliases(&self) -> BTreeMap<String, String> {
        self.held().aliases.clone()
    }

    /// Makes a collection, as somebody else might.
    pub fn make_collection(&self, made: CreateCollection) {
        let (indexes, points) = Default::default();
        self.held().collections.insert(made.collection_name.clone(), Collection { made, indexes, points });
    }

    /// Drops a collection, as somebody else might.
    pub fn drop_collection(&self, name: &str) {
        self.held().remove(name);
    }
}

impl Held {
    /// A collection, by its name or an alias.
    pub(super) fn find(&mut self, name: &str) -> Result<&mut Collection, Status> {
        let name = self.aliases.get(name).map_or(name, String::as_str);
        let missing = || Status::not_found(format!("Not found: Collection `{name}` doesn't exist!"));
        self.collections.get_mut(name).ok_or_else(missing)
    }

    /// Removes a collection with its aliases, and says whether it was there.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.aliases.retain(|_, target| target != name);
        self.collections.remove(name).is_some()
    }
}

impl Collection {
    /// What its vectors are, by name.
    pub(super) fn params(&self) -> HashMap<String, VectorParams> {
        match self.made.vectors_config.as_ref().and_then(|config| config.config.as_ref()) {
            Some(vectors_config::Config::ParamsMap(map)) => map.map.clone(),
            _ => HashMap::new(),
        }
    }

    /// Refuses a vector that the collection has not, or that is longer or shorter than its own.
    pub(super) fn fits(&self, name: &str, vector: &[f32]) -> Result<(), Status> {
        let Some(params) = self.params().remove(name) else {
            return Err(wrong(format!("Not existing vector name error: {name}")));
        };
        if params.size == vector.len() as u64 {
            return Ok(());
        }
        Err(wrong(format!("Vector dimension error: expected dim: {}, got {}", params.size, vector.len())))
    }

    /// A point as it is kept.
    pub(super) fn taken(&self, point: PointStruct) -> Result<(String, Stored), Status> {
        let id = id(point.id.as_ref())?;
        let named = match point.vectors.and_then(|vectors| vectors.vectors_options) {
            Some(vectors::VectorsOptions::Vectors(named)) => named.vectors,
            Some(vectors::VectorsOptions::Vector(_)) => return Err(wrong("Not existing vector name error: ")),
            None => return Err(Status::invalid_argument("Expected some vectors")),
        };
        let mut vectors = BTreeMap::new();
        for (name, vector) in named {
            let Some(vector::Vector::Dense(dense)) = vector.vector else {
                return Err(Status::unimplemented("the double knows dense vectors only"));
            };
            self.fits(&name, &dense.data)?;
            vectors.insert(name, unit(dense.data));
        }
        Ok((id, Stored { vectors, payload: point.payload }))
    }
}

/// Qdrant's id as text.
pub(super) fn id(id: Option<&PointId>) -> Result<String, Status> {
    match id.and_then(|id| id.point_id_options.as_ref()) {
        Some(point_id::PointIdOptions::Uuid(uuid)) if is_uuid(uuid) => Ok(uuid.clone()),
        Some(point_id::PointIdOptions::Uuid(uuid)) => Err(Status::invalid_argument(format!("Unable to parse UUID: {uuid}"))),
        Some(point_id::PointIdOptions::Num(number)) => Ok(number.to_string()),
        None => Err(Status::invalid_argument("Empty ID is not allowed")),
    }
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What Qdrant calls what it can not do as asked.
pub(super) fn wrong(words: impl std::fmt::Display) -> Status {
    Status::invalid_argument(format!("Wrong input: {words}"))
}

/// Vectors that are compared by cosine are kept with length one.
pub(super) fn unit(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length == 0.0 { vector } else { vector.into_iter().map(|x| x / length).collect() }
}
