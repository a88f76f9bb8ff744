//! API tokens: `reeve_ID_SECRET`, the id to find it by and 32 random bytes to prove it with.
//!
//! A token is of a person or of a service. A person's token acts as that person and never as another; a service is a machine,
//! and a machine never decides: it can not be given the scope, and is refused even if it had it.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use subtle::ConstantTimeEq as _;

use super::{By, Identities, Scope, random};
use crate::domain::decision::DecisionVerb;
use crate::domain::hand::Hand;
use crate::domain::ids::{PersonId, content_hash};
use crate::domain::policy::Person;
use crate::store::{StoreError, TokenOwner, TokenRow};

/// What every token begins with, so that scanners of leaked secrets find it.
pub const PREFIX: &str = "reeve_";
/// Hex digits of a token's public part.
const ID: usize = 12;
/// Hex digits of its secret part: 32 bytes.
const SECRET: usize = 64;

/// A token that was just made, with the only sight of it whole.
pub struct NewToken {
    /// As it is kept.
    pub row: TokenRow,
    /// To be shown once.
    pub shown: String,
}

impl fmt::Debug for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewToken").field("id", &self.row.id).finish_non_exhaustive()
    }
}

/// Whoever comes with a token that can be used.
#[derive(Clone, Debug)]
pub struct Bearer {
    /// The token's public part.
    pub token: String,
    /// The person it acts as; None for a service.
    pub person: Option<Person>,
    /// The owner as the audit log names it: a person's id, or `service:NAME`.
    pub actor: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// Whose hand it could be in.
    pub hand: Hand,
}

impl Bearer {
    /// May it be used for `wanted`?
    ///
    /// # Errors
    /// [`TokenRefused::Scope`].
    pub fn may(&self, wanted: &Scope) -> Result<(), TokenRefused> {
        if self.scopes.iter().any(|scope| scope.covers(wanted)) {
            return Ok(());
        }
        Err(TokenRefused::Scope(wanted.to_string()))
    }

    /// The person who decides `verb` by it.
    ///
    /// # Errors
    /// [`TokenRefused::Machine`] for a service, whatever its scopes; [`TokenRefused::Scope`].
    pub fn decider(&self, verb: DecisionVerb) -> Result<&Person, TokenRefused> {
        let person = self.person.as_ref().ok_or(TokenRefused::Machine)?;
        self.may(&Scope::deciding(verb))?;
        Ok(person)
    }
}

/// Why a token can not be made or used. Written for who holds it.
#[derive(Debug, thiserror::Error)]
pub enum TokenRefused {
    /// Not a token, unknown, or its secret does not fit: not told apart.
    #[error("there is no such token; give it as `Authorization: Bearer reeve_…`, or ask for one (`reeve token new`)")]
    Unknown,
    /// Its time is over.
    #[error("the token ended on {0}; ask for a new one (`reeve token new`)")]
    Expired(Timestamp),
    /// It was taken back.
    #[error("the token was taken back on {0}; ask for a new one (`reeve token new`)")]
    Revoked(Timestamp),
    /// Its owner left the configuration.
    #[error("the person whose token this is no longer uses Reeve; a token ends with its owner")]
    OwnerGone,
    /// It may not be used for this.
    #[error("the token lacks the scope {0:?}; make one that has it (`reeve token new --scope {0}`)")]
    Scope(String),
    /// A service wants to decide.
    #[error("a service's token can not decide: a machine never approves; use a token of a person")]
    Machine,
    /// It was asked for in a way that can not be.
    #[error("{0}")]
    Bad(String),
    /// Not the holder's fault.
    #[error("the token could not be looked up, and nothing was changed")]
    Store(#[from] StoreError),
}

impl Identities {
    /// Makes a token for `owner` that ends after `days`. It is shown once and kept as a hash.
    ///
    /// # Errors
    /// [`TokenRefused::Bad`] says what can not be; [`TokenRefused::Machine`] when a service should decide.
    pub async fn new_token(
        &self,
        owner: TokenOwner,
        name: &str,
        scopes: &[Scope],
        days: u32,
        by: By<'_>,
    ) -> Result<NewToken, TokenRefused> {
        let bad = |why: String| Err(TokenRefused::Bad(why));
        match &owner {
            TokenOwner::Person(id) if self.person(&PersonId::new(id.clone())).is_none() => {
                return bad(format!("there is no person {id:?} in the configuration; add them under [[people]]"));
            }
            TokenOwner::Service(name) if !is_service(name) => {
                return bad(format!("{name:?} is no name of a service: take small letters, digits and hyphens, up to 40"));
            }
            TokenOwner::Service(_) if scopes.iter().any(Scope::decides) => return Err(TokenRefused::Machine),
            TokenOwner::Person(_) | TokenOwner::Service(_) => {}
        }
        // Whatever is given ends by itself: nobody remembers a token of three years ago.
        let longest = self.config.identity.token_days_max;
        if days == 0 || days > longest {
            return bad(format!("a token lasts 1 to {longest} days (identity.token_days_max), not {days}"));
        }
        if name.trim().is_empty() || name.chars().count() > 80 {
            return bad("say what the token is for in 1 to 80 letters, so that it can be told from others".to_owned());
        }
        if scopes.is_empty() {
            return bad("a token without a scope is good for nothing; name one with --scope".to_owned());
        }
        let now = self.clock.wire();
        let (id, secret) = (hex::encode(random::<{ ID / 2 }>()), hex::encode(random::<{ SECRET / 2 }>()));
        let mut scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
        // In one order, so that row and log say the same to the letter.
        scopes.sort();
        scopes.dedup();
        let row = TokenRow {
            hash: hash(&id, &secret),
            name: name.trim().to_owned(),
            scopes,
            created_at: now,
            created_by: by.recorded(),
            // A token is shown once, to whoever made it.
            hand: self.store.hand_made_by_command(),
            expires_at: now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(now),
            last_used_at: None,
            revoked_at: None,
            revoked_by: String::new(),
            told_at: by.is_proven(owner.name()).then_some(now),
            owner,
            id: id.clone(),
        };
        let detail = json!({
            "owner": actor_of(&row.owner),
            "name": row.name,
            "scopes": row.scopes.join(" "),
            "expires_at": row.expires_at,
            "hand": row.hand.recorded(),
            "hash": row.hash,
        });
        self.store.insert_token(&row, &[self.entry(by, "token.made", format!("token:{id}"), detail)]).await?;
        Ok(NewToken { row, shown: format!("{PREFIX}{id}_{secret}") })
    }

