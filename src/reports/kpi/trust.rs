//! Can it be believed, and is it read before it is signed? Calibration, grounding, abstention, rubber stamps, fatigue.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::handled::{Handled, handled, labels};
use super::rows::Rows;
use super::{Definition, Group, Kpi, Part, Period, Unit};
use crate::domain::action::Action;
use crate::domain::decision::RejectReason;
use crate::domain::ids::{CaseId, PersonId, RecommendationId};
use crate::models::formulas::{brier, median};

/// An approval sooner than this after the card was first opened was hardly read (handbook §10: default 5 s).
const READ_AT_LEAST: SignedDuration = SignedDuration::from_secs(5);
/// A pause that ends a sitting.
const SITTING: SignedDuration = SignedDuration::from_mins(30);
/// Decisions that a sitting must have before its end is compared with its beginning.
const LONG_SITTING: usize = 6;
/// Bins of the reliability table.
const BINS: usize = 10;

const fn definition(id: &'static str, name: &'static str, formula: &'static str, unit: Unit) -> Definition {
    Definition { id, group: Group::Trust, name, formula, unit }
}

const BRIER: Definition =
    definition("calibration_brier", "Calibration, Brier score", "mean of (p − real)²; 0 is best", Unit::Number);
const ECE: Definition = definition(
    "calibration_ece",
    "Calibration, expected error",
    "Σ over ten bins of share of cases × abs(mean p − share real)",
    Unit::Share,
);
const GROUNDING: Definition = definition(
    "grounding",
    "Grounding",
    "cited facts found in the frozen evidence with their value ÷ cited facts",
    Unit::Share,
);
const ABSTENTION: Definition =
    definition("abstention_rate", "Abstention rate", "cases without a suggested action ÷ cases drafted", Unit::Share);
const ABSTENTION_PRECISION: Definition = definition(
    "abstention_precision",
    "Abstention precision",
    "people found no clear action either ÷ abstentions decided",
    Unit::Share,
);
const RUBBER: Definition = definition(
    "rubber_stamp_share",
    "Rubber-stamp signal",
    "approvals within 5 s of opening the card, or without opening it ÷ approvals",
    Unit::Share,
);
const DRILLS: Definition =
    definition("drill_acceptance", "Drills accepted", "planted wrong recommendations approved ÷ answered", Unit::Share);
const TIME_TO_DECIDE: Definition =
    definition("time_to_decide", "Time to decide", "median of first opened → decided, elapsed", Unit::Seconds);
const PER_HOUR: Definition =
    definition("decisions_per_hour", "Decisions per hour", "decisions ÷ hours of the sittings they fell in", Unit::Number);
const FATIGUE_TIME: Definition = definition(
    "fatigue_time",
    "Fatigue, time",
    "median time to decide in the last third of long sittings ÷ in the first third; below 1 it gets quicker",
    Unit::Number,
);
const FATIGUE_APPROVALS: Definition = definition(
    "fatigue_approvals",
    "Fatigue, approvals",
    "share approved in the last third of long sittings − in the first third; above 0 more is waved through",
    Unit::Share,
);

pub(super) fn all(rows: &Rows, _: Period) -> Vec<Kpi> {
    let decided = handled(rows);
    let mut kpis = calibration(rows, &decided);
    kpis.push(grounding(rows));
    kpis.extend(abstention(rows, &decided));
    kpis.extend(reading(rows, &decided));
    kpis.push(drills(rows));
    kpis.extend(fatigue(rows, &decided));
    kpis
}

