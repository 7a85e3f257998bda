"""Thumbs: one image from another, with bounds on what its decoding may take."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any, Final, Literal

from django.conf import settings
from PIL import Image, ImageOps, UnidentifiedImageError

from projects.schema.fields.file import THUMB

Format = Literal["PNG", "JPEG", "GIF", "WEBP", "AVIF"]

# What thumbs are made of: by type, the format that the thumb has too.
FORMATS: Final[dict[str, Format]] = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
}
TYPES: Final[dict[Format, str]] = {form: kind for kind, form in FORMATS.items()}

_SAVING: Final[dict[Format, dict[str, Any]]] = {
    "PNG": {"optimize": False},
    "JPEG": {"quality": 85, "progressive": True},
    "GIF": {},
    "WEBP": {"quality": 80, "method": 4},
    "AVIF": {"quality": 60, "speed": 8, "max_threads": 1},
}
# Pillow warns of large images; here they are refused, by a limit of our own.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
# Decoded somewhat larger than it will be, and brought to size by the better filter.
_GAP: Final = 2


class UnfitImageError(Exception):
    """No thumb can be made of it: no image, a broken one, one that is too large, or too large a thumb."""


@dataclass(frozen=True, slots=True)
class Size:
    """A thumb's size: sides in pixels, 0 for what the other one gives; how it is cut ("", t, b) or fitted (f)."""

    width: int
    height: int
    how: str

    @classmethod
    def parse(cls, text: str) -> Size | None:
        """None for what is no size."""
        match = THUMB.fullmatch(text)
        if match is None or len(text) > 20:
            return None
        width, height = int(match[1]), int(match[2])
        return cls(width, height, match[3]) if width or height else None


def make_thumb(path: str, size: Size, form: Format) -> bytes:
    """The image at ``path`` (of an animation its first frame) as a thumb. Blocks. Raises UnfitImageError.

    Its header is read first: what is larger than MBAAS_IMAGE_MAX_PIXELS is never decoded. The thumb stands
    upright and has the colours of the image, but nothing else that the image says of itself (place, camera).
    """
    try:
        with Image.open(path, formats=list(TYPES)) as image:
            _refuse_large(image.width * image.height)
            profile = image.info.get("icc_profile")
            return _saved(_cut(_upright(_reduced(image, size)), size), form, profile)
    except (
        OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, OverflowError, MemoryError,
        UnidentifiedImageError, Image.DecompressionBombError,
    ) as error:  # fmt: skip
        # What decoders raise when they are fed with what is no image or only half of one.
        raise UnfitImageError(str(error)) from error


def _refuse_large(pixels: int) -> None:
    if pixels > settings.MBAAS_IMAGE_MAX_PIXELS:
        raise UnfitImageError(f"{pixels} pixels")


def _reduced(image: Image.Image, size: Size) -> Image.Image:
    """The image in a mode that can be resized; already small where its decoder can do that."""
    # The sides may be swapped when it is turned upright.
    longest = max(_target(size, image.width, image.height), _target(size, image.height, image.width))
    _refuse_large(longest[0] * longest[1])
    side = max(longest)
    if image.format == "JPEG":
        # A lower resolution straight from the decoder. It keeps both sides at least that long.
        image.draft("RGB", (side * _GAP, side * _GAP))
    image.load()
    turned = image.getexif().get(0x0112, 1)
    plain = _plain(image)
    factor = min(plain.width, plain.height) // (side * _GAP)
    if factor > 1:
        plain = plain.reduce(factor)
    plain.getexif()[0x0112] = turned
    return plain


def _plain(image: Image.Image) -> Image.Image:
    """RGB, or RGBA where something shows through."""
    if image.mode.startswith("I") or image.mode == "F":
        return image.convert("F").point(lambda value: value / 256).convert("L").convert("RGB")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode == "RGB" else image.convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    return ImageOps.exif_transpose(image)


def _target(size: Size, width: int, height: int) -> tuple[int, int]:
    """What a thumb of an image with these sides measures before it is cut."""
    if not size.width or not size.height:
        scale = size.width / width if size.width else size.height / height
    elif size.how == "f":
        scale = min(size.width / width, size.height / height, 1.0)
    else:
        scale = max(size.width / width, size.height / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _cut(image: Image.Image, size: Size) -> Image.Image:
    width, height = _target(size, image.width, image.height)
    scaled = (
        image.resize((width, height), Image.Resampling.LANCZOS) if image.size != (width, height) else image
    )
    if not size.width or not size.height or size.how == "f":
        return scaled
    left = (width - size.width) // 2
    top = {"t": 0, "b": height - size.height}.get(size.how, (height - size.height) // 2)
    return scaled.crop((left, top, left + size.width, top + size.height))


def _saved(image: Image.Image, form: Format, profile: bytes | None) -> bytes:
    if form == "JPEG" and image.mode != "RGB":
        image = image.convert("RGB")
    image.info.clear()
    out = io.BytesIO()
    options = dict(_SAVING[form])
    if profile and form != "GIF":
        options["icc_profile"] = profile
    image.save(out, form, exif=b"", **options)
    return out.getvalue()
