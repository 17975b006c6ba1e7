//! Why something was refused: one [`Fault`] per reason, with its place, and all of them at once.

use std::fmt;

use crate::record::RecordKey;

/// What kind of reason. The wire and `/v1` carry these by name, so they never change meaning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultCode {
    /// Bytes that are not the message they claim to be.
    Decode,
    /// A hash or root that does not come out as announced.
    HashMismatch,
    /// A resource that needs a feature this build lacks.
    UnknownFeature,
    /// More than this node takes.
    Limit,
    /// A resource that names another which does not exist.
    DanglingReference,
    /// A value that the model does not allow.
    Invalid,
    /// A snapshot that ended a proxy several times in a row soon after it was applied. Control may offer it once more.
    Suspect,
    /// A suspect snapshot that ended the proxy on that one more try. Only an operator has it tried again.
    Fatal,
    /// A defect of ours, contained.
    Internal,
}

impl FaultCode {
    /// The stable name in JSON and logs.
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
    /// The kind of reason.
    pub code: FaultCode,
    /// The resource at fault; `None` where the snapshot as a whole is.
    pub resource: Option<RecordKey>,
    /// The field inside the resource, dotted; empty where the whole resource is at fault.
    pub field: String,
    /// The reason, for a person.
    pub reason: String,
}

impl Fault {
    /// A fault of one resource.
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

    /// A fault of the snapshot as a whole.
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
    /// `Ok` where nothing is wrong.
    ///
    /// # Errors
    /// All the faults, where there are any.
    pub fn check(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self(faults))
        }
    }

    /// The faults, in the order found.
    pub fn as_slice(&self) -> &[Fault] {
        &self.0
    }

    /// The first few, and how many more there are: for logs and for what is told again and again.
    pub fn brief(&self) -> String {
        const FEW: usize = 8;
        let few = Self(self.0.iter().take(FEW).cloned().collect());
        match self.0.len().saturating_sub(FEW) {
            0 => few.to_string(),
            more => format!("{few}; and {more} more"),
        }
    }

    /// The faults themselves.
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
