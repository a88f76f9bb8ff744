//! The queue: cases in the digest's order, above and below the line; by filters, a page at a time.

use std::collections::{BTreeMap, BTreeSet};

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use serde::{Deserialize, Serialize};

use super::error::WebError;
use super::frame::{Choice, Shell};
use super::queue_filter::{Filter, NOBODY, Sort};
use super::queue_read::{self, Found, LOOK_MAX, Shown, Wanted};
use super::queue_rows::{Row, row};
use super::queue_saved::{self, Saved};
use super::session::SignedIn;
use super::templates;
use crate::cards::names::{Names, actor_name, moment};
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::case::Case;
use crate::domain::digest::{Digest, DigestLine};
use crate::domain::exception::ExceptionType;
use crate::domain::ids::CaseId;
use crate::domain::money::Money;
use crate::domain::mute::proposal_link;
use crate::domain::policy::may_turn_down;
use crate::domain::record::{RecordKind, RecordRef};
use crate::pipeline::modes::in_force;
use crate::render::count;
use crate::store::{Notice, Store, StoreError};

/// Rows on one screen below the line: what stands behind is on the next page, and a page stays small.
const ROWS: usize = 60;

/// Which states each filter shows.
const STATES: [(&str, &str, &[&str]); 8] = [
    ("open", "to be decided", &["new", "open"]),
    ("muted", "muted", &["new", "open"]),
    ("latent", "worth nothing so far", &["latent"]),
    ("snoozed", "snoozed", &["snoozed"]),
    ("decided", "decided", &["decided", "verifying"]),
    ("done", "done with", &["closed", "resolved_itself", "expired", "merged", "withdrawn"]),
    ("all", "everything", &[]),
    (SHADOW, "in shadow", &["shadow"]),
];

/// The filter for what shadow would have shown. It is offered where anything is in shadow.
const SHADOW: &str = "shadow";

const IN_SHADOW: &str = "Read only: nobody is asked about these, and nothing of them can be approved or leaves. They are drafted and \
                         ranked as they would be if they were live.";

#[derive(Serialize)]
struct Page {
    shell: Shell,
    heading: String,
    lead: String,
    currency: String,
    health: Vec<String>,
    notices: Vec<NoticeView>,
    filters: Filters,
    saved: Vec<Saved>,
    above_title: &'static str,
    above: Vec<Row>,
    below: Vec<Row>,
    below_text: String,
    cut: Option<String>,
    pages: Pages,
    /// What is hidden, by whom and until when.
    muted: Option<String>,
    /// Which scopes are not live.
    modes: Option<String>,
    /// May the viewer decide, so that picking makes sense?
    may: bool,
    empty: &'static str,
}

/// What can be asked for, and what was.
#[derive(Serialize)]
struct Filters {
    states: Vec<Choice>,
    types: Vec<Choice>,
    suppliers: Vec<Choice>,
    places: Vec<Choice>,
    owners: Vec<Choice>,
    sorts: Vec<Choice>,
    text: String,
    /// The item that is asked for, by its id and by its name: there are too many to choose from.
    item: Option<(String, String)>,
    /// What a link to the same says behind the question mark; empty where nothing is asked for.
    query: String,
}

/// Where the page stands among others.
#[derive(Serialize)]
struct Pages {
    before: Option<String>,
    after: Option<String>,
    text: String,
}

/// Something the viewer should know about.
#[derive(Serialize)]
struct NoticeView {
    id: String,
    said: String,
    at: String,
    case: Option<String>,
}

fn notice(n: &Notice, state: &ChannelState) -> NoticeView {
    NoticeView {
        id: n.id.clone(),
        said: plain(&n.said),
        at: moment(n.at, &state.config.rules.calendar.timezone),
        case: n.case_id.as_ref().map(ToString::to_string),
    }
}

#[derive(Deserialize)]
pub(super) struct Seen {
    #[serde(default)]
    csrf: String,
}

