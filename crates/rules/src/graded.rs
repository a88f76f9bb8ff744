//! A draft beside the computed order, which is the playbook's: deterministic, from the money of the candidates alone.

use reeve_domain::action::{Action, Candidate};
use reeve_domain::draft::Draft;
use reeve_domain::writer::DraftGrade;

/// Grades a draft that passed the guard. Whoever hands a case over to people regrets nothing.
pub fn grade(draft: &Draft, candidates: &[Candidate]) -> DraftGrade {
    let worth = |candidate: &Candidate| candidate.money.benefit.expected;
    let chosen: Vec<&Candidate> =
        draft.choices.iter().filter_map(|choice| candidates.iter().find(|c| c.id == choice.candidate)).collect();
    let (mut agree, mut pairs) = (0, 0);
    for (at, first) in chosen.iter().enumerate() {
        for second in &chosen[at + 1..] {
            pairs += 1;
            agree += u32::from(worth(first) >= worth(second));
        }
    }
    let best = candidates.iter().map(worth).max().unwrap_or_default();
    let first = chosen.first().filter(|first| !matches!(first.action, Action::Escalate { .. }) && draft.abstain.is_none());
    let regret = first.map_or_else(Default::default, |first| best - worth(first));
    DraftGrade { agree, pairs, regret, best }
}

#[cfg(test)]
mod tests {
    use reeve_domain::action::{MoneySum, Range};
    use reeve_domain::draft::Choice;
    use reeve_domain::money::Money;
    use reeve_domain::recommendation::Prose;

    use super::*;

    fn candidate(id: &str, worth: i64) -> Candidate {
        let benefit = Range { expected: Money::from_minor(worth), ..Range::default() };
        Candidate {
            id: id.to_owned(),
            action: Action::NoAction { reason: id.to_owned() },
            summary: String::new(),
            money: MoneySum { benefit, ..MoneySum::nothing(1.0, Range::default()) },
            value: Money::ZERO,
            latest_date: "2026-10-09".parse().unwrap(),
            checks: vec![],
            cites: vec![],
            then: vec![],
        }
    }

    fn draft(ids: &[&str]) -> Draft {
        let choice = |id: &&str| Choice { candidate: (*id).to_owned(), confidence_percent: 50, prose: Prose::default() };
        Draft { choices: ids.iter().map(choice).collect(), abstain: None }
    }

    #[test]
    fn pairs_and_regret_are_counted_against_the_computed_order() {
        let all = [candidate("A1", 100), candidate("A2", 60), candidate("A3", 10)];
        let same = grade(&draft(&["A1", "A2", "A3"]), &all);
        assert_eq!((same.agree, same.pairs, same.regret, same.regrets()), (3, 3, Money::ZERO, false));
        let other = grade(&draft(&["A2", "A1"]), &all);
        assert_eq!((other.agree, other.pairs, other.regret), (0, 1, Money::from_minor(40)));
        assert!(other.regrets() && other.turns_round());
        let unknown = grade(&draft(&["A9", "A1"]), &all);
        assert_eq!((unknown.pairs, unknown.regret), (0, Money::ZERO), "what is no candidate is not counted");
    }

    #[test]
    fn who_hands_over_regrets_nothing() {
        let all = [candidate("A1", 100), candidate("A2", 60)];
        let abstaining = Draft { abstain: Some("Two counts differ.".to_owned()), ..draft(&["A2"]) };
        assert_eq!(grade(&abstaining, &all).regret, Money::ZERO);
        assert_eq!(grade(&draft(&[]), &all), DraftGrade { best: Money::from_minor(100), ..DraftGrade::default() });
    }
}
