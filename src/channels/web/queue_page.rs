//! The queue: cases in the digest's order, above and below the line.

use std::collections::BTreeSet;

use axum::Form;
use axum::extract::{Path, Query, State};
use axum::response::{Html, Redirect};
use serde::{Deserialize, Serialize};

use super::batch_page::{PICK, waits};
use super::error::WebError;
use super::frame::{Choice, Shell};
use super::queue_read::{self, Found, Shown, Wanted};
use super::session::SignedIn;
use super::templates;
use crate::cards::names::{Code, Names, lane_mark, moment, state_text};
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::case::{Case, Rank};
use crate::domain::digest::{Digest, DigestLine};
use crate::domain::exception::ExceptionType;
use crate::domain::money::Money;
use crate::domain::policy::may_turn_down;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::modes::in_force;
use crate::render::{count, left_to_decide};
use crate::store::Notice;

/// Rows on one screen: what stands behind is found by the filters.
const ROWS_MAX: usize = 300;

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

#[derive(Deserialize)]
pub(super) struct Filter {
    #[serde(default)]
    state: String,
    #[serde(default, rename = "type")]
    code: String,
}

#[derive(Serialize)]
struct Page {
    shell: Shell,
    heading: String,
    lead: String,
    currency: String,
    health: Vec<String>,
    notices: Vec<NoticeView>,
    states: Vec<Choice>,
    types: Vec<Choice>,
    above_title: &'static str,
    above: Vec<Row>,
    below: Vec<Row>,
    below_text: String,
    cut: Option<String>,
    /// What is hidden, by whom and until when.
    muted: Option<String>,
    /// Which scopes are not live.
    modes: Option<String>,
    /// May the viewer decide, so that picking makes sense?
    may: bool,
    empty: &'static str,
}

#[derive(Serialize)]
struct Row {
    id: String,
    place: Option<u32>,
    headline: String,
    subject: String,
    codes: Vec<Code>,
    state: &'static str,
    state_text: String,
    marks: Vec<&'static str>,
    at_stake: Option<String>,
    worth: String,
    left: String,
    urgent: bool,
    action: String,
    recommendation: String,
    /// The box by which it is picked for deciding several, where it waits for a decision.
    pick: Option<String>,
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
    let chosen = STATES.iter().find(|s| s.0 == filter.state).unwrap_or(&STATES[0]);
    let code = filter.code.parse::<ExceptionType>().ok();
    let muted = match chosen.0 {
        "open" => Some(Shown::Rest),
        "muted" => Some(Shown::Hidden),
        _ => None,
    };
    let wanted = Wanted { states: chosen.2, code, muted, limit: ROWS_MAX };
    let Found { cases, of: found, types, muted } =
        queue_read::find(&state.store, &state.config, state.clock.now(), &wanted).await?;
    let types = type_choices(&types, code);
    // A planner works off their own list.
    let newest = match state.config.planner(who.person.id.as_str()) {
        Some(planner) => state.store.list_digests_of(&planner.person, 1).await?,
        None => state.store.list_digests(1).await?,
    };
    let digest = newest.into_iter().next().map(|stored| stored.digest);
    let names = Names::about(&state.store, cases.iter().map(|case| &case.subject)).await?;
    let may = may_turn_down(&who.person).is_ok();
    let firsts = queue_read::first_recommendations(&state.store, &cases).await?;
    let row = |case: &Case, line: Option<&DigestLine>| row(case, line, firsts.get(&case.id), &names);

