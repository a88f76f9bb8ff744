//! The life of a recommendation: what may follow what, who may do it, and what it takes.

use proptest::prelude::*;

use super::*;

const WINDOW: SignedDuration = SignedDuration::from_mins(5);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn ada() -> PersonId {
    PersonId::new("ada")
}

fn bob() -> PersonId {
    PersonId::new("bob")
}

fn approve(by: PersonId, needs_second: bool) -> Event {
    Event::Approve { by, on_behalf_of: vec![], needs_second }
}

fn undo(by: PersonId) -> Event {
    Event::Undo { by, window: WINDOW }
}

fn nothing() -> Action {
    Action::NoAction { reason: "seasonal".into() }
}

/// Every state, once with each shape that matters.
fn states() -> Vec<RecommendationState> {
    use RecommendationState as S;
    let until = "2026-10-09".parse().unwrap();
    vec![
        S::Drafted,
        S::Checked,
        S::Queued,
        S::Signed { by: ada(), on_behalf_of: vec![], at: at(0) },
        S::Forwarded { to: bob(), via: vec![ada()], at: at(0), level: 0, signed: None },
        S::Escalated { level: 1, at: at(0), signed: None },
        S::Approved { by: vec![ada()], at: at(0), before: Before::default() },
        S::ApprovedWithEdit { by: vec![ada()], at: at(0), edited: Box::new(nothing()), before: Before::default() },
        S::Rejected { by: ada(), at: at(0), reason: RejectReason::Policy, before: Before::default() },
        S::Snoozed { by: ada(), until, wake: WakeCondition::Grew, before: Before::default() },
        S::Expired,
        S::Superseded,
        S::HandedOff,
        S::CarriedOut,
        S::Partly,
        S::NotCarriedOut,
        S::Undone,
    ]
}

/// Every event, by ada.
fn events() -> Vec<Event> {
    vec![
        Event::Check,
        Event::Queue,
        approve(ada(), false),
        Event::ApproveEdited { by: ada(), on_behalf_of: vec![], needs_second: false, action: Box::new(nothing()) },
        Event::Reject { by: ada(), reason: RejectReason::Policy },
        Event::Snooze { by: ada(), until: "2026-10-09".parse().unwrap(), wake: WakeCondition::Grew },
        Event::Forward { by: ada(), to: bob() },
        Event::Return { by: ada() },
        Event::Wake,
        Event::Escalate { level: 1 },
        Event::Expire,
        Event::Supersede,
        undo(ada()),
        Event::HandOff,
        Event::NotSent,
        Event::SeenDone,
        Event::SeenPartly,
        Event::NotSeen,
        Event::SeenUndone,
        Event::StepUndone { holds: true },
        Event::StepUndone { holds: false },
    ]
}

