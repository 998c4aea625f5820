from django.core import paginator
from django.core.paginator import EmptyPage, QuerySetPaginator


def page(orders, number):
    try:
        return QuerySetPaginator(orders, 20).page(number)
    except EmptyPage:
        return paginator.QuerySetPaginator(orders, 20).page(1)
