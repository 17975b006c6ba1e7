//! `type: apikey`: the field `x-api-key`.

use aralez_proto::rules::ApiKeys;
use subtle::{Choice, ConstantTimeEq};

use crate::authorization::Presented;
use crate::fields::FieldName;
use crate::{Fields, Request};

/// Judges the key of a request. The time it takes depends on the number of keys and the length of the presented one only: both sides are
/// digests, and all are compared.
pub(super) fn judge<F: Fields>(keys: &ApiKeys, request: &Request<'_, F>) -> Presented {
    // More than one such field never gets here: the reader of requests refuses them.
    let Some(key) = request.fields.values(FieldName::XApiKey).next() else {
        return Presented::Nothing;
    };
    let digest = ApiKeys::digest(key);
    let none = Choice::from(0);
    let found = keys
        .digests()
        .iter()
        .fold(none, |found, known| found | known.ct_eq(&digest));
    if found.into() {
        Presented::Right(Default::default())
    } else {
        Presented::Wrong
    }
}
