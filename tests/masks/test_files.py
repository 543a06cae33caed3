import warnings

import numpy as np
import pytest
from PIL import Image

from semantic_inpaint.images import decoding
from semantic_inpaint.masks import files, load_known, make_known, save_known

# The top left corner is missing: neither symmetric nor equal to its inverse.
KNOWN = np.ones((6, 9), dtype=bool)
KNOWN[:2, :4] = False
GREY = np.where(KNOWN, 0, 255).astype(np.uint8)


def grey():
    return Image.fromarray(GREY)


def palette():
    # Index 0 is white here, so that indices and brightness disagree.
    image = Image.fromarray(KNOWN.astype(np.uint8)).convert("P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    return image


def palette_with_transparency():
    image = Image.fromarray(KNOWN.astype(np.uint8)).convert("P")
    image.putpalette([255, 255, 255, 255, 255, 255])
    image.info["transparency"] = bytes([255, 0])
    return image


def white_on_transparent():
    image = Image.new("RGBA", (9, 6), "white")
    image.putalpha(grey())
    return image


def grey_on_transparent():
    image = Image.new("LA", (9, 6), (255, 0))
    image.putalpha(grey())
    return image


def opaque_alpha():
    return grey().convert("RGBA")


IMAGES = {
    "grey": grey,
    "one bit": lambda: grey().convert("1"),
    "rgb": lambda: grey().convert("RGB"),
    "rgba": opaque_alpha,
    "white on transparent": white_on_transparent,
    "grey on transparent": grey_on_transparent,
    "palette": palette,
    "palette with transparency": palette_with_transparency,
    "16 bit": lambda: Image.fromarray(GREY.astype(np.uint16) * 257),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_white_is_the_hole_in_every_kind_of_png(kind, tmp_path):
    path = tmp_path / "mask.png"
    IMAGES[kind]().save(path)
    known, note = load_known(path, 6, 9)
    assert known.dtype == np.bool_
    assert np.array_equal(known, KNOWN)
    assert note is None


@pytest.mark.parametrize("suffix", ["bmp", "gif", "tiff", "webp"])
def test_other_lossless_formats_are_read(suffix, tmp_path):
    path = tmp_path / f"mask.{suffix}"
    options = {"lossless": True} if suffix == "webp" else {}
    grey().save(path, **options)
    assert np.array_equal(load_known(path, 6, 9)[0], KNOWN)


def test_compression_noise_of_a_jpeg_does_not_matter(tmp_path):
    path = tmp_path / "mask.jpg"
    grey().resize((72, 48), Image.Resampling.NEAREST).save(path, quality=60)
    known, _ = load_known(path, 48, 72)
    assert np.array_equal(known, KNOWN.repeat(8, axis=0).repeat(8, axis=1))


def test_a_cmyk_jpeg_is_read_by_its_brightness(tmp_path):
    path = tmp_path / "mask.jpg"
    image = grey().resize((72, 48), Image.Resampling.NEAREST)
    image.convert("RGB").convert("CMYK").save(path, quality=95)
    known, _ = load_known(path, 48, 72)
    assert np.array_equal(known, KNOWN.repeat(8, axis=0).repeat(8, axis=1))


@pytest.mark.parametrize(("dtype", "half"), [(np.uint8, 127), (np.uint16, 32767)])
def test_soft_edges_are_cut_above_half(dtype, half, tmp_path):
    path = tmp_path / "mask.png"
    Image.fromarray(np.array([[0, 1, half, half + 1, 2 * half]], dtype)).save(path)
    known, _ = load_known(path, 1, 5)
    assert known.tolist() == [[True, True, True, False, False]]


def test_the_orientation_tag_of_a_photo_is_obeyed(tmp_path):
    path = tmp_path / "mask.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by a quarter, clockwise
    grey().save(path, exif=exif)
    known, note = load_known(path, 9, 6)
    assert np.array_equal(known, np.rot90(KNOWN, -1))
    assert note is None


@pytest.mark.parametrize("name", ["random-square", "stripes", "left", "random"])
def test_what_is_saved_is_loaded_again(name, tmp_path):
    known = make_known(name, 1, 21, 34)[0]
    save_known(tmp_path / "mask.png", known)
    loaded, note = load_known(str(tmp_path / "mask.png"), 21, 34)
    assert np.array_equal(loaded, known)
    assert note is None


def test_a_saved_mask_is_a_grey_png_with_a_white_hole_and_nothing_beside_it(tmp_path):
    path = tmp_path / "mask.png"
    path.write_text("an older file")
    save_known(path, KNOWN)
    with Image.open(path) as image:
        assert (image.format, image.mode) == ("PNG", "L")
        assert np.array_equal(np.asarray(image), GREY)
    assert list(tmp_path.iterdir()) == [path]


def test_a_save_that_fails_leaves_the_older_file_and_no_rest(tmp_path):
    path = tmp_path / "mask.png"
    path.mkdir()  # cannot be replaced by a file
    with pytest.raises(OSError, match=r"mask\.png"):
        save_known(path, KNOWN)
    assert list(tmp_path.iterdir()) == [path]


def message_of_load(path, height=6, width=9):
    with pytest.raises(ValueError, match="mask") as caught:
        load_known(path, height, width)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


def test_a_missing_file_or_a_folder_is_said_to_be_one(tmp_path):
    assert "no such file" in message_of_load(tmp_path / "mask.png")
    (tmp_path / "masks").mkdir()
    assert "a folder" in message_of_load(tmp_path / "masks")


def test_a_file_that_is_no_image_is_said_to_be_none(tmp_path):
    path = tmp_path / "mask.png"
    path.write_text("not pixels")
    assert "is not an image" in message_of_load(path)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tiff"])
def test_a_truncated_file_is_said_to_be_damaged(suffix, tmp_path):
    path = tmp_path / f"mask.{suffix}"
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    assert "may be truncated" in message_of_load(path)


def test_floating_point_pixels_are_refused(tmp_path):
    path = tmp_path / "mask.tiff"
    Image.fromarray(GREY.astype(np.float32)).save(path)
    message = message_of_load(path)
    assert "no agreed white" in message
    assert "8-bit grey PNG" in message


def test_a_mask_all_white_or_all_black_is_refused_with_the_way_to_mend_it(tmp_path):
    path = tmp_path / "mask.png"
    Image.new("L", (9, 6), 255).save(path)
    message = message_of_load(path)
    assert "no pixel is known" in message
    assert "swap black and white" in message
    Image.new("L", (9, 6), 0).save(path)
    message = message_of_load(path)
    assert "no pixel is missing" in message
    assert "Paint the hole white" in message


def test_a_mask_is_not_fitted_to_an_oblong(tmp_path):
    path = tmp_path / "mask.png"
    grey().save(path)
    message = message_of_load(path, 12, 27)
    assert "9 x 6" in message
    assert "27 x 12" in message
    assert "size of the image" in message


@pytest.mark.parametrize("suffix", ["eps", "pcx", "tga"])
def test_formats_outside_the_list_are_refused_as_no_image(suffix, tmp_path):
    path = tmp_path / f"mask.{suffix}"
    grey().save(path)
    assert "is not an image of a format that can be read" in message_of_load(path)


def test_masks_are_opened_under_the_rules_of_images():
    assert files._FORMATS == decoding._FORMATS
    assert files._MAX_PIXELS == decoding._MAX_PIXELS


def test_a_mask_of_far_too_many_pixels_is_refused(tmp_path):
    path = tmp_path / "mask.png"
    # Between Pillow's warning and its error.
    Image.new("1", (10_000, 10_000)).save(path)
    assert "more than 89478485 pixels" in message_of_load(path)


def test_odd_metadata_causes_no_warning(tmp_path):
    path = tmp_path / "mask.png"
    # A camera's note that begins well and ends too early.
    grey().save(path, exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x05\x00\x12\x01")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        known, _ = load_known(path, 6, 9)
    assert np.array_equal(known, KNOWN)
    assert caught == []


def test_what_cannot_be_saved_is_refused(tmp_path):
    with pytest.raises(TypeError, match="boolean"):
        save_known(tmp_path / "mask.png", GREY)
    with pytest.raises(ValueError, match=r"\[H, W\]; got \(1, 6, 9\)"):
        save_known(tmp_path / "mask.png", KNOWN[None])
    with pytest.raises(ValueError, match="no pixel is missing"):
        save_known(tmp_path / "mask.png", np.ones((6, 9), dtype=bool))
    with pytest.raises(ValueError, match=r"end in \.png"):
        save_known(tmp_path / "mask.jpg", KNOWN)
    with pytest.raises(ValueError, match="no such folder"):
        save_known(tmp_path / "nowhere" / "mask.png", KNOWN)
    assert list(tmp_path.iterdir()) == []
