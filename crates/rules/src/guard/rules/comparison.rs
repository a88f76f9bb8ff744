//! Comparison: which of two things is larger, sooner or the same is arithmetic, and is among the claims.

use super::super::objection::Objection;
use super::super::rule::Rule;
use super::super::text::Text;
use super::vocabulary;

const WORDS: &[&str] = &[
    "than", "more", "less", "fewer", "greater", "larger", "smaller", "bigger", "higher", "lower", "better", "worse",
    "cheaper", "dearer", "costlier", "pricier", "earlier", "later", "sooner", "faster", "slower", "quicker", "longer",
    "shorter", "nearer", "closer", "farther", "further", "safer", "riskier", "easier", "harder", "stronger", "weaker",
    "fuller", "emptier", "same", "equal", "equals", "equally", "equivalent", "identical", "similar", "similarly", "alike",
    "likewise", "unlike", "different", "differ", "differs", "comparable", "compared", "versus", "vs", "rather", "prefer",
    "preferable", "preferred", "exceed", "exceeds", "exceeded", "exceeding", "outweigh", "outweighs", "beats", "above",
    "below", "beneath", "beyond", "within", "under", "over", "unchanged", "remain", "remains", "still",
];
const PHRASES: &[&str] = &[
    "as much as", "as many as", "as long as", "as good as", "as soon as", "in line with", "at least", "at most", "up to",
    "instead of",
];

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    vocabulary::refuse(text, Rule::Comparison, WORDS, PHRASES, objections);
}
