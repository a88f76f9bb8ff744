//! What a page of the queue reads: the cases on it, of each its first recommendation, and of all others only how many they are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::queue_filter::About;
use crate::cards::names::Names;
use crate::cards::plain;
use crate::config::Config;
use crate::domain::case::Case;
use crate::domain::decision::RecommendationState;
use crate::domain::exception::ExceptionType;
use crate::domain::ids::CaseId;
use crate::domain::mute::Mute;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::noise::{self, Muting, drill, mutes};
use crate::store::{CaseAfter, CaseSubject, States, Store, StoreError};

/// Most cases that one page looks through where what is asked for has no index: an owner, words, another order. Who has more in one state
/// is told that the rest was not looked at.
pub(super) const LOOK_MAX: usize = 5_000;
/// Cases read at once while looking.
const CHUNK: usize = 500;

/// Which cases are asked for.
pub(super) struct Wanted<'a> {
    /// In these states; none means all.
    pub(super) states: &'a [&'a str],
    /// With an exception of this type.
    pub(super) code: Option<ExceptionType>,
    /// With or without what is muted, where that plays a part.
    pub(super) muted: Option<Shown>,
    /// What they have to be about, and in which order they come.
    pub(super) about: &'a About,
    /// Without these, which stand elsewhere on the page.
    pub(super) except: &'a BTreeSet<CaseId>,
    /// So many are passed over, for pages before.
    pub(super) skip: usize,
    /// At most so many.
    pub(super) limit: usize,
}

/// What mutes leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// What is hidden, and nothing else.
    Hidden,
    /// What is not hidden.
    Rest,
}

/// What there is of them.
#[derive(Debug, PartialEq)]
pub(super) struct Found {
    /// Those of the page, in the order that was asked for.
    pub(super) cases: Vec<Case>,
    /// Those of the ones to be left out that belong to what is asked for, whatever the page.
    pub(super) excepted: Vec<Case>,
    /// How many there are in all, with those that were left out.
    pub(super) of: usize,
    /// Were there more in these states than are looked through?
    pub(super) cut: bool,
    /// The types there are, whichever type is asked for.
    pub(super) types: BTreeSet<ExceptionType>,
    /// What is hidden, by whom and until when.
    pub(super) muted: Option<String>,
}

/// Reads them.
pub(super) async fn find(store: &Store, config: &Config, now: Timestamp, wanted: &Wanted<'_>) -> Result<Found, StoreError> {
    // Mutes are about what waits; the other states are shown whole.
    let Some(shown) = wanted.muted else { return visible(store, wanted, &[]).await };
    let muting = Muting::load(store, config, now).await?;
    let hidden = muting.hidden(store).await?;
    let account = mutes::account(config, &hidden).into_iter();
    let said: Vec<String> = account.chain(muting.lifted().to_vec()).map(|text| plain(&text)).collect();
    let found = match shown {
        Shown::Rest => visible(store, wanted, &hidden).await?,
        Shown::Hidden => {
            let cases: Vec<Case> = hidden.into_iter().map(|(case, _)| case).collect();
            let types = cases.iter().flat_map(|case| case.codes.clone()).collect();
            let fitting = fitting(store, wanted, cases).await?;
            paged(wanted, fitting, types, false)
        }
    };
    Ok(Found { muted: (!said.is_empty()).then(|| said.join(" ")), ..found })
}

/// Those that are about a subject and not hidden, without the types of all others: what it costs does not grow with these.
pub(super) async fn about(store: &Store, muting: &Muting, wanted: &Wanted<'_>) -> Result<Found, StoreError> {
    let hidden = muting.hidden_about(store, &wanted.about.subject).await?;
    listed(store, wanted, &hidden).await
}

/// Those that are not `hidden`, with the types of all that are not, whatever they are about.
async fn visible(store: &Store, wanted: &Wanted<'_>, hidden: &[(Case, &Mute)]) -> Result<Found, StoreError> {
    let found = listed(store, wanted, hidden).await?;
    if !wanted.about.subject.is_any() {
        return Ok(found);
    }
    let all = counts(store, wanted.states, &CaseSubject::default(), hidden).await?;
    Ok(Found { types: all.into_keys().flatten().collect(), ..found })
}

