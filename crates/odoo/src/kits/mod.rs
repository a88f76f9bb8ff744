//! Kits: products that are sold by a name of their own and leave the shelves as their components (bills of material of type
//! `phantom`). What is sold of a kit is demand of its components; a kit has no stock of its own, whatever its product says.
//!
//! Which bill counts for a product is decided as Odoo does: of its company or of none, the lowest sequence first, one of the
//! variant before one of the template. Components that are kits are taken apart in their turn.
//!
//! Odoo keeps no earlier state of a bill; what was read of one is kept here when it changes, so that an order stays what it was
//! when it was made. How a kit was made up before it was first read is not known: an order from before that counts as it was
//! read first, and what tills sold before its last change as the moves say.
//!
//! `live::kits` reads the bills; what is sold is taken apart where rows are translated (`rows::sales`) and where sums are.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use reeve_ports::{BoxError, Mirror, MirrorRow};

/// Where the mirror keeps them, by the kit's product.
pub(crate) const KEPT: &str = "odoo/kits";

/// A component of a kit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The line of the bill that asks for it.
    pub(crate) line: i64,
    /// The component.
    pub(crate) product: i64,
    /// How many of its stock unit one stock unit of the kit is.
    pub(crate) quantity: f64,
}

/// How a kit is made up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Kit {
    /// In which company; None: in those that have no bill of their own.
    pub(crate) company: Option<i64>,
    /// Since when nothing was written about it.
    pub(crate) since: Timestamp,
    /// Since when it is made up so, where that is another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began: Option<Timestamp>,
    /// Empty: it is no kit there any more.
    pub(crate) parts: Vec<Part>,
    /// How it was made up before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Earlier>,
}

/// How a kit was made up from a time on; empty: it was none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Earlier {
    since: Timestamp,
    parts: Vec<Part>,
}

impl Kit {
    /// None, or one whose parts are still to come.
    pub(crate) fn without_parts(company: Option<i64>, since: Timestamp) -> Self {
        Self { company, since, began: None, parts: Vec::new(), earlier: Vec::new() }
    }

    /// As it is; None where it is no kit any more.
    fn now(&self) -> Option<&[Part]> {
        Some(self.parts.as_slice()).filter(|parts| !parts.is_empty())
    }

    /// Since when it is made up as it is.
    fn began(&self) -> Timestamp {
        self.began.unwrap_or(self.since)
    }

    /// As it was: what is older than all that is known counts as the oldest of it. None where it was no kit then.
    fn at(&self, at: Timestamp) -> Option<&[Part]> {
        let known = self.earlier.iter().map(|version| (version.since, &version.parts));
        let mut known = known.chain([(self.began(), &self.parts)]);
        let (_, oldest) = known.next()?;
        let (_, parts) = known.rfind(|(since, _)| *since <= at).unwrap_or((at, oldest));
        Some(parts.as_slice()).filter(|parts| !parts.is_empty())
    }

    /// As it is read now, with what it was `before`.
    fn following(self, before: &Self, at: Timestamp) -> Self {
        if self.parts.is_empty() && before.parts.is_empty() {
            // Still none.
            return before.clone();
        }
        let mut earlier = before.earlier.clone();
        if self.parts == before.parts {
            // Something may have been written that changes nothing.
            return Self { began: Some(before.began()), earlier, ..self };
        }
        earlier.push(Earlier { since: before.began(), parts: before.parts.clone() });
        // A line that is deleted leaves no time behind.
        let began = if self.since > before.since { self.since } else { at };
        Self { began: Some(began), earlier, ..self }
    }
}

/// All kits.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Kits {
    of: BTreeMap<i64, Vec<Kit>>,
    /// The kits that a component is in.
    with: BTreeMap<i64, BTreeSet<i64>>,
    /// From when on a bill's line is what was sold, too.
    since: BTreeMap<i64, Timestamp>,
}

impl Kits {
    pub(crate) fn new(of: BTreeMap<i64, Vec<Kit>>) -> Self {
        let (mut with, mut since) = (BTreeMap::<i64, BTreeSet<i64>>::new(), BTreeMap::<i64, Timestamp>::new());
        for (product, kits) in &of {
            for kit in kits {
                for part in &kit.parts {
                    with.entry(part.product).or_default().insert(*product);
                    // A line that several kits share counts for all of them from the last change on, so for none twice.
                    let slot = since.entry(part.line).or_insert(kit.since);
                    *slot = kit.since.max(*slot);
                }
            }
        }
        Self { of, with, since }
    }

