//! Filters of the queue that somebody keeps: a name and a link, each person's own. They are no more than links, so whoever is shown
//! one sees what it asks for.

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use serde::{Deserialize, Serialize};

use super::error::WebError;
use super::queue_filter::Filter;
use super::session::SignedIn;
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::ids::{PersonId, content_hash};
use crate::store::{Store, StoreError};

/// Kept filters of one person: what fits above the list.
const MOST: usize = 20;
/// Longest name of one.
const NAME_MAX: usize = 40;

/// One of them, as the queue shows it.
#[derive(Serialize)]
pub(super) struct Saved {
    name: String,
    href: String,
    /// By this it is forgotten.
    id: String,
    /// Is it what the page shows?
    here: bool,
}

/// What is kept.
#[derive(Deserialize, Serialize)]
struct Kept {
    name: String,
    query: String,
}

/// The settings that hold one person's, whatever letters an id has.
fn below(person: &PersonId) -> String {
    format!("queue.saved.{}.", &content_hash(&[person.as_str()])[..16])
}

/// Those of a person, by name; `query` is what the page shows.
pub(super) async fn of(store: &Store, person: &PersonId, query: &str) -> Result<Vec<Saved>, StoreError> {
    let below = below(person);
    let all = store.list_settings_below(&below).await?;
    // What another version of this program kept and this one can not read is not shown.
    let read = all.iter().filter_map(|(key, value)| Some((key, serde_json::from_str::<Kept>(value).ok()?)));
    let mut saved: Vec<Saved> = read
        .map(|(key, kept)| Saved {
            name: plain(&kept.name),
            href: Filter::of_query(&kept.query).at_page(1),
            id: key.strip_prefix(&below).unwrap_or_default().to_owned(),
            here: kept.query == query,
        })
        .collect();
    saved.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    Ok(saved)
}

#[derive(Deserialize)]
pub(super) struct Keep {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    query: String,
}

/// `POST /saved`: keeps what the queue shows under a name. The same name again keeps the newer one.
pub(super) async fn keep(
    State(state): State<ChannelState>,
    who: SignedIn,
    Form(form): Form<Keep>,
) -> Result<Redirect, WebError> {
    who.check(&form.csrf)?;
    let name: String = plain(&form.name).chars().take(NAME_MAX).collect();
    if name.is_empty() {
        return Err(WebError::BadRequest("Give it a name by which you will know it.".to_owned()));
    }
    // Read and written again, so that nothing is kept that is no filter.
    let filter = Filter { page: String::new(), ..Filter::of_query(&form.query) };
    let below = below(&who.person.id);
    let key = format!("{below}{}", &content_hash(&[&name])[..16]);
    let there = state.store.list_settings_below(&below).await?;
    if there.len() >= MOST && !there.contains_key(&key) {
        return Err(WebError::BadRequest(format!("You have {MOST} filters already. Forget one that you do not use.")));
    }
    let kept = Kept { name, query: filter.query() };
    let text = serde_json::to_string(&kept).map_err(|error| WebError::Work(error.into()))?;
    state.store.put_setting(&key, &text).await?;
    Ok(Redirect::to(&filter.at_page(1)))
}

#[derive(Deserialize)]
pub(super) struct Forget {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    id: String,
}

/// `POST /saved/forget`
pub(super) async fn forget(
    State(state): State<ChannelState>,
    who: SignedIn,
    Form(form): Form<Forget>,
) -> Result<Redirect, WebError> {
    who.check(&form.csrf)?;
    // Only ever below the person's own, whatever the form names.
    state.store.delete_setting(&format!("{}{}", below(&who.person.id), form.id)).await?;
    Ok(Redirect::to("/"))
}
