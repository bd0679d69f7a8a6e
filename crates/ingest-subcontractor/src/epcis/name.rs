//! EPCIS names things by address; Polku by short names.

use event::Name;
use ingest::format::slug;

/// The word of a vocabulary: `shipping` of `shipping`, `urn:epcglobal:cbv:bizstep:shipping`, `cbv:BizStep-shipping` and
/// `https://ref.gs1.org/cbv/BizStep-shipping`; the last part of anybody's own.
pub(super) fn word(address: &str) -> &str {
    let last = address.rsplit([':', '/', '#']).next().unwrap_or(address);
    let prefixes = ["BizStep-", "Disp-", "BTT-", "ER-"];
    prefixes
        .iter()
        .find_map(|prefix| last.strip_prefix(prefix))
        .unwrap_or(last)
}

/// What a disposition says about the shipment, where it says more than the business step.
const TELLING: [(&str, &str); 13] = [
    ("damaged", "shipment.damaged"),
    ("destroyed", "shipment.destroyed"),
    ("disposed", "shipment.destroyed"),
    ("expired", "shipment.expired"),
    ("mismatch_class", "shipment.mismatched"),
    ("mismatch_instance", "shipment.mismatched"),
    ("mismatch_quantity", "shipment.mismatched"),
    ("needs_replacement", "shipment.defective"),
    ("non_conformant", "shipment.defective"),
    ("recalled", "shipment.recalled"),
    ("returned", "shipment.returned"),
    ("stolen", "shipment.lost"),
    ("non_sellable_expired", "shipment.expired"),
];

const STEPS: [(&str, &str); 24] = [
    ("accepting", "shipment.accepted"),
    ("arriving", "shipment.arrived"),
    ("assembling", "shipment.assembled"),
    ("collecting", "shipment.collected"),
    ("commissioning", "shipment.created"),
    ("consigning", "shipment.consigned"),
    ("departing", "shipment.departed"),
    ("destroying", "shipment.destroyed"),
    ("holding", "shipment.held"),
    ("inspecting", "shipment.inspected"),
    ("installing", "shipment.installed"),
    ("loading", "shipment.loaded"),
    ("packing", "shipment.packed"),
    ("picking", "shipment.picked"),
    ("receiving", "shipment.received"),
    ("repairing", "shipment.repaired"),
    ("replacing", "shipment.replaced"),
    ("retail_selling", "shipment.sold"),
    ("shipping", "shipment.shipped"),
    ("staging_outbound", "shipment.staged"),
    ("storing", "shipment.stored"),
    ("transporting", "shipment.in-transit"),
    ("unloading", "shipment.unloaded"),
    ("void_shipping", "shipment.shipping-voided"),
];

/// The event's type: what a telling disposition says, else the business step, else any disposition.
pub(super) fn kind(step: Option<&str>, disposition: Option<&str>) -> String {
    let (step, disposition) = (step.map(word), disposition.map(word));
    let found = |table: &[(&str, &'static str)], word: Option<&str>| {
        table
            .iter()
            .find(|(known, _)| Some(*known) == word)
            .map(|(_, name)| (*name).to_owned())
    };
    found(&TELLING, disposition)
        .or_else(|| found(&STEPS, step))
        .or_else(|| own(step))
        .or_else(|| own(disposition))
        .unwrap_or_else(|| "shipment.observed".to_owned())
}

/// A word of somebody's own vocabulary: `shipment.delivered` of `https://carrier.example/bizstep/delivered`.
fn own(word: Option<&str>) -> Option<String> {
    let slug = slug(word?);
    (!slug.is_empty()).then(|| format!("shipment.{slug}"))
}

/// A place: `sgln:0614141:00777:0` of its URN, `gln:9524321:400017` of a digital link, else what can be kept of the address. Colons
/// part the digits, since many location numbers would pass for payment cards.
pub(super) fn place(address: &str) -> Option<String> {
    let address = address.trim();
    let named = match address.strip_prefix("urn:epc:id:") {
        Some(rest) => rest.replace('.', ":").to_ascii_lowercase(),
        None => match digital_link(address, "414") {
            Some(number) if number.len() == 13 => format!("gln:{}:{}", &number[..7], &number[7..]),
            Some(_) | None => String::new(),
        },
    };
    let name = match Name::new(&named) {
        Ok(name) => name.as_str().to_owned(),
        Err(_) => {
            let (_, path) = address.split_once("://").unwrap_or(("", address));
            slug(path)
        }
    };
    (!name.is_empty()).then_some(name)
}

/// The digits behind a key of a GS1 Digital Link: `https://id.gs1.org/00/106141412345678908`.
pub(super) fn digital_link<'a>(address: &'a str, key: &str) -> Option<&'a str> {
    let path = address.split(['?', '#']).next()?;
    let mut parts = path.split('/').skip_while(|part| *part != key);
    let digits = parts.nth(1)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_read_from_every_spelling_of_the_vocabulary() {
        for (step, disposition, expected) in [
            (Some("shipping"), Some("in_transit"), "shipment.shipped"),
            (
                Some("urn:epcglobal:cbv:bizstep:receiving"),
                None,
                "shipment.received",
            ),
            (
                Some("https://ref.gs1.org/cbv/BizStep-departing"),
                None,
                "shipment.departed",
            ),
            (
                Some("cbv:BizStep-arriving"),
                Some("cbv:Disp-in_progress"),
                "shipment.arrived",
            ),
            (
                Some("receiving"),
                Some("https://ref.gs1.org/cbv/Disp-damaged"),
                "shipment.damaged",
            ),
            (
                Some("shipping"),
                Some("urn:epcglobal:cbv:disp:returned"),
                "shipment.returned",
            ),
            (
                Some("https://carrier.example/bizstep/delivered"),
                None,
                "shipment.delivered",
            ),
            (Some("cycle_counting"), None, "shipment.cycle-counting"),
            (None, Some("in_transit"), "shipment.in-transit"),
            (None, None, "shipment.observed"),
            (Some("https://carrier.example/"), None, "shipment.observed"),
        ] {
            assert_eq!(
                kind(step, disposition),
                expected,
                "{step:?} {disposition:?}"
            );
        }
    }

    #[test]
    fn every_name_of_the_tables_is_one() {
        for (_, name) in TELLING.iter().chain(&STEPS) {
            assert!(Name::new(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_place_keeps_what_names_it() {
        for (address, expected) in [
            (
                "urn:epc:id:sgln:0614141.00777.0",
                Some("sgln:0614141:00777:0"),
            ),
            (
                "https://id.gs1.org/414/9524321400017",
                Some("gln:9524321:400017"),
            ),
            (
                "https://id.gs1.org/414/9524321400017/254/4711?x=1",
                Some("gln:9524321:400017"),
            ),
            (
                "https://terminals.example/Tampere 1",
                Some("terminals-example-tampere-1"),
            ),
            ("geo:60.17,24.94", Some("geo-60-17-24-94")),
            ("urn:epc:id:sgln:Ä", Some("urn-epc-id-sgln-a")),
            ("::", None),
            ("", None),
        ] {
            assert_eq!(place(address).as_deref(), expected, "{address}");
        }
    }

    /// Half of Europe's location numbers begin as payment cards do.
    #[test]
    fn no_location_number_passes_for_a_payment_card() {
        for number in 0..200 {
            let urn = format!("urn:epc:id:sgln:4012345.{number:05}.0");
            let link = format!("https://id.gs1.org/414/5012345{number:06}");
            for address in [urn, link] {
                let place = place(&address).unwrap();
                assert_eq!(ingest::mask::text(&place).0, place);
            }
        }
    }
}
