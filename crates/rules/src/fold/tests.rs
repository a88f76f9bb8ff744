//! Cases under fold: what joins, what comes back, what ends, and what stays because somebody has to decide.

use super::*;
use reeve_domain::action::Range;
use reeve_domain::case::{Lane, Rank};
use reeve_domain::exception::Subject;
use reeve_domain::ids::ItemId;
use reeve_domain::money::Money;

/// What the indexes give, by a walk over all cases: every fold in these tests is held against it.
impl Work {
    pub(super) fn found_by_scan(&self, id: &ExceptionId) -> Option<CaseId> {
        let exception = &self.exceptions[id];
        let joins =
            |case: &Case| exception.signal.links.iter().any(|link| case_links(case, &self.exceptions).contains(link));
        let cases = self.cases.values().map(|(case, _)| case);
        cases
            .filter(|case| case.state.may_grow() && (case.exceptions.contains(id) || joins(case)))
            .filter(|case| exception.signal.code != T::SOverdue || self.takes_in(case))
            .min_by_key(|case| (case.opened_at, case.id.clone()))
            .map(|case| case.id.clone())
    }

    pub(super) fn runs_by_scan(&self, signal: &Signal) -> Vec<&CaseId> {
        let shares = |case: &&Case| {
            case.codes.iter().any(|code| is_run(*code)) && signal.links.iter().any(|link| case.links.contains(link))
        };
        self.cases.values().map(|(case, _)| case).filter(shares).map(|case| &case.id).collect()
    }
}

proptest::proptest! {
    #[test]
    fn cases_found_by_link_are_those_that_a_walk_finds(
        days in proptest::collection::vec(proptest::collection::vec((0_usize..6, 0_u8..5, 0_u8..5, 0_u8..5), 0..9), 1..7),
    ) {
        const CODES: [T; 6] = [T::IOut, T::SOverdue, T::IShrink, T::DReturn, T::RShort, T::ILow];
        let mut kept = Kept::default();
        for (day, seen) in (0_i64..).zip(days) {
            let signals = seen.into_iter().map(|(code, item, one, other)| {
                let signal = signal(CODES[code], &item.to_string(), &format!("shortage:{one}@3"));
                let signal = signal.link(format!("books:{other}@3"));
                // Some are no news any more.
                if other == 4 { signal.opens_until(Calendar::utc().day_of(at(day - 2))) } else { signal }
            });
            kept.fold(day, signals.collect());
        }
    }
}

pub(super) fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + day * 86_400).unwrap()
}

pub(super) fn signal(code: T, item: &str, link: &str) -> Signal {
    let day = "2026-10-01".parse().unwrap();
    let subject = Subject::at(&ItemId::new(item), &LocationId::new("3"));
    Signal::rule("test/1", code, subject, "p".to_owned(), (day, day), format!("{code} {item}")).link(link.to_owned())
}

/// Those of the exceptions from which something can come, as the store reads them: what is over, in no case that goes on, and not
/// seen again is left out.
pub(super) fn that_matter(known: &[Exception], signals: &[Signal], cases: &[Case]) -> Vec<Exception> {
    let seen: BTreeSet<ExceptionId> = signals.iter().map(Signal::exception_id).collect();
    let held: BTreeSet<&ExceptionId> = cases.iter().flat_map(|case| &case.exceptions).collect();
    let matters = |e: &&Exception| e.state != ExceptionState::Resolved || seen.contains(&e.id) || held.contains(&e.id);
    known.iter().filter(matters).cloned().collect()
}

/// Keeps what was folded, as the store would, and drafts every new case, unless told not to.
#[derive(Default)]
struct Kept {
    undrafted: bool,
    exceptions: BTreeMap<ExceptionId, Exception>,
    cases: BTreeMap<CaseId, Case>,
    before: Option<Timestamp>,
    calendars: BTreeMap<LocationId, Calendar>,
}

impl Kept {
    fn fold(&mut self, day: i64, signals: Vec<Signal>) -> Folded {
        self.fold_after(&Returns::default(), day, signals)
    }

    fn fold_after(&mut self, returns: &Returns, day: i64, signals: Vec<Signal>) -> Folded {
        self.fold_read_up_to(returns, at(day), at(day), signals)
    }

