//! Pulls from a server in memory: single happenings, and whole histories made up by chance.

mod history;
mod world;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use self::world::{Memory, World, text};
use super::super::call::{Scope, Version};
use super::super::error::OdooError;
use super::super::streams::{Absent, Against, Extent, Field, Stream, Term};
use super::{PullError, Pulled, Puller, Settings};
use crate::rows::cell::Cell;
use reeve_ports::Gap;
use reeve_ports::clock::Clock;

const fn field(name: &'static str, absent: Absent, costs: &'static str) -> Field {
    Field { name, renamed: None, absent, costs }
}

const ID: Field = field("id", Absent::Never, "");
const NAME: Field = field("name", Absent::Empty, "names");
const STATE: Field = field("state", Absent::Empty, "states");
const ORDER: Field = field("order_id", Absent::Never, "");

const fn stream(model: &'static str, fields: &'static [Field], first_seen: &'static [&'static str]) -> Stream {
    Stream {
        model,
        fields,
        links: &["order_id"],
        extent: Extent::Master,
        only: &[],
        either: &[],
        dated_by: "",
        open: &[],
        detail: &[],
        costs: "that part of the business",
        versions: Version::V17..=Version::V19,
        first_seen,
    }
}

const fn documents(stream: Stream, dated_by: &'static str, open: &'static [Term]) -> Stream {
    Stream { extent: Extent::Documents, dated_by, open, ..stream }
}

const OPEN: &[Term] = &[Term { field: "state", operator: "in", value: Against::Words(&["draft", "sent"]) }];
const ORDER_OPEN: &[Term] = &[Term { field: "order_id.state", ..OPEN[0] }];

/// The streams of most tests: master data, a document and its lines.
static STREAMS: [Stream; 3] = [
    stream("product.product", &[ID, NAME], &[]),
    documents(stream("purchase.order", &[ID, NAME, STATE], &[]), "create_date", OPEN),
    documents(stream("purchase.order.line", &[ID, ORDER, NAME], &[]), "order_id.create_date", ORDER_OPEN),
];
static FIRST: [Stream; 1] = [documents(stream("purchase.order", &[ID, NAME, STATE], &["name"]), "create_date", OPEN)];
static NARROW: [Stream; 1] = [documents(stream("purchase.order", &[ID, NAME], &[]), "create_date", OPEN)];
static WITH_LOYALTY: [Stream; 2] =
    [stream("loyalty.program", &[ID, NAME], &[]), stream("product.product", &[ID, NAME], &[])];

const OVERLAP: i64 = 900;
const DAY: i64 = 86_400;

fn start() -> Timestamp {
    "2026-10-08T12:00:00Z".parse().unwrap()
}

fn settings() -> Settings {
    Settings {
        history_days: 30,
        detail_days: 10,
        page_max: 5_000,
        page_time: Duration::from_secs(2),
        overlap: Duration::from_secs(OVERLAP as u64),
        sweep_every: Duration::from_secs(DAY as u64),
        requests_per_second: 0.0,
        quiet: None,
        patience: Duration::from_millis(10),
    }
}

/// A server, a mirror and our clock.
struct Setting {
    world: Arc<World>,
    mirror: Arc<Memory>,
    clock: Clock,
    settings: Settings,
}

impl Setting {
    fn new() -> Self {
        let world = Arc::new(World::default());
        world.state().clock = start().as_microsecond();
        Self { world, mirror: Arc::default(), clock: Clock::standing_at(start()), settings: settings() }
    }

    fn puller(&self) -> Puller {
        let (world, mirror) = (Arc::clone(&self.world), Arc::clone(&self.mirror));
        Puller::new(world, mirror, self.clock.clone(), self.settings.clone(), Scope::default())
    }

    async fn try_pull(&self, streams: &'static [Stream]) -> Result<Pulled, PullError> {
        self.puller().pull(streams, self.clock.now()).await
    }

    async fn pull(&self, streams: &'static [Stream]) -> Pulled {
        self.try_pull(streams).await.unwrap()
    }

    /// Seconds go by, here and there.
    fn pass(&self, seconds: i64) {
        self.clock.set(self.clock.now() + SignedDuration::from_secs(seconds));
        self.world.state().tick(seconds * 1_000_000);
    }

