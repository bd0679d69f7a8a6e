//! The schemas, parsed and checked once, and the Confluent wire format around what they describe: a byte 0, the schema's id
//! as four bytes, big-endian, then Avro.

use std::{
    collections::HashMap,
    error::Error as StdError,
    sync::{LazyLock, OnceLock},
};

use apache_avro::{
    Schema,
    reader::datum::GenericDatumReader,
    schema::{Name, ResolvedSchema, UnionSchema},
    util::max_allocation_bytes,
    writer::datum::GenericDatumWriter,
};

use crate::{
    Error, Kind, Shipped, avro,
    avro::Shape,
    payload::Payload,
    registry::Registry,
    schema::{FIRST_ID, schemas},
};

/// The shipped schemas.
pub(crate) static SHIPPED: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load(schemas()));

/// No record is larger than 1 MB; a length that says otherwise is refused before memory is set aside for it. What is left
/// is for the values of an older schema, which take more room in memory than on the wire.
const ALLOCATION_BYTES_MAX: usize = 16 << 20;

const HEADER: usize = 5;

pub(crate) struct Catalogue {
    rows: Vec<Row>,
    /// The row that is written, by kind.
    written: Vec<usize>,
    /// Whose ids are written and read besides, once one is used.
    registry: OnceLock<Registry>,
}

pub(crate) struct Row {
    kind: Kind,
    schema: &'static Schema,
    reader: Reader,
}

enum Reader {
    /// Straight into our types, and out of them.
    Current(Shape),
    /// Into values that are resolved to the current schema, written by it and read again: slow, and so the way for records
    /// of an earlier release only.
    Older(GenericDatumReader<'static>),
}

/// A message whose schema is known and whose content is still to be read.
pub(crate) struct Message<'a> {
    catalogue: &'a Catalogue,
    row: &'a Row,
    content: &'a [u8],
}

impl Catalogue {
    /// The schemas live as long as the process, so that readers and writers can hold them.
    pub(crate) fn load(shipped: &'static [Shipped]) -> Self {
        max_allocation_bytes(ALLOCATION_BYTES_MAX);
        let parsed: Vec<&'static Schema> = shipped
            .iter()
            .map(|shipped| kept(parse(shipped.avsc).expect("a test parses every shipped schema")))
            .collect();
        let numbers = (0..).zip(Kind::ALL);
        assert!(
            numbers
                .into_iter()
                .all(|(number, kind): (usize, Kind)| kind as usize == number),
            "`Kind::ALL` is in the order of the kinds"
        );
        let written: Vec<usize> = Kind::ALL
            .iter()
            .map(|kind| shipped.iter().rposition(|it| it.kind == *kind))
            .collect::<Option<_>>()
            .expect("a test finds a schema for every kind");
        let rows = (0..)
            .zip(shipped)
            .map(|(row, shipped)| {
                let current = written[shipped.kind as usize];
                Row {
                    kind: shipped.kind,
                    schema: parsed[row],
                    reader: if row == current {
                        let shape = Shape::of(parsed[row]);
                        Reader::Current(shape.expect("a test says what schemas may use"))
                    } else {
                        Reader::Older(reader(parsed[row], Some(parsed[current])))
                    },
                }
            })
            .collect();
        Self {
            rows,
            written,
            registry: OnceLock::new(),
        }
    }

    pub(crate) fn registry(&self) -> &OnceLock<Registry> {
        &self.registry
    }

    /// Appends the payload as a message.
    pub(crate) fn write<T: Payload>(&self, payload: &T, to: &mut Vec<u8>) {
        let row = self.written[T::KIND as usize];
        let id = match self.registry.get() {
            Some(registry) => registry.id(row),
            None => shipped_id(row),
        };
        to.push(0);
        to.extend_from_slice(&id.to_be_bytes());
        avro::write(self.current(T::KIND).1, payload, to)
            .expect("our types have the fields of their schemas, and no count is beyond 2^63");
    }

    pub(crate) fn open<'a>(&'a self, bytes: &'a [u8]) -> Result<Message<'a>, Error> {
        let (header, content) = bytes
            .split_first_chunk::<HEADER>()
            .ok_or(Error::Short(bytes.len()))?;
        let [format, id @ ..] = *header;
        if format != 0 {
            return Err(Error::Format(format));
        }
        let id = u32::from_be_bytes(id);
        let row = self.row(id).ok_or(Error::UnknownSchema(id))?;
        Ok(Message {
            catalogue: self,
            row,
            content,
        })
    }

    /// The shipped ids stay readable when a registry is used: what was written before it is on the log.
    fn row(&self, id: u32) -> Option<&Row> {
        let shipped = id
            .checked_sub(FIRST_ID)
            .and_then(|row| self.rows.get(usize::try_from(row).ok()?));
        shipped.or_else(|| {
            let registry = self.registry.get()?;
            match registry.row(id) {
                Some(row) => self.rows.get(row),
                None => registry.fetched(id, |text| self.foreign(text)),
            }
        })
    }

