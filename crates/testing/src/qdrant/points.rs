//! Points: put, deleted, looked up, searched, counted.

use std::collections::{BTreeSet, HashMap};

use qdrant_client::qdrant::points_selector::PointsSelectorOneOf;
use qdrant_client::qdrant::points_server::Points;
use qdrant_client::qdrant::with_payload_selector::SelectorOptions;
use qdrant_client::qdrant::{
    CountPoints, CountResponse, CountResult, CreateFieldIndexCollection, DeletePoints, GetPoints, GetResponse, PointId,
    PointsOperationResponse, PointsSelector, QueryPoints, QueryResponse, RetrievedPoint, ScoredPoint, SetPayloadPoints,
    UpdateResult, UpdateStatus, UpsertPoints, Value, WithPayloadSelector, point_id, query, vector_input,
};
use tonic::{Request, Response, Status};

use super::calls::refused;
use super::filter::meets;
use super::shelf::{Collection, Shelf, id, unit};

/// How many are answered where no limit is given.
const LIMIT: u64 = 10;

/// Most results that there is room for. Qdrant makes room for the whole limit before it searches.
const LIMIT_MAX: u64 = 1 << 20;

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Points for Shelf {
    async fn upsert(&self, request: Request<UpsertPoints>) -> Answer<PointsOperationResponse> {
        self.enter("Points/Upsert", request.metadata()).await?;
        let request = request.into_inner();
        self.faults().upserts.push(request.clone());
        let halts = self.halts();
        if halts == Some(false) {
            return Err(self.stand_still().await);
        }
        self.upserted(request)?;
        if halts == Some(true) {
            return Err(self.stand_still().await);
        }
        Ok(updated())
    }

    async fn delete(&self, request: Request<DeletePoints>) -> Answer<PointsOperationResponse> {
        self.enter("Points/Delete", request.metadata()).await?;
        let request = request.into_inner();
        let mut held = self.held();
        let collection = held.find(&request.collection_name)?;
        for id in selected(collection, request.points)? {
            collection.points.remove(&id);
        }
        Ok(updated())
    }

    async fn get(&self, request: Request<GetPoints>) -> Answer<GetResponse> {
        self.enter("Points/Get", request.metadata()).await?;
        let request = request.into_inner();
        let mut held = self.held();
        let collection = held.find(&request.collection_name)?;
        let mut result = Vec::new();
        for wanted in request.ids {
            if let Some(stored) = collection.points.get(&id(Some(&wanted))?) {
                let payload = chosen(&stored.payload, request.with_payload.as_ref());
                result.push(RetrievedPoint { id: Some(wanted), payload, ..RetrievedPoint::default() });
            }
        }
        Ok(Response::new(GetResponse { result, ..GetResponse::default() }))
    }

    async fn set_payload(&self, request: Request<SetPayloadPoints>) -> Answer<PointsOperationResponse> {
        self.enter("Points/SetPayload", request.metadata()).await?;
        let request = request.into_inner();
        let mut held = self.held();
        let collection = held.find(&request.collection_name)?;
        for id in selected(collection, request.points_selector)? {
            if let Some(stored) = collection.points.get_mut(&id) {
                stored.payload.extend(request.payload.clone());
            }
        }
        Ok(updated())
    }

    async fn create_field_index(&self, request: Request<CreateFieldIndexCollection>) -> Answer<PointsOperationResponse> {
        self.enter("Points/CreateFieldIndex", request.metadata()).await?;
        let request = request.into_inner();
        self.held().find(&request.collection_name)?.indexes.insert(request.field_name.clone(), request);
        Ok(updated())
    }

    async fn count(&self, request: Request<CountPoints>) -> Answer<CountResponse> {
        self.enter("Points/Count", request.metadata()).await?;
        let request = request.into_inner();
        let mut held = self.held();
        let collection = held.find(&request.collection_name)?;
        let mut count = 0;
        for (id, stored) in &collection.points {
            count += u64::from(meets(request.filter.as_ref(), id, &stored.payload)?);
        }
        Ok(Response::new(CountResponse { result: Some(CountResult { count }), ..CountResponse::default() }))
    }

    async fn query(&self, request: Request<QueryPoints>) -> Answer<QueryResponse> {
        self.enter("Points/Query", request.metadata()).await?;
        let request = request.into_inner();
        self.faults().queries.push(request.clone());
        let result = searched(self.held().find(&request.collection_name)?, &request)?;
        Ok(Response::new(QueryResponse { result, ..QueryResponse::default() }))
    }

    refused! {
        update_vectors: UpdatePointVectors -> PointsOperationResponse,
        delete_vectors: DeletePointVectors -> PointsOperationResponse,
        overwrite_payload: SetPayloadPoints -> PointsOperationResponse,
        delete_payload: DeletePayloadPoints -> PointsOperationResponse,
        clear_payload: ClearPayloadPoints -> PointsOperationResponse,
        delete_field_index: DeleteFieldIndexCollection -> PointsOperationResponse,
        create_vector_name: CreateVectorNameRequest -> PointsOperationResponse,
        delete_vector_name: DeleteVectorNameRequest -> PointsOperationResponse,
        search: SearchPoints -> SearchResponse,
        search_batch: SearchBatchPoints -> SearchBatchResponse,
        search_groups: SearchPointGroups -> SearchGroupsResponse,
        scroll: ScrollPoints -> ScrollResponse,
        recommend: RecommendPoints -> RecommendResponse,
        recommend_batch: RecommendBatchPoints -> RecommendBatchResponse,
        recommend_groups: RecommendPointGroups -> RecommendGroupsResponse,
        discover: DiscoverPoints -> DiscoverResponse,
        discover_batch: DiscoverBatchPoints -> DiscoverBatchResponse,
        update_batch: UpdateBatchPoints -> UpdateBatchResponse,
        query_batch: QueryBatchPoints -> QueryBatchResponse,
        query_groups: QueryPointGroups -> QueryGroupsResponse,
        facet: FacetCounts -> FacetResponse,
        search_matrix_pairs: SearchMatrixPoints -> SearchMatrixPairsResponse,
        search_matrix_offsets: SearchMatrixPoints -> SearchMatrixOffsetsResponse,
    }
}

