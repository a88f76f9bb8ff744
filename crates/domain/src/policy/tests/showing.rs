//! Tests of the document for auditors.

use super::*;

const GOLDEN: &str = include_str!("shown.md");

#[test]
fn the_shipped_policy_reads_as_it_always_did() {
    let mut people = demo();
    people[1].limit = Some("800 EUR".parse().unwrap());
    people[1].scopes.locations = vec!["NOR".into(), "SOU".into()];
    let document = show(&Policy::standard(), &people);
    let text = document.markdown();
    // The hashes follow from the content, which is what is read here.
    let golden = GOLDEN.replace("{version}", &Policy::standard().version()).replace("{people}", &document.people_hash);
    assert_eq!(text, golden, "\n{text}");
    // What is read by machines is the same.
    let json = serde_json::to_string(&document).unwrap();
    assert_eq!(serde_json::from_str::<PolicyDocument>(&json).unwrap(), document);
}

/// The lines of a section.
fn lines(policy: &Policy, title: &str) -> String {
    let document = show(policy, &demo());
    document.sections.into_iter().find(|s| s.title == title).expect("the section is there").lines.join("\n")
}

#[test]
fn the_document_says_what_is_switched_off() {
    let off = changed("\"MARKDOWN\", \"CONTACT\"", "\"CONTACT\"");
    assert!(
        lines(&off, "What the AI may recommend")
            .contains("Taken out by this policy, so that nobody can release them: MARKDOWN.")
    );
    let blind = changed("outside_text = true", "outside_text = false");
    assert!(lines(&blind, "What a language model may see").contains("No text written by others"));
    let kinds = "[\"quantity\", \"price\", \"money\", \"date\", \"days\", \"percent\", \"number\", \"text\"]";
    let no_facts = changed(&format!("facts = {kinds}"), "facts = []");
    assert_eq!(lines(&no_facts, "What a language model may see"), "Nothing: the playbook writes every draft.");
    let mut no_records = Policy::standard();
    no_records.model.records.clear();
    assert_eq!(lines(&no_records, "What a language model may see"), "Nothing: the playbook writes every draft.");
    let splitting = "It is not: nothing counts together under this policy.";
    assert_eq!(lines(&changed("days = 7", "days = 0"), "How splitting is stopped"), splitting);
    let mut none = Policy::standard();
    none.cumulative = Cumulative { days: 7, item: false, supplier: false, approver: false, chain: false };
    assert_eq!(lines(&none, "How splitting is stopped"), splitting);
    none.cumulative.item = true;
    assert!(lines(&none, "How splitting is stopped").contains("the last 7 days for the same item.\n"));
    assert_eq!(
        lines(&changed("allowed = true", "allowed = false"), "Standing in for one another"),
        "Nobody stands in for anybody."
    );
    assert!(
        lines(&changed("chain_max = 2", "chain_max = 1"), "Standing in for one another").contains("it may not be passed on")
    );
    assert!(
        lines(&changed("share = 0.0", "share = 0.02"), "Attention")
            .starts_with("2 % of what is put before people is planted")
    );
    let mut quiet = changed("holidays = []", "holidays = [\"2026-12-25\"]");
    quiet.quiet.from = quiet.quiet.to;
    let told = lines(&quiet, "Silence is not consent");
    assert!(told.contains("Nobody works on 2026-12-25.\nThere are no quiet hours but days off.\n"), "{told}");
    quiet.quiet.days_off = false;
    quiet.escalation.steps.clear();
    let told = lines(&quiet, "Silence is not consent");
    assert!(told.contains("There are no quiet hours.\n") && told.contains("T0: nobody is told.\n"), "{told}");
    quiet.quiet.from = "22:00".parse().unwrap();
    assert!(lines(&quiet, "Silence is not consent").contains("Nobody is told anything from 22:00 to 07:00.\n"));
}

#[test]
fn limits_in_other_currencies_are_told_with_what_they_come_to() {
    let table = |policy: &Policy| show(policy, &demo()).sections[3].table[2][1].clone();
    assert_eq!(table(&Policy::standard()), "up to 1,000.00 USD");
    let mut euro = changed("limit = \"1000\"", "limit = \"1000 EUR\"");
    assert_eq!(table(&euro), "up to 1000 EUR: no rate, so nothing");
    euro.rates.insert("EUR".into(), "1.1".parse().unwrap());
    assert_eq!(table(&euro), "up to 1000 EUR = 1,100.00 USD");
}

#[test]
fn a_name_can_not_break_the_table() {
    let mut people = demo();
    people[0].name = "Pia | Director\n| x".into();
    let text = show(&Policy::standard(), &people).markdown();
    assert!(text.contains("| Pia \\| Director \\| x (pia) | planner |"), "{text}");
}

#[test]
fn the_hash_of_the_people_changes_with_their_rights() {
    let mut people = demo();
    let before = show(&Policy::standard(), &people).people_hash;
    people[0].tier = 1;
    assert_ne!(show(&Policy::standard(), &people).people_hash, before);
    assert_eq!(before.len(), 12);
}
