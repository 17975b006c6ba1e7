use super::*;

fn refused(text: &str) -> String {
    let unreadable = parse(text.as_bytes()).expect_err("refused");
    format!("{}: {}", unreadable.at, unreadable.reason)
}

/// The tree as text, each value with its place.
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
        "3:1: the key `a` stands already at 1:1"
    );
    assert_eq!(
        refused("a: 1\n\"a\": 3\n"),
        "2:1: the key `a` stands already at 1:1"
    );
    assert_eq!(
        refused("a: &a {b: 1}\nc:\n  <<: *a\n"),
        "3:3: merge keys (`<<`) are not read; name a whole value with an alias, or write it out"
    );
    assert!(
        refused("a: !!python/object:os.system x\n").starts_with("1:"),
        "{}",
        refused("a: !!python/x x")
    );
    assert!(refused("a: !env X\n").contains("the tag `!env` is not read"));
    assert!(refused("a: !!set {b}\n").contains("is not read"));
    assert_eq!(
        refused("a: 1\n---\nb: 2\n"),
        "2:1: a second document begins here; one file is one document"
    );
    assert_eq!(
        refused("[a]: 1\n"),
        "1:1: a key is a text, not a list, a map or an alias"
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
