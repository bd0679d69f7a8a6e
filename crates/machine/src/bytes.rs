//! Rows and their keys as bytes: in [postcard](https://postcard.jamesmunns.com/wire-format)'s format.

use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};

/// Appends the bytes of a value.
pub fn write<T: Serialize>(value: &T, to: &mut Vec<u8>) {
    postcard::serialize_with_flavor(value, End(to))
        .expect("keys and rows are plain data of known length");
}

/// Reads a value, and what follows it.
///
/// # Errors
/// What is wrong with the bytes.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8]), String> {
    postcard::take_from_bytes(bytes).map_err(|error| error.to_string())
}

/// The end of other bytes. Postcard's own way there takes them one by one.
struct End<'b>(&'b mut Vec<u8>);

impl Flavor for End<'_> {
    type Output = ();

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
