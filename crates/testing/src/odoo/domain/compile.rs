//! Reading a domain: prefix notation, and each leaf checked as Odoo checks it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{IdSet, Node, Order, RowRef, Test};
use crate::odoo::Version;
use crate::odoo::cell::{Cell, DAY, Kind, SECOND, parse_date, parse_time};
use crate::odoo::fail::Fail;
use crate::odoo::schema::{FieldDef, parent_field};
use crate::odoo::state::State;

/// Reads a domain for a model.
pub(in crate::odoo) fn compile(state: &State, model: &str, domain: &Value) -> Result<Node, Fail> {
    let Some(items) = domain.as_array() else {
        if domain.is_null() || *domain == Value::Bool(false) {
            return Ok(Node::All(Vec::new()));
        }
        return Err(match state.version {
            Version::V19 => Fail::kind(format!("Domain() invalid argument type for domain: {}", python(domain))),
            _ => Fail::assertion("Domains to normalize must have a 'domain' form: a list or tuple of domain components"),
        });
    };
    // From the right: a leaf is pushed, an operator takes what it needs. What is left over must all hold.
    let mut stack: Vec<Node> = Vec::new();
    let short = || match state.version {
        Version::V19 => Fail::value(format!("Domain() malformed domain {}", python(domain))),
        _ => Fail::value(format!("Domain {} is syntactically not correct.", python(domain))),
    };
    for item in items.iter().rev() {
        match item.as_str() {
            Some("!") => {
                let node = stack.pop().ok_or_else(short)?;
                stack.push(Node::Not(Box::new(node)));
            }
            Some(operator @ ("&" | "|")) => {
                let (a, b) = (stack.pop().ok_or_else(short)?, stack.pop().ok_or_else(short)?);
                stack.push(if operator == "&" { Node::All(vec![a, b]) } else { Node::Any(vec![a, b]) });
            }
            _ => stack.push(leaf(state, model, item)?),
        }
    }
    stack.reverse();
    // Nested conjunctions are laid flat, so that their bounds are seen.
    let mut flat = Vec::new();
    while let Some(node) = stack.pop() {
        match node {
            Node::All(nodes) => stack.extend(nodes),
            other => flat.push(other),
        }
    }
    flat.reverse();
    Ok(Node::All(flat))
}

fn bad_leaf(state: &State, item: &Value) -> Fail {
    let parts = item.as_array().map_or(0, Vec::len);
    if state.version == Version::V19 {
        return Fail::value(format!("Domain() invalid item in domain: {}", python(item)));
    }
    if item.is_array() && parts < 3 {
        return Fail::value(format!("not enough values to unpack (expected 3, got {parts})"));
    }
    Fail::value(format!("Invalid leaf {}", python(item)))
}

fn leaf(state: &State, model: &str, item: &Value) -> Result<Node, Fail> {
    let Some([left, operator, value]) = item.as_array().map(Vec::as_slice) else { return Err(bad_leaf(state, item)) };
    let Some(operator) = operator.as_str() else { return Err(bad_leaf(state, item)) };
    if let Some(number) = left.as_i64() {
        return Ok(Node::Always(Some(number) == value.as_i64()));
    }
    let Some(path) = left.as_str() else { return Err(bad_leaf(state, item)) };
    let shown = format!("('{path}', '{operator}', {})", python(value));
    let unknown = |name: &str| {
        let word = if state.version == Version::V19 { "condition" } else { "leaf" };
        Fail::value(format!("Invalid field {model}.{name} in {word} {shown}"))
    };
    let def = state.schema.get(model).ok_or_else(|| Fail::key(model))?;
    if let Some((first, rest)) = path.split_once('.') {
        let field = def.fields.get(first).ok_or_else(|| unknown(first))?;
        let Some(relation) = field.relation.as_deref() else {
            return Err(match state.version {
                Version::V19 => Fail::value(format!("Invalid field property '{rest}' on {model}.{first}")),
                _ => Fail::assertion(format!("Invalid field '{path}' in domain term {shown}")),
            });
        };
        if !state.schema.contains_key(relation) {
            return Err(unknown(first));
        }
        let inner = leaf(state, relation, &serde_json::json!([rest, operator, value]))?;
        return Ok(test_on(state, model, field, Test::Ids(matching(state, relation, &inner), false)));
    }
    let field = def.fields.get(path).ok_or_else(|| unknown(path))?;
    if !field.store && !field.searchable {
        // Odoo 18 writes a line into its log and answers every row; 19 refuses.
        if state.version == Version::V19 {
            return Err(Fail::value(format!("Cannot convert {model}.{path} to SQL because it is not stored")));
        }
        return Ok(Node::Always(true));
    }
    let test = test_of(state, model, field, operator, value)?;
    let test = test.ok_or_else(|| match state.version {
        Version::V19 => Fail::value(format!("Invalid operator in condition {shown}")),
        _ => Fail::value(format!("Invalid leaf {shown}")),
    })?;
    Ok(test_on(state, model, field, test))
}

