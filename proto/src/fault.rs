//! Reasons for a refusal: one [`Fault`] per reason, with its place. All of them are reported together.

use std::fmt;

use crate::record::RecordKey;

/// The kind of a fault. Sent by number, and shown by name in `/v1`, metrics and logs: neither ever changes its meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultCode {
    /// Bytes that do not decode as the message they claim to be.
    Decode,
    /// A hash or root that differs from the announced one.
    HashMismatch,
    /// A resource that needs a feature this build lacks.
    UnknownFeature,
    /// More than this node accepts.
    Limit,
    /// A reference to a resource that does not exist.
    DanglingReference,
    /// A value that the model does not allow.
    Invalid,
    /// A snapshot under which a proxy died several times in a row soon after it was applied. Control may offer it once more.
    Suspect,
    /// A suspect snapshot under which the proxy died on that one more try. Only an operator can have it tried again.
    Fatal,
    /// A contained defect of Aralez itself.
    Internal,
}

impl FaultCode {
    /// Returns the stable name in JSON and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::HashMismatch => "hash_mismatch",
            Self::UnknownFeature => "unknown_feature",
            Self::Limit => "limit",
            Self::DanglingReference => "dangling_reference",
            Self::Invalid => "invalid",
            Self::Suspect => "suspect",
            Self::Fatal => "fatal",
            Self::Internal => "internal",
        }
    }
}

/// One reason why a snapshot is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The kind of the fault.
    pub code: FaultCode,
    /// The resource at fault; `None` if the snapshot as a whole is.
    pub resource: Option<RecordKey>,
    /// The field inside the resource, dotted; empty if the whole resource is at fault.
    pub field: String,
    /// The reason, as text for the operator.
    pub reason: String,
}

impl Fault {
    /// Returns a fault of one resource.
    pub fn of(
        resource: &RecordKey,
        code: FaultCode,
        field: &str,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            code,
            resource: Some(resource.clone()),
            field: field.to_owned(),
            reason: reason.into(),
        }
    }

    /// Returns a fault of the snapshot as a whole.
    pub fn whole(code: FaultCode, field: &str, reason: impl Into<String>) -> Self {
        Self {
            code,
            resource: None,
            field: field.to_owned(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.resource {
            Some(resource) => write!(f, "{resource}")?,
            None => f.write_str("snapshot")?,
        }
        if !self.field.is_empty() {
            write!(f, " {}", self.field)?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// At least one fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Returns `Ok` if there are no faults.
    ///
    /// # Errors
    /// All the faults, if there are any.
    pub fn check(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self(faults))
        }
    }

    /// Returns the faults, in the order found.
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// Returns the first few faults and the number of the others, for logs and for repeated reports.
    pub fn brief(&self) -> String {
        const FEW: usize = 8;
        let few = Self(self.0.iter().take(FEW).cloned().collect());
        match self.0.len().saturating_sub(FEW) {
            0 => few.to_string(),
            more => format!("{few}; and {more} more"),
        }
    }

    /// Returns the faults by value.
    pub fn into_vec(self) -> Vec<Fault> {
        self.0
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            fmt::Display::fmt(fault, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_faults_are_few_words_in_a_log() {
        let fault = |number: usize| Fault::whole(FaultCode::Invalid, "", format!("no {number}"));
        let faults = Faults((0..100_000).map(fault).collect());
        let text = faults.brief();
        assert!(text.starts_with("snapshot: no 0; "), "{text}");
        assert!(text.ends_with("no 7; and 99992 more"), "{text}");
        assert_eq!(Faults::from(fault(1)).brief(), "snapshot: no 1");
    }
}
