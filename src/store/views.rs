//! When people first opened what they decide: once for each person and content.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{Store, StoreError, row};
use crate::domain::ids::{CaseId, PersonId, RecommendationId};

/// Somebody saw a content for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Who.
    pub person: PersonId,
    /// What.
    pub recommendation_id: RecommendationId,
    /// Of which case.
    pub case_id: CaseId,
    /// The content as it was.
    pub content_hash: String,
    /// Where: `web`, `api` or `cli`.
    pub channel: String,
    /// When.
    pub opened_at: Timestamp,
}

impl Store {
    /// Keeps views; one that was there before stays as it was: the first time counts.
    pub async fn keep_views(&self, views: &[View]) -> Result<(), StoreError> {
        if views.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        for view in views {
            sqlx::query(
                "insert into views (person, recommendation_id, case_id, content_hash, channel, opened_at)
                 values ($1, $2, $3, $4, $5, $6) on conflict (recommendation_id, person, content_hash) do nothing",
            )
            .bind(view.person.as_str())
            .bind(view.recommendation_id.as_str())
            .bind(view.case_id.as_str())
            .bind(view.content_hash.as_str())
            .bind(view.channel.as_str())
            .bind(row::ms(view.opened_at))
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }

    /// The views of everything that was decided at or after `since`, oldest first: a view may be older than that.
    pub async fn list_views_of_decided(&self, since: Timestamp) -> Result<Vec<View>, StoreError> {
        let rows = sqlx::query(
            "select recommendation_id, person, case_id, content_hash, channel, opened_at from views
             where recommendation_id in (select recommendation_id from decisions where at >= $1)
             order by opened_at, recommendation_id, person",
        )
        .bind(row::ms(since))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(view).collect()
    }
}

fn view(r: &AnyRow) -> Result<View, StoreError> {
    Ok(View {
        person: PersonId(row::get(r, "views", "person")?),
        recommendation_id: RecommendationId(row::get(r, "views", "recommendation_id")?),
        case_id: CaseId(row::get(r, "views", "case_id")?),
        content_hash: row::get(r, "views", "content_hash")?,
        channel: row::get(r, "views", "channel")?,
        opened_at: row::time(r, "views", "opened_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::case::CaseState;
    use crate::domain::decision::RecommendationState;
    use crate::store::testing::{at, moved, on_each, recommendation, with_case};

    #[tokio::test]
    async fn the_first_time_a_person_sees_a_content_counts() {
        on_each(|store| async move {
            let case = with_case(&store, "case-1", 100).await;
            let rec = recommendation(&case, 1, RecommendationState::Queued);
            let open = moved(&case, CaseState::Open);
            store.replace_recommendations(&open, 1, std::slice::from_ref(&rec), &[]).await.unwrap();
            let view = |person: &str, content: &str, ms: i64| View {
                person: PersonId::new(person),
                recommendation_id: rec.id.clone(),
                case_id: case.id.clone(),
                content_hash: content.to_owned(),
                channel: "web".to_owned(),
                opened_at: at(ms),
            };
            let first = [view("ada", "c1", 10), view("bob", "c1", 20)];
            store.keep_views(&first).await.unwrap();
            store.keep_views(&[view("ada", "c1", 90), view("ada", "c2", 95)]).await.unwrap();
            assert!(store.list_views_of_decided(at(0)).await.unwrap().is_empty(), "nothing was decided yet");
            sqlx::query(
                "insert into decisions (id, case_id, recommendation_id, person, verb, content_hash, note, value_minor, at, body)
                 select 'd1', case_id, id, 'ada', 'approve', 'c1', '', 0, $1, '{}' from recommendations",
            )
            .bind(row::ms(at(100)))
            .execute(&store.pool)
            .await
            .unwrap();
            let kept = store.list_views_of_decided(at(100)).await.unwrap();
            assert_eq!(kept, [first[0].clone(), first[1].clone(), view("ada", "c2", 95)]);
            assert!(store.list_views_of_decided(at(101)).await.unwrap().is_empty());
        })
        .await;
    }
}
