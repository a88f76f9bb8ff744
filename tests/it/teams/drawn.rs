//! How cards and digests look in Teams: snapshots, reviewed like code, and what never happens whatever a name is like.

use reeve::cards::chat::{ChatCard, ChatFact, ChatNote, Content, Message};
use reeve::channels::teams::cards::{CARD_BYTES, SIZES, draw, plain_text};
use reeve_testing::teams::{buttons, check_card};
use serde_json::Value;

use crate::chat::samples::{self, digest, offer};

/// With two of the three actions.
fn of_two(mut card: ChatCard) -> ChatCard {
    card.actions.truncate(2);
    card
}

fn card() -> ChatCard {
    of_two(samples::card())
}

fn drawn(data: Content, size: usize) -> Value {
    let drawn = draw(
        &Message { id: "msg_1".to_owned(), shows: "case:c-1".to_owned(), data, chart: None },
        &["29:ari".to_owned()],
        size,
    );
    assert!(!drawn.summary.is_empty() && drawn.summary.chars().count() <= 300);
    fits(&drawn.card);
    drawn.card
}

fn snapshot(name: &str, data: Content) {
    insta::assert_snapshot!(name, serde_json::to_string_pretty(&drawn(data, 0)).unwrap());
}

/// Within the platform's limits.
fn fits(card: &Value) {
    check_card(card).unwrap();
    assert!(card.to_string().len() <= CARD_BYTES);
}

#[test]
fn a_card_that_waits() {
    snapshot("waiting", Content::Card(card()));
}

fn with_chart(card: ChatCard) -> Value {
    let data = Content::Card(card);
    let message = Message { id: "m".to_owned(), shows: "case:c-1".to_owned(), data, chart: Some(samples::chart()) };
    let drawn = draw(&message, &["29:ari".to_owned()], 0).card;
    fits(&drawn);
    drawn
}

/// The address of the picture on a card.
fn picture(card: &Value) -> Option<&str> {
    let image = card["body"].as_array().unwrap().iter().find(|element| element["type"] == "Image");
    image.map(|image| image["url"].as_str().unwrap())
}

#[test]
fn a_card_with_its_chart() {
    let drawn = with_chart(card());
    let url = picture(&drawn).unwrap();
    assert!(url.len() < 12_000, "{} bytes", url.len());
    // The dots are looked at elsewhere.
    let text = serde_json::to_string_pretty(&drawn).unwrap().replace(url, "data:image/png;base64,…");
    insta::assert_snapshot!("pictured", text);
}

#[test]
fn where_bytes_are_short_the_chart_goes_before_any_word() {
    let mut card = card();
    let facts = |drawn: &Value| drawn.to_string().matches("a fact of the case").count();
    card.facts = (0..6).map(|n| ChatFact { label: format!("a fact of the case {n}"), value: "1".to_owned() }).collect();
    let mut without = 0;
    for length in (100..2_500).step_by(100) {
        card.actions[0].why = "w".repeat(length);
        card.actions[1].steps = vec!["s".repeat(length)];
        for fact in &mut card.facts {
            fact.value = "1".repeat(length);
        }
        let drawn = with_chart(card.clone());
        assert_eq!(facts(&drawn), 6, "no word goes for it");
        let is_there = picture(&drawn).is_some();
        assert_ne!(is_there, drawn.to_string().contains("The chart is on the page."));
        without += usize::from(!is_there);
    }
    assert!((1..24).contains(&without), "{without}");
}

#[test]
fn a_card_with_one_of_two_signatures() {
    snapshot("signed", Content::Card(of_two(samples::signed())));
}

#[test]
fn a_card_that_is_decided() {
    let stands = "approved by Ari Approver on 2026-10-09 06:30 UTC";
    let mut card = card();
    card.open = false;
    card.state = "decided".to_owned();
    card.actions = vec![offer(1, "TRANSFER from Northgate DC", "110.70", false, stands)];
    card.history = vec![format!("TRANSFER from Northgate DC: {stands}")];
    snapshot("decided", Content::Card(card));
}

#[test]
fn a_digest_and_a_word_under_a_card() {
    snapshot("digest", Content::Digest(digest(2)));
    let note = ChatNote {
        case: "c-1".to_owned(),
        text: "40 of 100 units did not come waits for a decision since 9 hours.".to_owned(),
        under: "19:c/1".to_owned(),
        users: vec!["6a1f".to_owned()],
        names: vec!["Ari <b> Approver".to_owned()],
        link: None,
    };
    snapshot("note", Content::Note(note));
}