    /// Who comes with `text`, where it is a token that can be used now.
    ///
    /// # Errors
    /// [`TokenRefused`]; whoever does not have the secret learns nothing about the token.
    pub async fn bearer(&self, text: &str) -> Result<Bearer, TokenRefused> {
        let (id, secret) = parts(text).ok_or(TokenRefused::Unknown)?;
        let found = self.store.find_token(id).await?;
        // Hashed and compared also where there is none, so that the time it takes does not tell whether there is.
        let kept = found.as_ref().map_or_else(|| hash("", ""), |row| row.hash.clone());
        let fits = bool::from(kept.as_bytes().ct_eq(hash(id, secret).as_bytes()));
        let row = found.filter(|_| fits).ok_or(TokenRefused::Unknown)?;
        let now = self.clock.wire();
        // From here on whoever asks has shown the secret, and may be told what became of the token.
        if let Some(at) = row.revoked_at {
            return Err(TokenRefused::Revoked(at));
        }
        if now >= row.expires_at {
            return Err(TokenRefused::Expired(row.expires_at));
        }
        let person = match &row.owner {
            TokenOwner::Person(id) => Some(self.person(&PersonId::new(id.clone())).ok_or(TokenRefused::OwnerGone)?.clone()),
            TokenOwner::Service(_) => None,
        };
        self.store.touch_token(&row, now).await?;
        Ok(Bearer {
            actor: actor_of(&row.owner),
            // A scope that this program does not know gives nothing.
            scopes: row.scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
            token: row.id,
            hand: row.hand,
            person,
        })
    }

    /// Takes a token back. Where `only` is given, it has to be theirs.
    ///
    /// # Errors
    /// [`TokenRefused::Store`] when there is none that can still be used.
    pub async fn revoke_token(&self, id: &str, only: Option<&PersonId>, by: By<'_>) -> Result<TokenRow, TokenRefused> {
        let missing = || StoreError::NotFound { what: "token that can still be used", id: id.to_owned() };
        let row = self.store.find_token(id).await?.ok_or_else(missing)?;
        if only.is_some_and(|person| row.owner != TokenOwner::Person(person.to_string())) {
            return Err(missing().into());
        }
        let now = self.clock.wire();
        let detail = json!({ "owner": actor_of(&row.owner), "name": row.name });
        let revoked = self.entry(by, "token.revoked", format!("token:{id}"), detail);
        self.store.revoke_token(id, now, &by.recorded(), &[revoked]).await?;
        Ok(row)
    }
}

/// The owner of a token as the audit log names it.
pub(super) fn actor_of(owner: &TokenOwner) -> String {
    match owner {
        TokenOwner::Person(id) => id.clone(),
        TokenOwner::Service(name) => format!("service:{name}"),
    }
}

fn hash(id: &str, secret: &str) -> String {
    content_hash(&["api-token", id, secret])
}

/// Id and secret of a token; None for what can not be one.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let is_hex = |part: &str| part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (id.len() == ID && secret.len() == SECRET && is_hex(id) && is_hex(secret)).then_some((id, secret))
}

/// Is there something in `text` that looks like a token?
pub fn looks_like_token(text: &str) -> bool {
    text.match_indices(PREFIX).any(|(at, _)| {
        let rest = &text.as_bytes()[at + PREFIX.len()..];
        rest.len() > ID && rest[..ID].iter().all(u8::is_ascii_hexdigit) && rest[ID] == b'_'
    })
}

fn is_service(name: &str) -> bool {
    let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    letters && (1..=40).contains(&name.len())
}
