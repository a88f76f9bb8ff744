//! What every sum stands on: the shelves of each warehouse, the time zone in which its days begin, the units in which moves
//! are counted, the tills, and the kits. Read anew with every refresh: it is small master data, whatever the history is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::asking::Asking;
use super::zones::Zones;
use crate::kits::{Kits, Part};
use crate::live::call::Version;
use crate::live::error::OdooError;
use crate::live::kits;
use crate::rows::cell::Cell;
use crate::settings::OdooConfig;
use reeve_domain::calendar::Calendar;
use reeve_ports::Gap;

/// What one end of a move is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::live) enum End {
    /// A shelf of a warehouse.
    Shelf(i64),
    /// The customers' side.
    Customer,
    /// Where goods are handed over to another company: what goes there is sold, what comes from there is bought.
    Border,
    /// None of these: suppliers, counts, manufacturing, on the way.
    Elsewhere,
}

/// Warehouses whose days begin together.
#[derive(Clone, Debug)]
pub(in crate::live) struct Zone {
    /// IANA name.
    pub(super) name: String,
    timezone: TimeZone,
    /// The warehouses in it.
    pub(in crate::live) warehouses: BTreeSet<i64>,
    /// Their shelves.
    pub(super) shelves: Vec<i64>,
    /// Their tills (`pos.config`).
    pub(super) tills: Vec<i64>,
}

impl Zone {
    /// The month that `at` falls into, as its first day.
    pub(super) fn month_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.timezone.clone()).date().first_of_month()
    }

    /// The day that `at` falls on.
    pub(super) fn day_of(&self, at: Timestamp) -> Date {
        at.to_zoned(self.timezone.clone()).date()
    }

    /// When a day begins here.
    pub(super) fn start_of(&self, day: Date) -> Timestamp {
        day.to_zoned(self.timezone.clone()).map_or(Timestamp::MAX, |start| start.timestamp())
    }
}

/// The tills, and what can be asked of them.
#[derive(Debug, Default)]
pub(super) struct Tills {
    /// The warehouse that each (`pos.config`) sells from.
    warehouses: BTreeMap<i64, i64>,
    /// Products that are rung up and are no goods: down payments, tips, discounts.
    pub(super) no_goods: BTreeSet<i64>,
    /// Do their lines say which customer's order they settle?
    pub(super) name_orders: bool,
    /// May orders be read? They say when they were written.
    pub(super) have_orders: bool,
    /// May sessions be read? They say what was sold and is not booked yet.
    pub(super) have_sessions: bool,
}

/// Shelves, zones, units, tills and kits.
pub(in crate::live) struct Ground {
    ends: BTreeMap<i64, End>,
    /// The zones by name; none is without a warehouse.
    pub(in crate::live) zones: Vec<Zone>,
    units: BTreeMap<i64, f64>,
    divides: bool,
    /// The company of each warehouse.
    companies: BTreeMap<i64, i64>,
    pub(super) tills: Tills,
    /// None: they can not be read.
    pub(super) kits: Option<Kits>,
    /// Do moves say which line of a bill of material they are for? Where there are no kits they do not.
    pub(super) moves_name_bills: bool,
    /// What can not be summed right, for people.
    pub(super) gaps: BTreeSet<Gap>,
}

