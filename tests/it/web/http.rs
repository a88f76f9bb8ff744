//! The page over real HTTP, read by a client that does nothing on its own.

use std::collections::BTreeMap;

use reeve::domain::decision::RecommendationState;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{EVIL, World};

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// One request, with exactly the headers given beside the needed ones.
pub(crate) async fn send(world: &World, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let host = world.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let named = headers.iter().any(|(name, _)| *name == "Host");
    let mut lines = vec![format!("{method} {path} HTTP/1.1"), "Connection: close".to_owned()];
    lines.push(format!("Content-Length: {}", body.len()));
    lines.extend((!named).then(|| format!("Host: {host}")));
    lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
    let request = format!("{}\r\n\r\n{body}", lines.join("\r\n"));
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw).await.unwrap();
    let raw = String::from_utf8(raw).unwrap();
    let (head, body) = raw.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers =
        lines.filter_map(|l| l.split_once(": ")).map(|(k, v)| (k.to_lowercase(), v.to_owned())).collect::<BTreeMap<_, _>>();
    Answer { status, headers, body: body.to_owned() }
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Somebody with a session.
pub(crate) struct Visitor<'w> {
    world: &'w World,
    pub(crate) cookie: String,
}

impl<'w> Visitor<'w> {
    pub(crate) async fn sign_in(world: &'w World, person: &str) -> Self {
        Self::come_by(world, &world.link(person).await).await
    }

    pub(crate) async fn come_by(world: &'w World, link: &str) -> Self {
        let token = link.split_once("token=").unwrap().1;
        let answer = send(world, "POST", "/sign-in", &[FORM], &format!("token={token}")).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/"));
        let cookie = answer.header("set-cookie");
        for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        Self { world, cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.world, "GET", path, &[("Cookie", &self.cookie)], "").await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body: Vec<String> = fields.iter().map(|(k, v)| format!("{k}={}", encode(v))).collect();
        send(self.world, "POST", path, &[("Cookie", &self.cookie), FORM], &body.join("&")).await
    }

    /// The hidden fields of the first form for `verb` on the case's page.
    pub(crate) async fn form(&self, verb: &str) -> BTreeMap<String, String> {
        let page = self.get(&self.case()).await.body;
        let forms = page.split("<form ").filter(|f| f.contains(&format!("name=\"verb\" value=\"{verb}\"")));
        let form = forms.map(|f| f.split("</form>").next().unwrap()).next();
        let form = form.unwrap_or_else(|| panic!("no form to {verb} on\n{page}"));
        let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
        inputs.map(|i| i.split('"').collect::<Vec<_>>()).map(|p| (p[0].to_owned(), p[2].to_owned())).collect()
    }

    pub(crate) async fn decide(&self, form: &BTreeMap<String, String>, more: &[(&str, &str)]) -> Answer {
        let mut fields: Vec<(&str, &str)> = form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        fields.extend(more);
        self.post(&format!("{}/decide", self.case()), &fields).await
    }

    pub(crate) fn case(&self) -> String {
        format!("/cases/{}", self.world.case.id)
    }
}

pub(super) fn encode(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Is there a form for `verb` on the recommendation?
fn offers(page: &str, verb: &str, recommendation: &str) -> bool {
    let verb = format!("name=\"verb\" value=\"{verb}\"");
    let forms = page.split("<form ").map(|f| f.split("</form>").next().unwrap());
    forms.into_iter().any(|f| f.contains(&verb) && f.contains(&format!("value=\"{recommendation}\"")))
}

async fn state_of(world: &World, index: usize) -> RecommendationState {
    world.store.get_recommendation(&world.recommendations[index].id).await.unwrap().0.state
}

const SCREENS: [&str; 14] = [
    "/suppliers",
    "/suppliers/9",
    "/items/75",
    "/mutes",
    "/batch",
    "/",
    "/?state=all",
    "/digests",
    "/digests/2026-10-08",
    "/digests/2026-10-08/mail",
    "/audit",
    "/policy",
    "/health",
    "/stop",
];

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_to_the_sign_in_page() {
    let world = World::new().await;
    for path in SCREENS.into_iter().chain(["/cases/c-00112233aabbccdd"]) {
        let answer = send(&world, "GET", path, &[], "").await;
        assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"), "{path}");
    }
    let forged = send(&world, "GET", "/", &[("Cookie", "reeve_session=00ff")], "").await;
    assert_eq!(forged.status, 303);
    let answer = send(&world, "POST", "/cases/c-00112233aabbccdd/decide", &[FORM], "verb=approve").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"));
    for (path, body) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = send(&world, "GET", path, &[], "").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, body));
    }
}

