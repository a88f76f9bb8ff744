//! How cards and digests look in Slack: snapshots, reviewed like code, and what never happens whatever a name is like.

use reeve::cards::chat::{ChatCard, ChatFact, Content, Message};
use reeve::cards::picture::{caption, in_words};
use reeve::channels::slack::blocks::draw;
use reeve::channels::slack::pictures::Picture;
use serde_json::{Value, json};

use crate::chat::samples::{self, card, digest, offer, signed};

fn drawn(data: Content) -> Value {
    let shows = match &data {
        Content::Card(card) => format!("case:{}", card.case),
        Content::Digest(digest) => format!("digest:{}", digest.day),
        Content::Note(note) => format!("reminder:{}", note.case),
    };
    let drawn = draw(&Message { id: "msg_1".to_owned(), shows, data, chart: None }, None);
    json!({ "text": drawn.text, "blocks": drawn.blocks })
}

fn snapshot(name: &str, data: Content) {
    insta::assert_snapshot!(name, serde_json::to_string_pretty(&drawn(data)).unwrap());
}

#[test]
fn a_card_that_waits() {
    snapshot("waiting", Content::Card(card()));
}

fn picture() -> Picture {
    let chart = samples::chart();
    Picture { file: "F00000001".to_owned(), hash: "0a1b2c".to_owned(), words: in_words(&chart), caption: caption(&chart) }
}

fn with_chart(card: ChatCard, picture: Option<&Picture>) -> Value {
    let data = Content::Card(card);
    let message = Message { id: "msg_1".to_owned(), shows: "case:c-1".to_owned(), data, chart: Some(samples::chart()) };
    let drawn = draw(&message, picture);
    let drawn = json!({ "text": drawn.text, "blocks": drawn.blocks });
    fits(&drawn);
    drawn
}

#[test]
fn a_card_with_its_chart() {
    insta::assert_snapshot!("pictured", serde_json::to_string_pretty(&with_chart(card(), Some(&picture()))).unwrap());
    assert!(with_chart(card(), None).to_string().contains("The chart is on the page."));
}

#[test]
fn where_blocks_are_short_the_chart_goes_before_any_word() {
    let mut card = card();
    card.actions[0].steps = (0..46).map(|n| format!("{n} {}", "Move it. ".repeat(330).trim())).collect();
    let all = |drawn: &Value| drawn["blocks"].as_array().unwrap().iter().filter(|b| b["type"] != "image").count();
    let mut seen = (false, false);
    while !card.actions[0].steps.is_empty() {
        let (with, without) = (with_chart(card.clone(), Some(&picture())), with_chart(card.clone(), None));
        assert_eq!(all(&with), all(&without), "no word goes for it");
        let is_there = with["blocks"].as_array().unwrap().iter().any(|b| b["type"] == "image");
        assert_ne!(is_there, with.to_string().contains("The chart is on the page."));
        seen = (seen.0 || is_there, seen.1 || !is_there);
        card.actions[0].steps.pop();
    }
    assert_eq!(seen, (true, true));
}

#[test]
fn a_card_with_one_of_two_signatures() {
    snapshot("signed", Content::Card(signed()));
}

#[test]
fn a_card_that_is_decided() {
    let stands = "approved by Ari Approver on 2026-10-09 06:30 UTC";
    let mut card = card();
    card.open = false;
    card.state = "decided".to_owned();
    card.actions[0] = offer(1, "TRANSFER from Northgate DC", "110.70", false, stands);
    card.history = vec![format!("TRANSFER from Northgate DC: {stands}")];
    snapshot("decided", Content::Card(card));
}

#[test]
fn a_card_of_very_long_names_and_many_actions() {
    let long = "Espresso Beans of the very best kind, roasted slowly and packed by hand, ".repeat(60);
    let mut card = card();
    card.headline = format!("{long}did not come");
    card.subject = "x".repeat(5_000);
    card.actions = (1..=30).map(|n| offer(n, &format!("TRANSFER from {long}"), "1.00", true, "")).collect();
    for action in &mut card.actions {
        action.steps = vec![long.clone(), long.clone()];
        action.why = long.repeat(2);
    }
    card.facts = (0..10).map(|n| ChatFact { label: format!("fact {n}"), value: "9".repeat(3_000) }).collect();
    card.history = (0..20).map(|n| format!("{n}: {long}")).collect();
    let drawn = drawn(Content::Card(card));
    fits(&drawn);
    let text = drawn.to_string();
    assert!(text.contains("more on the page"), "what is left out is told");
    assert_eq!(text.matches("\\\"v\\\":\\\"approve\\\"").count(), 1, "what is not shown whole is not approved");
}

#[test]
fn a_digest() {
    snapshot("digest", Content::Digest(digest(2)));
    let many = drawn(Content::Digest(digest(60)));
    fits(&many);
    assert!(many.to_string().contains("40 more on the page"));
    fits(&drawn(Content::Digest(digest(0))));
}

/// Within the platform's limits, with nothing that could mention or lead elsewhere.
fn fits(drawn: &Value) {
    let blocks = drawn["blocks"].as_array().unwrap();
    assert!(!blocks.is_empty() && blocks.len() <= 50, "{} blocks", blocks.len());
    reeve_testing::slack::check_blocks(blocks).unwrap();
    let text = drawn["text"].as_str().unwrap();
    assert!(!text.is_empty() && text.chars().count() <= 4_000, "{}", text.chars().count());
}

#[test]
fn nothing_that_a_name_says_mentions_links_or_formats() {
    let evil = "<!channel> <@U1> <https://evil.example|click> &amp; *bold* \u{202e}txt\u{0}";
    let mut card = card();
    card.headline = evil.to_owned();
    card.subject = evil.to_owned();
    card.kinds = vec![evil.to_owned()];
    card.actions[0].name = evil.to_owned();
    card.actions[0].steps = vec![evil.to_owned()];
    card.actions[0].why = evil.to_owned();
    card.facts[0] = ChatFact { label: evil.to_owned(), value: evil.to_owned() };
    card.history = vec![evil.to_owned()];
    let drawn = drawn(Content::Card(card));
    fits(&drawn);
    let mut texts = Vec::new();
    collect(&drawn["blocks"], &mut texts);
    texts.push(("mrkdwn".to_owned(), drawn["text"].as_str().unwrap().to_owned()));
    let all = drawn["blocks"].to_string();
    assert_eq!(all.matches("\"mrkdwn\"").count(), all.matches("\"verbatim\":true").count(), "addresses become no links");
    for (kind, text) in texts.iter().filter(|(kind, _)| kind == "mrkdwn") {
        let own = text.replace("<https://reeve.example.com/cases/c-1|The whole of it on Reeve's page>", "");
        assert!(!own.contains('<') && !own.contains('>'), "{kind}: {text}");
    }
}

fn collect(value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            if let (Some(kind), Some(text)) =
                (map.get("type").and_then(Value::as_str), map.get("text").and_then(Value::as_str))
            {
                into.push((kind.to_owned(), text.to_owned()));
            }
            map.values().for_each(|value| collect(value, into));
        }
        Value::Array(all) => all.iter().for_each(|value| collect(value, into)),
        _ => {}
    }
}
