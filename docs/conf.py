"""How Sphinx builds the site. docs/developer/index.rst has the command."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

import gallery
import inventories

import skrbm

project = "skrbm"
author = "The skrbm developers"
copyright = author
version = release = skrbm.__version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.mathjax",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "examples", "generated/*.examples"]
templates_path = ["_templates"]
smartquotes = False  # quotation marks of values, such as "pcd", stay what they are in code
toc_object_entries_show_parents = "hide"

# --- the API reference: a page for each public name, methods on the page of their class ---

autosummary_generate = True
autodoc_typehints = "none"  # docstrings say what parameters are
numpydoc_show_class_members = False  # _templates/autosummary/class.rst lists them
numpydoc_class_members_toctree = False

# --- references ---

nitpicky = True  # a name of this package that leads nowhere is an error
intersphinx_mapping = inventories.reachable()
# Without inventories names of other libraries, and labels in docstrings that are inherited from
# scikit-learn, stay plain text.
_absent = inventories.SITES.keys() - intersphinx_mapping.keys()
nitpick_ignore_regex = [("py:.*", rf"{name}(\..*)?") for name in _absent]
if "sklearn" in _absent:
    nitpick_ignore_regex += [
        ("std:term", "meta-estimator"),
        ("std:ref", "(df_output_transform|metadata_routing|r2_score)"),
        ("std:ref", "sphx_glr_auto_examples_miscellaneous_plot_set_output.py"),
    ]

# --- the gallery ---

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "within_subsection_order": "gallery.Order",
    "filename_pattern": gallery.executed(quick=tags.has("quick")),  # noqa: F821
    "abort_on_example_error": True,
    "reset_modules": ("matplotlib", "gallery.strictness"),
    "reset_modules_order": "both",
    "backreferences_dir": "generated",
    "doc_module": ("skrbm",),
    "show_signature": False,
}

# --- pictures of pages that are no examples ---

plot_formats = [("png", 130)]
plot_html_show_formats = False
plot_html_show_source_link = False
plot_include_source = False

# --- how it looks ---

html_theme = "pydata_sphinx_theme"
html_title = "skrbm"
html_static_path = ["_static"]
html_css_files = ["skrbm.css"]
html_logo = html_favicon = "_static/logo.svg"
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("changelog", "install", "tour", "which_model")}  # alone
html_theme_options = {
    "logo": {"text": "skrbm", "alt_text": "skrbm"},
    "github_url": "https://github.com/skrbm/skrbm",
    "header_links_before_dropdown": 8,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
}
html_context = {"default_mode": "light"}


def setup(app):
    """Adapt the docstrings to numpydoc."""
    # numpydoc would show the sentence of a property in place of what its class says of it.
    skrbm.BernoulliRBM.history_.__doc__ = None
