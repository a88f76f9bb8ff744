//! Domains: conditions on rows. `compile` reads them from Odoo's prefix notation and refuses what Odoo refuses; here they are
//! evaluated.

mod compile;

use std::borrow::Cow;
use std::ops::Bound;

use serde_json::Value;

pub(super) use self::compile::{compile, python};
use super::cell::Cell;
use super::sales::Sales;
use super::state::{ID, State, Table, WRITTEN};

/// A row that is kept, or one that is computed.
#[derive(Clone, Copy, Debug)]
pub(super) enum RowRef<'a> {
    Kept(&'a [Cell]),
    Sale(&'a Sales, i64),
}

impl<'a> RowRef<'a> {
    pub(super) fn cell(&self, table: &Table, place: usize) -> Cow<'a, Cell> {
        match self {
            Self::Kept(cells) => Cow::Borrowed(&cells[place]),
            Self::Sale(sales, id) => Cow::Owned(sales.cell(*id, place, &table.columns[place])),
        }
    }

    pub(super) fn id(&self) -> i64 {
        match self {
            Self::Kept(cells) => cells[ID].int().unwrap_or_default(),
            Self::Sale(_, id) => *id,
        }
    }

    pub(super) fn written(&self) -> i64 {
        match self {
            Self::Kept(cells) => match cells[WRITTEN] {
                Cell::Time(at) => at,
                _ => 0,
            },
            Self::Sale(sales, id) => sales.at(*id),
        }
    }
}

/// Ids, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct IdSet(Vec<i64>);

impl IdSet {
    pub(super) fn contains(&self, id: i64) -> bool {
        self.0.binary_search(&id).is_ok()
    }

    pub(super) fn as_slice(&self) -> &[i64] {
        &self.0
    }
}

impl FromIterator<i64> for IdSet {
    fn from_iter<T: IntoIterator<Item = i64>>(ids: T) -> Self {
        let mut ids: Vec<i64> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        Self(ids)
    }
}

/// A condition on rows of one table.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// All, or none.
    Always(bool),
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test(usize, Test),
}

/// A condition on a cell.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Empty,
    Filled,
    /// Among these ids; `bool`: or empty.
    Ids(IdSet, bool),
    /// Not among these; `bool`: empty ones pass.
    NotIds(IdSet, bool),
    Texts(Vec<String>, bool),
    NotTexts(Vec<String>, bool),
    /// `=` and `!=` of a number.
    Number(Order, f64),
    Time(Order, i64),
    Day(Order, String),
    /// Text in text; whether case counts; whether the whole is meant.
    Like {
        pattern: String,
        case: bool,
        whole: bool,
        not: bool,
    },
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            "=" | "==" => Self::Equal,
            "!=" | "<>" => Self::Unequal,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    fn holds<T: PartialOrd>(self, a: &T, b: &T) -> bool {
        match self {
            Self::Equal => a == b,
            Self::Unequal => a != b,
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
        }
    }
}

impl Node {
    pub(super) fn holds(&self, table: &Table, row: RowRef<'_>) -> bool {
        match self {
            Self::Always(holds) => *holds,
            Self::All(nodes) => nodes.iter().all(|node| node.holds(table, row)),
            Self::Any(nodes) => nodes.iter().any(|node| node.holds(table, row)),
            Self::Not(node) => !node.holds(table, row),
            Self::Test(place, test) => test.holds(&row.cell(table, *place)),
        }
    }

    /// The terms that must all hold.
    pub(super) fn terms(&self) -> &[Node] {
        match self {
            Self::All(nodes) => nodes,
            other => std::slice::from_ref(other),
        }
    }

