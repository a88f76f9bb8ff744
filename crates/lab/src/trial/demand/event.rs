//! What is injected: kinds, and where each one is.

use reeve_models::demand::detector::Kind;

/// A kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// Far more than usual on a day or two.
    Spike,
    /// Hardly anything for some days.
    Collapse,
    /// Nothing for some days, though the books say that stock is there.
    PhantomZero,
    /// More than usual from a day on.
    LevelUp,
    /// Less than usual from a day on.
    LevelDown,
    /// More and more, over 24 days.
    DriftUp,
    /// Less and less, over 24 days.
    DriftDown,
    /// Booked in a smaller unit: a multiple of what was sold.
    UomMult,
    /// Booked in a larger unit: a fraction of what was sold.
    UomDiv,
    /// Imported twice.
    Duplicate,
    /// A promotion, with its flag and a lower price. Explained.
    PromoLift,
    /// A stock-out that the system knew of. Explained.
    KnownStockout,
    /// A holiday for all. Explained.
    Holiday,
    /// A location that was shut. Explained.
    Closure,
}

impl EventKind {
    /// All kinds; exceptions first.
    pub const ALL: [Self; 14] = [
        Self::Spike,
        Self::Collapse,
        Self::PhantomZero,
        Self::LevelUp,
        Self::LevelDown,
        Self::DriftUp,
        Self::DriftDown,
        Self::UomMult,
        Self::UomDiv,
        Self::Duplicate,
        Self::PromoLift,
        Self::KnownStockout,
        Self::Holiday,
        Self::Closure,
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Collapse => "collapse",
            Self::PhantomZero => "phantom_zero",
            Self::LevelUp => "level_up",
            Self::LevelDown => "level_down",
            Self::DriftUp => "drift_up",
            Self::DriftDown => "drift_down",
            Self::UomMult => "uom_mult",
            Self::UomDiv => "uom_div",
            Self::Duplicate => "duplicate",
            Self::PromoLift => "promo_lift",
            Self::KnownStockout => "known_stockout",
            Self::Holiday => "holiday",
            Self::Closure => "closure",
        }
    }

    /// The kind of a name in files.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it has a reason that is on record, so that it must not be alarmed.
    pub fn is_explained(self) -> bool {
        matches!(self, Self::PromoLift | Self::KnownStockout | Self::Holiday | Self::Closure)
    }

    /// What a detector should call it; nothing of what is explained.
    pub fn verdict(self) -> Option<Kind> {
        match self {
            Self::Spike => Some(Kind::Spike),
            Self::Collapse => Some(Kind::Collapse),
            Self::PhantomZero => Some(Kind::Phantom),
            Self::LevelUp | Self::DriftUp => Some(Kind::LevelUp),
            Self::LevelDown | Self::DriftDown => Some(Kind::LevelDown),
            Self::UomMult => Some(Kind::UnitMultiple),
            Self::UomDiv => Some(Kind::UnitPart),
            Self::Duplicate => Some(Kind::Duplicate),
            Self::PromoLift | Self::KnownStockout | Self::Holiday | Self::Closure => None,
        }
    }

    /// Whether it stays to the end.
    pub fn lasts(self) -> bool {
        matches!(self, Self::LevelUp | Self::LevelDown | Self::DriftUp | Self::DriftDown)
    }
}

/// Which series an event is about. Numbers are those of the panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One series.
    Series(usize),
    /// All series of a location.
    Location(usize),
    /// All series.
    All,
}

/// Something that was injected. Days are indices into the panel's days.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Event {
    /// What it is.
    pub kind: EventKind,
    /// Whom it is about.
    pub scope: Scope,
    /// First day.
    pub from: usize,
    /// Last day.
    pub to: usize,
    /// Last day on which an alarm finds it.
    pub detect_until: usize,
    /// How much: a factor, or units for a spike.
    pub magnitude: f64,
    /// Units by which the days differ from what they were; 0 of what is not about one series.
    pub impact: f64,
}
