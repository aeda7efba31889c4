//! `.npz` files: arrays of NumPy in a zip archive.
//!
//! An archive may say anything about its sizes. Before memory is taken for an array, what its header says is compared
//! with what the archive says of the entry, and that with the bytes that are there: Deflate makes at most 1,032 of one.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use pelton_data::report::nearest;
use pelton_decision::Error;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::array::Array;
use super::npy::{read_npy, write_npy};
use crate::io::{invalid, stage, unstage};

/// Bytes that Deflate makes of one, at most.
const DEFLATE_LIMIT: u64 = 1032;

/// An archive that is open.
pub struct Npz {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    file_bytes: u64,
    /// The names of its arrays, in its order.
    pub names: Vec<String>,
}

impl Npz {
    pub fn open(path: &Path) -> Result<Npz, Error> {
        let unreadable = |cause: io::Error| Error::io("read", path, &cause);
        let file = File::open(path).map_err(unreadable)?;
        let file_bytes = file.metadata().map_err(unreadable)?.len();
        let damaged = |cause: &dyn std::fmt::Display| {
            let help = "expected a file that np.savez or np.savez_compressed wrote";
            invalid(
                path,
                format!("is no .npz file, or not all of it ({cause}); {help}"),
            )
        };
        let zip = ZipArchive::new(BufReader::new(file)).map_err(|cause| damaged(&cause))?;
        let names = zip
            .file_names()
            .filter_map(|name| name.strip_suffix(".npy").map(str::to_owned));
        let names: Vec<String> = names.collect();
        Ok(Npz {
            path: path.to_owned(),
            zip,
            file_bytes,
            names,
        })
    }

    /// Reads an array.
    pub fn read(&mut self, name: &str) -> Result<Array, Error> {
        let file_bytes = self.file_bytes;
        let read = match self.zip.by_name(&format!("{name}.npy")) {
            Ok(entry) => {
                let sizes = (entry.compressed_size(), entry.size());
                let stored = entry.compression() == CompressionMethod::Stored;
                check_sizes(sizes, stored, file_bytes).and_then(|()| read_npy(entry, sizes.1))
            }
            Err(cause) => Err(cause.to_string()),
        };
        read.map_err(|what| self.error(name, what))
    }

    /// An error of one of its arrays.
    fn error(&self, name: &str, what: impl std::fmt::Display) -> Error {
        invalid(&self.path, format!("array `{name}`: {what}"))
    }

    /// The error of an array that is not there, with the name that was probably meant.
    pub fn missing(&self, name: &str, what: &str) -> String {
        let near = nearest(name, self.names.iter().map(String::as_str));
        let near = near.map(|near| format!("; is it `{near}`?"));
        let near = near.unwrap_or_default();
        format!("the array `{name}` is missing, {what}{near}")
    }

    /// An error of the whole file.
    pub fn invalid(&self, errors: &[String]) -> Error {
        let there = format!("the arrays there: {}", self.names.join(", "));
        invalid(&self.path, format!("{}\n{there}", errors.join("\n")))
    }
}

/// Compares what an archive says of an entry, bytes in it and bytes that they become, with the bytes that it has.
fn check_sizes((packed, bytes): (u64, u64), stored: bool, file_bytes: u64) -> Result<(), String> {
    let most = if stored { 1 } else { DEFLATE_LIMIT };
    if packed > file_bytes || bytes > packed.saturating_mul(most) {
        return Err(format!(
            "is said to hold {bytes} bytes in {packed}, of a file of {file_bytes}: the file is damaged"
        ));
    }
    Ok(())
}

/// Writes arrays as `np.savez_compressed` does. The file gets its name when it is whole.
pub fn write(path: &Path, arrays: &[(String, Array)]) -> Result<(), Error> {
    let staged = stage(path)?;
    let written = write_zip(staged.as_file(), arrays);
    written.map_err(|cause| Error::io("write", path, &cause))?;
    unstage(staged, path)
}

fn write_zip(file: &File, arrays: &[(String, Array)]) -> io::Result<()> {
    let mut zip = ZipWriter::new(BufWriter::new(file));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .large_file(true);
    for (name, array) in arrays {
        zip.start_file(format!("{name}.npy"), options)?;
        write_npy(&mut zip, array)?;
    }
    zip.finish()?.flush()
}

#[cfg(test)]
mod tests {
    use pelton_model::Element;

    use super::super::array::Values;
    use super::*;

    fn array(element: Element, shape: &[usize], values: Values) -> Array {
        let shape = shape.to_vec();
        Array {
            element,
            shape,
            values,
        }
    }

