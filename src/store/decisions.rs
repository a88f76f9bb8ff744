//! Decisions: who decided what about which content, once for each idempotency key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Store, StoreError, row};
use crate::domain::action::Action;
use crate::domain::case::Case;
use crate::domain::decision::{DecisionVerb, RejectReason};
use crate::domain::ids::{CaseId, ItemId, PersonId, RecommendationId, SupplierId};
use crate::domain::money::Money;
use crate::domain::recommendation::Recommendation;

/// A decision as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct DecisionRow {
    /// The click's idempotency key.
    pub id: String,
    /// About which case.
    pub case_id: CaseId,
    /// About which of its recommendations.
    pub recommendation_id: RecommendationId,
    /// Who.
    pub person: PersonId,
    /// What.
    pub verb: DecisionVerb,
    /// The hash of the content they saw.
    pub content_hash: String,
    /// Why, where one is needed.
    pub reason: Option<RejectReason>,
    /// What they wrote beside it. Text from outside.
    pub note: String,
    /// What the decision commits, writes off or claims: counts towards limits.
    pub value: Money,
    /// When.
    pub at: Timestamp,
    /// Anything else worth keeping: edited values, policy version.
    pub body: Value,
}

/// What a decision was about beside its recommendation, as it was when it was made: kept in its body, among what the door of
/// decisions keeps there to answer the same click the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circumstances {
    /// For whom, nearest first, where somebody stood in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_behalf_of: Vec<PersonId>,
    /// What an approval counts by; of a plan, its first step.
    #[serde(flatten)]
    pub about: About,
    /// Of a plan, what its further steps count by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then_about: Vec<About>,
    /// The codes of the actions of its steps, so that what it counts for is read without its recommendation. Empty in what was kept
    /// before this was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
}

impl Circumstances {
    /// Those of a decision made for `on_behalf_of` on these actions, each of which is `about` this.
    pub fn of(on_behalf_of: Vec<PersonId>, actions: Vec<String>, about: Vec<About>) -> Self {
        let mut steps = about.into_iter();
        Self { on_behalf_of, about: steps.next().unwrap_or_default(), then_about: steps.collect(), actions }
    }
}

/// What values count together by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemId>,
    /// The supplier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supplier: Option<SupplierId>,
}

impl DecisionRow {
    /// What it was about. One that was kept before this was, or not by the door of decisions, says nothing.
    pub fn circumstances(&self) -> Circumstances {
        Circumstances::deserialize(&self.body).unwrap_or_default()
    }
}