/// How many cases about a subject, which are not `hidden`, have which types.
async fn counts(
    store: &Store,
    states: &[&str],
    subject: &CaseSubject,
    hidden: &[(Case, &Mute)],
) -> Result<BTreeMap<BTreeSet<ExceptionType>, usize>, StoreError> {
    let mut counts = store.count_case_types_about(states, subject).await?;
    // The index knows no mutes: what they hide is in its counts.
    let counted = |case: &Case| states.contains(&case.state.name()) && subject.fits(&case.subject);
    for (case, _) in hidden.iter().filter(|(case, _)| counted(case)) {
        if let Some(count) = counts.get_mut(&case.codes.iter().copied().collect::<BTreeSet<_>>()) {
            *count = count.saturating_sub(1);
        }
    }
    counts.retain(|_, count| *count > 0);
    Ok(counts)
}

/// Those that are not `hidden`. Where the index has what is asked for, cases behind the last one wanted are counted and not read.
async fn listed(store: &Store, wanted: &Wanted<'_>, hidden: &[(Case, &Mute)]) -> Result<Found, StoreError> {
    let subject = &wanted.about.subject;
    let counts = counts(store, wanted.states, subject, hidden).await?;
    let of: usize =
        counts.iter().filter(|(types, _)| wanted.code.is_none_or(|code| types.contains(&code))).map(|(_, n)| n).sum();
    let unseen: BTreeSet<&CaseId> = hidden.iter().map(|(case, _)| &case.id).collect();
    let indexed = wanted.about.is_indexed();
    // Where the index has the order, nothing behind the page is read.
    let enough = if indexed { (wanted.skip + wanted.limit + wanted.except.len()).min(LOOK_MAX) } else { usize::MAX };
    let (mut cases, mut after, mut looked, mut is_last) = (Vec::new(), None, 0, false);
    while !is_last && cases.len() < enough && looked < LOOK_MAX {
        let some = enough.min(CHUNK);
        let page = store.list_cases_about(wanted.states, wanted.code, subject, after.as_ref(), some).await?;
        is_last = page.len() < some;
        looked += page.len();
        after = page.last().map(CaseAfter::of);
        let seen = page.into_iter().filter(|case| !unseen.contains(&case.id)).collect();
        cases.extend(fitting(store, wanted, seen).await?);
    }
    let types = counts.into_keys().flatten().collect();
    let found = paged(wanted, cases, types, !indexed && !is_last);
    let excepted = excepted(store, wanted, &unseen).await?;
    // What the index counts was not all read.
    let (of, cut) = if indexed { (of, of > LOOK_MAX) } else { (found.of + excepted.len(), found.cut) };
    Ok(Found { excepted, of, cut, ..found })
}

/// Those of the ones to be left out that are in the states, not hidden, and about what is asked for: found by their ids, for they may
/// stand anywhere in the order.
async fn excepted(store: &Store, wanted: &Wanted<'_>, unseen: &BTreeSet<&CaseId>) -> Result<Vec<Case>, StoreError> {
    let ids: Vec<&CaseId> = wanted.except.iter().filter(|id| !unseen.contains(id)).collect();
    let mut cases: Vec<Case> = store.list_cases_of(&ids).await?.into_values().collect();
    cases.retain(|case| wanted.states.is_empty() || wanted.states.contains(&case.state.name()));
    fitting(store, wanted, cases).await
}

/// Those of the type that are about what is asked for.
async fn fitting(store: &Store, wanted: &Wanted<'_>, mut cases: Vec<Case>) -> Result<Vec<Case>, StoreError> {
    cases.retain(|case| wanted.code.is_none_or(|code| case.codes.contains(&code)));
    if *wanted.about != About::default() {
        // Names cost a query for each page: they are read only where somebody looks for words.
        let names = if wanted.about.has_words() {
            Names::about(store, cases.iter().map(|case| &case.subject)).await?
        } else {
            Names::default()
        };
        cases.retain(|case| wanted.about.fits(case, &names));
    }
    Ok(cases)
}

