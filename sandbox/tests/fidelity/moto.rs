//! What moto 5.2.5 is known to get wrong, so that anything new stands out.
//!
//! ```sh
//! python3 -m venv moto && moto/bin/pip install 'moto[server]==5.2.5'
//! moto/bin/moto_server -H 127.0.0.1 -p 5000 &
//! FIDELITY_ENDPOINT=http://127.0.0.1:5000 cargo test -p sandbox --test fidelity -- --nocapture
//! ```

const STATUS: &str = "404 instead of 400";
const DELETED: &str = "does not look at the deletion date";
const LIMIT: &str = "does not check the limit";
const EMPTY: &str = "describes versions without labels, with an empty list";

pub(crate) const DEVIATIONS: &[(&str, &str)] = &[
    ("C05", "another error"),
    ("C07", "accepts both"),
    ("C08", "does not check names"),
    ("C08b", "does not check ids"),
    ("C10", "finds it"),
    ("C10c", STATUS),
    ("C12", LIMIT),
    ("C16", LIMIT),
    ("C17", LIMIT),
    ("C18", LIMIT),
    ("C19", LIMIT),
    ("C20", "knows no KMS keys here"),
    ("H01", "makes up a token"),
    ("H02", "makes up a token"),
    ("H03", STATUS),
    ("H06", "answers text/html without a request id"),
    ("A07", "checks no signature"),
    ("P01", STATUS),
    ("P02", DELETED),
    ("P04", EMPTY),
    ("P05b", EMPTY),
    ("P07", "answers the labels unsorted"),
    ("P08", EMPTY),
    ("P10", "leaves AWSCURRENT on two versions"),
    ("P10c", EMPTY),
    ("P14", "accepts both"),
    ("P15", LIMIT),
    ("P18", LIMIT),
    ("V01", LIMIT),
    ("V02", LIMIT),
    ("U05", STATUS),
    ("U06", "another text"),
    ("S03", "removes it"),
    ("S05", "leaves the label on two versions"),
    ("S06", "removes the label before it fails"),
    ("S07", "keeps reading the newer version"),
    ("S09", "keeps reading the newer version"),
    ("S11", DELETED),
    ("G01", STATUS),
    ("G01b", STATUS),
    ("G01c", "status 500"),
    ("G02", STATUS),
    ("G03", STATUS),
    ("G04", STATUS),
    ("G05", STATUS),
    ("G06", "another text"),
    ("R03", STATUS),
    ("D01b", STATUS),
    ("D07", "the name is free at once"),
    ("X02", "in sync at once"),
    ("T03", LIMIT),
    ("T04", LIMIT),
    ("T05", DELETED),
    ("T06", STATUS),
    ("A02b", "answers the id of a role that is not there"),
    ("A02c", "does not check role ARNs"),
    ("A02d", "lets anybody assume what is not there"),
    ("A03", LIMIT),
    ("A03b", LIMIT),
    ("A04", "does not check names"),
    ("A04b", "writes two blanks"),
    ("A05", "checks no token"),
];