/// Puts a test on a field's column; where no row ever had a value, it is decided for all.
fn test_on(state: &State, model: &str, field: &FieldDef, test: Test) -> Node {
    match state.tables.get(model).and_then(|table| table.place(&field.name)) {
        Some(place) => Node::Test(place, test),
        None => Node::Always(test.holds(&field.kind.empty())),
    }
}

/// The ids of the rows of a model for which a node holds, archived ones included.
fn matching(state: &State, model: &str, node: &Node) -> IdSet {
    let Some(table) = state.tables.get(model) else { return IdSet::default() };
    let kept = table.rows.iter().filter(|(_, row)| node.holds(table, RowRef::Kept(row))).map(|(id, _)| *id);
    kept.collect()
}

fn test_of(state: &State, model: &str, field: &FieldDef, operator: &str, value: &Value) -> Result<Option<Test>, Fail> {
    if let "child_of" | "parent_of" = operator {
        let target = field.relation.as_deref().unwrap_or(model);
        return Ok(Some(Test::Ids(family(state, target, value, operator == "child_of"), false)));
    }
    if let ("any" | "not any", Some(relation)) = (operator, field.relation.as_deref()) {
        let ids = matching(state, relation, &compile(state, relation, value)?);
        return Ok(Some(if operator == "any" { Test::Ids(ids, false) } else { Test::NotIds(ids, true) }));
    }
    let order = Order::of(operator);
    // To Odoo `= False` means empty, whatever the field holds.
    let is_false = matches!(value, Value::Bool(false) | Value::Null);
    match order {
        Some(Order::Equal) if is_false => return Ok(Some(Test::Empty)),
        Some(Order::Unequal) if is_false => return Ok(Some(Test::Filled)),
        _ => {}
    }
    if field.kind == Kind::Boolean {
        let truth = value.as_bool().unwrap_or_else(|| value.as_f64().is_some_and(|n| n != 0.0));
        return Ok(match order {
            Some(Order::Equal) => Some(if truth { Test::Filled } else { Test::Empty }),
            Some(Order::Unequal) => Some(if truth { Test::Empty } else { Test::Filled }),
            _ => boolean_among(operator, value),
        });
    }
    if let "in" | "not in" = operator {
        return among(field, operator == "not in", value).map(Some);
    }
    let like = |pattern: &str, case: bool, whole: bool, not: bool| {
        let pattern = if case { pattern.to_owned() } else { pattern.to_lowercase() };
        Test::Like { pattern, case, whole, not }
    };
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let like = match operator {
        "like" => Some(like(&text, true, false, false)),
        "ilike" => Some(like(&text, false, false, false)),
        "not like" => Some(like(&text, true, false, true)),
        "not ilike" => Some(like(&text, false, false, true)),
        "=like" => Some(like(&text, true, true, false)),
        "=ilike" => Some(like(&text, false, true, false)),
        _ => None,
    };
    if let Some(like) = like {
        if matches!(field.kind, Kind::Many2one | Kind::Many)
            && let Some(relation) = field.relation.as_deref()
        {
            return Ok(Some(Test::Ids(named(state, relation, &like), false)));
        }
        return Ok(Some(like));
    }
    let Some(order) = order else { return Ok(None) };
    Ok(Some(match field.kind {
        Kind::Datetime => time_test(state.version, model, field, operator, order, value)?,
        Kind::Date => {
            let day = value.as_str().filter(|text| parse_time(text).is_some());
            let day = day.ok_or_else(|| Fail::bad_datetime(state.version, model, &field.name, operator, &text))?;
            Test::Day(order, day[..10].to_owned())
        }
        Kind::Integer | Kind::Float => {
            let number =
                value.as_f64().or_else(|| text.parse().ok()).or_else(|| value.as_bool().map(|b| f64::from(u8::from(b))));
            Test::Number(order, number.ok_or_else(|| Fail::bad_number(model, &field.name, operator, &text))?)
        }
        Kind::Many2one | Kind::Many => {
            if let (Value::String(name), Some(relation)) = (value, field.relation.as_deref()) {
                let exact = Test::Like { pattern: name.clone(), case: true, whole: true, not: false };
                let ids = named(state, relation, &exact);
                return Ok(Some(if order == Order::Unequal { Test::NotIds(ids, true) } else { Test::Ids(ids, false) }));
            }
            let id = value.as_i64().unwrap_or_default();
            match order {
                Order::Equal => Test::Ids(IdSet::from_iter([id]), false),
                Order::Unequal => Test::NotIds(IdSet::from_iter([id]), true),
                order => Test::Number(order, id as f64),
            }
        }
        Kind::Text | Kind::Json | Kind::Boolean => match order {
            Order::Equal => Test::Texts(vec![text], false),
            Order::Unequal => Test::NotTexts(vec![text], true),
            order => Test::Day(order, text),
        },
    }))
}

