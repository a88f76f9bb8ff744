//! The same text has the same bytes, whatever it is embedded with and on however many threads.

use super::MODEL;

/// Texts of one piece to more than the model reads, so that groups are cut in many ways.
fn texts() -> Vec<String> {
    let long = |count| "the shop in Graz has no oat milk left ".repeat(count);
    let mut texts: Vec<String> = (0..14).map(|number| format!("case {number}: {}", long(number % 7))).collect();
    texts.extend([String::new(), " ".to_owned(), "?".to_owned(), long(12), long(2000), "é".repeat(120)]);
    texts
}

fn bits(vector: &[f32]) -> Vec<u32> {
    vector.iter().map(|number| number.to_bits()).collect()
}

#[test]
fn a_text_does_not_feel_its_neighbours() {
    let texts = texts();
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let alone: Vec<_> = texts.iter().map(|text| bits(&MODEL.embed(&[text])[0])).collect();
    let check = |texts: &[&str], alone: &[Vec<u32>], how: &str| {
        for ((text, vector), alone) in texts.iter().zip(MODEL.embed(texts)).zip(alone) {
            assert!(bits(&vector) == *alone, "{how}: the vector of {:?} differs", text.get(..20).unwrap_or(text));
        }
    };
    check(&texts, &alone, "all together");
    for (texts, alone) in texts.chunks(3).zip(alone.chunks(3)) {
        check(texts, alone, "three together");
    }
    texts.reverse();
    check(&texts, &alone.into_iter().rev().collect::<Vec<_>>(), "the other way round");
}

#[test]
fn threads_change_nothing() {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| MODEL.embed(&texts)).iter().map(|vector| bits(vector)).collect::<Vec<_>>()
    };
    assert!(with(1) == with(4));
}

#[test]
fn nothing_is_embedded_as_nothing() {
    assert!(MODEL.embed(&[]).is_empty());
    let empty = MODEL.embed(&["", " \n\t"]);
    assert!(bits(&empty[0]) == bits(&empty[1]));
    assert!(empty[0].iter().all(|number| number.is_finite()));
}
