"""Encoders, encoder-decoders and diffusion transformers by name, as their configurations were released."""

from __future__ import annotations

from shapeplan.architectures.catalogue.record import NamedModel

_BERT = "arXiv:1810.04805; google-bert config.json"
_ROBERTA = "arXiv:1907.11692; FacebookAI/roberta config.json"
_XLM_R = "arXiv:1911.02116; FacebookAI/xlm-roberta config.json"
_DISTIL = "arXiv:1910.01108; distilbert config.json"
_ELECTRA = "arXiv:2003.10555; google/electra config.json"
_MPNET = "arXiv:2004.09297; microsoft/mpnet-base config.json"
_MODERNBERT = "arXiv:2412.13663; answerdotai/ModernBERT config.json"
_ESM = "Lin et al. 2023; facebook/esm2 config.json"
_MINILM = "arXiv:1908.10084, arXiv:2002.10957; sentence-transformers config.json"
_BGE = "arXiv:2309.07597; BAAI/bge config.json"
_T5 = "arXiv:1910.10683; google-t5 config.json"
_T511 = "arXiv:2002.05202; google/t5-v1_1 config.json; arXiv:2210.11416 (FLAN)"
_MT5 = "arXiv:2010.11934; google/mt5 config.json"
_UMT5 = "arXiv:2304.09151; google/umt5 config.json"
_BART = "arXiv:1910.13461; facebook/bart config.json"
_MBART = "arXiv:2001.08210, arXiv:2008.00401; facebook/mbart config.json"
_PEGASUS = "arXiv:1912.08777; google/pegasus config.json"
_M2M = "arXiv:2010.11125; facebook/m2m100 config.json"
_NLLB = "arXiv:2207.04672; facebook/nllb-200 config.json"
_WHISPER = "arXiv:2212.04356; openai/whisper config.json"
_DISTIL_WHISPER = "arXiv:2311.00430; distil-whisper config.json"

_MASKED = "with its head for masked tokens"
_BARE = "with its pooler, and no head"
_REPLACED = "the discriminator, with its head"
_OWN_OUTPUT = "its output matrix is not tied, as in the checkpoint"
_FIXED = "fixed sinusoidal positions are counted, which are not trained"

Shape = tuple[int, int, int, int]


def _encoder(
    name: str,
    family: str,
    shape: Shape,
    vocab: int,
    source: str,
    *aliases: str,
    note: str = _MASKED,
    **settings: object,
) -> NamedModel:
    """Return a record from (width, depth, mlp_dim, heads), of sequences of 512 tokens."""
    sizes: dict[str, object] = dict(zip(("width", "depth", "mlp_dim", "heads"), shape, strict=True))
    sizes |= {"vocab": vocab, "seq": 512, **({"positions": 514} if family in ("roberta", "mpnet") else {})}
    if family in ("bert", "distilbert", "electra"):
        sizes["positions"] = 512
    return NamedModel(name, family, {**sizes, **settings}, source, aliases, note)


def _esm(name: str, width: int, depth: int, heads: int) -> NamedModel:
    return _encoder(name, "esm", (width, depth, 4 * width, heads), 33, _ESM, seq=1024)


def _t5(name: str, family: str, shape: Shape, vocab: int, source: str, *aliases: str, head_dim: int = 64) -> NamedModel:
    sizes: dict[str, object] = dict(zip(("width", "depth", "mlp_dim", "heads"), shape, strict=True))
    if shape[3] * head_dim != shape[0]:
        sizes["head_dim"] = head_dim
    note = "a source and a target of 512 tokens" + ("" if family == "t5" else f"; {_OWN_OUTPUT}")
    return NamedModel(name, family, {**sizes, "vocab": vocab, "seq": 512}, source, aliases, note)


def _bart(
    name: str, family: str, shape: Shape, vocab: int, source: str, *aliases: str, note: str = "", extra: int = 2
) -> NamedModel:
    sizes: dict[str, object] = dict(zip(("width", "depth", "mlp_dim", "heads"), shape, strict=True))
    sizes |= {"vocab": vocab, "seq": 1024}
    if family != "m2m_100":
        sizes |= {"positions": 1024 + extra, "target_positions": 1024 + extra}
    said = "a source and a target of 1024 tokens" + (f"; {note}" if note else "")
    return NamedModel(name, family, sizes, source, aliases, said)


