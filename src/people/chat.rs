//! Chat users and the people behind them.
//!
//! Two ways lead to a link, and both take two sides. A person asks for a code and types it in their chat: whoever typed it
//! there was told it here. Or an administrator names the chat user and the person says yes on the page. A link ends after
//! some months, by a new link, or when somebody takes it back.

use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::code::Code;
use super::{By, Identities, entry, random};
use crate::domain::audit::{AuditEntry, BY_COMMAND};
use crate::domain::hand::Hand;
use crate::domain::ids::PersonId;
use crate::store::{CodeOutcome, CodeTry, IdentityRow, IdentityState, Proof, StoreError};

/// How long a code can be typed.
pub(super) const CODE_MINUTES: i64 = 15;
/// How long a person has to confirm a link that somebody else asked for.
const CONFIRM_DAYS: i64 = 7;
/// Wrong codes: on one link, and from one chat user within [`CODE_MINUTES`].
pub(super) const TRIES_MAX: i64 = 5;
/// Longest id of a chat tool.
const ID_MAX: usize = 200;

/// Where people can be reached beside the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChatChannel {
    /// Slack: workspace (or enterprise) id and user id.
    Slack,
    /// Teams: tenant id and the user's directory object id.
    Teams,
    /// E-mail: the address, proved by a code like the others.
    Email,
}

impl ChatChannel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Slack, Self::Teams, Self::Email];

    /// The name in the store, in addresses and in the audit log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Teams => "teams",
            Self::Email => "email",
        }
    }
}

impl fmt::Display for ChatChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ChatChannel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|channel| channel.name() == text);
        known.ok_or_else(|| format!("{text:?} is no channel; there are slack, teams and email"))
    }
}

/// A user as the chat tool itself identifies them: never by a name that they can choose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatUser {
    channel: ChatChannel,
    tenant: String,
    user_id: String,
}

impl ChatUser {
    /// A chat user. The tenant is the workspace or directory; e-mail has none.
    ///
    /// # Errors
    /// Says what can not be an id.
    pub fn new(channel: ChatChannel, tenant: &str, user_id: &str) -> Result<Self, IdentityRefused> {
        let is_id = |id: &str| !id.is_empty() && id.len() <= ID_MAX && id.bytes().all(|b| b.is_ascii_graphic());
        if (channel == ChatChannel::Email) != tenant.is_empty() || !(tenant.is_empty() || is_id(tenant)) {
            return Err(IdentityRefused::BadId(format!("{tenant:?} is no workspace or tenant of {channel}")));
        }
        let mailbox = user_id.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
        if !is_id(user_id) || (channel == ChatChannel::Email && !mailbox) {
            return Err(IdentityRefused::BadId(format!("{user_id:?} is no user of {channel}")));
        }
        // Of an address and of a directory's ids case means nothing; of Slack's it does.
        let user_id = if channel == ChatChannel::Slack { user_id.to_owned() } else { user_id.to_lowercase() };
        Ok(Self { channel, tenant: tenant.to_owned(), user_id })
    }

    /// Which chat.
    pub fn channel(&self) -> ChatChannel {
        self.channel
    }

    /// Their id in the chat.
    pub fn user_id(&self) -> &str {
        &self.user_id
    }

    /// How the audit log calls them.
    pub fn subject(&self) -> String {
        format!("chat:{}:{}:{}", self.channel, self.tenant, self.user_id)
    }
}

/// Who stands behind a chat user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The person.
    pub person: PersonId,
    /// Whose hand it could be.
    pub hand: Hand,
}

/// A code for a person to type in their chat. Shown once.
#[derive(Debug)]
pub struct Invitation {
    /// The link that waits for it.
    pub id: String,
    /// To be typed in the chat.
    pub code: String,
    /// Until when.
    pub until: Timestamp,
}

