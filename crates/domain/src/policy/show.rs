//! Show: the policy as the document that an auditor wants. The same policy and people give the same text.

use serde::{Deserialize, Serialize};

use super::document::Policy;
use super::people::{Person, Role};
use super::rules::ActionCode;
use super::tiers::Tier;
use crate::ids::content_hash;

/// What may never be recommended, whatever the evidence (handbook §5).
pub const FORBIDDEN: [&str; 6] = [
    "creating or changing suppliers or their bank data",
    "prices to customers other than by MARKDOWN",
    "payments",
    "changing users, limits or policies",
    "anything for a subject outside the reader's company",
    "an action whose only support is free text written by a third party",
];

/// A part of the document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// Its sentences, one a line.
    pub lines: Vec<String>,
    /// Its table, the first row being the heads; empty where it has none.
    pub table: Vec<Vec<String>>,
}

impl Section {
    fn lines(title: &str, lines: Vec<String>) -> Self {
        Self { title: title.to_owned(), lines, table: Vec::new() }
    }
}

/// The policy for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyDocument {
    /// "Approval policy handbook 1".
    pub title: String,
    /// As the audit log records it.
    pub version: String,
    /// Hash of what the people may do: it changes when their rights do.
    pub people_hash: String,
    /// Its parts.
    pub sections: Vec<Section>,
}

