const module_ = require('module');
const { createRequireFromPath: from } = require('module');

exports.here = module_.createRequireFromPath(__filename);
exports.there = from('/srv/app/index.js');
