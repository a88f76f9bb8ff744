//! What the daily run finds in purchase orders into which exceptions were put: by the rules alone, and with suppliers' habits.
//!
//! `cargo run --release -p reeve-lab --example daily_receiving -- BASE.csv.gz SEED[,SEED…] [RATE]`. The book is laid out once a month
//! with what was known by then; each line is judged by the first look after it was complete. Prints counts of lines.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use reeve_domain::book::Book;
use reeve_domain::calendar::Calendar;
use reeve_domain::exception::Signal;
use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::money::{Quantity, UnitPrice};
use reeve_domain::record::{BillLine, MoveKind, PurchaseLine, Record, StockMove};
use reeve_lab::trial::files::read_receiving_base;
use reeve_lab::trial::receiving::{Label, Trial, inject};
use reeve_models::formulas::habit_p;
use reeve_models::receiving::Detector;
use reeve_rules::detect::look;
use reeve_rules::settings::{Models, Settings};
use reeve_testing::records;

/// Days between two looks: within the time for which a finished event is looked at.
const LOOK_DAYS: i64 = 30;

fn noon(day: Date) -> Timestamp {
    day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC).expect("UTC has each noon").timestamp()
}

/// The records of a trial, each with the day from which it is known.
fn told(trial: &Trial) -> Vec<(Date, Record)> {
    let mut all = Vec::new();
    let start = trial.records.lines.iter().map(|line| line.ordered).min().expect("a trial has lines");
    let mut seen = BTreeSet::new();
    // A trial has no master data: items, places and suppliers are told when it begins.
    for line in &trial.records.lines {
        if seen.insert(format!("i{}", line.item)) {
            all.push((start, Record::Item(records::item(&line.item))));
        }
        if seen.insert(format!("l{}", line.location)) {
            all.push((start, Record::Location(records::location(&line.location, &line.location))));
        }
        if seen.insert(format!("s{}", line.vendor)) {
            all.push((start, Record::Supplier(records::supplier(&line.vendor, &line.vendor))));
        }
        let promised = noon(line.promised);
        let ordered = PurchaseLine {
            order_id: line.po.clone(),
            order_name: line.po.clone(),
            supplier: SupplierId::new(&line.vendor),
            item: ItemId::new(&line.item),
            location: LocationId::new(&line.location),
            qty: quantity(line.quantity),
            price: UnitPrice::from_erp(line.price),
            ordered_at: noon(line.ordered),
            promised_first: promised,
            promised,
            ..records::po_line(&line.line)
        };
        all.push((line.ordered, Record::PoLine(ordered)));
    }
    let lines: BTreeMap<&str, _> = trial.records.lines.iter().map(|line| (line.line.as_str(), line)).collect();
    for (nth, receipt) in trial.records.receipts.iter().enumerate() {
        let line = lines[receipt.line.as_str()];
        let moved = StockMove {
            item: ItemId::new(&line.item),
            qty: quantity(receipt.quantity),
            done_at: Some(noon(receipt.date)),
            document: format!("IN/{nth}"),
            po_line: Some(receipt.line.clone()),
            ..records::moved(&format!("m{nth}"), MoveKind::Receipt, None, Some(&line.location))
        };
        all.push((receipt.date, Record::Move(moved)));
    }
    for (nth, bill) in trial.records.bills.iter().enumerate() {
        let line = lines[bill.line.as_str()];
        let billed = BillLine {
            supplier: SupplierId::new(&line.vendor),
            item: Some(ItemId::new(&line.item)),
            qty: quantity(bill.quantity),
            price: UnitPrice::from_erp(bill.price),
            billed_on: bill.date,
            due_on: Some(bill.date.saturating_add(30.days())),
            created_at: noon(bill.date),
            reference: format!("INV-{nth}"),
            bill_id: format!("b{nth}"),
            bill_name: format!("BILL/{nth}"),
            ..records::bill_line(&format!("b{nth}"), &bill.line)
        };
        all.push((bill.date, Record::BillLine(billed)));
    }
    all
}

fn quantity(units: f64) -> Quantity {
    Quantity(rust_decimal::Decimal::from_f64_retain(units).unwrap_or_default().round_dp(3).normalize())
}

