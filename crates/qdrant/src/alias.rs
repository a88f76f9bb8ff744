//! The alias: which of the collections is the one in use, for people, backups and other programs.
//!
//! The index itself never asks by the alias. It may lead to another model's collection, where a vector of ours is refused or, if
//! it happens to be as long, answered with nonsense.

use qdrant_client::qdrant::{
    AliasOperations, ChangeAliases, CreateAlias, DeleteAlias, ListAliasesRequest, ListCollectionsRequest, alias_operations,
};

use crate::collection::Collection;
use crate::error::QdrantError;
use crate::shape::Shape;

impl Collection {
    /// The collection that the alias leads to.
    pub(crate) async fn in_use(&self) -> Result<Option<String>, QdrantError> {
        let mut client = self.link.collections();
        let answer = self.link.ask("tell its aliases", client.list_aliases(ListAliasesRequest {})).await?;
        let alias = answer.aliases.into_iter().find(|alias| alias.alias_name == self.prefix);
        Ok(alias.map(|alias| alias.collection_name))
    }

    /// Leads the alias here once this collection holds as much as the one that it replaces, so that whoever follows it never finds
    /// less than before.
    pub(crate) async fn take_over(&self, position: i64) -> Result<(), QdrantError> {
        let before = self.in_use().await?;
        if before.as_ref() == Some(&self.name) {
            return Ok(());
        }
        if let Some(before) = &before {
            let held = match self.marker_of(before).await {
                Ok(marker) => marker.map_or(0, |marker| marker.position),
                Err(QdrantError::Missing) => 0,
                Err(error) => return Err(error),
            };
            if held > position {
                return Ok(());
            }
        }
        let delete = before.map(|_| alias_operations::Action::DeleteAlias(DeleteAlias { alias_name: self.prefix.clone() }));
        let create = CreateAlias { collection_name: self.name.clone(), alias_name: self.prefix.clone() };
        // One call, so that there is no moment without an alias.
        let actions = delete.into_iter().chain([alias_operations::Action::CreateAlias(create)]);
        let actions = actions.map(|action| AliasOperations { action: Some(action) }).collect();
        let mut client = self.link.collections();
        let request = ChangeAliases { actions, ..ChangeAliases::default() };
        self.link.ask("change an alias", client.update_aliases(request)).await.map(drop)
    }

    /// Collections of other shapes that an index with our prefix made: what is left after a change of models. The one in use is not
    /// among them.
    pub(crate) async fn others(&self) -> Result<Vec<String>, QdrantError> {
        let in_use = self.in_use().await?;
        let mut client = self.link.collections();
        let answer = self.link.ask("list its collections", client.list(ListCollectionsRequest {})).await?;
        let mut names: Vec<String> = answer.collections.into_iter().map(|collection| collection.name).collect();
        names.retain(|name| Shape::is_ours(&self.prefix, name) && *name != self.name && Some(name) != in_use.as_ref());
        names.sort();
        Ok(names)
    }
}
