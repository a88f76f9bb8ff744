//! Deciding several at once: first what was picked is shown whole, then it is decided, then what came of each is listed.
//!
//! Picking changes nothing, so it comes by GET. The confirmation carries each content's hash, so what is decided is what was
//! shown; and a key for each, so that sending it twice is sending it once.

use std::collections::{BTreeMap, BTreeSet};

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::response::Html;
use serde::Serialize;
use serde_json::json;

use super::error::WebError;
use super::frame::{Choice, Shell};
use super::session::SignedIn;
use super::templates;
use crate::approve::{Ask, BATCH_MAX, DecisionRequest, Loose, Unclear};
use crate::cards::names::{Names, moment, reason_text};
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::case::Case;
use crate::domain::decision::{DecisionVerb, RecommendationState, RejectReason};
use crate::domain::ids::{CaseId, RecommendationId, content_hash, is_id};
use crate::domain::money::Money;
use crate::domain::policy::may_turn_down;
use crate::domain::recommendation::Recommendation;
use crate::domain::words::lines;
use crate::render::count;

/// What the names of picked boxes begin with; the recommendation's id follows.
pub(super) const PICK: &str = "pick-";
/// What the names of hidden fields begin with that carry a content's hash, in the order shown, and its key.
const CONTENT: &str = "content-";
const KEY: &str = "key-";

/// Those of one kind of action and one tier.
#[derive(Serialize)]
struct Group {
    action: String,
    tier: String,
    title: String,
    rows: Vec<Row>,
    sum: String,
    counted: String,
}

#[derive(Serialize)]
struct Row {
    /// `0003-r-00ff`: so that the order shown is the order decided.
    field: String,
    case: String,
    headline: String,
    subject: String,
    summary: String,
    rationale: String,
    /// A model's reasons and its question, the risks, what would change it, and the message: whoever approves signs all of it.
    claims: Vec<String>,
    question: String,
    risks: String,
    would_change: String,
    message: Option<String>,
    benefit: String,
    value: String,
    counted: String,
    latest: String,
    /// Why the viewer can not approve it, as far as it is known before the click.
    not_by_you: Option<String>,
    content_hash: String,
    key: String,
}

/// `GET /batch?pick-ID=on&…`
pub(super) async fn confirm(
    State(state): State<ChannelState>,
    who: SignedIn,
    Query(query): Query<BTreeMap<String, String>>,
) -> Result<Html<String>, WebError> {
    let picked: Vec<&str> = query.keys().filter_map(|name| name.strip_prefix(PICK)).filter(|id| is_id(id)).collect();
    let picked_ids: Vec<RecommendationId> = picked.iter().take(BATCH_MAX).map(|id| RecommendationId::new(*id)).collect();
    let there = find(&state, picked_ids.iter()).await?;
    let gone = picked_ids.len() - there.values().filter(|(rec, ..)| waits(&rec.state)).count();
    let mut found: Vec<(Case, Recommendation, i64)> = Vec::new();
    for (rec, version, case) in there.into_values().filter(|(rec, ..)| waits(&rec.state)) {
        found.push((case, rec, version));
    }
    let names = Names::about(&state.store, found.iter().map(|(case, ..)| &case.subject)).await?;
    // As in the queue: what is worth more first.
    let priority = |case: &Case| case.rank.as_ref().map_or(Money::ZERO, |r| r.priority);
    found.sort_by(|a, b| priority(&b.0).cmp(&priority(&a.0)).then_with(|| a.1.id.cmp(&b.1.id)));
    let groups = groups(&state, &who, &names, &found).await?;
    // Each is shown here with its figures and its reason.
    who.opened(&state, found.iter().map(|(_, rec, _)| rec)).await?;
    let reason = |r: RejectReason| Choice { value: r.code().to_owned(), name: reason_text(r).to_owned(), chosen: false };
    let values = json!({
        "shell": Shell::of("Decide several", "/", &who),
        "currency": state.config.rules.money.currency,
        "groups": groups,
        "reasons": RejectReason::ALL.into_iter().map(reason).collect::<Vec<_>>(),
        "may": may_turn_down(&who.person).is_ok(),
        "gone": (gone > 0).then(|| format!("{} you picked can no longer be decided.", count(gone, "of those", "of those"))),
        "cut": (picked.len() > BATCH_MAX).then(|| format!("Only the first {BATCH_MAX} are shown: decide these, then the rest.")),
        "days": state.config.rules.policy.cumulative.days,
    });
    Ok(Html(templates::render("batch.html", &values)?))
}

