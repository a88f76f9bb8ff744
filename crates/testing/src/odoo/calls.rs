//! What a model's methods answer: the reads, the questions about rights, and the refusal of everything that writes.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Version;
use super::access::{self, User};
use super::cell::{Cell, Kind, write_json};
use super::domain::{Light, RowRef, python};
use super::fail::Fail;
use super::grouping;
use super::schema::COMPANY_DEPENDENT;
use super::search::Plan;
use super::state::{State, Table};

/// The methods that only read.
pub(super) const READS: &[&str] = &[
    "search_read",
    "search",
    "search_count",
    "read",
    "fields_get",
    "read_group",
    "formatted_read_group",
    "check_access_rights",
    "has_access",
    "check_access",
    "context_get",
];

/// Methods that change rows, with the right that they need.
const WRITES: &[(&str, &str)] = &[
    ("create", "create"),
    ("write", "write"),
    ("unlink", "unlink"),
    ("copy", "create"),
    ("button_validate", "write"),
    ("button_confirm", "write"),
    ("button_cancel", "write"),
    ("action_confirm", "write"),
    ("action_cancel", "write"),
    ("action_apply_inventory", "write"),
    ("message_post", "write"),
    ("do_unreserve", "write"),
];

/// What a method answers.
#[derive(Debug)]
pub(super) enum Answer {
    /// JSON.
    Json(Vec<u8>),
    /// Python's `None`, for which JSON-RPC has neither result nor error.
    Nothing,
}

/// Arguments by name, and the context apart.
#[derive(Debug, Default)]
pub(super) struct Args {
    pub named: Map<String, Value>,
    pub context: Map<String, Value>,
}

impl Args {
    /// Puts positional arguments and named ones together by a method's signature.
    pub(super) fn bind(method: &str, positional: &[Value], mut named: Map<String, Value>) -> Result<Self, Fail> {
        let context = match named.remove("context") {
            Some(Value::Object(context)) => context,
            _ => Map::new(),
        };
        let signature = signature(method);
        if positional.len() > signature.len() {
            let (takes, given) = (signature.len() + 1, positional.len() + 1);
            return Err(Fail::kind(format!(
                "BaseModel.{method}() takes from 1 to {takes} positional arguments but {given} were given"
            )));
        }
        for (name, value) in signature.iter().zip(positional) {
            named.insert((*name).to_owned(), value.clone());
        }
        if let Some(odd) = Self::odd(method, &named) {
            // search_read hands on what it does not know.
            let refusing = if method == "search_read" { "_read_format" } else { method };
            return Err(Fail::kind(format!("BaseModel.{refusing}() got an unexpected keyword argument '{odd}'")));
        }
        Ok(Self { named, context })
    }

    /// A named argument that the method does not take.
    pub(super) fn odd<'a>(method: &str, named: &'a Map<String, Value>) -> Option<&'a str> {
        let signature = signature(method);
        let known = |name: &str| signature.contains(&name) || name == "context";
        named.keys().map(String::as_str).find(|name| READS.contains(&method) && !known(name))
    }

    fn value(&self, name: &str) -> &Value {
        self.named.get(name).unwrap_or(&Value::Null)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.value(name).as_str()
    }

    pub(super) fn texts(&self, name: &str) -> Vec<String> {
        let items = self.value(name).as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    fn ids(&self, name: &str) -> Vec<i64> {
        match self.value(name) {
            Value::Array(ids) => ids.iter().filter_map(Value::as_i64).collect(),
            other => other.as_i64().into_iter().collect(),
        }
    }

    pub(super) fn page(&self) -> Result<(usize, Option<usize>), Fail> {
        let limit = self.value("limit").as_i64();
        if limit.is_some_and(|limit| limit < 0) {
            return Err(Fail::negative_limit());
        }
        Ok((self.value("offset").as_u64().unwrap_or(0) as usize, limit.map(|limit| limit as usize)))
    }

    pub(super) fn domain(&self) -> Value {
        self.named.get("domain").cloned().unwrap_or_else(|| json!([]))
    }

    /// In which light the rows are read.
    pub(super) fn light(&self, user: &User) -> Result<Light, Fail> {
        let asked = self.context.get("allowed_company_ids").and_then(Value::as_array);
        let companies = match asked {
            Some(ids) => ids.iter().filter_map(Value::as_i64).collect(),
            None => user.companies.clone(),
        };
        if companies.iter().any(|id| !user.companies.contains(id)) {
            return Err(Fail::access("Access to unauthorized or invalid companies."));
        }
        let active_test = self.context.get("active_test").is_none_or(|value| value != &Value::Bool(false));
        Ok(Light { companies, active_test })
    }
}

