//! Memory, measured: `cargo bench -p reeve --bench recall` (how fast; `-- 1000000` with so many remembered), `-- alike 6 1000 20 5` (how
//! well: retailers that are remembered, items and locations of each, the percentage of series with something injected).
//!
//! How fast: a hundred thousand memories in this process, asked with a filter that keeps a tenth. How well: retailers are made up,
//! their cases are remembered, and those of one that nobody has seen are asked for. Relevant is what had the same thing injected
//! into it, whatever it reads like: items have the same names in all retailers, so what reads most alike is often something else. Harder:
//! what moreover has lasted as long, of which neither the type nor the words of a type know; beside it what chance would find of that.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use jiff::civil::Date;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use reeve::adapters::minilm;
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::case::Case;
use reeve::domain::exception::Exception;
use reeve::domain::ids::{CaseId, LocationId};
use reeve::domain::remembered::{Ended, MemoryKind, Remembered, Verdict};
use reeve::evals::retailer::{fill, filled};
use reeve::lab::retailer::{Kind, Retailer, Shape, Truth};
use reeve::memory::{Asked, InProcess, Memories};
use reeve::pipeline::Progress;
use reeve::ports::{Embedder as _, Nearest, Point, Ports, Senders, Space, VectorIndex as _};
use reeve::rules::likeness;
use reeve::store::{Memory, Store};

/// How many are remembered where speed is measured and nothing else is said, of how many companies, and how often is asked.
const REMEMBERED: usize = 100_000;
const COMPANIES: usize = 10;
const ASKED: usize = 1_000;

/// The first seed of retailers that are remembered; the one that asks comes after them.
const SEED: u64 = 9_100;

/// Cases that are asked for.
const QUERIES: usize = 400;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let named: Vec<u32> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    if !std::env::args().any(|arg| arg == "alike") {
        return fast(named.first().map_or(REMEMBERED, |&remembered| remembered as usize)).await;
    }
    let of = |at: usize, default: u32| named.get(at).copied().unwrap_or(default);
    let size = Size { items: of(1, 1_000), locations: of(2, 20), injected: f64::from(of(3, 5)) / 100.0 };
    well(of(0, 6), size).await
}

async fn fast(remembered: usize) -> anyhow::Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut vector = |length: usize| {
        let mut made: Vec<f32> = (0..length).map(|_| rng.gen_range(-1.0..1.0)).collect();
        let scale = made.iter().map(|c| c * c).sum::<f32>().sqrt();
        for component in &mut made {
            *component /= scale;
        }
        made
    };
    let index = InProcess::default();
    let before = memory();
    for n in 0..remembered {
        let point = Point {
            id: format!("m-{n}"),
            seq: n as i64,
            company: (n % COMPANIES).to_string(),
            kind: MemoryKind::Case,
            codes: vec![format!("T-{}", n % 7)],
            item: None,
            supplier: None,
            location: None,
            known_at: 0,
            text: vector(384),
            profile: vector(likeness::PROFILE),
        };
        index.put(&[point]).await?;
    }
    println!("{remembered} remembered, {} MB", (memory() - before) >> 20);
    for space in Space::ALL {
        let length = if space == Space::Text { 384 } else { likeness::PROFILE };
        let mut took = Vec::new();
        for n in 0..ASKED {
            let nearest = Nearest {
                company: (n % COMPANIES).to_string(),
                kinds: vec![MemoryKind::Case],
                codes: vec![],
                supplier: None,
                known_before: 1,
                space,
                vector: vector(length),
                limit: 40,
            };
            let began = Instant::now();
            let found = index.nearest(&nearest).await?;
            took.push(began.elapsed().as_secs_f64() * 1e3);
            anyhow::ensure!(found.len() == 40, "forty of those of one company");
        }
        took.sort_by(f64::total_cmp);
        println!(
            "{:<8} middle {:.2} ms, of a hundred the ninety-ninth {:.2} ms",
            space.name(),
            took[ASKED / 2],
            took[ASKED * 99 / 100]
        );
    }
    Ok(())
}

/// Memory of this process in bytes; zero where the system does not tell.
fn memory() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4_096
}

/// What was injected into a case, and how long it has lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    kind: Kind,
    lasted: Lasted,
}

/// Since when it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lasted {
    Days,
    Week,
    Fortnight,
    Longer,
}

impl Lasted {
    fn of(truth: &Truth, today: Date) -> Self {
        match (today - truth.from).get_days() {
            ..=3 => Self::Days,
            4..=7 => Self::Week,
            8..=14 => Self::Fortnight,
            _ => Self::Longer,
        }
    }
}

/// A case of a made-up retailer, with what was injected into it.
struct Labelled {
    case: Case,
    exceptions: Vec<Exception>,
    cause: Cause,
}

