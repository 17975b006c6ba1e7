//! How a list of named reasons is written: each once, with its label in metrics and what it says to a person.

/// An enum of reasons with `ALL` of them, the `name` of each as a label, and its words as its error.
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
            /// All of them: the labels of the metric.
            pub const ALL: [Self; [$($label),+].len()] = [$(Self::$reason),+];

            /// The label in metrics.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$reason => $label,)+
                }
            }
        }
    };
}

pub(in crate::core::request::http1) use reasons;