    /// What a product is made up of in a company; None where it is no kit there.
    pub(crate) fn parts(&self, product: i64, company: Option<i64>) -> Option<&[Part]> {
        self.own_or_shared(product, company, Kit::now)
    }

    /// What a product was made up of in a company at a time; None where it was no kit there.
    pub(crate) fn parts_at(&self, product: i64, company: Option<i64>, at: Timestamp) -> Option<&[Part]> {
        self.own_or_shared(product, company, |kit| kit.at(at))
    }

    fn own_or_shared<'k>(
        &'k self,
        product: i64,
        company: Option<i64>,
        of: impl Fn(&'k Kit) -> Option<&'k [Part]>,
    ) -> Option<&'k [Part]> {
        let kits = self.of.get(&product)?;
        let own = kits.iter().find(|kit| company.is_some() && kit.company == company);
        own.and_then(&of).or_else(|| kits.iter().find(|kit| kit.company.is_none()).and_then(&of))
    }

    /// The kits that have one of these components.
    pub(crate) fn with(&self, components: impl Iterator<Item = i64>) -> BTreeSet<i64> {
        components.filter_map(|component| self.with.get(&component)).flatten().copied().collect()
    }

    /// Every component that a product has in any company; the product itself where it is no kit.
    pub(crate) fn touched_by(&self, product: i64) -> BTreeSet<i64> {
        match self.of.get(&product) {
            Some(kits) => kits.iter().flat_map(|kit| &kit.parts).map(|part| part.product).chain([product]).collect(),
            None => BTreeSet::from([product]),
        }
    }

    /// Since when a bill's line says what is sold; None for one that is in no kit (any more).
    pub(crate) fn since(&self, line: i64) -> Option<Timestamp> {
        self.since.get(&line).copied()
    }

    /// As they were kept.
    pub(crate) async fn load(mirror: &dyn Mirror) -> Result<Self, BoxError> {
        let kits = |row: MirrorRow| Some((row.id, serde_json::from_str(&row.body).ok()?));
        Ok(Self::new(mirror.all(KEPT).await?.into_iter().filter_map(kits).collect()))
    }

    /// Keeps them, where they changed, with what they were before.
    pub(crate) async fn save(&self, mirror: &dyn Mirror, at: Timestamp) -> Result<(), BoxError> {
        let kept = mirror.position(KEPT).await?;
        let before: Option<BTreeMap<i64, Vec<Kit>>> = kept.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let now = following(&self.of, before.as_ref(), at);
        let text = serde_json::to_string(&now).expect("numbers and times");
        if kept.as_deref() == Some(text.as_str()) {
            return Ok(());
        }
        let before = before.unwrap_or_default();
        let row = |(id, kits): (&i64, &Vec<Kit>)| MirrorRow {
            id: *id,
            body: serde_json::to_string(kits).expect("numbers and times"),
            links: [None; 3],
        };
        let rows: Vec<MirrorRow> = now.iter().filter(|(id, kits)| before.get(id) != Some(kits)).map(row).collect();
        mirror.keep(KEPT, &rows, &[], &text, at).await?;
        Ok(())
    }
}

/// Kits as they are read, with what they were: one that is read no more is none since now, one that was not there at the look
/// before has been none until now.
fn following(
    read: &BTreeMap<i64, Vec<Kit>>,
    before: Option<&BTreeMap<i64, Vec<Kit>>>,
    at: Timestamp,
) -> BTreeMap<i64, Vec<Kit>> {
    let Some(before) = before else { return read.clone() };
    let products: BTreeSet<i64> = read.keys().chain(before.keys()).copied().collect();
    let kits = |product: i64| {
        let of = |all: &BTreeMap<i64, Vec<Kit>>| all.get(&product).cloned().unwrap_or_default();
        let (read, before) = (of(read), of(before));
        let companies: BTreeSet<Option<i64>> = read.iter().chain(&before).map(|kit| kit.company).collect();
        let kit = |company: Option<i64>| {
            let of = |all: &[Kit]| all.iter().find(|kit| kit.company == company).cloned();
            let was = of(&before).unwrap_or_else(|| Kit::without_parts(company, Timestamp::MIN));
            of(&read).unwrap_or_else(|| Kit::without_parts(company, at)).following(&was, at)
        };
        (product, companies.into_iter().map(kit).collect())
    };
    products.into_iter().map(kits).collect()
}
