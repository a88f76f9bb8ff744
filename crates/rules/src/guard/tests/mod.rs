//! The guard on one small case: what passes, and what is said of what does not. `mutations` breaks good answers in each way that a
//! rule names.

mod mutations;
mod obeyed;

use proptest::prelude::*;
use serde_json::{Value, json};

use reeve_domain::draft::{DraftFault, MESSAGE_CODES};
use reeve_domain::evidence::FactValue;

use super::*;
use crate::prose::numbers;
use crate::sample::{HOSTILE_NOTE, Sample};

/// What the guard says to the good answer after `change`.
fn objections(change: impl FnOnce(&mut Value)) -> Vec<Objection> {
    let sample = Sample::hostile();
    check(&sample.reply_with(change), &sample.file()).err().unwrap_or_default()
}

fn question(text: &str) -> Vec<Objection> {
    objections(|answer| answer["choices"][0]["question"] = text.into())
}

fn message(text: &str) -> Vec<Objection> {
    objections(|answer| answer["choices"][0]["message"] = text.into())
}

#[test]
fn a_good_reply_becomes_a_draft_with_its_references_filled_in() {
    let sample = Sample::hostile();
    let draft = check(&sample.good_reply(), &sample.file()).unwrap();
    let choice = &draft.choices[0];
    assert_eq!((choice.candidate.as_str(), choice.confidence_percent), ("A1", 70));
    let said: Vec<&str> = choice.prose.claims.iter().map(|claim| claim.words.as_str()).collect();
    assert_eq!(
        said,
        [
            "Of the 3 actions on the card it has the largest net benefit, 129.36 EUR.",
            "It is worth 79.44 EUR more than A2.",
            "It is late, or came late (days after the first promise: 6 days).",
        ]
    );
    assert_eq!(choice.prose.question, "Has “Nordic Roasters” said when the open 48 units of “Espresso beans 1 kg” leave?");
    let message = choice.prose.message.as_deref().unwrap();
    assert_eq!(message, "Dear “Nordic Roasters”, please send the open 48 units this week. When do they leave?");
    let cites: Vec<&str> = choice.prose.cites.iter().map(FactId::as_str).collect();
    assert_eq!(
        cites,
        ["po_line:183/qty", "po_line:183/overdue_days", "item:75/name", "supplier:7/name"],
        "what decides the claims is cited, and what is referred to or named"
    );
    assert_eq!(draft.abstain, None);
    for words in [&choice.prose.rationale, &choice.prose.risks, &choice.prose.would_change] {
        assert_eq!(words, "", "these are the arithmetic's");
    }
}

#[test]
fn what_is_not_true_can_not_be_claimed() {
    let claim = |id: &str| objections(|answer| answer["choices"][0]["claims"] = json!([id]));
    for (id, people) in [
        ("A1.may_not_pay", "A1: it claimed what is not true"),
        ("A1.worse_than.A2", "A1: it claimed what is not true"),
        ("case.in_stock.75@3", "A1: it claimed what is not true"),
        ("A2.best", "A1: it claimed what is not true"),
        ("A2.worth", "A1: a choice had another candidate's claim"),
        ("A1.better_than.A9", "A1: it claimed what the evidence does not decide"),
        ("case.relief_before_stockout.75@3", "A1: it claimed what the evidence does not decide"),
        ("A1.is_approved", "A1: it claimed what the evidence does not decide"),
        ("It is the best of all.", "A1: it claimed what the evidence does not decide"),
    ] {
        let found = claim(id);
        assert_eq!(found.iter().map(Objection::for_people).collect::<Vec<_>>(), [people], "{id}");
        assert_eq!(found[0].rule(), Rule::Claims);
    }
    let count = |n: usize| objections(|answer| answer["choices"][0]["claims"] = json!(vec!["A1.worth"; n]));
    assert!(matches!(count(0).as_slice(), [Objection::ClaimCount { count: 0, .. }]));
    assert!(matches!(count(2).as_slice(), [Objection::ClaimTwice { .. }]));
    assert!(matches!(count(5)[0], Objection::ClaimCount { count: 5, .. }));
}

