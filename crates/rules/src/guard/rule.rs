//! The rules of the guard by name: each has a file of its own in `rules`, is counted where it refuses, and is broken on purpose by
//! the mutations of the tests.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident, $name:literal;)+) => {
        /// What a reply has to keep.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Rule {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl Rule {
            /// Every rule, in the order in which they are asked.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name, as objections and counts have it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

rules! {
    /// It is one whole JSON object of the schema.
    Form, "form";
    /// The mark around the data does not come back.
    Mark, "mark";
    /// It chooses a few legal candidates of the case, each once.
    Choices, "choices";
    /// A confidence is a percentage.
    Confidence, "confidence";
    /// Its reasons are claims that are true, of what it chooses.
    Claims, "claims";
    /// It abstains with a question or not at all.
    Abstention, "abstention";
    /// A text is short.
    Length, "length";
    /// A text has nothing that can not be seen.
    Invisible, "invisible";
    /// A text is in English letters.
    Language, "language";
    /// What stands in brackets names a figure, and stands alone.
    Reference, "reference";
    /// A text repeats nothing that somebody outside wrote.
    Quote, "quote";
    /// A figure keeps its unit.
    Unit, "unit";
    /// A text has no figure of its own.
    Number, "number";
    /// A text has no link and no address.
    Link, "link";
    /// A text has no markup.
    Markup, "markup";
    /// A text says nothing of the forbidden set.
    Forbidden, "forbidden";
    /// A letter tells no money of ours.
    Money, "money";
    /// A letter names nobody but its receiver.
    Partner, "partner";
    /// A text compares nothing.
    Comparison, "comparison";
    /// A text says of nothing that it is the most.
    Superlative, "superlative";
    /// A text denies nothing.
    Negation, "negation";
    /// A text says nothing of all, none or only.
    Quantifier, "quantifier";
    /// What is said to whoever decides is one question.
    Question, "question";
    /// A letter is made of questions and requests.
    Letter, "letter";
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
