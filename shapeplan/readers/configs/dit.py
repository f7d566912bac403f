"""Diffusion transformers of diffusers: the configuration of a DiT to its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shapeplan.readers.configs.config import Config, Configured

_ACTIVATIONS = ("gelu-approximate", "gelu")


def read_dit(config: Config) -> Configured:
    """Return the DiT that a configuration of diffusers describes.

    Raises
    ------
    InputError
        If what a key says cannot be counted exactly; ``column`` names it.
    """
    name = str(config.get("_class_name"))
    # Transformer2DModel is DiT's network under this norm alone, and its norms have parameters by default.
    plain = name == "DiTTransformer2DModel"
    config.must_be("norm_type", "ada_norm_zero", default="ada_norm_zero" if plain else "layer_norm")
    config.must_be("norm_elementwise_affine", False, default=not plain)
    config.must_be("activation_fn", *_ACTIVATIONS, default="gelu-approximate" if plain else "geglu")
    for key in ("cross_attention_dim", "caption_channels", "num_vector_embeds"):
        config.must_be(key, None)
    for key in ("only_cross_attention", "double_self_attention"):
        config.must_be(key, False, default=False)
    heads = config.number("num_attention_heads", default=16, least=1)
    head_dim = config.number("attention_head_dim", default=72 if plain else 88)
    channels = config.number("in_channels", default=4)
    settings = {
        "width": heads * head_dim,
        "depth": config.number("num_layers", default=28 if plain else 1),
        "mlp_dim": 4 * heads * head_dim,
        "heads": heads,
        "patch": config.number("patch_size", default=2) if plain else config.number("patch_size"),
        "image": config.number("sample_size", default=32) if plain else config.number("sample_size"),
        "channels": channels,
        "out_channels": config.number("out_channels", default=channels),
        "classes": config.number("num_embeds_ada_norm", default=1000)
        if plain
        else config.number("num_embeds_ada_norm"),
        "positions": 0,
        "qkv_bias": config.flag("attention_bias", default=plain),
        "block_embedders": True,
    }
    note = "every block embeds timestep and class with weights of its own, which the original DiT does once"
    return Configured("dit", settings, f"{name} of diffusers", (note,))


DIFFUSERS: Mapping[str, Callable[[Config], Configured]] = {
    "DiTTransformer2DModel": read_dit,
    "Transformer2DModel": read_dit,
}
"""By `_class_name`."""