impl Ground {
    /// Reads it.
    pub(in crate::live) async fn read(asking: &Asking, odoo: &OdooConfig, calendar: &Calendar) -> Result<Self, OdooError> {
        let mut gaps = BTreeSet::new();
        let mut ends = BTreeMap::new();
        let warehouses = asking.all("stock.warehouse", &["code", "company_id"]).await?;
        let codes: BTreeMap<i64, String> = warehouses.iter().filter_map(|row| Some((row[0].id()?, text(&row[1])))).collect();
        // Not every version marks on the location that goods are scrapped there.
        let there = asking.server.fields("stock.location").await?;
        let more = ["scrap_location", "company_id"].into_iter().filter(|field| there.contains_key(*field));
        let fields: Vec<&str> = ["usage", "warehouse_id"].into_iter().chain(more).collect();
        let place = |field: &str| fields.iter().position(|asked| *asked == field).map(|at| at + 1);
        let (scrap_at, company_at) = (place("scrap_location"), place("company_id"));
        let rows = asking.all("stock.location", &fields).await?;
        let company = |row: &[Cell]| company_at.and_then(|at| row.get(at)?.id());
        // A transit location without a company is the border between two of them: of one company alone it is only a way.
        let several = rows.iter().filter_map(|row| company(row)).collect::<BTreeSet<i64>>().len() > 1;
        let mut homeless = 0;
        for row in rows {
            let Some(id) = row[0].id() else { continue };
            let scrapped = scrap_at.is_some_and(|at| row.get(at) == Some(&Cell::Flag(true)));
            let end = match (text(&row[1]).as_str(), row[2].id()) {
                ("customer", _) => End::Customer,
                ("transit", _) if several && company(&row).is_none() => End::Border,
                ("internal", Some(warehouse)) if !scrapped && codes.contains_key(&warehouse) => End::Shelf(warehouse),
                ("internal", None) if !scrapped => {
                    homeless += 1;
                    End::Elsewhere
                }
                _ => End::Elsewhere,
            };
            ends.insert(id, end);
        }
        if homeless > 0 {
            gaps.insert(Gap {
                what: "stock.location".to_owned(),
                why: format!("{homeless} internal locations belong to no warehouse"),
                costs: "stock and sales there".to_owned(),
            });
        }
        // The factor goes the other way from 19 on (`divides`).
        let units = asking.all("uom.uom", &["factor"]).await?;
        let units = units.iter().filter_map(|row| Some((row[0].id()?, number(&row[1])?))).collect();
        let tills = tills(asking, &mut gaps).await?;
        let companies = warehouses.iter().filter_map(|row| Some((row[0].id()?, row[2].id()?))).collect();
        let moves_name_bills = asking.has("stock.move", "bom_line_id").await?;
        let mut ground = Self {
            ends,
            zones: Vec::new(),
            units,
            divides: asking.server.version() < Version::V19,
            companies,
            tills,
            kits: None,
            moves_name_bills,
            gaps,
        };
        let zones = Zones::read(asking, &odoo.time_zones, &codes, &mut ground.gaps).await?;
        ground.zones = ground.zones_of(&codes, &zones, calendar);
        // Last, since what a kit is made of is counted in the units that were read above.
        match kits::read(asking, |from, to| ground.ratio(from, to)).await? {
            Ok(kits) => ground.kits = Some(kits),
            Err(error) => {
                ground.gaps.insert(Gap {
                    what: "mrp.bom".to_owned(),
                    why: error.to_string(),
                    costs: "kits sold at the tills are demand of their components only when they are booked, and kits on \
                            customers' orders only when they are shipped"
                        .to_owned(),
                });
            }
        }
        Ok(ground)
    }

    fn zones_of(&mut self, codes: &BTreeMap<i64, String>, own: &Zones, calendar: &Calendar) -> Vec<Zone> {
        if calendar.cut_off_hour < 24 {
            // Odoo's groups by day begin at midnight; a zone that is two hours off would be wrong wherever clocks change.
            self.gaps.insert(Gap {
                what: "calendar.cut_off_hour".to_owned(),
                why: format!("it is {}, but Odoo sums days from midnight to midnight", calendar.cut_off_hour),
                costs: "what is sold after that hour counts to the day on the wall, not to the next".to_owned(),
            });
        }
        let usual = calendar.timezone.iana_name().unwrap_or("UTC").to_owned();
        let mut zones: BTreeMap<String, Zone> = BTreeMap::new();
        // A warehouse without an entry has its days in the business's own zone.
        for warehouse in codes.keys() {
            let (name, timezone) = own.of(*warehouse).cloned().unwrap_or_else(|| (usual.clone(), calendar.timezone.clone()));
            let zone = zones.entry(name.clone()).or_insert_with(|| Zone {
                name,
                timezone,
                warehouses: BTreeSet::new(),
                shelves: Vec::new(),
                tills: Vec::new(),
            });
            zone.warehouses.insert(*warehouse);
        }
        for zone in zones.values_mut() {
            let here = |warehouse: &i64| zone.warehouses.contains(warehouse);
            zone.shelves = self.shelves().filter(|(_, w)| here(w)).map(|(id, _)| id).collect();
            zone.tills = self.tills.warehouses.iter().filter(|(_, w)| here(w)).map(|(till, _)| *till).collect();
        }
        // A zone without a shelf has nothing to be summed: each zone costs questions of its own.
        zones.into_values().filter(|zone| !zone.shelves.is_empty()).collect()
    }

    /// Every shelf with its warehouse, by id.
    pub(in crate::live) fn shelves(&self) -> impl Iterator<Item = (i64, i64)> {
        self.ends.iter().filter_map(|(id, end)| if let End::Shelf(warehouse) = end { Some((*id, *warehouse)) } else { None })
    }

    /// What a location is. One that can not be read is another company's.
    pub(in crate::live) fn end(&self, location: i64) -> End {
        self.ends.get(&location).copied().unwrap_or(End::Elsewhere)
    }

