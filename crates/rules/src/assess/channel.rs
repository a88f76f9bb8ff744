//! Channels that offer something else than there is: what is sold twice, and what is not sold at all (handbook §4.6).

use crate::role::Role;
use reeve_domain::action::Range;
use reeve_domain::channel::Offer;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{Exception, ExceptionType};
use reeve_domain::ids::FactId;
use reeve_domain::money::Money;
use reeve_domain::record::{RecordKind, RecordRef};
use reeve_domain::workings::Made;
use reeve_models::formulas;

use super::gathered::{Gathered, Question, item_ref, range, units};
use super::projection::Z90;

/// Days until a wrong quantity is put right when nobody asks for it.
const WRONG_DAYS: u32 = 2;
/// Share of the demand at its locations that comes through a channel, where nothing else is known.
const CHANNEL_SHARE: f64 = 0.5;

/// Demand of an item over the days a wrong quantity stands.
struct Demand {
    mu: f64,
    sigma: f64,
}

impl Demand {
    /// Units wanted beyond `supply`: at the 10th percentile, expected, at the 90th.
    fn beyond(&self, supply: f64) -> [f64; 3] {
        let at = |z: f64| (self.mu + z * self.sigma - supply).max(0.0);
        [at(-Z90), formulas::expected_shortage(self.mu, self.sigma, supply), at(Z90)]
    }
}

/// Assesses a channel's offer: too much of it is sold twice, too little is not sold.
pub(super) fn assess(gathered: &mut Gathered<'_>, exception: &Exception) {
    let scene = gathered.scene;
    let subject = &exception.signal.subject;
    let same = |o: &Offer| {
        Some(&o.channel) == subject.document.as_ref()
            && Some(&o.item) == subject.item.as_ref()
            && o.location == subject.location
    };
    let offers = subject.item.as_ref().map(|item| scene.book.channel_offers_of(item)).unwrap_or_default();
    let Some(offer) = offers.into_iter().find(same) else { return };
    let label = scene.book.item_label(&offer.item);
    let places = offer.places(scene.book).into_iter().map(|l| (offer.item.clone(), l.clone()));
    let known: Vec<_> = places.filter(|p| scene.outlook.daily.contains_key(p)).collect();
    // Places without a forecast are left out of the sum; where none has one, nothing says how much would sell.
    if known.is_empty() {
        gathered.miss(format!("demand forecast of {label}"), "what the wrong quantity costs");
        return;
    }
    // The channel sells from all its places together; they vary apart, so deviations add in squares.
    let (mu, variance) = known.iter().fold((0.0, 0.0), |(mu, variance), place| {
        let (m, sigma) = scene.outlook.window(place, 0, WRONG_DAYS);
        (mu + m, variance + sigma * sigma)
    });
    let demand = Demand { mu, sigma: variance.sqrt() };
    let Some((margin, mut cites)) = gathered.margin(&offer.item) else { return };
    cites.extend(offer_facts(gathered, &offer, &demand));
    // Within the buffer, too, what is kept back for the others can be sold twice.
    let key = if offer.last.published > offer.available || exception.signal.code == ExceptionType::OOversell {
        oversold(gathered, &offer, &demand, margin, cites)
    } else {
        unsold(gathered, &offer, &demand, margin, cites)
    };
    act(gathered, exception, &offer, &key);
}

fn offer_facts(gathered: &mut Gathered<'_>, offer: &Offer, demand: &Demand) -> Vec<FactId> {
    let place = place_of(offer);
    let notice = RecordRef::new(RecordKind::Notice, offer.notice.clone());
    let item = item_ref(&offer.item);
    vec![
        gathered.fact(notice, "published", "offered for sale", FactValue::Quantity(offer.last.published)),
        gathered.fact(item.clone(), &format!("available@{place}"), "available", FactValue::Quantity(offer.available)),
        gathered.fact(
            item.clone(),
            &format!("wrong_days@{place}"),
            "days until it is put right by itself (assumed)",
            FactValue::days(f64::from(WRONG_DAYS)),
        ),
        gathered.fact(item.clone(), &format!("wrong_demand@{place}"), "expected demand in these days", units(demand.mu)),
        gathered.fact(item, &format!("wrong_sigma@{place}"), "deviation of that demand", units(demand.sigma)),
    ]
}

fn place_of(offer: &Offer) -> &str {
    offer.location.as_ref().map_or("all", |l| l.as_str())
}

