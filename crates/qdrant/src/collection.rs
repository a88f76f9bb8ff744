//! One collection: how it is made, and up to where it holds what is remembered.
//!
//! The position stands in the collection itself, in a point that has no vectors and no company. So it goes when the collection
//! goes, and it comes after what it counts in the one log of the one shard: neither a kill between the two nor a server that loses
//! the end of its log leaves a position that claims more than is there.
//!
//! Somebody else may drop the collection while it is filled, and make it anew. The point says by which making it is, `made`; a
//! position is written only where that is still the making that was filled.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use qdrant_client::qdrant::{
    Condition, CreateCollection, CreateFieldIndexCollection, DeleteCollection, FieldType, Filter, GetCollectionInfoRequest,
    GetPoints, HasIdCondition, HealthCheckRequest, HnswConfigDiff, IntegerIndexParams, KeywordIndexParams,
    PayloadIndexParams, PointId, PointStruct, PointsSelector, SetPayloadPoints, UpsertPoints, Value, WithPayloadSelector,
    condition, payload_index_params, points_selector, with_payload_selector,
};

use reeve_domain::words;

use crate::error::QdrantError;
use crate::link::Link;
use crate::point::{field, number, number_in, text, text_in, uuid, vectors};
use crate::search::keyword;
use crate::shape::Shape;

/// The oldest version that is spoken: the first whose calls have vectors in the form that is sent.
const OLDEST: (u32, u32) = (1, 13);

/// What the point with the position is called. Ids of memories have no spaces.
const MARKER: &str = "position of this index";

/// A collection on a server.
pub(crate) struct Collection {
    pub(crate) link: Link,
    pub(crate) shape: Shape,
    /// What its name begins with; the alias of the one in use.
    pub(crate) prefix: String,
    pub(crate) name: String,
    known: Mutex<Known>,
    // One at a time makes it.
    making: tokio::sync::Mutex<()>,
}

/// What this process has seen of the collection.
#[derive(Default)]
struct Known {
    /// By which making it is; none where it has not been looked for, or is gone.
    made: Option<String>,
    doubt: Doubt,
}

/// Was the collection made anew by somebody else since it was filled from here? Then what was put before may be missing, and the next
/// position is refused, once: whoever fills it begins again from its position.
#[derive(Clone, Copy, Default, PartialEq)]
enum Doubt {
    #[default]
    No,
    Yes,
    /// Whoever fills it knows, and has not asked for the position since.
    Told,
}

/// The point with the position.
pub(crate) struct Marker {
    pub(crate) made: String,
    pub(crate) position: i64,
}