/// Does it wait for a decision now? What is put off is decided on its own page.
pub(super) fn waits(state: &RecommendationState) -> bool {
    state.is_waiting() && !matches!(state, RecommendationState::Snoozed { .. })
}

/// Those of these recommendations that there are, each with its version and its case.
async fn find(
    state: &ChannelState,
    ids: impl Iterator<Item = &RecommendationId>,
) -> Result<BTreeMap<RecommendationId, (Recommendation, i64, Case)>, WebError> {
    let recs = state.store.list_recommendations_named(&ids.collect::<Vec<_>>()).await?;
    let ids: Vec<&CaseId> = recs.iter().map(|(rec, _)| &rec.case_id).collect::<BTreeSet<_>>().into_iter().collect();
    let cases = state.store.list_cases_of(&ids).await?;
    let with_case = |(rec, version): (Recommendation, i64)| {
        let case = cases.get(&rec.case_id)?.clone();
        Some((rec.id.clone(), (rec, version, case)))
    };
    Ok(recs.into_iter().filter_map(with_case).collect())
}

async fn groups(
    state: &ChannelState,
    who: &SignedIn,
    names: &Names,
    found: &[(Case, Recommendation, i64)],
) -> Result<Vec<Group>, WebError> {
    let mut groups: Vec<Group> = Vec::new();
    let mut sums: Vec<(Money, Money)> = Vec::new();
    let now = state.clock.now();
    let grounds = state.approvals.grounds(now).await.map_err(|error| WebError::BadRequest(error.to_string()))?;
    for (place, (case, rec, version)) in found.iter().enumerate() {
        let judged = state.approvals.judgement(&grounds, &who.person, case, rec, &[], now).await;
        let judged = judged.map_err(|error| WebError::BadRequest(error.to_string()))?;
        let ruling = judged.ruling;
        let (action, tier, counted) = (rec.candidate.codes(), ruling.tier.to_string(), ruling.counted);
        let at = groups.iter().position(|g| g.action == action && g.tier == tier).unwrap_or_else(|| {
            let title = format!("{action}, {tier}");
            let (sum, counted) = (String::new(), String::new());
            groups.push(Group { action, tier, title, rows: Vec::new(), sum, counted });
            sums.push((Money::ZERO, Money::ZERO));
            groups.len() - 1
        });
        let value = rec.candidate.value;
        // Each one approved counts towards the limit of the next.
        sums[at].0 += value;
        // `counted` holds the card's own value, too: without it, this is what was released before.
        sums[at].1 = sums[at].1.max(counted - value);
        let hash = rec.content_hash();
        groups[at].rows.push(Row {
            // Fields come back sorted by name: so they are decided in the order in which they stand here.
            field: format!("{place:04}-{}", rec.id),
            case: case.id.to_string(),
            headline: plain(&case.headline),
            subject: names.subject(&case.subject),
            summary: plain(&rec.candidate.told()),
            rationale: plain(&rec.prose.rationale),
            claims: rec.prose.claims.iter().map(|claim| plain(&claim.words)).collect(),
            question: plain(&rec.prose.question),
            risks: plain(&rec.prose.risks),
            would_change: plain(&rec.prose.would_change),
            message: rec.prose.message.as_deref().map(lines),
            benefit: rec.candidate.money.benefit.expected.to_string(),
            value: value.to_string(),
            counted: counted.to_string(),
            latest: rec.candidate.latest_date.to_string(),
            not_by_you: judged.standing.err().map(|refused| plain(&refused.to_string())),
            key: content_hash(&[&who.csrf, rec.id.as_str(), &hash, &version.to_string(), "batch"]),
            content_hash: hash,
        });
    }
    for (group, (sum, before)) in groups.iter_mut().zip(sums) {
        group.sum = sum.to_string();
        group.counted = (sum + before).to_string();
    }
    Ok(groups)
}

