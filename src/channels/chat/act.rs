//! What is done with a request from a chat: who it is, what they ask for, and the one door of decisions. Every chat's requests end
//! here, whichever way they came in.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::heard::{Heard, Press, Wish, field_of};
use super::opening::open;
use super::voice::{Answer, Reply, Voice};
use super::waiting::waiting;
use crate::approve::{Ask, DecisionRefused};
use crate::cards::chat::case_link;
use crate::cards::names::actor_name;
use crate::channels::ChannelState;
use crate::domain::decision::DecisionVerb;
use crate::domain::ids::{RecommendationId, is_id};
use crate::domain::recommendation::Recommendation;
use crate::people::{ChatUser, Identities, IdentityRefused, Linked};
use crate::store::StoreError;

/// Others keep deciding the same at the same moment: it can be done in a while.
#[derive(Debug, thiserror::Error)]
#[error("others keep deciding at the same moment")]
pub(super) struct NotYet;

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// In a few words, as it is kept.
    pub outcome: String,
    /// What is wrong with a field of a form that was sent, where that is all that is wrong.
    pub field: Option<(&'static str, String)>,
    /// What goes back by the request itself.
    pub reply: Reply,
}

impl Ended {
    pub(super) fn with(outcome: impl Into<String>) -> Self {
        Self { outcome: outcome.into(), field: None, reply: None }
    }

    /// The same with what goes back.
    pub(super) fn saying(self, reply: Reply) -> Self {
        Self { reply, ..self }
    }
}

/// Does what is asked, once, and answers whoever asked. What was decided stays decided where the answer does not get through: the card
/// shows it.
///
/// # Errors
/// When the store can not be used: then nothing was done, and it can be done later.
pub async fn act(state: &ChannelState, voice: &dyn Voice, heard: &Heard) -> anyhow::Result<Ended> {
    let who = match heard.who(voice.chat()) {
        Ok(who) => who,
        Err(refused) => {
            tracing::warn!(request = heard.id, "Refused: {refused}");
            return Ok(Ended::with(format!("refused: {refused}")));
        }
    };
    let identities = identities(state);
    // These two are for who is still nobody here, so they come before the link is asked for.
    if let Wish::Link(code) = &heard.wish {
        return link(state, voice, heard, &identities, &who, code).await;
    }
    if heard.wish == Wish::Help {
        let reply = say(voice, heard, &who, Answer::words(help(voice))).await;
        return Ok(Ended::with("helped").saying(reply));
    }
    let linked = match identities.linked(&who, state.clock.wire()).await {
        Ok(linked) => linked,
        // That the store does not answer says nothing of who they are: it is tried again.
        Err(IdentityRefused::Store(error)) => return Err(error.into()),
        Err(refused) => return Ok(stranger(voice, heard, &who, &refused).await),
    };
    match &heard.wish {
        Wish::Decide { press, fields } => decide(state, voice, heard, &who, &linked, press, fields).await,
        Wish::Open(press) => open(state, voice, heard, &who, &linked, press).await,
        Wish::Queue => {
            let waiting = waiting(state, &linked.person).await?;
            let text = waiting.title.clone();
            let link = waiting.link.clone();
            let reply = say(voice, heard, &who, Answer { text, link, waiting: Some(waiting), ..Answer::default() }).await;
            Ok(Ended::with("showed the queue").saying(reply))
        }
        Wish::Home => {
            let waiting = waiting(state, &linked.person).await?;
            told(voice.show_home(&who, &waiting).await, heard);
            Ok(Ended::with("showed the home"))
        }
        // Answered above, before it mattered who asks.
        Wish::Link(_) | Wish::Help => Ok(Ended::with("answered")),
    }
}

/// The links of chat users.
pub fn identities(state: &ChannelState) -> Identities {
    Identities { store: state.store.clone(), config: state.config.clone(), clock: state.clock.clone() }
}

