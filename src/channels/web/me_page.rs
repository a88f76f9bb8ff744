//! `/me`: who Reeve takes one for, by what one can come in or be acted for, and how to end each of these.
//!
//! Nothing here changes what anybody may decide. A code and what it is for are shown once, in the answer to the form that
//! asked for it.

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::error::WebError;
use super::frame::Shell;
use super::session::{SignedIn, entry};
use super::templates;
use crate::cards::names::{actor_name, moment};
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::audit::BY_COMMAND;
use crate::domain::policy::{Person, Role};
use crate::people::{By, ChatChannel, Identities, IdentityRefused, TokenRefused};
use crate::store::{IdentityRow, IdentityState, NoticeKind, StoreError, TokenOwner, TokenRow};

/// Links and tokens that ended longer ago than this many are not listed.
const ENDED_SHOWN: usize = 10;

/// What the page's forms send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Act {
    #[serde(default)]
    csrf: String,
    #[serde(rename = "do")]
    what: String,
    #[serde(default)]
    id: String,
}

#[derive(Serialize)]
struct Page {
    shell: Shell,
    id: String,
    name: String,
    roles: Vec<&'static str>,
    rights: String,
    erp_user: String,
    new: bool,
    code: Option<CodeView>,
    said: Option<String>,
    refused: Option<String>,
    /// What was done in their name by command that they have not said to have seen.
    commands: Vec<CommandView>,
    channels: Vec<&'static str>,
    links: Vec<LinkView>,
    tokens: Vec<TokenView>,
    sessions: Vec<SessionView>,
    others: bool,
}

#[derive(Serialize)]
struct CodeView {
    code: String,
    channel: &'static str,
    until: String,
}

#[derive(Serialize)]
struct CommandView {
    said: String,
    at: String,
    case: Option<String>,
}

#[derive(Serialize)]
struct LinkView {
    id: String,
    chat: String,
    stands: String,
    asked: String,
    new: bool,
    accept: bool,
    end: bool,
}

#[derive(Serialize)]
struct TokenView {
    id: String,
    name: String,
    scopes: String,
    stands: String,
    made: String,
    used: String,
    new: bool,
    decides: bool,
    end: bool,
}

#[derive(Serialize)]
struct SessionView {
    since: String,
    until: String,
    here: bool,
}

/// What a form led to, to be said above the page.
#[derive(Default)]
struct Said {
    code: Option<CodeView>,
    done: Option<String>,
    refused: Option<String>,
}

/// `GET /me`
pub(super) async fn show(State(state): State<ChannelState>, who: SignedIn) -> Result<Html<String>, WebError> {
    Ok(Html(page(&state, &who, Said::default()).await?))
}

/// `POST /me`
pub(super) async fn act(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<Act>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(act) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&act.csrf)?;
    let identities = Identities { store: state.store.clone(), config: state.config.clone(), clock: state.clock.clone() };
    let me = &who.person.id;
    let by = By { actor: me.as_str(), channel: "web" };
    let zone = &state.config.rules.calendar.timezone;
    let done = match act.what.as_str() {
        "code" => {
            let channel = act.id.parse::<ChatChannel>().map_err(WebError::BadRequest)?;
            // The hand of this session goes over to the link: one that a command made stays a command's (decision 81).
            identities.invite_in(me, channel, by, &who.hand).await.map(|made| {
                let code = CodeView { code: made.code, channel: channel.name(), until: moment(made.until, zone) };
                Said { code: Some(code), ..Said::default() }
            })
        }
        "accept" => identities.accept_in(&act.id, me, by, &who.hand).await.map(|_| said("The chat is linked to you.")),
        "unlink" => identities.unlink(&act.id, Some(me), by).await.map(|_| said("The link is ended.")),
        "revoke" => match identities.revoke_token(&act.id, Some(me), by).await {
            Ok(_) => Ok(said("The token can no longer be used.")),
            // Brought to one form, so that "not yours" is told in one way of links and tokens.
            Err(TokenRefused::Store(error)) => Err(IdentityRefused::Store(error)),
            Err(refusal) => return Err(WebError::BadRequest(refusal.to_string())),
        },
        "sessions" => {
            let ended = entry(state.clock.now(), me.as_str(), "person.other_sessions_ended", me);
            let count = state.store.delete_other_sessions(me, &who.token_hash, &[ended]).await?;
            Ok(said(&format!(
                "{count} other sessions are ended, and with them unused sign-in links and the links in mails you got."
            )))
        }
        "told" => {
            state.store.mark_told(me, state.clock.now()).await?;
            return Ok(Redirect::to("/me").into_response());
        }
        other => return Err(WebError::BadRequest(format!("{other:?} is nothing that can be done here"))),
    };
    let (status, said) = match done {
        Ok(said) => (StatusCode::OK, said),
        Err(IdentityRefused::Store(StoreError::NotFound { .. })) => {
            let why = "It is not yours, or it has ended already. Nothing was changed.".to_owned();
            (StatusCode::CONFLICT, Said { refused: Some(why), ..Said::default() })
        }
        Err(IdentityRefused::Store(error)) => return Err(error.into()),
        Err(refusal) => (StatusCode::FORBIDDEN, Said { refused: Some(refusal.to_string()), ..Said::default() }),
    };
    Ok((status, Html(page(&state, &who, said).await?)).into_response())
}

