//! What every screen has in the same way: the frame around it, and choices.

use serde::Serialize;

use super::session::{SignedIn, is_looked_at};
use crate::cards::plain;

/// The frame: title, who is signed in, where one can go.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shell {
    title: String,
    person: Option<String>,
    csrf: String,
    /// What everybody should know before they decide.
    warning: Option<String>,
    /// That Reeve is stopped, by whom and why.
    stopped: Option<String>,
    /// Whether somebody else changed how they sign in or act, and they have not looked yet.
    untold: bool,
    links: Vec<Link>,
}

#[derive(Clone, Debug, Serialize)]
struct Link {
    href: &'static str,
    name: &'static str,
    here: bool,
}

const LINKS: [(&str, &str); 10] = [
    ("/", "Queue"),
    ("/digests", "Digests"),
    ("/kpi", "Figures"),
    ("/suppliers", "Suppliers"),
    ("/mutes", "Mutes"),
    ("/modes", "Modes"),
    ("/outbox", "Outbox"),
    ("/audit", "Audit"),
    ("/policy", "Policy"),
    ("/health", "Health"),
];

impl Shell {
    /// For somebody who is signed in; `here` is the path of the screen.
    pub(super) fn of(title: impl Into<String>, here: &str, who: &SignedIn) -> Self {
        let link = |(href, name)| Link { href, name, here: href == here };
        Self {
            title: plain(&title.into()),
            person: Some(plain(&who.person.name)),
            csrf: who.csrf.clone(),
            warning: who.warning.as_deref().map(plain),
            stopped: who.stopped.as_deref().map(plain),
            untold: who.untold > 0,
            links: LINKS.into_iter().filter(|(href, _)| !who.looks_only || is_looked_at(href)).map(link).collect(),
        }
    }

    /// For somebody who is not.
    pub(super) fn stranger(title: impl Into<String>) -> Self {
        Self {
            title: plain(&title.into()),
            person: None,
            csrf: String::new(),
            warning: None,
            stopped: None,
            untold: false,
            links: Vec::new(),
        }
    }
}

/// A choice in a select.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Choice {
    pub value: String,
    pub name: String,
    pub chosen: bool,
}
