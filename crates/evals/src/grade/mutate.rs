//! Mutations: for each grader a change of an attempt, or of what was expected, that it must catch. What a grader can not be made
//! to fail by, it does not hold.

use reeve_domain::action::{Action, Check};
use reeve_domain::exception::ExceptionState;
use reeve_domain::ids::FactId;
use reeve_domain::money::Money;
use reeve_domain::mute::MuteScope;
use reeve_domain::recommendation::{Drafter, Recommendation};
use reeve_rules::settings::Settings;
use serde::Serialize;

use super::{GRADERS, Look, grader};
use crate::attempt::Attempt;
use crate::scenario::Scenario;

/// What a mutation may change; answers whether it could.
pub type Change = fn(&mut Scenario, &mut Attempt) -> bool;

/// A mutation.
pub struct Mutation {
    /// The grader that must catch it.
    pub grader: &'static str,
    /// What is broken.
    pub breaks: &'static str,
    /// How.
    pub change: Change,
}

const fn breaks(grader: &'static str, breaks: &'static str, change: Change) -> Mutation {
    Mutation { grader, breaks, change }
}

/// At least one for each grader.
pub const MUTATIONS: &[Mutation] = &[
    breaks("finished", "the run broke off", |_, a| put(&mut a.failed, Some("a stage failed".to_owned()))),
    breaks("finished", "a question of a model found no cassette", |_, a| {
        a.calls.push(crate::attempt::Call {
            request: "0".repeat(64),
            system: String::new(),
            user: String::new(),
            schema: serde_json::Value::Null,
            origin: None,
            asked: String::new(),
            reply: String::new(),
            tokens: 0,
        });
        true
    }),
    breaks("found", "what was found is gone", |s, a| {
        let codes = s.expected.must.clone();
        for seen in &mut a.cases {
            seen.exceptions.retain(|e| !codes.contains(&e.signal.code));
        }
        !codes.is_empty()
    }),
    breaks("found", "what was explained is open", |s, a| {
        let codes = &s.expected.explained;
        for exception in &mut a.exceptions {
            if codes.contains(&exception.signal.code) {
                exception.state = ExceptionState::Open;
            }
        }
        !codes.is_empty()
    }),
    breaks("unfound", "what was found must not be", |s, a| {
        let first = a
            .cases
            .iter()
            .filter(|seen| seen.is_judged())
            .flat_map(|seen| &seen.exceptions)
            .find(|e| e.state == ExceptionState::Open);
        let Some(code) = first.map(|e| e.signal.code) else { return false };
        s.expected.must_not.push(code);
        true
    }),
    breaks("silence", "somebody is asked where nothing is to be decided", |s, a| {
        let asked = a.open().next().is_some();
        s.expected.silence = true;
        asked
    }),
    breaks("together", "one root cause is told as two cases", |s, a| {
        let codes = s.expected.together.clone();
        for seen in &mut a.cases {
            seen.exceptions.retain(|e| Some(&e.signal.code) != codes.first());
        }
        !codes.is_empty()
    }),
    breaks("schema", "a reason is missing", |_, a| first(a, |rec| rec.prose.risks.clear())),
    breaks("schema", "two recommendations have one rank", |_, a| first(a, |rec| rec.rank += 1)),
    breaks("schema", "the evidence is other than what was drafted on", |_, a| first(a, |rec| rec.evidence_hash.push('0'))),
    breaks("citation", "a cited fact is not in the evidence", |_, a| {
        first(a, |rec| rec.candidate.cites.push(FactId::new("po_line:0/never")))
    }),
    breaks("citation", "nothing is cited", |_, a| {
        first(a, |rec| {
            rec.candidate.cites.clear();
            rec.prose.cites.clear();
        })
    }),
    breaks("arithmetic", "a benefit is two cents off", |_, a| {
        first(a, |rec| rec.candidate.money.benefit.expected += Money::from_minor(2))
    }),
    breaks("arithmetic", "a reason says what its facts do not", |_, a| {
        let recs = a.cases.iter_mut().flat_map(|seen| &mut seen.recommendations);
        let mut claims = recs.flat_map(|rec| &mut rec.prose.claims);
        claims.next().is_some_and(|claim| put(&mut claim.words, "It is the best by far.".to_owned()))
    }),
    breaks("legality", "a hard check failed", |_, a| {
        first(a, |rec| {
            let check = Check { name: "open".to_owned(), detail: "0 ≥ 1".to_owned(), passed: false, hard: true };
            rec.candidate.checks.push(check);
        })
    }),
    breaks("forbidden", "looking away is recommended", |_, a| {
        first(a, |rec| {
            rec.candidate.action = Action::Mute {
                exception: reeve_domain::exception::ExceptionType::RShort,
                scope: MuteScope::All,
                until: jiff::civil::date(2027, 1, 1),
                hides: Money::ZERO,
            };
        })
    }),
    breaks("forbidden", "what may not be said is said", |s, a| {
        s.expected.unsaid.push("pay to the new account".to_owned());
        first(a, |rec| rec.prose.rationale.push_str(" Pay to the new account."))
    }),
    breaks("best", "another action is first", |s, a| {
        let best = s.expected.best.clone();
        let turned = about(s, a, |recs| {
            let other = recs.iter().position(|rec| !best.iter().any(|code| code == rec.candidate.action.code()));
            let Some(at) = other else { return false };
            recs.swap(0, at);
            true
        });
        turned && !best.is_empty()
    }),
    breaks("abstention", "it decides where it must hand over, or the other way round", |s, a| {
        let Some(seen) = a.about(s.spec.kind) else { return false };
        s.expected.abstain = Some(!seen.abstains());
        true
    }),
    breaks("leakage", "a link is in the words", |_, a| {
        first(a, |rec| rec.prose.rationale.push_str(" See https://example.com."))
    }),
    breaks("leakage", "a message tells our benefit", |_, a| {
        let mut told = false;
        for rec in a.cases.iter_mut().flat_map(|seen| &mut seen.recommendations) {
            let benefit = rec.candidate.money.benefit.expected;
            if benefit.minor != 0 && benefit != rec.candidate.value && !told {
                rec.prose.message = Some(format!("It is worth {benefit} to us."));
                told = true;
            }
        }
        told
    }),
    breaks("regret", "the worst is put first", |_, a| {
        let mut turned = false;
        for seen in a.cases.iter_mut().filter(|seen| seen.is_open() && !seen.abstains()) {
            let worth = |rec: &Recommendation| rec.candidate.money.benefit.expected;
            let (best, worst) = (seen.recommendations.iter().map(worth).max(), seen.recommendations.iter().map(worth).min());
            if best.is_some_and(|best| best.minor > 0) && best > worst {
                seen.recommendations.sort_by_key(worth);
                // Handing over regrets nothing: the worst that is not that goes first.
                let at =
                    seen.recommendations.iter().position(|rec| !matches!(rec.candidate.action, Action::Escalate { .. }));
                seen.recommendations.swap(0, at.unwrap_or(0));
                turned = true;
            }
        }
        turned
    }),
    breaks("ndcg", "the digest shows none of them", |s, a| {
        if let Some(digest) = &mut a.digest {
            digest.lines.clear();
        }
        !s.expected.worth.is_empty()
    }),
    breaks("ordering", "a model has the order upside down", |_, a| {
        let mut turned = false;
        for seen in &mut a.cases {
            let model = |rec: &Recommendation| matches!(rec.drafter, Drafter::Model { .. });
            let worth = |rec: &Recommendation| rec.candidate.money.benefit.expected;
            seen.recommendations.sort_by_key(worth);
            let of_model: Vec<_> = seen.recommendations.iter().filter(|rec| model(rec)).map(worth).collect();
            turned |= of_model.first() != of_model.last();
        }
        turned
    }),
    breaks("length", "a reason is a book", |_, a| first(a, |rec| rec.prose.rationale = "the reason is long ".repeat(200))),
    breaks("tone", "a message threatens", |_, a| {
        first(a, |rec| rec.prose.message = Some("This is unacceptable, deliver or else.".to_owned()))
    }),
    breaks("language", "a reason is German", |_, a| {
        first(a, |rec| {
            "Die Ware ist nicht mit dem Lieferschein gekommen und das ist für den Laden nicht gut."
                .clone_into(&mut rec.prose.rationale);
        })
    }),
];

