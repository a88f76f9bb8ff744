//! Notices: what a person should know about, each given once. They ask; they never decide.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::{Store, StoreError, row};
use crate::domain::audit::BY_COMMAND;
use crate::domain::ids::{CaseId, PersonId, RecommendationId, content_id};

/// Why somebody is told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Something was passed on to them by name.
    Forwarded,
    /// What they passed on came back.
    Returned,
    /// It waits too long, for the first time.
    Reminded,
    /// It waits too long, and they are the next who are asked.
    Escalated,
    /// They stand in for somebody, or no longer do.
    Delegated,
    /// Something does not leave the house.
    Undelivered,
    /// Something was done in their name by a command at the machine, where anybody can give any name.
    ByCommand,
}

impl NoticeKind {
    const ALL: [Self; 7] = [
        Self::Forwarded,
        Self::Returned,
        Self::Reminded,
        Self::Escalated,
        Self::Delegated,
        Self::Undelivered,
        Self::ByCommand,
    ];

    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Forwarded => "forwarded",
            Self::Returned => "returned",
            Self::Reminded => "reminded",
            Self::Escalated => "escalated",
            Self::Delegated => "delegated",
            Self::Undelivered => "undelivered",
            Self::ByCommand => "by_command",
        }
    }
}

/// Something that a person should know about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The same notice has the same id: it is given once.
    pub id: String,
    /// To whom.
    pub person: PersonId,
    /// Why.
    pub kind: NoticeKind,
    /// About which case, where it is about one.
    pub case_id: Option<CaseId>,
    /// About which recommendation, where it is about one.
    pub recommendation_id: Option<RecommendationId>,
    /// In a sentence.
    pub said: String,
    /// Since when.
    pub at: Timestamp,
    /// When they said that they have seen it.
    pub seen_at: Option<Timestamp>,
}

impl Notice {
    /// A notice to `person`; `occasion` tells it from others of its kind to them (a step of a chain, a day).
    pub fn new(person: &PersonId, kind: NoticeKind, occasion: &[&str], said: String, at: Timestamp) -> Self {
        let mut parts = vec![person.as_str(), kind.name()];
        parts.extend(occasion);
        let id = content_id("n-", &parts, 16);
        Self { id, person: person.clone(), kind, case_id: None, recommendation_id: None, said, at, seen_at: None }
    }

    /// The same about a recommendation of a case.
    #[must_use]
    pub fn about(mut self, case: &CaseId, recommendation: Option<&RecommendationId>) -> Self {
        self.case_id = Some(case.clone());
        self.recommendation_id = recommendation.cloned();
        self
    }
}

const TABLE: &str = "notices";

impl Store {
    /// What `person` is told of something that was done in their name, where it was done by command: there anybody can give
    /// any name. `occasion` tells it from others, as in [`Notice::new`].
    pub(crate) fn told_by_command(
        &self,
        channel: &str,
        person: &PersonId,
        occasion: &[&str],
        what: &str,
        at: Timestamp,
    ) -> Option<Notice> {
        let said = || format!("By command, by {} at the machine, in your name: {what}", self.os_user());
        (channel == BY_COMMAND).then(|| Notice::new(person, NoticeKind::ByCommand, occasion, said(), at))
    }

    /// What a person has not yet said to have seen, newest first: of notices that ask about a recommendation or a case only
    /// those that still wait for somebody. What was done in their name by command, and what did not leave, is told anyhow.
    pub async fn list_notices(&self, person: &PersonId) -> Result<Vec<Notice>, StoreError> {
        let rows = sqlx::query(
            "select n.id, n.person, n.kind, n.case_id, n.recommendation_id, n.said, n.at, n.seen_at
             from notices n
             left join recommendations r on r.id = n.recommendation_id
             left join cases c on c.id = n.case_id
             where n.person = $1 and n.seen_at is null
                 and (n.kind in ('undelivered', 'by_command') or (
                     (n.recommendation_id is null or r.state in ('queued', 'signed', 'forwarded', 'escalated'))
                     and (n.case_id is null or c.state in ('new', 'open', 'snoozed'))
                 ))
             order by n.at desc, n.id",
        )
        .bind(person.as_str())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(notice).collect()
    }

