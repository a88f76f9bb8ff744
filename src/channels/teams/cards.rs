//! Cards and digests as Adaptive Cards: within what Teams takes by leaving out what is on the page too, never by cutting a word.
//!
//! What came from outside stands in text runs, where nothing is formatting and nothing a link. Of what does not fit the least needed goes
//! first: the chart, facts, history, other choices. What could not be shown whole is not approved from the card.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::forms::{change, put_off, reject};
use super::press::{self, button};
use super::text::{aside, bold, escaped, labelled, run, title, words};
use crate::cards::chat::{ChatCard, ChatDigest, ChatLine, ChatNote, Content, Message, Offer};
use crate::cards::picture::{caption, in_words, small_png};
use crate::channels::chat::heard::Press;
use crate::channels::chat::words::whole_words;
use crate::domain::decision::DecisionVerb;

/// Bytes that a card is made to fit in: Teams takes 28 KB wherever it takes anything, and the message around it needs some.
pub const CARD_BYTES: usize = 26 * 1024;

/// People who may be asked for a view of their own: more are not taken.
pub const LOOKERS_MAX: usize = 60;

/// Characters of a notification.
const SUMMARY_CHARS: usize = 300;

/// The kind of an attachment that is a card.
pub(super) const CARD_TYPE: &str = "application/vnd.microsoft.card.adaptive";

/// How much a card shows.
struct Room {
    /// Is there room for the chart?
    chart: bool,
    facts: usize,
    history: usize,
    others: usize,
    lines: usize,
    /// Characters of one text.
    chars: usize,
}

/// From all to the least that a card is of use with; each is drawn where the one before does not fit.
const ROOMS: [Room; 6] = [
    Room { chart: true, facts: 6, history: 4, others: 5, lines: 20, chars: 2_500 },
    // The picture says what the page shows too, so it goes before any word does.
    Room { chart: false, facts: 6, history: 4, others: 5, lines: 20, chars: 2_500 },
    Room { chart: false, facts: 4, history: 3, others: 3, lines: 20, chars: 1_200 },
    Room { chart: false, facts: 2, history: 2, others: 2, lines: 15, chars: 600 },
    Room { chart: false, facts: 0, history: 1, others: 1, lines: 10, chars: 400 },
    Room { chart: false, facts: 0, history: 1, others: 0, lines: 5, chars: 200 },
];

/// How often a card can be drawn with less.
pub const SIZES: usize = ROOMS.len();

/// A card, with what is said of it where it is not drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The notification, and what is read aloud.
    pub summary: String,
    /// The card.
    pub card: Value,
}

/// How a case stands for one person, beside what everybody sees.
#[derive(Clone, Debug, Default)]
pub struct Own {
    /// What is said to them.
    pub said: Vec<String>,
    /// By what they take back what they decided.
    pub undo: Option<Press>,
    /// Recommendations that they can not approve.
    pub not: BTreeSet<String>,
}

/// Draws what is shown, in the largest of the sizes from `size` on that fits. `lookers` are asked for a view of their own.
pub fn draw(message: &Message, lookers: &[String], size: usize) -> Drawn {
    match &message.data {
        Content::Card(card) => draw_card(card, message.chart.as_deref(), lookers, size, None),
        Content::Digest(digest) => draw_digest(digest, size),
        Content::Note(note) => draw_note(note),
    }
}

/// The same for one person.
pub fn draw_own(card: &ChatCard, chart: Option<&str>, lookers: &[String], own: &Own) -> Value {
    draw_card(card, chart, lookers, 0, Some(own)).card
}

fn fitting(size: usize, draw: impl Fn(&Room) -> Value) -> Value {
    let mut rooms = ROOMS.iter().skip(size.min(ROOMS.len() - 1));
    let mut drawn = rooms.next().map(&draw).unwrap_or_default();
    // The smallest is taken even where it is too large: what Teams then refuses is sent in plain text.
    for room in rooms {
        if drawn.to_string().len() <= CARD_BYTES {
            break;
        }
        drawn = draw(room);
    }
    drawn
}

