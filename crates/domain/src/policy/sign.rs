//! Signing: may this person give the signature that a ruling asks for?
//!
//! Separation of duties holds for whoever signs and for everybody they stand in for, administrators among them; a machine
//! never signs; two signatures are of people who have nobody in common. Who stands in for another has the other's rights and
//! limits, not their own.

use super::document::Policy;
use super::facts::Facts;
use super::judge::Ruling;
use super::people::{Person, Role};
use super::tiers::Tier;
use crate::ids::PersonId;

/// Who signs, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Whose hand it is.
    pub person: Person,
    /// For whom, nearest first; the last one's rights count. Empty: for themselves.
    pub on_behalf_of: Vec<Person>,
}

impl Signer {
    /// Somebody for themselves.
    pub fn own(person: Person) -> Self {
        Self { person, on_behalf_of: Vec::new() }
    }

    /// Whose rights they use.
    pub fn authority(&self) -> &Person {
        self.on_behalf_of.last().unwrap_or(&self.person)
    }

    /// Everybody whose signature this is: the hand, and all they stand in for.
    pub fn everybody(&self) -> impl Iterator<Item = &Person> {
        std::iter::once(&self.person).chain(&self.on_behalf_of)
    }

    /// "Ari Approver for Fay Finance".
    pub fn told(&self) -> String {
        self.everybody().map(|p| p.name.as_str()).collect::<Vec<_>>().join(" for ")
    }
}

/// An attempt to sign.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Who tries.
    pub signer: &'a Signer,
    /// What it takes.
    pub ruling: &'a Ruling,
    /// What each of its steps touches: scopes are held against all of it.
    pub facts: &'a [Facts],
    /// Who signed already.
    pub signed: &'a [Signer],
    /// Whoever edited it, or whose count, receipt or bill it concerns.
    pub touched_by: &'a [PersonId],
}

/// What a person's signature amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// True when another person has to sign as well.
    pub needs_second: bool,
}

/// Why a person may not decide. Written for that person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a person.
    #[error("{0} is part of the system, and the system never approves; a person has to")]
    Machine(PersonId),
    /// Nobody may release it.
    #[error("{0}; nobody can release it, so reject it")]
    NotPermitted(String),
    /// No role that decides.
    #[error(
        "{who} may not decide this: it is {tier} and takes {needed}; being an administrator or a viewer gives no right to"
    )]
    Role {
        /// Their name.
        who: String,
        /// What they tried to decide.
        tier: Tier,
        /// Whom it takes.
        needed: String,
    },
    /// Above their tier.
    #[error("{who} may release up to T{has}, and this is {tier}; pass it on to somebody who may release {tier}")]
    TierTooLow {
        /// Their name.
        who: String,
        /// Their limit.
        has: u8,
        /// What they tried to decide.
        tier: Tier,
    },
    /// Above their own limit.
    #[error("{who} may release up to {limit}, and {counted} counts here; pass it on to somebody with a higher limit")]
    AboveOwnLimit {
        /// Their name.
        who: String,
        /// Their limit, as it is written.
        limit: String,
        /// What was compared with it.
        counted: String,
    },
    /// Outside the part of the business they look after.
    #[error("{who} decides for {scope}, and this is not only about that; pass it on to somebody who looks after it")]
    OutOfScope {
        /// Their name.
        who: String,
        /// Their scope.
        scope: String,
    },
    /// They edited it, or it is about their own count or receipt.
    #[error("{0} changed this recommendation, or it is about their own count or receipt: somebody else has to approve it")]
    Touched(String),
    /// Two signatures of one person are one.
    #[error("{0} has signed this already; the second signature has to be somebody else's")]
    SamePerson(String),
    /// Whoever signed first could not sign it as it is now.
    #[error(
        "{0} signed first and could not sign this any more; put it off for a day or reject it, and let it be signed anew"
    )]
    FirstNoLonger(String),
    /// The two together are not who it takes.
    #[error("{tier} takes two people, one of them {lacks}; {who} as the second would not complete it")]
    Pair {
        /// Their name.
        who: String,
        /// What they tried to decide.
        tier: Tier,
        /// What the pair would lack.
        lacks: String,
    },
}

/// A refusal, with the names of those who could.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{because}{}", could_told(could))]
pub struct Refused {
    /// Why not.
    pub because: Refusal,
    /// Who could sign as things stand, by name; nobody's name is left out.
    pub could: Vec<String>,
}

fn could_told(could: &[String]) -> String {
    match could {
        [] => ". Nobody in the configuration could as things stand; ask whoever keeps the policy".to_owned(),
        names => format!(". Who could: {}", names.join(", ")),
    }
}