    fn fold_read_up_to(&mut self, returns: &Returns, now: Timestamp, read_up_to: Timestamp, signals: Vec<Signal>) -> Folded {
        let live: Vec<Case> = self.cases.values().filter(|c| c.state.is_live()).cloned().collect();
        let known: Vec<Exception> = self.exceptions.values().cloned().collect();
        let calendars = self.calendars.clone();
        let look = Look { at: now, calendar: Calendar::utc(), calendars, read_up_to, before: self.before };
        let of_few = that_matter(&known, &signals, &live);
        let of_few = fold_after(returns, &look, signals.clone(), of_few, live.clone());
        let folded = fold_after(returns, &look, signals, known, live);
        assert_eq!(format!("{of_few:?}"), format!("{folded:?}"), "nothing comes of what the store leaves out");
        self.before = Some(read_up_to);
        self.exceptions.extend(folded.exceptions.iter().map(|e| (e.id.clone(), e.clone())));
        self.cases.extend(folded.cases.iter().map(|(c, _)| (c.id.clone(), c.clone())));
        for (gone, _) in &folded.gone {
            assert!(self.cases.remove(gone).unwrap().is_untold(), "people were told of {gone}");
        }
        for case in self.cases.values_mut().filter(|case| case.state == CaseState::New && !self.undrafted) {
            case.state = CaseState::Open;
        }
        folded
    }
}

#[test]
fn what_waits_for_a_decision_does_not_go_away_because_it_is_old() {
    let (today, old) = (Calendar::utc().day_of(at(10)), || {
        vec![signal(T::RDup, "1", "receipt:1").opens_until(Calendar::utc().day_of(at(2)))]
    });
    let mut kept = Kept::default();
    kept.fold(10, old());
    assert!(kept.cases.is_empty(), "long ago is no news");
    let case = |kept: &Kept| kept.cases.values().next().unwrap().clone();
    let decide_by = |kept: &mut Kept, day: jiff::civil::Date| {
        kept.cases.values_mut().next().unwrap().rank = Some(rank(day, 100));
    };
    for (days_left, is_live) in [(3, true), (0, false)] {
        let mut kept = Kept::default();
        kept.fold(1, old());
        decide_by(&mut kept, reeve_domain::calendar::plus_days(today, days_left));
        for day in 9..=11 {
            kept.fold(day, old());
        }
        assert_eq!(case(&kept).state.is_live(), is_live, "{days_left} days left");
        // What is put right goes at once, however much time there is.
        kept.fold(12, vec![]);
        kept.fold(13, vec![]);
        assert!(!case(&kept).state.is_live());
    }
}

#[test]
fn what_repeats_keeps_its_case_when_its_head_leaves_the_window() {
    let day = |n: i64| Calendar::utc().day_of(at(n));
    let shrink = |since: &str| {
        let signal = signal(T::IShrink, "1", "books:1@3").opens_until(day(2));
        vec![Signal { period: format!("since {since}"), ..signal }]
    };
    let mut kept = Kept::default();
    kept.fold(1, shrink("W40"));
    kept.cases.values_mut().next().unwrap().rank = Some(rank(day(30), 100));
    for n in 3..=8 {
        kept.fold(n, shrink(if n < 5 { "W40" } else { "W41" }));
    }
    assert_eq!(kept.cases.values().filter(|case| case.state.is_live()).count(), 1, "{:?}", kept.cases);
    assert_eq!(kept.cases.len(), 1);
}

#[test]
fn one_root_cause_is_one_case() {
    let mut kept = Kept::default();
    kept.fold(
        0,
        vec![
            signal(T::DSpike, "1", "shortage:1@3"),
            signal(T::ILow, "1", "shortage:1@3"),
            signal(T::ILow, "2", "shortage:2@3"),
        ],
    );
    assert_eq!(kept.cases.len(), 2);
    let both = kept.cases.values().find(|c| c.exceptions.len() == 2).unwrap();
    assert_eq!(both.codes, [T::ILow, T::DSpike]);
}

#[test]
fn the_same_signals_again_change_no_case() {
    let mut kept = Kept::default();
    kept.fold(0, vec![signal(T::ILow, "1", "shortage:1@3")]);
    let again = kept.fold(1, vec![signal(T::ILow, "1", "shortage:1@3")]);
    assert!(again.cases.is_empty() && again.entries.is_empty() && again.all_seen);
}

