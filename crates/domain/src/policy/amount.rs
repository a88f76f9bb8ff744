//! Amounts of a policy: limits as people write them, in any currency, and what they come to in the company's.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::money::Money;

/// An amount of a foreign currency in the company's, `rate` being company units per foreign unit. Limits are compared
/// only after this (handbook §11 vector 14).
pub fn in_company_currency(amount: Decimal, rate: Decimal) -> Money {
    amount.checked_mul(rate).map_or(
        // Too large for a decimal is above every limit.
        Money::from_minor(i64::MAX),
        Money::from_decimal,
    )
}

/// A limit as it is written: `"1000"` in the company's currency, `"5000 EUR"` in another. Never below zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amount {
    /// How much.
    pub value: Decimal,
    /// Of which currency (ISO 4217); None is the company's.
    pub currency: Option<String>,
}

impl Amount {
    /// An amount in the company's currency.
    pub fn company(value: i64) -> Self {
        Self { value: Decimal::from(value), currency: None }
    }

    /// What it comes to in the company's currency, `rates` being company units for one unit of the other. None without a
    /// rate: a limit nobody can convert is no limit that anything may be released under.
    pub fn convert(&self, company: &str, rates: &BTreeMap<String, Decimal>) -> Option<Money> {
        match self.currency.as_deref() {
            None => Some(in_company_currency(self.value, Decimal::ONE)),
            Some(own) if own == company => Some(in_company_currency(self.value, Decimal::ONE)),
            Some(other) => rates.get(other).map(|rate| in_company_currency(self.value, *rate)),
        }
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value)?;
        self.currency.as_ref().map_or(Ok(()), |c| write!(f, " {c}"))
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || {
            format!(
                "{text:?} is not an amount: write a number of at most two decimals, zero or more, with a currency of three \
                 capitals where it is not the company's, such as \"1000\" or \"5000 EUR\""
            )
        };
        let mut words = text.split_whitespace();
        let value: Decimal = words.next().and_then(|w| w.parse().ok()).ok_or_else(bad)?;
        let currency = words.next().map(str::to_owned);
        let is_currency = |c: &String| c.len() == 3 && c.bytes().all(|b| b.is_ascii_uppercase());
        if words.next().is_some()
            || value.is_sign_negative()
            || value.round_dp(2) != value
            || !currency.as_ref().is_none_or(is_currency)
        {
            return Err(bad());
        }
        Ok(Self { value, currency })
    }
}

/// A share between 0 and 1: `"0.10"` or `0.10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share(pub Decimal);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse::<Decimal>() {
            Ok(share) if Decimal::ZERO <= share && share <= Decimal::ONE => Ok(Self(share)),
            _ => Err(format!("{text:?} is not a share: write a number from 0 to 1, such as 0.10 for a tenth")),
        }
    }
}

impl fmt::Display for Share {
    /// `10 %`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", (self.0 * Decimal::ONE_HUNDRED).normalize())
    }
}

/// Reads a number or a text as whatever is parsed from its text: TOML has numbers, and money is better quoted.
struct AsText<T>(std::marker::PhantomData<T>);

impl<T: FromStr<Err = String>> Visitor<'_> for AsText<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a text such as \"1000\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

pub(super) fn number_or_text<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(d: D) -> Result<T, D::Error> {
    d.deserialize_any(AsText(std::marker::PhantomData))
}

macro_rules! as_text {
    ($type:ty, $shown:expr) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                number_or_text(d)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&$shown(self))
            }
        }
    };
}

as_text!(Amount, |amount: &Amount| {
    // 1000 and 1000.00 are one limit, so one policy.
    let Amount { value, currency } = amount;
    Amount { value: value.normalize(), currency: currency.clone() }.to_string()
});
as_text!(Share, |share: &Share| share.0.normalize().to_string());

/// A rate above zero: company units for one unit of the other currency.
pub(super) fn rates<'de, D: Deserializer<'de>>(d: D) -> Result<BTreeMap<String, Decimal>, D::Error> {
    struct Rate(Decimal);
    impl FromStr for Rate {
        type Err = String;
        fn from_str(text: &str) -> Result<Self, String> {
            match text.trim().parse::<Decimal>() {
                Ok(rate) if rate > Decimal::ZERO => Ok(Self(rate)),
                _ => Err(format!("{text:?} is not a rate: write company units for one unit of it, such as \"1.08\"")),
            }
        }
    }
    impl<'de> Deserialize<'de> for Rate {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            number_or_text(d)
        }
    }
    let read = BTreeMap::<String, Rate>::deserialize(d)?;
    Ok(read.into_iter().map(|(currency, rate)| (currency, rate.0.normalize())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn an_amount_is_a_number_and_perhaps_a_currency() {
        assert_eq!("1000".parse(), Ok(Amount::company(1_000)));
        assert_eq!("5000.50 EUR".parse(), Ok(Amount { value: dec("5000.50"), currency: Some("EUR".into()) }));
        assert_eq!("0".parse(), Ok(Amount::company(0)));
        for bad in ["", "EUR", "-1", "1.005", "1,000", "1 euro", "1 eur", "1 EUR net", "EUR 1", "NaN", "1 €€€"] {
            let error = bad.parse::<Amount>().unwrap_err();
            assert!(error.contains("is not an amount") && error.contains("5000 EUR"), "{bad}: {error}");
        }
    }

    #[test]
    fn a_limit_is_converted_by_its_rate_and_is_none_without_one() {
        let rates = BTreeMap::from([("EUR".to_owned(), dec("1.10"))]);
        let convert = |text: &str| text.parse::<Amount>().unwrap().convert("USD", &rates);
        assert_eq!(convert("100"), Some(Money::from_minor(10_000)));
        assert_eq!(convert("100 USD"), Some(Money::from_minor(10_000)));
        assert_eq!(convert("100 EUR"), Some(Money::from_minor(11_000)));
        assert_eq!(convert("100 GBP"), None);
    }

    #[test]
    fn an_order_in_foreign_currency_is_worth_its_amount_times_the_rate() {
        // §11 vector 14.
        assert_eq!(in_company_currency(Decimal::from(4_000), Decimal::from(6)), Money::from_minor(2_400_000));
        assert_eq!(in_company_currency(Decimal::MAX, Decimal::from(6)), Money::from_minor(i64::MAX));
    }

    #[test]
    fn amounts_and_shares_read_as_numbers_too_and_are_written_alike() {
        #[derive(Deserialize, Serialize)]
        struct Both {
            amount: Amount,
            share: Share,
        }
        let quoted: Both = toml::from_str("amount = \"1000.00\"\nshare = \"0.10\"").unwrap();
        let plain: Both = toml::from_str("amount = 1000\nshare = 0.1").unwrap();
        assert_eq!(toml::to_string(&quoted).unwrap(), toml::to_string(&plain).unwrap());
        assert_eq!(quoted.share.to_string(), "10 %");
        for bad in ["1.1", "-0.1", "ten"] {
            assert!(bad.parse::<Share>().unwrap_err().contains("from 0 to 1"), "{bad}");
        }
        assert_eq!(("0".parse(), "1".parse()), (Ok(Share(Decimal::ZERO)), Ok(Share(Decimal::ONE))));
        assert!(toml::from_str::<Both>("amount = true\nshare = 0").is_err());
    }
}
