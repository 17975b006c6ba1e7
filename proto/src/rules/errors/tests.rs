use super::*;
use crate::named_files::{FoundFile, NamedFiles};
use crate::reading::NamedPaths;
use crate::yaml;

/// Reads a value of `errors`. Returns it, or the faults.
fn read(text: &str, files: &[(&str, &[u8])]) -> Result<Errors, Vec<String>> {
    let file = |(path, content): &(&str, &[u8])| -> (RelativePath, FoundFile) {
        (
            path.parse().expect("a path"),
            Ok(Bytes::copy_from_slice(content)),
        )
    };
    let files: NamedFiles = files.iter().map(file).collect();
    let tree = yaml::parse(text.as_bytes()).expect("valid YAML");
    let mut reader = Reader::new("upstreams.yaml");
    reader.named = NamedPaths::new(files);
    let errors = Errors::read(tree.root().expect("a root"), &mut reader);
    let faults: Vec<String> = reader.finish().0.iter().map(ToString::to_string).collect();
    assert_eq!(errors.is_none(), !faults.is_empty(), "{faults:?}");
    errors.ok_or(faults)
}

fn pages(pages: &[(u16, &str)]) -> Errors {
    let page = |(status, text): &(u16, &str)| {
        let page = ErrorPage {
            media_type: "text/plain".into(),
            content: Bytes::copy_from_slice(text.as_bytes()),
        };
        (*status, page)
    };
    pages.iter().map(page).collect()
}

#[test]
fn a_status_has_the_content_of_its_file_and_the_media_type_of_its_name() {
    let files: [(&str, &[u8]); 3] = [
        ("a/404.HTML", "ü".as_bytes()),
        ("503.txt", b"\xff"),
        ("x", b""),
    ];
    let errors = read("{404: a/404.HTML, '503': 503.txt, 400: x}\n", &files).expect("no fault");
    let shown = |status| {
        let page: &ErrorPage = errors.get(status).expect("a page");
        (&*page.media_type, &*page.content)
    };
    assert_eq!(shown(404), ("text/html; charset=utf-8", "ü".as_bytes()));
    assert_eq!(shown(503), ("text/plain", &b"\xff"[..]));
    assert_eq!(shown(400), ("application/octet-stream", &b""[..]));
    assert_eq!(errors.get(401), None);
}

#[test]
fn only_exact_codes_of_errors_are_statuses() {
    for key in ["4xx", "200", "399", "600", "0404", "+404", "404.0"] {
        let faults = read(&format!("{{'{key}': a}}\n"), &[("a", b"")]).expect_err(key);
        let reason =
            format!("{key}: expected a status from 400 to 599, such as 404, found `{key}`");
        assert!(
            faults.len() == 1 && faults[0].ends_with(&reason),
            "{faults:?}"
        );
    }
}

#[test]
fn every_wrong_page_is_reported_with_its_place() {
    let large = vec![b'a'; MAX_CONTENT + 1];
    let text = "404: large\n503: missing\n7xx: /etc/passwd\n";
    let faults = read(text, &[("large", &large)]).expect_err("faulty");
    assert_eq!(
        faults[0],
        "upstreams.yaml:1:6: 404: the file `large` has 65537 bytes; the maximum for an error page is 64 KiB"
    );
    assert_eq!(
        faults[1],
        "upstreams.yaml:2:6: 503: the file `missing` was not looked for"
    );
    assert!(
        faults[2].starts_with("upstreams.yaml:3:1: 7xx: expected a status"),
        "{}",
        faults[2]
    );
    assert!(
        faults[3].starts_with("upstreams.yaml:3:6: 7xx: `/etc/passwd` is absolute"),
        "{}",
        faults[3]
    );
    assert_eq!(faults.len(), 4);
    let list = read("[404]\n", &[]).expect_err("a list");
    assert!(
        list[0].contains("expected a map of statuses and files"),
        "{list:?}"
    );
}

#[test]
fn each_status_is_inherited_on_its_own_and_the_narrower_scope_wins() {
    let wide = pages(&[(404, "wide"), (503, "wide")]);
    let narrow = pages(&[(404, "narrow"), (502, "narrow")]);
    let all = wide.narrowed_by(&narrow);
    assert_eq!(
        all,
        pages(&[(404, "narrow"), (502, "narrow"), (503, "wide")])
    );
    assert_eq!(wide.narrowed_by(&Errors::default()), wide);
}

#[test]
fn what_is_sent_is_read_back_and_needs_a_proxy_that_knows_it() {
    let errors = pages(&[(404, "a"), (503, "")]);
    let sent = errors.encode().expect("pages");
    let wrong = &mut |reason: String| panic!("{reason}");
    assert_eq!(Errors::decode(sent, wrong), errors);
    assert_eq!(errors.needs(), [ERROR_PAGES]);
    assert_eq!(Errors::default().encode(), None);
    assert!(Errors::default().needs().is_empty());
}

#[test]
fn a_page_that_could_split_a_response_or_fill_the_memory_is_refused() {
    let page = |status, media_type: &str, length| wire::ErrorPage {
        status,
        media_type: media_type.to_owned(),
        content: vec![0; length].into(),
    };
    let good = page(404, "a/b", MAX_CONTENT);
    let bad = [
        page(200, "a/b", 0),
        page(66_000, "a/b", 0),
        page(405, "", 0),
        page(405, "a/b\r\nX: y", 0),
        page(405, " a/b", 0),
        page(405, &"a".repeat(129), 0),
        page(405, "a/b", MAX_CONTENT + 1),
        page(404, "a/b", 0),
    ];
    let sent = wire::ErrorPages {
        pages: std::iter::once(good).chain(bad).collect(),
    };
    let mut wrong = Vec::new();
    let errors = Errors::decode(sent, &mut |reason| wrong.push(reason));
    assert_eq!((errors.iter().count(), wrong.len()), (1, 8), "{wrong:?}");
}