#[tokio::test]
async fn a_link_signs_in_once_and_opening_it_does_not_use_it_up() {
    let world = World::new().await;
    let link = world.link("ari").await;
    let (path, token) = (link.strip_prefix(&world.base).unwrap(), link.split_once("token=").unwrap().1.to_owned());
    for _ in 0..2 {
        let preview = send(&world, "GET", path, &[], "").await;
        assert!(preview.status == 200 && preview.body.contains(&token) && preview.header("set-cookie").is_empty());
    }
    let body = format!("token={token}");
    assert_eq!(send(&world, "POST", "/sign-in", &[FORM], &body).await.status, 303);
    let again = send(&world, "POST", "/sign-in", &[FORM], &body).await;
    assert!(again.status == 403 && again.header("set-cookie").is_empty() && again.body.contains("used already"));
    assert_eq!(send(&world, "GET", path, &[], "").await.status, 403);

    let late = world.link("ari").await;
    world.clock.set(super::world::now() + jiff::SignedDuration::from_mins(31));
    assert_eq!(send(&world, "GET", late.strip_prefix(&world.base).unwrap(), &[], "").await.status, 403);
}

#[tokio::test]
async fn a_session_ends_by_signing_out_and_by_time() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    assert_eq!(ari.get("/").await.status, 200);
    let form = ari.form("approve").await;
    assert_eq!(ari.post("/sign-out", &[("csrf", "wrong")]).await.status, 403);
    assert_eq!(ari.post("/sign-out", &[("csrf", &form["csrf"])]).await.status, 303);
    assert_eq!(ari.get("/").await.status, 303);

    let fay = Visitor::sign_in(&world, "fay").await;
    world.clock.set(super::world::now() + jiff::SignedDuration::from_hours(12));
    assert_eq!(fay.get("/").await.status, 303);

    // Somebody's next sign-in forgets what has ended, so that nothing of it is left to forget.
    Visitor::sign_in(&world, "dan").await;
    assert_eq!(world.store.delete_expired_sessions(world.clock.now()).await.unwrap(), 0);
}

#[tokio::test]
async fn a_click_without_the_sessions_token_changes_nothing() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let dan = Visitor::sign_in(&world, "dan").await;
    let mut form = ari.form("approve").await;
    let stolen = dan.form("approve").await["csrf"].clone();
    for csrf in [None, Some(String::new()), Some(stolen)] {
        form.remove("csrf");
        form.extend(csrf.map(|c| ("csrf".to_owned(), c)));
        assert_eq!(ari.decide(&form, &[]).await.status, 403);
    }
    assert_eq!(state_of(&world, 0).await, RecommendationState::Queued);
}

#[tokio::test]
async fn a_request_from_a_foreign_page_or_to_a_foreign_name_is_refused() {
    let world = World::new().await;
    let rebound = send(&world, "GET", "/healthz", &[("Host", "evil.example:80")], "").await;
    assert_eq!(rebound.status, 403);
    let ari = Visitor::sign_in(&world, "ari").await;
    let csrf = ari.form("approve").await["csrf"].clone();
    for origin in ["http://evil.example", "null"] {
        let headers = [("Cookie", ari.cookie.as_str()), FORM, ("Origin", origin)];
        assert_eq!(send(&world, "POST", "/sign-out", &headers, &format!("csrf={csrf}")).await.status, 403);
    }
    let headers = [("Cookie", ari.cookie.as_str()), FORM, ("Origin", world.base.as_str())];
    assert_eq!(send(&world, "POST", "/sign-out", &headers, &format!("csrf={csrf}")).await.status, 303);
}