    fn round_trip(arrays: &[(String, Array)]) -> Vec<Array> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.npz");
        write(&path, arrays).unwrap();
        let mut npz = Npz::open(&path).unwrap();
        arrays
            .iter()
            .map(|(name, _)| npz.read(name).unwrap())
            .collect()
    }

    #[test]
    fn every_element_comes_back_as_it_was() {
        let ints = || Values::I64(vec![0, 1, 100, 7, 0, 1]);
        let mut arrays = vec![
            (
                "f".to_owned(),
                array(
                    Element::Float,
                    &[3],
                    Values::F32(vec![0.5, -0.0, f32::INFINITY]),
                ),
            ),
            (
                "d".to_owned(),
                array(Element::Double, &[1, 2], Values::F64(vec![1e300, -1.0])),
            ),
            (
                "s".to_owned(),
                array(
                    Element::String,
                    &[2, 2],
                    Values::Text(["", "äöü", "x y", "𝄞"].map(str::to_owned).to_vec()),
                ),
            ),
            (
                "b".to_owned(),
                array(Element::Bool, &[2], Values::I64(vec![0, 1])),
            ),
            (
                "empty".to_owned(),
                array(Element::Float, &[0, 4], Values::F32(Vec::new())),
            ),
            (
                "scalar".to_owned(),
                array(Element::Int64, &[], Values::I64(vec![i64::MIN])),
            ),
        ];
        for element in [
            Element::Int64,
            Element::Int32,
            Element::Int16,
            Element::Int8,
            Element::Uint32,
            Element::Uint16,
            Element::Uint8,
        ] {
            arrays.push((element.name().to_owned(), array(element, &[2, 3], ints())));
        }
        for ((name, array), read) in arrays.iter().zip(round_trip(&arrays)) {
            assert_eq!(read, *array, "{name}");
        }
    }

    /// What `python -m sweep.example` wrote.
    #[test]
    fn every_type_of_numpy_is_read() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../models/sweep/example/arrays.npz"
        );
        let mut npz = Npz::open(Path::new(path)).unwrap();
        assert_eq!(npz.names.len(), 20);
        let mut read = |name: &str| npz.read(name).unwrap();
        let float32 = read("float32");
        assert_eq!(float32.show(), "float [2, 3]");
        let Values::F32(all) = float32.values else {
            panic!("no floats")
        };
        let bits: Vec<u32> = all.iter().map(|x| x.to_bits()).collect();
        let expected = [0.5, -0.0, f32::INFINITY, f32::NAN, 1e-40, 3e38].map(f32::to_bits);
        assert_eq!(bits, expected);
        assert_eq!(read("float64").values, Values::F64(vec![1e300, -1.25]));
        assert_eq!(read("big_endian").values, Values::F32(vec![1.5, -2.0]));
        let turned = read("first_axis_fastest");
        assert_eq!(
            (turned.shape, turned.values),
            (vec![2, 3], Values::I64((0..6).collect()))
        );
        assert_eq!(read("bool").values, Values::I64(vec![1, 0]));
        for name in [
            "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        ] {
            assert_eq!(read(name).values, Values::I64(vec![0, 1, 100]), "{name}");
        }
        let texts =
            |texts: &[&str]| Values::Text(texts.iter().map(|text| (*text).to_owned()).collect());
        assert_eq!(read("unicode").values, texts(&["", "äöü", "x y", "𝄞"]));
        assert_eq!(read("bytes").values, texts(&["abc", ""]));
        assert_eq!(read("scalar").show(), "int64 []");
        assert_eq!(read("empty").show(), "float [0, 4]");
        for (name, what) in [
            ("float16", "floats of a width that Pelton lacks"),
            (
                "objects",
                "Python objects: of strings, x.astype(str) makes an array",
            ),
            (
                "too_large",
                "9223372036854775808 is above 9223372036854775807, the largest int64",
            ),
        ] {
            let error = npz.read(name).unwrap_err().message;
            assert!(
                error.contains(&format!("arrays.npz: array `{name}`: ")),
                "{error}"
            );
            assert!(error.contains(what), "{error}");
        }
    }

    /// Whatever stands in a file, it is an array or an error, and memory stays in proportion to the file.
    #[test]
    fn damaged_files_are_errors() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.npz");
        let values = Values::F32((0..50).map(|x| x as f32).collect());
        let texts = Values::Text((0..20).map(|x| format!("text {x}")).collect());
        let arrays = [
            ("x".to_owned(), array(Element::Float, &[10, 5], values)),
            ("s".to_owned(), array(Element::String, &[20], texts)),
        ];
        write(&path, &arrays).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let mut refused = 0;
        for at in 0..whole.len() {
            for change in [0xFF, 0x80, 0x01] {
                let mut bytes = whole.clone();
                bytes[at] ^= change;
                std::fs::write(&path, &bytes).unwrap();
                let all: Vec<Result<Array, Error>> = match Npz::open(&path) {
                    Ok(mut npz) => npz
                        .names
                        .clone()
                        .iter()
                        .map(|name| npz.read(name))
                        .collect(),
                    Err(_) => Vec::new(),
                };
                refused += usize::from(all.len() != 2 || all.iter().any(Result::is_err));
            }
            std::fs::write(&path, &whole[..at]).unwrap();
            let error = Npz::open(&path).map(drop).unwrap_err().message;
            assert!(
                error.contains("is no .npz file, or not all of it"),
                "{at}: {error}"
            );
        }
        // What is left are times, flags and other bytes that say nothing about the arrays.
        assert!(
            refused > 2 * whole.len(),
            "{refused} of {}",
            3 * whole.len()
        );
    }
}
