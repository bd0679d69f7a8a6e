//! The schemas that are shipped in the binary, with the ids that records on the log bear for ever.

use std::fmt;

/// The records that travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Event,
    Personal,
    LinkSet,
    LinkTick,
    Rules,
    Assignment,
    Digest,
    Move,
    StepNote,
    Entry,
    StepEntry,
    Moved,
    Signal,
    Command,
    Regroup,
    Absorb,
    CaseState,
    CaseStep,
    CommandOutcome,
    Notice,
    Reject,
    Config,
    Access,
    Sent,
    LinkDecision,
    Out,
}

impl Kind {
    pub const ALL: [Kind; 26] = [
        Kind::Event,
        Kind::Personal,
        Kind::LinkSet,
        Kind::LinkTick,
        Kind::Rules,
        Kind::Assignment,
        Kind::Digest,
        Kind::Move,
        Kind::StepNote,
        Kind::Entry,
        Kind::StepEntry,
        Kind::Moved,
        Kind::Signal,
        Kind::Command,
        Kind::Regroup,
        Kind::Absorb,
        Kind::CaseState,
        Kind::CaseStep,
        Kind::CommandOutcome,
        Kind::Notice,
        Kind::Reject,
        Kind::Config,
        Kind::Access,
        Kind::Sent,
        Kind::LinkDecision,
        Kind::Out,
    ];

    /// The subject under which a registry knows the record: its full name.
    pub const fn subject(self) -> &'static str {
        match self {
            Kind::Event => "polku.Event",
            Kind::Personal => "polku.Personal",
            Kind::LinkSet => "polku.LinkSet",
            Kind::LinkTick => "polku.LinkTick",
            Kind::Rules => "polku.Rules",
            Kind::Assignment => "polku.Assignment",
            Kind::Digest => "polku.Digest",
            Kind::Move => "polku.Move",
            Kind::StepNote => "polku.StepNote",
            Kind::Entry => "polku.Entry",
            Kind::StepEntry => "polku.StepEntry",
            Kind::Moved => "polku.Moved",
            Kind::Signal => "polku.Signal",
            Kind::Command => "polku.Command",
            Kind::Regroup => "polku.Regroup",
            Kind::Absorb => "polku.Absorb",
            Kind::CaseState => "polku.CaseState",
            Kind::CaseStep => "polku.CaseStep",
            Kind::CommandOutcome => "polku.CommandOutcome",
            Kind::Notice => "polku.Notice",
            Kind::Reject => "polku.Reject",
            Kind::Config => "polku.Config",
            Kind::Access => "polku.Access",
            Kind::Sent => "polku.Sent",
            Kind::LinkDecision => "polku.LinkDecision",
            Kind::Out => "polku.Out",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.subject())
    }
}

/// One version of one record's schema.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    pub id: u32,
    pub kind: Kind,
    pub avsc: &'static str,
}

impl Shipped {
    pub const fn subject(&self) -> &'static str {
        self.kind.subject()
    }
}

/// The id of the table's first row.
pub(crate) const FIRST_ID: u32 = 0x5000_0000;

/// All schemas whose records can be read, in order of id. The last one of a kind is the one that is written.
pub fn schemas() -> &'static [Shipped] {
    &SHIPPED
}

