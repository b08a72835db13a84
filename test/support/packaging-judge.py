# SPDX-License-Identifier: Apache-2.0
"""Asks pip's own `packaging` the questions in a JSON file, and prints its answers as JSON."""

import json
import sys

from pip._vendor.packaging.markers import Marker
from pip._vendor.packaging.specifiers import InvalidSpecifier, SpecifierSet
from pip._vendor.packaging.tags import compatible_tags, cpython_tags
from pip._vendor.packaging.version import InvalidVersion, Version


def version_key(text):
    try:
        return Version(text)
    except InvalidVersion:
        return None


def order(pair):
    a, b = (version_key(text) for text in pair)
    if a is None or b is None:
        return None
    return (a > b) - (a < b)


def contains(question):
    specifier, version = question
    parsed = version_key(version)
    try:
        clauses = SpecifierSet(specifier)
    except InvalidSpecifier:
        return None
    return None if parsed is None else clauses.contains(parsed, prereleases=True)


def tags(question):
    series, platforms = tuple(question["series"]), question["platforms"]
    interpreter = "cp%d%d" % series
    listed = [
        *cpython_tags(series, [interpreter], platforms),
        *compatible_tags(series, interpreter, platforms),
    ]
    return list(dict.fromkeys(str(tag) for tag in listed))


with open(sys.argv[1], encoding="utf-8") as file:
    questions = json.load(file)

json.dump(
    {
        "orders": [order(pair) for pair in questions["orders"]],
        "contains": [contains(question) for question in questions["contains"]],
        "markers": [Marker(text).evaluate(questions["environment"]) for text in questions["markers"]],
        "tags": tags(questions["target"]),
    },
    sys.stdout,
)
