//! The page in a real browser by keyboard and by mouse: each way leads to the same forms, and no single key decides. That all of it is
//! there without the script is shown by the tests over HTTP, which have none.

use fantoccini::key::Key;
use fantoccini::{Client, Locator};
use reeve::domain::decision::RecommendationState;
use serde_json::{Value, json};

use super::world::World;
use crate::support::browser::Browser;

/// Signs in by a link and stands on the list, with nothing on its way any more: a click only begins to load the page behind it, and
/// what is asked for meanwhile would be overtaken by it.
pub(super) async fn signed_in(page: &Client, world: &World, person: &str) {
    page.goto(&world.link(person).await).await.unwrap();
    page.find(Locator::Css("main button")).await.unwrap().click().await.unwrap();
    page.wait().for_element(Locator::Css("#keys")).await.unwrap();
    page.goto(&world.base).await.unwrap();
}

/// Makes the window so wide.
pub(super) async fn at_width(page: &Client, width: u32) {
    page.set_window_size(width, 900).await.unwrap();
}

/// Presses keys, wherever the focus is.
async fn press(page: &Client, keys: &str) {
    page.active_element().await.unwrap().send_keys(keys).await.unwrap();
}

async fn told(page: &Client, script: &str) -> Value {
    page.execute(script, vec![]).await.unwrap()
}

/// The text of what has the focus, and its tag.
async fn focus(page: &Client) -> (String, String) {
    let script = "const a = document.activeElement; return [a.tagName, (a.innerText || a.value || a.name || '').trim()];";
    let found = told(page, script).await;
    (found[0].as_str().unwrap().to_owned(), found[1].as_str().unwrap().to_owned())
}

async fn path(page: &Client) -> String {
    page.current_url().await.unwrap().path().to_owned()
}

async fn first_state(world: &World) -> RecommendationState {
    world.store.get_recommendation(&world.recommendations[0].id).await.unwrap().0.state
}

#[tokio::test]
async fn the_list_is_walked_and_a_case_opened_by_keys() {
    let Some(browser) = Browser::start().await else { return };
    let world = World::new().await;
    let page = &browser.client;
    signed_in(page, &world, "ari").await;
    let lines = page.find_all(Locator::Css(".queue h3 a")).await.unwrap();
    let mut headlines = Vec::new();
    for line in &lines {
        headlines.push(line.text().await.unwrap());
    }
    assert_eq!(headlines.len(), 4);
    for headline in &headlines {
        press(page, "j").await;
        assert_eq!(focus(page).await, ("A".to_owned(), headline.clone()));
    }
    press(page, "j").await;
    assert_eq!(focus(page).await.1, headlines[3], "the last one stays");
    press(page, "kkkk").await;
    assert_eq!(focus(page).await.1, headlines[0]);
    press(page, "x").await;
    assert_eq!(told(page, "return document.querySelectorAll('.pick input:checked').length").await, 1);
    press(page, &Key::Enter.to_string()).await;
    page.wait().for_element(Locator::Css("article.first")).await.unwrap();
    assert_eq!(path(page).await, format!("/cases/{}", world.case.id));
    press(page, "q").await;
    page.wait().for_element(Locator::Css(".queue")).await.unwrap();
    assert_eq!(path(page).await, "/");
    press(page, "/").await;
    press(page, "jar").await;
    assert_eq!(focus(page).await, ("INPUT".to_owned(), "jar".to_owned()), "in a field a letter is a letter");
}

#[tokio::test]
async fn a_key_leads_to_the_button_and_only_the_button_decides() {
    let Some(browser) = Browser::start().await else { return };
    let world = World::new().await;
    let page = &browser.client;
    signed_in(page, &world, "ari").await;
    press(page, "a").await;
    assert_eq!(path(page).await, "/", "nothing is chosen yet");
    press(page, "a").await;
    // What is said comes after the focus; a browser that nobody looks at matches no `:focus`.
    page.wait().for_element(Locator::XPath("//*[@data-said][contains(., 'To approve')]")).await.unwrap();
    assert_eq!(focus(page).await.0, "FORM", "what holds the button has the focus, not the button");
    // Whoever presses on before they have read signs nothing.
    for key in [" ", &Key::Enter.to_string(), "a"] {
        press(page, key).await;
        assert_eq!(focus(page).await.0, "FORM");
    }
    assert_eq!(first_state(&world).await, RecommendationState::Queued, "no key but on the button decides");
    press(page, &Key::Tab.to_string()).await;
    assert_eq!(focus(page).await, ("BUTTON".to_owned(), "Approve".to_owned()), "it is one step away");
    for key in ["a", "a", "r", "s", "e", "a"] {
        press(page, key).await;
    }
    assert_eq!(first_state(&world).await, RecommendationState::Queued, "keys decided nothing");
    let tag = focus(page).await.0;
    // After `r` the focus is in a field, where letters are letters.
    assert_eq!(tag, "SELECT");
    page.find(Locator::Css("#do-approve button")).await.unwrap().send_keys(&Key::Enter.to_string()).await.unwrap();
    let said = page.wait().for_element(Locator::Css("main [role=status]")).await.unwrap().text().await.unwrap();
    assert_eq!(said, "Your decision is kept.");
    assert_eq!(first_state(&world).await.name(), "approved");
}

