//! What becomes of cases once every exception has its place: roots take in what waits for them, and what has nothing left ends.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::links::{case_links, of_links};
use super::telling::telling_rank;
use super::{Work, entry};
use crate::detect::roots::{is_root, is_symptom};
use crate::place_key;
use reeve_domain::case::{Case, CaseState};
use reeve_domain::case_life::CaseEvent;
use reeve_domain::exception::{Exception, ExceptionState, ExceptionType as T};
use reeve_domain::ids::CaseId;

impl Work {
    /// Takes the cases of symptoms into the case of their root, so that one decision ends them all. What somebody has put off,
    /// signed or decided stays where it is, and so does what has a root of its own.
    pub(super) fn gather_symptoms(&mut self) {
        let mut roots: Vec<(Timestamp, CaseId)> = self
            .cases
            .values()
            .filter(|(case, _)| self.takes_in(case) && !self.root_links(case).is_empty())
            .map(|(case, _)| (case.opened_at, case.id.clone()))
            .collect();
        // In order of age, so that which root takes a symptom does not hang on ids.
        roots.sort();
        for (_, root) in roots {
            let links = self.root_links(&self.cases[&root].0);
            let joins = |case: &Case| {
                self.takes_in(case)
                    && case.id != root
                    && self.root_links(case).is_empty()
                    && !case_links(case, &self.exceptions).is_disjoint(&links)
            };
            // Only roots gain links by a merger, and no root is a symptom: whoever shares one of these is known already.
            let sharing = of_links(&self.linked, &links).into_iter().filter_map(|id| self.cases.get(id));
            let symptoms: Vec<CaseId> =
                sharing.map(|(case, _)| case).filter(|case| joins(case)).map(|case| case.id.clone()).collect();
            #[cfg(test)]
            assert!(self.cases.values().filter(|(case, _)| joins(case)).map(|(case, _)| &case.id).eq(&symptoms));
            for symptom in symptoms {
                self.merge(&symptom, &root);
            }
        }
    }

    /// Does a case wait, and has nobody signed anything of it? Only then can it be folded with another.
    pub(super) fn takes_in(&self, case: &Case) -> bool {
        (case.state.is_unseen() || matches!(case.state, CaseState::Open | CaseState::Shadow))
            && !self.signed.contains(&case.id)
    }

    /// The shortages that roots in a case stand for.
    fn root_links(&self, case: &Case) -> BTreeSet<String> {
        case.exceptions
            .iter()
            .filter_map(|id| self.exceptions.get(id))
            .filter(|e| e.state == ExceptionState::Open && is_root(e.signal.code))
            .flat_map(|e| e.signal.links.iter().filter(|link| place_key::is_shortage(link)).cloned())
            .collect()
    }

    fn merge(&mut self, from: &CaseId, into: &CaseId) {
        let Some((case, _)) = self.cases.get_mut(from) else { return };
        let moved = case.exceptions.clone();
        let untold = case.is_untold();
        if untold {
            // Nobody was told of it, so there is nothing to end: it goes as if it had never been.
            self.forget(from);
        } else {
            let Ok(merged) = case.state.clone().after(CaseEvent::Merge { into: into.clone() }) else { return };
            case.state = merged;
            let detail = serde_json::json!({ "into": into, "exceptions": moved, "because": "the order that it waits for" });
            let name = if case.state.is_shadow() { "case.shadow_over" } else { "case.merged" };
            self.entries.push(entry(self.now, name, case, detail));
        }
        let Some((root, _)) = self.cases.get_mut(into) else { return };
        if !untold && root.is_untold() {
            // What people were shown does not go where they can not see it.
            root.state = CaseState::New;
            root.wanted = true;
            // People are reminded of it, and a digest waits for its draft, by when it was put before them.
            root.opened_at = self.now;
            let first = root.exceptions.first().and_then(|id| self.exceptions.get(id)).map(|e| e.signal.fingerprint());
            let detail = serde_json::json!({ "exception": first, "because": "it takes in a case that people were told of" });
            self.entries.push(entry(self.now, "case.opened", root, detail));
        }
        if !root.is_untold() {
            let detail =
                if untold { serde_json::json!({ "exceptions": moved }) } else { serde_json::json!({ "from": from }) };
            self.entries.push(entry(self.now, "case.took_in", root, detail));
        }
        for id in moved {
            if !root.exceptions.contains(&id) {
                root.exceptions.push(id.clone());
            }
            self.case_of.insert(id, into.clone());
        }
    }

    /// Takes away a case that nobody was told of.
    fn forget(&mut self, id: &CaseId) {
        if let Some((_, Some(before))) = self.cases.remove(id) {
            self.gone.push((before.id, before.version));
        }
    }

    /// Brings every case up to date with its exceptions, and ends those that have none left.
    pub(super) fn close_over(&mut self) {
        let mut over = Vec::new();
        for (case, before) in self.cases.values_mut() {
            if matches!(case.state, CaseState::Merged { .. } | CaseState::ShadowOver { .. }) {
                continue;
            }
            let open: Vec<&Exception> = case
                .exceptions
                .iter()
                .filter_map(|id| self.exceptions.get(id))
                .filter(|e| e.state == ExceptionState::Open)
                .collect();
            if open.is_empty() {
                if case.is_untold() {
                    over.push(case.id.clone());
                } else if let Some((to, gone)) = before.as_ref().and_then(|before| self.side.emptied(&before.exceptions))
                    && let Ok(ended) = case.state.clone().after(CaseEvent::Withdraw { to })
                {
                    case.state = ended;
                    let name = if case.state.is_shadow() { "case.shadow_over" } else { "case.withdrawn" };
                    let because = format!("its scope is {to} now");
                    let detail = serde_json::json!({ "to": to, "because": because, "exceptions": gone });
                    self.entries.push(entry(self.now, name, case, detail));
                } else if let Ok(resolved) = case.state.clone().after(CaseEvent::Resolve) {
                    case.state = resolved;
                    let name = if case.state.is_shadow() { "case.shadow_over" } else { "case.resolved_itself" };
                    self.entries.push(entry(self.now, name, case, serde_json::json!({})));
                }
                continue;
            }
            let mut telling: Vec<&Exception> = open.clone();
            // The exception that leads gives the case its words: a late order where shortages wait for it, for it is what is decided.
            let symptoms: BTreeSet<&String> =
                open.iter().filter(|e| is_symptom(e.signal.code)).flat_map(|e| &e.signal.links).collect();
            let carries =
                |e: &Exception| is_root(e.signal.code) && e.signal.links.iter().any(|link| symptoms.contains(link));
            telling.sort_by_key(|e| {
                let rank = if carries(e) { telling_rank(T::IOut) } else { telling_rank(e.signal.code) };
                (rank, !is_root(e.signal.code), e.first_seen, e.id.clone())
            });
            let mut codes: Vec<T> = Vec::new();
            for exception in &telling {
                if !codes.contains(&exception.signal.code) {
                    codes.push(exception.signal.code);
                }
            }
            case.codes = codes;
            case.subject = telling[0].signal.subject.clone();
            case.headline = telling[0].signal.headline.clone();
            let links: BTreeSet<String> = open.iter().flat_map(|e| e.signal.links.iter().cloned()).collect();
            // A decided case counts no losses that came after the decision: whoever runs short now has a case of its own.
            let counted = |link: &String| case.state.may_grow() || case.links.contains(link);
            case.links = links.into_iter().filter(counted).collect();
        }
        for id in over {
            self.forget(&id);
        }
    }
}
