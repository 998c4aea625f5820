from typing import List

list = sorted


def f(a: List[int]) -> None:
    pass