/// What a standing approval counts for towards cumulative limits (handbook §9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedValue {
    /// Two signatures on one recommendation are two of these, and so are two steps of it.
    pub recommendation_id: RecommendationId,
    /// Whose.
    pub case_id: CaseId,
    /// The item and the supplier that the step is about.
    pub about: About,
    /// Who decided.
    pub person: PersonId,
    /// For whom, nearest first, where they stood in for somebody.
    pub on_behalf_of: Vec<PersonId>,
    /// The code of the step's action.
    pub action: String,
    /// How much, all steps together.
    pub value: Money,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// The decision made under this idempotency key.
    pub async fn find_decision(&self, key: &str) -> Result<Option<DecisionRow>, StoreError> {
        let sql = format!("select {COLUMNS} from decisions where id = $1");
        // Safe: the text is made of our own words only; so it is below.
        let found = sqlx::query(AssertSqlSafe(sql)).bind(key).fetch_optional(&self.pool).await?;
        found.map(|r| decision(&r)).transpose()
    }

    /// How many approvals and undos there ever were: what moves the sums that limits are compared with.
    pub async fn count_decisions(&self) -> Result<i64, StoreError> {
        count(&self.pool).await
    }

    /// How many decisions were made before `until`.
    pub async fn count_decisions_before(&self, until: Timestamp) -> Result<i64, StoreError> {
        let row = sqlx::query("select 'before' as id, count(*) as n from decisions where at < $1")
            .bind(row::ms(until))
            .fetch_one(&self.pool)
            .await?;
        row::get(&row, TABLE, "n")
    }

    /// The decisions made at or after `since`, oldest first.
    pub async fn list_decisions(&self, since: Timestamp) -> Result<Vec<DecisionRow>, StoreError> {
        let sql = format!("select {COLUMNS} from decisions where at >= $1 order by at, id");
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(row::ms(since)).fetch_all(&self.pool).await?;
        rows.iter().map(decision).collect()
    }

    /// The decisions made before `until`, oldest first, each without what else it keeps in its body.
    pub async fn list_verdicts_before(&self, until: Timestamp) -> Result<Vec<DecisionRow>, StoreError> {
        let rows = sqlx::query(
            "select id, case_id, recommendation_id, person, verb, content_hash, reason, note, value_minor, at, 'null' as body
             from decisions where at < $1 order by at, id",
        )
        .bind(row::ms(until))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(decision).collect()
    }

    /// The decisions made about `cases`, oldest first.
    pub async fn list_decisions_about(&self, cases: &[&CaseId]) -> Result<Vec<DecisionRow>, StoreError> {
        let mut found = Vec::new();
        for some in cases.chunks(CASES) {
            let places = row::placeholders(1, some.len());
            let sql = format!("select {COLUMNS} from decisions where case_id in ({places})");
            let mut query = sqlx::query(AssertSqlSafe(sql));
            for case in some {
                query = query.bind(case.as_str());
            }
            for r in &query.fetch_all(&self.pool).await? {
                found.push(decision(r)?);
            }
        }
        found.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        Ok(found)
    }

    /// The cases on which something was decided, or of which an outcome was read, from `from` on and before `until`, each once, by id.
    pub async fn list_cases_decided_between(&self, from: Timestamp, until: Timestamp) -> Result<Vec<CaseId>, StoreError> {
        let rows = sqlx::query(
            "select case_id from decisions where at >= $1 and at < $2
             union
             select r.case_id from outcomes o join recommendations r on r.id = o.recommendation_id where o.at >= $1 and o.at < $2
             order by case_id",
        )
        .bind(row::ms(from))
        .bind(row::ms(until))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| Ok(CaseId(row::get(r, TABLE, "case_id")?))).collect()
    }

    /// The decisions made on one case, oldest first.
    pub async fn list_decisions_of(&self, case: &CaseId) -> Result<Vec<DecisionRow>, StoreError> {
        self.list_decisions_by("case_id", case.as_str()).await
    }

    /// The decisions made on one recommendation, oldest first.
    pub async fn list_decisions_on(&self, id: &RecommendationId) -> Result<Vec<DecisionRow>, StoreError> {
        self.list_decisions_by("recommendation_id", id.as_str()).await
    }

    async fn list_decisions_by(&self, column: &'static str, value: &str) -> Result<Vec<DecisionRow>, StoreError> {
        let sql = format!("select {COLUMNS} from decisions where {column} = $1 order by at, id");
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(value).fetch_all(&self.pool).await?;
        rows.iter().map(decision).collect()
    }

    /// What was approved at or after `since` and still stands, signatures included; what was undone, refused or put off
    /// does not count. Oldest first.
    pub async fn decided_values(&self, since: Timestamp) -> Result<Vec<DecidedValue>, StoreError> {
        // Asked at every click, so it reads what the decisions themselves keep, and no recommendation.
        let sql = standing("d.body");
        // Safe: the text is made of our own words only.
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(row::ms(since)).fetch_all(&self.pool).await?;
        // All of them or none: where one was kept before its actions were, all are read with their recommendations.
        let kept: Option<Vec<Vec<DecidedValue>>> = rows.iter().map(kept_values).collect::<Result<_, _>>()?;
        if let Some(values) = kept {
            return Ok(values.into_iter().flatten().collect());
        }
        let sql = standing("d.body, r.body as recommendation, c.body as subject");
        // Safe: as above.
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(row::ms(since)).fetch_all(&self.pool).await?;
        let values: Vec<Vec<DecidedValue>> = rows.iter().map(decided_values).collect::<Result<_, _>>()?;
        Ok(values.into_iter().flatten().collect())
    }
}

const TABLE: &str = "decisions";

/// What is read of a decision.
const COLUMNS: &str = "id, case_id, recommendation_id, person, verb, content_hash, reason, note, value_minor, at, body";

/// Cases that one statement names.
const CASES: usize = 500;

/// How many approvals and undos there are. None is ever deleted.
pub(super) async fn count<'e>(executor: impl sqlx::Executor<'e, Database = Any>) -> Result<i64, StoreError> {
    let row = sqlx::query("select 'all' as id, count(*) as n from decisions where verb in ('approve', 'undo')")
        .fetch_one(executor)
        .await?;
    row::get(&row, TABLE, "n")
}

pub(super) fn decision(r: &AnyRow) -> Result<DecisionRow, StoreError> {
    let unknown = |column, found: &str| row::corrupt(r, TABLE, column, format!("{found:?} is no {column}").into());
    let (verb, reason): (&str, Option<&str>) = (row::get(r, TABLE, "verb")?, row::get(r, TABLE, "reason")?);
    let coded = |code: &str| RejectReason::coded(code).ok_or_else(|| unknown("reason", code));
    Ok(DecisionRow {
        id: row::get(r, TABLE, "id")?,
        case_id: CaseId(row::get(r, TABLE, "case_id")?),
        recommendation_id: RecommendationId(row::get(r, TABLE, "recommendation_id")?),
        person: PersonId(row::get(r, TABLE, "person")?),
        verb: DecisionVerb::kept(verb).ok_or_else(|| unknown("verb", verb))?,
        content_hash: row::get(r, TABLE, "content_hash")?,
        reason: reason.map(coded).transpose()?,
        note: row::get(r, TABLE, "note")?,
        value: Money::from_minor(row::get(r, TABLE, "value_minor")?),
        at: row::time(r, TABLE, "at")?,
        body: row::json(r, TABLE, "body")?,
    })
}

