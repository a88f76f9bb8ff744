//! Fits a stream to the server: which of its fields are there and may be read, and which rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::call::{Domain, FieldInfo, Right};
use super::super::error::OdooError;
use super::super::streams::Stream;
use super::bounds::{Bounds, bounded, models};
use super::position::Position;
use super::schema::{STAMP, Schema};
use super::{Halt, Puller, Turn, gap};
use reeve_ports::Gap;

/// How long "there is no such model" is believed, in ms: a module may be installed, a right given.
const REFUSAL_HOLDS: i64 = 3_600_000;
/// Rows that are asked for to see whether a field may be read: what is refused is refused for a model, not for a row.
const PROBE: usize = 50;

type Fields = Arc<BTreeMap<String, FieldInfo>>;

impl Puller {
    /// Makes a stream ready to be pulled, from where its position is; or says why it can not be.
    pub(super) async fn fit(
        &self,
        stream: &'static Stream,
        bounds: &Bounds,
        until: Timestamp,
    ) -> Result<Result<Turn, Gap>, Halt> {
        let fields = match self.fields_of(stream.model).await? {
            Ok(fields) => fields,
            Err(error) => return Ok(Err(gap(stream, &error))),
        };
        let mut around: BTreeMap<&str, Fields> = BTreeMap::from([(stream.model, Arc::clone(&fields))]);
        for model in models(stream) {
            // A condition on what may not be read is refused like reading it.
            if let Ok(fields) = self.fields_of(model).await? {
                around.insert(model, fields);
            }
        }
        let usable = |info: &FieldInfo| info.stored || info.searchable;
        let has = |model: &str, field: &str| around.get(model).and_then(|fields| fields.get(field)).is_some_and(usable);
        let bounded = bounded(stream, bounds, &has);
        let kept = self.mirror.position(stream.model).await?;
        let known = kept.as_deref().and_then(Position::parse);
        if kept.is_some() && known.is_none() {
            tracing::warn!(stream = stream.model, "its position is not understood: it is read again from the beginning");
        }
        let mut position = known.unwrap_or_else(|| {
            // A first page before anybody knows how fast the server is: large enough to measure, small enough to be
            // answered.
            let mut position = Position::beginning(until.as_millisecond(), self.settings.page_max.min(1_000));
            position.first_seen = stream.first_seen.iter().map(|name| (*name).to_owned()).collect();
            position
        });
        // Rights may have been granted since: what was refused is tried again from time to time.
        self.try_refused_again(stream, &mut position).await?;
        let version = self.server.version();
        let schema = match Schema::new(stream, version, &fields, &position.without) {
            Ok(schema) => schema,
            Err(gap) => return Ok(Err(gap)),
        };
        // Other fields, companies or bounds are another question: what was answered to the old one may lack rows or cells.
        let print = schema.print(stream, version, &self.scope.companies, &bounded);
        if print != position.print {
            if !position.print.is_empty() {
                tracing::info!(stream = stream.model, "what is asked for has changed: it is read again from the beginning");
            }
            position.again(&print);
        }
        Ok(Ok(Turn { stream, schema, bounded, position, kept: kept.unwrap_or_default() }))
    }

    /// Finds out which fields made the server refuse a page, and remembers to do without. False where it is not the fields.
    pub(super) async fn leave_out_refused(&self, turn: &mut Turn, error: &OdooError) -> Result<bool, Halt> {
        let stream = turn.stream;
        // Refused even without any field of ours: then it is the model or its rows, and leaving out fields helps nothing.
        if !self.may_be_read(stream, &[STAMP.to_owned()]).await? {
            return Ok(false);
        }
        let mut suspects = vec![turn.schema.optional(stream)];
        // By halves: of thirty fields one is found in some ten questions, and the message may be translated or name none.
        let mut refused = Vec::new();
        while let Some(group) = suspects.pop() {
            if group.is_empty() || self.may_be_read(stream, &group).await? {
                continue;
            }
            if group.len() == 1 {
                refused.extend(group);
            } else {
                let (left, right) = group.split_at(group.len() / 2);
                suspects.extend([left.to_vec(), right.to_vec()]);
            }
        }
        if refused.is_empty() {
            return Ok(false);
        }
        tracing::warn!(stream = stream.model, fields = ?refused, "read without the fields that the user may not read");
        turn.position.tried_at = self.now();
        turn.position.without.extend(refused.into_iter().map(|field| (field, error.to_string())));
        let text = turn.position.text();
        self.mirror.keep(stream.model, &[], &[], &text, self.clock.now()).await?;
        Ok(true)
    }

    /// Tries the fields that were refused, now and then: a right may have been given.
    async fn try_refused_again(&self, stream: &Stream, position: &mut Position) -> Result<(), Halt> {
        let every = i64::try_from(self.settings.sweep_every.as_millis()).unwrap_or(i64::MAX);
        if position.without.is_empty() || self.now() - position.tried_at < every {
            return Ok(());
        }
        position.tried_at = self.now();
        for field in position.without.keys().cloned().collect::<Vec<_>>() {
            if self.may_be_read(stream, std::slice::from_ref(&field)).await? {
                position.without.remove(&field);
            }
        }
        Ok(())
    }

    /// May these fields be read together? What can not be asked for at all counts as no.
    async fn may_be_read(&self, stream: &Stream, fields: &[String]) -> Result<bool, Halt> {
        let mut ask = self.question(stream.model, Domain::all(), fields, "id");
        ask.limit = PROBE;
        match self.patiently(|| self.server.rows(&ask)).await {
            Ok(_) => Ok(true),
            Err(Halt::Odoo(OdooError::AccessDenied { .. } | OdooError::UnknownField { .. } | OdooError::Server { .. })) => {
                Ok(false)
            }
            Err(halt) => Err(halt),
        }
    }

    /// The fields of a model that may be read, as they were told not long ago.
    async fn fields_of(&self, model: &str) -> Result<Result<Fields, OdooError>, Halt> {
        let now = self.now();
        let every = i64::try_from(self.settings.sweep_every.as_millis()).unwrap_or(i64::MAX);
        let known = self.fields.lock().expect("nobody panics with it").get(model).cloned();
        if let Some((at, fields)) = known {
            let holds = if fields.is_ok() { every } else { REFUSAL_HOLDS };
            if (0..holds).contains(&(now - at)) {
                return Ok(fields);
            }
        }
        let fields = match self.patiently(|| self.server.fields(model)).await {
            Ok(fields) => match self.patiently(|| self.server.may(model, Right::Read)).await {
                Ok(false) => Err(OdooError::AccessDenied { model: model.to_owned(), groups: String::new() }),
                // Where it can not be asked, it is tried like anything else.
                Err(Halt::Odoo(error)) if error.is_transient() => return Err(Halt::Odoo(error)),
                Ok(true) | Err(Halt::Odoo(_)) => Ok(Arc::new(fields)),
                Err(halt) => return Err(halt),
            },
            Err(Halt::Odoo(
                error @ (OdooError::AccessDenied { .. } | OdooError::UnknownModel { .. } | OdooError::Server { .. }),
            )) => Err(error),
            Err(halt) => return Err(halt),
        };
        // What went wrong inside the server may go right the next time.
        if !matches!(fields, Err(OdooError::Server { .. })) {
            self.fields.lock().expect("nobody panics with it").insert(model.to_owned(), (now, fields.clone()));
        }
        Ok(fields)
    }

    /// Asks for fields anew.
    pub(super) fn forget_fields(&self) {
        self.fields.lock().expect("nobody panics with it").clear();
    }
}
