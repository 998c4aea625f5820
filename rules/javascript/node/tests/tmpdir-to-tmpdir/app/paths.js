const { join } = require("path");
const { EOL, tmpDir } = require("os");

module.exports = join(tmpDir(), "cache") + EOL;
