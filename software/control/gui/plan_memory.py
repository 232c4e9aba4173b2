"""The plan on the screen as plain data for the window's settings, so that nothing is lost when it is closed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from control.core.planning import PlanDraft
from squid.errors import PlanError
from squid.models.file import validate
from squid.models.plan import AcquisitionPlan
from squid.models.plate import PlateGeometry

_log = logging.getLogger(__name__)


class PlanMemory:
    """The plan on the screen as JSON values: worked out once for each draft, however often it is asked for."""

    def __init__(self) -> None:
        self._draft: PlanDraft | None = None
        self._data: dict[str, Any] | None = None

    def data_of(self, draft: PlanDraft) -> dict[str, Any] | None:
        """Return a draft's plan; of a draft that makes none, the last one that did; None: there was none."""
        if draft is not self._draft:
            self._draft = draft
            try:
                self._data = draft.to_plan().model_dump(mode="json", exclude_unset=True)
            except PlanError as e:
                _log.info("the plan as it is on the screen is not remembered, but the one before: %s", e)
        return self._data


def draft_of(data: object, plates: Mapping[str, PlateGeometry]) -> PlanDraft | None:
    """Return the draft that `PlanMemory` wrote; None: there is none, or another version of the program wrote it."""
    if not isinstance(data, dict):
        return None
    try:
        return PlanDraft.of(validate(data, AcquisitionPlan, PlanError, file=None), plates)
    except PlanError as e:
        _log.warning("the last plan cannot be shown again: %s", e)
        return None
