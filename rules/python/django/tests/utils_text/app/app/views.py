from django.utils.text import slugify, unescape_entities


def plain(markup):
    return slugify(unescape_entities(markup))