    /// How many notices of this kind a person was given at or after `since`.
    pub async fn count_notices(&self, person: &PersonId, kind: NoticeKind, since: Timestamp) -> Result<i64, StoreError> {
        let found =
            sqlx::query("select 'all' as id, count(*) as n from notices where person = $1 and kind = $2 and at >= $3")
                .bind(person.as_str())
                .bind(kind.name())
                .bind(row::ms(since))
                .fetch_one(&self.pool)
                .await?;
        row::get(&found, TABLE, "n")
    }

    /// A person has seen a notice. Nothing happens when it is not theirs or was seen before.
    pub async fn see_notice(&self, id: &str, person: &PersonId, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query("update notices set seen_at = $1 where id = $2 and person = $3 and seen_at is null")
            .bind(row::ms(at))
            .bind(id)
            .bind(person.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

/// Gives a notice, unless it was given before.
pub(super) async fn insert(tx: &mut Transaction<'_, Any>, notice: &Notice) -> Result<(), StoreError> {
    sqlx::query(
        "insert into notices (id, person, kind, case_id, recommendation_id, said, at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (id) do nothing",
    )
    .bind(notice.id.as_str())
    .bind(notice.person.as_str())
    .bind(notice.kind.name())
    .bind(notice.case_id.as_ref().map(|id| id.0.clone()))
    .bind(notice.recommendation_id.as_ref().map(|id| id.0.clone()))
    .bind(row::clean(&notice.said))
    .bind(row::ms(notice.at))
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn notice(r: &AnyRow) -> Result<Notice, StoreError> {
    let kind: String = row::get(r, TABLE, "kind")?;
    let known = NoticeKind::ALL.into_iter().find(|k| k.name() == kind);
    Ok(Notice {
        id: row::get(r, TABLE, "id")?,
        person: PersonId(row::get(r, TABLE, "person")?),
        kind: known.ok_or_else(|| row::corrupt(r, TABLE, "kind", format!("{kind:?} is no kind of notice").into()))?,
        case_id: row::get::<Option<String>>(r, TABLE, "case_id")?.map(CaseId),
        recommendation_id: row::get::<Option<String>>(r, TABLE, "recommendation_id")?.map(RecommendationId),
        said: row::get(r, TABLE, "said")?,
        at: row::time(r, TABLE, "at")?,
        seen_at: row::time_opt(r, TABLE, "seen_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::CaseState;
    use crate::domain::decision::RecommendationState as State;
    use crate::domain::recommendation::Recommendation;
    use crate::store::Change;
    use crate::store::testing::{at, entry, moved, on_each, recommendation, with_case};

    #[tokio::test]
    async fn a_notice_is_given_once_and_goes_with_what_it_is_about() {
        on_each(|store| async move {
            let case = with_case(&store, "case-1", 100).await;
            let case = moved(&case, CaseState::Open);
            let rec = recommendation(&case, 1, State::Queued);
            store.replace_recommendations(&case, 1, std::slice::from_ref(&rec), &[entry("drafted")]).await.unwrap();
            let bob = PersonId::new("bob");
            let told = Notice::new(&bob, NoticeKind::Forwarded, &[rec.id.as_str()], "ada asks you".into(), at(1));
            let told = told.about(&case.id, Some(&rec.id));
            let alone = Notice::new(&bob, NoticeKind::Delegated, &["d-1"], "you stand in for ada".into(), at(2));
            for _ in 0..2 {
                let notices = [told.clone(), alone.clone()];
                let change = Change { notices: &notices, entries: &[entry("passed on")], ..Change::default() };
                store.advance(change).await.unwrap();
            }
            assert_eq!(store.list_notices(&bob).await.unwrap(), [alone.clone(), told.clone()]);
            assert_eq!(store.count_notices(&bob, NoticeKind::Forwarded, at(0)).await.unwrap(), 1);
            assert!(store.list_notices(&PersonId::new("ada")).await.unwrap().is_empty());
            store.see_notice(&alone.id, &PersonId::new("ada"), at(3)).await.unwrap();
            store.see_notice(&alone.id, &bob, at(3)).await.unwrap();
            assert_eq!(store.list_notices(&bob).await.unwrap(), [told]);
            let done = Recommendation { state: State::Superseded, ..rec };
            let change = Change { recommendations: &[(done, 1)], entries: &[entry("superseded")], ..Change::default() };
            store.advance(change).await.unwrap();
            assert!(store.list_notices(&bob).await.unwrap().is_empty());
        })
        .await;
    }
}