/// `POST /notices/{id}/seen`
pub(super) async fn seen(
    State(state): State<ChannelState>,
    who: SignedIn,
    Path(id): Path<String>,
    Form(form): Form<Seen>,
) -> Result<Redirect, WebError> {
    who.check(&form.csrf)?;
    state.store.see_notice(&id, &who.person.id, state.clock.now()).await?;
    Ok(Redirect::to("/"))
}

/// `GET /`
pub(super) async fn queue(
    State(state): State<ChannelState>,
    who: SignedIn,
    Query(filter): Query<Filter>,
) -> Result<Html<String>, WebError> {
    let filter = filter.cut();
    let chosen = STATES.iter().find(|s| s.0 == filter.state).unwrap_or(&STATES[0]);
    let in_queue = chosen.0 == "open";
    let (code, about) = (filter.exception(), filter.about());
    let muted = match chosen.0 {
        "open" => Some(Shown::Rest),
        "muted" => Some(Shown::Hidden),
        _ => None,
    };
    // A planner works off their own list.
    let newest = match state.config.planner(who.person.id.as_str()) {
        Some(planner) => state.store.list_digests_of(&planner.person, 1).await?,
        None => state.store.list_digests(1).await?,
    };
    let digest = newest.into_iter().next().map(|stored| stored.digest);
    // Another order has no line: what the digest put above it is one of many there.
    let with_line = in_queue && about.sort == Sort::Priority;
    let except = if with_line { above_the_line(&state.store, digest.as_ref()).await? } else { BTreeSet::new() };
    let page = filter.page();
    // Behind that many nothing is looked through, whatever page an address names.
    let skip = (page - 1).saturating_mul(ROWS).min(LOOK_MAX);
    let wanted = Wanted { states: chosen.2, code, muted, about: &about, except: &except, skip, limit: ROWS };
    let Found { cases, excepted, of, cut, types, muted } =
        queue_read::find(&state.store, &state.config, state.clock.now(), &wanted).await?;
    let rest = of.saturating_sub(excepted.len());
    let above = if page == 1 { in_digests_order(excepted, digest.as_ref()) } else { Vec::new() };
    let all = || above.iter().map(|(case, _)| case).chain(&cases);
    let names = Names::about(&state.store, all().map(|case| &case.subject)).await?;
    let names = named_by(&state.store, names, &filter).await?;
    let may = may_turn_down(&who.person).is_ok();
    let shown: Vec<&Case> = all().collect();
    let firsts = queue_read::first_recommendations(&state.store, &shown).await?;
    let row = |case: &Case, line: Option<&DigestLine>| row(case, line, firsts.get(&case.id), &names);
    let modes = in_force(&state.store, &state.config).await?.says();
    let in_shadow = chosen.0 == SHADOW;
    let states = STATES
        .iter()
        .filter(|s| s.0 != SHADOW || in_shadow || modes.is_some())
        .map(|s| choice(s.0, s.1, s.0 == chosen.0))
        .collect();
    let filters = filters(&state, &filter, states, type_choices(&types, code), &shown, &names);
    // Without a digest, or in another order, there is no line: all stand in one list.
    let (below, listed) = if with_line && digest.is_some() { (&cases[..], &[][..]) } else { (&[][..], &cases[..]) };
    let page = Page {
        shell: Shell::of("Queue", "/", &who),
        heading: match chosen.0 {
            "open" if with_line && page == 1 && digest.is_some() => heading(&above),
            "open" => count(of, "case waits", "cases wait"),
            SHADOW => format!("What shadow would have shown: {}", count(of, "case", "cases")),
            _ => format!("Cases: {}", chosen.1),
        },
        lead: if in_shadow { IN_SHADOW.to_owned() } else { lead(digest.as_ref(), &state.config.rules.money.currency) },
        currency: state.config.rules.money.currency.clone(),
        notices: state.store.list_notices(&who.person.id).await?.iter().map(|n| notice(n, &state)).collect(),
        health: digest.iter().flat_map(|d| d.unread.iter().chain(&d.health).map(|h| plain(h))).collect(),
        saved: queue_saved::of(&state.store, &who.person.id, &filters.query).await?,
        filters,
        above_title: if with_line && digest.is_some() { "Above the line" } else { "Cases" },
        above: above
            .iter()
            .map(|(case, line)| row(case, line.as_ref()))
            .chain(listed.iter().map(|case| row(case, None)))
            .collect(),
        below_text: below_text(below, rest, skip),
        below: below.iter().map(|case| row(case, None)).collect(),
        cut: cut.then(|| {
            format!("Only the {LOOK_MAX} of highest priority were looked through. Filter by state or type to see others.")
        }),
        pages: pages(&filter, page, cases.len(), rest.min(LOOK_MAX), skip),
        muted,
        modes: modes.map(|says| plain(&says)),
        may: may && !in_shadow,
        empty: if in_queue { "Nothing needs a decision." } else { "There is none." },
    };
    Ok(Html(templates::render("queue.html", &page)?))
}

