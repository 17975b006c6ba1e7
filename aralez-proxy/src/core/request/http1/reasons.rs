//! Enums of named reasons: each reason with its metric label and its message.

/// Defines an enum of reasons with `ALL` of them, the `name` of each as a label, and its message as its error.
macro_rules! reasons {
    (
        $(#[$of_all:meta])*
        pub enum $reasons:ident {
            $($(#[$of_one:meta])* $reason:ident = $label:literal: $words:literal,)+
        }
    ) => {
        $(#[$of_all])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, thiserror::Error)]
        pub enum $reasons {
            $($(#[$of_one])* #[error($words)] $reason,)+
        }

        impl $reasons {
            /// All reasons: the labels of the metric.
            pub const ALL: [Self; [$($label),+].len()] = [$(Self::$reason),+];

            /// Returns the label in metrics.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => $label,)+
                }
            }
        }
    };
}

pub(in crate::core::request::http1) use reasons;
