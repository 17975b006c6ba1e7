//! The paths that the code of a file names, in whatever form they are written, macros included.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, LexError, TokenStream, TokenTree};

/// One path that a file names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Named {
    /// The segments as written: `["crate", "core", "live"]`.
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    pub(crate) how: How,
}

/// The form in which a file names a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    /// In an expression, a type or a macro.
    Inline,
    /// `use`.
    Import,
    /// `pub use`, with any visibility.
    Reexport,
}

/// All paths that a file names.
#[derive(Default, Debug)]
pub(crate) struct Names {
    pub(crate) paths: Vec<Named>,
    /// The local names that its imports and re-exports introduce, with the paths they refer to.
    pub(crate) local: BTreeMap<String, Vec<String>>,
    /// The subset of `local` that other modules can see.
    pub(crate) reexported: BTreeMap<String, Vec<String>>,
    /// The modules that the file declares.
    pub(crate) modules: Vec<String>,
}

impl Names {
    /// Collects the paths in this text, except those in its tests.
    ///
    /// # Errors
    /// If the text is not valid Rust.
    pub(crate) fn of(text: &str) -> Result<Self, LexError> {
        let mut names = Self::default();
        names.scan(text.parse()?);
        Ok(names)
    }

    fn scan(&mut self, stream: TokenStream) {
        let tokens: Vec<_> = stream.into_iter().collect();
        let mut at = 0;
        let mut public = false;
        while at < tokens.len() {
            let here = &tokens[at..];
            let (next, visible) = self.step(here, public);
            public = visible;
            at += next;
        }
    }

    /// Reads the item or token at the start of `here`. Returns the number of tokens read, and whether the next one is public.
    fn step(&mut self, here: &[TokenTree], public: bool) -> (usize, bool) {
        match &here[0] {
            TokenTree::Punct(hash) if hash.as_char() == '#' && is_test_only(here.get(1)) => {
                (item(here), false)
            }
            TokenTree::Group(group) => {
                self.scan(group.stream());
                (1, false)
            }
            TokenTree::Ident(word) if *word == "pub" => {
                let restricted = is_group(here.get(1), Delimiter::Parenthesis);
                (1 + usize::from(restricted), true)
            }
            TokenTree::Ident(word) if *word == "use" && !is_punct(here.get(1), '<') => {
                let end = here.iter().position(|token| is_punct(Some(token), ';'));
                let end = end.unwrap_or(here.len());
                let how = if public { How::Reexport } else { How::Import };
                self.import(&here[1..end], &[], how);
                (end, false)
            }
            TokenTree::Ident(word) if *word == "mod" => {
                let name = here.get(1).map(ToString::to_string).unwrap_or_default();
                self.modules.push(name);
                (2, false)
            }
            TokenTree::Ident(_) => (self.inline(here), false),
            TokenTree::Punct(_) | TokenTree::Literal(_) => (1, public),
        }
    }

    /// Reads one tree of a `use`: a path, a path with a group, or several of them separated by commas.
    fn import(&mut self, tokens: &[TokenTree], before: &[String], how: How) {
        let trees = tokens.split(|token| is_punct(Some(token), ','));
        // A trailing comma leaves an empty tree.
        for tree in trees.filter(|tree| !tree.is_empty()) {
            let mut path = before.to_vec();
            let mut known_as = None;
            let mut rest = tree.iter();
            let mut line = 0;
            while let Some(token) = rest.next() {
                line = token.span().start().line;
                match token {
                    TokenTree::Ident(word) if *word == "as" => {
                        known_as = rest.next().map(ToString::to_string);
                    }
                    TokenTree::Ident(word) if *word == "self" && !before.is_empty() => {}
                    TokenTree::Ident(word) => path.push(word.to_string()),
                    TokenTree::Punct(star) if star.as_char() == '*' => path.push("*".to_owned()),
                    TokenTree::Group(group) => {
                        let inner: Vec<_> = group.stream().into_iter().collect();
                        self.import(&inner, &path, how);
                        path.clear();
                    }
                    TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                }
            }
            if let Some(last) = path.last() {
                let known_as = known_as.unwrap_or_else(|| last.clone());
                self.local.insert(known_as.clone(), path.clone());
                if how == How::Reexport {
                    self.reexported.insert(known_as, path.clone());
                }
                self.paths.push(Named { path, line, how });
            }
        }
    }

