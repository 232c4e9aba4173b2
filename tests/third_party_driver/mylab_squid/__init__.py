"""A lamp of one's own: one source, switched at once, with one option."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future

from pydantic import BaseModel, Field

from squid.abc.device import Device
from squid.abc.illumination import Illumination, LightSource
from squid.models.base import FileModel


class LampOptions(FileModel):
    """Options of the lamp."""

    wavelength_nm: float = Field(gt=0)


class Lamp(Illumination):
    """A lamp with one source, called ``lamp``."""

    Options = LampOptions

    def __init__(self, label: str, options: LampOptions) -> None:
        super().__init__(label)
        self._source = LightSource("lamp", options.wavelength_nm)
        self._lit = False

    @classmethod
    def create(cls, label: str, options: BaseModel, uses: Mapping[str, Device]) -> Lamp:
        assert isinstance(options, LampOptions)
        return cls(label, options)

    @property
    def sources(self) -> tuple[LightSource, ...]:
        return (self._source,)

    @property
    def on_latency_ms(self) -> float:
        return 0.0

    @property
    def lit(self) -> tuple[str, ...]:
        return ("lamp",) if self._lit else ()

    def _do_turn_on(self, source: str, intensity: float) -> Future[None]:
        return self._switch(True)

    def _do_turn_off(self, source: str) -> Future[None]:
        return self._switch(False)

    def _do_all_off(self) -> None:
        self._switch(False)

    def _switch(self, lit: bool) -> Future[None]:
        self._lit = lit
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def _do_open(self) -> None: ...

    def _do_close(self) -> None:
        self._lit = False


class NotADevice:
    """What a wrong entry point may name."""
