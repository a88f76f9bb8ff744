//! Web shops and marketplaces that offer something else than there is (O-OVERSELL, O-SYNC; handbook §4.6).
//!
//! A difference counts once it has lasted longer than a synchronisation takes: what was available had not changed for so long
//! when the channel spoke, or an earlier word of the channel was as wrong. It must also still hold now.

use jiff::SignedDuration;

use super::facts::{fact, record};
use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::channel::{Offer, Told};
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::ItemId;
use reeve_domain::money::Quantity;
use reeve_domain::record::RecordKind;

const DETECTOR: &str = "channel-rules/1";

/// Standard normal deviate of the 90th percentile: a day's demand that is exceeded one day in ten.
const Z90: f64 = 1.281_6;

/// Everything that channels have to say of an item on the book's day.
pub(super) fn signals_of(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId) -> Vec<Signal> {
    let fresh = SignedDuration::try_from(settings.channel.fresh).unwrap_or(SignedDuration::MAX);
    let offers = book.channel_offers_of(item);
    let current = offers.iter().filter(|o| book.as_of.duration_since(o.last.at) <= fresh);
    current.flat_map(|offer| [oversell(book, settings, outlook, offer), drift(book, settings, offer)]).flatten().collect()
}

/// What is kept back from a channel, of so much that is available.
fn buffer(settings: &Settings, available: Quantity) -> f64 {
    let percent = available.to_f64().max(0.0) * settings.channel.buffer_percent / 100.0;
    settings.channel.buffer_units.max(percent)
}

/// Has `wrong` held for longer than a synchronisation takes, and does it hold now?
fn lasts(settings: &Settings, offer: &Offer, wrong: impl Fn(Quantity, Quantity) -> bool) -> bool {
    let long = SignedDuration::try_from(settings.channel.drift).unwrap_or(SignedDuration::MAX);
    let was = |row: &Told| wrong(row.published, row.available);
    let last = &offer.last;
    let settled = last.changed_at.is_none_or(|at| last.at.duration_since(at) > long);
    // Wrong at the end of each word in an unbroken row, the oldest of them long enough ago.
    let row = offer.before.iter().take_while(|row| was(row));
    let persisted = row.last().is_some_and(|oldest| last.at.duration_since(oldest.at) > long);
    was(last) && wrong(last.published, offer.available) && (settled || persisted)
}

/// O-OVERSELL: the channel offers more than is available less the buffer. What lies within the buffer is a risk only where a
/// day's demand can reach it.
fn oversell(book: &Book, settings: &Settings, outlook: &Outlook, offer: &Offer) -> Option<Signal> {
    let (mean, variance) = offer.places(book).into_iter().fold((0.0, 0.0), |(mean, variance), place| {
        let (m, sigma) = outlook.window(&(offer.item.clone(), place.clone()), 0, 1);
        (mean + m, variance + sigma * sigma)
    });
    let day = mean + Z90 * variance.sqrt();
    let wrong = |published: Quantity, available: Quantity| {
        let free = available.to_f64() - buffer(settings, available);
        published.is_positive() && published.to_f64() > free && (published > available || day >= free)
    };
    if !lasts(settings, offer, wrong) {
        return None;
    }
    let headline = format!(
        "{} offers {} of {}{}, {} are available and {} are kept back: it may sell what is not there.",
        offer.channel,
        offer.last.published,
        book.item_label(&offer.item),
        place_words(book, offer),
        offer.available,
        FactValue::number(buffer(settings, offer.available), 1).show()
    );
    Some(signal(book, settings, offer, T::OOversell, headline))
}

/// O-SYNC: the channel's figure and ours differ by more than the buffer, either way.
fn drift(book: &Book, settings: &Settings, offer: &Offer) -> Option<Signal> {
    let gap = |published: Quantity, available: Quantity| (published - available.max(Quantity::ZERO)).to_f64();
    let more = lasts(settings, offer, |p, a| gap(p, a) > buffer(settings, a));
    // A channel that keeps the buffer back offers that much less, in whole units, and is right.
    let less = lasts(settings, offer, |p, a| -gap(p, a) > buffer(settings, a).ceil());
    if !more && !less {
        return None;
    }
    let off = (offer.last.published - offer.available.max(Quantity::ZERO)).abs();
    let headline = format!(
        "{} offers {} of {}{}, {} are available: {off} {}.",
        offer.channel,
        offer.last.published,
        book.item_label(&offer.item),
        place_words(book, offer),
        offer.available,
        if more { "too many" } else { "too few" }
    );
    Some(signal(book, settings, offer, T::OSync, headline))
}

fn place_words(book: &Book, offer: &Offer) -> String {
    offer.location.as_ref().map_or_else(String::new, |l| format!(" at {}", book.location_name(l)))
}

fn signal(book: &Book, settings: &Settings, offer: &Offer, code: T, headline: String) -> Signal {
    let place = offer.location.as_ref().map_or("all", |l| l.as_str());
    let day = book.calendar.day_of(offer.last.at);
    let subject = Subject {
        item: Some(offer.item.clone()),
        location: offer.location.clone(),
        document: Some(offer.channel.clone()),
        ..Subject::default()
    };
    // The day is left out of the identity: one that lasts is one exception, not one for each day.
    Signal::rule(DETECTOR, code, subject, "channel".to_owned(), (day, day), headline)
        .link(format!("channel:{}:{}@{place}", offer.channel, offer.item))
        .with(facts(book, settings, offer, place))
}

fn facts(book: &Book, settings: &Settings, offer: &Offer, place: &str) -> Vec<Fact> {
    let notice = || record(RecordKind::Notice, &offer.notice);
    let item = || record(RecordKind::Item, offer.item.as_str());
    // A time, not an age: an age would be another fact at every look.
    let published_at = FactValue::Text(offer.last.at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let buffer = FactValue::number(buffer(settings, offer.available), 1);
    vec![
        fact(book, notice(), "published", "offered for sale", FactValue::Quantity(offer.last.published)),
        fact(book, notice(), "told_at", "the channel said so at", published_at),
        fact(book, item(), &format!("available@{place}"), "available", FactValue::Quantity(offer.available)),
        fact(
            book,
            item(),
            &format!("available_then@{place}"),
            "available when it was said",
            FactValue::Quantity(offer.last.available),
        ),
        fact(book, item(), &format!("channel_buffer@{place}"), "units kept back from channels (setting)", buffer),
    ]
}