#[tokio::test]
async fn an_approval_is_kept_answered_the_same_twice_and_can_be_undone() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let form = ari.form("approve").await;
    for _ in 0..2 {
        let answer = ari.decide(&form, &[]).await;
        assert_eq!((answer.status, answer.header("location")), (303, format!("{}?done=1", ari.case()).as_str()));
    }
    assert!(matches!(state_of(&world, 0).await, RecommendationState::Approved { .. }));
    let page = ari.get(&ari.case()).await.body;
    assert!(page.contains("approved by Ari Approver") && page.contains("can be undone until"), "{page}");

    let undo = ari.form("undo").await;
    assert_eq!(ari.decide(&undo, &[]).await.status, 303);
    assert_eq!(state_of(&world, 0).await, RecommendationState::Queued);
    // The page after the undo makes a new click, not a repeat of the old one.
    assert_eq!(ari.decide(&ari.form("approve").await, &[]).await.status, 303);
    assert!(matches!(state_of(&world, 0).await, RecommendationState::Approved { .. }));
    assert!(world.store.verify_audit().await.is_ok());
}

#[tokio::test]
async fn a_refused_click_shows_the_case_again_and_says_why() {
    let world = World::new().await;
    let pia = Visitor::sign_in(&world, "pia").await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let dan = Visitor::sign_in(&world, "dan").await;
    // The page offers no button that would be refused, but says why and whom to ask; a click made up all the same is refused.
    let page = pia.get(&pia.case()).await.body;
    let id = world.recommendations[0].id.as_str();
    assert!(!offers(&page, "approve", id) && page.contains("You can not approve it: Pia Planner"), "{page}");
    assert!(offers(&ari.get(&ari.case()).await.body, "approve", id));
    let (ask, edit) = (page.find(r#"name="verb" value="forward""#), page.find(r#"name="verb" value="edit""#));
    assert!(ask.is_some() && ask < edit, "whom to ask comes first: {page}");
    let mut made_up = pia.form("reject").await;
    made_up.insert("verb".to_owned(), "approve".to_owned());
    let may_not = pia.decide(&made_up, &[]).await;
    assert!(may_not.status == 403 && may_not.body.contains("role=\"alert\"") && may_not.body.contains("Evidence"));

    let mut old = dan.form("approve").await;
    let late = dan.form("reject").await;
    old.insert("content_hash".to_owned(), "00".to_owned());
    let answer = dan.decide(&old, &[]).await;
    assert!(answer.status == 409 && answer.body.contains("the facts changed since this was shown"), "{}", answer.body);

    assert_eq!(ari.decide(&ari.form("approve").await, &[]).await.status, 303);
    let answer = dan.decide(&late, &[("reason", "not-real")]).await;
    assert!(answer.status == 409 && answer.body.contains("the first decision counts"), "{}", answer.body);
}

#[tokio::test]
async fn rejecting_takes_a_reason_and_snoozing_a_day() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let form = ari.form("reject").await;
    let answer = ari.decide(&form, &[("reason", "")]).await;
    assert!(answer.status == 400 && answer.body.contains("choose a reason"), "{}", answer.body);
    let snooze = ari.form("snooze").await;
    assert_eq!(ari.decide(&snooze, &[("until", "soon")]).await.status, 400);
    assert_eq!(ari.decide(&snooze, &[("until", "2020-01-01")]).await.status, 400);
    assert_eq!(state_of(&world, 0).await, RecommendationState::Queued);

    let note = format!("seen it {EVIL}");
    let answer = ari.decide(&form, &[("reason", "wrong-quantity"), ("note", &note)]).await;
    assert_eq!(answer.status, 303);
    assert!(matches!(state_of(&world, 0).await, RecommendationState::Rejected { .. }));
    let page = ari.get(&ari.case()).await.body;
    assert!(!page.contains(EVIL) && page.contains("rejected by Ari Approver"));
}

#[tokio::test]
async fn an_edit_goes_to_somebody_else() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let form = ari.form("edit").await;
    let bad = ari.decide(&form, &[("quantity", "many"), ("date", "2026-10-09")]).await;
    assert!(bad.status == 400 && bad.body.contains("is not a quantity"));
    assert_eq!(ari.decide(&form, &[("quantity", "30"), ("date", "2026-10-09")]).await.status, 303);
    let page = ari.get(&ari.case()).await.body;
    assert!(page.contains("Edited by Ari Approver."), "{page}");
    let mut own = ari.form("reject").await;
    assert!(!offers(&page, "approve", &own["recommendation"]), "{page}");
    own.insert("verb".to_owned(), "approve".to_owned());
    assert_eq!(ari.decide(&own, &[]).await.status, 403);
    let dan = Visitor::sign_in(&world, "dan").await;
    let others = dan.decide(&dan.form("approve").await, &[]).await;
    assert_eq!(others.status, 303, "{}", others.body);
}