fn said(text: &str) -> Said {
    Said { done: Some(text.to_owned()), ..Said::default() }
}

async fn page(state: &ChannelState, who: &SignedIn, said: Said) -> Result<String, WebError> {
    let (store, now, zone) = (&state.store, state.clock.wire(), &state.config.rules.calendar.timezone);
    let person = &who.person;
    let people = &state.config.people;
    let links = store.list_identities(Some(&person.id)).await?;
    let tokens = store.list_tokens().await?;
    let mine = TokenOwner::Person(person.id.to_string());
    let tokens: Vec<&TokenRow> = tokens.iter().filter(|token| token.owner == mine).collect();
    let sessions = store.list_sessions(&person.id, now).await?;
    // A link in a mail is no session yet, and ends in the same way.
    let by_mail = state.config.mail.address(person.id.as_str()).is_some() && state.config.mail.link_hours > 0;
    let commands = store.list_notices(&person.id).await?.into_iter().filter(|n| n.kind == NoticeKind::ByCommand);
    let commands: Vec<CommandView> = commands
        .map(|n| CommandView { said: plain(&n.said), at: moment(n.at, zone), case: n.case_id.map(|id| id.to_string()) })
        .collect();
    // What others did in their name is put before them until they have looked.
    let new =
        links.iter().any(|l| l.told_at.is_none()) || tokens.iter().any(|t| t.told_at.is_none()) || !commands.is_empty();
    let page = Page {
        shell: Shell::of("You", "/me", who),
        id: person.id.to_string(),
        name: plain(&person.name),
        roles: person.roles.iter().map(|r| r.name()).collect(),
        rights: rights(person),
        erp_user: plain(&person.erp_user),
        new,
        code: said.code,
        said: said.done,
        refused: said.refused,
        commands,
        channels: ChatChannel::ALL.map(ChatChannel::name).to_vec(),
        links: recent(links.iter(), |l| l.ended_at.is_some()).map(|l| link_view(l, people, zone, now)).collect(),
        tokens: recent(tokens.into_iter(), |t| !can_be_used(t, now)).map(|t| token_view(t, people, zone, now)).collect(),
        others: sessions.iter().any(|s| s.token_hash != who.token_hash) || by_mail,
        sessions: sessions
            .iter()
            .map(|s| SessionView {
                since: moment(s.created_at, zone),
                until: moment(s.expires_at, zone),
                here: s.token_hash == who.token_hash,
            })
            .collect(),
    };
    Ok(templates::render("me.html", &page)?)
}

