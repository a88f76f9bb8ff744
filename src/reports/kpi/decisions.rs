//! What people decide, how long it takes, and what becomes of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::handled::{Handled, handled, measured, shown};
use super::rows::Rows;
use super::{Definition, Group, Kpi, Part, Period, Unit};
use crate::config::Config;
use crate::domain::action::Action;
use crate::domain::calendar::days_between;
use crate::domain::case::CaseState;
use crate::domain::policy::WorkingHours;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::models::formulas::{median, quantile};

/// In this time what was approved should be carried out (handbook §10).
const CARRY_OUT: SignedDuration = SignedDuration::from_hours(48);

const fn definition(id: &'static str, name: &'static str, formula: &'static str, unit: Unit) -> Definition {
    Definition { id, group: Group::Decisions, name, formula, unit }
}

const CYCLE: Definition =
    definition("approval_cycle_median", "Approval cycle time", "median of queued → decided, in working hours", Unit::Hours);
const CYCLE_90: Definition = definition(
    "approval_cycle_p90",
    "Approval cycle time, 90th percentile",
    "90th percentile of queued → decided, in working hours",
    Unit::Hours,
);
const IN_TIME: Definition =
    definition("approval_within_target", "Decided within target", "decided within the target ÷ decided", Unit::Share);
const ACCEPTANCE: Definition =
    definition("acceptance_rate", "Acceptance rate", "(approved + approved with edit) ÷ decided", Unit::Share);
const EDITS: Definition = definition("edit_rate", "Edit rate", "approved with edit ÷ approved", Unit::Share);
const EDIT_QUANTITY: Definition = definition(
    "edit_distance_quantity",
    "Edit distance, quantity",
    "mean of abs(new − old) ÷ old over edited quantities",
    Unit::Share,
);
const EDIT_DAYS: Definition =
    definition("edit_distance_days", "Edit distance, date", "mean of abs(new − old) over edited dates", Unit::Days);
const OVERRIDE: Definition = definition(
    "override_rate",
    "Override rate",
    "first-ranked action not chosen ÷ cases decided that had at least two actions",
    Unit::Share,
);
const TIME_TO_DECISION: Definition =
    definition("time_to_decision", "Time to decision", "median of shown → decided, elapsed", Unit::Hours);
const COMPLETION: Definition = definition(
    "digest_completion",
    "Digest completion",
    "cases decided on the day they were shown ÷ cases shown",
    Unit::Share,
);
const EXECUTION: Definition =
    definition("execution_rate", "Execution rate", "carried out within 48 h ÷ approved", Unit::Share);
const EXPIRED: Definition =
    definition("expired_value", "Expired value", "Σ V of cases that expired undecided: money lost to waiting", Unit::Money);
const REALISED: Definition = definition(
    "realised_value",
    "Realised value",
    "Σ (loss predicted without action − loss observed) over what was carried out",
    Unit::Money,
);
const FORGONE: Definition = definition(
    "realised_value_rejected",
    "The same for what was rejected",
    "Σ (loss predicted without action − loss observed) over what was rejected",
    Unit::Money,
);

pub(super) fn all(rows: &Rows, config: &Config, period: Period) -> Vec<Kpi> {
    let decided = handled(rows);
    let mut kpis = cycle(rows, &decided, config.kpi.decide_hours, &config.rules.policy.hours);
    kpis.extend(acceptance(rows, &decided));
    kpis.push(overrides(rows, &decided));
    kpis.extend(digests(rows, &decided));
    kpis.push(execution(rows, &decided));
    kpis.push(expired(rows, period));
    kpis.extend(realised(rows, &decided));
    kpis
}

