//! Which order is meant: by our id, or by its name together with supplier, company, lines and items, as far as they are told.
//! Companies number their orders alike, so a name alone may stand for several; then it is said which.

use std::collections::BTreeSet;

use super::asked::Asked;
use super::items::Named;
use super::known::Order;
use super::meaning::Against;
use crate::domain::event::Fault;
use crate::domain::event::wire::Name;
use crate::domain::ids::{ItemId, SupplierId};
use crate::domain::record::PurchaseLine;
use crate::domain::text::clean;

/// How an order is named.
#[derive(Clone, Copy, Default)]
pub(super) struct OrderKeys<'a> {
    pub(super) name: Option<&'a Name>,
    pub(super) id: Option<&'a Name>,
}

impl<'a> OrderKeys<'a> {
    /// As given; None where nothing is.
    pub(super) fn given(self) -> Option<Self> {
        (self.name.is_some() || self.id.is_some()).then_some(self)
    }

    /// What stands there, for people.
    fn shown(&self) -> &'a str {
        self.name.or(self.id).map_or("", |name| name.0.as_str())
    }
}

/// Between whom: who is known to speak, and for which company.
#[derive(Clone, Default)]
pub(super) struct Parties<'a> {
    pub(super) supplier: Option<SupplierId>,
    pub(super) company: Option<&'a Name>,
}

impl Against<'_> {
    /// The one order that lines are about.
    ///
    /// # Errors
    /// There is none (yet), it is somebody else's, or there are several.
    pub(super) fn order(
        &self,
        path: &str,
        keys: OrderKeys<'_>,
        parties: &Parties<'_>,
        lines: &[&Asked<'_>],
    ) -> Result<&Order, Fault> {
        let shown = clean(keys.shown(), 60);
        let mut all: Vec<&Order> = match (keys.id, keys.name) {
            (Some(id), name) => {
                let order = self.known.order_with(&id.0).ok_or_else(|| Fault::unknown(path, "order", &id.0))?;
                // An id and a name that do not fit: one of them is a slip, and nobody can say which.
                if let Some(name) = name
                    && self.known.orders_named(name).iter().all(|o| o.id != order.id)
                {
                    return Err(Fault::wrong(path, &format!("order_id {} is {}, not {shown}", order.id, order.name)));
                }
                vec![order]
            }
            (None, Some(name)) => self.known.orders_named(name),
            (None, None) => Vec::new(),
        };
        if all.is_empty() {
            return Err(Fault::unknown(path, "order", keys.shown()));
        }
        if let Some(supplier) = &parties.supplier {
            let own: Vec<&Order> = all.iter().copied().filter(|o| o.supplier == *supplier).collect();
            if own.is_empty() {
                // Asked first: whoever speaks for one supplier is not told whose order it is instead.
                self.may_speak(path, &format!("order {shown} is"), &all[0].supplier)?;
                let whose = all.iter().map(|o| self.described(o)).collect::<Vec<_>>().join("; ");
                let who = self.known.supplier_label(supplier);
                return Err(Fault::missing(path, &format!("there is no order {shown} of {who} (yet), only {whose}")));
            }
            all = own;
        }
        if let Some(company) = parties.company {
            let of = |wanted: Option<&str>| all.iter().copied().filter(|o| o.company.as_deref() == wanted).collect();
            let mut own: Vec<&Order> = of(Some(company.0.as_str()));
            if own.is_empty() {
                // Whose company is not known may be of this one.
                own = of(None);
            }
            if own.is_empty() {
                let whose = all.iter().map(|o| self.described(o)).collect::<Vec<_>>().join("; ");
                let company = clean(&company.0, 40);
                return Err(Fault::missing(
                    path,
                    &format!(
                        "there is no order {shown} of company {company} (yet), only {whose}; give our id of the company"
                    ),
                ));
            }
            all = own;
        }
        if all.len() > 1 {
            let fitting: Vec<&Order> = all.iter().copied().filter(|o| self.fits(o, lines)).collect();
            if let [order] = fitting.as_slice() {
                return Ok(order);
            }
            let candidates: Vec<String> = all.iter().map(|o| self.described(o)).collect();
            return Err(Fault::ambiguous(
                path,
                "order",
                &shown,
                &candidates,
                "its line, item, supplier or company, or order_id",
            ));
        }
        Ok(all[0])
    }

    /// Has the order everything that the lines name?
    fn fits(&self, order: &Order, lines: &[&Asked<'_>]) -> bool {
        let has = |asked: &&Asked<'_>| {
            let line = asked.line.and_then(|line| order.lines.iter().find(|l| l.id == line.0));
            match self.known.named(&asked.keys, Some(&order.supplier)) {
                Named::Found(found) => match line {
                    Some(line) => found.iter().any(|m| m.item == line.item),
                    None => found.iter().any(|m| order.has(&m.item)),
                },
                _ => line.is_some(),
            }
        };
        !lines.is_empty() && lines.iter().all(has)
    }

    /// `P00085 of Homestead (supplier 46), company 2, order_id 88`.
    fn described(&self, order: &Order) -> String {
        let company = order.company.as_ref().map(|c| format!(", company {c}")).unwrap_or_default();
        let state = match state_of(order) {
            State::Cancelled => ", cancelled",
            State::Draft => ", a draft",
            State::Binding => "",
        };
        let who = clean(&self.known.supplier_label(&order.supplier), 40);
        format!("{} of {who}{company}, order_id {}{state}", clean(&order.name, 20), order.id)
    }

    /// Whoever speaks for one supplier can say nothing about another's.
    ///
    /// # Errors
    /// It is another's.
    pub(super) fn may_speak(&self, path: &str, what: &str, about: &SupplierId) -> Result<(), Fault> {
        match self.supplier {
            Some(own) if own != about => {
                Err(Fault::wrong(path, &format!("{what} of another supplier than {own}, whom alone the hook speaks for")))
            }
            _ => Ok(()),
        }
    }
}

/// The lines of an order that bind somebody.
///
/// # Errors
/// It was cancelled, or nobody has ordered it yet.
pub(super) fn binding<'o>(path: &str, order: &'o Order) -> Result<Vec<&'o PurchaseLine>, Fault> {
    match state_of(order) {
        State::Binding => Ok(order.lines.iter().filter(|l| l.confirmed).collect()),
        State::Cancelled => Err(Fault::wrong(path, &format!("order {} is cancelled", order.name))),
        State::Draft => {
            Err(Fault::missing(path, &format!("order {} is still a draft: nothing is ordered by it (yet)", order.name)))
        }
    }
}

enum State {
    Binding,
    Draft,
    Cancelled,
}

fn state_of(order: &Order) -> State {
    if order.lines.iter().any(|l| l.confirmed) {
        State::Binding
    } else if order.lines.iter().any(|l| l.draft) {
        State::Draft
    } else {
        State::Cancelled
    }
}

/// The items of lines.
pub(super) fn items_of(lines: &[&PurchaseLine]) -> BTreeSet<ItemId> {
    lines.iter().map(|l| l.item.clone()).collect()
}