/// A record on the log says which row wrote it. So rows are only added at the end: when a released schema changes, its row
/// takes the file under `schemas/released/` and a new row takes the changed one.
static SHIPPED: [Shipped; 26] = [
    Shipped {
        id: 0x5000_0000,
        kind: Kind::Event,
        avsc: include_str!("../../../schemas/event.avsc"),
    },
    Shipped {
        id: 0x5000_0001,
        kind: Kind::Personal,
        avsc: include_str!("../../../schemas/personal.avsc"),
    },
    Shipped {
        id: 0x5000_0002,
        kind: Kind::LinkSet,
        avsc: include_str!("../../../schemas/link_set.avsc"),
    },
    Shipped {
        id: 0x5000_0003,
        kind: Kind::LinkTick,
        avsc: include_str!("../../../schemas/link_tick.avsc"),
    },
    Shipped {
        id: 0x5000_0004,
        kind: Kind::Rules,
        avsc: include_str!("../../../schemas/rules.avsc"),
    },
    Shipped {
        id: 0x5000_0005,
        kind: Kind::Assignment,
        avsc: include_str!("../../../schemas/assignment.avsc"),
    },
    Shipped {
        id: 0x5000_0006,
        kind: Kind::Digest,
        avsc: include_str!("../../../schemas/digest.avsc"),
    },
    Shipped {
        id: 0x5000_0007,
        kind: Kind::Move,
        avsc: include_str!("../../../schemas/move.avsc"),
    },
    Shipped {
        id: 0x5000_0008,
        kind: Kind::StepNote,
        avsc: include_str!("../../../schemas/step_note.avsc"),
    },
    Shipped {
        id: 0x5000_0009,
        kind: Kind::Entry,
        avsc: include_str!("../../../schemas/entry.avsc"),
    },
    Shipped {
        id: 0x5000_000a,
        kind: Kind::StepEntry,
        avsc: include_str!("../../../schemas/step_entry.avsc"),
    },
    Shipped {
        id: 0x5000_000b,
        kind: Kind::Moved,
        avsc: include_str!("../../../schemas/moved.avsc"),
    },
    Shipped {
        id: 0x5000_000c,
        kind: Kind::Signal,
        avsc: include_str!("../../../schemas/signal.avsc"),
    },
    Shipped {
        id: 0x5000_000d,
        kind: Kind::Command,
        avsc: include_str!("../../../schemas/command.avsc"),
    },
    Shipped {
        id: 0x5000_000e,
        kind: Kind::Regroup,
        avsc: include_str!("../../../schemas/regroup.avsc"),
    },
    Shipped {
        id: 0x5000_000f,
        kind: Kind::Absorb,
        avsc: include_str!("../../../schemas/absorb.avsc"),
    },
    Shipped {
        id: 0x5000_0010,
        kind: Kind::CaseState,
        avsc: include_str!("../../../schemas/case_state.avsc"),
    },
    Shipped {
        id: 0x5000_0011,
        kind: Kind::CaseStep,
        avsc: include_str!("../../../schemas/case_step.avsc"),
    },
    Shipped {
        id: 0x5000_0012,
        kind: Kind::CommandOutcome,
        avsc: include_str!("../../../schemas/command_outcome.avsc"),
    },
    Shipped {
        id: 0x5000_0013,
        kind: Kind::Notice,
        avsc: include_str!("../../../schemas/notice.avsc"),
    },
    Shipped {
        id: 0x5000_0014,
        kind: Kind::Reject,
        avsc: include_str!("../../../schemas/reject.avsc"),
    },
    Shipped {
        id: 0x5000_0015,
        kind: Kind::Config,
        avsc: include_str!("../../../schemas/config.avsc"),
    },
    Shipped {
        id: 0x5000_0016,
        kind: Kind::Access,
        avsc: include_str!("../../../schemas/access.avsc"),
    },
    Shipped {
        id: 0x5000_0017,
        kind: Kind::Sent,
        avsc: include_str!("../../../schemas/sent.avsc"),
    },
    Shipped {
        id: 0x5000_0018,
        kind: Kind::LinkDecision,
        avsc: include_str!("../../../schemas/link_decision.avsc"),
    },
    Shipped {
        id: 0x5000_0019,
        kind: Kind::Out,
        avsc: include_str!("../../../schemas/out.avsc"),
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value as Json;

    use super::*;

    fn json(shipped: &Shipped) -> Json {
        serde_json::from_str(shipped.avsc).unwrap()
    }

    #[test]
    fn a_row_of_the_table_stands_where_its_id_says() {
        for (row, shipped) in (0..).zip(schemas()) {
            assert_eq!(shipped.id, FIRST_ID + row, "{}", shipped.subject());
        }
    }

    #[test]
    fn every_record_that_travels_has_a_schema_of_its_name() {
        let known: BTreeSet<Kind> = schemas().iter().map(|shipped| shipped.kind).collect();
        assert_eq!(known, BTreeSet::from(Kind::ALL));
        for shipped in schemas() {
            let json = json(shipped);
            let name = format!(
                "{}.{}",
                json["namespace"].as_str().unwrap(),
                json["name"].as_str().unwrap()
            );
            assert_eq!(name, shipped.subject());
        }
    }

    /// Walks a type as it is written and names what the rules for schemas forbid.
    fn faults(json: &Json, place: &str, faults: &mut Vec<String>) {
        const PRIMITIVE: [&str; 5] = ["boolean", "long", "double", "string", "bytes"];
        let mut fault = |what: &str| faults.push(format!("{place}: {what}"));
        match json {
            Json::String(name) => {
                if !PRIMITIVE.contains(&name.as_str()) && !name.starts_with("polku.") {
                    fault(&format!("type {name}"));
                }
            }
            Json::Array(branches) => {
                if branches.len() != 2 || branches[0] != "null" {
                    fault("a union that is not [null, X]");
                }
                self::faults(&branches[1], place, faults);
            }
            Json::Object(object) => match object["type"].as_str().unwrap() {
                "long" => {
                    if object.get("logicalType") != Some(&Json::from("timestamp-millis")) {
                        fault("a logical type other than timestamp-millis");
                    }
                }
                "fixed" => {
                    if object["size"] != 16 {
                        fault("a fixed of other than 16 bytes");
                    }
                }
                "enum" => {
                    let symbols = object["symbols"].as_array().unwrap();
                    if !object.get("default").is_some_and(|it| symbols.contains(it)) {
                        fault("an enum without a default");
                    }
                }
                "array" => self::faults(&object["items"], &format!("{place}[]"), faults),
                "map" => self::faults(&object["values"], &format!("{place}{{}}"), faults),
                "record" => {
                    for field in object["fields"].as_array().unwrap() {
                        let place = format!("{place}.{}", field["name"].as_str().unwrap());
                        if field["doc"].as_str().is_none_or(str::is_empty) {
                            faults.push(format!("{place}: no doc"));
                        }
                        let nullable = field["type"].is_array();
                        if nullable != (field.get("default") == Some(&Json::Null)) {
                            faults.push(format!("{place}: null and default null go together"));
                        }
                        self::faults(&field["type"], &place, faults);
                    }
                }
                other => fault(&format!("type {other}")),
            },
            Json::Null | Json::Bool(_) | Json::Number(_) => fault("no type"),
        }
    }

    #[test]
    fn schemas_use_only_what_evolves_and_say_what_each_field_means() {
        for shipped in schemas() {
            let mut found = Vec::new();
            faults(&json(shipped), shipped.subject(), &mut found);
            assert!(found.is_empty(), "{found:#?}");
        }
    }
}
