//! Routes that serve the files of a folder.

use super::bad_input::faults;
use super::*;
use crate::model::Files;

#[test]
fn a_folder_is_read_with_its_options_and_in_one_spelling() {
    let text = "\
a.example:
  paths:
    /: {files: /srv/www}
    /app: {files: {folder: /srv//app/, spa: true, precompressed: true}}
    /docs: {files: {folder: /srv/docs}, headers: ['Cache-Control:max-age=60']}
";
    let authored = read_main(text).expect("no fault");
    let served = authored.hosts[0].host.routes.iter().map(|route| {
        let Action::Files(Files {
            folder,
            spa,
            precompressed,
        }) = &route.action
        else {
            panic!("{route:?}");
        };
        (folder.as_str(), *spa, *precompressed)
    });
    let expected = [
        ("/srv/www", false, false),
        ("/srv/app", true, true),
        ("/srv/docs", false, false),
    ];
    assert_eq!(served.collect::<Vec<_>>(), expected);
}

#[test]
fn a_folder_that_no_proxy_could_serve_is_refused_at_its_place() {
    let text = "\
a.example:
  paths:
    /a: {files: www}
    /b: {files: {spa: true}}
    /c: {files: {folder: /srv/../etc}}
    /d: {files: {folder: /srv, spa: maybe}}
    /e: {files: {folder: /srv, listing: true}}
    /f: {files: [/srv]}
    /g: {files: /srv, strip_prefix: /g}
";
    assert_eq!(
        faults(text),
        "\
upstreams.yaml:3:17: a.example.paths./a.files: `www` is not absolute; expected a folder on the machines of the proxies, such as /srv/www
upstreams.yaml:4:17: a.example.paths./b.files: `folder` is missing
upstreams.yaml:5:26: a.example.paths./c.files.folder: `/srv/../etc` has a segment `..`; expected a path without it, such as /srv/www
upstreams.yaml:6:37: a.example.paths./d.files.spa: expected true or false, found a string
upstreams.yaml:7:32: a.example.paths./e.files.listing: unknown key `listing` in files; known keys: folder, spa, precompressed
upstreams.yaml:8:17: a.example.paths./f.files: expected a folder, or a map of folder, spa, precompressed, found a list
upstreams.yaml:9:37: a.example.paths./g.strip_prefix: has no effect with `files`, which sends no request to an endpoint; remove it"
    );
}
