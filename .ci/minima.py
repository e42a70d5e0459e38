"""Print, as constraints of pip, the lowest version of each library that setup.cfg allows.

The tools that build the site are left out: what users install does not depend on them.
"""

import configparser

config = configparser.ConfigParser()
config.read("setup.cfg", encoding="utf-8")
extras = {name: text for name, text in config["options.extras_require"].items() if name != "docs"}
lists = [config["options"]["install_requires"], *extras.values()]
for line in "\n".join(lists).splitlines():
    name, bound, version = line.partition(">=")
    if bound:
        print(f"{name.partition('[')[0].strip()}=={version.strip()}")
