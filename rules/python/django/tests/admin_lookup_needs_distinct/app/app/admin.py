from django.contrib.admin import utils
from django.contrib.admin.utils import lookup_needs_distinct

distinct = lookup_needs_distinct(opts, path) or utils.lookup_needs_distinct(opts, other)
