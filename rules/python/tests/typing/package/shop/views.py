from typing import (
    List,  # used below
    Optional,
)

from shop.models import Item


def first(items: List[Item]) -> Optional[Item]:
    return items[0] if items else None
