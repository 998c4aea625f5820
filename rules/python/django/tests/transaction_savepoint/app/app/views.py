from django.db import transaction
from django.db.transaction import savepoint as begin


def book():
    first = transaction.savepoint()
    second = begin()
    return first, second
