//! A case ready for its page: what is stored, put into words.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::chart::{self, ChartData};
use super::entry::Entry;
use super::evidence::{self, FactGroup};
use super::flow_chart::{self, FlowData};
use super::form::takes;
use super::like::{LikeView, like_view};
use super::names::{Code, Names, lane_mark, moment, people_names, state_text};
use super::outcome::{not_sent, recommendation_state};
use super::plain;
use super::steps::{EditView, StepView, editable, step_view};
use super::stock_chart;
use super::sums::{Cite, SumLine, number, priority_lines, share, sum_lines};
use super::uses::{Uses, shared, uses};
use crate::approve::Preview;
use crate::config::Config;
use crate::domain::action::Check;
use crate::domain::audit::Chained;
use crate::domain::case::{Case, Rank};
use crate::domain::decision::{DecisionVerb, RecommendationState};
use crate::domain::evidence::{Bundle, Missing};
use crate::domain::exception::{Exception, ExceptionState, Subject};
use crate::domain::ids::{RecommendationId, content_hash as hash, is_id};
use crate::domain::policy::{Person, may_turn_down};
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::domain::record::{RecordKind, RecordRef};
use crate::render::pressing;
use crate::rules::card::Card;
use crate::rules::place_key;

/// Everything a case page is made of.
pub struct CaseParts<'a> {
    pub case: &'a Case,
    pub exceptions: &'a [Exception],
    pub evidence: Option<&'a Bundle>,
    /// Those that count now, each with its version, the one to show first first.
    pub recommendations: &'a [(Recommendation, i64)],
    /// Oldest first.
    pub history: &'a [Chained],
    pub chart: Option<&'a ChartData>,
    /// What was ordered, received and billed, where the case is about that.
    pub flow: Option<&'a FlowData>,
    pub names: &'a Names,
    pub config: &'a Config,
    pub viewer: &'a Person,
    /// What the viewer could do with those that wait.
    pub previews: &'a BTreeMap<RecommendationId, Preview>,
    pub csrf: &'a str,
    pub now: Timestamp,
}

impl CaseParts<'_> {
    /// Why the viewer sees the case and can do nothing about it, and who could.
    fn why_not(&self) -> Option<String> {
        may_turn_down(self.viewer).err().map(|refusal| refusal.to_string())
    }
}

/// The page's values, without the frame.
#[derive(Serialize)]
pub struct CaseView {
    id: String,
    headline: String,
    subject: String,
    state: String,
    currency: String,
    codes: Vec<Code>,
    marks: Vec<&'static str>,
    rank: Option<RankView>,
    recommendations: Vec<RecommendationView>,
    alternatives: Vec<RecommendationView>,
    priority: Vec<SumLine>,
    chart: String,
    /// The stock that is to be expected; empty where the case is about no shortage.
    stock: String,
    /// Of which item at which place.
    stock_of: String,
    flow: String,
    /// The orders that the last is about.
    flow_orders: String,
    /// The pages of what the case is about.
    about: Vec<AboutLink>,
    exceptions: Vec<ExceptionView>,
    like: Option<LikeView>,
    facts: Vec<FactGroup>,
    evidence: Option<EvidenceView>,
    missing: Vec<Missing>,
    history: Vec<Entry>,
    tomorrow: String,
    why_not: Option<String>,
}

/// A link to a page of what the case is about.
#[derive(Serialize)]
struct AboutLink {
    href: String,
    name: String,
}

