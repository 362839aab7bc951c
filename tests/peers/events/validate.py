"""Holds the golden events against the published schema, as they are shown with a grant, without one, and erased; and
follows every reference of the AsyncAPI document.

validate.py SCHEMA ASYNCAPI GOLDEN_DIRECTORY
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator, FormatChecker

SHOWN = [None, {"withheld": True}, {"erased": True}]


def as_shown(value, instead):
    """The body with every personal value shown otherwise."""
    if isinstance(value, dict):
        if list(value) == ["personal"] and instead:
            return instead
        return {name: as_shown(member, instead) for name, member in value.items()}
    if isinstance(value, list):
        return [as_shown(item, instead) for item in value]
    return value


def references(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def resolve(document, pointer):
    for name in pointer.removeprefix("/").split("/"):
        document = document[name]
    return document


def main():
    schema, asyncapi, golden = map(pathlib.Path, sys.argv[1:])
    bundle = json.loads(schema.read_text())
    Draft202012Validator.check_schema(bundle)
    validated = set()
    for file in sorted(golden.glob("*.json")):
        event = json.loads(file.read_text())
        kind, body = event["kind"], event["body"]
        if kind not in bundle["$defs"]:
            continue
        validator = Draft202012Validator(
            {"$ref": f"#/$defs/{kind}", "$defs": bundle["$defs"]}, format_checker=FormatChecker()
        )
        for instead in SHOWN:
            validator.validate(as_shown(body, instead))
        for name in bundle["$defs"][kind].get("required", []):
            assert not validator.is_valid({k: v for k, v in body.items() if k != name}), f"{kind} without {name}"
        sealed = as_shown(body, {"sealed": {"subject": "x", "data": "y"}})
        assert sealed == body or not validator.is_valid(sealed), f"{kind} may be sealed"
        validated.add(kind)
    document = json.loads(asyncapi.read_text())
    named = set()
    for reference in references(document):
        file, pointer = reference.split("#")
        resolve(bundle if file == f"./{schema.name}" else document, pointer)
        if file:
            named.add(pointer.rsplit("/", 1)[1])
    assert named == validated, named ^ validated
    print(len(validated))


main()
