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


def plan_data(draft: PlanDraft) -> dict[str, Any] | None:
    """Return a draft's plan as JSON values; None: it makes none."""
    try:
        return draft.to_plan().model_dump(mode="json", exclude_unset=True)
    except PlanError as e:
        _log.warning("the plan on the screen is not remembered: %s", e)
        return None


def draft_of(data: object, plates: Mapping[str, PlateGeometry]) -> PlanDraft | None:
    """Return the draft that `plan_data` wrote; None: there is none, or another version of the program wrote it."""
    if not isinstance(data, dict):
        return None
    try:
        return PlanDraft.of(validate(data, AcquisitionPlan, PlanError, file=None), plates)
    except PlanError as e:
        _log.warning("the last plan cannot be shown again: %s", e)
        return None
