from django.db import models
from django.db.models import NullBooleanField


class Answer(models.Model):
    given = NullBooleanField("given", default=None)
    right = models.NullBooleanField(null=True)
    sure = NullBooleanField(null=False)
