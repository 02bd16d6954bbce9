"""Images with every instruction set against NumPy's float64, on drawn settings, at guard pages."""

import numpy as np
from guarded import guarded, guarded_copy
from hypothesis import given, settings
from hypothesis import strategies as st
from references import image as reference

from edgekit import kernels

SIDES = st.integers(1, 60)
WHOLE = {"int8": (-128, 127), "uint8": (0, 255)}


@st.composite
def tensor_settings(draw):
    dtype = draw(st.sampled_from(["float32", "float16", "int8", "uint8"]))
    return kernels.TensorSettings(
        source=draw(st.permutations(range(3))) if draw(st.booleans()) else (1, 1, 0),
        scale=tuple(draw(st.sampled_from([1 / 60, 1 / 57.12, -0.003, 1.0])) for _ in range(3)),
        offset=tuple(draw(st.sampled_from([0.0, -2.0357, 1.5])) for _ in range(3)),
        fill=(0.0, -0.25, 3.0),
        planes=draw(st.sampled_from([1, 3])),
        mode=draw(st.sampled_from(["bilinear", "nearest", "antialias", "area"])),
        layout=draw(st.sampled_from(["chw", "hwc"])),
        dtype=dtype,
        quantum=draw(st.sampled_from([0.02, 1.0])),
        zero_point=draw(st.integers(*WHOLE.get(dtype, (0, 0)))),
    )


@st.composite
def placements(draw):
    if draw(st.booleans()):
        return kernels.Placement((draw(SIDES), draw(SIDES)))
    inner = draw(SIDES), draw(SIDES)
    full = tuple(side + draw(st.integers(0, 9)) for side in inner)
    size = tuple(side + draw(st.integers(0, 9)) for side in inner)
    corner = tuple(draw(st.integers(0, a - b)) for a, b in zip(size, inner, strict=True))
    skip = tuple(draw(st.integers(0, a - b)) for a, b in zip(full, inner, strict=True))
    return kernels.Placement(size, inner, corner, full, skip)


def crop(image):
    return image[1:-1, 1:-1] if min(image.shape[:2]) > 2 else image


VIEWS = {
    "as it is": lambda image: image,
    "a crop": crop,
    "upside down": lambda image: image[::-1],
    "mirrored": lambda image: image[:, ::-1],
    "channels reversed": lambda image: image[..., ::-1],
    "every third": lambda image: image[::3, ::2],
    "transposed": lambda image: image.transpose(1, 0, 2),
    "of four channels": lambda image: np.concatenate([image, image[..., :1]], axis=2)[..., :3],
    "planes": lambda image: np.ascontiguousarray(image.transpose(2, 0, 1)).transpose(1, 2, 0),
    "gray": lambda image: image[..., 1],
    "one pixel for all": lambda image: np.broadcast_to(image[:1, :1, :1], image.shape),
    "one row for all": lambda image: np.broadcast_to(image[:1], image.shape),
}


def pixels(shape, seed):
    """Noise, or black and white, or a slope."""
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, shape, dtype=np.uint8)
    slope = np.add.outer(np.arange(shape[0]) * 3, np.arange(shape[1]) * 5)
    return (noise, np.where(noise > 127, 255, 0).astype(np.uint8), slope_of(slope, shape))[seed % 3]


def slope_of(slope, shape):
    return (slope.reshape(*shape[:2], *[1] * (len(shape) - 2)) + np.zeros(shape)).astype(np.uint8)


def at_the_end(view):
    """The same view of bytes whose last one is a page's last."""
    owner = view
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    copy = guarded_copy(owner)
    assert copy.strides == owner.strides
    first = view.__array_interface__["data"][0] - owner.__array_interface__["data"][0]
    flat = np.lib.stride_tricks.as_strided(copy, (copy.size,), (1,))
    return np.lib.stride_tricks.as_strided(flat[first:], view.shape, view.strides)


def tensors_everywhere(own, placement, image):
    """The tensor, the same bits with every instruction set and at both ends of a page."""
    kernel, found = kernels.ImageKernel(own, placement), None
    for isa in kernels.available_isas():
        for at_end in (True, False):
            out = guarded(kernel.shape, kernel.dtype, at_end)
            kernel(image, out, isa=isa)
            found = out.copy() if found is None else found
            np.testing.assert_array_equal(out, found, err_msg=isa)
    return found


def check(own, placement, image, levels, either_level):
    found = reference.numbers_of(own, tensors_everywhere(own, placement, image))
    expected = reference.within(own, reference.planes_of(own, placement, levels))
    axes = reference.axes_of(own, placement, levels)
    off, allowed = np.abs(found - expected), reference.allowed(own, axes, expected, either_level)
    assert (off <= allowed).all(), f"{(off / allowed).max()} of what is allowed"


@settings(max_examples=200, deadline=None)
@given(
    tensor_settings(), placements(), SIDES, SIDES, st.sampled_from(list(VIEWS)), st.integers(0, 99)
)
def test_pixels_are_weight_rounding_away_from_the_reference(
    own, placement, height, width, view, seed
):
    image = VIEWS[view](pixels((height, width, 3), seed))
    check(own, placement, at_the_end(image), image, False)


@settings(max_examples=100, deadline=None)
@given(
    tensor_settings(), placements(), SIDES, SIDES, st.booleans(), st.booleans(),
    st.sampled_from(["bt601", "bt709"]), st.integers(0, 99),
)  # fmt: skip
def test_camera_frames_are_weight_rounding_away_from_the_reference(
    own, placement, height, width, interleaved, full_range, matrix, seed
):
    luma, half = pixels((height, width), seed), ((height + 1) // 2, (width + 1) // 2)
    chroma = guarded_copy(pixels((*half, 2) if interleaved else (2, *half), seed + 1))
    u, v = chroma.transpose(2, 0, 1) if interleaved else chroma
    camera = kernels.CameraPlanes(guarded_copy(luma), u, v, matrix, full_range)
    check(own, placement, camera, reference.rgb_of(camera), reference.is_between_levels(camera))
