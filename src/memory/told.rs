//! What memory says on a card: facts of like cases, each with the case it comes from, and one sentence that is computed from them.

use crate::domain::evidence::{Bundle, Fact, FactValue};
use crate::domain::ids::CaseId;
use crate::domain::money::Money;
use crate::domain::record::{RecordKind, RecordRef};
use crate::domain::remembered::{Ended, Remembered, Verdict};

/// How a like case was decided and ended.
const ENDED: &str = "ended";
/// What it was about.
const ABOUT: &str = "about";
/// What was measured of it.
const MEASURED: &str = "measured";

const APPROVED: &str = "approved";
const DONE: &str = "approved and carried out";
const NOT_DONE: &str = "approved and not carried out";
const REJECTED: &str = "rejected";

/// A like case, as the facts of a card say it.
#[derive(Clone, Debug, PartialEq)]
pub struct LikeCase {
    /// Which.
    pub case: CaseId,
    /// What was decided and whether it was done: "approved and carried out: TRANSFER", "rejected: seasonal".
    pub ended: String,
    /// What it was about.
    pub about: String,
    /// What was measured of it.
    pub measured: Option<Money>,
}

/// The facts of one like case. Its decision and its measure are each one, so that they can be cited alone.
pub(super) fn facts(remembered: &Remembered) -> Vec<Fact> {
    let (Some(case), Some(ended)) = (&remembered.case, &remembered.ended) else { return Vec::new() };
    let source = || RecordRef::new(RecordKind::Case, case.to_string());
    let fact = |field: &str, label: &str, value| Fact::new(source(), field, label, value, remembered.at);
    let label = "like case";
    let mut facts = vec![fact(ENDED, label, FactValue::Text(ended_words(ended)))];
    // Names of items and suppliers stand in it.
    facts.push(fact(ABOUT, "like case was about", FactValue::Text(remembered.words.clone())).from_outside());
    facts.extend(ended.measured.map(|money| fact(MEASURED, "measured of the like case", FactValue::Money(money))));
    facts
}

/// How a case was decided and ended, in a few words: "approved and carried out: TRANSFER".
pub fn ended_words(ended: &Ended) -> String {
    let actions = &ended.actions;
    match ended.verdict {
        Verdict::Approved => format!("{APPROVED}: {actions}"),
        Verdict::Done => format!("{DONE}: {actions}"),
        Verdict::NotDone => format!("{NOT_DONE}: {actions}"),
        Verdict::Rejected { reason } => format!("{REJECTED}: {}", reason.code()),
    }
}

/// The like cases that a bundle tells of, in the order of their ids.
pub fn like_cases(bundle: &Bundle) -> Vec<LikeCase> {
    let mut found: Vec<LikeCase> = Vec::new();
    for fact in bundle.remembered().filter(|fact| fact.source.kind == RecordKind::Case) {
        let case = CaseId::new(fact.source.id.clone());
        if found.last().is_none_or(|last| last.case != case) {
            found.push(LikeCase { case, ended: String::new(), about: String::new(), measured: None });
        }
        let Some(last) = found.last_mut() else { continue };
        let field = fact.id.as_str().rsplit('/').next().unwrap_or_default();
        match (field, &fact.value) {
            (ENDED, FactValue::Text(words)) => last.ended.clone_from(words),
            (MEASURED, FactValue::Money(money)) => last.measured = Some(*money),
            (ABOUT, FactValue::Text(words)) => last.about.clone_from(words),
            _ => {}
        }
    }
    found
}

/// One sentence of the like cases: "Three like cases: two approved and carried out (mean 140.00 USD measured), one rejected:
/// not-real." Nothing where there are none. `currency` is the company's.
pub fn told(like: &[LikeCase], currency: &str) -> Option<String> {
    let mut groups: Vec<(&str, Vec<&LikeCase>)> = Vec::new();
    for case in like {
        // Of what was approved the action is each case's own; why something was rejected is what the reader wants to know.
        let what = if case.ended.starts_with(REJECTED) { case.ended.as_str() } else { before_colon(&case.ended) };
        match groups.iter_mut().find(|(name, _)| *name == what) {
            Some((_, cases)) => cases.push(case),
            None => groups.push((what, vec![case])),
        }
    }
    if groups.is_empty() {
        return None;
    }
    // What happened most often is read first; between equals the order must not hang on which case came first.
    groups.sort_by(|a, b| b.1.len().cmp(&a.1.len()).then_with(|| a.0.cmp(b.0)));
    let each = groups.iter().map(|(what, cases)| {
        let measured: Vec<i64> = cases.iter().filter_map(|case| case.measured.map(|money| money.minor)).collect();
        let mean = match i64::try_from(measured.len()) {
            Ok(count) if count > 0 => {
                let mean = Money::from_minor(measured.iter().sum::<i64>() / count);
                let of = if measured.len() == cases.len() { String::new() } else { format!(" of {count}") };
                format!(" (mean {mean} {currency} measured{of})")
            }
            _ => String::new(),
        };
        format!("{} {what}{mean}", number(cases.len()))
    });
    let cases = if like.len() == 1 { "like case" } else { "like cases" };
    let mut first = number(like.len());
    first[..1].make_ascii_uppercase();
    Some(format!("{first} {cases}: {}.", each.collect::<Vec<_>>().join(", ")))
}

fn before_colon(words: &str) -> &str {
    words.split(':').next().unwrap_or(words)
}

fn number(count: usize) -> String {
    const WORDS: [&str; 10] = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    WORDS.get(count).map_or_else(|| count.to_string(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(case: &str, ended: &str, measured: Option<i64>) -> LikeCase {
        let measured = measured.map(Money::from_minor);
        LikeCase { case: CaseId::new(case), ended: ended.to_owned(), about: String::new(), measured }
    }

    #[test]
    fn one_sentence_says_how_like_cases_ended_and_what_was_measured() {
        let three = [
            like("case-1", "approved and carried out: TRANSFER", Some(10_000)),
            like("case-2", "rejected: not-real", None),
            like("case-3", "approved and carried out: EXPEDITE", Some(18_000)),
        ];
        let said = told(&three, "USD").unwrap();
        assert_eq!(
            said,
            "Three like cases: two approved and carried out (mean 140.00 USD measured), one rejected: not-real."
        );
        let half = [like("case-1", "approved: CLAIM", None), like("case-2", "approved: CLAIM", Some(500))];
        assert_eq!(told(&half, "EUR").unwrap(), "Two like cases: two approved (mean 5.00 EUR measured of 1).");
        assert_eq!(told(&[], "USD"), None);
    }
}
