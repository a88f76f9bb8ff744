//! By what rule the people of a replay decide.

use serde::Serialize;

/// Most decisions a day where nothing is said: what a planner reads of a morning.
const A_DAY: usize = 5;

/// Decides as whoever knows what was injected: of the cases of the morning's digest, in its order, what is real and worth something is
/// approved as it is proposed first, what is not is rejected as not real, and the rest is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Most cases that are decided on one day.
    pub a_day: usize,
}

impl Rule {
    /// Reads `truth`, or `truth:N` for at most N cases a day.
    ///
    /// # Errors
    /// What there is to choose from.
    pub fn parse(text: &str) -> Result<Self, String> {
        let unclear = || format!("{text:?} is no rule: say truth, or truth:3 for at most 3 cases a day");
        let (name, a_day) = text.split_once(':').map_or((text, None), |(name, a_day)| (name, Some(a_day)));
        let a_day = a_day.map_or(Ok(A_DAY), |n| n.parse().map_err(|_| unclear()))?;
        if name == "truth" && a_day > 0 { Ok(Self { a_day }) } else { Err(unclear()) }
    }

    /// For people.
    pub fn words(self) -> String {
        format!(
            "each morning at most {} cases of the digest, in its order: what truth.json knows as real (or did run out within three \
             weeks) and what is worth something is approved as it is proposed first, by the first people of the configuration who \
             may sign, two where the policy wants two; what is not real is rejected as not-real; the rest is left",
            self.a_day
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_how_many_a_day_and_anything_else_is_an_error() {
        assert_eq!(Rule::parse("truth").unwrap().a_day, A_DAY);
        assert_eq!(Rule::parse("truth:2").unwrap().a_day, 2);
        for bad in ["", "all", "truth:", "truth:0", "truth:-1", "truth:x", "all:3"] {
            let said = Rule::parse(bad).unwrap_err();
            assert!(said.contains("truth:3"), "{said}");
        }
    }
}