/// A card of these parts.
pub(super) fn card_of(body: &[Value], actions: &[Value]) -> Value {
    json!({
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.5",
        "fallbackText": "This app does not show cards; the whole of it is on Reeve's page.",
        "msteams": { "width": "Full" },
        "body": body,
        "actions": actions,
    })
}

fn draw_card(card: &ChatCard, chart: Option<&str>, lookers: &[String], size: usize, own: Option<&Own>) -> Drawn {
    let drawn = fitting(size, |room| {
        let mut drawn = case_card(card, chart, room, own);
        let lookers = &lookers[..lookers.len().min(LOOKERS_MAX)];
        // Without anybody named every app of a small chat would ask.
        if !lookers.is_empty() {
            drawn["refresh"] = json!({ "action": press::look(&format!("case:{}", card.case)), "userIds": lookers });
        }
        drawn
    });
    Drawn { summary: whole_words(&format!("{}: {}", card.state, card.headline), SUMMARY_CHARS), card: drawn }
}

fn case_card(card: &ChatCard, chart: Option<&str>, room: &Room, own: Option<&Own>) -> Value {
    let short = |text: &str| whole_words(text, room.chars);
    let mut body = vec![title(&short(&card.headline))];
    let mut actions = Vec::new();
    if let Some(own) = own {
        body.extend(own.said.iter().map(|said| words(&short(said))));
        actions.extend(own.undo.iter().map(|undo| button(undo, "Undo")));
    }
    let mut about = vec![card.subject.clone(), card.kinds.join(", ")];
    about.extend(card.marks.iter().cloned());
    about.retain(|part| !part.is_empty());
    body.push(aside(&short(&about.join(" · "))));
    if let Some(stakes) = &card.stakes {
        let money = |amount: &str| format!("{} {amount}", card.currency);
        body.push(labelled("At stake", &money(&stakes.at_stake)));
        body.push(labelled("Worth deciding", &money(&stakes.worth)));
        body.push(labelled("Decide by", &short(&format!("{}: {}", stakes.deadline, stakes.left))));
    }
    body.push(labelled("Stands", &short(&card.state)));
    let mut left_out = 0;
    if let Some((first, others)) = card.actions.split_first() {
        // Nobody approves what they have not been shown: a size without room for all steps has no Approve (decision 95).
        let whole = shows_whole(first, room);
        body.push(first_offer(card, first, room, whole));
        if card.open && first.waits {
            actions.extend(decisions(first, whole && may(first, own)));
        }
        let shown: Vec<&Offer> = others.iter().filter(|offer| offer.waits || !offer.stands.is_empty()).collect();
        left_out += shown.len().saturating_sub(room.others);
        for offer in shown.into_iter().take(room.others) {
            body.extend(other_offer(card, offer, room, own));
        }
    }
    let picture = chart.filter(|_| room.chart).and_then(pictured);
    let chart_left_out = chart.is_some() && picture.is_none();
    body.extend(picture.into_iter().flatten());
    // A value is shown whole or not at all: cut, it would be another value.
    let facts = card.facts.iter().filter(|fact| fact.value.chars().count() <= room.chars).take(room.facts);
    let facts: Vec<Value> = facts.map(|fact| labelled(&short(&fact.label), &fact.value)).collect();
    left_out += card.facts.len() - facts.len();
    body.extend(facts);
    body.extend(card.history.iter().take(room.history).map(|said| aside(&short(said))));
    left_out += card.history.len().saturating_sub(room.history);
    let chart_said = if chart_left_out { "The chart is on the page. " } else { "" };
    body.push(aside(&format!("{chart_said}{}", rest(left_out, card.link.is_some()))));
    actions.extend(card.link.as_deref().map(open));
    card_of(&body, &actions)
}

/// The chart as a picture that the card itself brings along, with what is drawn how: Teams loads nothing from Reeve's page.
fn pictured(chart: &str) -> Option<[Value; 2]> {
    let png = STANDARD.encode(small_png(chart)?);
    let image = json!({
        "type": "Image", "url": format!("data:image/png;base64,{png}"), "altText": in_words(chart), "size": "Stretch",
        "msteams": { "allowExpand": true },
    });
    Some([image, aside(&caption(chart))])
}

