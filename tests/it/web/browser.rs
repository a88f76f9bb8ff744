//! The page in a real browser: what a planner does in the morning.

use fantoccini::Locator;

use super::flows::signed_in;
use super::world::World;
use crate::support::browser::Browser;

#[tokio::test]
async fn an_approver_signs_in_opens_the_first_case_and_approves_it() {
    let Some(browser) = Browser::start().await else { return };
    let world = World::new().await;
    let page = &browser.client;
    signed_in(page, &world, "ari").await;
    page.wait().for_element(Locator::Css(".queue h3 a")).await.unwrap().click().await.unwrap();
    let approve = page.wait().for_element(Locator::XPath("//button[normalize-space()='Approve']")).await.unwrap();
    approve.click().await.unwrap();
    let said = page.wait().for_element(Locator::Css("main [role=status]")).await.unwrap().text().await.unwrap();
    assert_eq!(said, "Your decision is kept.");
    let card = page.find(Locator::Css("article.first")).await.unwrap().text().await.unwrap();
    assert!(card.contains("approved by Ari Approver"), "{card}");
    assert!(page.find(Locator::XPath("//button[normalize-space()='Undo']")).await.is_ok());
}