    /// The warehouse that a till sells from.
    pub(super) fn till(&self, till: i64) -> Option<i64> {
        self.tills.warehouses.get(&till).copied()
    }

    /// The company that a warehouse belongs to.
    pub(super) fn company(&self, warehouse: i64) -> Option<i64> {
        self.companies.get(&warehouse).copied()
    }

    /// The components of a product that is a kit at a warehouse, each with how many; None where it is none.
    pub(super) fn parts(&self, product: i64, warehouse: i64) -> Option<&[Part]> {
        self.kits.as_ref()?.parts(product, self.company(warehouse))
    }

    /// How many of `to` one of `from` is. Up to 18 a unit's factor says how many of it make a reference unit, from 19 on how
    /// many reference units it is. A unit that can not be read counts as the other.
    pub(super) fn ratio(&self, from: i64, to: i64) -> f64 {
        let (Some(a), Some(b)) = (self.units.get(&from), self.units.get(&to)) else { return 1.0 };
        if from == to || *a <= 0.0 || *b <= 0.0 {
            1.0
        } else if self.divides {
            b / a
        } else {
            a / b
        }
    }

    /// Which warehouse's days begin where: sums made under another reading of it can not be gone on with.
    pub(super) fn fingerprint(&self) -> String {
        let zone =
            |z: &Zone| format!("{}={}", z.name, z.warehouses.iter().map(i64::to_string).collect::<Vec<_>>().join(","));
        self.zones.iter().map(zone).collect::<Vec<_>>().join(";")
    }
}

/// Tills and the warehouses they sell from; none where there is no point of sale or where its lines can not be read, for then
/// what the tills' pickings took from the shelves is the next best thing.
async fn tills(asking: &Asking, gaps: &mut BTreeSet<Gap>) -> Result<Tills, OdooError> {
    if !asking.has("stock.picking", "pos_session_id").await? {
        return Ok(Tills::default());
    }
    let mut fields = BTreeMap::new();
    for (model, costs) in [
        ("report.pos.order", "sales at the tills count on the day their stock is booked, not when they were made"),
        ("pos.config", "sales at the tills count on the day their stock is booked, not when they were made"),
        ("pos.order", "what open sessions have sold and not booked yet still counts as there"),
        ("pos.session", "what open sessions have sold and not booked yet still counts as there"),
        ("pos.order.line", "customers' orders that are settled at a till count twice"),
    ] {
        match asking.readable(model).await? {
            Ok(of) => drop(fields.insert(model, of)),
            Err(error) => {
                gaps.insert(Gap { what: model.to_owned(), why: error.to_string(), costs: costs.to_owned() });
                // Without what the tills sold, and from where, the bookings of their pickings are all there is to go by.
                if matches!(model, "report.pos.order" | "pos.config") {
                    return Ok(Tills::default());
                }
            }
        }
    }
    let has = |model: &str, field: &str| fields.get(model).is_some_and(|of| of.contains_key(field));
    let of_type = asking.all("stock.picking.type", &["warehouse_id"]).await?;
    let of_type: BTreeMap<i64, i64> = of_type.iter().filter_map(|row| Some((row[0].id()?, row[1].id()?))).collect();
    let mut asked = vec!["picking_type_id"];
    // Down payments, tips and discounts are rung up as products and are no goods.
    let no_goods = ["down_payment_product_id", "tip_product_id", "discount_product_id"];
    asked.extend(no_goods.into_iter().filter(|field| has("pos.config", field)));
    let tills = asking.all("pos.config", &asked).await?;
    Ok(Tills {
        warehouses: tills.iter().filter_map(|row| Some((row[0].id()?, *of_type.get(&row[1].id()?)?))).collect(),
        no_goods: tills.iter().flat_map(|row| &row[2..]).filter_map(Cell::id).collect(),
        // A condition that leads over what may not be read is refused like reading it.
        name_orders: has("pos.order.line", "sale_order_line_id")
            && has("pos.order", "session_id")
            && has("pos.session", "config_id"),
        have_orders: has("pos.order", "write_date"),
        have_sessions: has("pos.session", "update_stock_at_closing")
            && has("pos.order", "shipping_date")
            && has("pos.order", "picking_ids"),
    })
}

/// A cell's text; empty for Odoo's `false`.
fn text(cell: &Cell) -> String {
    if let Cell::Text(text) = cell { text.clone() } else { String::new() }
}

fn number(cell: &Cell) -> Option<f64> {
    if let Cell::Number(number) = cell { Some(*number) } else { None }
}
