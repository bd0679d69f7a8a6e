//! The systems of the simulated company: each a source of its own, and each speaks as such systems do.

/// In the order of the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum System {
    Till,
    Panel,
    Zendesk,
    Phone,
    WebShop,
    Survey,
    Courier,
    Installer,
    /// Leaves a file now and then.
    PickupPoints,
}

impl System {
    /// The source's id in the configuration.
    pub(super) const fn source(self) -> &'static str {
        match self {
            System::Till => "till",
            System::Panel => "panel",
            System::Zendesk => "zendesk",
            System::Phone => "phone",
            System::WebShop => "web-shop",
            System::Survey => "survey",
            System::Courier => "courier",
            System::Installer => "installer",
            System::PickupPoints => "pickup-points",
        }
    }

    /// How finely it writes its moments down, in milliseconds.
    pub(super) const fn tells_time_to_ms(self) -> i64 {
        match self {
            System::Till
            | System::Panel
            | System::Zendesk
            | System::WebShop
            | System::Survey
            | System::Courier
            | System::Installer => 1,
            System::Phone | System::PickupPoints => 1_000,
        }
    }
}
