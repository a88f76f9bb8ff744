//! Cards and digests as Block Kit: within Slack's limits by leaving out what is on the page too, never by cutting a word.
//!
//! What came from outside (names, notes) stands in plain text or escaped, so that it can make no mention, no link and no formatting. The
//! text of a message is always set: it is the notification, what is read aloud, and what is sent where blocks are refused.

use serde_json::{Value, json};

use super::pictures::Picture;
use super::press::{self, action_id};
use super::text::{escaped, mrkdwn, plain_text};
use crate::cards::chat::{ChatCard, ChatDigest, ChatLine, ChatNote, Content, Message, Offer};
use crate::channels::chat::heard::Press;
use crate::channels::chat::words::{pieces, whole_words};
use crate::domain::decision::DecisionVerb;

/// Blocks of a message.
const BLOCKS_MAX: usize = 50;
/// Characters of a section's text; some are kept back, since Slack counts escapes.
const SECTION_CHARS: usize = 2_900;
/// Characters of a header.
const HEADER_CHARS: usize = 150;
/// Fields of a section, and characters of one.
const FIELDS_MAX: usize = 10;
const FIELD_CHARS: usize = 1_900;
/// Characters of a message's text that are aimed at.
const TEXT_CHARS: usize = 3_500;
/// Characters of what a picture is of, and of what it shows.
const PICTURE_CHARS: usize = 1_900;
/// Alternatives that a card shows.
const ALTERNATIVES_MAX: usize = 5;
/// Facts that a card shows.
const FACTS_MAX: usize = 6;
/// Lines of history that a card shows.
const HISTORY_MAX: usize = 4;
/// Cases that a digest shows: what a screen holds, and two blocks each.
const LINES_MAX: usize = 20;
/// Reasons of a digest beside its cases that are shown.
const NOTES_MAX: usize = 5;

/// A message as Slack takes it: its text, its blocks, and by what it is found again.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// What it says without blocks.
    pub text: String,
    /// What it says with them.
    pub blocks: Vec<Value>,
}

/// Draws what is shown, with the picture of its chart where there is one to be shown.
pub fn draw(message: &Message, picture: Option<&Picture>) -> Drawn {
    let mut drawn = match &message.data {
        Content::Card(card) => draw_card(card, message.chart.is_some(), picture),
        Content::Digest(digest) => draw_digest(digest),
        Content::Note(note) => draw_note(note),
    };
    // Slack gives it back with the message: by it a message is found whose answer was lost.
    if let Some(first) = drawn.blocks.first_mut() {
        first["block_id"] = mark(&message.shows).into();
    }
    drawn
}

/// By what a message that shows something is known in a channel's history.
pub fn mark(shows: &str) -> String {
    format!("reeve/{shows}").chars().take(255).collect()
}

fn draw_card(card: &ChatCard, has_chart: bool, picture: Option<&Picture>) -> Drawn {
    let mut blocks = Vec::new();
    blocks.push(title(&card.headline));
    // A header has less room than a headline may need: the whole of it stands below.
    if card.headline.chars().count() > HEADER_CHARS {
        blocks.extend(words(&card.headline));
    }
    let mut about = vec![card.subject.clone(), card.kinds.join(", ")];
    about.extend(card.marks.iter().cloned());
    about.retain(|part| !part.is_empty());
    blocks.push(context(&about.join(" · ")));
    if let Some(stakes) = &card.stakes {
        blocks.push(fields(&[
            ("At stake", format!("{} {}", card.currency, stakes.at_stake)),
            ("Worth deciding", format!("{} {}", card.currency, stakes.worth)),
            ("Decide by", format!("{}: {}", stakes.deadline, stakes.left)),
            ("Stands", card.state.clone()),
        ]));
    } else {
        blocks.push(fields(&[("Stands", card.state.clone())]));
    }
    // What does not fit is counted, so that nobody takes the card for the whole case.
    let mut left_out = 0;
    if let Some((first, others)) = card.actions.split_first() {
        blocks.extend(first_offer(card, first));
        let shown: Vec<&Offer> = others.iter().filter(|offer| offer.waits || !offer.stands.is_empty()).collect();
        left_out += shown.len().saturating_sub(ALTERNATIVES_MAX);
        for offer in shown.into_iter().take(ALTERNATIVES_MAX) {
            blocks.push(other_offer(card, offer));
        }
    }
    // Below what is to be decided, with the other evidence.
    let evidence_at = blocks.len();
    let facts = shown_facts(card);
    left_out += card.facts.len().saturating_sub(facts.len());
    if !facts.is_empty() {
        blocks.push(json!({ "type": "section", "fields": facts }));
    }
    for said in card.history.iter().take(HISTORY_MAX) {
        blocks.push(context(said));
    }
    left_out += card.history.len().saturating_sub(HISTORY_MAX);
    // The page shows it too, so it goes before any word does.
    let picture = picture.filter(|_| blocks.len() + 2 <= BLOCKS_MAX);
    if let Some(picture) = picture {
        blocks.insert(evidence_at, image(picture));
    }
    blocks.push(context_link(card.link.as_deref(), left_out, has_chart && picture.is_none()));
    Drawn { text: card_text(card), blocks: fitting(blocks) }
}

