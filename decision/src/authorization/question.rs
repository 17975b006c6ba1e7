//! The question to an authorization server about a request.

use std::borrow::Cow;
use std::sync::Arc;

use crate::Fields;
use crate::additions::FieldList;
use crate::ask::Ask;
use crate::authorization::server::{CompiledServer, QUESTION_FIELDS, ServerQuestion};
use crate::authorization::without_token;
use crate::policy::subject::Subject;
use crate::state::State;

/// Returns the question about a request.
pub(super) fn about<F: Fields, S: State>(
    server: &Arc<CompiledServer>,
    subject: &Subject<'_, F, S>,
) -> Ask {
    let request = subject.request;
    // As endpoints get it before the route changes the path, which is what a browser asks for.
    let target = without_token(subject.target.path_and_query(), subject.target.query());
    let host = request.host.unwrap_or_default();
    let url = format!("{}://{host}{target}", request.scheme.as_str());
    let values: [Cow<'_, str>; 4] = [
        request.method.into(),
        target,
        request.method.into(),
        url.into(),
    ];
    let mut fields = FieldList::default();
    for (name, value) in QUESTION_FIELDS.into_iter().zip(&values) {
        fields.add(name, value.as_bytes());
    }
    Ask::Server(ServerQuestion {
        server: Arc::clone(server),
        fields,
    })
}
