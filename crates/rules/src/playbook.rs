//! The playbook: a case's candidates in order of expected net benefit, each with plain sentences from templates.
//!
//! It is complete on its own: no model is needed, and the same assessment gives the same words. Figures in the words come
//! from cited facts and from the candidate's money, never from anywhere else. One template for each action code lies in
//! `prompts/playbook/`, compiled in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::{Environment, UndefinedBehavior, context};

use reeve_domain::action::{Action, Candidate};
use reeve_domain::draft::{Choice, Draft};
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::ids::{FactId, LocationId, SupplierId};
use reeve_domain::recommendation::Prose;

use super::assess::{Assessment, LossPart};
use crate::role::Role;
use crate::scene::Scene;

macro_rules! templates {
    ($($code:literal => $file:literal,)+) => {
        /// The templates by action code.
        const TEMPLATES: &[(&str, &str)] = &[$(($code, include_str!(concat!("../../../prompts/playbook/", $file)))),+];
    };
}

templates! {
    "EXPEDITE" => "expedite.txt",
    "DEFER-PO" => "defer_po.txt",
    "CANCEL-PO" => "cancel_po.txt",
    "NEW-PO" => "new_po.txt",
    "TRANSFER" => "transfer.txt",
    "RECOUNT" => "recount.txt",
    "CLAIM" => "claim.txt",
    "BLOCK-BILL" => "block_bill.txt",
    "ACCEPT-VAR" => "accept_var.txt",
    "REVERSE-DOC" => "reverse_doc.txt",
    "CONTACT" => "contact.txt",
    "MONITOR" => "monitor.txt",
    "NO-ACTION" => "no_action.txt",
    "ESCALATE" => "escalate.txt",
    "ADJUST-PARAM" => "adjust_param.txt",
    // What a plan of several steps says; its message is that of the step which it is drafted for.
    "PLAN" => "plan.txt",
    "INCREASE-PO" => "increase_po.txt",
    "SPLIT-SHIP" => "split_ship.txt",
    "ALT-SUPPLIER" => "alt_supplier.txt",
    "REALLOCATE" => "reallocate.txt",
    "FORECAST-FIX" => "forecast_fix.txt",
    "MARK-EVENT" => "mark_event.txt",
    "ADJUST-STOCK" => "adjust_stock.txt",
    "HOLD-QC" => "hold_qc.txt",
    "RETURN" => "return.txt",
    "FIX-MASTER" => "fix_master.txt",
    "PROMO-CHANGE" => "promo_change.txt",
    "MARKDOWN" => "markdown.txt",
}

/// The parts of a template, each opened by a line of its own: `== rationale ==`.
const SECTIONS: [&str; 4] = ["rationale", "risks", "would_change", "message"];

/// Parts of the loss that are named singly; the rest are counted.
const PARTS_NAMED: usize = 3;
/// Confidence taken off for each warning of a soft check, in percent.
const PER_WARNING: u8 = 10;

/// Parsed once: template and section → compiled template.
static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    for (code, source) in TEMPLATES {
        for section in SECTIONS {
            let text = section_of(source, section).unwrap_or_default();
            environment
                .add_template_owned(format!("{code}/{section}"), text)
                .expect("a test renders every template that is compiled in");
        }
    }
    environment
});

/// The text under a section's heading.
fn section_of(source: &str, section: &str) -> Option<String> {
    let heading = format!("== {section} ==");
    let mut lines = source.lines().skip_while(|l| l.trim() != heading);
    lines.next()?;
    Some(lines.take_while(|l| !l.starts_with("== ")).collect::<Vec<_>>().join("\n").trim().to_owned())
}

/// Drafts a case: candidates in computed order with their words; with an abstention, ESCALATE goes first.
pub fn draft(scene: &Scene<'_>, assessment: &Assessment) -> Draft {
    let facts: BTreeMap<&FactId, &Fact> = assessment.facts.iter().map(|f| (&f.id, f)).collect();
    let mut order: Vec<&Candidate> = assessment.candidates.iter().collect();
    // A stable order: behind the question to a person the candidates stay as the money has them.
    if assessment.abstain.is_some() {
        order.sort_by_key(|c| !matches!(c.action, Action::Escalate { .. }));
    }
    let choices = order
        .into_iter()
        .map(|candidate| Choice {
            candidate: candidate.id.clone(),
            confidence_percent: confidence(candidate, assessment.rank.value.expected.minor > 0),
            prose: prose(scene, assessment, &facts, candidate),
        })
        .collect();
    Draft { choices, abstain: assessment.abstain.clone() }
}

