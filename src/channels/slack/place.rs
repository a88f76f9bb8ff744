//! Where a message stands, as it is kept with its receipt: `channel/ts`, and where it shows a picture `channel/ts/file.hash`.

use std::fmt;

/// A message that is up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The channel, or the conversation with a person.
    pub(super) channel: String,
    /// The message's name there.
    pub(super) ts: String,
    /// The picture that it shows.
    pub(super) picture: Option<Uploaded>,
}

/// A picture that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Uploaded {
    /// What Slack calls the file.
    pub(super) file: String,
    /// Of which bytes it is.
    pub(super) hash: String,
}

impl Place {
    /// Reads what was kept; None where it names no message.
    pub(super) fn read(kept: &str) -> Option<Self> {
        let mut parts = kept.splitn(3, '/');
        let (channel, ts) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let picture = parts.next().and_then(|picture| picture.split_once('.'));
        let picture = picture.map(|(file, hash)| Uploaded { file: file.to_owned(), hash: hash.to_owned() });
        Some(Self { channel, ts, picture })
    }

    /// Is it the same message, whatever it shows?
    pub(super) fn is(&self, other: &Self) -> bool {
        self.channel == other.channel && self.ts == other.ts
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.channel, self.ts)?;
        self.picture.iter().try_for_each(|Uploaded { file, hash }| write!(f, "/{file}.{hash}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_as_it_was_with_a_picture_and_without() {
        for kept in ["C2EAF21CB2/1795407328.000000", "DUARI/1.5/F0000001.0a1b2c"] {
            assert_eq!(Place::read(kept).unwrap().to_string(), kept);
        }
        assert_eq!(Place::read("C1/1.5").unwrap().picture, None, "kept before there were pictures");
        let (with, without) = (Place::read("C1/1.5/F1.aa").unwrap(), Place::read("C1/1.5").unwrap());
        assert!(with.is(&without) && with != without);
        assert_eq!((Place::read(""), Place::read("C1")), (None, None));
    }
}
