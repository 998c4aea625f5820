; There are no tests in this language.