/// The page of `cases`, which come by priority.
fn paged(wanted: &Wanted<'_>, mut cases: Vec<Case>, types: BTreeSet<ExceptionType>, cut: bool) -> Found {
    cases.retain(|case| !wanted.except.contains(&case.id));
    wanted.about.sort.order(&mut cases);
    let of = cases.len();
    let cases = cases.into_iter().skip(wanted.skip).take(wanted.limit).collect();
    Found { cases, excepted: Vec::new(), of, cut, types, muted: None }
}

/// The best recommendation of each case that still counts, as it is shown while drills wait.
pub(super) async fn first_recommendations(
    store: &Store,
    cases: &[&Case],
) -> Result<BTreeMap<CaseId, Recommendation>, StoreError> {
    let ids: Vec<&CaseId> = cases.iter().map(|case| &case.id).collect();
    let uncounted = [RecommendationState::Drafted.name(), RecommendationState::Superseded.name()];
    noise::first_recommendations(store, &ids, States::NotIn(&uncounted), drill::cards).await
}

#[cfg(test)]
mod tests {
    use super::super::queue_filter::Filter;
    use super::*;
    use crate::domain::case::CaseState;
    use crate::domain::exception::ExceptionType as T;
    use crate::domain::ids::{PersonId, RecommendationId};
    use crate::domain::mute::MuteScope;
    use crate::store::testing::{at, case_of, entry, on_each, recommendation};
    use crate::store::{Drill, NewMute};

    const TYPES: [T; 3] = [T::RShort, T::RLate, T::FPrice];