/// Says whoever asks who they are to Reeve: nobody, and how to become somebody.
async fn stranger(voice: &dyn Voice, heard: &Heard, who: &ChatUser, refused: &IdentityRefused) -> Ended {
    tracing::warn!(request = heard.id, user = who.subject(), "Refused: {refused}");
    let text = sentence(&refused.to_string());
    // One's own page is no request that could be answered: what is said stands on it.
    if heard.wish == Wish::Home {
        let waiting = super::voice::Waiting { title: text, ..Default::default() };
        told(voice.show_home(who, &waiting).await, heard);
        return Ended::with(format!("refused: {refused}"));
    }
    let reply = say(voice, heard, who, Answer::words(text)).await;
    Ended::with(format!("refused: {refused}")).saying(reply)
}

async fn link(
    state: &ChannelState,
    voice: &dyn Voice,
    heard: &Heard,
    identities: &Identities,
    who: &ChatUser,
    code: &str,
) -> anyhow::Result<Ended> {
    match identities.confirm(who, code).await {
        Ok(row) => {
            let name = actor_name(row.person.as_str(), &state.config.people);
            let text = format!("You are {name} here from now on. What waits for you: the command with the word queue.");
            let reply = say(voice, heard, who, Answer::words(text)).await;
            Ok(Ended::with("linked").saying(reply))
        }
        Err(IdentityRefused::Store(error)) => Err(error.into()),
        Err(refused) => {
            // The code may have been used up by this very request, in a process that died before it could say so.
            if let Ok(linked) = identities.linked(who, state.clock.wire()).await
                && matches!(refused, IdentityRefused::WrongCode)
            {
                let name = actor_name(linked.person.as_str(), &state.config.people);
                let text = format!("{} You are {name} here already.", sentence(&refused.to_string()));
                let reply = say(voice, heard, who, Answer::words(text)).await;
                return Ok(Ended::with("refused: linked already").saying(reply));
            }
            Ok(stranger(voice, heard, who, &refused).await)
        }
    }
}

async fn decide(
    state: &ChannelState,
    voice: &dyn Voice,
    heard: &Heard,
    who: &ChatUser,
    linked: &Linked,
    press: &Press,
    fields: &BTreeMap<String, String>,
) -> anyhow::Result<Ended> {
    let Some(rec) = find(state, press).await? else { return Ok(unknown(voice, heard, who, press).await) };
    let ask = match Ask::parse(heard.loose(voice.chat(), press, fields), voice.chat().name(), Some(&rec.candidate)) {
        Ok(ask) => ask,
        Err(unclear) => {
            // Of a form it stands at the field.
            let mut reply = None;
            if fields.is_empty() {
                reply = say(voice, heard, who, Answer::words(sentence(&unclear.to_string()))).await;
            }
            let field = Some((field_of(&unclear), sentence(&unclear.to_string())));
            return Ok(Ended { outcome: format!("refused: {unclear}"), field, reply });
        }
    };
    let link = case_link(&state.config, &rec.case_id);
    match state.approvals.decide(&ask.by(&linked.person, linked.hand.clone())).await {
        Ok(answer) => {
            // What follows is for the stages, and nobody should wait for it.
            state.hooks.wake();
            // After an edit this is the new recommendation, which Undo has to name.
            let (rec, version) = state.store.get_recommendation(&answer.recommendation_id).await?;
            // A drill is superseded by the very click that answers it, which is no moving on.
            let moved = !answer.is_drill() && rec.state.name() != answer.state;
            // What is pressed on an old message is answered as it was then, which may not hold any more.
            let (text, until) = if moved {
                (moved_since(&rec), state.approvals.undo_until(&rec))
            } else {
                (answer.said.clone(), answer.undo_until.filter(|_| !answer.is_drill()))
            };
            let undo = until.filter(|until| *until > state.clock.now()).map(|_| Press {
                content_hash: rec.content_hash(),
                recommendation: rec.id.to_string(),
                version,
                ..press.to(DecisionVerb::Undo.name())
            });
            let outcome = format!("{}: {}{}", press.verb, rec.state.name(), if moved { " since" } else { "" });
            let decided = Some(rec.case_id.clone());
            let reply = say(voice, heard, who, Answer { text, undo, link, waiting: None, decided }).await;
            Ok(Ended::with(outcome).saying(reply))
        }
        // Whether it was kept is not known. It goes back to the inbox, and its key makes a second attempt the same decision.
        Err(DecisionRefused::Failed(error)) => Err(error.context("deciding what was asked for in a chat")),
        Err(DecisionRefused::Busy) => Err(NotYet.into()),
        Err(refused) => {
            tracing::info!(request = heard.id, person = %linked.person, "Refused: {refused}");
            let text = format!("Not counted: {}.", refused.to_string().trim_end_matches('.'));
            let field = field_of_refused(&refused, press, fields).map(|field| (field, sentence(&refused.to_string())));
            let mut reply = None;
            if field.is_none() {
                reply = say(voice, heard, who, Answer { text, link, ..Answer::default() }).await;
            }
            Ok(Ended { outcome: format!("refused: {refused}"), field, reply })
        }
    }
}

