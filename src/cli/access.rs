//! `reeve identity` and `reeve token`: linked chats and API tokens.
//!
//! Whoever runs these commands acts for others, so everything is in the audit log and the person concerned is told on the
//! page; a chat that is named here counts only when the person confirms it there.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::domain::ids::PersonId;
use crate::people::{By, ChatChannel, ChatUser, Identities, Scope};
use crate::store::{IdentityRow, TokenOwner, TokenRow};

/// Who is at the command line, as the audit log names them.
#[derive(Debug, Args)]
pub(super) struct As {
    /// Who you are, for the audit log: your id in [[people]], where you have one.
    #[arg(long = "as", value_name = "PERSON", default_value = "cli")]
    actor: String,
}

impl As {
    fn by(&self, config: &Config) -> anyhow::Result<By<'_>> {
        let known = self.actor == "cli" || config.people.iter().any(|p| p.id.as_str() == self.actor);
        anyhow::ensure!(known, "--as: there is no person {:?} in the configuration", self.actor);
        Ok(By { actor: &self.actor, channel: "cli" })
    }
}

/// Linked chats.
#[derive(Debug, Subcommand)]
pub(super) enum Identity {
    /// Make a one-time code that the person types in their chat within 15 minutes.
    Invite {
        /// The person's id, as in [[people]].
        person: String,
        /// slack, teams or email.
        #[arg(long)]
        channel: ChatChannel,
        #[command(flatten)]
        who: As,
    },
    /// Name the chat user of a person. It counts when the person confirms it on the page.
    Link {
        /// The person's id, as in [[people]].
        person: String,
        /// slack, teams or email.
        #[arg(long)]
        channel: ChatChannel,
        /// Id of the workspace (Slack) or tenant (Teams); none for e-mail.
        #[arg(long, default_value = "")]
        tenant: String,
        /// The chat tool's id of the user, or the address.
        #[arg(long)]
        user: String,
        #[command(flatten)]
        who: As,
    },
    /// List links, newest first.
    List {
        /// Only those of this person.
        #[arg(long)]
        person: Option<String>,
    },
    /// End a link.
    Revoke {
        /// The link's id, as listed.
        id: String,
        #[command(flatten)]
        who: As,
    },
}

/// API tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    /// Make a token. It is shown once.
    New {
        /// Whose it is: it acts as this person.
        #[arg(long, required_unless_present = "service", conflicts_with = "service")]
        person: Option<String>,
        /// A machine's name, such as n8n. It can read, never decide.
        #[arg(long)]
        service: Option<String>,
        /// What it is for, to tell it from others.
        #[arg(long)]
        name: String,
        /// What it may be used for: read:cases, read:digests, read:audit, read:kpi, decide, decide:VERB. Repeat for more.
        #[arg(long = "scope", required = true)]
        scopes: Vec<Scope>,
        /// Days until it ends.
        #[arg(long, default_value_t = 90)]
        days: u32,
        #[command(flatten)]
        who: As,
    },
    /// List tokens, newest first, without their secrets.
    List,
    /// Take a token back, at once.
    Revoke {
        /// The token's public part, as listed.
        id: String,
        #[command(flatten)]
        who: As,
    },
}

async fn identities(config: &Config) -> anyhow::Result<Identities> {
    let store = open::store(config).await?;
    let clock = open::clock_of(&store, config).await?;
    Ok(Identities { store, config: std::sync::Arc::new(config.clone()), clock })
}

pub(super) async fn identity(config: &Config, command: Identity, json: bool) -> anyhow::Result<Outcome> {
    let identities = identities(config).await?;
    match command {
        Identity::Invite { person, channel, who } => {
            let made = identities.invite(&PersonId::new(person.clone()), channel, who.by(config)?).await?;
            if json {
                print_json(&json!({ "id": made.id, "code": made.code, "until": made.until }))?;
            } else {
                say!("{}", made.code);
                say!(
                    "Give it to {person} and nobody else: whoever types it in {channel} before {} is {person}.",
                    made.until
                );
            }
        }
        // It holds once its person has agreed on the page: whoever sits at the machine must not become anybody in a chat.
        Identity::Link { person, channel, tenant, user, who } => {
            let user = ChatUser::new(channel, &tenant, &user)?;
            let row = identities.link(&PersonId::new(person.clone()), &user, who.by(config)?).await?;
            if json {
                print_json(&told(&row))?;
            } else {
                say!("{} waits until {} for {person} to confirm it on /me of the page.", row.id, row.confirm_by);
            }
        }
        Identity::List { person } => {
            let rows = identities.store.list_identities(person.map(PersonId).as_ref()).await?;
            if json {
                print_json(&rows.iter().map(told).collect::<Vec<_>>())?;
            } else {
                let now = identities.clock.wire();
                for row in &rows {
                    let chat = format!("{}:{}:{}", row.channel, row.tenant, row.user_id);
                    say!("{} {:<12} {chat:<40} {}", row.id, row.person, stands(row, now));
                }
                say!("{} links", rows.len());
            }
        }
        Identity::Revoke { id, who } => {
            let row = identities.unlink(&id, None, who.by(config)?).await?;
            say!("{id} of {} is ended.", row.person);
        }
    }
    Ok(Outcome::Fine)
}

