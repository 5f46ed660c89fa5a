//! Outputs as environment variables for later steps and jobs: their names, and the lines that earlier calls wrote. Must not
//! open files.

use crate::outputs;

/// The prefix of our variables, because they share a namespace with all other variables of a later job.
const PREFIX: &str = "UPSERTED_";

/// What precedes a variable in a file that a shell reads.
pub(super) const EXPORT: &str = "export ";

/// The variable of an output: `secret_id` becomes `UPSERTED_SECRET_ID`.
pub(super) fn name(output: &str) -> String {
    format!("{PREFIX}{}", output.to_ascii_uppercase())
}

/// The file without the lines of earlier calls, which start with `before` and the name of a variable.
pub(super) fn others(file: &[u8], before: &str) -> Vec<u8> {
    let lines = file.split_inclusive(|&byte| byte == b'\n');
    lines
        .filter(|line| !is_ours(line, before))
        .collect::<Vec<_>>()
        .concat()
}

/// Whether an earlier call wrote this line. The prefix alone does not prove it, because it is not reserved.
fn is_ours(line: &[u8], before: &str) -> bool {
    line.strip_prefix(before.as_bytes())
        .and_then(|rest| rest.strip_prefix(PREFIX.as_bytes()))
        .and_then(|rest| rest.split(|&byte| byte == b'=').next())
        .and_then(|name| str::from_utf8(name).ok())
        .is_some_and(|name| outputs::all().any(|output| output.name.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_others_are_kept() {
        let file = b"A=1\nUPSERTED_REGION=x\nUPSERTED_BY=z\nupserted_region=y\nB=\xff\nexport UPSERTED_REGION=x\nUPSERTED_RESULT=updated";
        assert_eq!(
            others(file, ""),
            b"A=1\nUPSERTED_BY=z\nupserted_region=y\nB=\xff\nexport UPSERTED_REGION=x\n"
        );
        assert_eq!(
            others(b"export A=1\nexport UPSERTED_RESULT='created'\n", EXPORT),
            b"export A=1\n"
        );
    }
}