/// What a small model said of the demo's cases in four drafts of which three passed a guard that looked at figures alone.
#[test]
fn what_a_small_model_really_said_and_was_false_is_refused() {
    for text in [
        "There are no other options available.",
        "The expected loss remains the same.",
        "The variance is within the largest limit.",
        "The case is out of stock.",
        "Are there no other options available?",
        "Does the expected loss remain the same?",
        "Is the variance within the largest limit?",
    ] {
        assert_ne!(question(text), [], "{text}");
        assert_ne!(message(&format!("Dear [supplier:7/name], {text}")), [], "{text}");
    }
}

#[test]
fn a_model_says_of_its_own_only_questions() {
    for text in [
        "Has the carrier said when it leaves?",
        "Is [item:75/name] at Harbour Store counted today?",
        "From where does [supplier:7/name] ship?",
        "Who has spoken with Nordic Roasters?",
        "",
    ] {
        assert_eq!(question(text), [], "{text}");
    }
    for text in [
        "The supplier went bankrupt.",
        "Is it there? It is not.",
        "The supplier is late?",
        "Is the supplier late, which nobody knows?",
        "Is it known that the supplier went bankrupt?",
        "Should A1 be done since the supplier is broke?",
        "By tomorrow will it be there?",
        "Why?",
        "?",
        "Ist die Ware da?",
        "Is it: yes?",
    ] {
        let found = question(text);
        assert!(found.iter().any(|o| o.rule() == Rule::Question), "{text}: {found:?}");
    }
}

#[test]
fn a_letter_greets_asks_requests_and_thanks() {
    for text in [
        "Dear Nordic Roasters,\nplease send the open [A1.quantity] by [A1.latest_date].\nKind regards",
        "Hello, when do the goods on this order leave? Thank you very much.",
        "Please tell us the day of delivery.",
        "Good morning,\n\ncould you please name the carrier? Thanks in advance.",
    ] {
        assert_eq!(message(text), [], "{text}");
    }
    for text in [
        "Dear Nordic Roasters, you are late again.",
        "Dear Nordic Roasters, you owe us the goods, please send them.",
        "Please note that your delivery is late.",
        "Please accept our order of a new batch.",
        "Thank you for agreeing to the change.",
        "Kind regards",
        "Dear Nordic Roasters, Bitte senden Sie die Ware.",
    ] {
        let found = message(text);
        assert!(found.iter().any(|o| o.rule() == Rule::Letter), "{text}: {found:?}");
    }
}

#[test]
fn no_figure_is_written_out_not_even_a_facts() {
    for text in [
        "Is it 6 days late?",
        "Are there 48 units?",
        "Is it -6 days?",
        "Is it 6x late?",
        "Is it .6 days late?",
        "Is it 6/2026?",
        "Is it ６ days late?",
        "Is it ½ day late?",
        "Is it 2026-10-02?",
        "Is Espresso beans 12 kg meant?",
        "Is A10 meant?",
        "Are six days lost?",
        "Is it a dozen?",
    ] {
        let found = question(text);
        assert!(found.iter().any(|o| o.rule() == Rule::Number), "{text}: {found:?}");
    }
}

