//! Claims: what a drafter may say as true of a case. The catalogue is closed, the program decides each one and words it; a
//! drafter only picks. So nobody can say "the best", "no other" or "within" of a case but the arithmetic.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ids::FactId;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident, $code:literal;)+) => {
        /// What is claimed. Which facts and figures decide it stands in the family's file of the rules (`claims`).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum ClaimKind {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)+
        }

        impl ClaimKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its code, as a claim's id holds it: `better_than`.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }
        }
    };
}

kinds! {
    /// The candidate is worth so much.
    Worth, "worth";
    /// The expected loss is smaller after it.
    LowersLoss, "lowers_loss";
    /// The expected loss stays as it is.
    KeepsLoss, "keeps_loss";
    /// It costs nothing, also if the alarm was false.
    CostsNothing, "costs_nothing";
    /// Also its low end is above nothing.
    PaysAtWorst, "pays_at_worst";
    /// Its low end is below nothing.
    MayNotPay, "may_not_pay";
    /// Its net benefit is larger than that of each other candidate.
    Best, "best";
    /// No other candidate is worth more than nothing.
    OnlyGain, "only_gain";
    /// It is worth more than another.
    BetterThan, "better_than";
    /// It is worth less than another.
    WorseThan, "worse_than";
    /// It costs less than another.
    CheaperThan, "cheaper_than";
    /// Less of the loss remains than after another.
    LeavesLessThan, "leaves_less_than";
    /// It can still be done when another can not.
    LastsLongerThan, "lasts_longer_than";
    /// Its goods come before those of another.
    EarlierThan, "earlier_than";
    /// Its goods come before what is missing comes anyway.
    BeforeRelief, "before_relief";
    /// The donor can spare what is moved.
    DonorSpares, "donor_spares";
    /// Giving it away adds nothing to what the donor is expected to lose.
    DonorSafe, "donor_safe";
    /// Giving it away adds to what the donor is expected to lose.
    DonorAtRisk, "donor_at_risk";
    /// Every check of it passed.
    ChecksPassed, "checks_passed";
    /// A check of it warns.
    CheckWarns, "check_warns";
    /// Nothing is free at a place.
    OutOfStock, "out_of_stock";
    /// Something is free at a place.
    InStock, "in_stock";
    /// Customers wait at a place.
    CustomersWait, "customers_wait";
    /// No customer waits at a place.
    NobodyWaits, "nobody_waits";
    /// What is free lasts until relief.
    ReliefBeforeStockout, "relief_before_stockout";
    /// What is free does not last until relief.
    StockoutBeforeRelief, "stockout_before_relief";
    /// Running out is more likely than not.
    LikelyOut, "likely_out";
    /// Nothing is on order for a place.
    NothingOnOrder, "nothing_on_order";
    /// Something is on order for a place.
    OnOrder, "on_order";
    /// It is late, or was.
    Late, "late";
    /// It came before its day.
    Early, "early";
    /// The supplier has not answered for some days.
    Unanswered, "unanswered";
    /// Less was received than ordered.
    ReceivedShort, "received_short";
    /// What was ordered was received.
    ReceivedWhole, "received_whole";
    /// More is billed than was received.
    BilledBeyondReceipt, "billed_beyond_receipt";
    /// The price billed is above the agreed one.
    PriceAboveAgreed, "price_above_agreed";
    /// The price billed is below the agreed one.
    PriceBelowAgreed, "price_below_agreed";
    /// The price billed is the agreed one.
    PriceAsAgreed, "price_as_agreed";
    /// How like cases were decided and ended.
    LikeCases, "like_cases";
    /// Something that was needed is not known.
    SomethingMissing, "something_missing";
    /// Nothing that was needed is missing.
    NothingMissing, "nothing_missing";
}

impl fmt::Display for ClaimKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A claim that a drafter picked and the program found true.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// How it is picked: whose it is, what is claimed, and of or against what: `A1.better_than.A2`, `case.out_of_stock.75@3`.
    pub id: String,
    /// What is claimed.
    pub kind: ClaimKind,
    /// The program's sentence for it.
    pub words: String,
    /// The facts that decide it, all of them; figures of candidates are on the cards.
    pub cites: Vec<FactId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_written_as_its_code() {
        for kind in ClaimKind::ALL {
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{kind}\""));
        }
    }
}