/// All that count, and the newest of those that have ended.
fn recent<'r, T: 'r>(rows: impl Iterator<Item = &'r T>, ended: impl Fn(&T) -> bool) -> impl Iterator<Item = &'r T> {
    let mut left = ENDED_SHOWN;
    rows.filter(move |row| {
        let show = !ended(row) || left > 0;
        left -= usize::from(ended(row) && left > 0);
        show
    })
}

/// What a person's roles and tier let them decide, in a sentence.
fn rights(person: &Person) -> String {
    let is = |role| person.roles.contains(&role);
    let signs = is(Role::Approver) || is(Role::Finance) || is(Role::Director);
    let part = if person.scopes.is_everything() { String::new() } else { format!(" for {}", plain(&person.scopes.told())) };
    if signs {
        return format!("You decide up to T{}{part}; above it, others do. The policy says what takes two.", person.tier);
    }
    if is(Role::Planner) {
        return format!("You decide what commits nothing (T0){part}, and can edit, reject, put off and pass on the rest.");
    }
    "You see everything and decide nothing.".to_owned()
}

fn link_view(row: &IdentityRow, people: &[Person], zone: &TimeZone, now: Timestamp) -> LinkView {
    let open = row.state == IdentityState::Pending && now < row.confirm_by;
    let stands = match (row.state, row.expires_at) {
        (IdentityState::Revoked, _) => {
            let by = if row.ended_by.is_empty() { "Reeve".to_owned() } else { name(&row.ended_by, people) };
            let at = row.ended_at.map_or_else(String::new, |at| moment(at, zone));
            format!("ended on {at} by {by}: {}", plain(&row.ended_why))
        }
        (IdentityState::Verified, Some(until)) if now < until => format!("linked until {}", moment(until, zone)),
        (IdentityState::Verified, _) => "its time is over; link it anew".to_owned(),
        // With a code it waits for the chat; without one an administrator named the user, and its person has to agree.
        (IdentityState::Pending, _) if open && row.code_id.is_some() => {
            format!("waits for its code until {}", moment(row.confirm_by, zone))
        }
        (IdentityState::Pending, _) if open => format!("waits for your yes until {}", moment(row.confirm_by, zone)),
        (IdentityState::Pending, _) => "was not confirmed in time".to_owned(),
    };
    let chat = if row.user_id.is_empty() {
        row.channel.clone()
    } else {
        [&*row.channel, &*row.tenant, &*row.user_id]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · ")
    };
    LinkView {
        id: row.id.clone(),
        chat: plain(&chat),
        stands,
        asked: format!("linked by {} on {}", name(&row.made_by, people), moment(row.made_at, zone)),
        new: row.told_at.is_none(),
        accept: open && row.code_id.is_none(),
        end: open || row.state == IdentityState::Verified,
    }
}

fn can_be_used(row: &TokenRow, now: Timestamp) -> bool {
    row.revoked_at.is_none() && now < row.expires_at
}

fn token_view(row: &TokenRow, people: &[Person], zone: &TimeZone, now: Timestamp) -> TokenView {
    TokenView {
        id: row.id.clone(),
        name: plain(&row.name),
        scopes: row.scopes.join(", "),
        stands: match row.revoked_at {
            Some(at) => format!("revoked on {} by {}", moment(at, zone), name(&row.revoked_by, people)),
            None if now >= row.expires_at => format!("ended on {}", moment(row.expires_at, zone)),
            None => format!("until {}", moment(row.expires_at, zone)),
        },
        made: format!("made by {} on {}", name(&row.created_by, people), moment(row.created_at, zone)),
        used: row.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {}", moment(at, zone))),
        new: row.told_at.is_none(),
        decides: row.scopes.iter().any(|scope| scope.starts_with("decide")),
        end: can_be_used(row, now),
    }
}

/// Who it was, for people: whoever gave a command gave any name, or none.
fn name(actor: &str, people: &[Person]) -> String {
    match actor.strip_prefix(BY_COMMAND) {
        Some("") => "somebody at the command line".to_owned(),
        Some(given) if given.starts_with(':') => {
            format!("somebody at the command line in the name of {}", actor_name(&given[1..], people))
        }
        _ => actor_name(actor, people),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_has_ended_the_newest_are_shown_and_of_the_rest_all() {
        let rows: Vec<u32> = (0..40).collect();
        let shown: Vec<u32> = recent(rows.iter(), |n| n % 2 == 0).copied().collect();
        assert_eq!(shown.iter().filter(|n| *n % 2 == 1).count(), 20);
        assert_eq!(
            shown.iter().filter(|n| *n % 2 == 0).copied().collect::<Vec<_>>(),
            (0..20).step_by(2).collect::<Vec<_>>()
        );
    }
}