fn boolean_among(operator: &str, value: &Value) -> Option<Test> {
    let values = value.as_array()?;
    let (yes, no) = (values.contains(&Value::Bool(true)), values.contains(&Value::Bool(false)));
    match (operator, yes, no) {
        ("in", true, false) | ("not in", false, true) => Some(Test::Filled),
        ("in", false, true) | ("not in", true, false) => Some(Test::Empty),
        ("in" | "not in", both, _) => Some(if both == (operator == "in") {
            Test::NotIds(IdSet::default(), true)
        } else {
            Test::Ids(IdSet::default(), false)
        }),
        _ => None,
    }
}

fn among(field: &FieldDef, not: bool, value: &Value) -> Result<Test, Fail> {
    let single = [value.clone()];
    let values = value.as_array().map_or(&single[..], Vec::as_slice);
    let empty = values.iter().any(|value| matches!(value, Value::Bool(false) | Value::Null));
    if matches!(field.kind, Kind::Text | Kind::Date | Kind::Json) {
        let texts = values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect();
        return Ok(if not { Test::NotTexts(texts, !empty) } else { Test::Texts(texts, empty) });
    }
    if field.kind == Kind::Datetime || field.kind == Kind::Float {
        return Err(Fail::value(format!("the fake answers no `in` on {} fields", field.kind_name)));
    }
    let ids = values.iter().filter_map(Value::as_i64).collect();
    Ok(if not { Test::NotIds(ids, !empty) } else { Test::Ids(ids, empty) })
}

/// A day on a datetime means its begin, or its last second where the operator looks past it.
fn time_test(
    version: Version,
    model: &str,
    field: &FieldDef,
    operator: &str,
    order: Order,
    value: &Value,
) -> Result<Test, Fail> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let (10, Some(day)) = (text.len(), parse_date(&text)) {
        let late = matches!(order, Order::Greater | Order::LessOrEqual);
        return Ok(Test::Time(order, day * DAY + if late { DAY - SECOND } else { 0 }));
    }
    let at = parse_time(&text).ok_or_else(|| Fail::bad_datetime(version, model, &field.name, operator, &text))?;
    Ok(Test::Time(order, at))
}

/// The rows of a model whose shown name fits.
fn named(state: &State, model: &str, like: &Test) -> IdSet {
    let ids = state.tables.get(model).map(|table| table.rows.keys().copied().collect::<Vec<_>>()).unwrap_or_default();
    ids.into_iter().filter(|id| like.holds(&Cell::Text(state.display_name(model, *id)))).collect()
}

/// Rows below (or above) some rows, themselves included.
fn family(state: &State, model: &str, value: &Value, down: bool) -> IdSet {
    let single = [value.clone()];
    let roots = value.as_array().map_or(&single[..], Vec::as_slice);
    let mut found: BTreeSet<i64> = roots.iter().filter_map(Value::as_i64).collect();
    let table = state.tables.get(model);
    let Some((table, place)) = table.and_then(|table| Some((table, table.place(parent_field(model))?))) else {
        return found.into_iter().collect();
    };
    let parents: BTreeMap<i64, i64> = table.rows.iter().filter_map(|(id, row)| Some((*id, row[place].int()?))).collect();
    loop {
        let before = found.len();
        for (child, parent) in &parents {
            if down && found.contains(parent) {
                found.insert(*child);
            } else if !down && found.contains(child) {
                found.insert(*parent);
            }
        }
        if found.len() == before {
            return found.into_iter().collect();
        }
    }
}

/// A value as Python shows it.
pub(in crate::odoo) fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(n) => n.to_string(),
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Value::Object(_) => "{…}".to_owned(),
    }
}
