use serde::ser::{self, Impossible, Serialize};

use super::{Error, Shape, shape::Field};

/// Appends a value of this shape.
pub(crate) fn write<T: Serialize>(shape: &Shape, value: &T, to: &mut Vec<u8>) -> Result<(), Error> {
    value.serialize(Writer { shape, to })
}

struct Writer<'w> {
    shape: &'w Shape,
    to: &'w mut Vec<u8>,
}

impl Writer<'_> {
    fn mismatch<T>(&self, found: &'static str) -> Result<T, Error> {
        let shape = self.shape.to_string();
        Err(Error::Mismatch { found, shape })
    }

    fn count(&mut self, count: usize) -> Result<(), Error> {
        let count = i64::try_from(count).map_err(|_| Error::Number)?;
        long(self.to, count);
        Ok(())
    }
}

fn long(to: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        to.push((rest as u8) | 0x80);
        rest >>= 7;
    }
    to.push(rest as u8);
}

impl<'w> ser::Serializer for Writer<'w> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'w>;
    type SerializeMap = Items<'w>;
    type SerializeStruct = Fields<'w>;
    type SerializeTuple = Impossible<(), Error>;
    type SerializeTupleStruct = Impossible<(), Error>;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        let Shape::Boolean = self.shape else {
            return self.mismatch("a truth value");
        };
        self.to.push(u8::from(value));
        Ok(())
    }

    fn serialize_i64(self, value: i64) -> Result<(), Error> {
        let Shape::Long = self.shape else {
            return self.mismatch("a number");
        };
        long(self.to, value);
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        let value = i64::try_from(value).map_err(|_| Error::Number)?;
        self.serialize_i64(value)
    }

    fn serialize_i8(self, value: i8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Error> {
        self.serialize_i64(value.into())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        let Shape::Double = self.shape else {
            return self.mismatch("a fraction");
        };
        self.to.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(mut self, value: &str) -> Result<(), Error> {
        let Shape::Text = self.shape else {
            return self.mismatch("a text");
        };
        self.count(value.len())?;
        self.to.extend_from_slice(value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(mut self, value: &[u8]) -> Result<(), Error> {
        match self.shape {
            Shape::Fixed(size) if *size == value.len() => {}
            Shape::Bytes => self.count(value.len())?,
            Shape::Boolean
            | Shape::Long
            | Shape::Double
            | Shape::Text
            | Shape::Fixed(_)
            | Shape::Enum(_)
            | Shape::Array(_)
            | Shape::Map(_)
            | Shape::Option(_)
            | Shape::Record(_) => return self.mismatch("bytes"),
        }
        self.to.extend_from_slice(value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        let Shape::Option(_) = self.shape else {
            return self.mismatch("nothing");
        };
        long(self.to, 0);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        let Shape::Option(shape) = self.shape else {
            return self.mismatch("something that may be absent");
        };
        long(self.to, 1);
        value.serialize(Writer { shape, to: self.to })
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.mismatch("nothing")
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.mismatch("nothing")
    }

    fn serialize_unit_variant(
        mut self,
        _name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        let Shape::Enum(symbols) = self.shape else {
            return self.mismatch(variant);
        };
        let index = index as usize;
        let place = match symbols.get(index) {
            Some(symbol) if symbol == variant => Some(index),
            Some(_) | None => symbols.iter().position(|symbol| symbol == variant),
        };
        match place {
            Some(place) => self.count(place),
            None => self.mismatch(variant),
        }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _value: &T,
    ) -> Result<(), Error> {
        self.mismatch(variant)
    }

    fn serialize_seq(mut self, len: Option<usize>) -> Result<Items<'w>, Error> {
        match (self.shape, len) {
            (Shape::Array(shape), Some(len)) => {
                if len > 0 {
                    self.count(len)?;
                }
                Ok(Items { shape, to: self.to })
            }
            _ => self.mismatch("a list"),
        }
    }

    fn serialize_map(mut self, len: Option<usize>) -> Result<Items<'w>, Error> {
        match (self.shape, len) {
            (Shape::Map(shape), Some(len)) => {
                if len > 0 {
                    self.count(len)?;
                }
                Ok(Items { shape, to: self.to })
            }
            _ => self.mismatch("a map"),
        }
    }

    fn serialize_tuple(self, _len: usize) -> Result<Self::SerializeTuple, Error> {
        self.mismatch("a tuple")
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleStruct, Error> {
        self.mismatch(name)
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        self.mismatch(variant)
    }

    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Fields<'w>, Error> {
        let Shape::Record(fields) = self.shape else {
            return self.mismatch(name);
        };
        Ok(Fields {
            fields,
            next: 0,
            to: self.to,
            early: Vec::new(),
        })
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        self.mismatch(variant)
    }
}

/// The items of an array or a map: one block, as long as all of them, and the end.
struct Items<'w> {
    shape: &'w Shape,
    to: &'w mut Vec<u8>,
}

impl ser::SerializeSeq for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let (shape, to) = (self.shape, &mut *self.to);
        value.serialize(Writer { shape, to })
    }

    fn end(self) -> Result<(), Error> {
        long(self.to, 0);
        Ok(())
    }
}

impl ser::SerializeMap for Items<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let (shape, to) = (&Shape::Text, &mut *self.to);
        key.serialize(Writer { shape, to })
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let (shape, to) = (self.shape, &mut *self.to);
        value.serialize(Writer { shape, to })
    }

    fn end(self) -> Result<(), Error> {
        long(self.to, 0);
        Ok(())
    }
}

/// The fields of a record, in the schema's order. One that comes before its turn waits.
struct Fields<'w> {
    fields: &'w [Field],
    next: usize,
    to: &'w mut Vec<u8>,
    early: Vec<(usize, Vec<u8>)>,
}

impl Fields<'_> {
    /// Those that waited for the fields before them.
    fn catch_up(&mut self) {
        while let Some(place) = self.early.iter().position(|(of, _)| *of == self.next) {
            let (_, bytes) = self.early.swap_remove(place);
            self.to.extend_from_slice(&bytes);
            self.next += 1;
        }
    }
}

impl ser::SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        if let Some(field) = self.fields.get(self.next)
            && field.name == name
        {
            let (shape, to) = (&field.shape, &mut *self.to);
            value.serialize(Writer { shape, to })?;
            self.next += 1;
            if !self.early.is_empty() {
                self.catch_up();
            }
            return Ok(());
        }
        let place = self.fields.iter().position(|field| field.name == name);
        let Some(place) = place else {
            return Err(Error::Mismatch {
                found: name,
                shape: "no such field".to_owned(),
            });
        };
        let mut bytes = Vec::new();
        let (shape, to) = (&self.fields[place].shape, &mut bytes);
        value.serialize(Writer { shape, to })?;
        self.early.push((place, bytes));
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        match self.fields.get(self.next) {
            None => Ok(()),
            Some(field) => Err(Error::Custom(format!(
                "the field {} is missing",
                field.name
            ))),
        }
    }
}
