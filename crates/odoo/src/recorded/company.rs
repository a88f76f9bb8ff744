//! The company that was recorded: its currency must be the configured one, as amounts are never mixed.

use super::error::RecordingError;
use super::reader::Reader;
use crate::rows::Model;

static COMPANY: Model = Model { name: "res.company", needs: &["id", "currency_id"], optional: &[] };

/// The id of the company's currency, which must be `configured` (ISO 4217).
pub(super) fn currency(reader: &mut Reader<'_>, configured: &str) -> Result<i64, RecordingError> {
    let mut currency = None;
    let mut other = None;
    reader.rows(&COMPANY, |row| {
        let (id, name) = (row.must_link("currency_id")?, row.link_name("currency_id"));
        if name == configured {
            currency = Some(id);
        } else {
            other.get_or_insert(name);
        }
        Ok(())
    })?;
    let file = format!("{}.json.gz", COMPANY.name);
    // One company in another currency is enough to refuse: a recording holds no rates.
    match (other, currency) {
        (Some(found), _) => Err(RecordingError::Currency { file, found, configured: configured.to_owned() }),
        (None, None) => Err(RecordingError::Header { file, detail: "it holds no company".to_owned() }),
        (None, Some(currency)) => Ok(currency),
    }
}