    fn products(&self, count: usize) -> Vec<i64> {
        let mut state = self.world.state();
        (0..count).map(|n| state.create("product.product", &[("name", text(&n.to_string()))])).collect()
    }

    fn kept(&self, model: &str) -> Vec<i64> {
        self.mirror.bodies(model).into_keys().collect()
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_reads_every_row_once_and_what_follows_only_what_changed() {
    let setting = Setting { settings: Settings { page_max: 100, ..settings() }, ..Setting::new() };
    let ids = setting.products(1_234);
    let first = setting.pull(&STREAMS).await;
    assert_eq!(first.rows_changed, 1_234);
    assert_eq!(setting.kept("product.product"), ids);
    setting.pass(3 * OVERLAP);
    setting.pull(&STREAMS).await;
    setting.pass(60);
    setting.world.state().write("product.product", ids[700], &[("name", text("new"))]);
    let second = setting.pull(&STREAMS).await;
    assert_eq!((second.rows_changed, second.rows_read), (1, 1), "nothing of the overlap is read again once it is over");
    assert!(setting.mirror.bodies("product.product")[&ids[700]].contains(r#""new""#));
    let third = setting.pull(&STREAMS).await;
    assert_eq!((third.rows_changed, third.rows_found_late), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn rows_of_one_stamp_are_all_read_however_small_the_pages_are() {
    let setting = Setting { settings: Settings { page_max: 50, ..settings() }, ..Setting::new() };
    let ids = setting.products(10);
    setting.pull(&STREAMS).await;
    let more = setting.products(333);
    let pulled = setting.pull(&STREAMS).await;
    assert_eq!(pulled.rows_changed, 333);
    assert_eq!(setting.kept("product.product"), [ids, more].concat());
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_committed_late_is_read_when_it_is_there() {
    let setting = Setting::new();
    let ids = setting.products(3);
    setting.pull(&STREAMS).await;
    setting.pass(60);
    setting.world.state().begin("product.product", Some(ids[0]), &[("name", text("slow"))]);
    setting.pass(60);
    setting.world.state().write("product.product", ids[1], &[("name", text("fast"))]);
    assert_eq!(setting.pull(&STREAMS).await.rows_changed, 1);
    setting.pass(OVERLAP - 100);
    setting.world.state().commit(i64::MAX);
    assert_eq!(setting.pull(&STREAMS).await.rows_changed, 1, "it was begun before the newest stamp that was known");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_went_back_shows_by_what_is_created_and_by_the_sweep_else() {
    let setting = Setting::new();
    let ids = setting.products(3);
    setting.pull(&STREAMS).await;
    setting.world.state().tick(-3_600_000_000);
    let new = setting.products(1)[0];
    setting.world.state().write("product.product", ids[0], &[("name", text("back"))]);
    assert_eq!(setting.pull(&STREAMS).await.rows_changed, 1, "the new row is seen by its id");
    assert!(setting.kept("product.product").contains(&new));
    assert_eq!(setting.pull(&STREAMS).await.rows_changed, 1, "and what was stamped with it by the next look");
    setting.world.state().tick(-7_200_000_000);
    setting.world.state().write("product.product", ids[1], &[("name", text("unseen"))]);
    assert_eq!(setting.pull(&STREAMS).await.rows_changed, 0);
    setting.clock.set(setting.clock.now() + SignedDuration::from_hours(25));
    let swept = setting.pull(&STREAMS).await;
    assert_eq!((swept.rows_changed, swept.rows_found_late), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_stamp_of_next_year_hides_nothing() {
    let setting = Setting::new();
    let ids = setting.products(3);
    setting.world.state().tick(365 * DAY * 1_000_000);
    setting.world.state().write("product.product", ids[2], &[("name", text("future"))]);
    setting.world.state().tick(-365 * DAY * 1_000_000);
    setting.pull(&STREAMS).await;
    setting.pass(60);
    setting.world.state().write("product.product", ids[0], &[("name", text("now"))]);
    assert_eq!(setting.pull(&STREAMS).await.rows_changed, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_goes_with_the_sweep_and_what_left_the_bounds_stays() {
    let setting = Setting { settings: Settings { page_max: 50, ..settings() }, ..Setting::new() };
    let orders: Vec<i64> = {
        let mut state = setting.world.state();
        state.tick(-90 * DAY * 1_000_000);
        let old = |n| if n % 2 == 0 { "draft" } else { "done" };
        let ids = (0..200).map(|n| state.create("purchase.order", &[("state", text(old(n)))])).collect();
        state.tick(90 * DAY * 1_000_000);
        ids
    };
    setting.pull(&STREAMS).await;
    let open: Vec<i64> = orders.iter().copied().step_by(2).collect();
    assert_eq!(setting.kept("purchase.order"), open, "what is old is read where it is open");
    for id in &open[..60] {
        setting.world.state().write("purchase.order", *id, &[("state", text("done"))]);
    }
    setting.world.state().delete("purchase.order", open[3]);
    setting.world.state().delete("purchase.order", open[99]);
    assert_eq!(setting.pull(&STREAMS).await.rows_changed, 59, "that it is closed is read though it left the bounds");
    setting.pass(2 * DAY);
    assert_eq!(setting.pull(&STREAMS).await.rows_gone, 2);
    assert_eq!(setting.kept("purchase.order").len(), 98);
    // Another that is old and closed is not taken in because somebody wrote on it.
    setting.world.state().write("purchase.order", orders[1], &[("name", text("note"))]);
    assert_eq!(setting.pull(&STREAMS).await.rows_changed, 0);
}

#[tokio::test(start_paused = true)]
async fn when_nothing_can_be_seen_any_more_nothing_is_gone() {
    let setting = Setting::new();
    setting.products(500);
    setting.pull(&STREAMS).await;
    setting.world.state().blind = true;
    setting.pass(2 * DAY);
    let pulled = setting.pull(&STREAMS).await;
    assert_eq!((pulled.rows_gone, setting.kept("product.product").len()), (0, 500));
    assert!(pulled.gaps.iter().any(|gap| gap.why.contains("none of more than 100 known rows answers")), "{:?}", pulled.gaps);
}

#[tokio::test(start_paused = true)]
async fn the_first_value_seen_is_kept_behind_the_row() {
    let setting = Setting::new();
    let id = setting.world.state().create("purchase.order", &[("name", text("monday")), ("state", text("draft"))]);
    setting.pull(&FIRST).await;
    setting.pass(1);
    setting.world.state().write("purchase.order", id, &[("name", text("friday"))]);
    setting.pull(&FIRST).await;
    let body = |setting: &Setting| setting.mirror.bodies("purchase.order")[&id].clone();
    assert!(body(&setting).contains(r#""friday","draft","monday""#), "{}", body(&setting));
    // Another reading from the beginning does not forget it.
    setting.world.state().dropped.insert("state");
    setting.pull(&FIRST).await;
    assert!(body(&setting).contains(r#""friday",false,"monday""#), "{}", body(&setting));
}

#[tokio::test(start_paused = true)]
async fn a_field_that_is_refused_is_found_and_done_without_until_it_is_given() {
    let setting = Setting::new();
    let id = setting.world.state().create("purchase.order", &[("name", text("P1")), ("state", text("draft"))]);
    setting.world.state().refused.insert("state");
    let pulled = setting.pull(&STREAMS).await;
    let gaps: Vec<&Gap> = pulled.gaps.iter().collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!((gaps[0].what.as_str(), gaps[0].costs.as_str()), ("purchase.order.state", "states"));
    assert!(setting.mirror.bodies("purchase.order")[&id].starts_with(&format!(r#"[{id},"P1",false,"#)));
    assert_eq!(Puller::gaps(&*setting.mirror).await.unwrap(), pulled.gaps);
    assert_eq!(setting.pull(&STREAMS).await.gaps, pulled.gaps, "the next process knows it");
    setting.world.state().refused.clear();
    setting.pass(2 * DAY);
    assert_eq!(setting.pull(&STREAMS).await.gaps, []);
    assert!(setting.mirror.bodies("purchase.order")[&id].starts_with(&format!(r#"[{id},"P1","draft","#)));
}

#[tokio::test(start_paused = true)]
async fn a_field_that_vanishes_in_an_upgrade_is_a_gap_and_all_rows_are_read_again() {
    let setting = Setting::new();
    let puller = setting.puller();
    let closed = {
        let mut state = setting.world.state();
        state.tick(-90 * DAY * 1_000_000);
        let id = state.create("purchase.order", &[("name", text("P1")), ("state", text("draft"))]);
        state.tick(90 * DAY * 1_000_000);
        id
    };
    puller.pull(&STREAMS, start()).await.unwrap();
    setting.world.state().write("purchase.order", closed, &[("state", text("done"))]);
    puller.pull(&STREAMS, start()).await.unwrap();
    setting.world.state().dropped.insert("name");
    let pulled = puller.pull(&STREAMS, start()).await.unwrap();
    assert_eq!(pulled.gaps.len(), 3, "{:?}", pulled.gaps);
    assert!(pulled.gaps.iter().all(|gap| gap.why == "this server has no such field"));
    let body = &setting.mirror.bodies("purchase.order")[&closed];
    assert!(body.starts_with(&format!(r#"[{closed},false,"done","#)), "a row outside the bounds too: {body}");
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_differently_is_read_again_from_the_beginning() {
    let setting = Setting::new();
    setting.world.state().create("purchase.order", &[("name", text("P1"))]);
    setting.pull(&STREAMS).await;
    assert_eq!(setting.pull(&NARROW).await.rows_changed, 1);
    assert_eq!(setting.pull(&NARROW).await.rows_changed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_is_not_there_or_not_allowed_costs_only_itself() {
    let setting = Setting::new();
    setting.products(3);
    let pulled = setting.pull(&WITH_LOYALTY).await;
    assert_eq!(pulled.rows_changed, 3);
    assert_eq!(pulled.gaps.len(), 1);
    assert_eq!(
        (pulled.gaps[0].what.as_str(), pulled.gaps[0].costs.as_str()),
        ("loyalty.program", "that part of the business")
    );
    setting.world.state().denied.insert("product.product");
    assert_eq!(setting.pull(&WITH_LOYALTY).await.gaps.len(), 2);
    assert_eq!(setting.kept("product.product").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_page_shrinks_when_the_server_fails_and_grows_again() {
    let setting = Setting { settings: Settings { page_max: 20_000, ..settings() }, ..Setting::new() };
    setting.products(60_000);
    setting.world.state().fail_at.extend([6, 7]);
    setting.pull(&WITH_LOYALTY).await;
    let limits: Vec<usize> = setting.world.state().asked.iter().map(|ask| ask.limit).collect();
    assert_eq!(limits[1..3], [250, 500], "a thousand, halved twice, and then doubled");
    assert_eq!(limits.iter().max(), Some(&20_000));
    assert_eq!(setting.kept("product.product").len(), 60_000);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_away_ends_the_cycle_and_the_next_goes_on_from_there() {
    let setting = Setting { settings: Settings { page_max: 100, ..settings() }, ..Setting::new() };
    setting.products(500);
    setting.world.state().fail_at.extend(7..20);
    let error = setting.try_pull(&STREAMS).await.unwrap_err();
    assert!(matches!(error, PullError::Odoo(OdooError::Busy { .. })), "{error}");
    let kept = setting.kept("product.product").len();
    assert!((1..500).contains(&kept), "{kept}");
    setting.world.state().fail_at.clear();
    setting.world.state().asked.clear();
    setting.pull(&STREAMS).await;
    assert_eq!(setting.kept("product.product").len(), 500);
    assert!(!setting.world.state().asked[0].domain.to_json().to_string().contains(r#"["id",">",0]"#));
}

#[tokio::test(start_paused = true)]
async fn in_quiet_hours_nothing_is_asked() {
    let quiet = super::Quiet::parse("12:00-13:30", &jiff::tz::TimeZone::UTC).unwrap();
    let setting = Setting { settings: Settings { quiet, ..settings() }, ..Setting::new() };
    setting.products(3);
    let pulled = setting.pull(&STREAMS).await;
    assert_eq!(pulled.requests, 0);
    assert_eq!(pulled.paused_until, Some("2026-10-08T13:30:00Z".parse().unwrap()));
    setting.pass(5_400);
    assert_eq!(setting.pull(&STREAMS).await.rows_changed, 3);
}

#[tokio::test(start_paused = true)]
async fn archiving_is_an_ordinary_change() {
    let setting = Setting::new();
    let ids = setting.products(2);
    setting.pull(&STREAMS).await;
    setting.pass(1);
    setting.world.state().write("product.product", ids[0], &[("active", Cell::Flag(false))]);
    let pulled = setting.pull(&STREAMS).await;
    assert_eq!((pulled.rows_changed, pulled.rows_gone), (1, 0));
}
