//! Recheck: the checks of any action, edited or not, on the book as it is now (handbook §5: when drafted, again when queued,
//! again when the approver clicks).
//!
//! The assessment runs the same functions, so a candidate that was stored passed them on the book it was drafted on.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::assess;
use crate::scene::Scene;
use reeve_domain::action::{Action, Check};
use reeve_domain::evidence::{Bundle, Fact};
use reeve_domain::exception::{Exception, Signal};
use reeve_domain::ids::FactId;
use reeve_domain::recommendation::Recommendation;

/// When a fact was read that nobody reads any more: no record is that old.
const GONE: Timestamp = Timestamp::MIN;

/// All checks of `action`, hard ones first. The action is legal when every hard one passed.
pub fn recheck(scene: &Scene<'_>, action: &Action) -> Vec<Check> {
    assess::checks_of(scene, action)
}

/// What of the facts that a recommendation cites reads otherwise by now: "on hand: 40 then, 12 now".
///
/// Some facts depend on which other cases wait in this moment (whose transfer takes the same donor's units first), and a
/// click must not be refused for that: so a fact has moved only if it reads otherwise in each of `scenes`, which see the same
/// book with and without what others merely propose. `signals` is what the detectors see in it, in order of
/// fingerprint.
pub fn moved(scenes: &[Scene<'_>], signals: &[Signal], frozen: &Bundle, recommendation: &Recommendation) -> Vec<String> {
    let cited: BTreeSet<&FactId> = recommendation.candidate.cites.iter().chain(&recommendation.prose.cites).collect();
    let now: Vec<BTreeMap<FactId, Fact>> = scenes.iter().map(|scene| facts_of(scene, signals)).collect();
    let reads = |id: &FactId| now.iter().filter_map(|facts| facts.get(id)).collect::<Vec<_>>();
    let readings = scenes.iter().flat_map(|scene| scene.exceptions).flat_map(|e| &e.signal.facts);
    let signalled: BTreeSet<&FactId> = readings.map(|fact| &fact.id).collect();
    let mut moved = Vec::new();
    for then in cited.into_iter().filter_map(|id| frozen.facts.get(id)) {
        let fresh = reads(&then.id);
        match fresh.first() {
            Some(one) if fresh.iter().all(|fact| fact.value != then.value) => {
                moved.push(format!("{}: {} then, {} now", then.label, then.value.show(), one.value.show()));
            }
            // What a detector said and no detector says any more: the problem itself may have gone.
            None if signalled.contains(&then.id) => {
                moved.push(format!("{}: {} then, no longer seen", then.label, then.value.show()));
            }
            _ => {}
        }
    }
    moved
}

/// The facts of this moment. What a detector says now stands in place of what it said when the case was last looked at; what it
/// says no more is left out, unless the records still say it by themselves.
fn facts_of(scene: &Scene<'_>, signals: &[Signal]) -> BTreeMap<FactId, Fact> {
    let now = |exception: &Exception| {
        let mut exception = exception.clone();
        let fingerprint = exception.signal.fingerprint();
        // They are thousands, and in order: a click does not go through them all.
        match signals.binary_search_by(|signal| signal.fingerprint().cmp(&fingerprint)) {
            Ok(at) => exception.signal = signals[at].clone(),
            Err(_) => exception.signal.facts.iter_mut().for_each(|fact| fact.as_of = GONE),
        }
        exception
    };
    let exceptions: Vec<Exception> = scene.exceptions.iter().map(now).collect();
    let facts = assess::assess(&Scene { exceptions: &exceptions, ..*scene }).facts;
    facts.into_iter().filter(|fact| fact.as_of != GONE).map(|fact| (fact.id.clone(), fact)).collect()
}

/// The hard checks that failed: why an action may not go on.
pub fn failures(checks: &[Check]) -> Vec<&Check> {
    checks.iter().filter(|c| c.hard && !c.passed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlook::Outlook;
    use crate::settings::Settings;
    use reeve_domain::action::{Candidate, MoneySum, Range};
    use reeve_domain::book::Book;
    use reeve_domain::calendar::Calendar;
    use reeve_domain::evidence::FactValue;
    use reeve_domain::exception::{ExceptionType, Subject};
    use reeve_domain::ids::{ItemId, LocationId};
    use reeve_domain::money::{Money, Quantity};
    use reeve_domain::recommendation::{Drafter, Prose};
    use reeve_domain::record::{RecordKind, RecordRef};
    use reeve_testing::cases;

    fn at() -> Timestamp {
        "2026-10-08T08:00:00Z".parse().unwrap()
    }

    /// 48 of 60 came, says the detector.
    fn signal(came: i64) -> Signal {
        let (day, subject) = ("2026-10-07".parse().unwrap(), Subject::at(&ItemId::new("1"), &LocationId::new("2")));
        let mut signal =
            Signal::rule("receiving/1", ExceptionType::RShort, subject, "a".into(), (day, day), "a dozen is missing".into());
        signal.facts = vec![Fact {
            id: FactId::new("test:1/came"),
            label: "came".into(),
            value: FactValue::Quantity(Quantity::units(came)),
            unit: "units".into(),
            as_of: at(),
            source: RecordRef::new(RecordKind::Move, "1"),
            third_party: false,
        }];
        signal
    }

    /// What has moved since a card was drafted on `then`, citing `cites`, now that the detectors say `now`.
    fn moved_since(then: &Signal, cites: &[&str], now: &[Signal]) -> Vec<String> {
        let exceptions = [cases::exception(then.clone(), at())];
        let case = cases::case("case-1", &exceptions, at());
        let (book, outlook) = (Book::new(at(), Calendar::utc(), vec![]), Outlook::default());
        let (p, claimed, promised) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let settings = Settings::defaults();
        let scene = Scene {
            case: &case,
            exceptions: &exceptions,
            book: &book,
            outlook: &outlook,
            p: &p,
            claimed: &claimed,
            promised: &promised,
            settings: &settings,
        };
        let facts = then.facts.iter().map(|fact| (fact.id.clone(), fact.clone())).collect();
        let frozen = Bundle { case_id: case.id.clone(), version: 1, as_of: at(), facts, missing: vec![], workings: None };
        let candidate = Candidate {
            id: "A1".into(),
            summary: "Nothing".into(),
            action: Action::NoAction { reason: "late lorry".into() },
            money: MoneySum::nothing(1.0, Range::default()),
            value: Money::ZERO,
            latest_date: "2026-10-12".parse().unwrap(),
            checks: vec![],
            cites: cites.iter().map(|id| FactId::new(*id)).collect(),
            then: vec![],
        };
        let drafter = Drafter::Playbook { because: None };
        let rec = Recommendation::drafted(case.id.clone(), 1, candidate, Prose::default(), "e1".into(), drafter, at());
        moved(&[scene, scene], now, &frozen, &rec)
    }

    #[test]
    fn what_a_detector_said_and_no_longer_says_has_moved_where_the_card_cites_it() {
        let then = signal(48);
        let cited = ["test:1/came"];
        assert!(moved_since(&then, &cited, &[signal(48)]).is_empty(), "it is said as before");
        assert_eq!(moved_since(&then, &cited, &[signal(60)]), ["came: 48 then, 60 now"]);
        assert_eq!(moved_since(&then, &cited, &[]), ["came: 48 then, no longer seen"], "the problem itself has gone");
        assert!(moved_since(&then, &[], &[]).is_empty(), "the card does not rest on it");
        let mut elsewhere = signal(48);
        elsewhere.subject = Subject::at(&ItemId::new("9"), &LocationId::new("2"));
        assert_eq!(moved_since(&then, &cited, &[elsewhere]), ["came: 48 then, no longer seen"], "another item's is not it");
    }
}