pub(super) async fn token(config: &Config, command: Token, json: bool) -> anyhow::Result<Outcome> {
    let identities = identities(config).await?;
    match command {
        Token::New { person, service, name, scopes, days, who } => {
            let owner = match (person, service) {
                (Some(person), _) => TokenOwner::Person(person),
                (None, service) => TokenOwner::Service(service.unwrap_or_default()),
            };
            // What is shown now is not kept: the store has only what it can be known by.
            let new = identities.new_token(owner, &name, &scopes, days, who.by(config)?).await?;
            if json {
                let mut told = described(&new.row);
                told["token"] = new.shown.into();
                print_json(&told)?;
            } else {
                say!("{}", new.shown);
                say!(
                    "This is the only time it is shown. It ends on {}; `reeve token revoke {}` ends it at once.",
                    new.row.expires_at,
                    new.row.id
                );
            }
        }
        Token::List => {
            let rows = identities.store.list_tokens().await?;
            if json {
                print_json(&rows.iter().map(described).collect::<Vec<_>>())?;
            } else {
                let now = identities.clock.wire();
                for row in &rows {
                    let owner = format!("{} {}", row.owner.kind(), row.owner.name());
                    let used = row.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {at}"));
                    say!("{} {owner:<20} {:<28} {}; {used}; {}", row.id, row.scopes.join(","), ends(row, now), row.name);
                }
                say!("{} tokens", rows.len());
            }
        }
        Token::Revoke { id, who } => {
            // Whoever pastes the whole token means its public part.
            let id = id.strip_prefix("reeve_").and_then(|rest| rest.split('_').next()).unwrap_or(&id).to_owned();
            let row = identities.revoke_token(&id, None, who.by(config)?).await?;
            say!("{id} ({}) can no longer be used.", row.name);
        }
    }
    Ok(Outcome::Fine)
}

fn stands(row: &IdentityRow, now: Timestamp) -> String {
    match (row.ended_at, row.expires_at) {
        (Some(at), _) => {
            format!("ended {at} by {}: {}", if row.ended_by.is_empty() { "reeve" } else { &row.ended_by }, row.ended_why)
        }
        (None, Some(until)) if now >= until => format!("expired {until}"),
        (None, Some(until)) => format!("holds until {until}, asked for by {}", row.made_by),
        (None, None) if now >= row.confirm_by => "was not confirmed in time".to_owned(),
        (None, None) => format!("waits until {}, asked for by {}", row.confirm_by, row.made_by),
    }
}

fn ends(row: &TokenRow, now: Timestamp) -> String {
    match row.revoked_at {
        Some(at) => format!("revoked {at} by {}", row.revoked_by),
        None if now >= row.expires_at => format!("expired {}", row.expires_at),
        None => format!("until {}", row.expires_at),
    }
}

fn told(row: &IdentityRow) -> Value {
    json!({
        "id": row.id,
        "channel": row.channel,
        "tenant": row.tenant,
        "user_id": row.user_id,
        "person": row.person,
        "state": row.state.name(),
        "made_at": row.made_at,
        "made_by": row.made_by,
        "confirm_by": row.confirm_by,
        "verified_at": row.verified_at,
        "verified_by": row.verified_by,
        "expires_at": row.expires_at,
        "ended_at": row.ended_at,
        "ended_by": row.ended_by,
        "ended_why": row.ended_why,
    })
}

fn described(row: &TokenRow) -> Value {
    json!({
        "id": row.id,
        "owner_kind": row.owner.kind(),
        "owner": row.owner.name(),
        "name": row.name,
        "scopes": row.scopes,
        "created_at": row.created_at,
        "created_by": row.created_by,
        "expires_at": row.expires_at,
        "last_used_at": row.last_used_at,
        "revoked_at": row.revoked_at,
        "revoked_by": row.revoked_by,
    })
}
