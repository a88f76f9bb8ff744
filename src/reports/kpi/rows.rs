//! What the figures are counted from, read from the store once, each by an index on its time.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};

use super::Period;
use crate::config::Config;
use crate::domain::calendar::{Calendar, plus_days};
use crate::domain::case::{Case, CaseState};
use crate::domain::decision::{DecisionVerb, RecommendationState};
use crate::domain::digest::Digest;
use crate::domain::evidence::Bundle;
use crate::domain::exception::Exception;
use crate::domain::ids::{CaseId, ExceptionId, RecommendationId};
use crate::domain::recommendation::Recommendation;
use crate::rules::guard::Rule;
use crate::store::{DecisionRow, DrillCounts, Outcome, Store, View, not_undone};

/// Days before the period in which a case's first digest is looked for: none waits longer for a decision.
const SHOWN_BEFORE: i32 = 90;

/// Everything the store says of a period.
#[derive(Clone, Debug)]
pub struct Rows {
    /// When it is: what has not had its time yet is not held against anybody.
    pub now: Timestamp,
    /// In which day something happened.
    pub calendar: Calendar,
    /// Decisions of the period that were not taken back, oldest first.
    pub decisions: Vec<DecisionRow>,
    /// Recommendations that were drafted in the period, or decided in it, by id.
    pub recommendations: BTreeMap<RecommendationId, Recommendation>,
    /// Cases that were shown, drafted, decided or expired in it.
    pub cases: BTreeMap<CaseId, Case>,
    /// Exceptions first seen in it, and those of shown and decided cases.
    pub exceptions: BTreeMap<ExceptionId, Exception>,
    /// Digests of its days, oldest first, with the moment each was made.
    pub digests: Vec<(Digest, Timestamp)>,
    /// When cases were first shown that a digest before the period had already.
    pub shown_before: BTreeMap<CaseId, Timestamp>,
    /// First views of what was decided.
    pub views: Vec<View>,
    /// What became of recommendations, read in it or later.
    pub outcomes: BTreeMap<RecommendationId, Outcome>,
    /// When a recommendation was queued, and when it was seen carried out.
    pub queued: BTreeMap<RecommendationId, Timestamp>,
    /// See above.
    pub carried_out: BTreeMap<RecommendationId, Timestamp>,
    /// The evidence of the recommendations above, by hash.
    pub bundles: BTreeMap<String, Bundle>,
    /// Drafts for which a model was asked, each with the rules of the guard that refused an answer.
    pub asked: Vec<BTreeSet<Rule>>,
    /// How planted wrong recommendations were answered. They are in nothing else here.
    pub drills: DrillCounts,
}

impl Rows {
    /// Was it approved and never left, by a person's will or because its time had passed?
    pub(super) fn never_sent(&self, rec: &Recommendation) -> bool {
        rec.state == RecommendationState::NotCarriedOut
            && self.outcomes.get(&rec.id).is_some_and(|outcome| outcome.found.never_left())
    }
}

