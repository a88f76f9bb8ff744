//! The queue of a large retailer, timed: `cargo bench -p reeve --bench queue -- 5000 3 20000 5000` (open cases, recommendations of
//! each case, closed cases, items), and a url behind them for an empty store other than a file of SQLite.
//!
//! It fills a store directly, as the stages would leave it, asks the router for pages as a browser does, and lets the digests of
//! three days be made. It prints the middle and the longest of several, the processor's time for each, and a hash of what was
//! said: two builds that print the same hashes say the same.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use axum::http::{Request, Response};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use reeve::app::App;
use reeve::channels::router;
use reeve::channels::web::{LinkFor, sign_in_link};
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::action::{Action, Candidate, Check, MoneySum, Range};
use reeve::domain::calendar::plus_days;
use reeve::domain::case::{Case, CaseState, Lane, Rank};
use reeve::domain::decision::RecommendationState;
use reeve::domain::exception::{Exception, ExceptionType, Signal, Subject};
use reeve::domain::ids::{CaseId, ItemId, LocationId, PersonId, content_hash};
use reeve::domain::money::Money;
use reeve::domain::recommendation::{Drafter, Prose, Recommendation};
use reeve::domain::record::{Observed, Record};
use reeve::ports::{Page, PortError, Ports, Senders, Source};
use reeve::store::Store;
use reeve_testing::{cases, records};
use tower::ServiceExt as _;

/// Open cases, recommendations of each case, closed cases and items where none are named.
const USUAL: [usize; 4] = [5_000, 3, 20_000, 5_000];

/// Locations of the made-up retailer.
const LOCATIONS: usize = 10;

/// How often each page is asked for.
const TIMES: usize = 15;

/// The first day on which a digest is made.
const DAY: Date = date(2026, 10, 9);

/// Items and locations, told at once; nothing is bought or sold.
struct Goods(Vec<Observed>);

#[async_trait]
impl Source for Goods {
    fn identity(&self) -> String {
        "goods made up".to_owned()
    }

    async fn read(&self, cursor: Option<&str>, _: Timestamp, limit: usize) -> Result<Page, PortError> {
        let start: usize = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
        let end = self.0.len().min(start + limit);
        Ok(Page { observed: self.0[start..end].to_vec(), next: end.to_string(), more: end < self.0.len() })
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let named: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let [open, each, closed, items] = <[usize; 4]>::try_from(named).unwrap_or(USUAL);
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite:{}", folder.path().join("reeve.db").display());
    let url = std::env::args().find(|arg| arg.starts_with("postgres")).unwrap_or(file);
    let config = Arc::new(Config::load_from(None, &[])?);
    let clock = Clock::standing_at(due(&config, DAY));
    let store = Store::open_and_migrate(&url).await?;
    let ports = Ports { source: Arc::new(Goods(goods(items))), model: None, senders: Senders::default() };
    let app = App::new(Arc::clone(&config), store.clone(), ports, clock.clone());
    for stage in app.stages().iter().filter(|stage| ["observe", "detect"].contains(&stage.name())) {
        while stage.run_once().await? != reeve::pipeline::Progress::Idle {}
    }
    let began = Instant::now();
    fill(&store, open, closed, each, items).await?;
    println!(
        "{open} open cases, {closed} closed ones, {each} recommendations of each, {items} items: kept in {:.1} s",
        began.elapsed().as_secs_f64()
    );

    let notify = app.stages().into_iter().find(|stage| stage.name() == "notify").expect("it is a stage");
    let (mut took, mut said) = (Vec::new(), Vec::new());
    let mut cpu = 0.0;
    for day in (0..3).map(|days| plus_days(DAY, days)) {
        clock.set(due(&config, day));
        // The book of the day is another matter, and is kept.
        app.context.moments.now_or_half().await?;
        let (began, spent) = (Instant::now(), cpu_seconds());
        notify.run_once().await?;
        took.push(began.elapsed().as_secs_f64() * 1e3);
        cpu += cpu_seconds() - spent;
        said.push(store.find_digest(day).await?.map_or_else(|| "no digest".to_owned(), |made| made.text));
    }
    tell("a digest", &mut took, cpu, &content_hash(&said.iter().map(String::as_str).collect::<Vec<_>>()));

    let pages = router(app.web());
    let cookie = sign_in(&pages, &store, &clock).await?;
    let one = format!("/cases/{}", case_id("open", 7));
    let late = format!("/?type={}", ExceptionType::RLate.code());
    for path in
        ["/", &late, "/?state=snoozed", "/?state=done", "/?state=all", "/?item=7", "/?place=7", "/items/7", "/mutes", &one]
    {
        let (mut took, mut page, spent) = (Vec::new(), String::new(), cpu_seconds());
        for _ in 0..TIMES {
            let began = Instant::now();
            let answer = get(&pages, path, &cookie).await?;
            page = String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await?.to_vec())?;
            took.push(began.elapsed().as_secs_f64() * 1e3);
        }
        tell(path, &mut took, cpu_seconds() - spent, &content_hash(&[&without_secrets(&page)]));
    }
    let approve = app.stages().into_iter().find(|stage| stage.name() == "approve").expect("it is a stage");
    let (began, spent) = (Instant::now(), cpu_seconds());
    approve.run_once().await?;
    tell("a look over the queue", &mut [began.elapsed().as_secs_f64() * 1e3], cpu_seconds() - spent, &content_hash(&[]));
    store.close().await;
    Ok(())
}

