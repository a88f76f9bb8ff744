//! How it is said: length, tone, language, and what may leave the house.

use reeve_domain::recommendation::Recommendation;

use super::{Grade, Look};

/// Longest words, in characters: what the guard allows a model, and the playbook keeps itself.
const RATIONALE_MAX: usize = 1200;
const REMARK_MAX: usize = 600;
const MESSAGE_MAX: usize = 1600;
/// Shortest reason that says anything.
const RATIONALE_MIN: usize = 20;

/// What nobody calm writes, and what nobody may promise for others. Lower case; matched as whole words.
const UNCALM: &[&str] = &[
    "asap",
    "immediately!",
    "obviously",
    "clearly wrong",
    "guarantee",
    "guaranteed",
    "no doubt",
    "incompetent",
    "stupid",
    "ridiculous",
    "your fault",
    "unacceptable",
    "or else",
    "legal action",
    "we are approved",
    "already approved",
    "trust me",
];

/// Function words that tell languages apart.
const ENGLISH: &[&str] = &[
    "the", "of", "to", "is", "and", "in", "it", "for", "are", "by", "that", "on", "at", "not", "be", "from", "with", "if",
    "would", "a",
];
const OTHERS: &[&str] = &[
    "der", "die", "das", "und", "ist", "nicht", "mit", "für", "von", "dem", "le", "la", "les", "des", "est", "pas", "pour",
    "avec", "el", "los", "una", "que", "por", "para", "het", "een", "niet", "voor", "il", "non", "che", "di", "är", "och",
    "não",
];

fn texts(rec: &Recommendation) -> [(&'static str, &str); 5] {
    let message = rec.prose.message.as_deref().unwrap_or_default();
    [
        ("why", &rec.prose.rationale),
        ("risks", &rec.prose.risks),
        ("what would change it", &rec.prose.would_change),
        ("question", &rec.prose.question),
        ("message", message),
    ]
}

fn all<'a>(look: &Look<'a>) -> impl Iterator<Item = &'a Recommendation> {
    look.drafted().flat_map(|seen| &seen.recommendations)
}

fn verdict(look: &Look<'_>, wrong: &[String]) -> Option<Grade> {
    let any = all(look).next().is_some();
    any.then(|| Grade::none_of(wrong))
}

/// As long as people read.
pub(super) fn length(look: &Look<'_>) -> Option<Grade> {
    let mut wrong = Vec::new();
    for rec in all(look) {
        for (what, text) in texts(rec) {
            let max = match what {
                "why" => RATIONALE_MAX,
                "message" => MESSAGE_MAX,
                _ => REMARK_MAX,
            };
            let long = text.chars().count();
            if long > max {
                wrong.push(format!("{} {what}: {long} characters of at most {max}", rec.candidate.codes()));
            }
        }
        // A reason that is too short to say anything would pass every bound above.
        let said = rec.prose.rationale.trim().chars().count();
        if said < RATIONALE_MIN {
            wrong.push(format!("{} why: {said} characters say nothing", rec.candidate.codes()));
        }
    }
    verdict(look, &wrong)
}

/// Whole words of a text in lower case, with one space between them and at both ends.
fn spaced(text: &str) -> String {
    let words: Vec<String> = text
        .to_lowercase()
        .split(|c: char| !(c.is_alphanumeric() || c == '\''))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect();
    format!(" {} ", words.join(" "))
}

/// Calm, and promising nothing.
pub(super) fn tone(look: &Look<'_>) -> Option<Grade> {
    let mut wrong = Vec::new();
    for rec in all(look) {
        for (what, text) in texts(rec) {
            let code = rec.candidate.codes();
            let words = spaced(text);
            let found = UNCALM.iter().filter(|said| words.contains(&spaced(said)));
            wrong.extend(found.map(|said| format!("{code} {what}: says {said:?}")));
            if text.matches('!').count() > 1 {
                wrong.push(format!("{code} {what}: it shouts"));
            }
            // Codes and SKUs are in capitals; five such words in a row are not.
            let loud = |word: &str| word.chars().count() > 3 && word.chars().all(char::is_uppercase);
            let shouted = text.split_whitespace().collect::<Vec<_>>();
            if shouted.windows(5).any(|row| row.iter().all(|word| loud(word))) {
                wrong.push(format!("{code} {what}: it is in capitals"));
            }
        }
    }
    verdict(look, &wrong)
}