    /// Thirty cases, some alike, some unranked, some of two types; a mute that hides some, and the order in which they come.
    async fn filled(store: &Store) -> Vec<Case> {
        for n in 0_i64..30 {
            let types = if n % 5 == 0 { vec![TYPES[0], TYPES[1]] } else { vec![TYPES[n as usize % 3]] };
            let (mut case, exceptions) = case_of(&format!("case-{n:02}"), &types, 100 * (n % 7));
            case.rank = case.rank.filter(|_| n % 11 != 3);
            case.state = if n % 2 == 0 { CaseState::New } else { CaseState::Open };
            store.save_detection(&exceptions, &[(case, None)], &[], &[entry("case.opened")], None).await.unwrap();
        }
        let (owner, until) = (PersonId::new("pia"), "2025-12-01".parse().unwrap());
        let mute = crate::domain::mute::Mute::new(T::RLate, MuteScope::All, owner, "known".into(), at(0), until);
        let today = "2025-10-09".parse().unwrap();
        store.insert_mute(&NewMute { mute: &mute, today, seen: None }, &[]).await.unwrap();
        store.list_cases(CaseState::UNDECIDED).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_found_is_what_reading_everything_finds() {
        on_each(|store| async move {
            let config = Config::load_from(None, &[]).unwrap();
            let all = filled(&store).await;
            let muting = Muting::load(&store, &config, at(0)).await.unwrap();
            let mut hidden = Vec::new();
            for case in &all {
                let exceptions = store.list_case_exceptions(&case.id).await.unwrap();
                hidden.extend(muting.hider(case, &exceptions).map(|_| case.id.clone()));
            }
            // Some are hidden and some are not, or the comparison below would show nothing.
            assert!(hidden.len() > 3 && hidden.len() < 10, "{hidden:?}");
            for muted in [None, Some(Shown::Hidden), Some(Shown::Rest)] {
                for code in [None, Some(T::RShort), Some(T::RLate), Some(T::TLate)] {
                    let in_view = |case: &&Case| match muted {
                        None => true,
                        Some(Shown::Hidden) => hidden.contains(&case.id),
                        Some(Shown::Rest) => !hidden.contains(&case.id),
                    };
                    let view: Vec<&Case> = all.iter().filter(in_view).collect();
                    let of_type = |case: &&&Case| code.is_none_or(|code| case.codes.contains(&code));
                    let wanted: Vec<Case> = view.iter().filter(of_type).map(|case| (*case).clone()).collect();
                    for limit in [1, 4, 100] {
                        let (about, except) = (About::default(), BTreeSet::new());
                        let states = CaseState::UNDECIDED;
                        let asked = Wanted { states, code, muted, about: &about, except: &except, skip: 0, limit };
                        let found = find(&store, &config, at(0), &asked).await.unwrap();
                        assert_eq!(found.of, wanted.len(), "{muted:?} {code:?}");
                        assert_eq!(found.cases, wanted[..limit.min(wanted.len())], "{muted:?} {code:?} {limit}");
                        assert_eq!(found.types, view.iter().flat_map(|case| case.codes.clone()).collect());
                        assert_eq!(found.muted.is_some(), muted.is_some());
                    }
                }
            }
        })
        .await;
    }

    #[tokio::test]
    async fn pages_of_what_has_no_index_put_together_are_what_fits_in_the_order_that_was_asked_for() {
        on_each(|store| async move {
            let config = Config::load_from(None, &[]).unwrap();
            let all = filled(&store).await;
            let except: BTreeSet<CaseId> = [all[3].id.clone(), all[17].id.clone(), CaseId::new("case-99")].into();
            for query in [
                "",
                "text=1",
                "sort=newest",
                "sort=stake&text=case",
                "owner=-&sort=deadline",
                "supplier=none",
                "item=75",
                "item=75&place=3&text=1",
            ] {
                let about = Filter::of_query(query).about();
                let mut wanted: Vec<Case> = all.iter().filter(|case| about.fits(case, &Names::default())).cloned().collect();
                let apart = wanted.iter().filter(|case| except.contains(&case.id)).count();
                let of = wanted.len();
                wanted.retain(|case| !except.contains(&case.id));
                about.sort.order(&mut wanted);
                let mut paged = Vec::new();
                for page in 0..8 {
                    let (states, code, muted) = (CaseState::UNDECIDED, None, None);
                    let asked = Wanted { states, code, muted, about: &about, except: &except, skip: page * 4, limit: 4 };
                    let found = find(&store, &config, at(0), &asked).await.unwrap();
                    assert_eq!((found.of, found.excepted.len(), found.cut), (of, apart, false), "{query}");
                    assert!(found.cases.len() <= 4);
                    paged.extend(found.cases);
                }
                assert_eq!(paged, wanted, "{query}");
            }
        })
        .await;
    }

    #[tokio::test]
    async fn the_first_of_each_case_is_what_reading_everything_finds_also_where_drills_stand() {
        use RecommendationState as State;
        on_each(|store| async move {
            let all = filled(&store).await;
            for (n, case) in all.iter().enumerate() {
                let state = |rank: usize| match (n + rank) % 4 {
                    0 => State::Superseded,
                    1 => State::Drafted,
                    _ => State::Queued,
                };
                let recs: Vec<Recommendation> =
                    (1..=3).map(|rank| recommendation(case, rank, state(rank as usize))).collect();
                let next = Case { version: case.version + 1, ..case.clone() };
                store.replace_recommendations(&next, case.version, &recs, &[]).await.unwrap();
            }
            let kept = store.list_recommendations_in(&[]).await.unwrap();
            let first = kept.iter().find(|(rec, _)| rec.rank == 1 && rec.state == State::Queued).unwrap().0.clone();
            let wrong = Recommendation { id: RecommendationId::new("r-wrong"), ..first.clone() };
            let drill = Drill {
                recommendation_id: wrong.id.clone(),
                case_id: first.case_id.clone(),
                instead_of: first.id.clone(),
                day: "2025-10-09".parse().unwrap(),
                field: "quantity".into(),
                what: "it said 400".into(),
                planted_at: at(0),
                end: None,
            };
            store.plant_drill(&wrong, &drill, &[]).await.unwrap();
            let mut wanted: BTreeMap<CaseId, Recommendation> = BTreeMap::new();
            let shown = drill::cards(store.list_recommendations_in(&[]).await.unwrap(), &store.list_drills().await.unwrap());
            for (rec, _) in shown.into_iter().filter(|(rec, _)| rec.state.counts()) {
                wanted.entry(rec.case_id.clone()).or_insert(rec);
            }
            assert_eq!(wanted[&first.case_id].id, wrong.id, "the drill stands for it");
            assert_eq!(first_recommendations(&store, &all.iter().collect::<Vec<_>>()).await.unwrap(), wanted);
        })
        .await;
    }
}
