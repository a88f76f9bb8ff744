//! The write barrier: a key that could change what is read is refused, before the first row is read.
//!
//! Asked are the access rights of the model as a whole (`has_access` of no records; `check_access_rights` before 18). Record
//! rules can only narrow what they grant. So their "no" is proof that no row can be made, changed or deleted; their "yes"
//! counts as a yes even where a record rule would refuse each row that is there today, because no question that only reads
//! can show that it refuses every row of tomorrow, too.

use super::call::{Right, Server};
use super::error::OdooError;

/// The rights that a reading user must not have.
const WRITES: [Right; 3] = [Right::Create, Right::Write, Right::Unlink];

/// What the value of `odoo.allow_write_capable_credential` has to be.
pub const UNDERSTOOD: &str = "i-understand";

/// A right over a model that the reading user has and should not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MayWrite {
    /// Odoo's model.
    pub model: String,
    /// The right.
    pub right: Right,
}

/// Asks what the signed-in user could change, in the order of `models`. A model that is not there can not be written.
///
/// # Errors
/// When a question is not answered: not knowing is not a pass.
pub async fn what_may_be_written(server: &dyn Server, models: &[&str]) -> Result<Vec<MayWrite>, OdooError> {
    let mut found = Vec::new();
    for model in models {
        for right in WRITES {
            match server.may(model, right).await {
                Ok(true) => found.push(MayWrite { model: (*model).to_owned(), right }),
                Ok(false) => {}
                Err(OdooError::UnknownModel { .. }) => break,
                Err(error) => return Err(error),
            }
        }
    }
    Ok(found)
}

/// Refuses a user who could change one of `models`. With `allow` set to [`UNDERSTOOD`] it is let through, and what it could
/// change is answered, to be logged and shown; otherwise the answer is empty.
///
/// # Errors
/// [`OdooError::MayWrite`] names all that could be changed; other errors when a question is not answered.
pub async fn check_write_barrier(server: &dyn Server, models: &[&str], allow: &str) -> Result<Vec<MayWrite>, OdooError> {
    let found = what_may_be_written(server, models).await?;
    if found.is_empty() || allow == UNDERSTOOD {
        return Ok(found);
    }
    Err(OdooError::MayWrite { may: in_words(&found) })
}

/// Most models that are named to people: an administrator may write every one, and whoever reads it needs no list of them all.
const NAMED: usize = 4;