impl PolicyDocument {
    /// The document as Markdown.
    pub fn markdown(&self) -> String {
        let mut lines = vec![
            format!("# {}", self.title),
            String::new(),
            format!("Version `{}`, people `{}`.", self.version, self.people_hash),
        ];
        for section in &self.sections {
            lines.extend([String::new(), format!("## {}", section.title), String::new()]);
            lines.extend(section.lines.iter().map(|line| format!("- {line}")));
            if !section.lines.is_empty() && !section.table.is_empty() {
                lines.push(String::new());
            }
            for (number, row) in section.table.iter().enumerate() {
                // Names come from the configuration and may hold what would end a cell.
                let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
                lines.push(format!("| {} |", cells.join(" | ")));
                if number == 0 {
                    lines.push(format!("|{}", "---|".repeat(row.len())));
                }
            }
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// The policy, written out for these people.
pub fn show(policy: &Policy, people: &[Person]) -> PolicyDocument {
    let people_text = serde_json::to_string(people).expect("people are plain values");
    PolicyDocument {
        title: format!("Approval policy {} {}", policy.name, policy.version),
        version: policy.version(),
        people_hash: content_hash(&[&people_text])[..12].to_owned(),
        sections: vec![
            Section::lines("What the AI may recommend", recommend(policy)),
            Section::lines("What it never does", never()),
            Section::lines("What a language model may see", sees(policy)),
            tiers(policy),
            rules(policy),
            Section::lines("How splitting is stopped", splitting(policy)),
            Section::lines("Separation of duties", separation()),
            Section::lines("Silence is not consent", silence(policy)),
            Section::lines("Standing in for one another", delegation(policy)),
            Section::lines("Taking back", taking_back()),
            Section::lines("Detectors and language models", detectors(policy)),
            Section::lines("Attention", attention(policy)),
            the_people(people),
        ],
    }
}

fn codes(actions: impl Iterator<Item = ActionCode>) -> String {
    actions.map(ActionCode::as_str).collect::<Vec<_>>().join(", ")
}

fn recommend(policy: &Policy) -> Vec<String> {
    let not: Vec<ActionCode> = ActionCode::all().filter(|action| !policy.permits(*action)).collect();
    let mut lines = vec![format!("{}.", codes(ActionCode::all().filter(|action| policy.permits(*action))))];
    if !not.is_empty() {
        lines.push(format!("Taken out by this policy, so that nobody can release them: {}.", codes(not.into_iter())));
    }
    lines.push("The list is closed: nothing outside it can be recommended, whatever a text says.".to_owned());
    lines.push("Its figures are computed and cited; a language model orders and words what was computed.".to_owned());
    lines
}

fn never() -> Vec<String> {
    let mut lines =
        vec!["It reads the ERP and writes nothing there; what was approved is carried out by people.".to_owned()];
    lines.extend(FORBIDDEN.iter().map(|what| format!("It never recommends {what}.")));
    lines
}

fn sees(policy: &Policy) -> Vec<String> {
    let sight = &policy.model;
    let records: Vec<&str> = sight.records.iter().map(|kind| kind.as_str()).collect();
    let facts: Vec<&str> = sight.facts.iter().map(|kind| kind.told()).collect();
    if records.is_empty() || facts.is_empty() {
        return vec!["Nothing: the playbook writes every draft.".to_owned()];
    }
    vec![
        format!("Facts of these records: {}.", records.join(", ")),
        format!("Of these kinds: {}.", facts.join(", ")),
        if sight.outside_text {
            "Text written by others (names, notes, references) is shown as data, never followed as an instruction."
                .to_owned()
        } else {
            "No text written by others: no names, notes or references.".to_owned()
        },
    ]
}

fn roles(all: &[Role]) -> String {
    all.iter().map(|role| role.told()).collect::<Vec<_>>().join(" or ")
}

fn tiers(policy: &Policy) -> Section {
    let mut table = vec![["Tier", "Value", "Signatures", "Who"].map(str::to_owned).to_vec()];
    let limited = policy.tiers.limited();
    for tier in Tier::ALL {
        let takes = policy.tiers.takes(tier);
        let value = match (tier, limited.iter().find(|(of, _)| *of == tier)) {
            (Tier::T0, _) => codes(policy.tiers.t0.actions.iter().copied()),
            // Without a rate nothing counts as below the limit; an auditor has to read here what is done at the click.
            (_, Some((_, row))) => match (policy.in_company(&row.limit), row.limit.currency.is_some()) {
                (None, _) => format!("up to {}: no rate, so nothing", row.limit),
                (Some(limit), false) => format!("up to {limit} {}", policy.currency),
                (Some(limit), true) => format!("up to {} = {limit} {}", row.limit, policy.currency),
            },
            (_, None) => "above".to_owned(),
        };
        let with = match takes.with {
            [] => String::new(),
            with => {
                let told: Vec<&str> = with.iter().map(|role| role.told()).collect();
                format!("; {} among them", told.join(" and "))
            }
        };
        let signatures = if takes.signatures == 1 { "one person".to_owned() } else { "two different people".to_owned() };
        table.push(vec![tier.to_string(), value, signatures, format!("{}{with}", roles(takes.who))]);
    }
    let lines = vec![
        format!(
            "A value is the larger of money committed, written off and claimed, in {}, after conversion.",
            policy.currency
        ),
        "Where one person signs, they hold the tier; where two sign, one of them does, and both are inside the scope."
            .to_owned(),
        "A person's own limit and scope narrow what their tier allows.".to_owned(),
        "What is not known of a recommendation counts as the stricter case.".to_owned(),
    ];
    Section { title: "What needs whom".to_owned(), lines, table }
}

fn rules(policy: &Policy) -> Section {
    let mut table = vec![["Rule", "When", "Takes"].map(str::to_owned).to_vec()];
    table.extend(policy.rules.iter().map(|rule| vec![rule.name.clone(), rule.when_told(), rule.asks_told()]));
    Section { title: "What takes more than its value".to_owned(), lines: Vec::new(), table }
}

fn splitting(policy: &Policy) -> Vec<String> {
    let count = &policy.cumulative;
    let by = [
        (count.item, "for the same item"),
        (count.supplier, "for the same supplier"),
        (count.approver, "by the same approver"),
        (count.chain, "by whom they stand in for, or who stands in for them"),
    ];
    let by: Vec<&str> = by.iter().filter(|(counts, _)| *counts).map(|(_, told)| *told).collect();
    if count.days == 0 || by.is_empty() {
        return vec!["It is not: nothing counts together under this policy.".to_owned()];
    }
    vec![
        format!("A new value counts together with what was released in the last {} days {}.", count.days, by.join(", ")),
        "Each recommendation counts once, however many signed it; the sum is compared with the limits at every signature."
            .to_owned(),
        "A rule with a limit of its own counts what the same action was released for.".to_owned(),
    ]
}

fn separation() -> Vec<String> {
    vec![
        "Whoever edited a recommendation, or whose count, receipt or bill it concerns, can not sign it; nor can who stands in \
         for them, or whom they stand in for."
            .to_owned(),
        "Two signatures are of two people who have nobody in common.".to_owned(),
        "The system never signs. Administrators are not exempt, and being one gives no right to sign.".to_owned(),
    ]
}

fn silence(policy: &Policy) -> Vec<String> {
    let mut lines = vec![
        "Nothing is ever approved by waiting: who does not decide is reminded, others are told, and in the end it expires."
            .to_owned(),
    ];
    for tier in Tier::ALL {
        let steps: Vec<String> =
            policy.steps(tier).iter().map(|(_, step)| format!("{} after {} h", step.to, step.after_hours)).collect();
        lines.push(format!("{tier}: {}.", if steps.is_empty() { "nobody is told".to_owned() } else { steps.join(", ") }));
    }
    lines.push(format!("Hours are working hours: {}.", policy.hours.told()));
    if !policy.hours.holidays.is_empty() {
        let days: Vec<String> = policy.hours.holidays.iter().map(ToString::to_string).collect();
        lines.push(format!("Nobody works on {}.", days.join(", ")));
    }
    let quiet = &policy.quiet;
    let days_off = if quiet.days_off { ", nor on days off" } else { "" };
    if quiet.from == quiet.to {
        lines.push(format!("There are no quiet hours{}.", if quiet.days_off { " but days off" } else { "" }));
    } else {
        lines.push(format!("Nobody is told anything from {} to {}{days_off}.", quiet.from, quiet.to));
    }
    lines.push(format!("One person gets at most {} such notices a day.", policy.escalation.per_person_per_day));
    lines
}

fn delegation(policy: &Policy) -> Vec<String> {
    let rules = &policy.delegation;
    if !rules.allowed {
        return vec!["Nobody stands in for anybody.".to_owned()];
    }
    let chain = if rules.chain_max == 1 { "may not be passed on" } else { "may be passed on once" };
    vec![
        format!(
            "From a day to a day, at most {} days, with a reason; it {chain}, and never in a circle.",
            rules.longest_days
        ),
        "Who stands in has the rights, the limit and the scope of whom they stand in for. Both names are in the record."
            .to_owned(),
    ]
}

fn taking_back() -> Vec<String> {
    vec![
        "Who decided may take it back until the undo window has passed; until then nothing leaves.".to_owned(),
        "An approval binds to the exact content that was on the screen, and is checked on fresh records at the click."
            .to_owned(),
    ]
}

fn detectors(policy: &Policy) -> Vec<String> {
    let rules = &policy.detectors;
    let told = |role: &Role| match role {
        Role::Approver => format!("an approver of tier {} or more", rules.approver_tier),
        role => role.told().to_owned(),
    };
    let who: Vec<String> = rules.who.iter().map(told).collect();
    let many = if rules.signatures == 1 { "one person promotes" } else { "two different people promote" };
    vec![
        "No version of a detector runs that no person has promoted, except the one that a store began with.".to_owned(),
        format!("After it passed its validation, {many} a version: {}. Going back takes one.", who.join(" or ")),
        "The same people let a language model's words be seen, after it was better than the playbook on a suite; until then people see the \
         playbook."
            .to_owned(),
    ]
}

fn attention(policy: &Policy) -> Vec<String> {
    let drills = if policy.drills.share.0.is_zero() {
        "No wrong recommendations are planted.".to_owned()
    } else {
        format!(
            "{} of what is put before people is planted and wrong; it is told after the decision and never leaves.",
            policy.drills.share
        )
    };
    vec![drills, format!("A mute lasts at most {} days and has an owner.", policy.mutes.longest_days)]
}

fn the_people(people: &[Person]) -> Section {
    let mut table = vec![["Who", "Roles", "Tier", "Own limit", "Scope"].map(str::to_owned).to_vec()];
    for person in people {
        let roles: Vec<&str> = person.roles.iter().map(|role| role.name()).collect();
        table.push(vec![
            format!("{} ({})", person.name, person.id),
            roles.join(", "),
            format!("T{}", person.tier),
            person.limit.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string),
            person.scopes.told(),
        ]);
    }
    Section { title: "People".to_owned(), lines: Vec::new(), table }
}
