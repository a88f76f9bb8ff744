//! The walk: eight actors on one case and its recommendations, each acting on what it last read, as the store lets them.
//!
//! Every step is taken twice, by the life cycles and by the reference, on what the actor holds; then it is written if nobody
//! wrote in between. After every step both are compared, and what must hold is held against a log of its own.

use reeve_domain::action::Action;
use reeve_domain::case::CaseState;
use reeve_domain::case_life::CaseEvent;
use reeve_domain::decision::{Before, Event, RecommendationState as State, RejectReason, TransitionError, WakeCondition};
use reeve_domain::ids::{CaseId, PersonId, RecommendationId};
use reeve_domain::mode::Mode;
use reeve_domain::money::Money;
use reeve_domain::policy::{
    ActionCode, Attempt, Class, Facts, Person, Policy, Question, QuestionStep, Refusal, Role, Ruling, Signer,
};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::reference::{self, CASE_EVENTS, CASE_STATES, Card, CaseCard, EVENTS, Happens, No, PEOPLE, STATES, may_sign};

/// Actors at work at the same time.
const ACTORS: usize = 8;

/// Recommendations of the case.
const CARDS: usize = 3;

/// Steps after which a new case begins: longer lives only wait in their last states.
const LIFE: u64 = 120;

/// Seconds in which a decision can be taken back.
const WINDOW: i64 = 300;

/// Numbers by chance, the same for the same seed (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn small(&mut self, limit: u8) -> u8 {
        u8::try_from(self.below(u64::from(limit))).expect("below a byte")
    }
}

/// One recommendation, as both see it.
#[derive(Clone)]
struct Pair {
    state: State,
    card: Card,
}

/// What an actor reads: everything of one case.
#[derive(Clone)]
struct Scene {
    version: u64,
    recs: Vec<Pair>,
    case: CaseState,
    case_card: CaseCard,
}

/// What is known of a recommendation apart from both: kept by whoever watches.
#[derive(Clone, Default)]
struct Watched {
    /// 0 to 4.
    tier: u8,
    editors: Vec<u8>,
    /// When it was approved, by whom.
    approved: Option<(i64, Vec<u8>)>,
    /// When it was rejected, by whom.
    rejected: Option<(i64, u8)>,
    /// The card that was approved or rejected.
    stood: Card,
    /// Expired or superseded: for good.
    dead: bool,
    /// Handed off, or told that it never will be.
    left: bool,
}

/// What was met, and how often each event met each state.
pub(crate) struct Report {
    pub(crate) steps: u64,
    pub(crate) worlds: u64,
    pub(crate) written: u64,
    pub(crate) stale: u64,
    pub(crate) refused: u64,
    pub(crate) approved: u64,
    pub(crate) handed_off: u64,
    pub(crate) not_sent: u64,
    pub(crate) pairs: Vec<[u64; EVENTS.len()]>,
    pub(crate) case_pairs: Vec<[u64; CASE_EVENTS.len()]>,
}

impl Report {
    /// Pairs of state and event that never met.
    pub(crate) fn missed(&self) -> Vec<String> {
        let recs = STATES.iter().zip(&self.pairs).flat_map(|(state, row)| {
            row.iter().zip(EVENTS).filter(|(n, _)| **n == 0).map(move |(_, event)| format!("{state} + {event}"))
        });
        let cases = CASE_STATES.iter().zip(&self.case_pairs).flat_map(|(state, row)| {
            row.iter().zip(CASE_EVENTS).filter(|(n, _)| **n == 0).map(move |(_, event)| format!("case {state} + {event}"))
        });
        recs.chain(cases).collect()
    }
}

/// What does not change from case to case.
struct Rules {
    policy: Policy,
    people: Vec<Person>,
    ids: Vec<PersonId>,
    /// One for each tier.
    rulings: Vec<Ruling>,
    facts: Facts,
    actions: Vec<Action>,
    dates: Vec<Date>,
}

