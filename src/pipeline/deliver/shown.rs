//! What chats show: whether a state is still worth showing, and where the thing is shown already.

use super::Deliver;
use super::hand_off::Sendable;
use crate::domain::case::CaseState;
use crate::domain::ids::CaseId;
use crate::domain::outbox::OutboxKind;
use crate::pipeline::noise::{self, Muting, drill};
use crate::ports::Shown;
use crate::store::{OutboxRow, Place};

/// What a message that shows a case says that it shows, before the case's id.
pub(crate) const CASE: &str = "case:";

impl Deliver {
    /// Looks once more, right before it leaves, whether this is what people should see: the newest state of a case that is live, and
    /// not one in which a drill waits.
    pub(super) async fn worth_showing(&self, row: &OutboxRow) -> anyhow::Result<Sendable> {
        let body: serde_json::Value = serde_json::from_str(&row.body).unwrap_or_default();
        if row.shows.is_empty() || body["id"] != row.id.as_str() || body["shows"] != row.shows.as_str() {
            return Ok(Sendable::No("the body is none that is shown".to_owned()));
        }
        if self.store.is_outdated(row).await? {
            return Ok(Sendable::Moot);
        }
        let now = self.clock.now();
        if row.kind == OutboxKind::Digest {
            // Of what waited out some quiet days only the newest is worth anybody's morning.
            let is_old = row.expires_at.is_some_and(|until| until <= now);
            return Ok(if is_old { Sendable::Moot } else { Sendable::Yes(None) });
        }
        if row.kind == OutboxKind::Reminder {
            // A chat's note, or a letter.
            let case = ["note", "letter"].iter().find_map(|what| body["data"][*what]["case"].as_str());
            let about = CaseId::new(case.unwrap_or_default());
            let waits = noise::still_shown(&self.store, &self.config, now, &about).await?;
            return Ok(if waits.is_some() { Sendable::Yes(None) } else { Sendable::Moot });
        }
        let id = CaseId::new(row.shows.strip_prefix(CASE).unwrap_or_default());
        let Some(case) = self.store.find_case(&id).await? else {
            return Ok(Sendable::No(format!("there is no case {id}")));
        };
        let place = self.store.find_place(&row.channel, &row.shows, &row.id).await?;
        let never = place.reference.is_none();
        if case.state.is_shadow() || (case.state == CaseState::Latent && never) {
            return Ok(Sendable::Moot);
        }
        // What waited out the night may be over or muted by the morning. Where an answer was lost it may be up, and is changed.
        if never && place.lost_since.is_none() {
            let muting = Muting::load(&self.store, &self.config, now).await?;
            let hidden = muting.hides_each(&self.store, std::slice::from_ref(&case)).await?;
            if !matches!(case.state, CaseState::New | CaseState::Open) || hidden.iter().any(Option::is_some) {
                return Ok(Sendable::Moot);
            }
        }
        // What is shown while a drill waits would give it away, or be it.
        let drills = self.store.list_drills_of(&id).await?;
        let waits = !drills.is_empty() && !drill::hidden(&self.store.list_recommendations(&id).await?, &drills).is_empty();
        Ok(if waits { Sendable::Moot } else { Sendable::Yes(None) })
    }

    /// Where the thing that a message shows is shown already, in the machine's time.
    pub(super) async fn shown_before(&self, row: &OutboxRow) -> anyhow::Result<Shown> {
        if !row.kind.is_shown() {
            return Ok(Shown::default());
        }
        let Place { reference, lost_since } = self.store.find_place(&row.channel, &row.shows, &row.id).await?;
        let (now, wire) = (self.clock.now(), self.clock.wire());
        let in_wire_time = |at| wire.checked_sub(now.duration_since(at)).unwrap_or(wire);
        Ok(Shown { what: row.shows.clone(), reference, lost_since: lost_since.map(in_wire_time) })
    }
}
