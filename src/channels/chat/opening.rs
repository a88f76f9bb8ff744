//! Forms that somebody asks for in a chat, and the arithmetic behind what is proposed. Nothing is decided here.

use std::time::Duration;

use super::act::{Ended, find, say, unknown};
use super::heard::{Heard, Press};
use super::voice::{Answer, Voice};
use crate::approve::opened;
use crate::cards::chat::case_link;
use crate::cards::form::{ChatForm, FormParts};
use crate::channels::ChannelState;
use crate::domain::decision::DecisionVerb;
use crate::people::{ChatUser, Linked};
use crate::store::StoreError;

/// How long a form waits for what the policy says of its viewer: a chat gives three seconds from the click until it has to be there.
const LOOK: Duration = Duration::from_millis(800);

/// Shows whoever asks the form for what they pressed.
pub(super) async fn open(
    state: &ChannelState,
    voice: &dyn Voice,
    heard: &Heard,
    who: &ChatUser,
    linked: &Linked,
    press: &Press,
) -> anyhow::Result<Ended> {
    let Some(rec) = find(state, press).await? else { return Ok(unknown(voice, heard, who, press).await) };
    let case = state.store.get_case(&rec.case_id).await?;
    let link = case_link(&state.config, &case.id);
    // Why something was proposed may be asked after it was decided, too; a form for it may not.
    if rec.content_hash() != press.content_hash || (press.verb != Press::WHY && !rec.state.is_waiting()) {
        let text = "This is not how it stands any more: look at the card again, it shows the newest state.";
        let reply = say(voice, heard, who, Answer { text: text.to_owned(), link, ..Answer::default() }).await;
        return Ok(Ended::with("refused: outdated").saying(reply));
    }
    let evidence = match state.store.get_bundle(&case.id, &rec.evidence_hash).await {
        Ok(bundle) => Some(bundle),
        Err(StoreError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let now = state.clock.now();
    // The arithmetic says also what the viewer may do, which takes a look at the policy: a form has to be there at once.
    let preview = if press.verb == Press::WHY && rec.state.is_waiting() {
        let waiting = [&rec];
        let preview = state.approvals.preview(&linked.person, &case, &waiting);
        let previews = tokio::time::timeout(LOOK, preview).await;
        previews.ok().and_then(Result::ok).and_then(|previews| previews.into_iter().next())
    } else {
        None
    };
    let parts = FormParts {
        case: &case,
        rec: &rec,
        evidence: evidence.as_ref(),
        preview: preview.as_ref(),
        viewer: &linked.person,
        config: &state.config,
        today: state.config.rules.calendar.calendar().day_of(now),
        link: link.clone(),
    };
    let form = if press.verb == Press::WHY {
        Some(ChatForm::why(&parts))
    } else {
        DecisionVerb::asked(&press.verb).and_then(|verb| ChatForm::of(verb, &parts))
    };
    let Some(form) = form else {
        let reply = say(voice, heard, who, Answer::words("There is nothing to fill in for that.")).await;
        return Ok(Ended::with("refused: no form").saying(reply));
    };
    match voice.ask(&heard.back, press, &form).await {
        Ok(reply) => {
            // Only now: a form that did not come up was read by nobody.
            opened(&state.store, now, &linked.person, voice.chat().name(), [&rec]).await?;
            Ok(Ended::with(format!("showed the form: {}", press.verb)).saying(reply))
        }
        Err(error) => {
            tracing::warn!(request = heard.id, "A form could not be shown: {error}");
            let text = "The form could not be shown in time; press the button again, or use the page.";
            let reply = say(voice, heard, who, Answer { text: text.to_owned(), link, ..Answer::default() }).await;
            Ok(Ended::with(format!("the form could not be shown: {error}")).saying(reply))
        }
    }
}
