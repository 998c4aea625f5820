class Agent:
    def name(self):
        agent = self.request.META.get("HTTP_USER_AGENT", "")
        if "HTTP_X_REQUEST_ID" not in self.request.META:
            return agent
        if ("CONTENT_TYPE") in self.request.META and (self.flag) in self.request.META:
            return self.request.META['HTTP_X_REQUEST_ID']
        del self.request.META["HTTP_COOKIE"]
        self.request.META["HTTP_HOST"] = "a"
        return other.META["HTTP_HOST"] + self.request.META["QUERY_STRING"]