#[test]
fn every_pair_of_state_and_event_has_its_answer() {
    // Rows: states; columns: events, as above. `.` refused, `=` stays, else the first letters of what follows.
    let table = "
        drafted            ch .  .  .  .  .  .  .  .  .  ex su .  .  .  .  .  .  . . .
        checked            .  qu .  .  .  .  .  .  .  .  ex su .  .  .  .  .  .  . . .
        queued             .  .  ap ae re sn fo .  .  es ex su .  .  .  .  .  .  . . .
        signed             .  .  =  =  re sn fo .  .  es ex su qu .  .  .  .  .  . . .
        forwarded          .  .  ap ae re sn =  .  .  es ex su qu .  .  .  .  .  . . .
        escalated          .  .  ap ae re sn fo .  .  =  ex su .  .  .  .  .  .  . . .
        approved           .  .  =  .  .  .  .  .  .  .  .  .  qu ha no .  .  .  . . .
        approved_with_edit .  .  .  =  .  .  .  .  .  .  .  .  qu ha no .  .  .  . . .
        rejected           .  .  .  .  =  .  .  .  .  .  .  .  qu .  .  .  .  .  . . .
        snoozed            .  .  .  .  re =  .  .  qu .  ex su qu .  .  .  .  .  . . .
        expired            .  .  .  .  .  .  .  .  .  .  =  .  .  .  .  .  .  .  . . .
        superseded         .  .  .  .  .  .  .  .  .  .  .  =  .  .  .  .  .  .  . . .
        handed_off         .  .  .  .  .  .  .  .  .  .  .  .  .  =  .  ca pa no un . .
        carried_out        .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  =  .  .  un pa no
        partly             .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  ca =  .  un = no
        not_carried_out    .  .  .  .  .  .  .  .  .  .  .  .  .  ha =  ca pa =  un . .
        undone             .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  .  = . .";
    let rows: Vec<Vec<&str>> = table.trim().lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(rows.len(), states().len());
    for (state, row) in states().into_iter().zip(rows) {
        assert_eq!(state.name(), row[0]);
        assert_eq!(row.len(), events().len() + 1, "{row:?}");
        for (event, expected) in events().into_iter().zip(&row[1..]) {
            let what = format!("{} + {}", state.name(), event.name());
            match (*expected, state.clone().after(event, at(1))) {
                (".", result) => assert!(result.is_err(), "{what} gave {result:?}"),
                ("=", result) => assert_eq!(result.as_ref(), Ok(&state), "{what}"),
                ("ae", result) => assert_eq!(result.unwrap().name(), "approved_with_edit", "{what}"),
                (start, result) => {
                    let name = result.unwrap_or_else(|e| panic!("{what}: {e}")).name();
                    assert!(name.starts_with(start), "{what} gave {name}");
                }
            }
        }
    }
}

#[test]
fn four_eyes_take_a_different_second_person() {
    let signed = RecommendationState::Queued.after(approve(ada(), true), at(0)).unwrap();
    assert_eq!(signed.clone().after(approve(ada(), false), at(1)).unwrap().name(), "signed");
    let approved = signed.after(approve(bob(), false), at(2)).unwrap();
    assert_eq!(who_approved(&approved), Some((vec![ada(), bob()], at(2))));
}

#[test]
fn an_undo_is_for_whoever_decided_inside_the_window_and_before_the_hand_off() {
    for decided in [approve(ada(), false), Event::Reject { by: ada(), reason: RejectReason::NotReal }] {
        let state = RecommendationState::Queued.after(decided, at(0)).unwrap();
        assert_eq!(state.clone().after(undo(ada()), at(299)), Ok(RecommendationState::Queued));
        assert!(matches!(state.clone().after(undo(ada()), at(300)), Err(TransitionError::WindowClosed { .. })));
        assert!(matches!(state.after(undo(bob()), at(1)), Err(TransitionError::NotYours { .. })));
    }
    assert!(RecommendationState::HandedOff.after(undo(ada()), at(1)).is_err());
}

#[test]
fn a_contrary_later_decision_is_refused_and_the_same_one_again_is_not() {
    let rejected =
        RecommendationState::Queued.after(Event::Reject { by: ada(), reason: RejectReason::NotReal }, at(0)).unwrap();
    let same = Event::Reject { by: ada(), reason: RejectReason::NotReal };
    assert_eq!(rejected.clone().after(same, at(9)), Ok(rejected.clone()));
    let error = rejected.after(approve(bob(), false), at(9)).unwrap_err().to_string();
    assert_eq!(error, "can not approve a recommendation that is rejected");
}

