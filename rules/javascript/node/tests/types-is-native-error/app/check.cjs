const { types: { isNativeError, isDate } } = require('util');
const util = require('util');

exports.plain = (value) => !isNativeError(value) && !isDate(value);
exports.failed = (value) => util.types.isNativeError(value);