impl Collection {
    pub(crate) fn new(link: Link, shape: Shape, prefix: &str) -> Result<Self, QdrantError> {
        let name = shape.collection(prefix)?;
        let prefix = prefix.to_owned();
        Ok(Self { link, shape, prefix, name, known: Mutex::default(), making: tokio::sync::Mutex::default() })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes by which making the collection is that was just met; none where it is not there.
    fn met(&self, made: Option<&str>) {
        let mut known = self.known();
        if known.made.is_some() && known.made.as_deref() != made {
            known.doubt = Doubt::Yes;
        }
        known.made = made.map(str::to_owned);
    }

    /// An error, with what it says of the collection noted.
    pub(crate) fn noted(&self, error: QdrantError) -> QdrantError {
        if error == QdrantError::Missing {
            self.met(None);
        }
        error
    }

    /// The server's version.
    ///
    /// # Errors
    /// When it does not answer, or is too old.
    pub(crate) async fn version(&self) -> Result<String, QdrantError> {
        let mut client = self.link.health();
        let version = self.link.ask("say its version", client.health_check(HealthCheckRequest {})).await?.version;
        let url = self.link.url.clone();
        match parsed(&version) {
            Some(found) if found >= OLDEST => Ok(words::cut(&version, 40)),
            Some(_) => Err(QdrantError::TooOld { url, version: words::cut(&version, 40) }),
            None => Err(QdrantError::NotQdrant { url, detail: format!("its version is {}", words::quoted(&version, 40)) }),
        }
    }

    /// Holds the collection against our shape; false where there is none.
    pub(crate) async fn is_there(&self) -> Result<bool, QdrantError> {
        let request = GetCollectionInfoRequest { collection_name: self.name.clone() };
        let mut client = self.link.collections();
        let info = match self.link.ask("describe a collection", client.get(request)).await {
            Ok(answer) => answer.result.unwrap_or_default(),
            Err(QdrantError::Missing) => return Ok(false),
            Err(error) => return Err(error),
        };
        let params = info.config.and_then(|config| config.params);
        match self.shape.differs(params.as_ref().and_then(|params| params.vectors_config.as_ref())) {
            Some(detail) => Err(QdrantError::OtherShape { collection: self.name.clone(), detail }),
            None => Ok(true),
        }
    }

    /// Makes the collection where it is not there. What a process that was killed left half made is finished.
    pub(crate) async fn ensure(&self) -> Result<(), QdrantError> {
        let _making = self.making.lock().await;
        if self.known().made.is_some() {
            return Ok(());
        }
        self.version().await?;
        if !self.is_there().await? {
            match self.create().await {
                // Another process was faster.
                Ok(()) | Err(QdrantError::AlreadyThere) => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(marker) = self.marker().await? {
            self.met(Some(&marker.made));
            return Ok(());
        }
        self.index_payload().await?;
        // Comes last: where it is, all before it is.
        self.mark().await?;
        let marker = self.marker().await?;
        self.met(marker.as_ref().map(|marker| marker.made.as_str()));
        Ok(())
    }

    async fn create(&self) -> Result<(), QdrantError> {
        let request = CreateCollection {
            collection_name: self.name.clone(),
            vectors_config: Some(self.shape.vectors()),
            // One log for all points, so that the position comes after what it counts.
            shard_number: Some(1),
            // Every search is exact, so nobody would walk the graph that is built otherwise.
            hnsw_config: Some(HnswConfigDiff { m: Some(0), ..HnswConfigDiff::default() }),
            ..CreateCollection::default()
        };
        let mut client = self.link.collections();
        self.link.ask("make a collection", client.create(request)).await.map(drop)
    }

    /// Indexes of the fields that are filtered by. Doing it again changes nothing.
    async fn index_payload(&self) -> Result<(), QdrantError> {
        use payload_index_params::IndexParams::{IntegerIndexParams as Integer, KeywordIndexParams as Keyword};
        // Points of one company lie together.
        let tenant = Keyword(KeywordIndexParams { is_tenant: Some(true), ..KeywordIndexParams::default() });
        let keyword = || Keyword(KeywordIndexParams::default());
        // Compared only: nobody asks for one moment.
        let integer =
            Integer(IntegerIndexParams { lookup: Some(false), range: Some(true), ..IntegerIndexParams::default() });
        let fields = [
            (field::COMPANY, FieldType::Keyword, tenant),
            (field::KIND, FieldType::Keyword, keyword()),
            (field::CODES, FieldType::Keyword, keyword()),
            (field::SUPPLIER, FieldType::Keyword, keyword()),
            (field::KNOWN_AT, FieldType::Integer, integer),
            // By this the position is written; a server in strict mode refuses a filter without an index.
            (field::MADE, FieldType::Keyword, keyword()),
        ];
        for (name, kind, params) in fields {
            let request = CreateFieldIndexCollection {
                collection_name: self.name.clone(),
                wait: Some(true),
                field_name: name.to_owned(),
                field_type: Some(kind.into()),
                field_index_params: Some(PayloadIndexParams { index_params: Some(params) }),
                ..CreateFieldIndexCollection::default()
            };
            let mut client = self.link.points();
            self.link.ask("index a field", client.create_field_index(request)).await?;
        }
        Ok(())
    }

    /// Marks a collection as made: nothing is held yet.
    async fn mark(&self) -> Result<(), QdrantError> {
        let random = getrandom::u64().map_err(|error| QdrantError::Setting {
            key: "the operating system",
            message: format!("gives no random numbers: {error}"),
        })?;
        let payload = [(field::MADE, text(&format!("{random:016x}"))), (field::POSITION, number(0))];
        let payload = payload.map(|(name, value)| (name.to_owned(), value)).into();
        let marker = PointStruct { id: Some(marker_id()), payload, vectors: Some(vectors([])) };
        self.upsert(vec![marker], "keep the position").await
    }

    /// Puts points, and waits until they are found.
    pub(crate) async fn upsert(&self, points: Vec<PointStruct>, what: &'static str) -> Result<(), QdrantError> {
        let collection_name = self.name.clone();
        let request = UpsertPoints { collection_name, wait: Some(true), points, ..UpsertPoints::default() };
        let mut client = self.link.points();
        self.link.ask(what, client.upsert(request)).await.map(drop)
    }

    /// The point with the position, in this collection; none where it was not finished.
    ///
    /// # Errors
    /// [`QdrantError::Missing`] where the collection is not there.
    pub(crate) async fn marker(&self) -> Result<Option<Marker>, QdrantError> {
        self.marker_of(&self.name).await
    }

    /// The same of another collection.
    pub(crate) async fn marker_of(&self, collection: &str) -> Result<Option<Marker>, QdrantError> {
        let all = WithPayloadSelector { selector_options: Some(with_payload_selector::SelectorOptions::Enable(true)) };
        let request = GetPoints {
            collection_name: collection.to_owned(),
            ids: vec![marker_id()],
            with_payload: Some(all),
            ..GetPoints::default()
        };
        let mut client = self.link.points();
        let answer = self.link.ask("tell its position", client.get(request)).await?;
        Ok(answer.result.first().and_then(|point| {
            let made = text_in(&point.payload, field::MADE)?.to_owned();
            Some(Marker { made, position: number_in(&point.payload, field::POSITION)? })
        }))
    }

    /// Up to where it holds everything.
    pub(crate) async fn position(&self) -> Result<i64, QdrantError> {
        let marker = match self.marker().await {
            Ok(marker) => marker,
            Err(QdrantError::Missing) => None,
            Err(error) => return Err(error),
        };
        self.met(marker.as_ref().map(|marker| marker.made.as_str()));
        let mut known = self.known();
        if known.doubt == Doubt::Told {
            known.doubt = Doubt::No;
        }
        Ok(marker.map_or(0, |marker| marker.position))
    }

    /// Writes the position, where the collection is still the one that was filled.
    pub(crate) async fn hold(&self, position: i64) -> Result<(), QdrantError> {
        self.ensure().await?;
        let made = {
            let mut known = self.known();
            let (Doubt::No, Some(made)) = (known.doubt, known.made.clone()) else {
                known.doubt = Doubt::Told;
                return Err(self.made_anew());
            };
            made
        };
        // Asked and written in one step on the server: a collection that is made anew just now is not met by the filter.
        let still = Filter::must([has_id(marker_id()), keyword(field::MADE, &made)]);
        let payload: HashMap<String, Value> = [(field::POSITION.to_owned(), number(position))].into();
        let selector = points_selector::PointsSelectorOneOf::Filter(still);
        let request = SetPayloadPoints {
            collection_name: self.name.clone(),
            wait: Some(true),
            payload,
            points_selector: Some(PointsSelector { points_selector_one_of: Some(selector) }),
            ..SetPayloadPoints::default()
        };
        let mut client = self.link.points();
        self.link.ask("keep the position", client.set_payload(request)).await.map_err(|error| self.noted(error))?;
        // The filter may have met nothing, which is no error there.
        let marker = self.marker().await.map_err(|error| self.noted(error))?;
        if marker.as_ref().is_some_and(|marker| marker.made == made) {
            return Ok(());
        }
        self.met(marker.as_ref().map(|marker| marker.made.as_str()));
        self.known().doubt = Doubt::Told;
        Err(self.made_anew())
    }

    fn made_anew(&self) -> QdrantError {
        QdrantError::MadeAnew { collection: self.name.clone() }
    }

    /// Drops it and makes it anew: the position goes with the points. Killed in between it is not there, which is empty too.
    pub(crate) async fn clear(&self) -> Result<(), QdrantError> {
        match self.drop_collection(&self.name).await {
            Ok(()) | Err(QdrantError::Missing) => {}
            Err(error) => return Err(error),
        }
        *self.known() = Known::default();
        self.ensure().await
    }

    /// Drops a collection, with the aliases that lead to it.
    pub(crate) async fn drop_collection(&self, name: &str) -> Result<(), QdrantError> {
        let request = DeleteCollection { collection_name: name.to_owned(), ..DeleteCollection::default() };
        let mut client = self.link.collections();
        self.link.ask("remove a collection", client.delete(request)).await.map(drop)
    }
}

/// The id of the point with the position.
pub(crate) fn marker_id() -> PointId {
    uuid(MARKER)
}

/// The point of this id.
pub(crate) fn has_id(id: PointId) -> Condition {
    Condition { condition_one_of: Some(condition::ConditionOneOf::HasId(HasIdCondition { has_id: vec![id] })) }
}

/// The first two numbers of a version: `1.15.2` is (1, 15).
fn parsed(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.trim().trim_start_matches('v').split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::parsed;

    #[test]
    fn versions_are_compared_by_numbers() {
        assert_eq!(["1.9.0", "1.13.6", "1.20.0-dev", "v2.0"].map(parsed), [(1, 9), (1, 13), (1, 20), (2, 0)].map(Some));
        assert_eq!(["", "1", "latest", "1.x"].map(parsed), [None; 4]);
        assert!(parsed("1.9.0") < parsed("1.13.0"));
    }
}
