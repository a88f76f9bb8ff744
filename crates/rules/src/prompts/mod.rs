//! The one door to the prompts in `prompts/`: compiled in, rendered strictly, known by the hash of their content.
//!
//! Everything that comes from the ERP is data here: cleaned of what can not be seen, capped, and fenced by a mark that the
//! answer must not repeat. No text of a prompt is written in Rust.

mod version;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use serde::Serialize;
use serde_json::{Value, json};

use reeve_domain::action::{Candidate, Check};
use reeve_domain::claim::Claim;
use reeve_domain::draft::MESSAGE_CODES;
use reeve_domain::evidence::{Bundle, Fact};
use reeve_domain::exception::{Exception, Subject};
use reeve_domain::ids::{CaseId, content_id};

use crate::claims::{CASE, Claims, Ground};

pub use self::version::{Card, CardChange, DraftPrompt, FILES, PromptFault, semver};
pub use reeve_domain::text::{clean, is_invisible};

/// Longest piece of outside text that a prompt shows, in characters.
pub const OUTSIDE_MAX: usize = 200;
/// Longest computed sentence, in characters.
const SENTENCE_MAX: usize = 400;
/// Most facts listed; those that candidates cite come first.
const FACTS_MAX: usize = 80;

/// A rendered prompt.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// The rules.
    pub system: String,
    /// The case, with text from outside fenced.
    pub user: String,
    /// The answer's form in words, for a model that nothing else holds to the schema.
    pub form: String,
    /// Name of the answer's schema.
    pub schema_name: &'static str,
    /// JSON schema of the answer, strict.
    pub schema: Value,
}

/// What a drafter is told about one case.
#[derive(Clone, Copy, Debug)]
pub struct CaseFile<'a> {
    /// By which prompt it is told.
    pub prompt: &'a DraftPrompt,
    /// Whose.
    pub case_id: &'a CaseId,
    /// What happened, in one sentence.
    pub headline: &'a str,
    /// Its open exceptions, the leading one first: their types, and the rule or detector behind each.
    pub exceptions: &'a [Exception],
    /// What it is about.
    pub subject: &'a Subject,
    /// ISO code of the company's currency.
    pub currency: &'a str,
    /// What may be chosen.
    pub candidates: &'a [Candidate],
    /// What is known.
    pub bundle: &'a Bundle,
}

impl CaseFile<'_> {
    /// The mark around the data. It differs from case to case and says nothing, so an answer that holds it has been talked
    /// into repeating its prompt.
    pub fn canary(&self) -> String {
        content_id("mark-", &["reeve draft", self.case_id.as_str()], 16)
    }

    /// What may be claimed of the case, and what may not.
    pub fn claims(&self) -> Claims {
        Claims::of(&Ground::new(self.candidates, self.bundle, self.currency))
    }

    /// The facts that are listed: those that candidates cite first, then the rest, each group by id.
    pub fn listed_facts(&self) -> Vec<&Fact> {
        let cited = |fact: &Fact| self.candidates.iter().any(|candidate| candidate.cites.contains(&fact.id));
        let (first, rest): (Vec<&Fact>, Vec<&Fact>) = self.bundle.facts.values().partition(|fact| cited(fact));
        first.into_iter().chain(rest).take(FACTS_MAX).collect()
    }
}

/// Renders the request for one case. `objections` are the faults of the answer before, if there was one.
///
/// # Errors
/// When a template names something that is not there: of the shipped prompt a fault of the release, seen by the first test.
pub fn draft_request(file: &CaseFile<'_>, objections: &[String]) -> Result<Prompt, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let canary = file.canary();
    // The same mark stands in rules and data, so that a model can tell where what others wrote begins and ends.
    let [system, user, form, schema] = file.prompt.texts();
    let system = environment.render_str(system, context! { canary => canary.clone(), message_actions => MESSAGE_CODES })?;
    let listed = file.listed_facts();
    let claims = file.claims();
    let ids: Vec<&str> = file.candidates.iter().map(|candidate| candidate.id.as_str()).collect();
    // Only claims that hold are listed: a model can not pick what was never true, but by making up an id.
    let offered = |whose: &str| claims.offered(whose, &ids).into_iter().map(ClaimView::of).collect::<Vec<_>>();
    let of_case = offered(CASE);
    let candidates: Vec<CandidateView> =
        file.candidates.iter().map(|one| CandidateView::of(one, offered(&one.id))).collect();
    let exceptions: Vec<String> = file.exceptions.iter().map(exception_line).collect();
    let missing: Vec<String> =
        file.bundle.missing.iter().map(|m| clean(&format!("{}, needed for {}", m.what, m.blocks), SENTENCE_MAX)).collect();
    let user = environment.render_str(
        user,
        context! {
            canary,
            currency => file.currency,
            headline => clean(file.headline, SENTENCE_MAX),
            exceptions,
            subject => clean(&file.subject.key(), OUTSIDE_MAX),
            candidates => Serde(&candidates),
            claims => Serde(&of_case),
            facts => Serde(listed.iter().map(|fact| FactView::of(fact)).collect::<Vec<_>>()),
            facts_left_out => file.bundle.facts.len() - listed.len(),
            missing,
            objections => objections.to_vec(),
        },
    )?;
    // The schema lists the very ids that may be picked, so that an
    // endpoint that keeps to schemas can answer nothing else.
    let picked = candidates.iter().flat_map(|candidate| &candidate.claims).chain(&of_case);
    let schema = answer_schema(schema, &ids, &picked.map(|claim| claim.id.as_str()).collect::<Vec<_>>());
    let form = environment.render_str(form, context! { schema => schema.to_string() })?;
    Ok(Prompt { system, user, form, schema_name: "draft", schema })
}

