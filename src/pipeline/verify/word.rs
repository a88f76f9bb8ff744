//! What is to be said of a hand-off, from its trace in the ERP and its executor's word.

use super::trace::Trace;
use crate::domain::decision::{Event, RecommendationState as S};
use crate::store::{Report, Reported};

/// What is said of a hand-off.
#[derive(Debug, PartialEq)]
pub(super) struct Finding {
    /// How its recommendation moves.
    pub(super) event: Event,
    /// By what that is known.
    pub(super) words: String,
    /// Does nobody know what became of it? Then its executor is asked.
    pub(super) missed: bool,
    /// Will nobody ever know more? It leaves no trace, and its executor does not report.
    pub(super) nobody_can_tell: bool,
}

/// What is to be said of a recommendation in `state` now that this was found and its executor's last word is `word`; None where
/// it has been said. `reports`: its executor reports, so its word is waited for where the ERP can show nothing. `late`: it has
/// had its time.
pub(super) fn finding(state: &S, found: Trace, word: Option<&Report>, reports: bool, late: bool) -> Option<Finding> {
    let say = |event, words| Some(Finding { event, words, missed: false, nobody_can_tell: false });
    let said = word.map(|w| w.state);
    let in_words = || {
        let Some(word) = word else { return String::new() };
        let mut words = format!("its executor ({}) says: {}", word.destination, word.state.name().replace('_', " "));
        for more in [&word.reference, &word.note].into_iter().filter(|text| !text.is_empty()) {
            words.push_str(", ");
            words.push_str(more);
        }
        words
    };
    let missed = |mut words: String| {
        match word {
            Some(_) => words = format!("{words}; {}", in_words()),
            None if reports => words.push_str("; its executor has said nothing"),
            None => {}
        }
        Some(Finding { event: Event::NotSeen, words, missed: true, nobody_can_tell: false })
    };
    // Before the trace: what was done and taken back may have left one, and that would settle it as done.
    if said == Some(Reported::Undone) {
        let watched = matches!(state, S::HandedOff | S::CarriedOut | S::Partly | S::NotCarriedOut);
        return if watched { say(Event::SeenUndone, in_words()) } else { None };
    }
    match (found, state) {
        (Trace::Wholly(seen), S::HandedOff | S::Partly | S::NotCarriedOut) => say(Event::SeenDone, seen),
        (Trace::Partly(seen), S::HandedOff | S::NotCarriedOut) => say(Event::SeenPartly, seen),
        (Trace::Nothing | Trace::Unseen | Trace::TooEarly, S::HandedOff) if said == Some(Reported::NotCarriedOut) => {
            say(Event::NotSeen, in_words())
        }
        (Trace::Unseen | Trace::TooEarly, S::HandedOff | S::Partly | S::NotCarriedOut)
            if said == Some(Reported::CarriedOut) =>
        {
            say(Event::SeenDone, in_words())
        }
        (Trace::Unseen | Trace::TooEarly, S::HandedOff) if said == Some(Reported::Partly) => {
            say(Event::SeenPartly, in_words())
        }
        // Nobody will ever say more: it is settled, and counted nowhere as something that was done.
        (Trace::Unseen, S::HandedOff) if !reports => {
            let words = "handed off; the ERP has no place where more would show".to_owned();
            Some(Finding { event: Event::SeenDone, words, missed: false, nobody_can_tell: true })
        }
        (Trace::Nothing, S::HandedOff) if late => missed("no trace in the ERP".to_owned()),
        // Silence of an executor that reports is no word that it was done.
        (Trace::Unseen, S::HandedOff) if late => missed("the ERP has no place where it would show".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn report(state: Reported) -> Report {
        Report {
            id: "webhook/1".into(),
            message_id: "msg_1".into(),
            destination: "webhook".into(),
            state,
            note: "as agreed".into(),
            reference: "P00051".into(),
            said_at: None,
            received_at: Timestamp::UNIX_EPOCH,
        }
    }

    fn seen() -> String {
        "ordered".to_owned()
    }

    /// What is said of a hand-off that was just made.
    fn of(found: Trace, word: Option<Reported>, reports: bool, late: bool) -> Option<(Event, bool)> {
        finding(&S::HandedOff, found, word.map(report).as_ref(), reports, late).map(|t| (t.event, t.missed))
    }

    #[test]
    fn an_executors_yes_settles_only_what_leaves_no_trace() {
        use Reported::{Accepted, CarriedOut, Partly};
        for word in [None, Some(Accepted), Some(CarriedOut), Some(Partly)] {
            assert_eq!(of(Trace::Nothing, word, true, false), None, "{word:?}");
            assert_eq!(of(Trace::Nothing, word, true, true), Some((Event::NotSeen, true)), "{word:?}");
            assert_eq!(of(Trace::Wholly(seen()), word, true, false), Some((Event::SeenDone, false)), "{word:?}");
        }
        assert_eq!(of(Trace::Unseen, Some(CarriedOut), true, false), Some((Event::SeenDone, false)));
        assert_eq!(of(Trace::Unseen, Some(Partly), true, false), Some((Event::SeenPartly, false)));
    }

    #[test]
    fn where_nothing_can_be_seen_an_executor_that_reports_is_waited_for_and_one_that_does_not_is_not() {
        assert_eq!(of(Trace::Unseen, None, true, false), None);
        assert_eq!(of(Trace::Unseen, Some(Reported::Accepted), true, false), None);
        assert_eq!(of(Trace::Unseen, None, true, true), Some((Event::NotSeen, true)), "silence is no yes");
        assert_eq!(of(Trace::Unseen, Some(Reported::Accepted), true, true), Some((Event::NotSeen, true)));
        assert_eq!(of(Trace::Unseen, None, false, false), Some((Event::SeenDone, false)));
    }

    #[test]
    fn that_nobody_can_tell_is_said_only_where_neither_the_erp_nor_an_executor_ever_will() {
        let no_one = |found: Trace, word: Option<Reported>, reports| {
            finding(&S::HandedOff, found, word.map(report).as_ref(), reports, true)
                .is_some_and(|finding| finding.nobody_can_tell)
        };
        assert!(no_one(Trace::Unseen, None, false));
        assert!(!no_one(Trace::Unseen, None, true), "its executor is asked");
        assert!(!no_one(Trace::Unseen, Some(Reported::CarriedOut), false), "its executor said so");
        assert!(!no_one(Trace::Wholly(seen()), None, false) && !no_one(Trace::Nothing, None, false));
    }

    #[test]
    fn what_can_not_be_seen_yet_waits_for_its_day_or_for_a_word() {
        assert_eq!(of(Trace::TooEarly, None, true, true), None);
        assert_eq!(of(Trace::TooEarly, None, false, true), None);
        assert_eq!(of(Trace::TooEarly, Some(Reported::CarriedOut), true, false), Some((Event::SeenDone, false)));
        assert_eq!(of(Trace::TooEarly, Some(Reported::NotCarriedOut), true, false), Some((Event::NotSeen, false)));
    }

    #[test]
    fn an_executors_no_is_taken_at_once_unless_the_erp_shows_otherwise() {
        let no = Some(Reported::NotCarriedOut);
        assert_eq!(of(Trace::Nothing, no, true, false), Some((Event::NotSeen, false)), "nobody has to be asked");
        assert_eq!(of(Trace::Unseen, no, false, false), Some((Event::NotSeen, false)));
        assert_eq!(of(Trace::Partly(seen()), no, true, false), Some((Event::SeenPartly, false)));
        assert_eq!(of(Trace::Wholly(seen()), no, true, false), Some((Event::SeenDone, false)));
        let words =
            finding(&S::HandedOff, Trace::Nothing, Some(&report(Reported::NotCarriedOut)), true, false).unwrap().words;
        assert_eq!(words, "its executor (webhook) says: not carried out, P00051, as agreed");
    }

    #[test]
    fn what_was_taken_back_is_undone_and_is_said_once() {
        let undone = report(Reported::Undone);
        for state in [S::HandedOff, S::CarriedOut, S::Partly, S::NotCarriedOut] {
            let found = finding(&state, Trace::Wholly(seen()), Some(&undone), true, false).unwrap();
            assert_eq!(found.event, Event::SeenUndone);
        }
        assert_eq!(finding(&S::Undone, Trace::Wholly(seen()), Some(&undone), true, false), None);
    }

    #[test]
    fn a_trace_that_comes_later_corrects_what_was_said() {
        assert_eq!(
            finding(&S::NotCarriedOut, Trace::Wholly(seen()), None, true, true).map(|t| t.event),
            Some(Event::SeenDone)
        );
        assert_eq!(finding(&S::NotCarriedOut, Trace::Nothing, None, true, true), None, "it has been said");
        assert_eq!(finding(&S::CarriedOut, Trace::Wholly(seen()), None, true, true), None);
    }
}