/// `POST /batch`
pub(super) async fn decide(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<BTreeMap<String, String>>, FormRejection>,
) -> Result<Html<String>, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    let text = |name: &str| form.get(name).map_or("", String::as_str);
    who.check(text("csrf"))?;
    let verb = DecisionVerb::asked(text("verb"));
    let Some(verb @ (DecisionVerb::Approve | DecisionVerb::Reject | DecisionVerb::Undo)) = verb else {
        return Err(WebError::BadRequest(format!("{:?} is nothing that can be decided for several.", text("verb"))));
    };
    let mut requests = Vec::new();
    for (name, content) in &form {
        let Some(field) = name.strip_prefix(CONTENT) else { continue };
        let Some((_, id)) = field.split_once('-').filter(|(_, id)| is_id(id)) else { continue };
        let key = form.get(&format!("{KEY}{field}")).ok_or_else(|| WebError::BadRequest("a key is missing".into()))?;
        let loose = Loose {
            recommendation: id.to_owned(),
            content_hash: content.clone(),
            // What was chosen is part of the click, as on a case's own page.
            key: content_hash(&[key, text("verb"), text("reason"), text("note")]),
            verb: verb.name().to_owned(),
            reason: text("reason").to_owned(),
            note: text("note").chars().take(500).collect(),
            ..Loose::default()
        };
        let ask = Ask::parse(loose, "web", None).map_err(|unclear| match unclear {
            Unclear::Reason(_) => WebError::BadRequest("Choose a reason: it is what Reeve learns from.".into()),
            other => WebError::BadRequest(other.to_string()),
        })?;
        requests.push(ask.by(&who.person.id, who.hand.clone()));
    }
    if requests.is_empty() {
        return Err(WebError::BadRequest("Nothing was picked. Go back to the queue and pick what belongs together.".into()));
    }
    result(&state, &who, verb, requests).await
}

/// Decides, and lists what came of each.
async fn result(
    state: &ChannelState,
    who: &SignedIn,
    verb: DecisionVerb,
    requests: Vec<DecisionRequest>,
) -> Result<Html<String>, WebError> {
    let answer = state.approvals.decide_batch(requests).await;
    let zone = &state.config.rules.calendar.timezone;
    let (mut done, mut undo) = (Vec::new(), Vec::new());
    let asked = answer.done.iter().map(|one| &one.recommendation_id);
    // Read anew: what was decided has another state and version now, and an Undo names those.
    let there = find(state, asked.chain(answer.refused.iter().map(|failure| &failure.recommendation_id))).await?;
    for (place, one) in answer.done.iter().enumerate() {
        let (rec, version, case) = there.get(&one.recommendation_id).ok_or(WebError::NotFound("such recommendation"))?;
        let open = one.undo_until.filter(|until| state.clock.now() < *until);
        // What was just taken back has nothing left to take back.
        if verb != DecisionVerb::Undo && open.is_some() {
            let hash = rec.content_hash();
            let key = content_hash(&[&who.csrf, rec.id.as_str(), &hash, &version.to_string(), "batch"]);
            undo.push(json!({ "field": format!("{place:04}-{}", rec.id), "content_hash": hash, "key": key }));
        }
        done.push(json!({
            "case": case.id.to_string(),
            "headline": plain(&case.headline),
            "summary": plain(&rec.candidate.told()),
            "said": plain(&one.said),
            "drill": one.is_drill(),
            "undo_until": open.map(|until| moment(until, zone)),
        }));
    }
    let mut refused = Vec::new();
    for failure in &answer.refused {
        let about = match there.get(&failure.recommendation_id) {
            Some((rec, _, case)) => {
                json!({ "case": case.id.to_string(), "headline": plain(&case.headline), "summary": plain(&rec.candidate.told()) })
            }
            None => json!({ "case": null, "headline": plain(failure.recommendation_id.as_str()), "summary": "" }),
        };
        refused.push(json!({ "about": about, "because": plain(&failure.because.to_string()) }));
    }
    let what = match verb {
        DecisionVerb::Approve => "Approve",
        DecisionVerb::Undo => "Undo",
        _ => "Reject",
    };
    let values = json!({
        "shell": Shell::of("Decided several", "/", who),
        "currency": state.config.rules.money.currency,
        "title": format!("{what}: {} of {} done", done.len(), done.len() + refused.len()),
        "sum": (verb == DecisionVerb::Approve).then(|| answer.sum.to_string()),
        "done": done,
        "refused": refused,
        "undo": undo,
    });
    Ok(Html(templates::render("batch_done.html", &values)?))
}
