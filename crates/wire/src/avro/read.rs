use serde::de::{
    self, DeserializeSeed, Visitor,
    value::{BorrowedStrDeserializer, StrDeserializer},
};

use super::{Error, Shape, shape::Field};

/// Reads a value of this shape, and what follows it. No length is believed before the bytes are seen.
pub(crate) fn read<'de, T: de::Deserialize<'de>>(
    shape: &'de Shape,
    bytes: &'de [u8],
) -> Result<(T, &'de [u8]), Error> {
    let mut rest = bytes;
    let value = T::deserialize(Reader {
        shape,
        rest: &mut rest,
    })?;
    Ok((value, rest))
}

struct Reader<'r, 'de> {
    shape: &'de Shape,
    rest: &'r mut &'de [u8],
}

fn byte(rest: &mut &[u8]) -> Result<u8, Error> {
    let (first, others) = rest.split_first().ok_or(Error::Short)?;
    *rest = others;
    Ok(*first)
}

fn long(rest: &mut &[u8]) -> Result<i64, Error> {
    let mut number = 0_u64;
    for place in 0..10 {
        let byte = byte(rest)?;
        // The tenth byte has room for one bit.
        if place == 9 && byte > 1 {
            return Err(Error::Number);
        }
        number |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Ok((number >> 1) as i64 ^ -((number & 1) as i64));
        }
    }
    Err(Error::Number)
}

fn take<'de>(rest: &mut &'de [u8], length: usize) -> Result<&'de [u8], Error> {
    let (taken, others) = rest.split_at_checked(length).ok_or(Error::Short)?;
    *rest = others;
    Ok(taken)
}

/// A number of bytes, or of items of at least one byte each: no more than are left.
fn length(rest: &mut &[u8], length: i64) -> Result<usize, Error> {
    usize::try_from(length)
        .ok()
        .filter(|length| *length <= rest.len())
        .ok_or(Error::Length(length, rest.len()))
}

fn prefixed<'de>(rest: &mut &'de [u8]) -> Result<&'de [u8], Error> {
    let stated = long(rest)?;
    let length = length(rest, stated)?;
    take(rest, length)
}

fn text<'de>(rest: &mut &'de [u8]) -> Result<&'de str, Error> {
    std::str::from_utf8(prefixed(rest)?).map_err(|_| Error::Text)
}