/// The names of a method's arguments in their order. Methods of rows take their ids first.
fn signature(method: &str) -> &'static [&'static str] {
    match method {
        "search_read" => &["domain", "fields", "offset", "limit", "order", "load"],
        "search" => &["domain", "offset", "limit", "order"],
        "search_count" => &["domain", "limit"],
        "read" => &["ids", "fields", "load"],
        "fields_get" => &["allfields", "attributes"],
        "read_group" => &["domain", "fields", "groupby", "offset", "limit", "orderby", "lazy"],
        "formatted_read_group" => &["domain", "groupby", "aggregates", "having", "offset", "limit", "order"],
        "check_access_rights" => &["operation", "raise_exception"],
        "has_access" | "check_access" => &["ids", "operation"],
        "create" => &["vals_list"],
        "write" => &["ids", "vals"],
        "context_get" => &[],
        _ => &["ids", "first", "second", "third"],
    }
}

/// Does the server know the method?
pub(super) fn knows(version: Version, method: &str) -> bool {
    match method {
        "formatted_read_group" => version == Version::V19,
        "has_access" => version >= Version::V18,
        "check_access" => version == Version::V18,
        _ => READS.contains(&method) || WRITES.iter().any(|(name, _)| *name == method),
    }
}

/// Calls a method that the server knows, of a model that it has.
pub(super) fn call(state: &mut State, user: &User, model: &str, method: &str, args: &Args) -> Result<Answer, Fail> {
    let light = args.light(user)?;
    let json = match method {
        "search_read" => search_read(state, user, model, args, &light)?,
        "search" => {
            access::check(state, user, model, "read")?;
            let plan = Plan::new(state, model, &args.domain(), args.text("order"), args.page()?, &light)?;
            let ids: Vec<i64> = plan.map(|plan| plan.rows(state).iter().map(RowRef::id).collect()).unwrap_or_default();
            spaced(&ids)
        }
        "search_count" => {
            access::check(state, user, model, "read")?;
            let plan = Plan::new(state, model, &args.domain(), Some("id"), args.page()?, &light)?;
            plan.map_or(0, |plan| plan.count()).to_string().into_bytes()
        }
        "read" => read(state, user, model, args, &light)?,
        "fields_get" => fields_get(state, user, model, args),
        "read_group" => {
            access::check(state, user, model, "read")?;
            grouping::read_group(state, model, args, &light)?
        }
        "formatted_read_group" => {
            access::check(state, user, model, "read")?;
            grouping::formatted_read_group(state, model, args, &light)?
        }
        "check_access_rights" | "has_access" | "check_access" => return rights(state, user, model, method, args),
        "context_get" => json!({"lang": "en_US", "tz": user.tz, "uid": user.uid}).to_string().into_bytes(),
        _ => return write(state, user, model, method, args),
    };
    Ok(Answer::Json(json))
}