#[derive(Serialize)]
struct RankView {
    at_stake: String,
    worth: String,
    low: String,
    high: String,
    deadline: String,
    left: String,
    p: String,
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a form of the page, which is there or not")]
struct RecommendationView {
    id: String,
    content_hash: String,
    keys: BTreeMap<&'static str, String>,
    rank: u32,
    action: String,
    summary: String,
    /// Of a plan of several steps, each of them.
    steps: Vec<StepView>,
    benefit: String,
    value: String,
    latest: String,
    state_text: String,
    rationale: String,
    risks: String,
    would_change: String,
    /// Sentences of the program that a model picked as its reasons.
    claims: Vec<String>,
    /// What a model asks whoever decides.
    question: String,
    message: Option<String>,
    drafter: String,
    checks: Vec<Check>,
    sum: Vec<SumLine>,
    /// What the loss was computed from.
    inputs: Vec<Cite>,
    can_decide: bool,
    /// A button that would be refused is no button: whom to ask stands there instead.
    can_approve: bool,
    can_forward: bool,
    can_return: bool,
    takes: Option<String>,
    can_undo: Option<String>,
    edits: Vec<EditView>,
}

#[derive(Serialize)]
struct ExceptionView {
    code: &'static str,
    name: &'static str,
    headline: String,
    from: String,
    to: String,
    state: &'static str,
    explained: Option<String>,
    detector: String,
    score: String,
    drivers: Vec<DriverView>,
    first_seen: String,
}

#[derive(Serialize)]
struct DriverView {
    feature: String,
    value: String,
    share: String,
}

#[derive(Serialize)]
struct EvidenceView {
    version: u32,
    as_of: String,
    hash: String,
}

impl CaseView {
    pub fn of(parts: &CaseParts<'_>) -> Self {
        let config = parts.config;
        let zone = &config.rules.calendar.timezone;
        let mut labels: BTreeMap<&String, usize> = BTreeMap::new();
        for fact in parts.evidence.iter().flat_map(|bundle| bundle.facts.values()) {
            *labels.entry(&fact.label).or_default() += 1;
        }
        let facts = parts.evidence.iter().flat_map(|bundle| bundle.facts.values()).enumerate();
        let cites: BTreeMap<&str, Cite> = facts
            .map(|(index, fact)| {
                // One label may be said of several items: then the record's name tells them apart.
                let name = parts.names.0.get(&fact.source).filter(|_| labels.get(&fact.label).is_some_and(|n| *n > 1));
                let name = name.map_or_else(String::new, |name| format!(" ({})", plain(name)));
                let (label, value) = (format!("{}{name}", plain(&fact.label)), plain(&fact.value.show()));
                (fact.id.as_str(), Cite { anchor: evidence::anchor(index), label, value })
            })
            .collect();
        let shared = shared(parts.recommendations.iter().map(|(rec, _)| &rec.candidate));
        let uses = |rec: &Recommendation| uses(&rec.candidate, parts.evidence, &shared, &cites);
        let mut recommendations: Vec<RecommendationView> =
            parts.recommendations.iter().map(|(r, version)| recommendation_view(r, *version, parts, uses(r))).collect();
        let alternatives = recommendations.split_off(recommendations.len().min(1));
        let calendar = config.rules.calendar.calendar();
        let today = calendar.day_of(parts.now);
        let course = parts
            .evidence
            .and_then(|bundle| stock_chart::course(bundle, &parts.case.subject, calendar.day_of(bundle.as_of)));
        Self {
            id: parts.case.id.to_string(),
            headline: plain(&parts.case.headline),
            subject: parts.names.subject(&parts.case.subject),
            state: state_text(&parts.case.state),
            currency: config.rules.money.currency.clone(),
            codes: parts.case.codes.iter().map(|c| Code::of(*c)).collect(),
            marks: parts.case.rank.iter().filter_map(|r| lane_mark(r.lane)).collect(),
            rank: parts.case.rank.as_ref().map(rank_view),
            recommendations,
            alternatives,
            priority: parts.case.rank.as_ref().map(|r| priority_lines(r, config.rules.ranking.lambda)).unwrap_or_default(),
            chart: parts.chart.map(chart::svg).unwrap_or_default(),
            stock: course.as_ref().map(stock_chart::svg).unwrap_or_default(),
            stock_of: course.as_ref().map_or_else(String::new, |course| place_text(&course.place, parts.names)),
            flow: parts.flow.map(flow_chart::svg).unwrap_or_default(),
            flow_orders: parts.flow.map_or_else(String::new, |flow| plain(&flow.orders.join(", "))),
            about: about(parts),
            exceptions: parts.exceptions.iter().map(|e| exception_view(e, config)).collect(),
            like: parts.evidence.and_then(|bundle| like_view(bundle, &config.rules.money.currency)),
            facts: parts.evidence.map(|bundle| evidence::groups(bundle, parts.names, config)).unwrap_or_default(),
            evidence: parts.evidence.map(|b| EvidenceView {
                version: b.version,
                as_of: moment(b.as_of, zone),
                hash: b.hash().chars().take(16).collect(),
            }),
            missing: parts.evidence.map(|b| b.missing.clone()).unwrap_or_default(),
            history: parts.history.iter().map(|h| Entry::of(h, &config.people, zone)).collect(),
            tomorrow: today.tomorrow().unwrap_or(today).to_string(),
            why_not: parts.why_not(),
        }
    }
}

/// `75@3` in words: the item's and the place's name, as far as they are known.
fn place_text(place: &str, names: &Names) -> String {
    place_key::ids(place).map_or_else(String::new, |(item, location)| names.subject(&Subject::at(&item, &location)))
}

/// The pages of its item and its supplier, and what else waits at its place.
fn about(parts: &CaseParts<'_>) -> Vec<AboutLink> {
    let subject = &parts.case.subject;
    let name = |kind, id: &str| parts.names.0.get(&RecordRef::new(kind, id)).map_or_else(|| plain(id), |name| plain(name));
    let item = subject
        .item
        .as_ref()
        .filter(|id| is_id(id.as_str()))
        .map(|id| AboutLink { href: format!("/items/{id}"), name: name(RecordKind::Item, id.as_str()) });
    let supplier = subject
        .supplier
        .as_ref()
        .filter(|id| is_id(id.as_str()))
        .map(|id| AboutLink { href: format!("/suppliers/{id}"), name: name(RecordKind::Supplier, id.as_str()) });
    let place = subject.location.as_ref().filter(|id| is_id(id.as_str())).map(|id| AboutLink {
        href: format!("/?place={id}"),
        name: format!("what waits at {}", name(RecordKind::Location, id.as_str())),
    });
    [item, supplier, place].into_iter().flatten().collect()
}

fn rank_view(rank: &Rank) -> RankView {
    RankView {
        at_stake: rank.at_stake.to_string(),
        worth: rank.value.expected.to_string(),
        low: rank.value.low.to_string(),
        high: rank.value.high.to_string(),
        deadline: rank.deadline.to_string(),
        left: pressing(rank.slack_days, rank.value.expected, rank.wait_cost),
        p: share(rank.p),
    }
}

fn recommendation_view(r: &Recommendation, version: i64, parts: &CaseParts<'_>, uses: Uses) -> RecommendationView {
    let config = parts.config;
    let card = Card::of(r);
    // The version is part of the key: a second click on the same page is the same click, a click on the page as it looks
    // after an undo is a new one.
    let key = |verb| hash(&[parts.csrf, r.id.as_str(), &card.content_hash, &version.to_string(), verb]);
    RecommendationView {
        id: r.id.to_string(),
        // Each form has a key of its own.
        keys: DecisionVerb::ASKED.into_iter().map(|verb| (verb.name(), key(verb.name()))).collect(),
        rank: card.rank,
        summary: if card.is_plan() { format!("a plan of {} steps", card.steps.len()) } else { card.summary.clone() },
        steps: if card.is_plan() { card.steps.iter().map(|step| step_view(r, step, parts)).collect() } else { Vec::new() },
        benefit: card.money.benefit.expected.to_string(),
        value: card.value.to_string(),
        latest: card.latest_date.to_string(),
        state_text: not_sent(r, parts.history).unwrap_or_else(|| recommendation_state(&r.state, config)),
        drafter: drafter_text(&card.drafter, &config.people),
        checks: if card.is_plan() { Vec::new() } else { card.steps.iter().flat_map(|s| s.checks.clone()).collect() },
        sum: sum_lines(&r.candidate, &uses, parts.case),
        inputs: uses.inputs,
        takes: parts.previews.get(&r.id).filter(|p| p.may_turn_down).map(takes),
        can_decide: r.state.is_waiting() && parts.why_not().is_none(),
        can_approve: parts.previews.get(&r.id).is_none_or(|p| p.may_approve),
        can_forward: can_forward(r, parts),
        can_return: matches!(&r.state, RecommendationState::Forwarded { to, .. } if *to == parts.viewer.id),
        can_undo: undo_text(r, parts).filter(|_| parts.why_not().is_none()),
        edits: card.steps.iter().filter_map(editable).collect(),
        action: card.codes,
        rationale: card.rationale,
        risks: card.risks,
        would_change: card.would_change,
        claims: card.claims.into_iter().map(|claim| claim.words).collect(),
        question: card.question,
        message: card.message,
        content_hash: card.content_hash,
    }
}

/// What counts, the one that was decided first, then by rank; of an edited one the newest.
pub fn in_order(all: &[(Recommendation, i64)]) -> Vec<(Recommendation, i64)> {
    let mut shown: Vec<(Recommendation, i64)> = all.iter().filter(|(r, _)| r.state.counts()).cloned().collect();
    shown.sort_by_key(|(r, _)| {
        let decided = !r.state.is_waiting() && !matches!(r.state, RecommendationState::Checked);
        (!decided, r.rank, std::cmp::Reverse(r.drafted_at))
    });
    shown
}

/// May the viewer ask somebody by name? Where it is with somebody already, only they pass it on.
fn can_forward(r: &Recommendation, parts: &CaseParts<'_>) -> bool {
    let with_another = matches!(&r.state, RecommendationState::Forwarded { to, .. } if *to != parts.viewer.id);
    r.state.is_before_people() && !with_another && parts.why_not().is_none()
}

/// Says until when the viewer can take a decision back; None when there is nothing of theirs to take back.
fn undo_text(r: &Recommendation, parts: &CaseParts<'_>) -> Option<String> {
    let me = &parts.viewer.id;
    let window = SignedDuration::from_mins(i64::from(parts.config.approval.undo_minutes));
    let until = |at: Timestamp| {
        let end = at.checked_add(window).ok().filter(|end| parts.now < *end)?;
        Some(format!("can be undone until {}", moment(end, &parts.config.rules.calendar.timezone)))
    };
    match &r.state {
        state if state.first_signature().is_some_and(|first| first.by == *me) => {
            // One signature of two releases nothing, so no time runs for taking it back.
            Some("until somebody else has signed".to_owned())
        }
        RecommendationState::Forwarded { via, .. } if via.last() == Some(me) => Some("asks nobody by name".to_owned()),
        RecommendationState::Snoozed { .. } => Some("brings it back now".to_owned()),
        RecommendationState::Approved { by, at, .. } | RecommendationState::ApprovedWithEdit { by, at, .. }
            if by.contains(me) =>
        {
            until(*at)
        }
        RecommendationState::Rejected { by, at, .. } if by == me => until(*at),
        _ => None,
    }
}

pub(super) fn drafter_text(drafter: &Drafter, people: &[Person]) -> String {
    match drafter {
        Drafter::Playbook { because: None } => "Written by the playbook.".to_owned(),
        Drafter::Playbook { because: Some(why) } => format!("Written by the playbook, because {}.", plain(&why.whole)),
        Drafter::Model { name, .. } => format!(
            "Put in order by the model {}, which picked the reasons; these, the figures, the checks and the words around them are \
             computed.",
            plain(name)
        ),
        Drafter::Edited { editors, .. } => format!("Edited by {}.", people_names(editors, people)),
    }
}

fn exception_view(e: &Exception, config: &Config) -> ExceptionView {
    let signal = &e.signal;
    ExceptionView {
        code: signal.code.code(),
        name: signal.code.name(),
        headline: plain(&signal.headline),
        from: signal.from.to_string(),
        to: signal.to.to_string(),
        state: match e.state {
            ExceptionState::Open => "open",
            ExceptionState::Resolved => "resolved",
            ExceptionState::Explained => "explained",
        },
        explained: signal.explained.as_deref().map(plain),
        detector: plain(&signal.detector),
        score: number(signal.score, 2),
        drivers: signal
            .drivers
            .iter()
            .map(|d| DriverView {
                feature: plain(&d.feature).replace('_', " "),
                value: number(d.value, 2),
                share: format!("{} %", number(d.share * 100.0, 0)),
            })
            .collect(),
        first_seen: moment(e.first_seen, &config.rules.calendar.timezone),
    }
}
