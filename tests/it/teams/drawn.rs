//! How cards and digests look in Teams: snapshots, reviewed like code, and what never happens whatever a name is like.

use reeve::cards::chat::{ChatCard, ChatDigest, ChatFact, ChatLine, ChatNote, Content, Message, Offer, OfferEdit, Stakes};
use reeve::channels::teams::cards::{CARD_BYTES, SIZES, draw, plain_text};
use reeve_testing::teams::{buttons, check_card};
use serde_json::Value;

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
        edit: Some(OfferEdit {
            step: 1,
            quantity: Some("40".to_owned()),
            date: Some("2026-10-09".to_owned()),
            date_label: "Ships on".to_owned(),
        }),
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
        ],
        facts: vec![
            ChatFact { label: "ordered".to_owned(), value: "100".to_owned() },
            ChatFact { label: "received".to_owned(), value: "60".to_owned() },
        ],
        history: vec![],
        link: Some("https://reeve.example.com/cases/c-1".to_owned()),
    }
}

fn drawn(data: Content, size: usize) -> Value {
    let drawn = draw(&Message { id: "msg_1".to_owned(), shows: "case:c-1".to_owned(), data }, &["29:ari".to_owned()], size);
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
    let message = Message { id: "m".to_owned(), shows: "case:c-1".to_owned(), data: Content::Card(card) };
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
    let message = Message { id: "m".to_owned(), shows: "case:c-1".to_owned(), data: Content::Card(card) };
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