#[test]
fn a_reference_must_resolve_and_stand_alone() {
    for text in [
        "Is it [po_line:183/later] late?",
        "Is it worth [A9.benefit] now?",
        "Is it worth [A1.profit] now?",
        "Are [A3.quantity] moved by doing so?",
        "Is it worth [A1.benefit without an end?",
        "Is it worth A1.benefit] at all?",
    ] {
        let found = question(text);
        assert!(found.iter().any(|o| matches!(o, Objection::UnknownReference { .. })), "{text}: {found:?}");
    }
    for text in [
        "Is it -[po_line:183/overdue_days] late?",
        "Is it [po_line:183/overdue_days]0 late?",
        "Is it [po_line:183/overdue_days].5 late?",
        "Is it [po_line:183/overdue_days][po_line:183/overdue_days] late?",
        "Is it 6[po_line:183/overdue_days] late?",
        "Is it [po_line:183/overdue_days]k late?",
        "Is it $[A1.cost] in all?",
        "Is A1:[po_line:183/overdue_days] it?",
    ] {
        let found = question(text);
        assert!(found.iter().any(|o| matches!(o, Objection::GluedReference { .. })), "{text}: {found:?}");
    }
}

#[test]
fn a_figure_brings_its_unit_and_takes_no_other() {
    let sample = Sample::hostile();
    for (text, shown) in [
        ("Is it [po_line:183/overdue_days] late?", "Is it 6 days late?"),
        ("Is it [po_line:183/overdue_days] days late?", "Is it 6 days late?"),
        ("Is [po_line:183/on_time]% usual?", "Is 62.5 % usual?"),
        ("Is [po_line:183/on_time] percent usual?", "Is 62.5 % usual?"),
        ("Is [A1.cost] EUR a fair price?", "Is 25.00 EUR a fair price?"),
        ("Is [A1.cost] a fair price?", "Is 25.00 EUR a fair price?"),
        ("Is [po_line:183/price] a fair price?", "Is 8.40 EUR a fair price?"),
        ("Are the [A1.quantity] known?", "Are the 48 units known?"),
    ] {
        let reply = sample.reply_with(|answer| answer["choices"][0]["question"] = text.into());
        let draft = check(&reply, &sample.file()).unwrap_or_else(|found| panic!("{text}: {found:?}"));
        assert_eq!(draft.choices[0].prose.question, shown);
    }
    for text in [
        "Is it [po_line:183/overdue_days] % late?",
        "Is it [po_line:183/overdue_days] units late?",
        "Is it [po_line:183/qty] days?",
        "Is it [A1.cost] USD?",
        "Is it [A1.quantity] pallets?",
        "Is it [A1.latest_date] days?",
        "Is it [po_line:183/overdue_days] weeks?",
    ] {
        let found = question(text);
        assert!(matches!(found.as_slice(), [Objection::WrongUnit { .. }]), "{text}: {found:?}");
    }
}

#[test]
fn text_that_is_no_plain_english_is_refused() {
    for (text, rule) in [
        ("Is it at https://evil.example today?", Rule::Link),
        ("Is it at evil.example today?", Rule::Link),
        ("Is boss@evil known?", Rule::Link),
        ("Is <b>it</b> there?", Rule::Markup),
        ("Is **it** there?", Rule::Markup),
        ("# Is it there?", Rule::Markup),
        ("Is `rm` known?", Rule::Markup),
        ("Поставщик опаздывает?", Rule::Language),
        ("Is the supplіer there?", Rule::Language),
        ("Is it the bést?", Rule::Language),
        ("Is the supplier\u{200b} there?", Rule::Invisible),
    ] {
        let found = question(text);
        assert!(found.iter().any(|o| o.rule() == rule), "{text}: {found:?}");
    }
    let found = question(&"Is the supplier there? ".repeat(60));
    assert!(found.iter().any(|o| matches!(o, Objection::TooLong { .. })), "{found:?}");
}

#[test]
fn what_only_claims_may_say_is_refused_in_words() {
    for (text, rule) in [
        ("Is it cheaper?", Rule::Comparison),
        ("Is A1 worth more than A2?", Rule::Comparison),
        ("Is it as much as before?", Rule::Comparison),
        ("Is it the best?", Rule::Superlative),
        ("Is it the gentlest way?", Rule::Superlative),
        ("Is it not there?", Rule::Negation),
        ("Isn’t it there?", Rule::Negation),
        ("Is it without danger?", Rule::Negation),
        ("Is it the only way?", Rule::Quantifier),
        ("Are all of them there?", Rule::Quantifier),
        ("Is there any other way?", Rule::Quantifier),
    ] {
        let found = question(text);
        assert!(found.iter().any(|o| o.rule() == rule), "{text}: {found:?}");
    }
    assert_eq!(question("Is the request in the manifest?"), [], "words that end like superlatives");
}

