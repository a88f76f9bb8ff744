//! What a case is about: its places, its company, and which other case needs the same stock.

use crate::place_key;
use crate::scene::Scene;
use reeve_domain::book::Place;
use reeve_domain::exception::{Exception, ExceptionType as T};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::record::{PurchaseLine, RecordKind};

/// The company that a case is about: that of the first place or purchase line that its exceptions name. Exceptions of two
/// companies never share a case.
pub(super) fn company_of<'a>(scene: &Scene<'a>) -> Option<&'a str> {
    let book = scene.book;
    let of = |exception: &'a Exception| {
        let subject = &exception.signal.subject;
        let line = subject.po_line.as_ref().and_then(|line| book.po_lines.get(line));
        let of_order = || subject.order.as_ref().and_then(|order| book.lines_of_order(order).into_iter().next());
        let of_bill = || {
            let lines = subject.bill.as_ref().map(|bill| book.lines_of_bill(bill)).unwrap_or_default();
            lines.into_iter().find_map(|b| book.po_lines.get(b.po_line.as_ref()?))
        };
        let cited = || {
            let mut lines = exception.signal.facts.iter().filter(|fact| fact.source.kind == RecordKind::PoLine);
            lines.find_map(|fact| book.po_lines.get(&fact.source.id))
        };
        // What is about a whole company cites one of its locations.
        let cited_place = || {
            let mut places = exception.signal.facts.iter().filter(|fact| fact.source.kind == RecordKind::Location);
            places.find_map(|fact| book.locations.get(&LocationId::new(fact.source.id.as_str())))
        };
        let location = subject
            .location
            .as_ref()
            .or_else(|| line.or_else(of_order).or_else(of_bill).or_else(cited).map(|line: &PurchaseLine| &line.location))
            .or_else(|| cited_place().map(|location| &location.id))?;
        book.company_of(location)
    };
    scene.exceptions.iter().find_map(of)
}

/// The other live case that needs the stock of a place, where there is one.
pub(super) fn needed_elsewhere<'a>(scene: &Scene<'a>, item: &ItemId, location: &LocationId) -> Option<&'a str> {
    let owner = scene.claimed.get(&place_key::shortage(item, location))?;
    let idle = scene.claimed.contains_key(&place_key::idle(item, location));
    (owner != scene.case.id.as_str() && !idle).then_some(owner.as_str())
}

/// The places an exception is about: its own, or for a promotion, which has no location, all of its company that have a
/// forecast.
pub(super) fn places_of(scene: &Scene<'_>, exception: &Exception) -> Vec<Place> {
    let subject = &exception.signal.subject;
    let Some(item) = &subject.item else { return Vec::new() };
    let places = subject.location.iter().chain(scene.book.locations.keys().filter(|_| subject.location.is_none()));
    let company = company_of(scene);
    let ours = |location: &&LocationId| {
        subject.location.is_some() || company.is_none() || scene.book.company_of(location) == company
    };
    let places = places.filter(ours).map(|l| (item.clone(), l.clone()));
    places.filter(|p| subject.location.is_some() || scene.outlook.daily.contains_key(p)).collect()
}

/// The exceptions in the order in which they are gathered. Of one stock or one cycle only the first counts: what is written off is
/// held no longer, the whole excess holds the part of it that a fall of demand has made, and a rule that does not fit is short
/// whatever else lengthens its cycle.
pub(super) fn in_order<'a>(scene: &Scene<'a>) -> Vec<&'a Exception> {
    let mut exceptions: Vec<&Exception> = scene.exceptions.iter().collect();
    exceptions.sort_by_key(|exception| match exception.signal.code {
        T::IStale | T::RLot => 0,
        T::IOver | T::DEol => 1,
        T::DPromoUnder | T::SParam => 2,
        _ => 3,
    });
    exceptions
}

/// The places of an item that have a forecast, whichever company's they are: where it is sold.
pub(super) fn places_with_forecast<'s>(scene: &Scene<'s>, item: &ItemId) -> impl Iterator<Item = &'s Place> + use<'s> {
    let (item, from) = (item.clone(), (item.clone(), LocationId::new("")));
    scene.outlook.daily.range(from..).map(|(place, _)| place).take_while(move |place| place.0 == item)
}

/// The item and location an exception is about, where it names both.
pub(super) fn place_of(exception: &Exception) -> Option<(ItemId, LocationId)> {
    let subject = &exception.signal.subject;
    Some((subject.item.clone()?, subject.location.clone()?))
}