/// May they approve it, as far as that is known?
fn may(offer: &Offer, own: Option<&Own>) -> bool {
    own.is_none_or(|own| !own.not.contains(&offer.recommendation))
}

/// Nobody approves what they have not been shown.
fn shows_whole(offer: &Offer, room: &Room) -> bool {
    offer.name.chars().count() + offer.steps.iter().map(|step| step.chars().count()).sum::<usize>() <= room.chars
}

/// The first choice, with what it does and why.
fn first_offer(card: &ChatCard, offer: &Offer, room: &Room, whole: bool) -> Value {
    let lead = if card.open { "Recommended" } else { "Proposed" };
    let mut items = vec![named(&format!("{lead}: "), card, offer, room)];
    if whole {
        items.extend(offer.steps.iter().map(|step| words(step)));
    } else {
        items.push(words("What is to be done is too long for a card: it stands on the page, and is decided there."));
    }
    if !offer.why.is_empty() {
        items.push(labelled("Why:", &whole_words(&offer.why, room.chars)));
    }
    json!({ "type": "Container", "style": "emphasis", "items": items })
}

fn named(lead: &str, card: &ChatCard, offer: &Offer, room: &Room) -> Value {
    let name = format!("{lead}{}", whole_words(&offer.name, room.chars));
    json!({ "type": "RichTextBlock", "inlines": [bold(&name), run(&format!(" · {} {}", card.currency, offer.worth))] })
}

/// What can be done about the first choice; more than four stand behind the dots.
fn decisions(offer: &Offer, approves: bool) -> Vec<Value> {
    let press = |verb: DecisionVerb| press_of(offer, verb.name());
    let mut all = Vec::new();
    if approves {
        let mut approve = button(&press(DecisionVerb::Approve), "Approve");
        approve["style"] = "positive".into();
        all.push(approve);
    }
    if let Some(edit) = &offer.edit {
        all.push(change(&press(DecisionVerb::Edit), edit));
    } else if offer.edits {
        all.push(button(&press(DecisionVerb::Edit), "Change…"));
    }
    all.push(reject(&press(DecisionVerb::Reject)));
    all.push(put_off(&press(DecisionVerb::Snooze)));
    for mut other in [button(&press_of(offer, Press::WHY), "Why?"), button(&press(DecisionVerb::Forward), "Ask somebody…")]
    {
        other["mode"] = "secondary".into();
        all.push(other);
    }
    all
}

/// Another choice, with the one button that takes it where all of it fits.
fn other_offer(card: &ChatCard, offer: &Offer, room: &Room, own: Option<&Own>) -> Vec<Value> {
    let whole = shows_whole(offer, room);
    let mut items = vec![named("", card, offer, room)];
    if whole {
        items.extend(offer.steps.iter().map(|step| words(step)));
    }
    if !offer.stands.is_empty() {
        items.push(aside(&whole_words(&offer.stands, room.chars)));
    }
    if card.open && offer.waits {
        // Nobody approves what they have not been shown.
        let button = if whole && may(offer, own) {
            button(&press_of(offer, DecisionVerb::Approve.name()), "Approve this")
        } else {
            button(&press_of(offer, Press::WHY), "Why?")
        };
        items.push(json!({ "type": "ActionSet", "actions": [button] }));
    }
    items
}

fn press_of(offer: &Offer, verb: &str) -> Press {
    Press {
        verb: verb.to_owned(),
        recommendation: offer.recommendation.clone(),
        content_hash: offer.content_hash.clone(),
        version: offer.version,
    }
}

/// Leads to a page of our own: the only address that a card has.
pub(super) fn open(link: &str) -> Value {
    json!({ "type": "Action.OpenUrl", "title": "Open on the page", "url": link })
}

fn rest(left_out: usize, has_link: bool) -> String {
    let more = if left_out == 0 { String::new() } else { format!("{left_out} more on the page. ") };
    if has_link {
        format!("{more}The page shows the whole of it.")
    } else {
        format!("{more}The whole of it is on Reeve's page.")
    }
}