/// How sure the playbook is: p, less something for each warning and for a low end that may cost more than it brings. An
/// action that changes nothing is right when the alarm is false, or when nothing better is known.
fn confidence(candidate: &Candidate, better: bool) -> u8 {
    let p = (candidate.money.p * 100.0).round().clamp(0.0, 100.0) as u8;
    if matches!(candidate.action, Action::NoAction { .. } | Action::Monitor { .. }) {
        return if better { 100 - p } else { p.max(100 - p) };
    }
    let warnings = candidate.steps().flat_map(|step| step.checks).filter(|c| !c.hard && !c.passed).count();
    let doubtful = usize::from(candidate.money.benefit.low.minor <= 0);
    p.saturating_sub(u8::try_from(warnings + doubtful).unwrap_or(u8::MAX).saturating_mul(PER_WARNING))
}

/// The cited facts by field (`lost_margin` of `item:75/lost_margin@3`), the first of each.
fn by_field<'f>(facts: &BTreeMap<&FactId, &'f Fact>, cites: &[FactId]) -> BTreeMap<String, &'f Fact> {
    let mut fields = BTreeMap::new();
    for cite in cites {
        let Some(fact) = facts.get(cite) else { continue };
        let Some((_, field)) = cite.as_str().rsplit_once('/') else { continue };
        let field = field.split('@').next().unwrap_or(field);
        // Cites of the action come before those of the losses, so its own
        // figure wins where both have a field of that name.
        fields.entry(field.to_owned()).or_insert(*fact);
    }
    fields
}

/// A fact's value with its unit.
fn shown(fact: &Fact) -> String {
    let unit = match fact.value {
        FactValue::Percent(_) | FactValue::Date(_) | FactValue::Text(_) => "",
        _ => fact.unit.as_str(),
    };
    plain(format!("{} {unit}", fact.value.show()).trim())
}

/// Text from outside on one line, without control characters: it can not open a paragraph of its own.
pub(crate) fn plain(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn prose(scene: &Scene<'_>, assessment: &Assessment, facts: &BTreeMap<&FactId, &Fact>, candidate: &Candidate) -> Prose {
    let code = candidate.action.code();
    // Templates name facts by their fields, so that no figure stands in a text but as a fact that is cited.
    let fields = by_field(facts, &candidate.cites);
    let values: BTreeMap<&str, String> = fields.iter().map(|(field, fact)| (field.as_str(), shown(fact))).collect();
    let parts: Vec<&LossPart> = assessment.loss_sum.iter().filter(|p| p.amount.expected.minor > 0).collect();
    let money = &candidate.money;
    let currency = &scene.settings.money.currency;
    let with = |m: reeve_domain::money::Money| format!("{m} {currency}");
    let named: Vec<BTreeMap<&str, String>> = largest(&parts)
        .into_iter()
        .map(|p| BTreeMap::from([("what", plain(&p.what)), ("amount", with(p.amount.expected))]))
        .collect();
    // Soft checks do not stop an action, and whoever decides has to know them.
    let warnings: Vec<String> = candidate
        .steps()
        .flat_map(|step| step.checks)
        .filter(|c| !c.hard && !c.passed)
        .map(|c| plain(&format!("{} ({})", c.name, c.detail)))
        .collect();
    let context = context! {
        summary => plain(&candidate.told()),
        f => values,
        a => minijinja::value::Serde(&candidate.action),
        n => names(scene, &candidate.action),
        p => format!("{:.0} %", money.p * 100.0),
        loss => with(money.loss_now.expected),
        loss_low => with(money.loss_now.low),
        loss_high => with(money.loss_now.high),
        left => with(money.loss_after.expected),
        saved => with(money.loss_now.expected - money.loss_after.expected),
        cost => with(money.cost),
        regret => with(money.regret),
        benefit => with(money.benefit.expected),
        benefit_low => with(money.benefit.low),
        benefit_high => with(money.benefit.high),
        helps => money.loss_after.expected < money.loss_now.expected,
        at_stake => money.loss_now.expected.minor > 0,
        uncertain => money.benefit.low.minor <= 0,
        value => with(candidate.value),
        latest => candidate.latest_date.to_string(),
        deadline => assessment.rank.deadline.to_string(),
        parts => named,
        more_parts => parts.len().saturating_sub(PARTS_NAMED),
        warnings => warnings,
        abstain => assessment.abstain.as_deref().map(plain),
        missing => assessment.missing.iter().map(|m| plain(&m.what)).collect::<Vec<_>>(),
    };
    // A plan's letter is that of the step which needs one.
    let letter = candidate.step(candidate.step_of_message()).map_or(&candidate.action, |step| step.action);
    let of_letter = context! {
        a => minijinja::value::Serde(letter),
        n => names(scene, letter),
        table => crate::message::table(scene.book, currency, letter),
        ..context.clone()
    };
    let render = |section: &str| {
        let (code, context) = match section {
            "message" => (letter.code(), &of_letter),
            _ if candidate.is_plan() => ("PLAN", &context),
            _ => (code, &context),
        };
        let template = ENVIRONMENT.get_template(&format!("{code}/{section}")).expect("every code has a template");
        // A template that fails says so instead of taking the case down; a test renders all of them.
        template.render(context).unwrap_or_else(|error| format!("{} ({error})", plain(&candidate.summary)))
    };
    let one_line = |section: &str| render(section).split_whitespace().collect::<Vec<_>>().join(" ");
    // Only actions that write to somebody have a message.
    let message = Some(render("message").trim().to_owned()).filter(|m| !m.is_empty());
    Prose {
        rationale: one_line("rationale"),
        risks: one_line("risks"),
        would_change: one_line("would_change"),
        message,
        cites: cites(code, &fields, &parts, facts),
        ..Prose::default()
    }
}

/// The largest parts of the loss, as many as are named.
fn largest<'p>(parts: &[&'p LossPart]) -> Vec<&'p LossPart> {
    let mut sorted = parts.to_vec();
    sorted.sort_by(|a, b| b.amount.expected.cmp(&a.amount.expected).then_with(|| a.what.cmp(&b.what)));
    sorted.truncate(PARTS_NAMED);
    sorted
}

