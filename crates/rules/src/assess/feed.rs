//! A feed that has sent nothing (D-DATA): no money hangs on it, but nobody can judge demand there until somebody has looked.

use super::gathered::Gathered;
use reeve_domain::exception::Exception;

/// Asks who answers for the data. What is missing blocks the location's demand, not money (handbook §4.1).
pub(super) fn assess(gathered: &mut Gathered<'_>, exception: &Exception) {
    let subject = &exception.signal.subject;
    let name = subject.location.as_ref().map_or_else(|| "the location".to_owned(), |l| gathered.scene.book.location_name(l));
    let feed = subject.document.as_deref().unwrap_or("data");
    gathered
        .escalate(&format!("was {name} closed since {}, or have its {feed} not come", exception.signal.from), "data owner");
}
