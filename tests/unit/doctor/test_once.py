"""A reading that several checks share."""

import pytest

from controller.doctor.diagnosis import Once
from controller.errors import TransientError


def test_a_value_is_read_once() -> None:
    reads = list[int]()

    def read() -> int:
        reads.append(1)
        return len(reads)

    once = Once(read)
    assert (once(), once(), reads) == (1, 1, [1])


def test_an_error_is_raised_to_each_and_the_reading_not_repeated() -> None:
    reads = list[int]()

    def read() -> int:
        reads.append(1)
        raise TransientError("No answer.")

    once = Once(read)
    for _ in range(2):
        with pytest.raises(TransientError):
            once()
    assert reads == [1]
