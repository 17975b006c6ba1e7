use super::*;

fn failed(etype: ErrorType, source: fn(&mut Error)) -> Option<u16> {
    let mut error = Error::new(etype);
    source(&mut error);
    status_of(&error)
}

#[test]
fn an_endpoint_that_refuses_is_502_and_one_that_is_slow_504() {
    let up = |error: &mut Error| error.esource = ErrorSource::Upstream;
    assert_eq!(failed(ErrorType::ConnectRefused, up), Some(502));
    assert_eq!(failed(ErrorType::InvalidHTTPHeader, up), Some(502));
    assert_eq!(failed(ErrorType::ConnectionClosed, up), Some(502));
    assert_eq!(failed(ErrorType::ConnectTimedout, up), Some(504));
    assert_eq!(failed(ErrorType::ReadTimedout, up), Some(504));
    assert_eq!(failed(ErrorType::ConnectRefused, |_| ()), Some(502));
}

#[test]
fn a_client_that_is_gone_gets_nothing_and_a_slow_one_408() {
    let down = |error: &mut Error| error.esource = ErrorSource::Downstream;
    assert_eq!(failed(ErrorType::ConnectionClosed, down), None);
    assert_eq!(failed(ErrorType::WriteTimedout, down), None);
    assert_eq!(failed(ErrorType::ReadTimedout, down), Some(408));
    assert_eq!(failed(ErrorType::InvalidHTTPHeader, down), Some(400));
}

#[test]
fn what_the_core_refused_keeps_its_status_and_a_fault_of_ours_is_500() {
    assert_eq!(failed(ErrorType::HTTPStatus(503), |_| ()), Some(503));
    assert_eq!(failed(ErrorType::InternalError, |_| ()), Some(500));
}