/// Why a chat user is nobody here, or can not become somebody. Written for who sits in the chat or on the page.
#[derive(Debug, thiserror::Error)]
pub enum IdentityRefused {
    /// Never linked.
    #[error("Reeve does not know who you are in this chat; open /me on Reeve's page, ask for a code there and type it here")]
    NotLinked,
    /// The link's time is over.
    #[error("your link to Reeve ended on {0}; open /me on Reeve's page, ask for a new code there and type it here")]
    Expired(Timestamp),
    /// The link was taken back or replaced.
    #[error("your link to Reeve was ended on {0}; if that was not you, tell whoever runs Reeve; a new code is on /me")]
    Ended(Timestamp),
    /// The person left the configuration.
    #[error("the person you are linked to no longer uses Reeve; ask whoever runs it")]
    PersonGone,
    /// The code does not fit.
    #[error("that code does not fit, was used before or is too old; ask for a new one on /me of Reeve's page")]
    WrongCode,
    /// Too many codes.
    #[error("too many wrong codes; wait {CODE_MINUTES} minutes, then ask for a new one on /me of Reeve's page")]
    TooMany,
    /// No such person.
    #[error("there is no person {0:?} in the configuration; add them under [[people]]")]
    UnknownPerson(String),
    /// Not an id.
    #[error("{0}; give the id as the chat tool has it, not a name")]
    BadId(String),
    /// Not the person's fault.
    #[error("the link could not be read or kept, and nothing was changed")]
    Store(#[from] StoreError),
}

impl Identities {
    /// Makes a code that `person` types in their chat. An earlier one for the same channel no longer counts.
    ///
    /// # Errors
    /// [`IdentityRefused::UnknownPerson`].
    pub async fn invite(&self, person: &PersonId, channel: ChatChannel, by: By<'_>) -> Result<Invitation, IdentityRefused> {
        self.invite_in(person, channel, by, &self.hand_of(by)).await
    }

