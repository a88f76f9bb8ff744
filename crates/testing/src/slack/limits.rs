//! What Block Kit allows, as the platform checks it: what is too much is `invalid_blocks`.

use std::collections::BTreeSet;

use serde_json::Value;

/// Where blocks stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Surface {
    /// A message: 50 blocks.
    Message,
    /// A form or somebody's own page: 100.
    View,
}

/// What is wrong with blocks; nothing where all is well.
pub(super) fn check(blocks: &[Value], surface: Surface) -> Result<(), String> {
    let most = if surface == Surface::Message { 50 } else { 100 };
    if blocks.len() > most {
        return Err(format!("{} blocks", blocks.len()));
    }
    let mut ids = BTreeSet::new();
    for block in blocks {
        if let Some(id) = block["block_id"].as_str()
            && (id.chars().count() > 255 || !ids.insert(id.to_owned()))
        {
            return Err(format!("block_id {id} is too long or there twice"));
        }
        match block["type"].as_str().unwrap_or_default() {
            "header" => text(&block["text"], 150, &["plain_text"])?,
            "section" => {
                let fields = block["fields"].as_array().map(Vec::as_slice).unwrap_or_default();
                if block["text"].is_null() && fields.is_empty() {
                    return Err("a section without text".to_owned());
                }
                if !block["text"].is_null() {
                    text(&block["text"], 3_000, &["plain_text", "mrkdwn"])?;
                }
                if fields.len() > 10 {
                    return Err(format!("{} fields", fields.len()));
                }
                for field in fields {
                    text(field, 2_000, &["plain_text", "mrkdwn"])?;
                }
                if !block["accessory"].is_null() {
                    element(&block["accessory"])?;
                }
            }
            "context" => {
                let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
                if elements.is_empty() || elements.len() > 10 {
                    return Err(format!("{} elements of a context", elements.len()));
                }
                for one in elements {
                    text(one, 2_000, &["plain_text", "mrkdwn"])?;
                }
            }
            "actions" => {
                let elements = block["elements"].as_array().map(Vec::as_slice).unwrap_or_default();
                if elements.is_empty() || elements.len() > 25 {
                    return Err(format!("{} actions", elements.len()));
                }
                let names: BTreeSet<&str> = elements.iter().filter_map(|one| one["action_id"].as_str()).collect();
                if names.len() != elements.len() {
                    return Err("two actions of one name".to_owned());
                }
                elements.iter().try_for_each(element)?;
            }
            // Of pictures, only those that were uploaded: Reeve shows none from anywhere.
            "image" if surface == Surface::Message => {
                let said = block["alt_text"].as_str().unwrap_or_default().chars().count();
                if said == 0 || said > 2_000 || !block["slack_file"]["id"].is_string() || !block["image_url"].is_null() {
                    return Err("a picture without words, or that is no file".to_owned());
                }
                if !block["title"].is_null() {
                    text(&block["title"], 2_000, &["plain_text"])?;
                }
            }
            "divider" => {}
            "input" if surface == Surface::View => {
                text(&block["label"], 2_000, &["plain_text"])?;
                element(&block["element"])?;
            }
            other => return Err(format!("a block of type {other:?}")),
        }
    }
    Ok(())
}

/// What is wrong with a form or a page.
pub(super) fn check_view(view: &Value) -> Result<(), String> {
    let blocks = view["blocks"].as_array().ok_or("a view without blocks")?;
    check(blocks, Surface::View)?;
    let private = view["private_metadata"].as_str().unwrap_or_default().chars().count();
    let callback = view["callback_id"].as_str().unwrap_or_default().chars().count();
    if private > 3_000 || callback > 255 {
        return Err("private_metadata or callback_id is too long".to_owned());
    }
    if view["type"] == "modal" {
        text(&view["title"], 24, &["plain_text"])?;
        for part in ["submit", "close"] {
            if !view[part].is_null() {
                text(&view[part], 24, &["plain_text"])?;
            }
        }
        let inputs = blocks.iter().any(|block| block["type"] == "input");
        if inputs && view["submit"].is_null() {
            return Err("fields and no submit".to_owned());
        }
    }
    Ok(())
}

fn text(value: &Value, most: usize, kinds: &[&str]) -> Result<(), String> {
    let kind = value["type"].as_str().unwrap_or_default();
    let said = value["text"].as_str().unwrap_or_default();
    let length = said.chars().count();
    if !kinds.contains(&kind) || length == 0 || length > most {
        return Err(format!(
            "a text of type {kind:?} with {length} characters: {}",
            said.chars().take(80).collect::<String>()
        ));
    }
    Ok(())
}

fn element(value: &Value) -> Result<(), String> {
    let name = value["action_id"].as_str().unwrap_or_default().chars().count();
    if name == 0 || name > 255 {
        return Err("an element without a name".to_owned());
    }
    match value["type"].as_str().unwrap_or_default() {
        "button" => {
            text(&value["text"], 75, &["plain_text"])?;
            let long = |field: &str, most: usize| value[field].as_str().unwrap_or_default().chars().count() > most;
            let style = value["style"].as_str().unwrap_or("primary");
            if long("value", 2_000) || long("url", 3_000) || !["primary", "danger"].contains(&style) {
                return Err("a button's value, address or style".to_owned());
            }
        }
        "static_select" => {
            let options = value["options"].as_array().map(Vec::as_slice).unwrap_or_default();
            if options.is_empty() || options.len() > 100 {
                return Err(format!("{} options", options.len()));
            }
            for option in options.iter().chain((!value["initial_option"].is_null()).then_some(&value["initial_option"])) {
                text(&option["text"], 75, &["plain_text"])?;
                let length = option["value"].as_str().unwrap_or_default().chars().count();
                if length == 0 || length > 150 {
                    return Err("an option's value".to_owned());
                }
            }
            if !value["initial_option"].is_null() && !options.contains(&value["initial_option"]) {
                return Err("an initial option that is none of the options".to_owned());
            }
        }
        "plain_text_input" | "datepicker" => {}
        other => return Err(format!("an element of type {other:?}")),
    }
    Ok(())
}
