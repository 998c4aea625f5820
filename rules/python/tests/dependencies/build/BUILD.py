server = library(
    deps = ["client", "old-client"],
)
tests = ["old-client"]
names = {"client": 1}