fn tell(what: &str, took: &mut [f64], cpu: f64, hash: &str) {
    took.sort_by(f64::total_cmp);
    let (middle, longest) = (took[took.len() / 2], took[took.len() - 1]);
    let cpu = cpu * 1e3 / took.len() as f64;
    println!("{what:<24} {middle:>8.1} ms, at most {longest:>8.1} ms, {cpu:>8.1} ms of CPU, hash {}", &hash[..12]);
}

/// Processor time of this process so far; zero where the system does not tell.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may hold blanks: fields are counted behind it. Ticks are hundredths of a second.
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ');
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// When the digest of `day` is made whatever was read.
fn due(config: &Config, day: Date) -> Timestamp {
    config.rules.calendar.digest_by(day)
}

fn goods(items: usize) -> Vec<Observed> {
    let item = |n: usize| Record::Item(records::item(&n.to_string()));
    let location = |n: usize| Record::Location(records::location(&n.to_string(), &format!("Store {n}")));
    let all = (0..items).map(item).chain((0..LOCATIONS).map(location));
    all.map(|record| Observed { changed_at: begin(), record }).collect()
}

/// When everything was opened, long enough ago that no draft is waited for.
fn begin() -> Timestamp {
    "2026-10-08T04:00:00Z".parse().expect("a time")
}

fn case_id(what: &str, n: usize) -> CaseId {
    CaseId::new(format!("c-{}", &content_hash(&[what, &n.to_string()])[..16]))
}

async fn fill(store: &Store, open: usize, closed: usize, each: usize, items: usize) -> anyhow::Result<()> {
    let all = (0..open).map(|n| ("open", n)).chain((0..closed).map(|n| ("closed", n)));
    let all: Vec<(&str, usize)> = all.collect();
    for some in all.chunks(500) {
        let made: Vec<(Exception, Case)> = some.iter().map(|(what, n)| made_up(what, *n, items)).collect();
        let (exceptions, cases): (Vec<Exception>, Vec<Case>) = made.into_iter().unzip();
        let new: Vec<(Case, Option<i64>)> = cases.iter().map(|case| (case.clone(), None)).collect();
        store.save_detection(&exceptions, &new, &[], &[], None).await?;
        let added: Vec<Recommendation> = cases.iter().flat_map(|case| proposed(case, each)).collect();
        store.advance(reeve::store::Change { added: &added, ..Default::default() }).await?;
    }
    Ok(())
}

