//! Makes messages and a client stub of the descriptors that `buf build` wrote.
use prost::Message;
use std::{env, error::Error, fs};

const DESCRIPTORS: &str = "TASKGATE_DESCRIPTORS";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-env-changed={DESCRIPTORS}");
    let path = env::var(DESCRIPTORS).unwrap_or_else(|_| "taskgate.binpb".to_owned());
    println!("cargo:rerun-if-changed={path}");
    let files = fs::read(&path).map_err(|error| format!("{path}: {error}; see README.md"))?;
    tonic_prost_build::configure()
        .build_server(false)
        .compile_fds(prost_types::FileDescriptorSet::decode(files.as_slice())?)?;
    Ok(())
}