fn spaced(ids: &[i64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(ids.len() * 8 + 2);
    Cell::Ids(Arc::from(ids)).write(&mut out);
    out
}

fn rights(state: &State, user: &User, model: &str, method: &str, args: &Args) -> Result<Answer, Fail> {
    let operation = args.text("operation");
    let Some(operation) = operation else {
        return Err(Fail::kind(format!("BaseModel.{method}() missing 1 required positional argument: 'operation'")));
    };
    if !access::RIGHTS.contains(&operation) {
        return Err(Fail::key(operation));
    }
    let of_rows = !args.ids("ids").is_empty();
    let ruled_out = of_rows && user.is_ruled_out(model, operation);
    let may = user.may(model, operation) && !ruled_out;
    let raises = match method {
        "check_access_rights" => args.value("raise_exception") != &Value::Bool(false),
        other => other == "check_access",
    };
    if !may && raises && user.may(model, operation) {
        return Err(access::rule_refusal(state, user, model, operation));
    }
    if !may && raises {
        return Err(access::refusal(state, model, operation));
    }
    if method == "check_access" { Ok(Answer::Nothing) } else { Ok(Answer::Json(may.to_string().into_bytes())) }
}

/// The fields that are asked for; all of them where none is named.
fn asked_fields(state: &State, user: &User, model: &str, args: &Args) -> Result<Vec<String>, Fail> {
    let mut fields = args.texts("fields");
    if fields.is_empty() {
        let readable = |name: &&String| !user.hidden.contains(&(model.to_owned(), (*name).clone()));
        fields = state.schema[model].fields.keys().filter(readable).cloned().collect();
    }
    let unknown = fields.iter().find(|name| !state.schema[model].fields.contains_key(*name));
    if let Some(name) = unknown {
        let of = if state.version == Version::V19 { "on" } else { "on model" };
        return Err(Fail::value(format!("Invalid field '{name}' {of} '{model}'")));
    }
    access::check_fields(state, user, model, &fields)?;
    Ok(fields)
}

fn search_read(state: &State, user: &User, model: &str, args: &Args, light: &Light) -> Result<Vec<u8>, Fail> {
    access::check(state, user, model, "read")?;
    let fields = asked_fields(state, user, model, args)?;
    let plan = Plan::new(state, model, &args.domain(), args.text("order"), args.page()?, light)?;
    let Some(plan) = plan else { return Ok(b"[]".to_vec()) };
    Ok(Writer::new(state, plan.table(), &fields, names_wanted(args), light).rows(&plan.rows(state)))
}

fn read(state: &State, user: &User, model: &str, args: &Args, light: &Light) -> Result<Vec<u8>, Fail> {
    access::check(state, user, model, "read")?;
    let fields = asked_fields(state, user, model, args)?;
    let Some(table) = state.tables.get(model) else { return Ok(b"[]".to_vec()) };
    let row = |id: i64| match (table.rows.get(&id), table.sales.as_deref()) {
        (Some(row), _) => Some(RowRef::Kept(row)),
        (None, Some(sales)) if sales.holds(id) && !table.replaced.contains(&id) => Some(RowRef::Sale(sales, id)),
        _ => None,
    };
    // What is not there any more is left out without a word.
    let rows: Vec<RowRef<'_>> = args.ids("ids").into_iter().filter_map(row).collect();
    Ok(Writer::new(state, table, &fields, names_wanted(args), light).rows(&rows))
}

/// Are references answered with names? Not with `load: ""` or `null`.
fn names_wanted(args: &Args) -> bool {
    args.named.get("load").is_none_or(|load| load == "_classic_read")
}

/// Writes rows as JSON.
struct Writer<'a> {
    state: &'a State,
    table: &'a Table,
    company: i64,
    fields: Vec<Out<'a>>,
}

/// A field of an answer.
struct Out<'a> {
    key: Vec<u8>,
    name: &'a str,
    place: Option<usize>,
    /// What is answered where no row ever had a value.
    empty: Cell,
    /// The model whose names are answered.
    names: Option<&'a str>,
    by_company: bool,
}

impl<'a> Writer<'a> {
    fn new(state: &'a State, table: &'a Table, fields: &[String], names: bool, light: &Light) -> Self {
        let def = &state.schema[&table.model];
        let mut wanted: Vec<&str> = vec!["id"];
        wanted.extend(fields.iter().map(String::as_str).filter(|name| *name != "id"));
        let out = |name: &str| {
            let field = &def.fields[name];
            let mut key = Vec::new();
            write_json(&mut key, name);
            key.extend_from_slice(b": ");
            let relation = field.relation.as_deref().filter(|_| names && field.kind == Kind::Many2one);
            let by_company =
                !state.company_values.is_empty() && COMPANY_DEPENDENT.contains(&(table.model.as_str(), field.name.as_str()));
            let place = table.place(name);
            Out { key, name: &field.name, place, empty: field.kind.empty(), names: relation, by_company }
        };
        let company = light.companies.first().copied().unwrap_or(1);
        Self { state, table, company, fields: wanted.into_iter().map(out).collect() }
    }

