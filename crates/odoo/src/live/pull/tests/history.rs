//! Histories made up by chance: whatever is edited, however slowly it is committed, wherever the process is killed, the
//! mirror ends as the server is.

use proptest::prelude::*;

use super::world::{State, text};
use super::{DAY, OVERLAP, STREAMS, Setting, Settings, settings};
use crate::rows::cell::Cell;

const MODELS: [&str; 3] = ["product.product", "purchase.order", "purchase.order.line"];

/// Something that happens.
#[derive(Clone, Debug)]
enum Happening {
    Create {
        model: usize,
        count: u8,
    },
    Write {
        model: usize,
        nth: usize,
        value: u8,
    },
    /// Opens or closes an order, whereby it enters or leaves the bounds.
    Close {
        nth: usize,
        open: bool,
    },
    /// The same value on many rows at once: one stamp.
    WriteMany {
        model: usize,
        value: u8,
    },
    Delete {
        model: usize,
        nth: usize,
    },
    /// A transaction that is committed later.
    Begin {
        model: usize,
        nth: Option<usize>,
        value: u8,
    },
    Commit,
    Pass {
        millis: u32,
    },
    /// The server's clock is set.
    Jump {
        seconds: i32,
    },
    /// A pull that is killed in a request or a commit (before it is done, or after), or is not.
    Pull {
        request: Option<u8>,
        commit: Option<(u8, bool)>,
        fails: Vec<u8>,
    },
}

fn happening(jumps: bool) -> impl Strategy<Value = Happening> {
    let model = 0..MODELS.len();
    let nth = any::<usize>();
    prop_oneof![
        3 => (model.clone(), 1..30_u8).prop_map(|(model, count)| Happening::Create { model, count }),
        6 => (model.clone(), nth, any::<u8>()).prop_map(|(model, nth, value)| Happening::Write { model, nth, value }),
        2 => (nth, any::<bool>()).prop_map(|(nth, open)| Happening::Close { nth, open }),
        1 => (model.clone(), any::<u8>()).prop_map(|(model, value)| Happening::WriteMany { model, value }),
        2 => (model.clone(), nth).prop_map(|(model, nth)| Happening::Delete { model, nth }),
        3 => (model, proptest::option::of(nth), any::<u8>()).prop_map(|(model, nth, value)| Happening::Begin { model, nth, value }),
        1 => Just(Happening::Commit),
        6 => (0..300_000_u32).prop_map(|millis| Happening::Pass { millis }),
        u32::from(jumps) => (-200_000..200_000_i32).prop_map(|seconds| Happening::Jump { seconds }),
        6 => (
            proptest::option::of(0..60_u8),
            proptest::option::of((0..20_u8, any::<bool>())),
            proptest::collection::vec(0..60_u8, 0..3),
        ).prop_map(|(request, commit, fails)| Happening::Pull { request, commit, fails }),
    ]
}

fn some(state: &State, model: usize, nth: usize) -> Option<i64> {
    let ids = state.ids(MODELS[model]);
    if ids.is_empty() { None } else { Some(ids[nth % ids.len()]) }
}

fn values(state: &State, model: usize, value: u8) -> Vec<(&'static str, Cell)> {
    let mut values = vec![("name", text(&value.to_string()))];
    if model == 2 {
        let order = some(state, 1, usize::from(value));
        values.push(("order_id", order.map_or(Cell::Flag(false), |id| Cell::Number(id as f64))));
    }
    values
}

