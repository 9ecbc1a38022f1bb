#!/usr/bin/env python3
"""Writes Tests/Fixtures/contract.json from the original API's document: its facts, none of its prose.

    python3 Tests/setup/contract.py [DOCUMENT.yml]

Kept: paths, methods, operation ids, parameters, bodies, responses, and of schemas what decides whether a
value fits. Dropped: descriptions, summaries, titles, examples. References are resolved. Needs PyYAML."""

import json
import os
import sys

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
DOCUMENT = os.path.join(HERE, "../../../shared/reference/lalal-ai-api-v1.1.0.openapi.yml")
PROSE = {"description", "title", "example", "examples"}


def main(path):
    with open(path, encoding="utf-8") as file:
        document = yaml.safe_load(file)
    schemas = document["components"]["schemas"]

    def shape(schema):
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/components/schemas/")
            return shape({**schemas[name], **{k: v for k, v in schema.items() if k != "$ref"}})
        result = {}
        for key, value in schema.items():
            if key in PROSE:
                continue
            if key == "properties":  # a property may be called "title"
                value = {name: shape(inner) for name, inner in value.items()}
            elif key in ("anyOf", "oneOf", "allOf"):
                value = [shape(inner) for inner in value]
            elif key == "discriminator":  # its mapping names schemas; names are not facts
                value = {"propertyName": value["propertyName"]}
            elif key in ("items", "additionalProperties") and isinstance(value, dict):
                value = shape(value)
            result[key] = value
        return result

    def content(holder):
        return {"content": {kind: {"schema": shape(media["schema"])}
                            for kind, media in holder["content"].items()}}

    def facts(operation):
        result = {key: operation[key] for key in ("operationId", "security")}
        result["parameters"] = [
            {**{key: parameter[key] for key in ("name", "in", "required")},
             "schema": shape(parameter["schema"])} for parameter in operation["parameters"]]
        if body := operation.get("requestBody"):
            result["requestBody"] = {"required": body["required"], **content(body)}
        result["responses"] = {
            status: content(response) for status, response in operation["responses"].items()}
        return result

    contract = {"paths": {path: {method: facts(operation) for method, operation in item.items()}
                          for path, item in document["paths"].items()}}
    target = os.path.join(HERE, "../Fixtures/contract.json")
    with open(target, "w", encoding="utf-8") as file:
        json.dump(contract, file, indent=1, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main(*(sys.argv[1:] or [DOCUMENT]))
