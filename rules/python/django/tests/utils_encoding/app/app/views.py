from django.utils import encoding as enc
from django.utils.encoding import force_text, iri_to_uri


def title(page):
    return force_text(page.title) + enc.smart_text(page.subtitle)


def address(page, force_text=None):
    return iri_to_uri(force_text or page.url)