fn image(picture: &Picture) -> Value {
    json!({
        "type": "image",
        "slack_file": { "id": picture.file },
        "alt_text": whole_words(&picture.words, PICTURE_CHARS),
        "title": plain_text(&whole_words(&picture.caption, PICTURE_CHARS)),
    })
}

/// The first choice with everything that can be done about it.
fn first_offer(card: &ChatCard, offer: &Offer) -> Vec<Value> {
    let lead = if card.open { "Recommended" } else { "Proposed" };
    let mut said = format!("*{lead}: {}* · {} {}", escaped(&offer.name), escaped(&card.currency), escaped(&offer.worth));
    for step in &offer.steps {
        said.push('\n');
        said.push_str(&escaped(step));
    }
    let mut blocks = sections(&said);
    if !offer.why.is_empty() {
        blocks.extend(sections(&format!("_Why:_ {}", escaped(&offer.why))));
    }
    if !card.open || !offer.waits {
        return blocks;
    }
    let mut elements = vec![
        button(&press_of(offer, DecisionVerb::Approve.name()), "Approve", Some("primary")),
        button(&press_of(offer, DecisionVerb::Reject.name()), "Reject…", Some("danger")),
    ];
    if offer.edits {
        elements.insert(1, button(&press_of(offer, DecisionVerb::Edit.name()), "Change…", None));
    }
    elements.push(button(&press_of(offer, DecisionVerb::Snooze.name()), "Put off…", None));
    elements.push(button(&press_of(offer, DecisionVerb::Forward.name()), "Ask somebody…", None));
    elements.push(button(&press_of(offer, Press::WHY), "Why?", None));
    blocks.push(json!({ "type": "actions", "block_id": "reeve/decide", "elements": elements }));
    blocks
}

/// Another choice, with the one button that takes it, where all of it fits.
fn other_offer(card: &ChatCard, offer: &Offer) -> Value {
    let what = offer.steps.join("; ");
    let mut said =
        format!("{} · {} {}\n{}", escaped(&offer.name), escaped(&card.currency), escaped(&offer.worth), escaped(&what));
    let whole = said.chars().count() <= SECTION_CHARS;
    if !whole {
        said = format!("{} · {} {}", escaped(&offer.name), escaped(&card.currency), escaped(&offer.worth));
    }
    let mut section = json!({ "type": "section", "text": mrkdwn(&whole_words(&said, SECTION_CHARS)) });
    if card.open && offer.waits {
        // Nobody approves what they have not been shown.
        section["accessory"] = if whole {
            button(&press_of(offer, DecisionVerb::Approve.name()), "Approve this", None)
        } else {
            button(&press_of(offer, Press::WHY), "Why?", None)
        };
    }
    section
}

fn shown_facts(card: &ChatCard) -> Vec<Value> {
    let facts = card.facts.iter().map(|fact| format!("*{}*\n{}", escaped(&fact.label), escaped(&fact.value)));
    // A fact that is too long for its place is on the page.
    facts.filter(|fact| fact.chars().count() <= FIELD_CHARS).take(FACTS_MAX).map(|fact| mrkdwn(&fact)).collect()
}

fn press_of(offer: &Offer, verb: &str) -> Press {
    Press {
        verb: verb.to_owned(),
        recommendation: offer.recommendation.clone(),
        content_hash: offer.content_hash.clone(),
        version: offer.version,
    }
}

/// A button. What is pressed is in its value; the platform wants a name of each that is its own.
pub(super) fn button(press: &Press, text: &str, style: Option<&str>) -> Value {
    let mut button = json!({
        "type": "button",
        "action_id": action_id(press),
        "text": plain_text(text),
        "value": press::value(press),
    });
    if let Some(style) = style {
        button["style"] = style.into();
    }
    button
}

fn card_text(card: &ChatCard) -> String {
    // What a notification shows, and all that there is where the blocks are refused.
    let mut said = vec![format!("{}: {}", card.state, card.headline)];
    if let Some(stakes) = &card.stakes {
        said.push(format!(
            "At stake {} {}, worth {}, by {} ({})",
            card.currency, stakes.at_stake, stakes.worth, stakes.deadline, stakes.left
        ));
    }
    if let Some(first) = card.actions.first() {
        said.push(format!("{} {} {}: {}", first.name, card.currency, first.worth, first.steps.join("; ")));
    }
    said.extend(card.history.iter().take(HISTORY_MAX).cloned());
    said.extend(card.link.clone());
    text_of(&said)
}

