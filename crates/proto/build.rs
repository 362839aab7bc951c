//! Compiles every contract under `proto/` to Rust, without protoc: protox parses, tonic-prost-build generates.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("../../proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut contracts = Vec::new();
    walk(root, &mut contracts)?;
    contracts.sort();

    let mut compiler = protox::Compiler::new([root])?;
    // Comments become what reflection shows; imports make the set complete by itself.
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&contracts)?;

    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo gives OUT_DIR")?);
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    // Ordered maps: the same message always has the same bytes.
    let generator = tonic_prost_build::configure().btree_map(".").include_file("modules.rs");
    generator.compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

/// Gathers the `.proto` files under `folder`; protox takes their paths and finds the names they are imported by.
fn walk(folder: &Path, contracts: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, contracts)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            contracts.push(path);
        }
    }
    Ok(())
}
