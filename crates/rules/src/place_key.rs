//! How a place, an item at a location, is named in keys: `75@3`. Links of signals and keys of losses are made of such names
//! (`shortage:75@3`, `lost:75@3`), and stores hold them: this is the one place that makes them and takes them apart.

use reeve_domain::ids::{ItemId, LocationId};

/// What stands before a place in the link of a shortage there.
const SHORTAGE: &str = "shortage:";

/// A place's name.
pub fn of(item: &ItemId, location: &LocationId) -> String {
    format!("{item}@{location}")
}

/// The item's and the location's id in a place's name.
pub fn split(place: &str) -> Option<(&str, &str)> {
    place.split_once('@')
}

/// The item and the location of a place's name.
pub fn ids(place: &str) -> Option<(ItemId, LocationId)> {
    let (item, location) = split(place)?;
    Some((ItemId::new(item), LocationId::new(location)))
}

/// What a key of a loss is about, where it is a place: `75@3` of `lost:75@3`.
pub fn subject_of(key: &str) -> Option<&str> {
    key.split_once(':').map(|(_, subject)| subject)
}

/// The link that everything shares that may mean too little stock at a place. The case that has it counts the loss.
pub fn shortage(item: &ItemId, location: &LocationId) -> String {
    format!("{SHORTAGE}{item}@{location}")
}

/// How the links of all shortages of an item begin.
pub fn shortages_of(item: &ItemId) -> String {
    format!("{SHORTAGE}{item}@")
}

/// How all of an item's begin that [`idle`] makes.
pub fn idle_ones_of(item: &ItemId) -> String {
    format!("idle:{item}@")
}

/// Is this the link of a shortage?
pub fn is_shortage(link: &str) -> bool {
    link.starts_with(SHORTAGE)
}

/// What says beside the link of a shortage that its case is worth nothing, and needs no stock for it.
pub fn idle(item: &ItemId, location: &LocationId) -> String {
    format!("idle:{item}@{location}")
}

/// The same made of the link itself; None where it is no shortage's.
pub fn idle_of(link: &str) -> Option<String> {
    Some(format!("idle:{}", link.strip_prefix(SHORTAGE)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_taken_apart_as_they_are_made() {
        let (item, location) = (ItemId::new("75"), LocationId::new("3"));
        assert_eq!(ids(&of(&item, &location)), Some((item.clone(), location.clone())));
        assert_eq!(subject_of("lost:75@3").and_then(split), Some(("75", "3")));
        assert!(is_shortage(&shortage(&item, &location)) && !is_shortage("books:75@3"));
        assert_eq!(idle_of(&shortage(&item, &location)), Some(idle(&item, &location)));
        assert_eq!(idle_of("books:75@3"), None);
    }
}
