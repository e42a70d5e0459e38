"""What stands in the files beside the package: setup.cfg and the pages of text."""

import configparser
from pathlib import Path

ROOT = Path(__file__).parents[2]


def setup_cfg():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config


def requirements(*lists):
    """Names and lower bounds, "" if there is none, in install_requires and in extras.

    Names are those of packages, without the extras of their own.
    """
    config = setup_cfg()
    everything = {**config["options.extras_require"], **config["options"]}
    lines = [line for name in lists for line in everything[name].split("\n") if line]
    parts = [line.partition(">=") for line in lines]
    return {name.partition("[")[0].strip(): bound.strip() for name, _, bound in parts}
