const crypto = require('node:crypto');
const { createCredentials } = require('node:crypto');

exports.id = crypto.randomUUID();
exports.mine = crypto.createCredentials({ key, cert });
exports.theirs = createCredentials({ ca });
