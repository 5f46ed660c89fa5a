//! Label moves as a Mermaid flowchart, which GitHub renders in a job summary: versions and their staging labels before and
//! after. Must not let text from AWS become markup.

use upsert_secret_core::labels::is_private;
use upsert_secret_core::state::VersionLabels;

use crate::redact::Redactor;

/// The length of a shortened version id.
const SHORT: usize = 8;

/// The flowchart; empty if no label moved.
pub(super) fn label_moves(
    before: &VersionLabels,
    after: &VersionLabels,
    redactor: &Redactor,
) -> String {
    let (before, after) = (public_labels(before), public_labels(after));
    if before == after {
        return String::new();
    }
    let mut page = String::from("```mermaid\nflowchart LR\n");
    for (title, labels) in [("before", &before), ("after", &after)] {
        page.push_str(&format!("  subgraph {title}\n    direction TB\n"));
        if labels.is_empty() {
            page.push_str(&format!("    {title}0[\"no version\"]\n"));
        }
        for (number, (held, id)) in labels.iter().enumerate() {
            // Truncate after cleaning: a piece of a secret may be too short to be recognized.
            let short_id = redactor.clean_line(id).chars().take(SHORT).collect();
            let labels = held.iter().map(|label| redactor.clean_line(label));
            let lines = std::iter::once(short_id).chain(labels);
            let lines: Vec<_> = lines.map(|line: String| plain(&line)).collect();
            let lines = lines.join("<br>");
            page.push_str(&format!("    {title}{number}[\"{lines}\"]\n"));
        }
        page.push_str("  end\n");
    }
    page.push_str("  before --> after\n```\n\n");
    page
}

/// Versions and their labels, the current one first, without the temporary private labels of runs.
fn public_labels(labels: &VersionLabels) -> Vec<(Vec<String>, String)> {
    let mut public: Vec<_> = labels
        .iter()
        .map(|(id, held)| {
            let mut held = held.clone();
            held.retain(|label| !is_private(label));
            held.sort();
            (held, id.clone())
        })
        .filter(|(held, _)| !held.is_empty())
        .collect();
    public.sort();
    public
}

/// Removes characters with a meaning in Mermaid, Markdown or HTML: anyone with permission to label a version can choose this
/// text.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '.' | '/' | '*' | ' ' => c,
            _ => '?',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(versions: &[(&str, &[&str])]) -> VersionLabels {
        versions
            .iter()
            .map(|(id, held)| {
                let held = held.iter().map(|label| (*label).to_owned()).collect();
                ((*id).to_owned(), held)
            })
            .collect()
    }

    #[test]
    fn graph_shows_neither_private_labels_nor_markup() {
        let private_label = "upsert-secret-until-1800000000-33333333-3333-8333-8333-333333333333";
        let redactor = Redactor::default();
        redactor.hide(b"made-up-secret-of-a-version-id-12");
        let before = labels(&[("11111111-made-up", &["AWSCURRENT"])]);
        let private = labels(&[("11111111-made-up", &["AWSCURRENT", private_label])]);
        assert_eq!(label_moves(&before, &private, &redactor), "");
        let after = labels(&[("11111111-made-up", &["x\"]<script>`|end\n"])]);
        let page = label_moves(&before, &after, &redactor);
        assert!(
            page.contains("after0[\"11111111<br>x???script???end"),
            "{page}"
        );
        let quoting = labels(&[("made-up-secret-of-a-version-id-12", &["AWSCURRENT"])]);
        let page = label_moves(&before, &quoting, &redactor);
        assert!(page.contains("after0[\"***<br>AWSCURRENT"), "{page}");
    }
}
