from django.utils import timezone

dt = timezone.now()
zone = timezone.utc
