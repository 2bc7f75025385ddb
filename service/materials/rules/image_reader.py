"""A program of its own that decodes one image, because an image can exhaust who decodes it.

`images.py` runs it by its path, as `python -I image_reader.py MOST_PIXELS`, like `pdf_reader.py`.
It writes nothing where there is a picture, and otherwise the code with which the file is refused.
"""

from __future__ import annotations

import io
import resource
import struct
import sys
import warnings
from typing import Final

from PIL import Image

MEMORY: Final = 1024 * 1024 * 1024
"""Decoded, a pixel takes four bytes."""
SECONDS: Final = 10
"""Of the processor. A photograph of 20 MiB takes a quarter of one."""


def read(content: bytes, most_pixels: int) -> str:
    """Nothing, or the code with which an image is refused."""
    Image.MAX_IMAGE_PIXELS = most_pixels
    warnings.simplefilter("ignore")
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            # A photograph is decoded to an eighth of its size, which reads all of it.
            image.draft("L", (1, 1))
            image.load()
    except MemoryError:
        return "file_too_complicated"
    except (OSError, SyntaxError, ValueError, KeyError, IndexError, struct.error):
        return "file_broken"
    except Image.DecompressionBombError:
        return "file_pixels_too_many"
    return ""


def main() -> None:
    """Read what comes on standard input, within the limits, and say what it is."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(read(sys.stdin.buffer.read(), int(sys.argv[1])))


if __name__ == "__main__":
    main()
