//! The registry of detectors: versions with their parameters, what they were measured at, and which of them people put in force.
//!
//! Rows are added and never changed. A version's name says what it is made of, so to add it twice is to add it once.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use sqlx::any::AnyRow;

use super::{Notice, Store, StoreError, audit, notices, row};
use crate::domain::audit::AuditEntry;
use crate::domain::hand::Hand;
use crate::domain::ids::PersonId;
use crate::domain::model::{ModelName, ModelSheet, Validation};

const TABLE: &str = "models";

/// Parameters that are read at most, unpacked: the trees of a large shop are a few megabytes.
const PARAMETERS_MAX: u64 = 64 << 20;

/// A version as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptModel {
    /// Everything about it but its parameters.
    pub sheet: ModelSheet,
    /// Who added it: a person, or the program itself.
    pub by: String,
    /// When, in business time.
    pub at: Timestamp,
}

/// A validation as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptValidation {
    /// Its id: a hash of what was measured.
    pub id: String,
    /// What was measured.
    pub validation: Validation,
    /// Whether it passed, as the column says.
    pub passed: bool,
    /// Who had it made.
    pub by: String,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelChange {
    /// It waits for a second person.
    Proposed,
    /// It is in force from now on.
    Promoted,
    /// It is in force again: people had promoted it before, or the store began with it.
    RolledBack,
}

impl ModelChange {
    /// The name in the store and in the log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled_back",
        }
    }

    fn read(text: &str) -> Option<Self> {
        [Self::Proposed, Self::Promoted, Self::RolledBack].into_iter().find(|change| change.name() == text)
    }
}

/// A step of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelStep {
    /// Its number, from 1.
    pub seq: i64,
    /// Which version.
    pub name: ModelName,
    /// What is done with it.
    pub change: ModelChange,
    /// Who.
    pub by: PersonId,
    /// When, in business time.
    pub at: Timestamp,
    /// Why, in their words.
    pub reason: String,
    /// Whose hand it could have been; None where that is not known.
    pub hand: Option<Hand>,
    /// The validation that it rests on; empty where it takes none.
    pub validation: String,
}

