use super::*;

fn refused(text: &str) -> String {
    let unreadable = parse(text.as_bytes()).expect_err("refused");
    format!("{}: {}", unreadable.at, unreadable.reason)
}

/// Prints the tree, each value with its position.
fn shown(node: Node<'_>) -> String {
    let value = match node.value() {
        Value::Scalar(Scalar { text, plain: true }) => text.to_owned(),
        Value::Scalar(Scalar { text, plain: false }) => format!("{text:?}"),
        Value::Sequence(elements) => {
            let elements: Vec<String> = elements.map(shown).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Mapping(entries) => {
            let entry =
                |entry: Entry<'_>| format!("{}@{}: {}", entry.key, entry.at, shown(entry.value));
            format!("{{{}}}", entries.map(entry).collect::<Vec<_>>().join(", "))
        }
    };
    format!("{value}@{}", node.at())
}

fn tree(text: &str) -> String {
    let tree = parse(text.as_bytes()).expect("a tree");
    tree.root().map_or_else(String::new, shown)
}

#[test]
fn values_keep_their_places_counted_in_characters() {
    assert_eq!(
        tree("ключ: \"ё\\n\"\nb:\n  - 'x'\n  - {c: d, e: }\n"),
        "{ключ@1:1: \"ё\\n\"@1:7, b@2:1: [\"x\"@3:5, {c@4:6: d@4:9, e@4:12: ~@4:13}@4:5]@3:3}@1:1"
    );
}

#[test]
fn editors_of_all_systems_write_the_same_document() {
    let plain = tree("a: 1\nb:\n  - x y\n");
    assert_eq!(tree("a: 1\r\nb:\r\n  - x y\r\n"), plain);
    assert_eq!(tree("\u{feff}a: 1\nb:\n  - x y\n"), plain);
    assert_eq!(tree("---\na: 1\n...\n"), "{a@2:1: 1@2:4}@2:1");
}

#[test]
fn texts_in_every_form_are_the_texts_that_were_meant() {
    let text = "\
a: |
  one
  two
b: >-
  one
  two
c: \"q\\u0041\"
d: 'it''s'
e: one
  two
";
    assert_eq!(
        tree(text),
        "{a@1:1: \"one\\ntwo\\n\"@2:3, b@4:1: \"one two\"@5:3, c@7:1: \"qA\"@7:4, d@8:1: \"it's\"@8:4, e@9:1: one two@9:4}@1:1"
    );
}

#[test]
fn an_alias_is_what_it_names() {
    assert_eq!(
        tree("a: &x [1]\nb: *x\nc: &y z\nd: *y\n"),
        "{a@1:1: [1@1:8]@1:7, b@2:1: [1@1:8]@2:4, c@3:1: z@3:7, d@4:1: z@4:4}@1:1"
    );
}

#[test]
fn what_surprises_is_refused_with_its_place() {
    assert_eq!(
        refused("a: 1\nb: 2\na: 3\n"),
        "3:1: duplicate key `a`, already defined at 1:1"
    );
    assert_eq!(
        refused("a: 1\n\"a\": 3\n"),
        "2:1: duplicate key `a`, already defined at 1:1"
    );
    assert!(
        refused("a: !!python/object:os.system x\n").starts_with("1:"),
        "{}",
        refused("a: !!python/x x")
    );
    assert!(refused("a: !env X\n").contains("unsupported tag `!env`"));
    assert!(refused("a: !!set {b}\n").contains("unsupported tag"));
    assert_eq!(
        refused("a: 1\n---\nb: 2\n"),
        "2:1: a second document begins here; a file contains one document"
    );
    assert_eq!(
        refused("[a]: 1\n"),
        "1:1: a key must be a string, not a list, a map or an alias"
    );
    assert!(
        refused("a:\n\t- b\n").contains("tab"),
        "{}",
        refused("a:\n\t- b\n")
    );
    assert!(refused("a: *nobody\n").contains("unknown anchor"));
    assert_eq!(
        refused("a: \u{7}\n"),
        "1:4: byte 3 is the control byte 0x07"
    );
}

#[test]
fn truth_and_nothing_are_those_of_yaml_1_2() {
    let scalar = |text, plain| Scalar { text, plain };
    assert_eq!(scalar("true", true).as_bool(), Some(true));
    assert_eq!(scalar("True", true).as_bool(), Some(true));
    assert_eq!(scalar("yes", true).as_bool(), None);
    assert_eq!(scalar("true", false).as_bool(), None);
    assert!(scalar("~", true).is_null() && !scalar("~", false).is_null());
    assert!(scalar("12", true).is_number() && scalar("-1.5", true).is_number());
    assert!(!scalar("1.2.3.4", true).is_number() && !scalar("inf", true).is_number());
}

#[test]
fn an_empty_document_has_no_root() {
    for text in ["", "\n", "# a\n", "---\n", "null\n", "~"] {
        assert_eq!(tree(text), "", "{text:?}");
    }
}

#[test]
fn empty_documents_before_and_after_the_only_one_do_not_count() {
    let alone = "{a@1:1: 1@1:4}@1:1";
    for text in [
        "a: 1\n---\n",
        "a: 1\n---\n# end\n---\n...\n",
        "a: 1\n--- ~\n",
    ] {
        assert_eq!(tree(text), alone, "{text:?}");
    }
    assert_eq!(
        tree("---\n# Source: chart.yaml\n---\na: 1\n"),
        "{a@4:1: 1@4:4}@4:1"
    );
    assert_eq!(
        refused("---\n---\na: 1\n---\n---\nb: 2\n"),
        "5:1: a second document begins here; a file contains one document"
    );
}

#[test]
fn a_merge_adds_what_the_map_does_not_say_itself_and_the_first_map_wins() {
    assert_eq!(
        tree("a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  <<: [*a, *b]\n  x: 0\n")
            .split("c@")
            .nth(1),
        Some("3:1: {x@5:3: 0@5:6, y@1:14: 2@1:17, z@2:14: 4@2:17}@4:3}@1:1")
    );
    assert_eq!(
        tree("a: &a {x: [1]}\nc: {<<: *a}\n"),
        "{a@1:1: {x@1:8: [1@1:12]@1:11}@1:7, c@2:1: {x@1:8: [1@1:12]@1:11}@2:4}@1:1"
    );
    assert_eq!(
        tree("c: {<<: {x: 1}, x: 2}\n"),
        "{c@1:1: {x@1:17: 2@1:20}@1:4}@1:1"
    );
    assert_eq!(tree("\"<<\": 1\n"), "{<<@1:1: 1@1:7}@1:1");
}

#[test]
fn a_merge_that_cannot_be_meant_is_refused_with_its_place() {
    assert_eq!(
        refused("a: &a {x: 1}\nb: &b {<<: *a}\nc: {<<: *b}\n"),
        "3:9: merges a map that itself contains `<<`; a merge is one level deep"
    );
    assert_eq!(
        refused("a: &a [1]\nb: {<<: *a}\n"),
        "1:8: expected a map or a list of maps for `<<`, found a number"
    );
    assert_eq!(
        refused("b: {<<: text}\n"),
        "1:9: expected a map or a list of maps for `<<`, found a string"
    );
    assert!(refused("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n").starts_with("4:3: duplicate `<<`"));
}

#[test]
fn an_unquoted_wildcard_or_ipv6_address_is_explained_where_it_is_written() {
    let wildcard = "a name that begins with * must be in quotes: \"*.example.com\"";
    assert_eq!(
        refused("*.example.com:\n  paths: {}\n"),
        format!("1:1: {wildcard}")
    );
    assert_eq!(
        refused("a: 1\nupstreams:\n  b: 1\n  *.example.com:\n    paths: {}\n"),
        format!("4:3: {wildcard}")
    );
    assert_eq!(
        refused("a: [\"*.b.c\", *.example.com]\n"),
        format!("1:14: {wildcard}")
    );
    let address = "an IPv6 address with a port must be in quotes: \"[::1]:80\"";
    assert_eq!(
        refused("a: [127.0.0.1:80, [::1]:80]\n"),
        format!("1:19: {address}")
    );
    assert_eq!(
        refused("a:\n  - b\n  - [::1]:80\n"),
        format!("3:5: {address}")
    );
    // Text that only resembles these mistakes keeps the parser's message.
    assert!(refused("a: *nobody\n").contains("unknown anchor"));
    assert!(refused("# *.example.com:\na: [\n").contains("invalid YAML"));
}
