//! The demand chart of a case: what was wanted each day, what was to be expected, stock, receipts and promotions.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::cards::chart::{ChartData, ChartDay};
use crate::channels::ChartSource;
use crate::domain::book::Book;
use crate::domain::calendar::plus_days;
use crate::domain::exception::Subject;
use crate::domain::record::MoveKind;
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
}

/// The chart of an item at a location. Other subjects have no one series that would explain them.
fn chart(book: &Book, overview: &Overview, settings: &Settings, subject: &Subject) -> Option<ChartData> {
    let place = (subject.item.clone()?, subject.location.clone()?);
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
