use super::*;

/// The result of reading a body that arrived in one piece.
#[derive(PartialEq, Eq, Debug)]
struct Read {
    data: Vec<u8>,
    consumed: usize,
    done: bool,
    trailers: Vec<u8>,
}

fn read(framing: Framing, bytes: &[u8]) -> Result<Read, BadBody> {
    read_from(Sender::Client, framing, bytes)
}

fn read_from(sender: Sender, framing: Framing, bytes: &[u8]) -> Result<Read, BadBody> {
    let mut body = Body::new(framing, sender);
    let mut bytes = bytes.to_vec();
    let taken = body.take(&mut bytes)?;
    Ok(Read {
        data: bytes[taken.data].to_vec(),
        consumed: taken.consumed,
        done: body.is_done(),
        trailers: body.trailers().to_vec(),
    })
}

fn chunked(text: &str) -> Result<Read, BadBody> {
    read(Framing::Chunked, text.as_bytes())
}

/// Returns the data and trailers of a complete chunked body. `|` marks its end.
fn whole(text: &str) -> (String, String) {
    let end = text.find('|').unwrap();
    let read = chunked(&text.replace('|', "")).unwrap();
    assert!(read.done, "{text:?}");
    assert_eq!(read.consumed, end, "{text:?}");
    let utf8 = |bytes| String::from_utf8(bytes).unwrap();
    (utf8(read.data), utf8(read.trailers))
}

#[test]
fn what_has_no_body_takes_nothing() {
    for framing in [Framing::None, Framing::Length(0)] {
        let read = read(framing, b"GET /next").unwrap();
        assert_eq!((read.consumed, read.done), (0, true), "{framing:?}");
    }
    assert!(Body::default().is_done());
}

#[test]
fn a_length_takes_so_many_bytes_and_no_more() {
    let part = read(Framing::Length(4), b"abc").unwrap();
    assert_eq!(
        (part.data.as_slice(), part.consumed, part.done),
        (&b"abc"[..], 3, false)
    );
    let all = read(Framing::Length(3), b"abcGET /next").unwrap();
    assert_eq!(
        (all.data.as_slice(), all.consumed, all.done),
        (&b"abc"[..], 3, true)
    );
    assert!(!read(Framing::Length(u64::MAX), b"abc").unwrap().done);
}

#[test]
fn what_ends_with_its_connection_takes_all() {
    let mut body = Body::new(Framing::UntilClose, Sender::Client);
    let taken = body.take(&mut b"abc".to_vec()).unwrap();
    assert_eq!((taken.data, taken.consumed), (0..3, 3));
    assert!(!body.is_done() && body.ends_with_connection());
    assert!(!Body::new(Framing::Length(1), Sender::Client).ends_with_connection());
    assert!(!Body::new(Framing::Chunked, Sender::Client).ends_with_connection());
    assert!(Body::new(Framing::None, Sender::Client).ends_with_connection());
}

#[test]
fn chunks_become_one_piece_up_to_the_byte_where_the_next_message_begins() {
    for (text, data) in [
        ("0\r\n\r\n|GET /next", ""),
        ("3\r\nabc\r\n0\r\n\r\n|", "abc"),
        (
            "3\r\nabc\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n|0\r\n\r\n",
            "abcdef",
        ),
        (
            "a\r\n0123456789\r\nB\r\n0123456789a\r\n00\r\n\r\n|x",
            "01234567890123456789a",
        ),
        ("000000000000003\r\nabc\r\n000000000000000\r\n\r\n|", "abc"),
        ("5\r\n\r\n0\r\n\r\n0\r\n\r\n|\r\n", "\r\n0\r\n"),
    ] {
        assert_eq!(whole(text), (data.to_owned(), String::new()), "{text:?}");
    }
}

#[test]
fn extensions_are_read_over() {
    for extension in [
        ";a",
        ";a=b",
        ";a=\"b;c\"",
        " ; a = b",
        "\t;",
        ";",
        ";;",
        ";3",
        ";\u{7e}",
        ";0\t",
    ] {
        let text = format!("1{extension}\r\nx\r\n0{extension}\r\n\r\n|");
        assert_eq!(whole(&text).0, "x", "{text:?}");
    }
    let longest = ";".repeat(LONGEST_CHUNK_LINE - 3);
    assert_eq!(whole(&format!("1{longest}\r\nx\r\n0\r\n\r\n|")).0, "x");
}

#[test]
fn a_chunk_size_that_readers_could_read_differently_is_refused() {
    let long = format!("1{}\r\nx\r\n", ";".repeat(LONGEST_CHUNK_LINE - 2));
    for text in [
        "\r\n",
        "x\r\n",
        ";a\r\n",
        " 1\r\n",
        "\t1\r\n",
        "1 \r\n",
        "1 2\r\n",
        "1\t\r\n",
        "+1\r\n",
        "-1\r\n",
        "0x1\r\n",
        "1,\r\n",
        "1_0\r\n",
        "1\n",
        "1;a\n",
        "0\n\r\n",
        "1\rx",
        "1\r\r\n",
        "1;a\rb\r\n",
        "1;\0\r\n",
        "1;\u{7f}\r\n",
        "1;\u{e9}\r\n",
        "0000000000000001\r\n",
        "ffffffffffffffff\r\n",
        "10000000000000000\r\n",
        "g",
        "1 x",
        "1;\u{1}",
        "00000000000000000",
        &long,
        "1\r\nx\r\n\r\n",
        "1\r\nx\r\nHTTP",
    ] {
        assert_eq!(chunked(text), Err(BadBody::ChunkSize), "{text:?}");
    }
}