impl<'de> Reader<'_, 'de> {
    fn symbol(self) -> Result<&'de str, Error> {
        let Shape::Enum(symbols) = self.shape else {
            let shape = self.shape.to_string();
            return Err(Error::Mismatch {
                found: "a symbol",
                shape,
            });
        };
        let number = long(self.rest)?;
        let symbol = usize::try_from(number)
            .ok()
            .and_then(|place| symbols.get(place));
        match symbol {
            Some(symbol) => Ok(symbol),
            None => Err(Error::Symbol(number, symbols.len())),
        }
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_, 'de> {
    type Error = Error;

    fn is_human_readable(&self) -> bool {
        false
    }

    /// The schema says what comes.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let rest = self.rest;
        match self.shape {
            Shape::Boolean => match byte(rest)? {
                0 => visitor.visit_bool(false),
                1 => visitor.visit_bool(true),
                other => Err(Error::Truth(other)),
            },
            Shape::Long => visitor.visit_i64(long(rest)?),
            Shape::Double => {
                let (bytes, others) = rest.split_first_chunk::<8>().ok_or(Error::Short)?;
                *rest = others;
                visitor.visit_f64(f64::from_le_bytes(*bytes))
            }
            Shape::Text => visitor.visit_borrowed_str(text(rest)?),
            Shape::Bytes => visitor.visit_borrowed_bytes(prefixed(rest)?),
            Shape::Fixed(size) => visitor.visit_borrowed_bytes(take(rest, *size)?),
            Shape::Enum(_) => {
                let shape = self.shape;
                visitor.visit_borrowed_str(Reader { shape, rest }.symbol()?)
            }
            Shape::Array(shape) => visitor.visit_seq(Items::new(shape, rest)),
            Shape::Map(shape) => visitor.visit_map(Items::new(shape, rest)),
            Shape::Option(shape) => match long(rest)? {
                0 => visitor.visit_none(),
                1 => visitor.visit_some(Reader { shape, rest }),
                other => Err(Error::Branch(other)),
            },
            Shape::Record(fields) => visitor.visit_map(Named::new(fields, rest)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(StrDeserializer::new(self.symbol()?))
    }

    /// In the order of the type's fields where the schema has the same, so that no name is looked for.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.shape {
            Shape::Record(fields)
                if fields
                    .iter()
                    .map(|field| &*field.name)
                    .eq(names.iter().copied()) =>
            {
                visitor.visit_seq(Ordered {
                    fields: fields.iter(),
                    rest: self.rest,
                })
            }
            Shape::Boolean
            | Shape::Long
            | Shape::Double
            | Shape::Text
            | Shape::Bytes
            | Shape::Fixed(_)
            | Shape::Enum(_)
            | Shape::Array(_)
            | Shape::Map(_)
            | Shape::Option(_)
            | Shape::Record(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

/// The items of an array or a map: blocks, and the end.
struct Items<'r, 'de> {
    shape: &'de Shape,
    rest: &'r mut &'de [u8],
    /// Of this block.
    left: usize,
    is_over: bool,
}

impl<'r, 'de> Items<'r, 'de> {
    fn new(shape: &'de Shape, rest: &'r mut &'de [u8]) -> Self {
        Self {
            shape,
            rest,
            left: 0,
            is_over: false,
        }
    }

    /// Whether there is another item.
    fn goes_on(&mut self) -> Result<bool, Error> {
        if self.left == 0 && !self.is_over {
            let mut count = long(self.rest)?;
            // A block may say how many bytes it has, for those who pass it over.
            if count < 0 {
                long(self.rest)?;
                count = count.checked_neg().ok_or(Error::Number)?;
            }
            self.left = length(self.rest, count)?;
            self.is_over = self.left == 0;
        }
        if self.is_over {
            return Ok(false);
        }
        self.left -= 1;
        Ok(true)
    }
}

impl<'de> de::SeqAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if !self.goes_on()? {
            return Ok(None);
        }
        let (shape, rest) = (self.shape, &mut *self.rest);
        seed.deserialize(Reader { shape, rest }).map(Some)
    }
}

impl<'de> de::MapAccess<'de> for Items<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        if !self.goes_on()? {
            return Ok(None);
        }
        let (shape, rest) = (&Shape::Text, &mut *self.rest);
        seed.deserialize(Reader { shape, rest }).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (shape, rest) = (self.shape, &mut *self.rest);
        seed.deserialize(Reader { shape, rest })
    }
}

/// The fields of a record whose type has them in the same order.
struct Ordered<'r, 'de> {
    fields: std::slice::Iter<'de, Field>,
    rest: &'r mut &'de [u8],
}

impl<'de> de::SeqAccess<'de> for Ordered<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(Field { shape, .. }) = self.fields.next() else {
            return Ok(None);
        };
        let rest = &mut *self.rest;
        seed.deserialize(Reader { shape, rest }).map(Some)
    }
}

/// The fields of a record by their names.
struct Named<'r, 'de> {
    fields: std::slice::Iter<'de, Field>,
    /// Of the value that comes next.
    shape: Option<&'de Shape>,
    rest: &'r mut &'de [u8],
}

impl<'r, 'de> Named<'r, 'de> {
    fn new(fields: &'de [Field], rest: &'r mut &'de [u8]) -> Self {
        Self {
            fields: fields.iter(),
            shape: None,
            rest,
        }
    }
}

impl<'de> de::MapAccess<'de> for Named<'_, 'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some(field) = self.fields.next() else {
            return Ok(None);
        };
        self.shape = Some(&field.shape);
        seed.deserialize(BorrowedStrDeserializer::new(&field.name))
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let shape = self.shape.take().ok_or(Error::Short)?;
        let rest = &mut *self.rest;
        seed.deserialize(Reader { shape, rest })
    }
}
