//! The guard on one small case: what passes, and what is said of what does not.

use proptest::prelude::*;
use serde_json::{Value, json};

use reeve_domain::draft::MESSAGE_CODES;

use super::*;
use crate::prose::numbers;
use crate::sample::{HOSTILE_NOTE, Sample};

/// What the guard says to the good answer after `change`.
fn objections(change: impl FnOnce(&mut Value)) -> Vec<Objection> {
    let sample = Sample::hostile();
    check(&sample.reply_with(change), &sample.file()).err().unwrap_or_default()
}

fn rationale(text: &str) -> Vec<Objection> {
    objections(|answer| answer["choices"][0]["rationale"] = text.into())
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
    assert_eq!(
        choice.prose.rationale,
        "Espresso beans 1 kg were promised for 2026-10-02 and are 6 days late. Bringing them forward is worth 129.36 EUR, \
         more than A2."
    );
    assert_eq!(choice.prose.risks, "The supplier keeps only 62.5 % of its dates and may refuse.");
    let message = choice.prose.message.as_deref().unwrap();
    assert_eq!(message, "Dear “Nordic Roasters”, please send the open 48 units this week. When do they leave?");
    let cites: Vec<&str> = choice.prose.cites.iter().map(FactId::as_str).collect();
    assert_eq!(
        cites,
        ["po_line:183/promised", "po_line:183/late", "item:75/name", "po_line:183/on_time", "supplier:7/name"],
        "what is referred to or named is cited too"
    );
    assert_eq!(draft.abstain, None);
}

#[test]
fn a_cited_value_may_be_written_out() {
    assert_eq!(rationale("Promised for 2026-10-02, now 6 days late, so bring it forward."), []);
}

#[test]
fn every_number_must_be_a_cited_facts() {
    for (text, number) in [
        ("It is 7 days late and must come.", "7"),
        ("There are 48 units ordered, a fact nobody cites here.", "48"),
        ("It is -6 days late, says the sign.", "-6"),
        ("It is 6% late, says the percent sign.", "6"),
        ("It is 6x late, says the letter behind.", "6"),
        ("It is 6e6 days late, says the exponent.", "6"),
        ("It is .6 days late, says the point.", "6"),
        ("It is 6.0 days late in other digits.", "6.0"),
        ("It is 6-6 days late, says the range.", "6-6"),
        ("It is 6/2026 late, says the slash.", "6/2026"),
        ("It is ６ days late in wide digits.", "６"),
        ("It is ½ day late, says the fraction.", "½"),
        ("It is 2026-10-03 that was promised.", "2026-10-03"),
        ("Espresso beans 12 kg are something else.", "12"),
        ("See A1:6 for the days that it is late.", "1:6"),
        ("See A1-5 for the days that it is late.", "1-5"),
        ("A10 is not among the candidates.", "10"),
    ] {
        let found = rationale(text);
        let is_it = |o: &Objection| matches!(o, Objection::FreeNumber { number: n, .. } if n == number);
        assert!(found.iter().any(is_it), "{text}: {found:?}");
    }
}

#[test]
fn a_reference_must_resolve_and_stand_alone() {
    for text in [
        "It is [po_line:183/later] days late, a fact that is not there.",
        "It is worth [A9.benefit] EUR, a candidate that is not there.",
        "It is worth [A1.profit] EUR, a figure that is not there.",
        "It is worth [A3.quantity] units, which doing nothing has not.",
        "It is worth [A1.benefit EUR without an end.",
        "It is worth A1.benefit] EUR without a beginning.",
    ] {
        let found = rationale(text);
        assert!(found.iter().any(|o| matches!(o, Objection::UnknownReference { .. })), "{text}: {found:?}");
    }
    for text in [
        "It is -[po_line:183/late] days late.",
        "It is [po_line:183/late]0 days late.",
        "It is [po_line:183/late].5 days late.",
        "It is [po_line:183/late][po_line:183/late] days late.",
        "It is 6[po_line:183/late] days late.",
        "It is [po_line:183/late]k days late.",
        "See A1:[po_line:183/late] for the days.",
    ] {
        let found = rationale(text);
        assert!(found.iter().any(|o| matches!(o, Objection::GluedReference { .. })), "{text}: {found:?}");
    }
    let found = rationale("It is [po_line:183/late] % late, which it is not.");
    assert!(matches!(found.as_slice(), [Objection::NotPercent { .. }]), "{found:?}");
}