#[test]
fn very_long_names_and_many_of_everything_fit_and_what_is_left_out_is_told() {
    // Of signs that take the most bytes.
    let long = "Kaffeebohnen 咖啡豆 der allerbesten Sorte \"langsam\" geröstet und von Hand verpackt, ".repeat(60);
    let mut card = card();
    card.headline = format!("{long}did not come");
    card.subject = "豆".repeat(5_000);
    card.actions = (1..=30).map(|n| offer(n, &format!("TRANSFER from {long}"), "1.00", true, "")).collect();
    for action in &mut card.actions {
        action.steps = vec![long.clone(), long.clone()];
        action.why = long.repeat(2);
    }
    card.facts = (0..10).map(|n| ChatFact { label: format!("fact {n}"), value: "9".repeat(3_000) }).collect();
    card.history = (0..20).map(|n| format!("{n}: {long}")).collect();
    for size in 0..SIZES {
        let drawn = drawn(Content::Card(card.clone()), size);
        assert!(drawn.to_string().contains("more on the page"));
        assert!(buttons(&drawn, "reeve.approve").is_empty(), "what is not shown whole is not approved");
        assert!(!buttons(&drawn, "reeve.reject").is_empty(), "it can be turned down");
    }
    for size in 0..SIZES {
        let drawn = drawn(Content::Digest(digest(60)), size);
        assert!(drawn.to_string().contains("more on the page"));
    }
    drawn(Content::Digest(digest(0)), 0);
    let many: Vec<String> = (0..200).map(|n| format!("29:{n:060}")).collect();
    let message = Message { id: "m".to_owned(), shows: "case:c-1".to_owned(), data: Content::Card(card), chart: None };
    let asked = draw(&message, &many, 0).card;
    fits(&asked);
    assert_eq!(asked["refresh"]["userIds"].as_array().unwrap().len(), 60);
}

#[test]
fn nothing_that_a_name_says_mentions_links_or_formats() {
    let evil =
        "<at>Ari</at> [click](https://evil.example) **bold** _x_ `y` ![i](https://evil.example/i.png) # h\n- item &lt;";
    let mut card = card();
    card.headline = evil.to_owned();
    card.subject = evil.to_owned();
    card.kinds = vec![evil.to_owned()];
    card.actions[0].name = evil.to_owned();
    card.actions[0].steps = vec![evil.to_owned()];
    card.actions[0].why = evil.to_owned();
    card.facts[0] = ChatFact { label: evil.to_owned(), value: evil.to_owned() };
    card.history = vec![evil.to_owned()];
    let drawn = drawn(Content::Card(card.clone()), 0);
    // Only in runs, which are shown as they stand; and no address but that of the page.
    assert!(read_as_markdown(&drawn).iter().all(|text| !text.contains("evil")), "{drawn}");
    let addresses = addresses(&drawn);
    assert!(addresses.iter().all(|url| url.starts_with("https://reeve.example.com/")), "{addresses:?}");
    assert!(drawn["msteams"]["entities"].is_null());
    let message = Message { id: "m".to_owned(), shows: "case:c-1".to_owned(), data: Content::Card(card), chart: None };
    let text = plain_text(&message);
    for sign in ["](", "**", "![", "`y`", "<at>"] {
        assert!(!text.contains(sign), "{sign}: {text}");
    }
}

/// Texts of a card that are read as Markdown: of blocks and inputs, not of runs, titles of buttons and choices.
fn read_as_markdown(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    match value {
        Value::Object(map) => {
            if value["type"] == "TextBlock" {
                found.extend(value["text"].as_str().map(str::to_owned));
            }
            for name in ["label", "placeholder", "errorMessage"] {
                found.extend(value[name].as_str().map(str::to_owned));
            }
            found.extend(map.values().flat_map(read_as_markdown));
        }
        Value::Array(all) => found.extend(all.iter().flat_map(read_as_markdown)),
        _ => {}
    }
    found
}

fn addresses(value: &Value) -> Vec<String> {
    match value {
        Value::Object(map) => {
            let own = map.get("url").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(map.values().flat_map(addresses)).collect()
        }
        Value::Array(all) => all.iter().flat_map(addresses).collect(),
        _ => Vec::new(),
    }
}
