"""Sphinx configuration of the documentation website, which `.ci/run site` builds from the same pages that GitHub shows. Defines the
appearance and order of the pages, but contains no text.
"""

project = "upsert-secret"
html_title = project
html_theme = "furo"
extensions = ["myst_parser", "sphinx_external_toc", "sphinx_copybutton", "sphinxcontrib.mermaid"]

# The source directory is the repository root, so that links between pages also work on GitHub.
include_patterns = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "docs/**.md"]
# The Markdown sources of the pictures, and large directories that would slow down the search for pages.
exclude_patterns = ["docs/summary", "fuzz", "target"]
external_toc_path = "docs/site/toc.yml"

# Match GitHub's Markdown: headings have anchors, `<img>` shows files of the repository, and `mermaid` blocks are graphs.
myst_heading_anchors = 4
myst_enable_extensions = ["html_image"]
myst_fence_as_directive = ["mermaid"]

html_theme_options = {
    "source_repository": "https://github.com/upsert-secret/upsert-secret/",
    "source_branch": "main",
    "source_directory": "",
}
# Keep straight quotes and dashes.
smartquotes = False
html_show_copyright = False
html_copy_source = False