/// Which field of the form that was sent would have to say something else, where that would help.
fn field_of_refused(refused: &DecisionRefused, press: &Press, fields: &BTreeMap<String, String>) -> Option<&'static str> {
    let among = |names: &[&'static str]| names.iter().copied().find(|name| fields.contains_key(*name));
    match (refused, DecisionVerb::asked(&press.verb)?) {
        (DecisionRefused::BadEdit(_) | DecisionRefused::ChecksFailed(_), DecisionVerb::Edit) => among(&["quantity", "date"]),
        // A field that may stay empty is not among what was sent.
        (DecisionRefused::BadRequest(_), DecisionVerb::Reject) => (!fields.is_empty()).then_some("note"),
        (DecisionRefused::BadRequest(_), DecisionVerb::Snooze) => among(&["until"]),
        (DecisionRefused::Nowhere(_), DecisionVerb::Forward) => among(&["to"]),
        _ => None,
    }
}

/// What is said of a click that was counted before, and no longer is what holds.
fn moved_since(rec: &Recommendation) -> String {
    let stands = rec.state.name().replace('_', " ");
    format!("Nothing was done now: this was answered before and has moved on since. It is {stands}.")
}

/// What a button is about; None where there is no such thing.
pub(super) async fn find(state: &ChannelState, press: &Press) -> anyhow::Result<Option<Recommendation>> {
    if !is_id(&press.recommendation) {
        return Ok(None);
    }
    match state.store.get_recommendation(&RecommendationId::new(press.recommendation.clone())).await {
        Ok((rec, _)) => Ok(Some(rec)),
        Err(StoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error).context("reading what a button is about"),
    }
}

pub(super) async fn unknown(voice: &dyn Voice, heard: &Heard, who: &ChatUser, press: &Press) -> Ended {
    tracing::warn!(
        request = heard.id,
        user = who.subject(),
        "Refused: there is no recommendation {:?}",
        press.recommendation
    );
    let reply = say(voice, heard, who, Answer::words("Reeve knows nothing of this card; look for a newer one.")).await;
    Ended::with("refused: unknown").saying(reply)
}

pub(super) async fn say(voice: &dyn Voice, heard: &Heard, who: &ChatUser, answer: Answer) -> Reply {
    told(voice.say(&heard.back, who, &answer).await, heard)
}

/// An answer that does not get through changes nothing about what was done.
fn told<T: Default>(said: Result<T, crate::ports::PortError>, heard: &Heard) -> T {
    said.unwrap_or_else(|error| {
        tracing::warn!(
            request = heard.id,
            error = &error as &dyn std::error::Error,
            "An answer could not be given: {error}"
        );
        T::default()
    })
}

/// A refusal as a sentence of its own.
pub fn sentence(text: &str) -> String {
    let mut chars = text.trim_end_matches('.').chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str())
}

fn help(voice: &dyn Voice) -> String {
    format!(
        "Reeve shows here what is wrong in the ERP and what could be done about it; the buttons of a card decide. With the \
         command: \"link CODE\" tells Reeve who you are (the code is on the page, under You, for {}), \"queue\" shows what waits \
         for you, \"help\" this.",
        voice.chat()
    )
}