impl Shelf {
    /// All points of a request, or none where one of them is refused.
    fn upserted(&self, request: UpsertPoints) -> Result<(), Status> {
        let mut held = self.held();
        let collection = held.find(&request.collection_name)?;
        let taken = request.points.into_iter().map(|point| collection.taken(point)).collect::<Result<Vec<_>, _>>()?;
        collection.points.extend(taken);
        Ok(())
    }
}

fn updated() -> Response<PointsOperationResponse> {
    let result = Some(UpdateResult { operation_id: Some(0), status: UpdateStatus::Completed.into() });
    Response::new(PointsOperationResponse { result, ..PointsOperationResponse::default() })
}

/// The ids that a selector means.
fn selected(collection: &Collection, selector: Option<PointsSelector>) -> Result<BTreeSet<String>, Status> {
    match selector.and_then(|selector| selector.points_selector_one_of) {
        Some(PointsSelectorOneOf::Points(list)) => list.ids.iter().map(|one| id(Some(one))).collect(),
        Some(PointsSelectorOneOf::Filter(filter)) => {
            let mut ids = BTreeSet::new();
            for (id, stored) in &collection.points {
                if meets(Some(&filter), id, &stored.payload)? {
                    ids.insert(id.clone());
                }
            }
            Ok(ids)
        }
        None => Err(Status::invalid_argument("PointSelector is missing")),
    }
}

/// As much of a payload as is asked for: nothing where nothing is said.
fn chosen(payload: &HashMap<String, Value>, selector: Option<&WithPayloadSelector>) -> HashMap<String, Value> {
    match selector.and_then(|selector| selector.selector_options.as_ref()) {
        Some(SelectorOptions::Enable(true)) => payload.clone(),
        Some(SelectorOptions::Include(include)) => {
            let wanted = |(name, _): &(&String, &Value)| include.fields.contains(name);
            payload.iter().filter(wanted).map(|(name, value)| (name.clone(), value.clone())).collect()
        }
        _ => HashMap::new(),
    }
}

/// The nearest by cosine. Those that are as near come in an order that has nothing to do with their names.
fn searched(collection: &Collection, request: &QueryPoints) -> Result<Vec<ScoredPoint>, Status> {
    let vector = match request.query.as_ref().and_then(|query| query.variant.as_ref()) {
        Some(query::Variant::Nearest(input)) => match input.variant.as_ref() {
            Some(vector_input::Variant::Dense(dense)) => dense.data.clone(),
            other => return Err(Status::unimplemented(format!("the double does not search by {other:?}"))),
        },
        other => return Err(Status::unimplemented(format!("the double does not know {other:?}"))),
    };
    let name = request.using.as_deref().unwrap_or_default();
    collection.fits(name, &vector)?;
    let limit = request.limit.unwrap_or(LIMIT);
    if limit > LIMIT_MAX {
        return Err(Status::internal("Service internal error: capacity overflow"));
    }
    let vector = unit(vector);
    let mut found = Vec::new();
    for (uuid, stored) in &collection.points {
        let Some(other) = stored.vectors.get(name) else { continue };
        if meets(request.filter.as_ref(), uuid, &stored.payload)? {
            let score = vector.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
            let id = PointId { point_id_options: Some(point_id::PointIdOptions::Uuid(uuid.clone())) };
            let payload = chosen(&stored.payload, request.with_payload.as_ref());
            found.push(ScoredPoint { id: Some(id), payload, score, ..ScoredPoint::default() });
        }
    }
    // The sort is stable, and the points come by UUID.
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(limit as usize);
    Ok(found)
}
