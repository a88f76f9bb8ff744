//! What is told of one line: numbers without a unit, relative to the vendor's own habits.
//!
//! No feature says who the vendor is, what is bought, what it costs or how much of it: those do not transfer.

/// Declares the features with their names.
macro_rules! features {
    ($($(#[doc = $doc:literal])+ $name:ident,)+) => {
        /// The features of one line.
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        pub struct Features { $($(#[doc = $doc])+ pub $name: f64,)+ }

        impl Features {
            /// Names, in the order of [`Features::values`].
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name),)+];

            /// Values, in the order of [`Features::NAMES`].
            pub fn values(&self) -> Vec<f64> {
                vec![$(self.$name,)+]
            }

            /// The features with these values, in the order of [`Features::NAMES`]; `None` where they are not as many.
            pub fn from_values(values: &[f64]) -> Option<Self> {
                let mut values = values.iter().copied();
                let features = Self { $($name: values.next()?,)+ };
                values.next().is_none().then_some(features)
            }
        }
    };
}

features! {
    /// Share of the quantity that did not come; 0 for none.
    short,
    /// −log10 of the probability that this vendor is so much short.
    short_tail,
    /// Log-likelihood ratio of an exceptional short against this vendor's habit.
    short_odds,
    /// How often this vendor is short.
    short_share,
    /// Short over this vendor's usual short.
    short_ratio,
    /// Share of the quantity that came on top; 0 for none.
    over,
    /// −log10 of the probability that this vendor delivers so much on top.
    over_tail,
    /// Log-likelihood ratio of an exceptional over-delivery.
    over_odds,
    /// How often this vendor delivers on top.
    over_share,
    /// On top over this vendor's usual.
    over_ratio,
    /// Signed departure of the billed price from the agreed one, notices taken off (logarithm of the ratio).
    price,
    /// −log10 of the probability that this vendor's price departs so far.
    price_tail,
    /// Log-likelihood ratio of an exceptional price.
    price_odds,
    /// Departure over the vendor's usual departure.
    price_ratio,
    /// The vendor's usual departure.
    price_spread,
    /// Probability that the vendor bills exact prices.
    price_exact,
    /// Logarithm of billed over received.
    billed_received,
    /// Logarithm of billed over ordered.
    billed_ordered,
    /// Logarithm of received over ordered, bonus taken off.
    received_ordered,
    /// Probability that the vendor bills what was ordered where less came.
    by_order,
    /// −log10 of the probability that so much more is billed than came.
    unreceived_tail,
    /// Log-likelihood ratio of goods billed and not received.
    unreceived_odds,
    /// 1 where a vendor that bills by order billed by receipt, or the other way about: log-likelihood ratio.
    billing_odds,
    /// Days from promise to first receipt, announced delay taken off.
    days,
    /// −log10 of the share of the vendor's lines that were as late.
    late_tail,
    /// −log10 of the share of the vendor's lines that were as early.
    early_tail,
    /// Days later than all but 5 % of the vendor's lines.
    days_over,
    /// Days earlier than all but 5 % of the vendor's lines.
    days_under,
    /// Days from the vendor's median.
    days_off,
    /// Days from the vendor's median over its usual distance.
    days_ratio,
    /// Log-likelihood ratio of an exceptional delay, all known of the day counted.
    late_odds,
    /// Log-likelihood ratio of an exceptional early receipt.
    early_odds,
    /// −ln of the vendor's share of lines with just about so many days.
    days_rare,
    /// Logarithm of 7 × the share of receipts on this day of the week.
    weekday,
    /// The same for the location.
    weekday_location,
    /// Lines of the order for the same day that have come.
    order_known,
    /// Those that came on the same day.
    order_same,
    /// Those that have not come.
    order_open,
    /// Days to the nearest of them.
    order_nearest,
    /// Days late beyond their median.
    order_apart,
    /// Other orders' lines from the vendor to the place for the same day that have come.
    route_known,
    /// Those that came on the same day.
    route_same,
    /// Days to the nearest of them.
    route_nearest,
    /// Days late beyond their median.
    route_apart,
    /// The vendor's lines promised for about then that have come.
    near_known,
    /// Days to the nearest of them.
    near_nearest,
    /// Days late beyond their median.
    near_apart,
    /// Other lines that came to the place that day.
    dock_others,
    /// Their number over what comes on a usual day there.
    dock_lift,
    /// Share of days on which anything came to the place.
    dock_busy,
    /// Other lines of the vendor that came anywhere that day.
    vendor_others,
    /// Their number over what comes on a usual day.
    vendor_lift,
    /// −log10 of the share of the vendor's last lines as late.
    recent_late,
    /// −log10 of the share of the vendor's last lines as early.
    recent_early,
    /// Receipts.
    parts,
    /// How often the vendor splits deliveries.
    split_share,
    /// Receipts of equal quantity to an earlier one within a week.
    equal_parts,
    /// Log-likelihood ratio of a receipt entered twice.
    duplicate_odds,
    /// Log-likelihood ratio of a wrong unit.
    unit_odds,
}