/// What one question found: the share of five that is relevant, one over the place of the first that is, and the share that moreover has
/// lasted as long.
struct Score {
    relevant: f64,
    first: f64,
    as_long: f64,
    cause: Cause,
}

/// How large a made-up retailer is, and into which share of its series something is injected.
#[derive(Clone, Copy)]
struct Size {
    items: u32,
    locations: u32,
    injected: f64,
}

/// Lines that are written, read as truths.
#[derive(Default)]
struct Truths(Vec<u8>);

impl Write for Truths {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn well(retailers: u32, size: Size) -> anyhow::Result<()> {
    let store = Store::open_and_migrate("sqlite::memory:").await?;
    let model = Arc::new(minilm::InProcess::default());
    let mut causes: BTreeMap<String, Cause> = BTreeMap::new();
    let at: Timestamp = "2026-10-08T00:00:00Z".parse()?;
    for n in 0..retailers {
        let labelled = cases_of(SEED + u64::from(n), size).await?;
        let mut memories = Vec::new();
        for Labelled { case, exceptions, cause } in labelled {
            let id = CaseId::new(format!("{n}-{}", case.id));
            causes.insert(id.to_string(), cause);
            let words = likeness::words(&exceptions);
            let text = model.embed(std::slice::from_ref(&words)).await?.remove(0);
            let what = Remembered {
                kind: MemoryKind::Case,
                company: String::new(),
                // Each is about something else: what is shown once for each subject is another matter.
                subject: reeve::domain::exception::Subject { document: Some(id.to_string()), ..case.subject },
                codes: exceptions.iter().map(|exception| exception.signal.code).collect(),
                case: Some(id),
                notice: None,
                at,
                words,
                ended: Some(Ended { verdict: Verdict::Approved, actions: String::new(), measured: None }),
            };
            let profile = likeness::profile(&exceptions);
            memories.push(Memory { what, known_at: at, text, model: model.name(), profile });
        }
        store.remember(&memories, None).await?;
        println!("retailer {n}: {} cases with something injected", memories.len());
    }
    let memories = Memories::new(store.clone(), Arc::new(InProcess::default()), Some(model.clone()));
    memories.tell_index().await?;
    let mut queries = cases_of(SEED + u64::from(retailers), size).await?;
    // As many of each kind as there are, in the order of their ids, which are hashes.
    queries.sort_by(|a, b| a.case.id.cmp(&b.case.id));
    queries.truncate(QUERIES);
    println!("{} remembered, {} asked for, of a retailer that none of them is from", causes.len(), queries.len());
    let index = InProcess::default();
    for change in store.list_memory_changes(0, usize::MAX >> 1, &model.name()).await? {
        if let reeve::store::MemoryChange::Put(point) = change {
            index.put(&[*point]).await?;
        }
    }
    let by_id: BTreeMap<String, Memory> = {
        let all = store.list_memory_changes(0, usize::MAX >> 1, &model.name()).await?;
        let ids: Vec<String> = all
            .iter()
            .filter_map(|change| match change {
                reeve::store::MemoryChange::Put(point) => Some(point.id.clone()),
                reeve::store::MemoryChange::Gone { .. } => None,
            })
            .collect();
        store.list_memories(&ids).await?.into_iter().collect()
    };
    let cause_of = |memory: &Memory| memory.what.case.as_ref().and_then(|case| causes.get(case.as_str())).copied();
    let mut said: BTreeMap<&str, Vec<Score>> = BTreeMap::new();
    for query in &queries {
        let known_before = Timestamp::MAX;
        let asked = Asked { case: &query.case.id, exceptions: &query.exceptions, company: "", known_before, limit: 5 };
        let hybrid: Vec<Option<Cause>> =
            memories.like(&asked).await?.into_iter().map(|found| cause_of(&found.memory)).collect();
        note(&mut said, "numbers and words", query.cause, &hybrid);
        let words = model.embed(&[likeness::words(&query.exceptions)]).await?.remove(0);
        for (space, vector) in [(Space::Profile, likeness::profile(&query.exceptions)), (Space::Text, words)] {
            let nearest = Nearest {
                company: String::new(),
                kinds: vec![MemoryKind::Case],
                codes: vec![],
                supplier: None,
                known_before: i64::MAX,
                space,
                vector,
                limit: 5,
            };
            let near = index.nearest(&nearest).await?;
            let found: Vec<Option<Cause>> = near.iter().map(|near| by_id.get(&near.id).and_then(cause_of)).collect();
            let name = if space == Space::Text { "words alone, any type" } else { "numbers alone, any type" };
            note(&mut said, name, query.cause, &found);
        }
    }
    // What chance finds: of the remembered of the same kind, those that have lasted as long.
    let chance = |cause: Cause| {
        let of_kind = causes.values().filter(|other| other.kind == cause.kind).count().max(1);
        causes.values().filter(|other| **other == cause).count() as f64 / of_kind as f64
    };
    for (name, all) in &said {
        let all: Vec<&Score> = all.iter().collect();
        println!(
            "{name:<26} of five {:.3} relevant, MRR {:.3}; as long {:.3}, by chance {:.3}",
            mean(&all, |one| one.relevant),
            mean(&all, |one| one.first),
            mean(&all, |one| one.as_long),
            mean(&all, |one| chance(one.cause))
        );
        for kind in Kind::ALL {
            let own: Vec<&Score> = all.iter().copied().filter(|one| one.cause.kind == kind).collect();
            if !own.is_empty() {
                let (relevant, as_long) = (mean(&own, |one| one.relevant), mean(&own, |one| one.as_long));
                let by_chance = mean(&own, |one| chance(one.cause));
                println!("    {kind:?}: {} asked, {relevant:.3}; as long {as_long:.3}, by chance {by_chance:.3}", own.len());
            }
        }
    }
    store.close().await;
    Ok(())
}

fn mean(of: &[&Score], what: impl Fn(&Score) -> f64) -> f64 {
    of.iter().map(|one| what(one)).sum::<f64>() / of.len() as f64
}

fn note<'a>(said: &mut BTreeMap<&'a str, Vec<Score>>, name: &'a str, cause: Cause, found: &[Option<Cause>]) {
    let is_relevant = |found: &Option<Cause>| found.is_some_and(|found| found.kind == cause.kind);
    let relevant = found.iter().filter(|found| is_relevant(found)).count() as f64 / 5.0;
    let first = found.iter().position(is_relevant).map_or(0.0, |place| 1.0 / (place as f64 + 1.0));
    let as_long = found.iter().filter(|found| **found == Some(cause)).count() as f64 / 5.0;
    said.entry(name).or_default().push(Score { relevant, first, as_long, cause });
}