/// Units sold that are not there: their margin, and telling each customer.
fn oversold(gathered: &mut Gathered<'_>, offer: &Offer, demand: &Demand, margin: f64, mut cites: Vec<FactId>) -> String {
    let book = gathered.scene.book;
    let available = offer.available.to_f64().max(0.0);
    // No more can be sold twice than is offered beyond what may be offered.
    let settings = &gathered.scene.settings.channel;
    let buffer = settings.buffer_units.max(available * settings.buffer_percent / 100.0);
    let most = (offer.last.published.to_f64() - (available - buffer).max(0.0)).max(0.0);
    let handling = gathered.scene.settings.costs.contact;
    // Each unit that is sold and not there costs its margin and a word to the customer.
    let each = margin + handling.to_f64();
    let [low, expected, high] = demand.beyond(available).map(|u| u.min(most));
    let amount = range(low * each, expected * each, high * each);
    let item = item_ref(&offer.item);
    let place = place_of(offer);
    cites.push(gathered.fact(
        item.clone(),
        &format!("oversold@{place}"),
        "expected units sold that are not there",
        units(expected),
    ));
    let label = "telling a customer (setting)";
    cites.push(gathered.fact(item.clone(), "cost_contact", label, FactValue::Money(handling)));
    let label = "margin and handling of these units";
    cites.push(gathered.fact(item, &format!("oversold_value@{place}"), label, FactValue::Money(amount.expected)));
    let key = format!("oversold:{}:{}@{place}", offer.channel, offer.item);
    let what = format!("sold by {} and not there: {}", offer.channel, book.item_label(&offer.item));
    gathered.lose_by(
        &key,
        what,
        amount,
        cites,
        Made::Oversold { mu: demand.mu, sigma: demand.sigma, available, most, margin },
    );
    key
}

/// Units that are there and not offered.
fn unsold(gathered: &mut Gathered<'_>, offer: &Offer, demand: &Demand, margin: f64, mut cites: Vec<FactId>) -> String {
    let book = gathered.scene.book;
    let (recapture, recapture_cite) = gathered.recapture(&offer.item);
    let item = item_ref(&offer.item);
    let channel = Demand { mu: demand.mu * CHANNEL_SHARE, sigma: demand.sigma * CHANNEL_SHARE };
    let offered = channel.beyond(offer.last.published.to_f64().max(0.0));
    let there = channel.beyond(offer.available.to_f64().max(0.0));
    // What the channel can not sell because it offers too little, less what it could not sell with all that is there.
    let lost = |i: usize| formulas::lost_margin((offered[i] - there[i]).max(0.0), margin, recapture);
    let amount: Range = range(lost(0), lost(1), lost(2));
    let place = place_of(offer);
    cites.push(recapture_cite);
    cites.push(gathered.assume(
        item.clone(),
        "channel_share",
        "share of the demand that comes through the channel",
        CHANNEL_SHARE,
    ));
    let label = "expected units not sold";
    cites.push(gathered.fact(item.clone(), &format!("unsold@{place}"), label, units((offered[1] - there[1]).max(0.0))));
    cites.push(gathered.fact(item, &format!("unsold_margin@{place}"), "their margin", FactValue::Money(amount.expected)));
    let key = format!("unsold:{}:{}@{place}", offer.channel, offer.item);
    let what = format!("there and not offered by {}: {}", offer.channel, book.item_label(&offer.item));
    let (offered, available) = (offer.last.published.to_f64().max(0.0), offer.available.to_f64().max(0.0));
    let made = Made::Unsold { mu: channel.mu, sigma: channel.sigma, offered, available, margin };
    gathered.lose_by(&key, what, amount, cites, made);
    key
}

fn act(gathered: &mut Gathered<'_>, exception: &Exception, offer: &Offer, key: &str) {
    let book = gathered.scene.book;
    let label = book.item_label(&offer.item);
    let keys = [key.to_owned()];
    let about =
        format!("{label} on {}: it offers {}, {} are available", offer.channel, offer.last.published, offer.available);
    gathered.contact(&Question {
        role: Role::ChannelOwner,
        partner: "channel owner",
        about: &about,
        keys: &keys,
        left: gathered.scene.settings.left.question_channel,
        latest: gathered.today_plus(WRONG_DAYS as i32),
        source: RecordRef::new(RecordKind::Notice, offer.notice.clone()),
    });
    // A count helps only where one shelf stands behind the offer, and where something is lost by it.
    if let Some(location) = offer.location.as_ref().filter(|_| gathered.lost(key).expected > Money::ZERO) {
        gathered.recount(&offer.item, location, &keys, gathered.scene.settings.left.recount_channel, None);
    }
    if exception.signal.code == ExceptionType::OOversell {
        gathered.escalate("which orders of the channel can be served", "channel owner");
    } else {
        gathered.escalate("why the channel's stock is not the books'", "integration owner");
    }
    gathered.watch.get_or_insert_with(|| format!("{} offers of {label} what is available", offer.channel));
}