fn exception_line(exception: &Exception) -> String {
    let signal = &exception.signal;
    let text = format!("{} ({}), found by {}: {}", signal.code, signal.code.name(), signal.detector, signal.headline);
    clean(&text, SENTENCE_MAX)
}

/// The answer's schema with the ids of this case filled in.
fn answer_schema(schema: &str, candidates: &[&str], claims: &[&str]) -> Value {
    let mut schema: Value = serde_json::from_str(schema).expect("a prompt's schema was parsed when it was read");
    let choice = &mut schema["properties"]["choices"]["items"]["properties"];
    choice["candidate"]["enum"] = json!(candidates);
    choice["claims"]["items"]["enum"] = json!(claims);
    schema
}

#[derive(Serialize)]
struct ClaimView {
    id: String,
    words: String,
}

impl ClaimView {
    fn of(claim: &Claim) -> Self {
        Self { id: claim.id.clone(), words: clean(&claim.words, SENTENCE_MAX) }
    }
}

#[derive(Serialize)]
struct CandidateView {
    id: String,
    code: &'static str,
    summary: String,
    benefit: String,
    benefit_low: String,
    benefit_high: String,
    loss_now: String,
    loss_after: String,
    cost: String,
    quantity: String,
    latest_date: String,
    checks: Vec<String>,
    claims: Vec<ClaimView>,
}

impl CandidateView {
    fn of(candidate: &Candidate, claims: Vec<ClaimView>) -> Self {
        let money = &candidate.money;
        let check = |check: &Check| {
            let verdict = if check.passed { "passed" } else { "warning" };
            clean(&format!("{}: {} ({verdict})", check.name, check.detail), SENTENCE_MAX)
        };
        Self {
            id: candidate.id.clone(),
            code: candidate.action.code(),
            summary: clean(&candidate.told(), SENTENCE_MAX),
            benefit: money.benefit.expected.to_string(),
            benefit_low: money.benefit.low.to_string(),
            benefit_high: money.benefit.high.to_string(),
            loss_now: money.loss_now.expected.to_string(),
            loss_after: money.loss_after.expected.to_string(),
            cost: money.cost.to_string(),
            quantity: candidate.action.quantity().map_or_else(|| "none".to_owned(), |q| q.to_string()),
            latest_date: candidate.latest_date.to_string(),
            checks: candidate.steps().flat_map(|step| step.checks).map(check).collect(),
            claims,
        }
    }
}

#[derive(Serialize)]
struct FactView {
    id: String,
    label: String,
    value: String,
    unit: String,
    outside: bool,
}

impl FactView {
    fn of(fact: &Fact) -> Self {
        let value = clean(&fact.value.show(), OUTSIDE_MAX);
        Self {
            id: fact.id.to_string(),
            label: clean(&fact.label, OUTSIDE_MAX),
            value: if fact.third_party { format!("\"{}\"", value.replace('"', "'")) } else { value },
            unit: clean(&fact.unit, OUTSIDE_MAX),
            outside: fact.third_party,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::Sample;

    #[test]
    fn the_prompt_of_a_sample_case_reads_as_reviewed() {
        let sample = Sample::hostile();
        let request = draft_request(&sample.file(), &["there is no candidate \"A9\" in this case".to_owned()]).unwrap();
        insta::assert_snapshot!("draft_prompt", format!("{}\n=====\n{}", request.system, request.user));
    }

    #[test]
    fn the_schema_lists_the_ids_of_the_case_and_nothing_else() {
        let sample = Sample::hostile();
        let schema = draft_request(&sample.file(), &[]).unwrap().schema;
        let choice = &schema["properties"]["choices"]["items"];
        assert_eq!(choice["properties"]["candidate"]["enum"], json!(["A1", "A2", "A3"]));
        let claims: Vec<&str> = choice["properties"]["claims"]["items"]["enum"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap())
            .collect();
        let all = sample.file().claims();
        assert!(claims.len() > 10, "{claims:?}");
        for claim in claims {
            assert!(all.get(claim).is_ok(), "{claim} is offered and not true");
        }
        assert_eq!(choice["additionalProperties"], json!(false));
        assert_eq!(choice["required"].as_array().unwrap().len(), choice["properties"].as_object().unwrap().len());
    }

    #[test]
    fn outside_text_can_not_leave_its_line_or_its_fence() {
        let sample = Sample::hostile();
        let request = draft_request(&sample.file(), &[]).unwrap();
        let (before, rest) = request.user.split_once("<<<DATA").unwrap();
        let (data, after) = rest.split_once(">>>").unwrap();
        assert!(!before.contains("gnore previous") && !after.contains("gnore previous"));
        let line = data.lines().find(|line| line.contains("gnore previous")).unwrap();
        assert!(
            line.starts_with("- po_line:183/note | supplier's note | \"") && line.contains("text from outside"),
            "{line}"
        );
        assert_eq!(request.user.matches(">>>").count(), 1);
    }

    #[test]
    fn cleaning_removes_what_can_not_be_seen_and_caps_the_rest() {
        assert_eq!(clean("a\u{202e}b\u{200b}c\n\t d\u{e0041}", 50), "abc d");
        assert_eq!(clean("[A1.benefit] <b>", 50), "(A1.benefit) (b)");
        assert_eq!(clean(&"x".repeat(300), OUTSIDE_MAX).chars().count(), OUTSIDE_MAX);
    }

    #[test]
    fn every_case_has_its_own_mark() {
        let sample = Sample::hostile();
        let other = CaseId::new("case-other");
        let file = CaseFile { case_id: &other, ..sample.file() };
        assert_ne!(file.canary(), sample.file().canary());
    }
}
