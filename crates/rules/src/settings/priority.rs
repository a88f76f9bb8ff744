//! `[priority]`: whose stock is touched last, and who is served first.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::places::ByLocation;
use reeve_domain::book::Book;
use reeve_domain::ids::LocationId;
use reeve_domain::record::Location;

/// What a location or a channel is to the business, beyond being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlaceClass {
    /// A store that is to have everything.
    Flagship,
    /// One in which a campaign runs.
    Campaign,
    /// What a web shop has promised to its customers.
    WebPromise,
}

/// `[priority]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriorityConfig {
    locations: Places,
    #[serde(deserialize_with = "channels")]
    channels: BTreeMap<String, PlaceClass>,
    order: Vec<PlaceClass>,
}

/// Classes by location.
#[derive(Clone, Debug, Default)]
struct Places(ByLocation<PlaceClass>);

impl PriorityConfig {
    /// How soon a location is served: 0 first. Whatever has no class comes behind those that have one. Who is served last is asked
    /// for stock first.
    pub fn of_location(&self, book: &Book, location: &LocationId) -> usize {
        self.place(self.locations.0.of(book, location).copied())
    }

    /// The same of a channel, by its name.
    pub fn of_channel(&self, channel: &str) -> usize {
        self.place(self.channels.get(channel.trim()).copied())
    }

    fn place(&self, class: Option<PlaceClass>) -> usize {
        let at = class.and_then(|class| self.order.iter().position(|known| *known == class));
        at.unwrap_or(self.order.len())
    }

    /// The entries that mean no location or several, with why.
    pub fn unclear(&self, locations: &[Location]) -> Vec<(String, String)> {
        let of = |(name, why)| (format!("priority.locations: {name}"), why);
        self.locations.0.unclear(&locations.iter()).into_iter().map(of).collect()
    }
}

/// `NAME=class`.
fn entry(text: &str) -> Result<(String, PlaceClass), String> {
    let bad = || format!("{text:?} is no entry such as \"MKT=flagship\"; classes are flagship, campaign and web-promise");
    let (name, class) = text.split_once('=').ok_or_else(bad)?;
    let class = match class.trim() {
        "flagship" => PlaceClass::Flagship,
        "campaign" => PlaceClass::Campaign,
        "web-promise" => PlaceClass::WebPromise,
        _ => return Err(bad()),
    };
    if name.trim().is_empty() { Err(bad()) } else { Ok((name.trim().to_owned(), class)) }
}

impl<'de> Deserialize<'de> for Places {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut places = ByLocation::default();
        for text in Vec::<String>::deserialize(deserializer)? {
            let (name, class) = entry(&text).map_err(serde::de::Error::custom)?;
            places.entry(&name).insert_entry(class);
        }
        Ok(Self(places))
    }
}

fn channels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, PlaceClass>, D::Error> {
    let entries = Vec::<String>::deserialize(deserializer)?;
    entries.iter().map(|text| entry(text).map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;
    use reeve_domain::book::Book;
    use reeve_domain::calendar::Calendar;
    use reeve_domain::ids::LocationId;
    use reeve_domain::record::Record;

    #[test]
    fn who_has_a_class_is_served_before_who_has_none_in_the_order_that_is_set() {
        let text = "[priority]\nlocations = [\"MAR=flagship\", \"HAR = campaign\"]\nchannels = [\"Web shop=web-promise\"]";
        let set = Settings::with(text).unwrap().priority;
        let places = [("1", "Northgate DC"), ("2", "Market Street Store"), ("3", "Harbour Store")];
        let records = places.map(|(id, name)| Record::Location(reeve_testing::records::location(id, name)));
        let book = Book::new(jiff::Timestamp::UNIX_EPOCH, Calendar::utc(), records);
        let of = |id: &str| set.of_location(&book, &LocationId::new(id));
        assert_eq!([set.of_channel("Web shop"), of("2"), of("3"), of("1"), set.of_channel("Kiosk")], [0, 1, 2, 3, 3]);
        let none = Settings::defaults().priority;
        assert_eq!(
            none.of_location(&book, &LocationId::new("2")),
            none.of_channel("Web shop"),
            "nothing is said of anybody"
        );
    }

    #[test]
    fn an_entry_that_is_none_is_refused_and_a_code_that_nobody_has_is_said() {
        let refused = |text: &str| Settings::with(&format!("[priority]\n{text}")).unwrap_err();
        assert!(refused("locations = [\"MAR=best\"]").contains("classes are flagship"));
        assert!(refused("channels = [\"Web shop\"]").contains("is no entry"));
        let set = Settings::with("[priority]\nlocations = [\"XXX=flagship\"]").unwrap().priority;
        let known = [reeve_testing::records::location("1", "Northgate DC")];
        assert_eq!(set.unclear(&known), [("priority.locations: XXX".to_owned(), "no location has this code".to_owned())]);
    }
}