/// The ids of what the newest digest put above the line, and of proposals about the list itself, which no digest ranks by money.
async fn above_the_line(store: &Store, digest: Option<&Digest>) -> Result<BTreeSet<CaseId>, StoreError> {
    let Some(digest) = digest else { return Ok(BTreeSet::new()) };
    let proposals: Vec<String> = ExceptionType::ALL.iter().copied().map(proposal_link).collect();
    let proposals = store.list_claims_on(&proposals).await?.into_values().map(CaseId::new);
    Ok(digest.lines.iter().map(|line| line.case_id.clone()).chain(proposals).collect())
}

/// Cases with their lines, as the digest has them; proposals behind.
fn in_digests_order(cases: Vec<Case>, digest: Option<&Digest>) -> Vec<(Case, Option<DigestLine>)> {
    let line = |case: &Case| digest?.lines.iter().find(|line| line.case_id == case.id).cloned();
    let mut above: Vec<_> = cases.into_iter().map(|case| (line(&case), case)).map(|(line, case)| (case, line)).collect();
    above.sort_by_key(|(_, line)| line.as_ref().map_or(u32::MAX, |line| line.place));
    above
}

/// What is said beside the line: the sum only where it is of all that stand below.
fn below_text(below: &[Case], rest: usize, skip: usize) -> String {
    if below.len() < rest {
        return format!("{}, these from the {}. on", count(rest, "case", "cases"), skip + 1);
    }
    let worth: Money = below.iter().filter_map(|case| case.rank.as_ref()).map(|rank| rank.value.expected).sum();
    format!("{}, together worth {worth}", count(rest, "case", "cases"))
}

fn pages(filter: &Filter, page: usize, here: usize, rest: usize, skip: usize) -> Pages {
    Pages {
        before: (page > 1).then(|| filter.at_page(page - 1)),
        // Cases can go between counting and reading: behind a page with nothing on it there is none.
        after: (skip + here < rest && here > 0).then(|| filter.at_page(page + 1)),
        text: if page > 1 || skip + here < rest {
            format!("{} to {} of {rest}", skip + 1, skip + here)
        } else {
            String::new()
        },
    }
}

/// The same with the names of what is filtered by, which nothing on the page may be about.
async fn named_by(store: &Store, mut names: Names, filter: &Filter) -> Result<Names, StoreError> {
    let asked =
        [(RecordKind::Item, &filter.item), (RecordKind::Location, &filter.place), (RecordKind::Supplier, &filter.supplier)];
    let asked = asked.into_iter().filter(|(_, id)| !id.is_empty()).map(|(kind, id)| RecordRef::new(kind, id.as_str()));
    names.0.extend(store.list_names_of(&asked.collect()).await?);
    Ok(names)
}

