from django.contrib.postgres import fields
from django.contrib.postgres.forms import FloatRangeField

price = fields.FloatRangeField()
weight = FloatRangeField(required=False)
