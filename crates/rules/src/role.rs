//! Whom a question goes to. In an action, and so in stores and in messages, a role is a name; the rules decide by the type.

/// Who answers questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A supplier, by its id.
    Supplier,
    /// Who handles the goods of a location, by the location's id.
    Warehouse,
    /// Who sells at a location, by the location's id.
    Store,
    /// Who answers for the data.
    DataOwner,
    /// Who sells to customers.
    SalesTeam,
    /// Who runs a sales channel.
    ChannelOwner,
    /// Who carries the goods.
    Carrier,
}

impl Role {
    const ALL: [Self; 7] =
        [Self::Supplier, Self::Warehouse, Self::Store, Self::DataOwner, Self::SalesTeam, Self::ChannelOwner, Self::Carrier];

    /// The role as actions and people name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Supplier => "supplier",
            Self::Warehouse => "warehouse",
            Self::Store => "store",
            Self::DataOwner => "data owner",
            Self::SalesTeam => "sales team",
            Self::ChannelOwner => "channel owner",
            Self::Carrier => "carrier",
        }
    }

    /// The role of this name; None where an action names one that the rules do not know.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_is_found_by_its_name() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
        }
        assert_eq!(Role::named("janitor"), None);
    }
}
