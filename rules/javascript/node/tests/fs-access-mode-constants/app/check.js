const { access, R_OK, W_OK } = require("node:fs");
const fs = require("fs");

access("a", R_OK | W_OK, done);
fs.accessSync("b", fs.X_OK);
fs.accessSync("b", fs.constants.F_OK);
