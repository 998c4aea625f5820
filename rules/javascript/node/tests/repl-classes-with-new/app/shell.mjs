import repl from "node:repl";

export const shell = repl.REPLServer({ prompt: "> " });
export const retry = (error) => repl.Recoverable(error);
