"""The table of values in the chart's README, made of the comments of values.yaml. Run it to write the table anew."""

import json
import pathlib
import re

import yaml

CHART = pathlib.Path(__file__).resolve().parents[2] / "deploy/helm/polku"
BEGIN, END = "<!-- values -->\n", "<!-- /values -->"


def described():
    """Each value that values.yaml describes, in its order, by section: [(section, [(name, what it is)])]."""
    sections = [("", [])]
    for line in (CHART / "values.yaml").read_text().splitlines():
        if section := re.match(r"## @section (.+)$", line):
            sections.append((section[1], []))
        elif parameter := re.match(r"## @param (\S+) (.+)$", line):
            sections[-1][1].append((parameter[1], parameter[2]))
    return [section for section in sections if section[1]]


def table():
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    lines = []
    for title, parameters in described():
        lines += [f"### {title}", "", "| value | what it is | default |", "|---|---|---|"]
        for name, what in parameters:
            lines.append(f"| `{name}` | {what} | {shown(values, name)} |")
        lines.append("")
    return "\n".join(lines)


def shown(values, name):
    for key in name.split("."):
        values = values[key]
    text = json.dumps(values)
    return f"`{text}`" if len(text) <= 60 else "see values.yaml"


def readme():
    return (CHART / "README.md").read_text()


def with_table(text):
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + rest[rest.index(END):]


if __name__ == "__main__":
    (CHART / "README.md").write_text(with_table(readme()))