    /// Reads a path outside of `use`, if one begins here; returns its number of tokens.
    fn inline(&mut self, here: &[TokenTree]) -> usize {
        let mut path = vec![here[0].to_string()];
        let mut at = 1;
        while is_punct(here.get(at), ':')
            && is_punct(here.get(at + 1), ':')
            && let Some(TokenTree::Ident(word)) = here.get(at + 2)
        {
            path.push(word.to_string());
            at += 3;
        }
        self.paths.push(Named {
            path,
            line: here[0].span().start().line,
            how: How::Inline,
        });
        at
    }
}

fn is_punct(token: Option<&TokenTree>, sign: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == sign)
}

fn is_group(token: Option<&TokenTree>, delimiter: Delimiter) -> bool {
    matches!(token, Some(TokenTree::Group(group)) if group.delimiter() == delimiter)
}

/// Reports whether this is the bracket of `#[cfg(test)]` or `#[cfg(all(test, …))]`.
fn is_test_only(bracket: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = bracket else {
        return false;
    };
    let text = group.stream().to_string().replace(' ', "");
    text == "cfg(test)" || text.starts_with("cfg(all(test,")
}

/// Returns the number of tokens of an item or a field, with the attributes before it.
fn item(here: &[TokenTree]) -> usize {
    const ITEMS: [&str; 10] = [
        "fn", "mod", "use", "impl", "struct", "enum", "const", "static", "type", "trait",
    ];
    let mut at = 0;
    while is_punct(here.get(at), '#') {
        at += 2;
    }
    let mut named = false;
    while let Some(token) = here.get(at) {
        at += 1;
        named |= ITEMS.iter().any(|word| token.to_string() == *word);
        let ends = is_punct(Some(token), ';')
            || is_group(Some(token), Delimiter::Brace)
            || (!named && is_punct(Some(token), ','));
        if ends {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let names = Names::of(text).unwrap();
        let long = names.paths.iter().filter(|named| named.path.len() > 1);
        long.map(|named| named.path.join("::")).collect()
    }

    #[test]
    fn every_form_of_an_import_is_read() {
        let text = "use crate::{engine, cache::{self, file::Body as Content}, core::*};\nuse super::super::a;\npub(crate) use self::b::C;";
        let found = [
            "crate::engine",
            "crate::cache",
            "crate::cache::file::Body",
            "crate::core::*",
            "super::super::a",
            "self::b::C",
        ];
        assert_eq!(paths(text), found);
        let names = Names::of(text).unwrap();
        assert_eq!(
            names.local["Content"].join("::"),
            "crate::cache::file::Body"
        );
        assert_eq!(Vec::from_iter(names.reexported.keys()), ["C"]);
    }

    #[test]
    fn paths_in_bodies_macros_types_and_attributes_are_read() {
        let text = "#[arg(parse = crate::a::b)]\nstruct S(crate::c::D<std::fs::File>);\nfn f() { info!(x = crate::e::f()); }";
        let found = ["crate::a::b", "crate::c::D", "std::fs::File", "crate::e::f"];
        assert_eq!(paths(text), found);
        let names = Names::of(text).unwrap();
        assert!(names.paths.iter().any(|named| named.line == 3));
    }

    #[test]
    fn what_stands_behind_the_tests_of_a_file_is_read_and_the_tests_are_not() {
        let text = "use a::b;\n#[cfg(test)]\nmod tests;\nuse c::d;\n#[cfg(test)]\n#[allow(unused)]\nfn only<A, B>() { x::y() }\nstruct S { #[cfg(test)] f: g::H, i: j::K }\n#[cfg(test)]\nmod more { use l::m; }\nuse n::o;";
        assert_eq!(paths(text), ["a::b", "c::d", "j::K", "n::o"]);
        assert!(Names::of(text).unwrap().modules.is_empty());
    }

    #[test]
    fn comments_texts_and_visibilities_name_nothing() {
        let text = "//! crate::a::b\nconst T: &str = \"crate::c::d\"; pub(in crate::e) fn f() -> impl Sized + use<> {}";
        assert_eq!(paths(text), Vec::<String>::new());
    }
}
