//! `read_group` and, from 19 on, `formatted_read_group`: sums by references, days, months. `groups` reckons them, here they are
//! answered as each method answers.

mod groups;
mod spans;

use std::collections::HashMap;

use serde_json::{Value, json};

use self::groups::{Grouped, Key, Part};
use self::spans::label;
use super::Version;
use super::calls::Args;
use super::cell::write_json;
use super::domain::Light;
use super::fail::Fail;
use super::state::State;

/// A domain with its `&`s written out, without the brackets around it.
fn normal(domain: &Value) -> Vec<u8> {
    let items = domain.as_array().map(Vec::as_slice).unwrap_or_default();
    let leaves = items.iter().filter(|item| item.is_array()).count();
    let operators = items.iter().filter(|item| matches!(item.as_str(), Some("&" | "|"))).count();
    let mut all = vec![json!("&"); leaves.saturating_sub(operators + 1)];
    all.extend(items.iter().cloned());
    let text = Value::Array(all).to_string();
    text.as_bytes()[1..text.len() - 1].to_vec()
}

/// Appends `a and b and …` in prefix notation, as `expression.AND` puts domains together.
fn write_joined(out: &mut Vec<u8>, domains: &[&[u8]]) {
    let count = domains.iter().filter(|domain| !domain.is_empty()).count();
    out.push(b'[');
    for _ in 1..count {
        out.extend_from_slice(b"\"&\", ");
    }
    for (nth, domain) in domains.iter().filter(|domain| !domain.is_empty()).enumerate() {
        if nth > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(domain);
    }
    out.push(b']');
}

/// What an answer says of one value of one key; many groups share it.
struct Piece {
    /// The value as `read_group` and as `formatted_read_group` show it.
    plain: Vec<u8>,
    formatted: Vec<u8>,
    term: Vec<u8>,
    range: Vec<u8>,
}

impl Grouped<'_> {
    fn piece(&self, key: &Key, part: Part) -> Piece {
        let (mut plain, mut formatted, mut range) = (Vec::new(), Vec::new(), b"false".to_vec());
        if let (Some(span), Part::Value(begin)) = (key.span, part) {
            let (from, to) = self.range(key, begin);
            write_json(&mut plain, &label(span, begin));
            write_json(&mut formatted, &json!([from, label(span, begin)]));
            range = json!({"from": from, "to": to}).to_string().into_bytes();
        } else {
            self.write_key(&mut plain, key, part);
            formatted.clone_from(&plain);
        }
        Piece { plain, formatted, term: normal(&self.term(key, part)), range }
    }

    /// The pieces of every value of every key.
    fn pieces(&self) -> Vec<HashMap<Part, Piece>> {
        let of_key = |(at, key): (usize, &Key)| {
            let mut pieces = HashMap::new();
            for (parts, _) in &self.groups {
                pieces.entry(parts[at]).or_insert_with(|| self.piece(key, parts[at]));
            }
            pieces
        };
        self.keys.iter().enumerate().map(of_key).collect()
    }
}

/// `read_group`, lazy or not.
pub(super) fn read_group(state: &State, model: &str, args: &Args, light: &Light) -> Result<Vec<u8>, Fail> {
    let lazy = args.named.get("lazy") != Some(&Value::Bool(false));
    let mut by = match args.named.get("groupby") {
        Some(Value::String(one)) => vec![one.clone()],
        _ => args.texts("groupby"),
    };
    // Lazy, as Odoo is unless told otherwise: by the first key alone, the others are left to the next question.
    let rest = if lazy && by.len() > 1 { by.split_off(1) } else { Vec::new() };
    let mut sums = args.texts("fields");
    sums.retain(|name| !by.contains(name) && name != "__count");
    let grouped = Grouped::new(state, model, args, light, &by, (&sums, false))?;
    let domain = normal(&args.domain());
    let pieces = grouped.pieces();
    let count = match by.first() {
        Some(first) if lazy => format!("{}_count", first.split(':').next().unwrap_or_default()),
        _ => "__count".to_owned(),
    };
    let mut out = vec![b'['];
    for (nth, (parts, group)) in grouped.groups.iter().enumerate() {
        out.extend_from_slice(if nth > 0 { b", {" } else { b"{" });
        let pieces: Vec<&Piece> = pieces.iter().zip(parts).map(|(pieces, part)| &pieces[part]).collect();
        for (key, piece) in grouped.keys.iter().zip(&pieces) {
            write_json(&mut out, &key.asked);
            out.extend_from_slice(b": ");
            out.extend_from_slice(&piece.plain);
            out.extend_from_slice(b", ");
        }
        write_json(&mut out, &count);
        out.extend_from_slice(format!(": {}", group.count).as_bytes());
        grouped.write_sums(&mut out, group);
        let mut domains: Vec<&[u8]> = vec![&domain];
        domains.extend(pieces.iter().map(|piece| &*piece.term));
        out.extend_from_slice(b", \"__domain\": ");
        write_joined(&mut out, &domains);
        let spans = grouped.keys.iter().zip(&pieces).filter(|(key, _)| key.span.is_some());
        for (nth, (key, piece)) in spans.clone().enumerate() {
            out.extend_from_slice(if nth > 0 { b", " } else { b", \"__range\": {" });
            write_json(&mut out, &key.asked);
            out.extend_from_slice(b": ");
            out.extend_from_slice(&piece.range);
        }
        if spans.count() > 0 {
            out.push(b'}');
        }
        if lazy && !rest.is_empty() {
            out.extend_from_slice(b", \"__context\": ");
            write_json(&mut out, &json!({"group_by": rest}));
        }
        out.push(b'}');
    }
    out.push(b']');
    Ok(out)
}

/// `formatted_read_group`: a group's values, what it adds to the domain, its sums.
pub(super) fn formatted_read_group(state: &State, model: &str, args: &Args, light: &Light) -> Result<Vec<u8>, Fail> {
    debug_assert_eq!(state.version, Version::V19, "older servers do not know the method");
    let grouped = Grouped::new(state, model, args, light, &args.texts("groupby"), (&args.texts("aggregates"), true))?;
    let pieces = grouped.pieces();
    let mut out = vec![b'['];
    for (nth, (parts, group)) in grouped.groups.iter().enumerate() {
        out.extend_from_slice(if nth > 0 { b", {" } else { b"{" });
        let pieces: Vec<&Piece> = pieces.iter().zip(parts).map(|(pieces, part)| &pieces[part]).collect();
        for (key, piece) in grouped.keys.iter().zip(&pieces) {
            write_json(&mut out, &key.asked);
            out.extend_from_slice(b": ");
            out.extend_from_slice(&piece.formatted);
            out.extend_from_slice(b", ");
        }
        let mut domains: Vec<&[u8]> = pieces.iter().map(|piece| &*piece.term).collect();
        // A leaf that always holds, as the server adds where there is nothing to be told apart by.
        if domains.is_empty() {
            domains.push(b"[1, \"=\", 1]");
        }
        out.extend_from_slice(b"\"__extra_domain\": ");
        write_joined(&mut out, &domains);
        grouped.write_sums(&mut out, group);
        out.push(b'}');
    }
    out.push(b']');
    Ok(out)
}
