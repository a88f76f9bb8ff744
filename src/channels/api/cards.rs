//! Cases, cards and evidence as the API tells them: stored values under names that stay.

use serde_json::Value;

use super::answers::{Card, CardClaim, CardStep, CaseLine, Check, Evidence, Fact, Missing, Range, Subject, You};
use crate::approve::Preview;
use crate::cards::names::Names;
use crate::cards::{self, plain};
use crate::config::OdooConfig;
use crate::domain::action;
use crate::domain::case::Case;
use crate::domain::claim::Claim;
use crate::domain::evidence::Bundle;
use crate::domain::recommendation::{Drafter, Recommendation};

pub(super) fn range(of: action::Range) -> Range {
    Range { low_minor: of.low.minor, expected_minor: of.expected.minor, high_minor: of.high.minor }
}

pub(super) fn line(case: &Case, names: &Names) -> CaseLine {
    let rank = case.rank.as_ref();
    let subject = &case.subject;
    CaseLine {
        id: case.id.to_string(),
        version: case.version,
        state: case.state.name(),
        types: case.codes.iter().map(|code| code.code()).collect(),
        headline: plain(&case.headline),
        subject: Subject {
            item: subject.item.as_ref().map(ToString::to_string),
            location: subject.location.as_ref().map(ToString::to_string),
            supplier: subject.supplier.as_ref().map(ToString::to_string),
            text: names.subject(subject),
        },
        value: rank.map(|r| range(r.value)),
        at_stake_minor: rank.map(|r| r.at_stake.minor),
        priority_minor: rank.map(|r| r.priority.minor),
        p: rank.map(|r| r.p),
        deadline: rank.map(|r| r.deadline.to_string()),
        owner: case.owner.as_ref().map(ToString::to_string),
        opened_at: case.opened_at.to_string(),
        updated_at: case.updated_at.to_string(),
    }
}

/// A card, without what its reader can do with it.
pub(super) fn card(rec: &Recommendation) -> Card {
    // By the card that pages and digests show, so that none of them can say something else.
    let view = cards::card::Card::of(rec);
    let (drafted_by, editors) = match &view.drafter {
        Drafter::Playbook { .. } => ("playbook", Vec::new()),
        Drafter::Model { .. } => ("model", Vec::new()),
        Drafter::Edited { editors, .. } => ("edited", editors.iter().map(ToString::to_string).collect()),
    };
    let steps: Vec<CardStep> = view.steps.iter().map(step).collect();
    Card {
        recommendation: view.id.to_string(),
        content_hash: view.content_hash,
        rank: view.rank,
        state: view.state.name(),
        waiting: view.state.is_waiting(),
        action: rec.candidate.action.code(),
        parameters: parameters(&rec.candidate.action),
        summary: view.summary,
        rationale: view.rationale,
        risks: view.risks,
        would_change: view.would_change,
        claims: view.claims.into_iter().map(claim).collect(),
        question: view.question,
        message: view.message,
        drafted_by,
        editors,
        benefit: range(view.money.benefit),
        cost_minor: view.money.cost.minor,
        regret_minor: view.money.regret.minor,
        value_minor: view.value.minor,
        latest_date: view.latest_date.to_string(),
        checks: rec.candidate.steps().flat_map(|step| step.checks).map(check).collect(),
        steps,
        cites: view.cites.iter().map(ToString::to_string).collect(),
        evidence_hash: view.evidence_hash,
        you: None,
    }
}

fn claim(claim: Claim) -> CardClaim {
    CardClaim { id: claim.id, words: claim.words, cites: claim.cites.iter().map(ToString::to_string).collect() }
}

fn step(step: &cards::card::CardStep) -> CardStep {
    CardStep {
        step: step.number,
        action: step.action.code(),
        parameters: parameters(&step.action),
        summary: step.summary.clone(),
        checks: step.checks.iter().map(check).collect(),
    }
}

pub(super) fn you(preview: Preview) -> You {
    let Preview { tier, may_approve, may_turn_down, acting_for, needs_second, why_not } = preview;
    You { tier: tier.to_string(), may_approve, may_turn_down, acting_for, needs_second, why_not }
}

pub(super) fn check(check: &action::Check) -> Check {
    let action::Check { name, detail, passed, hard } = check.clone();
    Check { name, detail, passed, hard }
}

/// The action's own fields, without its tag: the code stands beside them.
fn parameters(action: &action::Action) -> serde_json::Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(action) else { return serde_json::Map::new() };
    // Found by its value: what the stored form calls this field is no promise of the API.
    let tag = fields.iter().find(|(_, value)| value.as_str() == Some(action.code())).map(|(key, _)| key.clone());
    tag.map(|tag| fields.remove(&tag));
    fields
}

pub(super) fn evidence(bundle: &Bundle, odoo: &OdooConfig) -> Evidence {
    let fact = |fact: &crate::domain::evidence::Fact| Fact {
        id: fact.id.to_string(),
        label: plain(&fact.label),
        value: plain(&fact.value.show()),
        unit: plain(&fact.unit),
        as_of: fact.as_of.to_string(),
        source: fact.source.to_string(),
        link: odoo.link_to(&fact.source),
        third_party: fact.third_party,
    };
    Evidence {
        version: bundle.version,
        hash: bundle.hash(),
        as_of: bundle.as_of.to_string(),
        facts: bundle.facts.values().map(fact).collect(),
        missing: bundle.missing.iter().map(|m| Missing { what: m.what.clone(), blocks: m.blocks.clone() }).collect(),
    }
}
