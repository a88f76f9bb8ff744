//! A question as it goes over the wire: model, method, arguments. The methods are a closed enum that cannot be named from
//! outside this file, and every one of them reads.

use std::future::Future;

use serde::de::DeserializeSeed;
use serde_json::{Map, Value, json};

use super::call::{Domain, ReadGroups, ReadRows, Right, Scope, Version};
use super::error::OdooError;

/// Every method that is ever sent. What is not here can not be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    CheckAccessRights,
    ContextGet,
    FieldsGet,
    FormattedReadGroup,
    HasAccess,
    ReadGroup,
    Search,
    SearchCount,
    SearchRead,
}

impl Method {
    fn as_str(self) -> &'static str {
        match self {
            Self::CheckAccessRights => "check_access_rights",
            Self::ContextGet => "context_get",
            Self::FieldsGet => "fields_get",
            Self::FormattedReadGroup => "formatted_read_group",
            Self::HasAccess => "has_access",
            Self::ReadGroup => "read_group",
            Self::Search => "search",
            Self::SearchCount => "search_count",
            Self::SearchRead => "search_read",
        }
    }
}

/// One question to a model.
#[derive(Clone, Debug)]
pub(super) struct Call {
    model: String,
    method: Method,
    /// Is it asked of (no) records, rather than of the model?
    of_records: bool,
    arguments: Map<String, Value>,
}

impl Call {
    /// Rows.
    pub(super) fn rows(ask: &ReadRows) -> Self {
        let arguments = json!({
            "domain": ask.domain.to_json(),
            "fields": ask.fields,
            "order": ask.order,
            "limit": ask.limit,
            // References as bare ids: their names cost the server most of the time, and are not needed.
            "load": "",
            "context": context(&ask.scope),
        });
        Self::new(&ask.model, Method::SearchRead, arguments)
    }

    /// Ids of rows, ascending.
    pub(super) fn ids(model: &str, domain: &Domain, limit: usize, scope: &Scope) -> Self {
        let arguments = json!({ "domain": domain.to_json(), "order": "id", "limit": limit, "context": context(scope) });
        Self::new(model, Method::Search, arguments)
    }

    /// How many rows.
    pub(super) fn count(model: &str, domain: &Domain, scope: &Scope) -> Self {
        Self::new(model, Method::SearchCount, json!({ "domain": domain.to_json(), "context": context(scope) }))
    }

    /// The fields.
    pub(super) fn fields(model: &str) -> Self {
        Self::new(model, Method::FieldsGet, json!({ "attributes": ["type", "store", "searchable"] }))
    }

    /// Sums by groups.
    pub(super) fn groups(ask: &ReadGroups, version: Version) -> Self {
        let sums: Vec<String> = ask.sums.iter().map(|field| format!("{field}:sum")).collect();
        let (domain, context) = (ask.domain.to_json(), context(&ask.scope));
        if version >= Version::V19 {
            let aggregates: Vec<String> = sums.into_iter().chain(["__count".to_owned()]).collect();
            let arguments = json!({ "domain": domain, "groupby": ask.by, "aggregates": aggregates, "context": context });
            return Self::new(&ask.model, Method::FormattedReadGroup, arguments);
        }
        let arguments = json!({ "domain": domain, "fields": sums, "groupby": ask.by, "lazy": false, "context": context });
        Self::new(&ask.model, Method::ReadGroup, arguments)
    }

    /// May the user do this to rows of the model, as the access rights say (which record rules can only narrow)?
    pub(super) fn may(model: &str, right: Right, version: Version) -> Self {
        if version < Version::V18 {
            let arguments = json!({ "operation": right.as_str(), "raise_exception": false });
            return Self::new(model, Method::CheckAccessRights, arguments);
        }
        let mut call = Self::new(model, Method::HasAccess, json!({ "operation": right.as_str() }));
        call.of_records = true;
        call
    }

    /// Who is asking: the user's id, language and zone.
    pub(super) fn who() -> Self {
        Self::new("res.users", Method::ContextGet, json!({}))
    }

    fn new(model: &str, method: Method, arguments: Value) -> Self {
        let arguments = match arguments {
            Value::Object(arguments) => arguments,
            // Every call above gives an object; the server would refuse a call without what it needs.
            _ => Map::new(),
        };
        Self { model: model.to_owned(), method, of_records: false, arguments }
    }

    /// The model.
    pub(super) fn model(&self) -> &str {
        &self.model
    }

    /// The method's name.
    pub(super) fn method(&self) -> &'static str {
        self.method.as_str()
    }

    /// For people: `stock.move.search_read`.
    pub(super) fn what(&self) -> String {
        format!("{}.{}", self.model, self.method())
    }

    /// Named arguments.
    pub(super) fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }

    /// Is it asked of records (always of none: the question is about the model), so that a list of ids has to come along?
    pub(super) fn is_of_records(&self) -> bool {
        self.of_records
    }

    /// Is this the question what fields a model has?
    pub(super) fn is_fields(&self) -> bool {
        self.method == Method::FieldsGet
    }
}

/// In every question: archived rows too; the zone in which days begin; the companies.
fn context(scope: &Scope) -> Value {
    let mut context = Map::new();
    context.insert("active_test".to_owned(), json!(false));
    // Without a zone days begin in UTC, whatever the user's own settings say.
    context.insert("tz".to_owned(), json!(scope.time_zone.as_deref().unwrap_or("UTC")));
    if !scope.companies.is_empty() {
        context.insert("allowed_company_ids".to_owned(), json!(scope.companies));
    }
    Value::Object(context)
}

/// A way of wrapping questions and unwrapping answers.
pub(super) trait Wire: Send + Sync {
    /// Asks, and hands the result to `seed` as it is read.
    fn ask<S, V>(&self, call: &Call, seed: S) -> impl Future<Output = Result<V, OdooError>> + Send
    where
        S: for<'de> DeserializeSeed<'de, Value = V> + Send,
        V: Send;

    /// Names server and database, without secrets.
    fn name(&self) -> String;
}
