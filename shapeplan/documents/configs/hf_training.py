"""Hugging Face's ``TrainingArguments``, as the YAML that ``HfArgumentParser.parse_yaml_file`` reads."""

from __future__ import annotations

from shapeplan.documents.configs.comments import comments, of_training
from shapeplan.documents.configs.library import Trainer
from shapeplan.planning.training import Training


def _hf_training(title: str, training: Training) -> str:
    lines = [] if training.steps is None else [f"max_steps: {training.steps}"]
    lines += [] if training.lr.value is None else [f"learning_rate: {_number(training.lr.value)}"]
    lines += [] if training.warmup.value is None else [f"warmup_steps: {round(training.warmup.value)}"]
    return (
        comments([title])
        + of_training(training)
        + comments([_devices(training)])
        + "".join(f"{one}\n" for one in lines)
    )


def _devices(training: Training) -> str:
    product = "per_device_train_batch_size x gradient_accumulation_steps x devices"
    size = "" if training.inputs is None else f", {training.inputs:,}"
    return f"{product} is the batch{size}: these three are yours to set"


def _number(value: float) -> str:
    """Return a number that YAML 1.1 takes for one: with an exponent it needs a point too."""
    digits, exponent, power = f"{value:g}".partition("e")
    return digits + (".0" if exponent and "." not in digits else "") + exponent + power


HF_TRAINING = Trainer(_hf_training)
