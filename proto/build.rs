//! Compiles the protocol definitions without a system `protoc`.

/// Messages whose fields prove a credential: `wire::secrets` prints them without their content.
const SECRETS: [&str; 4] = [
    ".aralez.resource.v1.BasicUser",
    ".aralez.resource.v1.ApiKeyAuthorization",
    ".aralez.resource.v1.TokenKey",
    ".aralez.resource.v1.TokenKey.key",
];

const DEFINITIONS: [&str; 3] = [
    "aralez/resource/v1/resource.proto",
    "aralez/control/v1/control.proto",
    "aralez/storage/v1/storage.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(DEFINITIONS, ["proto"])?;
    tonic_prost_build::configure()
        .bytes(".")
        .skip_debug(SECRETS)
        // By hand, so that the items of a part are encoded once for many nodes.
        .extern_path(
            ".aralez.control.v1.UpdatePart",
            "crate::wire::part::UpdatePart",
        )
        .codec_path("crate::wire::codec::SmallCodec")
        .compile_fds(descriptors)?;
    Ok(())
}
