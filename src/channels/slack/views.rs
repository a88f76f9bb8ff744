//! Forms and people's own pages in Slack: modals and the App Home.

use serde_json::{Value, json};

use super::blocks::button;
use super::text::{escaped, mrkdwn, plain_text};
use super::wire::{Carried, FIELD, FORM};
use crate::cards::form::{ChatForm, Field, FieldKind};
use crate::channels::chat::heard::Press;
use crate::channels::chat::voice::{Answer, Waiting, WaitingLine};
use crate::channels::chat::words::{pieces, whole_words};

/// Blocks of a modal or of a home.
const BLOCKS_MAX: usize = 100;
/// Characters of a section.
const SECTION_CHARS: usize = 2_900;
/// Options of a list, and characters of one.
const OPTIONS_MAX: usize = 100;
const OPTION_CHARS: usize = 75;

/// A form as a modal. `channel` is where it was asked for.
pub(super) fn modal(press: &Press, channel: Option<&str>, form: &ChatForm) -> Value {
    let carried = Carried { press: press.clone(), channel: channel.map(str::to_owned) };
    let lines = form.lines.iter().flat_map(|line| pieces(line, SECTION_CHARS));
    let mut blocks: Vec<Value> = lines.map(|line| json!({ "type": "section", "text": plain_text(&line) })).collect();
    // Fields before words: what is to be filled in has to be there.
    blocks.truncate(BLOCKS_MAX - form.fields.len() - 1);
    blocks.extend(form.fields.iter().map(input));
    if let Some(link) = &form.link {
        let link = format!("<{link}|The whole of it on Reeve's page>");
        blocks.push(json!({ "type": "context", "elements": [mrkdwn(&link)] }));
    }
    let mut view = json!({
        "type": "modal",
        "callback_id": FORM,
        "private_metadata": serde_json::to_string(&carried).expect("texts and a number are plain values"),
        "title": plain_text(&whole_words(form.title, 24)),
        "close": plain_text("Close"),
        "blocks": blocks,
    });
    if let Some(submit) = form.submit {
        view["submit"] = plain_text(submit);
        view["close"] = plain_text("Cancel");
    }
    view
}

fn input(field: &Field) -> Value {
    let mut element = match &field.kind {
        FieldKind::Words(most) => json!({ "type": "plain_text_input", "multiline": true, "max_length": most }),
        FieldKind::Number => json!({ "type": "plain_text_input", "max_length": 30 }),
        FieldKind::Day => json!({ "type": "datepicker" }),
        FieldKind::Choice(options) => {
            let options: Vec<Value> = options.iter().take(OPTIONS_MAX).map(|(value, text)| option(value, text)).collect();
            json!({ "type": "static_select", "options": options })
        }
    };
    element["action_id"] = field.name.into();
    if let Some(value) = &field.value {
        match &field.kind {
            FieldKind::Words(_) | FieldKind::Number => element["initial_value"] = value.as_str().into(),
            FieldKind::Day => element["initial_date"] = value.as_str().into(),
            FieldKind::Choice(options) => {
                // Slack takes a choice beforehand only where it is one of the options, to the letter.
                if let Some((value, text)) = options.iter().take(OPTIONS_MAX).find(|(code, _)| code == value) {
                    element["initial_option"] = option(value, text);
                }
            }
        }
    }
    json!({
        "type": "input",
        "block_id": format!("{FIELD}{}", field.name),
        "label": plain_text(&whole_words(&field.label, 200)),
        "optional": field.optional,
        "element": element,
    })
}

fn option(value: &str, text: &str) -> Value {
    json!({ "text": plain_text(&whole_words(text, OPTION_CHARS)), "value": value })
}

/// The block that a field's error stands at.
pub(super) fn block_of(name: &str) -> String {
    format!("{FIELD}{name}")
}

/// An answer's blocks.
pub(super) fn answer_blocks(answer: &Answer) -> Vec<Value> {
    let said = pieces(&answer.text, SECTION_CHARS);
    let mut blocks: Vec<Value> = said.iter().map(|piece| json!({ "type": "section", "text": plain_text(piece) })).collect();
    if let Some(undo) = &answer.undo {
        blocks.push(json!({ "type": "actions", "elements": [button(undo, "Undo", None)] }));
    }
    if let Some(waiting) = &answer.waiting {
        blocks.extend(waiting.lines.iter().map(waiting_line));
    }
    if let Some(link) = &answer.link {
        let link = format!("<{link}|Reeve's page>");
        blocks.push(json!({ "type": "context", "elements": [mrkdwn(&link)] }));
    }
    blocks
}

/// Somebody's own page.
pub(super) fn home(waiting: &Waiting) -> Value {
    let mut blocks = vec![json!({ "type": "header", "text": plain_text("What waits for you") })];
    blocks.extend(
        pieces(&waiting.title, SECTION_CHARS).iter().map(|piece| json!({ "type": "section", "text": plain_text(piece) })),
    );
    blocks.extend(waiting.lines.iter().map(waiting_line));
    let over = waiting.of.saturating_sub(waiting.lines.len());
    if over > 0 {
        let more = format!("{over} more in the channel and on the page.");
        blocks.push(json!({ "type": "context", "elements": [plain_text(&more)] }));
    }
    blocks.truncate(BLOCKS_MAX);
    json!({ "type": "home", "blocks": blocks })
}

fn waiting_line(line: &WaitingLine) -> Value {
    let full = format!("*{}*\n{}\n{}", escaped(&line.headline), escaped(&line.stakes), escaped(&line.action));
    let text = whole_words(full.trim_end(), SECTION_CHARS);
    let mut section = json!({ "type": "section", "text": mrkdwn(&text) });
    if let Some(press) = &line.press {
        section["accessory"] = button(press, "Why?", None);
    }
    section
}