/// The facts a template's words rest on: those it names, the probability, and what the losses come from.
fn cites(
    code: &str,
    fields: &BTreeMap<String, &Fact>,
    parts: &[&LossPart],
    facts: &BTreeMap<&FactId, &Fact>,
) -> Vec<FactId> {
    let source = TEMPLATES.iter().find(|(c, _)| *c == code).map_or("", |(_, source)| source);
    // As a whole word: `f.lost` is not named by `f.lost_margin`.
    let used = |field: &str| {
        source
            .match_indices(&format!("f.{field}"))
            .any(|(at, hit)| !source[at + hit.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'))
    };
    let mut cites: Vec<FactId> = fields
        .iter()
        .filter(|(field, _)| {
            used(field) || matches!(field.as_str(), "p_real") || field.starts_with("cost_") || field.starts_with("regret_")
        })
        .map(|(_, fact)| fact.id.clone())
        .collect();
    for part in largest(parts) {
        cites.extend(part.cites.iter().filter(|c| facts.contains_key(c)).cloned());
    }
    cites.sort();
    cites.dedup();
    cites
}

/// Names for the ids in an action.
fn names(scene: &Scene<'_>, action: &Action) -> BTreeMap<&'static str, String> {
    let book = scene.book;
    let mut names = BTreeMap::new();
    let about = action.about();
    let line = about.lines.first().and_then(|line| book.po_lines.get(line));
    if let Some(line) = line {
        names.insert("order", plain(&line.order_name));
        names.insert("item", plain(&book.item_label(&line.item)));
        names.insert("location", plain(&book.location_name(&line.location)));
        names.insert("supplier", plain(&book.supplier_name(&line.supplier)));
    }
    if let Some(item) = about.item {
        names.insert("item", plain(&book.item_label(item)));
    }
    if let Some(location) = about.places.last() {
        names.insert("location", plain(&book.location_name(location)));
    }
    if let Some(supplier) = about.supplier {
        names.insert("supplier", plain(&book.supplier_name(supplier)));
    }
    match action {
        Action::Transfer { from, .. } => {
            names.insert("from", plain(&book.location_name(from)));
        }
        Action::Claim { bill: Some(bill), .. } => {
            let name = book.lines_of_bill(bill).first().map(|line| line.bill_name.as_str());
            names.insert("bill", plain(name.unwrap_or(bill)));
        }
        Action::Contact { role, partner, about, .. } => {
            let name = match Role::named(role) {
                Some(Role::Supplier) => book.supplier_name(&SupplierId::new(partner)),
                Some(Role::Warehouse | Role::Store) => book.location_name(&LocationId::new(partner)),
                _ => format!("the {role}"),
            };
            names.insert("greeting", plain(name.trim_start_matches("the ")));
            names.insert("partner", plain(&name));
            names.insert("about", plain(about));
        }
        _ => {}
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_the_three_sections_that_every_action_needs() {
        for (code, source) in TEMPLATES {
            for section in &SECTIONS[..3] {
                assert!(section_of(source, section).is_some_and(|s| !s.is_empty()), "{code} lacks {section}");
            }
        }
    }

    #[test]
    fn text_from_outside_stays_on_its_line() {
        assert_eq!(plain("Kettle\n\n== message ==\u{7}"), "Kettle == message ==");
    }
}
