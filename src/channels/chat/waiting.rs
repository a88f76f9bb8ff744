//! What waits for somebody, in short: for a chat's command and for their own page there.

use super::heard::Press;
use super::voice::{Waiting, WaitingLine};
use crate::cards::card::Card;
use crate::cards::case::in_order;
use crate::cards::chat::case_link;
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::case::CaseState;
use crate::domain::decision::RecommendationState;
use crate::domain::ids::PersonId;
use crate::pipeline::noise::{Muting, drill};
use crate::render;

/// Cases that are looked at: those of the highest priority.
const LOOKED_AT: usize = 60;

/// Lines that are shown.
const SHOWN: usize = 10;

/// What `person` could decide now, or was asked about by name, the most pressing first. A case in which a drill waits is for the page.
///
/// # Errors
/// When the store can not be read.
pub(super) async fn waiting(state: &ChannelState, person: &PersonId) -> anyhow::Result<Waiting> {
    let ChannelState { store, config, clock, approvals, .. } = state;
    // Each takes a look at the policy for this person, so not all that wait are looked at.
    let cases = store.list_cases_after(CaseState::UNDECIDED, None, None, LOOKED_AT).await?;
    let muting = Muting::load(store, config, clock.now()).await?;
    let mutes = muting.hides_each(store, &cases).await?;
    let (mut lines, mut of) = (Vec::new(), 0);
    for (case, mute) in cases.iter().zip(mutes) {
        if mute.is_some() || case.is_mute_proposal() {
            continue;
        }
        let all = store.list_recommendations(&case.id).await?;
        let drills = store.list_drills_of(&case.id).await?;
        if !drill::hidden(&all, &drills).is_empty() {
            continue;
        }
        let shown = in_order(&drill::true_ones(all, &drills));
        let Some((rec, version)) = shown.iter().find(|(rec, _)| rec.state.is_before_people()) else { continue };
        // Who was asked by name is shown it whatever they may sign: they can answer, or give it back.
        let by_name = matches!(&rec.state, RecommendationState::Forwarded { to, .. } if to == person);
        let previews = approvals.preview(person, case, &[rec]).await?;
        if !by_name && !previews.iter().any(|preview| preview.may_approve) {
            continue;
        }
        // Counted beyond what is shown: the title says how many there are.
        of += 1;
        if lines.len() == SHOWN {
            continue;
        }
        let card = Card::of(rec);
        lines.push(WaitingLine {
            headline: plain(&case.headline),
            stakes: case.rank.as_ref().map_or_else(String::new, |rank| {
                let left = render::pressing(rank.slack_days, rank.value.expected, rank.wait_cost);
                format!("worth {}, by {}, {left}", rank.value.expected, rank.deadline)
            }),
            action: format!("{}: {}", card.codes, card.summary),
            press: Some(Press {
                verb: Press::WHY.to_owned(),
                recommendation: card.id.to_string(),
                content_hash: card.content_hash,
                version: *version,
            }),
            link: case_link(config, &case.id),
        });
    }
    let title = match of {
        0 => "Nothing waits for you.".to_owned(),
        1 => "One case waits for you.".to_owned(),
        n => format!("{n} cases wait for you."),
    };
    Ok(Waiting { title, lines, of, link: queue_link(state) })
}

/// Where the queue is on the page.
fn queue_link(state: &ChannelState) -> Option<String> {
    let web = &state.config.web;
    (!web.base_url.is_empty()).then(|| format!("{}/", web.address()))
}