#[test]
fn passing_on_keeps_the_first_signature_and_goes_no_further_than_two_hands() {
    let forward = |by: &str, to: &str| Event::Forward { by: PersonId::new(by), to: PersonId::new(to) };
    let signed = RecommendationState::Queued.after(approve(ada(), true), at(0)).unwrap();
    let with_bob = signed.clone().after(forward("ada", "bob"), at(1)).unwrap();
    assert_eq!(with_bob.first_signature(), signed.first_signature());
    let not_with_you = with_bob.clone().after(forward("cleo", "dan"), at(2)).unwrap_err();
    assert!(matches!(not_with_you, TransitionError::NotWithYou { .. }), "{not_with_you}");
    assert!(matches!(with_bob.clone().after(forward("bob", "ada"), at(2)), Err(TransitionError::Circle { .. })));
    assert!(matches!(signed.clone().after(forward("ada", "ada"), at(2)), Err(TransitionError::Circle { .. })));
    let with_cleo = with_bob.clone().after(forward("bob", "cleo"), at(2)).unwrap();
    assert_eq!(with_cleo.clone().after(forward("cleo", "dan"), at(3)), Err(TransitionError::TooManyForwards));
    assert_eq!(with_bob.clone().after(Event::Return { by: bob() }, at(3)), Ok(signed));
    assert!(matches!(with_bob.clone().after(Event::Return { by: ada() }, at(3)), Err(TransitionError::NotWithYou { .. })));
    // Whoever else may decide still may.
    let done = with_bob.after(approve(PersonId::new("dan"), false), at(4)).unwrap();
    assert_eq!(who_approved(&done), Some((vec![ada(), PersonId::new("dan")], at(4))));
}

#[test]
fn the_same_snooze_again_is_the_same_decision_and_another_is_not() {
    let snooze = |day: &str, wake| Event::Snooze { by: ada(), until: day.parse().unwrap(), wake };
    let same = snooze("2026-10-09", WakeCondition::Grew);
    let snoozed = RecommendationState::Queued.after(same.clone(), at(0)).unwrap();
    assert!(snoozed.same_decision(&same));
    assert!(!snoozed.same_decision(&snooze("2026-10-10", WakeCondition::Grew)));
    assert!(!snoozed.same_decision(&snooze("2026-10-09", WakeCondition::StageChanged)));
}

#[test]
fn an_escalation_only_rises_and_takes_nothing_away() {
    let signed = RecommendationState::Queued.after(approve(ada(), true), at(0)).unwrap();
    let first = signed.clone().after(Event::Escalate { level: 1 }, at(1)).unwrap();
    assert_eq!((first.level(), first.first_signature()), (1, signed.first_signature()));
    assert_eq!(first.clone().after(Event::Escalate { level: 1 }, at(9)), Ok(first.clone()));
    let second = first.after(Event::Escalate { level: 2 }, at(2)).unwrap();
    assert!(second.clone().after(Event::Escalate { level: 1 }, at(3)).is_err());
    let forwarded = second.clone().after(Event::Forward { by: ada(), to: bob() }, at(4)).unwrap();
    let back = forwarded.after(Event::Return { by: bob() }, at(5)).unwrap();
    assert_eq!((back.level(), back.first_signature()), (2, second.first_signature()));
    let undone = back.after(undo(ada()), at(6)).unwrap();
    assert_eq!((undone.level(), undone.first_signature()), (2, None));
}

