//! The reference: what may happen to a recommendation and to a case, written a second time and in another way.
//!
//! A table of letters and a card of fields. It calls nothing of the life cycles that it is held against; where the two
//! differ, one of them is wrong.

/// States of a recommendation, in the order of the table's rows.
pub(crate) const STATES: [&str; 18] = [
    "drafted",
    "shadow",
    "checked",
    "queued",
    "signed",
    "forwarded",
    "escalated",
    "approved",
    "approved_with_edit",
    "rejected",
    "snoozed",
    "expired",
    "superseded",
    "handed_off",
    "carried_out",
    "partly",
    "not_carried_out",
    "undone",
];

/// Events of a recommendation, in the order of the table's columns.
pub(crate) const EVENTS: [&str; 21] = [
    "check",
    "queue",
    "approve",
    "approve_edited",
    "reject",
    "snooze",
    "forward",
    "return",
    "wake",
    "escalate",
    "expire",
    "supersede",
    "undo",
    "hand_off",
    "not_sent",
    "seen_done",
    "seen_partly",
    "not_seen",
    "seen_undone",
    "step_undone",
    "all_undone",
];

/// `.` refused, `=` stays; capitals go to a state and forget everything; small letters are in [`Card::after`].
const TABLE: [&str; 18] = [
    "C.........XS.........", // drafted
    "..........XS.........", // shadow
    ".Q........XS.........", // checked
    "..aerzf..lXS.........", // queued
    "..aerzf..lXSu........", // signed
    "..aerzfb.lXSu........", // forwarded
    "..aerzf..lXSu........", // escalated
    "..i.........dHN......", // approved
    "...j........dHN......", // approved_with_edit
    "....k.......d........", // rejected
    "....rz..Q.XSq........", // snoozed
    "..........=..........", // expired
    "...........=.........", // superseded
    ".............=.DPNU..", // handed_off
    "...............=..UPN", // carried_out
    "...............D=.U=N", // partly
    ".............H=DP=U..", // not_carried_out
    "..................=..", // undone
];

/// Why an event is refused: it does not fit, it is not yours, too late, it is with somebody else, a circle, too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum No {
    Fit,
    Yours,
    Late,
    Elsewhere,
    Circle,
    Often,
}

/// Everything that is to be known of a recommendation. What a state does not have is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Card {
    /// Row of the table.
    pub(crate) at: usize,
    /// Who decided.
    pub(crate) by: Vec<u8>,
    /// When it was decided, passed on or escalated.
    pub(crate) when: i64,
    /// Of two signatures the one that is there: who, for whom, when.
    pub(crate) first: Option<(u8, Option<u8>, i64)>,
    /// With whom it is, and through whose hands it came.
    pub(crate) to: Option<u8>,
    pub(crate) via: Vec<u8>,
    /// How far it was escalated.
    pub(crate) level: u8,
    /// Reason of a refusal, day and condition of a snooze, number of the edited content.
    pub(crate) detail: (u8, u8, u8),
    /// The card that a decision was made on; of a snooze without what was signed.
    pub(crate) from: Option<Box<Card>>,
}

/// An event with all it could carry.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Happens {
    /// Column of the table.
    pub(crate) event: usize,
    /// Whose hand, for whom, to whom.
    pub(crate) by: u8,
    pub(crate) acting_for: Option<u8>,
    pub(crate) to: u8,
    pub(crate) needs_second: bool,
    /// Level, reason, day, condition, content.
    pub(crate) level: u8,
    pub(crate) detail: (u8, u8, u8),
    pub(crate) window: i64,
    pub(crate) now: i64,
}

fn row(name: &str) -> usize {
    STATES.iter().position(|state| *state == name).expect("a name of the list")
}

impl Card {
    fn only(at: &str) -> Self {
        Self { at: row(at), ..Self::default() }
    }

