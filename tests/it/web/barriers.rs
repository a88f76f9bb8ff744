//! Barriers: axe-core finds none on any page, in both themes, on a wide screen and on a narrow one.

use std::time::Duration;

use fantoccini::wd::TimeoutConfiguration;
use serde_json::{Value, json};

use super::flows::{at_width, signed_in};
use super::world::World;
use crate::support::browser::Browser;

/// What looks for them: `tests/axe/ORIGIN.md` says where it is from.
const AXE: &str = include_str!("../../axe/axe.min.js");

/// Every page for people, with what unfolds on it unfolded: what is folded is looked at too.
fn pages(world: &World) -> Vec<String> {
    let case = format!("/cases/{}", world.case.id);
    let fixed = [
        "/",
        "/?state=all&text=count&sort=deadline",
        "/?text=nothing+like+it",
        "/cases/c-2",
        "/items/75",
        "/suppliers",
        "/suppliers/9",
        "/batch",
        "/digests",
        "/digests/2026-10-08",
        "/kpi",
        "/mutes",
        "/modes",
        "/outbox",
        "/audit",
        "/policy",
        "/health",
        "/me",
        "/stop",
        "/no-such-page",
    ];
    std::iter::once(case).chain(fixed.into_iter().map(str::to_owned)).collect()
}

#[tokio::test]
async fn no_page_has_a_barrier_in_either_theme_wide_or_narrow() {
    let Some(browser) = Browser::start().await else { return };
    let world = World::new().await;
    let page = &browser.client;
    signed_in(page, &world, "ari").await;
    // A busy machine takes its time.
    let mut timeouts = TimeoutConfiguration::default();
    timeouts.set_script(Some(Duration::from_mins(5)));
    page.update_timeouts(timeouts).await.unwrap();
    let mut found = Vec::new();
    for (nth, path) in pages(&world).into_iter().enumerate() {
        page.goto(&format!("{}{path}", world.base)).await.unwrap();
        page.execute("document.querySelectorAll('details').forEach(d => { d.open = true; });", vec![]).await.unwrap();
        page.execute(AXE, vec![]).await.unwrap();
        let all = [("light", 1280), ("dark", 380), ("dark", 1280), ("light", 380)];
        // What people look at all day in each way; what is made of the same parts in two of them.
        for (theme, width) in all.into_iter().take(if nth < 2 { 4 } else { 2 }) {
            at_width(page, width).await;
            let script = "document.documentElement.dataset.theme = arguments[0]; const done = arguments[arguments.length - 1];
                axe.run(document, { resultTypes: ['violations'], preload: false }).then(
                    r => done(r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary).join(' | '))),
                    e => done(['axe failed: ' + e]));";
            let violations = page.execute_async(script, vec![json!(theme)]).await.unwrap();
            for violation in violations.as_array().unwrap_or_else(|| panic!("{violations}")) {
                found.push(format!("{path} {theme} {width}: {violation}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test]
async fn axe_would_find_a_barrier() {
    let Some(browser) = Browser::start().await else { return };
    let page = &browser.client;
    page.goto("data:text/html,<html lang=en><title>t</title><main><h1>h</h1><input></main>").await.unwrap();
    page.execute(AXE, vec![]).await.unwrap();
    let script = "const done = arguments[0]; axe.run().then(r => done(r.violations.map(v => v.id)));";
    let found: Value = page.execute_async(script, vec![]).await.unwrap();
    assert!(found.as_array().unwrap().contains(&json!("label")), "{found}");
}
