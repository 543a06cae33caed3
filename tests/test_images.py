"""Loading, converting and fitting images: planted pixels, closed forms, bad files."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.images import (
    ImageError,
    fit_image,
    load_image,
    to_uint8,
)


def random_pixels(height, width, *, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(image, kind="PNG", **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    stream.seek(0)
    return stream


def as_uint8(stream):
    image = load_image(stream, name="x")
    assert image.dtype == np.float32
    return np.rint(image * 255).astype(int)


def test_rgb_keeps_every_value_and_shape():
    pixels = random_pixels(5, 7)
    image = load_image(encoded(Image.fromarray(pixels)))
    assert image.shape == (5, 7, 3)
    assert image.min() >= 0
    assert image.max() <= 1
    np.testing.assert_array_equal(to_uint8(image), pixels)


def test_grey_and_one_bit_images_become_three_equal_channels():
    grey = random_pixels(4, 6)[..., 0]
    np.testing.assert_array_equal(
        as_uint8(encoded(Image.fromarray(grey))), np.stack([grey] * 3, -1)
    )
    bits = grey > 127
    np.testing.assert_array_equal(
        as_uint8(encoded(Image.fromarray(bits))), np.stack([bits * 255] * 3, -1)
    )


@pytest.mark.parametrize(("kind", "dtype"), [("PNG", "uint16"), ("TIFF", "int32")])
def test_sixteen_bit_grey_keeps_its_depth(kind, dtype):
    values = np.array([[0, 1, 256, 40_000, 65_535]], dtype)
    image = load_image(encoded(Image.fromarray(values), kind))
    # float32 rounds the quotient to 24 bits, far below one step of 16.
    np.testing.assert_allclose(image[..., 1], values / 65_535, atol=1e-7)
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


def test_a_palette_counts_by_its_colours():
    image = Image.new("P", (3, 1))
    image.putpalette([10, 20, 30, 200, 100, 50, 7, 8, 9])
    image.putdata([1, 0, 2])
    expected = [[[200, 100, 50], [10, 20, 30], [7, 8, 9]]]
    assert as_uint8(encoded(image)).tolist() == expected
    # Entry 0 fully transparent, entry 2 at 51 of 255: over white, 255 - 0.2 * rest.
    stream = encoded(image, transparency=bytes([0, 255, 51]))
    expected = [[[200, 100, 50], [255, 255, 255], [205, 206, 206]]]
    np.testing.assert_allclose(as_uint8(stream), expected, atol=1)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_lies_over_white(mode):
    colour = [40, 40, 40] if mode == "LA" else [40, 80, 120]
    values = colour[:1] if mode == "LA" else colour
    image = Image.new(mode, (3, 1))
    image.putdata([(*values, alpha) for alpha in (0, 102, 255)])
    shares = np.array([0, 0.4, 1])[:, None]
    expected = 255 * (1 - shares) + shares * np.array(colour)
    np.testing.assert_allclose(as_uint8(encoded(image))[0], expected, atol=1)


def test_a_single_transparent_colour_becomes_white():
    image = Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8))
    stream = encoded(image, transparency=(4, 5, 6))
    assert as_uint8(stream).tolist() == [[[1, 2, 3], [255, 255, 255]]]


def test_cmyk_is_converted_to_rgb():
    inks = Image.new("CMYK", (2, 1))
    inks.putdata([(255, 0, 0, 0), (0, 0, 0, 255)])
    assert as_uint8(encoded(inks, "TIFF")).tolist() == [[[0, 255, 255], [0, 0, 0]]]
    # As Adobe stores it in JPEG, inverted; flat colour survives the compression.
    flat = Image.new("CMYK", (16, 16), (0, 255, 0, 0))
    np.testing.assert_allclose(
        as_uint8(encoded(flat, "JPEG", quality=95))[8, 8], [255, 0, 255], atol=3
    )


# How each value of the EXIF tag says that the picture was turned or mirrored.
ORIENTATIONS = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: np.rot90,
}


@pytest.mark.parametrize("tag", ORIENTATIONS)
def test_the_orientation_that_a_camera_noted_is_applied(tag):
    pixels = random_pixels(3, 5)
    exif = Image.Exif()
    exif[0x0112] = tag
    stream = encoded(Image.fromarray(pixels), exif=exif)
    np.testing.assert_array_equal(as_uint8(stream), ORIENTATIONS[tag](pixels))


def huge_png():
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk


def large_png():
    """Between Pillow's warning and its error: 10,000 x 10,000 in few bytes."""
    return encoded(Image.new("1", (10_000, 10_000))).getvalue()