impl Rules {
    fn new() -> Self {
        let policy = Policy::standard();
        let ids: Vec<PersonId> = PEOPLE.iter().map(|(id, ..)| PersonId::new(*id)).collect();
        let person = |(id, bits, tier): &(&str, u8, u8)| {
            let held = [(1, Role::Planner), (2, Role::Approver), (4, Role::Finance), (8, Role::Director)];
            let mut roles: Vec<Role> = held.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, role)| *role).collect();
            roles.extend((*bits == 0).then_some(Role::Admin));
            Person { roles, tier: *tier, ..Person::gone(PersonId::new(*id)) }
        };
        let facts = Facts { class: Some(Class::C), ..Facts::default() };
        let id = RecommendationId::new("r");
        let judged = |(action, value): &(&str, i64)| {
            policy.judge(&Question {
                id: &id,
                steps: &[QuestionStep {
                    action: ActionCode::named(action).expect("an action of the catalogue"),
                    item: None,
                    supplier: None,
                    facts: &facts,
                }],
                value: Money::from_minor(value * 100),
                signers: &[],
                on_behalf_of: &[],
                earlier: &[],
                now: time(0),
            })
        };
        let kinds = [("MONITOR", 0), ("NEW-PO", 900), ("NEW-PO", 9_000), ("NEW-PO", 40_000), ("NEW-PO", 90_000)];
        let rulings: Vec<Ruling> = kinds.iter().map(judged).collect();
        for (tier, ruling) in rulings.iter().enumerate() {
            assert_eq!(usize::from(ruling.tier.level()), tier);
        }
        let action = |n: u8| Action::NoAction { reason: n.to_string() };
        let date = |n: i8| jiff::civil::date(2026, 10, n + 1);
        Self {
            people: PEOPLE.iter().map(person).collect(),
            ids,
            rulings,
            facts,
            actions: (0..4).map(action).collect(),
            dates: (0..4).map(date).collect(),
            policy,
        }
    }

    fn place(&self, id: &PersonId) -> u8 {
        let place = self.ids.iter().position(|known| known == id).expect("nobody else acts");
        u8::try_from(place).expect("eight people")
    }

    /// The card that shows what a decision was made on.
    fn card_before(&self, before: &Before) -> Card {
        let who = |id: &PersonId| self.place(id);
        let first = before.signed.as_ref().map(|s| (who(&s.by), s.on_behalf_of.last().map(who), s.at.as_second()));
        let mut card = Card { first, ..Card::default() };
        let name = if let Some(passed) = &before.passed {
            card.to = Some(who(&passed.to));
            card.via = passed.via.iter().map(who).collect();
            card.when = passed.at.as_second();
            "forwarded"
        } else if let Some(step) = &before.escalated {
            card.when = step.at.as_second();
            "escalated"
        } else if let Some((_, _, at)) = first {
            card.when = at;
            "signed"
        } else {
            "queued"
        };
        card.level = before.escalated.as_ref().map_or(0, |step| step.level);
        card.at = STATES.iter().position(|state| *state == name).expect("a state of the list");
        card
    }

    /// The card that shows what a state says.
    fn picture(&self, state: &State) -> Card {
        let at = STATES.iter().position(|name| *name == state.name()).expect("a state of the list");
        let mut card = Card { at, ..Card::default() };
        let who = |id: &PersonId| self.place(id);
        card.from = match state {
            State::Approved { before, .. }
            | State::ApprovedWithEdit { before, .. }
            | State::Rejected { before, .. }
            | State::Snoozed { before, .. } => Some(Box::new(self.card_before(before))),
            _ => None,
        };
        card.level = state.level();
        card.first = state.first_signature().map(|s| (who(&s.by), s.on_behalf_of.last().map(who), s.at.as_second()));
        match state {
            State::Signed { at, .. } | State::Escalated { at, .. } => card.when = at.as_second(),
            State::Forwarded { to, via, at, .. } => {
                card.to = Some(who(to));
                card.via = via.iter().map(who).collect();
                card.when = at.as_second();
            }
            State::Approved { by, at, .. } => (card.by, card.when) = (by.iter().map(who).collect(), at.as_second()),
            State::ApprovedWithEdit { by, at, edited, .. } => {
                (card.by, card.when) = (by.iter().map(who).collect(), at.as_second());
                let place = self.actions.iter().position(|a| *a == **edited).expect("one of the edits");
                card.detail.2 = u8::try_from(place).expect("four edits");
            }
            State::Rejected { by, at, reason, .. } => {
                (card.by, card.when) = (vec![who(by)], at.as_second());
                let place = RejectReason::ALL.iter().position(|r| r == reason).expect("all are listed");
                card.detail.0 = u8::try_from(place).expect("ten reasons");
            }
            State::Snoozed { by, until, wake, .. } => {
                card.by = vec![who(by)];
                card.detail.1 = u8::try_from(until.day() - 1).expect("days of a month");
                card.detail.2 = match wake {
                    WakeCondition::Grew => 0,
                    WakeCondition::ValueAbove { .. } => 1,
                    WakeCondition::StageChanged => 2,
                };
            }
            _ => {}
        }
        card
    }

    fn event(&self, happens: &Happens) -> Event {
        let who = |place: u8| self.ids[usize::from(place)].clone();
        let (by, on_behalf_of) = (who(happens.by), happens.acting_for.map(who).into_iter().collect());
        let wake = || match happens.detail.2 % 3 {
            0 => WakeCondition::Grew,
            1 => WakeCondition::ValueAbove { value: Money::from_minor(5_000) },
            _ => WakeCondition::StageChanged,
        };
        match EVENTS[happens.event] {
            "check" => Event::Check,
            "queue" => Event::Queue,
            "approve" => Event::Approve { by, on_behalf_of, needs_second: happens.needs_second },
            "approve_edited" => Event::ApproveEdited {
                by,
                on_behalf_of,
                needs_second: happens.needs_second,
                action: Box::new(self.actions[usize::from(happens.detail.2)].clone()),
            },
            "reject" => Event::Reject { by, reason: RejectReason::ALL[usize::from(happens.detail.0)] },
            "snooze" => Event::Snooze { by, until: self.dates[usize::from(happens.detail.1)], wake: wake() },
            "forward" => Event::Forward { by, to: who(happens.to) },
            "return" => Event::Return { by },
            "wake" => Event::Wake,
            "escalate" => Event::Escalate { level: happens.level },
            "expire" => Event::Expire,
            "supersede" => Event::Supersede,
            "undo" => Event::Undo { by, window: SignedDuration::from_secs(happens.window) },
            "hand_off" => Event::HandOff,
            "not_sent" => Event::NotSent,
            "seen_done" => Event::SeenDone,
            "seen_partly" => Event::SeenPartly,
            "not_seen" => Event::NotSeen,
            "seen_undone" => Event::SeenUndone,
            "step_undone" => Event::StepUndone { holds: true },
            "all_undone" => Event::StepUndone { holds: false },
            other => panic!("{other} is no event"),
        }
    }

    fn case_event(&self, event: usize, detail: u8) -> CaseEvent {
        match CASE_EVENTS[event] {
            "stay_latent" => CaseEvent::StayLatent,
            "want" => CaseEvent::Want,
            "propose" => CaseEvent::Propose,
            "snooze" => CaseEvent::Snooze {
                until: self.dates[usize::from(detail)],
                wake: WakeCondition::Grew,
                value_then: Money::ZERO,
                codes_then: Vec::new(),
            },
            "wake" => CaseEvent::Wake,
            "approve" => CaseEvent::Approve,
            "refuse" => CaseEvent::Refuse,
            "undo" => CaseEvent::Undo,
            "hand_off" => CaseEvent::HandOff,
            "settle" => CaseEvent::Settle,
            "resolve" => CaseEvent::Resolve,
            "expire" => CaseEvent::Expire,
            "merge" => CaseEvent::Merge { into: CaseId::new(detail.to_string()) },
            "withdraw" => CaseEvent::Withdraw { to: Mode::ALL[usize::from(detail % 3)] },
            other => panic!("{other} is no event of a case"),
        }
    }

    fn case_picture(state: &CaseState) -> CaseCard {
        let at = CASE_STATES.iter().position(|name| *name == state.name()).expect("a state of the list");
        let detail = match state {
            CaseState::Snoozed { until, .. } => u8::try_from(until.day() - 1).expect("days of a month"),
            CaseState::Merged { into } => into.as_str().parse().expect("a number was written"),
            CaseState::ShadowOver { to: Some(to) } | CaseState::Withdrawn { to } => {
                u8::try_from(Mode::ALL.iter().position(|mode| mode == to).expect("all are listed")).expect("three")
            }
            _ => 0,
        };
        CaseCard { at, detail }
    }
}

