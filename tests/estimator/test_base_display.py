"""What a notebook shows of an estimator leads to our own pages."""

import re

import pytest
from sklearn.linear_model import LogisticRegression

from ..helpers.models import models
from ..helpers.project import setup_cfg

DOCUMENTATION = re.search(r"Documentation = (\S+)", setup_cfg()["metadata"]["project_urls"])[1]
STATES = {"before fit": lambda rbm, X: rbm, "fitted": lambda rbm, X: rbm.fit(X)}
states = pytest.mark.parametrize("state", STATES.values(), ids=STATES)


@states
@models
def test_links_lead_to_the_page_of_the_estimator(model, state):
    html = state(model.machine(), model.rows())._repr_html_()
    links = {link.partition("#")[0] for link in re.findall(r'href="([^"]*)"', html)}
    assert links == {f"{DOCUMENTATION}generated/skrbm.{model.name}.html"}


@models
def test_a_class_of_other_people_has_no_page_of_ours(model):
    theirs = type("Theirs", (model.estimator,), {"__module__": "theirs"})()
    assert "href" not in theirs._repr_html_()


@states
@models
def test_each_name_has_its_explanation(model, state):
    """Of all parameters and of all fitted attributes that scikit-learn shows."""
    if "param-doc-description" not in LogisticRegression()._repr_html_():
        pytest.skip("this version of scikit-learn shows no explanations")
    html = state(model.machine(), model.rows())._repr_html_()
    names = re.findall(r'<td class="param">\s*(?:<a[^>]*>)?\s*(\w+)', html)
    explained = re.findall(r'class="param-doc-description"[^>]*>\s*(\w+): ', html)
    assert set(model.estimator().get_params()) <= set(explained)
    assert names == explained
