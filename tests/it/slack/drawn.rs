//! How cards and digests look in Slack: snapshots, reviewed like code, and what never happens whatever a name is like.

use reeve::cards::chat::{ChatCard, ChatDigest, ChatFact, ChatLine, Content, Message, Offer, Stakes};
use reeve::channels::slack::blocks::draw;
use serde_json::{Value, json};

fn offer(n: u32, name: &str, worth: &str, waits: bool, stands: &str) -> Offer {
    Offer {
        recommendation: format!("r-{n}"),
        content_hash: format!("{n:064}"),
        version: 1,
        code: "TRANSFER".to_owned(),
        name: name.to_owned(),
        worth: worth.to_owned(),
        steps: vec![format!("Move 40 units to Riverside Store, way {n}, shipping on 2026-10-09")],
        why: "Riverside Store sells 11.4 a day and will be empty on 2026-10-11.".to_owned(),
        risks: "If the supplier delivers the rest tomorrow, the transfer cost is wasted.".to_owned(),
        until: "2026-10-10".to_owned(),
        stands: stands.to_owned(),
        waits,
        edits: true,
        edit: None,
        drafter: "Written by the playbook.".to_owned(),
    }
}

fn card() -> ChatCard {
    ChatCard {
        case: "c-1".to_owned(),
        headline: "40 of 100 units did not come with receipt WH/IN/00012; the shelf is empty on 2026-10-11".to_owned(),
        subject: "AC-006 Espresso Beans 1 kg <b>&co</b> · Riverside Store".to_owned(),
        kinds: vec!["R-SHORT short receipt".to_owned(), "D-SPIKE demand spike".to_owned()],
        marks: vec!["key item".to_owned()],
        currency: "USD".to_owned(),
        stakes: Some(Stakes {
            at_stake: "1,249.50".to_owned(),
            worth: "892.50".to_owned(),
            deadline: "2026-10-11".to_owned(),
            left: "decide today".to_owned(),
        }),
        state: "to be decided".to_owned(),
        open: true,
        actions: vec![
            offer(1, "TRANSFER from Northgate DC", "110.70", true, ""),
            offer(2, "TRANSFER from Central Warehouse", "90.10", true, ""),
            offer(3, "EXPEDITE of P00051", "60.00", true, ""),
        ],
        facts: vec![
            ChatFact { label: "ordered".to_owned(), value: "100".to_owned() },
            ChatFact { label: "received".to_owned(), value: "60".to_owned() },
        ],
        history: vec![],
        link: Some("https://reeve.example.com/cases/c-1".to_owned()),
    }
}

fn drawn(data: Content) -> Value {
    let shows = match &data {
        Content::Card(card) => format!("case:{}", card.case),
        Content::Digest(digest) => format!("digest:{}", digest.day),
        Content::Note(note) => format!("reminder:{}", note.case),
    };
    let drawn = draw(&Message { id: "msg_1".to_owned(), shows, data });
    json!({ "text": drawn.text, "blocks": drawn.blocks })
}

fn snapshot(name: &str, data: Content) {
    insta::assert_snapshot!(name, serde_json::to_string_pretty(&drawn(data)).unwrap());
}

#[test]
fn a_card_that_waits() {
    snapshot("waiting", Content::Card(card()));
}

#[test]
fn a_card_with_one_of_two_signatures() {
    let stands = "signed by Ari Approver on 2026-10-09 06:30 UTC; a second signature is needed";
    let mut card = card();
    card.actions[0].stands = stands.to_owned();
    card.history = vec![format!("TRANSFER from Northgate DC: {stands}")];
    snapshot("signed", Content::Card(card));
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

fn digest(lines: u32) -> ChatDigest {
    ChatDigest {
        day: "2026-10-09".to_owned(),
        title: format!("{lines} cases worth deciding, USD 12,345.00 at stake"),
        origin: "Drafted by playbook. Records read up to 2026-10-09 05:58 UTC.".to_owned(),
        unread: vec![],
        lines: (1..=lines)
            .map(|place| ChatLine {
                place,
                headline: format!("Receipt {place} came short of <units> & more"),
                about: "AC-006 Espresso Beans · Riverside Store · R-SHORT · new".to_owned(),
                stakes: "At stake 1,249.50 · worth 892.50 · by 2026-10-11, decide today".to_owned(),
                action: "TRANSFER: Move 40 units from Central Warehouse to Riverside Store".to_owned(),
                link: Some(format!("https://reeve.example.com/cases/c-{place}")),
            })
            .collect(),
        below: "Below the line: 3 cases, together worth USD 404.20.".to_owned(),
        health: vec!["Not read: loyalty.program (module loyalty is not installed)".to_owned()],
        link: Some("https://reeve.example.com/digests/2026-10-09".to_owned()),
    }
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