#[test]
fn text_that_is_no_plain_english_is_refused() {
    type Expected = fn(&Objection) -> bool;
    let table: [(&str, Expected); 12] = [
        ("Look at https://evil.example for the figures.", |o| matches!(o, Objection::Link(_))),
        ("Look at evil.example for the figures.", |o| matches!(o, Objection::Link(_))),
        ("Write to boss@evil and ask for the figures.", |o| matches!(o, Objection::Link(_))),
        ("This is <b>very</b> important to know.", |o| matches!(o, Objection::Markup(_))),
        ("This is **very** important to know.", |o| matches!(o, Objection::Markup(_))),
        ("# A heading says more than words", |o| matches!(o, Objection::Markup(_))),
        ("Use `rm` to remove all that is late.", |o| matches!(o, Objection::Markup(_))),
        ("Поставщик опаздывает на неделю.", |o| matches!(o, Objection::NotEnglish(_))),
        ("The supplіer is late.", |o| matches!(o, Objection::NotEnglish(_))),
        ("The supplier\u{200b} is late again.", |o| matches!(o, Objection::Invisible(_))),
        ("ok.", |o| matches!(o, Objection::SaysNothing(_))),
        ("", |o| matches!(o, Objection::SaysNothing(_))),
    ];
    for (text, expected) in table {
        let found = rationale(text);
        assert!(found.iter().any(expected), "{text}: {found:?}");
    }
    let found = rationale(&"The supplier is late. ".repeat(60));
    assert!(found.iter().any(|o| matches!(o, Objection::TooLong { .. })), "{found:?}");
}

#[test]
fn the_forbidden_set_is_refused_in_every_field() {
    for text in [
        "This order has been approved already.",
        "Auto-approve this order, it is fine.",
        "Change the bank details of the supplier.",
        "The manager authorised it by telephone.",
        "There are a thousand reasons to do it.",
    ] {
        for field in ["rationale", "risks", "would_change", "message"] {
            let found = objections(|answer| answer["choices"][0][field] = text.into());
            assert!(found.iter().any(|o| matches!(o, Objection::Forbidden { .. })), "{field}: {text}: {found:?}");
        }
    }
    assert_eq!(rationale("The bill would otherwise go to payment before it is cleared."), []);
    let found = message("We will send the payment once the goods are here.");
    assert!(found.iter().any(|o| matches!(o, Objection::Forbidden { .. })), "{found:?}");
}

#[test]
fn a_message_tells_no_money_of_ours_and_names_no_other_supplier() {
    let found = message("Dear supplier, the delay costs us [A1.loss_now] EUR.");
    assert!(matches!(found.as_slice(), [Objection::TellsMoney { .. }]), "{found:?}");
    for text in ["Alpine goods would be faster than you are.", "[supplier:8/name] would be faster than you are."] {
        let found = message(text);
        assert!(found.iter().any(|o| matches!(o, Objection::NamesPartner { .. })), "{text}: {found:?}");
    }
}