fn time(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a second of this age")
}

fn told(error: &TransitionError) -> No {
    match error {
        TransitionError::Refused { .. } => No::Fit,
        TransitionError::NotYours { .. } => No::Yours,
        TransitionError::WindowClosed { .. } => No::Late,
        TransitionError::NotWithYou { .. } => No::Elsewhere,
        TransitionError::Circle { .. } => No::Circle,
        TransitionError::TooManyForwards => No::Often,
    }
}

/// One case with its actors.
struct World<'a> {
    rules: &'a Rules,
    head: Scene,
    actors: Vec<Scene>,
    watched: Vec<Watched>,
    now: i64,
    report: &'a mut Report,
}

impl World<'_> {
    /// One actor reads, or acts on what it has read.
    fn step(&mut self, chance: &mut Chance) {
        self.now += i64::try_from(chance.below(90)).expect("small");
        let actor = usize::try_from(chance.below(ACTORS as u64)).expect("eight");
        // A third of all steps is taken on what was read some time ago.
        if chance.below(3) > 0 {
            self.actors[actor] = self.head.clone();
        }
        let held = self.actors[actor].clone();
        let rec = usize::try_from(chance.below(CARDS as u64)).expect("three");
        let next = if chance.below(6) == 0 {
            self.case_step(&held, chance)
        } else {
            let happens = self.happens(&held, rec, chance);
            self.rec_step(&held, rec, &happens)
        };
        let Some(next) = next else {
            self.report.refused += 1;
            return;
        };
        // As the store: written when nobody wrote since it was read.
        if held.version == self.head.version {
            self.watch(&next);
            self.head = Scene { version: held.version + 1, ..next };
            self.report.written += 1;
        } else {
            self.report.stale += 1;
        }
    }

    /// What an actor tries: likely something that fits, sometimes anything.
    fn happens(&self, held: &Scene, rec: usize, chance: &mut Chance) -> Happens {
        let people = u8::try_from(PEOPLE.len()).expect("eight");
        let likely: &[&str] = match held.recs[rec].card.name() {
            "drafted" => &["check"],
            "checked" => &["queue"],
            "queued" | "signed" | "forwarded" | "escalated" => {
                &["approve", "approve", "approve", "approve_edited", "forward", "return", "escalate", "undo", "reject"]
            }
            "approved" | "approved_with_edit" => &["undo", "hand_off", "hand_off", "not_sent", "approve", "approve_edited"],
            "rejected" => &["undo", "reject"],
            "snoozed" => &["wake", "snooze"],
            _ => &["seen_done", "seen_partly", "not_seen", "seen_undone", "step_undone", "all_undone"],
        };
        let any = chance.below(3) == 0;
        let pick = |of: usize, chance: &mut Chance| usize::try_from(chance.below(of as u64)).expect("few");
        let event = if any {
            pick(EVENTS.len(), chance)
        } else {
            let name = likely[pick(likely.len(), chance)];
            EVENTS.iter().position(|event| *event == name).expect("an event of the list")
        };
        // Whoever is concerned acts more often than chance would have it.
        let card = &held.recs[rec].card;
        let concerned: Vec<u8> =
            card.by.iter().chain(&card.to).chain(&card.via).copied().chain(card.first.map(|f| f.0)).collect();
        let by = if concerned.is_empty() || chance.below(2) == 0 {
            chance.small(people)
        } else {
            concerned[pick(concerned.len(), chance)]
        };
        Happens {
            event,
            by,
            acting_for: (chance.below(4) == 0).then(|| chance.small(people)).filter(|of| *of != by),
            to: chance.small(people),
            needs_second: false,
            level: chance.small(4),
            detail: (chance.small(10), chance.small(4), chance.small(4)),
            window: WINDOW,
            now: self.now,
        }
    }

    /// A recommendation's event, taken twice. None where it is refused.
    fn rec_step(&mut self, held: &Scene, rec: usize, happens: &Happens) -> Option<Scene> {
        let pair = &held.recs[rec];
        let mut happens = *happens;
        let is_approval = EVENTS[happens.event].starts_with("approve");
        self.report.pairs[pair.card.at][happens.event] += 1;
        if is_approval {
            let may = self.may(pair, rec, &happens);
            // A decision that stands is answered whoever asks: the life cycle sees to it. What is not allowed never gets there.
            let stands = pair.card.is_approved() && pair.card.by.contains(&happens.by);
            happens.needs_second = match may {
                Some(needs_second) => needs_second,
                None if stands => false,
                None => return None,
            };
        }
        let by_rules = pair.state.clone().after(self.rules.event(&happens), time(happens.now));
        let by_reference = pair.card.after(&happens);
        let pictured = by_rules.as_ref().map(|state| self.rules.picture(state)).map_err(told);
        assert_eq!(pictured, by_reference, "{:?} + {happens:?}", pair.state);
        let next = Pair { state: by_rules.ok()?, card: by_reference.ok()? };
        let mut scene = held.clone();
        let newly = next.card.is_approved() && !pair.card.is_approved();
        if newly {
            // One decision for a case: an approval decides it, or is none.
            scene = self.on_case(&scene, "approve", 0)?;
        }
        if newly || (is_approval && next.card != pair.card) {
            self.signing(held, rec, &happens, newly);
        }
        let came_back = pair.card.is_approved() && next.card.is_waiting();
        let left = next.card.name() == "handed_off" && pair.card.is_approved();
        let stays = next.card.name() == "not_carried_out" && pair.card.is_approved();
        for (happened, event) in [(came_back, "undo"), (left, "hand_off"), (stays, "settle")] {
            if happened {
                scene = self.on_case(&scene, event, 0)?;
            }
        }
        if left || stays {
            // What was not chosen is superseded.
            for other in (0..CARDS).filter(|other| *other != rec) {
                let supersede = EVENTS.iter().position(|event| *event == "supersede").expect("an event of the list");
                let happens = Happens { event: supersede, ..happens };
                let state = scene.recs[other].state.clone().after(Event::Supersede, time(self.now));
                let card = scene.recs[other].card.after(&happens);
                assert_eq!(state.as_ref().map(|s| self.rules.picture(s)).map_err(told), card);
                if let (Ok(state), Ok(card)) = (state, card) {
                    scene.recs[other] = Pair { state, card };
                }
            }
        }
        scene.recs[rec] = next;
        Some(scene)
    }

    /// May the hand sign? Asked of the policy and of the reference.
    fn may(&self, pair: &Pair, rec: usize, happens: &Happens) -> Option<bool> {
        let rules = self.rules;
        let signer = |by: u8, of: Option<u8>| Signer {
            person: rules.people[usize::from(by)].clone(),
            on_behalf_of: of.map(|of| rules.people[usize::from(of)].clone()).into_iter().collect(),
        };
        let watched = &self.watched[rec];
        let first = pair.card.first.map(|(by, of, _)| (by, of));
        let signed: Vec<Signer> = first.map(|(by, of)| signer(by, of)).into_iter().collect();
        let touched_by: Vec<PersonId> = watched.editors.iter().map(|who| rules.ids[usize::from(*who)].clone()).collect();
        let by_policy = rules.policy.may_sign(&Attempt {
            signer: &signer(happens.by, happens.acting_for),
            ruling: &rules.rulings[usize::from(watched.tier)],
            facts: std::slice::from_ref(&rules.facts),
            signed: &signed,
            touched_by: &touched_by,
        });
        let by_reference = may_sign(watched.tier, happens.by, happens.acting_for, first, &watched.editors);
        assert_eq!(by_policy.as_ref().ok().map(|s| s.needs_second), by_reference, "{by_policy:?} of tier {}", watched.tier);
        if matches!(by_policy, Err(Refusal::Machine(_))) {
            assert!(PEOPLE[usize::from(happens.by)].0 == "system" || happens.acting_for.is_some());
        }
        by_reference
    }

    /// An approval or a first signature: what must hold of it, from the log and not from the states.
    fn signing(&mut self, held: &Scene, rec: usize, happens: &Happens, newly: bool) {
        let watched = &self.watched[rec];
        let needed = if watched.tier >= 3 { 2 } else { 1 };
        let hands = |(by, of): &(u8, Option<u8>)| [Some(*by), *of].into_iter().flatten().collect::<Vec<u8>>();
        let mut all: Vec<(u8, Option<u8>)> = held.recs[rec].card.first.map(|(by, of, _)| (by, of)).into_iter().collect();
        all.push((happens.by, happens.acting_for));
        let everybody: Vec<u8> = all.iter().flat_map(hands).collect();
        let mut once = everybody.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), everybody.len(), "somebody signed twice: {all:?}");
        assert!(!everybody.iter().any(|who| PEOPLE[usize::from(*who)].0 == "system"), "a machine signed");
        assert!(!everybody.iter().any(|who| watched.editors.contains(who)), "who edited it signed it");
        assert_eq!(newly, all.len() >= needed, "{} signatures under tier {}", all.len(), watched.tier);
        assert!(
            held.recs[rec].card.is_waiting() && held.recs[rec].card.name() != "snoozed",
            "{:?} was signed",
            held.recs[rec].card
        );
    }

    /// A case's event, taken twice.
    fn on_case(&mut self, scene: &Scene, event: &str, detail: u8) -> Option<Scene> {
        let event = CASE_EVENTS.iter().position(|known| *known == event).expect("an event of the list");
        self.report.case_pairs[scene.case_card.at][event] += 1;
        let by_rules = scene.case.clone().after(self.rules.case_event(event, detail));
        let by_reference = scene.case_card.after(event, detail);
        let pictured = by_rules.as_ref().map(Rules::case_picture).map_err(|_| No::Fit);
        assert_eq!(pictured, by_reference, "{:?} + {}", scene.case, CASE_EVENTS[event]);
        Some(Scene { case: by_rules.ok()?, case_card: by_reference.ok()?, ..scene.clone() })
    }

    /// Something happens to the case; what ends it ends what waits in it.
    fn case_step(&mut self, held: &Scene, chance: &mut Chance) -> Option<Scene> {
        // What ends a case comes seldom, so that there is something to end.
        let event = match chance.below(40) {
            0 => "refuse",
            1 => "resolve",
            2 => "expire",
            3 => "merge",
            4 | 5 => "stay_latent",
            6 => "want",
            7 => "withdraw",
            n => ["propose", "snooze", "wake", "settle", "undo", "hand_off", "approve", "propose", "wake"]
                [usize::try_from(n % 9).expect("few")],
        };
        let waiting = |scene: &Scene| scene.recs.iter().any(|pair| pair.card.is_waiting());
        let decided = held.recs.iter().any(|pair| pair.card.is_approved());
        // An approval decides a case and an undo reopens it: without one, these are only asked and not kept.
        let only_asked = matches!(event, "approve" | "undo" | "hand_off") || (event == "settle" && decided);
        let mut scene = self.on_case(held, event, chance.small(4))?;
        if only_asked {
            return None;
        }
        if matches!(event, "refuse" | "resolve" | "expire" | "merge" | "withdraw") && waiting(&scene) {
            for rec in 0..CARDS {
                let happens = Happens {
                    event: EVENTS.iter().position(|e| *e == "supersede").expect("an event of the list"),
                    now: self.now,
                    ..Happens::default()
                };
                let state = scene.recs[rec].state.clone().after(Event::Supersede, time(self.now));
                let card = scene.recs[rec].card.after(&happens);
                assert_eq!(state.as_ref().map(|s| self.rules.picture(s)).map_err(told), card);
                if let (Ok(state), Ok(card)) = (state, card) {
                    scene.recs[rec] = Pair { state, card };
                }
            }
        }
        Some(scene)
    }

    /// What must hold of everything that is written, whatever both say.
    fn watch(&mut self, next: &Scene) {
        for rec in 0..CARDS {
            let (was, is) = (&self.head.recs[rec].card, &next.recs[rec].card);
            let watched = &mut self.watched[rec];
            assert_eq!(self.rules.picture(&next.recs[rec].state), *is);
            if is.is_approved() && !was.is_approved() {
                assert!(!watched.dead && watched.rejected.is_none() && !watched.left, "{was:?} was approved");
                assert!(was.is_waiting(), "{was:?} was approved");
                assert_eq!(is.by.len(), if watched.tier >= 3 { 2 } else { 1 });
                watched.approved = Some((self.now, is.by.clone()));
                watched.stood = was.clone();
                self.report.approved += 1;
            }
            if was.is_approved() && is.is_waiting() {
                let (then, _) = watched.approved.take().expect("it was seen to be approved");
                assert!(self.now - then < WINDOW, "taken back too late");
                came_back_to(&watched.stood, is);
            }
            if is.name() == "handed_off" && was.name() != "handed_off" {
                // What was told not to have left may turn out to have arrived.
                let arrived = was.name() == "not_carried_out" && watched.left;
                assert!((was.is_approved() || arrived) && watched.approved.is_some(), "{was:?} was handed off");
                watched.left = true;
                self.report.handed_off += 1;
            }
            if is.name() == "not_carried_out" && was.is_approved() {
                watched.left = true;
                self.report.not_sent += 1;
            }
            if is.name() == "rejected" && was != is {
                watched.rejected = Some((self.now, is.by[0]));
                watched.stood = if was.name() == "snoozed" { Card::default() } else { was.clone() };
            }
            if was.name() == "rejected" && is.is_waiting() {
                let (then, _) = watched.rejected.take().expect("it was seen to be rejected");
                assert!(self.now - then < WINDOW, "a refusal was taken back too late");
                if watched.stood != Card::default() {
                    came_back_to(&watched.stood, is);
                }
            }
            watched.dead |= matches!(is.name(), "expired" | "superseded");
            assert!(!watched.dead || matches!(is.name(), "expired" | "superseded"), "{is:?} was dead");
            assert!(!watched.left || STATES[13..].contains(&is.name()), "{is:?} had left");
            assert!(is.via.len() <= 2 && is.via.iter().all(|who| Some(*who) != is.to), "{is:?} goes in a circle");
            if was.is_waiting() && is.is_waiting() && is.name() != "snoozed" && was.name() != "snoozed" {
                assert!(is.level >= was.level, "{was:?} → {is:?}: fewer people know");
                let signed = is.first.is_some() && is.first != was.first;
                assert!(!signed || is.to == was.to, "{was:?} → {is:?}: a signature took the name off");
            }
        }
        let decided = next.recs.iter().filter(|pair| pair.card.is_approved() || STATES[13..].contains(&pair.card.name()));
        assert!(decided.count() <= 1, "two of one case were approved");
    }
}