#[test]
fn an_exception_that_stands_is_written_once_a_day() {
    let mut kept = Kept::default();
    let same = || vec![signal(T::ILow, "1", "shortage:1@3")];
    let none = Returns::default();
    let later = |minutes: i64| at(0) + jiff::SignedDuration::from_mins(minutes);
    assert_eq!(kept.fold(0, same()).exceptions.len(), 1);
    assert!(kept.fold_read_up_to(&none, later(1), later(1), same()).exceptions.is_empty());
    let missed = kept.fold_read_up_to(&none, later(2), later(2), vec![]);
    assert_eq!((missed.exceptions[0].misses, missed.all_seen), (1, false));
    assert_eq!(kept.fold_read_up_to(&none, later(3), later(3), same()).exceptions[0].misses, 0);
    assert_eq!(kept.fold(1, same()).exceptions[0].last_seen, at(1), "on which day it was seen is known");
}

#[test]
fn a_case_resolves_itself_after_two_reads_without_its_condition() {
    let mut kept = Kept::default();
    kept.fold(0, vec![signal(T::ILow, "1", "shortage:1@3")]);
    assert!(kept.fold(1, vec![]).cases.is_empty());
    kept.fold(2, vec![]);
    assert_eq!(kept.cases.values().next().unwrap().state, CaseState::ResolvedItself);
    kept.fold(9, vec![signal(T::ILow, "1", "shortage:1@3")]);
    assert_eq!(kept.cases.len(), 2, "what comes back is a new case");
}

#[test]
fn looking_again_at_what_one_look_brought_is_no_second_look() {
    let mut kept = Kept::default();
    kept.fold(0, vec![signal(T::ILow, "1", "shortage:1@3")]);
    let none = Returns::default();
    for minute in 0..5 {
        kept.fold_read_up_to(&none, at(1) + jiff::SignedDuration::from_mins(minute), at(1), vec![]);
    }
    assert_eq!(kept.exceptions.values().next().unwrap().misses, 1, "an event came, and nobody read the source");
    kept.fold_read_up_to(&none, at(2), at(2), vec![]);
    assert_eq!(kept.exceptions.values().next().unwrap().state, ExceptionState::Resolved);
}

#[test]
fn what_missing_data_made_is_over_when_they_come() {
    // Seen on the evening of the day that it tells of; gone when the day has been read to its close.
    let (evening, night) = ("2026-10-01T18:00:00Z".parse().unwrap(), "2026-10-02T00:05:00Z".parse().unwrap());
    let none = Returns::default();
    let state = |kept: &Kept| kept.exceptions.values().next().unwrap().state;
    let mut kept = Kept::default();
    kept.fold_read_up_to(&none, evening, evening, vec![signal(T::DCollapse, "1", "demand:1@3")]);
    kept.fold_read_up_to(&none, night, night, vec![]);
    assert_eq!(state(&kept), ExceptionState::Resolved);
    assert_eq!(kept.cases.values().next().unwrap().state, CaseState::ResolvedItself);
    // Seen when the day was whole, it takes two looks as ever; so it does while the day has not been read to its close.
    let mut kept = Kept::default();
    kept.fold_read_up_to(&none, night, night, vec![signal(T::DCollapse, "1", "demand:1@3")]);
    kept.fold_read_up_to(&none, at(30), at(30), vec![]);
    assert_eq!(state(&kept), ExceptionState::Open);
    let mut kept = Kept::default();
    kept.fold_read_up_to(&none, evening, evening, vec![signal(T::IOut, "1", "shortage:1@3")]);
    let later = evening + jiff::SignedDuration::from_mins(1);
    kept.fold_read_up_to(&none, later, later, vec![]);
    assert_eq!(state(&kept), ExceptionState::Open);
    // A day closes where the thing is: in New York this one has not.
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let mut kept = Kept::default();
    kept.calendars.insert(LocationId::new("3"), Calendar { timezone: zone, cut_off_hour: 24 });
    kept.fold_read_up_to(&none, evening, evening, vec![signal(T::DCollapse, "1", "demand:1@3")]);
    kept.fold_read_up_to(&none, night, night, vec![]);
    assert_eq!(state(&kept), ExceptionState::Open);
    // A fault of the data itself is over with the data.
    let mut kept = Kept::default();
    kept.fold(30, vec![signal(T::DData, "1", "data:1@3")]);
    kept.fold(31, vec![]);
    assert_eq!(state(&kept), ExceptionState::Resolved);
}

