//! What a demo gives to chats and mail, as it goes over the wire: for the pictures of the README, which `scripts/screenshots` makes.

use std::path::PathBuf;

use reeve::cards::chat::Message;
use reeve::cards::picture::{caption, in_words, png};
use reeve::channels::slack::blocks;
use reeve::channels::slack::pictures::Picture;
use reeve::channels::teams::cards;
use reeve::domain::outbox::OutboxKind;
use reeve::store::{OutboxState, Store};
use serde_json::{Value, json};

use crate::support::variable;

#[tokio::test]
#[ignore = "draws what a demo has put into its outbox; scripts/screenshots runs it"]
async fn of_a_demo() {
    let folder = PathBuf::from(variable("REEVE_PAYLOADS").expect("REEVE_PAYLOADS names a folder with a demo in it"));
    let write = |name: String, bytes: &[u8]| std::fs::write(folder.join(name), bytes).unwrap();
    let store = Store::open(&format!("sqlite:{}", folder.join("demo/reeve.db").display())).await.unwrap();
    let mut cards = 0;
    for row in store.list_outbox(OutboxState::Pending).await.unwrap() {
        match (row.kind, &*row.channel) {
            (OutboxKind::Card, "slack") => {
                let message: Message = serde_json::from_str(&row.body).unwrap();
                cards += 1;
                let picture = message.chart.as_deref().map(|chart| {
                    let file = format!("chart-{cards}.png");
                    write(file.clone(), &png(chart).unwrap());
                    Picture { file, hash: String::new(), words: in_words(chart), caption: caption(chart) }
                });
                let slack = Value::from(blocks::draw(&message, picture.as_ref()).blocks);
                let teams = cards::draw(&message, &[], 0).card;
                write(format!("card-{cards}.json"), json!({ "slack": slack, "teams": teams }).to_string().as_bytes());
            }
            (OutboxKind::Digest, channel) if channel.starts_with("mail:") => {
                write("mail.json".to_owned(), row.body.as_bytes());
            }
            _ => {}
        }
    }
    assert!(cards > 0, "the demo had no chat to tell");
}
