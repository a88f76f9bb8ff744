//! The charts of a case: what was wanted each day, what was to be expected, stock, receipts and promotions; and what was ordered,
//! received and billed.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::cards::chart::{ChartData, ChartDay};
use crate::cards::flow_chart::{Flow, FlowData, FlowStep};
use crate::channels::ChartSource;
use crate::domain::book::Book;
use crate::domain::calendar::plus_days;
use crate::domain::exception::Subject;
use crate::domain::record::{MoveKind, PurchaseLine};
use crate::pipeline::moment::Moments;
use crate::rules::detect::gather::Overview;
use crate::rules::detect::scores;
use crate::rules::settings::Settings;

/// Days shown: the eight weeks that the baseline learns from.
const DAYS: i32 = 56;

/// Half-width of the band, in standard deviations: 80 % of ordinary days lie in it.
const BAND: f64 = 1.2816;

/// Charts from the book of this moment.
pub(super) struct Charts(pub(super) Arc<Moments>);

#[async_trait]
impl ChartSource for Charts {
    async fn chart(&self, subject: &Subject, _as_of: Timestamp) -> Option<ChartData> {
        let moment = self.0.now().await.ok()?;
        let item = subject.item.clone()?;
        let book = moment.book_of(self.0.store(), &BTreeSet::from([item])).await.ok()?;
        chart(&book, &moment.seen.overview, self.0.settings(), subject)
    }

    async fn flow(&self, subject: &Subject) -> Option<FlowData> {
        let moment = self.0.now().await.ok()?;
        flow(&moment.book, subject)
    }
}

/// The chart of an item at a location. Other subjects have no one series that would explain them.
fn chart(book: &Book, overview: &Overview, settings: &Settings, subject: &Subject) -> Option<ChartData> {
    let place = (subject.item.clone()?, subject.location.clone()?);
    // Before its first day the book knows nothing, which would be drawn as days without a sale.
    let from = plus_days(book.closed_at(&place.1), 1 - DAYS).max(book.first_day()?);
    let scores = scores(book, settings, overview, &place);
    let stock = book.on_hand_by_day(&place.0, &place.1, from);
    let out = book.out_by_day(&place.0, &place.1, from);
    let days = book.days_from(from, &place.1).into_iter().zip(stock).zip(out).map(|((day, stock), out)| {
        let score = scores.iter().find(|s| s.day == day);
        let known = score.filter(|s| s.learned_days > 0);
        ChartDay {
            day,
            actual: score.map(|s| s.actual),
            expected: known.map(|s| s.expected),
            low: known.map(|s| (s.expected - BAND * s.sigma).max(0.0)),
            high: known.map(|s| s.expected + BAND * s.sigma),
            promo: book.promotion_on(&place.0, &place.1, day).is_some(),
            censored: out,
            stock: Some(stock),
            receipt: receipts(book, &place, day),
        }
    });
    Some(ChartData { days: days.collect() })
}

/// Of its order line, or of all lines of its order. All of that is supply, which every book has whole.
fn flow(book: &Book, subject: &Subject) -> Option<FlowData> {
    let lines: Vec<&PurchaseLine> = match (&subject.po_line, &subject.order) {
        (Some(line), _) => book.po_lines.get(line).into_iter().collect(),
        (None, Some(order)) => book.lines_of_order(order),
        (None, None) => return None,
    };
    let calendar = &book.calendar;
    let mut steps = Vec::new();
    for line in &lines {
        steps.push(FlowStep { day: calendar.day_of(line.ordered_at), flow: Flow::Ordered, units: line.qty.to_f64() });
        for (receipt, units) in book.deliveries(&line.id, book.receipts(&line.id)) {
            // Goods come on the day that it is where they come to.
            let day = receipt.done_at.map(|at| book.calendar_of(&line.location).day_of(at));
            steps.extend(day.map(|day| FlowStep { day, flow: Flow::Received, units: units.to_f64() }));
        }
        // What went back takes off what came: the two curves are to meet at what was kept.
        for back in book.moves_of_po_line(&line.id).into_iter().filter(|m| m.kind == MoveKind::SupplierReturn) {
            let day = back.done_at.map(|at| book.calendar_of(&line.location).day_of(at));
            steps.extend(day.map(|day| FlowStep { day, flow: Flow::Received, units: -back.qty.to_f64() }));
        }
        let billed = book.bills(&line.id).into_iter();
        steps.extend(billed.map(|bill| FlowStep { day: bill.billed_on, flow: Flow::Billed, units: bill.qty.to_f64() }));
    }
    // Only an order stands by itself: there is nothing beside it to compare.
    if lines.is_empty() || steps.len() <= lines.len() && lines.iter().all(|line| book.due(line) >= book.today) {
        return None;
    }
    let mut orders: Vec<String> = lines.iter().map(|line| line.order_name.clone()).collect();
    orders.dedup();
    Some(FlowData { orders, steps, due: lines.iter().map(|line| book.due(line)).min(), today: Some(book.today) })
}

fn receipts(
    book: &Book,
    place: &(crate::domain::ids::ItemId, crate::domain::ids::LocationId),
    day: jiff::civil::Date,
) -> Option<f64> {
    let came = |m: &&&crate::domain::record::StockMove| {
        m.kind == MoveKind::Receipt && m.done_at.is_some_and(|at| book.calendar_of(&place.1).day_of(at) == day)
    };
    let units: f64 = book.moves_at(&place.0, &place.1).iter().filter(came).map(|m| m.qty.to_f64()).sum();
    (units > 0.0).then_some(units)
}