async fn happen(setting: &Setting, what: &Happening) {
    if let Happening::Pull { request, commit, fails } = what {
        return pull(setting, *request, *commit, fails).await;
    }
    if let Happening::Pass { millis } = what {
        // Nobody's transaction is longer than the overlap.
        let mut state = setting.world.state();
        let before = state.clock - (OVERLAP - 301) * 1_000_000;
        state.commit(before);
        state.tick(i64::from(*millis) * 1_000);
        setting.clock.set(setting.clock.now() + jiff::SignedDuration::from_millis(i64::from(*millis)));
        return;
    }
    let mut state = setting.world.state();
    match what {
        Happening::Create { model, count } => {
            for n in 0..*count {
                let values = values(&state, *model, n);
                state.create(MODELS[*model], &values);
            }
        }
        Happening::Write { model, nth, value } => {
            if let Some(id) = some(&state, *model, *nth) {
                state.write(MODELS[*model], id, &[("name", text(&value.to_string()))]);
            }
        }
        Happening::Close { nth, open } => {
            if let Some(id) = some(&state, 1, *nth) {
                state.write(MODELS[1], id, &[("state", text(if *open { "draft" } else { "done" }))]);
            }
        }
        Happening::WriteMany { model, value } => {
            for id in state.ids(MODELS[*model]).into_iter().step_by(2) {
                state.write(MODELS[*model], id, &[("name", text(&value.to_string()))]);
            }
        }
        Happening::Delete { model, nth } => {
            if let Some(id) = some(&state, *model, *nth) {
                state.delete(MODELS[*model], id);
            }
        }
        Happening::Begin { model, nth, value } => {
            let id = nth.and_then(|nth| some(&state, *model, nth));
            if nth.is_none() || id.is_some() {
                let values = values(&state, *model, *value);
                state.begin(MODELS[*model], id, &values);
            }
        }
        Happening::Commit => state.commit(i64::MAX),
        Happening::Jump { seconds } => state.tick(i64::from(*seconds) * 1_000_000),
        Happening::Pass { .. } | Happening::Pull { .. } => {}
    }
}

async fn pull(setting: &Setting, request: Option<u8>, commit: Option<(u8, bool)>, fails: &[u8]) {
    {
        let mut state = setting.world.state();
        let now = state.requests;
        state.kill_at = request.map(|nth| now + 1 + u64::from(nth));
        state.fail_at = fails.iter().map(|nth| now + 1 + u64::from(*nth)).collect();
        let mut commits = setting.mirror.commits.lock().unwrap();
        commits.1 = commit.map(|(nth, done)| (commits.0 + 1 + u64::from(nth), done));
    }
    let puller = setting.puller();
    tokio::select! {
        biased;
        pulled = puller.pull(&STREAMS, setting.clock.now()) => { pulled.unwrap(); }
        () = setting.world.killed.notified() => {}
        () = setting.mirror.killed.notified() => {}
    }
    let mut state = setting.world.state();
    state.kill_at = None;
    state.fail_at.clear();
    setting.mirror.commits.lock().unwrap().1 = None;
}

/// A row as the mirror should have it.
fn body(state: &State, model: &str, id: i64) -> String {
    let row = &state.tables[model][&id];
    let cell = |name: &str| row.values.get(name).cloned().unwrap_or(Cell::Flag(false));
    let mut cells = vec![Cell::Number(id as f64)];
    match model {
        "product.product" => cells.push(cell("name")),
        "purchase.order" => cells.extend([cell("name"), cell("state")]),
        _ => cells.extend([cell("order_id"), cell("name")]),
    }
    let at = jiff::Timestamp::from_second(row.written.div_euclid(1_000_000)).unwrap();
    cells.push(text(&at.strftime("%Y-%m-%d %H:%M:%S").to_string()));
    serde_json::to_string(&cells).unwrap()
}

