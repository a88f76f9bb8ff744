//! What the language model costs, and how long things take.

use std::collections::{BTreeMap, BTreeSet};

use super::handled::handled;
use super::rows::Rows;
use super::{Definition, Group, Kpi, Period, Unit};
use crate::config::Config;
use crate::domain::recommendation::Drafter;
use crate::models::formulas::quantile;
use crate::rules::guard::Rule;

const fn definition(id: &'static str, name: &'static str, formula: &'static str, unit: Unit) -> Definition {
    Definition { id, group: Group::Model, name, formula, unit }
}

const PER_CASE: Definition =
    definition("model_cost_per_case", "Model cost per case", "Σ tokens × price ÷ cases the model drafted", Unit::Money);
const PER_ACCEPTED: Definition = definition(
    "model_cost_per_accepted",
    "Model cost per accepted recommendation",
    "Σ tokens × price ÷ recommendations of the model that were approved",
    Unit::Money,
);
const TOKENS: Definition =
    definition("model_tokens_per_case", "Model tokens per case", "Σ tokens ÷ cases the model drafted", Unit::Count);
const LATENCY: Definition = definition(
    "model_latency_p95",
    "Model latency, 95th percentile",
    "95th percentile of a draft's answer time",
    Unit::Seconds,
);
const SHARE: Definition =
    definition("model_share", "Drafted by the model", "cases the model drafted ÷ cases drafted", Unit::Share);
const REFUSED: Definition = definition(
    "model_refused",
    "Drafts with a refused answer",
    "drafts of which the guard refused an answer ÷ drafts a model answered; each rule counts once for each draft",
    Unit::Share,
);
const DIGEST: Definition = definition(
    "snapshot_to_digest_p95",
    "Snapshot to digest, 95th percentile",
    "95th percentile of newest record read → digest made",
    Unit::Seconds,
);

pub(super) fn all(rows: &Rows, config: &Config, _: Period) -> Vec<Kpi> {
    // All recommendations of a draft carry the same call: it counts once for each case and evidence.
    let mut calls = BTreeSet::new();
    let (mut tokens, mut guesses, mut latencies) = (0_u64, 0_usize, Vec::new());
    let mut drafts = BTreeSet::new();
    for rec in rows.recommendations.values() {
        let draft = (&rec.case_id, &rec.evidence_hash);
        drafts.insert(draft);
        if let Drafter::Model { tokens: used, estimated, latency_ms, reply_hash, .. } = &rec.drafter
            && calls.insert((draft, reply_hash))
        {
            tokens = tokens.saturating_add(*used);
            guesses += usize::from(*estimated);
            latencies.push(*latency_ms as f64 / 1_000.0);
        }
    }
    let accepted = handled(rows).iter().filter(|h| h.accepted && matches!(h.rec.drafter, Drafter::Model { .. })).count();
    let n = calls.len();
    let price = config.model.price_per_1000_tokens;
    let cost = tokens as f64 / 1_000.0 * price.to_f64();
    let guessed = if guesses == 0 { String::new() } else { format!(", the tokens of {guesses} estimated") };
    let told = format!("{n} drafts of the model, {tokens} tokens at {price} per 1,000{guessed}");
    let priced = price > crate::domain::money::Money::ZERO;
    let unpriced = "no price is set (model.price_per_1000_tokens)";
    // Without a price there is no cost to show; zero would read as if models were free.
    let mean = |by: usize| (by > 0 && priced).then(|| cost / by as f64);
    let basis = |by: &str| if priced || n == 0 { format!("{told}{by}") } else { unpriced.to_owned() };
    let ages: Vec<f64> = rows.digests.iter().map(|(d, made)| made.duration_since(d.as_of).as_secs_f64().max(0.0)).collect();
    vec![
        PER_CASE.of(mean(n), n, basis("")),
        PER_ACCEPTED.of(mean(accepted), accepted, basis(&format!(", {accepted} approved"))),
        TOKENS.of((n > 0).then(|| tokens as f64 / n as f64), n, format!("{n} drafts of the model{guessed}")),
        LATENCY.of(quantile(&latencies, 0.95), n, format!("{n} drafts of the model")),
        SHARE.share(n, drafts.len(), format!("{} drafts, the others are the playbook's", drafts.len())),
        REFUSED.share(rows.asked.iter().filter(|rules| !rules.is_empty()).count(), rows.asked.len(), by_rule(&rows.asked)),
        DIGEST.of(quantile(&ages, 0.95), ages.len(), format!("{} digests", ages.len())),
    ]
}

/// How often each rule of the guard refused, the most frequent first: a rule counts once for each draft.
fn by_rule(asked: &[BTreeSet<Rule>]) -> String {
    let mut counts: BTreeMap<Rule, usize> = BTreeMap::new();
    for rule in asked.iter().flatten() {
        *counts.entry(*rule).or_default() += 1;
    }
    let mut counts: Vec<(Rule, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let told: Vec<String> = counts.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
    let drafts = format!("{} drafts", asked.len());
    if told.is_empty() { drafts } else { format!("{drafts}; refused by rule: {}", told.join(", ")) }
}