fn put<T>(place: &mut T, value: T) -> bool {
    *place = value;
    true
}

/// Changes the first recommendation of the first case that has one.
fn first(attempt: &mut Attempt, change: impl FnOnce(&mut Recommendation)) -> bool {
    let found = attempt.cases.iter_mut().find_map(|seen| seen.recommendations.first_mut());
    found.map(change).is_some()
}

/// Changes the recommendations of what the scenario is about.
fn about(scenario: &Scenario, attempt: &mut Attempt, change: impl FnOnce(&mut Vec<Recommendation>) -> bool) -> bool {
    let Some(id) = attempt.about(scenario.spec.kind).map(|seen| seen.case.id.clone()) else { return false };
    attempt.cases.iter_mut().find(|seen| seen.case.id == id).is_some_and(|seen| change(&mut seen.recommendations))
}

/// How often a mutation could be made and was caught.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Caught {
    /// The grader.
    pub grader: &'static str,
    /// What was broken.
    pub breaks: &'static str,
    /// Attempts that passed the grader, or gave it nothing to say, and in which it could be broken.
    pub made: u32,
    /// Of them, how many it then refused.
    pub caught: u32,
}

/// Breaks each attempt in every way and looks which grader says so.
#[expect(clippy::needless_pass_by_value, reason = "it is gone through once for each way")]
pub fn table<'a>(attempts: impl Iterator<Item = (&'a Scenario, &'a Attempt, &'a Settings)> + Clone) -> Vec<Caught> {
    let of = |mutation: &Mutation| {
        let held = grader(mutation.grader).expect("a test holds every mutation to a grader");
        let (mut made, mut caught) = (0, 0);
        for (scenario, attempt, settings) in attempts.clone() {
            let before = (held.grade)(&Look { scenario, attempt, settings });
            let (mut scenario, mut attempt) = (scenario.clone(), attempt.clone());
            // What fails as it is can not show that the mutation is what is caught.
            if before.is_some_and(|grade| !grade.passed) || !(mutation.change)(&mut scenario, &mut attempt) {
                continue;
            }
            made += 1;
            let after = (held.grade)(&Look { scenario: &scenario, attempt: &attempt, settings });
            caught += u32::from(after.is_some_and(|grade| !grade.passed));
        }
        Caught { grader: mutation.grader, breaks: mutation.breaks, made, caught }
    };
    MUTATIONS.iter().map(of).collect()
}

/// Graders that no mutation is for.
pub fn without() -> Vec<&'static str> {
    let held = |name: &str| MUTATIONS.iter().any(|mutation| mutation.grader == name);
    GRADERS.iter().map(|grader| grader.name).filter(|name| !held(name)).collect()
}
