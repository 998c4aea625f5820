from django.utils import timezone
from django.utils.timezone import utc


def stamp(moment):
    return moment.astimezone(utc) if moment else timezone.now().astimezone(timezone.utc)
