//! What people have set live, in shadow or off: steps that are added and never changed. Of each scope the last one counts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{Notice, Store, StoreError, audit, notices, row};
use crate::domain::audit::AuditEntry;
use crate::domain::hand::Hand;
use crate::domain::ids::PersonId;
use crate::domain::mode::{Mode, ModeScope};

const TABLE: &str = "modes";

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It holds from now on.
    Set,
    /// It waits for a second person.
    Proposed,
}

impl Step {
    /// The name in the store and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Proposed => "proposed",
        }
    }
}

/// A step of a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModeStep {
    /// Its number, from 1.
    pub seq: i64,
    /// About what.
    pub scope: ModeScope,
    /// Whether it holds.
    pub step: Step,
    /// The mode; None takes back what was set.
    pub mode: Option<Mode>,
    /// Who.
    pub by: PersonId,
    /// When, in business time.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: String,
    /// Whose hand it could have been; None where that is not known.
    pub hand: Option<Hand>,
}

impl Store {
    /// All steps, oldest first.
    pub async fn list_mode_steps(&self) -> Result<Vec<ModeStep>, StoreError> {
        let rows = sqlx::query("select seq, scope, step, mode, set_by, set_at, reason, hand from modes order by seq")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(step).collect()
    }

    /// Adds a step, with who is told and the audit entry. Its number is the one after the last that was seen.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else added one since.
    pub async fn add_mode_step(&self, step: &ModeStep, told: &[Notice], entry: &AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        audit::lock(&mut tx).await?;
        let done = sqlx::query(
            "insert into modes (seq, scope, step, mode, set_by, set_at, reason, hand) values ($1, $2, $3, $4, $5, $6, $7, $8)
             on conflict (seq) do nothing",
        )
        .bind(step.seq)
        .bind(row::body(&step.scope))
        .bind(step.step.name())
        .bind(step.mode.map(Mode::name))
        .bind(step.by.as_str())
        .bind(row::ms(step.at))
        .bind(row::clean(&step.reason))
        .bind(step.hand.as_ref().map(Hand::recorded).unwrap_or_default())
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        for notice in told {
            notices::insert(&mut tx, notice).await?;
        }
        audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        Ok(tx.commit().await?)
    }

    /// How many open exceptions there are of each mode.
    pub async fn count_exceptions_by_mode(&self) -> Result<BTreeMap<Mode, i64>, StoreError> {
        let rows = sqlx::query("select mode, count(*) as n from exceptions where state = 'open' group by mode")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(|r| Ok((mode(r, "mode", row::get(r, TABLE, "mode")?)?, row::get(r, TABLE, "n")?))).collect()
    }
}

fn mode(r: &AnyRow, column: &'static str, text: &str) -> Result<Mode, StoreError> {
    text.parse().map_err(|error| row::corrupt(r, TABLE, column, Box::new(error)))
}

pub(super) fn step(r: &AnyRow) -> Result<ModeStep, StoreError> {
    let said: &str = row::get(r, TABLE, "step")?;
    let step = match said {
        "set" => Step::Set,
        "proposed" => Step::Proposed,
        other => return Err(row::corrupt(r, TABLE, "step", format!("{other:?} is no step").into())),
    };
    let text: Option<&str> = row::get(r, TABLE, "mode")?;
    Ok(ModeStep {
        seq: row::get(r, TABLE, "seq")?,
        scope: row::json(r, TABLE, "scope")?,
        step,
        mode: text.map(|text| mode(r, "mode", text)).transpose()?,
        by: PersonId::new(row::get::<String>(r, TABLE, "set_by")?),
        at: row::time(r, TABLE, "set_at")?,
        reason: row::get(r, TABLE, "reason")?,
        hand: Hand::read(row::get(r, TABLE, "hand")?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Which;
    use crate::store::testing::{at, entry, exception, on_each};

    #[tokio::test]
    async fn steps_are_added_one_after_the_other() {
        on_each(|store| async move {
            let first = ModeStep {
                seq: 1,
                scope: ModeScope::read(["category=Soft \u{e9} drinks", "type=R-SHORT"]).unwrap(),
                step: Step::Proposed,
                mode: Some(Mode::Live),
                by: PersonId::new("ada"),
                at: at(10),
                reason: "looks \0 good".to_owned(),
                hand: Some(Hand::Command("eve (uid 7)".to_owned())),
            };
            store.add_mode_step(&first, &[], &entry("mode.proposed")).await.unwrap();
            let second = ModeStep { seq: 2, step: Step::Set, mode: None, hand: None, ..first.clone() };
            store.add_mode_step(&second, &[], &entry("mode.set")).await.unwrap();
            let late = store.add_mode_step(&second, &[], &entry("mode.set")).await;
            assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
            let reason = "looks \u{fffd} good".to_owned();
            let kept = [ModeStep { reason: reason.clone(), ..first }, ModeStep { reason, ..second }];
            assert_eq!(store.list_mode_steps().await.unwrap(), kept);
            assert_eq!(store.verify_audit().await.unwrap().0, 2, "what came too late is not in the log");
        })
        .await;
    }

    #[tokio::test]
    async fn open_exceptions_are_counted_by_mode_and_what_is_explained_is_told_of_what_is_live() {
        on_each(|store| async move {
            let shadow = crate::domain::exception::Exception { mode: Mode::Shadow, ..exception("b") };
            let explained = crate::domain::exception::ExceptionState::Explained;
            let odd = |name: &str, mode| crate::domain::exception::Exception { mode, state: explained, ..exception(name) };
            let all = [exception("a"), shadow.clone(), odd("c", Mode::Live), odd("d", Mode::Shadow)];
            store.save_detection(&all, &[], &[], &[], None).await.unwrap();
            let counts = BTreeMap::from([(Mode::Shadow, 1), (Mode::Live, 1)]);
            assert_eq!(store.count_exceptions_by_mode().await.unwrap(), counts);
            let told = store.list_explained().await.unwrap();
            assert_eq!(told, [odd("c", Mode::Live)]);
            assert!(store.list_exceptions(Which::All).await.unwrap().contains(&shadow));
        })
        .await;
    }
}
