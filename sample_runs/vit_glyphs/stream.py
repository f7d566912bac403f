"""Images from the pool: an endless stream from a seed, and fixed sets to validate on. No image is made twice.

A picture of the pool is moved, turned, sheared and scaled, blended over a background with a gradient and a faint piece
of another character, blurred, and covered with noise. What is random is drawn with NumPy on the CPU from (seed, index
of the batch), so that every run and every device sees the same images.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from glyphs import Pool
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

IMAGE = 32
"""Side, in pixels."""
TRAINED, VALIDATION = 0, 1
"""Groups of faces of the pool."""
TURN, SHEAR, STRETCH, SHIFT = 0.1, 0.1, 0.08, 0.06
"""Largest angle (radians), shear, and relative change of either side; largest shift, in halves of the image."""
ZOOM = (0.9, 1.15)
"""Halves of the pool's picture that a half of the image spans: the ink is 0.53 to 0.8 of the image's side."""
CONTRAST = (0.4, 1.0)
CLUTTER, GRADIENT, NOISE, BLUR = 0.3, 0.25, 0.08, 0.9
"""Largest strength of another character's piece and of a gradient, of the noise (standard deviation), and of the blur
(standard deviation, in pixels), all where white minus black is 1."""
_TAPS = torch.arange(-3, 4, dtype=torch.float32)


@dataclass(frozen=True)
class Stream:
    """Batches of images of some classes, in faces of one group.

    Attributes
    ----------
    pool : Pool
        The pictures.
    group : int
        TRAINED or VALIDATION.
    classes : (int, int)
        First class, and the one after the last.
    seed : int
        Of everything random.
    device : torch.device
        Where images are made.
    """

    pool: Pool
    group: int
    classes: tuple[int, int]
    seed: int
    device: torch.device

    def batch(self, index: int, size: int) -> tuple[Tensor, Tensor]:
        """Return images, shape (size, 1, IMAGE, IMAGE), about -1 to 1, and labels counted from the first class."""
        rng = np.random.default_rng((self.seed, index))
        return self.images(rng, rng.integers(*self.classes, size))

    def balanced(self, index: int, each: int) -> tuple[Tensor, Tensor]:
        """Return as many images of every class, class by class."""
        rng = np.random.default_rng((self.seed, index))
        return self.images(rng, np.repeat(np.arange(*self.classes), each))

    def images(self, rng: np.random.Generator, labels: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Draw an image of every label."""
        size = len(labels)
        others = rng.integers(*self.classes, size)
        glyphs = np.stack([self._glyph(rng, labels), self._glyph(rng, others)])
        near = _affine(rng, size, ZOOM, SHIFT)
        far = _affine(rng, size, (0.5, 1.0), 1.5)
        tone = rng.uniform(*CONTRAST, size)
        strengths = rng.uniform(-1, 1, (3, size)) * np.array([[CLUTTER], [GRADIENT], [GRADIENT]])
        level, blur = rng.uniform(0, NOISE, size), rng.uniform(0.3, BLUR, size)
        noise = rng.standard_normal((size, 1, IMAGE, IMAGE), dtype=np.float32)

        pictures = torch.from_numpy(self.pool.pictures[glyphs.reshape(-1)]).to(self.device)[:, None].float() / 255
        moves = self._tensor(np.concatenate([near, far]))
        grid = functional.affine_grid(moves, [2 * size, 1, IMAGE, IMAGE], align_corners=False)
        ink, clutter = functional.grid_sample(pictures, grid, align_corners=False).view(2, size, 1, IMAGE, IMAGE)
        ramp = torch.linspace(-1, 1, IMAGE, device=self.device)
        paper, down, right = (self._tensor(s).view(size, 1, 1, 1) for s in strengths)
        ground = paper * clutter + down * ramp[:, None] + right * ramp - self._tensor(tone / 2).view(size, 1, 1, 1)
        image = ground * (1 - ink) + (ground + self._tensor(tone).view(size, 1, 1, 1)) * ink
        image = _blurred(image, self._tensor(blur))
        image = image + torch.from_numpy(noise).to(self.device) * self._tensor(level).view(size, 1, 1, 1)
        return 2 * image, torch.from_numpy(labels - self.classes[0]).to(self.device)

    def _glyph(self, rng: np.random.Generator, labels: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.pool.first[self.group, labels] + rng.integers(self.pool.count[self.group, labels])

    def _tensor(self, values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(values.astype(np.float32)).to(self.device)


def _affine(rng: np.random.Generator, size: int, zoom: tuple[float, float], shift: float) -> NDArray[np.float64]:
    """Return matrices from the image's coordinates to the picture's, shape (size, 2, 3)."""
    turn = rng.uniform(-TURN, TURN, size)
    turned = np.stack([np.cos(turn), -np.sin(turn), np.sin(turn), np.cos(turn)], axis=-1).reshape(size, 2, 2)
    sheared = np.tile(np.eye(2), (size, 1, 1))
    sheared[:, 0, 1] = rng.uniform(-SHEAR, SHEAR, size)
    sides = np.exp(rng.uniform(-STRETCH, STRETCH, (size, 1, 2)))
    both = turned @ sheared * sides * np.exp(rng.uniform(*np.log(zoom), size))[:, None, None]
    return np.concatenate([both, rng.uniform(-shift, shift, (size, 2, 1))], axis=-1)


def _blurred(images: Tensor, sigma: Tensor) -> Tensor:
    """Convolve every image with a normal kernel of its own width, rows then columns."""
    size = len(images)
    kernel = torch.exp(-((_TAPS.to(sigma.device) / sigma[:, None]) ** 2) / 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).view(size, 1, 1, -1)
    flat = functional.pad(images.transpose(0, 1), (3, 3, 3, 3), mode="replicate")
    flat = functional.conv2d(flat, kernel, groups=size)
    return functional.conv2d(flat, kernel.transpose(2, 3), groups=size).transpose(0, 1)
