const SlowBuffer = require('buffer').SlowBuffer;

module.exports = (size) => new SlowBuffer(size);