#[test]
fn the_forbidden_set_is_refused_in_every_field() {
    for text in [
        "Is this order approved already?",
        "Can somebody auto-approve this order?",
        "Should the bank details of the supplier change?",
        "Has the manager authorised it by telephone?",
        "Is there a new account?",
    ] {
        for field in ["question", "message"] {
            let found = objections(|answer| answer["choices"][0][field] = text.into());
            assert!(found.iter().any(|o| o.rule() == Rule::Forbidden), "{field}: {text}: {found:?}");
        }
    }
    assert_eq!(question("Is the bill cleared for payment?"), []);
    let found = message("Please confirm the payment.");
    assert!(found.iter().any(|o| o.rule() == Rule::Forbidden), "{found:?}");
}

#[test]
fn a_message_tells_no_money_of_ours_and_names_no_other_supplier() {
    let found = message("Please help with the loss of [A1.loss_now] here.");
    assert!(matches!(found.as_slice(), [Objection::TellsMoney { .. }]), "{found:?}");
    for text in ["Can Alpine Goods deliver it?", "Can alpine goods deliver it?", "Can [supplier:8/name] deliver it?"] {
        let found = message(text);
        assert!(matches!(found.as_slice(), [Objection::NamesPartner { .. }]), "{text}: {found:?}");
    }
}

#[test]
fn a_name_from_outside_is_quoted_whatever_it_says() {
    let mut sample = Sample::hostile();
    let id = FactId::new("item:75/name");
    sample.bundle.facts.get_mut(&id).unwrap().value = FactValue::Text("The best, no other is cheaper” ok".to_owned());
    for text in [
        "Is The best, no other is cheaper” ok there?",
        "Is “The best, no other is cheaper” ok” there?",
        "Is [item:75/name] there?",
    ] {
        let reply = sample.reply_with(|answer| answer["choices"][0]["question"] = text.into());
        let draft = check(&reply, &sample.file()).unwrap_or_else(|found| panic!("{text}: {found:?}"));
        assert_eq!(draft.choices[0].prose.question, "Is “The best, no other is cheaper' ok” there?", "{text}");
    }
}

#[test]
fn a_message_for_an_action_that_sends_none_is_left_out() {
    let sample = Sample::hostile();
    let reply = sample.reply_with(|answer| {
        answer["choices"][0]["candidate"] = "A3".into();
        answer["choices"][0]["claims"] = json!(["A3.costs_nothing"]);
    });
    let draft = check(&reply, &sample.file()).unwrap();
    assert_eq!((draft.choices[0].candidate.as_str(), &draft.choices[0].prose.message), ("A3", &None));
}

#[test]
fn the_prompt_names_the_actions_that_send_messages() {
    for candidate in &Sample::hostile().candidates {
        let named = MESSAGE_CODES.split(", ").any(|code| code == candidate.action.code());
        assert_eq!(named, candidate.action.sends_message(), "{}", candidate.action.code());
    }
}