#[tokio::test]
async fn rejecting_and_snoozing_go_by_the_same_forms_by_key_and_by_mouse() {
    let Some(browser) = Browser::start().await else { return };
    let page = &browser.client;
    for by_key in [true, false] {
        let world = World::new().await;
        signed_in(page, &world, "ari").await;
        let case = format!("{}/cases/{}", world.base, world.case.id);
        page.goto(&case).await.unwrap();
        if by_key {
            press(page, "r").await;
            assert_eq!(focus(page).await.0, "SELECT");
        } else {
            page.find(Locator::Css("#do-reject summary")).await.unwrap().click().await.unwrap();
        }
        let reason = page.find(Locator::Css("#do-reject select")).await.unwrap();
        reason.select_by_value("not-worth-it").await.unwrap();
        let button = page.find(Locator::Css("#do-reject button")).await.unwrap();
        if by_key {
            button.send_keys(&Key::Enter.to_string()).await.unwrap();
        } else {
            button.click().await.unwrap();
        }
        page.wait().for_element(Locator::XPath("//button[normalize-space()='Undo']")).await.unwrap();
        assert_eq!(first_state(&world).await.name(), "rejected", "{by_key}");

        let world = World::new().await;
        signed_in(page, &world, "ari").await;
        // From the queue the key leads to the same form.
        if by_key {
            press(page, "j").await;
            press(page, "s").await;
            page.wait().for_element(Locator::Css("#do-snooze[open]")).await.unwrap();
            assert_eq!(focus(page).await.0, "INPUT");
        } else {
            page.goto(&format!("{}/cases/{}", world.base, world.case.id)).await.unwrap();
            page.find(Locator::Css("#do-snooze summary")).await.unwrap().click().await.unwrap();
        }
        let button = page.find(Locator::Css("#do-snooze form button")).await.unwrap();
        if by_key {
            button.send_keys(&Key::Enter.to_string()).await.unwrap();
        } else {
            button.click().await.unwrap();
        }
        page.wait().for_element(Locator::XPath("//button[normalize-space()='Undo']")).await.unwrap();
        assert_eq!(first_state(&world).await.name(), "snoozed", "{by_key}");
    }
}

#[tokio::test]
async fn a_filter_is_kept_followed_and_forgotten() {
    let Some(browser) = Browser::start().await else { return };
    let world = World::new().await;
    let page = &browser.client;
    signed_in(page, &world, "ari").await;
    press(page, "/").await;
    press(page, &format!("count{}", Key::Enter)).await;
    page.wait().for_element(Locator::Css(".keep summary")).await.unwrap().click().await.unwrap();
    assert_eq!(page.find_all(Locator::Css(".queue > li")).await.unwrap().len(), 1);
    let name = page.find(Locator::Css("#keep-name")).await.unwrap();
    name.send_keys(&format!("Counts <b>{}", Key::Enter)).await.unwrap();
    let kept = page.wait().for_element(Locator::Css(".saved a")).await.unwrap();
    assert_eq!(kept.text().await.unwrap(), "Counts <b>");
    page.goto(&world.base).await.unwrap();
    page.find(Locator::Css(".saved a")).await.unwrap().click().await.unwrap();
    page.wait().for_element(Locator::Css(".saved a[aria-current]")).await.unwrap();
    assert_eq!(page.current_url().await.unwrap().query(), Some("text=count"));
    page.find(Locator::Css(".saved button")).await.unwrap().click().await.unwrap();
    page.wait().for_element(Locator::Css("a[href$='/c-4']")).await.unwrap();
    assert!(page.find(Locator::Css(".saved")).await.is_err());
}

#[tokio::test]
async fn the_theme_is_chosen_kept_and_the_keys_can_be_turned_off() {
    let Some(browser) = Browser::start().await else { return };
    let world = World::new().await;
    let page = &browser.client;
    signed_in(page, &world, "ari").await;
    let ground = "return getComputedStyle(document.body).backgroundColor";
    let light = told(page, ground).await;
    page.find(Locator::Css("[data-theme-switch]")).await.unwrap().click().await.unwrap();
    let dark = told(page, ground).await;
    assert_ne!(light, dark);
    page.goto(&format!("{}/kpi", world.base)).await.unwrap();
    assert_eq!(
        (told(page, ground).await, told(page, "return document.documentElement.dataset.theme").await),
        (dark, json!("dark"))
    );
    press(page, "?").await;
    let dialog = page.wait().for_element(Locator::Css("dialog[open]")).await.unwrap();
    assert!(dialog.text().await.unwrap().contains("next case"));
    page.find(Locator::Css("[data-keys-off]")).await.unwrap().click().await.unwrap();
    press(page, &Key::Escape.to_string()).await;
    page.goto(&world.base).await.unwrap();
    press(page, "j").await;
    assert_eq!(focus(page).await.0, "BODY", "the letters are the reader's own");
}

#[tokio::test]
async fn a_citation_unfolds_the_evidence_that_it_leads_to() {
    let Some(browser) = Browser::start().await else { return };
    let world = World::new().await;
    let page = &browser.client;
    signed_in(page, &world, "ari").await;
    page.goto(&format!("{}/cases/{}", world.base, world.case.id)).await.unwrap();
    told(page, "document.querySelectorAll('details.group').forEach(d => { d.open = false; })").await;
    page.find(Locator::Css(".sumtable .cites a")).await.unwrap().click().await.unwrap();
    page.wait().for_element(Locator::Css("details.group[open] tr:target")).await.unwrap();
}
