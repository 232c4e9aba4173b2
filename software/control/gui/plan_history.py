"""The drafts of a plan one after the other: the one on the screen, those before it for undo, and which one is saved."""

from __future__ import annotations

from control.core.planning import PlanDraft

MOST_STEPS = 200


class PlanHistory:
    """The newest draft, and the way back.

    Parameters
    ----------
    draft : PlanDraft
        The first one; counts as saved.
    """

    def __init__(self, draft: PlanDraft) -> None:
        self._undo: list[PlanDraft] = []
        self._redo: list[PlanDraft] = []
        self.draft = draft
        self._saved: PlanDraft | None = draft

    @property
    def is_unsaved(self) -> bool:
        """Whether the draft differs from the one in its file."""
        return self.draft != self._saved

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to take again."""
        return bool(self._redo)

    def edit(self, draft: PlanDraft) -> bool:
        """Take a newer draft; False when it says the same."""
        if draft == self.draft:
            return False
        self._undo = [*self._undo[1 - MOST_STEPS :], self.draft]
        self._redo.clear()
        self.draft = draft
        return True

    def undo(self) -> None:
        """Take the last step back."""
        if self._undo:
            self._redo.append(self.draft)
            self.draft = self._undo.pop()

    def redo(self) -> None:
        """Take a step again that was taken back."""
        if self._redo:
            self._undo.append(self.draft)
            self.draft = self._redo.pop()

    def begin(self, draft: PlanDraft, *, is_saved: bool = True) -> None:
        """Begin with another plan; nothing before it can be undone."""
        self._undo.clear()
        self._redo.clear()
        self.draft = draft
        self._saved = draft if is_saved else None

    def saved(self, draft: PlanDraft) -> None:
        """Note that this draft is in its file."""
        self._saved = draft
