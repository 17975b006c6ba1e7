//! Regular expressions for whole values.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use regex_automata::dfa::{Automaton, StartKind, dense};
use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::ast::{self, Ast, Flag, Span};
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Hir, Look};

/// Maximum length of the text, in bytes.
const LONGEST: usize = 1024;
/// Maximum nesting of groups and repetitions.
const DEEPEST: u32 = 32;
/// Maximum size of the automaton, in bytes. The time to build it is proportional to this.
const LARGEST: usize = 256 * 1024;

/// A regular expression that matches whole values, never a part of one. Letters and classes are those of ASCII; any other character stands
/// for its UTF-8 bytes.
///
/// It is compiled to a deterministic automaton: a match takes one table access per byte, takes no lock and allocates nothing.
#[derive(Clone)]
pub struct ValueRegex {
    text: Arc<str>,
    automaton: Arc<dense::DFA<Vec<u32>>>,
}

/// The reason why a text is not a regular expression that can be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum InvalidRegex {
    /// Longer than any sensible expression.
    #[error("a regular expression has at most {LONGEST} bytes")]
    Long,
    /// It does not parse.
    #[error("invalid regular expression: {reason}, at character {at}")]
    Syntax {
        /// The parser's reason.
        reason: String,
        /// Position of the mistake, in characters from 1.
        at: usize,
    },
    /// `(?u)`: letters and classes are those of ASCII.
    #[error("invalid regular expression: the flag `u` is not supported, at character {0}")]
    Unicode(usize),
    /// Its automaton would be too large.
    #[error(
        "the regular expression needs an automaton of more than {} KiB; repeat fewer times or use fewer alternatives",
        LARGEST / 1024
    )]
    Large,
}

impl ValueRegex {
    /// Returns the text of the expression.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Reports whether the expression matches the whole value.
    pub fn matches(&self, value: &[u8]) -> bool {
        let whole = Input::new(value).anchored(Anchored::Yes);
        // The automaton has no bytes at which it gives up, which is the only error of a search.
        self.automaton
            .try_search_fwd(&whole)
            .is_ok_and(|end| end.is_some())
    }
}

impl FromStr for ValueRegex {
    type Err = InvalidRegex;

    fn from_str(text: &str) -> Result<Self, InvalidRegex> {
        if text.len() > LONGEST {
            return Err(InvalidRegex::Long);
        }
        let whole = Hir::concat(vec![parse(text)?, Hir::look(Look::End)]);
        Ok(Self {
            automaton: Arc::new(compile(&whole)?),
            text: text.into(),
        })
    }
}

fn parse(text: &str) -> Result<Hir, InvalidRegex> {
    let invalid = |reason: &dyn fmt::Display, span: &Span| InvalidRegex::Syntax {
        reason: reason.to_string(),
        at: position(text, span),
    };
    let parsed = ast::parse::ParserBuilder::new()
        .nest_limit(DEEPEST)
        .build()
        .parse(text)
        .map_err(|error| invalid(error.kind(), error.span()))?;
    ast::visit(&parsed, NoUnicode).map_err(|at| InvalidRegex::Unicode(position(text, &at)))?;
    TranslatorBuilder::new()
        .utf8(false)
        .unicode(false)
        .build()
        .translate(text, &parsed)
        .map_err(|error| invalid(error.kind(), error.span()))
}

/// Returns the position of a span, in characters from 1.
fn position(text: &str, span: &Span) -> usize {
    let before = text.get(..span.start.offset).unwrap_or(text);
    before.chars().count() + 1
}

fn compile(whole: &Hir) -> Result<dense::DFA<Vec<u32>>, InvalidRegex> {
    let states = thompson::Config::new()
        .utf8(false)
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(LARGEST));
    let states = thompson::Compiler::new()
        .configure(states)
        .build_from_hir(whole)
        .map_err(|_| InvalidRegex::Large)?;
    // Where an expression can end in several ways, any of them counts.
    let automaton = dense::Config::new()
        .start_kind(StartKind::Anchored)
        .match_kind(MatchKind::All)
        .dfa_size_limit(Some(LARGEST))
        .determinize_size_limit(Some(LARGEST));
    dense::Builder::new()
        .configure(automaton)
        .build_from_nfa(&states)
        .map_err(|_| InvalidRegex::Large)
}

/// Finds `(?u)`. Whether it works would depend on what else is linked, so that two programs could disagree about an expression.
struct NoUnicode;

impl ast::Visitor for NoUnicode {
    type Output = ();
    type Err = Span;

    fn finish(self) -> Result<(), Span> {
        Ok(())
    }

    fn visit_pre(&mut self, part: &Ast) -> Result<(), Span> {
        let flags = match part {
            Ast::Flags(set) => Some(&set.flags),
            Ast::Group(group) => group.flags(),
            _ => None,
        };
        let turns_on = |flags: &&ast::Flags| flags.flag_state(Flag::Unicode) == Some(true);
        flags
            .filter(turns_on)
            .map_or(Ok(()), |flags| Err(flags.span))
    }
}

impl PartialEq for ValueRegex {
    /// Compares the texts, which determine the automata.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ValueRegex {}

impl fmt::Debug for ValueRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ValueRegex").field(&self.text).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(text: &str, value: &str) -> bool {
        text.parse::<ValueRegex>()
            .expect("valid")
            .matches(value.as_bytes())
    }

    fn refused(text: &str) -> String {
        text.parse::<ValueRegex>().expect_err("refused").to_string()
    }

    #[test]
    fn an_expression_matches_whole_values() {
        for (text, value, expected) in [
            ("v[12]", "v1", true),
            ("v[12]", "v12", false),
            ("v[12]", "av1", false),
            ("a|ab", "ab", true),
            ("a|ab", "abc", false),
            ("(?i)beta", "BeTa", true),
            (".*", "", true),
            ("", "", true),
            ("", "x", false),
            (".*mobile.*", "a mobile phone", true),
            ("^a$", "a", true),
            ("(?x)a # a comment", "a", true),
            ("é+", "éé", true),
            (r"\d+", "٣", false),
            (r".*\bcat\b.*", "a cat é", true),
            (r".*\bcat\b.*", "concatenate", false),
        ] {
            assert_eq!(matches(text, value), expected, "{text} {value}");
        }
        assert!("[^a]".parse::<ValueRegex>().unwrap().matches(b"\xff"));
    }

    #[test]
    fn a_mistake_is_named_with_its_position() {
        assert_eq!(
            refused("v(1"),
            "invalid regular expression: unclosed group, at character 2"
        );
        assert_eq!(
            refused("é*?+)"),
            "invalid regular expression: unopened group, at character 5"
        );
        assert_eq!(
            refused("a(?u:b)"),
            "invalid regular expression: the flag `u` is not supported, at character 4"
        );
        assert!(refused(r"a\p{Greek}").ends_with("at character 2"));
        assert!(refused("(?=a)").contains("look-around"));
    }

    #[test]
    fn what_would_take_memory_or_time_without_bound_is_refused() {
        let repeated = "(a|b)*a(a|b){20}";
        assert!(refused(repeated).contains("more than 256 KiB"));
        assert!(refused("((a{1000}){1000}){1000}").contains("more than 256 KiB"));
        assert!(refused(&"a".repeat(1025)).contains("at most 1024 bytes"));
        let nested = "(".repeat(200) + &")".repeat(200);
        assert!(refused(&nested).contains("nest"));
        assert!(matches(r"\(?u:", "u:"));
    }
}
