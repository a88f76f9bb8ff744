//! The cases that are open on an item or a supplier: those whose subject it is, and those that own a link of it.

use std::collections::{BTreeMap, BTreeSet};

use super::error::WebError;
use super::queue_filter::Filter;
use super::queue_read::{self, Found, Shown, Wanted};
use super::queue_rows::{Row, row};
use crate::cards::names::Names;
use crate::channels::ChannelState;
use crate::domain::case::{Case, CaseState};
use crate::domain::ids::CaseId;
use crate::pipeline::noise::Muting;

/// Cases that one page lists.
const MOST: usize = 40;

/// What is open.
pub(super) struct Open {
    /// At most [`MOST`] rows, by priority.
    pub(super) rows: Vec<Row>,
    /// Said where there are more, with the queue that has them.
    pub(super) more: Option<String>,
}

/// Reads them. `filter` names the subject, `links` are what signals about it are linked by.
pub(super) async fn open(state: &ChannelState, filter: &Filter, links: &[String]) -> Result<Open, WebError> {
    let store = &state.store;
    let (about, except) = (filter.about(), BTreeSet::new());
    let states = CaseState::UNDECIDED;
    let muting = Muting::load(store, &state.config, state.clock.now()).await?;
    // What is muted is not told here either: the queue has it, under its own filter.
    let wanted =
        Wanted { states, code: None, muted: Some(Shown::Rest), about: &about, except: &except, skip: 0, limit: MOST };
    let Found { cases, of, .. } = queue_read::about(store, &muting, &wanted).await?;
    // A case whose subject is an order or a supplier is found from its items by the links that it owns (decision 135).
    let owners: Vec<CaseId> = store.list_claims_on(links).await?.into_values().map(CaseId::new).collect();
    let owned = store.list_cases_of(&owners.iter().collect::<Vec<_>>()).await?.into_values();
    let owned: Vec<Case> = owned.filter(|case| states.contains(&case.state.name())).collect();
    let hidden = muting.hides_each(store, &owned).await?;
    let shown = owned.iter().zip(&hidden).filter(|(_, hidden)| hidden.is_none());
    let mut all: BTreeMap<CaseId, Case> = shown.map(|(case, _)| (case.id.clone(), case.clone())).collect();
    let more = (of > cases.len()).then(|| format!("{of} are about it; these are the {} of highest priority.", cases.len()));
    all.extend(cases.into_iter().map(|case| (case.id.clone(), case)));
    let mut all: Vec<Case> = all.into_values().collect();
    all.sort_by_key(|case| std::cmp::Reverse(case.rank.as_ref().map(|rank| rank.priority.minor)));
    all.truncate(MOST);
    let names = Names::about(store, all.iter().map(|case| &case.subject)).await?;
    let firsts = queue_read::first_recommendations(store, &all.iter().collect::<Vec<_>>()).await?;
    Ok(Open { rows: all.iter().map(|case| row(case, None, firsts.get(&case.id), &names)).collect(), more })
}
