"""A package as it was written for Python 3.6."""
import typing
from typing import Any, Dict, List, Optional, Tuple, Union

Price = Tuple[int, str]


class Item:
    name: str
    tags: List[str]
    price: Optional[Price] = None

    def labels(self, extra: typing.List[str] = ()) -> Dict[str, Any]:  # kept
        found: Dict[str, List[Union[int, str]]] = {}
        return {**found, "extra": list(extra)}