fn cycle(rows: &Rows, decided: &[Handled<'_>], target: f64, office: &WorkingHours) -> Vec<Kpi> {
    let hours: Vec<f64> =
        decided.iter().filter_map(|h| Some(working_hours(office, first_queued(rows, h.rec)?, h.at))).collect();
    let n = hours.len();
    let basis = format!("{n} recommendations decided whose queueing is in the log; work {}", office.told());
    let within = hours.iter().filter(|h| **h <= target).count();
    vec![
        CYCLE.of(median(&hours), n, basis.clone()),
        CYCLE_90.of(quantile(&hours, 0.9), n, basis.clone()),
        IN_TIME.share(within, n, format!("{basis}; target {target} working hours")),
    ]
}

fn working_hours(office: &WorkingHours, from: Timestamp, to: Timestamp) -> f64 {
    office.between(from, to).as_secs_f64() / 3_600.0
}

/// When it was put before people: an edited one when what it was made of was.
fn first_queued(rows: &Rows, rec: &Recommendation) -> Option<Timestamp> {
    rows.queued.get(&rec.id).copied().or(match &rec.drafter {
        Drafter::Edited { .. } => Some(rec.drafted_at),
        Drafter::Playbook { .. } | Drafter::Model { .. } => None,
    })
}

fn acceptance(rows: &Rows, decided: &[Handled<'_>]) -> Vec<Kpi> {
    let accepted = decided.iter().filter(|h| h.accepted).count();
    let edited: Vec<&Handled<'_>> = decided.iter().filter(|h| h.accepted && h.is_edited()).collect();
    let mut by_action: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for h in decided {
        let entry = by_action.entry(h.rec.candidate.codes()).or_default();
        entry.0 += usize::from(h.accepted);
        entry.1 += 1;
    }
    let parts = by_action.into_iter().map(|(code, (yes, n))| Part { name: code, value: yes as f64 / n as f64, n }).collect();
    let (mut quantities, mut days) = (Vec::new(), Vec::new());
    for h in &edited {
        let Drafter::Edited { was, was_then, .. } = &h.rec.drafter else { continue };
        let before = std::iter::once(was.as_ref()).chain(was_then);
        // Only what was changed counts: steps that were left as they were would make every edit look small.
        for (was, now) in before.zip(h.rec.candidate.actions()) {
            if let (Some(old), Some(new)) = (was.quantity(), now.quantity())
                && old != new
                && !old.is_zero()
            {
                quantities.push(((new.to_f64() - old.to_f64()) / old.to_f64()).abs());
            }
            if let (Some((_, old)), Some((_, new))) = (was.date(), now.date())
                && old != new
            {
                days.push(f64::from(days_between(old, new).abs()));
            }
        }
    }
    let mean = |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let undone = rows.decisions.len();
    vec![
        ACCEPTANCE
            .share(
                accepted,
                decided.len(),
                format!("{} recommendations approved or rejected; {undone} standing decisions in all", decided.len()),
            )
            .with_parts(parts),
        EDITS.share(edited.len(), accepted, format!("{accepted} approved")),
        EDIT_QUANTITY.of(mean(&quantities), quantities.len(), format!("{} edited quantities", quantities.len())),
        EDIT_DAYS.of(mean(&days), days.len(), format!("{} edited dates", days.len())),
    ]
}

/// By case: was the action that stood first the one that was approved?
fn overrides(rows: &Rows, decided: &[Handled<'_>]) -> Kpi {
    let mut cases = BTreeMap::new();
    for h in decided {
        // What stood on one card together. What another draft proposed nobody could choose then.
        let choices: BTreeSet<u32> = rows
            .recommendations
            .values()
            .filter(|r| r.case_id == h.rec.case_id && r.evidence_hash == h.rec.evidence_hash)
            .map(|r| r.rank)
            .collect();
        if choices.len() < 2 {
            continue;
        }
        let first = h.accepted && h.rec.rank == 1;
        let entry = cases.entry(&h.rec.case_id).or_insert(false);
        // Of one case several may be decided: the order was followed where the first was approved among them.
        *entry |= first;
    }
    let passed_over = cases.values().filter(|first| !**first).count();
    OVERRIDE.share(passed_over, cases.len(), format!("{} cases decided that had at least two actions", cases.len()))
}

fn digests(rows: &Rows, decided: &[Handled<'_>]) -> [Kpi; 2] {
    let first = shown(rows);
    let mut hours = Vec::new();
    let mut counted = BTreeSet::new();
    for h in decided {
        // A case's first decision; what was decided before it was ever shown took no time of a reader.
        let Some(shown) = first.get(&h.rec.case_id).filter(|shown| **shown <= h.at) else { continue };
        if counted.insert(&h.rec.case_id) {
            hours.push(h.at.duration_since(*shown).as_secs_f64() / 3_600.0);
        }
    }
    let (mut lines, mut same_day) = (0, 0);
    for (digest, _) in &rows.digests {
        for line in &digest.lines {
            lines += 1;
            let on_it = |h: &Handled<'_>| h.rec.case_id == line.case_id && rows.calendar.day_of(h.at) == digest.day;
            same_day += usize::from(decided.iter().any(on_it));
        }
    }
    let basis = format!("{} cases that were shown and then decided", hours.len());
    [
        TIME_TO_DECISION.of(median(&hours), hours.len(), basis),
        COMPLETION.share(same_day, lines, format!("{lines} lines of {} digests", rows.digests.len())),
    ]
}

fn execution(rows: &Rows, decided: &[Handled<'_>]) -> Kpi {
    // Whoever has had less than 48 hours is not late.
    let all: Vec<&Handled<'_>> =
        decided.iter().filter(|h| h.accepted && rows.now.duration_since(h.at) >= CARRY_OUT).collect();
    // That a bill was not paid shows on its day, and that somebody was asked may never show.
    let told = |h: &&&Handled<'_>| {
        let late_to_show = h.rec.candidate.actions().any(|action| matches!(action, Action::BlockBill { .. }));
        !h.nobody_can_tell(rows) && (!late_to_show || h.rec.state.name() == "not_carried_out")
    };
    let due: Vec<&&Handled<'_>> = all.iter().filter(told).collect();
    let in_time = due.iter().filter(|h| {
        let done = rows.carried_out.get(&h.rec.id);
        done.is_some_and(|done| done.duration_since(h.at) <= CARRY_OUT)
    });
    // Approved all the same: what stays in the house is carried out by nobody.
    let unsent = due.iter().filter(|h| rows.never_sent(h.rec)).count();
    let never = if unsent == 0 { String::new() } else { format!("; {unsent} never sent") };
    let basis = format!(
        "{} approved at least 48 h ago, and {} of which no record could tell in that time{never}",
        due.len(),
        all.len() - due.len()
    );
    EXECUTION.share(in_time.count(), due.len(), basis)
}

fn expired(rows: &Rows, period: Period) -> Kpi {
    let gone: Vec<f64> = rows
        .cases
        .values()
        .filter(|c| c.state == CaseState::Expired && period.holds(rows.calendar.day_of(c.updated_at)))
        .filter_map(|c| Some(c.rank.as_ref()?.value.expected.to_f64()))
        .collect();
    // None expired is a figure too, where there were cases at all.
    let n = rows.cases.len();
    EXPIRED.of((n > 0).then(|| gone.iter().sum::<f64>() + 0.0), n, format!("{} of {n} cases expired", gone.len()))
}

fn realised(rows: &Rows, decided: &[Handled<'_>]) -> [Kpi; 2] {
    let sum = |wanted: &dyn Fn(&Handled<'_>) -> bool| {
        let found: Vec<f64> = decided
            .iter()
            .filter(|h| wanted(h))
            .filter_map(|h| measured(rows, h.rec).map(|m| m.predicted - m.actual))
            .collect();
        (found.iter().sum::<f64>(), found.len())
    };
    let (value, n) = sum(&|h| h.is_done(rows));
    let (forgone, m) = sum(&|h| !h.accepted);
    [
        REALISED.of(Some(value), n, format!("{n} carried out and measured at their horizon")),
        FORGONE.of(Some(forgone), m, format!("{m} rejected and measured at their horizon")),
    ]
}
