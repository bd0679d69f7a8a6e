//! The files of a company whose systems all speak our own form, and each of whose departments has one credential of its name (two
//! people have one each besides): what scenarios need to say things plainly.

use polku::{
    demo::{self, Home},
    simulate::Keys,
};

/// Source, channel, whether its word joins customers.
const SOURCES: [(&str, &str, bool); 7] = [
    ("register", "call_centre", true),
    ("till", "store", true),
    ("call-centre", "call_centre", true),
    ("help-desk", "call_centre", true),
    ("web-shop", "web", true),
    ("courier", "subcontractor", false),
    ("installer", "subcontractor", false),
];
/// The one that corrects what it said.
const CORRECTS: &str = "register";
const DEPARTMENTS: [&str; 5] = ["customer-care", "delivery", "products", "stores", "finance"];
/// They share a desk.
const PEOPLE: [(&str, &str); 2] = [("aino", "delivery"), ("veikko", "delivery")];
const AUDITOR: &str = "auditor";

/// Writes configuration, company and keys into an empty directory.
pub(super) fn prepare(home: &Home) {
    let mut keys = Keys::default();
    let mut config = String::from(
        "[identity.spaces]\ncustomer_number = \"company\"\nloyalty_card = \"company\"\norder = \"company\"\nshipment = \"company\"\n",
    );
    for (source, channel, trusted) in SOURCES {
        let key = demo::random_hex::<16>();
        config.push_str(&format!(
            "\n[sources.{source}]\nchannel = \"{channel}\"\nkey_sha256 = [\"{}\"]\ntrusted = {trusted}\n",
            demo::hash(&key)
        ));
        if source == CORRECTS {
            config.push_str("corrects = true\n");
        }
        keys.sources.insert(source.to_owned(), key);
    }
    let departments = DEPARTMENTS.map(|department| (department, "lead", department));
    let people = PEOPLE.map(|(name, department)| (name, "advisor", department));
    let mut credential = |name: &str, role: &str, more: &str| {
        let key = demo::random_hex::<16>();
        config.push_str(&format!(
            "\n[credentials.{name}]\nkey_sha256 = \"{}\"\nrole = \"{role}\"\n{more}",
            demo::hash(&key)
        ));
        keys.credentials.insert(name.to_owned(), key);
    };
    credential(AUDITOR, "admin", "");
    for (name, role, department) in departments.into_iter().chain(people) {
        credential(name, role, &format!("departments = [\"{department}\"]\n"));
    }
    let keys = toml::to_string(&keys).expect("keys are TOML");
    for (path, text) in [
        (home.config(), config.as_str()),
        (home.company(), include_str!("company.toml")),
        (home.keys(), &keys),
    ] {
        demo::write(&path, text).expect("the directory is writable");
    }
}