/// The cases of a made-up retailer into which exactly one kind of thing was injected.
async fn cases_of(seed: u64, Size { items, locations, injected }: Size) -> anyhow::Result<Vec<Labelled>> {
    let until: Date = "2026-10-08".parse()?;
    let shape = Shape { items, locations, days: 120, detail_days: 28, listed: 1.0, injected, seed, until };
    let retailer = Retailer::new(shape)?;
    let folder = tempfile::tempdir()?;
    let store = Store::open_and_migrate(&format!("sqlite:{}", folder.path().join("r.db").display())).await?;
    let config = Config::load_from(None, &[])?;
    let mut written = Truths::default();
    fill(config.clone(), &store, &retailer, &mut written, |_| {}).await?;
    let truths: Vec<Truth> =
        written.0.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let clock = Clock::standing_at(retailer.read_at() + jiff::SignedDuration::from_mins(10));
    let source = filled(&store).await?.ok_or_else(|| anyhow::anyhow!("it was just filled"))?;
    let app = App::new(Arc::new(config), store.clone(), Ports { source, model: None, senders: Senders::default() }, clock);
    for stage in app.stages().iter().filter(|stage| ["observe", "detect"].contains(&stage.name())) {
        while stage.run_once().await? != Progress::Idle {}
    }
    let mut found = Vec::new();
    for case in store.list_cases(&[]).await? {
        let mut exceptions = store.list_case_exceptions(&case.id).await?;
        exceptions.sort_by_key(|exception| case.exceptions.iter().position(|id| *id == exception.id));
        let own = truths.iter().filter(|truth| exceptions.iter().any(|exception| is_of(truth, exception)));
        let mut causes: Vec<Cause> = own.map(|truth| Cause { kind: truth.kind, lasted: Lasted::of(truth, until) }).collect();
        // Of one kind that it shows since several days, the longest counts.
        causes.sort_unstable();
        if let (Some(first), Some(last)) = (causes.first(), causes.last())
            && first.kind == last.kind
        {
            let cause = *last;
            found.push(Labelled { case, exceptions, cause });
        }
    }
    store.close().await;
    Ok(found)
}

fn is_of(truth: &Truth, exception: &Exception) -> bool {
    let (signal, subject) = (&exception.signal, &exception.signal.subject);
    let code = truth.codes.iter().any(|code| code == signal.code.code());
    let line = truth.po_line.as_deref().is_some_and(|line| subject.po_line.as_deref() == Some(line));
    let order = truth.order.as_deref().is_some_and(|order| subject.order.as_deref() == Some(order));
    let bill = truth.bill.as_deref().is_some_and(|bill| subject.bill.as_deref() == Some(bill));
    let item = subject.item.as_ref().is_some_and(|item| item.as_str() == truth.item);
    let place = truth.location.is_none() || subject.location.as_ref().map(LocationId::as_str) == truth.location.as_deref();
    code && (line || order || bill || (item && place && truth.po_line.is_none()))
}
