"""Write the defaults of transformers' configuration classes that readers of configurations ask for.

``python tests/studies/config_defaults.py`` writes shapeplan/readers/configs/defaults.json; needs transformers, and
changes nothing but that file. Only numbers, truth values and nulls are kept, of keys that the readers name.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from shapeplan.readers.configs.decoders import DECODERS
from shapeplan.readers.configs.encoder_decoders import ENCODER_DECODERS
from shapeplan.readers.configs.encoders import ENCODERS

_SAME_FOR_ALL = {
    *("architectures", "is_encoder_decoder", "add_cross_attention"),
    *("is_decoder", "chunk_size_feed_forward", "id2label"),
}
CONFIGS = Path(__file__).parents[2] / "shapeplan" / "readers" / "configs"


def asked_for() -> set[str]:
    """Return every word in quotes in the readers: the keys are among them."""
    return {word for path in CONFIGS.glob("*.py") for word in re.findall(r'"([a-z_0-9]+)"', path.read_text())}


def defaults(model_type: str, keys: set[str]) -> dict[str, Any]:
    """Return the defaults of a model type's class, as it is declared: before anything is derived from them."""
    try:
        fields = dataclasses.fields(CONFIG_MAPPING[model_type])
    except KeyError:
        return {}
    declared = {field.name: field.default for field in fields if field.name in keys - _SAME_FOR_ALL}
    return {name: value for name, value in sorted(declared.items()) if isinstance(value, bool | int) or value is None}


def main() -> None:
    """Write the file."""
    keys = asked_for()
    # Readers of image models have the defaults of their classes in them.
    types = sorted({*DECODERS, *ENCODERS, *ENCODER_DECODERS})
    found = {name: table for name in types if (table := defaults(name, keys))}
    # Of a nested configuration the outer class says whether the tables are tied.
    for name in sorted(CONFIG_MAPPING):
        fields = {field.name: field.default for field in dataclasses.fields(CONFIG_MAPPING[name])}
        if name not in found and "text_config" in fields and isinstance(fields.get("tie_word_embeddings"), bool):
            found[name] = {"tie_word_embeddings": fields["tie_word_embeddings"]}
    lines = ",\n".join(f'"{name}": {json.dumps(table)}' for name, table in found.items())
    (CONFIGS / "defaults.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