/// A decision was taken back: all is as it stood, but for the signature of whoever took it back.
fn came_back_to(stood: &Card, is: &Card) {
    let place = |card: &Card| (card.to, card.via.clone(), card.level);
    assert_eq!(place(is), place(stood), "it stood elsewhere");
    assert!(is.first == stood.first || is.first.is_none(), "{stood:?} → {is:?}: another's signature");
}

/// Walks `steps` steps from `seed`.
///
/// # Panics
/// Where the life cycles and the reference differ, or something does not hold that must.
pub(crate) fn walk(steps: u64, seed: u64) -> Report {
    let rules = Rules::new();
    let mut report = Report {
        steps,
        worlds: 0,
        written: 0,
        stale: 0,
        refused: 0,
        approved: 0,
        handed_off: 0,
        not_sent: 0,
        pairs: vec![[0; EVENTS.len()]; STATES.len()],
        case_pairs: vec![[0; CASE_EVENTS.len()]; CASE_STATES.len()],
    };
    let mut left = steps;
    while left > 0 {
        // Each case has its own numbers: one that fails can be walked alone.
        let mut chance = Chance(seed.wrapping_mul(0x0100_0000_01b3) ^ report.worlds);
        let pair = Pair { state: State::Drafted, card: Card::default() };
        let mut scene =
            Scene { version: 0, recs: vec![pair; CARDS], case: CaseState::New, case_card: reference::CaseCard::default() };
        // One in eight is in shadow: whatever the actors try, nothing of it is ever decided.
        if report.worlds % 8 == 7 {
            let card = Card { at: 1, ..Card::default() };
            scene.recs = vec![Pair { state: State::Shadow, card }; CARDS];
            (scene.case, scene.case_card.at) = (CaseState::Shadow, CASE_STATES.len() - 3);
        }
        let watched = |chance: &mut Chance| {
            let editors = (0..chance.below(3)).map(|_| chance.small(8)).collect();
            Watched { tier: chance.small(5), editors, ..Watched::default() }
        };
        let watched = (0..CARDS).map(|_| watched(&mut chance)).collect();
        let actors = vec![scene.clone(); ACTORS];
        let mut world = World { rules: &rules, head: scene, actors, watched, now: 1_790_000_000, report: &mut report };
        for _ in 0..LIFE.min(left) {
            world.step(&mut chance);
        }
        left -= LIFE.min(left);
        report.worlds += 1;
    }
    report
}
