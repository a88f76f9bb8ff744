//! Users, their keys, and what they may do. A reader reads everything that the fake has but the system's own models, and
//! writes nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Version;
use super::fail::Fail;
use super::state::State;

/// The four rights on a model.
pub(super) const RIGHTS: [&str; 4] = ["read", "write", "create", "unlink"];

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    pub uid: i64,
    pub login: String,
    pub password: String,
    pub key: String,
    /// Is the key still accepted?
    pub key_valid: bool,
    /// The companies of the user, the main one first.
    pub companies: Vec<i64>,
    pub tz: String,
    /// May it do what is not listed? Reading is free by default.
    pub all: bool,
    /// What differs from the default, by model and right.
    pub rights: BTreeMap<(String, String), bool>,
    /// What a record rule refuses although the groups grant it: it is seen only when it is asked for rows.
    pub ruled: BTreeSet<(String, String)>,
    /// Fields that the user's groups do not show, by model.
    pub hidden: BTreeSet<(String, String)>,
}

/// The id of the reader.
pub(super) const READER: i64 = 9;
/// The key of the reader, which is the user of every test unless it says otherwise.
pub(super) const READER_KEY: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(super) const ADMIN_KEY: &str = "0123456789abcdef0123456789abcdef01234567";

/// The administrator and the reader.
pub(super) fn users() -> Vec<User> {
    let reader = User {
        uid: READER,
        login: "reader".to_owned(),
        password: "reader-secret".to_owned(),
        key: READER_KEY.to_owned(),
        key_valid: true,
        companies: vec![1],
        tz: "UTC".to_owned(),
        all: false,
        rights: ["ir.config_parameter", "ir.model.access"]
            .iter()
            .map(|model| (((*model).to_owned(), "read".to_owned()), false))
            .collect(),
        ruled: BTreeSet::new(),
        hidden: ["currency_id", "inventory_quantity_auto_apply", "value"]
            .iter()
            .map(|field| ("stock.quant".to_owned(), (*field).to_owned()))
            .collect(),
    };
    let admin = User {
        uid: 2,
        login: "admin".to_owned(),
        password: "admin".to_owned(),
        key: ADMIN_KEY.to_owned(),
        all: true,
        rights: BTreeMap::new(),
        hidden: BTreeSet::new(),
        ..reader.clone()
    };
    vec![admin, reader]
}

impl User {
    /// May it do this to rows of the model?
    pub fn may(&self, model: &str, right: &str) -> bool {
        let own = self.rights.get(&(model.to_owned(), right.to_owned())).copied();
        own.unwrap_or(self.all || right == "read")
    }

    /// Does a record rule refuse this, whatever the rights on the model?
    pub fn is_ruled_out(&self, model: &str, right: &str) -> bool {
        self.ruled.contains(&(model.to_owned(), right.to_owned()))
    }

    /// The company in whose light rows are read unless the request says otherwise.
    pub fn company(&self) -> i64 {
        self.companies.first().copied().unwrap_or(1)
    }

    /// Does the secret open the account?
    pub fn opens(&self, secret: &str) -> bool {
        secret == self.password || (self.key_valid && secret == self.key)
    }
}

/// Refuses in Odoo's words.
pub(super) fn refusal(state: &State, model: &str, right: &str) -> Fail {
    let verb = match right {
        "read" => "access",
        "write" => "modify",
        "create" => "create",
        _ => "delete",
    };
    let label = state.schema.get(model).map_or(model, |def| def.label.as_str());
    // Quants are deleted by nobody, and Odoo has other words for that.
    if (model, right) == ("stock.quant", "unlink") {
        return Fail::access(format!(
            "You are not allowed to {verb} '{label}' ({model}) records.\n\nNo group currently allows this operation.\n\nContact \
             your administrator to request access if necessary."
        ));
    }
    let groups = match model.split('.').next().unwrap_or_default() {
        "stock" => "\t- Inventory/Administrator\n\t- Inventory/User",
        "purchase" => "\t- Purchase/Administrator\n\t- Purchase/User",
        "account" => "\t- Invoicing/Invoicing\n\t- Technical/Show Accounting Features - Readonly",
        "sale" | "loyalty" => "\t- Sales/Administrator\n\t- Sales/User: Own Documents Only",
        "ir" => "\t- Administration/Settings",
        "pos" => "\t- Point of Sale/User",
        _ => "\t- Administration/Access Rights",
    };
    Fail::access(format!(
        "You are not allowed to {verb} '{label}' ({model}) records.\n\nThis operation is allowed for the following \
         groups:\n{groups}\n\nContact your administrator to request access if necessary."
    ))
}

/// Refuses rows by a record rule, in Odoo's words.
pub(super) fn rule_refusal(state: &State, user: &User, model: &str, right: &str) -> Fail {
    let label = state.schema.get(model).map_or(model, |def| def.label.as_str());
    Fail::access(format!(
        "Uh-oh! Looks like you have stumbled upon some top-secret records.\n\nSorry, {} (id={}) doesn't have '{right}' access \
         to:\n- {label} ({model})\n\nIf you really, really need access, perhaps you can win over your friendly administrator \
         with a batch of freshly baked cookies.",
        user.login, user.uid
    ))
}

/// An error unless the user may do this.
pub(super) fn check(state: &State, user: &User, model: &str, right: &str) -> Result<(), Fail> {
    if user.may(model, right) { Ok(()) } else { Err(refusal(state, model, right)) }
}

/// An error when one of the fields is hidden from the user, or leads by a list to a model that it may not read.
pub(super) fn check_fields(state: &State, user: &User, model: &str, fields: &[String]) -> Result<(), Fail> {
    for name in fields {
        if user.hidden.contains(&(model.to_owned(), name.clone())) {
            let label = &state.schema[model].label;
            if state.version == Version::V19 {
                return Err(Fail::access(format!(
                    "You do not have enough rights to access the field \"{name}\" on {label} ({model}). Please contact your \
                     system administrator.\n\nOperation: read\nUser: {}\nGroups: allowed for groups 'Inventory / \
                     Administrator'",
                    user.uid
                )));
            }
            return Err(Fail::access(format!(
                "You do not have enough rights to access the fields \"{name}\" on {label} ({model}). Please contact your \
                 system administrator.\n\nOperation: read\nUser: {}\nFields:\n- {name} (allowed for groups 'Inventory / \
                 Administrator')",
                user.uid
            )));
        }
        let field = state.schema.get(model).and_then(|def| def.fields.get(name));
        if let Some(relation) = field.filter(|f| f.kind == super::cell::Kind::Many).and_then(|f| f.relation.as_deref()) {
            check(state, user, relation, "read")?;
        }
    }
    Ok(())
}
