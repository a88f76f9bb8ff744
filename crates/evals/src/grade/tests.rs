//! What holds of the graders as a table; that each can fail is shown on real attempts, by the daemon's tests.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_grader_has_a_mutation_and_every_mutation_a_grader() {
    assert_eq!(mutate::without(), Vec::<&str>::new(), "write a mutation that it must catch");
    for mutation in mutate::MUTATIONS {
        assert!(grader(mutation.grader).is_some(), "{} is no grader", mutation.grader);
    }
    let names: BTreeSet<&str> = GRADERS.iter().map(|grader| grader.name).collect();
    assert_eq!(names.len(), GRADERS.len(), "names are told apart");
    let breaks: BTreeSet<(&str, &str)> = mutate::MUTATIONS.iter().map(|m| (m.grader, m.breaks)).collect();
    assert_eq!(breaks.len(), mutate::MUTATIONS.len());
}

#[test]
fn hard_graders_stand_first() {
    let hard: Vec<bool> = GRADERS.iter().map(|grader| grader.hard).collect();
    assert!(hard.windows(2).all(|pair| pair[0] >= pair[1]), "{hard:?}");
}
