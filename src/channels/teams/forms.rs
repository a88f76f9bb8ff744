//! What is filled in on a card of Teams: inputs under a button of the card that everybody sees, and forms that one person is answered with.

use serde_json::{Value, json};

use super::cards::{CARD_BYTES, card_of, open};
use super::press::{self, FIELD, button, submit};
use super::text::{aside, bold, labelled, title, words};
use crate::cards::chat::OfferEdit;
use crate::cards::form::{ChatForm, Field, FieldKind};
use crate::cards::names::reason_text;
use crate::channels::chat::heard::Press;
use crate::channels::chat::voice::{Answer, Waiting};
use crate::channels::chat::words::{pieces, whole_words};
use crate::domain::decision::RejectReason;

/// Characters of a paragraph.
const WORDS_CHARS: usize = 2_500;
/// Characters of an option, and how many there are at most.
const OPTION_CHARS: usize = 120;
const OPTIONS_MAX: usize = 100;
/// Characters of a note, as on the page.
const NOTE_CHARS: usize = 500;

/// A button that unfolds inputs.
fn unfold(name: &str, inputs: &[Value], submit: &Value) -> Value {
    let card = json!({ "type": "AdaptiveCard", "version": "1.5", "body": inputs, "actions": [submit] });
    json!({ "type": "Action.ShowCard", "title": name, "card": card })
}

/// Another quantity or day.
pub(super) fn change(press: &Press, edit: &OfferEdit) -> Value {
    let mut inputs = Vec::new();
    if let Some(quantity) = &edit.quantity {
        inputs.push(input("quantity", "Quantity", &FieldKind::Number, Some(quantity), false));
    }
    if let Some(date) = &edit.date {
        inputs.push(input("date", &edit.date_label, &FieldKind::Day, Some(date), false));
    }
    let step = edit.step.to_string();
    // Of a single step nobody needs to say which.
    let fixed: &[(&str, &str)] = if edit.step > 1 { &[("step", &step)] } else { &[] };
    unfold("Change…", &inputs, &submit(press, "Propose", fixed))
}

/// Why not.
pub(super) fn reject(press: &Press) -> Value {
    let reasons = RejectReason::ALL.map(|reason| (reason.code().to_owned(), reason_text(reason).to_owned()));
    let inputs = vec![
        input("reason", "Why not?", &FieldKind::Choice(reasons.to_vec()), None, false),
        input("note", "In a few words", &FieldKind::Words(NOTE_CHARS), None, true),
    ];
    unfold("Reject…", &inputs, &submit(press, "Reject", &[]))
}

/// Until when.
pub(super) fn put_off(press: &Press) -> Value {
    let wakes = [("grew", "or when it is worth a fifth more"), ("stage", "or when something else is wrong too")];
    let wakes = wakes.map(|(code, text)| (code.to_owned(), text.to_owned())).to_vec();
    let inputs = vec![
        input("until", "Ask again on", &FieldKind::Day, None, false),
        input("wake", "Or earlier", &FieldKind::Choice(wakes), Some("grew"), false),
    ];
    unfold("Put off…", &inputs, &submit(press, "Put off", &[]))
}

fn input(name: &str, label: &str, kind: &FieldKind, value: Option<&str>, optional: bool) -> Value {
    let mut input = match kind {
        FieldKind::Words(most) => json!({ "type": "Input.Text", "isMultiline": true, "maxLength": most }),
        FieldKind::Number => json!({ "type": "Input.Number" }),
        FieldKind::Day => json!({ "type": "Input.Date" }),
        FieldKind::Choice(options) => {
            let option =
                |(value, text): &(String, String)| json!({ "title": whole_words(text, OPTION_CHARS), "value": value });
            let choices: Vec<Value> = options.iter().take(OPTIONS_MAX).map(option).collect();
            json!({ "type": "Input.ChoiceSet", "style": "compact", "choices": choices })
        }
    };
    input["id"] = format!("{FIELD}{name}").into();
    input["label"] = whole_words(label, 200).into();
    if let Some(value) = value {
        // A number's value is one.
        input["value"] = match kind {
            FieldKind::Number => value.parse::<serde_json::Number>().map_or_else(|_| value.into(), Value::from),
            _ => value.into(),
        };
    }
    if !optional {
        input["isRequired"] = true.into();
        input["errorMessage"] = "This is needed.".into();
    }
    input
}

/// A form, or the arithmetic, for whoever asked for it.
pub(super) fn form_card(press: &Press, form: &ChatForm) -> Value {
    let inputs: Vec<Value> = form
        .fields
        .iter()
        .map(|Field { name, label, kind, value, optional }| input(name, label, kind, value.as_deref(), *optional))
        .collect();
    let mut actions: Vec<Value> = form.submit.iter().map(|name| submit(press, name, &[])).collect();
    actions.push(back(&format!("recommendation:{}", press.recommendation)));
    actions.extend(form.link.as_deref().map(open));
    let lines: Vec<String> = form.lines.iter().flat_map(|line| pieces(line, WORDS_CHARS)).collect();
    // Inputs before words: what is to be filled in has to be there.
    let with = |shown: usize| {
        let mut body = vec![title(form.title)];
        body.extend(lines.iter().take(shown).map(|line| words(line)));
        if shown < lines.len() {
            body.push(aside(&format!("{} more on the page.", lines.len() - shown)));
        }
        body.extend(inputs.iter().cloned());
        card_of(&body, &actions)
    };
    // Lines are left out from the end until all of it fits: Teams refuses a card that is too large, inputs and all.
    let fits = |shown: &usize| with(*shown).to_string().len() <= CARD_BYTES;
    with((0..=lines.len()).rev().find(fits).unwrap_or_default())
}

/// Leads back to how the case stands.
fn back(about: &str) -> Value {
    let mut back = press::look(about);
    back["title"] = "Back".into();
    back
}

/// What somebody is answered who decided something: it stands in the place of the card for them, until the card changes for everybody.
pub(super) fn answer_card(answer: &Answer, headline: Option<&str>) -> Value {
    let mut body: Vec<Value> = headline.iter().map(|headline| title(&whole_words(headline, WORDS_CHARS))).collect();
    body.extend(pieces(&answer.text, WORDS_CHARS).iter().map(|piece| words(piece)));
    let mut actions: Vec<Value> = answer.undo.iter().map(|undo| button(undo, "Undo")).collect();
    actions.extend(answer.decided.iter().map(|case| back(&format!("case:{case}"))));
    if let Some(waiting) = &answer.waiting {
        body.extend(waiting_lines(waiting));
    }
    actions.extend(answer.link.as_deref().map(open));
    card_of(&body, &actions)
}

/// What waits for somebody. They open it on the page: a card of theirs alone would not change with the one in the channel.
fn waiting_lines(waiting: &Waiting) -> Vec<Value> {
    let mut lines = Vec::new();
    for line in &waiting.lines {
        let short = |text: &str| whole_words(text, 400);
        let mut items = vec![json!({ "type": "RichTextBlock", "inlines": [bold(&short(&line.headline))] })];
        items.extend((!line.stakes.is_empty()).then(|| words(&short(&line.stakes))));
        items.push(labelled("Recommended:", &short(&line.action)));
        let mut container = json!({ "type": "Container", "separator": true, "items": items });
        if let Some(link) = &line.link {
            container["selectAction"] = open(link);
        }
        lines.push(container);
    }
    let over = waiting.of.saturating_sub(waiting.lines.len());
    if over > 0 {
        lines.push(aside(&format!("{over} more in the channel and on the page.")));
    }
    lines
}