fn made_up(what: &str, n: usize, items: usize) -> (Exception, Case) {
    let code = ExceptionType::ALL[n % ExceptionType::ALL.len()];
    let subject = Subject::at(&ItemId::new((n % items).to_string()), &LocationId::new((n % LOCATIONS).to_string()));
    let said = format!("{} of {} units of kitchen scale {n} did not come with receipt WH/IN/{n:05}", n % 90, n % 90 + 10);
    let signal = Signal::rule("receiving/1", code, subject, format!("{what} {n}"), (DAY, DAY), said);
    let exception = cases::exception(signal.link(format!("shortage:{what}{n}")), begin());
    let priority = Money::from_minor(((n * 7_919) % 100_003) as i64);
    let rank = Rank {
        lane: if n.is_multiple_of(97) { Lane::BillDue } else { Lane::Ordinary },
        slack_days: (n % 9) as f64 + 0.5,
        ..cases::rank(priority)
    };
    let case = Case {
        id: case_id(what, n),
        state: if what == "open" { CaseState::Open } else { CaseState::Closed },
        links: vec![format!("shortage:{what}{n}")],
        rank: Some(rank).filter(|_| !n.is_multiple_of(41)),
        ..cases::case("c-0", std::slice::from_ref(&exception), begin())
    };
    (exception, case)
}

/// What a case proposes, of the size that cards have.
fn proposed(case: &Case, each: usize) -> Vec<Recommendation> {
    let state = if case.state == CaseState::Open { RecommendationState::Queued } else { RecommendationState::Superseded };
    let check = |name: &str| Check { name: name.to_owned(), detail: "40 ≤ 190".to_owned(), passed: true, hard: true };
    let one = |rank: usize| {
        let candidate = Candidate {
            id: format!("A{rank}"),
            action: Action::Monitor { condition: "the count".to_owned(), until: plus_days(DAY, 20) },
            summary: format!("Watch {} until {}, and count what comes", case.headline, plus_days(DAY, 20)),
            money: MoneySum::nothing(0.9, Range::default()),
            value: Money::from_minor(1_200),
            latest_date: plus_days(DAY, 20),
            checks: ["quantity ≤ stock to spare", "a day that is worked", "the place is open", "the item is sold"]
                .map(check)
                .to_vec(),
            cites: Vec::new(),
            then: Vec::new(),
        };
        let prose = Prose {
            rationale: "What did not come is still promised, and the shelf lasts for some days. ".repeat(4),
            risks: "The rest may not come at all; then the next order has to be larger.".to_owned(),
            would_change: "A message of the supplier that names another day.".to_owned(),
            ..Prose::default()
        };
        let drafter = Drafter::Playbook { because: None };
        let rank = u32::try_from(rank).unwrap_or(u32::MAX);
        let mut rec = Recommendation::drafted(case.id.clone(), rank, candidate, prose, "e1".to_owned(), drafter, begin());
        rec.state = state.clone();
        rec
    };
    (1..=each).map(one).collect()
}

/// Signs the planner of the built-in configuration in, and gives back the cookie.
async fn sign_in(pages: &Router, store: &Store, clock: &Clock) -> anyhow::Result<String> {
    let link = sign_in_link(store, &PersonId::new("pia"), clock, "http://localhost", LinkFor::Demo).await?;
    let token = link.split_once('?').map_or("", |(_, token)| token).to_owned();
    let request =
        Request::post("/sign-in").header(HOST, "localhost").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = pages.clone().oneshot(request.body(Body::from(token))?).await?;
    let cookie = answer.headers().get(SET_COOKIE).and_then(|cookie| cookie.to_str().ok()).unwrap_or_default();
    anyhow::ensure!(!cookie.is_empty(), "nobody was signed in: {}", answer.status());
    Ok(cookie.split(';').next().unwrap_or_default().to_owned())
}

async fn get(pages: &Router, path: &str, cookie: &str) -> anyhow::Result<Response<Body>> {
    let request = Request::get(path).header(HOST, "localhost").header(COOKIE, cookie).body(Body::empty())?;
    let answer = pages.clone().oneshot(request).await?;
    anyhow::ensure!(answer.status().is_success(), "{path}: {}", answer.status());
    Ok(answer)
}

/// The page without what differs between two sessions: the values of hidden fields.
fn without_secrets(page: &str) -> String {
    page.split("type=\"hidden\"").map(|part| part.split_once('>').map_or(part, |(_, rest)| rest)).collect()
}
