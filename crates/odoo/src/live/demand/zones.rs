//! `odoo.time_zones`: which warehouse's days begin where.
//!
//! An entry is `CODE=Zone`, or `Company/CODE=Zone` where warehouses of two companies have one code. Codes are unique within a
//! company only; an entry without a company means every warehouse of its code. One that names a warehouse of a company that
//! is not read is no mistake: the same file may serve several.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::asking::Asking;
use crate::live::call::{Domain, ReadRows, Scope};
use crate::live::error::OdooError;
use crate::rows::cell::Cell;
use reeve_ports::Gap;

/// Most warehouses of other companies that are looked through.
const OTHERS_MAX: usize = 10_000;

/// Zones that were set, by warehouse.
pub(super) struct Zones(BTreeMap<i64, (String, TimeZone)>);

/// An entry, taken apart.
struct Entry<'e> {
    company: Option<&'e str>,
    code: &'e str,
    zone: (String, TimeZone),
}

impl Zones {
    /// Finds the warehouses that the entries mean, of those in `codes`. What can not be used becomes a gap.
    pub(super) async fn read(
        asking: &Asking,
        entries: &[String],
        codes: &BTreeMap<i64, String>,
        gaps: &mut BTreeSet<Gap>,
    ) -> Result<Self, OdooError> {
        let mut zones = BTreeMap::new();
        let mut strangers = Vec::new();
        // Companies are only asked for where an entry names one.
        let by_company = entries.iter().any(|entry| entry.split('=').next().is_some_and(|left| left.contains('/')));
        let companies = if by_company { companies_of(asking).await? } else { BTreeMap::new() };
        for text in entries {
            let entry = match parse(text) {
                Ok(entry) => entry,
                Err(why) => {
                    gaps.insert(gap(text, why));
                    continue;
                }
            };
            let same = |name: &&str, company: &String| company.trim().eq_ignore_ascii_case(name);
            let meant = |warehouse: &i64| {
                entry.company.as_ref().is_none_or(|name| companies.get(warehouse).is_some_and(|company| same(name, company)))
            };
            let of_code = codes.iter().filter(|(_, code)| *code == entry.code).map(|(warehouse, _)| *warehouse);
            let found: Vec<i64> = of_code.filter(meant).collect();
            if found.is_empty() {
                strangers.push((text, entry.code));
            }
            // What names its company goes before what does not.
            for warehouse in found {
                if entry.company.is_some() || !zones.get(&warehouse).is_some_and(|(named, _)| *named) {
                    zones.insert(warehouse, (entry.company.is_some(), entry.zone.clone()));
                }
            }
        }
        // A code may be of a warehouse that this user does not read: only a code that nobody has is a mistake.
        if !strangers.is_empty() {
            let others = codes_of_all(asking).await?;
            for (text, code) in strangers.into_iter().filter(|(_, code)| !others.contains(*code)) {
                gaps.insert(gap(text, format!("no warehouse that can be read has the short code {code}")));
            }
        }
        Ok(Self(zones.into_iter().map(|(warehouse, (_, zone))| (warehouse, zone)).collect()))
    }

    /// The zone that was set for a warehouse.
    pub(super) fn of(&self, warehouse: i64) -> Option<&(String, TimeZone)> {
        self.0.get(&warehouse)
    }
}

fn parse(text: &str) -> Result<Entry<'_>, String> {
    let form = || "it is not CODE=Zone with a warehouse's short code and an IANA name".to_owned();
    let (left, name) = text.split_once('=').ok_or_else(form)?;
    let (company, code) = match left.rsplit_once('/') {
        Some((company, code)) => (Some(company.trim()), code.trim()),
        None => (None, left.trim()),
    };
    let name = name.trim();
    if code.is_empty() || name.is_empty() || company.is_some_and(str::is_empty) {
        return Err(form());
    }
    let zone = TimeZone::get(name).map_err(|_| format!("{name:?} is no IANA name of a time zone"))?;
    Ok(Entry { company, code, zone: (name.to_owned(), zone) })
}

fn gap(entry: &str, why: String) -> Gap {
    Gap { what: format!("odoo.time_zones: {entry}"), why, costs: "days there begin in the calendar's time zone".to_owned() }
}

/// The names of the warehouses' companies.
async fn companies_of(asking: &Asking) -> Result<BTreeMap<i64, String>, OdooError> {
    let names: BTreeMap<i64, String> = asking
        .all("res.company", &["name"])
        .await?
        .into_iter()
        .filter_map(|row| if let Cell::Text(name) = &row[1] { Some((row[0].id()?, name.clone())) } else { None })
        .collect();
    let warehouses = asking.all("stock.warehouse", &["company_id"]).await?;
    Ok(warehouses.iter().filter_map(|row| Some((row[0].id()?, names.get(&row[1].id()?)?.clone()))).collect())
}

/// The codes of every warehouse that the user may see, of whatever company.
async fn codes_of_all(asking: &Asking) -> Result<BTreeSet<String>, OdooError> {
    let ask = ReadRows {
        model: "stock.warehouse".to_owned(),
        domain: Domain::all(),
        fields: vec!["code".to_owned()],
        order: "id",
        limit: OTHERS_MAX,
        scope: Scope::default(),
    };
    let rows = asking.server.rows(&ask).await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| if let Some(Cell::Text(code)) = row.into_iter().nth(1) { Some(code) } else { None })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_a_code_and_perhaps_its_company() {
        let entry = parse(" Alpha Ltd/WH = Pacific/Auckland").ok().unwrap();
        assert_eq!((entry.company, entry.code, entry.zone.0.as_str()), (Some("Alpha Ltd"), "WH", "Pacific/Auckland"));
        assert_eq!(parse("WH=UTC").ok().unwrap().company, None);
        for bad in ["WH", "=UTC", "WH=", "/WH=UTC"] {
            assert!(parse(bad).err().unwrap().contains("CODE=Zone"), "{bad}");
        }
        assert!(parse("WH=Pacific/Nowhere").err().unwrap().contains("no IANA name"));
    }
}