/// The decisions without those that were taken back, oldest first as given.
pub fn not_undone<'a>(decisions: impl Iterator<Item = &'a DecisionRow>) -> Vec<&'a DecisionRow> {
    let mut left: Vec<&DecisionRow> = Vec::new();
    for decision in decisions {
        if decision.verb == DecisionVerb::Undo {
            let undone = |d: &&DecisionRow| d.recommendation_id == decision.recommendation_id && d.person == decision.person;
            if let Some(place) = left.iter().rposition(undone) {
                left.remove(place);
            }
        } else {
            left.push(decision);
        }
    }
    left
}

/// The approvals from a time on that still stand, with these columns of the decision, its recommendation and its case.
fn standing(columns: &str) -> String {
    format!(
        "select d.id, d.recommendation_id, d.case_id, d.person, d.value_minor, d.at, {columns}
         from decisions d
         join recommendations r on r.id = d.recommendation_id
         join cases c on c.id = d.case_id
         where d.at >= $1 and d.verb = 'approve'
             and r.state in ('signed', 'forwarded', 'escalated', 'approved', 'approved_with_edit', 'handed_off', 'carried_out', 'partly',
                 'not_carried_out')
         order by d.at, d.id"
    )
}

/// What a decision was about, as its body has it.
fn circumstances(r: &AnyRow) -> Result<Circumstances, StoreError> {
    let body: Value = row::json(r, TABLE, "body")?;
    if body.is_null() {
        return Ok(Circumstances::default());
    }
    // Limits are counted by it: what can not be read is not taken for nothing.
    Circumstances::deserialize(&body).map_err(|error| row::corrupt(r, TABLE, "body", error.into()))
}

/// What an approval counts for, step by step, from what it keeps itself; None where it was kept before its actions were.
fn kept_values(r: &AnyRow) -> Result<Option<Vec<DecidedValue>>, StoreError> {
    let then = circumstances(r)?;
    if then.actions.is_empty() {
        return Ok(None);
    }
    let about = std::iter::once(&then.about).chain(&then.then_about);
    let steps = then.actions.iter().zip(about);
    Ok(Some(steps.map(|(action, about)| value(r, action, about.clone(), &then)).collect::<Result<_, _>>()?))
}

/// The same from its recommendation and its case. Both may have moved on since: what was kept goes first.
fn decided_values(r: &AnyRow) -> Result<Vec<DecidedValue>, StoreError> {
    let recommendation: Recommendation = row::json(r, TABLE, "recommendation")?;
    let case: Case = row::json(r, TABLE, "subject")?;
    let then = circumstances(r)?;
    let nothing = About::default();
    let kept = std::iter::once(&then.about).chain(&then.then_about).chain(std::iter::repeat(&nothing));
    let of_step = |(action, kept): (&Action, &About)| {
        let about = About {
            item: action.item().or(kept.item.as_ref()).or(case.subject.item.as_ref()).cloned(),
            supplier: action.supplier().or(kept.supplier.as_ref()).or(case.subject.supplier.as_ref()).cloned(),
        };
        value(r, action.code(), about, &then)
    };
    recommendation.candidate.actions().zip(kept).map(of_step).collect()
}

fn value(r: &AnyRow, action: &str, about: About, then: &Circumstances) -> Result<DecidedValue, StoreError> {
    Ok(DecidedValue {
        recommendation_id: RecommendationId(row::get(r, TABLE, "recommendation_id")?),
        case_id: CaseId(row::get(r, TABLE, "case_id")?),
        about,
        person: PersonId(row::get(r, TABLE, "person")?),
        on_behalf_of: then.on_behalf_of.clone(),
        action: action.to_owned(),
        value: Money::from_minor(row::get(r, TABLE, "value_minor")?),
        at: row::time(r, TABLE, "at")?,
    })
}

/// Keeps a decision, once.
pub(super) async fn insert(tx: &mut Transaction<'_, Any>, decision: &DecisionRow) -> Result<(), StoreError> {
    let done = sqlx::query(
        "insert into decisions
             (id, case_id, recommendation_id, person, verb, content_hash, reason, note, value_minor, at, body)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         on conflict (id) do nothing",
    )
    .bind(decision.id.as_str())
    .bind(decision.case_id.as_str())
    .bind(decision.recommendation_id.as_str())
    .bind(decision.person.as_str())
    .bind(decision.verb.name())
    .bind(decision.content_hash.as_str())
    .bind(decision.reason.map(RejectReason::code))
    .bind(row::clean(&decision.note))
    .bind(decision.value.minor)
    .bind(row::ms(decision.at))
    .bind(row::body(&decision.body))
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Duplicate);
    }
    Ok(())
}