#[test]
fn a_reply_of_another_shape_is_refused() {
    let sample = Sample::hostile();
    let file = sample.file();
    let mut replies = vec![
        Sample::reply_text("I can not help with that."),
        Sample::reply_text("```json\n{}\n```"),
        Sample::reply_text("{\"abstain\": false, \"abstain_question\": \"\", \"choices\": [{\"candidate\": \"A1\""),
        sample.reply_with(|answer| answer["tool"] = "transfer".into()),
        sample.reply_with(|answer| answer["choices"][0]["quantity"] = 9999.into()),
        sample.reply_with(|answer| answer["choices"][0]["rationale"] = "It is the best.".into()),
        sample.reply_with(|answer| answer["choices"][0]["confidence_percent"] = json!(70.5)),
        sample.reply_with(|answer| drop(answer.as_object_mut().unwrap().remove("abstain"))),
    ];
    for reply in &replies {
        let found = check(reply, &file).unwrap_err();
        assert!(matches!(found.as_slice(), [Objection::Shape(_)]), "{}: {found:?}", reply.text);
    }
    replies = vec![sample.good_reply()];
    replies[0].truncated = true;
    assert_eq!(check(&replies[0], &file).unwrap_err(), [Objection::Truncated]);
    assert_eq!(check(&Sample::reply_text(" "), &file).unwrap_err(), [Objection::Empty]);
    let huge = Sample::reply_text(&"[".repeat(REPLY_MAX + 1));
    assert_eq!(check(&huge, &file).unwrap_err(), [Objection::TooMuch]);
}

#[test]
fn choices_are_counted_and_confidence_is_a_percentage() {
    assert_eq!(objections(|answer| answer["choices"] = json!([])), [Objection::ChoiceCount(0)]);
    assert_eq!(objections(|answer| answer["choices"][0]["confidence_percent"] = 101.into()), [Objection::Confidence(101)]);
    assert_eq!(objections(|answer| answer["choices"][0]["confidence_percent"] = (-1).into()), [Objection::Confidence(-1)]);
    let found = objections(|answer| {
        let twice = answer["choices"][0].clone();
        answer["choices"].as_array_mut().unwrap().push(twice);
    });
    assert_eq!(found, [Objection::Draft(DraftFault::CandidateTwice("A1".to_owned()))]);
}

#[test]
fn abstaining_needs_a_question_and_a_question_needs_abstaining() {
    let sample = Sample::hostile();
    let reply = sample.reply_with(|answer| {
        *answer = json!({"abstain": true, "abstain_question": "Have the goods arrived?", "choices": []});
    });
    let draft = check(&reply, &sample.file()).unwrap();
    assert_eq!(draft.abstain.as_deref(), Some("Have the goods arrived?"));
    assert_eq!(objections(|answer| answer["abstain"] = true.into()), [Objection::Abstention]);
    assert_eq!(objections(|answer| answer["abstain_question"] = "Is it there?".into()), [Objection::Abstention]);
    let found = objections(|answer| {
        answer["abstain"] = true.into();
        answer["abstain_question"] = "Nobody knows it.".into();
    });
    assert!(found.iter().any(|o| o.rule() == Rule::Question), "{found:?}");
}

#[test]
fn the_mark_around_the_data_may_not_come_back() {
    let sample = Sample::hostile();
    let canary = sample.file().canary();
    let spread: String = canary.chars().flat_map(|c| [c, ' ']).collect();
    let backwards: String = canary.chars().rev().collect();
    for told in [canary.clone(), canary.to_uppercase(), spread, backwards] {
        let found = question(&format!("Is {told} it?"));
        assert!(found.contains(&Objection::Canary), "{told}: {found:?}");
    }
    // Escaped, the raw text does not hold it.
    let escaped = canary.replace('-', "\\u002d").replace('a', "\\u0061").replace('4', "\\u0034");
    let text = Sample::good_answer().to_string().replace("this week", &escaped);
    let found = check(&Sample::reply_text(&text), &sample.file()).unwrap_err();
    assert!(found.contains(&Objection::Canary), "{found:?}");
}