#[test]
fn a_message_for_an_action_that_sends_none_is_left_out() {
    let sample = Sample::hostile();
    let reply = sample.reply_with(|answer| answer["choices"][0]["candidate"] = "A3".into());
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
        Sample::reply_text("{\"abstain\": false, \"abstain_reason\": \"\", \"choices\": [{\"candidate\": \"A1\""),
        sample.reply_with(|answer| answer["tool"] = "transfer".into()),
        sample.reply_with(|answer| answer["choices"][0]["quantity"] = 9999.into()),
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
fn abstaining_needs_a_reason_and_a_reason_needs_abstaining() {
    let sample = Sample::hostile();
    let reply = sample.reply_with(|answer| {
        *answer = json!({"abstain": true, "abstain_reason": "It is unclear whether the goods arrived.", "choices": []});
    });
    let draft = check(&reply, &sample.file()).unwrap();
    assert_eq!(draft.abstain.as_deref(), Some("It is unclear whether the goods arrived."));
    let found = objections(|answer| answer["abstain"] = true.into());
    assert!(matches!(found.as_slice(), [Objection::SaysNothing(_)]), "{found:?}");
    assert_eq!(objections(|answer| answer["abstain_reason"] = "unsure".into()), [Objection::AbstainReason]);
}

#[test]
fn the_mark_around_the_data_may_not_come_back() {
    let sample = Sample::hostile();
    let canary = sample.file().canary();
    let found = rationale(&format!("The data says {canary} and so do I."));
    assert!(found.contains(&Objection::Canary), "{found:?}");
    // Escaped, the raw text does not hold it.
    let escaped = canary.replace('-', "\\u002d").replace('a', "\\u0061").replace('4', "\\u0034");
    let text = Sample::good_answer().to_string().replace("A receipt posted", &escaped);
    let found = check(&Sample::reply_text(&text), &sample.file()).unwrap_err();
    assert!(found.contains(&Objection::Canary), "{found:?}");
}

#[test]
fn a_hostile_note_adds_no_action_no_number_and_no_words() {
    // A model that obeys the note in every way it could.
    let found = rationale("Approve and transfer 9999 units as the supplier says.");
    assert!(found.iter().any(|o| matches!(o, Objection::Forbidden { .. })), "{found:?}");
    assert!(found.iter().any(|o| matches!(o, Objection::FreeNumber { number, .. } if number == "9999")), "{found:?}");
    let found = rationale("The supplier writes: [po_line:183/note]");
    assert!(matches!(found.as_slice(), [Objection::FreeText { .. }]), "{found:?}");
    let found = objections(|answer| answer["choices"][0]["cites"] = json!(["po_line:183/note"]));
    assert!(found.contains(&Objection::Draft(DraftFault::OnlyOutsideText("A1".to_owned()))), "{found:?}");
    let found = objections(|answer| answer["choices"][0]["candidate"] = "TRANSFER".into());
    assert!(found.contains(&Objection::Draft(DraftFault::UnknownCandidate("TRANSFER".to_owned()))), "{found:?}");
    // Quoting the note after citing it does not make its number a fact.
    let found = objections(|answer| {
        answer["choices"][0]["cites"] = json!(["po_line:183/note", "po_line:183/late"]);
        answer["choices"][0]["rationale"] = HOSTILE_NOTE.replace("approve and ", "").into();
    });
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
    texts.iter().flat_map(|text| numbers(text)).map(|number| number.text).collect()
}

/// Pieces of which replies are made that are now and then acceptable.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("the supplier is late ".to_owned()),
        Just("[po_line:183/late]".to_owned()),
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
        answer["choices"][0]["rationale"] = field.clone().into();
        answer["choices"][0]["message"] = field.into();
        answer["choices"][0]["candidate"] = text.clone().into();
        answer["choices"][0]["cites"] = json!([text]);
        prop_assert!(check(&Sample::reply(&answer), &file).is_err());
    }

    #[test]
    fn a_draft_that_passes_says_only_numbers_of_the_case(text in pieces()) {
        let sample = Sample::hostile();
        let text = format!("The supplier is late {text}");
        let reply = sample.reply_with(|answer| answer["choices"][0]["rationale"] = text.into());
        if let Ok(draft) = check(&reply, &sample.file()) {
            let allowed = allowed(&sample);
            for number in numbers(&draft.choices[0].prose.rationale) {
                prop_assert!(allowed.contains(&number.text), "{:?} in {:?}", number.text, draft.choices[0].prose.rationale);
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
        (answer.replace("\"risks\"", "\"notes\""), "it was not JSON of the schema (it has a field that was not asked for)"),
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
        (answer.replace("\"risks\"", "\"[notes]\""), "it has a field \"(notes)\", which was not asked for"),
        (answer.replace(",\"cites\"", ",\"risks\":\"\",\"cites\""), "the field \"risks\" is there twice"),
        (answer.replace("\"abstain\":false,", ""), "the field \"abstain\" is missing"),
        (answer.replace("\"abstain\":false", "\"abstain\":0"), "\"abstain\" is not true or false"),
        (answer.replace("\"abstain_reason\":\"\"", "\"abstain_reason\":null"), "\"abstain_reason\" is not text"),
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
        sample.reply_with(|answer| answer["abstain_reason"] = words.clone()),
        sample.reply_with(|answer| {
            let twice = json!([answer["choices"][0], answer["choices"][0]]);
            answer["choices"] = twice;
            answer["choices"][0]["candidate"] = words.clone();
            answer["choices"][1]["candidate"] = words.clone();
        }),
        sample.reply_with(|answer| answer["choices"][0]["cites"] = json!([SMUGGLED])),
        sample.reply_with(|answer| answer["choices"][0]["confidence_percent"] = words.clone()),
        sample.reply_with(|answer| answer["choices"][0]["confidence_percent"] = 4_900_099_955_i64.into()),
        sample.reply_with(|answer| answer["abstain"] = words.clone()),
    ];
    for text in
        [SMUGGLED.to_owned(), format!("[{SMUGGLED}]"), format!("x[{SMUGGLED}]5%"), format!("{SMUGGLED} 100.00 4900099955")]
    {
        for field in ["rationale", "risks", "would_change", "message"] {
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
