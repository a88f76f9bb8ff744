//! The OpenAPI 3.1 document, made of the same list as the router and of the types that are read and written.

use axum::http::Method;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::problem::{CODES, ProblemDocument};
use super::{BASE, operations};

/// One thing that can be asked.
pub(super) struct Operation {
    pub method: Method,
    pub path: &'static str,
    pub id: &'static str,
    pub summary: &'static str,
    /// The scope it takes; None where any token will do.
    pub scope: Option<String>,
    pub parts: Parts,
}

type Made = fn(&mut SchemaGenerator) -> Schema;

/// What goes in and what comes out.
pub(super) struct Parts {
    answer: Made,
    query: Option<Made>,
    body: Option<Made>,
}

impl Parts {
    pub(super) fn answer<T: JsonSchema>() -> Self {
        Self { answer: SchemaGenerator::subschema_for::<T>, query: None, body: None }
    }

    /// Fields behind the question mark.
    #[must_use]
    pub(super) fn query<T: JsonSchema>(self) -> Self {
        // Their fields are parameters of their own, so the object itself is not kept among the schemas.
        Self { query: Some(T::json_schema), ..self }
    }

    #[must_use]
    pub(super) fn body<T: JsonSchema>(self) -> Self {
        Self { body: Some(SchemaGenerator::subschema_for::<T>), ..self }
    }
}

/// The document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        // Version 3.1 has a dialect for all schemas of a document: no single one has to name it.
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<ProblemDocument>();
    let mut paths = Map::new();
    for (operation, _) in operations() {
        let method = operation.method.as_str().to_lowercase();
        let described = described(&operation, &mut generator);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[method] = described;
    }
    // Schemas are complete only now that each operation was described: they are taken out below, last.
    let codes: Vec<Value> = CODES.iter().map(|(code, title)| json!(format!("urn:reeve:problem:{code}: {title}"))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Reeve",
            "version": "1",
            "summary": "Cases, evidence and decisions of a Reeve, for programs of people and for machines.",
            "description": "Amounts are in hundredths of the company's currency. A decision is made as the person whose token \
                            it is; a service's token can not decide. docs/API.md says more.",
        },
        "servers": [{ "url": BASE }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": { "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token of `reeve token new`, with the scope that the operation names.",
            } },
            "responses": { "Problem": {
                "description": "What is wrong, by a code that stays (RFC 9457).",
                "content": { "application/problem+json": { "schema": problem } },
            } },
        },
        "x-problem-types": codes,
    })
}

fn described(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut parameters: Vec<Value> = operation
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    if let Some(query) = operation.parts.query {
        parameters.extend(fields(query(generator).as_value(), "query"));
    }
    // What only asks for something has no content that could be mixed up, and needs no name.
    if operation.method == Method::POST && operation.parts.body.is_some() {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": "Your name for this one decision: sent again with the same content it is answered the same, with \
                            another it is refused with 409.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 200 },
        }));
    }
    let mut value = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "responses": {
            "200": {
                "description": "As asked.",
                "content": { "application/json": { "schema": (operation.parts.answer)(generator) } },
            },
            "default": { "$ref": "#/components/responses/Problem" },
        },
    });
    if let Some(scope) = &operation.scope {
        value["x-scope"] = scope.clone().into();
    }
    if !parameters.is_empty() {
        value["parameters"] = parameters.into();
    }
    if let Some(body) = operation.parts.body {
        value["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": body(generator) } },
        });
    }
    value
}

/// The fields of an object as parameters.
fn fields(object: &Value, place: &str) -> Vec<Value> {
    let properties = object["properties"].as_object().cloned().unwrap_or_default();
    let parameter = |(name, mut schema): (String, Value)| {
        let description = schema.as_object_mut().and_then(|s| s.remove("description")).unwrap_or_default();
        json!({ "name": name, "in": place, "description": description, "schema": schema })
    };
    properties.into_iter().map(parameter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_in_the_tree_is_made_of_these_types() {
        let kept = include_str!("../../../config/api/openapi.json");
        let made = format!("{}\n", serde_json::to_string_pretty(&document()).unwrap());
        assert!(kept == made, "run `reeve openapi > config/api/openapi.json` and look at what changed");
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        fn walk(value: &Value, root: &Value, seen: &mut usize) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(to)) = map.get("$ref") {
                        let pointer = to.strip_prefix('#').unwrap();
                        assert!(root.pointer(pointer).is_some(), "{to} leads nowhere");
                        *seen += 1;
                    }
                    map.values().for_each(|value| walk(value, root, seen));
                }
                Value::Array(all) => all.iter().for_each(|value| walk(value, root, seen)),
                _ => {}
            }
        }
        let (document, mut seen) = (document(), 0);
        walk(&document, &document, &mut seen);
        assert!(seen > 10, "{seen}");
        assert_eq!(document["paths"].as_object().unwrap().len(), operations().len());
        assert_eq!(document["paths"]["/cases"]["get"]["parameters"].as_array().unwrap().len(), 8);
    }
}
