//! What goes wrong with an Odoo server, told so that the person who reads it knows what to do. Never a traceback, never a
//! secret.

use std::time::Duration;

use reeve_ports::PortError;

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OdooError {
    /// A key of the configuration has to be set, or set otherwise.
    #[error("{key}: {message}")]
    Setting {
        /// The key.
        key: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// It is Odoo, but of a version that is not spoken.
    #[error("{url} is Odoo {version}; Odoo 17, 18 and 19 can be read")]
    Unsupported {
        /// The address.
        url: String,
        /// What it says it is.
        version: String,
    },
    /// The reading user could change what is read.
    #[error(
        "make a read-only user for Reeve (scripts/odoo-reader, or docs/ODOO.md by hand) and give its key as odoo.api_key: the present one may change what is read: {may}"
    )]
    MayWrite {
        /// Models, each with the rights: `stock.move (create, write)`.
        may: String,
    },
    /// Nobody answers, or not Odoo.
    #[error("{url} can not be reached: {detail}; check odoo.url, the network and that Odoo runs")]
    Unreachable {
        /// The address.
        url: String,
        /// What happened.
        detail: String,
    },
    /// It answers, but asks to be left alone or is overloaded.
    #[error("{url} is busy ({detail}); it is asked again later")]
    Busy {
        /// The address.
        url: String,
        /// What it said.
        detail: String,
        /// When it asked to be left alone until.
        retry_after: Option<Duration>,
    },
    /// The answer ended early or is not what Odoo answers.
    #[error("the answer of {url} to {what} can not be understood: {detail}")]
    Garbled {
        /// The address.
        url: String,
        /// What was asked.
        what: String,
        /// What is wrong with it.
        detail: String,
    },
    /// There is no such database.
    #[error("{url} has no database {database:?}; set odoo.database to one it has")]
    WrongDatabase {
        /// The address.
        url: String,
        /// The name that was asked for.
        database: String,
    },
    /// User, password or key were refused.
    #[error("{url} refused the sign-in{who}; check odoo.user and odoo.api_key (keys end after 90 days for ordinary users)")]
    RefusedLogin {
        /// The address.
        url: String,
        /// ` of <user>`, or nothing where only a key is used.
        who: String,
    },
    /// The user may not read a model.
    #[error("access to {model} is refused{groups}; give the reading user read access to it (docs/ODOO.md)")]
    AccessDenied {
        /// The model.
        model: String,
        /// `: it is granted to <groups>`, where the server says so, or nothing.
        groups: String,
    },
    /// The model is not there: its module is not installed.
    #[error("there is no model {model}: the module that brings it is not installed")]
    UnknownModel {
        /// The model.
        model: String,
    },
    /// The field is not there any more.
    #[error("{model} has no field {field:?}")]
    UnknownField {
        /// The model.
        model: String,
        /// The field.
        field: String,
    },
    /// Anything else the server refuses.
    #[error("Odoo refused {what}: {message}")]
    Server {
        /// What was asked.
        what: String,
        /// Odoo's own message: in quotes, shortened, without secrets.
        message: String,
    },
}

impl OdooError {
    /// Is it worth asking again?
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Busy { .. } | Self::Garbled { .. })
    }

    /// How long the server asked to be left alone.
    pub(crate) fn asked_pause(&self) -> Option<Duration> {
        if let Self::Busy { retry_after, .. } = self { *retry_after } else { None }
    }
}

impl From<OdooError> for PortError {
    fn from(error: OdooError) -> Self {
        let retry_after = error.asked_pause();
        if error.is_transient() {
            Self::Transient { service: "Odoo", retry_after, source: Box::new(error) }
        } else {
            Self::Permanent { service: "Odoo", source: Box::new(error) }
        }
    }
}
