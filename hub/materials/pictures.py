"""Small pictures of large ones."""

import io

from PIL import Image, ImageOps

BOX = (600, 500)  # twice a tile's size, for dense screens
#: Of what is given out on request: enough to choose by.
BOX_ON_REQUEST = (240, 200)


def thumbnail(picture: io.BytesIO, box: tuple[int, int] = BOX) -> io.BytesIO:
    """A WebP of the picture (of its first frame) that fits the box; never larger than the original."""
    out = io.BytesIO()
    with Image.open(picture) as image:
        image.draft("RGB", box)  # JPEGs are decoded no larger than needed
        small = ImageOps.exif_transpose(
            image.convert("RGBA" if image.mode in ("P", "LA", "PA", "RGBA") else "RGB")
        )
        small.thumbnail(box, Image.Resampling.LANCZOS)
        small.save(out, "WEBP", quality=82, method=4)
    out.seek(0)
    return out
