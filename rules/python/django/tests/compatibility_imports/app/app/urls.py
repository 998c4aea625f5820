from django.core.urlresolvers import RegexURLPattern, resolve, reverse as url
from django.db.models.query import EmptyResultSet, QuerySet
from django.utils.functional import lru_cache


@lru_cache(maxsize=1)
def home():
    return url("home"), resolve("/"), RegexURLPattern, EmptyResultSet, QuerySet
