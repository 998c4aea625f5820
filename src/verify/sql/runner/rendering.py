"""Models of dbt as plain SQL, by Jinja itself, with what dbt would say of names.

Must not: guess what a macro writes that the project does not bring along.
"""

import datetime
import re

import jinja2
import jinja2.sandbox

from reading import Refused

BLOCK = re.compile(r"\{%-?\s*(?:end)?snapshot\b[^%]*%\}")
MACROS = re.compile(r"\{%-?\s*macro\b")
# Longest text that a template may write.
LARGEST = 1 << 20


class Quiet:
    """Whatever is asked of it, it writes nothing."""

    unsafe_callable = alters_data = False

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Quiet()

    def __call__(self, *args, **kwargs):
        return ""

    def __str__(self):
        return ""


class Target:
    name, schema, database, type, threads, profile_name = "gander", "gander", "gander", "bigquery", 1, "gander"


class Project:
    """One side of a project: its files, and what its sources are called in the warehouse."""

    def __init__(self, given, datasets):
        self.files, self.sources, self.datasets = given["files"], given["sources"], datasets
        self.models = {path.rsplit("/", 1)[-1].removesuffix(".sql") for path in self.files if is_model(path)}
        self.environment = jinja2.sandbox.SandboxedEnvironment(
            undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"], autoescape=False)
        self.broken = {}
        self.macros = "".join(self.readable(path) for path in sorted(self.files) if MACROS.search(self.files[path]))

    def readable(self, path):
        """The macros of a file; one with tags that Jinja does not know is left out."""
        text = self.files[path]
        try:
            tree = self.environment.parse(text)
        except jinja2.TemplateError as error:
            self.broken[path] = str(error)
            return ""
        kept = [node for node in tree.body if type(node).__name__ == "Macro"]
        return text if kept and not is_model(path) else ""

    def source(self, source, table, **_):
        known = self.sources.get(f"{source}.{table}")
        if known is not None:
            return table_of(known.split("."))
        for side in ("old", "new"):
            for index, dataset in enumerate(self.datasets):
                if f"{source}.{table}" in dataset[f"{side}_sources"]:
                    return f"gander_{side}_{index}"
        return table_of(["source", source, table])

    def ref(self, *names, **_):
        model = names[-1]
        if model not in self.models or len(names) > 1:
            for side in ("old", "new"):
                for index, dataset in enumerate(self.datasets):
                    known = dataset[f"{side}_models"]
                    if ".".join(names) in known or model in known or any(k.rsplit(".", 1)[-1] == model for k in known):
                        return f"gander_{side}_{index}"
        return table_of(["model", model])

    def render(self, path, incremental):
        """The SQL of a model; whether it asks if it is incremental is the second part."""
        asked = []

        def is_incremental():
            asked.append(True)
            return incremental

        def given(kind):
            def get(key, *default):
                if not default:
                    raise Refused(f"`{kind}({key!r})` has no default")
                return default[0]
            return get

        def unknown(name):
            def call(*args, **kwargs):
                raise Refused(f"`{name}` asks the warehouse")
            return call

        def wrong(message="", *rest):
            raise Refused(f"the project says: {str(message)[:100]}")

        exceptions = type("Exceptions", (), {"raise_compiler_error": staticmethod(wrong), "warn": staticmethod(Quiet())})
        modules = type("Modules", (), {"datetime": datetime, "re": re})
        names = {
            "ref": self.ref, "source": self.source, "config": Quiet(), "is_incremental": is_incremental, "log": Quiet(),
            "print": Quiet(), "var": given("var"), "env_var": given("env_var"), "target": Target(), "execute": False,
            "this": table_of(["this", path.rsplit("/", 1)[-1].removesuffix(".sql")]), "exceptions": exceptions,
            "modules": modules, "run_query": unknown("run_query"), "statement": unknown("statement"),
            "run_started_at": datetime.datetime(2024, 6, 15, 12), "flags": Quiet(), "invocation_id": "gander",
        }
        # What is declared where nothing else stands may stand before it.
        text = self.macros + BLOCK.sub("", self.files[path])
        try:
            sql = self.environment.from_string(text).render(names)
        except Refused:
            raise
        except (jinja2.TemplateError, TypeError, ValueError, AttributeError, KeyError, OverflowError) as error:
            raise Refused(f"its template can't be rendered: {str(error)[:200]}") from None
        if len(sql) > LARGEST:
            raise Refused("its template writes more than a megabyte")
        return sql, bool(asked)


def is_model(path):
    folders = path.split("/")[:-1]
    return path.endswith(".sql") and not {"macros", "tests", "analyses", "dbt_packages"} & set(folders)


def is_query(path):
    """Models, and tests and analyses that are queries."""
    return path.endswith(".sql") and not {"macros", "dbt_packages"} & set(path.split("/")[:-1])


# What a dialect quotes a name with.
QUOTES = {"duckdb": '"', "snowflake": '"', "ansi": '"', "": '"'}
quote = "`"


def table_of(names):
    return ".".join(quote + name.replace(quote, "") + quote for name in names)


def scripts(given, datasets):
    """Every model that the change renders otherwise: name, old and new SQL, or why not.

    A file that changes and that no model shows is told, too.
    """
    global quote
    quote = QUOTES.get(given["dialect"], "`")
    old, new = Project(given["old"], datasets), Project(given["new"], datasets)
    shown, failed = 0, None
    for path in sorted(old.files):
        if not is_query(path):
            continue
        name, changed = given["root"] + path, path in given["changed"]
        for incremental in (False, True):
            title = f"{name} (incremental)" if incremental else name
            try:
                before, asked = old.render(path, incremental)
                if incremental and not asked:
                    break
                after, _ = new.render(path, incremental)
            except Refused as why:
                failed = str(why)
                # What the change does not touch need not be told.
                if changed:
                    yield title, None, None, str(why)
                break
            if before != after:
                shown += 1
                yield title, before, after, None
            elif changed:
                yield title, before, after, None
    for path in given["changed"]:
        if path in old.files and not is_query(path):
            if not shown:
                yield given["root"] + path, None, None, failed or "no model shows what it changes"