#[test]
fn a_hostile_note_adds_no_action_no_number_and_no_words() {
    // A model that obeys the note in every way it could.
    let found = question("Approve and transfer 9999 units as the supplier says.");
    for rule in [Rule::Forbidden, Rule::Number, Rule::Question] {
        assert!(found.iter().any(|o| o.rule() == rule), "{rule}: {found:?}");
    }
    let found = question("Is [po_line:183/note] known?");
    assert!(matches!(found.as_slice(), [Objection::FreeText { .. }]), "{found:?}");
    let found = objections(|answer| answer["choices"][0]["claims"] = json!(["po_line:183/note"]));
    assert!(matches!(found.as_slice(), [Objection::UnknownClaim { .. }]), "{found:?}");
    let found = objections(|answer| answer["choices"][0]["candidate"] = "TRANSFER".into());
    assert!(found.contains(&Objection::Draft(DraftFault::UnknownCandidate("TRANSFER".to_owned()))), "{found:?}");
    let found = question(HOSTILE_NOTE);
    assert!(found.iter().any(|o| matches!(o, Objection::FreeNumber { number, .. } if number == "9999")), "{found:?}");
}

/// Numbers that the sample's program wrote: facts, figures of candidates, names.
fn allowed(sample: &Sample) -> Vec<String> {
    let mut texts: Vec<String> =
        sample.bundle.facts.values().filter(|fact| fact.label != "supplier's note").map(|fact| fact.value.show()).collect();
    for candidate in &sample.candidates {
        let money = &candidate.money;
        texts.extend([money.benefit, money.loss_now, money.loss_after].map(|range| range.expected.to_string()));
        texts.extend([money.cost.to_string(), candidate.latest_date.to_string(), candidate.id.clone()]);
        texts.extend(candidate.action.quantity().map(|quantity| quantity.to_string()));
    }
    texts.iter().flat_map(|text| numbers(text)).collect()
}

/// Pieces of which replies are made that are now and then acceptable.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("the supplier ".to_owned()),
        Just("[po_line:183/overdue_days]".to_owned()),
        Just("[po_line:183/on_time] ".to_owned()),
        Just("[po_line:183/change]".to_owned()),
        Just("[A1.benefit]".to_owned()),
        Just("[A1.quantity] ".to_owned()),
        Just("[item:75/name]".to_owned()),
        Just("Espresso beans 1 kg".to_owned()),
        Just("A1".to_owned()),
        Just("6".to_owned()),
        Just("2026-10-02".to_owned()),
        "[ .,:/%A-]{1,2}",
        "[0-9]{1,3}",
    ];
    let between = prop_oneof![Just(""), Just(" "), Just(" and "), Just("-")];
    (proptest::collection::vec(piece, 1..5), between).prop_map(|(pieces, between)| pieces.join(between))
}

proptest! {
    #[test]
    fn no_text_makes_the_guard_panic(text in any::<String>(), field in "[\\PC\\[\\]0-9.A]{0,80}") {
        let sample = Sample::hostile();
        let file = sample.file();
        prop_assert!(check(&Sample::reply_text(&text), &file).is_err());
        let mut answer = Sample::good_answer();
        answer["choices"][0]["question"] = field.clone().into();
        answer["choices"][0]["message"] = field.into();
        answer["choices"][0]["candidate"] = text.clone().into();
        answer["choices"][0]["claims"] = json!([text]);
        prop_assert!(check(&Sample::reply(&answer), &file).is_err());
    }

    #[test]
    fn a_draft_that_passes_says_only_numbers_of_the_case(text in pieces()) {
        let sample = Sample::hostile();
        let text = format!("Is it {text}?");
        let reply = sample.reply_with(|answer| answer["choices"][0]["question"] = text.into());
        if let Ok(draft) = check(&reply, &sample.file()) {
            let allowed = allowed(&sample);
            for number in numbers(&draft.choices[0].prose.question) {
                prop_assert!(allowed.contains(&number), "{:?} in {:?}", number, draft.choices[0].prose.question);
            }
        }
    }
}

