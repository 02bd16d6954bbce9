from edgekit._native._kernels import ffi, lib

from edgekit.kernels.machine import KEPT_BYTES, Scratch


def address_of(memory):
    return int(ffi.cast("uintptr_t", memory))


def test_memory_that_was_given_back_is_taken_again():
    scratch = Scratch(1_000)
    memory = scratch.take()
    assert len(memory) == 1_000
    assert address_of(memory) % lib.EK_ALIGNMENT == 0
    scratch.give_back(memory)
    assert scratch.take() is memory


def test_calls_at_the_same_time_have_memory_of_their_own():
    scratch = Scratch(1_000)
    first, second = scratch.take(), scratch.take()
    assert abs(address_of(first) - address_of(second)) >= 1_000


def test_large_memory_is_let_go():
    scratch = Scratch(KEPT_BYTES + 1)
    memory = scratch.take()
    scratch.give_back(memory)
    assert scratch.take() is not memory
