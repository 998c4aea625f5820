def greet(request, user):
    if request.user.is_authenticated() and not user.is_authenticated():
        return request.user.name
    return "nobody" if request.user.is_anonymous() else "somebody"