    let in_queue = chosen.0 == "open";
    let (above, below) = if in_queue {
        split(cases, digest.as_ref(), state.config.rules.ranking.capacity)
    } else {
        (cases.into_iter().map(|case| (case, None)).collect(), Vec::new())
    };
    let worth: Money = below.iter().filter_map(|case| case.rank.as_ref()).map(|rank| rank.value.expected).sum();
    let modes = in_force(&state.store, &state.config).await?.says();
    let in_shadow = chosen.0 == SHADOW;
    let page = Page {
        shell: Shell::of("Queue", "/", &who),
        heading: match chosen.0 {
            "open" => heading(&above),
            SHADOW => format!("What shadow would have shown: {}", count(found, "case", "cases")),
            _ => format!("Cases: {}", chosen.1),
        },
        lead: if in_shadow { IN_SHADOW.to_owned() } else { lead(digest.as_ref(), &state.config.rules.money.currency) },
        currency: state.config.rules.money.currency.clone(),
        notices: state.store.list_notices(&who.person.id).await?.iter().map(|n| notice(n, &state)).collect(),
        health: digest.iter().flat_map(|d| d.unread.iter().chain(&d.health).map(|h| plain(h))).collect(),
        states: STATES
            .iter()
            .filter(|s| s.0 != SHADOW || in_shadow || modes.is_some())
            .map(|s| choice(s.0, s.1, s.0 == chosen.0))
            .collect(),
        types,
        above_title: if in_queue { "Above the line" } else { "Cases" },
        above: above.iter().map(|(case, line)| row(case, line.as_ref())).collect(),
        below_text: format!("{}, together worth {worth}", count(below.len(), "case", "cases")),
        below: below.iter().map(|case| row(case, None)).collect(),
        cut: (found > ROWS_MAX)
            .then(|| format!("Only the {ROWS_MAX} of highest priority are shown, of {found}. Filter to see others.")),
        muted,
        modes: modes.map(|says| plain(&says)),
        may: may && !in_shadow,
        empty: if in_queue { "Nothing needs a decision." } else { "There is none." },
    };
    Ok(Html(templates::render("queue.html", &page)?))
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

/// Above the line stands what the newest digest put there, in its order. Before the first digest: the first K by lane and
/// priority.
fn split(mut cases: Vec<Case>, digest: Option<&Digest>, capacity: usize) -> (Vec<(Case, Option<DigestLine>)>, Vec<Case>) {
    // The store's order is by priority; lanes come before it.
    cases.sort_by_key(|case| case.rank.as_ref().map_or((true, None), |rank| (false, Some(rank.lane))));
    let Some(digest) = digest else {
        let below = cases.split_off(cases.len().min(capacity));
        return (cases.into_iter().map(|case| (case, None)).collect(), below);
    };
    let mut above = Vec::new();
    let mut below = Vec::new();
    for case in cases {
        // It is about the list itself: no digest ranks it by money.
        if case.is_mute_proposal() {
            above.push((case, None));
            continue;
        }
        match digest.lines.iter().find(|line| line.case_id == case.id) {
            Some(line) => above.push((case, Some(line.clone()))),
            None => below.push(case),
        }
    }
    above.sort_by_key(|(_, line)| line.as_ref().map_or(u32::MAX, |line| line.place));
    (above, below)
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

fn row(case: &Case, line: Option<&DigestLine>, first: Option<&Recommendation>, names: &Names) -> Row {
    let rank: Option<&Rank> = case.rank.as_ref();
    let mut marks: Vec<&'static str> = rank.iter().filter_map(|r| lane_mark(r.lane)).collect();
    if case.is_mute_proposal() {
        marks.push("proposal");
    }
    if line.is_some_and(|line| line.sampled) {
        marks.push("random check");
    }
    if line.is_some_and(|line| line.new) {
        marks.push("new");
    }
    Row {
        id: case.id.to_string(),
        place: line.map(|line| line.place),
        headline: plain(&case.headline),
        subject: names.subject(&case.subject),
        codes: case.codes.iter().map(|c| Code::of(*c)).collect(),
        state: case.state.name(),
        state_text: state_text(&case.state),
        marks,
        at_stake: rank.map(|r| r.at_stake.to_string()),
        worth: rank.map_or_else(String::new, |r| r.value.expected.to_string()),
        left: rank.map_or_else(String::new, |r| left_to_decide(r.slack_days, r.value.expected)),
        urgent: rank.is_some_and(|r| r.slack_days < 1.0),
        action: first.map(|r| r.candidate.codes()).unwrap_or_default(),
        pick: first.filter(|r| waits(&r.state)).map(|r| format!("{PICK}{}", r.id)),
        recommendation: first.map_or_else(String::new, |r| plain(&r.candidate.told())),
    }
}