#[test]
fn a_chunk_that_does_not_end_where_it_says_is_refused() {
    for text in [
        "1\r\nxy",
        "1\r\nx\n",
        "1\r\nx\rx",
        "1\r\nx0\r\n\r\n",
        "2\r\nx\r\n0\r\n\r\n",
    ] {
        assert_eq!(chunked(text), Err(BadBody::ChunkEnd), "{text:?}");
    }
}

#[test]
fn a_trailer_section_that_is_malformed_or_too_large_is_refused() {
    let large = format!("0\r\nX: {}\r\n\r\n", "y".repeat(LARGEST_TRAILERS));
    let open = &large[..large.len() - 4];
    let many = format!("0\r\n{}\r\n", "X: y\r\n".repeat(MOST_TRAILERS + 1));
    for text in [
        "0\r\n\n",
        "0\r\nX: y\n\r\n",
        "0\r\nX\r\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\n X: y\r\n\r\n",
        "0\r\nX: y\r\n z\r\n\r\n",
        "0\r\nX: \0\r\n\r\n",
        "0\r\nX: a\rb\r\n\r\n",
        "0\r\n: y\r\n\r\n",
        "0\r\nGET / HTTP/1.1\r\n\r\n",
        &large,
        open,
        &many,
    ] {
        assert_eq!(chunked(text), Err(BadBody::Trailer), "{text:?}");
    }
    let most = format!("0\r\n{}\r\n|", "X: y\r\n".repeat(MOST_TRAILERS));
    assert_eq!(whole(&most).1.lines().count(), MOST_TRAILERS);
}

#[test]
fn trailers_go_on_as_they_came_unless_they_frame_route_authorise_or_speak_in_our_name() {
    let text = "0\r\nDigest: a \r\nContent-Length: 5\r\nHost: evil\r\nTransfer-Encoding: chunked\r\nAuthorization: x\r\n\
                X-Forwarded-For: 6.6.6.6\r\nX_Real_IP: 6.6.6.6\r\nConnection: close\r\nSet-Cookie: x\r\nTrailer: x\r\nTE: x\r\n\
                Content-Type: x\r\nUpgrade: x\r\nExpect: x\r\nX-Api-Key: x\r\nOrigin: x\r\ngrpc-status:0\r\n\r\n|GET";
    assert_eq!(
        whole(text),
        (String::new(), "Digest: a \r\ngrpc-status:0\r\n".to_owned())
    );
}

#[test]
fn a_body_that_has_not_ended_waits_for_more() {
    for text in [
        "",
        "1",
        "1\r",
        "1;",
        "1 ",
        "1\r\n",
        "1\r\nx",
        "1\r\nx\r",
        "1\r\nx\r\n",
        "0",
        "0\r",
        "0\r\n",
        "0\r\n\r",
        "0\r\nX",
        "0\r\nX: y\r",
        "0\r\nX: y\r\n",
        "0\r\nX: y\r\n\r",
        "fffffffffffffff\r\nx",
    ] {
        let read = chunked(text).unwrap();
        assert!(!read.done, "{text:?}");
    }
    let read = chunked("1\r\nx\r\n2").unwrap();
    assert_eq!(
        (read.data.as_slice(), read.consumed),
        (&b"x"[..], 6),
        "the open size stays"
    );
}

#[test]
fn the_engine_refuses_a_request_by_the_name_of_what_is_wrong_with_its_body() {
    use crate::core::request::http1::RequestRefusal;
    for (bad, refusal) in [
        (BadBody::ChunkSize, RequestRefusal::ChunkSize),
        (BadBody::ChunkEnd, RequestRefusal::ChunkEnd),
        (BadBody::Trailer, RequestRefusal::Trailer),
    ] {
        assert_eq!(RequestRefusal::from(bad), refusal);
    }
}

#[test]
fn of_an_endpoint_line_feeds_alone_and_spaces_behind_a_size_are_taken() {
    let of = |sender, text: &str| read_from(sender, Framing::Chunked, text.as_bytes());
    for text in [
        "2 \r\nok\r\n0\r\n\r\n",
        "2\t \r\nok\r\n0 \r\n\r\n",
        "2\nok\n0\n\n",
        "2\r\nok\n0\r\n\n",
        "2 \nok\r\n0\n\r\n",
    ] {
        let taken = of(Sender::Endpoint, text).unwrap();
        assert_eq!((&*taken.data, taken.done), (&b"ok"[..], true), "{text:?}");
        assert_eq!(taken.consumed, text.len(), "{text:?}");
        assert!(of(Sender::Client, text).is_err(), "{text:?}");
    }
    let trailing = of(Sender::Endpoint, "0\nDigest: a\nX-B: c\r\n\n").unwrap();
    assert_eq!(trailing.trailers, b"Digest: a\r\nX-B: c\r\n");
    for text in [
        " 2\r\nok\r\n",
        "0x2\r\nok\r\n",
        "\r\nok\r\n",
        "2\r \r\nok\r\n",
        "2\r\r\nok\r\n",
        "2;a\nok\r\n",
        "2\r\nokX\n",
        "2\r\nok\r\r\n",
        "0\r\nX\n\n",
    ] {
        assert!(of(Sender::Endpoint, text).is_err(), "{text:?}");
    }
}
