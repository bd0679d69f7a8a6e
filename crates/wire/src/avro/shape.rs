use std::fmt;

use apache_avro::Schema;

/// A schema, as far as reading and writing need it.
#[derive(Debug)]
pub(crate) enum Shape {
    Boolean,
    Long,
    Double,
    Text,
    Bytes,
    Fixed(usize),
    Enum(Vec<String>),
    Array(Box<Shape>),
    Map(Box<Shape>),
    /// Null, or this.
    Option(Box<Shape>),
    Record(Vec<Field>),
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) shape: Shape,
}

impl Shape {
    /// None for what no schema of ours may have.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever is not named here is what schemas may not use"
    )]
    pub(crate) fn of(schema: &Schema) -> Option<Shape> {
        Some(match schema {
            Schema::Boolean => Shape::Boolean,
            Schema::Long | Schema::TimestampMillis => Shape::Long,
            Schema::Double => Shape::Double,
            Schema::String => Shape::Text,
            Schema::Bytes => Shape::Bytes,
            Schema::Fixed(fixed) => Shape::Fixed(fixed.size),
            Schema::Enum(of) => Shape::Enum(of.symbols.clone()),
            Schema::Array(array) => Shape::Array(Box::new(Shape::of(&array.items)?)),
            Schema::Map(map) => Shape::Map(Box::new(Shape::of(&map.types)?)),
            Schema::Union(union) => match union.variants() {
                [Schema::Null, some] => Shape::Option(Box::new(Shape::of(some)?)),
                _ => return None,
            },
            Schema::Record(record) => {
                let fields = record.fields.iter().map(|field| {
                    Some(Field {
                        name: field.name.clone(),
                        shape: Shape::of(&field.schema)?,
                    })
                });
                Shape::Record(fields.collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shape::Boolean => "a truth value",
            Shape::Long => "a number",
            Shape::Double => "a fraction",
            Shape::Text => "a text",
            Shape::Bytes => "bytes",
            Shape::Fixed(_) => "bytes of a fixed number",
            Shape::Enum(_) => "a symbol",
            Shape::Array(_) => "a list",
            Shape::Map(_) => "a map",
            Shape::Option(_) => "what may be absent",
            Shape::Record(_) => "a record",
        })
    }
}