fn draw_digest(digest: &ChatDigest) -> Drawn {
    let mut blocks = vec![title(&format!("Reeve, {}: {}", digest.day, digest.title)), context(&digest.origin)];
    for line in digest.unread.iter().take(NOTES_MAX) {
        blocks.extend(words(line));
    }
    for line in digest.lines.iter().take(LINES_MAX) {
        blocks.push(digest_line(line));
    }
    if digest.lines.is_empty() {
        blocks.extend(words("Nothing needs a decision today."));
    }
    blocks.push(json!({ "type": "divider" }));
    blocks.extend(words(&digest.below));
    for line in digest.health.iter().take(NOTES_MAX) {
        blocks.push(context(&format!("Health: {line}")));
    }
    let over = |all: usize, most: usize| all.saturating_sub(most);
    let left_out =
        over(digest.lines.len(), LINES_MAX) + over(digest.health.len(), NOTES_MAX) + over(digest.unread.len(), NOTES_MAX);
    blocks.push(context_link(digest.link.as_deref(), left_out, false));
    // What a notification shows, and all that there is where the blocks are refused.
    let mut said = vec![format!("Reeve, {}: {}", digest.day, digest.title)];
    said.extend(digest.lines.iter().map(|line| format!("{}. {}", line.place, line.headline)));
    said.push(digest.below.clone());
    Drawn { text: text_of(&said), blocks: fitting(blocks) }
}

/// A word under a card. Those who are meant are mentioned, by the ids that the platform gave us for them.
fn draw_note(note: &ChatNote) -> Drawn {
    let is_id = |user: &&String| user.bytes().all(|b| b.is_ascii_alphanumeric());
    let mentions: Vec<String> = note.users.iter().filter(is_id).map(|user| format!("<@{user}>")).collect();
    let said = format!("{} {}", mentions.join(" "), escaped(&note.text)).trim().to_owned();
    let mut blocks = sections(&said);
    blocks.push(context_link(note.link.as_deref(), 0, false));
    Drawn { text: whole_words(&said, TEXT_CHARS), blocks: fitting(blocks) }
}

fn digest_line(line: &ChatLine) -> Value {
    let full = format!(
        "*{}. {}*\n{}\n{}\n{}",
        line.place,
        escaped(&line.headline),
        escaped(&line.about),
        escaped(&line.stakes),
        escaped(&line.action)
    );
    let said =
        if full.chars().count() <= SECTION_CHARS { full } else { format!("*{}. {}*", line.place, escaped(&line.headline)) };
    let mut section = json!({ "type": "section", "text": mrkdwn(&whole_words(said.trim_end(), SECTION_CHARS)) });
    if let Some(link) = &line.link {
        section["accessory"] = json!({
            "type": "button",
            "action_id": format!("reeve/open/{}", line.place),
            "text": plain_text("Open"),
            "url": link,
        });
    }
    section
}

/// Where the rest is, with how much was left out here.
fn context_link(link: Option<&str>, left_out: usize, chart_left_out: bool) -> Value {
    let mut more = match left_out {
        0 => String::new(),
        n => format!("{n} more on the page. "),
    };
    if chart_left_out {
        more.push_str("The chart is on the page. ");
    }
    match link {
        // Our own address: it is the only link that a card has.
        Some(link) => {
            json!({ "type": "context", "elements": [mrkdwn(&format!("{more}<{link}|The whole of it on Reeve's page>"))] })
        }
        None => context(&format!("{more}The whole of it is on Reeve's page.")),
    }
}

/// At most as many blocks as a message may have: what stands in the middle goes first, the last is where to read on.
fn fitting(mut blocks: Vec<Value>) -> Vec<Value> {
    if blocks.len() > BLOCKS_MAX
        && let Some(last) = blocks.pop()
    {
        blocks.truncate(BLOCKS_MAX - 1);
        blocks.push(last);
    }
    blocks
}

/// A header, or the beginning of what is too long for one.
fn title(text: &str) -> Value {
    json!({ "type": "header", "text": plain_text(&whole_words(text, HEADER_CHARS)) })
}

/// A paragraph in plain text, as many sections as it takes.
fn words(text: &str) -> Vec<Value> {
    pieces(text, SECTION_CHARS).iter().map(|piece| json!({ "type": "section", "text": plain_text(piece) })).collect()
}

/// A paragraph with formatting of our own, as many sections as it takes.
fn sections(said: &str) -> Vec<Value> {
    let section = |piece: &String| json!({ "type": "section", "text": mrkdwn(piece) });
    pieces(said, SECTION_CHARS).iter().map(section).collect()
}

fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [plain_text(&whole_words(text, 1_900))] })
}

fn fields(all: &[(&str, String)]) -> Value {
    let each = all
        .iter()
        .take(FIELDS_MAX)
        .map(|(label, value)| mrkdwn(&format!("*{label}*\n{}", whole_words(&escaped(value), FIELD_CHARS))));
    json!({ "type": "section", "fields": each.collect::<Vec<_>>() })
}

/// A text that is sent as a message's own, which reads formatting too.
fn text_of(said: &[String]) -> String {
    let mut text = String::new();
    for line in said.iter().filter(|line| !line.is_empty()) {
        let line = escaped(line);
        // By whole lines: half of one could say something else.
        if text.chars().count() + line.chars().count() + 1 > TEXT_CHARS {
            break;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line);
    }
    if text.is_empty() {
        said.first().map_or_else(|| "Reeve".to_owned(), |line| whole_words(&escaped(line), TEXT_CHARS))
    } else {
        text
    }
}