impl Store {
    /// Adds a version, with the audit entry where somebody did it. Answers whether it was new.
    ///
    /// # Errors
    /// The database's.
    pub async fn add_model(
        &self,
        sheet: &ModelSheet,
        parameters: Option<&str>,
        (by, at): (&str, Timestamp),
        entry: Option<&AuditEntry>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "insert into models (name, sheet, parameters, added_by, added_at) values ($1, $2, $3, $4, $5)
             on conflict (name) do nothing",
        )
        .bind(sheet.name.to_string())
        .bind(row::body(sheet))
        .bind(parameters.map(packed).unwrap_or_default())
        .bind(row::clean(by))
        .bind(row::ms(at))
        .execute(&mut *tx)
        .await?;
        let is_new = done.rows_affected() == 1;
        // One that was there before has its entry in the log.
        if is_new {
            audit::append(&mut tx, entry.map(std::slice::from_ref).unwrap_or_default()).await?;
        }
        tx.commit().await?;
        Ok(is_new)
    }

    /// All versions, by name.
    pub async fn list_models(&self) -> Result<Vec<KeptModel>, StoreError> {
        let rows = sqlx::query("select name, sheet, added_by, added_at from models order by name").fetch_all(&self.pool);
        rows.await?.iter().map(kept).collect()
    }

    /// A version, where it is there.
    pub async fn find_model(&self, name: &ModelName) -> Result<Option<KeptModel>, StoreError> {
        let found = sqlx::query("select name, sheet, added_by, added_at from models where name = $1")
            .bind(name.to_string())
            .fetch_optional(&self.pool)
            .await?;
        found.map(|r| kept(&r)).transpose()
    }

    /// The parameters of a version as they were written; None where it is not there or has none.
    ///
    /// # Errors
    /// The database's, or that they are damaged.
    pub async fn find_parameters(&self, name: &ModelName) -> Result<Option<String>, StoreError> {
        let found = sqlx::query("select name, parameters from models where name = $1")
            .bind(name.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let Some(r) = found else { return Ok(None) };
        let text: &str = row::get(&r, TABLE, "parameters")?;
        if text.is_empty() {
            return Ok(None);
        }
        unpacked(text).map(Some).map_err(|error| row::corrupt(&r, TABLE, "parameters", error))
    }

    /// Keeps a validation with the audit entry. The same once more changes nothing.
    pub async fn add_validation(&self, validation: &Validation, by: &str, entry: &AuditEntry) -> Result<String, StoreError> {
        let id = validation.hash();
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "insert into model_validations (id, name, passed, body, made_by, made_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (id) do nothing",
        )
        .bind(id.clone())
        .bind(validation.model.to_string())
        .bind(if validation.passed() { "yes" } else { "no" })
        .bind(row::body(validation))
        .bind(row::clean(by))
        .bind(row::ms(validation.at))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 1 {
            audit::append(&mut tx, std::slice::from_ref(entry)).await?;
        }
        tx.commit().await?;
        Ok(id)
    }

    /// The validations of a version, the newest first.
    pub async fn list_validations(&self, name: &ModelName) -> Result<Vec<KeptValidation>, StoreError> {
        let rows =
            sqlx::query("select id, passed, body, made_by from model_validations where name = $1 order by made_at desc, id")
                .bind(name.to_string())
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(validation).collect()
    }

    /// All steps, oldest first.
    pub async fn list_model_steps(&self) -> Result<Vec<ModelStep>, StoreError> {
        let rows = sqlx::query(STEPS).fetch_all(&self.pool).await?;
        rows.iter().map(step).collect()
    }

    /// The number of the last step; 0 before the first.
    pub async fn last_model_step(&self) -> Result<i64, StoreError> {
        let found = sqlx::query("select 'last' as id, max(seq) as seq from model_steps").fetch_one(&self.pool).await?;
        Ok(row::get::<Option<i64>>(&found, "model_steps", "seq")?.unwrap_or(0))
    }

    /// Adds a step, with who is told and the audit entry. Its number is the one after the last that was seen.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else added one since.
    pub async fn add_model_step(&self, step: &ModelStep, told: &[Notice], entry: &AuditEntry) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        audit::lock(&mut tx).await?;
        let done = sqlx::query(
            "insert into model_steps (seq, name, step, set_by, set_at, reason, hand, validation)
             values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (seq) do nothing",
        )
        .bind(step.seq)
        .bind(step.name.to_string())
        .bind(step.change.name())
        .bind(step.by.as_str())
        .bind(row::ms(step.at))
        .bind(row::clean(&step.reason))
        .bind(step.hand.as_ref().map(Hand::recorded).unwrap_or_default())
        .bind(step.validation.clone())
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
}

pub(super) const STEPS: &str =
    "select seq, name, step, set_by, set_at, reason, hand, validation from model_steps order by seq";

/// Text packed and in letters, the same for the same text.
fn packed(text: &str) -> String {
    // Fast: this is done at every start of a program with a new store, and what is kept is a few models.
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let done = packed.write_all(text.as_bytes()).and_then(|()| packed.finish());
    STANDARD.encode(done.expect("writing to memory does not fail"))
}

