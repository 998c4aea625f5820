from django.utils.translation import ugettext as _, ungettext

from .models import Order


def summary(count):
    return ungettext("%d order", "%d orders", count) % count + _("in all")
