//! What a chat shows: a case in a few lines, and the digest of a day. Plain values, in words that are safe to show; each chat
//! draws them in its own way and adds nothing.
//!
//! They are made of what is stored, as the page is, and of nothing that moves by itself: the same state of a case is the same
//! card, so that a chat is only told when something has changed.

use serde::{Deserialize, Serialize};

use super::card::Card;
use super::case::drafter_text;
use super::names::{Names, actor_name, lane_mark, moment, state_text};
use super::outcome::{not_sent, recommendation_state};
use super::plain;
use super::steps::{EditView, editable};
use crate::config::Config;
use crate::domain::audit::Chained;
use crate::domain::case::Case;
use crate::domain::decision::RecommendationState as State;
use crate::domain::digest::Digest;
use crate::domain::evidence::Bundle;
use crate::domain::ids::CaseId;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::ports::is_loopback;
use crate::render;

/// Most facts that a card brings along; a chat shows as many as it has room for.
const FACTS_MAX: usize = 10;

/// What leaves for a chat: the body of its message in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// The message's id in the outbox.
    pub id: String,
    /// What it shows: `case:…` or `digest:…`.
    pub shows: String,
    /// That.
    pub data: Content,
    /// Its chart, as SVG: each chat makes the picture of it that it can show. No part of what it says: a case is not shown anew for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
}

/// What is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A case as it stands.
    Card(ChatCard),
    /// The list of a day.
    Digest(ChatDigest),
    /// A word beside a case that is shown.
    Note(ChatNote),
}

/// A case in a few lines.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatCard {
    /// Which case.
    pub case: String,
    /// What happened, in one sentence.
    pub headline: String,
    /// Where, and with what.
    pub subject: String,
    /// The types of its exceptions.
    pub kinds: Vec<String>,
    /// Why it stands before others that are worth more.
    pub marks: Vec<String>,
    /// ISO code of all amounts.
    pub currency: String,
    /// Why it matters; None where nobody could say.
    pub stakes: Option<Stakes>,
    /// Where it stands.
    pub state: String,
    /// Can it be decided now?
    pub open: bool,
    /// What can be done or was, the first choice first.
    pub actions: Vec<Offer>,
    /// What the first choice rests on.
    pub facts: Vec<ChatFact>,
    /// Who decided what and when, in sentences.
    pub history: Vec<String>,
    /// Its page; None where nobody outside of the machine could open it.
    pub link: Option<String>,
}

/// What a case is about in money and time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stakes {
    /// The loss to be expected if nothing is done.
    pub at_stake: String,
    /// What the best action is worth.
    pub worth: String,
    /// The last day to decide.
    pub deadline: String,
    /// How much time that leaves, and what waiting costs.
    pub left: String,
}

/// Something that can be decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Offer {
    /// Which recommendation.
    pub recommendation: String,
    /// What a decision on it binds to.
    pub content_hash: String,
    /// How often it had moved when it was shown: a click on what is shown twice is one, on what is shown anew another.
    pub version: i64,
    /// The code of its action, of a plan of its first step.
    pub code: String,
    /// What it is, and what tells it from others of its kind: "TRANSFER from Northgate DC".
    pub name: String,
    /// What it is worth.
    pub worth: String,
    /// What is to be done, a sentence for each step.
    pub steps: Vec<String>,
    /// Why.
    pub why: String,
    /// What could go wrong.
    pub risks: String,
    /// The last day on which it still works.
    pub until: String,
    /// Where it stands; empty while it waits for its first decision.
    pub stands: String,
    /// Does it wait for a decision?
    pub waits: bool,
    /// Can a quantity or a date of it be changed?
    pub edits: bool,
    /// What can be, where that is in one step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<OfferEdit>,
    /// Whose words these are.
    pub drafter: String,
}

/// What can be changed in a step of an offer, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfferEdit {
    /// Which step.
    pub step: u32,
    /// How many.
    pub quantity: Option<String>,
    /// When.
    pub date: Option<String>,
    /// What the date is of; empty where there is none.
    pub date_label: String,
}

/// A fact that a figure rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatFact {
    /// What it is.
    pub label: String,
    /// Its value, with its unit.
    pub value: String,
}

