from django.utils.http import is_safe_url, urlencode, urlquote as quoted, urlunquote


def target(request, fallback):
    wanted = urlunquote(request.GET.get("next", ""))
    if not is_safe_url(wanted, allowed_hosts={request.get_host()}):
        return fallback
    return quoted(wanted) + "?" + urlencode({"from": fallback})
