"""Shared by the tables of all config files."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator

from azr.types import Kind

Positive = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
NonNegative = Annotated[float, Field(ge=0.0)]


def _kind(name: object) -> Kind:
    kind = Kind(name) if isinstance(name, str) else None
    if kind is None or not (kind.domain or kind in set(Kind)):
        raise ValueError(f"known are {', '.join(Kind)}, and those of a domain as <domain>.<kind>")
    return kind


KindName = Annotated[Kind, PlainValidator(_kind), PlainSerializer(str)]


class Section(BaseModel):
    """A table of the file: immutable; an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")
