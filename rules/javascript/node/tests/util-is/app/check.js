const util = require('util');

function kind(value) {
  if (!util.isObject(value)) return typeof value;
  if (util.isArray(value) || util.isBuffer(value)) return 'list';
  return util.isNullOrUndefined(read(value)) ? 'empty' : util.inspect(value);
}

const given = list.filter((value) => !util.isUndefined(value) && util.isFunction(value.then));
module.exports = { kind, given };
