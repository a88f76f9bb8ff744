//! Pages, cursors, the span, and what a recording is known by.

use super::*;

#[tokio::test]
async fn small_pages_hold_the_same_as_one_large_page() {
    let until = stamp("2026-08-10 12:00:00");
    let whole = BUNDLED.read(None, until, usize::MAX).await.unwrap();
    assert!(!whole.more && whole.observed.iter().all(|o| o.changed_at <= until));
    let (mut cursor, mut pages) = (None, Vec::new());
    loop {
        let page = BUNDLED.read(cursor.as_deref(), until, 7).await.unwrap();
        assert!(page.observed.len() <= 7);
        pages.extend(page.observed);
        cursor = Some(page.next);
        if !page.more {
            break;
        }
    }
    assert_eq!(pages, whole.observed);
    // The next day goes on where this one ended.
    let rest = BUNDLED.read(cursor.as_deref(), Timestamp::MAX, usize::MAX).await.unwrap();
    assert_eq!(pages.len() + rest.observed.len(), BUNDLED.feed.len());
    assert!(rest.observed[0].changed_at > until);
}

#[tokio::test]
async fn the_cursor_of_another_recording_is_refused_with_the_remedy() {
    for (cursor, says) in [
        ("0123456789abcdef:5", "use a new store"),
        ("rubbish", "use a new store"),
        (&format!("{}:99999999", BUNDLED.hash), "is not one"),
    ] {
        match BUNDLED.read(Some(cursor), Timestamp::MAX, 1).await {
            Err(PortError::Permanent { source, .. }) => assert!(source.to_string().contains(says), "{source}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_span_is_that_of_business() {
    let (first, last) = BUNDLED.span().unwrap();
    assert_eq!((first, last), (stamp("2026-08-02 08:00:04"), stamp("2026-10-31 15:30:02")));
}

#[test]
fn the_identity_is_that_of_the_content() {
    let copy = Copy::new();
    assert_eq!(copy.open().unwrap().identity(), BUNDLED.identity());
    copy.edit("res.partner", |rows| rows[0]["name"] = json!("Somebody else"));
    assert_ne!(copy.open().unwrap().identity(), BUNDLED.identity());
}
