//! Finds rows: which, in what order, how many. Walks an index where the order allows it, so that a page costs what it holds.

use std::cmp::Ordering;
use std::ops::{Bound, Range};

use serde_json::Value;

use super::cell::{Cell, Kind};
use super::domain::{self, Light, Node, RowRef};
use super::fail::Fail;
use super::sales::{Sales, Window};
use super::schema::default_order;
use super::state::{ID, State, Table, WRITTEN};

/// A search that was checked.
pub(super) struct Plan<'a> {
    table: &'a Table,
    node: Node,
    order: Sort,
    offset: usize,
    limit: usize,
}

/// An order of rows.
enum Sort {
    /// By `id`, rising or falling.
    Id(bool),
    /// By `write_date`, then `id`, both rising.
    Stamp,
    /// By these columns; falling ones are `true`.
    Columns(Vec<(usize, bool)>),
}

fn sort_of(state: &State, table: &Table, model: &str, text: &str) -> Result<Sort, Fail> {
    let mut columns = Vec::new();
    let mut names = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let mut words = part.split_whitespace();
        let name = words.next().unwrap_or_default();
        let falling = match words.next().map(str::to_ascii_lowercase).as_deref() {
            None | Some("asc" | "nulls") => false,
            Some("desc") => true,
            Some(_) => {
                return Err(Fail::user(format!(
                    "Invalid \"order\" specified ({text}). A valid \"order\" specification is a comma-separated list of \
                     valid field names (optionally followed by asc/desc for the direction)"
                )));
            }
        };
        let field = state.schema[model].fields.get(name);
        let field = field.ok_or_else(|| Fail::value(format!("Invalid field '{name}' on model '{model}'")))?;
        if !field.store && !field.sortable {
            return Err(Fail::value(format!("Cannot convert {model}.{name} to SQL because it is not stored")));
        }
        if let Some(place) = table.place(name) {
            columns.push((place, falling));
        }
        names.push((name.to_owned(), falling));
    }
    let names: Vec<(&str, bool)> = names.iter().map(|(name, falling)| (name.as_str(), *falling)).collect();
    Ok(match names.as_slice() {
        [("id", falling), ..] => Sort::Id(*falling),
        [("write_date", false), ("id", false)] => Sort::Stamp,
        _ => Sort::Columns(columns),
    })
}

impl<'a> Plan<'a> {
    /// Checks a search. `None` where the model has no rows at all.
    pub(super) fn new(
        state: &'a State,
        model: &str,
        domain: &Value,
        order: Option<&str>,
        (offset, limit): (usize, Option<usize>),
        light: &Light,
    ) -> Result<Option<Self>, Fail> {
        let mut nodes = match domain::compile(state, model, domain)? {
            Node::All(nodes) => nodes,
            other => vec![other],
        };
        let empty = Table::new(model);
        let text = order.unwrap_or_else(|| default_order(model));
        let Some(table) = state.tables.get(model) else {
            // Asked in vain, but an unknown field in the order is still an error.
            if order.is_some() {
                sort_of(state, &empty, model, text)?;
            }
            return Ok(None);
        };
        // The default order may name fields that this version does not have.
        let order = match (sort_of(state, table, model, text), order) {
            (Ok(sort), _) => sort,
            (Err(_), None) => Sort::Id(false),
            (Err(fail), Some(_)) => return Err(fail),
        };
        nodes.extend(domain::rules(state, model, domain, light));
        Ok(Some(Self {
            table,
            node: Node::All(nodes),
            order,
            offset,
            limit: limit.filter(|n| *n > 0).unwrap_or(usize::MAX),
        }))
    }

    fn stored_by_id(&self) -> Box<dyn DoubleEndedIterator<Item = RowRef<'a>> + '_> {
        let table = self.table;
        if let Some(ids) = self.node.among(ID)
            && ids.as_slice().len() < table.rows.len()
        {
            return Box::new(ids.as_slice().iter().filter_map(|id| table.rows.get(id)).map(|row| RowRef::Kept(row)));
        }
        let bounds = self.node.bounds(ID);
        let (Bound::Included(low), Bound::Included(high)) = bounds else { return Box::new(std::iter::empty()) };
        if low > high {
            return Box::new(std::iter::empty());
        }
        Box::new(table.rows.range(low..=high).map(|(_, row)| RowRef::Kept(row)))
    }

    fn stored_by_stamp(&self) -> Box<dyn Iterator<Item = RowRef<'a>> + '_> {
        let table = self.table;
        let (Bound::Included(low), Bound::Included(high)) = self.node.bounds(WRITTEN) else {
            return Box::new(std::iter::empty());
        };
        if low > high {
            return Box::new(std::iter::empty());
        }
        let stamps = table.stamps.range((low, i64::MIN)..=(high, i64::MAX));
        Box::new(stamps.map(|(_, id)| RowRef::Kept(&table.rows[id])))
    }

    fn sales(&self) -> Box<dyn Iterator<Item = RowRef<'a>> + '_> {
        let table = self.table;
        let Some(sales) = table.sales.as_deref() else { return Box::new(std::iter::empty()) };
        let ids = sales_within(sales, table, &self.node);
        let positions = |place: Option<usize>, known: &[i64]| {
            let ids = self.node.among(place?)?;
            let listed = known.iter().enumerate().filter(|(_, id)| ids.contains(**id)).map(|(at, _)| at as i64);
            Some(listed.collect::<Vec<_>>())
        };
        let items = positions(table.place("product_id"), &sales.products);
        let places = positions(table.place("location_id"), &sales.stocks);
        let window = Window { ids, items, places };
        Box::new(sales.ids(window).filter(|id| !table.replaced.contains(id)).map(move |id| RowRef::Sale(sales, id)))
    }