/// Lines that signals are about; of an order all of its lines.
fn lines_of(book: &Book, signal: &Signal) -> Vec<String> {
    match (&signal.subject.po_line, &signal.subject.order) {
        (Some(line), _) => vec![line.clone()],
        (None, Some(order)) => book.lines_of_order(order).iter().map(|line| line.id.clone()).collect(),
        _ => Vec::new(),
    }
}

#[derive(Default)]
struct Counts {
    exceptions: usize,
    ordinary: usize,
    rules: [usize; 2],
    both: [usize; 2],
    own: [usize; 2],
    explained: [usize; 2],
    /// Of what rules found: mean probability that it is not the supplier's way, of exceptions and of ordinary lines.
    p: [(f64, usize); 2],
    /// Of the first fifteen of each look, by p times money: real ones and all, by the rules alone and with habits.
    first: [[usize; 2]; 2],
    /// Money at stake in what is real of them.
    worth: [f64; 2],
}

/// Lines of a digest.
const DIGEST: usize = 15;

/// Something that one look says for the first time.
struct Shown {
    line: String,
    money: f64,
    /// Probability by the type alone; none where no rule says it.
    alone: Option<f64>,
    /// The same with the supplier's habit.
    with: f64,
}

/// How much money a signal of a line is about, roughly: what is wrong times its price, or a quarter a year on what came off its day.
fn money(book: &Book, signal: &Signal, line: &str) -> f64 {
    let Some(ordered) = book.po_lines.get(line) else { return 0.0 };
    let price = ordered.price.map_or(0.0, UnitPrice::to_f64);
    let (qty, came) = (ordered.qty.to_f64(), book.received(line).to_f64());
    let asked = book.asked(line);
    match signal.code.code() {
        "F-PRICE" => asked.iter().map(|b| b.qty.to_f64() * (b.price.map_or(price, UnitPrice::to_f64) - price).abs()).sum(),
        "F-QTY" => (asked.iter().map(|b| b.qty.to_f64()).sum::<f64>() - came).abs() * price,
        "R-LATE" | "R-EARLY" => {
            let first = book.receipts(line).first().and_then(|m| m.done_at);
            let days = first.map_or(0.0, |at| (at.duration_since(ordered.promised_first).as_secs_f64() / 86_400.0).abs());
            qty * price * days.min(60.0) / 365.0 * 0.25
        }
        _ => (came - qty).abs() * price,
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let base = read_receiving_base(Path::new(&args[1])).expect("a base file");
    let rate = args.get(3).map_or(0.08, |rate| rate.parse().expect("a share"));
    for (name, detector) in [("unsupervised", Detector::unsupervised()), ("trained", Detector::shipped())] {
        let mut counts = Counts::default();
        for seed in args[2].split(',').map(|seed| seed.parse().expect("a seed")) {
            count(&inject(&base, rate, seed).expect("a trial"), detector.clone(), &mut counts);
        }
        let Counts { exceptions, ordinary, rules, both, own, explained, p, first, worth } = counts;
        println!("{name}: {exceptions} exceptions and {ordinary} ordinary lines");
        println!("  rules find {} and raise {} ordinary ones; with habits {} and {}", rules[1], rules[0], both[1], both[0]);
        println!("  raised by habits alone: {} exceptions, {} ordinary", own[1], own[0]);
        println!("  explained as usual, were it allowed: {} exceptions, {} ordinary", explained[1], explained[0]);
        let mean = |at: usize| p[at].0 / p[at].1.max(1) as f64;
        println!("  mean p of what rules find: exceptions {:.3}, ordinary {:.3}", mean(1), mean(0));
        for (by, [real, all]) in ["rules alone", "with habits"].iter().zip(first) {
            let at = usize::from(*by != "rules alone");
            println!("  first {DIGEST} of each look, {by}: {real} of {all} real, {:.0} at stake in them", worth[at]);
        }
    }
}

fn count(trial: &Trial, detector: Detector, counts: &mut Counts) {
    let truth: BTreeMap<&str, bool> = (trial.records.lines.iter().zip(&trial.truth))
        .filter(|(_, truth)| truth.scored && truth.label != Label::NotCounted)
        .map(|(line, truth)| (line.line.as_str(), matches!(truth.label, Label::Exception(_))))
        .collect();
    let mut settings = Settings::defaults();
    settings.models = Models::default().with_receiving(detector);
    // Usual ways are explained only where the settings say so, by default nowhere: here they may be, to count what it would
    // hide.
    let mut usual = settings.clone();
    for code in ["R-SHORT", "R-OVER", "R-LATE", "R-EARLY"] {
        usual.detect.explain_usual.insert(code.parse().expect("a type"));
    }
    let told = told(trial);
    let last = told.iter().map(|(day, _)| *day).max().expect("records");
    let mut at = trial.records.lines.iter().map(|line| line.promised).min().expect("lines");
    let (mut by_rules, mut by_habits, mut explained) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut p: BTreeMap<String, f64> = BTreeMap::new();
    let impact: BTreeMap<&str, f64> =
        trial.records.lines.iter().zip(&trial.truth).map(|(line, truth)| (line.line.as_str(), truth.impact)).collect();
    let mut told_of: BTreeSet<String> = BTreeSet::new();
    while at < last.saturating_add(LOOK_DAYS.days()) {
        at = at.saturating_add(LOOK_DAYS.days());
        // Only what was known by then, so that no verdict rests on what came later.
        let known = told.iter().filter(|(day, _)| *day <= at).map(|(_, record)| record.clone());
        let book = Book::new(noon(at), Calendar::utc(), known);
        let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
        for signal in look(&book, &usual).signals {
            let receiving = ["receiving-rules", "matching-rules", "receiving-habits"];
            // What is overdue is no complete line yet, and the truth is about complete ones.
            if !receiving.iter().any(|detector| signal.is_made_by(detector)) || signal.code.code() == "S-OVERDUE" {
                continue;
            }
            for line in lines_of(&book, &signal) {
                let own = signal.is_made_by("receiving-habits");
                let habit = signal.facts.iter().find(|fact| fact.id.as_str().ends_with("/habit_p"));
                let habit = habit.and_then(|fact| fact.value.show().parse::<f64>().ok());
                let prior = signal.code.prior();
                let with = match habit {
                    _ if own => signal.score,
                    Some(habit) => habit_p(habit, prior, prior, true),
                    None => prior,
                };
                let new =
                    Shown { line: line.clone(), money: money(&book, &signal, &line), alone: (!own).then_some(prior), with };
                // A line is one exception here, the dearest of what is said of it.
                if !told_of.contains(&line) && shown.get(&line).is_none_or(|known| known.money < new.money) {
                    shown.insert(line.clone(), new);
                }
                if signal.explained.is_some() {
                    explained.insert(line.clone());
                }
                if let Some(fact) = signal.facts.iter().find(|fact| fact.id.as_str().ends_with("/habit_p")).filter(|_| !own)
                {
                    let said: f64 = fact.value.show().parse().unwrap_or(0.0);
                    p.insert(line.clone(), said);
                }
                if own {
                    by_habits.insert(line)
                } else {
                    by_rules.insert(line)
                };
            }
        }
        // What stood in an earlier digest takes no place in a later one.
        told_of.extend(shown.keys().cloned());
        // First in the order that rules alone give, then with what habits say: what would a digest's first lines have been?
        for at in 0..2 {
            let worth = |s: &Shown| if at == 0 { s.alone.map(|p| p * s.money) } else { Some(s.with * s.money) };
            let mut order: Vec<(f64, &Shown)> = shown
                .values()
                .filter(|s| truth.contains_key(s.line.as_str()))
                .filter_map(|s| Some((worth(s)?, s)))
                .collect();
            order.sort_by(|a, b| b.0.total_cmp(&a.0));
            for (_, first) in order.iter().take(DIGEST) {
                counts.first[at][1] += 1;
                if truth[first.line.as_str()] {
                    counts.first[at][0] += 1;
                    counts.worth[at] += impact[first.line.as_str()];
                }
            }
        }
    }
    for (line, is) in truth {
        let at = usize::from(is);
        if is {
            counts.exceptions += 1;
        } else {
            counts.ordinary += 1;
        }
        let (ruled, own) = (by_rules.contains(line), by_habits.contains(line));
        counts.rules[at] += usize::from(ruled);
        counts.own[at] += usize::from(own && !ruled);
        counts.both[at] += usize::from(own || ruled);
        counts.explained[at] += usize::from(explained.contains(line));
        if let Some(p) = p.get(line) {
            counts.p[at].0 += p;
            counts.p[at].1 += 1;
        }
    }
}
