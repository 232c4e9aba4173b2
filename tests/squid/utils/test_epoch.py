"""The right to command devices: void once revoked, also in an outer epoch."""

from __future__ import annotations

import pytest

from squid.errors import AccessRevokedError
from squid.utils.epoch import Epoch, check_access


def test_without_an_epoch_nobody_is_refused() -> None:
    check_access("stage")


@pytest.mark.parametrize("how", ["entered", "run"])
def test_a_revoked_epoch_refuses_inside_and_only_inside(how: str) -> None:
    outer, inner = Epoch("plate"), Epoch("autofocus")

    def inside(_: None) -> None:
        check_access("stage")
        outer.revoke("ran for more than 5 s")
        outer.revoke("another reason")
        with pytest.raises(AccessRevokedError, match=r"stage: task 'plate' may no longer .*: ran for more than 5 s"):
            check_access("stage")

    with outer.entered():
        if how == "run":
            inner.run(inside, None)
        else:
            with inner.entered():
                inside(None)
        with pytest.raises(AccessRevokedError):
            check_access("stage")
    check_access("stage")
    assert (outer.reason, inner.reason) == ("ran for more than 5 s", None)