BAD_FILES = {
    "text": lambda: b"not an image",
    "nothing": lambda: b"",
    "truncated PNG": lambda: encoded(Image.fromarray(random_pixels(64, 64))).getvalue()[
        :3000
    ],
    "truncated JPEG": lambda: encoded(
        Image.fromarray(random_pixels(64, 64)), "JPEG"
    ).getvalue()[:1500],
    "huge": huge_png,
    "large": large_png,
    "float": lambda: encoded(Image.new("F", (2, 2)), "TIFF").getvalue(),
    "32 bits": lambda: encoded(Image.new("I", (2, 2), 70_000), "TIFF").getvalue(),
    "EPS": lambda: encoded(Image.new("RGB", (2, 2)), "EPS").getvalue(),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_named_in_one_line(tmp_path, kind):
    path = tmp_path / "face 1.png"
    path.write_bytes(BAD_FILES[kind]())
    with pytest.raises(ImageError, match=r"face 1\.png .*\.") as caught:
        load_image(path)
    assert "\n" not in str(caught.value)


def test_a_path_that_is_no_file_is_named(tmp_path):
    with pytest.raises(ImageError, match="does not exist"):
        load_image(tmp_path / "no.png")
    with pytest.raises(ImageError, match="is a folder"):
        load_image(tmp_path)


@pytest.mark.parametrize(
    ("height", "width", "side"), [(218, 178, 108), (40, 90, 40), (91, 40, 40)]
)
def test_the_centre_is_cropped_to_the_pixel(height, width, side):
    top, left = (height - side) // 2, (width - side) // 2
    image = np.zeros((height, width, 3), np.float32)
    image[top : top + side, left : left + side] = 1.0
    fitted, note = fit_image(image, 16)
    # One row of the surroundings would darken the edge by several percent.
    np.testing.assert_allclose(fitted, 1.0, atol=1e-6)
    assert f"centred {side} x {side}" in note
    assert "reduced" in note


def test_a_crop_of_the_right_size_is_not_resampled():
    image = np.random.default_rng(0).random((218, 178, 3), dtype=np.float32)
    fitted, _ = fit_image(image, 108)
    np.testing.assert_array_equal(fitted, image[55:163, 35:143])
    same, note = fit_image(image[:64, :64], 64)
    np.testing.assert_array_equal(same, image[:64, :64])
    assert note == ""


def test_reducing_is_antialiased():
    stripes = np.zeros((96, 96, 3), np.float32)
    stripes[:, ::2] = 1.0
    fitted, _ = fit_image(stripes, 24)
    # Stripes far above the new Nyquist limit must melt into their mean; at the two
    # outer columns the filter is cut off by the border.
    np.testing.assert_allclose(fitted[:, 2:-2], 0.5, atol=0.02)


@pytest.mark.parametrize("side", [16, 48, 100])
def test_resizing_keeps_a_ramp_where_it_is(side):
    # A shift by half a pixel, the usual mistake, would move every value by 0.01.
    ramp = 0.1 + 0.8 * (np.arange(side) + 0.5) / side
    image = np.broadcast_to(ramp[None, :, None], (side, side, 3)).astype(np.float32)
    fitted, _ = fit_image(image, 32)
    expected = 0.1 + 0.8 * (np.arange(32) + 0.5) / 32
    np.testing.assert_allclose(fitted[0, 4:-4, 0], expected[4:-4], atol=1e-3)


def test_fitting_stays_in_range_and_refuses_what_is_no_image():
    edges = np.zeros((50, 50, 3), np.float32)
    edges[10:40, 10:40] = 1.0
    fitted, _ = fit_image(edges, 64)  # Bicubic would overshoot to -0.07 and 1.07.
    assert fitted.min() == 0.0
    assert fitted.max() == 1.0
    with pytest.raises(TypeError, match="uint8"):
        fit_image(np.zeros((8, 8, 3), np.uint8), 4)
    with pytest.raises(ValueError, match=r"\[H, W, 3\]"):
        fit_image(np.zeros((8, 8)), 4)
    with pytest.raises(ValueError, match="`size`"):
        fit_image(edges, 0)