    /// Calls `each` for every row that fits, in no order. Stops when it says `false`.
    pub(super) fn each(&self, mut each: impl FnMut(RowRef<'a>) -> bool) {
        for row in self.stored_by_id().chain(self.sales()) {
            if self.node.holds(self.table, row) && !each(row) {
                return;
            }
        }
    }

    /// How many rows fit, at most as many as the limit.
    pub(super) fn count(&self) -> usize {
        let mut count = 0;
        self.each(|_| {
            count += 1;
            count < self.limit
        });
        count
    }

    /// The rows.
    pub(super) fn rows(&self, state: &State) -> Vec<RowRef<'a>> {
        let fits = |row: &RowRef<'a>| self.node.holds(self.table, *row);
        let page = |rows: Box<dyn Iterator<Item = RowRef<'a>> + '_>| {
            rows.filter(fits).skip(self.offset).take(self.limit).collect::<Vec<_>>()
        };
        match &self.order {
            Sort::Id(false) => page(merged(self.stored_by_id(), self.sales(), |row| (0, row.id()))),
            Sort::Id(true) if self.table.sales.is_none() => page(Box::new(self.stored_by_id().rev())),
            Sort::Id(true) => {
                let mut rows: Vec<_> = self.stored_by_id().chain(self.sales()).collect();
                rows.sort_by_key(|row| std::cmp::Reverse(row.id()));
                page(Box::new(rows.into_iter()))
            }
            Sort::Stamp => page(merged(self.stored_by_stamp(), self.sales(), |row| (row.written(), row.id()))),
            Sort::Columns(columns) => {
                let mut rows: Vec<_> = self.stored_by_id().chain(self.sales()).filter(fits).collect();
                rows.sort_by(|a, b| self.compare(state, columns, *a, *b));
                rows.into_iter().skip(self.offset).take(self.limit).collect()
            }
        }
    }

    fn compare(&self, state: &State, columns: &[(usize, bool)], a: RowRef<'_>, b: RowRef<'_>) -> Ordering {
        for (place, falling) in columns {
            let field = &self.table.columns[*place];
            let (a, b) = (a.cell(self.table, *place), b.cell(self.table, *place));
            let order = match (field.kind, field.relation.as_deref()) {
                (Kind::Many2one, Some(relation)) => match (a.int(), b.int()) {
                    (Some(a), Some(b)) if a != b => {
                        state.display_name(relation, a).cmp(&state.display_name(relation, b)).then(a.cmp(&b))
                    }
                    (a, b) => nulls_last(a, b),
                },
                _ => compare_cells(&a, &b),
            };
            let order = if *falling { order.reverse() } else { order };
            if order != Ordering::Equal {
                return order;
            }
        }
        a.id().cmp(&b.id())
    }

    pub(super) fn table(&self) -> &'a Table {
        self.table
    }
}

fn nulls_last<T: Ord>(a: Option<T>, b: Option<T>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// The ids among which the computed rows must be for a domain to hold, as far as that can be seen at once. Their times rise
/// with their ids, and much of what stands in them is the same in all.
fn sales_within(sales: &Sales, table: &Table, node: &Node) -> Range<i64> {
    let all = sales.first..sales.end();
    match node {
        Node::All(nodes) => nodes.iter().fold(all, |within, node| {
            let one = sales_within(sales, table, node);
            within.start.max(one.start)..within.end.min(one.end)
        }),
        Node::Any(nodes) => {
            let ranges = nodes.iter().map(|node| sales_within(sales, table, node)).filter(|range| !range.is_empty());
            ranges.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)).unwrap_or(all.start..all.start)
        }
        Node::Always(true) | Node::Not(_) => all,
        Node::Test(place, _) if *place == ID || Sales::is_dated(&table.columns[*place]) => {
            let (Bound::Included(low), Bound::Included(high)) = node.bounds(*place) else { return all };
            let after = high.saturating_add(1);
            let (low, after) = if *place == ID { (low, after) } else { (sales.id_from(low), sales.id_from(after)) };
            all.start.max(low)..all.end.min(after)
        }
        Node::Test(place, _) if Sales::differs(&table.columns[*place]) => all,
        Node::Test(..) if node.holds(table, RowRef::Sale(sales, sales.first)) => all,
        Node::Test(..) | Node::Always(false) => all.start..all.start,
    }
}

/// As PostgreSQL sorts: empty cells come last.
pub(super) fn compare_cells(a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
        (Cell::False, Cell::True) => Ordering::Less,
        (Cell::False, Cell::False) => Ordering::Equal,
        (Cell::True, Cell::False) | (Cell::False, _) => Ordering::Greater,
        (_, Cell::False) => Ordering::Less,
        (a, b) => a.number().partial_cmp(&b.number()).unwrap_or(Ordering::Equal),
    }
}

/// Two rising sequences as one.
fn merged<'a, 'b>(
    one: impl Iterator<Item = RowRef<'a>> + 'b,
    other: impl Iterator<Item = RowRef<'a>> + 'b,
    key: fn(&RowRef<'a>) -> (i64, i64),
) -> Box<dyn Iterator<Item = RowRef<'a>> + 'b>
where
    'a: 'b,
{
    let (mut one, mut other) = (one.peekable(), other.peekable());
    Box::new(std::iter::from_fn(move || match (one.peek(), other.peek()) {
        (Some(a), Some(b)) if key(b) < key(a) => other.next(),
        (Some(_), _) => one.next(),
        (None, _) => other.next(),
    }))
}