#[test]
fn a_decision_taken_back_leaves_the_recommendation_where_it_stood() {
    let (cleo, dan) = (PersonId::new("cleo"), PersonId::new("dan"));
    let escalated = RecommendationState::Queued.after(Event::Escalate { level: 2 }, at(0)).unwrap();
    let with_bob = escalated.clone().after(Event::Forward { by: ada(), to: bob() }, at(1)).unwrap();
    let signed = with_bob.clone().after(approve(cleo.clone(), true), at(2)).unwrap();
    let RecommendationState::Forwarded { to, via, level, signed: first, .. } = &signed else {
        panic!("a first signature takes the name off: {signed:?}")
    };
    assert_eq!((to, via.as_slice(), *level), (&bob(), &[ada()][..], 2));
    assert_eq!(first.as_ref().map(|s| (s.by.clone(), s.at)), Some((cleo.clone(), at(2))));
    let signed_when_escalated = escalated.clone().after(approve(cleo.clone(), true), at(2)).unwrap();
    assert_eq!((signed_when_escalated.name(), signed_when_escalated.level()), ("escalated", 2));
    assert_eq!(signed_when_escalated.after(undo(cleo.clone()), at(9)), Ok(escalated.clone()));

    for stood in [RecommendationState::Queued, escalated, with_bob.clone(), signed.clone()] {
        for decision in [approve(dan.clone(), false), Event::Reject { by: dan.clone(), reason: RejectReason::Policy }] {
            let decided = stood.clone().after(decision, at(3)).unwrap();
            assert_eq!(decided.after(undo(dan.clone()), at(4)), Ok(stood.clone()));
        }
    }
    // Whoever takes the decision back takes their own signature back with it.
    let approved = signed.clone().after(approve(dan.clone(), false), at(3)).unwrap();
    assert_eq!(approved.after(undo(cleo.clone()), at(4)), Ok(with_bob.clone()));
    // What was signed may have changed while it was put off; who is asked has not.
    let snooze = Event::Snooze { by: dan, until: "2026-10-09".parse().unwrap(), wake: WakeCondition::Grew };
    let snoozed = signed.after(snooze, at(3)).unwrap();
    assert_eq!(snoozed.clone().after(undo(ada()), at(99)), Ok(with_bob.clone()));
    let refused = snoozed.clone().after(Event::Reject { by: cleo.clone(), reason: RejectReason::Policy }, at(4)).unwrap();
    assert_eq!(refused.after(undo(cleo), at(5)), Ok(with_bob));
    assert_eq!(snoozed.after(Event::Wake, at(99)), Ok(RecommendationState::Queued));
}

#[test]
fn what_was_stored_before_it_was_kept_where_things_stood_still_loads() {
    let text = r#"{"state":"approved","by":["ada"],"at":"2026-10-08T08:00:00Z"}"#;
    let stored: RecommendationState = serde_json::from_str(text).unwrap();
    let RecommendationState::Approved { before, .. } = &stored else { panic!("{stored:?}") };
    assert_eq!(before, &Before::default());
    assert_eq!(serde_json::to_string(&stored).unwrap(), text, "what stood nowhere in particular is written as before");
    let signature = Signature { by: bob(), on_behalf_of: vec![], at: at(1) };
    let before = Before { signed: Some(signature), ..Before::default() };
    let newer = RecommendationState::Rejected { by: ada(), at: at(2), reason: RejectReason::Policy, before };
    assert_eq!(serde_json::from_str::<RecommendationState>(&serde_json::to_string(&newer).unwrap()).unwrap(), newer);
}

#[test]
fn what_can_not_leave_any_more_is_not_carried_out_until_it_is_seen_all_the_same() {
    let approved = RecommendationState::Queued.after(approve(ada(), false), at(0)).unwrap();
    let unsent = approved.after(Event::NotSent, at(1)).unwrap();
    assert_eq!(unsent, RecommendationState::NotCarriedOut);
    assert_eq!(unsent.clone().after(Event::NotSent, at(2)), Ok(unsent.clone()));
    for again in [approve(ada(), false), approve(bob(), false), undo(ada())] {
        assert!(unsent.clone().after(again.clone(), at(2)).is_err(), "{again:?}");
    }
    assert_eq!(unsent.clone().after(Event::SeenDone, at(3)), Ok(RecommendationState::CarriedOut));
    assert_eq!(unsent.after(Event::HandOff, at(3)), Ok(RecommendationState::HandedOff), "it had arrived");
    assert!(RecommendationState::HandedOff.after(Event::NotSent, at(4)).is_err(), "what left has left");
}

fn who_approved(state: &RecommendationState) -> Option<(Vec<PersonId>, Timestamp)> {
    match state {
        RecommendationState::Approved { by, at, .. } => Some((by.clone(), *at)),
        _ => None,
    }
}

