"""Libraries that are optional, which are imported where they are needed."""

from importlib import import_module


def optional(module, purpose, extra):
    """A module of an optional library; the error names what needs it, and how to install it.

    Parameters
    ----------
    module : str
        Such as "matplotlib.pyplot".
    purpose : str
        What needs the library.
    extra : str
        The extra of skrbm that brings it.
    """
    name = module.partition(".")[0]
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != name:
            raise
        raise ImportError(
            f'{purpose} needs {name}, which is not installed: pip install "skrbm[{extra}]".'
        ) from error