/// For people, a line: `stock.move (create, write), stock.quant (write)`; of many the first, and how many more.
pub fn in_words(found: &[MayWrite]) -> String {
    let of_one = |of: &[MayWrite]| {
        let rights: Vec<&str> = of.iter().map(|may| may.right.as_str()).collect();
        format!("{} ({})", of[0].model, rights.join(", "))
    };
    let models: Vec<String> = found.chunk_by(|a, b| a.model == b.model).map(of_one).collect();
    // One more than may be named is named too: "and 1 more" would be no shorter.
    if models.len() <= NAMED + 1 {
        return models.join(", ");
    }
    format!("{} and {} more models", models[..NAMED].join(", "), models.len() - NAMED)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use async_trait::async_trait;
    use proptest::prelude::*;

    use super::super::call::{Domain, FieldInfo, Group, ReadGroups, ReadRows, Scope, Version};
    use super::super::streams::STREAMS;
    use super::*;
    use crate::rows::cell::Cell;

    /// Knows nothing but rights; a model that is not named is not there.
    struct Rights(BTreeMap<String, Vec<Right>>);

    #[async_trait]
    impl Server for Rights {
        fn version(&self) -> Version {
            Version::V18
        }

        fn name(&self) -> String {
            "rights".to_owned()
        }

        async fn fields(&self, _: &str) -> Result<BTreeMap<String, FieldInfo>, OdooError> {
            panic!("the barrier asks for rights only")
        }

        async fn rows(&self, _: &ReadRows) -> Result<Vec<Vec<Cell>>, OdooError> {
            panic!("the barrier asks for rights only")
        }

        async fn ids(&self, _: &str, _: &Domain, _: usize, _: &Scope) -> Result<Vec<i64>, OdooError> {
            panic!("the barrier asks for rights only")
        }

        async fn count(&self, _: &str, _: &Domain, _: &Scope) -> Result<u64, OdooError> {
            panic!("the barrier asks for rights only")
        }

        async fn groups(&self, _: &ReadGroups) -> Result<Vec<Group>, OdooError> {
            panic!("the barrier asks for rights only")
        }

        async fn may(&self, model: &str, right: Right) -> Result<bool, OdooError> {
            match self.0.get(model) {
                Some(_) if model == "broken" => {
                    Err(OdooError::Server { what: model.to_owned(), message: "oops".to_owned() })
                }
                Some(rights) => Ok(rights.contains(&right)),
                None => Err(OdooError::UnknownModel { model: model.to_owned() }),
            }
        }
    }

    fn rights(of: &[(&str, &[Right])]) -> Rights {
        Rights(of.iter().map(|(model, rights)| ((*model).to_owned(), rights.to_vec())).collect())
    }

    #[test]
    fn nothing_is_read_that_every_internal_user_may_write() {
        // Odoo grants these to everybody: with one of them the user of docs/ODOO.md would be refused.
        let everybodys =
            ["stock.move.line", "procurement.group", "stock.reference", "product.document", "ir.attachment", "mail.message"];
        let read: Vec<&str> = STREAMS.iter().map(|stream| stream.model).collect();
        assert!(read.contains(&"stock.move") && everybodys.iter().all(|model| !read.contains(model)), "{read:?}");
    }

    #[tokio::test]
    async fn a_reader_passes_and_a_missing_model_is_no_failure() {
        let server = rights(&[("stock.move", &[Right::Read]), ("stock.quant", &[])]);
        let models = ["stock.move", "loyalty.program", "stock.quant"];
        assert_eq!(check_write_barrier(&server, &models, "").await, Ok(Vec::new()));
    }

    #[tokio::test]
    async fn who_may_write_is_refused_by_name_of_model_and_right() {
        let server = rights(&[("a.b", &[Right::Create, Right::Unlink]), ("c.d", &[Right::Read]), ("e.f", &[Right::Write])]);
        let error = check_write_barrier(&server, &["a.b", "c.d", "e.f"], "").await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("a.b (create, unlink), e.f (write)") && text.contains("docs/ODOO.md"), "{text}");
        assert!(!error.is_transient());
    }

    #[tokio::test]
    async fn only_the_exact_words_let_a_writer_through_and_it_is_still_named() {
        let server = rights(&[("a.b", &[Right::Write])]);
        for close in ["yes", "true", "I-understand", "i-understand "] {
            assert!(check_write_barrier(&server, &["a.b"], close).await.is_err(), "{close:?}");
        }
        let let_through = check_write_barrier(&server, &["a.b"], UNDERSTOOD).await.unwrap();
        assert_eq!(in_words(&let_through), "a.b (write)");
    }

    #[tokio::test]
    async fn a_question_without_an_answer_is_not_a_pass() {
        let server = rights(&[("a.b", &[]), ("broken", &[])]);
        assert!(matches!(check_write_barrier(&server, &["a.b", "broken"], UNDERSTOOD).await, Err(OdooError::Server { .. })));
    }

    proptest! {
        #[test]
        fn nobody_who_may_write_one_model_ever_passes(granted in proptest::collection::vec((0_usize..12, 0_usize..4), 0..6)) {
            let all = [Right::Read, Right::Create, Right::Write, Right::Unlink];
            let names: Vec<String> = (0..12).map(|n| format!("model.{n}")).collect();
            let mut of: BTreeMap<String, Vec<Right>> = names.iter().map(|name| (name.clone(), Vec::new())).collect();
            for (model, right) in &granted {
                of.get_mut(&names[*model]).unwrap().push(all[*right]);
            }
            let models: Vec<&str> = names.iter().map(String::as_str).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let passed = runtime.block_on(check_write_barrier(&Rights(of), &models, "")).is_ok();
            prop_assert_eq!(passed, granted.iter().all(|(_, right)| *right == 0));
        }
    }
}
