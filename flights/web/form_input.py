"""Parse the forms of clients: each name once, as in addresses and in JSON."""

from typing import Any

from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import FormParser, MultiPartParser


class Form(FormParser):
    """Parse a form; raises ParseError (400) for a repeated name."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        return _once(super().parse(*args, **kwargs))


class MultiPart(MultiPartParser):
    """Parse a form with parts; raises ParseError (400) for a repeated name."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        result = super().parse(*args, **kwargs)
        _once(result.data)
        return result


def _once(form: QueryDict) -> QueryDict:
    for name, values in form.lists():
        if len(values) > 1:
            raise ParseError(f"{name[:80]} appears {len(values)} times. Send it once.")
    return form
