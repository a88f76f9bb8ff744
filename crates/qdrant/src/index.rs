//! The port's side: a [`VectorIndex`] in a collection.

use std::collections::HashMap;

use async_trait::async_trait;
use qdrant_client::qdrant::{CountPoints, DeletePoints, Filter, PointsIdsList, PointsSelector, points_selector};

use reeve_ports::{Near, Nearest, Point, PortError, VectorIndex};

use crate::collection::{Collection, has_id, marker_id};
use crate::error::QdrantError;
use crate::link::Link;
use crate::point::{fits, sent, uuid};
use crate::search::{Found, finds_nothing, first, found, request};
use crate::settings::QdrantConfig;
use crate::shape::Shape;

/// Most points of one request: with vectors of a thousand numbers some 2 MB.
const BATCH: usize = 256;

/// From how many results on it is asked first how many there can be.
const MANY: usize = 4_096;

/// Memory's index in a Qdrant server.
///
/// It makes its collection when something is first put. One [`VectorIndex::hold_up_to`] may be refused where somebody else has made
/// the collection anew meanwhile: then whoever fills it asks for [`VectorIndex::position`] again.
pub struct QdrantIndex {
    collection: Collection,
}

impl QdrantIndex {
    /// An index of vectors of this shape. Asks the server nothing yet.
    ///
    /// # Errors
    /// [`PortError::Permanent`] where a setting can not be used; it names the key.
    pub fn new(config: &QdrantConfig, shape: Shape) -> Result<Self, PortError> {
        let collection = Collection::new(Link::new(config)?, shape, &config.collection)?;
        Ok(Self { collection })
    }

    /// The collection's name on the server.
    pub fn collection(&self) -> &str {
        &self.collection.name
    }

