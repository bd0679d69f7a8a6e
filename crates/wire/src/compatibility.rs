//! Whether two versions of a schema read each other's records, all of them, both ways.
//!
//! Records on the log are kept for years and departments update when they like. So a change is allowed only if the new
//! schema reads everything the old one wrote and the old one everything the new one writes, and nothing loses its meaning on
//! the way: a field may come with a default and one with a default may go; an enum whose *old* version has a default may
//! get a symbol (the default is what a reader takes for a symbol that it does not know). All else is refused, also what
//! Avro's rules would let pass but would change meaning: a renamed field, a symbol that kept records still use, a time that
//! becomes a plain number.

use std::collections::HashMap;

use apache_avro::{
    Schema,
    schema::{EnumSchema, RecordSchema},
    schema_compatibility::{Compatibility, SchemaCompatibility},
};

use crate::catalogue::inline;

/// # Errors
/// With every fault, each as the place in the record and the reason.
pub fn check(old: &Schema, new: &Schema) -> Result<(), Vec<String>> {
    let mut faults = Vec::new();
    match (inlined(old), inlined(new)) {
        (Ok(old), Ok(new)) => {
            compare("", &old, &new, &mut faults);
            if faults.is_empty() {
                second_opinion(&old, &new, &mut faults);
            }
        }
        (Err(error), _) | (_, Err(error)) => faults.push(error.to_string()),
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

fn inlined(schema: &Schema) -> Result<Schema, apache_avro::Error> {
    let mut schema = schema.clone();
    inline(&mut schema, &mut HashMap::new())?;
    Ok(schema)
}

fn compare(place: &str, old: &Schema, new: &Schema, faults: &mut Vec<String>) {
    match (old, new) {
        (Schema::Record(old), Schema::Record(new)) => compare_records(place, old, new, faults),
        (Schema::Enum(old), Schema::Enum(new)) => compare_enums(place, old, new, faults),
        (Schema::Fixed(old), Schema::Fixed(new)) => {
            if old.name != new.name {
                fault(faults, place, format!("{} became {}", old.name, new.name));
            }
            if old.size != new.size {
                fault(
                    faults,
                    place,
                    format!("{} bytes became {}", old.size, new.size),
                );
            }
        }
        (Schema::Array(old), Schema::Array(new)) => {
            compare(&format!("{place}[]"), &old.items, &new.items, faults);
        }
        (Schema::Map(old), Schema::Map(new)) => {
            compare(&format!("{place}{{}}"), &old.types, &new.types, faults);
        }
        (Schema::Union(old), Schema::Union(new)) => {
            let (old, new) = (old.variants(), new.variants());
            if old.len() == new.len() {
                for (old, new) in old.iter().zip(new) {
                    compare(place, old, new, faults);
                }
            } else {
                fault(
                    faults,
                    place,
                    format!("a union of {} became one of {}", old.len(), new.len()),
                );
            }
        }
        (Schema::Ref { name }, _) | (_, Schema::Ref { name }) => {
            fault(faults, place, format!("{name} contains itself"));
        }
        (old, new) => {
            if std::mem::discriminant(old) != std::mem::discriminant(new) {
                fault(faults, place, format!("{} became {}", word(old), word(new)));
            }
        }
    }
}

fn compare_records(place: &str, old: &RecordSchema, new: &RecordSchema, faults: &mut Vec<String>) {
    if old.name != new.name {
        fault(
            faults,
            place,
            format!("record {} became {}", old.name, new.name),
        );
    }
    let mut gone = Vec::new();
    for field in &old.fields {
        let place = join(place, &field.name);
        match new.fields.iter().find(|it| it.name == field.name) {
            Some(kept) => {
                if field.default.is_some() && kept.default.is_none() {
                    fault(faults, &place, "lost its default".to_owned());
                }
                compare(&place, &field.schema, &kept.schema, faults);
            }
            None if field.default.is_none() => fault(
                faults,
                &place,
                "a field without a default was removed".to_owned(),
            ),
            None => gone.push(field),
        }
    }
    for field in &new.fields {
        if old.fields.iter().any(|it| it.name == field.name) {
            continue;
        }
        let place = join(place, &field.name);
        if field.default.is_none() {
            fault(
                faults,
                &place,
                "a field without a default was added".to_owned(),
            );
        } else if let Some(gone) = gone.iter().find(|gone| gone.schema == field.schema) {
            fault(
                faults,
                &place,
                format!(
                    "looks like `{}` under a new name; its values would be lost",
                    gone.name
                ),
            );
        }
    }
}

fn compare_enums(place: &str, old: &EnumSchema, new: &EnumSchema, faults: &mut Vec<String>) {
    if old.name != new.name {
        fault(
            faults,
            place,
            format!("enum {} became {}", old.name, new.name),
        );
    }
    if old.default.is_some() && new.default.is_none() {
        fault(faults, place, "the enum lost its default".to_owned());
    }
    for symbol in &old.symbols {
        if !new.symbols.contains(symbol) {
            fault(
                faults,
                place,
                format!("symbol `{symbol}` was removed; kept records use it"),
            );
        }
    }
    for symbol in &new.symbols {
        if old.default.is_none() && !old.symbols.contains(symbol) {
            fault(
                faults,
                place,
                format!(
                    "symbol `{symbol}` was added to an enum whose readers have no default for it"
                ),
            );
        }
    }
}

/// The library's own answer. `Ok(Partial)` says that some records could be read: that is a refusal.
fn second_opinion(old: &Schema, new: &Schema, faults: &mut Vec<String>) {
    match SchemaCompatibility::mutual_read(old, new) {
        Ok(Compatibility::Full) => {}
        Ok(Compatibility::Partial) => {
            fault(faults, "", "only some records can be read".to_owned());
        }
        Err(error) => fault(faults, "", error.to_string()),
    }
}

fn fault(faults: &mut Vec<String>, place: &str, reason: String) {
    faults.push(if place.is_empty() {
        reason
    } else {
        format!("{place}: {reason}")
    });
}

fn join(place: &str, field: &str) -> String {
    if place.is_empty() {
        field.to_owned()
    } else {
        format!("{place}.{field}")
    }
}

/// What people call the type.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "our schemas have no other types, and the library's own word will do"
)]
fn word(schema: &Schema) -> String {
    match schema {
        Schema::Record(record) => format!("record {}", record.name),
        Schema::Enum(named) => format!("enum {}", named.name),
        Schema::Fixed(named) => format!("fixed {}", named.name),
        Schema::Array(_) => "an array".to_owned(),
        Schema::Map(_) => "a map".to_owned(),
        Schema::Union(_) => "a union".to_owned(),
        other => format!("{other:?}").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record of one field, around which the table below changes things.
    fn record(fields: &str) -> Schema {
        let text = format!(
            r#"{{"type": "record", "name": "polku.R", "fields": [{{"name": "id", "type": "string"}}{fields}]}}"#
        );
        Schema::parse_str(&text).unwrap()
    }

    const ENUM: &str = r#", {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["a", "unknown"], "default": "unknown"}}"#;
    const ENUM_C: &str = r#", {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["a", "unknown", "c"], "default": "unknown"}}"#;
    const BARE: &str =
        r#", {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["a"]}}"#;
    const BARE_B: &str =
        r#", {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["a", "b"]}}"#;
    const BARE_B_DEFAULT: &str = r#", {"name": "e", "type": {"type": "enum", "name": "E", "symbols": ["a", "b"], "default": "a"}}"#;
    const NOTE: &str = r#", {"name": "note", "type": ["null", "string"], "default": null}"#;
    const REMARK: &str = r#", {"name": "remark", "type": ["null", "string"], "default": null}"#;
    const AGE: &str = r#", {"name": "age", "type": ["null", "long"], "default": null}"#;
    const NOTE_OR_LONG: &str =
        r#", {"name": "note", "type": ["null", "string", "long"], "default": null}"#;
    const COUNT: &str = r#", {"name": "count", "type": "long"}"#;
    const NUMBER: &str = r#", {"name": "number", "type": "long"}"#;
    const COUNT_INT: &str = r#", {"name": "count", "type": "int"}"#;
    const TIME: &str =
        r#", {"name": "count", "type": {"type": "long", "logicalType": "timestamp-millis"}}"#;
    const TEXT: &str = r#", {"name": "part", "type": "string"}"#;
    const BYTES: &str = r#", {"name": "part", "type": "bytes"}"#;
    const PART: &str = r#", {"name": "part", "type": {"type": "record", "name": "P", "fields": [{"name": "x", "type": "long"}]}}"#;
    const PARTS: &str = r#", {"name": "part", "type": {"type": "array", "items": {"type": "record", "name": "P", "fields": [{"name": "x", "type": "long"}]}}}"#;
    const PARTS_Y: &str = r#", {"name": "part", "type": {"type": "array", "items": {"type": "record", "name": "P", "fields": [{"name": "y", "type": "long"}]}}}"#;
    const FIXED: &str = r#", {"name": "f", "type": {"type": "fixed", "name": "T", "size": 16}}"#;
    const FIXED_8: &str = r#", {"name": "f", "type": {"type": "fixed", "name": "T", "size": 8}}"#;

    #[test]
    fn what_some_reader_could_not_read_is_refused_with_place_and_reason() {
        for (name, old, new, expected) in [
            (
                "an enum symbol without default",
                BARE,
                BARE_B,
                "e: symbol `b` was added",
            ),
            (
                "a default that the old readers do not have",
                BARE,
                BARE_B_DEFAULT,
                "e: symbol `b` was added",
            ),
            (
                "an enum that loses its default",
                BARE_B_DEFAULT,
                BARE_B,
                "e: the enum lost",
            ),
            (
                "an enum symbol that goes",
                ENUM_C,
                ENUM,
                "e: symbol `c` was removed",
            ),
            (
                "a branch of a union",
                NOTE,
                NOTE_OR_LONG,
                "note: a union of 2 became one of 3",
            ),
            (
                "a branch of a union that goes",
                NOTE_OR_LONG,
                NOTE,
                "note: a union of 3 became one of 2",
            ),
            (
                "a record turned into bytes",
                PART,
                BYTES,
                "part: record polku.P became bytes",
            ),
            (
                "bytes turned into text",
                BYTES,
                TEXT,
                "part: bytes became string",
            ),
            (
                "a field without default that goes",
                COUNT,
                "",
                "count: a field without a default was removed",
            ),
            (
                "a field without default that comes",
                "",
                COUNT,
                "count: a field without a default was added",
            ),
            (
                "a field that got another name",
                COUNT,
                NUMBER,
                "count: a field without a default was removed",
            ),
            (
                "a nullable field that got another name",
                NOTE,
                REMARK,
                "remark: looks like `note`",
            ),
            (
                "a fixed of another size",
                FIXED,
                FIXED_8,
                "f: 16 bytes became 8",
            ),
            ("a wider number", COUNT_INT, COUNT, "count: int became long"),
            (
                "a time that becomes a number",
                TIME,
                COUNT,
                "count: timestampmillis became long",
            ),
            (
                "a fault deep inside",
                PARTS,
                PARTS_Y,
                "part[].x: a field without a default was removed",
            ),
        ] {
            let faults = check(&record(old), &record(new)).expect_err(name);
            assert!(
                faults.iter().any(|fault| fault.starts_with(expected)),
                "{name}: {faults:?}"
            );
        }
    }

    #[test]
    fn what_every_reader_can_read_is_accepted() {
        for (name, old, new) in [
            ("nothing new", ENUM, ENUM),
            ("a nullable field that comes", "", NOTE),
            ("a nullable field that goes", NOTE, ""),
            ("one that goes while another of other type comes", NOTE, AGE),
            ("an enum symbol where readers have a default", ENUM, ENUM_C),
        ] {
            assert_eq!(check(&record(old), &record(new)), Ok(()), "{name}");
        }
    }

    #[test]
    fn the_libraries_partial_answer_would_have_let_a_union_branch_pass() {
        assert_eq!(
            SchemaCompatibility::mutual_read(&record(NOTE), &record(NOTE_OR_LONG)),
            Ok(Compatibility::Partial)
        );
    }
}
