from django.core.validators import EmailValidator

inside = EmailValidator(message="no", whitelist=["example.org"])
both = EmailValidator(whitelist=["a"], allowlist=["b"])
plain = EmailValidator("no")
