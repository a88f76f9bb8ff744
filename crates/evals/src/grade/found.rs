//! Was found what must be, and nothing else?

use reeve_domain::exception::ExceptionState;

use super::{Grade, Look};

/// What must be found is open in a case, and what is explained is.
pub(super) fn found(look: &Look<'_>) -> Option<Grade> {
    let expected = &look.scenario.expected;
    if expected.must.is_empty() && expected.explained.is_empty() {
        return None;
    }
    let judged = || look.attempt.cases.iter().filter(|seen| seen.is_judged());
    let mut wrong = Vec::new();
    for code in &expected.must {
        if !judged().any(|seen| seen.has(*code)) {
            wrong.push(format!("{code} was not found"));
        }
    }
    for code in &expected.explained {
        // What is explained opens no case, so it is looked for among all exceptions.
        let is = |state: ExceptionState| look.attempt.exceptions.iter().any(|e| e.signal.code == *code && e.state == state);
        if !is(ExceptionState::Explained) {
            let also = if is(ExceptionState::Open) { "; it is open without a reason" } else { "" };
            wrong.push(format!("{code} was not explained{also}"));
        }
    }
    Some(Grade::none_of(&wrong))
}

/// What must not be found is open in no case.
pub(super) fn unfound(look: &Look<'_>) -> Option<Grade> {
    let codes = &look.scenario.expected.must_not;
    if codes.is_empty() {
        return None;
    }
    let mut wrong = Vec::new();
    for code in codes {
        for seen in look.attempt.cases.iter().filter(|seen| seen.is_judged() && seen.has(*code)) {
            wrong.push(format!("{code} was found: {}", seen.case.headline));
        }
    }
    Some(Grade::none_of(&wrong))
}

/// Nobody is asked where nothing is to be decided.
pub(super) fn silence(look: &Look<'_>) -> Option<Grade> {
    if !look.scenario.expected.silence {
        return None;
    }
    let asked = look.attempt.open().map(|seen| format!("somebody is asked: {}", seen.case.headline));
    Some(Grade::none_of(&asked.collect::<Vec<_>>()))
}

/// One root cause is one case: each of the types is open, all in the same.
pub(super) fn together(look: &Look<'_>) -> Option<Grade> {
    let codes = &look.scenario.expected.together;
    if codes.is_empty() {
        return None;
    }
    let whole = look.attempt.cases.iter().any(|seen| seen.is_judged() && codes.iter().all(|code| seen.has(*code)));
    let apart = || {
        let names: Vec<&str> = codes.iter().map(|code| code.code()).collect();
        vec![format!("no case has all of {}", names.join(", "))]
    };
    Some(Grade::none_of(&if whole { Vec::new() } else { apart() }))
}