#[test]
fn a_rejected_case_does_not_come_back_while_its_exception_lasts() {
    let mut kept = Kept::default();
    kept.fold(0, vec![signal(T::FPrice, "1", "line:7")]);
    kept.cases.values_mut().for_each(|c| c.state = CaseState::Closed);
    kept.fold(1, vec![signal(T::FPrice, "1", "line:7")]);
    assert_eq!(kept.cases.len(), 1);
}

#[test]
fn what_was_turned_down_and_was_away_comes_back_only_when_it_has_grown() {
    let again = || vec![signal(T::FPrice, "1", "line:7")];
    let id = again()[0].exception_id();
    let mut kept = Kept::default();
    kept.fold(0, again());
    kept.cases.values_mut().for_each(|c| c.state = CaseState::Closed);
    // Its condition is away for two reads, and there again.
    kept.fold(1, vec![]);
    kept.fold(2, vec![]);
    assert_eq!(kept.exceptions[&id].state, ExceptionState::Resolved);
    let quiet = Returns { quiet: BTreeSet::from([id.clone()]), ..Returns::default() };
    for day in 3..6 {
        kept.fold_after(&quiet, day, again());
    }
    assert_eq!(kept.cases.len(), 1, "nobody is asked the same again");
    assert_eq!(kept.exceptions[&id].state, ExceptionState::Open, "it is found all the same");
    let grown = Returns { back: BTreeSet::from([id.clone()]), ..Returns::default() };
    kept.fold_after(&grown, 6, again());
    kept.fold_after(&grown, 7, again());
    assert_eq!(kept.cases.len(), 2, "it is asked once, although it was there all the time");
    // Another stage of the same trouble is another exception.
    kept.cases.values_mut().for_each(|c| c.state = CaseState::Closed);
    kept.fold_after(&quiet, 8, vec![signal(T::FPrice, "1", "line:7"), signal(T::FDupBill, "1", "line:7")]);
    assert_eq!(kept.cases.len(), 3);
}

/// An overdue order with its symptoms: each is short at its own place.
fn overdue(items: &[&str]) -> Signal {
    let links = items.iter().map(|item| format!("shortage:{item}@3"));
    links.fold(signal(T::SOverdue, "order", "timing:75"), Signal::link)
}

fn out(item: &str) -> Signal {
    signal(T::IOut, item, &format!("shortage:{item}@3"))
}

#[test]
fn an_overdue_order_is_one_case_with_what_is_short_for_want_of_it() {
    let mut kept = Kept::default();
    let folded = kept.fold(0, vec![overdue(&["1", "2", "4"]), out("1"), out("2"), out("4"), out("5")]);
    assert_eq!(kept.cases.len(), 2, "item 5 waits for something else");
    assert_eq!(folded.cases.len(), 2, "no case is opened to be merged at once");
    let root = kept.cases.values().find(|c| c.exceptions.len() == 4).unwrap();
    assert_eq!((root.codes.as_slice(), root.headline.as_str()), ([T::SOverdue, T::IOut].as_slice(), "S-OVERDUE order"));
}

#[test]
fn symptoms_that_had_a_case_join_the_root_and_decided_ones_stay() {
    let mut kept = Kept::default();
    let all = || vec![out("1"), out("2"), out("4"), out("5"), out("6")];
    kept.fold(0, all());
    let case_of = |kept: &Kept, item: &str| {
        kept.cases.values().find(|c| c.exceptions.contains(&out(item).exception_id())).unwrap().id.clone()
    };
    let (decided, signed, asleep) = (case_of(&kept, "4"), case_of(&kept, "5"), case_of(&kept, "6"));
    kept.cases.get_mut(&decided).unwrap().state = CaseState::Decided;
    let until = "2026-10-20".parse().unwrap();
    let (value_then, wake) = (reeve_domain::money::Money::ZERO, reeve_domain::decision::WakeCondition::Grew);
    let put_off = CaseState::Snoozed { until, value_then, wake, codes_then: vec![T::IOut] };
    kept.cases.get_mut(&asleep).unwrap().state = put_off.clone();
    let known = Returns { signed: BTreeSet::from([signed.clone()]), ..Returns::default() };
    let now = || [vec![overdue(&["1", "2", "4", "5", "6"])], all()].concat();
    kept.fold_after(&known, 1, now());
    let waiting: Vec<&Case> = kept.cases.values().filter(|c| c.state == CaseState::Open).collect();
    assert_eq!(waiting.len(), 2, "the root's and the signed one");
    let root = waiting.iter().find(|c| c.codes.contains(&T::SOverdue)).unwrap();
    assert_eq!(root.exceptions.len(), 3);
    assert_eq!(kept.cases[&decided].state, CaseState::Decided);
    assert_eq!(kept.cases[&asleep].state, put_off);
    let merged = kept.cases.values().filter(|c| matches!(&c.state, CaseState::Merged { into } if *into == root.id)).count();
    assert_eq!(merged, 1, "the root joined the older of the two cases and took the other in");
    let again = kept.fold_after(&known, 2, now());
    assert!(again.cases.is_empty() && again.entries.is_empty(), "{:?}", again.entries);
}

