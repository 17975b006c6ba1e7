//! `schema`: the JSON Schema of a file, for editors.

use aralez_proto::schema;

use crate::args::{Format, SchemaOf};
use crate::exit::Failure;
use crate::output;

/// Runs the verb. A schema is printed as JSON unless the format is `yaml`.
pub(crate) fn run(file: SchemaOf, format: Format) -> Result<(), Failure> {
    let schema = match file {
        SchemaOf::Main => schema::main(),
        SchemaOf::Upstreams => schema::upstreams(),
    };
    let format = match format {
        Format::Yaml => Format::Yaml,
        Format::Table | Format::Json => Format::Json,
    };
    output::print(format, &schema, "")
}