    /// Collections that earlier models have left behind; neither this one nor the one that the alias leads to.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn others(&self) -> Result<Vec<String>, PortError> {
        Ok(self.collection.others().await?)
    }

    /// Removes [`QdrantIndex::others`], and answers which those were. Until the alias leads to this one nothing is removed: it may not
    /// hold as much yet.
    ///
    /// # Errors
    /// When the server does not answer; what was removed before stays so.
    pub async fn remove_others(&self) -> Result<Vec<String>, PortError> {
        if self.collection.in_use().await?.as_deref() != Some(self.collection()) {
            return Ok(Vec::new());
        }
        let others = self.collection.others().await?;
        for name in &others {
            self.collection.drop_collection(name).await?;
        }
        Ok(others)
    }

    async fn put_all(&self, points: &[Point]) -> Result<(), QdrantError> {
        if points.is_empty() {
            return Ok(());
        }
        // Of two with one id the later one counts; what the server makes of both in one request is its own business.
        let mut last = HashMap::new();
        for (at, point) in points.iter().enumerate() {
            last.insert(point.id.as_str(), at);
        }
        let kept = points.iter().enumerate().filter(|(at, point)| last.get(point.id.as_str()) == Some(at));
        // All are looked at before the first one leaves.
        let shape = &self.collection.shape;
        let all = kept.map(|(_, point)| sent(point, shape)).collect::<Result<Vec<_>, _>>()?;
        self.collection.ensure().await?;
        for batch in all.chunks(BATCH) {
            let put = self.collection.upsert(batch.to_vec(), "keep points").await;
            put.map_err(|error| self.collection.noted(error))?;
        }
        Ok(())
    }

    async fn forget_all(&self, ids: &[String]) -> Result<(), QdrantError> {
        for batch in ids.chunks(BATCH) {
            let ids = PointsIdsList { ids: batch.iter().map(|id| uuid(id)).collect() };
            let selector = points_selector::PointsSelectorOneOf::Points(ids);
            let request = DeletePoints {
                collection_name: self.collection.name.clone(),
                wait: Some(true),
                points: Some(PointsSelector { points_selector_one_of: Some(selector) }),
                ..DeletePoints::default()
            };
            let mut client = self.collection.link.points();
            match self
                .collection
                .link
                .ask("forget points", client.delete(request))
                .await
                .map_err(|e| self.collection.noted(e))
            {
                // Without a collection they are forgotten.
                Ok(_) | Err(QdrantError::Missing) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn find(&self, asked: &Nearest) -> Result<Vec<Near>, QdrantError> {
        if finds_nothing(asked) {
            return Ok(Vec::new());
        }
        fits(&asked.vector, asked.space, &self.collection.shape, "the question")?;
        let mut count = first(asked.limit);
        loop {
            if count > MANY {
                // The server makes room for as many as are asked for, so no more than there are.
                count = count.min(self.counted().await?.saturating_add(1));
            }
            let mut client = self.collection.link.points();
            let question = request(&self.collection.name, asked, count);
            let answer = match self.collection.link.ask("search", client.query(question)).await {
                Ok(answer) => answer.result,
                Err(QdrantError::Missing) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            match found(&answer, asked, count) {
                Found::All(near) => return Ok(near),
                // Grows each time, and ends where all points of the company are there.
                Found::AskFor(more) => count = more,
                Found::Foreign => {
                    return Err(QdrantError::OtherShape {
                        collection: self.collection.name.clone(),
                        detail: "a point in it has no id of Reeve's".to_owned(),
                    });
                }
            }
        }
    }

    async fn counted(&self) -> Result<usize, QdrantError> {
        let request = CountPoints {
            collection_name: self.collection.name.clone(),
            // The point with the position is none of memory's.
            filter: Some(Filter::must_not([has_id(marker_id())])),
            exact: Some(true),
            ..CountPoints::default()
        };
        let mut client = self.collection.link.points();
        match self.collection.link.ask("count", client.count(request)).await {
            Ok(answer) => Ok(answer.result.map_or(0, |result| result.count as usize)),
            Err(QdrantError::Missing) => Ok(0),
            Err(error) => Err(error),
        }
    }

    async fn checked(&self) -> Result<String, QdrantError> {
        let collection = &self.collection;
        let version = collection.version().await?;
        if !collection.is_there().await? {
            return Ok(format!("Qdrant {version}: the collection {} is made when something is remembered", collection.name));
        }
        // Looked at only: who asks for the position begins to fill from it.
        let position = collection.marker().await?.map_or(0, |marker| marker.position);
        let count = self.counted().await?;
        let points = if count == 1 { "point" } else { "points" };
        let mut said = format!("Qdrant {version}: {count} {points} in {}, up to change {position}", collection.name);
        if collection.in_use().await?.as_ref() != Some(&collection.name) {
            said.push_str("; it is being filled, and not yet the one in use");
        }
        let others = collection.others().await?;
        if !others.is_empty() {
            said.push_str("; of no use any more: ");
            said.push_str(&others.join(", "));
        }
        Ok(said)
    }
}

#[async_trait]
impl VectorIndex for QdrantIndex {
    fn name(&self) -> String {
        format!("qdrant at {}", self.collection.link.url)
    }

    async fn check(&self) -> Result<String, PortError> {
        Ok(self.checked().await?)
    }

    async fn position(&self) -> Result<i64, PortError> {
        Ok(self.collection.position().await?)
    }

    async fn put(&self, points: &[Point]) -> Result<(), PortError> {
        Ok(self.put_all(points).await?)
    }

    async fn forget(&self, ids: &[String]) -> Result<(), PortError> {
        Ok(self.forget_all(ids).await?)
    }

    async fn hold_up_to(&self, seq: i64) -> Result<(), PortError> {
        self.collection.hold(seq).await?;
        Ok(self.collection.take_over(seq).await?)
    }

    async fn nearest(&self, asked: &Nearest) -> Result<Vec<Near>, PortError> {
        Ok(self.find(asked).await?)
    }

    async fn count(&self) -> Result<usize, PortError> {
        Ok(self.counted().await?)
    }

    async fn clear(&self) -> Result<(), PortError> {
        Ok(self.collection.clear().await?)
    }
}