    pub(crate) fn name(&self) -> &'static str {
        STATES[self.at]
    }

    pub(crate) fn is_approved(&self) -> bool {
        self.at == row("approved") || self.at == row("approved_with_edit")
    }

    pub(crate) fn is_waiting(&self) -> bool {
        (row("queued")..=row("escalated")).contains(&self.at) || self.at == row("snoozed")
    }

    /// Where it stands without a name on it: queued, signed or escalated, as its fields say.
    fn nameless(mut self) -> Self {
        (self.to, self.via) = (None, Vec::new());
        self.at = row(if self.level > 0 {
            "escalated"
        } else if let Some((_, _, at)) = self.first {
            self.when = at;
            "signed"
        } else {
            self.when = 0;
            "queued"
        });
        self
    }

    /// Without the first signature.
    fn unsigned(self) -> Self {
        let without = Self { first: None, ..self };
        if without.to.is_some() { without } else { without.nameless() }
    }

    /// The card that a decision is made on: what is put off is decided as what was put off.
    fn stood(&self) -> Self {
        self.from.as_deref().filter(|_| self.at == row("snoozed")).unwrap_or(self).clone()
    }

    fn decided(&self, name: &str, by: Vec<u8>, happens: &Happens) -> Self {
        Self { by, when: happens.now, from: Some(Box::new(self.stood())), ..Self::only(name) }
    }

    pub(crate) fn after(&self, happens: &Happens) -> Result<Self, No> {
        let by = happens.by;
        let letter = TABLE[self.at].as_bytes()[happens.event];
        let goes = |name| Ok(Self::only(name));
        match letter {
            b'=' => Ok(self.clone()),
            b'C' => goes("checked"),
            b'X' => goes("expired"),
            b'S' => goes("superseded"),
            b'H' => goes("handed_off"),
            b'D' => goes("carried_out"),
            b'P' => goes("partly"),
            b'N' => goes("not_carried_out"),
            b'U' => goes("undone"),
            // A signature: nobody's twice, and never three.
            b'a' | b'e' => {
                let done = |by: Vec<u8>| {
                    let mut card = self.decided(if letter == b'a' { "approved" } else { "approved_with_edit" }, by, happens);
                    if letter == b'e' {
                        card.detail.2 = happens.detail.2;
                    }
                    card
                };
                match self.first {
                    Some((one, _, _)) if one == by => Ok(self.clone()),
                    Some((one, _, _)) if !happens.needs_second => Ok(done(vec![one, by])),
                    Some(_) => Err(No::Fit),
                    // A name and a level stay; without either it is a signed one.
                    None if happens.needs_second => {
                        let signed = Self { first: Some((by, happens.acting_for, happens.now)), ..self.clone() };
                        Ok(if self.to.is_some() { signed } else { signed.nameless() })
                    }
                    None => Ok(done(vec![by])),
                }
            }
            b'i' if self.by.contains(&by) => Ok(self.clone()),
            b'j' if self.by.contains(&by) && self.detail.2 == happens.detail.2 => Ok(self.clone()),
            b'k' if self.by == [by] && self.detail.0 == happens.detail.0 => Ok(self.clone()),
            b'r' => Ok(Self { detail: (happens.detail.0, 0, 0), ..self.decided("rejected", vec![by], happens) }),
            b'z' => Ok(Self {
                by: vec![by],
                detail: (0, happens.detail.1, happens.detail.2 % 3),
                from: Some(Box::new(self.stood().unsigned())),
                ..Self::only("snoozed")
            }),
            b'f' => {
                if self.via.last() == Some(&by) && self.to == Some(happens.to) {
                    return Ok(self.clone());
                }
                if self.to.is_some_and(|with| with != by) {
                    return Err(No::Elsewhere);
                }
                if self.via.len() == 2 {
                    return Err(No::Often);
                }
                let via = [self.via.as_slice(), &[by]].concat();
                if via.contains(&happens.to) {
                    return Err(No::Circle);
                }
                Ok(Self { at: row("forwarded"), to: Some(happens.to), via, when: happens.now, ..self.clone() })
            }
            b'b' if self.to == Some(by) => Ok(self.clone().nameless()),
            b'b' => Err(No::Elsewhere),
            b'l' => {
                let may_stay = self.at == row("escalated") || self.at == row("forwarded");
                if may_stay && happens.level == self.level {
                    return Ok(self.clone());
                }
                if happens.level <= self.level {
                    return Err(No::Fit);
                }
                let (level, first) = (happens.level, self.first);
                Ok(Self { level, first, when: happens.now, ..Self::only("escalated") })
            }
            // Taking back a signature, or a name.
            b'u' => match (self.first, self.to.is_some()) {
                (Some((one, _, _)), _) if one == by => Ok(self.clone().unsigned()),
                (_, true) if self.via.last() == Some(&by) => Ok(self.clone().nameless()),
                (_, true) | (Some(_), _) => Err(No::Yours),
                (None, false) => Err(No::Fit),
            },
            b'd' if !self.by.contains(&by) => Err(No::Yours),
            b'd' if happens.now - self.when >= happens.window => Err(No::Late),
            b'q' | b'd' => {
                let stood = *self.from.clone().expect("a decision was made on something");
                // Of two who approved, the first takes back what they signed; a refusal taken back leaves it there.
                let own = self.is_approved() && stood.first.is_some_and(|(one, _, _)| one == by);
                Ok(if own { stood.unsigned() } else { stood })
            }
            b'Q' => goes("queued"),
            _ => Err(No::Fit),
        }
    }
}