    /// How a schema of another version of Polku is read: as the present one of its kind.
    fn foreign(&self, text: &str) -> Option<Row> {
        let schema = kept(parse(text).ok()?);
        let name = schema.name()?.fullname(None);
        let current = self.rows.iter().rfind(|row| row.kind.subject() == name)?;
        Some(Row {
            kind: current.kind,
            schema,
            reader: Reader::Older(reader(schema, Some(current.schema))),
        })
    }

    fn current(&self, kind: Kind) -> (&Row, &Shape) {
        let row = &self.rows[self.written[kind as usize]];
        match &row.reader {
            Reader::Current(shape) => (row, shape),
            Reader::Older(_) => unreachable!("the written row of a kind is the current one"),
        }
    }
}

impl Message<'_> {
    pub(crate) fn is<T: Payload>(&self) -> bool {
        self.row.kind == T::KIND
    }

    pub(crate) fn misplaced(&self, place: impl ToString) -> Error {
        Error::WrongRecord {
            kind: self.row.kind,
            place: place.to_string(),
        }
    }

    /// Reads the message as what belongs in `place`.
    pub(crate) fn read<T: Payload>(&self, place: impl ToString) -> Result<T, Error> {
        let kind = self.row.kind;
        if !self.is::<T>() {
            return Err(self.misplaced(place));
        }
        let malformed = |source: Box<dyn StdError + Send + Sync>| Error::Malformed { kind, source };
        let (payload, rest) = match &self.row.reader {
            Reader::Current(shape) => {
                avro::read(shape, self.content).map_err(|error| malformed(error.into()))?
            }
            Reader::Older(reader) => {
                let mut rest = self.content;
                let payload = self.resolved(reader, &mut rest).map_err(malformed)?;
                (payload, rest)
            }
        };
        if rest.is_empty() {
            Ok(payload)
        } else {
            Err(Error::Trailing {
                kind,
                count: rest.len(),
            })
        }
    }
}

impl Message<'_> {
    fn resolved<T: Payload>(
        &self,
        reader: &GenericDatumReader<'static>,
        rest: &mut &[u8],
    ) -> Result<T, Box<dyn StdError + Send + Sync>> {
        let value = reader.read_value(rest)?;
        let (current, shape) = self.catalogue.current(self.row.kind);
        let bytes = writer(current.schema).write_value_to_vec(value)?;
        let (payload, _) = avro::read(shape, &bytes)?;
        Ok(payload)
    }
}

/// The id that a row bears where no registry gave another.
fn shipped_id(row: usize) -> u32 {
    FIRST_ID + u32::try_from(row).expect("there are as many rows as somebody wrote down")
}

/// Readers and writers hold schemas for as long as the process runs.
fn kept(schema: Schema) -> &'static Schema {
    Box::leak(Box::new(schema))
}

/// A schema in which every reference by name is replaced by what it names, so that no name is looked up while records are
/// read, and two schemas can be compared place by place.
pub(crate) fn parse(text: &str) -> Result<Schema, apache_avro::Error> {
    let mut schema = Schema::parse_str(text)?;
    inline(&mut schema, &mut HashMap::new())?;
    Ok(schema)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what holds no other schema needs nothing"
)]
pub(crate) fn inline(
    schema: &mut Schema,
    known: &mut HashMap<Name, Schema>,
) -> Result<(), apache_avro::Error> {
    match schema {
        Schema::Ref { name } => {
            // A schema that names itself stays as it is: ours do not, and the check of schemas refuses it.
            if let Some(named) = known.get(name) {
                *schema = named.clone();
            }
        }
        Schema::Array(array) => inline(&mut array.items, known)?,
        Schema::Map(map) => inline(&mut map.types, known)?,
        Schema::Union(union) => {
            let mut branches = union.variants().to_vec();
            for branch in &mut branches {
                inline(branch, known)?;
            }
            *union = UnionSchema::new(branches)?;
        }
        Schema::Record(record) => {
            for field in &mut record.fields {
                inline(&mut field.schema, known)?;
            }
            known.insert(record.name.clone(), schema.clone());
        }
        Schema::Enum(named) => {
            known.insert(named.name.clone(), schema.clone());
        }
        Schema::Fixed(named) => {
            known.insert(named.name.clone(), schema.clone());
        }
        _ => {}
    }
    Ok(())
}

/// Every reference is inlined, so that there are no names to resolve; with `None` the library would look for them and
/// take each repetition for a conflict.
fn no_names() -> ResolvedSchema<'static> {
    ResolvedSchema::new(&Schema::Null).expect("null names nothing")
}

fn writer(schema: &'static Schema) -> GenericDatumWriter<'static> {
    GenericDatumWriter::builder(schema)
        .resolved_schemata(no_names())
        .human_readable(false)
        .build()
        .expect("the names are given")
}

fn reader(written: &'static Schema, read: Option<&'static Schema>) -> GenericDatumReader<'static> {
    GenericDatumReader::builder(written)
        .resolved_writer_schemata(no_names())
        .maybe_reader_schema(read)
        .resolved_reader_schemata(no_names())
        .human_readable(false)
        .build()
        .expect("the names are given")
}
