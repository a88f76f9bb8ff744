//! Buttons of Teams: what stands in them, and what is read from one that was pressed. Neither a verb nor its data is believed: they name
//! a recommendation and the content that was shown, and the one door of decisions looks at the rest.

use serde_json::{Value, json};

use crate::channels::chat::heard::{Press, Wish};

/// Before the verbs of our buttons.
const OURS: &str = "reeve.";

/// The verb by which somebody's app asks how a card stands for them.
const LOOK: &str = "reeve.look";

/// Where a button's press stands in its data: apart from the names of inputs, which would overwrite it.
const PRESS: &str = "reeve";

/// What says that inputs come along.
const IS_FORM: &str = "form";

/// Before the names of inputs.
pub(super) const FIELD: &str = "field.";

/// The inputs that are read.
pub(super) const FIELDS: [&str; 8] = ["step", "quantity", "date", "reason", "note", "until", "wake", "to"];

/// What was pressed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Pressed {
    /// A button alone.
    Button(Wish),
    /// A button below inputs.
    Form(Press),
    /// None: a card is shown, and how does it stand?
    Look(String),
}

/// A button.
pub(super) fn button(press: &Press, title: &str) -> Value {
    json!({
        "type": "Action.Execute", "title": title, "verb": format!("{OURS}{}", press.verb),
        "data": { PRESS: press }, "associatedInputs": "none",
    })
}

/// A button that sends the inputs above it, and `fixed` ones that nobody sees.
pub(super) fn submit(press: &Press, title: &str, fixed: &[(&str, &str)]) -> Value {
    let mut data = json!({ PRESS: press, IS_FORM: true });
    for (name, value) in fixed {
        data[format!("{FIELD}{name}")] = (*value).into();
    }
    json!({ "type": "Action.Execute", "title": title, "verb": format!("{OURS}{}", press.verb), "data": data })
}

/// What asks how the card of a case stands for whoever looks at it.
pub(super) fn look(case: &str) -> Value {
    json!({ "type": "Action.Execute", "title": "Refresh", "verb": LOOK, "data": { "case": case } })
}

/// What an action of a card says; None where it is none of ours.
pub(super) fn read(action: &Value) -> Option<Pressed> {
    let verb = action["verb"].as_str()?.strip_prefix(OURS)?;
    let data = &action["data"];
    if action["verb"] == LOOK {
        return Some(Pressed::Look(data["case"].as_str()?.to_owned()));
    }
    let press: Press = serde_json::from_value(data[PRESS].clone()).ok().filter(|press: &Press| press.verb == verb)?;
    if data[IS_FORM] != true {
        return Some(Pressed::Button(press.wish()?));
    }
    // What has a form is what asks for one where it comes without.
    matches!(press.clone().wish()?, Wish::Open(press) if press.verb != Press::WHY).then_some(Pressed::Form(press))
}