/// What is wrong with the mirror. Rows outside the bounds may be there; what is there must be right.
fn differences(setting: &Setting, bounds: &super::super::Bounds, deleted_too: bool) -> Vec<String> {
    let state = setting.world.state();
    let mut wrong = Vec::new();
    for (model, stream) in MODELS.iter().zip(&STREAMS) {
        let has = |_: &str, field: &str| super::world::FIELDS.contains(&field);
        let terms = super::super::bounds::bounded(stream, bounds, &has).domain().to_json();
        let kept = setting.mirror.bodies(model);
        for id in state.ids(model) {
            let expected = body(&state, model, id);
            match kept.get(&id) {
                Some(kept) if *kept == expected => {}
                Some(kept) => wrong.push(format!("{model} {id} is {kept} instead of {expected}")),
                None if state.meets(model, id, &terms) => wrong.push(format!("{model} {id} is missing: {expected}")),
                None => {}
            }
        }
        if deleted_too {
            let there = state.ids(model);
            wrong.extend(kept.keys().filter(|id| !there.contains(id)).map(|id| format!("{model} {id} is not gone")));
        }
    }
    wrong
}

/// A world with a past: rows from before the bounds, some of them open.
fn with_past(page_max: usize, skew: i64) -> Setting {
    let setting = Setting { settings: Settings { page_max, ..settings() }, ..Setting::new() };
    {
        let mut state = setting.world.state();
        state.tick((skew - 60 * DAY) * 1_000_000);
        for n in 0..40 {
            let open = if n % 3 == 0 { "draft" } else { "done" };
            let order = state.create(MODELS[1], &[("name", text("old")), ("state", text(open))]);
            state.create(MODELS[2], &[("name", text("old")), ("order_id", Cell::Number(order as f64))]);
            state.create(MODELS[0], &[("name", text("old"))]);
            state.tick(12_345_678);
        }
        state.tick(60 * DAY * 1_000_000);
    }
    setting
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_mirror_ends_as_the_server(
        happenings in proptest::collection::vec(happening(true), 1..60),
        page_max in 50..200_usize,
        skew in -100_000..100_000_i64,
    ) {
        run(async {
            let setting = with_past(page_max, skew);
            let mut set_back = false;
            for what in &happenings {
                happen(&setting, what).await;
                set_back |= matches!(what, Happening::Jump { seconds } if *seconds < 0);
                // A row that is written again within the second in which it was read keeps its stamp. The overlap reads it
                // again, unless the server's clock was set back by more than that; then nobody can tell, so it is left out.
                if set_back && matches!(what, Happening::Pull { .. }) {
                    setting.world.state().tick(1_000_000);
                }
            }
            setting.world.state().commit(i64::MAX);
            setting.pass(DAY + 1);
            setting.pull(&STREAMS).await;
            // What was begun before the process was killed is ended; what came unseen meanwhile is compared again.
            setting.pass(DAY + 1);
            setting.pull(&STREAMS).await;
            let bounds = setting.puller().bounds(setting.clock.now()).await.unwrap();
            let wrong = differences(&setting, &bounds, true);
            prop_assert!(wrong.is_empty(), "{wrong:#?}");
            Ok(())
        })?;
    }

    /// Without the sweep's help: clocks that differ and transactions shorter than the overlap lose nothing.
    #[test]
    fn while_clocks_run_every_change_is_read_by_the_next_look(
        happenings in proptest::collection::vec(happening(false), 1..60),
        page_max in 50..200_usize,
        skew in -100_000..100_000_i64,
    ) {
        run(async {
            let setting = with_past(page_max, skew);
            for what in &happenings {
                happen(&setting, what).await;
            }
            setting.world.state().commit(i64::MAX);
            setting.pull(&STREAMS).await;
            // A pass that was not finished when the process was killed is finished by the first.
            let pulled = setting.pull(&STREAMS).await;
            let bounds = setting.puller().bounds(setting.clock.now()).await.unwrap();
            let wrong = differences(&setting, &bounds, false);
            // An old order that is opened again brings its lines with the sweep only.
            let wrong: Vec<_> = wrong.into_iter().filter(|w| !w.contains("line") || !w.contains("missing")).collect();
            prop_assert!(wrong.is_empty(), "{wrong:#?}");
            prop_assert_eq!(pulled.rows_found_late, 0);
            Ok(())
        })?;
    }
}