impl Policy {
    /// May the signer sign?
    ///
    /// # Errors
    /// Says why not.
    pub fn may_sign(&self, attempt: &Attempt<'_>) -> Result<Standing, Refusal> {
        let Attempt { signer, ruling, facts, signed, touched_by } = *attempt;
        let who = || signer.told();
        if let Some(machine) = signer.everybody().find(|p| p.is_machine()) {
            return Err(Refusal::Machine(machine.id.clone()));
        }
        if !ruling.permitted {
            return Err(Refusal::NotPermitted(ruling.because.first().cloned().unwrap_or_default()));
        }
        // Whoever signed first may have come to be concerned since: their signature is not what makes it two.
        let concerned = |s: &Signer| s.everybody().find(|p| touched_by.contains(&p.id)).map(|p| p.name.clone());
        if let Some(name) = std::iter::once(signer).chain(signed).find_map(concerned) {
            return Err(Refusal::Touched(name));
        }
        for earlier in signed {
            if let Some(both) = signer.everybody().find(|p| earlier.everybody().any(|q| p.id == q.id)) {
                return Err(Refusal::SamePerson(both.name.clone()));
            }
        }
        let authority = signer.authority();
        if !signer.person.decides() || !ruling.who.iter().any(|role| authority.is(*role)) {
            return Err(Refusal::Role { who: who(), tier: ruling.tier, needed: needed(ruling) });
        }
        if !authority.scopes.hold_all(facts) {
            return Err(Refusal::OutOfScope { who: who(), scope: authority.scopes.told() });
        }
        // What commits nothing has no value to be limited.
        if let Some(limit) = authority.limit.as_ref().filter(|_| ruling.tier > Tier::T0)
            && self.in_company(limit).is_none_or(|own| self.counted_for(ruling, signer) > own)
        {
            let counted = format!("{} {}", self.counted_for(ruling, signer), self.currency);
            return Err(Refusal::AboveOwnLimit { who: who(), limit: limit.to_string(), counted });
        }
        // Whoever signed first signed under what counted then: they have to be able to sign what it is now.
        for earlier in signed {
            let first = earlier.authority();
            let counted = self.counted_for(ruling, earlier);
            let enough = first.limit.as_ref().is_none_or(|limit| self.in_company(limit).is_some_and(|own| counted <= own));
            let may =
                earlier.person.decides() && ruling.who.iter().any(|role| first.is(*role)) && first.scopes.hold_all(facts);
            if !(may && enough) {
                return Err(Refusal::FirstNoLonger(earlier.told()));
            }
        }
        // One signature has to hold the tier by itself; of two it is enough that one of them does (below).
        if ruling.signatures < 2 {
            if authority.tier < ruling.tier.level() {
                return Err(Refusal::TierTooLow { who: who(), has: authority.tier, tier: ruling.tier });
            }
            return Ok(Standing { needs_second: false });
        }
        let Some(first) = signed.first() else { return Ok(Standing { needs_second: true }) };
        let pair = [first.authority(), authority];
        let lacks = |lacks: String| Err(Refusal::Pair { who: who(), tier: ruling.tier, lacks });
        if let Some(role) = ruling.with.iter().find(|role| !pair.iter().any(|p| p.is(**role))) {
            return lacks(role.told().trim_start_matches("one ").to_owned());
        }
        if pair.iter().all(|p| p.tier < ruling.tier.level()) {
            return lacks(format!("with the right to release {}", ruling.tier));
        }
        Ok(Standing { needs_second: false })
    }

    /// The same, with the names of those who could in the refusal. `others` is everybody in every capacity they have: for
    /// themselves, and for whomever they stand in for (see [`super::acting_for`]).
    ///
    /// # Errors
    /// Says why not, and who could.
    pub fn may_sign_among(&self, attempt: &Attempt<'_>, others: &[Signer]) -> Result<Standing, Refused> {
        self.may_sign(attempt).map_err(|because| Refused { because, could: self.who_could(attempt, others) })
    }

    /// Who of `others` could sign now, as they are told: each once, in the order given.
    pub fn who_could(&self, attempt: &Attempt<'_>, others: &[Signer]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for signer in others {
            if self.may_sign(&Attempt { signer, ..*attempt }).is_ok() && !names.contains(&signer.told()) {
                names.push(signer.told());
            }
        }
        names
    }
}

/// "an approver", "two people, one of finance".
fn needed(ruling: &Ruling) -> String {
    let who: Vec<&str> = ruling.who.iter().map(|role| role.told()).collect();
    let who = who.join(" or ");
    let with: Vec<&str> = ruling.with.iter().map(|role| role.told()).collect();
    match (ruling.signatures, with.as_slice()) {
        (0 | 1, _) => who,
        (_, []) => format!("two people, each {who}"),
        (_, with) => format!("two people, each {who}, {} among them", with.join(" and ")),
    }
}

/// May `person` turn down, put off or edit a recommendation? That releases nothing, so it goes by role; for putting it out of
/// others' sight their scope is looked at beside this.
///
/// # Errors
/// Says who could.
pub fn may_turn_down(person: &Person) -> Result<(), Refusal> {
    if person.is_machine() {
        return Err(Refusal::Machine(person.id.clone()));
    }
    if person.decides() {
        return Ok(());
    }
    let needed = format!("{} or {}", Role::Planner.told(), Role::Approver.told());
    Err(Refusal::Role { who: person.name.clone(), tier: Tier::T0, needed })
}