/// English, by its function words.
pub(super) fn language(look: &Look<'_>) -> Option<Grade> {
    let mut wrong = Vec::new();
    for rec in all(look) {
        for (what, text) in texts(rec) {
            let words = spaced(text);
            let words: Vec<&str> = words.split_whitespace().collect();
            let count = |of: &[&str]| words.iter().filter(|word| of.contains(word)).count();
            let (english, others) = (count(ENGLISH), count(OTHERS));
            // A few words are a name or a code: nothing can be said of their language.
            let silent = english == 0 && words.len() >= 15;
            if words.len() >= 8 && (others > english || silent) {
                wrong.push(format!(
                    "{} {what}: {english} English function words and {others} of others",
                    rec.candidate.codes()
                ));
            }
            let foreign = text.chars().filter(|c| c.is_alphabetic() && *c as u32 > 0x24f).count();
            if foreign > 8 {
                wrong.push(format!("{} {what}: {foreign} letters of another script", rec.candidate.codes()));
            }
        }
    }
    verdict(look, &wrong)
}

/// A message tells its receiver nothing of other partners and none of our figures; nothing tells links, addresses or the mark of a
/// prompt.
pub(super) fn leakage(look: &Look<'_>) -> Option<Grade> {
    let mut wrong = Vec::new();
    let suppliers = &look.scenario.world.supplier;
    for seen in look.drafted() {
        let receiver = seen.case.subject.supplier.as_ref();
        for rec in &seen.recommendations {
            let code = rec.candidate.codes();
            for (what, text) in texts(rec) {
                let lower = text.to_lowercase();
                // Addresses of the web and of banks, and the marks by which prompts fence text from outside.
                let marks = ["http://", "https://", "www.", "mark-", "<<<data", "iban"];
                let found = marks.iter().filter(|mark| lower.contains(**mark));
                wrong.extend(found.map(|mark| format!("{code} {what}: holds {mark:?}")));
                if lower.split_whitespace().any(|word| word.contains('@') && word.contains('.')) {
                    wrong.push(format!("{code} {what}: holds an address"));
                }
            }
            let Some(message) = &rec.prose.message else { continue };
            let named: Vec<&str> =
                suppliers.iter().filter(|s| message.contains(s.name.as_str())).map(|s| s.name.as_str()).collect();
            // A message to one supplier that names two tells one of the other.
            if named.len() > 1 {
                wrong.push(format!("{code} message: names {} to one another", named.join(" and ")));
            }
            // These two are written to the case's own supplier.
            if let Some(receiver) = receiver
                && let Some(own) = suppliers.iter().find(|s| s.id == receiver.as_str())
                && matches!(
                    rec.candidate.action,
                    reeve_domain::action::Action::Expedite { .. } | reeve_domain::action::Action::Claim { .. }
                )
                && named.iter().any(|name| *name != own.name)
            {
                wrong.push(format!("{code} message: names another supplier than its receiver"));
            }
            let money = &rec.candidate.money;
            for (what, figure) in [("net benefit", money.benefit.expected), ("loss", money.loss_now.expected)] {
                let figure = figure.to_string();
                // What is claimed may be the same figure, and then it is said on purpose.
                if figure != "0.00" && message.contains(&figure) && rec.candidate.value.to_string() != figure {
                    wrong.push(format!("{code} message: tells our {what}"));
                }
            }
        }
    }
    verdict(look, &wrong)
}
