"""The gallery: which examples there are, in which order, and which of them are quick."""

import warnings

#: All examples in the order of the gallery, and whether an example is quick (some seconds).
#: ``sphinx -t quick`` executes the quick ones only.
EXAMPLES = {
    "plot_digits_pipeline.py": False,
    "plot_deep_stack.py": False,
    "plot_complete_digits.py": True,
    "plot_anomalies.py": True,
    "plot_natural_image_patches.py": False,
    "plot_ratings.py": False,
    "plot_training.py": False,
    "plot_likelihood.py": False,
    "plot_bars_and_stripes.py": True,
    "plot_dask.py": False,
}


class Order:
    """Sorts the examples of a folder; an example that ``EXAMPLES`` lacks is an error."""

    def __init__(self, folder):
        self.places = list(EXAMPLES)

    def __call__(self, name):
        """Place of an example in the gallery."""
        return self.places.index(name)


def executed(quick):
    """Pattern of the paths of those examples that a build executes."""
    chosen = [name for name, is_quick in EXAMPLES.items() if is_quick or not quick]
    return "/(" + "|".join(name.removesuffix(".py") for name in chosen) + r")\.py$"


class Strictness:
    """While an example runs a warning is an error, as in the tests."""

    def __init__(self):
        self.filters = None

    def __call__(self, conf, name, when):
        """Called before and after each example, and with no name before a folder."""
        if self.filters is not None:
            self.filters.__exit__(None, None, None)
            self.filters = None
        if name is not None and when == "before":
            self.filters = warnings.catch_warnings()
            self.filters.__enter__()
            # After all other filters: what Python or a library ignores stays ignored.
            warnings.filterwarnings("error", append=True)


strictness = Strictness()