/// The digest of a day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatDigest {
    /// The day.
    pub day: String,
    /// How many cases, and what is at stake.
    pub title: String,
    /// Who wrote it, and on which records.
    pub origin: String,
    /// What is not in it and why.
    pub unread: Vec<String>,
    /// The cases above the line.
    pub lines: Vec<ChatLine>,
    /// The account of the rest.
    pub below: String,
    /// What is stale, missing or not running.
    pub health: Vec<String>,
    /// Its page.
    pub link: Option<String>,
}

/// One case of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatLine {
    /// Its place in the list.
    pub place: u32,
    /// What happened.
    pub headline: String,
    /// Where and with what, its types, and why it stands where it stands.
    pub about: String,
    /// Money and time.
    pub stakes: String,
    /// What is recommended.
    pub action: String,
    /// Its page.
    pub link: Option<String>,
}

/// A word beside a case that is shown: that it waits too long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatNote {
    /// Which case.
    pub case: String,
    /// What is to be said, in a sentence.
    pub text: String,
    /// Under which message, as the chat calls it; empty: by itself.
    pub under: String,
    /// Whom to tell, by their ids in the chat: those of them who are linked.
    pub users: Vec<String>,
    /// How each of them is called here, in the same order.
    #[serde(default)]
    pub names: Vec<String>,
    /// The case's page.
    pub link: Option<String>,
}

/// Everything a card is made of.
pub struct ChatParts<'a> {
    /// The case.
    pub case: &'a Case,
    /// Those that count now, with their versions, in the order of the page. None of them is a drill.
    pub recommendations: &'a [(Recommendation, i64)],
    /// The name of each, told apart.
    pub told_apart: &'a [String],
    /// What they rest on.
    pub evidence: Option<&'a Bundle>,
    /// What was done to the case and them, oldest first.
    pub history: &'a [Chained],
    /// How records are called.
    pub names: &'a Names,
    /// People, time zone, currency, address.
    pub config: &'a Config,
}

impl ChatCard {
    /// The card of a case.
    pub fn of(parts: &ChatParts<'_>) -> Self {
        let ChatParts { case, config, .. } = parts;
        let offers = parts.recommendations.iter().zip(parts.told_apart);
        let actions: Vec<Offer> = offers.map(|((rec, version), name)| offer(rec, *version, name, parts)).collect();
        // A case that waits while nothing of it does, such as one that is put off, has a card without buttons.
        let open = case.state.is_undecided() && actions.iter().any(|offer| offer.waits);
        Self {
            case: case.id.to_string(),
            headline: plain(&case.headline),
            subject: parts.names.subject(&case.subject),
            kinds: case.codes.iter().map(|code| format!("{} {}", code.code(), code.name())).collect(),
            marks: case.rank.iter().filter_map(|rank| lane_mark(rank.lane)).map(str::to_owned).collect(),
            currency: plain(&config.rules.money.currency),
            stakes: case.rank.as_ref().map(|rank| Stakes {
                at_stake: rank.at_stake.to_string(),
                worth: rank.value.expected.to_string(),
                deadline: rank.deadline.to_string(),
                left: render::pressing(rank.slack_days, rank.value.expected, rank.wait_cost),
            }),
            state: state_text(&case.state),
            open,
            actions,
            facts: facts(parts),
            history: parts
                .recommendations
                .iter()
                .zip(parts.told_apart)
                .flat_map(|(rec, name)| told(rec, name, parts))
                .collect(),
            link: case_link(config, &case.id),
        }
    }
}

fn offer(rec: &Recommendation, version: i64, name: &str, parts: &ChatParts<'_>) -> Offer {
    let card = Card::of(rec);
    let mut editable = card.steps.iter().filter_map(editable);
    // One step that can be changed needs no form of its own; among several it has to be asked which.
    let edit = match (editable.next(), editable.next()) {
        (Some(EditView { step, quantity, date, date_label }), None) => {
            Some(OfferEdit { step, quantity, date, date_label: date_label.to_owned() })
        }
        _ => None,
    };
    Offer {
        edit,
        version,
        code: rec.candidate.action.code().to_owned(),
        name: plain(name),
        worth: card.money.benefit.expected.to_string(),
        edits: card.steps.iter().any(|step| step.action.quantity().is_some() || step.action.date().is_some()),
        steps: card.steps.into_iter().map(|step| step.summary).collect(),
        until: card.latest_date.to_string(),
        stands: not_sent(rec, parts.history).unwrap_or_else(|| recommendation_state(&rec.state, parts.config)),
        // What is put off is decided where it comes back, or on the page.
        waits: rec.state.is_before_people(),
        drafter: drafter_text(&card.drafter, &parts.config.people),
        recommendation: card.id.to_string(),
        content_hash: card.content_hash,
        why: card.rationale,
        risks: card.risks,
    }
}

