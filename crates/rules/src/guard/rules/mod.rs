//! One file for each rule. What a rule needs beyond a text (the case, the answer whole) it is given by the guard itself; the rest
//! look at texts, in this order. `form` is kept where replies are read (`guard/answer`, `guard/raw`), `choices` in the domain,
//! where it holds for every drafter ([`reeve_domain::draft::Draft::check`]).

pub(super) mod abstention;
pub(super) mod claims;
mod comparison;
pub(super) mod confidence;
mod forbidden;
mod invisible;
mod language;
pub(super) mod length;
mod letter;
mod link;
pub(super) mod mark;
mod markup;
pub(super) mod money;
mod negation;
mod number;
pub(super) mod partner;
mod quantifier;
mod question;
pub(super) mod quote;
pub(super) mod reference;
mod superlative;
pub(super) mod unit;
mod vocabulary;

use super::objection::Objection;
use super::text::Text;

/// The rules that look at a text alone.
pub(super) const OF_TEXTS: [fn(&Text<'_>, &mut Vec<Objection>); 12] = [
    invisible::check,
    language::check,
    number::check,
    link::check,
    markup::check,
    forbidden::check,
    comparison::check,
    superlative::check,
    negation::check,
    quantifier::check,
    question::check,
    letter::check,
];