#[test]
fn how_an_answer_is_wrapped_does_not_matter() {
    let sample = Sample::hostile();
    let plain = check(&sample.good_reply(), &sample.file()).unwrap();
    let answer = Sample::good_answer().to_string();
    for wrapped in [
        format!("\u{feff}{answer}\n"),
        format!("```json\n{answer}\n```"),
        format!("```\n{answer}\n```\nI hope that this helps."),
        format!("Here is the JSON {{as asked}}:\n\n{answer}"),
        format!("<think>\nThe loss is 12, so A1 {{maybe}}.\n</think>\n\n{answer}"),
        format!("<think>{{\"abstain\": true}}</think>{answer}"),
        format!("The loss matters. {{\"best\": \"A2\"}}\n</think>\n{answer}"),
        format!("<thinking>no</thinking> {answer}"),
        format!("[THINK]no[/THINK]{answer}"),
        format!("◁think▷no◁/think▷{answer}"),
        format!(
            "<|channel|>analysis<|message|>Weigh {{it}}.<|end|><|start|>assistant<|channel|>final<|message|>{answer}<|return|>"
        ),
        format!("<|channel|>final <|constrain|>json<|message|>{answer}"),
        format!("{answer}\n\n{answer}"),
        format!("[{answer}]"),
        answer.replace(":70,", ":\"70\","),
        answer.replace(":70,", ":\" 70 % \","),
        answer.replace(":70,", ":70.0,"),
    ] {
        assert_eq!(check(&Sample::reply_text(&wrapped), &sample.file()).as_ref(), Ok(&plain), "{wrapped}");
    }
    let thoughts = format!("<think>{}</think>", "Hmm. ".repeat(REPLY_MAX));
    assert_eq!(check(&Sample::reply_text(&(thoughts + &answer)), &sample.file()), Ok(plain), "thoughts may be long");
}

#[test]
fn what_can_be_meant_in_two_ways_is_refused() {
    let sample = Sample::hostile();
    let answer = Sample::good_answer().to_string();
    let other = answer.replace("A1", "A2");
    let shape = |text: &str| match check(&Sample::reply_text(text), &sample.file()).unwrap_err().remove(0) {
        Objection::Shape(Shape::Several) => "several",
        Objection::Shape(Shape::NoObject) => "none",
        other => other.kind(),
    };
    for (text, kind) in [
        (format!("{answer} or {other}"), "several"),
        (format!("{{\"tool\": \"approve\"}} {answer}"), "several"),
        (
            answer.replace("\"abstain\":false", "\"abstain\":true,\"abstain\":false"),
            "it was not JSON of the schema (it has a field twice)",
        ),
        (
            answer.replace("\"candidate\":\"A1\"", "\"candidate\":\"A1\",\"candidate\":\"A2\""),
            "it was not JSON of the schema (it has a field twice)",
        ),
        (answer.replace(":70,", ":0.7,"), "it was not JSON of the schema (a confidence is no whole number)"),
        (answer.replace(":70,", ":1.0,"), "it was not JSON of the schema (a confidence is no whole number)"),
        (answer.replace(":70,", ":\"0.7\","), "it was not JSON of the schema (a confidence is no whole number)"),
        (answer.replace(":70,", ":\"high\","), "it was not JSON of the schema (a confidence is no whole number)"),
        (answer.replace(":70,", ":[70],"), "it was not JSON of the schema (a field has another type)"),
        (
            answer.replace("\"question\"", "\"notes\""),
            "it was not JSON of the schema (it has a field that was not asked for)",
        ),
        (format!("<think>{answer}"), "there were thoughts and no answer"),
        (format!("<think>{answer}</think>"), "there were thoughts and no answer"),
        (format!("<|channel|>analysis<|message|>{answer}"), "there were thoughts and no answer"),
        (answer[..answer.len() - 2].to_owned(), "it was not JSON of the schema (it has a field that was not asked for)"),
        ("{".repeat(9_000), "none"),
        ("{\"a\":".repeat(5_000), "none"),
        ("\"{}\"".to_owned(), "it was not JSON of the schema (a field is missing)"),
    ] {
        let found = shape(&text);
        assert_eq!(found, kind, "{text:.200}");
    }
    assert_eq!(shape(&format!("<think>{answer}")), "there were thoughts and no answer");
    let mark = sample.file().canary();
    let thought = format!("<think>The data stands between {mark}.</think>{answer}");
    assert!(check(&Sample::reply_text(&thought), &sample.file()).is_ok(), "thoughts are shown to nobody");
    let said = format!("The mark is {mark}. {answer}");
    assert_eq!(check(&Sample::reply_text(&said), &sample.file()).unwrap_err(), [Objection::Canary]);
}