/// Facts that the first choice cites, in its order: what records say before what is set here. Those whose words come from outside are
/// for the page, where they are marked as such.
fn facts(parts: &ChatParts<'_>) -> Vec<ChatFact> {
    let (Some((first, _)), Some(bundle)) = (parts.recommendations.first(), parts.evidence) else { return Vec::new() };
    let cited = first.candidate.cites.iter().filter_map(|id| bundle.facts.get(id)).filter(|fact| !fact.third_party);
    let (set, read): (Vec<_>, Vec<_>) = cited.partition(|fact| fact.label.ends_with("(setting)"));
    let shown = read.into_iter().chain(set).map(|fact| ChatFact {
        label: plain(&fact.label),
        value: format!("{} {}", plain(&fact.value.show()), plain(&fact.unit)).trim().to_owned(),
    });
    shown.take(FACTS_MAX).collect()
}

/// Who did what with a recommendation, as far as its state says; of what has left also who approved it, which only the log says.
fn told((rec, _): &(Recommendation, i64), name: &str, parts: &ChatParts<'_>) -> Vec<String> {
    let people = &parts.config.people;
    let mut said = Vec::new();
    if let Drafter::Edited { .. } = &rec.drafter {
        said.push(format!("{}: {}", plain(name), drafter_text(&rec.drafter, people).to_lowercase_first()));
    }
    if matches!(rec.state, State::HandedOff | State::CarriedOut | State::Partly | State::NotCarriedOut | State::Undone) {
        let subject = format!("recommendation:{}", rec.id);
        let approved = |e: &&Chained| e.entry.subject == subject && e.entry.action == "recommendation.approved";
        if let Some(last) = parts.history.iter().rev().find(approved) {
            let zone = &parts.config.rules.calendar.timezone;
            let who = actor_name(&last.entry.actor, people);
            said.push(format!("{}: approved by {who} on {}", plain(name), moment(last.entry.at, zone)));
        }
    }
    let stands = not_sent(rec, parts.history).unwrap_or_else(|| recommendation_state(&rec.state, parts.config));
    if !stands.is_empty() {
        said.push(format!("{}: {stands}", plain(name)));
    }
    said
}

/// A sentence as it goes on after a colon.
trait LowercaseFirst {
    fn to_lowercase_first(&self) -> String;
}

impl LowercaseFirst for str {
    fn to_lowercase_first(&self) -> String {
        let mut chars = self.trim_end_matches('.').chars();
        chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
    }
}

impl ChatDigest {
    /// The digest of a day, as it was made.
    pub fn of(digest: &Digest, config: &Config) -> Self {
        let all = |lines: &[String]| lines.iter().map(|line| plain(line)).collect();
        let lines = digest.lines.iter().map(|line| {
            let mut about =
                vec![plain(&line.subject), line.codes.iter().map(|code| plain(code)).collect::<Vec<_>>().join(", ")];
            about.extend(render::marks(line).into_iter().map(str::to_owned));
            about.retain(|part| !part.is_empty());
            ChatLine {
                place: line.place,
                headline: plain(&line.headline),
                about: about.join(" · "),
                stakes: render::stakes(line),
                action: if line.action.is_empty() {
                    String::new()
                } else {
                    format!("{}: {}", plain(&line.action), plain(&line.recommendation))
                },
                link: case_link(config, &line.case_id),
            }
        });
        Self {
            day: digest.day.to_string(),
            title: render::title(digest),
            origin: render::origin(digest),
            unread: all(&digest.unread),
            lines: lines.collect(),
            below: render::below(digest),
            health: all(&digest.health),
            link: page(config).map(|page| format!("{page}{}", render::page_of(digest))),
        }
    }
}

/// The page of a case, as far as somebody in a chat can open it.
pub fn case_link(config: &Config, case: &CaseId) -> Option<String> {
    page(config).map(|page| format!("{page}/cases/{case}"))
}

/// Where the pages are, as far as somebody in a chat can open them: under the configured address, or on this machine.
pub fn page(config: &Config) -> Option<String> {
    let web = &config.web;
    let fixed = !web.listen.ends_with(":0");
    (!web.base_url.is_empty() || (fixed && is_loopback(&web.listen))).then(|| web.address())
}