/// The p that was shown with what was decided, beside whether it was real.
fn calibration(rows: &Rows, decided: &[Handled<'_>]) -> Vec<Kpi> {
    let real = labels(rows);
    // One p for each case, as there is one label: several refused proposals of a case say it once.
    let stated: BTreeMap<&CaseId, f64> = decided.iter().map(|h| (&h.rec.case_id, h.rec.candidate.money.p)).collect();
    let pairs: Vec<(f64, bool)> = stated.iter().filter_map(|(id, p)| Some((*p, *real.get(*id)?))).collect();
    let mut bins = vec![(0.0, 0_usize, 0_usize); BINS];
    for (p, real) in &pairs {
        let bin = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + p, bin.1 + usize::from(*real), bin.2 + 1);
    }
    let n = pairs.len();
    let off = |(p, real, n): &(f64, usize, usize)| (p - *real as f64).abs() / (*n).max(1) as f64;
    let ece = bins.iter().map(|bin| bin.2 as f64 * off(bin)).sum::<f64>() / n.max(1) as f64;
    let parts = bins.iter().enumerate().filter(|(_, bin)| bin.2 > 0).map(|(i, (_, real, n))| Part {
        name: format!("p from {:.1} to {:.1}", i as f64 / BINS as f64, (i + 1) as f64 / BINS as f64),
        value: *real as f64 / *n as f64,
        n: *n,
    });
    let basis = format!("{n} decided cases of which people said whether they were real");
    vec![
        BRIER.of(brier(&pairs), n, basis.clone()),
        ECE.of((n > 0).then_some(ece), n, format!("{basis}; the parts are the share real in each bin"))
            .with_parts(parts.collect()),
    ]
}

fn grounding(rows: &Rows) -> Kpi {
    let (mut cited, mut found, mut cards) = (0, 0, 0);
    for rec in rows.recommendations.values() {
        let Some(bundle) = rows.bundles.get(&rec.evidence_hash) else { continue };
        // A bundle whose facts were changed has another hash: then none of its values is what was cited.
        let intact = bundle.hash() == rec.evidence_hash;
        let ids: BTreeSet<_> = rec.candidate.cites.iter().chain(&rec.prose.cites).collect();
        cards += 1;
        cited += ids.len();
        found += ids.into_iter().filter(|id| intact && bundle.facts.contains_key(*id)).count();
    }
    GROUNDING.share(found, cited, format!("{cited} facts cited on {cards} cards; the evidence hashed again"))
}

/// A case abstains when ESCALATE stands first.
fn abstention(rows: &Rows, decided: &[Handled<'_>]) -> [Kpi; 2] {
    let first: BTreeMap<(&CaseId, &str), bool> = rows
        .recommendations
        .values()
        .filter(|r| r.rank == 1)
        .map(|r| ((&r.case_id, r.evidence_hash.as_str()), matches!(r.candidate.action, Action::Escalate { .. })))
        .collect();
    let abstained = first.values().filter(|abstained| **abstained).count();
    let judged: Vec<bool> = decided
        .iter()
        .filter(|h| first.get(&(&h.rec.case_id, h.rec.evidence_hash.as_str())) == Some(&true))
        .map(|h| {
            let handed_over = matches!(h.rec.candidate.action, Action::Escalate { .. });
            // They saw no clear action either: they handed it over, too, or missed something to decide by.
            (h.accepted && handed_over) || h.reason == Some(RejectReason::MissingContext)
        })
        .collect();
    let unclear = judged.iter().filter(|unclear| **unclear).count();
    [
        ABSTENTION.share(abstained, first.len(), format!("{} drafts of cases, each on its evidence", first.len())),
        ABSTENTION_PRECISION.share(unclear, judged.len(), format!("{} decided where no action was suggested", judged.len())),
    ]
}

fn drills(rows: &Rows) -> Kpi {
    let drills = rows.drills;
    let basis = format!("{} answered: {} approved, {} noticed", drills.answered, drills.accepted, drills.caught);
    DRILLS.share(drills.accepted as usize, drills.answered as usize, basis)
}

/// When the decider first opened what they decided.
type Opened<'r> = BTreeMap<(&'r RecommendationId, &'r PersonId, &'r str), Timestamp>;

fn opened(rows: &Rows) -> Opened<'_> {
    rows.views.iter().map(|v| ((&v.recommendation_id, &v.person, v.content_hash.as_str()), v.opened_at)).collect()
}

/// How long a decision took from the first look at its content; None where nobody looked.
fn took(opened: &Opened<'_>, h: &Handled<'_>) -> Option<SignedDuration> {
    let at = opened.get(&(&h.rec.id, h.by, h.content))?;
    (*at <= h.at).then(|| h.at.duration_since(*at))
}