    /// The same by somebody whose hand is known: what is done through the link could be theirs.
    ///
    /// # Errors
    /// As [`Self::invite`].
    pub async fn invite_in(
        &self,
        person: &PersonId,
        channel: ChatChannel,
        by: By<'_>,
        hand: &Hand,
    ) -> Result<Invitation, IdentityRefused> {
        self.person(person).ok_or_else(|| IdentityRefused::UnknownPerson(person.to_string()))?;
        let now = self.clock.wire();
        let until = now.checked_add(SignedDuration::from_mins(CODE_MINUTES)).unwrap_or(now);
        loop {
            let code = Code::new();
            let waiting = IdentityRow {
                code_id: Some(code.id().to_owned()),
                code_hash: Some(code.hash()),
                hand: hand.clone(),
                ..waiting(person, channel, now, until, by)
            };
            let detail = json!({ "chat": channel.name(), "until": until });
            let made = self.entry(by, "identity.code_made", format!("person:{person}"), detail);
            match self.store.insert_identity(&waiting, &[made]).await {
                Ok(()) => return Ok(Invitation { id: waiting.id, code: code.to_string(), until }),
                // Another code begins with the same four letters.
                Err(StoreError::Duplicate) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Names the chat user of a person. It counts when the person confirms it on the page, and not before.
    ///
    /// # Errors
    /// [`IdentityRefused::UnknownPerson`].
    pub async fn link(&self, person: &PersonId, user: &ChatUser, by: By<'_>) -> Result<IdentityRow, IdentityRefused> {
        self.person(person).ok_or_else(|| IdentityRefused::UnknownPerson(person.to_string()))?;
        let now = self.clock.wire();
        let until = now.checked_add(SignedDuration::from_hours(24 * CONFIRM_DAYS)).unwrap_or(now);
        let waiting = IdentityRow {
            tenant: user.tenant.clone(),
            user_id: user.user_id.clone(),
            hand: self.hand_of(by),
            ..waiting(person, user.channel, now, until, by)
        };
        let detail = json!({ "chat": user.subject(), "until": until });
        let asked = self.entry(by, "identity.link_asked", format!("person:{person}"), detail);
        self.store.insert_identity(&waiting, &[asked]).await?;
        Ok(waiting)
    }

    /// The person's yes to a link that somebody else asked for: `id` has to wait for exactly them.
    ///
    /// # Errors
    /// [`IdentityRefused::Store`] with [`StoreError::NotFound`] when no such link waits for them.
    pub async fn accept(&self, id: &str, person: &PersonId, by: By<'_>) -> Result<IdentityRow, IdentityRefused> {
        self.accept_in(id, person, by, &self.hand_of(by)).await
    }

    /// The same by somebody whose hand is known.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub async fn accept_in(
        &self,
        id: &str,
        person: &PersonId,
        by: By<'_>,
        hand: &Hand,
    ) -> Result<IdentityRow, IdentityRefused> {
        self.person(person).ok_or(IdentityRefused::PersonGone)?;
        let now = self.clock.wire();
        let proof = Proof { by: person.as_str(), at: now, expires_at: self.holds_until(now), hand: Some(hand) };
        let entries = |row: &IdentityRow, ended: &[IdentityRow]| linked(row, ended, self.clock.now(), by);
        Ok(self.store.verify_identity(id, person, proof, entries).await?)
    }

    /// Binds a chat user to the person whose code they typed. Every wrong code counts, against the link it was for and
    /// against the chat user; after five of either nothing is compared any more.
    ///
    /// # Errors
    /// [`IdentityRefused::WrongCode`] for whatever does not fit, without saying what; [`IdentityRefused::TooMany`].
    pub async fn confirm(&self, user: &ChatUser, typed: &str) -> Result<IdentityRow, IdentityRefused> {
        let now = self.clock.wire();
        // What can not be a code is tried like one, so that it counts.
        let code = Code::typed(typed);
        let (code_id, code_hash) = code.as_ref().map_or_else(Default::default, |code| (code.id().to_owned(), code.hash()));
        let window = SignedDuration::from_mins(CODE_MINUTES);
        let attempt = CodeTry {
            channel: user.channel.name(),
            tenant: &user.tenant,
            user_id: &user.user_id,
            code_id: &code_id,
            code_hash: &code_hash,
            now,
            tries_max: TRIES_MAX,
            window_start: now.checked_sub(window).unwrap_or(Timestamp::MIN),
            expires_at: self.holds_until(now),
        };
        let by = By { actor: &user.subject(), channel: user.channel.name() };
        let outcome = self.store.try_identity_code(attempt, |outcome| told(outcome, user, self.clock.now(), by)).await?;
        match outcome {
            CodeOutcome::Fits(row, _) if self.person(&row.person).is_none() => Err(IdentityRefused::PersonGone),
            CodeOutcome::Fits(row, _) => Ok(*row),
            CodeOutcome::Wrong(_) => Err(IdentityRefused::WrongCode),
            CodeOutcome::TooMany(_) => Err(IdentityRefused::TooMany),
        }
    }

    /// The person behind a chat user at `now`.
    ///
    /// # Errors
    /// [`IdentityRefused`], with what to do about it.
    pub async fn resolve(&self, user: &ChatUser, now: Timestamp) -> Result<PersonId, IdentityRefused> {
        Ok(self.linked(user, now).await?.person)
    }

    /// The same, with whose hand it could be: what is done through a link that a command made could be that of whoever gave the
    /// command.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub async fn linked(&self, user: &ChatUser, now: Timestamp) -> Result<Linked, IdentityRefused> {
        let found = self.store.find_identity_of(user.channel.name(), &user.tenant, &user.user_id).await?;
        let row = found.ok_or(IdentityRefused::NotLinked)?;
        if row.state != IdentityState::Verified {
            return Err(IdentityRefused::Ended(row.ended_at.unwrap_or(row.made_at)));
        }
        // A link without an end does not hold for ever, but not at all.
        let until = row.expires_at.unwrap_or(row.made_at);
        if now >= until {
            return Err(IdentityRefused::Expired(until));
        }
        // Asked anew each time: whoever has left the configuration is nobody, whatever link still stands.
        self.person(&row.person).ok_or(IdentityRefused::PersonGone)?;
        Ok(Linked { person: row.person, hand: row.hand })
    }

    /// Whose hand it could be that asks for a link: of a command that of its user, on the page their own as far as nobody says
    /// otherwise.
    fn hand_of(&self, by: By<'_>) -> Hand {
        if by.channel == BY_COMMAND { self.store.hand_made_by_command() } else { Hand::Own }
    }

    /// Ends a link. Where `only` is given, it has to be theirs.
    ///
    /// # Errors
    /// [`IdentityRefused::Store`] with [`StoreError::NotFound`] when there is none that waits or holds.
    pub async fn unlink(&self, id: &str, only: Option<&PersonId>, by: By<'_>) -> Result<IdentityRow, IdentityRefused> {
        let row = self.store.get_identity(id).await?;
        if only.is_some_and(|person| *person != row.person) {
            // Told as if there were none: whose link an id is, is not everybody's to know.
            return Err(StoreError::NotFound { what: "link", id: id.to_owned() }.into());
        }
        let now = self.clock.wire();
        let detail = json!({ "chat": subject_of(&row), "was": row.state.name() });
        let ended = self.entry(by, "identity.unlinked", format!("person:{}", row.person), detail);
        self.store.end_identity(id, now, &by.recorded(), "taken back", &[ended]).await?;
        Ok(row)
    }

    fn holds_until(&self, now: Timestamp) -> Timestamp {
        let days = SignedDuration::from_hours(24 * i64::from(self.config.identity.chat_days));
        now.checked_add(days).unwrap_or(now)
    }
}

/// A link that waits, without what proves it.
fn waiting(person: &PersonId, channel: ChatChannel, now: Timestamp, until: Timestamp, by: By<'_>) -> IdentityRow {
    IdentityRow {
        id: format!("l-{}", hex::encode(random::<8>())),
        channel: channel.name().to_owned(),
        tenant: String::new(),
        user_id: String::new(),
        person: person.clone(),
        state: IdentityState::Pending,
        made_at: now,
        made_by: by.recorded(),
        code_id: None,
        code_hash: None,
        attempts: 0,
        confirm_by: until,
        verified_at: None,
        verified_by: String::new(),
        expires_at: None,
        ended_at: None,
        ended_by: String::new(),
        ended_why: String::new(),
        told_at: by.is_proven(person.as_str()).then_some(now),
        // Could be anybody's, until whoever asks for it is put in: what is not known counts as the stricter.
        hand: Hand::MadeByCommand(String::new()),
    }
}

/// The audit entries of a code that was typed.
fn told(outcome: &CodeOutcome, user: &ChatUser, now: Timestamp, by: By<'_>) -> Vec<AuditEntry> {
    match outcome {
        CodeOutcome::Fits(row, ended) => linked(row, ended, now, by),
        CodeOutcome::Wrong(tried) => {
            let (person, left) = tried.as_ref().map_or((None, None), |(person, left)| (Some(person), Some(left)));
            vec![entry(now, by, "identity.code_refused", user.subject(), json!({ "code_of": person, "tries_left": left }))]
        }
        // Once, not for each of a thousand tries.
        CodeOutcome::TooMany(first) if *first => {
            vec![entry(now, by, "identity.codes_stopped", user.subject(), json!({ "tries": TRIES_MAX }))]
        }
        CodeOutcome::TooMany(_) => Vec::new(),
    }
}

/// The audit entries of a link that holds now, and of those that it ended.
fn linked(row: &IdentityRow, ended: &[IdentityRow], now: Timestamp, by: By<'_>) -> Vec<AuditEntry> {
    let detail = json!({
        "chat": subject_of(row),
        "asked_by": row.made_by,
        "until": row.expires_at,
    });
    let mut entries = vec![entry(now, by, "identity.linked", format!("person:{}", row.person), detail)];
    entries.extend(ended.iter().map(|old| {
        let detail = json!({ "chat": subject_of(old), "replaced_for": row.person });
        entry(now, by, "identity.unlinked", format!("person:{}", old.person), detail)
    }));
    entries
}

fn subject_of(row: &IdentityRow) -> String {
    format!("chat:{}:{}:{}", row.channel, row.tenant, row.user_id)
}
