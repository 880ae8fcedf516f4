"""How the documentation is built: MyST Markdown, warnings as errors, no network."""

from importlib.metadata import version as version_of

project = "Paypath"
author = "the Paypath founders"
copyright = "2026, the Paypath founders"  # noqa: A001  # Sphinx reads this name
version = release = version_of("paypath")

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"Paypath {release}"
html_show_sourcelink = False