fn draw_digest(digest: &ChatDigest, size: usize) -> Drawn {
    let head = format!("Reeve, {}: {}", digest.day, digest.title);
    let drawn = fitting(size, |room| {
        let short = |text: &str| whole_words(text, room.chars);
        let notes = room.history + 1;
        let mut body = vec![title(&short(&head)), aside(&short(&digest.origin))];
        body.extend(digest.unread.iter().take(notes).map(|line| words(&short(line))));
        body.extend(digest.lines.iter().take(room.lines).map(|line| digest_line(line, room)));
        if digest.lines.is_empty() {
            body.push(words("Nothing needs a decision today."));
        }
        body.push(words(&short(&digest.below)));
        body.extend(digest.health.iter().take(notes).map(|line| aside(&short(&format!("Health: {line}")))));
        let over = |all: usize, most: usize| all.saturating_sub(most);
        let left_out =
            over(digest.lines.len(), room.lines) + over(digest.unread.len(), notes) + over(digest.health.len(), notes);
        body.push(aside(&rest(left_out, digest.link.is_some())));
        card_of(&body, digest.link.as_deref().map(open).as_slice())
    });
    Drawn { summary: whole_words(&head, SUMMARY_CHARS), card: drawn }
}

fn digest_line(line: &ChatLine, room: &Room) -> Value {
    let short = |text: &str| whole_words(text, room.chars);
    let mut items = vec![json!({
        "type": "RichTextBlock", "inlines": [bold(&format!("{}. {}", line.place, short(&line.headline)))],
    })];
    items.extend(
        [&line.about, &line.stakes, &line.action].into_iter().filter(|text| !text.is_empty()).map(|t| words(&short(t))),
    );
    let mut container = json!({ "type": "Container", "separator": true, "items": items });
    if let Some(link) = &line.link {
        container["selectAction"] = open(link);
    }
    container
}

/// A word under a card. Those who are meant are mentioned, by the ids that the directory has for them.
fn draw_note(note: &ChatNote) -> Drawn {
    let named = note.users.iter().zip(&note.names);
    let mentions: Vec<(String, Value)> = named
        .map(|(user, name)| {
            // With these signs a name could end its mention and begin another one.
            let name: String = name.chars().filter(|c| !matches!(c, '<' | '>')).collect();
            let text = format!("<at>{name}</at>");
            let entity = json!({ "type": "mention", "text": text, "mentioned": { "id": user, "name": name } });
            (text, entity)
        })
        .collect();
    let mut body = Vec::new();
    if !mentions.is_empty() {
        let said = mentions.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" ");
        body.push(json!({ "type": "TextBlock", "text": said, "wrap": true }));
    }
    body.push(words(&whole_words(&note.text, ROOMS[0].chars)));
    let mut card = card_of(&body, note.link.as_deref().map(open).as_slice());
    card["msteams"]["entities"] = mentions.into_iter().map(|(_, entity)| entity).collect();
    Drawn { summary: whole_words(&note.text, SUMMARY_CHARS), card }
}

/// What is shown where no card is taken: in words, with the way to the page.
pub fn plain_text(message: &Message) -> String {
    let (said, link) = match &message.data {
        Content::Card(card) => {
            let first = card.actions.first().map(|first| format!("{}: {}", first.name, first.steps.join("; ")));
            let parts = [Some(format!("{}: {}", card.state, card.headline)), first];
            (parts.into_iter().flatten().collect::<Vec<_>>(), &card.link)
        }
        Content::Digest(digest) => {
            let mut said = vec![format!("Reeve, {}: {}", digest.day, digest.title)];
            said.extend(digest.lines.iter().map(|line| format!("{}. {}", line.place, line.headline)));
            said.push(digest.below.clone());
            (said, &digest.link)
        }
        Content::Note(note) => (vec![note.text.clone()], &note.link),
    };
    // Our own address is the one link that there is.
    let said = said.iter().map(|line| escaped(&whole_words(line, 500))).chain(link.clone());
    said.collect::<Vec<_>>().join("\n\n")
}