def _whisper(
    name: str, shape: tuple[int, int, int], vocab: int, *aliases: str, source: str = _WHISPER, **settings: object
) -> NamedModel:
    """Return a record from (width, depth, heads), of 30 seconds of audio and 448 tokens of text."""
    width, depth, heads = shape
    sizes = {"width": width, "depth": depth, "mlp_dim": 4 * width, "heads": heads, "vocab": vocab}
    lengths = {"seq": 1500, "positions": 1500, "target_seq": 448, "target_positions": 448}
    note = f"30 seconds of audio, 448 tokens of text; {_FIXED}"
    return NamedModel(name, "whisper", {**sizes, **lengths, **settings}, source, aliases, note)


_BASE, _LARGE = (768, 12, 3072, 12), (1024, 24, 4096, 16)

ENCODERS: tuple[NamedModel, ...] = (
    _encoder("bert-base-uncased", "bert", _BASE, 30522, _BERT, "bert-base", "bert"),
    _encoder("bert-base-cased", "bert", _BASE, 28996, _BERT),
    _encoder("bert-base-multilingual-cased", "bert", _BASE, 119547, _BERT, "mbert"),
    _encoder("bert-base-multilingual-uncased", "bert", _BASE, 105879, _BERT),
    _encoder("bert-base-chinese", "bert", _BASE, 21128, _BERT),
    _encoder("bert-large-uncased", "bert", _LARGE, 30522, _BERT, "bert-large", "bert-large-uncased-whole-word-masking"),
    _encoder("bert-large-cased", "bert", _LARGE, 28996, _BERT, "bert-large-cased-whole-word-masking"),
    _encoder("roberta-base", "roberta", _BASE, 50265, _ROBERTA),
    _encoder("roberta-large", "roberta", _LARGE, 50265, _ROBERTA),
    _encoder("distilroberta-base", "roberta", (768, 6, 3072, 12), 50265, _DISTIL, "distilroberta"),
    _encoder("xlm-roberta-base", "roberta", _BASE, 250002, _XLM_R),
    _encoder("xlm-roberta-large", "roberta", _LARGE, 250002, _XLM_R),
    _encoder(
        "distilbert-base-uncased", "distilbert", (768, 6, 3072, 12), 30522, _DISTIL, "distilbert-base", "distilbert"
    ),
    _encoder("distilbert-base-cased", "distilbert", (768, 6, 3072, 12), 28996, _DISTIL),
    _encoder("distilbert-base-multilingual-cased", "distilbert", (768, 6, 3072, 12), 119547, _DISTIL),
    _encoder(
        "electra-small-discriminator",
        "electra",
        (256, 12, 1024, 4),
        30522,
        _ELECTRA,
        "electra-small",
        note=_REPLACED,
        embedding_dim=128,
    ),
    _encoder("electra-base-discriminator", "electra", _BASE, 30522, _ELECTRA, "electra-base", note=_REPLACED),
    _encoder("electra-large-discriminator", "electra", _LARGE, 30522, _ELECTRA, "electra-large", note=_REPLACED),
    _encoder("mpnet-base", "mpnet", _BASE, 30527, _MPNET),
    _encoder("ModernBERT-base", "modernbert", (768, 22, 1152, 12), 50368, _MODERNBERT, seq=8192),
    _encoder("ModernBERT-large", "modernbert", (1024, 28, 2624, 16), 50368, _MODERNBERT, seq=8192),
    _encoder(
        "all-MiniLM-L6-v2", "bert", (384, 6, 1536, 12), 30522, _MINILM, note=_BARE, pooler=True, head="none", seq=256
    ),
    _encoder(
        "all-MiniLM-L12-v2", "bert", (384, 12, 1536, 12), 30522, _MINILM, note=_BARE, pooler=True, head="none", seq=256
    ),
    _encoder("bge-small-en-v1.5", "bert", (384, 12, 1536, 12), 30522, _BGE, note=_BARE, pooler=True, head="none"),
    _encoder("bge-base-en-v1.5", "bert", _BASE, 30522, _BGE, note=_BARE, pooler=True, head="none"),
    _encoder("bge-large-en-v1.5", "bert", _LARGE, 30522, _BGE, note=_BARE, pooler=True, head="none"),
    _esm("esm2_t6_8M_UR50D", 320, 6, 20),
    _esm("esm2_t12_35M_UR50D", 480, 12, 20),
    _esm("esm2_t30_150M_UR50D", 640, 30, 20),
    _esm("esm2_t33_650M_UR50D", 1280, 33, 20),
    _esm("esm2_t36_3B_UR50D", 2560, 36, 40),
    _esm("esm2_t48_15B_UR50D", 5120, 48, 40),
)
"""What is predicted is in each note: the class of transformers that the released configuration names."""

