//! A server behind one of the two wires: each question becomes one call. The only exception is what fields there are, which
//! Odoo tells of models that may not be read, too: there a row is asked for as well.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use async_trait::async_trait;

use super::answer::{Groups, Rows, fields};
use super::call::{Domain, FieldInfo, Group, ReadGroups, ReadRows, Right, Scope, Server, Version};
use super::error::OdooError;
use super::wire::{Call, Wire};
use crate::rows::cell::Cell;

/// A signed-in server.
pub(super) struct Client<W> {
    wire: W,
    version: Version,
}

impl<W> Client<W> {
    /// Of a version, behind a wire.
    pub(super) fn new(wire: W, version: Version) -> Self {
        Self { wire, version }
    }
}

#[async_trait]
impl<W: Wire> Server for Client<W> {
    fn version(&self) -> Version {
        self.version
    }

    fn name(&self) -> String {
        self.wire.name()
    }

    async fn fields(&self, model: &str) -> Result<BTreeMap<String, FieldInfo>, OdooError> {
        let found = self.wire.ask(&Call::fields(model), fields()).await?;
        self.ids(model, &Domain::all(), 1, &Scope::default()).await?;
        Ok(found.into_iter().map(|(name, raw)| (name, raw.into())).collect())
    }

    async fn rows(&self, ask: &ReadRows) -> Result<Vec<Vec<Cell>>, OdooError> {
        // To Odoo, a limit of zero means none.
        if ask.limit == 0 {
            return Ok(Vec::new());
        }
        self.wire.ask(&Call::rows(ask), Rows::of(&ask.fields)).await
    }

    async fn ids(&self, model: &str, domain: &Domain, limit: usize, scope: &Scope) -> Result<Vec<i64>, OdooError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        self.wire.ask(&Call::ids(model, domain, limit, scope), PhantomData::<Vec<i64>>).await
    }

    async fn count(&self, model: &str, domain: &Domain, scope: &Scope) -> Result<u64, OdooError> {
        self.wire.ask(&Call::count(model, domain, scope), PhantomData::<u64>).await
    }

    async fn groups(&self, ask: &ReadGroups) -> Result<Vec<Group>, OdooError> {
        self.wire.ask(&Call::groups(ask, self.version), Groups::of(ask)).await
    }

    async fn may(&self, model: &str, right: Right) -> Result<bool, OdooError> {
        self.wire.ask(&Call::may(model, right, self.version), PhantomData::<bool>).await
    }
}
