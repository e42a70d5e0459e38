"""Print, as constraints of pip, the lowest version of each library that setup.cfg allows."""

import configparser

config = configparser.ConfigParser()
config.read("setup.cfg", encoding="utf-8")
lists = [config["options"]["install_requires"], *config["options.extras_require"].values()]
for line in "\n".join(lists).splitlines():
    name, bound, version = line.partition(">=")
    if bound:
        print(f"{name.partition('[')[0].strip()}=={version.strip()}")
