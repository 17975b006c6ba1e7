//! Static files in parts, and only if they changed: `Range`, `If-Range` and preconditions.

use aralez_tests::raw::{self, Connection, Request};
use aralez_tests::web_folder::{HOST, WebFolder};

const STYLE: &str = "0123456789abcdefghij";

fn folder() -> WebFolder {
    WebFolder::with(&[("style.css", STYLE)])
}

#[tokio::test]
async fn a_copy_that_is_still_good_is_not_sent_again() {
    let folder = folder();
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    let first = connection
        .send(&Request::get(HOST, "/style.css"))
        .await
        .unwrap();
    let tag = first.header("etag").unwrap().to_owned();
    let date = first.header("last-modified").unwrap().to_owned();
    for (name, value, status) in [
        ("If-None-Match", tag.as_str(), 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", "\"other\", \"a b\"", 200),
        ("If-Modified-Since", &date, 304),
        ("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 200),
        ("If-Modified-Since", "never", 200),
        ("If-Match", &tag, 200),
        ("If-Match", "\"other\"", 412),
        ("If-Unmodified-Since", &date, 200),
        ("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT", 412),
    ] {
        let request = Request::get(HOST, "/style.css").header(name, value);
        let response = connection.send(&request).await.unwrap();
        assert_eq!(response.status, status, "{name}: {value}");
        assert_eq!(
            response.header("etag"),
            Some(tag.as_str()),
            "{name}: {value}"
        );
        if status == 304 {
            assert!(response.body.is_empty());
            assert_eq!(response.header("content-length"), None);
        }
    }
    folder.write("style.css", b"changed");
    let request = Request::get(HOST, "/style.css").header("If-None-Match", &tag);
    let response = connection.send(&request).await.unwrap();
    assert_eq!(
        (response.status, response.text().as_str()),
        (200, "changed")
    );
}

#[tokio::test]
async fn ranges_are_sent_and_the_connection_goes_on() {
    let folder = folder();
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    let mut connection = Connection::open(fleet.http(0)).await.unwrap();
    for (range, status, place, content) in [
        ("bytes=0-3", 206, Some("bytes 0-3/20"), "0123"),
        ("bytes=18-", 206, Some("bytes 18-19/20"), "ij"),
        ("bytes=-3", 206, Some("bytes 17-19/20"), "hij"),
        ("bytes=-30", 206, Some("bytes 0-19/20"), STYLE),
        (
            "bytes=5-18446744073709551615",
            206,
            Some("bytes 5-19/20"),
            &STYLE[5..],
        ),
        ("bytes=30-, 1-1", 206, Some("bytes 1-1/20"), "1"),
        (
            "bytes=20-",
            416,
            Some("bytes */20"),
            "416 Range Not Satisfiable\n",
        ),
        ("bytes=0-19, 0-19", 200, None, STYLE),
        ("bytes=3-1", 200, None, STYLE),
        ("pages=1", 200, None, STYLE),
    ] {
        let request = Request::get(HOST, "/style.css").header("Range", range);
        let response = connection.send(&request).await.unwrap();
        let found = (response.status, response.header("content-range"));
        assert_eq!(found, (status, place), "{range}");
        assert_eq!(response.text(), content, "{range}");
    }
}

#[tokio::test]
async fn several_ranges_are_sent_in_one_multipart_content() {
    let folder = folder();
    let large: Vec<u8> = (0..400_000_u32).map(|n| (n % 251) as u8).collect();
    folder.write("large.bin", &large);
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    for (target, ranges, content) in [
        ("/style.css", vec![0..2, 10..12, 19..20], STYLE.as_bytes()),
        (
            "/large.bin",
            vec![100_000..200_000, 7..8, 300_000..400_000],
            large.as_slice(),
        ),
    ] {
        let wanted: Vec<String> = ranges
            .iter()
            .map(|range| format!("{}-{}", range.start, range.end - 1))
            .collect();
        let request =
            Request::get(HOST, target).header("Range", &format!("bytes={}", wanted.join(", ")));
        let response = raw::send(fleet.http(0), &request).await.unwrap();
        assert_eq!(response.status, 206);
        let kind = response.header("content-type").unwrap();
        let boundary = kind
            .strip_prefix("multipart/byteranges; boundary=")
            .unwrap();
        let mut expected = Vec::new();
        for range in ranges {
            let part = format!(
                "\r\n--{boundary}\r\ncontent-type: {}\r\ncontent-range: bytes {}-{}/{}\r\n\r\n",
                if target == "/large.bin" {
                    "application/octet-stream"
                } else {
                    "text/css; charset=utf-8"
                },
                range.start,
                range.end - 1,
                content.len()
            );
            expected.extend_from_slice(part.as_bytes());
            expected.extend_from_slice(&content[range]);
        }
        expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert!(response.body == expected, "{target}");
    }
}

#[tokio::test]
async fn a_part_is_combined_only_with_parts_of_the_same_file() {
    let folder = folder();
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    let first = fleet.get(0, HOST, "/style.css").await.unwrap();
    let tag = first.header("etag").unwrap();
    let date = first.header("last-modified").unwrap();
    let weak = format!("W/{tag}");
    for (known, status) in [
        (tag, 206),
        ("\"other\"", 200),
        (weak.as_str(), 200),
        (date, 200),
    ] {
        let request = Request::get(HOST, "/style.css")
            .header("Range", "bytes=0-1")
            .header("If-Range", known);
        let response = raw::send(fleet.http(0), &request).await.unwrap();
        assert_eq!(response.status, status, "{known}");
    }
}

#[tokio::test]
async fn curl_resumes_a_download_and_asks_for_what_it_has() {
    let folder = folder();
    let large: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    folder.write("large.bin", &large);
    let fleet = folder.serve("    /: {files: ROOT}\n").await;
    let part = folder.outside().join("part");
    std::fs::write(&part, &large[..123_456]).unwrap();
    let url = format!("http://{HOST}/large.bin");
    let connect = format!("{HOST}:80:{}", fleet.http(0));
    let curl = |arguments: &[&str]| {
        let mut all = vec!["-s", "--connect-to", &connect, "-w", "%{http_code}"];
        all.extend_from_slice(arguments);
        let output = std::process::Command::new("curl")
            .args(&all)
            .arg(&url)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let path = part.to_str().unwrap();
    assert_eq!(curl(&["-C", "-", "-o", path]), "206");
    assert!(std::fs::read(&part).unwrap() == large);
    let tags = folder.outside().join("tag");
    let tags = tags.to_str().unwrap();
    assert_eq!(curl(&["--etag-save", tags, "-o", path]), "200");
    assert_eq!(curl(&["--etag-compare", tags, "-o", path]), "304");
    assert_eq!(curl(&["-z", path, "-o", path]), "304");
    assert!(std::fs::read(&part).unwrap() == large);
}
