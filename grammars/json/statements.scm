; JSON has no comments: what is left to a person is in the ledger only.