fn reading(rows: &Rows, decided: &[Handled<'_>]) -> [Kpi; 2] {
    let opened = opened(rows);
    let approvals: Vec<&Handled<'_>> = decided.iter().filter(|h| h.accepted).collect();
    let (mut quick, mut unopened) = (0, 0);
    for h in &approvals {
        match took(&opened, h) {
            None => unopened += 1,
            Some(time) if time < READ_AT_LEAST => quick += 1,
            Some(_) => {}
        }
    }
    let seconds: Vec<f64> = decided.iter().filter_map(|h| Some(took(&opened, h)?.as_secs_f64())).collect();
    let part = |name: &str, n: usize| Part { name: name.to_owned(), value: n as f64 / approvals.len().max(1) as f64, n };
    let basis = format!("{} approvals: {quick} within 5 s of opening, {unopened} without opening it", approvals.len());
    [
        RUBBER.share(quick + unopened, approvals.len(), basis).with_parts(if approvals.is_empty() {
            Vec::new()
        } else {
            vec![part("within 5 s", quick), part("unopened", unopened)]
        }),
        TIME_TO_DECIDE.of(
            median(&seconds),
            seconds.len(),
            format!("{} decisions on what the decider had opened", seconds.len()),
        ),
    ]
}

/// Sittings: a person's decisions with pauses of less than half an hour.
fn sittings<'h, 'r>(decided: &'h [Handled<'r>]) -> Vec<Vec<&'h Handled<'r>>> {
    let mut by_person: BTreeMap<&PersonId, Vec<&Handled<'r>>> = BTreeMap::new();
    for h in decided {
        by_person.entry(h.by).or_default().push(h);
    }
    let mut sittings = Vec::new();
    for mut own in by_person.into_values() {
        own.sort_by_key(|h| h.at);
        let mut sitting: Vec<&Handled<'r>> = Vec::new();
        for h in own {
            if sitting.last().is_some_and(|last| h.at.duration_since(last.at) >= SITTING) {
                sittings.push(std::mem::take(&mut sitting));
            }
            sitting.push(h);
        }
        sittings.push(sitting);
    }
    sittings
}

fn fatigue(rows: &Rows, decided: &[Handled<'_>]) -> Vec<Kpi> {
    let opened = opened(rows);
    let all = sittings(decided);
    // A decision that stands alone has no length, and would count as made in no time.
    let spans = all.iter().filter(|s| s.len() > 1).map(|s| (s.len(), s[s.len() - 1].at.duration_since(s[0].at)));
    let (mut n, mut hours) = (0, 0.0);
    for (count, span) in spans {
        n += count;
        hours += span.as_secs_f64() / 3_600.0;
    }
    let long: Vec<&Vec<&Handled<'_>>> = all.iter().filter(|s| s.len() >= LONG_SITTING).collect();
    let third = |sitting: &[&Handled<'_>], last: bool| -> (Vec<f64>, usize, usize) {
        let size = sitting.len() / 3;
        let part = if last { &sitting[sitting.len() - size..] } else { &sitting[..size] };
        let times = part.iter().filter_map(|h| Some(took(&opened, h)?.as_secs_f64())).collect();
        (times, part.iter().filter(|h| h.accepted).count(), part.len())
    };
    let gather = |last: bool| {
        let (mut times, mut yes, mut of) = (Vec::new(), 0, 0);
        for sitting in &long {
            let (more, accepted, count) = third(sitting, last);
            times.extend(more);
            yes += accepted;
            of += count;
        }
        (times, yes, of)
    };
    let ((early, early_yes, early_n), (late, late_yes, late_n)) = (gather(false), gather(true));
    // From a time of zero nothing can be quicker.
    let ratio = median(&early).filter(|m| *m > 0.0).and_then(|m| Some(median(&late)? / m));
    let share = |yes: usize, of: usize| (of > 0).then(|| yes as f64 / of as f64);
    let change = share(late_yes, late_n).zip(share(early_yes, early_n)).map(|(late, early)| late - early);
    let basis = format!("{} sittings of at least {LONG_SITTING} decisions", long.len());
    vec![
        PER_HOUR.of((hours > 0.0).then(|| n as f64 / hours), n, format!("{n} decisions in {hours:.1} hours of sittings")),
        FATIGUE_TIME.of(ratio, early.len().min(late.len()), basis.clone()),
        FATIGUE_APPROVALS.of(change, early_n.min(late_n), basis),
    ]
}
