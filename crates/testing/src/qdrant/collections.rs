//! The version, collections and aliases.

use qdrant_client::qdrant::alias_operations::Action;
use qdrant_client::qdrant::collections_server::Collections;
use qdrant_client::qdrant::qdrant_server::Qdrant;
use qdrant_client::qdrant::{
    AliasDescription, ChangeAliases, CollectionConfig, CollectionDescription, CollectionExists, CollectionExistsRequest,
    CollectionExistsResponse, CollectionInfo, CollectionOperationResponse, CollectionParams, CollectionStatus,
    CreateCollection, DeleteCollection, GetCollectionInfoRequest, GetCollectionInfoResponse, HealthCheckReply,
    HealthCheckRequest, ListAliasesRequest, ListAliasesResponse, ListCollectionsRequest, ListCollectionsResponse,
    PayloadSchemaInfo,
};
use tonic::{Request, Response, Status};

use super::calls::refused;
use super::shelf::{Collection, Held, Shelf, wrong};

#[tonic::async_trait]
impl Qdrant for Shelf {
    // Asks for no key, as the real one.
    async fn health_check(&self, _request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckReply>, Status> {
        self.faults().calls.push("Qdrant/HealthCheck");
        let title = "qdrant - vector search engine".to_owned();
        Ok(Response::new(HealthCheckReply { title, version: self.version(), commit: None }))
    }
}

#[tonic::async_trait]
impl Collections for Shelf {
    async fn get(&self, request: Request<GetCollectionInfoRequest>) -> Result<Response<GetCollectionInfoResponse>, Status> {
        self.enter("Collections/Get", request.metadata()).await?;
        let info = info(self.held().find(&request.into_inner().collection_name)?);
        Ok(Response::new(GetCollectionInfoResponse { result: Some(info), time: 0.0 }))
    }

    async fn list(&self, request: Request<ListCollectionsRequest>) -> Result<Response<ListCollectionsResponse>, Status> {
        self.enter("Collections/List", request.metadata()).await?;
        let collections = self.collections().into_iter().map(|name| CollectionDescription { name }).collect();
        Ok(Response::new(ListCollectionsResponse { collections, time: 0.0 }))
    }

    async fn collection_exists(
        &self,
        request: Request<CollectionExistsRequest>,
    ) -> Result<Response<CollectionExistsResponse>, Status> {
        self.enter("Collections/CollectionExists", request.metadata()).await?;
        let exists = self.held().find(&request.into_inner().collection_name).is_ok();
        Ok(Response::new(CollectionExistsResponse { result: Some(CollectionExists { exists }), time: 0.0 }))
    }

    async fn create(&self, request: Request<CreateCollection>) -> Result<Response<CollectionOperationResponse>, Status> {
        self.enter("Collections/Create", request.metadata()).await?;
        let made = request.into_inner();
        if self.collection(&made.collection_name).is_some() {
            return Err(wrong(format!("Collection `{}` already exists!", made.collection_name)));
        }
        self.make_collection(made);
        Ok(done(true))
    }

    async fn delete(&self, request: Request<DeleteCollection>) -> Result<Response<CollectionOperationResponse>, Status> {
        self.enter("Collections/Delete", request.metadata()).await?;
        Ok(done(self.held().remove(&request.into_inner().collection_name)))
    }

    async fn update_aliases(
        &self,
        request: Request<ChangeAliases>,
    ) -> Result<Response<CollectionOperationResponse>, Status> {
        self.enter("Collections/UpdateAliases", request.metadata()).await?;
        let mut held = self.held();
        for operation in request.into_inner().actions {
            change(&mut held, operation.action)?;
        }
        Ok(done(true))
    }

    async fn list_aliases(&self, request: Request<ListAliasesRequest>) -> Result<Response<ListAliasesResponse>, Status> {
        self.enter("Collections/ListAliases", request.metadata()).await?;
        let alias = |(alias_name, collection_name)| AliasDescription { alias_name, collection_name };
        Ok(Response::new(ListAliasesResponse { aliases: self.aliases().into_iter().map(alias).collect(), time: 0.0 }))
    }

    refused! {
        update: UpdateCollection -> CollectionOperationResponse,
        list_collection_aliases: ListCollectionAliasesRequest -> ListAliasesResponse,
        collection_cluster_info: CollectionClusterInfoRequest -> CollectionClusterInfoResponse,
        update_collection_cluster_setup: UpdateCollectionClusterSetupRequest -> UpdateCollectionClusterSetupResponse,
        create_shard_key: CreateShardKeyRequest -> CreateShardKeyResponse,
        delete_shard_key: DeleteShardKeyRequest -> DeleteShardKeyResponse,
        list_shard_keys: ListShardKeysRequest -> ListShardKeysResponse,
    }
}

/// One step of a change of aliases.
fn change(held: &mut Held, action: Option<Action>) -> Result<(), Status> {
    match action {
        Some(Action::CreateAlias(create)) => {
            if held.collections.contains_key(&create.alias_name) {
                return Err(wrong(format!("Alias name `{}` is already used by a collection", create.alias_name)));
            }
            held.find(&create.collection_name)?;
            held.aliases.insert(create.alias_name, create.collection_name);
            Ok(())
        }
        Some(Action::DeleteAlias(delete)) => {
            held.aliases.remove(&delete.alias_name);
            Ok(())
        }
        other => Err(Status::unimplemented(format!("the double does not know {other:?}"))),
    }
}

fn done(result: bool) -> Response<CollectionOperationResponse> {
    Response::new(CollectionOperationResponse { result, time: 0.0 })
}

fn info(collection: &Collection) -> CollectionInfo {
    let params = CollectionParams {
        shard_number: collection.made.shard_number.unwrap_or(1),
        vectors_config: collection.made.vectors_config.clone(),
        ..CollectionParams::default()
    };
    let schema = collection.indexes.iter().map(|(name, index)| {
        let data_type = index.field_type.unwrap_or_default();
        (name.clone(), PayloadSchemaInfo { data_type, params: index.field_index_params.clone(), points: None })
    });
    CollectionInfo {
        status: CollectionStatus::Green.into(),
        segments_count: 1,
        config: Some(CollectionConfig { params: Some(params), ..CollectionConfig::default() }),
        payload_schema: schema.collect(),
        points_count: Some(collection.points.len() as u64),
        ..CollectionInfo::default()
    }
}