fn any_event() -> impl Strategy<Value = Event> {
    let by = || prop_oneof![Just(ada()), Just(bob())];
    prop_oneof![
        Just(Event::Check),
        Just(Event::Queue),
        (by(), any::<bool>()).prop_map(|(by, two)| approve(by, two)),
        (by(), any::<bool>()).prop_map(|(by, needs_second)| Event::ApproveEdited {
            by,
            on_behalf_of: vec![],
            needs_second,
            action: Box::new(nothing())
        }),
        (by(), 0..RejectReason::ALL.len()).prop_map(|(by, i)| Event::Reject { by, reason: RejectReason::ALL[i] }),
        by().prop_map(|by| Event::Snooze { by, until: "2026-10-09".parse().unwrap(), wake: WakeCondition::Grew }),
        (by(), by()).prop_map(|(by, to)| Event::Forward { by, to }),
        by().prop_map(|by| Event::Return { by }),
        Just(Event::Wake),
        (1u8..4).prop_map(|level| Event::Escalate { level }),
        Just(Event::Expire),
        Just(Event::Supersede),
        by().prop_map(undo),
        Just(Event::HandOff),
        Just(Event::NotSent),
        Just(Event::SeenDone),
        Just(Event::SeenPartly),
        Just(Event::NotSeen),
        Just(Event::SeenUndone),
        any::<bool>().prop_map(|holds| Event::StepUndone { holds }),
    ]
}

fn is_approval(event: &Event) -> bool {
    matches!(event, Event::Approve { .. } | Event::ApproveEdited { .. })
}

fn is_approved(state: &RecommendationState) -> bool {
    matches!(state, RecommendationState::Approved { .. } | RecommendationState::ApprovedWithEdit { .. })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_only_people_approve_and_only_the_approved_leaves(
        // Starting near the queue makes deep states likely.
        steps in prop::collection::vec((any_event(), 0i64..200), 1..40)
    ) {
        let mut now = 0;
        let mut state = RecommendationState::Queued;
        let mut approved_at = None;
        let mut dead = false;
        for (event, wait) in steps {
            now += wait;
            let before = state.clone();
            let Ok(after) = state.clone().after(event.clone(), at(now)) else { continue };
            if is_approved(&after) && !is_approved(&before) {
                prop_assert!(is_approval(&event), "{before:?} + {event:?}");
                prop_assert!(!matches!(before, RecommendationState::Snoozed { .. }), "a snooze passed");
                prop_assert!(!dead, "a dead one was approved");
                if let Some(first) = before.first_signature() {
                    let (RecommendationState::Approved { by: two, .. }
                    | RecommendationState::ApprovedWithEdit { by: two, .. }) = &after
                    else {
                        unreachable!("it is approved")
                    };
                    prop_assert!(two.len() == 2 && two[0] == first.by && two[1] != two[0]);
                }
                approved_at = Some(now);
            }
            if after == RecommendationState::HandedOff && before != after {
                // What was told not to have left was approved before.
                let unsent = before == RecommendationState::NotCarriedOut;
                prop_assert!(is_approved(&before) || (unsent && approved_at.is_some()), "{before:?} was handed off");
            }
            if is_approved(&before) && after.is_waiting() {
                let open = approved_at.is_some_and(|then| now - then < WINDOW.as_secs());
                let undone = matches!(event, Event::Undo { .. });
                prop_assert!(undone && open, "approved at {approved_at:?}, back at {now}");
            }
            dead = match &after {
                RecommendationState::Expired
                | RecommendationState::Superseded
                | RecommendationState::Rejected { .. } => true,
                // Only the rejecter's own undo brings one back.
                _ => dead && !matches!((&before, &event), (RecommendationState::Rejected { .. }, Event::Undo { .. })),
            };
            state = after;
        }
    }
}
