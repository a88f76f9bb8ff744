//! What can be asked of an Odoo server. The set is closed: every variant reads, and there is no other way to a server
//! (promise 1: Odoo is read, never written).

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::error::OdooError;
use crate::rows::cell::Cell;

/// Major versions that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 17.0
    V17,
    /// 18.0
    V18,
    /// 19.0 and whatever comes after it, as far as it still answers the same.
    V19,
}

/// A condition on rows, in Odoo's prefix notation: a list of terms that must all hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Domain(Vec<Value>);

impl Domain {
    /// Every row.
    pub fn all() -> Self {
        Self::default()
    }

    /// And `field operator value`.
    #[must_use]
    pub fn and(mut self, field: &str, operator: &str, value: impl Into<Value>) -> Self {
        self.0.push(json!([field, operator, value.into()]));
        self
    }

    /// And one of two terms.
    #[must_use]
    pub fn and_either(mut self, one: (&str, &str, Value), other: (&str, &str, Value)) -> Self {
        let term = |(field, operator, value): (&str, &str, Value)| json!([field, operator, value]);
        self.0.extend([json!("|"), term(one), term(other)]);
        self
    }

    /// And everything that at least one of these conditions asks. None, or one that asks nothing: nothing more is asked.
    #[must_use]
    pub fn and_any(mut self, branches: &[Self]) -> Self {
        if branches.iter().any(|branch| branch.0.is_empty()) {
            return self;
        }
        self.0.extend(branches.iter().skip(1).map(|_| json!("|")));
        for branch in branches {
            // Each operator before its terms joins two of them: so many are joined by nothing yet.
            let operators = branch.0.iter().filter(|term| term.is_string()).count();
            let apart = branch.0.len().saturating_sub(2 * operators);
            self.0.extend((1..apart).map(|_| json!("&")));
            self.0.extend(branch.0.iter().cloned());
        }
        self
    }

    /// And everything another condition asks.
    #[must_use]
    pub fn and_all(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// As Odoo takes it.
    pub fn to_json(&self) -> Value {
        Value::Array(self.0.clone())
    }
}

/// A time as domains take it: UTC, whole seconds, `YYYY-MM-DD HH:MM:SS`.
pub fn odoo_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// In which light rows are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// Companies whose rows (and whose company-dependent values, of the first) are read. Empty: all of the user's.
    pub companies: Vec<i64>,
    /// IANA name of the zone in which days begin; matters for grouping only.
    pub time_zone: Option<String>,
}

/// Asks for rows of a model, archived ones included, references as bare ids.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadRows {
    /// Odoo's model name.
    pub model: String,
    /// Which rows.
    pub domain: Domain,
    /// Names of the fields, as this server calls them; never empty. `id` is always the first cell of an answer.
    pub fields: Vec<String>,
    /// `id`, `write_date, id`, or `write_date desc, id desc`.
    pub order: &'static str,
    /// Most rows.
    pub limit: usize,
    /// The light.
    pub scope: Scope,
}

/// Asks for sums by groups.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadGroups {
    /// Odoo's model name.
    pub model: String,
    /// Which rows.
    pub domain: Domain,
    /// Fields to group by, such as `product_id` or `date:day`.
    pub by: Vec<String>,
    /// Fields to sum.
    pub sums: Vec<String>,
    /// The light.
    pub scope: Scope,
}

/// One group: the values it is grouped by, in the order asked (a reference as its id, a day as `YYYY-MM-DD`; `false` for
/// none), the sums in the order asked, and how many rows there are.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What the rows have in common.
    pub keys: Vec<Cell>,
    /// The sums.
    pub sums: Vec<f64>,
    /// Rows in it.
    pub count: u64,
}

/// What a user may be asked to be unable to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Read rows.
    Read,
    /// Make rows.
    Create,
    /// Change rows.
    Write,
    /// Delete rows.
    Unlink,
}

impl Right {
    /// Odoo's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Write => "write",
            Self::Unlink => "unlink",
        }
    }
}

/// A field as the server describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldInfo {
    /// Odoo's type: `many2one`, `float`, …
    pub kind: String,
    /// Is it kept in the database? What is not is computed, slow to ask for, and mostly not to be filtered by.
    pub stored: bool,
    /// May a domain name it?
    pub searchable: bool,
}

/// A signed-in Odoo server. There is no method that writes, and no method that takes the name of one.
#[async_trait]
pub trait Server: Send + Sync {
    /// Which version it is.
    fn version(&self) -> Version;

    /// Names server and database, without secrets: `https://erp.example.com (retail)`.
    fn name(&self) -> String;

    /// The fields of a model, by name; an error where the model is not there or may not be read.
    async fn fields(&self, model: &str) -> Result<std::collections::BTreeMap<String, FieldInfo>, OdooError>;

    /// Rows, each with its cells in the order of the asked fields behind the id.
    async fn rows(&self, ask: &ReadRows) -> Result<Vec<Vec<Cell>>, OdooError>;

    /// Ids of rows, ascending.
    async fn ids(&self, model: &str, domain: &Domain, limit: usize, scope: &Scope) -> Result<Vec<i64>, OdooError>;

    /// How many rows there are.
    async fn count(&self, model: &str, domain: &Domain, scope: &Scope) -> Result<u64, OdooError>;

    /// Sums by groups.
    async fn groups(&self, ask: &ReadGroups) -> Result<Vec<Group>, OdooError>;

    /// May the user do this to rows of the model?
    async fn may(&self, model: &str, right: Right) -> Result<bool, OdooError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_are_joined_in_prefix_notation() {
        let one = Domain::all().and("a", "=", 1);
        let two = Domain::all().and("b", "=", 2).and("c", "=", 3);
        let three = Domain::all().and_either(("d", "=", json!(4)), ("e", "=", json!(5))).and("f", "=", 6);
        assert_eq!(
            Domain::all().and("x", "=", 0).and_any(&[one.clone(), two, three]).to_json(),
            json!([
                ["x", "=", 0],
                "|",
                "|",
                ["a", "=", 1],
                "&",
                ["b", "=", 2],
                ["c", "=", 3],
                "&",
                "|",
                ["d", "=", 4],
                ["e", "=", 5],
                ["f", "=", 6]
            ])
        );
        assert_eq!(Domain::all().and_any(std::slice::from_ref(&one)), one);
        assert_eq!(Domain::all().and_any(&[one, Domain::all()]), Domain::all());
        assert_eq!(Domain::all().and_any(&[]), Domain::all());
    }
}