/// Reads them.
///
/// # Errors
/// Says what could not be read.
pub async fn read(store: &Store, config: &Config, period: Period, now: Timestamp) -> anyhow::Result<Rows> {
    let calendar = config.rules.calendar.calendar();
    let from = calendar
        .close_of(plus_days(period.from, -1))
        .checked_add(SignedDuration::from_millis(1))
        .context("the period begins too early")?;
    let to = calendar.close_of(period.to);
    // An undo may come after the period's end: what was taken back is not counted, whenever.
    let all = store.list_decisions(from).await.context("reading decisions")?;
    // The answer to a drill decided nothing.
    let all = all.iter().filter(|d| d.verb != DecisionVerb::Drill);
    let mut decisions: Vec<DecisionRow> = not_undone(all).into_iter().filter(|d| d.at <= to).cloned().collect();
    let mut recommendations = BTreeMap::new();
    for (rec, _) in store.list_recommendations_between(from, to).await.context("reading recommendations")? {
        recommendations.insert(rec.id.clone(), rec);
    }
    for decision in &decisions {
        // Decided in the period, and drafted before it.
        if !recommendations.contains_key(&decision.recommendation_id) {
            let (rec, _) =
                store.get_recommendation(&decision.recommendation_id).await.context("reading what was decided")?;
            recommendations.insert(rec.id.clone(), rec);
        }
    }
    // Neither what is wrong on purpose nor what is about Reeve's own list says anything about the business.
    let drills = store.drill_recommendations().await.context("reading drills")?;
    recommendations.retain(|id, rec| !drills.contains(id) && rec.candidate.action.is_for_the_outside());
    decisions.retain(|d| recommendations.contains_key(&d.recommendation_id));
    let mut digests = Vec::new();
    for stored in store.list_shown_between(period.from, period.to).await.context("reading digests")? {
        digests.push((stored.digest, stored.made_at));
    }
    let mut shown_before = BTreeMap::new();
    let earlier = (plus_days(period.from, -SHOWN_BEFORE), plus_days(period.from, -1));
    for stored in store.list_shown_between(earlier.0, earlier.1).await.context("reading earlier digests")? {
        for line in stored.digest.lines {
            shown_before.entry(line.case_id).or_insert(stored.made_at);
        }
    }
    let shown = digests.iter().flat_map(|(digest, _)| &digest.lines).map(|line| line.case_id.clone());
    let decided = decisions.iter().map(|d| d.case_id.clone());
    let drafted = recommendations.values().map(|r| r.case_id.clone());
    let wanted: BTreeSet<CaseId> = shown.chain(decided).chain(drafted).collect();
    let mut cases = BTreeMap::new();
    for case in store.list_cases_updated_between(from, to).await.context("reading expired cases")? {
        // No decision leads to these, and perhaps no digest: they are looked for by themselves.
        if case.state == CaseState::Expired {
            cases.insert(case.id.clone(), case);
        }
    }
    let wanted: Vec<&CaseId> = wanted.iter().collect();
    cases.append(&mut store.list_cases_of(&wanted).await.context("reading cases")?);
    // What is in shadow is counted by itself: nobody was asked about it.
    cases.retain(|_, case: &mut Case| !case.state.is_shadow());
    recommendations.retain(|_, rec| cases.contains_key(&rec.case_id));
    let mut exceptions = BTreeMap::new();
    for exception in store.list_exceptions_between(from, to).await.context("reading exceptions")? {
        exceptions.insert(exception.id.clone(), exception);
    }
    for case in cases.values() {
        if case.exceptions.iter().any(|id| !exceptions.contains_key(id)) {
            for exception in store.list_case_exceptions(&case.id).await.context("reading a case's exceptions")? {
                exceptions.insert(exception.id.clone(), exception);
            }
        }
    }
    let ids: Vec<RecommendationId> = decisions.iter().map(|d| d.recommendation_id.clone()).collect();
    let times = |action: &'static str| store.first_times(action, &ids);
    let queued = times("recommendation.queued").await.context("reading when things were queued")?;
    let carried_out = times("recommendation.carried_out").await.context("reading when things were carried out")?;
    let mut bundles = BTreeMap::new();
    for rec in recommendations.values() {
        if !bundles.contains_key(&rec.evidence_hash) {
            let bundle = store.get_bundle(&rec.case_id, &rec.evidence_hash).await.context("reading evidence")?;
            bundles.insert(rec.evidence_hash.clone(), bundle);
        }
    }
    let drafted = store.list_details("case.drafted", from, to).await.context("reading what was drafted")?;
    let outcomes = store.list_outcomes(from).await.context("reading outcomes")?;
    Ok(Rows {
        now,
        calendar,
        asked: drafted.iter().filter_map(refused).collect(),
        drills: store
            .drill_counts(from, to.checked_add(SignedDuration::from_millis(1)).unwrap_or(to))
            .await
            .context("counting drills")?,
        views: store.list_views_of_decided(from).await.context("reading views")?,
        outcomes: outcomes.into_iter().map(|o| (o.recommendation_id.clone(), o)).collect(),
        decisions,
        recommendations,
        cases,
        exceptions,
        digests,
        shown_before,
        queued,
        carried_out,
        bundles,
    })
}

/// The rules that refused an answer of a model, by what the log says of a draft; None where no model answered.
fn refused(detail: &serde_json::Value) -> Option<BTreeSet<Rule>> {
    let model = detail.get("model")?;
    // A rule of a release that knew others is left out.
    let rules = model["refused"].as_array()?.iter().filter_map(|rule| serde_json::from_value(rule.clone()).ok());
    Some(rules.collect())
}