#[test]
fn what_nobody_was_told_of_goes_as_it_came() {
    let mut kept = Kept { undrafted: true, ..Kept::default() };
    kept.fold(0, vec![out("1"), out("2")]);
    kept.cases.values_mut().for_each(|case| case.state = CaseState::Latent);
    let latent: Vec<CaseId> = kept.cases.keys().cloned().collect();
    // It is one case with what joins it, latent or not.
    kept.fold(1, vec![out("1"), out("2"), signal(T::ILow, "1", "shortage:1@3")]);
    assert_eq!(kept.cases.keys().cloned().collect::<Vec<_>>(), latent);
    // Its root takes it in, and its condition ends: neither is an event for the log.
    let folded = kept.fold(2, vec![overdue(&["1"]), out("1")]);
    assert!(folded.entries.is_empty(), "{:?}", folded.entries);
    let (gone, over) = (kept.fold(3, vec![overdue(&["1"]), out("1")]), kept.fold(4, vec![]));
    assert_eq!((gone.gone.len(), gone.entries.len(), over.gone.len()), (1, 0, 0), "item 2 is not short any more");
    assert_eq!(kept.cases.len(), 1);
}

#[test]
fn a_latent_root_that_takes_in_what_people_were_told_of_is_put_before_them() {
    let mut kept = Kept::default();
    kept.fold(0, vec![overdue(&["8"]), out("1")]);
    let of = |kept: &Kept, code: T| kept.cases.values().find(|case| case.codes[0] == code).unwrap().id.clone();
    let (root, told) = (of(&kept, T::SOverdue), of(&kept, T::IOut));
    kept.cases.get_mut(&root).unwrap().state = CaseState::Latent;
    kept.undrafted = true;
    let folded = kept.fold(1, vec![overdue(&["8", "1"]), out("1")]);
    assert_eq!(kept.cases[&told].state, CaseState::Merged { into: root.clone() });
    assert_eq!((kept.cases[&root].state.clone(), kept.cases[&root].wanted), (CaseState::New, true));
    let actions: Vec<&str> = folded.entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["case.merged", "case.opened", "case.took_in"]);
}

#[test]
fn what_runs_short_after_the_root_was_decided_has_a_case_of_its_own() {
    let mut kept = Kept::default();
    kept.fold(0, vec![overdue(&["1"]), out("1")]);
    kept.cases.values_mut().for_each(|c| c.state = CaseState::Decided);
    kept.fold(1, vec![overdue(&["1", "2"]), out("1"), out("2")]);
    assert_eq!(kept.cases.len(), 2);
    let root = kept.cases.values().find(|c| c.state == CaseState::Decided).unwrap();
    assert!(!root.links.contains(&"shortage:2@3".to_owned()), "what it does not decide it does not count");
}

#[test]
fn an_explained_signal_opens_no_case() {
    let mut kept = Kept::default();
    let mut explained = signal(T::DSpike, "1", "demand:1@3");
    explained.explained = Some("on promotion".to_owned());
    kept.fold(0, vec![explained]);
    assert!(kept.cases.is_empty() && kept.exceptions.len() == 1);
}

/// A rank that is worth `priority` cents until `deadline`.
pub(super) fn rank(deadline: jiff::civil::Date, priority: i64) -> Rank {
    let worth = Money::from_minor(priority);
    Rank {
        lane: Lane::Ordinary,
        p: 0.9,
        value: Range::certain(worth),
        at_stake: worth,
        deadline,
        slack_days: 2.0,
        perishing: 0.5,
        priority: worth,
        wait_cost: Money::ZERO,
        hangs_on: None,
        unknown: false,
    }
}