_T511_SHAPES: dict[str, Shape] = {
    "small": (512, 8, 1024, 6),
    "base": (768, 12, 2048, 12),
    "large": (1024, 24, 2816, 16),
    "xl": (2048, 24, 5120, 32),
    "xxl": (4096, 24, 10240, 64),
}

ENCODER_DECODERS: tuple[NamedModel, ...] = (
    _t5("t5-small", "t5", (512, 6, 2048, 8), 32128, _T5),
    _t5("t5-base", "t5", _BASE, 32128, _T5),
    _t5("t5-large", "t5", _LARGE, 32128, _T5),
    _t5("t5-3b", "t5", (1024, 24, 16384, 32), 32128, _T5, head_dim=128),
    _t5("t5-11b", "t5", (1024, 24, 65536, 128), 32128, _T5, head_dim=128),
    *(
        _t5(f"t5-v1_1-{size}", "t5_v1_1", shape, 32128, _T511, f"flan-t5-{size}")
        for size, shape in _T511_SHAPES.items()
    ),
    *(_t5(f"mt5-{size}", "mt5", shape, 250112, _MT5) for size, shape in _T511_SHAPES.items()),
    *(_t5(f"umt5-{size}", "umt5", _T511_SHAPES[size], 256384, _UMT5) for size in ("small", "base", "xl", "xxl")),
    _bart("bart-base", "bart", (768, 6, 3072, 12), 50265, _BART),
    _bart("bart-large", "bart", (1024, 12, 4096, 16), 50265, _BART),
    _bart("bart-large-cnn", "bart", (1024, 12, 4096, 16), 50264, _BART, "bart-large-xsum"),
    _bart("mbart-large-cc25", "mbart", (1024, 12, 4096, 16), 250027, _MBART),
    _bart("mbart-large-50", "mbart", (1024, 12, 4096, 16), 250054, _MBART, "mbart-large-50-many-to-many-mmt"),
    _bart("pegasus-large", "pegasus", (1024, 16, 4096, 16), 96103, _PEGASUS, note=_FIXED, extra=0),
    _bart("m2m100-418M", "m2m_100", (1024, 12, 4096, 16), 128112, _M2M, "facebook/m2m100_418M"),
    _bart("m2m100-1.2B", "m2m_100", (1024, 24, 8192, 16), 128112, _M2M, "facebook/m2m100_1.2B"),
    _bart("nllb-200-distilled-600M", "m2m_100", (1024, 12, 4096, 16), 256206, _NLLB),
    _bart("nllb-200-1.3B", "m2m_100", (1024, 24, 8192, 16), 256206, _NLLB, "nllb-200-distilled-1.3B"),
    _bart("nllb-200-3.3B", "m2m_100", (2048, 24, 8192, 16), 256206, _NLLB),
    _whisper("whisper-tiny", (384, 4, 6), 51865),
    _whisper("whisper-tiny.en", (384, 4, 6), 51864),
    _whisper("whisper-base", (512, 6, 8), 51865),
    _whisper("whisper-base.en", (512, 6, 8), 51864),
    _whisper("whisper-small", (768, 12, 12), 51865),
    _whisper("whisper-small.en", (768, 12, 12), 51864),
    _whisper("whisper-medium", (1024, 24, 16), 51865),
    _whisper("whisper-medium.en", (1024, 24, 16), 51864),
    _whisper("whisper-large-v2", (1280, 32, 20), 51865, "whisper-large", "whisper-large-v1"),
    _whisper("whisper-large-v3", (1280, 32, 20), 51866, channels=128),
    _whisper("whisper-large-v3-turbo", (1280, 32, 20), 51866, "whisper-turbo", channels=128, decoder_depth=4),
    _whisper("distil-large-v2", (1280, 32, 20), 51865, source=_DISTIL_WHISPER, decoder_depth=2),
    _whisper("distil-large-v3", (1280, 32, 20), 51866, source=_DISTIL_WHISPER, channels=128, decoder_depth=2),
)
"""With the head that predicts the target, as their generating classes of transformers have it."""
