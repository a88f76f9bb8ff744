//! Adjustments of stock that are unlike all others (I-ADJ; handbook §4.4): an isolation forest over what each was worth, how
//! large a part of the stock it moved, when it was entered, by whom, with what reason, and of what class the item is.
//!
//! The forest learns from the adjustments of before and judges the newest ones; none is judged by a forest that has seen it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use linfa::prelude::*;
use ndarray::{Array2, ArrayView1};

use super::classes::Classes;
use super::facts::{fact, record};
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{Driver, ExceptionType as T, Signal, Subject};
use reeve_domain::ids::LocationId;
use reeve_domain::money::Money;
use reeve_domain::record::{MoveKind, RecordKind, StockMove};
use reeve_models::forest::{IsolationForest, IsolationForestParams};

const DETECTOR: &str = "adjustment-forest/1";

/// Adjustments from which it is known what is usual.
const LEARN_LEAST: usize = 60;
/// The newest so many are learnt from: what was usual years ago is not.
const LEARN_MOST: usize = 2_000;
/// Scores of the adjustments learnt from above which one is unlike them: the highest one in this many.
const RARITY: f64 = 200.0;
/// Adjustments on one day at a place from which on it is a stock-take: then many are entered, whatever the hour.
const STOCK_TAKE: usize = 8;

/// Names of the features, in order.
const FEATURES: [&str; 6] = [
    "value of the difference",
    "units of the difference",
    "hour of the day",
    "share of adjustments by this person",
    "share of adjustments with this reason",
    "class of the item",
];

type Row = [f64; 6];

/// What is usual of adjustments: how often people and reasons stand on them.
struct Usual<'m> {
    by: BTreeMap<&'m str, usize>,
    why: BTreeMap<&'m str, usize>,
    all: usize,
}