fn unpacked(text: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let packed = STANDARD.decode(text)?;
    let mut text = String::new();
    // A few packed bytes that somebody put there could unpack to more than there is memory.
    GzDecoder::new(packed.as_slice()).take(PARAMETERS_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn name(r: &AnyRow, table: &'static str) -> Result<ModelName, StoreError> {
    let text: &str = row::get(r, table, "name")?;
    text.parse().map_err(|error| row::corrupt(r, table, "name", Box::new(error)))
}

pub(super) fn kept(r: &AnyRow) -> Result<KeptModel, StoreError> {
    let sheet: ModelSheet = row::json(r, TABLE, "sheet")?;
    // A name says what a version is made of, so another one's sheet under it was put there past Reeve.
    if sheet.name != name(r, TABLE)? {
        return Err(row::corrupt(r, TABLE, "sheet", format!("it is the sheet of {}", sheet.name).into()));
    }
    Ok(KeptModel { sheet, by: row::get(r, TABLE, "added_by")?, at: row::time(r, TABLE, "added_at")? })
}

pub(super) fn validation(r: &AnyRow) -> Result<KeptValidation, StoreError> {
    const TABLE: &str = "model_validations";
    Ok(KeptValidation {
        id: row::get(r, TABLE, "id")?,
        validation: row::json(r, TABLE, "body")?,
        passed: row::get::<&str>(r, TABLE, "passed")? == "yes",
        by: row::get(r, TABLE, "made_by")?,
    })
}

pub(super) fn step(r: &AnyRow) -> Result<ModelStep, StoreError> {
    const TABLE: &str = "model_steps";
    let said: &str = row::get(r, TABLE, "step")?;
    let change = ModelChange::read(said)
        .ok_or_else(|| row::corrupt(r, TABLE, "step", format!("{said:?} is nothing that is done with a model").into()))?;
    Ok(ModelStep {
        seq: row::get(r, TABLE, "seq")?,
        name: name(r, TABLE)?,
        change,
        by: PersonId::new(row::get::<String>(r, TABLE, "set_by")?),
        at: row::time(r, TABLE, "set_at")?,
        reason: row::get(r, TABLE, "reason")?,
        hand: Hand::read(row::get(r, TABLE, "hand")?),
        validation: row::get(r, TABLE, "validation")?,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::model::Recipe;
    use crate::store::testing::{at, entry, on_each, on_each_left_at};

    fn named(text: &str) -> ModelName {
        text.parse().unwrap()
    }

    fn sheet(name: &str) -> ModelSheet {
        let recipe = Recipe { trained_on: "caf\u{e9}s".to_owned(), seed: u64::MAX, ..Recipe::default() };
        ModelSheet { name: named(name), recipe, card: "# Card".to_owned(), sha256: "ab".to_owned() }
    }

    #[tokio::test]
    async fn a_version_is_added_once_and_reads_back_to_the_byte() {
        on_each(|store| async move {
            let (model, text) = (sheet("demand/trained-0a"), "{\"trees\":[1,2]}\n".repeat(1_000));
            let add = |sheet: ModelSheet, text: Option<String>| {
                let store = store.clone();
                async move {
                    let added = entry("model.added");
                    store.add_model(&sheet, text.as_deref(), ("ada", at(1)), Some(&added)).await.unwrap()
                }
            };
            assert!(add(model.clone(), Some(text.clone())).await);
            assert!(!add(model.clone(), Some("another".to_owned())).await, "what is there stays");
            assert!(add(sheet("receiving/unsupervised-1"), None).await);
            assert_eq!(store.find_parameters(&model.name).await.unwrap(), Some(text));
            assert_eq!(store.find_parameters(&named("receiving/unsupervised-1")).await.unwrap(), None);
            assert_eq!(store.find_model(&named("demand/none")).await.unwrap(), None);
            let all = store.list_models().await.unwrap();
            assert_eq!(all.iter().map(|kept| &kept.sheet).collect::<Vec<_>>(), [&model, &sheet("receiving/unsupervised-1")]);
            assert_eq!(store.verify_audit().await.unwrap().0, 2, "what was there already is not told again");
        })
        .await;
    }

    #[tokio::test]
    async fn steps_and_validations_are_added_to_a_store_of_an_earlier_program() {
        on_each_left_at(23, |store| async move {
            store.migrate().await.unwrap();
            let validation = Validation {
                model: named("demand/trained-0a"),
                beside: named("demand/trained-0b"),
                on: "12 series over 90 days".to_owned(),
                data_hash: "cd".to_owned(),
                seeds: vec![7, 8],
                measures: BTreeMap::from([("ap".to_owned(), (0.8, 0.75))]),
                failed: Vec::new(),
                at: at(3),
            };
            let id = store.add_validation(&validation, "ada", &entry("model.validated")).await.unwrap();
            assert_eq!(store.add_validation(&validation, "ada", &entry("model.validated")).await.unwrap(), id);
            let kept = store.list_validations(&validation.model).await.unwrap();
            assert_eq!((kept.len(), kept[0].passed, &kept[0].validation), (1, true, &validation));

            let first = ModelStep {
                seq: 1,
                name: validation.model.clone(),
                change: ModelChange::Proposed,
                by: PersonId::new("ada"),
                at: at(4),
                reason: "better".to_owned(),
                hand: Some(Hand::Own),
                validation: id,
            };
            store.add_model_step(&first, &[], &entry("model.proposed")).await.unwrap();
            let second = ModelStep { seq: 2, change: ModelChange::Promoted, hand: None, ..first.clone() };
            store.add_model_step(&second, &[], &entry("model.promoted")).await.unwrap();
            let late = store.add_model_step(&second, &[], &entry("model.promoted")).await;
            assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
            assert_eq!(store.list_model_steps().await.unwrap(), [first, second]);
            assert_eq!(store.verify_audit().await.unwrap().0, 3);
        })
        .await;
    }
}