    fn rows(&self, rows: &[RowRef<'_>]) -> Vec<u8> {
        let mut out = Vec::with_capacity(rows.len() * self.fields.len() * 24 + 2);
        let mut names: HashMap<(usize, i64), Vec<u8>> = HashMap::new();
        out.push(b'[');
        for (nth, row) in rows.iter().enumerate() {
            out.extend_from_slice(if nth > 0 { b", {" } else { b"{" });
            for (at, field) in self.fields.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                out.extend_from_slice(&field.key);
                self.cell(&mut out, &mut names, *row, at, field);
            }
            out.push(b'}');
        }
        out.push(b']');
        out
    }

    fn cell(
        &self,
        out: &mut Vec<u8>,
        names: &mut HashMap<(usize, i64), Vec<u8>>,
        row: RowRef<'_>,
        at: usize,
        field: &Out<'_>,
    ) {
        // What a company has of its own goes before what stands in the row.
        if field.by_company {
            let key = (self.table.model.clone(), field.name.to_owned(), row.id(), self.company);
            if let Some(cell) = self.state.company_values.get(&key) {
                return cell.write(out);
            }
        }
        let Some(place) = field.place else {
            if field.name == "display_name" {
                return write_json(out, &*self.state.display_name(&self.table.model, row.id()));
            }
            return field.empty.write(out);
        };
        let cell = row.cell(self.table, place);
        match (field.names, cell.int()) {
            (Some(model), Some(id)) => {
                // A page names the same few rows over and over.
                let text = names.entry((at, id)).or_insert_with(|| {
                    let mut text = format!("[{id}, ").into_bytes();
                    write_json(&mut text, &*self.state.display_name(model, id));
                    text.push(b']');
                    text
                });
                out.extend_from_slice(text);
            }
            _ => cell.write(out),
        }
    }
}

fn fields_get(state: &State, user: &User, model: &str, args: &Args) -> Vec<u8> {
    let only = args.texts("allfields");
    let attributes = args.texts("attributes");
    let mut answer = Map::new();
    for (name, field) in &state.schema[model].fields {
        // Odoo leaves out hidden fields without a word: whoever asks takes them for fields that are not there.
        let hidden = user.hidden.contains(&(model.to_owned(), name.clone()));
        if hidden || (!only.is_empty() && !only.contains(name)) {
            continue;
        }
        let mut about = Map::new();
        let mut tell = |attribute: &str, value: Value| {
            if attributes.is_empty() || attributes.iter().any(|asked| asked == attribute) {
                about.insert(attribute.to_owned(), value);
            }
        };
        tell("name", json!(name));
        tell("readonly", json!(!user.may(model, "write")));
        tell("required", json!(false));
        tell("searchable", json!(field.searchable || field.store));
        tell("sortable", json!(field.sortable));
        tell("store", json!(field.store));
        tell("string", json!(name));
        tell("type", json!(field.kind_name));
        if let Some(relation) = &field.relation {
            tell("relation", json!(relation));
        }
        answer.insert(name.clone(), Value::Object(about));
    }
    Value::Object(answer).to_string().into_bytes()
}

/// What changes rows: refused to a reader, carried out for whoever may.
fn write(state: &mut State, user: &User, model: &str, method: &str, args: &Args) -> Result<Answer, Fail> {
    let right = WRITES.iter().find(|(name, _)| *name == method).map_or("write", |(_, right)| right);
    access::check(state, user, model, right)?;
    if user.is_ruled_out(model, right) {
        return Err(access::rule_refusal(state, user, model, right));
    }
    let ids = args.ids("ids");
    let values = args.value("vals").clone();
    if let Some(id) = ids.iter().find(|id| state.tables.get(model).is_none_or(|table| table.row(**id).is_none())) {
        return Err(Fail::missing(model, *id, user.uid));
    }
    match method {
        "create" => {
            let list = args.value("vals_list");
            let ids: Vec<i64> = match list {
                Value::Array(rows) => rows.iter().map(|values| state.create(model, values)).collect(),
                one => return Ok(Answer::Json(state.create(model, one).to_string().into_bytes())),
            };
            return Ok(Answer::Json(spaced(&ids)));
        }
        "write" if !values.is_object() => return Err(Fail::value(format!("{} is no values", python(&values)))),
        "write" => ids.iter().for_each(|id| state.write(model, *id, &values)),
        "unlink" => ids.iter().for_each(|id| state.unlink(model, *id)),
        "do_unreserve" => return Ok(Answer::Nothing),
        _ => {}
    }
    Ok(Answer::Json(b"true".to_vec()))
}
