//! Which types of exception tell more than others, and which are seen over a run of days.

use reeve_domain::exception::ExceptionType as T;

/// Is it a run of losses or returns, which is named by its beginning?
pub(super) fn is_run(code: T) -> bool {
    matches!(code, T::IShrink | T::DReturn)
}

/// Which exception of a case leads: what is being decided before what caused it, certain before likely. An order that
/// shortages wait for leads them: it is what is decided on.
pub(super) fn telling_rank(code: T) -> u8 {
    match code {
        T::MMaster | T::DData => 0,
        T::RDup | T::RUom | T::FDupBill => 1,
        T::IOut => 2,
        T::RShort
        | T::FQty
        | T::FPrice
        | T::ROver
        | T::RDamage
        | T::RUnplanned
        | T::RSubst
        | T::RAsn
        | T::RLot
        | T::FUnmatched
        | T::IStale => 3,
        T::ILow | T::OOversell | T::OLate | T::IReserve => 4,
        T::SDelay | T::SOverdue | T::TLate | T::SUnconf | T::RLate | T::REarly | T::SLtShift => 5,
        T::IShrink | T::INeg | T::IPhantom | T::OSync | T::OShortPick | T::TDiff | T::IAdj => 6,
        T::ICount | T::IScrap | T::DReturn => 7,
        T::DBulk | T::DEol | T::DPromoOver | T::DPromoUnder | T::DSpike | T::DCollapse | T::DShift => 8,
        // Matters of policy tell why, not what is to be done today.
        T::IImbal | T::IOver | T::SParam | T::SMoq | T::SOtif | T::FUnbilled | T::FCost => 9,
        T::DCensored | T::DCannibal | T::SSingle => 10,
    }
}