#[test]
fn a_model_is_told_which_field_is_wrong_and_how() {
    let sample = Sample::hostile();
    let answer = Sample::good_answer().to_string();
    let told = |text: &str| check(&Sample::reply_text(text), &sample.file()).unwrap_err().remove(0).to_string();
    for (text, wrong) in [
        (answer.replace("\"question\"", "\"[notes]\""), "it has a field \"(notes)\", which was not asked for"),
        (answer.replace(",\"claims\"", ",\"question\":\"\",\"claims\""), "the field \"question\" is there twice"),
        (answer.replace("\"abstain\":false,", ""), "the field \"abstain\" is missing"),
        (answer.replace("\"abstain\":false", "\"abstain\":0"), "\"abstain\" is not true or false"),
        (answer.replace("\"abstain_question\":\"\"", "\"abstain_question\":null"), "\"abstain_question\" is not text"),
        (answer.replace(":70,", ":0.7,"), "\"confidence_percent\" is not a whole number from 0 to 100"),
        (answer.replace(":70,", ":1e999,"), "it can not be read"),
    ] {
        assert_eq!(told(&text), format!("the answer is not JSON of the schema: {wrong}"), "{text}");
    }
}

/// Words that an endpoint would like people to read.
const SMUGGLED: &str = "URGENT: release BILL/2026/09/0010 today, account DE00 1234, call +49 000 999";

#[test]
fn what_people_are_told_of_a_refused_answer_holds_no_word_of_it() {
    let sample = Sample::hostile();
    let words = Value::from(SMUGGLED);
    let mut replies = vec![
        Sample::reply_text(SMUGGLED),
        sample.reply_with(|answer| answer[SMUGGLED] = true.into()),
        sample.reply_with(|answer| answer["abstain_question"] = words.clone()),
        sample.reply_with(|answer| {
            let twice = json!([answer["choices"][0], answer["choices"][0]]);
            answer["choices"] = twice;
            answer["choices"][0]["candidate"] = words.clone();
            answer["choices"][1]["candidate"] = words.clone();
        }),
        sample.reply_with(|answer| answer["choices"][0]["claims"] = json!([SMUGGLED])),
        sample.reply_with(|answer| answer["choices"][0]["confidence_percent"] = words.clone()),
        sample.reply_with(|answer| answer["choices"][0]["confidence_percent"] = 4_900_099_955_i64.into()),
        sample.reply_with(|answer| answer["abstain"] = words.clone()),
    ];
    for text in
        [SMUGGLED.to_owned(), format!("[{SMUGGLED}]"), format!("x[{SMUGGLED}]5%"), format!("{SMUGGLED} 100.00 4900099955")]
    {
        for field in ["question", "message"] {
            replies.push(sample.reply_with(|answer| answer["choices"][0][field] = text.clone().into()));
        }
    }
    for reply in replies {
        for objection in check(&reply, &sample.file()).unwrap_err() {
            let told = objection.for_people();
            for word in ["URGENT", "release", "BILL", "0010", "DE00", "1234", "49", "999", "call"] {
                assert!(!told.contains(word), "{word} in: {told}");
            }
            assert!(told.ends_with(objection.kind()), "{told}");
        }
    }
}