#[tokio::test]
async fn text_from_outside_is_escaped_on_every_screen() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let case = ari.case();
    for path in
        SCREENS.into_iter().chain([case.as_str(), "/cases/%3Cscript%3Ealert(1)", "/?state=<script>alert(1)</script>"])
    {
        let page = ari.get(path).await.body;
        // Ours is loaded from its own address; it is all that may run.
        let others = page.replacen("<script src=\"/assets/reeve.", "", 1);
        assert!(!others.contains("<script"), "{path}");
    }
    let page = ari.get(&case).await.body;
    assert!(page.matches("&lt;script&gt;alert(1)&lt;").count() >= 4, "name, note, message and history");
    assert!(page.contains("text from outside"));
}

#[tokio::test]
async fn every_answer_has_the_security_headers_and_no_page_has_an_inline_style() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let case = ari.case();
    let paths = SCREENS.into_iter().chain([case.as_str(), "/no-such-page", "/sign-in", "/healthz", "/cases/no-such-case"]);
    for path in paths {
        let answer = ari.get(path).await;
        assert_eq!(answer.status, if path.contains("/no-such") { 404 } else { 200 }, "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(
            (answer.header("x-content-type-options"), answer.header("cache-control")),
            ("nosniff", "no-store"),
            "{path}"
        );
        if !path.ends_with("/mail") {
            assert!(policy.contains("script-src 'self';"), "{path}: {policy}");
            assert!(!policy.contains("unsafe") && !answer.body.contains(" style="), "{path}");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let form = ari.form("reject").await;
    let long = "x".repeat(70_000);
    assert_eq!(ari.decide(&form, &[("reason", "not-real"), ("note", &long)]).await.status, 413);
}

#[tokio::test]
async fn the_queue_stands_in_the_digests_order_and_can_be_filtered() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let page = ari.get("/").await.body;
    let at = |what: &str| page.find(what).unwrap_or_else(|| panic!("no {what} in\n{page}"));
    // Above the line, then below it: the lane of due bills first, then by priority.
    assert!(at("c-00112233aabbccdd") < at("Below the line"));
    assert!(
        at("Below the line") < at("/cases/c-2")
            && at("/cases/c-2") < at("/cases/c-3")
            && at("/cases/c-3") < at("/cases/c-4")
    );
    let counted = ari.get("/?type=I-COUNT").await.body;
    assert!(counted.contains("/cases/c-3") && !counted.contains("/cases/c-4"));
    assert!(ari.get("/?state=snoozed").await.body.contains("There is none."));
}

#[tokio::test]
async fn the_money_sum_adds_up_and_its_figures_lead_to_the_evidence() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let page = ari.get(&ari.case()).await.body;
    // 0.95 × (1,234.50 − 270.00) − 19.00 − 0.05 × 12.00
    for figure in ["916.28", "-19.00", "-0.60", "896.68"] {
        assert!(page.contains(&format!("<td class=\"r\">{figure}</td>")), "{figure}");
    }
    let anchor = page.split("<a href=\"#fact-").nth(1).unwrap().split('"').next().unwrap();
    assert!(page.contains(&format!("<tr id=\"fact-{anchor}\">")));
    assert!(page.contains("role=\"img\"") && page.contains("<strong>Missing:</strong> promise date of PO line 183"));
}

#[tokio::test]
async fn the_audit_screen_says_whether_the_log_is_whole() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let page = ari.get("/audit").await.body;
    assert!(page.contains("Verified just now: all") && page.contains("person signed in"));
    assert_eq!(ari.get("/audit?before=0").await.status, 200);
    assert_eq!(ari.get("/audit?before=999999").await.status, 200);
}
