from django.utils import crypto
from django.utils.crypto import get_random_string

token = get_random_string() + crypto.get_random_string(allowed_chars="abc")
short = get_random_string(4)
named = get_random_string(length=5)
