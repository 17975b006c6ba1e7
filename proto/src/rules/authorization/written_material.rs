//! The secret or public key of tokens as written: in a document, or in a file that it names.

use crate::reading::{NamedFile, Reader, Spanned};
use crate::rules::authorization::algorithm::TokenAlgorithm;
use crate::rules::authorization::key_material::{KeyMaterial, TokenSecret};
use crate::rules::authorization::{credential_file, public_key};
use crate::yaml::Spot;

/// The shortest secret of HS256 that is accepted without a warning.
const SHORT: usize = 16;
const BEGIN: &[u8] = b"-----BEGIN ";

/// A secret or PEM key, and its place. `Debug` is not derived, so it is never logged.
pub(super) struct WrittenMaterial<'w> {
    pub(super) bytes: &'w [u8],
    /// The place in the document.
    pub(super) at: Spot,
    /// The file that contains it, as faults show it.
    pub(super) file: Option<String>,
}

impl<'w> WrittenMaterial<'w> {
    /// Returns the content of a file. One line end behind it belongs to the file, not to the secret.
    pub(super) fn of_file(file: &'w Spanned<NamedFile>, reader: &mut Reader<'_>) -> Option<Self> {
        let path = credential_file::checked(file, reader)?;
        let content = &file.value.content[..];
        let line = content.strip_suffix(b"\n").unwrap_or(content);
        Some(Self {
            bytes: line.strip_suffix(b"\r").unwrap_or(line),
            at: file.at,
            file: Some(path),
        })
    }

    /// Reads a key of an algorithm.
    pub(super) fn read(
        &self,
        algorithm: TokenAlgorithm,
        reader: &mut Reader<'_>,
    ) -> Option<KeyMaterial> {
        match algorithm {
            TokenAlgorithm::Hs256 => self.secret(reader),
            public => {
                let pem = std::str::from_utf8(self.bytes).unwrap_or_default();
                let key = public_key::parse(pem, public);
                key.map_err(|error| self.fault(&error.to_string(), reader))
                    .ok()
            }
        }
    }

    /// Reads a secret of HS256.
    pub(super) fn secret(&self, reader: &mut Reader<'_>) -> Option<KeyMaterial> {
        if self.bytes.is_empty() {
            let reason = "is empty; generate a secret with `openssl rand -hex 32`";
            self.fault(reason, reader);
            return None;
        }
        if self.pem_line().is_some() {
            let reason =
                "is a PEM key, but HS256 needs a secret; write RS256, ES256 or EdDSA as `alg`";
            self.fault(reason, reader);
            return None;
        }
        if self.bytes.len() < SHORT {
            let reason = self.told(&format!(
                "is shorter than {SHORT} bytes, so it can be guessed from any token; generate one with `openssl rand -hex 32`"
            ));
            reader.note(self.at, reason);
        }
        Some(KeyMaterial::Hs256(TokenSecret::new(self.bytes)))
    }

    /// Reports a fault, which never quotes the text.
    fn fault(&self, reason: &str, reader: &mut Reader<'_>) {
        reader.fault(self.at, self.told(reason));
    }

    /// Returns a reason with the file and the line on which the key begins, if it is in a file.
    fn told(&self, reason: &str) -> String {
        match &self.file {
            Some(file) => format!("{file}:{}: {reason}", self.pem_line().unwrap_or(1)),
            None => reason.to_owned(),
        }
    }

    /// Returns the line on which a PEM block begins, counted from 1.
    fn pem_line(&self) -> Option<usize> {
        let at = self
            .bytes
            .windows(BEGIN.len())
            .position(|window| window == BEGIN)?;
        let before = self.bytes[..at].iter();
        Some(before.filter(|byte| **byte == b'\n').count() + 1)
    }
}