/// The choices: suppliers, places and owners are those on the page, and what was chosen.
fn filters(
    state: &ChannelState,
    filter: &Filter,
    states: Vec<Choice>,
    types: Vec<Choice>,
    shown: &[&Case],
    names: &Names,
) -> Filters {
    let named = |kind, id: &str| {
        let name = names.0.get(&RecordRef::new(kind, id)).map(|name| plain(name)).filter(|name| !name.is_empty());
        name.unwrap_or_else(|| plain(id))
    };
    let choices = |all: &str, chosen: &str, there: BTreeMap<String, String>| -> Vec<Choice> {
        let mut there: Vec<(String, String)> = there.into_iter().collect();
        there.sort_by(|a, b| (&a.1, &a.0).cmp(&(&b.1, &b.0)));
        let each = there.into_iter().map(|(id, name)| choice(&id, &name, id == chosen));
        std::iter::once(choice("", all, chosen.is_empty())).chain(each).collect()
    };
    let of = |kind, chosen: &str, id: fn(&Case) -> Option<&str>| -> BTreeMap<String, String> {
        // What was chosen stays a choice where nothing on the page has it: the form would drop it otherwise.
        let ids = shown.iter().filter_map(|case| id(case)).chain(Some(chosen).filter(|id| !id.is_empty()));
        ids.map(|id| (id.to_owned(), named(kind, id))).collect()
    };
    let suppliers = of(RecordKind::Supplier, &filter.supplier, |case| {
        case.subject.supplier.as_ref().map(reeve_domain::ids::SupplierId::as_str)
    });
    let places = of(RecordKind::Location, &filter.place, |case| {
        case.subject.location.as_ref().map(reeve_domain::ids::LocationId::as_str)
    });
    let mut owners: BTreeMap<String, String> = shown
        .iter()
        .filter_map(|case| case.owner.as_ref())
        .map(|owner| (owner.to_string(), actor_name(owner.as_str(), &state.config.people)))
        .collect();
    // Where no case has an owner all are nobody's, and there is nothing to choose.
    if !owners.is_empty() || filter.owner == NOBODY {
        owners.insert(NOBODY.to_owned(), "nobody".to_owned());
    }
    if !filter.owner.is_empty() && filter.owner != NOBODY {
        owners.insert(filter.owner.clone(), actor_name(&filter.owner, &state.config.people));
    }
    Filters {
        states,
        types,
        suppliers: choices("all suppliers", &filter.supplier, suppliers),
        places: choices("all places", &filter.place, places),
        owners: choices("everybody", &filter.owner, owners),
        sorts: Sort::ALL.iter().map(|(value, name, _)| choice(value, name, *value == filter.sort)).collect(),
        text: plain(&filter.text),
        item: Some(filter.item.clone()).filter(|id| !id.is_empty()).map(|id| {
            let name = named(RecordKind::Item, &id);
            (id, name)
        }),
        query: Filter { page: String::new(), ..filter.clone() }.query(),
    }
}

fn choice(value: &str, name: &str, chosen: bool) -> Choice {
    Choice { value: value.to_owned(), name: name.to_owned(), chosen }
}

fn type_choices(types: &BTreeSet<ExceptionType>, chosen: Option<ExceptionType>) -> Vec<Choice> {
    let there = |code: &&ExceptionType| Some(**code) == chosen || types.contains(code);
    let all = ExceptionType::ALL.iter().filter(there);
    let named = all.map(|c| choice(c.code(), &format!("{} · {}", c.code(), c.name()), Some(*c) == chosen));
    std::iter::once(choice("", "all types", chosen.is_none())).chain(named).collect()
}

fn heading(above: &[(Case, Option<DigestLine>)]) -> String {
    // A case that was drawn at random to see what is missed is shown, and not on its own merit.
    match above.iter().filter(|(_, line)| line.as_ref().is_none_or(DigestLine::is_worth_deciding)).count() {
        0 => "Nothing above the line".to_owned(),
        n => format!("{} worth deciding", count(n, "case", "cases")),
    }
}

fn lead(digest: Option<&Digest>, currency: &str) -> String {
    digest.map_or_else(
        || "No digest has been made yet; this is the order by priority.".to_owned(),
        |d| {
            let cases = count(d.lines.len(), "case", "cases");
            format!(
                "The digest of {}: {cases}, {currency} {} at stake. Drafted by {}.",
                d.day,
                d.at_stake,
                plain(&d.drafted_by)
            )
        },
    )
}