/// States of a case.
pub(crate) const CASE_STATES: [&str; 13] = [
    "new",
    "latent",
    "open",
    "snoozed",
    "decided",
    "verifying",
    "closed",
    "resolved_itself",
    "expired",
    "merged",
    "shadow",
    "shadow_over",
    "withdrawn",
];

/// Events of a case.
pub(crate) const CASE_EVENTS: [&str; 14] = [
    "stay_latent",
    "want",
    "propose",
    "snooze",
    "wake",
    "approve",
    "refuse",
    "undo",
    "hand_off",
    "settle",
    "resolve",
    "expire",
    "merge",
    "withdraw",
];

/// A digit goes to that state, and so do `s` (shadow), `o` (shadow over) and `w` (withdrawn); `=` stays, `.` is refused.
const CASE_TABLE: [&str; 13] = [
    "1=23.46===789w", // new
    "=02....===....", // latent
    "..23.46===789w", // open
    "...32462==789w", // snoozed
    ".......256....", // decided
    ".......==6....", // verifying
    ".......2==....", // closed
    ".......===....", // resolved_itself
    ".......===....", // expired
    ".......===....", // merged
    "..s....===o.oo", // shadow
    ".......===....", // shadow_over
    ".......===....", // withdrawn
];

/// Where a case stands, and what it was put off until or folded into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CaseCard {
    pub(crate) at: usize,
    pub(crate) detail: u8,
}

impl CaseCard {
    pub(crate) fn after(self, event: usize, detail: u8) -> Result<Self, No> {
        match CASE_TABLE[self.at].as_bytes()[event] {
            b'.' => Err(No::Fit),
            b'=' => Ok(self),
            letter => {
                let at = match letter {
                    b's' => 10,
                    b'o' => 11,
                    b'w' => 12,
                    digit => usize::from(digit - b'0'),
                };
                let withdrawn = at >= 10 && CASE_EVENTS[event] == "withdraw";
                let keeps = CASE_STATES[at] == "snoozed" || CASE_STATES[at] == "merged" || withdrawn;
                // There are three modes.
                let detail = if withdrawn { detail % 3 } else { detail };
                Ok(Self { at, detail: if keeps { detail } else { 0 } })
            }
        }
    }
}

/// Whether a person may sign, written a second time: who holds what.
///
/// Bits: 1 plans, 2 approves, 4 is of finance, 8 directs. Then the highest tier they release.
pub(crate) const PEOPLE: [(&str, u8, u8); 8] = [
    ("pia", 1, 0),
    ("ari", 3, 2),
    ("bo", 2, 3),
    ("fay", 6, 3),
    ("dan", 10, 4),
    ("adm", 0, 4),
    ("system", 15, 4),
    ("joy", 14, 4),
];

/// May `by` (for `acting_for`) sign something of this tier that `first` (for somebody) signed and `editors` changed? Then
/// whether another has to.
pub(crate) fn may_sign(
    tier: u8,
    by: u8,
    acting_for: Option<u8>,
    first: Option<(u8, Option<u8>)>,
    editors: &[u8],
) -> Option<bool> {
    let hands = |by: u8, acting_for: Option<u8>| -> Vec<u8> { [Some(by), acting_for].into_iter().flatten().collect() };
    let (mine, theirs) = (hands(by, acting_for), first.map_or_else(Vec::new, |(by, of)| hands(by, of)));
    let (_, own_bits, _) = PEOPLE[usize::from(by)];
    let (_, bits, level) = PEOPLE[usize::from(acting_for.unwrap_or(by))];
    let machine = mine.iter().any(|who| PEOPLE[usize::from(*who)].0 == "system");
    let touched = mine.iter().chain(&theirs).any(|who| editors.contains(who));
    if machine || touched || mine.iter().any(|who| theirs.contains(who)) || own_bits == 0 {
        return None;
    }
    match (tier, theirs.last()) {
        (0, _) => (bits != 0).then_some(false),
        (1 | 2, _) => (bits & 2 != 0 && level >= tier).then_some(false),
        (_, None) => (bits > 1).then_some(true),
        (_, Some(other)) => {
            let (_, other_bits, other_level) = PEOPLE[usize::from(*other)];
            let special = if tier == 3 { 4 } else { 8 };
            let done = bits > 1 && (bits | other_bits) & special != 0 && level.max(other_level) >= tier;
            done.then_some(false)
        }
    }
}