impl<'m> Usual<'m> {
    fn of(moves: &[&'m StockMove]) -> Self {
        let (mut by, mut why) = (BTreeMap::new(), BTreeMap::new());
        for m in moves {
            *by.entry(m.entered_by.as_deref().unwrap_or_default()).or_default() += 1;
            *why.entry(m.reason.as_str()).or_default() += 1;
        }
        Self { by, why, all: moves.len().max(1) }
    }

    fn share(counts: &BTreeMap<&str, usize>, key: &str, all: usize) -> f64 {
        counts.get(key).copied().unwrap_or(0) as f64 / all as f64
    }
}

/// I-ADJ for the newest adjustments. Nothing is said where there are too few to know what is usual.
pub(super) fn signals(book: &Book, settings: &Settings, classes: &Classes) -> Vec<Signal> {
    let mut all: Vec<&StockMove> = book
        .supply_moves
        .values()
        .filter(|m| m.kind == MoveKind::Count && m.done_at.is_some() && m.qty.is_positive())
        .collect();
    all.sort_by(|a, b| (a.done_at, &a.id).cmp(&(b.done_at, &b.id)));
    let news = settings.detect.event_days;
    let age = |m: &StockMove| m.done_at.map_or(i32::MAX, |at| days_between(book.calendar.day_of(at), book.today));
    let split = all.partition_point(|m| age(m) > settings.detect.keep(news));
    let (known, newest) = all.split_at(split);
    // What is judged is never learned from: an odd adjustment would make itself usual.
    let known = &known[known.len().saturating_sub(LEARN_MOST)..];
    if known.len() < LEARN_LEAST || newest.is_empty() {
        return Vec::new();
    }
    let usual = Usual::of(known);
    let row = |m: &StockMove| features(book, classes, &usual, m);
    let Some((forest, threshold)) = learn(known.iter().map(|m| row(m)).collect(), settings) else { return Vec::new() };
    // What is one of many on its day at its place is a stock-take.
    let taken = |m: &StockMove| {
        let at = m.from.clone().or_else(|| m.to.clone())?;
        Some((book.calendar.day_of(m.done_at?), at))
    };
    let mut entered: BTreeMap<(Date, LocationId), usize> = BTreeMap::new();
    for key in newest.iter().filter_map(|m| taken(m)) {
        *entered.entry(key).or_default() += 1;
    }
    let is_stock_take = |m: &StockMove| taken(m).is_some_and(|key| entered.get(&key).is_some_and(|n| *n >= STOCK_TAKE));
    let odd = |m: &&StockMove| {
        let row = row(m);
        let score = forest.score(&Array2::from_shape_fn((1, row.len()), |(_, column)| row[column]))[0];
        (score > threshold && !is_stock_take(m)).then(|| signal(book, settings, m, &row, score, &forest))?
    };
    newest.iter().filter_map(odd).collect()
}

fn learn(rows: Vec<Row>, settings: &Settings) -> Option<(IsolationForest, f64)> {
    let table = Array2::from_shape_vec((rows.len(), FEATURES.len()), rows.into_flattened()).ok()?;
    // Adjustments are few and their columns lumpy: the mixture for tables of any kind sees what lies beyond all that it has learnt.
    let params = IsolationForestParams::tabular(settings.detect.forest_seed);
    let rows = DatasetBase::from(table);
    let forest = params.fit(&rows).ok()?;
    let mut scores = forest.score(rows.records()).to_vec();
    scores.sort_by(f64::total_cmp);
    // The limit is the forest's own highest scores on what was usual, so it hangs on no scale of the scores.
    let rank = ((1.0 - 1.0 / RARITY) * scores.len() as f64) as usize;
    let threshold = scores[rank.min(scores.len() - 1)];
    Some((forest, threshold))
}

fn features(book: &Book, classes: &Classes, usual: &Usual<'_>, m: &StockMove) -> Row {
    let location = m.from.as_ref().or(m.to.as_ref());
    // Logarithms with a sign: taking off the books and putting on are
    // two things, and a tenfold value is not ten times as odd.
    let value = location.and_then(|at| book.cost(&m.item, at)).map_or(0.0, |cost| (m.qty * cost).abs().to_f64());
    let sign = if m.from.is_some() { -1.0 } else { 1.0 };
    let class = location.and_then(|at| classes.at(book, &m.item, at));
    let hour = m.done_at.map_or(12, |at| book.calendar.hour_of(at));
    [
        sign * (1.0 + value).ln(),
        sign * (1.0 + m.qty.to_f64()).ln(),
        f64::from(hour),
        Usual::share(&usual.by, m.entered_by.as_deref().unwrap_or_default(), usual.all),
        Usual::share(&usual.why, &m.reason, usual.all),
        match class {
            Some('A') => 0.0,
            Some('B') => 1.0,
            _ => 2.0,
        },
    ]
}

fn signal(
    book: &Book,
    settings: &Settings,
    m: &StockMove,
    row: &Row,
    score: f64,
    forest: &IsolationForest,
) -> Option<Signal> {
    let location = m.from.as_ref().or(m.to.as_ref())?;
    let value: Money = m.qty * book.cost(&m.item, location)?;
    if value <= settings.tolerances.count_value {
        return None;
    }
    let at = m.done_at?;
    let day = book.calendar.day_of(at);
    // What made it odd is said, or a planner would be shown a score that nobody can check.
    let shares = forest.attribute(ArrayView1::from(row));
    let mut drivers: Vec<Driver> = FEATURES
        .iter()
        .zip(row)
        .zip(shares)
        .map(|((feature, value), share)| Driver { feature: (*feature).to_owned(), value: *value, share })
        .collect();
    drivers.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.feature.cmp(&b.feature)));
    drivers.truncate(3);
    let words = if m.from.is_some() { "taken off the books" } else { "put on the books" };
    let why =
        drivers.first().map_or_else(String::new, |driver| format!("; what makes it odd most of all: {}", driver.feature));
    let headline = format!(
        "{} of {} were {words} at {} on {day} ({value}), unlike other adjustments{why}.",
        m.qty,
        book.item_label(&m.item),
        book.location_name(location)
    );
    let source = || record(RecordKind::Move, &m.id);
    let mut facts = vec![
        fact(book, source(), "qty", "adjusted", FactValue::Quantity(m.qty)),
        fact(book, source(), "value", "the same at cost", FactValue::Money(value)),
        fact(book, source(), "done_on", "entered on", FactValue::Date(day)),
        fact(book, source(), "hour", "hour of the day", FactValue::number(f64::from(book.calendar.hour_of(at)), 0)),
    ];
    facts.extend(
        m.entered_by
            .iter()
            .map(|who| fact(book, source(), "counter", "entered by (pseudonym)", FactValue::Text(format!("user {who}")))),
    );
    if !m.reason.is_empty() {
        facts.push(fact(book, source(), "reason", "reason given", FactValue::Text(m.reason.clone())).from_outside());
    }
    let subject = Subject { document: Some(m.document.clone()).filter(|d| !d.is_empty()), ..Subject::at(&m.item, location) };
    let mut signal = Signal::rule(DETECTOR, T::IAdj, subject, format!("adjustment {}", m.id), (day, day), headline)
        .opens_until(plus_days(day, settings.detect.event_days));
    signal.score = score;
    signal.drivers = drivers;
    Some(signal.link(format!("books:{}@{location}", m.item)).with(facts))
}