    /// The bounds that the domain sets to a time or a number, as far as they can be seen at once.
    pub(super) fn bounds(&self, place: usize) -> (Bound<i64>, Bound<i64>) {
        // Only to walk an index by: each row is tested by the whole domain all the same.
        let (mut low, mut high) = (i64::MIN, i64::MAX);
        for node in self.terms() {
            let Self::Test(at, test) = node else { continue };
            if *at != place {
                continue;
            }
            let (order, value) = match test {
                Test::Time(order, at) => (*order, *at),
                Test::Number(order, n) if n.fract() == 0.0 => (*order, *n as i64),
                Test::Ids(ids, false) => {
                    if let ([first, ..], [.., last]) = (ids.as_slice(), ids.as_slice()) {
                        (low, high) = (low.max(*first), high.min(*last));
                    }
                    continue;
                }
                _ => continue,
            };
            match order {
                Order::Equal => (low, high) = (low.max(value), high.min(value)),
                Order::Greater => low = low.max(value.saturating_add(1)),
                Order::GreaterOrEqual => low = low.max(value),
                Order::Less => high = high.min(value.saturating_sub(1)),
                Order::LessOrEqual => high = high.min(value),
                Order::Unequal => {}
            }
        }
        (Bound::Included(low), Bound::Included(high))
    }

    /// The ids that a reference must be among, as far as that can be seen at once.
    pub(super) fn among(&self, place: usize) -> Option<&IdSet> {
        self.terms().iter().find_map(|node| match node {
            Self::Test(at, Test::Ids(ids, false)) if *at == place => Some(ids),
            _ => None,
        })
    }
}

impl Test {
    fn holds(&self, cell: &Cell) -> bool {
        match self {
            Self::Empty => cell.is_empty(),
            Self::Filled => !cell.is_empty(),
            Self::Ids(ids, empty) => match cell {
                Cell::Int(id) => ids.contains(*id),
                Cell::Ids(list) => list.iter().any(|id| ids.contains(*id)) || (*empty && list.is_empty()),
                other => *empty && other.is_empty(),
            },
            Self::NotIds(ids, empty) => match cell {
                Cell::Int(id) => !ids.contains(*id),
                Cell::Ids(list) => !list.iter().any(|id| ids.contains(*id)) && (*empty || !list.is_empty()),
                other => *empty && other.is_empty(),
            },
            Self::Texts(texts, empty) => match cell {
                Cell::Text(text) => texts.iter().any(|one| **one == **text),
                other => *empty && other.is_empty(),
            },
            Self::NotTexts(texts, empty) => match cell {
                Cell::Text(text) => !texts.iter().any(|one| **one == **text),
                other => *empty && other.is_empty(),
            },
            Self::Number(order, value) => match cell.number() {
                Some(number) => order.holds(&number, value),
                None => *order == Order::Unequal && cell.is_empty(),
            },
            Self::Time(order, value) => match cell {
                Cell::Time(at) => order.holds(at, value),
                _ => *order == Order::Unequal,
            },
            Self::Day(order, value) => match cell {
                Cell::Text(day) => order.holds(&&**day, &value.as_str()),
                _ => *order == Order::Unequal,
            },
            Self::Like { pattern, case, whole, not } => {
                let Cell::Text(text) = cell else { return *not };
                let text = if *case { text.to_string() } else { text.to_lowercase() };
                let found = if *whole {
                    match (pattern.strip_prefix('%'), pattern.strip_suffix('%')) {
                        (Some(_), Some(_)) => text.contains(pattern.trim_matches('%')),
                        (Some(end), None) => text.ends_with(end),
                        (None, Some(start)) => text.starts_with(start),
                        (None, None) => text == *pattern,
                    }
                } else {
                    text.contains(pattern.as_str())
                };
                found != *not
            }
        }
    }
}

/// In which light a domain is read.
#[derive(Clone, Debug)]
pub(super) struct Light {
    pub companies: Vec<i64>,
    pub active_test: bool,
}

/// What every search adds: only the companies of the light, and no archived rows unless the domain names `active`.
pub(super) fn rules(state: &State, model: &str, domain: &Value, light: &Light) -> Vec<Node> {
    let mut nodes = Vec::new();
    let Some(table) = state.tables.get(model) else { return nodes };
    let companies: IdSet = light.companies.iter().copied().collect();
    if model == "res.company" {
        nodes.push(Node::Test(ID, Test::Ids(companies, false)));
    } else if let Some(place) = table.place("company_id") {
        nodes.push(Node::Test(place, Test::Ids(companies, true)));
    }
    let names_active = domain.as_array().is_some_and(|items| items.iter().any(|item| item[0] == "active"));
    if light.active_test
        && !names_active
        && let Some(place) = table.place("active")
    {
        nodes.push(Node::Test(place, Test::Filled));
    }
    nodes
}
